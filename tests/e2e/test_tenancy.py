# SPDX-License-Identifier: Apache-2.0
"""Every operation × every kind of caller, as data (tenancy.json), complete against openapi.yaml."""

import json
import pathlib
import urllib.parse
import uuid

import pytest
import yaml
from conftest import NOW, Cast
from harness import bodies
from harness.audit import NDJSON
from harness.client import Api
from harness.house import House
from harness.server import ROOT, Server

TABLE = json.loads(pathlib.Path(__file__).with_name("tenancy.json").read_text())
ROWS = {row["operation"]: row for row in TABLE["operations"]}
METHODS = ("get", "put", "post", "delete", "patch", "head", "options")


def wrong_scope(operation):
    """The scope an unscoped caller has: none that the operation asks for."""
    asks = "/access/" in operation or operation == "POST /v1/disclosures"
    return "admin" if asks else "decisions:evaluate"


def documented():
    """Each operation with the scopes of which one will do; None where no token is needed."""
    document = yaml.safe_load((ROOT / "openapi.yaml").read_text())
    found = {}
    for path, item in document["paths"].items():
        for method in item:
            if method not in METHODS:
                continue
            choices = item[method]["security"]
            scopes = {scope for choice in choices for scope in choice.get("bearer", ())}
            found[f"{method.upper()} {path}"] = scopes if choices else None
    return found


DOCUMENTED = documented()
SCOPES = sorted({scope for scopes in DOCUMENTED.values() for scope in scopes or ()})


def test_the_table_has_a_row_for_every_documented_operation():
    assert set(DOCUMENTED) == set(ROWS)
    assert len(TABLE["operations"]) == len(ROWS)


def test_the_table_says_something_of_every_caller():
    """And of nobody's missing scope anything else than the document does."""
    for operation, row in ROWS.items():
        said = {caller: row["expect"].get(caller, row["expect"].get("else"))
                for caller in TABLE["callers"]}
        assert None not in said.values(), operation
        scopes = DOCUMENTED[operation]
        assert (said["nobody"] == 401) == (scopes is not None), operation
        if scopes:
            assert said["unscoped"] == 403, operation


def test_every_row_names_known_callers_only():
    for row in ROWS.values():
        acts = {name for name in row.get("acts", []) if not name.endswith(" certificate")}
        named = set(row["expect"]) | acts | set(row.get("sees", []))
        assert named <= set(TABLE["callers"]) | {"else"}, row["operation"]


def token_of(cast, caller, operation=""):
    m = cast.minter
    return {
        "tenant": lambda: m.tenant(cast.tenant_url),
        "other": lambda: m.tenant(cast.other_url),
        "client": lambda: m.client(cast.app_url),
        "other_client": lambda: m.client(cast.other_app_url),
        "auditor": lambda: m.auditor(providers=[cast.tenant_url]),
        "other_auditor": lambda: m.auditor(providers=[cast.other_url]),
        "everything": lambda: m.auditor(),
        "admin": lambda: m.admin(),
        "unscoped": lambda: m.token(cast.tenant_url, wrong_scope(operation)),
        "nobody": lambda: None,
    }[caller]()


@pytest.mark.parametrize("operation", ROWS)
def test_a_scope_opens_what_the_document_says_and_nothing_else(cast, subject, operation):
    """Every operation with each scope alone, and with none: an operation that asks for another
    scope than it says, or for none, is found."""
    scopes, also, wrong = DOCUMENTED[operation], set(ROWS[operation].get("also", ())), []
    for scope in [*SCOPES, "", "consents:writes Consents:write consents"]:
        consent = subject(ROWS[operation])
        if ROWS[operation].get("blocked"):
            block(cast)
        if ROWS[operation].get("held"):
            held = {"consentId": consent["consentId"], "reason": "court-17"}
            assert cast.tenant.post("/v1/holds", held).status_code == 201
        acting = {"tenant": cast.tenant_url} if scope == "admin" else {}
        token = cast.minter.token(cast.tenant_url, scope, providers=[cast.tenant_url])
        response = perform(cast, operation, consent, token, acting=acting)
        told = response.headers.get("www-authenticate", "")
        refused = response.status_code == 403 and 'error="insufficient_scope"' in told
        asked = also if scope in (scopes or ()) else scopes
        if refused and set(told.partition('scope="')[2].partition('"')[0].split()) != asked:
            wrong.append(f"{scope}: {told}")
        if refused == (not scopes or (scope in scopes and not also)):
            wrong.append(f"{scope}: {response.status_code}")
    assert not wrong, wrong


@pytest.mark.parametrize("operation", [o for o in ROWS if DOCUMENTED[o] is None])
def test_what_needs_no_token_looks_at_none(cast, subject, operation):
    consent = subject(ROWS[operation])
    without = perform(cast, operation, consent, None, request_id="same")
    for token in ("a.b.c", cast.minter.token(cast.tenant_url, "")):
        response = perform(cast, operation, consent, token, request_id="same")
        assert response.status_code == without.status_code
        if operation not in ("GET /metrics",):
            assert response.content == without.content


def question(cast, consent):
    return {
        "subject": {"type": "application", "id": cast.app_url},
        "action": {"name": "read"},
        "resource": {"type": "consent", "id": consent["consentId"]},
    }


def disclosure(consent):
    return {
        "consentId": consent["consentId"],
        "recipient": consent["client"],
        "permissions": ["electricity.import.halfhourly"],
        "resources": ["meter-1"],
        "from": "2026-01-01T00:00Z",
        "to": "2026-06-01T00:00Z",
        "at": NOW,
        "transaction": str(uuid.uuid4()),
    }


def access_request(cast, token):
    """A request that follows a denial to whoever asks; any, for those who may not ask."""
    asked = question(cast, {"consentId": str(uuid.uuid4())})
    asked["resource"]["type"] = "account"
    response = cast.tenant.call("POST", "/access/v1/evaluation", asked, token=token)
    hint = response.json().get("context", {}).get("access_request", {"binding_token": "x" * 32})
    return {**asked, "denial": hint}


def body_of(cast, operation, consent, acting):
    grant = {"grant": bodies.grant(NOW)}
    named = {"consentId": consent["consentId"], **acting}
    return {
        "POST /v1/erasures": {**named, "ground": "objection", "requestId": "dsr-1"},
        "POST /v1/holds": {**named, "reason": "court-17"},
        "POST /v1/consents": bodies.consent(cast.app_url, NOW, account=str(uuid.uuid4())),
        "POST /v1/consents/query": {"arrangementId": consent["arrangementId"]},
        "POST /v1/consents/{id}/grant": {**grant, "account": "granted-later"},
        "POST /v1/consents/{id}/refuse": {"reason": {"code": "refused"}},
        "POST /v1/consents/{id}/revoke": {"reason": {"code": "withdrawn"}},
        "POST /v1/consents/{id}/renew": grant,
        "POST /v1/consents/{id}/tokens": {"tokens": [bodies.token("t", NOW, NOW)]},
        "POST /v1/consents/{id}/proofs": {"proofs": [{"type": "bill"}]},
        "POST /v1/revocations": {"ids": [consent["consentId"]], "reason": {"code": "withdrawn"}},
        "POST /access/v1/evaluation": question(cast, consent),
        "POST /access/v1/evaluations": question(cast, consent),
        "POST /v1/disclosures": disclosure(consent),
        "PUT /v1/blocks": {"client": cast.app_url, "reason": "fraud"},
        "POST /access/v1/search/subject": question(cast, consent),
        "POST /access/v1/search/resource": question(cast, consent),
        "POST /access/v1/search/action": question(cast, consent),
    }.get(operation)


def named_by(cast, operation, consent):
    """What the operation's {id} is: a decision about the consent, its evidence, or the consent."""
    if operation == "GET /evidence/{id}":
        return consent["evidenceId"]
    if operation != "POST /v1/audit/decisions/{id}/replay":
        return consent["consentId"]
    asked = {**question(cast, consent), "context": {"record": True}}
    return cast.tenant.post("/access/v1/evaluation", asked).json()["context"]["decisionId"]


def perform(cast, operation, consent, token, named=None, request_id=None, acting={}):
    """acting: whom an administrator names."""
    method, _, path = operation.partition(" ")
    named = named or named_by(cast, operation, consent)
    path = path.replace("{id}", named)
    path = path.replace("{name}", "not-found").replace("{digest}", consent["policy"]["digest"])
    path = path.replace("{index}", str(consent["logIndex"])).replace("{tile}", "0/000.p/1")
    params = (
        {"arrangementId": consent["arrangementId"]} if operation == "GET /v1/consents" else None
    )
    if path == "/v1/audit/at":
        params = {"time": NOW, "client": cast.app_url, "consentId": consent["consentId"]}
    if path == "/v1/audit/events":
        params = {"consentId": consent["consentId"]}
    if path.startswith("/v1/audit/proofs/"):
        params = {"index": 0} if path.endswith("inclusion") else {"from": 1}
    if path == "/v1/audit/heads":
        params = {"tenant": cast.tenant_url}
    if operation == "DELETE /v1/blocks":
        params = {"client": cast.app_url}
    if path == "/v1/holds" and method != "POST":
        params = dict(acting)
    if operation == "DELETE /v1/holds":
        held = cast.tenant.get("/v1/holds").json()["items"]
        params["logIndex"] = held[-1]["logIndex"]
    headers = {"Idempotency-Key": str(uuid.uuid4())} if method == "POST" else {}
    if request_id is not None:
        headers["X-Request-ID"] = request_id
    body = body_of(cast, operation, consent, acting)
    if operation == "POST /v1/revocations":
        body["ids"] = [named]
    if operation == "POST /access/v1/requests":
        body = access_request(cast, token)
    return cast.tenant.call(method, path, body, token=token, headers=headers, params=params)


@pytest.fixture
def subject(cast):
    """Makes consents of the tenant that name the client, for tests to try things on."""
    count = iter(range(1000))

    def make(row):
        if row.get("state") == "requested":
            return cast.tenant.create(bodies.requested(cast.app_url))
        made = cast.tenant.create(bodies.consent(cast.app_url, NOW, account=f"a{next(count)}"))
        if row.get("ended"):
            cast.tenant.end(made["consentId"])
        return cast.tenant.consent(made["consentId"])

    return make


def block(cast):
    body = {"client": cast.app_url, "reason": "fraud"}
    assert cast.tenant.call("PUT", "/v1/blocks", body).status_code == 200


def blocked(cast, consent):
    """Whether the tenant is denied; lifts what stands in the tenant's list."""
    answer = cast.tenant.post("/access/v1/evaluation", question(cast, consent)).json()
    cast.tenant.call("DELETE", "/v1/blocks", params={"client": cast.app_url})
    return not answer["decision"]


def seen_in(response, consent):
    page = response.json()
    return any(
        consent["consentId"] in (item.get("consentId"), item.get("payload", {}).get("consentId"))
        for item in page["items"]
    )


@pytest.mark.parametrize("operation", ROWS)
def test_each_caller_gets_what_the_table_says(cast, subject, operation):
    row = ROWS[operation]
    wrong = []
    for caller in TABLE["callers"]:
        consent = subject(row)
        if row.get("blocked"):
            block(cast)
        if row.get("held"):
            body = {"consentId": consent["consentId"], "reason": "court-17"}
            assert cast.tenant.post("/v1/holds", body).status_code == 201
        acting = {"tenant": cast.tenant_url} if caller == "admin" else {}
        expected = row["expect"].get(caller, row["expect"].get("else"))
        token = token_of(cast, caller, operation)
        response = perform(cast, operation, consent, token, acting=acting)
        if response.status_code != expected:
            wrong.append(f"{caller}: {response.status_code} instead of {expected}")
        if "acts" in row:
            changed = cast.tenant.consent(consent["consentId"]) != consent
            if changed != (caller in row["acts"]):
                wrong.append(f"{caller}: the consent {'changed' if changed else 'is as it was'}")
        if "permits" in row and response.status_code in (200, 201):
            body = response.json()
            if body.get("decision", body.get("permitted")) != (caller in row["permits"]):
                wrong.append(f"{caller}: {body}")
        if "finds" in row and response.status_code == 200:
            if bool(response.json()["results"]) != (caller in row["finds"]):
                wrong.append(f"{caller}: {response.json()}")
        if "blocks" in row and blocked(cast, consent) != (caller in row["blocks"]):
            wrong.append(f"{caller}: blocked or not, wrongly")
        if "lists" in row and response.status_code == 200:
            if bool(response.json()["items"]) != (caller in row["lists"]):
                wrong.append(f"{caller}: {response.json()}")
        if "sees" in row and response.status_code == 200:
            if seen_in(response, consent) != (caller in row["sees"]):
                wrong.append(f"{caller}: sees it or not, wrongly")
    assert not wrong, wrong


BY_CERTIFICATE = [operation for operation, row in ROWS.items() if "certificates" in row]


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    made = []

    def make(**options):
        made.append(Server(folder / "data", **options).start())
        return made[0]

    folder = tmp_path_factory.mktemp("tenancy")
    yield House(make, folder)
    made[0].stop()


def presentation(operation, token):
    """The refresh token, as the operation takes it."""
    if operation != "POST /ib1/messages":
        form = urllib.parse.urlencode({"token": token}).encode()
        return {"content": form, "headers": {"Content-Type": "application/x-www-form-urlencoded"}}
    registry = "https://registry.trust.ib1.org"
    return {
        "body": {
            "ib1:message": "https://registry.core.trust.ib1.org/trust-framework",
            "subject": f"{registry}/message/withdrawal-of-permission/2025-03-16",
            "body": {"token": token},
        }
    }


@pytest.mark.parametrize("operation", BY_CERTIFICATE)
def test_each_certificate_gets_what_the_table_says(house, operation):
    row, wrong = ROWS[operation], []
    cast = Cast(house.server, house.minter)
    role = f"{bodies.PREFIX}/role/"
    cap, edp = [f"{role}carbon-accounting-provider"], [f"{role}energy-data-provider"]
    shown = {
        "client": (cast.app_url, None, cap),
        "other_client": (cast.other_app_url, None, cap),
        "tenant": (cast.tenant_url, None, edp),
        "roleless": (cast.app_url, None, None),
        "unnamed": (None, None, cap),
    }
    for holder, expected in row["certificates"].items():
        name = f"{operation} {holder}"
        token = bodies.token(name, NOW, NOW)
        made = cast.tenant.create(bodies.consent(cast.app_url, NOW, account=name, tokens=[token]))
        pair = None if holder == "none" else house.ca.client(*shown[holder])
        with Api(house.mutual(pair), house.minter, token=None) as api:
            path = operation.partition(" ")[2]
            response = api.call("POST", path, **presentation(operation, name))
        if response.status_code != expected:
            wrong.append(f"{holder}: {response.status_code} instead of {expected}")
        changed = cast.tenant.consent(made["consentId"]) != made
        if changed != (f"{holder} certificate" in row["acts"]):
            wrong.append(f"{holder}: the consent {'changed' if changed else 'is as it was'}")
    cast.close()
    assert not wrong, wrong


BY_ID = [name for name, row in ROWS.items() if "{id}" in name and not row.get("address")]
STRANGERS = ["other", "other_client", "other_auditor"]


@pytest.mark.parametrize("stranger", STRANGERS)
@pytest.mark.parametrize("operation", BY_ID + ["POST /v1/revocations"])
def test_another_tenants_id_answers_exactly_like_an_unknown_id(cast, subject, operation, stranger):
    consent, token = subject(ROWS[operation]), token_of(cast, stranger)
    known = named_by(cast, operation, consent)
    unknown = known[:-4] + ("0000" if known[-4:] != "0000" else "1111")
    answers = []
    for named in (known, unknown):
        response = perform(cast, operation, consent, token, named, request_id="same")
        content = response.content.replace(named.encode(), b"ID")
        headers = sorted((k, v) for k, v in response.headers.items() if k != "date")
        answers.append((response.status_code, headers, content))
    assert answers[0] == answers[1]
    if stranger != "other_auditor" and operation != "POST /v1/revocations":
        assert answers[0][0] == (403 if "/audit/" in operation else 404)
    assert cast.tenant.consent(consent["consentId"]) == consent


def test_a_stranger_finds_nothing_by_any_filter(cast, subject):
    consent = subject({})
    for filters in (
        {"arrangementId": consent["arrangementId"]},
        {"client": cast.app_url},
        {"provider": cast.tenant_url},
        {"account": consent["account"]},
        {"license": bodies.ENERGY, "client": cast.app_url},
        {},
    ):
        for caller in ("other", "other_client", "other_auditor"):
            page = cast.tenant.get("/v1/consents", params=filters, token=token_of(cast, caller))
            assert page.json() == {"items": []}, (filters, caller)
    audit = cast.tenant.get(
        "/v1/audit/events",
        params={"tenant": cast.tenant_url},
        headers={"Accept": NDJSON},
        token=token_of(cast, "other_auditor"),
    )
    assert audit.text.strip() == ""


def test_an_idempotency_key_belongs_to_its_caller(cast, subject):
    body = bodies.consent(cast.app_url, NOW)
    first = cast.tenant.create(body, key="the-same")
    second = cast.other.create(body, key="the-same")
    assert first["consentId"] != second["consentId"] and second["tenant"] == cast.other_url


def test_a_cursor_of_one_viewer_is_not_valid_for_another(cast, subject):
    for _ in range(2):
        subject({})
    cursor = cast.tenant.get("/v1/consents", params={"limit": 1}).json()["next"]
    for caller in ("other", "client", "everything"):
        response = cast.tenant.get(
            "/v1/consents", params={"limit": 1, "cursor": cursor}, token=token_of(cast, caller)
        )
        assert response.status_code == 400
        assert response.json()["type"].endswith("/invalid-parameter")


def test_what_a_client_sees_holds_nothing_that_is_not_its_own(cast):
    made = cast.tenant.create(
        bodies.consent(
            cast.app_url,
            NOW,
            account="secret-account",
            externalId="secret-external",
            tokens=[bodies.token("secret-token", NOW, NOW)],
            grant=bodies.grant(
                NOW,
                person="secret-person",
                ip="192.0.2.77",
                userAgent="secret-agent",
                proofs=[{"type": "secret-proof"}],
            ),
        )
    )
    path = f"/v1/consents/{made['consentId']}"
    cast.tenant.end(made["consentId"])
    for answer in (
        cast.client.get(path),
        cast.client.get(path + "/events"),
        cast.client.get("/v1/consents"),
        cast.client.call("DELETE", path),
    ):
        assert answer.status_code in (200, 409), answer.text
        for hidden in (
            "secret",
            "192.0.2.77",
            '"by"',
            "proofs",
            "digest",
            "Digest",
            "tokens",
            "userAgent",
            "externalId",
        ):
            assert hidden not in answer.text, (hidden, answer.text)


def test_what_is_depended_on_must_be_seen_when_it_is_granted_and_not_again_when_it_is_renewed(cast):
    """Two applications of one member: only one of them is named by the consent depended on."""
    member = f"{cast.tenant_url}/carbon-accountant"
    named = cast.minter.tenant(cast.app_url, member=member)
    other = cast.minter.tenant(cast.other_app_url, member=member)
    parent = cast.tenant.create(bodies.consent(cast.app_url, NOW))
    body = bodies.consent(
        cast.fsp_url,
        NOW,
        license=bodies.EMISSIONS,
        dependsOn=[[{"arrangementId": parent["arrangementId"]}]],
    )
    refusal = cast.tenant.post("/v1/consents", body, key="k", token=other)
    assert [r["code"] for r in refusal.json()["reasons"]] == ["dependencyNotActive"]
    made = cast.tenant.post("/v1/consents", body, key="k", token=named).json()
    path, grant = f"/v1/consents/{made['consentId']}/renew", {"grant": bodies.grant(NOW)}
    renewed = cast.tenant.post(path, grant, key="k", token=other)
    assert renewed.status_code == 201, renewed.text
    assert renewed.json()["dependsOn"] == body["dependsOn"]
    # An end of what it depends on is an end of it, as ever; then nobody renews it.
    cast.tenant.end(parent["consentId"])
    path = f"/v1/consents/{renewed.json()['consentId']}"
    assert cast.tenant.consent(renewed.json()["consentId"], token=named)["status"] == "terminated"
    assert cast.tenant.post(f"{path}/renew", grant, key="l", token=other).status_code == 409
