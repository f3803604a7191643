# SPDX-License-Identifier: Apache-2.0
"""No consent, but one may be asked for: a denial that says so, the request that follows it, and the task,
as the OpenID AuthZEN Access Request and Approval Profile (draft 1) has them."""

import pytest
from conftest import NOW, NOW_S
from harness import bodies
from harness.client import Api
from harness.questions import pack_file, question
from harness.tokens import Minter
from model import format_time, parse_time

EVALUATION = "/access/v1/evaluation"
REQUESTS = "/access/v1/requests"
TARIFF = {"permissions": ["tariff"]}
URN = "urn:openid:authzen:access-request:error:"
IN_TEN_MINUTES = "2026-06-15T12:10:00.000Z"


def context_of(api, asked):
    answer = api.call("POST", EVALUATION, asked).json()
    assert answer["decision"] is False
    return answer["context"]


def denial_of(context):
    """What the profile has a PEP echo."""
    hint = context["access_request"]
    echoed = {name: hint[name] for name in ("expires_at", "binding_token", "template")}
    for name in ("evaluation_id", "evaluated_at", "reason"):
        if name in context:
            echoed[name] = context[name]
    return echoed


def submitted(api, asked, status=202, denial=None, **more):
    denial = denial_of(context_of(api, asked)) if denial is None else denial
    headers = more.pop("headers", {})
    response = api.call("POST", REQUESTS, {**asked, "denial": denial, **more}, headers=headers)
    assert response.status_code == status, response.text
    return response


def refused(response, name):
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == URN + name


def task_of(api, task, status=200, **more):
    response = api.get(f"{REQUESTS}/{task['id']}", **more)
    assert response.status_code == status
    return response.json()


# ---- the denial


def test_a_denial_says_where_and_for_what_consent_may_be_asked(cast):
    context = context_of(cast.tenant, question(cast.app_url, "nobody", **TARIFF))
    assert context["reason"] == "consentNotFound"
    assert context["evaluation_id"] == context["decisionId"]
    assert context["evaluated_at"] == NOW
    token = context["access_request"].pop("binding_token")
    assert len(token) == 32
    assert context["access_request"] == {
        "endpoint": f"{cast.server.url}{REQUESTS}",
        "template": bodies.ENERGY,
        "expires_at": IN_TEN_MINUTES,
        "display": {
            "title": "Energy consumption, from energy data provider to carbon accounting provider"
        },
    }


def test_what_a_consent_would_not_change_is_not_requestable(cast):
    app, bank = cast.app_url, "green-finance-eligibility"
    consent = cast.tenant.create(bodies.consent(app, NOW, account="ended"))
    cast.tenant.call("DELETE", f"/v1/consents/{consent['consentId']}")
    unknown = {"consentId": "019ecaa7-fb38-7c41-8d27-6f0a92b1c35e"}
    for asked in (
        question(app, "nobody", permissions=["meter.identity"]),
        question(app, "nobody", "fishing", **TARIFF),
        question(app, "nobody", context={"territory": "FR"}, **TARIFF),
        question(app, "nobody", bank, **TARIFF, license=bodies.ENERGY),
        question(app, "nobody", **TARIFF, **{"from": "2026-02-01T00:00Z", "to": "2026-01-01T00:00Z"}),
        question(app, "nobody", permissions="tariff"),
        question("not a URL", "nobody", **TARIFF),
        question(app, "", **TARIFF),
        question(app, "ended", **TARIFF),
        question(app, unknown, **TARIFF),
    ):
        assert "access_request" not in context_of(cast.tenant, asked), asked
    onward = {"onwardRecipient": cast.fsp_url}
    asked = question(app, "nobody", bank, onward, permissions=["emissions.monthly"])
    hint = context_of(cast.tenant, asked)["access_request"]
    assert hint["template"] == bodies.COMBINED


def test_a_denial_that_is_not_recorded_is_bound_all_the_same(new_server, tmp_path):
    server = new_server(clock=f"{NOW}x0", pack=pack_file(tmp_path / "pack.json", record="none"))
    minter = Minter(server.data, NOW_S)
    with Api(server, minter, minter.tenant("https://edp.example/m")) as api:
        asked = question("https://cap.example/a", "nobody", **TARIFF)
        context = context_of(api, asked)
        assert "evaluation_id" not in context and "decisionId" not in context
        assert submitted(api, asked).json()["task"]["status"] == "pending"


# ---- the request


def test_a_request_makes_a_requested_consent_for_exactly_what_was_denied(cast):
    asked = question(cast.app_url, "org-1", **TARIFF, resources=["m1", "m2"])
    answer = submitted(cast.tenant, asked).json()
    task = answer.pop("task")
    assert answer == {}
    consent = cast.tenant.consent(task["id"])
    assert task == {
        "id": consent["consentId"],
        "status": "pending",
        "status_endpoint": f"{cast.server.url}{REQUESTS}/{consent['consentId']}",
        "expires_at": "2026-07-15T12:00:00.000Z",
    }
    assert consent["status"] == "requested"
    assert (consent["client"], consent["account"]) == (cast.app_url, "org-1")
    assert (consent["license"], consent["purposes"]) == (bodies.ENERGY, ["estimate-emissions"])
    assert consent["permissions"] == [{"code": "tariff", "resources": ["m1", "m2"]}]
    assert task_of(cast.tenant, task) == {"task": task}
    context = context_of(cast.tenant, asked)
    assert "access_request" not in context
    assert context["reason_admin"]["en"].startswith("notActive")


def test_what_was_not_stated_is_all_of_the_licence(cast):
    asked = question(cast.app_url, "org-1", purpose=None)
    until = "2026-12-01T00:00:00.000Z"
    task = submitted(cast.tenant, asked, requested_access={"requested_until": until}).json()["task"]
    consent = cast.tenant.consent(task["id"])
    assert consent["purposes"] == bodies.PURPOSES[:5]
    assert [permission["code"] for permission in consent["permissions"]] == bodies.CLUSTERS[:4]
    assert consent["expires"] == until


def test_granted_it_is_approved_and_the_same_question_is_permitted(cast):
    asked = question(cast.app_url, "org-1", **TARIFF)
    task = submitted(cast.tenant, asked).json()["task"]
    grant = cast.tenant.post(f"/v1/consents/{task['id']}/grant", {"grant": bodies.grant(NOW)})
    assert grant.status_code == 200, grant.text
    approved = task_of(cast.tenant, task)
    del task["expires_at"]
    approval = {
        "id": task["id"],
        "approved_at": NOW,
        "approved_until": grant.json()["expires"],
    }
    assert approved == {
        "task": {**task, "status": "approved"},
        "result": {"mode": "reevaluate", "approval": approval},
    }
    again = {**asked, "context": {"approval": approval}}
    answer = cast.tenant.call("POST", EVALUATION, again).json()
    assert answer["decision"] is True
    assert answer["context"]["consent"]["consentId"] == task["id"]
    cast.tenant.call("DELETE", f"/v1/consents/{task['id']}")
    ended = task_of(cast.tenant, task)
    assert ended["task"]["status"] == "approved"
    assert ended["result"]["approval"]["approved_until"] == NOW
    assert cast.tenant.call("POST", EVALUATION, again).json()["decision"] is False


def test_refused_it_is_denied(cast):
    asked = question(cast.app_url, "org-1", **TARIFF)
    task = submitted(cast.tenant, asked).json()["task"]
    reason = {"reason": {"code": "refused"}}
    assert cast.tenant.post(f"/v1/consents/{task['id']}/refuse", reason).status_code == 200
    answer = task_of(cast.tenant, task)
    assert (answer["task"]["status"], "result" in answer) == ("denied", False)


def test_nobody_answered_it_has_expired(new_server):
    server = new_server(clock=f"{NOW}x0")
    minter = Minter(server.data, NOW_S)
    url, app = "https://edp.example/m", "https://cap.example/a"
    with Api(server, minter, minter.tenant(url)) as api:
        task = submitted(api, question(app, "org-1", **TARIFF)).json()["task"]
    at = parse_time(task["expires_at"])
    server.restart(clock=f"{format_time(at)}x0")
    minter = Minter(server.data, at // 1000)
    with Api(server, minter, minter.tenant(url)) as api:
        answer = task_of(api, task)
        assert set(answer) == {"task"} and set(answer["task"]) == {"id", "status", "status_endpoint"}
        assert answer["task"]["status"] == "expired"


# ---- whose request, and of which denial


def test_a_request_belongs_to_one_denied_question_of_one_caller(cast):
    asked = question(cast.app_url, "org-1", context={"channel": "web"}, **TARIFF)
    denial = denial_of(context_of(cast.tenant, asked))
    others = [
        question(cast.other_app_url, "org-1", **TARIFF),
        question(cast.app_url, "org-2", **TARIFF),
        question(cast.app_url, "org-1", "corroborate-savings", **TARIFF),
        question(cast.app_url, "org-1", permissions=["tariff", "gas.import.halfhourly"]),
        question(cast.app_url, "org-1", **TARIFF, resources=["m1"]),
        {**asked, "context": {"onwardRecipient": cast.fsp_url}},
    ]
    for other in others:
        refused(submitted(cast.tenant, other, 400, denial=denial), "invalid_denial_binding")
    refused(submitted(cast.other, asked, 400, denial=denial), "invalid_denial_binding")
    token = denial["binding_token"]
    for touched in (token[:-1] + ("A" if token[-1] != "A" else "Q"), "A" * 32, "x", token + "AAAA"):
        wrong = {**denial, "binding_token": touched}
        refused(submitted(cast.tenant, asked, 400, denial=wrong), "invalid_denial_binding")
    wrong = {**denial, "template": bodies.COMBINED}
    refused(submitted(cast.tenant, asked, 400, denial=wrong), "invalid_denial_binding")
    more = {**asked["context"], "business_justification": "renewal"}
    submitted(cast.tenant, {**asked, "context": more}, denial=denial)


def test_a_denial_can_be_followed_for_ten_minutes(new_server):
    server = new_server(clock=f"{NOW}x0")
    minter = Minter(server.data, NOW_S)
    url, asked = "https://edp.example/m", question("https://cap.example/a", "org-1", **TARIFF)
    with Api(server, minter, minter.tenant(url)) as api:
        denial = denial_of(context_of(api, asked))
        assert denial["expires_at"] == IN_TEN_MINUTES
    last = parse_time(IN_TEN_MINUTES)
    for at, status in ((last, 202), (last + 1, 410)):
        server.restart(clock=f"{format_time(at)}x0")
        minter = Minter(server.data, at // 1000)
        with Api(server, minter, minter.tenant(url)) as api:
            later = {**denial, "expires_at": "2027-01-01T00:00:00.000Z"}
            response = submitted(api, asked, status, denial=later, headers={"Idempotency-Key": "k"})
    refused(response, "expired_denial")


def test_the_denial_is_the_key_when_there_is_no_other(cast):
    asked = question(cast.app_url, "org-1", **TARIFF)
    denial = denial_of(context_of(cast.tenant, asked))
    first = submitted(cast.tenant, asked, denial=denial)
    again = submitted(cast.tenant, asked, denial=denial)
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    other = {**asked, "more": 1}
    refused(submitted(cast.tenant, other, 409, denial=denial), "duplicate_request")
    key = {"Idempotency-Key": "k"}
    second = submitted(cast.tenant, asked, denial=denial, headers=key)
    assert second.json()["task"]["id"] != first.json()["task"]["id"]
    assert submitted(cast.tenant, asked, denial=denial, headers=key).json() == second.json()


@pytest.mark.parametrize(
    "change,pointer",
    [
        ({"denial": None}, "/denial"),
        ({"denial": {}}, "/denial/binding_token"),
        ({"denial": {"binding_token": 7}}, "/denial/binding_token"),
        ({"denial": {"binding_token": "x", "template": 7}}, "/denial/template"),
        ({"requested_access": {"requested_until": "soon"}}, "/requested_access/requested_until"),
        ({"items": []}, "/items"),
    ],
)
def test_a_request_of_the_wrong_form(cast, change, pointer):
    asked = question(cast.app_url, "org-1", **TARIFF)
    body = {**asked, "denial": denial_of(context_of(cast.tenant, asked)), **change}
    response = cast.tenant.call("POST", REQUESTS, body)
    assert response.status_code == 400
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


def test_the_question_must_be_whole(cast):
    asked = question(cast.app_url, "org-1", **TARIFF)
    denial = denial_of(context_of(cast.tenant, asked))
    del asked["action"]
    response = submitted(cast.tenant, asked, 400, denial=denial)
    assert response.json()["detail"] == "action is required"


# ---- who sees a task


def test_a_task_is_seen_by_those_who_see_the_consent(cast):
    task = submitted(cast.tenant, question(cast.app_url, "org-1", **TARIFF)).json()["task"]
    for api in (cast.tenant, cast.client, cast.auditor):
        assert task_of(api, task) == {"task": task}
    for api in (cast.other, cast.other_client, cast.other_auditor):
        assert task_of(api, task, 404)["type"] == f"{URN}unknown_task"
    assert task_of(cast.tenant, {"id": "no-uuid"}, 404)["type"] == f"{URN}unknown_task"


def test_asking_takes_the_scope_to_write_consents(cast):
    asked = question(cast.app_url, "org-1", **TARIFF)
    denial = denial_of(context_of(cast.tenant, asked))
    only_asks = cast.minter.token(cast.tenant_url, "decisions:evaluate")
    response = cast.tenant.call("POST", REQUESTS, {**asked, "denial": denial}, token=only_asks)
    assert response.status_code == 403
