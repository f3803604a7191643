# SPDX-License-Identifier: Apache-2.0
"""Questions about the past, of a market that went on after each of them."""

import collections

import pytest
from harness.history import History
from harness.wire import Wire, request
from harness.world import difference
from model import format_time

MOMENTS = 24


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    made = History(tmp_path_factory.mktemp("past")).live(MOMENTS)
    yield made
    made.server.stop()


def test_the_history_is_worth_asking_about(history):
    """Otherwise what follows would prove little."""
    states = collections.Counter(c.status for c in history.model.consents)
    assert {"active", "revoked", "terminated", "expired", "superseded"} <= set(states)
    assert {"refused", "timedOut"} <= set(states)
    reasons = collections.Counter(code for d in history.decisions for code in d.reasons)
    assert len(history.decisions) > 700 and history.packs > 6
    assert sum(d.permitted for d in history.decisions) > 50
    assert {
        "consentNotFound",
        "wrongClient",
        "notActive",
        "expired",
        "purposeNotPermitted",
        "permissionNotPermitted",
        "resourceNotPermitted",
        "granularityTooFine",
        "outsideDataWindow",
        "licenseNotAvailable",
        "recipientNotNamed",
        "roleMissing",
    } <= set(reasons), reasons


def test_every_recorded_decision_replays_as_it_was(history):
    wrong = []
    with Wire(history.server) as wire:
        for decision in history.decisions:
            said = history.replayed(wire, decision)
            outcome = said["replayed"]
            told = [reason["code"] for reason in said["explanation"]["reasons"]]
            if not (
                said["agrees"]
                and said["recorded"] == outcome
                and outcome["decision"] == decision.permitted
                and outcome["reasons"] == decision.reasons == told
                and said["explanation"]["reasons"] == decision.context["reasons"]
                and outcome.get("purposes") == decision.context.get("purposes")
                and outcome.get("consentId") == decision.context.get("consent", {}).get("consentId")
                and said["policy"]["digest"] == decision.context["policyDigest"]
                and said["at"] == format_time(decision.at)
            ):
                wrong.append((decision.asked, decision.context, said))
    assert not wrong, f"{len(wrong)} of {len(history.decisions)}: {wrong[0]}"


def test_every_consent_is_shown_as_the_model_held_it(history):
    """At the end of each moment, each consent there was; and none before there was one."""
    compared = 0
    with Wire(history.server) as wire:
        for at, held in history.snapshots:
            consents = history.model.ordered()
            asked = [
                request(
                    "GET",
                    f"/v1/consents/{c.id}?at={format_time(at)}",
                    history.auditor(),
                )
                for c in consents
            ]
            for consent, answer in zip(consents, wire.ask_many(asked), strict=True):
                if consent.id not in held:
                    assert answer.status_code == 404, (consent.id, at)
                    continue
                record, version = held[consent.id]
                assert answer.status_code == 200, answer.text
                wrong = difference(answer.json(), record)
                assert wrong is None, f"{consent.id} at {format_time(at)}: {wrong}"
                assert answer.headers["etag"] == f'"{version}"'
                compared += 1
    assert compared > 1000
