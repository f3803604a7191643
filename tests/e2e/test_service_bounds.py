# SPDX-License-Identifier: Apache-2.0
"""What one caller can take: requests in flight, time, connections, heads without end."""

import resource
import socket
import time

import pytest
from conftest import NOW, NOW_S
from harness.frames import Frames
from harness.process import DEADLINE_S, NDJSON, Stalled, fill, metrics, until
from harness.tokens import Minter
from harness.wire import Closed, Wire, request

TENANT = "https://directory.example/bounds"
APP = "https://directory.example/app/bounds"


def start(new_server, consents=0, preexec=None, **settings):
    environment = {f"CONSENTD_{name.upper()}": str(value) for name, value in settings.items()}
    server = new_server(clock=f"{NOW}x0", environment=environment, preexec=preexec)
    minter = Minter(server.data, NOW_S)
    if consents:
        fill(server, minter.tenant(TENANT), APP, NOW, consents)
    return server, minter


def busy(answer):
    status, headers, body = answer
    assert status == 503, body
    assert headers["retry-after"] == "1"
    assert b"/problems/busy" in body
    return True


def served(server):
    return over_http1(server, "/healthz")[0] == 200


def until_served(server, so=served):
    """The server may be a moment behind what this side has seen."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        try:
            if so(server):
                return
        except (Closed, ConnectionError):
            pass
    pytest.fail("what has ended still counts")


def over_http2(frames, path, token=None):
    stream = frames.open("GET", path, token)
    frames.flush()
    return frames.answer(stream)


def over_http1(server, path):
    with Wire(server) as wire:
        answer = wire.ask(request("GET", path))
        return answer.status_code, answer.headers, answer.content


def alone(server):
    """Nothing is in flight but the asking itself. An answer can be here before it has left the
    count, so until then the asking may be one too many."""
    answer = over_http1(server, "/metrics")
    return answer[0] == 200 and b"\nconsentd_in_flight 1\n" in answer[-1]


def test_beyond_the_bound_in_all_requests_are_told_to_come_back(new_server):
    server, minter = start(new_server, consents=120, in_flight=2, in_flight_per_connection=2)
    with Stalled(server, minter.auditor()), Stalled(server, minter.auditor()) as second:
        assert busy(over_http1(server, "/healthz"))
        assert busy(over_http1(server, "/v1/consents"))
        second.read_on()
        until_served(server)  # which is when the last byte has left the server
    until_served(server, alone)
    assert metrics(server)["consentd_busy_total"] >= 2


def test_beyond_the_bound_of_a_connection_only_that_one_is(new_server):
    server, minter = start(new_server, consents=120, in_flight_per_connection=1)
    with Stalled(server, minter.auditor()) as frames:
        stream = frames.open("GET", "/healthz")
        frames.h2.increment_flow_control_window(1 << 20)  # of the connection: the log stays stalled
        frames.flush()
        assert busy(frames.answer(stream))
        assert over_http1(server, "/healthz")[0] == 200


def test_a_stalled_reader_that_leaves_leaves_nothing_behind(new_server):
    server, minter = start(new_server, consents=120)
    for leave in ("reset", "close"):
        with Stalled(server, minter.auditor()) as frames:
            if leave == "reset":
                frames.reset(frames.stream)
                frames.h2.increment_flow_control_window(1 << 20)  # of the connection
                frames.flush()
                assert over_http2(frames, "/healthz")[0] == 200
    until(server, lambda: metrics(server)["consentd_in_flight"] == 1)
    assert metrics(server)["consentd_vanished_requests_total"] == 2


def test_a_slow_reader_gets_every_byte(new_server):
    server, minter = start(new_server, consents=600)
    data = request("GET", "/v1/audit/events", minter.auditor(), headers=[NDJSON])
    with Wire(server) as fast:
        expected = fast.ask(data).content
    assert len(expected) > 600_000
    with Wire(server) as slow:
        slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
        slow.send(data)
        received = b""
        while not received.endswith(b"\r\n0\r\n\r\n"):
            piece = slow.socket.recv(1500)
            assert piece
            received += piece
        assert over_http1(server, "/healthz")[0] == 200
        slow.buffer = received
        assert slow.receive().content == expected
    with Stalled(server, minter.auditor()) as frames:
        assert frames.read_on() == len(expected)


@pytest.fixture
def impatient(new_server):
    return start(new_server, idle_seconds=1)


UNFINISHED = {
    "nothing": b"",
    "half a head": b"GET /healthz HTTP/1.1\r\nHost:",
    "a body by length": b"POST /v1/consents HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{",
    "a body by chunks": b"POST /v1/consents HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
}


@pytest.mark.parametrize("case", UNFINISHED)
def test_a_request_that_does_not_end_is_not_waited_for(impatient, case):
    server, _ = impatient
    with Wire(server) as wire:
        wire.send(UNFINISHED[case])
        assert wire.at_end()


def test_a_body_that_drips_is_not_waited_for_either(impatient):
    """Each byte keeps an HTTP/2 connection from being idle; the request is overdue all the same."""
    server, minter = impatient
    with Frames(server) as frames:
        stream = frames.h2.get_next_available_stream_id()
        frames.h2.send_headers(
            stream,
            [
                (":method", "POST"),
                (":scheme", "http"),
                (":authority", "x"),
                (":path", "/v1/consents"),
            ],
        )
        frames.socket.settimeout(0.1)
        end = time.monotonic() + DEADLINE_S
        try:
            while not frames.closed and time.monotonic() < end:
                frames.h2.send_data(stream, b" ")
                frames.flush()
                try:
                    frames.events()
                except TimeoutError:
                    continue
        except OSError:
            frames.closed = True
        assert frames.closed
    assert metrics(server)["consentd_overdue_total"] == 1


def test_an_idle_http2_connection_is_said_farewell(impatient):
    server, _ = impatient
    with Frames(server) as frames:
        assert over_http2(frames, "/healthz")[0] == 200
        while not frames.closed:
            frames.events()
        assert frames.closed


def test_a_head_without_end_is_not_kept(new_server):
    server, _ = start(new_server)
    with Wire(server) as wire:
        try:
            wire.send(b"G" * 100_000)
            assert wire.at_end()
        except (Closed, ConnectionError):
            pass
    assert metrics(server)["consentd_overdue_total"] == 1


def test_more_connections_than_descriptors_are_turned_away_and_harm_nobody(new_server):
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (300, 300))

    server, _ = start(new_server, preexec=few)
    most = 300 - 128
    with Wire(server) as first:
        assert first.ask(request("GET", "/healthz")).status_code == 200
        others, refused = [], 0
        try:
            for _ in range(most + 20):
                wire = Wire(server)
                others.append(wire)
                try:
                    wire.ask(request("GET", "/healthz"))
                except (Closed, ConnectionError):
                    refused += 1
            assert refused == 21
            assert first.ask(request("GET", "/healthz")).status_code == 200
        finally:
            for wire in others:
                wire.close()
        until_served(server)
    assert metrics(server)["consentd_connections_turned_away_total"] >= 21
