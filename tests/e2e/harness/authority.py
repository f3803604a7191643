# SPDX-License-Identifier: Apache-2.0
"""Authorization servers as far as their keys go: real HTTP servers that publish JWK sets, rotate
them, and misbehave in every way that a test asks for."""

import hashlib
import json
import ssl
import threading
from http.server import ThreadingHTTPServer

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from harness.unkind import Unkind

AUDIENCE = "https://consent.example"


class Authority:
    """One issuer: its keys, what its URL says now, and how often it was asked."""

    def __init__(self, server, name):
        self.server = server
        self.name = name
        self.issuer = f"{server.url}/{name}"
        self.keys_url = f"{self.issuer}/jwks"
        self.keys = {}
        self.asked = 0
        self.not_modified = 0
        self.behaviour = "good"
        self.headers = []
        self.metadata = {"issuer": self.issuer, "jwks_uri": self.keys_url}
        self.rotate("first")

    def rotate(self, kid):
        """From now on it signs with another key, and publishes that alone."""
        self.kid = kid
        self.keys[kid] = ec.generate_private_key(ec.SECP256R1())

    def jwks(self):
        public = self.keys[self.kid].public_key()
        jwk = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(public))
        return json.dumps({"keys": [{**jwk, "kid": self.kid, "alg": "ES256", "use": "sig"}]})

    def token(self, now_s, kid=None, client="https://client.example/app", **more):
        kid = kid or self.kid
        claims = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "client_id": client,
            "scope": "consents:read",
            "iat": now_s,
            "exp": now_s + 3600,
            **more,
        }
        key = self.keys.get(kid, self.keys[self.kid])
        return jwt.encode(claims, key, "ES256", {"kid": kid, "typ": "at+jwt"})

    def config(self, **more):
        return {"issuer": self.issuer, "audience": AUDIENCE, "keysUrl": self.keys_url, **more}


class Handler(Unkind):
    content_type = "application/json"

    def do_GET(self):
        self.authority, self.document = self.server.find(self.path)
        if self.authority is None:
            self.reply(404)
        elif self.document == "jwks":
            self.authority.asked += 1
            getattr(self, self.authority.behaviour)()
        else:
            self.reply(200, json.dumps(self.authority.metadata).encode())

    def good(self):
        body = self.authority.jwks().encode()
        tag = f'"{hashlib.sha256(body).hexdigest()}"'
        headers = [("ETag", tag), *self.authority.headers]
        if self.headers.get("If-None-Match") == tag:
            self.authority.not_modified += 1
            self.reply(304, more=headers)
        else:
            self.reply(200, body, more=headers)

    def rubbish(self):
        self.reply(200, b"<html>\xff\xfe")

    def no_keys(self):
        self.reply(200, b'{"keys": []}')

    def elsewhere(self):
        """To where there is a good set."""
        self.reply(302, more=[("Location", f"/{self.authority.name}-2/jwks")])

    def slow(self):
        """A byte now and then: it would take for ever."""
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        while not self.server.over.wait(0.3):
            try:
                self.wfile.write(b" ")
            except OSError:
                return


class Authorities(ThreadingHTTPServer):
    """All at one address; use as a context. certificate: a harness.ca.Pair, for TLS."""

    daemon_threads = True

    def __init__(self, certificate=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.over = threading.Event()
        self.known = {}
        self.url = f"http://127.0.0.1:{self.server_port}"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.certificate, certificate.key)
            self.socket = context.wrap_socket(self.socket, server_side=True)
            self.url = f"https://127.0.0.1:{self.server_port}"
        self.thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def add(self, name):
        self.known[name] = Authority(self, name)
        return self.known[name]

    def find(self, path):
        """The authority and the document that a path asks for."""
        parts = path.strip("/").split("/")
        if len(parts) == 2 and parts[1] == "jwks":
            return self.known.get(parts[0]), "jwks"
        if parts[:2] == [".well-known", "oauth-authorization-server"] and len(parts) == 3:
            found = self.known.get(parts[2])
            return (None if found and found.behaviour == "oidc_only" else found), "metadata"
        if parts[1:] == [".well-known", "openid-configuration"]:
            return self.known.get(parts[0]), "metadata"
        return None, None

    def handle_error(self, request, client_address):
        pass  # a client that hangs up is what some tests want

    def __exit__(self, *exception):
        self.over.set()
        self.shutdown()
        self.thread.join()
        super().__exit__(*exception)
