# SPDX-License-Identifier: Apache-2.0
"""consentctl policy diff --data: which consents of a store a new pack would break, beside the
running service."""

import hashlib
import json
import re
import shutil

import pytest
from conftest import NOW, NOW_S, Cast
from harness import bodies
from harness.server import PERSEUS, Server
from harness.tokens import Minter
from test_consentctl_policy import run, written

METERS = ["meter-1", "meter-2"]
ELECTRICITY, _, TARIFF, OUTCODE, MONTHLY = bodies.CLUSTERS
WHOLE, NARROW, LIMITED, COMBINED, BANK = "whole", "narrow", "limited", "combined", "bank"


class Stored:
    """A running service with five active consents, one revoked and one requested."""

    def __init__(self, folder):
        self.server = Server(folder / "data", clock=f"{NOW}x0").start()
        self.minter = Minter(self.server.data, NOW_S)
        self.cast = Cast(self.server, self.minter)
        tenant, app, fsp = self.cast.tenant, self.cast.app_url, self.cast.fsp_url
        self.ids = {}
        self._keep(WHOLE, bodies.consent(app, NOW, "account-1"))
        self._keep(
            NARROW,
            bodies.consent(
                app,
                NOW,
                "account-2",
                purposes=["estimate-emissions"],
                permissions=[{"code": TARIFF}],
            ),
        )
        electricity = {"code": ELECTRICITY, "resources": METERS, "maxGranularity": "P1D"}
        self._keep(
            LIMITED,
            bodies.consent(
                app,
                NOW,
                "account-3",
                permissions=[electricity],
                dataFrom="2025-08-10T00:00:00Z",
                dataTo="2026-12-20T00:00:00Z",
            ),
        )
        self._keep(
            COMBINED,
            bodies.consent(app, NOW, "account-4", bodies.COMBINED, onwardRecipients=[fsp]),
        )
        self._keep(
            BANK,
            bodies.consent(
                fsp,
                NOW,
                "account-5",
                bodies.EMISSIONS,
                dependsOn=[[{"arrangementId": self.ids[WHOLE]}]],
            ),
        )
        gone = tenant.create(bodies.consent(app, NOW, "account-6"))["consentId"]
        tenant.end(gone)
        tenant.create(bodies.requested(app))

    def _keep(self, name, body):
        self.ids[name] = self.cast.tenant.create(body)["consentId"]

    def close(self):
        self.cast.close()
        self.server.stop()


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    stored = Stored(tmp_path_factory.mktemp("diff"))
    yield stored
    stored.close()


class Report:
    def __init__(self, done):
        assert done.stderr == ""
        assert "account-" not in done.stdout and "meter-" not in done.stdout
        lines = done.stdout.splitlines()
        numbers = [re.fullmatch(r"(\w[\w ]*\w) +(\d+)", line).groups() for line in lines[:3]]
        assert [name for name, _ in numbers] == ["active consents", "unusable before", "broken"]
        self.active, self.unusable, self.broken = (int(number) for _, number in numbers)
        self.clauses, self.examples, self.lost = {}, {}, {}
        assert done.returncode == (1 if self.broken else 0)
        if not self.broken:
            assert len(lines) == 3
            return
        assert lines[3] == "consents that a clause denies"
        for line in lines[4 : lines.index(LOST)]:
            found = re.fullmatch(r" *(\d+)  (\w+ \S+)", line)
            if found:
                clause = found.group(2)
                self.clauses[clause], self.examples[clause] = int(found.group(1)), []
            else:
                self.examples[clause].append(line.strip())
        for line in lines[lines.index(LOST) + 1 :]:
            count, pair = re.fullmatch(r" *(\d+)  (\S+ for \S+)", line).groups()
            self.lost[pair] = int(count)
        assert sorted(self.clauses.values(), reverse=True) == list(self.clauses.values())


LOST = "consents that lose a permission for a purpose, in whole or in part"


def asked(old, new, stored, *options):
    return Report(run("diff", old, new, "--data", stored.server.data, *options))


@pytest.fixture
def judge(stored, tmp_path):
    """What an edited pack would break: a change is a function of the pack's document."""

    def run_it(change, *options, at=NOW):
        pack = json.loads(PERSEUS.read_text())
        change(pack)
        new = written(tmp_path / "new.json", pack)
        return asked(PERSEUS, new, stored, "--at", at, *options)

    return run_it


def test_the_same_rules_break_nothing_and_every_active_consent_was_asked(judge):
    report = judge(lambda pack: pack.update(version="next"))
    assert (report.active, report.unusable, report.broken) == (5, 0, 0)


def drop_tariff(pack):
    pack["licenses"][0]["permissions"].remove(TARIFF)


def drop_estimates(pack):
    pack["licenses"][0]["purposes"].remove("estimate-emissions")


def estimate_by_the_month(pack):
    pack["purposes"][0]["limits"]["granularity"] = "P1M"


def estimate_from_half_a_year(pack):
    pack["purposes"][0]["limits"]["lookBack"] = "P6M"


def prohibit_for_banks(pack):
    pack["licenses"][1]["prohibitedAfter"] = "2026-06-14"


def rename_energy(pack):
    old = pack["licenses"][0]["url"]
    pack["licenses"][0]["url"] = new = old.replace("2026-03-12", "2027-01-01")
    pack["licenses"][1]["dependsOn"][0] = new


def tariff_beside_electricity(pack):
    pack["permissions"][3]["onlyWith"] = [ELECTRICITY]


def move_the_role(pack):
    pack["roles"][1]["urls"] = ["https://elsewhere.example/role/cap"]


def electricity_by_the_day(pack):
    pack["permissions"][0]["granularity"] = "P1D"


def whole_months_of_electricity(pack):
    pack["permissions"][0]["wholeMonths"] = True


def deny_electricity(pack):
    pack["permissions"][0]["denied"] = True
    for i in (0, 2):
        pack["licenses"][i]["permissions"].remove(ELECTRICITY)


def nothing_for_banks_onward(pack):
    del pack["licenses"][2]["onwardRecipients"]
    pack["licenses"][2]["purposes"] = bodies.PURPOSES[:5]


def forget_the_tariff(pack):
    pack["permissions"] = [x for x in pack["permissions"] if x["code"] != TARIFF]
    for license in pack["licenses"]:
        license["permissions"] = [x for x in license["permissions"] if x != TARIFF]


def rule_against_emissions(pack):
    pack["rules"] = [
        {
            "id": "no-consents-of-2026",
            "effect": "deny",
            "when": [
                {"path": "consent.license", "op": "eq", "value": bodies.EMISSIONS},
                {"path": "consent.lastGranted", "op": "gte", "value": "2026-01-01T00:00:00Z"},
            ],
        }
    ]


CASES = [
    (drop_tariff, {"permissionNotPermitted permissions/3/code": [WHOLE, NARROW]}),
    (drop_estimates, {"purposeNotPermitted purposes/0/code": [WHOLE, NARROW, LIMITED]}),
    (
        estimate_by_the_month,
        {"granularityTooFine purposes/0/limits/granularity": [WHOLE, LIMITED, COMBINED]},
    ),
    (
        estimate_from_half_a_year,
        {"outsideDataWindow purposes/0/limits/lookBack": [WHOLE, NARROW, LIMITED, COMBINED]},
    ),
    (prohibit_for_banks, {"licenseProhibited licenses/1/prohibitedAfter": [BANK]}),
    (rename_energy, {"licenseNotAvailable licenses": [WHOLE, NARROW, LIMITED]}),
    (
        tariff_beside_electricity,
        {"permissionNotPermitted permissions/3/onlyWith": [WHOLE, NARROW, COMBINED]},
    ),
    (
        move_the_role,
        {
            "roleMissing licenses/0/to": [WHOLE, NARROW, LIMITED],
            "roleMissing licenses/2/to": [COMBINED],
        },
    ),
    (electricity_by_the_day, {"granularityTooFine permissions/0/granularity": [WHOLE, COMBINED]}),
    (
        whole_months_of_electricity,
        {"outsideDataWindow permissions/0/wholeMonths": [WHOLE, LIMITED, COMBINED]},
    ),
    (
        deny_electricity,
        {"permissionNotPermitted permissions/0/denied": [WHOLE, LIMITED, COMBINED]},
    ),
    (
        forget_the_tariff,
        {"permissionNotPermitted permissions": [WHOLE, NARROW, COMBINED]},
    ),
    (rule_against_emissions, {"deniedByRule rules/0": [BANK]}),
]


@pytest.mark.parametrize("change, expected", CASES, ids=lambda x: getattr(x, "__name__", ""))
def test_what_a_change_breaks_and_by_which_clause(stored, judge, change, expected):
    report = judge(change)
    found = {clause: sorted(ids) for clause, ids in report.examples.items()}
    assert found == {
        clause: sorted(stored.ids[name] for name in names) for clause, names in expected.items()
    }
    assert report.clauses == {clause: len(names) for clause, names in expected.items()}
    assert report.broken == len({name for names in expected.values() for name in names})
    assert report.active == 5


def test_the_pairs_that_are_lost_are_counted(judge):
    report = judge(drop_tariff)
    assert report.lost == {
        f"{TARIFF} for {purpose}": 1 + (purpose == "estimate-emissions")
        for purpose in bodies.PURPOSES[:5]
    }


def test_a_purpose_is_asked_as_far_back_as_it_goes_on_that_day(judge):
    report = judge(estimate_from_half_a_year, at="2026-09-15T12:00:00Z")
    assert report.clauses == {"outsideDataWindow purposes/0/limits/lookBack": 4}


def test_what_is_given_only_beside_another_is_asked_for_with_it(stored, judge):
    def drop_outcode(pack):
        pack["licenses"][0]["permissions"].remove(OUTCODE)

    report = judge(drop_outcode)
    assert report.examples == {"permissionNotPermitted permissions/5/code": [stored.ids[WHOLE]]}
    assert report.lost == {f"{OUTCODE} for {purpose}": 1 for purpose in bodies.PURPOSES[:5]}


def test_a_purpose_that_only_the_recipient_had_is_lost_with_it(stored, judge):
    report = judge(nothing_for_banks_onward)
    assert report.broken == 1
    assert set(report.lost) == {f"{MONTHLY} for {purpose}" for purpose in bodies.PURPOSES}
    assert report.clauses == {
        "permissionNotPermitted licenses/2/onwardRecipients/permissions": 1,
        "purposeNotPermitted purposes/5/code": 1,
        "purposeNotPermitted purposes/6/code": 1,
        "roleMissing purposes/5/roles": 1,
        "roleMissing purposes/6/roles": 1,
    }


def test_a_date_to_come_breaks_from_that_day_on(judge):
    def prohibit_later(pack):
        pack["licenses"][1]["prohibitedAfter"] = "2026-12-31"

    assert judge(prohibit_later).broken == 0
    assert judge(prohibit_later, at="2026-12-31T23:59:59.999Z").broken == 0
    report = judge(prohibit_later, at="2027-01-01T00:00:00Z")
    assert report.clauses == {"licenseProhibited licenses/1/prohibitedAfter": 1}
    # a year after the grant no consent is active any more
    assert judge(drop_tariff, at="2027-06-15T12:00:00Z").active == 0


def test_what_was_unusable_before_is_not_broken(stored, tmp_path):
    def edited(name, change):
        pack = json.loads(PERSEUS.read_text())
        change(pack)
        return written(tmp_path / name, pack)

    old = edited("old.json", prohibit_for_banks)
    new = edited("new.json", lambda pack: (prohibit_for_banks(pack), rule_against_emissions(pack)))
    report = asked(old, new, stored, "--at", NOW)
    assert (report.active, report.unusable, report.broken) == (5, 1, 0)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_so_many_examples_as_are_wanted(judge, count):
    report = judge(drop_estimates, "--examples", str(count))
    assert report.clauses == {"purposeNotPermitted purposes/0/code": 3}
    assert len(report.examples["purposeNotPermitted purposes/0/code"]) == count


def test_the_service_goes_on_and_the_store_is_not_written(stored, judge):
    data = stored.server.data / "data.mdb"

    def bytes_of_store():
        return hashlib.sha256(data.read_bytes()).hexdigest()

    before = bytes_of_store()
    assert judge(drop_tariff).broken == 2
    assert bytes_of_store() == before
    made = stored.cast.tenant.create(
        bodies.consent(stored.cast.app_url, NOW, "account-7", permissions=[{"code": TARIFF}])
    )["consentId"]
    try:
        report = judge(drop_tariff)
        assert (report.active, report.broken) == (6, 3)
        assert made in report.examples["permissionNotPermitted permissions/3/code"]
    finally:
        stored.cast.tenant.end(made)
    assert judge(drop_tariff).active == 5


# ---- refusals


@pytest.mark.parametrize(
    "options, sentence",
    [
        (("--at", "2027-01-01T00:00Z"), "options --at and --examples go with --data"),
        (("--examples", "3"), "options --at and --examples go with --data"),
        (("--data", "D", "--at", "soon"), "option --at must be a UTC time like 2024-03-31T23:30Z"),
        (("--data", "D", "--examples", "x"), "option --examples must be from 0 to 1000"),
        (("--data", "D", "--examples", "1001"), "option --examples must be from 0 to 1000"),
        (("--data", "D", "--examples", "-1"), "option --examples must be from 0 to 1000"),
    ],
)
def test_a_wrong_option_is_named_and_exits_2(options, sentence):
    done = run("diff", PERSEUS, PERSEUS, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"consentctl policy diff: {sentence}\n"


def test_what_is_no_store_is_named_and_nothing_is_made_there(tmp_path):
    done = run("diff", PERSEUS, PERSEUS, "--data", tmp_path / "nowhere")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"consentctl policy diff: the environment in {tmp_path}/nowhere cannot be opened: "
        "No such file or directory\n"
    )
    empty = tmp_path / "empty"
    empty.mkdir()
    done = run("diff", PERSEUS, PERSEUS, "--data", empty)
    assert (done.returncode, done.stdout) == (1, "")
    assert "cannot be opened: No such file or directory" in done.stderr
    assert list(empty.iterdir()) == []


def test_a_store_that_is_not_whole_is_refused(tmp_path, new_server):
    server = new_server()
    server.stop()
    for name in ("mac.key", "data.mdb"):
        copy = tmp_path / name
        shutil.copytree(server.data, copy)
        damaged = copy / "keys" / name if name.endswith(".key") else copy / name
        damaged.write_bytes(b"\0" * damaged.stat().st_size)
        done = run("diff", PERSEUS, PERSEUS, "--data", copy)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("consentctl policy diff: ")
    server.start()


def with_more(kind, name, count):
    """Perseus and so many codes more."""
    pack = json.loads(PERSEUS.read_text())
    roles = {"roles": ["cap"]} if kind == "purposes" else {}
    pack[kind] += [{"code": f"{name}-{i}", "title": "One more", **roles} for i in range(count)]
    return pack


@pytest.mark.parametrize("kind", ["purposes", "permissions"])
def test_a_pack_whose_codes_do_not_fit_into_the_store_is_told_of(tmp_path, new_server, kind):
    """The store has seen one code more than the pack in force has."""
    server = new_server(pack=written(tmp_path / "first.json", with_more(kind, "gone", 1)))
    server.stop()
    server.pack = PERSEUS
    server.start()
    room = 64 - len(json.loads(PERSEUS.read_text())[kind]) - 1
    for count, told in (
        (room, []),
        (room + 1, [f"does not fit                  65  {kind} over all packs, 64 at most"]),
    ):
        new = written(tmp_path / "new.json", with_more(kind, "new", count))
        done = run("diff", PERSEUS, new, "--data", server.data)
        assert (done.stdout.splitlines()[3:], done.stderr) == (told, "")
        assert done.returncode == (1 if told else 0)


def erasing_after(folder, name, after):
    pack = json.loads(PERSEUS.read_text())
    pack["settings"]["retention"] = {"keepAfterEnd": "P0D"} | ({"eraseAfter": after} if after else {})
    return written(folder / name, pack)


def test_what_a_shorter_retention_would_erase_at_once_is_counted(stored, tmp_path):
    """The day after their end, P1D has passed and P2D has not."""
    old = erasing_after(tmp_path, "old.json", "P1Y")
    listed = stored.cast.tenant.get("/v1/consents", params={"status": "revoked"}).json()["items"]
    assert len(listed) > 0
    told = f"erased at once        {len(listed):10}  consents that ended longer ago than eraseAfter"
    for after, erased in (("P1D", True), ("P2D", False), (None, False), ("P0D", True)):
        new = erasing_after(tmp_path, "new.json", after)
        at = ("--at", "2026-06-16T12:00:00Z")
        done = run("diff", old, new, "--data", stored.server.data, *at)
        assert (told in done.stdout.splitlines()) is erased, done.stdout
        assert ("erased at once" in done.stdout) is erased and done.stderr == ""
        assert done.returncode == (1 if erased else 0), done.stdout
        if erased:  # it waits for the sweep under either pack
            assert "erased at once" not in run("diff", new, new, "--data", stored.server.data, *at).stdout
