# SPDX-License-Identifier: Apache-2.0
"""Logs that tlog/ writes, read by golang.org/x/mod/sumdb (tests/judge): at every size beside the
edge of a tile, and with one thing wrong."""

import base64
import json
import pathlib
import shutil
import subprocess

import pytest

from harness.server import BINARY, ROOT

WRITER = BINARY.with_name("write_log")
VECTORS = json.loads((ROOT / "tests/vectors/tlog.json").read_text())
KEYS = VECTORS["keys"]
SIZES = [0, 1, 2, 255, 256, 257, 511, 512, 65535, 65536, 65537, 70000]


def signing_key(row, kind):
    name, key_id, _ = row["vkey"].split("+", 2)
    secret = base64.b64encode(bytes([kind]) + bytes.fromhex(row["seed_hex"])).decode()
    return f"PRIVATE+KEY+{name}+{key_id}+{secret}"


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    """Judges a folder; answers its exit status and what it said."""
    if shutil.which("go") is None:
        pytest.skip("skipped: no go")
    program = tmp_path_factory.mktemp("judge") / "judge"
    subprocess.run(["go", "build", "-o", program, "."], cwd=ROOT / "tests/judge", check=True)

    def run(folder, *keys):
        keys = keys or (KEYS["log"]["vkey"], KEYS["witness"]["vkey"])
        done = subprocess.run([program, folder, *keys], capture_output=True, text=True)
        return done.returncode, (done.stdout + done.stderr).strip()

    return run


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder of the log of a size, written once."""
    made = {}

    def write(size):
        if size not in made:
            made[size] = tmp_path_factory.mktemp(f"log-{size}")
            keys = signing_key(KEYS["log"], 1), signing_key(KEYS["witness"], 4)
            subprocess.run([WRITER, made[size], str(size), *keys], check=True)
        return made[size]

    return write


@pytest.mark.parametrize("size", SIZES)
def test_a_log_of_each_size_is_found_good(judge, written, size):
    assert judge(written(size)) == (0, f"good, {size} entries")


def test_the_largest_is_the_log_of_the_vectors(written):
    checkpoint = (written(70000) / "checkpoint").read_text()
    assert checkpoint == VECTORS["checkpoint_utf8"] + VECTORS["cosignature_line"]


def test_a_log_has_the_tiles_of_its_size_and_no_others(written):
    files = sorted(
        str(path.relative_to(written(257) / "tile"))
        for path in (written(257) / "tile").rglob("*")
        if path.is_file()
    )
    assert files == ["0/000", "0/001.p/1", "1/000.p/1", "entries/000", "entries/001.p/1"]


# One bit of each class of byte, and what the judge then says. 257 entries: entry 6 has 65,535 bytes.
TURNED = [
    ("checkpoint", 0, "checkpoint: "),  # the origin
    ("checkpoint", 21, "checkpoint: "),  # the size
    ("checkpoint", 30, "checkpoint: "),  # the root
    ("checkpoint", -20, "checkpoint: "),  # the cosignature
    ("tile/0/000", 0, "tile/0/000: not the tree's hashes"),
    ("tile/0/000", -1, "tile/0/000: not the tree's hashes"),
    ("tile/0/001.p/1", 5, "tile/0/001.p/1: not the tree's hashes"),
    ("tile/1/000.p/1", 31, "tile/1/000.p/1: not the tree's hashes"),
    ("tile/entries/000", 1, "tile/entries/000: "),  # a size
    ("tile/entries/000", 2, "the entries have root "),
    ("tile/entries/000", 1000, "the entries have root "),
    ("tile/entries/001.p/1", -1, "the entries have root "),
    ("proofs/100", 30, "proofs/100: "),  # the index
    ("proofs/100", 40, "proofs/100: "),  # a hash
    ("requests/255", 5, "requests/255: "),  # the old size
    ("requests/255", 20, "requests/255: "),
]


@pytest.mark.parametrize("name,at,said", TURNED)
def test_one_bit_turned_is_found_and_its_file_named(judge, written, tmp_path, name, at, said):
    folder = shutil.copytree(written(257), tmp_path / "log")
    content = bytearray((folder / name).read_bytes())
    content[at] ^= 1
    (folder / name).write_bytes(content)
    status, answer = judge(folder)
    assert status == 1 and answer.startswith(said), answer


@pytest.mark.parametrize("name", ["checkpoint", "tile/0/001.p/1", "tile/entries/000"])
def test_a_missing_file_is_found(judge, written, tmp_path, name):
    folder = shutil.copytree(written(257), tmp_path / "log")
    (folder / name).unlink()
    status, answer = judge(folder)
    assert status == 1 and pathlib.PurePath(name).name in answer


@pytest.mark.parametrize("name", ["0/001", "2/000.p/1", "entries/002.p/1"])
def test_a_tile_beyond_the_tree_is_found(judge, written, tmp_path, name):
    folder = shutil.copytree(written(257), tmp_path / "log")
    (folder / "tile" / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / "tile" / name).write_bytes(b"")
    assert judge(folder) == (1, f"tile/{name}: no such tile in this tree")


def test_a_checkpoint_that_the_key_did_not_sign_is_found(judge, written):
    other = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
    status, answer = judge(written(2), other)
    assert status == 1 and answer.startswith("checkpoint: "), answer
