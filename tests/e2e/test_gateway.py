# SPDX-License-Identifier: Apache-2.0
"""Real proxies in front of the service, with the configurations of docs/examples: what a client
certificate is worth behind them, and that nothing gets past them."""

import base64
import json
import os
import re
import socket
import ssl

import pytest
from conftest import NOW, NOW_S
from harness.ca import Authority
from harness.client import Api
from harness.envoy import Envoy
from harness.gateway import EXAMPLES
from harness.nginx import Nginx
from harness.process import until
from harness.server import Server
from harness.tokens import Minter
from harness.wire import Closed, Wire, request

APP = "https://directory.example/app/proxied"
TENANT = "https://directory.example/proxied"


class Behind:
    """The service on loopback, a proxy before it, one authority for all."""

    def __init__(self, kind, folder, make):
        self.ca = Authority(folder / "ca")
        self.pair = self.ca.server()
        example = json.loads((EXAMPLES / "nginx" / "consentd.json").read_text())
        element, own = example["listeners"]
        assert own == {"address": "127.0.0.1:9090", "kind": "plain"}  # the operators'
        assert element == {"address": "127.0.0.1:8081", "kind": "plain", "proxies": ["127.0.0.1"]}
        element["address"] = "127.0.0.1:0"
        self.server = make(clock=f"{NOW}x0", config={"listeners": [element]})
        self.minter = Minter(self.server.data, NOW_S)
        self.revoked = [self.ca.client(APP)]
        self.list = self.ca.write_crl(self.revoked)
        files = {
            "/etc/consentd/tls/server.pem": self.pair.certificate,
            "/etc/consentd/tls/server.key": self.pair.key,
            "/etc/consentd/tls/client-ca.pem": self.ca.certificate,
            "/etc/consentd/tls/client-ca.crl": self.list,
        }
        self.gateway = kind(folder / "gateway", self.server.door("plain", number=1), files).start()

    def mutual(self, pair=None, **more):
        return self.gateway.mutual(self.ca.context(pair, **more))

    def public(self, **more):
        return self.gateway.public(self.ca.context(**more))

    def revoke(self, pair):
        """In the manner of the docs: written elsewhere, moved there, and the proxy told."""
        self.revoked.append(pair)
        os.replace(self.ca.write_crl(self.revoked, file=self.list.with_suffix(".new")), self.list)
        self.gateway.lists_have_changed()

    def is_let_in(self, pair):
        try:
            with Wire(self.mutual(pair)) as wire:
                answer = wire.ask(request("GET", "/healthz"))
        except (Closed, ConnectionError, ssl.SSLError) as end:
            assert self.gateway.refuses_handshakes, end
            return False
        if answer.status_code == 200:
            return True
        assert answer.status_code == 400 and b"certificate" in answer.content.lower()
        return False


@pytest.fixture(scope="module", params=(Nginx, Envoy), ids=lambda kind: kind.name)
def behind(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("behind")
    made = []

    def make(**options):
        made.append(Server(folder / "data", **options).start())
        return made[0]

    behind = Behind(request.param, folder, make)
    yield behind
    behind.gateway.stop()
    made[0].stop()


def bound_to(pair):
    return {"cnf": {"x5t#S256": b64url(bytes.fromhex(pair.sha256))}}


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.mark.parametrize("key", ("ec", "rsa"))
@pytest.mark.parametrize("http2", (False, True))
def test_a_token_bound_to_a_certificate_is_good_with_that_one_alone(behind, key, http2):
    pair, other = (behind.ca.client(APP, roles=["r" * 200] * 8, key=key) for _ in range(2))
    token = behind.minter.tenant(TENANT, **bound_to(pair))
    alpn = ("h2",) if http2 else ("http/1.1",)
    for shown, expected in ((pair, 200), (other, 401)):
        door = behind.mutual(shown, alpn=alpn)
        with Api(door, behind.minter, token, http2=http2) as api:
            assert api.get("/v1/consents").status_code == expected
    # nor directly at the service with the header, from where no proxy is expected
    with Wire(behind.server) as wire:
        headers = [("Client-Cert", pair.client_cert)]
        assert wire.ask(request("GET", "/v1/consents", token, headers=headers)).status_code == 401


def test_a_client_cannot_say_it_itself(behind):
    pair, other = behind.ca.client(APP), behind.ca.client(APP)
    token = behind.minter.tenant(TENANT, **bound_to(other))
    for name in ("Client-Cert", "client-cert", "CLIENT-CERT"):
        headers = [(name, other.client_cert)]
        with Wire(behind.mutual(pair)) as wire:
            answer = wire.ask(request("GET", "/v1/consents", token, headers=headers))
            assert answer.status_code == 401
            assert answer.json()["type"].endswith("/problems/unauthenticated")
    with Wire(behind.public()) as wire:  # nonsense would be told, if it came to the service
        headers = [("Client-Cert", "nonsense")]
        assert wire.ask(request("GET", "/healthz", headers=headers)).status_code == 200


def test_nobody_is_let_in_whose_certificate_is_not_good(behind):
    assert behind.is_let_in(behind.ca.client(APP))
    stranger = Authority(behind.ca.folder / "o", "other").client(APP)
    for pair in (None, behind.revoked[0], stranger):
        assert not behind.is_let_in(pair)


def test_what_is_for_operators_does_not_pass_the_proxy(behind):
    """Which asks from loopback, for members who are not there."""
    with Wire(behind.mutual(behind.ca.client(APP))) as wire:
        assert wire.ask(request("GET", "/metrics")).status_code == 404
        assert "details" not in wire.ask(request("GET", "/readyz")).json()
    with Wire(behind.server) as wire:
        assert wire.ask(request("GET", "/metrics")).status_code == 200
        assert "details" in wire.ask(request("GET", "/readyz")).json()


def is_resumed(door, session):
    with socket.create_connection((door.host, door.port)) as plain:
        with door.tls.wrap_socket(plain, server_hostname=door.host, session=session) as tls:
            return tls.session_reused


def test_a_list_of_today_is_read_and_no_session_outlives_it(behind):
    pair, other = behind.ca.client(APP), behind.ca.client(APP)
    door = behind.mutual(pair)
    with Wire(door) as wire:
        assert wire.ask(request("GET", "/healthz")).status_code == 200
        session = wire.socket.session
    behind.revoke(pair)
    until(behind.server, lambda: not behind.is_let_in(pair))
    assert behind.is_let_in(other)
    assert not is_resumed(door, session)


def test_the_public_side_serves_what_needs_no_credential(behind):
    token = behind.minter.tenant(TENANT)
    for path, expected in (
        ("/healthz", 200),
        ("/problems/busy", 200),
        ("/.well-known/authzen-configuration", 200),
        ("/openapi.yaml", 200),
        ("/docs", 200),
        ("/version", 200),
        ("/v1/consents", 404),
        ("/metrics", 404),
        ("/readyz", 404),
        ("/evidence/none", 404),
        ("/evidence/../v1/consents", 404),
        ("/evidence/%2e%2e/v1/consents", 404),
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
def test_no_framing_takes_proxy_and_service_apart(behind, case):
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
            answer = wire.ask(
                request("GET", f"/healthz?{slug}", headers=[("X-Request-ID", name)])
            )
            assert (answer.status_code, answer.headers["x-request-id"]) == (200, name)
    until(behind.server, lambda: f'"{slug}-19"' in behind.server.stderr)
    until(behind.server, lambda: behind.gateway.log().count(f"GET /healthz?{slug} ") == 20)
    # As a request behind a complete one it is the sender's own: then the proxy has seen it as one too.
    passed = behind.gateway.log().count(f"GET /healthz?{hidden} ")
    assert behind.server.stderr.count(f'"{hidden}"') == passed
    assert sum(a.headers.get("x-request-id") == hidden for a in answers) <= passed
