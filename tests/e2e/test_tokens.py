# SPDX-License-Identifier: Apache-2.0
"""Tokens as authorization servers make them, and as attackers do."""

import hashlib
import itertools
import json
import time

import pytest
from conftest import NOW, NOW_S
from cryptography.hazmat.primitives import serialization
from harness import bodies
from harness.authority import Authorities
from harness.ca import Authority, listener
from harness.client import Api, contract
from harness.issuer import AUDIENCE, Issuer, Key, b64, bound_to, encode, with_hmac
from harness.process import metrics
from harness.server import Server
from harness.wire import Wire, request
from test_problems import from_address

TENANT = "https://directory.example/tokens/member/edp"
APP = "https://directory.example/tokens/member/cap/application/1"
CAP = "https://directory.example/tokens/member/cap"
EDP_ROLE = f"{bodies.PREFIX}/role/energy-data-provider"
PARTY = "consents:write consents:read decisions:evaluate"
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # order of P-256


class House:
    """A service that believes four issuers, on a plain and on a mutual listener."""

    def __init__(self, folder):
        make = Issuer
        self.oidc = make(folder, "oidc", "oidc-provider", ["ES256", "PS256", "EdDSA", "Ed25519"], NOW_S)
        self.hydra = make(folder, "hydra", "hydra", ["RS256"], NOW_S)
        self.perseus = make(folder, "perseus", "perseus", ["ES256"], NOW_S)
        self.strict = make(folder, "strict", "oidc-provider", ["ES256"], NOW_S)
        self.ca = Authority(folder / "ca")
        self.pair = self.ca.server()
        self.server = Server(
            folder / "data",
            clock=f"{NOW}x0",
            config={
                "publicUrl": f"{AUDIENCE}/base",
                "issuers": [
                    self.oidc.config(),
                    self.hydra.config(allowRs256=True),
                    self.perseus.config(binding="directoryUrl"),
                    self.strict.config(binding="x5t"),
                ],
                "listeners": [
                    listener(self.pair, "mutual", clientCaFile=self.ca.certificate),
                    listener(self.pair, "public"),
                ],
            },
        )
        self.server.start()
        self.peers = itertools.count(1)

    def ask(self, token, path="/v1/consents", headers=None):
        """From an address that has not failed yet."""
        number = next(self.peers)
        peer = f"127.1.{number // 250}.{number % 250 + 1}"
        sent = headers if headers is not None else [("Authorization", f"Bearer {token}")]
        answer = from_address(self.server, peer, request("GET", path, headers=sent))
        contract().check("GET", path.partition("?")[0], answer)
        return answer

    def refused(self, token, why, **more):
        answer = self.ask(token, **more)
        assert answer.status_code == 401, answer.text
        assert answer.json()["detail"] == why
        told = answer.headers["www-authenticate"]
        assert f'error="invalid_token", error_description="{why}"' in told
        return answer

    def mutual(self, pair=None):
        return self.server.door("mutual", self.ca.context(pair))

    def by(self, pair, token, path="/v1/consents"):
        with Wire(self.mutual(pair)) as wire:
            answer = wire.ask(request("GET", path, token))
        contract().check("GET", path, answer)
        return answer


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    house = House(tmp_path_factory.mktemp("tokens"))
    yield house
    house.server.stop()


def members(document):
    """Of a JSON object as text, for those that cannot be values."""
    return json.dumps(document)[:-1]


# ---- shapes


@pytest.mark.parametrize("alg", ["ES256", "PS256", "EdDSA", "Ed25519"])
def test_oidc_provider(house, alg):
    """at+jwt, scope in one string, the consent in rich authorization details."""
    token = house.oidc.token(TENANT, PARTY, alg)
    with Api(house.server, None, token) as api:
        made = api.create(bodies.consent(APP, NOW, account=f"oidc-{alg}"))
        details = [{"type": "consent", "consent_id": made["consentId"], "actions": ["read"]}]
        reader = house.oidc.token(APP, PARTY, alg, authorization_details=details)
        assert api.consent(made["consentId"], token=reader)["status"] == "active"


def test_ory_hydra(house):
    """RS256 and a list of scopes; what the operator adds stands in ext."""
    token = house.hydra.token(APP, PARTY, ext={"member": CAP})
    with Api(house.server, None, token) as api:
        made = api.create(bodies.consent(TENANT, NOW, account="hydra"))
        assert made["tenant"] == CAP
    house.refused(
        house.oidc.sign(house.oidc.header(alg="RS256"), house.oidc.claims(APP, PARTY)),
        "The token's alg is not that of its issuer's key.",
    )


def test_the_perseus_demonstrator(house):
    """Bound to the certificate, and client_id the application's URL in the Directory."""
    mine = house.ca.client(APP, member=CAP, roles=[EDP_ROLE])
    token = house.perseus.token(APP, PARTY, cnf=bound_to(mine))
    with Api(house.mutual(mine), None, token) as api:
        made = api.create(bodies.consent(TENANT, NOW, account="perseus"))
        assert made["tenant"] == CAP


# ---- tokens bound to certificates


def test_a_stolen_bound_token_opens_nothing(house):
    """Not with another certificate of the same authority, not without one: also right after its
    owner has used it."""
    mine, thief = house.ca.client(APP), house.ca.client("https://directory.example/app/thief")
    none = (
        "The token is bound to a client certificate (cnf.x5t#S256), and this connection has none."
    )
    other = (
        "The token is bound to another client certificate (cnf.x5t#S256) than that of this "
        "connection."
    )
    for issuer in (house.oidc, house.strict):
        token = issuer.token(APP, PARTY, cnf=bound_to(mine))
        for _ in range(3):
            assert house.by(mine, token).status_code == 200
            house.refused(token, none)
            answer = house.by(thief, token)
            assert answer.status_code == 401
            assert answer.json()["detail"] == other
            assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_an_issuer_may_want_all_its_tokens_bound(house):
    why = "Tokens of this issuer must be bound to a client certificate (cnf.x5t#S256)."
    token = house.strict.token(APP, PARTY)
    house.refused(token, why)
    answer = house.by(house.ca.client(APP), token)
    assert (answer.status_code, answer.json()["detail"]) == (401, why)


def test_a_directory_binds_to_the_application(house):
    token = house.perseus.token(APP, PARTY)
    for pair in (house.ca.client(APP), house.ca.client(APP)):  # renewed
        assert house.by(pair, token).status_code == 200
    others = {
        "The client certificate is that of another application than the token's client.": (
            house.ca.client(f"{APP}1")
        ),
        "The client certificate is that of another member than the token's.": (
            house.ca.client(APP, member=f"{CAP}2")
        ),
    }
    claiming = house.perseus.token(APP, PARTY, member=CAP)
    for why, pair in others.items():
        answer = house.by(pair, claiming)
        assert (answer.status_code, answer.json()["detail"]) == (401, why)
    assert house.by(house.ca.client(APP, member=CAP), claiming).status_code == 200
    house.refused(
        token,
        "Tokens of this issuer need the client certificate of the application, and this "
        "connection has none.",
    )


# ---- attacks


def secrets_of(key):
    """What a forger who knows only the public key might take for an HMAC secret."""
    public = key.private.public_key()
    jwk = key.jwk()
    yield public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    yield public.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    yield json.dumps(jwk).encode()
    yield jwk["x"].encode()
    yield b""


def test_the_public_key_is_no_secret(house):
    key = house.oidc.first
    claims = house.oidc.claims(TENANT, PARTY)
    for alg in ("HS256", "ES256"):
        for secret in secrets_of(key):
            token = with_hmac(house.oidc.header(alg=alg), claims, secret)
            house.refused(
                token,
                "The token's alg is not that of its issuer's key."
                if alg == "HS256"
                else "The token's signature does not verify.",
            )


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", "HS384", "es256", "ES384"])
def test_the_algorithm_belongs_to_the_key(house, alg):
    header, claims = house.oidc.header(alg=alg), house.oidc.claims(TENANT, PARTY)
    why = "The token's alg is not that of its issuer's key."
    house.refused(house.oidc.sign(header, claims), why)
    unsigned = f"{encode(header)}.{encode(claims)}."
    house.refused(
        unsigned,
        "Opaque and encrypted tokens are not accepted yet: the token must be a JWT of three "
        "parts, signed by a configured issuer.",
    )


def test_a_key_is_named_exactly(house):
    claims = house.oidc.claims(TENANT, PARTY)
    header = house.oidc.header()
    unknown = "The token's kid names no key of its issuer."
    kid = header["kid"]
    named = [f"{kid} ", kid[:-1], kid.upper(), f"{kid}\x01", "../../etc/passwd", "' or 1=1 --"]
    for forged in [*named, "", house.hydra.first.kid, house.perseus.first.kid, "x" * 4000]:
        house.refused(house.oidc.sign({**header, "kid": forged}, claims), unknown)
    house.refused(house.oidc.sign({"alg": "ES256", "typ": "at+jwt"}, claims), unknown)
    for value in (None, 7, ["oidc-ES256"], {}):
        house.refused(
            house.oidc.sign({**header, "kid": value}, claims), "The token's kid is not a string."
        )
    twice = members(header) + f', "kid": "{kid}"}}'
    once = (
        "The token's header is not the base64url of a JSON object whose members each stand once."
    )
    house.refused(house.oidc.sign(twice, claims), once)
    house.refused(house.oidc.sign(members(header) + ', "\\u006bid": "x"}', claims), once)
    # the PS256 key is another than the ES256 one
    house.refused(
        house.oidc.sign({**header, "kid": "oidc-PS256"}, claims),
        "The token's alg is not that of its issuer's key.",
    )


def test_a_key_of_one_issuer_signs_nothing_for_another(house):
    """Each of two issuers knows what the other's clients are called."""
    key = house.strict.first
    claims = house.oidc.claims(TENANT, PARTY)
    house.refused(
        house.oidc.sign(house.oidc.header(key), claims, key),
        "The token's kid names no key of its issuer.",
    )
    house.refused(
        house.oidc.sign(house.oidc.header(), claims, key), "The token's signature does not verify."
    )
    house.refused(
        house.oidc.sign(house.oidc.header(), {**claims, "iss": house.perseus.issuer}),
        "The token's kid names no key of its issuer.",
    )


def test_claims_that_are_not_for_us_or_not_for_now(house):
    rows = [
        ({"aud": "https://other.example"}, "The token is not for this service (aud)."),
        ({"aud": f"{AUDIENCE}/"}, "The token is not for this service (aud)."),
        ({"aud": [["https://consent.example"]]}, "The token is not for this service (aud)."),
        ({"aud": ...}, "The token is not for this service (aud)."),
        ({"exp": NOW_S}, "The token has expired."),
        ({"exp": NOW_S - 1}, "The token has expired."),
        ({"exp": NOW_S - 61}, "The token has expired."),
        ({"exp": ...}, "The token has no exp, or one that is not a time."),
        ({"exp": "9999999999"}, "The token has no exp, or one that is not a time."),
        ({"exp": 1e300}, "The token has no exp, or one that is not a time."),
        ({"nbf": NOW_S + 61}, "The token is not valid yet (nbf)."),
        ({"iat": NOW_S + 61}, "The token was issued in the future (iat)."),
        ({"iss": f"{house.oidc.issuer}/"}, "The token's issuer is not one that is configured."),
    ]
    for claims, why in rows:
        house.refused(house.oidc.token(TENANT, PARTY, **claims), why)
    for claims in ({"exp": NOW_S + 1}, {"nbf": NOW_S + 60}, {"iat": NOW_S + 60}):
        assert house.ask(house.oidc.token(TENANT, PARTY, **claims)).status_code == 200


def test_nothing_is_fetched_that_a_token_names(house):
    """jku and x5u of a forger, who publishes his key there; jwk and x5c bring it along."""
    forger = Key("ES256", house.oidc.first.kid)
    claims = house.oidc.claims(TENANT, PARTY)
    with Authorities() as authorities:
        published = authorities.add("forger")
        for more in (
            {"jwk": forger.jwk()},
            {"jku": published.keys_url},
            {"x5u": published.keys_url},
            {"x5c": ["MIIB"]},
            {"jwk": forger.jwk(), "jku": published.keys_url, "x5u": published.keys_url},
        ):
            house.refused(
                house.oidc.sign(house.oidc.header(**more), claims, forger),
                "The token's signature does not verify.",
            )
            # they are not looked at, so that they do no harm either
            assert house.ask(house.oidc.sign(house.oidc.header(**more), claims)).status_code == 200
        assert published.asked == 0
    why = "The token has a critical header parameter that is not understood."
    for crit in (["exp"], ["b64"], [], None, "exp"):
        house.refused(house.oidc.sign(house.oidc.header(crit=crit, exp=1), claims), why)


def with_signature(house, signature):
    data = house.oidc.token(TENANT, PARTY, jti=str(time.monotonic_ns())).rpartition(".")[0]
    return f"{data}.{b64(signature)}"


def test_signatures_that_are_no_pair_of_numbers(house):
    """CVE-2022-21449 and its kin: zeros, the order of the group, other lengths and encodings."""
    good = house.oidc.first.signature(b"x")
    r, s = good[:32], good[32:]
    zero, order = bytes(32), N.to_bytes(32, "big")
    rows = [
        zero + zero,
        zero + s,
        r + zero,
        order + order,
        order + s,
        r + order,
        b"\xff" * 64,
        (1).to_bytes(32, "big") * 2,
        good[:63],
        good + b"\0",
        b"\0" + good,
        good * 2,
        b"\x30\x44\x02\x20" + r + b"\x02\x20" + s,
        b"\x30\x06\x02\x01\x00\x02\x01\x00",
        b"\0",
        b"\0" * 1024,
    ]
    for signature in rows:
        house.refused(with_signature(house, signature), "The token's signature does not verify.")
    house.refused(
        with_signature(house, b"\0" * 1025), "The token's signature is not base64url."
    )
    # a curve that is not the key's
    larger = Key("ES384", house.oidc.first.kid)
    house.refused(
        house.oidc.sign(house.oidc.header(), house.oidc.claims(TENANT, PARTY), larger),
        "The token's signature does not verify.",
    )


def test_members_stand_once(house):
    claims = house.oidc.claims(TENANT, PARTY)
    why = "The token's payload is not the base64url of a JSON object whose members each stand once."
    for more in ('"exp": 9999999999', '"scope": "admin"', '"\\u0061ud": "x"', '"x": {"a":1,"a":2}'):
        house.refused(house.oidc.sign(house.oidc.header(), members(claims) + f", {more}}}"), why)


def test_sizes_and_shapes(house):
    pad = house.oidc.token(TENANT, PARTY, pad="x" * 9000)
    assert len(pad) > 9 * 1024
    house.refused(pad, "The token is larger than 8 KiB.")
    opaque = (
        "Opaque and encrypted tokens are not accepted yet: the token must be a JWT of three "
        "parts, signed by a configured issuer."
    )
    good = house.oidc.token(TENANT, PARTY)
    for token in ("..", ".", "...", "a..b", "ory_at_8kQ.pT", "2YotnFZFEjr1zCsicMWpAA", f"{good}.a",
                  f"{good}.", "eyJ.a.b.c.d"):
        house.refused(token, opaque)
    bound = house.oidc.token(TENANT, PARTY, cnf={"jkt": b64(hashlib.sha256(b"k").digest())})
    house.refused(
        bound, "The token is bound to a DPoP key (cnf.jkt), and DPoP is not accepted yet."
    )
    house.refused(
        None,
        "DPoP is not accepted yet: present a bearer token.",
        headers=[("Authorization", f"DPoP {good}"), ("DPoP", "a.b.c")],
    )
    answer = house.ask(None, path=f"/v1/consents?access_token={good}", headers=[])
    assert answer.status_code == 401
    assert "error=" not in answer.headers["www-authenticate"]
    for two in ([good, good], [good, "x"], ["x", good]):
        headers = [("Authorization", f"Bearer {token}") for token in two]
        house.refused(None, "The request has more than one Authorization header.", headers=headers)
    assert house.ask(good).status_code == 200


def test_a_weak_or_misfitting_key_is_not_loaded(tmp_path, new_server):
    """What a file holds is refused as a whole, at the start and with the reason."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    issuer = Issuer(tmp_path, "weak", "oidc-provider", ["PS256"], NOW_S)
    jwks = []
    for exponent, bits in ((65537, 1024), (3, 2048)):
        issuer.keys["PS256"].private = rsa.generate_private_key(exponent, bits)
        jwks.append(issuer.keys["PS256"].jwk())
    curve = Key("ES384", "k").jwk()
    jwks.append({**curve, "alg": "ES256"})
    jwks.append({**Key("ES256", "k").jwk(), "y": curve["y"]})
    jwks.append({**Key("ES256", "k").jwk(), "y": Key("ES256", "k").jwk()["y"]})
    jwks.append({"kty": "oct", "k": "c2VjcmV0", "kid": "k", "alg": "HS256"})
    for jwk in jwks:
        issuer.file.write_text(json.dumps({"keys": [jwk]}))
        server = Server(tmp_path / "data", config={"issuers": [issuer.config()]})
        with pytest.raises(AssertionError, match='config: ."issuers.": .*weak.jwks.json'):
            server.start()


# ---- what callers are told


def test_the_challenge_names_the_metadata(house):
    where = f"{AUDIENCE}/.well-known/oauth-protected-resource/base"
    answer = house.ask(None, headers=[])
    assert answer.headers["www-authenticate"] == (
        f'Bearer realm="consentd", scope="consents:read audit:read", resource_metadata="{where}"'
    )
    answer = house.ask(house.oidc.token(TENANT, "decisions:evaluate"))
    assert answer.headers["www-authenticate"] == (
        'Bearer realm="consentd", error="insufficient_scope", '
        f'scope="consents:read audit:read", resource_metadata="{where}"'
    )
    for door in (None, house.server.door("public", house.ca.context())):
        with Api(door or house.server, None) as api:
            metadata = api.get("/.well-known/oauth-protected-resource").json()
        assert metadata["resource"] == f"{AUDIENCE}/base"
        issuers = [house.oidc, house.hydra, house.perseus, house.strict]
        assert metadata["authorization_servers"][:4] == [i.issuer for i in issuers]
        assert metadata["tls_client_certificate_bound_access_tokens"] is True


def test_none_of_it_is_in_the_log_and_the_service_is_well(house):
    """The last test of the file: what all the others have left behind."""
    assert metrics(house.server)["consentd_tokens_refused_total"] > 0
    assert house.server.alive()
    for line in house.server.log_entries():
        text = json.dumps(line)
        assert "eyJ" not in text and "access_token" not in text, text
