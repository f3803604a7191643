# SPDX-License-Identifier: Apache-2.0
"""The certification scenario of the OpenID AuthZEN Authorization API 1.0, whole: Basic, Batch, Search and
Discovery, asked of the running service with the scenario's fixture as its pack. Where the scenario leaves
an answer to the implementer (what alice may do with record-2), ours is asserted all the same.

The numbers are those of the scenario's sections (openid.github.io/authzen,
authorization-api-1_0-certification-scenario)."""

import json
import re
import subprocess

import pytest
from conftest import NOW, NOW_S
from harness.client import Api
from harness.server import CTL, ROOT, Server
from harness.tokens import Minter

PACK = ROOT / "tests" / "packs" / "authzen-certification.json"
EVALUATION = "/access/v1/evaluation"
EVALUATIONS = "/access/v1/evaluations"
SUBJECT, RESOURCE, ACTION = (f"/access/v1/search/{kind}" for kind in ("subject", "resource", "action"))
CONFIGURATION = "/.well-known/authzen-configuration"

ALICE = {"type": "user", "id": "alice"}
BOB = {"type": "user", "id": "bob"}
ADMIN = {**BOB, "properties": {"role": "admin"}}
READ, WRITE = {"name": "read"}, {"name": "write"}
SOFTLY = {"name": "delete", "properties": {"soft": True}}
FOR_GOOD = {"name": "delete", "properties": {"soft": False}}
ONE = {"type": "record", "id": "record-1"}
TWO = {"type": "record", "id": "record-2"}
ACTIVE = {**ONE, "properties": {"status": "active"}}
ARCHIVED = {**TWO, "properties": {"status": "archived"}}
CONTEXT = {"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1"}

NO_RULE = {"reason_admin": {"en": "deniedByRule: no rule permits it"}}


@pytest.fixture(scope="module")
def pdp(tmp_path_factory):
    data = tmp_path_factory.mktemp("certification") / "data"
    server = Server(data, pack=PACK, clock=f"{NOW}x0").start()
    minter = Minter(server.data, NOW_S)
    with Api(server, minter, minter.tenant("https://pep.example/m")) as api:
        yield api
    server.stop()


def posted(pdp, path, body):
    response = pdp.call("POST", path, body)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    return response.json()


def asked(subject, action, resource, **more):
    return {"subject": subject, "action": action, "resource": resource, **more}


def without(document, *path):
    """A copy that lacks one member."""
    copy = json.loads(json.dumps(document))
    inner = copy
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return copy


def refused(pdp, path, body, detail):
    response = pdp.call("POST", path, body)
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["type"].endswith("/problems/invalid-body")
    assert problem["detail"] == detail


# ---- the fixture


def test_the_fixture_is_a_valid_pack_whose_table_holds():
    for command in (["check", PACK], ["test", PACK, PACK.with_suffix(".test.json")]):
        done = subprocess.run([CTL, "policy", *command], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].endswith(" cases, 0 failed")


# ---- Basic (2)

BASIC = {
    "2.2.1 rule 1": (asked(ALICE, READ, ONE), True),
    "rule 2": (asked(ALICE, WRITE, ONE), True),
    "rule 3": (asked(BOB, READ, ONE), True),
    "2.2.2 rule 4": (asked(BOB, WRITE, ONE), False),
    "2.2.3 context": (asked(ALICE, READ, ONE, context=CONTEXT), True),
    "2.2.4 rule 5": (asked(ALICE, WRITE, ARCHIVED), False),
    "2.2.5 rule 6": (asked(ADMIN, WRITE, ARCHIVED), True),
    "2.2.6 rule 7": (asked(ALICE, SOFTLY, ONE), True),
    "2.2.7 rule 8": (asked(ALICE, FOR_GOOD, ONE), False),
    "2.2.8 other properties": (
        asked(
            {**ALICE, "properties": {"department": "Sales", "role": "manager"}},
            {**READ, "properties": {"method": "GET"}},
            {**ONE, "properties": {"status": "active", "owner": "bob"}},
        ),
        True,
    ),
    "2.2.9 unknown members": (
        asked(ALICE, READ, ONE, foo="bar", futureField={"nested": True}),
        True,
    ),
    "rule 4 with context": (asked(BOB, WRITE, ONE, context=CONTEXT), False),
    "rule 6 with context": (asked(ADMIN, WRITE, ARCHIVED, context=CONTEXT), True),
}


@pytest.mark.parametrize("case", BASIC)
@pytest.mark.parametrize("path", [EVALUATION, EVALUATIONS])
def test_an_evaluation_says_what_the_fixture_demands(pdp, path, case):
    body, permitted = BASIC[case]
    expected = {"decision": True} if permitted else {"decision": False, "context": NO_RULE}
    for _ in range(3):  # 2.6: the same question, the same answer
        assert posted(pdp, path, body) == expected


WHOLE = asked(ALICE, READ, ONE)
MISSING = {  # 2.4.1, 2.4.2
    ("subject",): "subject is required",
    ("action",): "action is required",
    ("resource",): "resource is required",
    ("subject", "type"): "subject.type must be a string",
    ("subject", "id"): "subject.id must be a string",
    ("action", "name"): "action.name must be a string",
    ("resource", "type"): "resource.type must be a string",
    ("resource", "id"): "resource.id must be a string",
}


@pytest.mark.parametrize("path", [EVALUATION, EVALUATIONS])
@pytest.mark.parametrize("member", MISSING, ids=".".join)
def test_what_is_required_is_a_400_when_missing(pdp, path, member):
    refused(pdp, path, without(WHOLE, *member), MISSING[member])


@pytest.mark.parametrize(
    "body,detail",
    [
        (asked("alice", READ, ONE), "subject must be an object"),
        (asked(ALICE, {"name": 123}, ONE), "action.name must be a string"),
        (asked(ALICE, "read", ONE), "action must be an object"),
        (asked(ALICE, READ, [ONE]), "resource must be an object"),
        (asked({**ALICE, "id": None}, READ, ONE), "subject.id must be a string"),
        (asked(ALICE, READ, {**ONE, "type": 1}), "resource.type must be a string"),
        (asked(ALICE, READ, {**ONE, "properties": []}), "resource.properties must be an object"),
        (asked(ALICE, READ, ONE, context="now"), "context must be an object"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_type_is_a_400(pdp, body, detail):  # 2.4.6
    refused(pdp, EVALUATION, body, detail)


ALL = [EVALUATION, EVALUATIONS, SUBJECT, RESOURCE, ACTION]


@pytest.mark.parametrize("path", ALL)
@pytest.mark.parametrize(
    "content,problem",
    [(b"{", "malformed-json"), (b"", "malformed-json"), (b"[]", "invalid-body")],
)
def test_a_body_that_is_no_object_is_a_400(pdp, path, content, problem):  # 2.4.4, 2.4.5
    headers = {"Content-Type": "application/json"}
    response = pdp.call("POST", path, content=content, headers=headers)
    assert response.status_code == 400
    assert response.json()["type"].endswith(f"/problems/{problem}")


@pytest.mark.parametrize("path", ALL)
@pytest.mark.parametrize(
    "kind,status",
    [
        ("application/json", 200),
        ("application/json;charset=utf-8", 200),
        ("text/plain", 400),
        ("application/x-www-form-urlencoded", 400),
        (None, 400),
    ],
)
def test_the_content_type_is_json(pdp, path, kind, status):  # 2.4.3
    headers = {} if kind is None else {"Content-Type": kind}
    content = json.dumps(WHOLE).encode()
    response = pdp.call("POST", path, content=content, headers=headers)
    assert response.status_code == status


@pytest.mark.parametrize("path", ALL)
def test_who_has_no_token_is_told_how_to_get_in(pdp, path):
    response = pdp.call("POST", path, WHOLE, token=None)
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", ALL)
@pytest.mark.parametrize("body,status", [(WHOLE, 200), ({}, 400)])
def test_the_request_id_comes_back(pdp, path, body, status):  # 2.5.1, 2.5.2
    sent = "bfe9eb29-ab87-4ca3-be83-a1d5d8305716"
    response = pdp.call("POST", path, body, headers={"X-Request-ID": sent})
    assert (response.status_code, response.headers["x-request-id"]) == (status, sent)
    response = pdp.call("POST", path, body)
    assert response.status_code == status
    assert response.headers["x-request-id"] not in ("", sent)


# ---- Batch (3)


def item(*decisions):
    return {"evaluations": [{"decision": decision} for decision in decisions]}


ERROR = {"error": {"status": 400, "message": "resource is required"}}
BATCH = {
    "3.2.1": (
        {"subject": ALICE, "action": READ, "evaluations": [{"resource": ONE}, {"resource": TWO}]},
        item(True, True),
    ),
    "3.2.2": (
        {"subject": BOB, "resource": ONE, "evaluations": [{"action": READ}, {"action": WRITE}]},
        item(True, False),
    ),
    "3.2.3": (
        {
            "subject": ALICE,
            "action": WRITE,
            "evaluations": [{"resource": ACTIVE}, {"resource": ARCHIVED}],
        },
        item(True, False),
    ),
    "3.2.4": (
        {
            "action": WRITE,
            "resource": ARCHIVED,
            "evaluations": [{"subject": ALICE}, {"subject": ADMIN}],
        },
        item(False, True),
    ),
    "3.2.5": (
        {"evaluations": [asked(ALICE, READ, ONE), asked(BOB, WRITE, ONE)]},
        item(True, False),
    ),
    "3.2.6": (
        {
            "subject": ALICE,
            "action": READ,
            "context": {"time": "2025-06-27T18:03-07:00"},
            "evaluations": [
                {"resource": ONE},
                {
                    "resource": TWO,
                    "context": {"time": "2025-06-27T19:00-07:00", "source": "batch-override"},
                },
            ],
        },
        item(True, True),
    ),
    "3.2.7": (
        {
            "subject": ALICE,
            "action": WRITE,
            "resource": ACTIVE,
            "evaluations": [{}, {"resource": ARCHIVED}],
        },
        item(True, False),
    ),
    "3.4.1": (
        {
            "subject": ALICE,
            "action": READ,
            "options": {"evaluations_semantic": "execute_all"},
            "evaluations": [{"resource": ONE}, {}],
        },
        {"evaluations": [{"decision": True}, {"decision": False, "context": ERROR}]},
    ),
    "3.4.2": (asked(ALICE, READ, ONE), {"decision": True}),
    "3.4.3": (asked(ALICE, READ, ONE, evaluations=[]), {"decision": True}),
}


@pytest.mark.parametrize("case", BATCH)
def test_a_batch_answers_in_order_item_by_item(pdp, case):
    body, expected = BATCH[case]
    assert posted(pdp, EVALUATIONS, body) == expected


# ---- Search (4)


def found(pdp, path, body):
    answer = posted(pdp, path, body)
    assert set(answer) == {"results"}
    return answer["results"]


NAMED_USER = {"type": "user"}
ANY_RECORD = {"type": "record"}
SEARCHES = {
    "4.2.1 S1": (SUBJECT, asked(NAMED_USER, READ, ONE), [ALICE, BOB]),
    "4.2.2": (SUBJECT, asked(NAMED_USER, READ, ONE, context=CONTEXT), [ALICE, BOB]),
    "4.2.3": (SUBJECT, asked(ALICE, READ, ONE), [ALICE, BOB]),
    "4.2.4 S4": (SUBJECT, asked(NAMED_USER, WRITE, ARCHIVED), [BOB]),
    "4.3.1 S2": (RESOURCE, asked(ALICE, READ, ANY_RECORD), [ONE, TWO]),
    "4.3.2": (RESOURCE, asked(ALICE, READ, ANY_RECORD, context=CONTEXT), [ONE, TWO]),
    "4.3.3": (RESOURCE, asked(ALICE, READ, ONE), [ONE, TWO]),
    "4.3.4 S5": (RESOURCE, asked(ADMIN, WRITE, ANY_RECORD), [TWO]),
    "4.4.1 S3": (ACTION, {"subject": ALICE, "resource": ONE}, [READ, WRITE]),
    "4.4.2": (ACTION, {"subject": ALICE, "resource": ONE, "context": CONTEXT}, [READ, WRITE]),
    "4.4.3 S6": (ACTION, {"subject": ADMIN, "resource": ARCHIVED}, [READ, WRITE]),
    "an action that was sent": (ACTION, asked(ALICE, SOFTLY, ONE), [READ, WRITE]),
    "unknown members": (SUBJECT, asked(NAMED_USER, READ, ONE, foo=[1]), [ALICE, BOB]),
    "4.6.1 action": (ACTION, {"subject": {"type": "user", "id": "nobody"}, "resource": ONE}, []),
    "4.6.1 resource": (RESOURCE, asked({"type": "user", "id": "nobody"}, READ, ANY_RECORD), []),
    "4.6.1 subject": (SUBJECT, asked(NAMED_USER, READ, {**ONE, "id": "record-9"}), []),
    "4.6.2 subject": (SUBJECT, asked({"type": "spaceship"}, READ, ONE), []),
    "4.6.2 resource": (RESOURCE, asked(ALICE, READ, {"type": "spaceship"}), []),
    "4.6.2 action": (ACTION, {"subject": ALICE, "resource": {**ONE, "type": "spaceship"}}, []),
    "4.6.2 subject of it": (ACTION, {"subject": {**ALICE, "type": "x"}, "resource": ONE}, []),
}


@pytest.mark.parametrize("case", SEARCHES)
def test_a_search_finds_exactly_these(pdp, case):
    path, body, expected = SEARCHES[case]
    assert found(pdp, path, body) == expected


@pytest.mark.parametrize("case", SEARCHES)
def test_what_a_search_finds_an_evaluation_permits_and_nothing_beside_it(pdp, case):
    path, body, expected = SEARCHES[case]
    member, candidates = {
        SUBJECT: ("subject", [ALICE, BOB]),
        RESOURCE: ("resource", [ONE, TWO]),
        ACTION: ("action", [READ, WRITE, {"name": "delete"}]),
    }[path]
    for candidate in candidates:
        one = {**body.get(member, {}), **candidate} if path != ACTION else candidate
        if path != ACTION and one["type"] != body[member]["type"]:
            continue
        decision = posted(pdp, EVALUATION, {**body, member: one})["decision"]
        assert decision == (candidate in expected), candidate


SEARCH_MISSING = {  # 4.7
    "4.7.1 subject": (SUBJECT, without(WHOLE, "action"), "action is required"),
    "4.7.1 resource": (RESOURCE, without(WHOLE, "subject"), "subject is required"),
    "4.7.1 action": (ACTION, without(WHOLE, "resource"), "resource is required"),
    "4.7.2 subject": (
        SUBJECT,
        asked(NAMED_USER, READ, ANY_RECORD),
        "resource.id must be a string",
    ),
    "4.7.2 resource": (
        RESOURCE,
        asked(NAMED_USER, READ, ANY_RECORD),
        "subject.id must be a string",
    ),
    "4.7.2 action": (
        ACTION,
        {"subject": NAMED_USER, "resource": ONE},
        "subject.id must be a string",
    ),
    "its own type": (SUBJECT, asked({"id": "alice"}, READ, ONE), "subject.type must be a string"),
    "its own type too": (
        RESOURCE,
        asked(ALICE, READ, {"id": "record-1"}),
        "resource.type must be a string",
    ),
    "name": (SUBJECT, asked(NAMED_USER, {}, ONE), "action.name must be a string"),
    "page": (SUBJECT, asked(NAMED_USER, READ, ONE, page=[]), "page must be an object"),
    "limit": (
        SUBJECT,
        asked(NAMED_USER, READ, ONE, page={"limit": -1}),
        "page.limit must be a whole number, not negative",
    ),
}


@pytest.mark.parametrize("case", SEARCH_MISSING)
def test_a_search_that_lacks_something_is_a_400(pdp, case):
    refused(pdp, *SEARCH_MISSING[case])


def test_pages(pdp):  # 4.5
    body = asked(NAMED_USER, READ, ONE)
    first = posted(pdp, SUBJECT, {**body, "page": {"limit": 1}})
    token = first["page"]["next_token"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", token)
    assert list(first) == ["page", "results"]
    assert first == {"page": {"next_token": token, "count": 1}, "results": [ALICE]}
    second = posted(pdp, SUBJECT, {**body, "page": {"token": token}})
    assert second == {"page": {"next_token": "", "count": 1}, "results": [BOB]}
    again = posted(pdp, SUBJECT, {**body, "page": {"token": token, "limit": 1}})
    assert again == second
    whole = posted(pdp, SUBJECT, {**body, "page": {"limit": 2}})
    assert whole == {"page": {"next_token": "", "count": 2}, "results": [ALICE, BOB]}
    assert posted(pdp, SUBJECT, {**body, "page": {}}) == whole
    none = posted(pdp, SUBJECT, {**body, "page": {"limit": 0}})
    assert none["results"] == [] and none["page"]["count"] == 0 and none["page"]["next_token"]


# ---- Discovery (6)


def test_discovery_names_the_endpoints_and_they_answer(pdp):
    response = pdp.get(CONFIGURATION, token=None)
    base = pdp.server.url
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "public, max-age=3600"
    assert response.json() == {
        "policy_decision_point": base,
        "access_evaluation_endpoint": base + EVALUATION,
        "access_evaluations_endpoint": base + EVALUATIONS,
        "search_subject_endpoint": base + SUBJECT,
        "search_resource_endpoint": base + RESOURCE,
        "search_action_endpoint": base + ACTION,
        "access_request_endpoint": f"{base}/access/v1/requests",
        "capabilities": ["urn:openid:authzen:capability:access-request"],
    }
    for name, url in response.json().items():
        if name.endswith("_endpoint") and name != "access_request_endpoint":
            assert pdp.call("POST", url.removeprefix(base), WHOLE).status_code == 200


def test_metadata_is_of_the_address_that_callers_know(new_server):
    """What a proxy serves as https is configured: an identifier has no other scheme."""
    base = "https://pdp.example.com"
    server = new_server(pack=PACK, environment={"CONSENTD_PUBLIC_URL": base})
    with Api(server, None) as api:
        document = api.get(CONFIGURATION).json()
    assert document.pop("capabilities")
    assert document.pop("policy_decision_point") == base
    assert all(re.match(rf"{base}/access/v1/[a-z/]+$", url) for url in document.values())
