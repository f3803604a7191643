# SPDX-License-Identifier: Apache-2.0
"""Bearer tokens signed by PyJWT with the development issuer's key: independent of our own code."""

import json
import pathlib

import jwt

ISSUER = "https://issuer.consentd.invalid"
AUDIENCE = "consentd"
TENANT = "consents:write consents:read decisions:evaluate"
CLIENT = "consents:write consents:read decisions:evaluate"
AUDITOR = "audit:read"
ADMIN = "admin"
LIFETIME_S = 3600


class Minter:
    """Mints at `now_s`, the injected time of the server that will verify."""

    def __init__(self, data, now_s, lifetime_s=LIFETIME_S):
        issuer = pathlib.Path(data) / "issuer"
        self.key = (issuer / "private.pem").read_bytes()
        keys = json.loads((issuer / "jwks.json").read_text())
        self.kid = keys["keys"][0]["kid"]
        self.now_s = now_s
        self.lifetime_s = lifetime_s
        self._made = {}

    def claims(self, client, scope, **more):
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "client_id": client,
            "scope": scope,
            "iat": self.now_s,
            "exp": self.now_s + self.lifetime_s,
        }
        claims.update(more)
        return {k: v for k, v in claims.items() if v is not None}

    def sign(self, claims, key=None, algorithm="ES256", headers=None):
        header = {"typ": "at+jwt", "kid": self.kid}
        header.update(headers or {})
        return jwt.encode(claims, key or self.key, algorithm=algorithm, headers=header)

    def token(self, client, scope, **more):
        """The same arguments give the same token: the verified-token cache works as in life."""
        name = (client, scope, json.dumps(more, sort_keys=True), self.now_s)
        if name not in self._made:
            self._made[name] = self.sign(self.claims(client, scope, **more))
        return self._made[name]

    def tenant(self, url, **more):
        return self.token(url, TENANT, **more)

    def client(self, url, **more):
        return self.token(url, CLIENT, **more)

    def auditor(self, url="https://auditor.example/app", providers=("*",), **more):
        return self.token(url, AUDITOR, providers=list(providers), **more)

    def admin(self, url="https://admin.example/app", **more):
        return self.token(url, ADMIN, **more)
