# SPDX-License-Identifier: Apache-2.0
"""Floods and slowness over TLS: each ends by a bound of its own, and costs nobody else anything."""

import random
import resource
import socket
import ssl
import struct
import subprocess
import time

import pytest
from harness.frames import Frames
from harness.house import House, asked, is_closed
from harness.process import DEADLINE_S, metrics, until
from harness.wire import Wire, request

APP = "https://directory.example/app/attacks"
TENANT = "https://directory.example/attacks"
HEALTH = request("GET", "/healthz")
DATA, HEADERS, PING, WINDOW_UPDATE, CONTINUATION = 0, 1, 6, 8, 9
MIB = 1 << 20
# Freed memory is given back at once, so that what stays is what is held.
ASAN = "detect_leaks=1:exitcode=99:allocator_may_return_null=0:quarantine_size_mb=1"


@pytest.fixture
def house(new_server, tmp_path):
    def make(**environment):
        def server(**options):
            names = {f"CONSENTD_{name.upper()}": str(v) for name, v in environment.items()}
            return new_server(environment={"ASAN_OPTIONS": ASAN, **names}, **options)

        return House(server, tmp_path, tlsMin="1.2")

    return make


@pytest.fixture
def home(house):
    return house()


@pytest.fixture
def impatient(house):
    return house(idle_seconds=1)


def held(server):
    return metrics(server)["consentd_resident_anonymous_bytes"]


def frame(kind, flags, stream, payload=b""):
    size = len(payload)
    return struct.pack("!BHBBL", size >> 16, size & 0xFFFF, kind, flags, stream) + payload


def closes(frames):
    """Reads until the server ends the connection."""
    frames.socket.settimeout(DEADLINE_S)
    try:
        while frames.socket.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


def still_serves(home):
    assert asked(home.mutual(home.ca.client(APP))).status_code == 200
    assert home.server.alive()


@pytest.mark.parametrize("method", ("GET", "HEAD"))
def test_rapid_reset_ends_the_connection(home, method):
    """CVE-2023-44487."""
    token = home.minter.tenant(TENANT)
    with Frames(home.mutual(home.ca.client(APP), alpn=("h2",))) as frames:
        try:
            for _ in range(200):
                for _ in range(50):
                    frames.reset(frames.open(method, "/v1/consents", token))
                frames.flush()
            while not frames.closed:
                frames.events()
        except OSError:
            pass
    until(home.server, lambda: metrics(home.server)["consentd_rapid_reset_total"] == 1)
    until(home.server, lambda: metrics(home.server)["consentd_in_flight"] == 1)
    still_serves(home)


MADE = {
    "a window of nothing": lambda stream: frame(WINDOW_UPDATE, 0, stream, bytes(4)),
    "a window too large": lambda stream: frame(WINDOW_UPDATE, 0, stream, b"\x7f\xff\xff\xff"),
    "data after the end": lambda stream: frame(DATA, 1, stream, b"x"),
}


@pytest.mark.parametrize("case", MADE)
def test_to_have_the_server_reset_is_to_reset(home, case):
    """CVE-2025-8671, "MadeYouReset": with a frame that is wrong the server itself cancels what it has
    begun. In one piece, so that nothing is answered between."""
    token = home.minter.tenant(TENANT)
    with Frames(home.mutual(home.ca.client(APP), alpn=("h2",))) as frames:
        try:
            for _ in range(200):
                piece = b""
                for _ in range(50):
                    stream = frames.open("GET", "/v1/consents", token)
                    piece += frames.h2.data_to_send() + MADE[case](stream)
                frames.socket.sendall(piece)
        except OSError:
            pass
        assert closes(frames)
    assert metrics(home.server)["consentd_rapid_reset_total"] == 1
    until(home.server, lambda: metrics(home.server)["consentd_in_flight"] == 1)
    still_serves(home)


def test_a_flood_of_continuations_is_cut_off_and_kept_nowhere(home):
    """CVE-2024-27316 and its like: a head of fields without end."""
    before = held(home.server)
    piece = frame(CONTINUATION, 0, 1, b"\x00\x01a\x7f\x80\x7e" + b"b" * 16000)
    sent = 0
    with Frames(home.public(alpn=("h2",))) as frames:
        frames.socket.sendall(frame(HEADERS, 0, 1, b"\x82\x87\x84\x41\x01x"))
        try:
            while sent < 256 * MIB:
                frames.socket.sendall(piece)
                sent += len(piece)
        except OSError:
            pass
        assert sent < 64 * MIB
        assert closes(frames)
    until(home.server, lambda: metrics(home.server)["consentd_connections"] == 1)
    assert held(home.server) - before < 16 * MIB
    still_serves(home)


@pytest.mark.parametrize("piece", (b"", b"\x00"))
def test_continuations_that_bring_nothing_cost_nothing(home, piece):
    before = held(home.server)
    flood = frame(CONTINUATION, 0, 1, piece) * 1000
    with Frames(home.public(alpn=("h2",))) as frames:
        frames.socket.sendall(frame(HEADERS, 0, 1, b"\x82\x87\x84\x41\x01x"))
        try:
            for _ in range(100):
                frames.socket.sendall(flood)
        except OSError:
            pass
        still_serves(home)
        assert held(home.server) - before < 16 * MIB


DRIPS = {
    "a head that never ends": frame(HEADERS, 0, 1, b"\x82\x87\x84\x41\x01x"),
    "pings and no request": b"",
}


@pytest.mark.parametrize("case", DRIPS)
def test_an_http2_connection_of_which_no_request_comes_ends(impatient, case):
    """Each byte starts HTTP/2's idle timer anew; no request comes of it all the same."""
    home = impatient
    drip = frame(PING, 0, 0, b"12345678") if not DRIPS[case] else frame(CONTINUATION, 0, 1)
    with Frames(home.public(alpn=("h2",))) as frames:
        frames.socket.sendall(DRIPS[case])
        frames.socket.settimeout(0.05)
        end = time.monotonic() + DEADLINE_S
        closed = False
        while not closed and time.monotonic() < end:
            try:
                frames.socket.sendall(drip)
                closed = not frames.socket.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                closed = True
        assert closed
    assert metrics(home.server)["consentd_overdue_total"] == 1
    still_serves(home)


def hello():
    """The first flight of a real client."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    client = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("share", (0, 1, 5, 100, -1))
def test_a_handshake_that_does_not_go_on_is_not_waited_for(impatient, share):
    home = impatient
    door = home.server.door("mutual")
    with Wire(door) as wire:
        wire.send(hello()[:share])
        assert is_closed(wire)
    until(home.server, lambda: home.failures() == {"abandoned": 1})
    still_serves(home)


def test_a_handshake_that_stops_after_its_first_flight_is_not_waited_for_either(impatient):
    home = impatient
    with Wire(home.server.door("mutual")) as wire:
        wire.send(hello())
        assert is_closed(wire)
    until(home.server, lambda: home.failures() == {"abandoned": 1})


UNFINISHED = {
    "nothing": b"",
    "half a head": b"GET /healthz HTTP/1.1\r\nHost:",
    "a body by length": b"POST /v1/consents HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{",
    "a body by chunks": b"POST /v1/consents HTTP/1.1\r\nHost: x\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
}


@pytest.mark.parametrize("case", UNFINISHED)
def test_a_request_that_does_not_end_is_not_waited_for(impatient, case):
    home = impatient
    with Wire(home.mutual(home.ca.client(APP))) as wire:
        wire.send(UNFINISHED[case])
        assert is_closed(wire)
    still_serves(home)


def test_noise_instead_of_tls_ends_nothing(home):
    rng = random.Random(9440)
    first = hello()
    for number in range(300):
        noise = bytearray(first if number % 3 else rng.randbytes(rng.randrange(1, 2000)))
        for _ in range(1 + number % 7):
            noise[rng.randrange(len(noise))] = rng.randrange(256)
        with socket.create_connection((home.server.host, home.server.door("mutual").port)) as raw:
            raw.sendall(noise)
            raw.shutdown(socket.SHUT_WR)
            raw.settimeout(DEADLINE_S)
            try:
                while raw.recv(65536):
                    pass
            except ConnectionError:
                pass
    until(home.server, lambda: metrics(home.server)["consentd_connections"] == 1)
    still_serves(home)


def test_nobody_renegotiates(home):
    """Of TLS 1.2: a client may not make the server calculate over and over on one connection. h2o
    2.2.5 closes it."""
    door = home.public()
    command = ["openssl", "s_client", "-tls1_2", "-connect", f"{door.host}:{door.port}"]
    command += ["-CAfile", str(home.ca.certificate)]
    result = subprocess.run(command, input="R\n", capture_output=True, text=True, timeout=60)
    assert "RENEGOTIATING" in result.stdout + result.stderr
    assert result.returncode != 0
    still_serves(home)


def test_ten_thousand_idle_connections_are_kept_in_little_memory(house):
    """Of TLS and before it; who comes then is served as ever."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    home = house(idle_seconds=3600)
    before = held(home.server)
    shaken = 500
    silent = min(10_000, most - 1000) - shaken  # fewer where the system allows no more
    kept = []
    try:
        for _ in range(silent):
            kept.append(socket.create_connection((home.server.host, home.server.port)))
        door = home.public()
        for _ in range(shaken):
            raw = socket.create_connection((door.host, door.port))
            kept.append(door.tls.wrap_socket(raw, server_hostname=door.host))
            kept[-1].sendall(HEALTH)
            assert kept[-1].recv(65536).startswith(b"HTTP/1.1 200")
        now = metrics(home.server)
        assert now["consentd_connections"] == silent + shaken + 1
        grown = now["consentd_resident_anonymous_bytes"] - before
        assert grown < (silent + shaken) * 32768, grown / (silent + shaken)
        still_serves(home)
    finally:
        for one in kept:
            one.close()
    until(home.server, lambda: metrics(home.server)["consentd_connections"] == 1)
