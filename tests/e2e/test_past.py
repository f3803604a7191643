# SPDX-License-Identifier: Apache-2.0
"""Questions about the past, of a market that went on after each of them."""

import collections
import urllib.parse

import model
import pytest
from conftest import NOW, NOW_S
from harness import bodies
from harness.audit import read_log
from harness.client import Api
from harness.history import History
from harness.questions import question
from harness.server import PERSEUS
from harness.tokens import Minter
from harness.transfers import record, transfer
from harness.wire import Wire, request
from harness.world import difference
from model import format_time
from test_authzen_certification import BASIC
from test_authzen_certification import PACK as CERTIFICATION
from test_export import ctl, export

MOMENTS = 24


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    made = History(tmp_path_factory.mktemp("past")).live(MOMENTS)
    yield made
    made.server.stop()


def test_an_auditor_finds_what_happened_legal(history, tmp_path):
    """Lives of all kinds, with decisions and other packs between them."""
    export(history.server.data, tmp_path / "out")
    done = ctl("verify", tmp_path / "out", "--vkey", tmp_path / "out" / "vkey", "--openings")
    assert (done.returncode, done.stderr) == (0, ""), done


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
        "clientBlocked",
        "territory",
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


def test_the_log_tells_of_each_moment_what_was_decided_in_it(history):
    """The question asked of the past by an auditor, and the decision that was made then."""
    wrong, shown = [], collections.Counter()
    with Wire(history.server) as wire:
        for decision in history.closing:
            said = history.asked_again(wire, decision)
            shown.update(entry["shows"] for entry in said["evidence"])
            if not (
                said["decision"] == decision.permitted
                and said["reasons"] == decision.context["reasons"]
                and said.get("purposes") == decision.context.get("purposes")
                and said.get("permissions") == decision.context.get("permissions")
                and said["policy"]["digest"] == decision.context["policyDigest"]
                and said.get("consent", {}).get("consentId")
                == decision.context.get("consent", {}).get("consentId")
                and all(entry["index"] < said["position"] for entry in said["evidence"])
            ):
                wrong.append((decision.asked, decision.context, said))
    assert not wrong, f"{len(wrong)} of {len(history.closing)}: {wrong[0]}"
    assert len(history.closing) > 250
    assert {"policy", "request", "grant", "status", "link", "block"} <= set(shown), shown


def test_the_entries_that_are_named_show_it(history):
    """The grant is of that consent, the pack was activated by that entry, and nothing came later."""
    with history.api() as api:
        entries = {entry["index"]: entry for entry in read_log(api)}
    with Wire(history.server) as wire:
        for decision in history.closing[::5]:
            said = history.asked_again(wire, decision)
            for shown in said["evidence"]:
                entry = entries[shown["index"]]
                assert (entry["event"], entry["at"]) == (shown["event"], shown["at"])
                if shown["shows"] == "policy":
                    assert entry["payload"]["body"]["digest"] == said["policy"]["digest"]
                elif shown["shows"] == "block":
                    assert entry["payload"]["client"] == said["client"]
                elif shown["shows"] != "link":
                    assert entry["payload"]["consentId"] == said["consent"]["consentId"]
            position = said["position"]
            assert all(e["at"] <= said["time"] for i, e in entries.items() if i < position)
            assert position == len(entries) or entries[position]["at"] > said["time"]


def test_a_provenance_step_leads_to_the_words_it_rests_on(history):
    """By what such a step carries: the pairwise account, and the time in whole seconds."""
    sought = 0
    with Wire(history.server) as wire:
        for consent in history.model.ordered():
            granted = [e for e in consent.history if e["event"] == "consent.granted"]
            if not granted or sought == 40:
                continue
            seen = wire.ask(
                request("GET", f"/v1/consents/{consent.id}", history.world.client(consent.client))
            ).json()
            query = {
                "account": seen["account"],
                "client": consent.client,
                "time": format_time(granted[0]["at"])[:19] + "Z",
            }
            path = f"/v1/audit/at?{urllib.parse.urlencode(query)}"
            answer = wire.ask(request("GET", path, history.auditor()))
            assert answer.status_code == 200, answer.text
            said = answer.json()
            assert said["tenant"] == consent.tenant
            assert said["consent"]["account"] == consent.account
            assert said["consent"]["client"] == consent.client
            assert said["notice"] == said["consent"]["grant"]["notice"]
            sought += 1
    assert sought == 40


def test_uses_are_counted_up_to_the_decision(cast):
    """All in one millisecond: the place in the log tells how often it had been used."""
    consent = cast.tenant.create(bodies.consent(cast.app_url, NOW, maxUses=2))
    asked = question(cast.app_url, consent, context={"record": True, "explain": True})
    asked["resource"]["properties"] = {"permissions": ["tariff"]}
    answers = []
    for transaction in ("one", "one", "two", "three"):
        answers.append(cast.tenant.post("/access/v1/evaluation", asked).json())
        body = transfer(NOW, cast.app_url, consentId=consent["consentId"], transaction=transaction)
        record(cast.tenant, body)
    answers.append(cast.tenant.post("/access/v1/evaluation", asked).json())
    assert [answer["decision"] for answer in answers] == [True, True, True, False, False]
    for answer in answers:
        path = f"/v1/audit/decisions/{answer['context']['decisionId']}/replay"
        said = cast.auditor.post(path).json()
        assert said["agrees"] and said["replayed"]["decision"] == answer["decision"]
        assert said["explanation"]["reasons"] == answer["context"]["reasons"]
    (late,) = cast.auditor.pages("/v1/audit/reports/after-ending")
    assert (late["transaction"], late["status"], late["lagMs"]) == ("three", "fulfilled", 0)


def test_what_rules_alone_decided_replays_too(new_server):
    """Subjects, resources and all that rules look at stand in the personal part of the entry."""
    server = new_server(clock=f"{NOW}x0", pack=CERTIFICATION)
    minter = Minter(server.data, NOW_S)
    answers = []
    with Api(server, minter, minter.tenant("https://pep.example/m")) as api:
        for asked, permitted in BASIC.values():
            context = {**asked.get("context", {}), "record": True, "explain": True}
            answer = api.post("/access/v1/evaluation", {**asked, "context": context}).json()
            assert answer["decision"] is permitted
            answers.append(answer)
    server.pack = PERSEUS  # another pack is in force when they are judged again
    server.restart()
    with Api(server, minter, minter.auditor(providers=["https://pep.example/m"])) as api:
        for answer in answers:
            path = f"/v1/audit/decisions/{answer['context']['decisionId']}/replay"
            said = api.post(path).json()
            assert said["agrees"], said
            assert said["replayed"]["decision"] is answer["decision"]
            assert said["explanation"]["reasons"] == answer["context"]["reasons"]


def whole_report(history):
    with history.api() as api:
        return api.pages("/v1/audit/reports/after-ending", params={"limit": 500})


def test_what_went_after_the_end_of_a_consent_is_reported_and_nothing_else(history):
    """Last: to the millisecond, whatever ended it, of transfers that a tenant tells of late."""
    assert whole_report(history) == []
    ended = [c for c in history.model.ordered() if c.status in model.FINAL and c.granted_at]
    ended = [c for c in ended if c.status_at < history.model.now]
    lags = (-1, 0, 1, 60_000)
    planted = {}
    with Wire(history.server) as wire:
        for number, consent in enumerate(ended[:120]):
            lag = lags[number % len(lags)]
            body = transfer(
                format_time(consent.status_at + lag), consent.client, consentId=consent.id
            )
            token = history.world.tenant_token(consent)
            key = [("Idempotency-Key", f"late-{number}")]
            answer = wire.ask(request("POST", "/v1/disclosures", token, body, key))
            assert answer.status_code == 201, answer.text
            if lag >= 0:
                planted[body["transaction"]] = (consent, lag)
    found = whole_report(history)
    assert [item["transaction"] for item in found] == list(planted)
    for item in found:
        consent, lag = planted[item["transaction"]]
        assert (item["event"], item["consentId"]) == ("disclosure.violation", consent.id)
        assert (item["status"], item["lagMs"]) == (consent.status, lag)
        assert item["endedAt"] == format_time(consent.status_at)
    assert len({consent.status for consent, _ in planted.values()}) >= 4
