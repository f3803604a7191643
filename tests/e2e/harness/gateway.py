# SPDX-License-Identifier: Apache-2.0
"""A real proxy in front of a server under test, with the configuration of its example in the docs:
what both kinds have in common."""

import pathlib
import socket
import subprocess
import time

from harness.server import ROOT, Door

EXAMPLES = ROOT / "docs" / "examples"
DEADLINE_S = 60


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as chosen:
        return chosen.getsockname()[1]


def changed(text, changes):
    """Each of `changes` is in the text: no example drifts away from its test."""
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, str(new))
    return text


class Gateway:
    """start() and stop(); `files` are the paths of the example and what stands for them here."""

    name = None
    refuses_handshakes = None  # a client whose certificate is not good hears no HTTP

    def __init__(self, folder, backend, files):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        self.example = EXAMPLES / self.name
        self.access_log = self.folder / "access.log"
        self.mutual_port, self.public_port = free_port(), free_port()
        self.process = None
        self.configure(f"{backend.host}:{backend.port}", files)

    def configure(self, backend, files):
        """Writes the example's files into the folder, with other places."""
        raise NotImplementedError

    def command(self):
        raise NotImplementedError

    def lists_have_changed(self):
        """What its operator does then."""
        raise NotImplementedError

    def start(self):
        with open(self.folder / "stderr", "wb") as stderr:
            self.process = subprocess.Popen(self.command(), stderr=stderr)
        end = time.monotonic() + DEADLINE_S
        for port in (self.mutual_port, self.public_port):
            while not self.listens(port):
                assert self.process.poll() is None, (self.folder / "stderr").read_text()
                assert time.monotonic() < end, f"{self.name} does not listen"
        return self

    @staticmethod
    def listens(port):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return True
        except ConnectionError:
            return False

    def stop(self):
        self.process.terminate()
        assert self.process.wait(DEADLINE_S) == 0

    def log(self):
        return self.access_log.read_text()

    def mutual(self, context):
        return Door("127.0.0.1", self.mutual_port, context)

    def public(self, context):
        return Door("127.0.0.1", self.public_port, context)
