# SPDX-License-Identifier: Apache-2.0
"""Who looked: what auditors and administrators read stands in the log, for whose it was."""

import pytest
from conftest import NOW, NOW_S
from harness import bodies
from harness.audit import Auditor, read_log
from harness.client import Api, refused
from harness.process import until
from harness.questions import question
from harness.tokens import Minter

APP = "https://directory.example/looks/app"
EDP = "https://directory.example/looks/member/edp"
OTHER = "https://directory.example/looks/member/other"
AUDITOR = "https://auditor.example/app"


class Market:
    """A server that writes what was read when it stops: an hour is longer than the test."""

    def __init__(self, new_server, seconds=3600):
        self.server = new_server(
            clock=f"{NOW}x0", environment={"CONSENTD_NOTE_READS_SECONDS": str(seconds)}
        )
        self.minter = Minter(self.server.data, NOW_S)
        with self.api(self.minter.tenant(EDP)) as tenant:
            self.consent = tenant.create(bodies.consent(APP, NOW))
            asked = {**question(APP, self.consent), "context": {"record": True}}
            self.decision = tenant.post("/access/v1/evaluation", asked).json()["context"]

    def api(self, token):
        return Api(self.server, self.minter, token)

    def auditor(self, providers=(EDP,), **more):
        return self.api(self.minter.auditor(providers=list(providers), **more))

    def looks(self):
        """What was noted, after a restart; the reading of it is noted by the next."""
        self.server.stop()
        self.server.start()
        with self.auditor(["*"]) as auditor:
            entries = read_log(auditor)
        Auditor().feed(entries)
        return [e for e in entries if e["event"].startswith("access.")]


def told(entry):
    body = entry["payload"]["body"]
    assert body["first"] == body["last"] == NOW
    about = entry["payload"].get("consentId", body.get("index"))
    return body["operation"], about, body["count"], entry["payload"].get("tenant")


@pytest.fixture
def market(new_server):
    return Market(new_server)


def test_what_an_auditor_reads_is_logged_for_its_tenant(market):
    consent, decision = market.consent["consentId"], market.decision
    with market.auditor() as auditor:
        for _ in range(3):
            auditor.consent(consent)
        auditor.events(consent)
        auditor.get("/v1/audit/events", params={"consentId": consent, "limit": 1})
        auditor.get("/v1/audit/events", params={"account": "anything"})
        auditor.get(f"/v1/audit/events/{market.consent['logIndex']}")
        auditor.post(f"/v1/audit/decisions/{decision['decisionId']}/replay")
    looks = market.looks()
    assert [told(look) for look in looks] == [
        ("GET /v1/consents/{id}", consent, 3, EDP),
        ("GET /v1/consents/{id}/events", consent, 1, EDP),
        ("GET /v1/audit/events", consent, 1, EDP),
        ("GET /v1/audit/events", None, 1, EDP),
        ("GET /v1/audit/events/{index}", market.consent["logIndex"], 1, EDP),
        ("POST /v1/audit/decisions/{id}/replay", decision["logIndex"], 1, EDP),
    ]
    for look in looks:
        assert look["event"] == "access.audit"
        assert look["payload"]["actor"] == {"clientId": AUDITOR, "role": "auditor"}
        assert "accountRef" not in look["payload"] and "personal" not in look["payload"]
        assert "anything" not in str(look)


def test_a_list_is_about_every_tenant_that_may_have_been_seen(market):
    with market.api(market.minter.tenant(OTHER)) as other:
        other.create(bodies.consent(APP, NOW))
    with market.auditor([EDP, OTHER, "https://directory.example/unknown"]) as auditor:
        auditor.get("/v1/consents")
    with market.auditor(["*"]) as auditor:
        auditor.get("/v1/disclosures")
    noted = sorted(map(told, market.looks()), key=str)  # loops write when they end
    assert noted == [
        ("GET /v1/consents", None, 1, EDP),
        ("GET /v1/consents", None, 1, OTHER),
        ("GET /v1/disclosures", None, 1, None),
    ]


def test_who_reads_everything_is_seen_by_those_alone_who_may(market):
    with market.auditor(["*"]) as auditor:
        auditor.get("/v1/consents")
    [look] = market.looks()
    with market.auditor() as bound:
        refused(bound.get(f"/v1/audit/events/{look['index']}"), 404, "not-found")
        assert look["index"] not in [e["index"] for e in read_log(bound)]
    with market.auditor(["*"]) as auditor:
        assert auditor.get(f"/v1/audit/events/{look['index']}").status_code == 200


def test_tenants_clients_and_refusals_are_not_noted(market):
    consent = market.consent["consentId"]
    with market.api(market.minter.tenant(EDP)) as tenant:
        tenant.consent(consent)
    with market.api(market.minter.client(APP)) as client:
        client.consent(consent)
    with market.auditor([OTHER]) as stranger:
        refused(stranger.get(f"/v1/consents/{consent}"), 404, "not-found")
    with market.auditor() as auditor:
        auditor.get("/log/checkpoint")
        auditor.get("/log/tile/entries/000.p/1")
        auditor.get("/v1/audit/proofs/inclusion", params={"index": 0})
        auditor.get("/v1/audit/heads", params={"tenant": EDP})
        auditor.get("/v1/policy")
    assert market.looks() == []


def test_many_reads_are_written_at_once(market):
    with market.api(market.minter.tenant(EDP)) as tenant:
        made = [tenant.create(bodies.consent(APP, NOW, account=f"a{n}")) for n in range(200)]
    with market.auditor() as auditor:
        for consent in made:
            auditor.consent(consent["consentId"])
    looks = market.looks()
    assert {look["payload"]["consentId"] for look in looks} == {c["consentId"] for c in made}
    assert len(looks) == 200


def test_they_are_written_while_the_service_runs(new_server):
    market = Market(new_server, seconds=1)
    with market.auditor(["*"]) as auditor:
        auditor.consent(market.consent["consentId"])
        until(
            market.server,
            lambda: any(e["event"] == "access.audit" for e in read_log(auditor)),
        )


def test_nothing_is_noted_when_it_is_switched_off(new_server):
    market = Market(new_server, seconds=0)
    with market.auditor() as auditor:
        auditor.consent(market.consent["consentId"])
    assert market.looks() == []
