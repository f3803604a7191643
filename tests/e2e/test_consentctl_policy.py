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

PARTS = ["check", "test", "diff", "import-text"]


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
        (
            ("check",),
            "consentctl policy check: PACK is missing; see consentctl policy check --help",
        ),
        (
            ("check", "--pack", "x"),
            "consentctl policy check: PACK is missing; see consentctl policy check --help",
        ),
        (
            ("test", "a"),
            "consentctl policy test: TESTS is missing; see consentctl policy test --help",
        ),
        (
            ("diff", "a"),
            "consentctl policy diff: NEW is missing; see consentctl policy diff --help",
        ),
        (
            ("import-text", "a", "--license", "b", "--language", "en", "--file", "c"),
            "consentctl policy import-text: option --out is required; "
            "see consentctl policy import-text --help",
        ),
        (("check", "a", "b"), 'consentctl policy check: unexpected argument "b"'),
        (
            ("check", "a", "--frob", "b"),
            "consentctl policy check: unknown option --frob; see consentctl policy check --help",
        ),
        (
            ("check", "nowhere.json"),
            "consentctl policy check: nowhere.json: No such file or directory",
        ),
        (("check", "."), "consentctl policy check: .: Is a directory"),
    ],
)
def test_a_wrong_command_line_or_an_unreadable_file_is_named_and_exits_2(
    tmp_path, arguments, sentence
):
    done = run(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", sentence + "\n")


def shown():
    """(command, lines of its output) of the examples in docs/packs.md that run as they stand."""
    blocks = (TOP / "docs/packs.md").read_text().split("```")
    for block in blocks:
        lines = block.strip().splitlines()
        if lines and lines[0].startswith("$ consentctl policy "):
            command = lines[0].split()[3:]
            if command[0] in ("check", "test"):
                yield command, lines[1:]


def test_the_documentation_shows_what_is_printed():
    examples = list(shown())
    assert {command[0] for command, _ in examples} == {"check", "test"}
    for command, lines in examples:
        printed = run(*command, cwd=TOP).stdout.splitlines()
        assert [line for line in lines if line not in printed] == ["…"] * lines.count("…")


def test_the_documented_import_of_a_text_prints_what_it_shows(tmp_path):
    """Its block holds the file, the command and what it prints."""
    blocks = (TOP / "docs/packs.md").read_text().split("```")
    (block,) = [b for b in blocks if "$ consentctl policy import-text" in b]
    text, _, shell = block.partition("$ cat text.txt\n")[2].partition("$ consentctl policy ")
    command, _, printed = shell.replace("\\\n", " ").partition("\n")
    written(tmp_path / "text.txt", text)
    (tmp_path / "policy").symlink_to(TOP / "policy")
    done = run(*command.split(), cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, printed, "")
    assert (tmp_path / "with-text.json").exists()


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
            [str(CTL), "policy", "check", str(PERSEUS)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 1
    assert done.stderr == "consentctl policy check: cannot write to standard output\n"


# ---- test

TABLE = TOP / "policy/packs/perseus-2026-03-12.test.json"
RULES_PACK = {
    "pack": "records",
    "version": "1",
    "scheme": "https://scheme.example",
    "roles": [],
    "purposes": [],
    "permissions": [],
    "licenses": [],
    "rules": [
        {
            "id": "secret",
            "effect": "deny",
            "reason": "secret records are for nobody",
            "when": [{"path": "resource.properties.secret", "op": "eq", "value": True}],
        },
        {
            "id": "low-level",
            "effect": "permit",
            "when": [
                {"path": "resource.properties.level", "op": "lte", "value": 3},
                {"path": "subject.properties.groups", "op": "subsetOf", "value": ["a", "b"]},
            ],
        },
    ],
    "resourceTypes": [{"type": "record", "needsConsent": False}],
}
RULES_TABLE = {
    "now": "2026-06-15T12:00:00Z",
    "request": {
        "subject": {"type": "user", "id": "alice", "properties": {"groups": ["a"]}},
        "action": {"name": "read"},
        "resource": {"type": "record", "id": "1", "properties": {"level": 3}},
    },
    "decisions": [
        {"name": "low", "expect": "permit"},
        {
            "name": "low and a half",
            "set": {"/resource/properties/level": 3.5},
            "expect": ["deniedByRule"],
        },
        {
            "name": "no number",
            "set": {"/resource/properties/level": "3"},
            "expect": ["deniedByRule"],
        },
        {
            "name": "another group",
            "set": {"/subject/properties/groups": ["a", "c"]},
            "expect": ["deniedByRule"],
        },
        {
            "name": "secret",
            "set": {"/resource/properties/secret": True},
            "expect": ["deniedByRule"],
            "clauses": {"deniedByRule": "rules/0"},
        },
        {"name": "blocked", "blocked": True, "expect": ["clientBlocked"]},
        {"name": "wrong", "set": {"/context/record": 1}, "expect": ["malformedRequest"]},
    ],
}


@pytest.fixture
def table():
    return json.loads(TABLE.read_text())


@pytest.fixture
def judged(tmp_path):
    """Runs a table, and a pack, that are not files yet."""

    def run_them(table, pack=None):
        of = PERSEUS if pack is None else written(tmp_path / "pack.json", pack)
        return run("test", of, written(tmp_path / "pack.test.json", table))

    return run_them


def named(decisions, name):
    (found,) = [x for x in decisions if x["name"] == name]
    return found


def failures(done):
    assert (done.returncode, done.stderr) == (1, "")
    found = [line for line in done.stdout.splitlines() if line.startswith("FAILED ")]
    assert done.stdout.endswith(f" cases, {len(found)} failed\n")
    return found


def test_the_table_of_perseus_is_as_expected_and_covers_every_clause(table):
    done = run("test", PERSEUS, TABLE)
    assert (done.returncode, done.stderr) == (0, "")
    assert "!" not in done.stdout.replace("! not covered", "")
    assert "notApplicable" not in table
    last = done.stdout.splitlines()[-1]
    assert last.endswith(" cases, 0 failed")
    # all pairs of a matrix row are asked: the cases are more than the rows' pairs
    assert int(last.split()[0]) > len(table["matrix"]) * 7 * 8


@pytest.mark.parametrize(
    "name, expect, line",
    [
        ("a consent that is revoked", "permit", 'expected [] but was ["notActive"]'),
        (
            "marketing is not a purpose of the scheme",
            ["territory"],
            'expected ["territory"] but was ["purposeNotPermitted"]',
        ),
    ],
)
def test_a_decision_that_is_not_as_expected_is_one_line_for_each_consent(
    judged, table, name, expect, line
):
    case = named(table["decisions"], name)
    case["expect"] = expect
    assert failures(judged(table)) == [
        f'FAILED decision "{name}" ({consent}): {line}' for consent in table["consents"]
    ]


def test_a_clause_that_is_not_the_one_expected_fails(judged, table):
    case = named(table["decisions"], "savings are corroborated by the month only")
    case["clauses"]["granularityTooFine"] = "permissions/0/granularity"
    case["only"] = ["energy"]
    assert failures(judged(table)) == [
        'FAILED decision "savings are corroborated by the month only" (energy): expected '
        "granularityTooFine by permissions/0/granularity but it was by purposes/2/limits/granularity"
    ]


@pytest.mark.parametrize(
    "open_, line",
    [
        (["estimate-emissions"], "project-intervention-emissions should not be open"),
        (
            [
                "estimate-emissions",
                "project-intervention-emissions",
                "share-emissions-with-fsp",
                "decarbonisation-recommendations",
                "green-finance-eligibility",
            ],
            "green-finance-eligibility is not open",
        ),
    ],
)
def test_what_a_permit_leaves_open_is_held_against_the_list(judged, table, open_, line):
    name = "no purpose is stated: those that remain for half-hourly data"
    named(table["decisions"], name)["open"] = {"purposes": open_}
    assert failures(judged(table)) == [f'FAILED decision "{name}" (energy): {line}']


def test_a_request_for_a_consent_that_is_not_as_expected_is_one_line(judged, table):
    named(table["cases"], "no purpose at all")["expect"] = {
        "energy": ["noPurpose"],
        "combined": ["noPurpose"],
    }
    assert failures(judged(table)) == [
        'FAILED case "no purpose at all" (emissions): expected [] but was ["noPurpose"]'
    ]


def test_what_the_matrix_does_not_list_must_be_denied(judged, table):
    row = table["matrix"][0]
    assert row["consent"] == "energy"
    row["permits"]["estimate-emissions"].remove("tariff")
    row["permits"]["green-finance-eligibility"] = ["tariff"]
    assert failures(judged(table)) == [
        'FAILED matrix/0 "half-hourly" (energy): tariff for estimate-emissions: '
        "expected a denial but was permitted",
        'FAILED matrix/0 "half-hourly" (energy): tariff for green-finance-eligibility: '
        "expected a permit but was denied",
    ]


def test_a_consent_without_a_row_must_be_denied_everything(judged, table):
    table["matrix"] = [row for row in table["matrix"] if row["consent"] != "emissions"]
    assert failures(judged(table)) == [
        f"FAILED matrix (emissions): emissions.monthly for {purpose}: expected a denial but was permitted"
        for purpose in ("green-finance-eligibility", "green-finance-product-management")
    ]


def without(table, part, code):
    """The table without the cases that show this code."""

    def shows(case):
        expect = case["expect"]
        lists = expect.values() if isinstance(expect, dict) else [expect]
        return any(code in codes for codes in lists)

    return {**table, part: [case for case in table[part] if not shows(case)]}


@pytest.mark.parametrize(
    "part, code, where",
    [
        ("decisions", "territory", ""),
        ("decisions", "linkedConsentEnded", ""),
        ("decisions", "malformedRequest", ""),
        ("cases", "windowNotCompleted", " under licenses/1"),
        ("cases", "licenseUnknown", ""),
    ],
)
def test_what_no_case_covers_fails_unless_the_table_says_why_it_need_not(
    judged, table, part, code, where
):
    less = without(table, part, code)
    verb = "denied" if part == "decisions" else "refused"
    assert failures(judged(less)) == [f"FAILED coverage: no case is {verb} by {code}{where}"]
    notes = "decisions" if part == "decisions" else "admission"
    less["notApplicable"] = {notes: {code: "we say so"}}
    assert judged(less).returncode == 0
    table["notApplicable"] = less["notApplicable"]
    assert failures(judged(table)) == [
        f"FAILED coverage: notApplicable names {code}, which cases cover"
    ]


def test_a_note_may_excuse_a_clause_under_some_licences_only(judged, table):
    less = without(table, "cases", "noticeMissing")
    less["cases"].append(
        {
            "name": "no notice",
            "only": ["energy"],
            "set": {"notice": None},
            "expect": ["noticeMissing"],
        }
    )
    assert failures(judged(less)) == [
        f"FAILED coverage: no case is refused by noticeMissing under licenses/{i}" for i in (1, 2)
    ]
    less["notApplicable"] = {"admission": {"noticeMissing": "one licence is enough"}}
    assert judged(less).returncode == 0


def test_a_note_about_what_is_not_there_fails(judged, table):
    table["notApplicable"] = {"rules": {"no-such-rule": "x"}, "permits": {"marketing": "y"}}
    assert failures(judged(table)) == [
        "FAILED coverage: notApplicable names no-such-rule, which is not there",
        "FAILED coverage: notApplicable names marketing, which is not there",
    ]


def test_rules_alone_are_tested_without_consents(judged):
    done = judged(RULES_TABLE, RULES_PACK)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-3:] == [
        "  secret                        1",
        "  low-level                     1",
        "7 cases, 0 failed",
    ]


def test_a_rule_that_no_case_shows_fails(judged):
    less = {
        **RULES_TABLE,
        "decisions": [x for x in RULES_TABLE["decisions"] if x["name"] != "secret"],
    }
    assert failures(judged(less, RULES_PACK)) == [
        "FAILED coverage: no case is decided by rule secret"
    ]


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"frob": 1}, 'there is no member "frob" here'),
        ({"now": None}, '"now" is missing'),
        ({"now": "noon"}, '"now" must be an RFC 3339 time in UTC'),
        ({"decisions": {}}, '"decisions" must be a list'),
        ({"request": None}, 'decision "x": there is no request'),
        (
            {"decisions": [{"name": "x", "expects": []}]},
            'decisions/0: there is no member "expects" here',
        ),
        ({"decisions": [{"name": "x"}]}, 'decision "x": "expect" is missing'),
        (
            {"decisions": [{"name": "x", "expect": ["teritory"]}]},
            'decision "x": "teritory" is no code',
        ),
        (
            {"decisions": [{"name": "x", "expect": "permitted"}]},
            'decision "x": "expect" must be a list of codes or, of a decision, "permit"',
        ),
        (
            {"decisions": [{"name": "x", "expect": [], "only": ["y"]}]},
            'decisions/0: there is no fixture "y"',
        ),
        (
            {"decisions": [{"name": "x", "expect": [], "variant": "y"}]},
            'decision "x": there is no variant "y"',
        ),
        (
            {"decisions": [{"name": "x", "expect": [], "set": {"/a~1b/c": 1}}]},
            'decision "x": there is no member "a/b" here',
        ),
        (
            {"decisions": [{"name": "x", "expect": [], "set": {"subject": 1}}]},
            'decision "x": "subject" leads nowhere',
        ),
        (
            {"decisions": [{"name": "x", "expect": [], "set": {"/subject/id": None}}]},
            'decision "x": the request needs subject.id',
        ),
        (
            {
                "variants": {"v": {"/rules/0/effect": "allow"}},
                "decisions": [{"name": "x", "expect": [], "variant": "v"}],
            },
            'decision "x": variant "v" is no valid pack: at "/rules/0/effect": ',
        ),
        (
            {"consents": {"c": {"license": "x"}}, "matrix": []},
            'consent "c": a consent needs its "license" and its "client"',
        ),
        (
            {"consents": {"c": {"license": "x", "client": "y", "status": "gone"}}},
            'consent "c": "gone" is no status',
        ),
        ({"matrix": [{"consent": "c"}]}, 'matrix/0 "" (c): there is no consent "c"'),
        ({"notApplicable": {"rules": {"secret": ""}}}, 'notApplicable of "secret" needs a reason'),
    ],
)
def test_a_table_that_is_wrong_is_named_with_the_place_and_exits_2(
    judged, tmp_path, change, sentence
):
    table = {k: v for k, v in {**RULES_TABLE, **change}.items() if v is not None}
    if "request" in change:
        table["decisions"] = [{"name": "x", "expect": []}]
    done = judged(table, RULES_PACK)
    assert done.returncode == 2
    start = f"consentctl policy test: {tmp_path}/pack.test.json: {sentence}"
    assert done.stderr.startswith(start) and done.stderr.count("\n") == 1


def test_a_table_that_is_no_json_exits_2_and_a_pack_that_is_not_valid_1(judged, tmp_path, perseus):
    done = judged("{", RULES_PACK)
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr
        == f"consentctl policy test: {tmp_path}/pack.test.json: is not JSON: line 1, column 1\n"
    )
    del perseus["licenses"]
    done = judged({}, perseus)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith('/pack.json: at "/licenses": is required\n')


# ---- diff


def test_a_pack_and_itself_do_not_differ_whatever_the_order(tmp_path, perseus):
    perseus["purposes"].reverse()
    perseus["licenses"][0]["permissions"].reverse()
    other = written(tmp_path / "other.json", dict(reversed(perseus.items())))
    done = run("diff", PERSEUS, other)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_diff_names_what_was_added_removed_and_changed(tmp_path, perseus):
    url = "https://registry.core.trust.ib1.org/scheme/perseus/license/"
    energy = f"license {url}energy-consumption-edp-cap/2026-03-12"
    perseus["version"] = "2026-09-01"
    del perseus["territory"]
    perseus["licenses"][0]["term"] = "P6M"
    perseus["licenses"][0]["deprecatedAfter"] = "2027-01-01"
    perseus["licenses"][0]["permissions"] = [
        "electricity.import.halfhourly",
        "gas.import.halfhourly",
        "emissions.monthly",
    ]
    perseus["licenses"].append(
        {**perseus["licenses"][1], "url": url + "emissions-cap-fsp/2026-09-01"}
    )
    perseus["purposes"][0]["text"] = "Estimate – \u001b[31m" + "x" * 100
    perseus["purposes"].append({"code": "teach", "title": "Teach", "roles": ["cap"]})
    perseus["settings"]["record"] = "none"
    perseus["reasons"] = [{"code": "moved", "state": "revoked"}]
    done = run("diff", PERSEUS, written(tmp_path / "new.json", perseus))
    old_text = "Estimate the emissions of the business from its energy use in the precedin"
    new_text = "Estimate \\u2013 \\u001B[31m" + "x" * 100
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        '~ version: "2026-03-12" -> "2026-09-01"',
        '~ territory: ["GB"] -> nothing',
        f'~ purpose estimate-emissions: text: "{old_text[:71]}... -> "{new_text[:71]}...',
        "+ purpose teach",
        f'~ {energy}: permissions: -"tariff" -"location.outcode" +"emissions.monthly"',
        f'~ {energy}: term: "P1Y" -> "P6M"',
        f'~ {energy}: deprecatedAfter: nothing -> "2027-01-01"',
        f"+ license {url}emissions-cap-fsp/2026-09-01",
        "+ reason moved",
        '~ settings: record: "all" -> "none"',
    ]


def test_diff_of_a_pack_that_is_not_valid_exits_1(tmp_path):
    wrong = written(tmp_path / "wrong.json", "[]")
    for packs in [(PERSEUS, wrong), (wrong, PERSEUS)]:
        done = run("diff", *packs)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == f'consentctl policy diff: {wrong}: at "": must be an object\n'


# ---- import-text

TEXT = "[client] may use it – until [end].\n"


@pytest.fixture
def imported(tmp_path, perseus):
    """Imports a text; returns how that ended and the path of what it should have written."""

    def run_it(pack=PERSEUS, language="en", text=TEXT, out="new.json", license=None):
        file = tmp_path / "text.txt"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        options = {
            "license": license or perseus["licenses"][1]["url"],
            "language": language,
            "file": file,
            "out": tmp_path / out,
        }
        words = [x for name, value in options.items() for x in (f"--{name}", value)]
        return run("import-text", pack, *words), tmp_path / out

    return run_it


def test_import_text_adds_the_text_and_its_digest_and_nothing_else(imported, perseus):
    done, path = imported()
    digest = hashlib.sha256(TEXT.encode()).hexdigest()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"digest         {hashlib.sha256(path.read_bytes()).hexdigest()}",
        f"text           {digest}",
    ]
    perseus["licenses"][1]["textDigest"] = digest
    perseus["licenses"][1]["texts"] = [{"language": "en", "text": TEXT}]
    # members and elements in their order: the same document, two members longer
    assert path.read_text() == json.dumps(perseus, indent=2, ensure_ascii=False) + "\n"
    assert run("check", path).returncode == 0


def test_a_second_language_keeps_the_digest_of_the_first(imported, perseus):
    _, first = imported()
    done, second = imported(first, "cy", "Caiff [client] ei ddefnyddio.", "second.json")
    assert done.returncode == 0
    license = json.loads(second.read_text())["licenses"][1]
    assert license["textDigest"] == hashlib.sha256(TEXT.encode()).hexdigest()
    assert [x["language"] for x in license["texts"]] == ["en", "cy"]


def test_a_text_that_is_not_the_one_the_licence_names_is_refused(imported, tmp_path, perseus):
    perseus["licenses"][1]["textDigest"] = "00" * 32
    done, path = imported(written(tmp_path / "pack.json", perseus))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f'consentctl policy import-text: {path}: at "/licenses/1/textDigest": '
        "is the digest of none of the texts\n"
    )
    assert not path.exists()


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"license": "https://x.example"}, "https://x.example is no licence of the pack"),
        ({"text": b"\xff"}, "{file}: the file is not UTF-8"),
        (
            {"text": ""},
            '{out}: at "/licenses/1/texts/0/text": must be a string of 1 to 65536 bytes',
        ),
        (
            {"text": "x" * 65537},
            '{out}: at "/licenses/1/texts/0/text": must be a string of 1 to 65536 bytes',
        ),
        (
            {"language": "e n"},
            '{out}: at "/licenses/1/texts/0/language": '
            "must be 1 to 64 letters, digits, '.', '-' and '_'",
        ),
        ({"out": "nowhere/new.json"}, "{out}: No such file or directory"),
    ],
)
def test_what_cannot_be_imported_is_named_and_nothing_is_written(
    imported, tmp_path, options, sentence
):
    done, path = imported(**options)
    assert (done.returncode, done.stdout) == (1, "")
    said = sentence.format(file=tmp_path / "text.txt", out=path)
    assert done.stderr == f"consentctl policy import-text: {said}\n"
    assert not path.exists()


def test_a_text_in_a_language_that_is_there_is_refused(imported):
    _, first = imported()
    done, path = imported(first, "EN", "another", "second.json")
    assert done.returncode == 1
    assert done.stderr.endswith(
        'at "/licenses/1/texts/1/language": is the language of another text\n'
    )
    assert not path.exists()


def test_no_pack_is_written_over(imported):
    _, first = imported()
    before = first.read_bytes()
    done, _ = imported(language="cy")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"consentctl policy import-text: {first}: File exists\n"
    assert first.read_bytes() == before
