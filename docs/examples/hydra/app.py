#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ory Hydra with consents in consentd: the consent page, and the token endpoint in front of Hydra's,
which registers the digest of each new refresh token. Python's standard library alone.

    GET, POST /consent       Hydra's urls.consent: shows the words, creates the consent, accepts
    GET       /login         Hydra's urls.login: an example's; yours knows its customers
    POST      /oauth2/token  what clients call instead of Hydra's

Hydra's token hook goes straight to consentd (hydra.yaml). Settings come from the environment:
"""

import base64
import datetime
import hashlib
import html
import http.server
import json
import os
import urllib.error
import urllib.parse
import urllib.request

LISTEN = os.environ.get("LISTEN", "127.0.0.1:4460")
HYDRA_ADMIN = os.environ.get("HYDRA_ADMIN", "http://127.0.0.1:4445")
HYDRA_PUBLIC = os.environ.get("HYDRA_PUBLIC", "http://127.0.0.1:4444")
CONSENTD = os.environ.get("CONSENTD", "http://127.0.0.1:8080")
TOKEN_FILE = os.environ.get("CONSENTD_TOKEN_FILE", "token")  # consents:write and consents:read, as the tenant
LICENSE = os.environ.get(
    "LICENSE",
    "https://registry.core.trust.ib1.org/scheme/perseus/license/energy-consumption-edp-cap/2026-03-12",
)
REFRESH_DAYS = int(os.environ.get("REFRESH_DAYS", "30"))  # Hydra's ttl.refresh_token
TIMEOUT_S = 20

WORDS = """You let {client} read your half-hourly electricity and gas consumption, your tariff and the
outward part of your postcode, to work out your emissions, until {until}. You can withdraw here or
there at any time."""


class Refused(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status} {body[:300]!r}")
        self.status, self.body = status, body


def call(method, url, body=None, headers=None, form=None):
    """(status, headers, bytes); Refused for anything from 400 on."""
    sent, data = dict(headers or {}), None
    if body is not None:
        data, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
    if form is not None:
        data, sent["Content-Type"] = form, "application/x-www-form-urlencoded"
    request = urllib.request.Request(url, data=data, headers=sent, method=method)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        raise Refused(error.code, error.read()) from None


def hydra(method, path, body=None, **query):
    url = f"{HYDRA_ADMIN}/admin/oauth2/auth/requests/{path}?{urllib.parse.urlencode(query)}"
    return json.loads(call(method, url, body)[2])


def consentd(method, path, body=None, **headers):
    with open(TOKEN_FILE, encoding="ascii") as file:
        sent = {"Authorization": f"Bearer {file.read().strip()}", **headers}
    return json.loads(call(method, CONSENTD + path, body, sent)[2])


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def written(time):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def digest(text):
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


# ---- the consent page


def directory_url(client):
    """Who the client is in the Directory: its id in Hydra, or what its metadata say."""
    return (client.get("metadata") or {}).get("directory_url") or client["client_id"]


def words_for(request):
    until = (now() + datetime.timedelta(days=365)).strftime("%d %B %Y")
    return WORDS.format(client=directory_url(request["client"]), until=until)


def create_consent(challenge, request, words, language):
    """The challenge is the key: a page that is sent twice creates one consent. The second time its
    grant has another time, and so is refused: then the first is the one."""
    at = written(now())
    key = digest(challenge)
    body = {
        "externalId": key,
        "client": directory_url(request["client"]),
        "license": LICENSE,
        "account": request["subject"],
        "grant": {
            "at": at,
            "method": "authenticatedSession",
            "by": {"ref": request["subject"], "authority": "accountHolder"},
            "notice": {
                "url": f"http://{LISTEN}/consent",
                "language": language,
                "renderedDigest": digest(words),
                "shownAt": at,
            },
        },
    }
    try:
        return consentd("POST", "/v1/consents", body, **{"Idempotency-Key": key})["consentId"]
    except Refused as refused:
        if b"/problems/idempotency-mismatch" not in refused.body:
            raise
    return consentd("GET", f"/v1/consents?externalId={key}")["items"][0]["consentId"]


def accept(challenge, words):
    request = hydra("GET", "consent", consent_challenge=challenge)
    consent_id = create_consent(challenge, request, words, "en")
    answer = {
        "grant_scope": request["requested_scope"],
        "grant_access_token_audience": request.get("requested_access_token_audience") or [],
        "remember": False,
        "session": {"access_token": {"consent_id": consent_id}, "id_token": {}},
    }
    return hydra("PUT", "consent/accept", answer, consent_challenge=challenge)["redirect_to"]


# ---- the token endpoint


def claims_of(token):
    """Of a JWT that Hydra has just given us."""
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def register(tokens):
    """Before the client has the refresh token: what is not registered cannot be found again."""
    if "refresh_token" not in tokens:
        return
    claims = claims_of(tokens["access_token"])
    consent_id = claims.get("consent_id") or (claims.get("ext") or {})["consent_id"]
    expires = now() + datetime.timedelta(days=REFRESH_DAYS)
    fact = {
        "digest": digest(tokens["refresh_token"]),
        "issuedAt": written(now()),
        "expires": written(expires),
    }
    consentd("POST", f"/v1/consents/{consent_id}/tokens", {"tokens": [fact]})


# ---- HTTP


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", kind="text/html; charset=utf-8", **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def fail(self, error):
        body = json.dumps({"error": "server_error", "error_description": "try again later"})
        print(f"{self.command} {self.path.partition('?')[0]}: {error}", flush=True)
        self.answer(503, body.encode(), "application/json")

    def body(self):
        size = int(self.headers.get("Content-Length", 0))
        if size > 65536:
            raise Refused(413, b"too large")
        return self.rfile.read(size)

    def do_GET(self):
        path, _, query = self.path.partition("?")
        asked = dict(urllib.parse.parse_qsl(query))
        try:
            if path == "/login":
                answer = {"subject": os.environ.get("SUBJECT", "6qIO3KZx0Q"), "remember": False}
                challenge = asked["login_challenge"]
                to = hydra("PUT", "login/accept", answer, login_challenge=challenge)
                self.answer(303, Location=to["redirect_to"])
            elif path == "/consent":
                self.show(asked["consent_challenge"])
            else:
                self.answer(404, b"not found")
        except (Refused, KeyError, OSError) as error:
            self.fail(error)

    def show(self, challenge):
        request = hydra("GET", "consent", consent_challenge=challenge)
        words = words_for(request)
        page = f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Your consent</title>
<p>{html.escape(words)}</p><form method="post" action="/consent">
<input type="hidden" name="consent_challenge" value="{html.escape(challenge)}">
<input type="hidden" name="words" value="{html.escape(words)}">
<button name="answer" value="yes">Yes</button> <button name="answer" value="no">No</button></form>"""
        self.answer(200, page.encode())

    def do_POST(self):
        try:
            if self.path == "/consent":
                self.decide(dict(urllib.parse.parse_qsl(self.body().decode())))
            elif self.path == "/oauth2/token":
                self.token(self.body())
            else:
                self.answer(404, b"not found")
        except (Refused, KeyError, ValueError, OSError) as error:
            self.fail(error)

    def decide(self, form):
        challenge = form["consent_challenge"]
        if form.get("answer") == "yes":
            self.answer(303, Location=accept(challenge, form["words"]))
            return
        refusal = {"error": "access_denied", "error_description": "the account holder said no"}
        to = hydra("PUT", "consent/reject", refusal, consent_challenge=challenge)
        self.answer(303, Location=to["redirect_to"])

    def token(self, form):
        """Hydra's answer, but only once its refresh token is registered. If that fails, the client
        has nothing, and begins again."""
        kept = {
            name: self.headers[name] for name in ("Authorization", "DPoP") if self.headers[name]
        }
        try:
            status, _, body = call("POST", HYDRA_PUBLIC + "/oauth2/token", headers=kept, form=form)
        except Refused as refusal:
            self.answer(refusal.status, refusal.body, "application/json")
            return
        register(json.loads(body))
        self.answer(status, body, "application/json")


def main():
    host, _, port = LISTEN.rpartition(":")
    server = http.server.ThreadingHTTPServer((host, int(port)), Handler)
    print(f"listening on http://{host}:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
