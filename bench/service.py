# SPDX-License-Identifier: Apache-2.0
"""The processes under measurement, and what the kernel tells about them."""

import atexit
import json
import os
import pathlib
import signal
import subprocess
import time
import urllib.request


class Consentd:
    """The release build on a data directory; stderr goes to a file beside it."""

    def __init__(self, build, data, program="consentd", config=None, **settings):
        """`config` is the configuration file; its listeners stand behind the plain one."""
        self.binary = pathlib.Path(build) / program
        self.data = pathlib.Path(data)
        self.log = self.data.with_suffix(".log")
        self.settings = {f"CONSENTD_{name.upper()}": str(value) for name, value in settings.items()}
        self.process = None
        self.config = config
        self.port = None
        self.ports = []  # of the plain listener, then of those in the configuration
        self.start_seconds = None
        atexit.register(self.end)

    def command(self):
        command = [self.binary, "--dev", "--data", self.data, "--listen", "127.0.0.1:0"]
        if self.config is None:
            return command
        file = self.data.with_suffix(".json")
        file.write_text(json.dumps(self.config))
        return [*command, "--config", file]

    def start(self):
        expected = 1 + len((self.config or {}).get("listeners", ()))
        with self.log.open("wb") as log:
            begun = time.monotonic()
            self.process = subprocess.Popen(
                self.command(), stdout=subprocess.DEVNULL, stderr=log,
                env={**os.environ, **self.settings})
        while self.port is None:
            if self.process.poll() is not None:
                raise SystemExit(self.log.read_text())
            lines = [json.loads(line) for line in self.log.read_bytes().splitlines()
                     if b'"service.listening"' in line and line.endswith(b"}")]
            if len(lines) == expected:
                self.ports = [int(line["address"].rpartition(":")[2]) for line in lines]
                self.port = self.ports[0]
                self.start_seconds = time.monotonic() - begun
            time.sleep(0.0005)
        return self

    def end(self):
        """Of a measurement that failed, no process stays behind."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait()
        self.port = None

    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics") as answer:
            lines = answer.read().decode().split("\n")
        return {name: float(value) for name, value in
                (line.rsplit(" ", 1) for line in lines if line and line[0] != "#")}

    def written_pages(self):
        """Pages that the writer thread has handed to the kernel. The process's write_bytes counts
        whole folios, which are larger; other threads write to sockets and the log."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task")
        for task in tasks.iterdir():
            if task.name == str(self.process.pid):
                continue
            if (task / "comm").read_text().strip() in ("consentd", "writer"):
                for line in (task / "io").read_text().splitlines():
                    if line.startswith("wchar:"):
                        return int(line.split()[1]) / 4096
        raise SystemExit("no writer thread")

    def resident(self):
        """(bytes of the store's map, all other bytes) that are resident."""
        of_map = others = 0
        here = False
        for line in pathlib.Path(f"/proc/{self.process.pid}/smaps").read_text().splitlines():
            if "-" in line.split(" ", 1)[0]:
                here = line.endswith("/data.mdb")
            elif line.startswith("Rss:"):
                size = int(line.split()[1]) * 1024
                of_map, others = (of_map + size, others) if here else (of_map, others + size)
        return of_map, others


class Bare:
    """The constant handler of bench/bare_h2o.c."""

    def __init__(self, build, size, loops=1):
        self.process = subprocess.Popen(
            [pathlib.Path(build) / "bench" / "bare_h2o", "--loops", str(loops), "--size", str(size)],
            stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])
        atexit.register(self.process.kill)

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def mint(build, data, urls, path):
    """A file of providers and their tokens for bench/load."""
    lines = []
    for url in urls:
        token = subprocess.run(
            [pathlib.Path(build) / "consentctl", "token", "--data", data, "--role", "tenant",
             "--id", url, "--ttl", "24h"], check=True, capture_output=True, text=True).stdout
        lines.append(f"{url} {token.strip()}\n")
    path.write_text("".join(lines))
    return [line.split()[1] for line in lines]


def load(build, port, tokens, clients, count, first=0, ids=None, rate=None, proof=False):
    command = [pathlib.Path(build) / "bench" / "load", "--port", str(port), "--tokens", tokens,
               "--clients", str(clients), "--count", str(count), "--first", str(first)]
    if ids is not None:
        command += ["--ids", ids]
    if rate is not None:
        command += ["--rate", str(rate)]
    if proof:
        command.append("--proof")
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(result.stdout)
