# SPDX-License-Identifier: Apache-2.0
"""Bad input gets the exact problem, changes nothing, and never ends the process.

Each case is one line of the last paragraph of the specification's page on consents. After every
test the whole log is as long as before, the consent in question reads as before, and the same
process answers.
"""

import copy
import json

import pytest
from conftest import NOW
from harness import bodies
from harness.client import refused
from harness.frames import Frames
from harness.wire import Closed, Wire, request

MIB = 1024 * 1024


@pytest.fixture
def unharmed(server, cast, watch):
    """A consent that must be untouched at the end, in a log that must not have grown."""
    consent = cast.tenant.create(bodies.consent(cast.app_url, NOW))
    watch.new()
    process = server.process.pid
    yield consent
    assert watch.new() == []
    assert cast.tenant.consent(consent["consentId"]) == consent
    assert server.alive() and server.process.pid == process


def spoil(document, path, value):
    """A copy with the member at `path` replaced; ... as value removes it."""
    spoiled = copy.deepcopy(document)
    at = spoiled
    *way, last = path
    for step in way:
        at = at[step]
    if value is ...:
        del at[last]
    elif isinstance(at, list) and last == len(at):
        at.append(value)
    else:
        at[last] = value
    return spoiled


def whole(app):
    """A consent with every member that a caller may set."""
    return bodies.consent(
        app,
        NOW,
        account="account-1",
        externalId="external-1",
        provider="https://edp.example/member",
        oauthIssuer="https://edp.example/issuer",
        clientMember="https://cap.example/member",
        onwardRecipients=[],
        purposes=["estimate-emissions"],
        permissions=[
            {
                "code": "electricity.import.halfhourly",
                "resources": ["meter-1"],
                "maxGranularity": "PT30M",
            }
        ],
        principal={"type": "company"},
        dataFrom="2026-01-01T00:00Z",
        dataTo="2026-06-01T00:00Z",
        maxUses=5,
        expires="2026-12-01T00:00:00Z",
        dependsOn=[
            [
                {
                    "external": {
                        "oauthIssuer": "https://x.example/issuer",
                        "tokenDigest": bodies.digest("x"),
                        "expires": "2026-12-01T00:00Z",
                    }
                }
            ]
        ],
        tokens=[bodies.token("t", NOW, "2026-12-01T00:00:00Z")],
        grant=bodies.grant(
            NOW,
            ip="192.0.2.1",
            userAgent="agent",
            appVersion="1.0",
            proofs=[{"type": "bill", "digest": bodies.digest("y"), "at": NOW}],
        ),
    )


def test_the_whole_body_is_right_before_it_is_spoilt(cast):
    cast.tenant.create(whole(cast.app_url))


def pointer(path):
    return "".join(f"/{step}" for step in path)


TEXTS = [
    ("client",),
    ("license",),
    ("account",),
    ("externalId",),
    ("provider",),
    ("oauthIssuer",),
    ("clientMember",),
    ("purposes", 0),
    ("permissions", 0, "code"),
    ("permissions", 0, "resources", 0),
    ("permissions", 0, "maxGranularity"),
    ("dataFrom",),
    ("dataTo",),
    ("expires",),
    ("principal", "type"),
    ("grant", "at"),
    ("grant", "method"),
    ("grant", "by", "ref"),
    ("grant", "by", "authority"),
    ("grant", "notice", "url"),
    ("grant", "notice", "language"),
    ("grant", "notice", "renderedDigest"),
    ("grant", "notice", "shownAt"),
    ("grant", "ip"),
    ("grant", "userAgent"),
    ("grant", "appVersion"),
    ("grant", "proofs", 0, "type"),
    ("grant", "proofs", 0, "digest"),
    ("grant", "proofs", 0, "at"),
    ("tokens", 0, "digest"),
    ("tokens", 0, "issuedAt"),
    ("tokens", 0, "expires"),
    ("dependsOn", 0, 0, "external", "oauthIssuer"),
    ("dependsOn", 0, 0, "external", "tokenDigest"),
    ("dependsOn", 0, 0, "external", "expires"),
]
OTHERS = [
    ("grant",),
    ("grant", "by"),
    ("grant", "notice"),
    ("grant", "proofs"),
    ("purposes",),
    ("permissions",),
    ("permissions", 0),
    ("permissions", 0, "resources"),
    ("principal",),
    ("maxUses",),
    ("dependsOn",),
    ("dependsOn", 0),
    ("dependsOn", 0, 0),
    ("dependsOn", 0, 0, "external"),
    ("tokens",),
    ("tokens", 0),
    ("onwardRecipients",),
    ("grant", "proofs", 0),
]


@pytest.mark.parametrize("path", TEXTS + OTHERS, ids=pointer)
@pytest.mark.parametrize("value", [None, True, 7.5], ids=["null", "true", "7.5"])
def test_a_member_of_the_wrong_type_is_refused_by_its_pointer(cast, unharmed, path, value):
    response = cast.tenant.post("/v1/consents", spoil(whole(cast.app_url), path, value), key="k")
    refused(response, 400, "invalid-body", pointer(path))


@pytest.mark.parametrize("path", TEXTS, ids=pointer)
def test_an_empty_text_is_refused_by_its_pointer(cast, unharmed, path):
    response = cast.tenant.post("/v1/consents", spoil(whole(cast.app_url), path, ""), key="k")
    refused(response, 400, "invalid-body", pointer(path))


@pytest.mark.parametrize("path", TEXTS, ids=pointer)
def test_a_text_with_a_nul_is_refused(cast, unharmed, path):
    document = whole(cast.app_url)
    at = document
    for step in path:
        at = at[step]
    response = cast.tenant.post("/v1/consents", spoil(document, path, at + "\0"), key="k")
    refused(response, 400, "malformed-json")


REQUIRED = [
    ("client",),
    ("license",),
    ("account",),
    ("grant", "at"),
    ("grant", "method"),
    ("grant", "by"),
    ("grant", "by", "ref"),
    ("grant", "by", "authority"),
    ("permissions", 0, "code"),
    ("grant", "notice", "url"),
    ("grant", "notice", "language"),
    ("grant", "proofs", 0, "type"),
    ("tokens", 0, "digest"),
    ("tokens", 0, "issuedAt"),
    ("tokens", 0, "expires"),
    ("principal", "type"),
    ("dependsOn", 0, 0, "external", "oauthIssuer"),
    ("dependsOn", 0, 0, "external", "tokenDigest"),
    ("dependsOn", 0, 0, "external", "expires"),
]


@pytest.mark.parametrize("path", REQUIRED, ids=pointer)
def test_a_missing_member_is_refused_by_its_pointer(cast, unharmed, path):
    response = cast.tenant.post("/v1/consents", spoil(whole(cast.app_url), path, ...), key="k")
    refused(response, 400, "invalid-body", pointer(path))


OBJECTS = [
    (),
    ("grant",),
    ("grant", "by"),
    ("grant", "notice"),
    ("grant", "proofs", 0),
    ("permissions", 0),
    ("principal",),
    ("tokens", 0),
    ("dependsOn", 0, 0),
    ("dependsOn", 0, 0, "external"),
]


@pytest.mark.parametrize("path", OBJECTS, ids=pointer)
def test_an_unknown_member_is_refused_by_its_pointer(cast, unharmed, path):
    spoiled = spoil(whole(cast.app_url), path + ("surprise",), 1)
    response = cast.tenant.post("/v1/consents", spoiled, key="k")
    refused(response, 400, "unknown-member", pointer(path + ("surprise",)))


def url(size):
    return "https://x.example/" + "u" * (size - 18)


# path, a value as long as may be, one that is longer by one
LONGEST = [
    (("client",), url(256), url(257)),
    (("license",), url(256), url(257)),
    (("provider",), url(256), url(257)),
    (("oauthIssuer",), url(256), url(257)),
    (("account",), "a" * 128, "a" * 129),
    (("account",), "é" * 64, "é" * 64 + "a"),
    (("externalId",), "e" * 128, "e" * 129),
    (("permissions", 0, "resources", 0), "r" * 128, "r" * 129),
    (("grant", "userAgent"), "u" * 1024, "u" * 1025),
    (("permissions", 0, "resources"), [f"m{n}" for n in range(64)], [f"m{n}" for n in range(65)]),
    (("onwardRecipients",), [url(30 + n) for n in range(16)], [url(30 + n) for n in range(17)]),
    (
        ("tokens",),
        [bodies.token(str(n), NOW, NOW) for n in range(16)],
        [bodies.token(str(n), NOW, NOW) for n in range(17)],
    ),
    (
        ("grant", "proofs"),
        [{"type": f"p{n}"} for n in range(16)],
        [{"type": f"p{n}"} for n in range(17)],
    ),
    (
        ("grant", "notice", "substitutions"),
        {f"[p{n}]": "v" for n in range(32)},
        {f"[p{n}]": "v" for n in range(33)},
    ),
    (("dependsOn",), whole("x")["dependsOn"] * 8, whole("x")["dependsOn"] * 9),
    (("dependsOn", 0), whole("x")["dependsOn"][0] * 16, whole("x")["dependsOn"][0] * 17),
    (("maxUses",), 4294967295, 4294967296),
]


@pytest.mark.parametrize(
    "path,longest,too_long",
    LONGEST,
    ids=[f"{pointer(p)}-{n}" for n, (p, _, _) in enumerate(LONGEST)],
)
def test_one_too_many_is_refused_and_one_less_is_read(
    cast, unharmed, watch, path, longest, too_long
):
    document = whole(cast.app_url)
    response = cast.tenant.post("/v1/consents", spoil(document, path, too_long), key="k")
    problem = refused(response, 400, "invalid-body")
    assert problem["errors"][0]["pointer"].startswith(pointer(path)), problem
    assert watch.new() == []
    response = cast.tenant.post("/v1/consents", spoil(document, path, longest), key="k")
    # The policy may not admit it; but it was read.
    assert response.status_code in (201, 422), response.text
    watch.new()


NUMBERS = [-1, 0, 1.5, 10**20, -(10**20)]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_out_of_range_is_refused(cast, unharmed, number):
    response = cast.tenant.post(
        "/v1/consents", spoil(whole(cast.app_url), ("maxUses",), number), key="k"
    )
    name = "malformed-json" if abs(number) >= 2**63 else "invalid-body"
    refused(response, 400, name, None if name == "malformed-json" else "/maxUses")


TIMES = [
    "2026-06-15",
    "2026-06-15T12:00:00",
    "2026-06-15T12:00:00+00:00",
    "2026-06-15t12:00:00Z",
    "2026-02-30T12:00:00Z",
    "2026-06-15T24:00:00Z",
    "2026-06-15T12:60Z",
    "0000-01-01T00:00Z",
    "10000-01-01T00:00Z",
    "2026-06-15T12:00:61Z",
    "yesterday",
    " 2026-06-15T12:00Z",
]


@pytest.mark.parametrize("text", TIMES)
def test_a_time_that_is_none_is_refused(cast, unharmed, text):
    response = cast.tenant.post(
        "/v1/consents", spoil(whole(cast.app_url), ("grant", "at"), text), key="k"
    )
    refused(response, 400, "invalid-body", "/grant/at")


RAW = {
    "an empty body": (b"", "malformed-json"),
    "no JSON": (b"consent please", "malformed-json"),
    "half of a document": (b'{"client":"https://x.example"', "malformed-json"),
    "two documents": (b"{}{}", "malformed-json"),
    "something behind it": (b"{} x", "malformed-json"),
    "an array": (b"[]", "invalid-body"),
    "a text": (b'"consent"', "invalid-body"),
    "null": (b"null", "invalid-body"),
    "bytes that are no UTF-8": (b'{"client":"\xff\xfe"}', "malformed-json"),
    "an overlong NUL": (b'{"client":"\xc0\x80"}', "malformed-json"),
    "a lone surrogate": (b'{"client":"\\ud800"}', "malformed-json"),
    "Latin-1": ('{"client":"café"}'.encode("latin-1"), "malformed-json"),
    "UTF-16": ('{"client":"x"}'.encode("utf-16"), "malformed-json"),
    "a byte order mark": (b"\xef\xbb\xbf{}", "malformed-json"),
    "a raw NUL": (b'{"client":"a\0b"}', "malformed-json"),
    "a NUL behind it": (b"{}\0", "malformed-json"),
    "an escaped NUL": (b'{"client":"a\\u0000b"}', "malformed-json"),
    "a control character": (b'{"client":"a\nb"}', "malformed-json"),
    "the same member twice": (
        b'{"client":"https://a.example","client":"https://a.example"}',
        "malformed-json",
    ),
    "the same member twice, deep": (b'{"grant":{"by":{"ref":"a","ref":"b"}}}', "malformed-json"),
    "the same member twice, escaped": (b'{"client":"x","cl\\u0069ent":"x"}', "malformed-json"),
    "17 levels": (b'{"a":' * 17 + b"1" + b"}" * 17, "malformed-json"),
    "100,000 levels": (b"[" * 100_000, "malformed-json"),
    "100,000 closed levels": (b"[" * 100_000 + b"]" * 100_000, "malformed-json"),
    "a number beyond all": (b'{"maxUses":1e999}', "malformed-json"),
    "a number too long": (b'{"maxUses":' + b"9" * 5000 + b"}", "malformed-json"),
    "not a number": (b'{"maxUses":NaN}', "malformed-json"),
    "a leading zero": (b'{"maxUses":01}', "malformed-json"),
    "a comment": (b"{} // nothing", "malformed-json"),
    "single quotes": (b"{'client':'x'}", "malformed-json"),
}
WRITES = [
    "/v1/consents",
    "/v1/consents/{id}/grant",
    "/v1/consents/{id}/refuse",
    "/v1/consents/{id}/revoke",
    "/v1/consents/{id}/renew",
    "/v1/consents/{id}/tokens",
    "/v1/consents/{id}/proofs",
    "/v1/revocations",
    "/v1/consents/query",
]


@pytest.mark.parametrize("case", RAW)
def test_a_body_that_is_no_good_json_is_refused_everywhere(cast, unharmed, case):
    content, name = RAW[case]
    for path in WRITES:
        response = cast.tenant.post(
            path.replace("{id}", unharmed["consentId"]),
            key="k",
            content=content,
            headers={"Content-Type": "application/json"},
        )
        refused(response, 400, name)


def padded(size):
    """A JSON document of exactly `size` bytes: a right one with blanks."""
    content = json.dumps({"reason": {"code": "refused"}}).encode()
    return content + b" " * (size - len(content))


def test_a_body_of_one_mebibyte_is_read_and_one_byte_more_is_refused(cast, unharmed):
    path = f"/v1/consents/{unharmed['consentId']}/refuse"
    headers = {"Content-Type": "application/json"}
    response = cast.tenant.post(path, content=padded(MIB), headers=headers)
    refused(response, 409, "wrong-state")
    response = cast.tenant.post(path, content=padded(MIB + 1), headers=headers)
    refused(response, 413, "body-too-large")
    response = cast.tenant.post(path, content=padded(4 * MIB), headers=headers)
    refused(response, 413, "body-too-large")


def test_the_same_over_http2(server, cast, unharmed, minter):
    token = minter.tenant(cast.tenant_url)
    path = f"/v1/consents/{unharmed['consentId']}/refuse"
    from harness.client import Api

    with Api(server, minter, token, http2=True) as api:
        headers = {"Content-Type": "application/json"}
        refused(api.post(path, content=padded(MIB + 1), headers=headers), 413, "body-too-large")
        response = api.post(path, content=padded(MIB), headers=headers)
        assert response.http_version == "HTTP/2"
        refused(response, 409, "wrong-state")


def test_one_byte_past_four_mebibytes_is_refused_or_closes_the_connection(
    server, cast, unharmed, minter
):
    path = f"/v1/consents/{unharmed['consentId']}/revoke"
    with Wire(server) as wire:
        try:
            answer = wire.ask(
                request("POST", path, minter.tenant(cast.tenant_url), padded(4 * MIB + 1))
            )
            assert answer.status_code == 413
        except (Closed, ConnectionError):
            pass


def head(path, cast, minter, *more):
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: x",
        f"Authorization: Bearer {minter.tenant(cast.tenant_url)}",
        "Content-Type: application/json",
        "Idempotency-Key: k",
        *more,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def test_a_body_that_never_ends_holds_nobody_up(server, cast, unharmed, minter):
    path = f"/v1/consents/{unharmed['consentId']}/revoke"
    with Wire(server) as by_length, Wire(server) as by_chunks:
        by_length.send(head(path, cast, minter, "Content-Length: 1000"))
        by_length.send(b'{"reason":')
        by_chunks.send(head(path, cast, minter, "Transfer-Encoding: chunked"))
        by_chunks.send(b'5\r\n{"rea\r\n')
        assert cast.tenant.consent(unharmed["consentId"]) == unharmed
        # A chunked body without end is refused when it has grown too large.
        try:
            for _ in range(100):
                by_chunks.send(b"10000\r\n" + b" " * 65536 + b"\r\n")
            assert by_chunks.receive().status_code == 413
        except (Closed, ConnectionError):
            pass


def test_a_caller_that_leaves_in_the_middle_changes_nothing(server, cast, unharmed, minter):
    path = f"/v1/consents/{unharmed['consentId']}/revoke"
    for sent in (b"", b"{", b'{"reason":{"code":"withdrawn"}'):
        with Wire(server) as wire:
            wire.send(head(path, cast, minter, "Content-Length: 31") + sent)


FRAMINGS = {
    "a length that is none": ["Content-Length: many"],
    "a negative length": ["Content-Length: -1"],
    "a length beyond all": ["Content-Length: 99999999999999999999999999"],
    "a chunk size that is none": ["Transfer-Encoding: chunked"],
}


@pytest.mark.parametrize("case", FRAMINGS)
def test_wrong_framing_is_refused_and_closes_the_connection(server, cast, unharmed, minter, case):
    path = f"/v1/consents/{unharmed['consentId']}/revoke"
    with Wire(server) as wire:
        wire.send(head(path, cast, minter, *FRAMINGS[case]) + b"zz\r\n{}\r\n")
        answer = wire.receive()
        assert answer.status_code == 400, answer.text
        assert answer.json()["type"].endswith("/invalid-parameter")
        assert wire.at_end()


PATHS = [
    "/v1/consents/%00",
    "/v1/consents/%2e%2e/%2e%2e/healthz",
    "/v1/consents/..%2fconsents",
    "/v1/consents/%",
    "/v1/consents/%zz",
    "/v1/consents/%c0%80",
    "/v1/consents/%ff",
    "/v1%2fconsents",
    "/v1/consents/{id}%00",
    "/v1/consents/{id}%2fevents",
    "/v1/consents/{id}/%65vents/x",
    "/v1/consents/{id}/",
    "//v1//consents",
    "/v1/consents/{id}.",
    "/v1/consents/{ID}x",
    "/v1/consents/" + "a" * 3000,
    "/problems/%2e%2e",
    "/problems/nothing",
    "/V1/consents",
    "/v1/consents;x=1",
    "/v1/consents/{id};x",
    "/\\v1\\consents",
]


@pytest.mark.parametrize("path", PATHS)
def test_tricks_in_the_path_find_nothing(server, cast, unharmed, minter, path):
    path = path.replace("{id}", unharmed["consentId"]).replace("{ID}", unharmed["consentId"])
    with Wire(server) as wire:
        answer = wire.ask(request("GET", path, minter.tenant(cast.tenant_url)))
    assert answer.status_code == 404, (answer.status_code, answer.content)
    assert answer.json()["type"].endswith("/not-found")
    assert "a" * 100 not in answer.text and "%" not in answer.json()["detail"]


def test_a_percent_encoded_id_is_the_same_resource(server, cast, unharmed, minter):
    encoded = "".join(f"%{ord(c):02x}" for c in unharmed["consentId"])
    with Wire(server) as wire:
        answer = wire.ask(request("GET", f"/v1/consents/{encoded}", minter.tenant(cast.tenant_url)))
    assert answer.status_code == 200 and answer.json() == unharmed  # RFC 3986, 6.2.2.2


@pytest.mark.parametrize(
    "method", ["BREW", "PATCH", "PUT", "TRACE", "OPTIONS", "get", "G" * 500, "CONNECT"]
)
def test_a_method_that_is_not_there_is_refused(server, cast, unharmed, minter, method):
    path, token = f"/v1/consents/{unharmed['consentId']}", minter.tenant(cast.tenant_url)
    with Wire(server) as wire:
        answer = wire.ask(request(method, path, token))
    assert answer.status_code == 405, answer.text
    assert answer.json()["type"].endswith("/method-not-allowed")
    assert {"GET", "DELETE"} <= {m.strip() for m in answer.headers["allow"].split(",")}


def test_bytes_that_are_no_http_are_refused_or_close_the_connection(server, unharmed):
    for data in (
        b"\0" * 64 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00" + b"\1" * 100 + b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"A" * 100_000,
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
    ):
        with Wire(server) as wire:
            try:
                wire.send(data)
                assert wire.receive().status_code >= 400
            except (Closed, ConnectionError):
                pass
            except TimeoutError:
                pytest.fail("the connection was kept open")


HEADERS = [
    ("If-Match", "3", 400, "invalid-parameter"),
    ("If-Match", '"x"', 412, "version-mismatch"),
    ("If-Match", '"1', 400, "invalid-parameter"),
    ("If-Match", '"99999999999"', 412, "version-mismatch"),
    ("If-Match", '"1-nothing"', 412, "version-mismatch"),
    ("If-Match", 'W/"1"', 412, "version-mismatch"),
    ("Idempotency-Key", "", 400, "missing-idempotency-key"),
    ("Idempotency-Key", "k" * 129, 400, "invalid-parameter"),
    ("Idempotency-Key", '"k', 400, "invalid-parameter"),
    ("Idempotency-Key", "a b", 400, "invalid-parameter"),
    ("Idempotency-Key", "ké", 400, "invalid-parameter"),
]


@pytest.mark.parametrize("name,value,status,problem", HEADERS)
def test_a_header_that_is_no_good_is_refused(
    server, cast, unharmed, minter, name, value, status, problem
):
    token, consent_id = minter.tenant(cast.tenant_url), unharmed["consentId"]
    if name == "If-Match":
        data = request(
            "POST",
            f"/v1/consents/{consent_id}/revoke",
            token,
            {"reason": {"code": "withdrawn"}},
            [(name, value)],
        )
    else:
        data = request(
            "POST", "/v1/consents", token, bodies.consent(cast.app_url, NOW), [(name, value)]
        )
    with Wire(server) as wire:
        answer = wire.ask(data)
    assert answer.status_code == status, answer.text
    assert answer.json()["type"].endswith(f"/{problem}")


PARAMETERS = [
    "limit=0",
    "limit=501",
    "limit=-1",
    "limit=x",
    "limit=",
    "limit=1&limit=2",
    "status=nothing",
    "status=",
    "arrangementId=1",
    "grantedFrom=yesterday",
    "unknown=1",
    "client=",
    "client=" + "u" * 257,
    "account=" + "a" * 129,
    "cursor=nothing",
    "cursor=",
    "cursor=" + "A" * 22,
    "cursor=" + "A" * 65,
    "externalId=%00",
    "account=%ff",
    "account=%zz",
    "account=%",
    "client=a&client=b",
    "=1",
    "&&&x",
]


@pytest.mark.parametrize("query", PARAMETERS)
def test_a_parameter_that_is_no_good_is_refused(server, cast, unharmed, minter, query):
    with Wire(server) as wire:
        answer = wire.ask(request("GET", f"/v1/consents?{query}", minter.tenant(cast.tenant_url)))
    assert answer.status_code == 400, answer.text
    assert answer.json()["type"].endswith("/invalid-parameter")


QUERY_BODIES = [
    ({"limit": 0}, "/limit"),
    ({"limit": 501}, "/limit"),
    ({"limit": "5"}, "/limit"),
    ({"status": "active"}, "/status"),
    ({"status": ["nothing"]}, "/status/0"),
    ({"arrangementId": "1"}, "/arrangementId"),
    ({"grantedFrom": 1}, "/grantedFrom"),
    ({"client": None}, "/client"),
    ({"account": "a" * 129}, "/account"),
    ({"cursor": "x"}, "/cursor"),
]


@pytest.mark.parametrize("body,where", QUERY_BODIES)
def test_a_query_body_that_is_no_good_is_refused(cast, unharmed, body, where):
    refused(cast.tenant.post("/v1/consents/query", body), 400, "invalid-body", where)


def test_a_query_body_with_an_unknown_member_is_refused(cast, unharmed):
    refused(
        cast.tenant.post("/v1/consents/query", {"colour": "red"}), 400, "unknown-member", "/colour"
    )


# operation, body, problem, pointer
OPERATIONS = [
    ("revoke", {}, "invalid-body", "/reason"),
    ("revoke", {"reason": "withdrawn"}, "invalid-body", "/reason"),
    ("revoke", {"reason": {}}, "invalid-body", "/reason/code"),
    ("revoke", {"reason": {"code": "boredom"}}, "invalid-body", "/reason/code"),
    ("revoke", {"reason": {"code": "expired"}}, "invalid-body", "/reason/code"),
    ("revoke", {"reason": {"code": "superseded"}}, "invalid-body", "/reason/code"),
    ("revoke", {"reason": {"code": "refused"}}, "invalid-body", "/reason/code"),
    (
        "revoke",
        {"reason": {"code": "withdrawn", "text": "t" * 1025}},
        "invalid-body",
        "/reason/text",
    ),
    (
        "revoke",
        {"reason": {"code": "withdrawn", "by": {"role": "system"}}},
        "invalid-body",
        "/reason/by/role",
    ),
    (
        "revoke",
        {"reason": {"code": "withdrawn", "by": {"role": "nobody"}}},
        "invalid-body",
        "/reason/by/role",
    ),
    ("revoke", {"reason": {"code": "withdrawn", "by": {}}}, "invalid-body", "/reason/by/role"),
    ("revoke", {"reason": {"code": "withdrawn"}, "x": 1}, "unknown-member", "/x"),
    ("revoke", {"reason": {"code": "withdrawn", "x": 1}}, "unknown-member", "/reason/x"),
    ("refuse", {"reason": {"code": "withdrawn"}}, "invalid-body", "/reason/code"),
    ("tokens", {}, "invalid-body", "/tokens"),
    ("tokens", {"tokens": []}, "invalid-body", "/tokens"),
    (
        "tokens",
        {"tokens": [{"digest": "ab", "issuedAt": NOW, "expires": NOW}]},
        "invalid-body",
        "/tokens/0/digest",
    ),
    (
        "tokens",
        {"tokens": [{"digest": "!" * 43, "issuedAt": NOW, "expires": NOW}]},
        "invalid-body",
        "/tokens/0/digest",
    ),
    (
        "tokens",
        {"tokens": [bodies.token(str(n), NOW, NOW) for n in range(17)]},
        "invalid-body",
        "/tokens",
    ),
    ("proofs", {}, "invalid-body", "/proofs"),
    ("proofs", {"proofs": []}, "invalid-body", "/proofs"),
    ("proofs", {"proofs": [{}]}, "invalid-body", "/proofs/0/type"),
    ("proofs", {"proofs": [{"type": "p"}] * 17}, "invalid-body", "/proofs"),
    ("renew", {}, "invalid-body", "/grant"),
    ("renew", {"grant": bodies.grant(NOW), "account": "other"}, "unknown-member", "/account"),
    ("grant", {"account": "a"}, "invalid-body", "/grant"),
    ("grant", {"account": 5, "grant": bodies.grant(NOW)}, "invalid-body", "/account"),
    ("grant", {"account": "a", "grant": bodies.grant(NOW), "x": 1}, "unknown-member", "/x"),
    ("grant", {"account": "a", "grant": {}}, "invalid-body", "/grant/at"),
]


@pytest.mark.parametrize("operation,body,problem,where", OPERATIONS)
def test_a_wrong_body_of_an_operation_is_refused(
    cast, unharmed, watch, operation, body, problem, where
):
    consent = unharmed
    if operation == "grant":
        consent = cast.tenant.create(bodies.requested(cast.app_url))
        watch.new()
    response = cast.tenant.post(f"/v1/consents/{consent['consentId']}/{operation}", body, key="k")
    refused(response, 400, problem, where)
    assert cast.tenant.consent(consent["consentId"]) == consent


BULK = [
    ({"reason": {"code": "fraud"}}, "invalid-body", None),
    ({"client": "https://x.example"}, "invalid-body", "/reason"),
    ({"ids": [], "reason": {"code": "fraud"}}, "invalid-body", "/ids"),
    ({"ids": ["x"], "reason": {"code": "fraud"}}, "invalid-body", "/ids/0"),
    (
        {"ids": ["019e0000-0000-7000-8000-000000000000"] * 1001, "reason": {"code": "fraud"}},
        "invalid-body",
        "/ids",
    ),
    ({"client": "", "reason": {"code": "fraud"}}, "invalid-body", "/client"),
    (
        {"client": "https://x.example", "reason": {"code": "refused"}},
        "invalid-body",
        "/reason/code",
    ),
    ({"tenant": "https://x.example", "reason": {"code": "fraud"}}, "unknown-member", "/tenant"),
]


@pytest.mark.parametrize("body,problem,where", BULK)
def test_a_wrong_bulk_revocation_is_refused(cast, unharmed, body, problem, where):
    refused(cast.tenant.post("/v1/revocations", body), 400, problem, where)


def test_resets_of_streams_change_nothing_that_was_not_committed(server, cast, minter, watch):
    """Every request is reset while it is on its way, at the writer, or just answered."""
    token = minter.tenant(cast.tenant_url)
    sent = 0
    for _ in range(12):
        with Frames(server) as frames:
            for _ in range(20):
                body = json.dumps(bodies.consent(cast.app_url, NOW, account=f"r{sent}")).encode()
                stream = frames.open(
                    "POST", "/v1/consents", token, body, [("idempotency-key", f"reset-{sent}")]
                )
                sent += 1
                if sent % 3 != 0:
                    frames.flush()
                frames.reset(stream)
                try:
                    frames.flush()
                except OSError:
                    break
    with Wire(server) as wire:  # a write behind all of them in the queue
        wire.ask(
            request(
                "POST",
                "/v1/consents",
                token,
                bodies.consent(cast.app_url, NOW),
                [("Idempotency-Key", "behind")],
            )
        )
    for entry in watch.new():
        assert entry["event"] == "consent.granted"
    for number in range(sent):  # each happened once or not at all; its key tells
        body = bodies.consent(cast.app_url, NOW, account=f"r{number}")
        assert cast.tenant.create(body, key=f"reset-{number}")["status"] == "active"
    made = cast.tenant.pages("/v1/consents", params={"limit": 500})
    assert len(made) == sent + 1 and {c["status"] for c in made} == {"active"}


def test_a_flood_of_resets_closes_the_connection(server, cast, unharmed, minter):
    token = minter.tenant(cast.tenant_url)
    with Frames(server) as frames:
        try:
            for _ in range(200):
                for _ in range(50):
                    frames.reset(frames.open("GET", f"/v1/consents/{unharmed['consentId']}", token))
                frames.flush()
            while not frames.closed:
                frames.events()
        except OSError:
            frames.closed = True
        assert frames.closed


def test_frames_that_are_no_http2_close_the_connection(server, unharmed):
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    for data in (
        b"\xff" * 100,
        b"\0\0\4\0\0\0\0\0\0abcd",
        b"\xff\xff\xff\1\4\0\0\0\1" + b"x" * 100,
        b"\0\0\0\4\0\0\0\0\0" + b"\0\0\5\1\5\0\0\0\1\xff\xff\xff\xff\xff",
    ):
        with Wire(server) as wire:
            wire.send(preface + data)
            assert wire.at_end()


@pytest.mark.parametrize("name", ["\u00d7\u00f8\u009b", "a b", "caf\u00e9", "\u007f"])
def test_a_tenants_name_is_of_visible_ascii(cast, root, name):
    """It stands in the signed text of a head, and in the store's keys."""
    refused(root.get("/v1/audit/heads", params={"tenant": name}), 400, "invalid-parameter")
    hold = {"tenant": name, "account": "account-1", "reason": "court-17"}
    refused(cast.admin.post("/v1/holds", hold), 400, "invalid-body", "/tenant")
