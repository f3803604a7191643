# SPDX-License-Identifier: Apache-2.0
"""Rows of a stopped store, changed by LMDB itself (tests/tamper/rows.c)."""

import subprocess

from harness.server import BINARY, _environment

ROWS = BINARY.with_name("rows")


def number(n):
    return n.to_bytes(8, "big")


class Rows:
    def __init__(self, data):
        self.data = data

    def run(self, table, *words):
        command = [str(ROWS), str(self.data), table, *words]
        done = subprocess.run(command, capture_output=True, text=True, env=_environment({}), timeout=60)
        assert done.returncode == 0, done.stderr
        return bytes.fromhex(done.stdout)

    def get(self, table, key):
        return self.run(table, "get", key.hex())

    def put(self, table, key, value):
        self.run(table, "put", key.hex(), value.hex())

    def delete(self, table, key):
        self.run(table, "del", key.hex())

    def swap(self, table, one, two):
        first, second = self.get(table, one), self.get(table, two)
        self.put(table, one, second)
        self.put(table, two, first)
