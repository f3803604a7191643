# SPDX-License-Identifier: Apache-2.0
"""One log key follows another, as docs/keys.md has it, seen by a stranger."""

import subprocess

from conftest import NOW, NOW_S
from harness import bodies
from harness.audit import Auditor, read_log
from harness.client import Api
from harness.merkle import Checkpoint
from harness.server import CTL
from harness.tokens import Minter


def next_key(data):
    return subprocess.run([CTL, "next-key", "--data", data], capture_output=True, text=True)


def test_a_key_follows_another(new_server):
    server = new_server(clock=f"{NOW}x0")
    minter = Minter(server.data, NOW_S)

    def look():
        with Api(server, minter, minter.auditor()) as auditor:
            return read_log(auditor), auditor.get("/log/checkpoint").text

    entries, _ = look()
    first = entries[0]["payload"]["body"]["verifierKey"]
    made = next_key(server.data)
    assert made.returncode == 0 and not made.stderr
    second = made.stdout.strip()
    assert second.split("+")[0] == first.split("+")[0] and second != first
    assert (server.data / "keys" / "log.next.key").stat().st_mode & 0o077 == 0
    again = next_key(server.data)
    assert again.returncode == 1 and "cannot be made" in again.stderr

    server.stop()
    server.start()
    entries, checkpoint = look()
    assert entries[-1]["event"] == "key.added"
    assert entries[-1]["payload"]["body"] == {"verifierKey": second}
    for key in (first, second):
        assert Checkpoint(checkpoint, key).size == len(entries)

    server.stop()
    (server.data / "keys" / "log.next.key").rename(server.data / "keys" / "log.key")
    server.start()
    with Api(server, minter, minter.tenant("https://directory.example/keys/edp")) as tenant:
        tenant.create(bodies.consent("https://directory.example/keys/app", NOW))
    entries, checkpoint = look()
    assert [e["event"] for e in entries[-2:]] == ["key.retired", "consent.granted"]
    assert entries[-2]["payload"]["body"] == {"verifierKey": first}
    assert Checkpoint(checkpoint, second).size == len(entries)
    assert checkpoint.count("\u2014") == 1
    Auditor().feed(entries)


def test_without_a_key_there_is_none_to_follow(tmp_path):
    done = next_key(tmp_path)
    assert done.returncode == 1 and "is not a signing key" in done.stderr
