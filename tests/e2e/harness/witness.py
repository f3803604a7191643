# SPDX-License-Identifier: Apache-2.0
"""A real witness (consentd --witness), and how a log asks one."""

import subprocess

import httpx

from harness.server import BINARY, Server


class Witness(Server):
    """Made by its first start; `vkey` is what that printed."""

    stdout = subprocess.PIPE

    def __init__(self, data, logs, name="witness.example/w1"):
        super().__init__(data)
        self.logs, self.name = logs, name
        self.vkey = None
        self.at = "127.0.0.1:0"

    def command(self):
        command = [str(BINARY), "--witness", "--listen", self.at, "--data", str(self.data)]
        command += ["--logs", str(self.logs)]
        return command if self.vkey is not None else [*command, "--create", "--name", self.name]

    def start(self, clock=None):
        super().start(clock)
        vkey = self.process.stdout.readline().decode().strip()
        assert self.vkey in (None, vkey)
        self.vkey = vkey
        self.at = f"{self.host}:{self.port}"  # the same at the next start: logs know it
        return self

    def _end(self, how):
        process = self.process
        how()
        if process is not None:
            process.stdout.close()

    def stop(self):
        self._end(super().stop)

    def kill(self):
        self._end(super().kill)

    def ask(self, body, method="POST", path="/add-checkpoint"):
        with httpx.Client(trust_env=False, timeout=60) as client:
            return client.request(method, self.url + path, content=body)
