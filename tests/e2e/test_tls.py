# SPDX-License-Identifier: Apache-2.0
"""TLS in the process: who gets in by which listener, and what is served there."""

import datetime
import ssl

import pytest
from conftest import NOW, NOW_S
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from harness import bodies
from harness.ca import MEMBER, ROLES, UTC, Authority, listener, roles_value, utf8
from harness.client import Api
from harness.frames import Frames
from harness.process import metrics
from harness.tokens import Minter
from harness.wire import Closed, Wire, request

APP = "https://directory.example/app/tls"
TENANT = "https://directory.example/tls"


class House:
    """A server with a mutual and a public listener, its authority and its callers."""

    def __init__(self, make, folder, clock=f"{NOW}x0", crl=False, config=None, **mutual):
        self.ca = Authority(folder / "ca")
        self.pair = self.ca.server()
        if crl:
            mutual["crlFile"] = self.ca.write_crl()
        self.config = {
            "listeners": [
                listener(self.pair, "mutual", clientCaFile=self.ca.certificate, **mutual),
                listener(self.pair, "public"),
            ],
            **(config or {}),
        }
        self.server = make(clock=clock, config=self.config)
        self.minter = Minter(self.server.data, NOW_S)

    def mutual(self, pair=None, **more):
        return self.server.door("mutual", self.ca.context(pair, **more))

    def public(self, **more):
        return self.server.door("public", self.ca.context(**more))


@pytest.fixture
def house(new_server, tmp_path):
    def make(**options):
        return House(new_server, tmp_path, **options)

    return make


def asked(door, path="/healthz", token=None):
    with Wire(door) as wire:
        return wire.ask(request("GET", path, token))


def alert(door, pair=None):
    """The alert that a handshake ends with. In TLS 1.3 a client learns of it when it reads."""
    with pytest.raises(ssl.SSLError) as caught:
        asked(door)
    return caught.value.reason


def test_consents_live_behind_a_client_certificate(house):
    """HTTP/1.1 and HTTP/2 over TLS 1.3, held against the contract."""
    home = house()
    door = home.mutual(home.ca.client(APP), alpn=("h2", "http/1.1"))
    for http2 in (False, True):
        with Api(door, home.minter, home.minter.tenant(TENANT), http2=http2) as api:
            made = api.create(bodies.consent(APP, NOW, account=f"a{http2}"))
            assert api.consent(made["consentId"]) == made
    with Wire(home.mutual(home.ca.client(APP))) as wire:
        assert wire.socket.version() == "TLSv1.3"
        assert wire.ask(request("GET", "/healthz")).status_code == 200
    assert metrics(home.server)["consentd_tls_handshakes_total"] >= 3
