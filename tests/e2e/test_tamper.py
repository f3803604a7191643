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
from harness.rows import Rows, number
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

    def rows(self, folder):
        """Those of a copy."""
        return Rows(shutil.copytree(self.data, folder / "data"))

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


def refused_by_both(stored, rows, tmp_path):
    """What the start and the export say of it, which is the same."""
    done, why = stored.verify(rows.data, tmp_path)
    assert done is None, done
    server = Server(rows.data, clock=f"{NOW}x0")
    with pytest.raises(AssertionError, match="did not start"):
        server.start()
    why = why.removeprefix("consentctl export: ").rstrip("\n")
    assert why in server.stderr, server.stderr
    return why


def test_a_removed_leaf_is_named_at_the_start(stored, tmp_path):
    rows = stored.rows(tmp_path)
    rows.delete("leaf", number(AT))
    why = refused_by_both(stored, rows, tmp_path)
    assert why == f"the log has {ENTRIES - 1} leaves, not {ENTRIES}: entry {AT} has none"


def test_a_removed_leaf_whose_count_was_made_up_for_is_named(stored, tmp_path):
    rows = stored.rows(tmp_path)
    rows.put("leaf", number(ENTRIES), rows.get("leaf", number(AT)))
    rows.delete("leaf", number(AT))
    done, why = stored.verify(rows.data, tmp_path)
    assert done is None
    assert why.startswith(f"consentctl export: the store cannot be read at entry {AT}: "), why


def test_a_leaf_too_many_is_named_at_the_start(stored, tmp_path):
    rows = stored.rows(tmp_path)
    rows.put("leaf", number(ENTRIES), rows.get("leaf", number(AT)))
    why = refused_by_both(stored, rows, tmp_path)
    assert why == f"the log has {ENTRIES + 1} leaves, not {ENTRIES}: entry {ENTRIES} has one"


def test_the_last_leaf_removed_is_found_at_the_start(stored, tmp_path):
    rows = stored.rows(tmp_path)
    rows.delete("leaf", number(ENTRIES - 1))
    assert refused_by_both(stored, rows, tmp_path).endswith(f"entry {ENTRIES - 1} has none")


@pytest.mark.parametrize("level, row", [(0, 0), (0, 32), (0, 288), (1, 0)])
def test_removed_hashes_are_named_at_the_start(stored, tmp_path, level, row):
    rows = stored.rows(tmp_path)
    rows.delete("hash", bytes([255 - level]) + number(row))
    why = refused_by_both(stored, rows, tmp_path)
    assert why == f"hashes of the log's tree are missing: from row {row} of level {level}"


@pytest.mark.parametrize("table, index, what", [("payload", AT, "payload"), ("personal", 2, "personal part")])
def test_what_opens_an_entry_removed_is_named(stored, tmp_path, table, index, what):
    rows = stored.rows(tmp_path)
    rows.delete(table, number(index))
    done, _ = stored.verify(rows.data, tmp_path)
    assert found(done) == f"entry {index}: its {what} is not there, and no notice says that it was erased"


def test_swapped_payloads_are_named(stored, tmp_path):
    rows = stored.rows(tmp_path)
    rows.swap("payload", number(AT), number(AT + 1))
    done, _ = stored.verify(rows.data, tmp_path)
    assert found(done) == f"entry {AT}: its payload is not what its leaf commits to"


def test_swapped_leaves_are_named(stored, tmp_path):
    rows = stored.rows(tmp_path)
    rows.swap("leaf", number(AT), number(AT + 1))
    done, _ = stored.verify(rows.data, tmp_path)
    assert found(done) == f"entry {AT}: its leaf is not the one in tile/0/000"


def test_leaf_payload_and_hash_swapped_together_are_found_at_the_start(stored, tmp_path):
    """Each entry is whole, in another's place: another tree, of which one hash is missing."""
    rows = stored.rows(tmp_path)
    one, two = number(ENTRIES - 2), number(ENTRIES - 1)
    record = bytes([255]) + number(288)
    for table in ("leaf", "payload"):
        rows.swap(table, one, two)
    hashes = rows.get("hash", record)
    at = (ENTRIES - 2 - 288) * 32
    swapped = hashes[at + 32 : at + 64] + hashes[at : at + 32]
    rows.put("hash", record, hashes[:at] + swapped + hashes[at + 64 :])
    assert refused_by_both(stored, rows, tmp_path) == "the log's hashes do not make its root"


def test_a_removed_checkpoint_is_found_at_the_start(stored, tmp_path):
    rows = stored.rows(tmp_path)
    rows.delete("meta", b"checkpoint")
    assert refused_by_both(stored, rows, tmp_path) == "the store has no checkpoint"


def test_a_removed_consent_is_found_at_the_start(stored, tmp_path):
    rows = stored.rows(tmp_path)
    rows.delete("consent", number(0))
    why = refused_by_both(stored, rows, tmp_path)
    assert why == "the counts of consents and ids disagree: consent 0 has no row"


def test_an_old_checkpoint_put_back_is_found_at_the_start(stored, tmp_path):
    """Signed by the log, and of a tree that it has grown out of."""
    rows = stored.rows(tmp_path)
    old = rows.get("meta", b"checkpoint")
    end(rows)
    rows.put("meta", b"checkpoint", old)
    why = refused_by_both(stored, rows, tmp_path)
    assert why == "the last checkpoint is not that of the log"


def end(rows):
    """Of the only consent: the next entry."""
    server = Server(rows.data, clock=f"{NOW}x0").start()
    minter = Minter(rows.data, NOW_S)
    with Api(server, minter, minter.tenant(EDP)) as tenant:
        consent = tenant.get("/v1/consents").json()["items"][0]["consentId"]
        tenant.post(f"/v1/consents/{consent}/revoke", {"reason": {"code": "withdrawn"}})
    server.stop()


def test_an_old_consent_put_back_is_named_by_the_export(stored, tmp_path):
    """The log is whole and verifies; what the service would answer is not what it tells."""
    rows = stored.rows(tmp_path)
    old = rows.get("consent", number(0))
    end(rows)
    ended = rows.get("consent", number(0))
    assert ctl("export", "--data", rows.data, tmp_path / "right").returncode == 0
    active = ended[:1] + old[1:2] + ended[2:]  # only its state
    for name, header in (("old", old), ("active", active)):
        rows.put("consent", number(0), header)
        done = ctl("export", "--data", rows.data, tmp_path / name)
        assert done.returncode == 1 and done.stdout == f"{ENTRIES + 1} entries\n"
        assert done.stderr == (
            f"consentctl export: entry {ENTRIES}: the store's tables say otherwise of its consent\n"
        )
        good = ctl("verify", tmp_path / name, "--vkey", stored.key, "--openings")
        assert good.returncode == 0, good


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
