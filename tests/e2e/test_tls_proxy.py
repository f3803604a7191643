# SPDX-License-Identifier: Apache-2.0
"""Client-Cert (RFC 9440): believed from configured proxies, and not even seen from others."""

import base64
import datetime
import json
import re
import socket

import pytest
from conftest import NOW, NOW_S
from harness.ca import MEMBER, Authority
from harness.client import Api, contract
from harness.house import House, refusal
from harness.nginx import EXAMPLE, Nginx
from harness.process import logged, until
from harness.server import Server
from harness.tokens import Minter
from harness.wire import Closed, Wire, request

APP = "https://directory.example/app/proxied"
TENANT = "https://directory.example/proxied"
TODAY = datetime.datetime.fromisoformat(NOW)
SECOND = datetime.timedelta(seconds=1)


def encoded(pair):
    return f":{base64.b64encode(pair.der).decode()}:"


def plain(number, proxies):
    return {"address": "127.0.0.1:0", "kind": "plain", "proxies": proxies}


class Front:
    """The service behind a proxy at 127.0.0.1, on a listener of its own."""

    def __init__(self, make, folder):
        self.ca = Authority(folder / "ca")
        self.server = make(
            clock=f"{NOW}x0",
            config={"listeners": [plain(1, ["192.0.2.1", "127.0.0.0/8"]), plain(2, ["192.0.2.0/24"])]},
        )
        self.minter = Minter(self.server.data, NOW_S)

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
    "without colons": (lambda f: encoded(f.ca.client(APP))[1:-1], "unreadable", NO_SEQUENCE),
    "with a parameter": (lambda f: encoded(f.ca.client(APP)) + ";a=1", "unreadable", NO_SEQUENCE),
    "of base64url": (lambda f: ":_-__:", "unreadable", NO_SEQUENCE),
    "PEM": (lambda f: f.ca.client(APP).pem.decode().split("\n")[0], "unreadable", NO_SEQUENCE),
    "two in one": (
        lambda f: ", ".join([encoded(f.ca.client(APP))] * 2),
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
        lambda f: encoded(f.ca.client(APP, extensions=[(MEMBER, b"\x16\x01a")])),
        "unreadable",
        "The certificate's member is not a UTF8String.",
    ),
    "expired": (
        lambda f: encoded(f.ca.client(APP, until=TODAY)),
        "expired",
        "the client certificate, or one of its chain, has expired",
    ),
    "not yet valid": (
        lambda f: encoded(f.ca.client(APP, since=TODAY + SECOND)),
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
    value = encoded(front.ca.client(APP))
    detail = "the proxy sent more than one Client-Cert"
    assert refusal(front.ask(value, value), "unreadable") == detail
    assert front.ask(value, value, number=2).status_code == 200


def test_a_good_one_and_none_are_served(front):
    assert front.ask(encoded(front.ca.client(APP))).status_code == 200
    assert front.ask().status_code == 200
    chain = [("Client-Cert-Chain", "nonsense")]
    assert front.ask(encoded(front.ca.client(APP)), more=chain).status_code == 200


def test_over_tls_the_proxy_shows_a_certificate_of_its_own_and_speaks_for_another(
    new_server, tmp_path
):
    home = House(new_server, tmp_path, proxies=["127.0.0.1"])
    bad = encoded(home.ca.client(APP, until=TODAY))
    ask = request("GET", "/healthz", headers=[("Client-Cert", bad)])
    with Wire(home.mutual(home.ca.client("https://proxy.example/"))) as wire:
        assert wire.ask(request("GET", "/healthz")).status_code == 200
        assert refusal(wire.ask(ask), "expired")
        assert wire.ask(request("GET", "/healthz")).status_code == 200
    with Wire(home.mutual()) as wire:  # the header is no substitute for the proxy's own
        good = request("GET", "/healthz", headers=[("Client-Cert", encoded(home.ca.client(APP)))])
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


# ---- a real nginx in front, as docs/examples/nginx has it


class Behind:
    """The service on loopback, nginx before it, one authority for all."""

    def __init__(self, make, folder):
        self.ca = Authority(folder / "ca")
        self.pair = self.ca.server()
        example = json.loads((EXAMPLE / "consentd.json").read_text())
        (element,) = example["listeners"]
        assert element == {"address": "127.0.0.1:8081", "kind": "plain", "proxies": ["127.0.0.1"]}
        element["address"] = "127.0.0.1:0"
        self.server = make(clock=f"{NOW}x0", config={"listeners": [element]})
        self.minter = Minter(self.server.data, NOW_S)
        self.revoked = self.ca.client(APP)
        files = {
            "/etc/consentd/tls/server.pem": self.pair.certificate,
            "/etc/consentd/tls/server.key": self.pair.key,
            "/etc/consentd/tls/client-ca.pem": self.ca.certificate,
            "/etc/consentd/tls/client-ca.crl": self.ca.write_crl([self.revoked]),
        }
        self.nginx = Nginx(folder / "nginx", self.server.door("plain", number=1), files).start()

    def mutual(self, pair=None, **more):
        return self.nginx.mutual(self.ca.context(pair, **more))

    def public(self, **more):
        return self.nginx.public(self.ca.context(**more))


@pytest.fixture(scope="module")
def behind(tmp_path_factory):
    folder = tmp_path_factory.mktemp("behind")
    made = []

    def make(**options):
        made.append(Server(folder / "data", **options).start())
        return made[0]

    behind = Behind(make, folder)
    yield behind
    behind.nginx.stop()
    made[0].stop()


def bound_to(pair):
    return {"cnf": {"x5t#S256": b64url(bytes.fromhex(pair.sha256))}}


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.mark.parametrize("key", ("ec", "rsa"))
@pytest.mark.parametrize("http2", (False, True))
def test_a_token_bound_to_a_certificate_is_good_behind_nginx_with_that_one_alone(
    behind, key, http2
):
    pair, other = (behind.ca.client(APP, roles=["r" * 200] * 8, key=key) for _ in range(2))
    token = behind.minter.tenant(TENANT, **bound_to(pair))
    alpn = ("h2",) if http2 else ("http/1.1",)
    for shown, expected in ((pair, 200), (other, 401)):
        door = behind.mutual(shown, alpn=alpn)
        with Api(door, behind.minter, token, http2=http2) as api:
            assert api.get("/v1/consents").status_code == expected
    # nor directly at the service with the header, from where no proxy is expected
    with Wire(behind.server) as wire:
        headers = [("Client-Cert", encoded(pair))]
        assert wire.ask(request("GET", "/v1/consents", token, headers=headers)).status_code == 401


def test_a_client_cannot_say_it_itself_through_nginx(behind):
    pair, other = behind.ca.client(APP), behind.ca.client(APP)
    token = behind.minter.tenant(TENANT, **bound_to(other))
    for name in ("Client-Cert", "client-cert", "CLIENT-CERT"):
        headers = [(name, encoded(other))]
        with Wire(behind.mutual(pair)) as wire:
            answer = wire.ask(request("GET", "/v1/consents", token, headers=headers))
            assert answer.status_code == 401
            assert answer.json()["type"].endswith("/problems/unauthenticated")
    with Wire(behind.public()) as wire:
        headers = [("Client-Cert", encoded(other))]
        assert wire.ask(request("GET", "/healthz", headers=headers)).status_code == 200


def test_nginx_lets_nobody_in_whose_certificate_is_not_good(behind):
    for pair in (None, behind.revoked, Authority(behind.ca.folder / "o", "other").client(APP)):
        with Wire(behind.mutual(pair)) as wire:
            answer = wire.ask(request("GET", "/healthz"))
            assert answer.status_code == 400 and b"certificate" in answer.content.lower()


def test_the_public_side_of_nginx_serves_what_needs_no_credential(behind):
    token = behind.minter.tenant(TENANT)
    for path, expected in (
        ("/healthz", 200),
        ("/problems/busy", 200),
        ("/.well-known/authzen-configuration", 200),
        ("/openapi.yaml", 200),
        ("/v1/consents", 404),
        ("/metrics", 404),
        ("/readyz", 404),
        ("/evidence/none", 404),
    ):
        with Wire(behind.public()) as wire:
            assert wire.ask(request("GET", path, token)).status_code == expected, path


# ---- framing: two servers that read one stream of bytes must agree where a request ends


def framings(name="x"):
    """Requests whose end can be read in more than one way; the hidden one stands behind each."""
    inner = request("GET", f"/healthz?{name}", headers=[("X-Request-ID", name)])
    chunks = b"0\r\n\r\n"

    def head(*lines):
        first = ("POST /v1/consents/query HTTP/1.1", "Host: x", "Content-Type: application/json")
        return "\r\n".join(first + lines).encode() + b"\r\n\r\n"

    size = len(chunks + inner)
    return {
        "length and chunks": head(f"Content-Length: {size}", "Transfer-Encoding: chunked")
        + chunks
        + inner,
        "chunks and length": head("Transfer-Encoding: chunked", "Content-Length: 4")
        + b"%x\r\n" % len(inner)
        + inner
        + b"\r\n"
        + chunks,
        "two lengths": head("Content-Length: 0", f"Content-Length: {len(inner)}") + inner,
        "two lengths, the other way": head(f"Content-Length: {len(inner)}", "Content-Length: 0")
        + inner,
        "a list of lengths": head(f"Content-Length: 0, {len(inner)}") + inner,
        "a signed length": head(f"Content-Length: +{len(inner)}") + inner,
        "two encodings": head("Transfer-Encoding: identity", "Transfer-Encoding: chunked")
        + chunks
        + inner,
        "an encoding in disguise": head(f"Content-Length: {size}", "Transfer-Encoding:\x0bchunked")
        + chunks
        + inner,
        "a space before the colon": head(f"Content-Length: {size}", "Transfer-Encoding : chunked")
        + chunks
        + inner,
        "a folded line": head(f"Content-Length: {size}", "Transfer-Encoding:\r\n chunked")
        + chunks
        + inner,
        "bare line feeds in chunks": head("Transfer-Encoding: chunked") + b"0\n\n" + inner,
        "a length of chunks too large": head("Transfer-Encoding: chunked")
        + b"ffffffffffffffff0\r\n"
        + inner,
    }


@pytest.mark.parametrize("case", framings())
def test_no_framing_takes_nginx_and_the_service_apart(behind, case):
    """Whatever becomes of such a request, those that share connections to the service get their own
    answers, and what was hidden in it as its body is nobody's request."""
    slug = re.sub(r"\W+", "-", case)
    hidden = f"hidden-{slug}"
    door = behind.mutual(behind.ca.client(APP))
    with Wire(door) as attacker:
        attacker.send(framings(hidden)[case])
        attacker.socket.shutdown(socket.SHUT_WR)
        answers = []
        try:
            while True:
                answers.append(attacker.receive())
        except (Closed, OSError):
            pass
    with Wire(door) as wire:
        for number in range(20):
            name = f"{slug}-{number}"
            answer = wire.ask(request("GET", "/healthz", headers=[("X-Request-ID", name)]))
            assert (answer.status_code, answer.headers["x-request-id"]) == (200, name)
    until(behind.server, lambda: f'"{slug}-19"' in behind.server.stderr)
    # As a request behind a complete one it is the sender's own: then nginx has seen it as one too.
    passed = behind.nginx.log().count(f"GET /healthz?{hidden} ")
    assert behind.server.stderr.count(f'"{hidden}"') == passed
    assert sum(a.headers.get("x-request-id") == hidden for a in answers) <= passed
