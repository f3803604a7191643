# SPDX-License-Identifier: Apache-2.0
"""The stop-list over HTTP: what is blocked is denied on every loop from the answer on."""

import pytest
from conftest import NOW, NOW_S
from harness import bodies
from harness.client import Api, refused
from harness.loops import one_on_each
from harness.questions import codes, pack_file, question
from harness.tokens import Minter
from harness.transfers import record, transfer
from harness.wire import request
from test_concurrency import at_once

PATH = "/v1/blocks"
ROUNDS = 200


@pytest.fixture
def consent(cast):
    return cast.tenant.create(bodies.consent(cast.app_url, NOW))


def put(api, client, expect=200, **more):
    response = api.call("PUT", PATH, {"client": client, "reason": "fraud", **more})
    assert response.status_code == expect, response.text
    return response.json()


def lift(api, client, expect=200):
    response = api.call("DELETE", PATH, params={"client": client})
    assert response.status_code == expect, response.text
    return response.json()


def asked(cast, consent):
    body = {**question(cast.app_url, consent), "context": {"explain": True}}
    return cast.tenant.post("/access/v1/evaluation", body).json()


def test_a_block_denies_decisions_of_every_kind_and_can_be_lifted(cast, consent, watch):
    block = put(cast.tenant, cast.app_url, until="2026-06-16T12:00Z")
    assert block == {
        "client": cast.app_url,
        "reason": "fraud",
        "until": "2026-06-16T12:00:00.000Z",
        "since": NOW,
        "logIndex": watch.new()[-1]["index"],
    }
    assert put(cast.tenant, cast.app_url, until="2026-06-16T12:00Z") == block
    assert cast.tenant.get(PATH).json() == {"items": [block]}
    assert codes(asked(cast, consent)) == {"clientBlocked"}
    by_account = question(cast.app_url, consent["account"])
    batch = {**by_account, "evaluations": [{}, {}]}
    answers = cast.tenant.post("/access/v1/evaluations", batch).json()["evaluations"]
    assert [answer["decision"] for answer in answers] == [False, False]
    body = transfer(NOW, cast.app_url, consentId=consent["consentId"])
    assert record(cast.tenant, body)["reasons"] == ["clientBlocked"]
    assert cast.tenant.consent(consent["consentId"])["status"] == "active"
    lifted = lift(cast.tenant, cast.app_url)
    assert asked(cast, consent)["decision"] is True
    assert cast.tenant.get(PATH).json() == {"items": []}
    events = [(e["event"], e["index"]) for e in watch.new() if e["event"].startswith("block.")]
    assert events == [("block.lifted", lifted["logIndex"])]


def test_every_problem_changes_nothing(cast, watch):
    def wrong(body, pointer):
        refused(cast.tenant.call("PUT", PATH, body), 400, "invalid-body", pointer)

    wrong({"client": cast.app_url}, "/reason")
    wrong({"client": cast.app_url, "reason": "no code"}, "/reason")
    wrong({"client": "app", "reason": "fraud"}, "/client")
    wrong({"client": cast.app_url, "reason": "fraud", "until": NOW}, "/until")
    body = {"client": cast.app_url, "reason": "fraud"}
    refused(cast.tenant.call("PUT", PATH, {**body, "x": 1}), 400, "unknown-member", "/x")
    plain = {"Content-Type": "text/plain"}
    refused(
        cast.tenant.call("PUT", PATH, content=b"{}", headers=plain), 415, "unsupported-media-type"
    )
    refused(cast.tenant.call("PUT", PATH, content=b"x" * 1048577), 413, "body-too-large")
    refused(cast.auditor.call("PUT", PATH, body), 403, "insufficient-scope")
    refused(cast.tenant.call("PUT", PATH, body, token=None), 401, "unauthenticated")
    refused(cast.tenant.call("DELETE", PATH), 400, "invalid-parameter")
    refused(
        cast.tenant.call("DELETE", PATH, params={"client": cast.app_url}), 404, "not-found"
    )
    refused(cast.tenant.get(PATH, params={"cursor": "x"}), 400, "invalid-parameter")
    refused(cast.tenant.call("POST", PATH, body), 405, "method-not-allowed")
    assert watch.new() == []


def test_what_one_loop_has_blocked_no_loop_permits(new_server, tmp_path):
    """Blocks and lifts on one loop, and asks on the other right after each answer."""
    server = new_server(
        clock=f"{NOW}x0",
        pack=pack_file(tmp_path / "pack.json", record="none"),
        environment={"CONSENTD_LOOPS": "2"},
    )
    minter = Minter(server.data, NOW_S)
    token, app = minter.tenant("https://edp.example/m"), "https://cap.example/a"
    with Api(server, minter, token) as api:
        consent = api.create(bodies.consent(app, NOW))
    ask = request("POST", "/access/v1/evaluation", token, question(app, consent))
    block = request("PUT", PATH, token, {"client": app, "reason": "fraud"})
    unblock = request("DELETE", f"{PATH}?client={app}", token)
    setter, asker = one_on_each(server, token, 2)
    seen = []
    for _ in range(ROUNDS):
        for change in (block, unblock):
            assert setter.ask(change).status_code == 200
            seen.append([wire.ask(ask).json()["decision"] for wire in (asker, setter)])
    setter.close()
    asker.close()
    assert seen == [[False, False], [True, True]] * ROUNDS


def test_many_at_once_leave_one_block(new_server):
    server = new_server(clock=f"{NOW}x0")
    minter = Minter(server.data, NOW_S)
    token, app = minter.tenant("https://edp.example/m"), "https://cap.example/a"
    sent = [request("PUT", PATH, token, {"client": app, "reason": "fraud"})] * 32
    answers = at_once(server, sent)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    with Api(server, minter, minter.auditor()) as auditor:
        page = auditor.get("/v1/audit/events", params={"type": "block.set"}).json()
        assert len(page["items"]) == 1


def test_a_block_outlives_the_process(new_server):
    server = new_server(clock=f"{NOW}x0")
    minter = Minter(server.data, NOW_S)
    token, app = minter.tenant("https://edp.example/m"), "https://cap.example/a"
    with Api(server, minter, token) as api:
        api.create(bodies.consent(app, NOW, account="a"))
        block = put(api, app)
    server.kill()
    server.start()
    with Api(server, minter, token) as api:
        assert api.get(PATH).json() == {"items": [block]}
        body = {**question(app, "a"), "context": {"explain": True}}
        assert codes(api.post("/access/v1/evaluation", body).json()) == {"clientBlocked"}
