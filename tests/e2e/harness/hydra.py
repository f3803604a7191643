# SPDX-License-Identifier: Apache-2.0
"""What Ory Hydra says and does, as far as the hook and the example need it: the hook's body as
v2.3.0 sent it, recorded, and a stand-in that asks the hook as Hydra does (docs/hydra.md tells what
was tried against the real one)."""

import base64
import http.server
import json
import secrets
import threading
import urllib.parse

import httpx

APP = "https://directory.example/hydra/application/cap"


def hook_body(consent_id, client=APP, grant="refresh_token", extra=None):
    """Recorded; ids and times are another's. What is new in later releases is added at its end."""
    claims = {} if consent_id is None else {"consent_id": consent_id}
    return {
        "session": {
            "id_token": {
                "id_token_claims": {
                    "jti": "",
                    "iss": "http://127.0.0.1:4444",
                    "sub": "6qIO3KZx0Q",
                    "aud": [client],
                    "nonce": "",
                    "exp": "0001-01-01T00:00:00Z",
                    "iat": "2026-11-26T23:47:43Z",
                    "rat": "2026-11-26T23:47:42Z",
                    "auth_time": "2026-11-26T23:47:42Z",
                    "at_hash": "",
                    "acr": "",
                    "amr": [],
                    "c_hash": "",
                    "ext": {"sid": "2e87343b-e3bd-4615-8412-7410f55f73ca"},
                },
                "headers": {"extra": {"kid": "7b982003-d2b2-4f4b-b12a-ff198cde98d3"}},
                "expires_at": {
                    "access_token": "2026-11-27T00:47:44Z",
                    "authorize_code": "2026-11-26T23:57:43.531765342Z",
                    "refresh_token": "2026-12-26T23:47:44Z",
                },
                "username": "",
                "subject": "6qIO3KZx0Q",
            },
            "extra": {**claims, **(extra or {})},
            "kid": "06650d50-158e-4acd-a81e-244d3d8a654c",
            "client_id": client,
            "consent_challenge": "09188b7b-930d-4db4-a1da-4197bcff7066",
            "exclude_not_before_claim": False,
            "allowed_top_level_claims": [],
            "mirror_top_level_claims": True,
        },
        "request": {
            "client_id": client,
            "requested_scopes": ["offline_access"],
            "granted_scopes": ["offline_access"],
            "granted_audience": [],
            "grant_types": [grant],
            "payload": {"client_id": [client], "grant_type": [grant]},
        },
        "something_new": {"of": ["a", "later", "release", 1.5, None]},
    }


def jwt_of(claims):
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{part}.c2ln"


class StandIn:
    """The parts of Hydra's two APIs that the example calls, on one port; its token endpoint asks the
    hook first."""

    def __init__(self, hook, key):
        self.hook, self.key = hook, key
        self.accepted, self.rejected, self.session = [], [], None
        handler = type("Handler", (_Handler,), {"hydra": self})
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        self.thread = threading.Thread(target=self.http.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    def issue(self, grant):
        """As executeHookAndUpdateSession: 204 keeps the claims, 200 replaces them, 403 denies."""
        body = hook_body(None, grant=grant, extra=self.session)
        answer = httpx.post(self.hook, json=body, headers={"X-API-Key": self.key}, trust_env=False)
        if answer.status_code == 403:
            return 403, {"error": "access_denied"}
        if answer.status_code == 200:
            self.session = answer.json()["session"]["access_token"]
        elif answer.status_code != 204:
            return 500, {"error": "server_error"}
        tokens = {"access_token": jwt_of({"ext": self.session}), "token_type": "bearer"}
        return 200, {**tokens, "refresh_token": "ory_rt_" + secrets.token_urlsafe(32)}


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def _answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def do_GET(self):
        assert self.path.startswith("/admin/oauth2/auth/requests/consent?consent_challenge=")
        client = {"client_id": APP, "metadata": {}}
        asked = {"client": client, "subject": "6qIO3KZx0Q", "requested_scope": ["offline_access"]}
        self._answer(200, asked)

    def do_PUT(self):
        document = json.loads(self._body())
        if "/consent/accept?" in self.path:
            self.hydra.session = document["session"]["access_token"]
            self.hydra.accepted.append(document)
        else:
            assert "/consent/reject?" in self.path
            self.hydra.rejected.append(document)
        self._answer(200, {"redirect_to": "http://127.0.0.1:4461/callback"})

    def do_POST(self):
        assert self.path == "/oauth2/token"
        form = dict(urllib.parse.parse_qsl(self._body().decode()))
        self._answer(*self.hydra.issue(form["grant_type"]))
