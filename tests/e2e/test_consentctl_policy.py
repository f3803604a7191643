# SPDX-License-Identifier: Apache-2.0
"""consentctl policy from outside: packs checked, tables run, packs compared, texts imported."""

import hashlib
import json
import pathlib
import subprocess

import pytest

from harness.server import CTL

TOP = pathlib.Path(__file__).resolve().parents[2]
PERSEUS = TOP / "policy/packs/perseus-2026-03-12.json"
EVERY_MEMBER = TOP / "tests/packs/every-member.json"


def run(*arguments, **more):
    return subprocess.run(
        [str(CTL), "policy", *map(str, arguments)], capture_output=True, text=True, **more
    )


def written(path, document):
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


@pytest.fixture
def perseus():
    return json.loads(PERSEUS.read_text())


# ---- all of them

PARTS = ["check"]


def test_every_part_has_a_help_of_its_own_and_the_whole_names_them():
    whole = run("--help")
    assert (whole.returncode, whole.stderr) == (0, "")
    for part in PARTS:
        assert f"\n  {part} " in whole.stdout
        own = run(part, "--help")
        assert (own.returncode, own.stderr) == (0, "")
        assert own.stdout.startswith(f"Usage: consentctl policy {part} ")
    nothing = run()
    assert (nothing.returncode, nothing.stdout, nothing.stderr) == (2, "", whole.stdout)


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (("frob",), "consentctl policy: unknown command frob; see consentctl policy --help"),
        (("check",), "consentctl policy check: PACK is missing; see consentctl policy check --help"),
        (
            ("check", "--pack", "x"),
            "consentctl policy check: PACK is missing; see consentctl policy check --help",
        ),
        (("check", "a", "b"), 'consentctl policy check: unexpected argument "b"'),
        (
            ("check", "a", "--frob", "b"),
            "consentctl policy check: unknown option --frob; see consentctl policy check --help",
        ),
        (("check", "nowhere.json"), "consentctl policy check: nowhere.json: No such file or directory"),
        (("check", "."), "consentctl policy check: .: Is a directory"),
    ],
)
def test_a_wrong_command_line_or_an_unreadable_file_is_named_and_exits_2(
    tmp_path, arguments, sentence
):
    done = run(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", sentence + "\n")


# ---- check


@pytest.mark.parametrize("path", [PERSEUS, EVERY_MEMBER], ids=lambda p: p.stem)
def test_check_prints_what_identifies_a_pack_and_how_much_it_holds(path):
    done = run("check", path)
    pack = json.loads(path.read_text())
    denied = sum(p.get("denied", False) for p in pack["permissions"])
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split(None, 1) for line in done.stdout.splitlines()] == [
        ["pack", pack["pack"]],
        ["version", pack["version"]],
        ["digest", hashlib.sha256(path.read_bytes()).hexdigest()],
        ["bytes", str(path.stat().st_size)],
        ["roles", str(len(pack["roles"]))],
        ["purposes", str(len(pack["purposes"]))],
        ["permissions", f"{len(pack['permissions'])}, {denied} of them denied"],
        ["licenses", str(len(pack["licenses"]))],
        ["rules", str(len(pack["rules"]))],
    ] + [
        [
            "license",
            f"{x['url']}: {len(x['purposes'])} purposes, {len(x['permissions'])} permissions, "
            f"{len(x.get('texts', []))} texts",
        ]
        for x in pack["licenses"]
    ]


@pytest.mark.parametrize(
    "pointer, value, detail",
    [
        ("/licenses/0/term", "1 year", "must be an ISO 8601 duration with one unit"),
        ("/purposes/6/roles/0", "bank", "is no role of this pack"),
        ("/colour", "red", "is not a member that a pack has here"),
        ("/evil\u001b[2J", 1, "is not a member that a pack has here"),
    ],
)
def test_check_names_the_place_of_what_is_wrong_and_exits_1(
    tmp_path, perseus, pointer, value, detail
):
    at = perseus
    *steps, last = pointer[1:].split("/")
    for step in steps:
        at = at[int(step) if isinstance(at, list) else step]
    at[int(last) if isinstance(at, list) else last] = value
    path = written(tmp_path / "pack.json", perseus)
    done = run("check", path)
    shown = pointer.replace("\u001b", "?")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f'consentctl policy check: {path}: at "{shown}": {detail}\n'


def test_check_refuses_half_a_pack_and_too_large_a_file(tmp_path):
    half = written(tmp_path / "half.json", PERSEUS.read_text()[:3000])
    done = run("check", half)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f'consentctl policy check: {half}: at "": is not JSON: line ')
    large = written(tmp_path / "large.json", " " * 4194305)
    done = run("check", large)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"consentctl policy check: {large}: has more than 4194304 bytes\n"


def test_a_full_disk_is_not_success():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [str(CTL), "policy", "check", str(PERSEUS)], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 1
    assert done.stderr == "consentctl policy check: cannot write to standard output\n"
