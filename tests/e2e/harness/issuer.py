# SPDX-License-Identifier: Apache-2.0
"""Authorization servers of three makes, as far as their tokens go: keys of every kind, key files,
and the shapes of their tokens. Nothing here shares code with what verifies them."""

import base64
import hashlib
import hmac
import json

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

AUDIENCE = "https://consent.example"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value):
    return b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def encode(value):
    """A part of a token: JSON of a value, or text as it is."""
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    return b64(text.encode())


class Key:
    """A key pair with its algorithm, as JOSE names it."""

    def __init__(self, alg, kid):
        self.alg, self.kid = alg, kid
        make = {
            "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
            "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
            "PS256": lambda: rsa.generate_private_key(65537, 2048),
            "RS256": lambda: rsa.generate_private_key(65537, 2048),
            "EdDSA": ed25519.Ed25519PrivateKey.generate,
            "Ed25519": ed25519.Ed25519PrivateKey.generate,
        }
        self.private = make[alg]()

    def jwk(self):
        public = self.private.public_key()
        about = {"kid": self.kid, "alg": self.alg, "use": "sig"}
        if self.alg.startswith("ES"):
            numbers = public.public_numbers()
            size = public.key_size // 8
            return {
                "kty": "EC",
                "crv": f"P-{public.key_size}",
                "x": b64(numbers.x.to_bytes(size, "big")),
                "y": b64(numbers.y.to_bytes(size, "big")),
                **about,
            }
        if self.alg in ("EdDSA", "Ed25519"):
            return {"kty": "OKP", "crv": "Ed25519", "x": b64(public.public_bytes_raw()), **about}
        numbers = public.public_numbers()
        return {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e), **about}

    def signature(self, data):
        if self.alg.startswith("ES"):
            size = self.private.key_size // 8
            digest = hashes.SHA256() if size == 32 else hashes.SHA384()
            r, s = utils.decode_dss_signature(self.private.sign(data, ec.ECDSA(digest)))
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")
        if self.alg in ("EdDSA", "Ed25519"):
            return self.private.sign(data)
        pad = padding.PKCS1v15()
        if self.alg == "PS256":
            pad = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        return self.private.sign(data, pad, hashes.SHA256())


class Issuer:
    """`make` is oidc-provider, hydra or perseus: what its tokens look like."""

    def __init__(self, folder, name, make, algs, now_s):
        self.issuer = f"https://{name}.example"
        self.name, self.make, self.now_s = name, make, now_s
        self.keys = {alg: Key(alg, f"{name}-{alg}") for alg in algs}
        self.file = folder / f"{name}.jwks.json"
        self.publish()

    def publish(self):
        self.file.write_text(json.dumps({"keys": [k.jwk() for k in self.keys.values()]}))

    def config(self, **more):
        return {
            "issuer": self.issuer,
            "audience": AUDIENCE,
            "keyFile": str(self.file),
            **more,
        }

    @property
    def first(self):
        return next(iter(self.keys.values()))

    def header(self, key=None, **more):
        key = key or self.first
        typ = "at+jwt" if self.make == "oidc-provider" else "JWT"
        return {"alg": key.alg, "typ": typ, "kid": key.kid, **more}

    def claims(self, client, scope, **more):
        times = {"iat": self.now_s, "exp": self.now_s + 600}
        if self.make == "oidc-provider":
            claims = {
                "jti": "t4lBn7",
                "sub": client,
                **times,
                "scope": scope,
                "client_id": client,
                "iss": self.issuer,
                "aud": AUDIENCE,
            }
        elif self.make == "hydra":
            claims = {
                "aud": [AUDIENCE],
                "client_id": client,
                **times,
                "ext": {},
                "iss": self.issuer,
                "jti": "5b1c0a7e-6f8e-4bd2-9c10-6a8d4f7f0a55",
                "nbf": self.now_s,
                "scp": scope.split(" "),
                "sub": client,
            }
        else:
            claims = {
                "iss": self.issuer,
                "aud": AUDIENCE,
                "client_id": client,
                "scope": scope,
                "nbf": self.now_s,
                **times,
            }
        claims.update(more)
        return {name: value for name, value in claims.items() if value is not ...}

    def sign(self, header, claims, key=None):
        """Header and claims are values, or the text of JSON."""
        data = f"{encode(header)}.{encode(claims)}"
        return f"{data}.{b64((key or self.first).signature(data.encode()))}"

    def token(self, client, scope, alg=None, **more):
        key = self.keys[alg] if alg else self.first
        return self.sign(self.header(key), self.claims(client, scope, **more), key)


def with_hmac(header, claims, secret):
    data = f"{encode(header)}.{encode(claims)}"
    return f"{data}.{b64(hmac.new(secret, data.encode(), hashlib.sha256).digest())}"


def bound_to(pair):
    """The claim that binds a token to a certificate (RFC 8705)."""
    return {"x5t#S256": b64(hashlib.sha256(pair.der).digest())}
