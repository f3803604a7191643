# SPDX-License-Identifier: Apache-2.0
"""Every problem of the list, provoked in the real service, exactly as the list says.

PROVED gathers which names were provoked here; the last test demands all of them, but those that
come with the log's own issue and those that only an injected fault can cause (unit tests do).
"""

import json
import pathlib
import re
import resource
import signal
import subprocess
import uuid

import httpx
import jwt
import pytest
import test_tls_roles
from conftest import NOW, NOW_S
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from harness import bodies
from harness.audit import Auditor, read_log
from harness.client import Api, contract, refused
from harness.house import House
from harness.process import logged, metrics
from harness.server import ROOT, Server
from harness.tokens import AUDIENCE, ISSUER, Minter
from harness.wire import Wire, request

INJECTED = {"internal"}
PROVED = set()


def provoke(response, status, problem, pointer=None):
    document = refused(response, status, problem, pointer)
    PROVED.add(problem)
    return document


def listed():
    text = (ROOT / "base" / "status.h").read_text()
    return {name: int(code) for code, name in re.findall(r"X\([A-Z_]+, (\d+), \"([a-z-]+)\"", text)}


@pytest.fixture
def consent(cast):
    return cast.tenant.create(bodies.consent(cast.app_url, NOW))


def path(consent, operation=""):
    return f"/v1/consents/{consent['consentId']}{operation}"


def test_every_problem_has_a_page_and_an_unknown_one_has_none(server, root):
    for name in listed():
        page = root.get(f"/problems/{name}", token=None)
        assert page.status_code == 200 and page.headers["content-type"].startswith("text/html")
        assert name in page.text
    refused(root.get("/problems/no-such-problem", token=None), 404, "not-found")


def test_a_type_is_an_address_that_the_service_itself_serves(cast, server):
    document = provoke(cast.tenant.get(f"/v1/consents/{uuid.uuid4()}"), 404, "not-found")
    assert cast.tenant.get(httpx.URL(document["type"]).path).status_code == 200


def test_malformed_json(cast):
    response = cast.tenant.post(
        "/v1/consents", key="k", content=b"{", headers={"Content-Type": "application/json"}
    )
    provoke(response, 400, "malformed-json")


def test_invalid_body(cast):
    body = bodies.consent(cast.app_url, NOW, maxUses="many")
    provoke(cast.tenant.post("/v1/consents", body, key="k"), 400, "invalid-body", "/maxUses")


def test_unknown_member(cast):
    body = bodies.consent(cast.app_url, NOW, colour="red")
    provoke(cast.tenant.post("/v1/consents", body, key="k"), 400, "unknown-member", "/colour")


def test_invalid_parameter(cast):
    provoke(cast.tenant.get("/v1/consents?limit=501"), 400, "invalid-parameter")


def erasure(consent):
    return {"consentId": consent["consentId"], "ground": "objection", "requestId": "dsr-1"}


def test_legal_hold(cast, consent, watch):
    cast.tenant.end(consent["consentId"])
    held = {"consentId": consent["consentId"], "reason": "court-17"}
    assert cast.tenant.post("/v1/holds", held).status_code == 201
    watch.new()
    provoke(cast.tenant.post("/v1/erasures", erasure(consent)), 409, "legal-hold")
    assert watch.new() == []


def test_erased(cast, consent, watch):
    cast.tenant.end(consent["consentId"])
    personal = {**erasure(consent), "part": "personal"}
    assert cast.tenant.post("/v1/erasures", personal).status_code == 200
    watch.new()
    provoke(cast.tenant.post("/v1/erasures", personal), 410, "erased")
    proofs = {"proofs": [{"type": "bill"}]}
    provoke(cast.tenant.post(path(consent, "/proofs"), proofs), 410, "erased")
    assert watch.new() == []


@pytest.mark.parametrize("operation", ["create", "renew"])
def test_missing_idempotency_key(cast, consent, watch, operation):
    watch.new()
    if operation == "create":
        response = cast.tenant.post("/v1/consents", bodies.consent(cast.app_url, NOW))
    else:
        response = cast.tenant.post(path(consent, "/renew"), {"grant": bodies.grant(NOW)})
    provoke(response, 400, "missing-idempotency-key")
    assert watch.new() == []


def test_unauthenticated_without_a_token_names_no_error(cast):
    response = cast.tenant.get("/v1/consents", token=None)
    provoke(response, 401, "unauthenticated")
    # RFC 6750, 3.1: without credentials no error code is told.
    assert "error=" not in response.headers["www-authenticate"]


OTHER_KEY = ec.generate_private_key(ec.SECP256R1())


def bad_tokens(minter):
    right = minter.claims("https://x.example", "consents:read")
    public = load_pem_private_key(minter.key, None).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = minter.sign(right)
    header, payload, signature = signed.split(".")
    none = jwt.utils.base64url_encode(b'{"alg":"none","typ":"at+jwt"}').decode()

    def changed(**claims):
        return minter.sign({k: v for k, v in {**right, **claims}.items() if v is not None})

    def forged_hmac():
        head = jwt.utils.base64url_encode(
            json.dumps({"alg": "HS256", "typ": "at+jwt", "kid": minter.kid}).encode()
        ).decode()
        import hashlib
        import hmac

        mac = hmac.digest(pem, f"{head}.{payload}".encode(), hashlib.sha256)
        return f"{head}.{payload}." + jwt.utils.base64url_encode(mac).decode()

    return {
        "another key": minter.sign(right, key=OTHER_KEY),
        "no such kid": minter.sign(right, headers={"kid": "nobody"}),
        "HMAC with the public key": forged_hmac(),
        "alg none": f"{none}.{payload}.",
        "two dots": "..",
        "no dots": "token",
        "a changed payload": f"{header}.{payload[:-2]}AA.{signature}",
        "no signature": f"{header}.{payload}.",
        "a padded part": f"{header}.{payload}.{signature}==",
        "expired": changed(iat=NOW_S - 7200, exp=NOW_S - 1),
        "not yet valid": changed(nbf=NOW_S + 61),
        "issued in the future": changed(iat=NOW_S + 61),
        "no exp": changed(exp=None),
        "exp as text": changed(exp=str(NOW_S + 60)),
        "another issuer": changed(iss=ISSUER + "/"),
        "no issuer": changed(iss=None),
        "another audience": changed(aud="somebody"),
        "no audience": changed(aud=None),
        "no client": changed(client_id=None),
        "crit": minter.sign(right, headers={"crit": ["x"], "x": 1}),
        "another type": minter.sign(right, headers={"typ": "dpop+jwt"}),
        "bound by DPoP": changed(cnf={"jkt": "x"}),
        "longer than 8 KiB": changed(padding="x" * 9000),
    }


BAD_TOKENS = [
    "another key",
    "no such kid",
    "HMAC with the public key",
    "alg none",
    "two dots",
    "no dots",
    "a changed payload",
    "no signature",
    "a padded part",
    "expired",
    "not yet valid",
    "issued in the future",
    "no exp",
    "exp as text",
    "another issuer",
    "no issuer",
    "another audience",
    "no audience",
    "no client",
    "crit",
    "another type",
    "bound by DPoP",
    "longer than 8 KiB",
]


@pytest.fixture(scope="module")
def token_server(tmp_path_factory):
    """A server whose clock runs, so that the limit on failures recovers."""
    server = Server(tmp_path_factory.mktemp("tokens") / "data", clock=f"{NOW}x50").start()
    yield server
    server.stop()


def from_address(server, address, data):
    """Asks from another loopback address: failures are counted by peer."""
    with Wire(server, source=address) as wire:
        return wire.ask(data)


@pytest.mark.parametrize("number,case", list(enumerate(BAD_TOKENS)))
def test_unauthenticated_by_a_token_that_is_not_good(server, minter, number, case):
    tokens = bad_tokens(minter)
    assert list(tokens) == BAD_TOKENS
    token = tokens[case]
    answer = from_address(server, f"127.0.1.{number + 1}", request("GET", "/v1/consents", token))
    assert answer.status_code == 401, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"].endswith("/unauthenticated")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    if len(token) > 20:
        assert (
            token not in answer.text
            and token.split(".")[-1] not in server.stderr
            or not token.split(".")[-1]
        )
    contract().check("GET", "/v1/consents", answer)


@pytest.mark.parametrize(
    "header", ["Basic eDp5", "Bearer", "Bearer ", "Bearer a b", "Token x", "Bearer\tx"]
)
def test_unauthenticated_by_a_header_that_is_none(server, header):
    answer = from_address(
        server, "127.0.2.1", request("GET", "/v1/consents", headers=[("Authorization", header)])
    )
    assert answer.status_code == 401
    assert answer.json()["type"].endswith("/unauthenticated")


def test_a_token_in_the_query_is_not_looked_at(server, minter):
    token = minter.tenant("https://x.example")
    answer = from_address(server, "127.0.2.2", request("GET", f"/v1/consents?access_token={token}"))
    assert answer.status_code == 401
    assert token.split(".")[2] not in server.stderr


def test_a_token_within_the_leeway_is_good(server, minter):
    for claims in (
        {"nbf": NOW_S + 59},
        {"iat": NOW_S + 59},
        {"aud": ["x", AUDIENCE]},
        {"scope": None, "scp": ["consents:read"]},
    ):
        token = minter.sign(
            {
                k: v
                for k, v in {
                    **minter.claims("https://x.example", "consents:read"),
                    **claims,
                }.items()
                if v is not None
            }
        )
        with Wire(server) as wire:
            answer = wire.ask(request("GET", "/v1/consents", token))
        assert answer.status_code == 200, (claims, answer.text)


def test_insufficient_scope_names_the_scope(cast):
    token = cast.minter.token(cast.tenant_url, "consents:read")
    response = cast.tenant.post(
        "/v1/consents", bodies.consent(cast.app_url, NOW), key="k", token=token
    )
    provoke(response, 403, "insufficient-scope")
    told = response.headers["www-authenticate"]
    assert 'error="insufficient_scope"' in told and 'scope="consents:write"' in told


def test_method_not_allowed(cast):
    response = cast.tenant.call("PUT", "/v1/consents", {})
    provoke(response, 405, "method-not-allowed")
    assert {"GET", "POST"} <= {m.strip() for m in response.headers["allow"].split(",")}


@pytest.mark.parametrize("where", ["/v1/consents", "/v1/consents/{id}", "/v1/audit/events"])
def test_not_acceptable(cast, consent, where):
    token = cast.minter.auditor(providers=[cast.tenant_url])
    response = cast.tenant.get(
        where.replace("{id}", consent["consentId"]), token=token, headers={"Accept": "text/csv"}
    )
    provoke(response, 406, "not-acceptable")


def test_wrong_state(cast, consent, watch):
    watch.new()
    response = cast.tenant.post(path(consent, "/refuse"), {"reason": {"code": "refused"}})
    provoke(response, 409, "wrong-state")
    assert watch.new() == [] and cast.tenant.consent(consent["consentId"]) == consent


def test_version_mismatch(cast, consent, watch):
    watch.new()
    response = cast.tenant.post(
        path(consent, "/revoke"), {"reason": {"code": "withdrawn"}}, headers={"If-Match": '"7"'}
    )
    provoke(response, 412, "version-mismatch")
    assert watch.new() == [] and cast.tenant.consent(consent["consentId"]) == consent


def test_body_too_large(cast, consent):
    response = cast.tenant.post(
        path(consent, "/revoke"),
        content=b" " * (1024 * 1024 + 1),
        headers={"Content-Type": "application/json"},
    )
    provoke(response, 413, "body-too-large")


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonx",
        "multipart/form-data",
        "",
        None,
    ],
)
def test_unsupported_media_type(cast, consent, watch, kind):
    watch.new()
    headers = {} if kind is None else {"Content-Type": kind}
    response = cast.tenant.post(
        path(consent, "/revoke"), content=b'{"reason":{"code":"fraud"}}', headers=headers
    )
    provoke(response, 415, "unsupported-media-type")
    assert watch.new() == []


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "application/json;charset=UTF-8",
    ],
)
def test_json_is_supported_however_it_is_written(cast, consent, kind):
    response = cast.tenant.post(
        path(consent, "/revoke"),
        content=b'{"reason":{"code":"fraud"}}',
        headers={"Content-Type": kind},
    )
    assert response.status_code == 200, response.text


def test_not_admissible_names_every_clause(cast, watch):
    body = bodies.consent(
        cast.app_url,
        NOW,
        purposes=["green-finance-eligibility"],
        permissions=[{"code": "meter.identity"}],
        dataFrom="2001-01-01T00:00Z",
        expires="2029-01-01T00:00Z",
        grant=bodies.grant(NOW, notice=None),
    )
    problem = provoke(cast.tenant.post("/v1/consents", body, key="k"), 422, "not-admissible")
    assert len(problem["reasons"]) == 5, problem["reasons"]
    for reason in problem["reasons"]:
        assert reason["code"] and reason["clause"]
    assert len({r["code"] for r in problem["reasons"]}) == 5, problem["reasons"]
    assert watch.new() == []
    # Refusals are not remembered: the same key may be used for what is right.
    cast.tenant.create(bodies.consent(cast.app_url, NOW), key="k")


def test_idempotency_mismatch(cast, watch):
    cast.tenant.create(bodies.consent(cast.app_url, NOW), key="k")
    watch.new()
    body = bodies.consent(cast.app_url, NOW, maxUses=3)
    provoke(cast.tenant.post("/v1/consents", body, key="k"), 422, "idempotency-mismatch")
    assert watch.new() == []


def test_rate_limited_after_many_bad_tokens_and_only_that_peer(token_server):
    minter = Minter(token_server.data, NOW_S, lifetime_s=30 * 86_400)
    good, limited = minter.tenant("https://x.example"), None
    for number in range(2000):
        answer = from_address(
            token_server, "127.0.3.1", request("GET", "/v1/consents", f"{good[:-6]}{number:06d}")
        )
        assert answer.status_code in (401, 429), answer.text
        if answer.status_code == 429:
            limited = answer
            break
    assert limited is not None
    assert limited.headers["content-type"] == "application/problem+json"
    assert limited.json()["type"].endswith("/rate-limited") and limited.json()["status"] == 429
    assert int(limited.headers["retry-after"]) > 0
    contract().check("GET", "/v1/consents", limited)
    PROVED.add("rate-limited")
    other = from_address(token_server, "127.0.3.2", request("GET", "/v1/consents", good))
    assert other.status_code == 200


def test_busy_when_more_is_in_flight_than_may_be(tmp_path):
    """The smallest bound of requests in flight: one writes, the others are told to come again."""
    server = Server(
        tmp_path / "data",
        clock=f"{NOW}x0",
        environment={"CONSENTD_IN_FLIGHT": "1", "CONSENTD_IN_FLIGHT_PER_CONNECTION": "1"},
    ).start()
    minter = Minter(server.data, NOW_S)
    app, token = "https://directory.example/app/busy", minter.tenant("https://busy.example")
    busy = None
    for _ in range(50):
        wires = [Wire(server) for _ in range(16)]
        for wire in wires:
            wire.send(
                request(
                    "POST",
                    "/v1/consents",
                    token,
                    bodies.consent(app, NOW),
                    [("Idempotency-Key", str(uuid.uuid4()))],
                )
            )
        answers = [wire.receive() for wire in wires]
        for wire in wires:
            wire.close()
        assert {a.status_code for a in answers} <= {201, 503}
        busy = next((a for a in answers if a.status_code == 503), busy)
        if busy is not None:
            break
    assert busy is not None and busy.json()["type"].endswith("/busy")
    assert int(busy.headers["retry-after"]) >= 1
    contract().check("POST", "/v1/consents", busy)
    PROVED.add("busy")
    server.stop()


def test_storage_full_refuses_consents_and_still_ends_them(tmp_path):
    """A store of a few megabytes: creates are refused while there is still room for endings."""
    server = Server(
        tmp_path / "data", clock=f"{NOW}x0", environment={"CONSENTD_MAP_SIZE": str(8 * 1024 * 1024)}
    ).start()
    minter = Minter(server.data, NOW_S)
    app, token = "https://directory.example/app/full", minter.tenant("https://full.example")
    with Api(server, minter, token) as api:
        made, full = create_until_refused(api, app)
        document = provoke(full, 507, "storage-full")
        assert "account" not in document["detail"]
        assert int(full.headers["retry-after"]) > 0
        contract().check("POST", "/v1/consents", full)
        # Reads go on, and so do endings: each of the consents can still be ended.
        for consent in made[:200]:
            assert api.end(consent["consentId"])["status"] == "revoked"
        assert api.consent(made[-1]["consentId"]) == made[-1]
    server.stop()


def test_a_disk_that_fills_and_is_given_room_says_both(tmp_path):
    shim, small = tmp_path / "small_disk.so", tmp_path / "small"
    source = pathlib.Path(__file__).parent / "faults" / "small_disk.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, source], check=True)
    server = Server(
        tmp_path / "data",
        environment={
            "LD_PRELOAD": str(shim),
            "SMALL_DISK": str(small),
            "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=1:exitcode=99",
        },
    ).start()
    small.touch()
    [full] = logged(server, "store.full")
    assert metrics(server)["consentd_store_full"] == 1
    small.unlink()
    [room] = logged(server, "store.room")
    assert full["bytes_left"] < full["reserve"] == room["reserve"] <= room["bytes_left"]
    assert metrics(server)["consentd_store_full"] == 0
    server.stop()


def limit_files(size):
    """No file of the process may grow past `size`: what a full disk looks like to it."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def create_until_refused(api, app):
    """Consents as answered, and the first answer that is none."""
    made = []
    for number in range(20_000):
        body = bodies.consent(app, NOW, account=f"account-{number}")
        response = api.post("/v1/consents", body, key=f"k{number}", check=False)
        if response.status_code != 201:
            return made, response
        made.append(response.json())
    raise AssertionError("nothing was refused")


def test_a_full_disk_loses_nothing(tmp_path):
    """The map has room but the disk has none. LMDB tells a short write as EIO: then the outcome is
    unknown and the service stops. Either way what was acknowledged stays, and keys resolve it."""
    server = Server(tmp_path / "data", clock=f"{NOW}x0").start()
    minter = Minter(server.data, NOW_S)
    server.stop()
    size = (server.data / "data.mdb").stat().st_size
    server.preexec = lambda: limit_files(size + 512 * 1024)
    server.start()
    app, token = "https://directory.example/app/full", minter.tenant("https://full.example")
    with Api(server, minter, token) as api:
        made, failed = create_until_refused(api, app)
        if failed.status_code == 507:
            refused(failed, 507, "storage-full")
            assert api.consent(made[0]["consentId"]) == made[0]
    if failed.status_code == 507:
        server.stop()
    else:
        refused(failed, 503, "outcome-unknown")
        server.wait_failed()
    server.preexec = None
    server.start()
    with Api(server, minter, token) as api:
        for number in range(len(made) + 1):
            body = bodies.consent(app, NOW, account=f"account-{number}")
            made[number : number + 1] = [api.create(body, key=f"k{number}")]
        assert api.pages("/v1/consents?limit=500") == made
        Auditor().feed(read_log(api, token=minter.auditor()))
    server.stop()


def test_outcome_unknown_ends_the_process_and_the_key_resolves_it(tmp_path):
    """A commit that fails for another reason than space: the answer is 503, the service stops."""
    shim, broken = tmp_path / "broken_disk.so", tmp_path / "broken"
    source = pathlib.Path(__file__).parent / "faults" / "broken_disk.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, source], check=True)
    server = Server(
        tmp_path / "data",
        clock=f"{NOW}x0",
        environment={
            "LD_PRELOAD": str(shim),
            "BROKEN_DISK": str(broken),
            "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=1:exitcode=99",
        },
    ).start()
    minter = Minter(server.data, NOW_S)
    app, token = "https://directory.example/app/broken", minter.tenant("https://broken.example")
    body = bodies.consent(app, NOW, account="account-2")
    with Api(server, minter, token) as api:
        made = api.create(bodies.consent(app, NOW, account="account-1"))
        broken.touch()
        document = provoke(api.post("/v1/consents", body, key="k"), 503, "outcome-unknown")
        assert "account" not in document["detail"]
    server.wait_failed()
    broken.unlink()
    server.start()
    with Api(server, minter, token) as api:
        assert api.consent(made["consentId"]) == made
        # The caller asks again with the same key, twice: one consent, whatever had become of it.
        first, again = (api.post("/v1/consents", body, key="k") for _ in range(2))
        assert first.status_code == 201 and first.content == again.content
        assert again.headers["idempotency-replayed"] == "true"
        assert len(api.pages("/v1/consents")) == 2
    server.stop()


def test_a_certificate_that_is_not_good(new_server, tmp_path):
    house = House(new_server, tmp_path)
    with Api(house.mutual(), house.minter, house.minter.admin()) as api:
        document = provoke(api.get("/v1/consents"), 401, "certificate-refused")
    assert document["cause"] == "no_certificate"


def test_a_caller_in_the_wrong_role(tmp_path):
    house = test_tls_roles.House(tmp_path)
    with house.caller([test_tls_roles.FSP]) as api:
        provoke(test_tls_roles.create(api), 403, "wrong-role")
    house.server.stop()


def test_every_problem_of_the_list_was_provoked(request):
    if request.config.getoption("keyword") or "::" in "".join(request.config.args):
        pytest.skip("only some of the tests were run")
    assert set(listed()) - INJECTED - PROVED == set()


def test_request_ids_are_echoed_or_made(cast):
    made = cast.tenant.get("/v1/consents").headers["x-request-id"]
    assert made and made != cast.tenant.get("/v1/consents").headers["x-request-id"]
    sent = {"X-Request-ID": "mine-1", "x-fapi-interaction-id": str(uuid.uuid4())}
    response = cast.tenant.get(f"/v1/consents/{uuid.uuid4()}", headers=sent)
    assert response.headers["x-request-id"] == "mine-1"
    assert response.headers["x-fapi-interaction-id"] == sent["x-fapi-interaction-id"]
    assert response.json()["instance"].endswith("mine-1")


@pytest.mark.parametrize("sent", ["a" * 300, "a b", "a\tb", "é"])
def test_a_request_id_that_is_no_good_is_replaced(cast, server, sent):
    with Wire(server) as wire:
        answer = wire.ask(request("GET", "/healthz", headers=[("X-Request-ID", sent)]))
    assert answer.status_code == 200 and answer.headers["x-request-id"] != sent


def test_no_log_line_carries_a_token_or_an_account(cast, server, minter):
    account = "very-secret-account"
    body = bodies.consent(cast.app_url, NOW, account=account, maxUses=-1)
    cast.tenant.post("/v1/consents", body, key="k")
    body["maxUses"] = 1
    made = cast.tenant.create(body)
    cast.tenant.get("/v1/consents", params={"account": account})
    assert account not in server.stderr
    assert minter.tenant(cast.tenant_url).split(".")[2] not in server.stderr
    assert made["consentId"] not in server.stderr
    metrics = cast.tenant.get("/metrics").text
    assert account not in metrics and cast.tenant_url not in metrics
