# SPDX-License-Identifier: Apache-2.0
"""The default pack against the scheme's own facts, stated here once more: what a table of cases
cannot see (a limit on deliveries, what is recorded) and what it can. And the table against the
pack: there is no fact whose change no case notices."""

import copy
import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from harness.server import PERSEUS
from test_consentctl_policy import run

SCHEME = "https://registry.core.trust.ib1.org/scheme/perseus"
TABLE = PERSEUS.with_suffix(".test.json")
ROLES = {
    "edp": "energy-data-provider",
    "cap": "carbon-accounting-provider",
    "fsp": "financial-service-provider",
}
YEAR = "P12M"
HALF_HOUR = "PT30M"
# purpose: who acts for it, and its limits
PURPOSES = {
    "estimate-emissions": ("cap", {"lookBack": YEAR}),
    "project-intervention-emissions": ("cap", {"oncePer": "intervention"}),
    "corroborate-savings": ("cap", {"every": "P1Y", "granularity": "P1M"}),
    "share-emissions-with-fsp": ("cap", {}),
    "decarbonisation-recommendations": ("cap", {}),
    "green-finance-eligibility": ("fsp", {}),
    "green-finance-product-management": ("fsp", {}),
}
# data cluster: what it says beside its title
CLUSTERS = {
    "electricity.import.halfhourly": {"granularity": HALF_HOUR},
    "electricity.export.halfhourly": {"granularity": HALF_HOUR, "denied": True},
    "gas.import.halfhourly": {"granularity": HALF_HOUR},
    "tariff": {},
    "electricity.reactive": {"granularity": HALF_HOUR, "denied": True},
    "location.outcode": {
        "onlyWith": ["electricity.import.halfhourly", "gas.import.halfhourly"],
    },
    "emissions.monthly": {"granularity": "P1M", "wholeMonths": True},
    "meter.identity": {"denied": True},
}
FOR_CAP = list(PURPOSES)[:5]
CONSUMPTION = [
    "electricity.import.halfhourly",
    "gas.import.halfhourly",
    "tariff",
    "location.outcode",
]
EMISSIONS = ["emissions.monthly"]
LIMITS = {"term": "P1Y", "lookBack": YEAR, "availableFrom": "2026-03-12"}


def license_url(name):
    return f"{SCHEME}/license/{name}/2026-03-12"


ENERGY = license_url("energy-consumption-edp-cap")
BANK = license_url("emissions-cap-fsp")
COMBINED = license_url("energy-consumption-emissions-edp-cap-fsp")
PROVENANCE = {  # what permission steps name besides the licence: test_provenance_steps.py
    "licenses": ["https://smartenergycodecompany.co.uk/documents/sec/consolidated-sec/"],
    "processes": [
        f"{SCHEME}/process/{kind}-emissions-calculation/2026-03-12"
        for kind in ("electricity", "gas")
    ],
}
LICENSES = {
    ENERGY: {
        "from": "edp",
        "to": "cap",
        "purposes": FOR_CAP,
        "permissions": CONSUMPTION,
        "provenance": PROVENANCE,
    },
    BANK: {
        "from": "cap",
        "to": "fsp",
        "purposes": list(PURPOSES)[5:],
        "permissions": EMISSIONS,
        "dependsOn": [ENERGY, COMBINED],
        "wholeMonths": True,
    },
    COMBINED: {
        "from": "edp",
        "to": "cap",
        "purposes": list(PURPOSES),
        "permissions": CONSUMPTION + EMISSIONS,
        "onwardRecipients": {"min": 1, "max": 1, "role": "fsp", "permissions": EMISSIONS},
        "provenance": PROVENANCE,
    },
}
WORDS = ("title", "text", "sensitivity")  # for people: nothing depends on them


def by(items, key):
    """Items by their code or URL, without what is for people."""
    facts = {}
    for item in items:
        rest = {name: value for name, value in item.items() if name not in (*WORDS, key)}
        assert item["title"] and item[key] not in facts
        facts[item[key]] = rest
    return facts


@pytest.fixture(scope="module")
def pack():
    return json.loads(PERSEUS.read_text())


def test_its_identity_and_roles(pack):
    assert (pack["pack"], pack["version"], pack["scheme"]) == ("perseus", "2026-03-12", SCHEME)
    assert pack["territory"] == ["GB"]
    roles = {code: {"urls": [f"{SCHEME}/role/{name}"]} for code, name in ROLES.items()}
    assert {role["code"]: {"urls": role["urls"]} for role in pack["roles"]} == roles


def test_its_seven_purposes(pack):
    facts = by(pack["purposes"], "code")
    wanted = {
        code: {"roles": [role], **({"limits": limits} if limits else {})}
        for code, (role, limits) in PURPOSES.items()
    }
    assert facts == wanted and list(facts) == list(wanted)  # they are numbered 1 to 7


def test_its_eight_data_clusters(pack):
    assert by(pack["permissions"], "code") == CLUSTERS


def test_its_three_licences(pack):
    wanted = {url: {**LIMITS, **license} for url, license in LICENSES.items()}
    assert by(pack["licenses"], "url") == wanted


def test_its_settings(pack):
    settings = pack["settings"]
    assert settings["record"] == "all"  # permits are the evidence
    assert settings["purposeMustBeStated"] is False  # the consumption API has no such parameter
    assert pack["rules"] == []


# ---- the table notices


CHANGED = {  # what becomes of a value; others get a letter more, numbers one more and one less
    "P1Y": ["P11M", "P13M"],
    "P12M": ["P11M", "P13M"],
    "P1M": ["P27D", "P2M"],
    "PT30M": ["PT15M", "PT60M"],
    "P30D": ["P29D", "P31D"],
    "PT60S": ["PT59S", "PT61S"],
    "P6Y": ["P5Y", "P7Y"],
    "2026-03-12": ["2026-03-11", "2026-03-13"],
}
UNSEEN = {  # judged by auditors, when erasing, or by the sweep; of what is denied; the defaults
    "/purposes/1/limits",
    "/purposes/1/limits/oncePer",
    "/purposes/2/limits/every",
    "/permissions/1/granularity",
    "/permissions/4/granularity",
    "/settings",
    "/settings/purposeMustBeStated",
    "/settings/record",
    "/settings/requestTimeout",
    "/settings/retention",
    "/settings/retention/keepAfterEnd",
    "/settings/retention/eraseAfter",
    "/settings/leeway",
    "/rules",
    "/resourceTypes",
}


def walk(value, path=()):
    yield path, value
    if isinstance(value, (dict, list)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, member in items:
            yield from walk(member, path + (key,))


def at(document, path):
    for step in path:
        document = document[step]
    return document


def others(value):
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1]
    return CHANGED.get(value, [value + "x"]) if isinstance(value, str) else []


def mutants(pack):
    """Each member and element removed, and each value changed."""
    for path, value in walk(pack):
        if not path or path[-1] in (*WORDS, "pack", "version", "scheme") or "provenance" in path:
            continue
        where = "/" + "/".join(map(str, path))
        removed = copy.deepcopy(pack)
        del at(removed, path[:-1])[path[-1]]
        yield where, removed
        for other in others(value):
            changed = copy.deepcopy(pack)
            at(changed, path[:-1])[path[-1]] = other
            yield where, changed


def is_unseen(path, mutant):
    """It is a valid pack, and no case of the table fails."""
    path.write_text(json.dumps(mutant))
    return run("test", path, TABLE).returncode == 0


def test_no_fact_changes_without_a_case_that_notices(pack, tmp_path):
    changed = list(mutants(pack))
    for number in range(len(changed)):
        (tmp_path / str(number)).mkdir()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        paths = [tmp_path / str(number) / PERSEUS.name for number in range(len(changed))]
        unseen = list(pool.map(is_unseen, paths, [mutant for _, mutant in changed]))
    assert {where for (where, _), alive in zip(changed, unseen) if alive} == UNSEEN
    assert len(changed) > 250
