# SPDX-License-Identifier: Apache-2.0
"""Which applications may read this account, which consents and accounts may this application read, which
purposes are open? Searched over AuthZEN; results are exactly what an evaluation permits."""

import itertools
import json
import random

import pytest
from conftest import NOW, NOW_S
from harness import bodies
from harness.client import Api
from harness.questions import question
from harness.server import PERSEUS
from harness.tokens import Minter
from model import format_time, parse_time

EVALUATION = "/access/v1/evaluation"
EVALUATIONS = "/access/v1/evaluations"
TARIFF = {"permissions": ["tariff"]}
ESTIMATE = {"name": "read", "properties": {"purpose": "estimate-emissions"}}
OPEN = [{"name": "read", "properties": {"purpose": purpose}} for purpose in bodies.PURPOSES[:5]]


def page_of(api, kind, asked, status=200, **more):
    response = api.call("POST", f"/access/v1/search/{kind}", asked, **more)
    assert response.status_code == status, response.text
    return response.json()


def found(api, kind, asked, limit=None, token=None):
    """All pages; each result once, none above the limit."""
    results, page = [], {} if limit is None else {"limit": limit}
    while True:
        answer = page_of(api, kind, {**asked, "page": page}, token=token or api.token)
        results += answer["results"]
        assert answer["page"]["count"] == len(answer["results"]) <= (limit or 50)
        if answer["page"]["next_token"] == "":
            break
        page = {**page, "token": answer["page"]["next_token"]}
    assert len({json.dumps(result, sort_keys=True) for result in results}) == len(results)
    return results


def application(url):
    return {"type": "application", "id": url}


def searched(client, resource, purpose="estimate-emissions", **data):
    return question(client, resource, purpose, **data)


# ---- which applications


def test_the_applications_that_may_read_an_account(cast):
    for app in (cast.app_url, cast.other_app_url):
        cast.tenant.create(bodies.consent(app, NOW))
    cast.tenant.create(bodies.consent(cast.fsp_url, NOW, account="account-2"))
    asked = searched("ignored", "account-1", **TARIFF)
    both = [application(cast.app_url), application(cast.other_app_url)]
    assert page_of(cast.tenant, "subject", asked) == {"results": both}
    del asked["subject"]["id"]
    assert page_of(cast.tenant, "subject", asked) == {"results": both}
    asked["action"]["properties"]["purpose"] = "green-finance-eligibility"
    assert page_of(cast.tenant, "subject", asked) == {"results": []}
    asked["subject"]["type"] = "user"
    assert page_of(cast.tenant, "subject", asked) == {"results": []}


def test_an_application_with_many_consents_is_told_once(cast):
    for license in (bodies.ENERGY, bodies.COMBINED):
        more = {"onwardRecipients": [cast.fsp_url]} if license == bodies.COMBINED else {}
        cast.tenant.create(bodies.consent(cast.app_url, NOW, license=license, **more))
    for _ in range(3):  # each supersedes the one before
        cast.tenant.create(bodies.consent(cast.other_app_url, NOW))
    asked = searched("", "account-1", **TARIFF)
    for limit in (None, 1, 2):
        assert found(cast.tenant, "subject", asked, limit) == [
            application(cast.app_url),
            application(cast.other_app_url),
        ]


def test_the_application_of_a_consent(cast):
    consent = cast.tenant.create(bodies.consent(cast.app_url, NOW))
    asked = searched("", consent, **TARIFF)
    one = [application(cast.app_url)]
    assert page_of(cast.tenant, "subject", asked) == {"results": one}
    assert page_of(cast.client, "subject", asked) == {"results": one}
    assert page_of(cast.other, "subject", asked) == {"results": []}
    assert page_of(cast.other_client, "subject", asked) == {"results": []}
    assert page_of(cast.tenant, "subject", {**asked, "page": {"limit": 1}}) == {
        "page": {"next_token": "", "count": 1},
        "results": one,
    }
    cast.tenant.call("DELETE", f"/v1/consents/{consent['consentId']}")
    assert page_of(cast.tenant, "subject", asked) == {"results": []}


# ---- which consents, which accounts


def test_the_consents_and_accounts_that_an_application_may_read(cast):
    made = [cast.tenant.create(bodies.consent(cast.app_url, NOW, account=a)) for a in "abc"]
    cast.tenant.create(bodies.consent(cast.other_app_url, NOW, account="a"))
    cast.tenant.call("DELETE", f"/v1/consents/{made[1]['consentId']}")
    asked = searched(cast.app_url, "ignored", **TARIFF)
    assert page_of(cast.tenant, "resource", asked) == {
        "results": [{"type": "account", "id": "a"}, {"type": "account", "id": "c"}]
    }
    asked["resource"]["type"] = "consent"
    assert page_of(cast.tenant, "resource", asked) == {
        "results": [{"type": "consent", "id": made[i]["consentId"]} for i in (0, 2)]
    }
    assert [r["id"] for r in found(cast.tenant, "resource", asked, 1)] == [
        made[i]["consentId"] for i in (0, 2)
    ]
    assert page_of(cast.other, "resource", asked) == {"results": []}


def test_accounts_are_told_to_their_tenant_alone(cast):
    consent = cast.tenant.create(bodies.consent(cast.app_url, NOW, account='x"\\é'))
    asked = searched(cast.app_url, "", **TARIFF)
    assert page_of(cast.tenant, "resource", asked) == {
        "results": [{"type": "account", "id": 'x"\\é'}]
    }
    assert page_of(cast.client, "resource", asked) == {"results": []}
    asked["resource"]["type"] = "consent"
    assert page_of(cast.client, "resource", asked) == {
        "results": [{"type": "consent", "id": consent["consentId"]}]
    }
    assert page_of(cast.other_client, "resource", asked) == {"results": []}


def test_an_application_finds_what_every_tenant_gave_it(cast):
    mine = cast.tenant.create(bodies.consent(cast.app_url, NOW))
    theirs = cast.other.create(bodies.consent(cast.app_url, NOW))
    asked = searched(cast.app_url, mine, **TARIFF)
    for api, expected in ((cast.client, [mine, theirs]), (cast.tenant, [mine]), (cast.other, [theirs])):
        for limit in (None, 1):
            assert found(api, "resource", asked, limit) == [
                {"type": "consent", "id": consent["consentId"]} for consent in expected
            ]


def test_a_clients_meters_are_keyed_by_whose_consent_it_is(cast):
    def limited_to(meter):
        permissions = [{"code": "tariff", "resources": [meter]}]
        return bodies.consent(cast.app_url, NOW, permissions=permissions)

    mine = cast.tenant.create(limited_to("m1"))
    cast.other.create(limited_to("m2"))
    for meter in ("m1", "m2", "m3"):
        asked = searched(cast.app_url, {"consentId": ""}, **TARIFF, resources=[meter])
        assert len(page_of(cast.client, "resource", asked)["results"]) == (meter != "m3")
        asked["resource"]["id"] = mine["consentId"]
        for kind, count in (("subject", 1), ("action", 5)):
            results = page_of(cast.client, kind, asked)["results"]
            assert len(results) == (count if meter == "m1" else 0)


def test_listing_consents_or_accounts_takes_the_scope_to_read_them(cast):
    cast.tenant.create(bodies.consent(cast.app_url, NOW))
    only_asks = cast.minter.token(cast.tenant_url, "decisions:evaluate")
    for kind in ("consent", "account"):
        asked = searched(cast.app_url, "account-1", **TARIFF)
        asked["resource"]["type"] = kind
        response = cast.tenant.call("POST", "/access/v1/search/resource", asked, token=only_asks)
        assert response.status_code == 403
        assert 'scope="consents:read"' in response.headers["www-authenticate"]
    asked["resource"] = {"type": "account", "id": "account-1"}
    for kind, count in (("subject", 1), ("action", 5)):
        answer = page_of(cast.tenant, kind, asked, token=only_asks)
        assert len(answer["results"]) == count


# ---- which purposes


def test_the_purposes_that_are_open(cast):
    consent = cast.tenant.create(bodies.consent(cast.app_url, NOW))
    for resource in (consent, "account-1"):
        asked = searched(cast.app_url, resource, "no-such-purpose", **TARIFF)
        assert page_of(cast.tenant, "action", asked) == {"results": OPEN}
        del asked["action"]
        assert page_of(cast.tenant, "action", asked) == {"results": OPEN}
        assert found(cast.tenant, "action", asked, 2) == OPEN
    coarse = searched(cast.app_url, consent, permissions=["gas.import.halfhourly"])
    fine = [p["properties"]["purpose"] for p in page_of(cast.tenant, "action", coarse)["results"]]
    assert "corroborate-savings" not in fine and "estimate-emissions" in fine
    assert page_of(cast.other, "action", searched(cast.app_url, consent)) == {"results": []}


def test_a_rule_sees_the_purpose_and_the_name_that_are_tried(new_server, tmp_path):
    pack = json.loads(PERSEUS.read_text())
    pack["rules"] = [
        {
            "id": "no-writing",
            "effect": "deny",
            "when": [
                {"path": "action.name", "op": "eq", "value": "write"},
                {"path": "action.properties.purpose", "op": "ne", "value": "estimate-emissions"},
            ],
        }
    ]
    pack["directory"] = {"actions": ["write", "read"]}
    (tmp_path / "pack.json").write_text(json.dumps(pack))
    server = new_server(clock=f"{NOW}x0", pack=tmp_path / "pack.json")
    minter = Minter(server.data, NOW_S)
    with Api(server, minter, minter.tenant("https://edp.example/m")) as api:
        api.create(bodies.consent("https://cap.example/a", NOW))
        asked = searched("https://cap.example/a", "account-1", **TARIFF)
        assert found(api, "action", asked) == [{**ESTIMATE, "name": "write"}, *OPEN]


# ---- pages


def test_a_token_continues_one_search_of_one_caller(cast):
    for account in "abc":
        cast.tenant.create(bodies.consent(cast.app_url, NOW, account=account))
    asked = searched(cast.app_url, "", **TARIFF)
    first = page_of(cast.tenant, "resource", {**asked, "page": {"limit": 1}})
    token = first["page"]["next_token"]
    again = {**asked, "page": {"token": token}}
    assert page_of(cast.tenant, "resource", again)["results"] == [{"type": "account", "id": "b"}]
    wrong = [
        {**again, "page": {"token": token, "limit": 2}},
        {**again, "page": {"token": token[:-1] + ("A" if token[-1] != "A" else "Q")}},
        {**again, "page": {"token": ""}},
        {**again, "page": {"token": "a" * 500}},
        {**again, "subject": application(cast.other_app_url)},
        {**again, "action": {"name": "write"}},
        {**again, "action": {"name": "read"}},
        {**again, "context": {}},
        {**again, "resource": {"type": "consent", "properties": TARIFF}},
        {**again, "resource": {"type": "account"}},
    ]
    for body in wrong:
        problem = page_of(cast.tenant, "resource", body, 400)
        assert problem["detail"] == "page.token does not continue this search of this caller"
    page_of(cast.other, "resource", again, 400)
    page_of(cast.client, "resource", again, 400)
    page_of(cast.tenant, "subject", {**again, "resource": {"type": "account", "id": "a"}}, 400)


def test_what_is_asked_for_may_be_nothing(cast):
    cast.tenant.create(bodies.consent(cast.app_url, NOW))
    asked = searched(cast.app_url, "account-1", **TARIFF)
    for kind in ("subject", "resource", "action"):
        none = page_of(cast.tenant, kind, {**asked, "page": {"limit": 0}})
        assert none["results"] == [] and none["page"]["count"] == 0
        same = {**asked, "page": {"limit": 0, "token": none["page"]["next_token"]}}
        assert page_of(cast.tenant, kind, same) == none


def test_the_work_of_a_page_is_bounded(new_server, tmp_path):
    """A thousand questions a page: none of the first 2,000 subjects is permitted."""
    pack = {
        **{"pack": "many", "version": "1", "scheme": "https://many.example"},
        **{part: [] for part in ("roles", "purposes", "permissions", "licenses")},
        "rules": [
            {
                "id": "late",
                "effect": "permit",
                "when": [{"path": "subject.id", "op": "startsWith", "value": "u2"}],
            }
        ],
        "resourceTypes": [{"type": "door", "needsConsent": False}],
        "directory": {"subjects": [{"type": "user", "id": f"u{i:04}"} for i in range(2500)]},
    }
    (tmp_path / "pack.json").write_text(json.dumps(pack))
    server = new_server(clock=f"{NOW}x0", pack=tmp_path / "pack.json")
    minter = Minter(server.data, NOW_S)
    asked = {
        "subject": {"type": "user"},
        "action": {"name": "open"},
        "resource": {"type": "door", "id": "1"},
    }
    with Api(server, minter, minter.tenant("https://edp.example/m")) as api:
        sizes, page = [], {"limit": 500}
        while True:
            answer = page_of(api, "subject", {**asked, "page": page})
            sizes.append(len(answer["results"]))
            page = {"limit": 500, "token": answer["page"]["next_token"]}
            if page["token"] == "":
                break
        assert sizes == [0, 0, 500]
        assert len(found(api, "subject", asked, 499)) == 500


def test_a_page_of_consents_may_come_empty_and_have_more(cast):
    """500 consents are looked at; those that permit come after."""
    onward = {"onwardRecipients": [cast.fsp_url], "license": bodies.COMBINED}
    for number in range(501):
        cast.tenant.create(bodies.consent(cast.app_url, NOW, account=f"n{number}"))
    cast.tenant.create(bodies.consent(cast.app_url, NOW, account="late", **onward))
    asked = searched(cast.app_url, "", **TARIFF, license=bodies.COMBINED)
    first = page_of(cast.tenant, "resource", asked)
    assert first["results"] == [] and first["page"]["count"] == 0
    late = [{"type": "account", "id": "late"}]
    assert page_of(
        cast.tenant, "resource", {**asked, "page": {"token": first["page"]["next_token"]}}
    ) == {"page": {"next_token": "", "count": 1}, "results": late}


# ---- recording


def test_a_search_leaves_no_trace_and_promises_none(cast, watch):
    cast.tenant.create(bodies.consent(cast.app_url, NOW))
    watch.new()
    asked = searched(cast.app_url, "account-1", **TARIFF)
    for kind in ("subject", "resource", "action"):
        assert page_of(cast.tenant, kind, asked)["results"]
        wanted = {**asked, "context": {"record": True}}
        problem = page_of(cast.tenant, kind, wanted, 400)
        assert problem["detail"] == "a search is not recorded: context.record must not be true"
        assert page_of(cast.tenant, kind, {**asked, "context": {"record": False}})["results"]
    assert watch.new() == []


# ---- random markets: what a search finds, and nothing else, an evaluation permits


class Market:
    """Tenants, applications, accounts and consents in every state, under a pack whose rules look at
    everything that a search fills in."""

    TENANTS = [f"https://market.example/edp-{i}" for i in range(2)]
    APPS = [f"https://market.example/app-{i}" for i in range(3)]
    ACCOUNTS = ["acc-0", "acc-1", "acc-2"]
    LICENSES = [bodies.ENERGY, bodies.COMBINED]

    def __init__(self, rng, server, minter):
        self.rng = rng
        self.tenants = [Api(server, minter, minter.tenant(url)) for url in self.TENANTS]
        self.apps = [Api(server, minter, minter.client(url)) for url in self.APPS]
        self.consents = []
        for _ in range(24):
            self.add()

    def close(self):
        for api in self.tenants + self.apps:
            api.close()

    @staticmethod
    def pack(rng):
        pack = json.loads(PERSEUS.read_text())
        pack["settings"]["record"] = "none"
        values = {
            "subject.id": Market.APPS,
            "subject.properties.trust": ["low", "high"],
            "resource.id": Market.ACCOUNTS,
            "action.name": ["read", "write"],
            "action.properties.purpose": bodies.PURPOSES[:5],
            "context.channel": ["a", "b"],
            "consent.client": Market.APPS,
        }
        pack["rules"] = [
            {
                "id": f"r{i}",
                "effect": "deny",
                "when": [
                    {"path": path, "op": rng.choice(["eq", "ne"]), "value": rng.choice(values[path])}
                    for path in rng.sample(sorted(values), 2)
                ],
            }
            for i in range(rng.choice([1, 2]))
        ]
        if any(c["path"] == "subject.properties.trust" for r in pack["rules"] for c in r["when"]):
            pack["directory"] = {
                "subjects": [
                    {**application(url), "properties": {"trust": rng.choice(["low", "high"])}}
                    for url in Market.APPS[:2]
                ]
            }
        if rng.random() < 0.5:
            pack.setdefault("directory", {})["actions"] = ["write", "read"]
        return pack

    def add(self):
        rng = self.rng
        license = rng.choice(self.LICENSES)
        more = {"license": license, "account": rng.choice(self.ACCOUNTS)}
        if license == bodies.COMBINED:
            more["onwardRecipients"] = [self.APPS[2]]
        if rng.random() < 0.4:
            more["purposes"] = rng.sample(bodies.PURPOSES[:5], 3)
        if rng.random() < 0.5:
            codes = rng.sample(bodies.CLUSTERS[:3], 2)
            meters = {"resources": ["m1"]} if rng.random() < 0.5 else {}
            more["permissions"] = [{"code": code, **meters} for code in codes]
        if rng.random() < 0.2:
            more["expires"] = format_time(parse_time(NOW) + 60_000)
        api = rng.choice(self.tenants)
        consent = api.create(bodies.consent(rng.choice(self.APPS), NOW, **more))
        if rng.random() < 0.2:
            api.call("DELETE", f"/v1/consents/{consent['consentId']}")
        self.consents.append(consent)

    def question(self):
        rng = self.rng
        data = {"permissions": rng.sample(bodies.CLUSTERS[:3], rng.choice([1, 1, 1, 2]))}
        if rng.random() < 0.4:
            data["resources"] = [rng.choice(["m1", "m2"])]
        if rng.random() < 0.2:
            data["license"] = rng.choice(self.LICENSES)
        purpose = rng.choice([None, *bodies.PURPOSES[:5]])
        resource = rng.choice([rng.choice(self.ACCOUNTS), rng.choice(self.consents)])
        asked = question(rng.choice(self.APPS), resource, purpose, **data)
        asked["action"]["name"] = rng.choice(["read", "write"])
        if rng.random() < 0.5:
            asked["context"] = {"channel": rng.choice(["a", "b"])}
        if rng.random() < 0.3:
            asked["subject"]["properties"] = {"trust": rng.choice(["low", "high"])}
        if rng.random() < 0.05:
            asked["resource"]["properties"]["from"] = "yesterday"
        return asked

    def universe(self, kind, asked):
        """Every candidate there could be, found or not, as whole entities."""
        if kind == "subject":
            return [{**asked["subject"], **application(url)} for url in self.APPS + self.TENANTS]
        if kind == "resource":
            ids = self.ACCOUNTS + ["acc-9"]
            if asked["resource"]["type"] == "consent":
                ids = [consent["consentId"] for consent in self.consents]
            return [{**asked["resource"], "id": name} for name in ids]
        return [
            {"name": name, "properties": {"purpose": purpose}}
            for name in ("read", "write")
            for purpose in bodies.PURPOSES
        ]


def permitted(api, kind, asked, universe):
    items = [{kind: entity} for entity in universe]
    answer = api.call("POST", EVALUATIONS, {**asked, "evaluations": items}).json()
    return [
        {name: entity[name] for name in ("type", "id", "name") if name in entity}
        | ({"properties": entity["properties"]} if kind == "action" else {})
        for entity, item in zip(universe, answer["evaluations"], strict=True)
        if item["decision"]
    ]


def canonical(entities):
    return sorted(json.dumps(entity, sort_keys=True) for entity in entities)


@pytest.mark.parametrize("seed", range(6))
def test_results_are_exactly_what_evaluations_permit(new_server, tmp_path, seed):
    rng = random.Random(seed)
    pack = Market.pack(rng)
    (tmp_path / "pack.json").write_text(json.dumps(pack))
    server = new_server(clock=f"{NOW}x0", pack=tmp_path / "pack.json")
    market = Market(rng, server, Minter(server.data, NOW_S))
    names = pack.get("directory", {}).get("actions", ["read"])
    total = 0
    for api, kind in itertools.product(
        market.tenants + market.apps, ("subject", "resource", "action")
    ):
        for _ in range(16):
            asked = market.question()
            universe = market.universe(kind, asked)
            if kind == "action":
                universe = [action for action in universe if action["name"] in names]
            expected = canonical(permitted(api, kind, asked, universe))
            results = found(api, kind, asked, rng.choice([None, 1, 2, 3]))
            assert canonical(results) == expected, (kind, asked)
            total += len(results)
    market.close()
    assert total > 40
