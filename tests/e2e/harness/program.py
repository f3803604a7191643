# SPDX-License-Identifier: Apache-2.0
"""Programs of the examples, run as they stand: built in a copy, started, and ended by the id of their
group."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading

from harness.server import ROOT

EXAMPLES = ROOT / "docs" / "examples"
BIN = pathlib.Path(sys.executable).parent
NODE_MODULES = ROOT / "tests" / "npm" / "node_modules"
START_DEADLINE_S = 120


def environment(**more):
    """Without what the machine may have set for node or for proxies."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "PATH": f"{BIN}:{os.environ['PATH']}", **more}


def copied(name, directory):
    """The example in `directory`, as in a checkout: what it is made from lies beside it."""
    place = directory / "docs" / "examples" / name
    shutil.copytree(EXAMPLES / name, place, ignore=shutil.ignore_patterns("node_modules", "token"))
    shutil.copy2(ROOT / "openapi.yaml", directory)
    readings = subprocess.run(
        [sys.executable, EXAMPLES / "readings" / "make.py"], capture_output=True, check=True
    )
    (place / "meter-1.csv").write_bytes(readings.stdout)
    if (place / "package.json").exists():
        (place / "node_modules").symlink_to(NODE_MODULES)
    return place


def run(place, *command):
    done = subprocess.run(
        [BIN / command[0], *command[1:]],
        cwd=place,
        env=environment(),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


class Program:
    """Started at once; `url` is where it says that it listens."""

    def __init__(self, place, *command, **variables):
        self.lines = []
        self.url = None
        self._listening = threading.Event()
        self.process = subprocess.Popen(
            [BIN / command[0], *command[1:]],
            cwd=place,
            env=environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line)
            if found := re.search(r"listening on (https?://\S+)", line):
                self.url = found[1]
                self._listening.set()
        self._listening.set()

    def __enter__(self):
        self._listening.wait(START_DEADLINE_S)
        if self.url is None:
            self.__exit__()
            raise AssertionError("it did not start:\n" + self.said)
        return self

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGTERM)  # npm and node start others
        self.process.wait()
        self._reader.join()
        self.process.stdout.close()

    @property
    def said(self):
        return "".join(self.lines)
