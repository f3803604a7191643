# SPDX-License-Identifier: Apache-2.0
"""Requests that vanish while their change is with the writer, and peers that make a sport of it.

Under ASan a pointer to a request that h2o has disposed of ends the process here.
"""

import json
import socket

import pytest
from conftest import NOW, NOW_S
from harness import bodies
from harness.frames import Frames
from harness.process import metrics, until
from harness.tokens import Minter
from harness.wire import Wire, request

TENANT = "https://directory.example/cancel"
APP = "https://directory.example/app/cancel"
ALLOWED = 100  # CONNECTION_RESETS_MAX


@pytest.fixture
def lone(new_server):
    """One loop, so that a later answer tells that earlier ones were taken."""
    server = new_server(clock=f"{NOW}x0", environment={"CONSENTD_LOOPS": "1"})
    return server, Minter(server.data, NOW_S)


def create(number):
    body = bodies.consent(APP, NOW, account=f"account-{number}")
    return json.dumps(body).encode(), [("idempotency-key", f"key-{number}")]


def one_more(server, token, number):
    body, headers = create(number)
    with Wire(server) as wire:
        answer = wire.ask(request("POST", "/v1/consents", token, body, headers))
        assert answer.status_code == 201, answer.text


def test_cancels_behind_pending_writes_drop_the_answers_and_keep_the_changes(lone):
    """Each write and its cancel arrive in one piece: no answer can come between. All are committed,
    all answers find their request gone."""
    server, minter = lone
    token = minter.tenant(TENANT)
    number = 0
    for _ in range(8):
        with Frames(server) as frames:
            for _ in range(ALLOWED):
                body, headers = create(number)
                frames.reset(frames.open("POST", "/v1/consents", token, body, headers))
                number += 1
            frames.flush()
            stream = frames.open("GET", "/healthz")
            frames.flush()
            assert frames.answer(stream)[0] == 200  # the connection lives: the bound is not passed
    one_more(server, token, number)
    now = metrics(server)
    assert now["consentd_consents"] == number + 1
    assert now["consentd_dropped_answers_total"] == number
    assert now["consentd_vanished_requests_total"] == number
    assert now["consentd_rapid_reset_total"] == 0
    assert now["consentd_in_flight"] == 1
    with Wire(server) as wire:  # the key of a cancelled write tells what became of it
        for again in (0, number - 1):
            body, headers = create(again)
            answer = wire.ask(request("POST", "/v1/consents", token, body, headers))
            assert answer.status_code == 201
            assert answer.headers["idempotency-replayed"] == "true"


def test_connections_that_break_behind_pending_writes_do_the_same(lone):
    server, minter = lone
    token = minter.tenant(TENANT)
    number = 0
    for _ in range(20):
        with Frames(server) as frames:
            for _ in range(20):
                body, headers = create(number)
                frames.open("POST", "/v1/consents", token, body, headers)
                number += 1
            frames.flush()
    for _ in range(20):
        with Wire(server) as wire:
            body, headers = create(number)
            wire.send(request("POST", "/v1/consents", token, body, headers))
            number += 1
    # What had arrived is committed; what the break cut off never began.
    until(server, lambda: metrics(server)["consentd_in_flight"] == 1)
    one_more(server, token, number)
    now = metrics(server)
    assert now["consentd_consents"] == now["consentd_changes_total"] <= number + 1


def flood(server, method, path, token, size):
    """Requests, each cancelled at once, until the server has had enough."""
    with Frames(server) as frames:
        try:
            for _ in range(200):
                for _ in range(size):
                    frames.reset(frames.open(method, path, token))
                frames.flush()
            while not frames.closed:
                frames.events()
        except OSError:
            frames.closed = True
        return frames.closed


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("size", [1, 50])
def test_a_rapid_reset_ends_the_connection(lone, method, size):
    """CVE-2023-44487, for answers with and without a body, in small and large bursts."""
    server, minter = lone
    assert flood(server, method, "/v1/consents", minter.tenant(TENANT), size)
    now = metrics(server)
    assert now["consentd_rapid_reset_total"] == 1
    assert now["consentd_in_flight"] == 1
    sample = 'consentd_requests_total{method="GET",route="/v1/consents",status="4xx"}'
    assert now[sample] >= ALLOWED  # 499: the client left
    with Wire(server) as wire:
        assert wire.ask(request("GET", "/healthz")).status_code == 200


def test_a_peer_that_lets_answers_come_may_cancel_as_often(lone):
    server, minter = lone
    token = minter.tenant(TENANT)
    with Frames(server) as frames:
        frames.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(3 * ALLOWED):
            kept = frames.open("GET", "/healthz")
            frames.reset(frames.open("GET", "/v1/consents", token))
            frames.flush()
            assert frames.answer(kept)[0] == 200
    assert metrics(server)["consentd_rapid_reset_total"] == 0
