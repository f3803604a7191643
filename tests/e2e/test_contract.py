# SPDX-License-Identifier: Apache-2.0
"""openapi.yaml itself: valid, closed, complete; its examples, its problems, its page, its version.

The unit test test_api_contract.c holds it against the table of routes; every answer that any
end-to-end test gets is held against it by contract.py, whose own teeth are tested here.
"""

import copy
import json
import re
import subprocess
import sys

import httpx
import pytest
import yaml
from contract import (
    PROBLEM,
    ROOT,
    Broken,
    Contract,
    FastLoader,
    Schemas,
    load,
    operations,
    resolve,
)
from harness.wire import Answer
from openapi_spec_validator import OpenAPIV31SpecValidator

DOCUMENT = load()
CONTRACT = Contract(DOCUMENT)
SCOPES = {"consents:write", "consents:read", "audit:read", "decisions:evaluate", "admin"}
ID = "019ecaa7-fb38-7c41-8d27-6f0a92b1c35e"


def walk(node, place=()):
    """Every object of the document with its place."""
    if isinstance(node, dict):
        yield place, node
        for key, value in node.items():
            yield from walk(value, (*place, str(key)))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from walk(value, (*place, str(number)))


def listed_problems():
    """name -> (HTTP code, title) from the one list of outcomes."""
    text = (ROOT / "base" / "status.h").read_text()
    rows = re.findall(r"X\(\w+, (\d+), \"([a-z-]+)\",\s*\\?\s*\"([^\"]+)\"\)", text)
    return {name: (int(code), title) for code, name, title in rows}


def test_the_document_is_openapi_3_1():
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []
    assert DOCUMENT["openapi"] == "3.1.0"


class Unrepeated(FastLoader):
    """YAML takes the last of two members of one name; makers of clients refuse the document."""

    def construct_mapping(self, node, deep=False):
        names = [key.value for key, _ in node.value]
        assert len(set(names)) == len(names), (node.start_mark, sorted(names))
        return super().construct_mapping(node, deep)


def test_no_member_of_the_document_is_there_twice():
    assert yaml.load((ROOT / "openapi.yaml").read_text(), Unrepeated) == DOCUMENT


def test_every_operation_is_ready_for_a_generator_of_clients():
    names = []
    for method, path, operation in operations(DOCUMENT):
        assert re.fullmatch(r"[a-z][A-Za-z]+", operation["operationId"]), (method, path)
        assert operation["summary"] and operation["tags"], (method, path)
        names.append(operation["operationId"])
    assert len(set(names)) == len(names)


def test_objects_are_written_so_that_makers_of_clients_make_types_of_them():
    """They read allOf, oneOf and anyOf as types. So conditions between members are if, then and
    else; and what narrows a problem's type says nothing of its status, which follows."""
    for name, schema in DOCUMENT["components"]["schemas"].items():
        if schema.get("type") == "object":
            assert not {"oneOf", "anyOf"} & set(schema), name
    for place, node in walk(DOCUMENT):
        if place[-2:-1] == ("allOf",):
            assert "const" not in node.get("properties", {}).get("status", {}), place
        assert node.get("$ref", "").count("/") in (0, 3), place  # a component, and no part of one


KEYED = ({"certificate": []}, {"hookKey": []})


def test_every_operation_says_who_may_call_it():
    open_ones = set()
    for method, path, operation in operations(DOCUMENT):
        choices = operation["security"]
        for choice in choices:
            [(kind, scopes)] = choice.items()
            assert kind == "bearer" and set(scopes) <= SCOPES or choice in KEYED, path
        if not choices:
            open_ones.add(path)
        answers = set(operation["responses"])
        assert ("401" in answers) == bool(choices), path
        assert ("429" in answers) == any("bearer" in choice for choice in choices), path
        scoped = any(choice.get("bearer") or "hookKey" in choice for choice in choices)
        if choices != [{"certificate": []}]:  # by certificate: only where a role is needed
            assert ("403" in answers) == scoped, path
        if method == "POST":
            # AuthZEN says 400 where others say 415
            answers_415 = "requestBody" in operation and not path.startswith("/access/")
            assert "413" in answers and ("415" in answers) == answers_415, path
    assert open_ones == {
        "/healthz",
        "/readyz",
        "/metrics",
        "/version",
        "/openapi.yaml",
        "/docs",
        "/problems/{name}",
        "/evidence/{id}",
        "/.well-known/authzen-configuration",
        "/.well-known/jwks.json",
        "/.well-known/oauth-protected-resource",
    }


OPEN = ("ConsentParties", "ConsentTerms")  # parts of objects that close them


# AuthZEN requests: what is not known is ignored.
IGNORING = (
    "AccessSubject",
    "AccessAction",
    "AccessResource",
    "AccessContext",
    "AccessSearchContext",
    "AccessEvaluationRequest",
    "AccessEvaluationsRequest",
    "AccessPageRequest",
    "AccessSubjectSearch",
    "AccessResourceSearch",
    "AccessActionSearch",
    "AccessRequest",
    "HydraTokenHook",
)


def test_every_object_is_closed():
    for place, node in walk(DOCUMENT["components"]["schemas"]):
        if place and place[0] in IGNORING:
            assert "additionalProperties" not in node, place
            continue
        if node.get("type") == "object" and place not in [(name,) for name in OPEN]:
            closed = "additionalProperties" in node or "unevaluatedProperties" in node
            assert closed and node.get("additionalProperties") is not True, place


@pytest.mark.parametrize("part", OPEN)
def test_a_part_stands_only_where_something_closes_it(part):
    users = [p for p, n in walk(DOCUMENT) if n.get("$ref", "").endswith(f"/{part}")]
    assert users
    for place in users:
        parent = DOCUMENT
        for step in place[:-2]:
            parent = parent[step]
        assert place[-2] == "allOf" and parent["unevaluatedProperties"] is False, place


def test_every_component_is_used():
    text = (ROOT / "openapi.yaml").read_text()
    used = set(re.findall(r"#/components/(\w+)/(\w+)", text))
    # Every address answers it to methods that it does not have.
    used.add(("responses", "MethodNotAllowed"))
    kinds = set(DOCUMENT["components"]) - {"securitySchemes"}
    defined = {(kind, name) for kind in kinds for name in DOCUMENT["components"][kind]}
    assert defined == used


def examples():
    for place, node in walk(DOCUMENT):
        if "schema" in node and "examples" in node:
            for name, example in node["examples"].items():
                yield "/".join((*place, name)), node["schema"], resolve(DOCUMENT, example)["value"]
        elif "schema" in node and "example" in node:
            yield "/".join(place), node["schema"], node["example"]


@pytest.mark.parametrize("place,schema,value", list(examples()), ids=lambda v: str(v)[:120])
def test_an_example_is_what_its_schema_says(place, schema, value):
    assert CONTRACT.schemas.errors(schema, value) == []


def test_every_json_body_has_an_example():
    for place, node in walk(DOCUMENT):
        if place and place[-1].endswith("json") and "schema" in node:
            assert node.get("examples"), place


def test_an_example_with_one_member_more_is_refused():
    for place, schema, value in examples():
        ignoring = schema.get("$ref", "").rpartition("/")[2] in IGNORING
        if isinstance(value, dict):
            errors = CONTRACT.schemas.errors(schema, {**value, "surprise": 1})
            assert bool(errors) != ignoring, place


# ---- problems


def test_every_problem_of_the_service_is_documented_and_no_other():
    assert DOCUMENT["components"]["schemas"]["ProblemName"]["enum"] == list(listed_problems())
    assert len(listed_problems()) == 25


def test_every_problem_stands_with_its_status_and_title():
    found = {}
    for name, response in DOCUMENT["components"]["responses"].items():
        content = response["content"].get(PROBLEM)
        for problem, example in (content or {"examples": {}})["examples"].items():
            value = resolve(DOCUMENT, example)["value"]
            assert value["type"].endswith(f"/problems/{problem}"), name
            assert f"`{problem}`" in response["description"], name
            found[problem] = (value["status"], value["title"])
    assert found == listed_problems()


def test_a_problem_is_allowed_under_its_own_status_only():
    for name, response in DOCUMENT["components"]["responses"].items():
        if PROBLEM not in response["content"]:
            continue
        media = response["content"][PROBLEM]
        for problem, (status, _) in listed_problems().items():
            document = {
                "type": f"https://x.example/problems/{problem}",
                "title": "t",
                "status": status,
                "detail": "d",
                "instance": "i",
            }
            if problem == "not-admissible":
                document["reasons"] = [{"code": "c", "clause": "c", "detail": "d"}]
            allowed = not CONTRACT.schemas.errors(media["schema"], document)
            assert allowed == (problem in media["examples"]), (name, problem)


def test_each_answer_stands_under_its_own_status():
    for _, path, operation in operations(DOCUMENT):
        for status, answer in operation["responses"].items():
            content = resolve(DOCUMENT, answer).get("content", {}).get(PROBLEM, {})
            for example in content.get("examples", {}).values():
                assert str(resolve(DOCUMENT, example)["value"]["status"]) == status, path


# ---- the two views of a consent


def view(name):
    return copy.deepcopy(DOCUMENT["components"]["examples"][name]["value"])


def errors(name, value):
    return CONTRACT.schemas.errors({"$ref": f"#/components/schemas/{name}"}, value)


@pytest.mark.parametrize("name", ["ActiveConsent", "RequestedConsent", "RevokedConsent"])
def test_a_tenants_view_is_no_clients_view(name):
    assert not errors("Consent", view(name)) and not errors("AnyConsent", view(name))
    assert errors("ConsentForClient", view(name))


@pytest.mark.parametrize("name", ["ConsentForClient", "RevokedConsentForClient"])
def test_a_clients_view_is_no_tenants_view(name):
    assert not errors("ConsentForClient", view(name)) and not errors("AnyConsent", view(name))
    assert errors("Consent", view(name))


@pytest.mark.parametrize("hidden", ["by", "ip", "userAgent", "proofs"])
def test_what_is_hidden_from_a_client_is_not_in_its_view(hidden):
    seen = view("ConsentForClient")
    seen["grant"][hidden] = view("ActiveConsent")["grant"][hidden]
    assert errors("ConsentForClient", seen) and errors("AnyConsent", seen)


@pytest.mark.parametrize("hidden", ["externalId", "tokens", "request"])
def test_members_of_the_tenant_are_not_in_a_clients_view(hidden):
    whole = {**view("RequestedConsent"), **view("ActiveConsent")}
    assert errors("ConsentForClient", {**view("ConsentForClient"), hidden: whole[hidden]})


# ---- page and version


def test_the_page_is_made_from_the_document():
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "make_docs.py", "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_the_page_shows_everything_and_fetches_nothing():
    page = (ROOT / "api" / "assets" / "docs.html").read_text()
    for _, _, operation in operations(DOCUMENT):
        assert f'id="{operation["operationId"]}"' in page
    for name in DOCUMENT["components"]["schemas"]:
        assert f">{name}</h3>" in page
    for name in listed_problems():
        assert f'id="problem-{name}"' in page
    targets = set(re.findall(r'href=[\'"]([^\'"]+)', page))
    anchors = {target[1:] for target in targets if target.startswith("#")}
    assert anchors <= set(re.findall(r'id="([^"]+)"', page))
    for target in targets:
        assert target[0] == "#" or target == "/openapi.yaml" or target.startswith("/problems/")
    assert not re.search(r"<(script|link|img|iframe|object)|@import|url\(", page)


def test_the_service_has_the_version_of_the_document(root):
    assert root.get("/version").json()["version"] == DOCUMENT["info"]["version"]


def test_the_service_serves_the_document_and_the_page(root):
    served = root.get("/openapi.yaml", token=None)
    assert served.content == (ROOT / "openapi.yaml").read_bytes()
    served = root.get("/docs", token=None)
    assert served.content == (ROOT / "api" / "assets" / "docs.html").read_bytes()
    assert "default-src 'none'" in served.headers["content-security-policy"]


def test_every_documented_operation_is_served(root):
    for method, path, _ in operations(DOCUMENT):
        sent = path.replace("{id}", ID).replace("{digest}", "0" * 64).replace("{name}", "busy")
        sent = sent.replace("{index}", "0").replace("{tile}", "0/000.p/1")
        answer = root.call(method, sent, token=None)
        expected = (404,) if path == "/evidence/{id}" else (200, 401)  # no address, no page
        assert answer.status_code in expected, (method, path, answer.status_code)


# ---- the validator's own teeth


def answered(status=200, body=None, remove=(), content=None, **more):
    headers = {
        "x-request-id": "r1",
        "etag": '"2"',
        "content-type": "application/json",
        "date": "Mon, 15 Jun 2026 12:00:00 GMT",
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    for name in remove:
        del headers[name]
    content = json.dumps(body).encode() if content is None else content
    return Answer(status, headers, content)


def read(answer, method="GET", path=f"/v1/consents/{ID}"):
    CONTRACT.check(method, path, answer)


def test_a_right_answer_passes():
    read(answered(body=view("ActiveConsent")))
    read(answered(body=view("ConsentForClient")))
    read(answered(body={**view("ActiveConsent"), "status": "expired"}, etag='"2-expired"'))
    read(answered(304, content=b"", remove=["content-type"]))


def wrong_answers():
    whole = view("ActiveConsent")
    yield "undocumented status", answered(202, whole)
    yield "unknown member", answered(body={**whole, "colour": "red"})
    yield "unknown member deep", answered(body={**whole, "principal": {"type": "company", "x": 1}})
    yield "unknown status", answered(body={**whole, "status": "paused"})
    yield "time without milliseconds", answered(body={**whole, "statusAt": "2026-06-15T09:41:08Z"})
    yield "no version", answered(body={k: v for k, v in whole.items() if k != "version"})
    yield "other media type", answered(body=whole, content_type="text/plain")
    yield "no request id", answered(body=whole, remove=["x-request-id"])
    yield "no tag", answered(body=whole, remove=["etag"])
    yield "a tag of another version", answered(body=whole, etag='"3"')
    yield "a tag that is none", answered(body=whole, etag="2")
    yield "a header that nobody promised", answered(body=whole, x_powered_by="h2o")
    yield "half a document", answered(content=b'{"consentId":')
    yield "a member twice", answered(content=b'{"consentId":1,"consentId":1}')
    yield "a body with 304", answered(304, whole)


@pytest.mark.parametrize("case,answer", list(wrong_answers()), ids=lambda v: str(v)[:40])
def test_a_wrong_answer_does_not_pass(case, answer):
    with pytest.raises(Broken):
        read(answer)


def problem(status, name, **more):
    return {
        "type": f"http://127.0.0.1/problems/{name}",
        "title": "t",
        "status": status,
        "detail": "d",
        "instance": "r1",
        **more,
    }


def refusal(status, name, instance="r1", **headers):
    body = problem(status, name, instance=instance)
    return answered(status, body, remove=["etag"], **{"content_type": PROBLEM, **headers})


def test_a_right_refusal_passes():
    read(refusal(404, "not-found"))
    where = 'resource_metadata="http://127.0.0.1/.well-known/oauth-protected-resource"'
    told = f'Bearer realm="consentd", scope="consents:read", {where}'
    read(refusal(401, "unauthenticated", www_authenticate=told))
    with pytest.raises(Broken):
        read(refusal(401, "unauthenticated", www_authenticate="Bearer"))
    read(refusal(413, "body-too-large"))
    read(refusal(404, "not-found"), path="/nothing")
    read(refusal(405, "method-not-allowed", allow="GET, HEAD"), "PUT", "/healthz")


@pytest.mark.parametrize(
    "answer,method,path",
    [
        (refusal(404, "wrong-state"), "GET", f"/v1/consents/{ID}"),
        (refusal(404, "not-found", instance="r2"), "GET", f"/v1/consents/{ID}"),
        (refusal(401, "unauthenticated"), "GET", f"/v1/consents/{ID}"),
        (refusal(503, "busy"), "GET", f"/v1/consents/{ID}"),
        (refusal(404, "not-found", content_type="application/json"), "GET", f"/v1/consents/{ID}"),
        (refusal(405, "method-not-allowed"), "PUT", "/healthz"),
        (refusal(405, "method-not-allowed", allow="GET"), "GET", "/nothing"),
        (refusal(404, "not-found"), "GET", "/v1/consents"),
        (refusal(404, "not-found"), "PUT", "/healthz"),
    ],
    ids=str,
)
def test_a_wrong_refusal_does_not_pass(answer, method, path):
    with pytest.raises(Broken):
        read(answer, method, path)


class Sent:
    def __init__(self, body=None, query="", **headers):
        self.content = json.dumps(body).encode()
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.url = httpx.URL("http://x.example/?" + query)


def test_what_was_accepted_must_be_documented():
    media = DOCUMENT["paths"]["/v1/consents"]["post"]["requestBody"]["content"]["application/json"]
    body = media["examples"]["granted"]["value"]
    place = f"http://127.0.0.1/v1/consents/{ID}"

    def created(sent):
        answer = answered(201, view("ActiveConsent"), location=place)
        answer.request = sent
        read(answer, "POST", "/v1/consents")

    key = {"Idempotency_Key": "k"}
    created(Sent(body, **key))
    for sent in (Sent(body), Sent({**body, "colour": "red"}, **key), Sent({}, **key)):
        with pytest.raises(Broken):
            created(sent)


def test_an_accepted_parameter_must_be_documented():
    def listed(query):
        answer = answered(body={"items": []}, remove=["etag"])
        answer.request = Sent(query=query)
        read(answer, path="/v1/consents")

    listed("limit=500&status=active&status=revoked&account=a")
    for query in ("limit=501", "status=paused", "colour=red", "account=", "arrangementId=x"):
        with pytest.raises(Broken):
            listed(query)


def test_a_page_has_a_link_exactly_when_it_has_a_next():
    link = '</v1/consents?cursor=mT0nJ1ZrQkKXq2h5sB7v8A>; rel="next"'
    page = view("ConsentPage")
    last = {"items": page["items"]}

    def listed(body, **headers):
        read(answered(body=body, remove=["etag"], **headers), path="/v1/consents")

    listed(page, link=link)
    listed(last)
    for body, headers in ((page, {}), (last, {"link": link})):
        with pytest.raises(Broken):
            listed(body, **headers)


def test_each_line_of_a_stream_is_looked_at():
    line = json.dumps(view("LogLine")).encode()

    def streamed(content):
        answer = answered(content=content, content_type="application/x-ndjson", remove=["etag"])
        read(answer, path="/v1/audit/events")

    streamed(line + b"\n\n" + line + b"\n")
    for bad in (b"{}", line[:-1], line.replace(b"linkedConsentEnded", b"")):
        with pytest.raises(Broken):
            streamed(line + b"\n" + bad + b"\n")


def test_the_schemas_of_another_document_are_another_matter():
    changed = copy.deepcopy(DOCUMENT)
    changed["components"]["schemas"]["Account"]["maxLength"] = 3
    schema = {"$ref": "#/components/schemas/Account"}
    assert Schemas(changed).errors(schema, "abcd") and not CONTRACT.schemas.errors(schema, "abcd")


# ---- the tables of docs/mappings.md


def table(heading):
    """The first column of the table under a heading: each row's names."""
    text = (ROOT / "docs" / "mappings.md").read_text()
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line for line in section.split("\n") if line.startswith("| `")]
    return [name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])]


def test_every_state_is_mapped():
    states = DOCUMENT["components"]["schemas"]["ConsentStatus"]["enum"]
    assert table("States") == states


def test_every_member_of_a_consent_is_mapped():
    schemas = DOCUMENT["components"]["schemas"]
    parts = ("Consent", *OPEN)
    members = {name for part in parts for name in schemas[part]["properties"]}
    assert sorted(table("Members")) == sorted(members)


def test_every_member_of_a_permission_record_has_a_source():
    assert table("IB1 permission record") == [
        "oauthIssuer",
        "client",
        "license",
        "account",
        "lastGranted",
        "expires",
        "revoked",
        "evidence",
        "dataAvailableFrom",
        "tokenIssuedAt",
        "tokenExpires",
    ]
