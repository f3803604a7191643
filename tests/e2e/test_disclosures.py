# SPDX-License-Identifier: Apache-2.0
"""Disclosures over HTTP: recorded whatever they were, judged as of when they went."""

import json
import uuid

import pytest
from conftest import NOW, NOW_S
from harness import bodies
from harness.audit import NDJSON, Auditor, read_log
from harness.client import Api, refused
from harness.questions import codes, question
from harness.tokens import Minter
from harness.transfers import record, transfer
from harness.wire import request
from model import format_time, parse_time
from test_concurrency import at_once

PATH = "/v1/disclosures"


@pytest.fixture
def consent(cast):
    return cast.tenant.create(bodies.consent(cast.app_url, NOW))


def of(cast, consent, **more):
    to = more.pop("recipient", cast.app_url)
    return transfer(NOW, to, **{"consentId": consent["consentId"], **more})


def test_what_is_answered_is_what_the_log_holds(cast, consent, watch):
    body = of(cast, consent, purposes=["estimate-emissions"], records=31, decisionId="d-1.2")
    answer = record(cast.tenant, body)
    (entry,) = watch.new()[-1:]
    assert answer["permitted"] is True and answer["reasons"] == []
    assert answer["logIndex"] == entry["index"]
    assert answer["recordedAt"] == entry["at"] == NOW
    assert answer["consentId"] == entry["payload"]["consentId"] == consent["consentId"]
    assert entry["event"] == "disclosure.permitted"
    stored = entry["payload"]["body"]
    for name in body:
        expected = body[name] if name not in ("from", "to") else body[name][:-1] + ":00.000Z"
        assert stored[name] == answer[name] == expected, name
    assert stored["policyDigest"] == consent["policy"]["digest"]
    assert "personal" not in entry


def test_the_account_is_nowhere_but_in_the_personal_part(cast, consent, server, watch):
    account = f"account-{uuid.uuid4()}"
    cast.tenant.create(bodies.consent(cast.app_url, NOW, account=account))
    body = transfer(NOW, cast.app_url, account=account, client=cast.app_url)
    assert record(cast.tenant, body)["account"] == account
    (entry,) = watch.new()[-1:]
    assert entry["personal"] == {"account": account}
    assert account not in json.dumps({**entry, "personal": None})
    bad = {**body, "at": "yesterday"}
    refusal = cast.tenant.post(PATH, bad, key="k")
    assert refused(refusal, 400, "invalid-body", "/at") and account not in refusal.text
    assert not [line for line in server.lines if account in line]


def test_a_client_records_what_it_sends_on(cast, watch):
    terms = {"license": bodies.COMBINED, "onwardRecipients": [cast.fsp_url]}
    consent = cast.tenant.create(bodies.consent(cast.app_url, NOW, **terms))
    body = of(
        cast,
        consent,
        recipient=cast.fsp_url,
        permissions=["emissions.monthly"],
        purposes=["green-finance-eligibility"],
        granularity="P1M",
    )
    answer = record(cast.client, body)
    assert answer["permitted"] is True and answer["tenant"] == cast.tenant_url
    assert answer["actor"] == {"role": "client", "clientId": cast.app_url}
    stranger = record(cast.other_client, body)
    assert stranger["reasons"] == ["consentNotFound"]
    assert stranger["tenant"] == cast.other_app_url
    entries = watch.new()[-2:]
    assert [e["payload"]["tenant"] for e in entries] == [cast.tenant_url, cast.other_app_url]


def test_64_at_once_against_ten_uses_are_ten_permitted(new_server):
    """All went at the moment of the grant, and are recorded later, on both loops."""
    server = new_server(clock=f"{NOW}x1")
    minter = Minter(server.data, NOW_S)
    tenant, app = "https://edp.example/m", "https://cap.example/a"
    with Api(server, minter, minter.tenant(tenant)) as api:
        consent = api.create(bodies.consent(app, NOW, maxUses=10))
        at = consent["statusAt"]
        sent = [
            request(
                "POST",
                PATH,
                api.token,
                transfer(at, app, consentId=consent["consentId"]),
                [("Idempotency-Key", f"key-{number}")],
            )
            for number in range(64)
        ]
        answers = at_once(server, sent)
        assert {answer.status_code for answer in answers} == {201}
        reasons = [json.loads(answer.content)["reasons"] for answer in answers]
        assert reasons.count([]) == 10 and reasons.count(["usesExhausted"]) == 54
        assert api.consent(consent["consentId"])["status"] == "fulfilled"
        events = [event["event"] for event in api.events(consent["consentId"])]
        assert events == ["consent.granted", "consent.fulfilled"]
        asked = question(app, consent, permissions=["tariff"])
        denied = api.post("/access/v1/evaluation", {**asked, "context": {"explain": True}})
        assert codes(denied.json()) == {"usesExhausted"}
    with Api(server, minter, minter.auditor()) as auditor:
        log = read_log(auditor)
        Auditor().feed(log)
        events = [entry["event"] for entry in log]
        assert events.count("disclosure.permitted") == 10
        assert events.count("disclosure.violation") == 54
        last = len(events) - 1 - events[::-1].index("disclosure.permitted")
        assert events[last + 1] == "consent.fulfilled"


def test_the_same_key_is_the_same_disclosure(cast, consent, watch):
    body = of(cast, consent)
    first = cast.tenant.post(PATH, body, key="once")
    again = cast.tenant.post(PATH, body, key="once")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    other = cast.tenant.post(PATH, {**body, "records": 1}, key="once")
    refused(other, 422, "idempotency-mismatch")
    assert [e["event"] for e in watch.new()][-1:] == ["disclosure.permitted"]


def test_every_problem_changes_nothing(cast, consent, watch):
    body = of(cast, consent)
    watch.new()

    def wrong(change, pointer):
        spoilt = {name: value for name, value in {**body, **change}.items() if value is not None}
        refused(cast.tenant.post(PATH, spoilt, key="k"), 400, "invalid-body", pointer)

    for name in ("recipient", "permissions", "resources", "from", "to", "at", "transaction"):
        wrong({name: None}, f"/{name}")
    wrong({"consentId": None}, "/account")
    wrong({"account": "a", "client": cast.app_url}, "")
    wrong({"at": "2026-06-15T12:01:00.001Z"}, "/at")
    wrong({"transaction": "x" * 129}, "/transaction")
    wrong({"resources": [f"m{n}" for n in range(65)]}, "/resources")
    wrong({"records": -1}, "/records")
    refused(cast.tenant.post(PATH, {**body, "x": 1}, key="k"), 400, "unknown-member", "/x")
    refused(cast.tenant.post(PATH, body), 400, "missing-idempotency-key")
    refused(cast.tenant.post(PATH, body, key="k" * 129), 400, "invalid-parameter")
    json_type = {"Content-Type": "application/json"}
    refused(
        cast.tenant.post(PATH, key="k", content=b'{"at":1,"at":2}', headers=json_type),
        400,
        "malformed-json",
    )
    refused(
        cast.tenant.post(PATH, key="k", content=b" " * 1048577, headers=json_type),
        413,
        "body-too-large",
    )
    plain = {"Content-Type": "text/plain"}
    refused(
        cast.tenant.post(PATH, key="k", content=b"{}", headers=plain), 415, "unsupported-media-type"
    )
    refused(cast.auditor.post(PATH, body, key="k"), 403, "insufficient-scope")
    refused(cast.tenant.post(PATH, body, key="k", token=None), 401, "unauthenticated")
    refused(cast.tenant.get(PATH), 403, "insufficient-scope")
    refused(cast.auditor.get(PATH, params={"permitted": "maybe"}), 400, "invalid-parameter")
    refused(cast.auditor.get(PATH, headers={"Accept": "text/html"}), 406, "not-acceptable")
    refused(cast.tenant.call("DELETE", PATH), 405, "method-not-allowed")
    assert watch.new() == []
    record(cast.tenant, body, key="k")


def test_judged_by_the_consent_as_it_was_when_the_data_went(new_server):
    server = new_server(clock=f"{NOW}x1")
    minter = Minter(server.data, NOW_S)
    app = "https://cap.example/a"
    with Api(server, minter, minter.tenant("https://edp.example/m")) as api:
        consent = api.create(bodies.consent(app, NOW))
        ended = api.end(consent["consentId"])["statusAt"]
        just_before = format_time(parse_time(ended) - 1)

        def reasons(at):
            return record(api, transfer(at, app, consentId=consent["consentId"]))["reasons"]

        assert reasons(ended) == ["notActive"]
        existed = just_before >= consent["statusAt"]
        assert reasons(just_before) == ([] if existed else ["consentNotFound"])
        assert reasons("2026-06-15T11:59:59Z") == ["consentNotFound"]
        events = api.get(f"/v1/consents/{consent['consentId']}/events").json()["items"]
        assert [event["event"] for event in events] == ["consent.granted", "consent.revoked"]


def test_what_was_acknowledged_survives_the_end_of_the_process(new_server):
    server = new_server(clock=f"{NOW}x0")
    minter = Minter(server.data, NOW_S)
    app = "https://cap.example/a"
    with Api(server, minter, minter.tenant("https://edp.example/m")) as api:
        consent = api.create(bodies.consent(app, NOW, maxUses=2))
        body = transfer(NOW, app, consentId=consent["consentId"])
        first = record(api, body, key="once")
    server.kill()
    server.start()
    with Api(server, minter, minter.tenant("https://edp.example/m")) as api:
        assert record(api, body, key="once") == first
        assert api.consent(consent["consentId"])["status"] == "active"
        record(api, transfer(NOW, app, consentId=consent["consentId"]))
        assert api.consent(consent["consentId"])["status"] == "fulfilled"
    with Api(server, minter, minter.auditor()) as auditor:
        assert listed(auditor, transaction=body["transaction"], tenant="https://edp.example/m") == [
            first
        ]
        Auditor().feed(read_log(auditor))


# ---- read


def listed(api, expect=200, **params):
    response = api.get(PATH, params=params)
    assert response.status_code == expect, response.text
    return response.json()["items"] if expect == 200 else response.json()


def test_an_auditor_finds_what_was_recorded(cast, consent):
    body = of(cast, consent, transaction="report 7/é", transferStepId="a+b/c=")
    made = [record(cast.tenant, body), record(cast.tenant, {**body, "permissions": ["no.such"]})]
    other = record(cast.tenant, of(cast, consent))
    assert listed(cast.auditor) == [*made, other]
    assert listed(cast.auditor, permitted="false") == made[1:]
    assert listed(cast.auditor, permitted="true") == [made[0], other]
    assert listed(cast.auditor, transaction="report 7/é") == made
    assert listed(cast.auditor, stepId="a+b/c=") == made
    assert listed(cast.auditor, reason="permissionNotPermitted") == made[1:]
    assert listed(cast.auditor, consentId=consent["consentId"]) == [*made, other]
    assert listed(cast.auditor, account=consent["account"]) == [*made, other]
    assert listed(cast.auditor, client=cast.app_url, to=NOW) == []
    assert cast.auditor.pages(PATH, params={"limit": 1}) == [*made, other]
    entries = cast.auditor.get("/v1/audit/events", params={"transaction": "report 7/é"})
    assert [e["index"] for e in entries.json()["items"]] == [m["logIndex"] for m in made]


def test_as_lines_they_are_the_same(cast, consent):
    for _ in range(5):
        record(cast.tenant, of(cast, consent))
    lines = cast.auditor.get(PATH, headers={"Accept": NDJSON})
    assert lines.headers["content-type"] == NDJSON
    assert [json.loads(line) for line in lines.text.splitlines() if line] == listed(cast.auditor)
    assert cast.auditor.call("HEAD", PATH, headers={"Accept": NDJSON}).content == b""


def test_an_auditor_of_many_says_whose_transaction_it_means(cast, consent, root):
    made = record(cast.tenant, of(cast, consent, transaction="of two tenants"))
    record(cast.other, {**of(cast, consent), "transaction": "of two tenants"})
    refusal = root.get(PATH, params={"transaction": "of two tenants"})
    refused(refusal, 400, "invalid-parameter")
    assert listed(root, transaction="of two tenants", tenant=cast.tenant_url) == [made]
    assert listed(cast.other_auditor, tenant=cast.tenant_url) == []
