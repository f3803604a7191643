# SPDX-License-Identifier: Apache-2.0
"""Whoever can write the store's files can change them. What was changed is found when the service
starts, or by whoever verifies the log (invariant 3)."""

import base64
import re
import shutil

import pytest
from conftest import NOW, NOW_S
from harness import bodies
from harness.client import Api
from harness.merkle import leaf_hash
from harness.server import Server
from harness.tokens import Minter
from test_export import ctl
from test_log_served import APP, EDP, append_tokens
from test_verify import found

ENTRIES = 300  # more than a tile
AT = 40


def raw_line(folder, index):
    return (folder / "events.ndjson").read_bytes().splitlines()[index]


def payload_of(folder, index):
    """The exact bytes."""
    line = raw_line(folder, index)
    return line[line.index(b'"payload":') + 10 :].split(b',"personalR":')[0].removesuffix(b"}")


def leaf_of(folder, index):
    return base64.b64decode(re.search(rb'"leaf":"([^"]*)"', raw_line(folder, index))[1])


class Stored:
    """A stopped store, what it holds by an export of it, and its log's key."""

    def __init__(self, folder):
        self.data, self.out = folder / "data", folder / "out"
        server = Server(self.data, clock=f"{NOW}x0").start()
        minter = Minter(self.data, NOW_S)
        with Api(server, minter, minter.tenant(EDP)) as tenant:
            consent = tenant.create(bodies.consent(APP, NOW))["consentId"]
            append_tokens(tenant, consent, ENTRIES - 3, 0)
        server.stop()
        assert ctl("export", "--data", self.data, self.out).stdout == f"{ENTRIES} entries\n"
        self.key = folder / "vkey"
        self.key.write_bytes((self.out / "vkey").read_bytes())

    def damaged(self, folder, *changes):
        """A copy in which bytes are others, wherever they stand."""
        data = shutil.copytree(self.data, folder / "data")
        path = data / "data.mdb"
        content = path.read_bytes()
        for before, after in changes:
            assert len(before) == len(after) and before in content
            content = content.replace(before, after)
        path.write_bytes(content)
        return data

    def verify(self, data, folder):
        done = ctl("export", "--data", data, folder / "log")
        if done.returncode != 0:
            return None, done.stderr
        return ctl("verify", folder / "log", "--vkey", self.key, "--openings"), None


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    return Stored(tmp_path_factory.mktemp("stored"))


def turned(text, at):
    return text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :]


def test_nothing_is_found_where_nothing_was_changed(stored, tmp_path):
    done, _ = stored.verify(stored.damaged(tmp_path), tmp_path)
    assert done.returncode == 0 and done.stdout.startswith(f"good, {ENTRIES} entries"), done


def test_a_changed_payload_is_named(stored, tmp_path):
    payload = payload_of(stored.out, AT)
    at = payload.index(b'"seq":') + 6
    done, _ = stored.verify(stored.damaged(tmp_path, (payload, turned(payload, at))), tmp_path)
    assert found(done) == f"entry {AT}: its payload is not what its leaf commits to"


@pytest.mark.parametrize("at", [0, 1, 3, 4, 35])
def test_a_changed_leaf_is_named(stored, tmp_path, at):
    leaf = leaf_of(stored.out, AT)
    done, _ = stored.verify(stored.damaged(tmp_path, (leaf, turned(leaf, at))), tmp_path)
    assert found(done) == f"entry {AT}: its leaf is not the one in tile/0/000"


def test_a_changed_hash_is_named(stored, tmp_path):
    digest = leaf_hash(leaf_of(stored.out, AT))
    done, _ = stored.verify(stored.damaged(tmp_path, (digest, turned(digest, 0))), tmp_path)
    assert found(done) == f"entry {AT}: its leaf is not the one in tile/0/000"


def test_a_swapped_pair_is_named(stored, tmp_path):
    one, two = leaf_of(stored.out, AT), leaf_of(stored.out, AT + 1)
    between = bytes(range(36))  # stands nowhere
    data = stored.damaged(tmp_path, (one, between), (two, one), (between, two))
    done, _ = stored.verify(data, tmp_path)
    assert found(done) == f"entry {AT}: its leaf is not the one in tile/0/000"


def test_a_payload_changed_with_its_leaf_and_hash_is_found_at_the_start(stored, tmp_path):
    """The peaks that the state keeps are those of the old hashes."""
    last = ENTRIES - 1
    leaf = leaf_of(stored.out, last)
    other = turned(leaf, 35)
    data = stored.damaged(tmp_path, (leaf, other), (leaf_hash(leaf), leaf_hash(other)))
    done, why = stored.verify(data, tmp_path)
    assert done is None and why.startswith("consentctl export: "), (done, why)
    with pytest.raises(AssertionError, match="did not start"):
        Server(data, clock=f"{NOW}x0").start()


def test_a_changed_checkpoint_is_found_at_the_start_and_by_the_export(stored, tmp_path):
    signed = (stored.out / "checkpoint").read_bytes()
    at = len(signed) - 10  # of the signature: another letter of base64
    other = signed[:at] + (b"A" if signed[at : at + 1] != b"A" else b"B") + signed[at + 1 :]
    data = stored.damaged(tmp_path, (signed, other))
    done, why = stored.verify(data, tmp_path)
    assert done is None and why == (
        "consentctl export: no key in keys/ has signed the last checkpoint\n"
    )
    with pytest.raises(AssertionError, match="did not start"):
        Server(data, clock=f"{NOW}x0").start()


def test_an_old_copy_put_back_is_a_rollback_and_one_that_went_on_a_fork(stored, tmp_path):
    """No guard file kept it from starting; who verified before knows better."""
    (tmp_path / "now").mkdir()
    data = stored.damaged(tmp_path / "now")
    old = shutil.copytree(data, tmp_path / "old")
    state = tmp_path / "state"

    def grow(data, count, first):
        server = Server(data, clock=f"{NOW}x0").start()
        minter = Minter(data, NOW_S)
        with Api(server, minter, minter.tenant(EDP)) as tenant:
            consent = tenant.create(bodies.consent(APP, NOW, f"account-{first}"))["consentId"]
            append_tokens(tenant, consent, count, first)
        server.stop()

    def verify(data, name):
        assert ctl("export", "--data", data, tmp_path / name).returncode == 0
        return ctl("verify", tmp_path / name, "--vkey", stored.key, "--state", state)

    grow(data, 20, 1000)
    assert verify(data, "first").returncode == 0
    size = ENTRIES + 21
    assert found(verify(old, "second")) == (
        f"rollback: the log has {ENTRIES} entries, and had {size} in {state}"
    )
    grow(old, 40, 2000)
    assert found(verify(old, "third")) == (
        f"fork: the log of {size} entries is not the one that {state} has signed for"
    )
