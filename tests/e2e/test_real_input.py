# SPDX-License-Identifier: Apache-2.0
"""The main job on real input: IB1's printed permission record, then 10,000 generated consents."""

import collections

import pytest
from harness import compare, ib1
from harness.audit import Auditor, check_one_active, read_log
from harness.client import Api
from harness.market import Market
from harness.server import IB1


def test_the_permission_record_that_ib1_prints_is_replayed(new_server):
    server = new_server(pack=IB1, clock=f"{ib1.GRANTED}x0")
    with ib1.api_at(server, ib1.GRANTED) as api:
        made = ib1.grant(api)
        assert "revoked" not in made
        for name, value in {**ib1.PRINTED, "license": ib1.license()}.items():
            assert made[name] == value, name
        assert made["status"] == "active" and made["version"] == 1
        assert made["tenant"] == ib1.MEMBER and made["provider"] == ib1.MEMBER

    server.restart(f"{ib1.REVOKED}x0")
    with ib1.api_at(server, ib1.REVOKED) as api:
        assert api.consent(made["consentId"]) == made
        answer = ib1.revoke(api, made)
        revoked = answer.json()
        assert answer.status_code == 200 and answer.headers["etag"] == '"2"'
        # All that the revocation changed, and nothing else: terms are immutable (invariant 6).
        assert revoked == {
            **made,
            "version": 2,
            "status": "revoked",
            "statusAt": "2024-07-01T12:34:00.000Z",
            "statusReason": {"code": "withdrawn", "by": {"role": "accountHolder"}},
            "revoked": "2024-07-01T12:34:00.000Z",
            "logIndex": made["logIndex"] + 1,
        }
        assert api.consent(made["consentId"]) == revoked
        events = api.events(made["consentId"])
        assert [(e["event"], e["at"], e["version"]) for e in events] == [
            ("consent.granted", "2024-03-31T23:30:00.000Z", 1),
            ("consent.revoked", "2024-07-01T12:34:00.000Z", 2),
        ]
        # The client sees the same record with an account id of its own.
        seen = api.consent(made["consentId"], token=api.minter.client(ib1.PRINTED["client"]))
        for name in ("oauthIssuer", "client", "lastGranted", "expires"):
            assert seen[name] == ib1.PRINTED[name]
        assert seen["revoked"] == revoked["revoked"]
        assert seen["account"] != ib1.PRINTED["account"] and len(seen["account"]) == 22
        api.token = api.minter.auditor()
        Auditor().feed(read_log(api))


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    """The finished market; while it was made, each answer was compared with the model."""
    market = Market(tmp_path_factory.mktemp("market")).run()
    yield market
    market.server.stop()


def test_ten_thousand_consents_are_what_the_model_says(market):
    assert compare.records(market.server, market.world, market.auditor()) == 10_000
    made = market.model.consents
    assert len({c.provider for c in made}) == 50
    assert len({c.account for c in made if c.account}) == 5_000
    assert len({c.client for c in made}) == 200
    assert len({c.terms["license"] for c in made}) == 3
    states = collections.Counter(c.status for c in made)
    for state in (
        "requested",
        "active",
        "refused",
        "timedOut",
        "revoked",
        "terminated",
        "expired",
        "superseded",
    ):
        assert states[state] > 0, states
    assert any(c.reason == "linkedConsentEnded" for c in made)


def test_each_single_consent_is_read_with_the_tag_of_its_version(market):
    assert compare.singles(market.server, market.world, every=5) == 2_000


def test_every_history_is_what_the_model_says(market):
    assert compare.histories(market.server, market.world) == sum(
        len(c.history) for c in market.model.consents
    )


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
    with Api(
        market.server, market.world.minter, market.world.minter.auditor(providers=[tenant])
    ) as api:
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
