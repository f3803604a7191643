# SPDX-License-Identifier: Apache-2.0
"""The program under test (driver.c) as an object: packs and cases in, answers out."""

import json
import subprocess

from truth.question import dump


class Died(Exception):
    """The driver ended, as a sanitizer or an assertion makes it."""


class Driver:
    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise Died(f"the driver ended with status {self.process.wait()}")
        return json.loads(line)

    def ask(self, pack, cases):
        """One answer for each case, or the error for which the pack was refused."""
        lines = ["P" + json.dumps(pack)]
        for case in cases:
            given = {key: value for key, value in case.items() if key != "request"}
            lines += ["C" + json.dumps(given), "R" + dump(case["request"])]
        try:
            self.process.stdin.write("".join(line + "\n" for line in lines).encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # read tells
        loaded = self.read()
        answers = [self.read() for _ in cases]
        return (f"{loaded['at']}: {loaded['refused']}" if loaded["refused"] else None), answers

    def close(self):
        self.process.stdin.close()
        return self.process.wait()
