# SPDX-License-Identifier: Apache-2.0
"""HTTP as the service speaks it: connections, both protocols, headers every answer has, framing."""

import base64
import json

import pytest
from harness.frames import Frames
from harness.process import metrics, until
from harness.wire import Wire, request

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def test_a_connection_serves_one_request_after_the_other(server):
    with Wire(server) as wire:
        for path in ("/healthz", "/version", "/nowhere", "/healthz"):
            answer = wire.ask(request("GET", path))
            assert answer.status_code == (404 if path == "/nowhere" else 200)
            assert answer.headers["connection"] == "keep-alive"


def test_pipelined_requests_are_answered_in_order(server):
    paths = ["/healthz", "/version", "/nowhere"] * 20
    with Wire(server) as wire:
        answers = wire.ask_many([request("GET", path) for path in paths], window=60)
    for path, answer in zip(paths, answers, strict=True):
        if path == "/nowhere":
            assert answer.status_code == 404
        else:
            assert answer.json() == ({"status": "ok"} if path == "/healthz" else answer.json())
            assert ("version" in answer.json()) == (path == "/version")


@pytest.mark.parametrize("version,headers", [("1.1", [("Connection", "close")]), ("1.0", [])])
def test_a_connection_that_is_not_to_be_kept_is_closed(server, version, headers):
    data = request("GET", "/healthz", headers=headers).replace(
        b"HTTP/1.1", f"HTTP/{version}".encode()
    )
    with Wire(server) as wire:
        assert wire.ask(data).json() == {"status": "ok"}
        assert wire.at_end()


def test_http2_serves_many_streams_at_once(server):
    with Frames(server) as frames:
        streams = [frames.open("GET", "/version") for _ in range(50)]
        frames.flush()
        ended = set()
        while len(ended) < 50:
            for event in frames.events():
                if type(event).__name__ == "StreamEnded":
                    ended.add(event.stream_id)
        assert ended == set(streams) and not frames.closed


def upgrade():
    settings = base64.urlsafe_b64encode(b"\0\3\0\0\0\x64").rstrip(b"=").decode()
    return request(
        "GET",
        "/healthz",
        headers=[
            ("Connection", "Upgrade, HTTP2-Settings"),
            ("Upgrade", "h2c"),
            ("HTTP2-Settings", settings),
        ],
    )


def test_http2_can_be_asked_for_by_upgrade_and_switched_off(server, new_server):
    with Wire(server) as wire:
        wire.send(upgrade())
        assert wire._line().startswith(b"HTTP/1.1 101")
    plain = new_server(environment={"CONSENTD_HTTP2": "false"})
    with Wire(plain) as wire:
        assert wire.ask(upgrade()).json() == {"status": "ok"}
    with Wire(plain) as wire:
        wire.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert wire.receive().status_code == 400
        assert wire.at_end()


@pytest.mark.parametrize("path", ["/healthz", "/openapi.yaml", "/nowhere", "/v1/policy"])
def test_head_is_get_without_its_body(server, minter, path):
    token = minter.tenant("https://directory.example/head")
    with Wire(server) as wire:
        full = wire.ask(request("GET", path, token))
        wire.send(request("HEAD", path, token))
        bare = wire.receive(head=True)
        assert wire.ask(request("GET", "/healthz")).json() == {"status": "ok"}
    for volatile in ("x-request-id", "date"):
        full.headers.pop(volatile), bare.headers.pop(volatile)
    if full.status_code == 404:  # the problem names the request
        full.headers.pop("content-length"), bare.headers.pop("content-length")
    assert (bare.status_code, bare.headers) == (full.status_code, full.headers)
    with Frames(server) as frames:
        stream = frames.open("HEAD", path, token)
        frames.flush()
        status, _, body = frames.answer(stream)
        assert (status, body) == (full.status_code, b"")


def test_head_of_a_stream_sends_nothing_of_it(server, minter, cast):
    headers = [("Accept", "application/x-ndjson")]
    with Wire(server) as wire:
        wire.send(request("HEAD", "/v1/audit/events", minter.auditor(), headers=headers))
        assert wire.receive(head=True).status_code == 200
        assert wire.ask(request("GET", "/healthz")).json() == {"status": "ok"}
    with Frames(server) as frames:
        stream = frames.open(
            "HEAD",
            "/v1/audit/events",
            minter.auditor(),
            headers=[("accept", "application/x-ndjson")],
        )
        frames.flush()
        assert frames.answer(stream)[0::2] == (200, b"")


ANSWERS = [
    ("GET", "/healthz", b"", 200),
    ("GET", "/nowhere", b"", 404),
    ("GET", "/v1/consents", b"", 401),
    ("PATCH", "/v1/consents", b"", 405),
    ("POST", "/v1/consents", b"Content-Length: many\r\n", 400),
    ("POST", "/v1/consents", b"Content-Length: 4194305\r\n", 413),
    ("POST", "/v1/consents", b"Content-Length: 2\r\nExpect: wonders\r\n", 400),
    ("POST", "/v1/consents", b"Transfer-Encoding: gzip\r\n", 400),
]


@pytest.mark.parametrize("method,path,more,status", ANSWERS)
def test_every_answer_has_an_id_and_is_not_to_be_guessed_or_stored(
    server, method, path, more, status
):
    """Also those that the HTTP library gives before any handler of ours: they are problems too."""
    with Wire(server) as wire:
        answer = wire.ask(
            f"{method} {path} HTTP/1.1\r\nHost: x\r\nX-Request-ID: mine-7\r\n".encode()
            + more
            + b"\r\n"
        )
    assert answer.status_code == status
    assert answer.headers["x-request-id"] == "mine-7"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    if status >= 400:
        problem = answer.json()
        assert answer.headers["content-type"] == "application/problem+json"
        assert problem["status"] == status and problem["instance"]


NAMES = [
    ([("X-Request-ID", "a!~")], "a!~"),
    ([("X-Request-ID", "x" * 128)], "x" * 128),
    ([("X-Request-ID", "x" * 129)], None),
    ([("X-Request-ID", "a b")], None),
    ([("X-Request-ID", "é")], None),
    ([("X-Request-ID", "")], None),
    ([("traceparent", f"00-{TRACE}-00f067aa0ba902b7-01")], TRACE),
    ([("traceparent", f"00-{TRACE.upper()}-00f067aa0ba902b7-01")], None),
    ([("traceparent", f"00-{TRACE}-00f067aa0ba902b7-01"), ("X-Request-ID", "mine")], "mine"),
]


@pytest.mark.parametrize("headers,expected", NAMES)
def test_a_request_goes_by_the_name_its_caller_gave_it(server, headers, expected):
    with Wire(server) as wire:
        first = wire.ask(request("GET", "/healthz", headers=headers)).headers["x-request-id"]
        second = wire.ask(request("GET", "/healthz", headers=headers)).headers["x-request-id"]
    if expected is not None:
        assert first == second == expected
    else:
        assert first != second and len(first) == 32 and int(first, 16) >= 0


def test_an_interaction_id_is_echoed_when_it_is_harmless(server):
    name = "x-fapi-interaction-id"
    with Wire(server) as wire:
        value = "93bac548-d2de-4546-b106-880a5018460d"
        assert wire.ask(request("GET", "/healthz", headers=[(name, value)])).headers[name] == value
        answer = wire.ask(request("GET", "/healthz", headers=[(name, "a b")]))
        assert name not in answer.headers
        assert name not in wire.ask(request("GET", "/healthz")).headers


def test_the_log_tells_routes_and_nothing_a_caller_wrote(server, minter):
    secret = "s3cr3t-d41d8cd98f"
    token = minter.token(f"https://directory.example/app/visible-{TRACE}", "consents:read")
    requests = [
        request("GET", f"/v1/consents/{secret}", token),
        request("GET", f"/v1/consents?account={secret}", token),
        request("POST", "/v1/consents/query", token, {"account": secret}),
        request("GET", f"/{secret}", token),
        request(secret.upper(), "/healthz", token),
        request("GET", "/healthz", secret),
    ]
    traced = [
        ("X-Request-ID", "last-of-the-secrets"),
        ("traceparent", f"00-{TRACE}-00f067aa0ba902b7-01"),
    ]
    with Wire(server) as wire:
        for data in requests:
            wire.ask(data)
        wire.ask(request("GET", "/v1/consents", token, headers=traced))

    def mine():
        return [e for e in server.log_entries() if e.get("request_id") == "last-of-the-secrets"]

    (entry,) = until(server, mine)
    assert secret not in server.stderr and secret.upper() not in server.stderr
    assert token not in server.stderr and token.split(".")[2] not in server.stderr
    assert entry["event"] == "http.request" and entry["level"] == "info"
    assert (entry["method"], entry["route"], entry["status"]) == ("GET", "/v1/consents", 200)
    assert entry["trace_id"] == TRACE and entry["protocol"] == "HTTP/1.1"
    assert entry["client"] == f"https://directory.example/app/visible-{TRACE}"
    assert entry["bytes"] > 0 and entry["duration_us"] >= 0 and entry["loop"] in range(64)
    routes = {e["route"] for e in server.log_entries() if e["event"] == "http.request"}
    assert {"/v1/consents/{id}", "/v1/consents/query", "(none)"} <= routes
    assert "(other)" in {e["method"] for e in server.log_entries() if e["event"] == "http.request"}


def test_metrics_count_requests_by_route(server):
    sample = 'consentd_requests_total{method="GET",route="/version",status="2xx"}'
    before = metrics(server).get(sample, 0)
    with Wire(server) as wire:
        wire.ask_many([request("GET", "/version")] * 5)
        wire.ask(request("GET", "/healthz"))  # behind them: they are counted
    assert metrics(server)[sample] == before + 5


def post(path, token, *headers):
    return (
        "\r\n".join(
            [
                f"POST {path} HTTP/1.1",
                "Host: x",
                f"Authorization: Bearer {token}",
                "Content-Type: application/json",
                *headers,
            ]
        ).encode()
        + b"\r\n\r\n"
    )


def test_of_length_and_chunks_the_chunks_count(server, minter):
    """The framing rule of h2o 2.2.5, which drops both headers before any handler: documented, and
    the same whichever comes first, so that nothing is left over to be taken for another request."""
    token = minter.tenant("https://directory.example/framing")
    body = json.dumps({"account": "x"}).encode()
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    both = ("Transfer-Encoding: chunked", "Content-Length: 4")
    for headers in (both, both[::-1]):
        with Wire(server) as wire:
            wire.send(
                post("/v1/consents/query", token, *headers) + chunked + request("GET", "/healthz")
            )
            assert wire.receive().json()["items"] == []
            assert wire.receive().json() == {"status": "ok"}


def test_of_two_lengths_the_first_counts(server, minter):
    token = minter.tenant("https://directory.example/framing")
    body = json.dumps({"account": "x"}).encode()
    lengths = (f"Content-Length: {len(body)}", "Content-Length: 3")
    with Wire(server) as wire:
        wire.send(post("/v1/consents/query", token, *lengths) + body + request("GET", "/healthz"))
        assert wire.receive().json()["items"] == []
        assert wire.receive().json() == {"status": "ok"}


def test_a_body_is_asked_for_when_the_caller_waits(server, minter):
    token = minter.tenant("https://directory.example/framing")
    body = json.dumps({"account": "x"}).encode()
    with Wire(server) as wire:
        wire.send(
            post(
                "/v1/consents/query", token, f"Content-Length: {len(body)}", "Expect: 100-continue"
            )
        )
        assert wire.receive().status_code == 100
        wire.send(body)
        assert wire.receive().json()["items"] == []


REFUSED_HEADS = [("bad\x01name", "x"), ("x", "a\x01b"), ("x-request-id", "a\nb"), ("Upper", "x")]
FATAL_HEADS = [("connection", "close"), ("te", "gzip"), ("content-length", "-5"), (":bad", "x")]
FATAL_HEADS += [("http2-settings", "AAA")]  # by which the service knows an upgrade


@pytest.mark.parametrize("header", REFUSED_HEADS + FATAL_HEADS)
def test_an_http2_head_that_is_not_right_is_a_problem_or_the_end(server, header):
    with Frames(server) as frames:
        frames.h2.config.validate_outbound_headers = False
        frames.h2.config.normalize_outbound_headers = False
        stream = frames.open("GET", "/healthz", headers=[header])
        frames.flush()
        status, headers, body = frames.answer(stream)
        if header in FATAL_HEADS:
            assert status is None and frames.closed
            return
        assert status == 400 and json.loads(body)["type"].endswith("/invalid-parameter")
        assert request_id_of(headers) and headers["content-type"] == "application/problem+json"
        again = frames.open("GET", "/healthz")
        frames.flush()
        assert frames.answer(again)[0] == 200


def request_id_of(headers):
    """One that the server made: it is no caller's text."""
    return int(headers["x-request-id"], 16) >= 0


def test_frames_of_unknown_types_do_not_flood_the_log(server):
    """h2o 2.2.5 prints a line for each."""
    before = server.stderr.count("library.message")
    with Frames(server) as frames:
        frames.socket.sendall(b"\0\0\0\xbb\0\0\0\0\0" * 5000)
        stream = frames.open("GET", "/healthz")
        frames.flush()
        assert frames.answer(stream)[0] == 200

    def noted():
        return [e for e in server.log_entries() if e["event"] == "library.message"]

    entries = until(server, noted)
    assert entries[-1]["text"] == "skipping frame (type:187)"
    assert len(entries) - before <= 100
    assert "\nskipping" not in server.stderr
