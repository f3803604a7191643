# SPDX-License-Identifier: Apache-2.0
"""TLS in the process: who gets in by which listener, and who does not."""

import datetime
import re
import socket
import ssl

import pytest
from conftest import NOW
from contract import operations
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from harness import bodies
from harness.ca import MEMBER, ROLES, Authority, listener, utf8
from harness.client import Api, contract
from harness.frames import Frames
from harness.house import House, asked, is_closed, refusal
from harness.process import logged, metrics, until
from harness.wire import Wire, request

APP = "https://directory.example/app/tls"
TENANT = "https://directory.example/tls"
TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
SECOND = datetime.timedelta(seconds=1)
TODAY = datetime.datetime.fromisoformat(NOW)


@pytest.fixture
def house(new_server, tmp_path):
    def make(**options):
        return House(new_server, tmp_path, **options)

    return make


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """One house for all tests that leave nothing behind but counts."""
    from harness.server import Server

    made = []

    def make(**options):
        made.append(Server(folder / "data", **options).start())
        return made[0]

    folder = tmp_path_factory.mktemp("house")
    yield House(make, folder, crlFile=True)
    made[0].stop()


def test_consents_live_behind_a_client_certificate(home):
    """HTTP/1.1 and HTTP/2 over TLS 1.3, held against the contract."""
    before = metrics(home.server)["consentd_tls_handshakes_total"]
    door = home.mutual(home.ca.client(APP), alpn=("h2", "http/1.1"))
    for http2 in (False, True):
        with Api(door, home.minter, home.minter.tenant(TENANT), http2=http2) as api:
            made = api.create(bodies.consent(APP, NOW, account=f"a{http2}"))
            assert api.consent(made["consentId"]) == made
    with Wire(home.mutual(home.ca.client(APP))) as wire:
        assert wire.socket.version() == "TLSv1.3"
        assert wire.ask(request("GET", "/healthz")).status_code == 200
    assert metrics(home.server)["consentd_tls_handshakes_total"] == before + 3


@pytest.mark.parametrize("kind", ("ec", "rsa", "ed25519"))
def test_keys_of_each_kind_open(home, kind):
    assert asked(home.mutual(home.ca.client(APP, key=kind))).status_code == 200


# ---- who does not get in


def _other_ca(home):
    return Authority(home.folder / "other", "another authority").client(APP)


def _self_signed(home):
    """With our authority's name, and a key of its own."""
    return Authority(home.folder / "self", home.ca.name).client(APP)


def _revoked(home):
    pair = home.ca.client(APP)
    home.revoke(pair)
    return pair


CHAIN = "the client certificate, or one of its chain, "
NUL = "A name of the certificate contains a NUL."
REFUSED = {
    "none": (
        lambda home: None,
        "no_certificate",
        "a client certificate is needed here, and none was sent",
    ),
    "of another authority": (
        _other_ca,
        "unknown_ca",
        "the client certificate is not issued by an authority that is accepted here",
    ),
    "self-signed": (
        _self_signed,
        "unknown_ca",
        "the client certificate is not issued by an authority that is accepted here",
    ),
    "expired": (
        lambda home: home.ca.client(APP, until=TODAY - SECOND),
        "expired",
        CHAIN + "has expired",
    ),
    "not yet valid": (
        lambda home: home.ca.client(APP, since=TODAY + SECOND),
        "not_yet_valid",
        CHAIN + "is not yet valid",
    ),
    "revoked": (_revoked, "revoked", CHAIN + "has been revoked"),
    "for servers": (
        lambda home: home.ca.client(APP, usage=(ExtendedKeyUsageOID.SERVER_AUTH,)),
        "purpose",
        "the client certificate is not meant for clients: its key usage says so",
    ),
    "not for signing": (
        lambda home: home.ca.client(APP, signs=False),
        "purpose",
        "the client certificate is not meant for clients: its key usage says so",
    ),
    "a NUL in the common name": (
        lambda home: home.ca.with_bytes(
            home.ca.client(APP, common_name="goodXevil"), b"goodXevil", b"good\0evil"
        ),
        "unreadable",
        NUL,
    ),
    "a NUL in the application": (
        lambda home: home.ca.with_bytes(
            home.ca.client("https://goodXevil.example/"), b"goodXevil", b"good\0evil"
        ),
        "unreadable",
        NUL,
    ),
    "a weak key": (
        lambda home: home.ca.client(APP, key=rsa.generate_private_key(65537, 1024)),
        "refused",
        "EE certificate key too weak",
    ),
    "roles that are no list": (
        lambda home: home.ca.client(APP, extensions=[(ROLES, utf8("role"))]),
        "unreadable",
        "The certificate's roles are not a SEQUENCE OF UTF8String.",
    ),
    "a member that is no text": (
        lambda home: home.ca.client(APP, extensions=[(MEMBER, b"\x16\x01a")]),
        "unreadable",
        "The certificate's member is not a UTF8String.",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_certificate_that_is_not_good_opens_nothing(home, case):
    """Not with a good token either, and not what is open to all elsewhere. The peer learns why."""
    make, cause, detail = REFUSED[case]
    pair = make(home)
    before = home.failures().get(cause, 0)
    opened = metrics(home.server)["consentd_tls_handshakes_total"]
    token = home.minter.tenant(TENANT)
    for http2, method, path in (
        (False, "GET", "/healthz"),
        (False, "POST", "/v1/consents"),
        (True, "GET", "/v1/consents"),
        (True, "POST", "/v1/consents"),
    ):
        body = bodies.consent(APP, NOW) if method == "POST" else None
        door = home.mutual(pair, alpn=("h2",) if http2 else ("http/1.1",))
        with Api(door, home.minter, token, http2=http2) as api:
            assert refusal(api.call(method, path, body), cause) == detail
    assert metrics(home.server)["consentd_tls_handshakes_total"] == opened
    assert home.failures()[cause] > before
    if pair is not None:
        last = logged(home.server, "tls.refused")[-1]
        assert (last["cause"], last["sha256"]) == (cause, pair.sha256)


@pytest.mark.parametrize("http2", (False, True))
def test_after_a_refusal_the_connection_ends(home, http2):
    if http2:
        with Frames(home.mutual(alpn=("h2",))) as frames:
            stream = frames.open("GET", "/healthz")
            frames.flush()
            assert frames.answer(stream)[0] == 401
            while not frames.closed:
                frames.events()
    else:
        with Wire(home.mutual()) as wire:
            assert wire.ask(request("GET", "/healthz")).status_code == 401
            assert wire.at_end()


def test_a_certificate_without_its_key_is_no_certificate(home):
    """The handshake fails at the signature: what was stolen without its key is worth nothing."""
    other = home.ca.client(APP)
    context = home.ca.context()
    with pytest.raises(ssl.SSLError, match="KEY_VALUES_MISMATCH"):
        context.load_cert_chain(home.ca.client(APP).certificate, other.key)


def test_dates_are_judged_by_service_time(house):
    """The same certificate, a second later: --clock drives TLS as it drives tokens."""
    home = house(clock=f"{NOW}x0")
    pair = home.ca.client(APP, since=TODAY, until=TODAY + SECOND)
    assert asked(home.mutual(pair)).status_code == 200
    before = home.elsewhen("2026-06-15T11:59:59.999Zx0")
    assert refusal(asked(before.mutual(pair)), "not_yet_valid")
    later = home.elsewhen("2026-06-15T12:00:01.000Zx0")
    assert refusal(asked(later.mutual(pair)), "expired")


def test_an_intermediate_authority_is_believed_with_its_root(home):
    between = Authority(home.folder / "between", "between", parent=home.ca)
    pair = between.client(APP)
    assert refusal(asked(home.mutual(pair)), "crl")  # nobody publishes a list for it
    home.add_crl(between.write_crl())
    assert asked(home.mutual(pair)).status_code == 200
    home.revoke(between)
    assert refusal(asked(home.mutual(pair)), "revoked")


def test_a_list_that_is_due_again_vouches_for_nobody(house):
    home = house(crlFile=True)
    pair = home.ca.client(APP)
    assert asked(home.mutual(pair)).status_code == 200
    home.ca.write_crl(until=TODAY - SECOND)
    home.reload()
    assert refusal(asked(home.mutual(pair)), "crl")
    left = 'consentd_tls_crl_expiry_seconds{address="%s"}'
    assert metrics(home.server)[left % home.address("mutual")] == -1


def test_no_certificate_is_needed_where_it_is_optional(house):
    """A token alone is enough there; a bad certificate still is not."""
    home = house(certificateOptional=True)
    token = home.minter.tenant(TENANT)
    assert asked(home.mutual(), "/v1/consents", token).status_code == 200
    assert refusal(asked(home.mutual(_other_ca(home)), "/v1/consents", token), "unknown_ca")


# ---- protocol


def test_tls_1_2_opens_only_where_it_is_configured(new_server, tmp_path):
    def more(home):
        return (
            listener(home.pair, "mutual", clientCaFile=home.ca.certificate, tlsMin="1.2"),
            listener(home.pair, "public", tlsMin="1.3"),
        )

    home = House(new_server, tmp_path, more=more)
    pair = home.ca.client(APP)
    old = {"most": TLS12}
    with Wire(home.mutual(pair, number=1, **old)) as wire:
        assert wire.socket.version() == "TLSv1.2"
        assert wire.socket.cipher()[0].startswith("ECDHE-")
        assert wire.ask(request("GET", "/healthz")).status_code == 200
    assert asked(home.public(**old)).status_code == 200
    for door in (home.mutual(pair, **old), home.public(number=1, **old)):
        with pytest.raises((ssl.SSLError, OSError)):
            asked(door)
    for door in (home.mutual(pair, number=1), home.public(number=1)):
        with Wire(door) as wire:
            assert wire.socket.version() == "TLSv1.3"
            assert wire.ask(request("GET", "/healthz")).status_code == 200
    assert home.failures() == {"protocol": 2}


NOT_SPOKEN = {
    "ec": ("ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA"),
    "rsa": ("AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA256", "AES256-SHA", "aNULL@SECLEVEL=0"),
}
SPOKEN = {
    "ec": ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"),
    "rsa": ("ECDHE-RSA-AES256-GCM-SHA384",),
}


def test_suites_without_forward_secrecy_or_aead_are_not_spoken(new_server, tmp_path):
    """With a certificate of each kind: without one that fits, no server could speak a suite."""
    home = House(
        new_server, tmp_path, more=lambda h: (listener(h.ca.server(key="rsa"), "public"),)
    )
    for number, kind in enumerate(("ec", "rsa")):
        for suite in (*NOT_SPOKEN[kind], *SPOKEN[kind]):
            context = home.ca.context(most=TLS12)
            context.set_ciphers(suite)
            door = home.server.door("public", context, number)
            if suite in SPOKEN[kind]:
                assert asked(door).status_code == 200
            else:
                with pytest.raises((ssl.SSLError, OSError)):
                    asked(door)


def test_alpn_offers_http2_and_http1_and_answers_nothing_else(home):
    for offered, chosen in ((("h2", "http/1.1"), "h2"), (("http/1.1",), "http/1.1"), ((), None)):
        with Wire(home.public(alpn=offered)) as wire:
            assert wire.socket.selected_alpn_protocol() == chosen
            if chosen != "h2":
                assert wire.ask(request("GET", "/healthz")).status_code == 200
    with pytest.raises((ssl.SSLError, OSError)):
        asked(home.public(alpn=("smtp",)))


def test_http2_can_be_switched_off(house):
    home = house(config={"http2": False})
    with Wire(home.public(alpn=("h2", "http/1.1"))) as wire:
        assert wire.socket.selected_alpn_protocol() == "http/1.1"
        assert wire.ask(request("GET", "/healthz")).status_code == 200


def test_plain_http_on_a_tls_port_gets_nothing(home):
    door = home.server.door("mutual")  # without TLS
    with Wire(door) as wire:
        wire.send(request("GET", "/healthz"))
        assert is_closed(wire)
    until(home.server, lambda: home.failures().get("protocol", 0) > 0)


@pytest.mark.parametrize("most", (TLS12, TLS13))
def test_no_session_is_resumed(new_server, tmp_path, most):
    """Each handshake shows its certificate: one that was revoked in between is found."""
    home = House(new_server, tmp_path, crlFile=True, tlsMin="1.2")
    pair = home.ca.client(APP)
    context = home.ca.context(pair, most=most)
    door = home.server.door("mutual", context)
    with Wire(door) as wire:
        assert wire.ask(request("GET", "/healthz")).status_code == 200
        session = wire.socket.session
        assert not session.has_ticket
        # while the first is open: OpenSSL forgets the session of a connection that breaks off, and
        # a reload all that were before
        for revoked in (False, True):
            if revoked:
                home.revoke(pair)
            raw = socket.create_connection((door.host, door.port))
            with context.wrap_socket(raw, server_hostname=door.host, session=session) as again:
                assert not again.session_reused
                again.sendall(request("GET", "/healthz"))
                status = again.recv(65536).split(b"\r\n")[0]
                assert (b" 401 " in status) == revoked


# ---- what is served where


def routes_of(server, ids):
    """The routes that the log names for these requests, once it has them all."""
    lines = [line for line in server.log_entries() if line.get("request_id") in ids]
    return {line["request_id"]: line["route"] for line in lines} if len(lines) == len(ids) else None


def test_the_public_listener_serves_what_needs_no_credential(home):
    """All routes of the contract; a token changes nothing there."""
    token = home.minter.tenant(TENANT)
    with Api(home.public(), home.minter, token) as api:
        asked_for = {}
        for method, path, operation in operations(contract().document):
            response = api.call(method, re.sub(r"{\w+}", "busy", path), check=False)
            is_open = operation.get("security") == []
            asked_for[response.headers["x-request-id"]] = path if is_open else "(none)"
            if not is_open or path == "/metrics":
                assert response.status_code == 404, (method, path)
        lines = until(home.server, lambda: routes_of(home.server, asked_for))
        assert lines == asked_for
        assert api.call("POST", "/healthz", check=False).status_code == 404
        assert "details" not in api.get("/readyz").json()


def test_operators_have_a_listener_of_their_own(house):
    home = house()
    home.config["listeners"][1]["admin"] = True
    home.reload()
    with Api(home.public(), home.minter) as api:
        assert "consentd_tls_handshakes_total" in api.get("/metrics").text
        assert "policy" in api.get("/readyz").json()["details"]


def test_a_live_certificate_has_days_left(home):
    left = 'consentd_tls_certificate_expiry_seconds{address="%s"}' % home.address("public")
    seconds = (home.pair.x509.not_valid_after_utc - TODAY).total_seconds()
    assert metrics(home.server)[left] == seconds
