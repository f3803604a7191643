# SPDX-License-Identifier: Apache-2.0
"""May this application have these data, for this purpose, now? Asked over AuthZEN."""

import json

import pytest
from conftest import NOW, NOW_S
from harness import bodies
from harness.client import Api
from harness.questions import codes, pack_file, question
from harness.server import PERSEUS
from harness.tokens import Minter
from model import format_time, parse_time

TARIFF = {"permissions": ["tariff"]}
EVALUATION = "/access/v1/evaluation"
EVALUATIONS = "/access/v1/evaluations"
EXPLAIN = {"explain": True}


def ask(api, asked, status=200, **more):
    response = api.call("POST", EVALUATION, asked, **more)
    assert response.status_code == status, response.text
    return response.json()


def explained(api, asked):
    answer = ask(api, {**asked, "context": {**asked.get("context", {}), **EXPLAIN}})
    assert answer["decision"] == (codes(answer) == set())
    return answer


@pytest.fixture
def consent(cast):
    return cast.tenant.create(bodies.consent(cast.app_url, NOW))


# ---- what is permitted, and what it rests on


def test_a_permit_names_the_consent_and_the_entry_that_records_it(cast, consent, watch):
    answer = ask(cast.tenant, question(cast.app_url, "account-1", **TARIFF))
    (entry,) = watch.new()[-1:]
    assert answer["decision"] is True
    assert answer["context"] == {
        "decisionId": f"{entry['payload']['id']}.{entry['index']}",
        "logIndex": entry["index"],
        "consent": {
            "consentId": consent["consentId"],
            "version": 1,
            "status": "active",
            "logIndex": consent["logIndex"],
        },
    }
    body = entry["payload"]["body"]
    assert entry["event"] == "decision.permitted"
    assert entry["payload"]["consentId"] == consent["consentId"]
    assert (body["decision"], body["reasons"], body["purposeStated"]) == (True, [], True)
    assert body["request"]["purpose"] == "estimate-emissions"
    assert body["request"]["permissions"] == ["tariff"]
    assert body["policyDigest"] == consent["policy"]["digest"]
    assert "account-1" not in json.dumps(entry)


def test_without_a_purpose_the_open_ones_are_told(cast, consent):
    answer = ask(cast.tenant, question(cast.app_url, "account-1", purpose=None, **TARIFF))
    assert answer["decision"] is True
    assert answer["context"]["purposeStated"] is False
    assert answer["context"]["purposes"] == bodies.PURPOSES[:5]


def test_a_purpose_that_must_be_stated(new_server, tmp_path):
    pack = pack_file(tmp_path / "pack.json", purposeMustBeStated=True)
    server = new_server(clock=f"{NOW}x0", pack=pack)
    minter = Minter(server.data, NOW_S)
    with Api(server, minter, minter.tenant("https://edp.example/m")) as api:
        api.create(bodies.consent("https://cap.example/a", NOW))
        asked = question("https://cap.example/a", "account-1", purpose=None, **TARIFF)
        assert codes(explained(api, asked)) == {"purposeNotPermitted"}


@pytest.mark.parametrize(
    "purpose,data,expected",
    [
        ("green-finance-eligibility", TARIFF, {"purposeNotPermitted", "roleMissing"}),
        ("fishing", TARIFF, {"purposeNotPermitted"}),
        ("estimate-emissions", {"permissions": ["emissions.monthly"]}, None),
        ("estimate-emissions", {"permissions": ["meter.identity"]}, {"permissionNotPermitted"}),
        ("estimate-emissions", {"permissions": ["location.outcode"]}, {"permissionNotPermitted"}),
        ("estimate-emissions", {"permissions": ["location.outcode", "gas.import.halfhourly"]}, set()),
        ("corroborate-savings", {"permissions": ["gas.import.halfhourly"]}, {"granularityTooFine"}),
        (
            "corroborate-savings",
            {"permissions": ["gas.import.halfhourly"], "granularity": "P1M"},
            set(),
        ),
        ("estimate-emissions", {**TARIFF, "from": "2025-06-01T00:00Z"}, set()),
        ("estimate-emissions", {**TARIFF, "from": "2025-05-31T23:59:59.999Z"}, {"outsideDataWindow"}),
        ("estimate-emissions", {**TARIFF, "license": bodies.ENERGY}, set()),
        ("estimate-emissions", {**TARIFF, "license": bodies.COMBINED}, {"licenseNotAvailable"}),
        ("estimate-emissions", {**TARIFF, "from": "yesterday"}, {"malformedRequest"}),
        ("estimate-emissions", {"permissions": "tariff"}, {"malformedRequest"}),
        (7, TARIFF, {"malformedRequest"}),
    ],
)
def test_down_to_purpose_permission_granularity_and_window(cast, consent, purpose, data, expected):
    found = codes(explained(cast.tenant, question(cast.app_url, consent, purpose, **data)))
    if expected is None:
        assert {"permissionNotPermitted"} <= found
    else:
        assert found == expected


def test_resources_that_the_consent_names(cast):
    permissions = [{"code": "tariff", "resources": ["m1", "m2"]}]
    cast.tenant.create(bodies.consent(cast.app_url, NOW, permissions=permissions))

    def found(**data):
        return codes(explained(cast.tenant, question(cast.app_url, "account-1", **TARIFF, **data)))

    assert found(resources=["m1"]) == set()
    assert found(resources=["m2", "m1"]) == set()
    assert found(resources=["m1", "m3"]) == {"resourceNotPermitted"}
    assert found() == {"resourceNotPermitted"}


def test_a_client_asks_about_its_resources_too(cast):
    permissions = [{"code": "tariff", "resources": ["m1"]}]
    consent = cast.tenant.create(bodies.consent(cast.app_url, NOW, permissions=permissions))
    for meter, expected in (("m1", set()), ("m2", {"resourceNotPermitted"})):
        asked = question(cast.app_url, consent, **TARIFF, resources=[meter])
        assert codes(explained(cast.client, asked)) == expected


def test_roles_of_todays_certificate(cast, consent):
    def found(roles):
        asked = question(cast.app_url, consent, **TARIFF)
        asked["subject"]["properties"] = {"roles": roles}
        return codes(explained(cast.tenant, asked))

    assert found([f"{bodies.PREFIX}/role/carbon-accounting-provider"]) == set()
    assert found([f"{bodies.PREFIX}/role/financial-service-provider"]) == {"roleMissing"}
    assert found([]) == {"roleMissing"}


def test_an_onward_recipient_gets_what_the_licence_keeps_for_it(cast):
    consent = cast.tenant.create(
        bodies.consent(
            cast.app_url, NOW, license=bodies.COMBINED, onwardRecipients=[cast.fsp_url]
        )
    )
    months = {"from": "2026-01-01T00:00Z", "to": "2026-06-01T00:00Z"}

    def found(permission, recipient, purpose):
        context = {} if recipient is None else {"onwardRecipient": recipient}
        asked = question(
            cast.app_url, consent, purpose, context, permissions=[permission], **months
        )
        return codes(explained(cast.tenant, asked))

    bank = "green-finance-eligibility"
    assert found("emissions.monthly", cast.fsp_url, bank) == set()
    assert found("emissions.monthly", cast.other_app_url, bank) == {"recipientNotNamed"}
    assert found("tariff", cast.fsp_url, bank) == {"permissionNotPermitted"}
    assert found("emissions.monthly", None, bank) == {"recipientNotNamed", "roleMissing"}
    assert found("tariff", None, "estimate-emissions") == set()


def test_a_question_says_where_the_data_go(cast, consent):
    asked = question(cast.app_url, consent, context={"territory": "GB"}, **TARIFF)
    assert codes(explained(cast.tenant, asked)) == set()
    asked["context"] = {"territory": "FR"}
    assert codes(explained(cast.tenant, asked)) == {"territory"}


# ---- the very next decision


def test_what_ends_a_consent_ends_it_for_the_next_decision(cast):
    def decision(of, client=cast.app_url):
        return codes(explained(cast.tenant, question(client, of, **TARIFF)))

    revoked = cast.tenant.create(bodies.consent(cast.app_url, NOW, account="r"))
    assert decision(revoked) == set()
    cast.tenant.post(
        f"/v1/consents/{revoked['consentId']}/revoke", {"reason": {"code": "withdrawn"}}
    )
    assert decision(revoked) == {"notActive"}
    assert decision("r") == {"notActive"}
    first = cast.tenant.create(bodies.consent(cast.app_url, NOW, account="s"))
    second = cast.tenant.create(bodies.consent(cast.app_url, NOW, account="s"))
    assert decision(first) == {"notActive"}
    assert decision(second) == set()
    requested = cast.tenant.create(bodies.requested(cast.app_url))
    assert decision(requested) == {"notActive"}
    assert decision(second, cast.other_app_url) == {"wrongClient"}


def test_a_dependant_is_denied_with_what_it_depends_on(cast):
    energy = cast.tenant.create(bodies.consent(cast.app_url, NOW))
    emissions = cast.tenant.create(
        bodies.consent(
            cast.fsp_url,
            NOW,
            license=bodies.EMISSIONS,
            dependsOn=[[{"arrangementId": energy["arrangementId"]}]],
        )
    )
    asked = question(
        cast.fsp_url,
        emissions,
        "green-finance-eligibility",
        permissions=["emissions.monthly"],
        **{"from": "2026-01-01T00:00Z", "to": "2026-06-01T00:00Z"},
    )
    assert codes(explained(cast.tenant, asked)) == set()
    cast.tenant.call("DELETE", f"/v1/consents/{energy['consentId']}")
    assert codes(explained(cast.tenant, asked)) == {"linkedConsentEnded", "notActive"}


def test_expiry_to_the_millisecond(new_server, tmp_path):
    server = new_server(clock=f"{NOW}x0")
    minter = Minter(server.data, NOW_S)
    url, app = "https://edp.example/m", "https://cap.example/a"
    expires = format_time(parse_time(NOW) + 86_400_000)
    with Api(server, minter, minter.tenant(url)) as api:
        consent = api.create(bodies.consent(app, NOW, expires=expires))
    for at, expected in ((parse_time(expires) - 1, set()), (parse_time(expires), {"expired"})):
        server.restart(clock=f"{format_time(at)}x0")
        minter = Minter(server.data, at // 1000)
        with Api(server, minter, minter.tenant(url)) as api:
            assert codes(explained(api, question(app, consent, **TARIFF))) == expected


# ---- explanations


def test_every_reason_is_told_with_its_clause_and_what_would_have_to_change(cast, consent):
    cast.tenant.call("DELETE", f"/v1/consents/{consent['consentId']}")
    asked = question(cast.app_url, consent, "fishing", permissions=["tariff", "meter.identity"])
    reasons = explained(cast.tenant, asked)["context"]["reasons"]
    assert reasons == [
        {
            "code": "notActive",
            "clause": "consent/status",
            "detail": "the consent is revoked",
            "change": "a new consent",
        },
        {
            "code": "purposeNotPermitted",
            "clause": "purposes",
            "detail": "the pack does not have this purpose",
            "change": "a purpose of the pack",
        },
        {
            "code": "permissionNotPermitted",
            "clause": "permissions/7/denied",
            "detail": 'the pack denies "meter.identity" to everyone',
            "change": "to leave it out",
        },
    ]


def test_another_tenants_consent_is_none(cast, consent):
    mine = explained(cast.other, question(cast.app_url, consent, **TARIFF))
    unknown = {"consentId": "019ecaa7-fb38-7c41-8d27-6f0a92b1c35e"}
    none = explained(cast.other, question(cast.app_url, unknown, **TARIFF))
    for answer in (mine, none):
        for name in ("decisionId", "logIndex"):
            del answer["context"][name]
    assert mine == none
    assert codes(mine) == {"consentNotFound"}


# ---- batches


def test_items_inherit_what_they_leave_out_and_replace_it_whole(cast, consent):
    asked = question(cast.app_url, "account-1", **TARIFF)
    other = {"type": "account", "id": "account-1", "properties": {"permissions": ["meter.identity"]}}
    items = [{}, {"resource": other}, {"action": {"name": "read"}}, {"subject": {"type": "x"}}]
    response = cast.tenant.call("POST", EVALUATIONS, {**asked, "evaluations": items})
    assert response.json() == {
        "evaluations": [
            {"decision": True},
            {"decision": False},
            {"decision": True},
            {
                "decision": False,
                "context": {"error": {"status": 400, "message": "subject.id must be a string"}},
            },
        ]
    }


@pytest.mark.parametrize(
    "semantic,expected",
    [
        ("execute_all", [True, False, True, False]),
        ("deny_on_first_deny", [True, False]),
        ("permit_on_first_permit", [True]),
    ],
)
def test_a_batch_ends_where_its_semantic_says(cast, consent, watch, semantic, expected):
    asked = question(cast.app_url, "account-1", **TARIFF)
    denied = {"resource": {"type": "account", "id": "nobody"}}
    document = {
        **asked,
        "options": {"evaluations_semantic": semantic},
        "evaluations": [{}, denied, {}, denied],
    }
    answer = cast.tenant.call("POST", EVALUATIONS, document).json()
    assert [item["decision"] for item in answer["evaluations"]] == expected
    decisions = [e for e in watch.new() if e["event"].startswith("decision.")]
    assert [e["event"] == "decision.permitted" for e in decisions] == expected


def test_an_item_that_is_wrong_denies(cast, consent):
    asked = question(cast.app_url, "account-1", **TARIFF)
    document = {
        **asked,
        "options": {"evaluations_semantic": "deny_on_first_deny"},
        "evaluations": [{}, {"resource": 7}, {}],
    }
    answer = cast.tenant.call("POST", EVALUATIONS, document).json()
    assert [item["decision"] for item in answer["evaluations"]] == [True, False]


def test_a_thousand_items_and_not_one_more(cast, consent, watch):
    asked = question(cast.app_url, "account-1", **TARIFF)
    response = cast.tenant.call("POST", EVALUATIONS, {**asked, "evaluations": [{}] * 1000})
    assert response.json() == {"evaluations": [{"decision": True}] * 1000}
    assert len(watch.new()) == 1000
    response = cast.tenant.call("POST", EVALUATIONS, {**asked, "evaluations": [{}] * 1001})
    assert response.status_code == 400
    assert response.json()["detail"] == "evaluations has more than 1000 items"
    assert watch.new() == []


# ---- requests that are wrong


@pytest.mark.parametrize(
    "content,problem",
    [
        (b"", "malformed-json"),
        (b"{", "malformed-json"),
        (b'{"subject":{"type":"a","id":"b"}', "malformed-json"),
        (b"[]", "invalid-body"),
        (b"[{}]", "invalid-body"),
        (b'"x"', "invalid-body"),
        (b"{}", "invalid-body"),
        (b'{"subject":{"type":"a","id":"b"},"action":{"name":"r"}}', "invalid-body"),
        (b'{"subject":{"type":"a","id":7},"action":{"name":"r"},"resource":{}}', "invalid-body"),
        (
            b'{"subject":{"type":"a","id":"b"},"action":{"name":["r"]},'
            b'"resource":{"type":"a","id":"b"}}',
            "invalid-body",
        ),
        (
            b'{"subject":{"type":"a","id":"b"},"action":{"name":"r"},'
            b'"resource":{"type":"a","id":"b"},"context":[]}',
            "invalid-body",
        ),
        (
            b'{"subject":{"type":"a","id":"b","properties":3},"action":{"name":"r"},'
            b'"resource":{"type":"a","id":"b"}}',
            "invalid-body",
        ),
        (b'{"subject":{"type":"a","id":"\xff"},"action":{"name":"r"}}', "malformed-json"),
        (b"[" * 100, "malformed-json"),
    ],
)
@pytest.mark.parametrize("path", [EVALUATION, EVALUATIONS])
def test_what_cannot_be_read_is_a_400_and_leaves_no_trace(cast, watch, path, content, problem):
    headers = {"Content-Type": "application/json"}
    response = cast.tenant.call("POST", path, content=content, headers=headers)
    assert response.status_code == 400
    assert response.json()["type"].endswith(f"/problems/{problem}")
    assert watch.new() == []


def test_media_types(cast, consent):
    asked = json.dumps(question(cast.app_url, consent)).encode()
    for kind, status in (
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("Application/JSON", 200),
        ("text/plain", 400),
        ("application/xml", 400),
        (None, 400),
    ):
        headers = {} if kind is None else {"Content-Type": kind}
        response = cast.tenant.call("POST", EVALUATION, content=asked, headers=headers)
        assert response.status_code == status, kind


def test_unknown_members_are_ignored_and_the_request_id_comes_back(cast, consent):
    asked = {**question(cast.app_url, consent, **TARIFF), "more": {"x": [1, None, {"y": "z"}]}}
    asked["subject"]["age"] = 7
    response = cast.tenant.call("POST", EVALUATION, asked, headers={"X-Request-ID": "abc-1"})
    assert response.json()["decision"] is True
    assert response.headers["X-Request-ID"] == "abc-1"


@pytest.mark.parametrize("semantic", ["all", "", 7, None, {}])
def test_another_semantic_is_refused(cast, consent, semantic):
    document = {
        **question(cast.app_url, consent),
        "options": {"evaluations_semantic": semantic},
        "evaluations": [{}],
    }
    assert cast.tenant.call("POST", EVALUATIONS, document).status_code == 400


# ---- what is recorded


@pytest.mark.parametrize(
    "record,expected",
    [("none", []), ("denials", ["decision.denied"])],
)
def test_a_pack_says_what_is_recorded_and_a_caller_may_ask_for_more(
    new_server, tmp_path, record, expected
):
    server = new_server(clock=f"{NOW}x0", pack=pack_file(tmp_path / "pack.json", record=record))
    minter = Minter(server.data, NOW_S)
    app = "https://cap.example/a"
    with Api(server, minter, minter.tenant("https://edp.example/m")) as api:
        api.create(bodies.consent(app, NOW))
        assert ask(api, question(app, "account-1", **TARIFF)) == {
            "decision": True,
            "context": {
                "consent": {
                    "consentId": api.get("/v1/consents").json()["items"][0]["consentId"],
                    "version": 1,
                    "status": "active",
                    "logIndex": 2,
                }
            },
        }
        ask(api, question(app, "nobody", **TARIFF))
        asked = question(app, "account-1", context={"record": True}, **TARIFF)
        recorded = ask(api, asked)["context"]["logIndex"]
    with Api(server, minter, minter.auditor()) as auditor:
        items = auditor.get("/v1/audit/events", params={"after": 2}).json()["items"]
        assert [item["event"] for item in items] == [*expected, "decision.permitted"]
        assert items[-1]["index"] == recorded


def test_more_than_an_entry_holds_is_malformed(new_server, tmp_path):
    pack = json.loads(PERSEUS.read_text())
    pack["rules"] = [
        {
            "id": "no-marks",
            "effect": "deny",
            "when": [{"path": "context.marks", "op": "subsetOf", "value": ["a"]}],
        }
    ]
    (tmp_path / "pack.json").write_text(json.dumps(pack))
    server = new_server(clock=f"{NOW}x0", pack=tmp_path / "pack.json")
    minter = Minter(server.data, NOW_S)
    app = "https://cap.example/a"
    with Api(server, minter, minter.tenant("https://edp.example/m")) as api:
        api.create(bodies.consent(app, NOW))

        def found(marks):
            return codes(explained(api, question(app, "account-1", context={"marks": marks})))

        assert found(["a"]) == {"deniedByRule"}
        assert found(["b"]) == set()
        assert found(["b" * 1024] * 7) == set()
        assert found(["b" * 1024] * 9) == {"malformedRequest"}
        assert found(["b" * 1025]) == {"malformedRequest"}
        assert found(["b"] * 65) == {"malformedRequest"}


def test_the_log_tells_decisions_about_a_consent_apart_from_its_history(cast, consent):
    ask(cast.tenant, question(cast.app_url, consent, **TARIFF))
    ask(cast.tenant, question(cast.app_url, consent, "fishing", **TARIFF))
    cast.tenant.call("DELETE", f"/v1/consents/{consent['consentId']}")
    events = cast.auditor.get(
        "/v1/audit/events", params={"consentId": consent["consentId"]}
    ).json()["items"]
    assert [e["event"] for e in events] == [
        "consent.granted",
        "decision.permitted",
        "decision.denied",
        "consent.revoked",
    ]
    assert [e["payload"].get("seq") for e in events] == [1, None, None, 2]
    history = cast.tenant.get(f"/v1/consents/{consent['consentId']}/events").json()["items"]
    assert [e["event"] for e in history] == ["consent.granted", "consent.revoked"]


def test_metadata_names_this_service(cast):
    response = cast.tenant.get("/.well-known/authzen-configuration", token=None)
    document = response.json()
    assert document["policy_decision_point"] == cast.server.url
    assert document["access_evaluation_endpoint"] == f"{cast.server.url}{EVALUATION}"
    assert "max-age" in response.headers["cache-control"]
