# SPDX-License-Identifier: Apache-2.0
"""Disclosures over HTTP: recorded whatever they were, judged as of when they went."""

import json
import uuid

import pytest
from conftest import NOW, NOW_S
from harness import bodies
from harness.audit import NDJSON
from harness.client import Api, refused
from harness.questions import codes, question
from harness.tokens import Minter
from harness.transfers import record, transfer
from harness.wire import request
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
