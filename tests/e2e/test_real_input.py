# SPDX-License-Identifier: Apache-2.0
"""The main job on real input: IB1's printed permission record, then 10,000 generated consents."""

import collections
import json

import pytest

from harness import bodies, compare
from harness.audit import Auditor, check_one_active, read_log
from harness.client import Api
from harness.server import IB1, PERSEUS, Server
from harness.tokens import Minter
from harness.world import PHASES, World
from model import Model, format_time, parse_time

GRANTED, REVOKED = "2024-03-31T23:30Z", "2024-07-01T12:34Z"
PRINTED = {  # Permission Records 1.0, with its own names
    "oauthIssuer": "https://api.example.com/issuer",
    "client": "https://directory.core.pilot.trust.ib1.org/member/28364528",
    "account": "6qIO3KZx0Q",
    "lastGranted": "2024-03-31T23:30:00.000Z",
    "expires": "2025-03-31T23:30:00.000Z",
}


def at(text):
    return parse_time(text) // 1000


def ib1_license():
    pack = json.loads(IB1.read_text())
    [license] = [entry["url"] if isinstance(entry, dict) else entry for entry in pack["licenses"]]
    assert license.endswith("/scheme/electricity/license/energy-consumption-data/2024-12-05")
    return license


def test_the_permission_record_that_ib1_prints_is_replayed(new_server):
    member = "https://directory.core.pilot.trust.ib1.org/member/71212388"
    license = ib1_license()
    server = new_server(pack=IB1, clock=f"{GRANTED}x0")
    with Api(server, Minter(server.data, at(GRANTED))) as api:
        api.token = api.minter.tenant(member)
        made = api.create({"oauthIssuer": PRINTED["oauthIssuer"], "client": PRINTED["client"],
                           "license": license, "account": PRINTED["account"],
                           "grant": bodies.grant(GRANTED)}, key="permission-1")
        assert "revoked" not in made
        for name, value in {**PRINTED, "license": license}.items():
            assert made[name] == value, name
        assert made["status"] == "active" and made["version"] == 1
        assert made["tenant"] == member and made["provider"] == member

    server.restart(f"{REVOKED}x0")
    with Api(server, Minter(server.data, at(REVOKED))) as api:
        api.token = api.minter.tenant(member)
        assert api.consent(made["consentId"]) == made
        answer = api.post(f"/v1/consents/{made['consentId']}/revoke",
                          {"reason": {"code": "withdrawn", "by": {"role": "accountHolder"}}})
        revoked = answer.json()
        assert answer.status_code == 200 and answer.headers["etag"] == '"2"'
        # All that the revocation changed, and nothing else: terms are immutable (invariant 6).
        assert revoked == {**made, "version": 2, "status": "revoked",
                           "statusAt": "2024-07-01T12:34:00.000Z",
                           "statusReason": {"code": "withdrawn", "by": {"role": "accountHolder"}},
                           "revoked": "2024-07-01T12:34:00.000Z",
                           "logIndex": made["logIndex"] + 1}
        assert api.consent(made["consentId"]) == revoked
        events = api.events(made["consentId"])
        assert [(e["event"], e["at"], e["version"]) for e in events] == [
            ("consent.granted", "2024-03-31T23:30:00.000Z", 1),
            ("consent.revoked", "2024-07-01T12:34:00.000Z", 2)]
        # The client sees the same record with an account id of its own.
        seen = api.consent(made["consentId"], token=api.minter.client(PRINTED["client"]))
        for name in ("oauthIssuer", "client", "lastGranted", "expires"):
            assert seen[name] == PRINTED[name]
        assert seen["revoked"] == revoked["revoked"]
        assert seen["account"] != PRINTED["account"] and len(seen["account"]) == 22
        api.token = api.minter.auditor()
        Auditor().feed(read_log(api))




class Market:
    def __init__(self, directory):
        self.server = Server(directory / "market", pack=PERSEUS)
        self.model = Model(parse_time(PHASES[0]), bodies.LICENSES, request_timeout_ms())
        self.world = World(self.model)

    def at(self, phase):
        """The server at a phase's moment, and what the clock ended by then recorded."""
        self.server.stop()
        self.server.start(f"{PHASES[phase]}x0")
        self.world.minter = Minter(self.server.data, at(PHASES[phase]))
        self.model.advance(parse_time(PHASES[phase]))

    def auditor(self):
        return self.world.minter.auditor()

    def api(self):
        return Api(self.server, self.world.minter, self.auditor())


def request_timeout_ms():
    unit = {"D": 86_400_000, "H": 3_600_000, "M": 60_000}
    text = json.loads(PERSEUS.read_text())["settings"]["requestTimeout"]
    return int(text.strip("PTDHM")) * unit[text[-1]]


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    """The finished market; while it was made, each answer was compared with the model."""
    market = Market(tmp_path_factory.mktemp("market"))
    for phase in range(len(PHASES)):
        market.at(phase)
        if phase > 0:
            wait_for_the_clock(market)
        market.world.run(market.server, phase)
    end_many(market)
    yield market
    market.server.stop()


def wait_for_the_clock(market):
    """Until the sweep has recorded all that the clock ended: the log itself tells."""
    due = sum(1 for c in market.model.consents
              if c.history[-1]["at"] == market.model.now)
    with market.api() as api:
        after, seen = None, 0
        while seen < due:
            entries = read_log(api, after, **{"from": format_time(market.model.now)})
            seen += len([e for e in entries if e["event"].startswith("consent.")])
            after = entries[-1]["index"] if entries else after
        assert seen == due


def end_many(market):
    """Bulk revocations by client, account, resource and ids, the model beside them."""
    model, world = market.model, market.world
    active = [c for c in model.ordered() if c.status == "active" and "/edp-" in c.tenant]
    picks = active[:: max(1, len(active) // 12)]
    with market.api() as api:
        for number, consent in enumerate(picks):
            kind = ("client", "account", "resource")[number % 3]
            value = {"client": consent.client, "account": consent.account,
                     "resource": min(consent.resources_named(), default=None)}[kind]
            if value is None:
                continue
            answer = api.post("/v1/revocations", {kind: value, "reason": {"code": "tenancyChanged"}},
                              token=world.tenant_token(consent))
            assert answer.status_code == 200, answer.text
            ended, more = model.end_many(consent.tenant, "tenancyChanged", **{kind: value})
            assert [r["consentId"] for r in answer.json()["results"]] == [c.id for c in ended]
            assert answer.json()["more"] is more


def test_ten_thousand_consents_are_what_the_model_says(market):
    assert compare.records(market.server, market.world, market.auditor()) == 10_000
    made = market.model.consents
    assert len({c.provider for c in made}) == 50
    assert len({c.account for c in made if c.account}) <= 5_000
    assert len({c.client for c in made}) + 0 >= 190
    states = collections.Counter(c.status for c in made)
    for state in ("requested", "active", "refused", "timedOut", "revoked", "terminated", "expired",
                  "superseded"):
        assert states[state] > 0, states
    assert any(c.reason == "linkedConsentEnded" for c in made)


def test_each_single_consent_is_read_with_the_tag_of_its_version(market):
    assert compare.singles(market.server, market.world, every=5) == 2_000


def test_every_history_is_what_the_model_says(market):
    assert compare.histories(market.server, market.world) == sum(
        len(c.history) for c in market.model.consents)


def test_every_filter_finds_what_the_model_finds(market):
    assert compare.queries(market.server, market.world, count=150, seed=7) > 1_000


def test_the_whole_log_opens_and_tells_only_legal_histories(market):
    with market.api() as api:
        auditor = Auditor().feed(read_log(api))
    assert set(auditor.histories) == set(market.model.by_id)
    check_one_active(auditor.histories)
    for consent in market.model.consents:
        told = [(e["event"], e["payload"]["seq"]) for e in auditor.histories[consent.id]]
        assert told == [(h["event"], h["version"]) for h in consent.history]
    # An auditor of one tenant demands its numbers without gaps and gets nothing else.
    tenant = market.model.consents[0].tenant
    with Api(market.server, market.world.minter,
             market.world.minter.auditor(providers=[tenant])) as api:
        own = Auditor(whole=False).feed(read_log(api))
    assert own.tenants == {tenant: auditor.tenants[tenant]}


def test_after_a_restart_everything_is_as_it_was(market):
    market.server.restart()
    _all_as_before(market)


def test_after_kill_9_everything_is_as_it_was(market):
    market.server.kill()
    market.server.start()
    _all_as_before(market)


def _all_as_before(market):
    assert compare.records(market.server, market.world, market.auditor()) == 10_000
    assert compare.queries(market.server, market.world, count=40, seed=8) > 100
    with market.api() as api:
        Auditor().feed(read_log(api))
