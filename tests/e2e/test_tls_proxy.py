# SPDX-License-Identifier: Apache-2.0
"""Client-Cert (RFC 9440): believed from configured proxies, and not even seen from others. Real
proxies are in test_gateway.py."""

import base64
import datetime
import json

import h2.events
import pytest
from conftest import NOW
from harness.ca import MEMBER, Authority
from harness.client import contract
from harness.frames import Frames
from harness.house import House, refusal
from harness.process import logged
from harness.server import Server
from harness.wire import Wire, request

APP = "https://directory.example/app/proxied"
TODAY = datetime.datetime.fromisoformat(NOW)
SECOND = datetime.timedelta(seconds=1)


def plain(number, proxies):
    return {"address": "127.0.0.1:0", "kind": "plain", "proxies": proxies}


class Tunnel(Frames):
    """HTTP/2 behind an HTTP/1.1 request that asks for it; all in one piece, so that nothing waits."""

    def __init__(self, server):
        super().__init__(server, upgrade=True)

    def switch(self):
        ask = request(
            "GET",
            "/healthz",
            headers=[
                ("Connection", "Upgrade, HTTP2-Settings"),
                ("Upgrade", "h2c"),
                ("HTTP2-Settings", self.settings.decode()),
            ],
        )
        self.socket.sendall(ask + self.h2.data_to_send())
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.socket.recv(1)
        assert head.startswith(b"HTTP/1.1 101 ")

    def answers(self, streams):
        """Of several streams, whichever comes first."""
        parts = {stream: [{}, b"", False] for stream in streams}
        while not all(ended for _, _, ended in parts.values()):
            for event in self.events():
                part = parts.get(getattr(event, "stream_id", None))
                if part is None:
                    continue
                if isinstance(event, h2.events.ResponseReceived):
                    part[0] = {name.decode(): value.decode() for name, value in event.headers}
                elif isinstance(event, h2.events.DataReceived):
                    part[1] += event.data
                elif isinstance(event, h2.events.StreamEnded):
                    part[2] = True
            assert not self.closed
        return [self.whole(stream, *parts[stream][:2]) for stream in streams]


class Front:
    """The service behind a proxy at 127.0.0.1, on a listener of its own."""

    def __init__(self, make, folder):
        self.ca = Authority(folder / "ca")
        self.server = make(
            clock=f"{NOW}x0",
            config={"listeners": [plain(1, ["192.0.2.1", "127.0.0.0/8"]), plain(2, ["192.0.2.0/24"])]},
        )

    def ask(self, *certificates, number=1, more=()):
        """Number 0 is `listen`, 1 has us for a proxy, 2 has another."""
        headers = [("Client-Cert", value) for value in certificates] + list(more)
        with Wire(self.server.door("plain", number=number)) as wire:
            answer = wire.ask(request("GET", "/healthz", headers=headers))
            contract().check("GET", "/healthz", answer)
            # whatever is refused, the proxy's connection goes on: it carries other clients too
            assert wire.ask(request("GET", "/healthz")).status_code == 200
            return answer


@pytest.fixture(scope="module")
def front(tmp_path_factory):
    folder = tmp_path_factory.mktemp("front")
    made = []

    def make(**options):
        made.append(Server(folder / "data", **options).start())
        return made[0]

    yield Front(make, folder)
    made[0].stop()


NO_SEQUENCE = "The Client-Cert header is not a byte sequence: base64 between colons."
NO_CERTIFICATE = "It is not one X.509 certificate in DER."
BAD = {
    "empty": (lambda f: "", "unreadable", NO_SEQUENCE),
    "without colons": (lambda f: f.ca.client(APP).client_cert[1:-1], "unreadable", NO_SEQUENCE),
    "with a parameter": (lambda f: f.ca.client(APP).client_cert + ";a=1", "unreadable", NO_SEQUENCE),
    "of base64url": (lambda f: ":_-__:", "unreadable", NO_SEQUENCE),
    "PEM": (lambda f: f.ca.client(APP).pem.decode().split("\n")[0], "unreadable", NO_SEQUENCE),
    "two in one": (
        lambda f: ", ".join([f.ca.client(APP).client_cert] * 2),
        "unreadable",
        NO_SEQUENCE,
    ),
    "no certificate": (lambda f: ":AAAA:", "unreadable", NO_CERTIFICATE),
    "cut": (
        lambda f: f":{base64.b64encode(f.ca.client(APP).der[:-1]).decode()}:",
        "unreadable",
        NO_CERTIFICATE,
    ),
    "longer than it says": (
        lambda f: f":{base64.b64encode(f.ca.client(APP).der + b'x').decode()}:",
        "unreadable",
        NO_CERTIFICATE,
    ),
    "a member that is no text": (
        lambda f: f.ca.client(APP, extensions=[(MEMBER, b"\x16\x01a")]).client_cert,
        "unreadable",
        "The certificate's member is not a UTF8String.",
    ),
    "expired": (
        lambda f: f.ca.client(APP, until=TODAY).client_cert,
        "expired",
        "the client certificate, or one of its chain, has expired",
    ),
    "not yet valid": (
        lambda f: f.ca.client(APP, since=TODAY + SECOND).client_cert,
        "not_yet_valid",
        "the client certificate, or one of its chain, is not yet valid",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_proxy_that_says_nonsense_is_told_so_and_others_are_not_heard(front, case):
    make, cause, detail = BAD[case]
    value = make(front)
    assert refusal(front.ask(value), cause) == detail
    for number in (0, 2):
        assert front.ask(value, number=number).status_code == 200


def test_two_certificates_are_none(front):
    value = front.ca.client(APP).client_cert
    detail = "the proxy sent more than one Client-Cert"
    assert refusal(front.ask(value, value), "unreadable") == detail
    assert front.ask(value, value, number=2).status_code == 200


def test_who_fails_behind_a_proxy_shuts_out_nobody_but_himself(front):
    """Twenty bad tokens at once: then who has that certificate waits, and others do not."""

    def ask(certificate):
        answer = wire.ask(
            request("GET", "/v1/consents", "a.b.c", headers=[("Client-Cert", certificate)])
        )
        return answer.status_code

    one, two = front.ca.client(APP).client_cert, front.ca.client(APP).client_cert
    with Wire(front.server.door("plain", number=1)) as wire:
        assert [ask(one) for _ in range(22)] == [401] * 20 + [429] * 2
        assert ask(two) == 401


def test_a_good_one_and_none_are_served(front):
    assert front.ask(front.ca.client(APP).client_cert).status_code == 200
    assert front.ask().status_code == 200
    chain = [("Client-Cert-Chain", "nonsense")]
    assert front.ask(front.ca.client(APP).client_cert, more=chain).status_code == 200


@pytest.mark.parametrize("number", [1, 2])
def test_a_client_that_makes_a_tunnel_of_the_proxy_speaks_for_nobody(front, number):
    """h2c smuggling: a proxy that hands `Upgrade: h2c` on carries what its client says, unread. Our
    side refuses all of it, what comes in one piece with the upgrade too. From who is no proxy HTTP/2
    may be asked for so, but what is for operators is not shown: the proxy may have meant to hide it."""
    forged = front.ca.client(APP).client_cert
    with Tunnel(front.server.door("plain", number=number)) as tunnel:
        behind = [
            tunnel.open("GET", "/healthz", headers=[("client-cert", forged)]),
            tunnel.open("GET", "/metrics"),
        ]
        tunnel.switch()
        answers = tunnel.answers(behind)
        later = tunnel.open("GET", "/healthz", headers=[("client-cert", forged)])
        tunnel.flush()
        answers += tunnel.answers([later])
    if number == 1:
        assert [json.loads(body)["detail"] for _, _, body in answers] == [
            "Upgrade: h2c is not taken from a proxy"
        ] * 3
    else:
        assert [status for status, _, _ in answers] == [200, 404, 200]


def test_over_tls_the_proxy_shows_a_certificate_of_its_own_and_speaks_for_another(
    new_server, tmp_path
):
    home = House(new_server, tmp_path, proxies=["127.0.0.1"])
    bad = home.ca.client(APP, until=TODAY).client_cert
    ask = request("GET", "/healthz", headers=[("Client-Cert", bad)])
    with Wire(home.mutual(home.ca.client("https://proxy.example/"))) as wire:
        assert wire.ask(request("GET", "/healthz")).status_code == 200
        assert refusal(wire.ask(ask), "expired")
        assert wire.ask(request("GET", "/healthz")).status_code == 200
    with Wire(home.mutual()) as wire:  # the header is no substitute for the proxy's own
        good = request("GET", "/healthz", headers=[("Client-Cert", home.ca.client(APP).client_cert)])
        assert refusal(wire.ask(good), "no_certificate")


def test_a_reload_changes_who_is_a_proxy(new_server, tmp_path):
    home = House(new_server, tmp_path)
    bad = request("GET", "/healthz", headers=[("Client-Cert", "nonsense")])
    with Wire(home.public()) as wire:
        assert wire.ask(bad).status_code == 200
        home.config["listeners"][1]["proxies"] = ["127.0.0.1"]
        home.reload()
        assert refusal(wire.ask(bad), "unreadable")
        home.config["listeners"][1]["proxies"] = []
        home.reload()
        assert wire.ask(bad).status_code == 200
    assert len(logged(home.server, "service.reloaded", 2)) == 2
