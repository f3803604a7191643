# SPDX-License-Identifier: Apache-2.0
"""Many callers at one consent: whatever the order, one legal history, and nobody was lied to."""

import threading
import uuid

import pytest
from conftest import NOW, NOW_S
from harness import bodies
from harness.audit import Auditor, check_one_active, read_log
from harness.client import Api
from harness.server import Server
from harness.tokens import Minter
from harness.wire import Wire, request
from model import format_time, parse_time

CLIENTS = 64
TENANT = "https://directory.example/member/edp-storm"
APP = "https://directory.example/app/cap-storm"
DAY_S = 86_400


def at_once(server, requests):
    """Sends each request on a connection of its own, all behind one barrier."""
    barrier = threading.Barrier(len(requests))
    answers = [None] * len(requests)

    def ask(number, data):
        with Wire(server) as wire:
            barrier.wait()
            answers[number] = wire.ask(data)

    threads = [threading.Thread(target=ask, args=pair) for pair in enumerate(requests)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


class Storm:
    """Revocations, terminations and renewals of one consent, while it expires."""

    def __init__(self, server, minter, expires_s, margin_ms):
        """Ready when no more than the margin is left before the consent expires."""
        self.server = server
        self.tenant = minter.tenant(TENANT)
        self.client = minter.client(APP)
        with Api(server, minter, self.tenant) as api:
            self.at = self.time(api)
            expires = parse_time(self.at) + expires_s * 1000
            self.consent = api.create(
                bodies.consent(
                    APP, self.at, account=str(uuid.uuid4()), expires=format_time(expires)
                )
            )
            while margin_ms is not None and parse_time(self.time(api)) < expires - margin_ms:
                pass
        self.path = f"/v1/consents/{self.consent['consentId']}"

    @staticmethod
    def time(api):
        """Service time, as a change tells it."""
        return api.create(bodies.consent(APP, NOW, account=str(uuid.uuid4())))["statusAt"]

    def requests(self):
        made = []
        for number in range(CLIENTS):
            made.append(
                (
                    lambda: request(
                        "POST",
                        f"{self.path}/revoke",
                        self.tenant,
                        {"reason": {"code": "withdrawn"}},
                    ),
                    lambda: request(
                        "POST", f"{self.path}/revoke", self.tenant, {"reason": {"code": "fraud"}}
                    ),
                    lambda: request("DELETE", self.path, self.client),
                    lambda: request(
                        "POST",
                        f"{self.path}/renew",
                        self.tenant,
                        {"grant": bodies.grant(self.at)},
                        [("Idempotency-Key", str(uuid.uuid4()))],
                    ),
                    lambda: request(
                        "POST",
                        f"{self.path}/renew",
                        self.tenant,
                        {"grant": bodies.grant(self.at)},
                        [("Idempotency-Key", f"shared-{self.path}")],
                    ),
                    lambda: request("GET", self.path, self.tenant),
                )[number % 6]()
            )
        return made

    def run(self):
        return at_once(self.server, self.requests())


def judge(storm, answers, histories):
    """The answers against the history of the arrangement."""
    arrangement = storm.consent["arrangementId"]
    members = {
        i: h
        for i, h in histories.items()
        if h[0]["payload"].get("arrangementId", i) == arrangement
    }
    finals = {i: [e["event"] for e in h][-1] for i, h in members.items()}
    renewed = {a.json()["consentId"] for a in answers if a.status_code == 201}
    assert set(members) == renewed | {storm.consent["consentId"]}
    # A chain: but for the last one, each was superseded or expired.
    assert (
        sum(1 for last in finals.values() if last not in ("consent.superseded", "consent.expired"))
        <= 1
    )
    for answer in answers:
        assert answer.status_code in (200, 201, 409), answer.text
        document = answer.json()
        if answer.status_code == 409:
            assert document["type"].endswith("/wrong-state")
            continue
        told = (
            [e for e in members[document["consentId"]] if e["index"] == document["logIndex"]]
            if "logIndex" in document
            else []
        )
        assert told, document
        if document["status"] != "expired":
            assert told[0]["payload"]["seq"] == document["version"]


# rate of the clock, term, and how much of it is left when the storm begins
EXPIRING = [1000, 400, 200, 100, 50, 0]


@pytest.mark.parametrize(
    "rate,expires_s,margins_ms", [(0, DAY_S, [None] * 6), (20, 60, EXPIRING)]
)
def test_64_clients_at_one_consent_leave_one_legal_history(tmp_path, rate, expires_s, margins_ms):
    server = Server(tmp_path / "data", clock=f"{NOW}x{rate}").start()
    minter = Minter(server.data, NOW_S, lifetime_s=30 * DAY_S)
    storms = []
    for margin_ms in margins_ms:
        storm = Storm(server, minter, expires_s, margin_ms)
        storms.append((storm, storm.run()))
    with Api(server, minter, minter.auditor()) as api:
        auditor = Auditor().feed(read_log(api))
    check_one_active(auditor.histories)
    for storm, answers in storms:
        judge(storm, answers, auditor.histories)
    ends = [auditor.histories[storm.consent["consentId"]][-1]["event"] for storm, _ in storms]
    # Without a margin it has expired, and only then.
    assert ("consent.expired" in ends) == (0 in margins_ms), ends
    server.stop()


def test_one_key_from_32_connections_makes_one_consent(server, minter, cast, watch):
    body = bodies.consent(cast.app_url, NOW)
    token = minter.tenant(cast.tenant_url)
    key = ("Idempotency-Key", '"the-same"')
    data = request("POST", "/v1/consents", token, body, [key])
    answers = at_once(server, [data] * 32)
    assert {a.status_code for a in answers} == {201}
    assert len({a.content for a in answers}) == 1
    replayed = [a.headers.get("idempotency-replayed") for a in answers]
    assert sorted(replayed, key=str) == [None] + ["true"] * 31
    assert [e["event"] for e in watch.new()] == ["consent.granted"]


def test_concurrent_grants_of_one_account_leave_one_active(server, minter, cast, watch):
    token = minter.tenant(cast.tenant_url)
    data = [
        request(
            "POST",
            "/v1/consents",
            token,
            bodies.consent(cast.app_url, NOW),
            [("Idempotency-Key", f"k{n}")],
        )
        for n in range(32)
    ]
    answers = at_once(server, data)
    assert {a.status_code for a in answers} == {201}
    made = cast.tenant.pages("/v1/consents")
    assert len(made) == 32 and len({c["arrangementId"] for c in made}) == 1
    assert [c["status"] for c in made] == ["superseded"] * 31 + ["active"]
    for older, newer in zip(made, made[1:], strict=False):
        assert older["supersededBy"] == newer["consentId"]
        assert newer["supersedes"] == older["consentId"]
    check_one_active(Auditor(whole=False).feed(watch.new()).histories)


def test_of_concurrent_answers_to_one_request_one_wins(server, minter, cast, watch):
    asked = cast.tenant.create(bodies.requested(cast.app_url))
    path, token = f"/v1/consents/{asked['consentId']}", minter.tenant(cast.tenant_url)
    grant = request("POST", f"{path}/grant", token, {"account": "a", "grant": bodies.grant(NOW)})
    refuse = request("POST", f"{path}/refuse", token, {"reason": {"code": "refused"}})
    answers = at_once(server, [grant, refuse] * 16)
    events = [e["event"] for e in watch.new()]
    assert len(events) == 2 and events[1] in ("consent.granted", "consent.refused")
    # One grant, or any number of refusals of which all but the first repeat it.
    granted = [a for a in answers[0::2] if a.status_code == 200]
    refused = [a for a in answers[1::2] if a.status_code == 200]
    assert (len(granted), len(refused)) == ((1, 0) if events[1] == "consent.granted" else (0, 16))


def test_no_dependant_outlives_its_parent_in_a_race(server, minter, cast, watch):
    parent = cast.tenant.create(bodies.consent(cast.app_url, NOW))
    revoke = request(
        "POST",
        f"/v1/consents/{parent['consentId']}/revoke",
        minter.tenant(cast.tenant_url),
        {"reason": {"code": "withdrawn"}},
    )
    linked = [
        request(
            "POST",
            "/v1/consents",
            minter.tenant(cast.app_url),
            bodies.consent(
                cast.fsp_url,
                NOW,
                account=f"a{n}",
                license=bodies.EMISSIONS,
                dependsOn=[[{"arrangementId": parent["arrangementId"]}]],
            ),
            [("Idempotency-Key", f"d{n}")],
        )
        for n in range(40)
    ]
    answers = at_once(server, linked[:20] + [revoke] + linked[20:])
    assert answers.pop(20).status_code == 200
    assert {a.status_code for a in answers} <= {201, 422}
    made = cast.api(minter.tenant(cast.app_url)).pages(
        "/v1/consents", params={"license": bodies.EMISSIONS}
    )
    assert len(made) == [a.status_code for a in answers].count(201)
    assert {c["status"] for c in made} <= {"terminated"}
    Auditor(whole=False).feed(watch.new())
