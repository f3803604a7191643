# SPDX-License-Identifier: Apache-2.0
"""consentctl verify on directories: good logs are good, and whatever is wrong is found and named."""

import copy
import json
import re
import shutil

import pytest
from conftest import NOW
from harness import forge
from harness.market import Market
from test_export import ctl, export, judge  # noqa: F401
from test_judge import KEYS, SIZES, TURNED, written  # noqa: F401

FAMILIES = 70  # more than a tile of entries


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The export of a market's log."""
    market = Market(tmp_path_factory.mktemp("verify"), families=FAMILIES)
    market.run()
    folder = tmp_path_factory.mktemp("exported") / "log"
    export(market.server.data, folder)
    market.server.stop()
    return folder


@pytest.fixture
def log(exported, tmp_path):
    """A copy to be spoilt."""
    return shutil.copytree(exported, tmp_path / "log")


def verify(folder, *more, vkey=None):
    return ctl("verify", folder, "--vkey", vkey or folder / "vkey", *more)


def found(done):
    """What a bad log is found to be."""
    assert (done.returncode, done.stderr) == (1, ""), done
    assert done.stdout.startswith("bad, ") and done.stdout.count("\n") == 1, done.stdout
    return done.stdout[5:-1]


# ---- good logs


def test_a_market_is_good_and_our_judge_and_another_agree(exported, judge):  # noqa: F811
    done = verify(exported, "--openings")
    assert (done.returncode, done.stderr) == (0, ""), done
    lines = forge.read(exported)
    assert len(lines) > 256
    consents = {e["payload"]["consentId"] for e in lines if e["event"].startswith("consent.")}
    tenants = {e["payload"]["tenant"] for e in lines if "tenant" in e["payload"]}
    signed = (exported / "checkpoint").read_text().splitlines()
    assert done.stdout == (
        f"good, {len(lines)} entries, root {signed[2]}\n"
        f"opened {len(lines)}, erased 0; consents {len(consents)}, tenants {len(tenants)}\n"
    )
    vkey = (exported / "vkey").read_text().strip()
    assert judge(exported, vkey) == (0, f"good, {len(lines)} entries")
    assert verify(exported, vkey=vkey).stdout == done.stdout.splitlines(True)[0]


def test_the_forger_forges_well(exported, tmp_path, judge):  # noqa: F811
    """What is forged below is bad for what it says, not for how it is made."""
    lines = [forge.seal(entry, i) for i, entry in enumerate(forge.read(exported))]
    folder = forge.write(tmp_path / "forged", lines)
    assert verify(folder, "--openings", vkey=forge.VKEY).returncode == 0
    assert judge(folder, forge.VKEY) == (0, f"good, {len(lines)} entries")


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 511, 512, 600])
def test_logs_of_any_entries_and_size_are_good_without_openings(tmp_path, size):
    folder = forge.write(tmp_path, [{"leaf": forge.b64(b"x" * i)} for i in range(size)])
    done = verify(folder, vkey=forge.VKEY)
    assert done.returncode == 0 and done.stdout.startswith(f"good, {size} entries, root "), done


@pytest.mark.parametrize("size", SIZES)
def test_logs_at_every_edge_of_a_tile_are_good(written, size):  # noqa: F811
    done = verify(written(size), vkey=KEYS["log"]["vkey"])
    root = (written(size) / "checkpoint").read_text().splitlines()[2]
    assert (done.returncode, done.stdout) == (0, f"good, {size} entries, root {root}\n")


# ---- one bit


@pytest.mark.parametrize(
    "name, at",
    [(name, at) for name, at, _ in TURNED if name.startswith(("checkpoint", "tile/"))],
)
def test_what_the_other_judge_finds_we_find(written, tmp_path, name, at):  # noqa: F811
    folder = shutil.copytree(written(257), tmp_path / "log")
    turn(folder / name, at)
    done = verify(folder, vkey=KEYS["log"]["vkey"])
    if (name, at) == ("checkpoint", -20):  # a witness's, whom we were not asked to believe
        assert done.returncode == 0
    else:
        assert found(done)


def turn(path, at, bit=1):
    content = bytearray(path.read_bytes())
    content[at] ^= bit
    path.write_bytes(content)


TILE = "its leaf is not the one in tile/0/"
LEAF = 38  # of an entry in a bundle, with its size


@pytest.mark.parametrize(
    "name, at, said",
    [
        ("checkpoint", 0, "checkpoint: it is of another log"),
        ("checkpoint", 25, "checkpoint: "),  # the size
        ("checkpoint", 40, "checkpoint: "),  # the root
        ("checkpoint", -20, "checkpoint: "),  # the signature
        ("tile/0/000", 32 * 17 + 5, f"entry 17: {TILE}000"),
        ("tile/0/000", -1, f"entry 255: {TILE}000"),
        ("tile/1/000.p/1", 31, "tile/1/000.p/1: row 0 is not the hash of entries 0 to 255"),
        ("tile/entries/000", LEAF * 9, "tile/entries/000: it is no bundle of 256 entries"),
        ("tile/entries/000", LEAF * 9 + 2, f"entry 9: {TILE}000"),  # version
        ("tile/entries/000", LEAF * 9 + 3, f"entry 9: {TILE}000"),  # type
        ("tile/entries/000", LEAF * 9 + 5, f"entry 9: {TILE}000"),  # reserved
        ("tile/entries/000", LEAF * 9 + 6, f"entry 9: {TILE}000"),  # commitment
        ("tile/entries/000", -1, f"entry 255: {TILE}000"),
    ],
)
def test_one_bit_of_the_tree_is_found(log, name, at, said):
    turn(log / name, at)
    assert found(verify(log)).startswith(said)
    assert found(verify(log, "--openings")).startswith(said)


def test_every_tile_and_bundle_is_looked_at(log):
    for path in sorted(p for p in (log / "tile").rglob("*") if p.is_file()):
        turn(path, -1)
        assert found(verify(log))
        turn(path, -1)
    assert verify(log).returncode == 0


def personal_index(lines):
    """Of an entry with every member that most have."""
    return next(
        line["index"] for line in lines if "personal" in line and "tenantPrev" in line["payload"]
    )


@pytest.mark.parametrize(
    "member",
    ["index", "at", "event", "leaf", "r", "payload", "personalR", "personal"]
    + ["v", "id", "type", "consentId", "tenant", "client", "license", "accountRef", "actor", "seq"]
    + ["tenantSeq", "tenantPrev", "body"],
)
def test_one_bit_of_a_line_is_found_and_its_index_named(log, member):
    raw = (log / "events.ndjson").read_bytes().splitlines(True)
    index = personal_index(map(json.loads, raw))
    line = raw[index]
    at = line.index(f'"{member}":'.encode()) + len(member) + 3
    while not chr(line[at]).isalnum():
        at += 1
    raw[index] = line[: at + 1] + bytes([line[at + 1] ^ 1]) + line[at + 2 :]
    if member in ("seq", "index", "v", "tenantSeq"):  # a number stays one: its last digit
        while chr(line[at + 1]).isdigit():
            at += 1
        raw[index] = line[:at] + bytes([line[at] ^ 1]) + line[at + 1 :]
    (log / "events.ndjson").write_bytes(b"".join(raw))
    said = found(verify(log, "--openings"))
    if member == "index":
        assert re.match(r"entry \d+: (withheld: it has no line|its line comes out of order)", said)
    else:
        assert said.startswith(f"entry {index}: "), said
    assert verify(log).returncode == 0  # without openings nobody looks


def test_any_bit_of_some_lines_is_found(log):
    """Each byte of three lines, one bit at a time: only what does not matter may change unseen."""
    path = log / "events.ndjson"
    raw = path.read_bytes()
    starts = [m.end() for m in re.finditer(b"\n", raw)]
    for first, last in [(0, starts[0]), (starts[1], starts[2])]:
        for at in range(first, last, 7):
            turn(path, at)
            assert found(verify(log, "--openings"))
            turn(path, at)


# ---- what is there and what is not


def spoil_lines(log, change):
    raw = (log / "events.ndjson").read_bytes().splitlines(True)
    change(raw)
    (log / "events.ndjson").write_bytes(b"".join(raw))
    return found(verify(log, "--openings"))


def test_a_withheld_line_is_named(log):
    assert spoil_lines(log, lambda raw: raw.pop(40)) == "entry 40: withheld: it has no line"


def test_the_last_line_is_missed(log):
    last = len(forge.read(log)) - 1
    assert spoil_lines(log, lambda raw: raw.pop()) == f"entry {last}: withheld: it has no line"


def test_a_line_that_comes_twice_is_named(log):
    said = spoil_lines(log, lambda raw: raw.insert(40, raw[40]))
    assert said == "entry 40: its line comes out of order"


def test_a_swapped_pair_is_named(log):
    def swap(raw):
        raw[40], raw[41] = raw[41], raw[40]

    assert spoil_lines(log, swap) == "entry 40: withheld: it has no line"


def test_leaves_that_are_swapped_are_named(log):
    path = log / "tile/entries/000"
    content = path.read_bytes()
    a, b = content[40 * LEAF : 41 * LEAF], content[41 * LEAF : 42 * LEAF]
    path.write_bytes(content[: 40 * LEAF] + b + a + content[42 * LEAF :])
    assert found(verify(log)) == f"entry 40: {TILE}000"


def test_a_line_behind_the_checkpoint_is_named(log):
    size = len(forge.read(log))
    said = spoil_lines(log, lambda raw: raw.append(raw[40].replace(b":40,", b":%d," % size, 1)))
    assert said == f"entry {size}: the checkpoint does not know it"


@pytest.mark.parametrize("name", ["tile/0/000", "tile/entries/000", "tile/1/000.p/1"])
def test_a_missing_or_truncated_tile_is_named(log, name):
    path = log / name
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    assert found(verify(log)).startswith(f"{name}: it ")
    path.write_bytes(content + content)
    assert found(verify(log)).startswith(f"{name}: it ")
    path.unlink()
    assert found(verify(log)) == f"{name}: it is not there"


def test_a_truncated_line_is_found(log):
    path = log / "events.ndjson"
    path.write_bytes(path.read_bytes()[:-1])
    assert found(verify(log, "--openings")) == "events.ndjson: the last line does not end"


@pytest.mark.parametrize("name", ["0/001", "2/000.p/1", "entries/007.p/1", "0/000.p/7", "rubbish"])
def test_a_tile_that_the_tree_has_not_is_named(log, name):
    path = log / "tile" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    assert found(verify(log)).startswith(f"tile/{name}: a tree of ")


@pytest.mark.parametrize(
    "line, said",
    [
        (b"", "withheld: it has no line"),
        (b"{", "its line is no JSON object"),
        (b"[]", "its line is no JSON object"),
        (b"\xff", "its line is no JSON object"),
        (b'{"index":0,"index":0}', "its line is no JSON object"),
        (b'{"a":' * 100 + b"1" + b"}" * 100, "its line is no JSON object"),
        (b"{}", "its line has no index"),
        (b'{"index":-1}', "its line has no index"),
        (b'{"index":18446744073709551616}', "its line has no index"),
        (b'{"index":0}', "its line has no leaf"),
    ],
)
def test_lines_that_are_none_are_found(log, line, said):
    (log / "events.ndjson").write_bytes(line + b"\n")
    assert found(verify(log, "--openings")) == f"entry 0: {said}"


def strings(inside, afters=(0, 3, 9)):
    """With something in each place of eight bytes, which are looked at in one."""
    for before in range(9):
        for after in afters:
            yield b'"' + b"a" * before + inside + b"c" * after + b'"'


@pytest.mark.parametrize("inside", [b"\x1f", b"\t", b"\xff", b"\xc3", b"\\", b"\\x"])
def test_what_no_string_holds_is_found_wherever_it_stands(log, inside):
    for text in strings(inside, (0, 9)):
        (log / "events.ndjson").write_bytes(b'{"x":' + text + b"}\n")
        assert found(verify(log, "--openings")) == "entry 0: its line is no JSON object", text


@pytest.mark.parametrize("inside", [b"", b'\\"', b"\\\\", "\u00e9\U0001f600".encode(), b"\x7f ~ !"])
def test_what_a_string_may_hold_is_read_over(log, inside):
    line = b'{"x":[' + b",".join(strings(inside)) + b"]}\n"
    (log / "events.ndjson").write_bytes(line)
    assert found(verify(log, "--openings")) == "entry 0: its line has no index"


def test_lines_of_any_length_are_read(exported, tmp_path):
    """Shorter and longer than what is read at once, and empty ones between them."""
    raw = (exported / "events.ndjson").read_bytes().splitlines(True)
    for size in (1, 65000, 65536, 200_000):
        folder = shutil.copytree(exported, tmp_path / str(size))
        padded = [line[:-2] + b" " * (size if i % 50 == 0 else 0) + b"}\n" for i, line in enumerate(raw)]
        (folder / "events.ndjson").write_bytes(b"\n\n".join(padded) + b"\n" * size)
        assert verify(folder, "--openings").returncode == 0


def test_a_line_without_end_is_given_up(log):
    with (log / "events.ndjson").open("wb") as file:
        for _ in range(34):
            file.write(b"x" * 1048576)
    assert found(verify(log, "--openings")) == "events.ndjson: a line has more than 33554432 bytes"


def test_what_cannot_be_read_is_unavailable(log, tmp_path):
    for folder in (tmp_path / "nothing", log / "checkpoint", tmp_path):
        done = ctl("verify", folder, "--vkey", log / "vkey")
        assert (done.returncode, done.stdout) == (2, ""), done
    (log / "events.ndjson").unlink()
    assert verify(log, "--openings").returncode == 2


# ---- a log that is signed all the same


class Forgery:
    """The entries of a good log, to be changed, and then sealed anew."""

    def __init__(self, folder, exported):
        self.folder = folder
        self.entries = copy.deepcopy(forge.read(exported))
        self.lines = None

    def payload(self, index):
        return self.entries[index]["payload"]

    def seal(self):
        self.lines = [forge.seal(entry, i) for i, entry in enumerate(self.entries)]
        return self

    def verify(self, *more):
        if self.lines is None:
            self.seal()
        forge.write(self.folder, self.lines)
        return verify(self.folder, "--openings", *more, vkey=forge.VKEY)

    def histories(self):
        made = {}
        for entry in self.entries:
            if entry["event"].startswith("consent."):
                made.setdefault(entry["payload"]["consentId"], []).append(entry)
        return made

    def long_history(self):
        """The indexes of a consent with three entries or more."""
        return next([e["index"] for e in h] for h in self.histories().values() if len(h) > 2)


@pytest.fixture
def forged(exported, tmp_path):
    return Forgery(tmp_path / "forged", exported)


def later_of(forged):
    """An entry that is not its consent's first, nor its tenant's."""
    return forged.long_history()[1]


@pytest.mark.parametrize("member, what", [("seq", "consent"), ("tenantSeq", "tenant")])
@pytest.mark.parametrize("step", [-1, 1, 1000])
def test_numbers_with_gaps_are_named(forged, member, what, step):
    index = later_of(forged)
    forged.payload(index)[member] += step
    said = found(forged.verify())
    assert re.match(rf"entry {index}: it is number \d+ of its {what}, whose last one seen", said)


@pytest.mark.parametrize("member, what", [("prev", "consent"), ("tenantPrev", "tenant")])
@pytest.mark.parametrize("change", [lambda n: n - 1, lambda n: n + 1, lambda n: None])
def test_links_to_another_entry_are_named(forged, member, what, change):
    index = later_of(forged)
    changed = change(forged.payload(index).pop(member))
    if changed is not None:
        forged.payload(index)[member] = changed
    assert re.match(rf"entry {index}: it is number \d+ of its {what}", found(forged.verify()))


def test_an_event_left_out_by_the_operator_is_missed(forged):
    """All entries are signed and open; one that had happened is not among them."""
    gone, later = forged.long_history()[1:3]
    del forged.entries[gone]

    def moved(number):
        return number - (number > gone)

    for entry in forged.entries:
        for member in ("prev", "tenantPrev"):
            if member in entry["payload"]:
                entry["payload"][member] = moved(entry["payload"][member])
    said = found(forged.verify())
    index = int(re.match(r"entry (\d+): it is number \d+ of its (consent|tenant)", said)[1])
    assert gone <= index <= moved(later)


@pytest.mark.parametrize(
    "event, after",
    [("consent.requested", "active"), ("consent.refused", "active"), ("consent.timedOut", "active")],
)
def test_states_that_cannot_follow_are_named(forged, event, after):
    history = next(
        h for h in forged.histories().values() if len(h) > 1 and h[0]["event"] == "consent.granted"
    )
    history[1]["payload"]["type"] = event
    index = history[1]["index"]
    assert found(forged.verify()) == f'entry {index}: "{event}" of a consent that is {after}'


def test_nothing_follows_an_end(forged):
    ends = ("consent.revoked", "consent.expired", "consent.terminated")
    history = next(
        h
        for h in forged.histories().values()
        if len(h) > 2 and h[-1]["event"] in ends and h[-2]["event"] == "consent.tokenAdded"
    )
    before, last = history[-2]["payload"], history[-1]["payload"]
    for member in ("type", "body"):
        before[member], last[member] = last[member], before[member]
    index = history[-1]["index"]
    assert found(forged.verify()).startswith(f'entry {index}: "consent.tokenAdded" of a consent')


def test_an_end_without_a_beginning_is_named(forged):
    first = next(iter(forged.histories().values()))[0]
    first["payload"]["type"] = "consent.revoked"
    assert found(forged.verify()) == (
        f'entry {first["index"]}: "consent.revoked" of a consent that is not there'
    )


def test_time_that_goes_back_is_named(forged):
    forged.payload(50)["at"] = "2000-01-01T00:00:00.000Z"
    assert found(forged.verify()) == "entry 50: it is older than the entry before it"


def test_a_leaf_of_another_type_is_named(forged):
    forged.entries[50]["leafType"] = 9
    assert found(forged.verify()).startswith("entry 50: a leaf of type 9, and it is ")


def test_an_unknown_kind_is_named(forged):
    forged.payload(0)["type"] = "rumour.heard"
    forged.entries[0]["leafType"] = 8
    forge.KINDS["rumour"] = 8
    assert found(forged.verify()) == 'entry 0: a leaf of type 8, and it is "rumour.heard"'


# ---- erasure


def notice(forged, kind, indexes):
    forged.entries.append(
        {
            "payload": {
                "v": 1,
                "id": "notice",
                "type": f"erasure.{kind}",
                "at": forged.entries[-1]["at"],
                "actor": {"role": "admin"},
                "body": {"indexes": indexes, "ground": "request", "requestId": "r-1"},
            }
        }
    )


def erase(forged, indexes, *members):
    forged.seal()
    for index in indexes:
        forged.lines[index] = forge.drop(forged.lines[index], *members)


WHOLE = ("r", "payload", "personalR", "personal")
PERSONAL = ("personalR", "personal")


def test_what_was_erased_whole_needs_a_notice_that_names_it(forged):
    indexes = forged.long_history()
    notice(forged, "whole", indexes)
    erase(forged, indexes, *WHOLE)
    done = forged.verify()
    assert done.returncode == 0, done
    assert f", erased {len(indexes)}; " in done.stdout


@pytest.mark.parametrize("noticed", [[], [-1]])
def test_without_a_notice_it_is_withheld(forged, noticed):
    indexes = forged.long_history()
    notice(forged, "whole", [indexes[i] for i in noticed])
    erase(forged, indexes, *WHOLE)
    assert found(forged.verify()) == (
        f"entry {indexes[0]}: its payload is not there, and no notice says that it was erased"
    )


def test_the_personal_part_may_be_erased_alone(forged):
    index = personal_index(forged.entries)
    notice(forged, "personal", [index])
    erase(forged, [index], *PERSONAL)
    assert forged.verify().returncode == 0


def test_a_personal_part_without_a_notice_is_withheld(forged):
    index = personal_index(forged.entries)
    erase(forged, [index], *PERSONAL)
    assert found(forged.verify()) == (
        f"entry {index}: its personal part is not there, and no notice says that it was erased"
    )


def test_a_notice_of_the_personal_part_does_not_cover_the_payload(forged):
    index = personal_index(forged.entries)
    notice(forged, "personal", [index])
    erase(forged, [index], *WHOLE)
    assert "its payload is not there" in found(forged.verify())


def test_a_notice_cannot_speak_of_what_comes_later(forged):
    notice(forged, "whole", [len(forged.entries)])
    assert found(forged.verify()).endswith("a notice of what was not there")


def straddled(forged):
    """The first two indexes of a consent, and of another that began before and went on after."""
    histories = [[e["index"] for e in h] for h in forged.histories().values() if len(h) > 1]
    return next(
        (one[:2], other[:2])
        for one in histories
        for other in histories
        if other[0] < one[0] and one[1] < other[1]
    )


def test_an_erased_entry_is_the_missing_link_of_its_chain(forged):
    (index, _), _ = straddled(forged)
    notice(forged, "whole", [index])
    erase(forged, [index], *WHOLE)
    assert forged.verify().returncode == 0


def test_an_erased_entry_is_the_missing_link_of_one_chain_only(forged):
    """An operator cannot hide the entries of two consents behind the erasure of one entry."""
    (index, _), (_, second) = straddled(forged)
    forged.payload(second)["prev"], forged.payload(second)["seq"] = index, 3
    notice(forged, "whole", [index])
    erase(forged, [index], *WHOLE)
    assert re.match(rf"entry {second}: it is number 3 of its consent", found(forged.verify()))


def test_an_erased_entry_is_one_missing_link_and_not_two(forged):
    (index, later), _ = straddled(forged)
    forged.payload(later)["seq"] = 3
    notice(forged, "whole", [index])
    erase(forged, [index], *WHOLE)
    assert re.match(rf"entry {later}: it is number 3 of its consent", found(forged.verify()))


# ---- earlier checkpoints


def grown(folder, lines, size):
    return forge.write(folder, lines[:size])


@pytest.fixture
def stages(exported, tmp_path):
    """The directory of a log at some sizes."""
    lines = [forge.seal(entry, i) for i, entry in enumerate(forge.read(exported))]
    made = {}

    def at(size, name="stage", lines=lines):
        key = f"{name}{size}"
        if key not in made:
            made[key] = forge.write(tmp_path / key, lines[:size])
        return made[key]

    at.lines = lines
    return at


def with_state(folder, state, *more):
    return verify(folder, "--state", state, *more, vkey=forge.VKEY)


@pytest.mark.parametrize("old, new", [(0, 1), (1, 2), (100, 256), (256, 300), (255, 257)])
def test_a_log_goes_on_from_its_old_checkpoints(stages, tmp_path, old, new):
    state = tmp_path / "state"
    assert with_state(stages(old), state).returncode == 0
    before = stages(old) / "checkpoint"
    done = with_state(stages(new), state, "--from", before)
    assert done.returncode == 0, done
    assert state.read_text().endswith("\n\n" + (stages(new) / "checkpoint").read_text())


def test_a_rollback_is_refused_and_the_state_kept(stages, tmp_path):
    state = tmp_path / "state"
    assert with_state(stages(300), state).returncode == 0
    kept = state.read_bytes()
    said = found(with_state(stages(256), state))
    assert said == f"rollback: the log has 256 entries, and had 300 in {state}"
    assert state.read_bytes() == kept


@pytest.mark.parametrize("old, new", [(100, 300), (256, 300), (300, 300)])
def test_a_fork_is_found(stages, tmp_path, old, new):
    state = tmp_path / "state"
    other = copy.deepcopy(stages.lines)
    other[60] = forge.seal({**forge.read(stages(100))[60], "leafType": 7}, 60)
    assert with_state(stages(old), state).returncode == 0
    said = found(with_state(stages(new, "other", other), state))
    assert said.startswith("fork: ") and str(state) in said
    said = found(
        verify(
            stages(new, "other", other), "--from", stages(old) / "checkpoint", vkey=forge.VKEY
        )
    )
    assert said.startswith("fork: ")


def test_a_log_that_does_not_grow_is_stale(stages, tmp_path):
    state = tmp_path / "state"
    assert with_state(stages(100), state).returncode == 0
    first = state.read_text().splitlines()[1]
    done = with_state(stages(100), state)
    assert done.returncode == 3
    assert done.stdout.splitlines()[1] == f"stale, it has not grown since {first}"
    assert state.read_text().splitlines()[1] == first
    assert with_state(stages(100), state, "--max-age", "1h").returncode == 0
    old = state.read_text().replace(first, NOW.replace("2026", "2020"))
    state.write_text(old)
    assert with_state(stages(100), state, "--max-age", "1h").returncode == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rubbish",
        "consentctl audit state 1\n",
        "consentctl audit state 2\n2026-06-15T12:00:00.000Z\n\n{checkpoint}",
        "consentctl audit state 1\nyesterday\n\n{checkpoint}",
        "consentctl audit state 1\n2026-06-15T12:00:00.000Z\n\n",
        "consentctl audit state 1\n2026-06-15T12:00:00.000Z\n\n{other}",
    ],
)
def test_a_state_file_that_is_none_or_another_logs_is_refused(stages, tmp_path, exported, text):
    state = tmp_path / "state"
    checkpoint = (stages(100) / "checkpoint").read_text()
    state.write_text(text.format(checkpoint=checkpoint, other=(exported / "checkpoint").read_text()))
    kept = state.read_bytes()
    done = with_state(stages(100), state)
    assert (done.returncode, done.stdout) == (2, ""), done
    assert str(state) in done.stderr and state.read_bytes() == kept


# ---- command lines

KEY = ("--vkey", forge.VKEY)


@pytest.mark.parametrize(
    "arguments, said",
    [
        ((), "option --vkey is required; see consentctl verify --help"),
        (KEY, "a URL or a directory is missing; see consentctl verify --help"),
        ((".", *KEY, "more"), 'unexpected argument "more"'),
        ((".", "--vkey", "nothing"), "nothing: No such file or directory"),
        (
            (".", *KEY, "--tenant", "https://a.example"),
            "option --tenant is for a URL: whoever has all files needs no head",
        ),
        (
            (".", *KEY, "--max-age", "1h"),
            "option --max-age must be a time like 90s, 30m, 1h or 7d, and needs --state",
        ),
        ((".", *KEY, "--token", "nothing"), "nothing: No such file or directory"),
        ((".", *KEY, "--timeout", "0s"), "option --timeout must be a time like 90s, 30m, 1h or 7d"),
        ((".", *KEY, "--from", "nothing"), "nothing: No such file or directory"),
    ],
)
def test_a_wrong_command_line_is_named(tmp_path, arguments, said):
    done = ctl("verify", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"consentctl verify: {said}\n"


def test_keys_of_two_logs_are_refused(exported, tmp_path):
    (tmp_path / "keys").write_text((exported / "vkey").read_text() + forge.VKEY + "\n")
    done = verify(exported, vkey=tmp_path / "keys")
    assert (done.returncode, done.stdout) == (2, "")
