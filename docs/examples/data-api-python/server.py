# SPDX-License-Identifier: Apache-2.0
"""A data API: GET /consumption?meter=…&from=…&to=…[&purpose=…][&account=…] with the application's
access token. The token says which application it is and, where the authorization server puts it
there (authorization_details of type consent), under which consent it was issued; without that, the
application names the account.
"""

import csv
import datetime
import http.server
import json
import logging
import os
import pathlib
import re
import urllib.parse
import uuid

import jwt

from consents import Consents, Denied, NoDecision, Permit, Transfer

CONSENTD_URL = os.environ.get("CONSENTD_URL", "http://127.0.0.1:8080")
CONSENTD_TOKEN_FILE = pathlib.Path(os.environ.get("CONSENTD_TOKEN_FILE", "token"))
ISSUER = os.environ.get("ISSUER", "https://issuer.consentd.invalid")
ISSUER_KEYS = os.environ.get("ISSUER_KEYS", "../../../var/dev/issuer/jwks.json")
AUDIENCE = os.environ.get("AUDIENCE", "consentd")
READINGS = pathlib.Path(os.environ.get("READINGS", "."))
PORT = int(os.environ.get("PORT", "8090"))
ALGORITHMS = ["ES256", "PS256", "EdDSA"]

consents = Consents(CONSENTD_URL, CONSENTD_TOKEN_FILE)


class Refused(Exception):
    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


def key_of(token: str) -> jwt.PyJWK:
    if ISSUER_KEYS.startswith(("http:", "https:")):
        return jwt.PyJWKClient(ISSUER_KEYS).get_signing_key_from_jwt(token)
    keys = jwt.PyJWKSet.from_dict(json.loads(pathlib.Path(ISSUER_KEYS).read_text()))
    return keys[jwt.get_unverified_header(token)["kid"]]


def caller_of(authorization: str) -> dict:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused(401, "a token is needed")
    try:
        return jwt.decode(token, key_of(token), ALGORITHMS, audience=AUDIENCE, issuer=ISSUER)
    except (jwt.PyJWTError, KeyError) as error:
        raise Refused(401, "the token is not good") from error


def transfer_of(caller: dict, query: dict[str, str]) -> Transfer:
    details = caller.get("authorization_details") or []
    consent_id = next((one["consent_id"] for one in details if one["type"] == "consent"), None)
    if "client_id" not in caller:
        raise Refused(403, "the token names no application")
    if not {"meter", "from", "to"} <= set(query) or not re.fullmatch(r"[\w-]+", query["meter"]):
        raise Refused(400, "meter, from and to are needed")
    if not consent_id and "account" not in query:
        raise Refused(403, "neither the token nor the query says whose data")
    return Transfer(
        client=caller["client_id"],
        permission="electricity.import.halfhourly",
        meter=query["meter"],
        start=query["from"],
        end=query["to"],
        granularity="PT30M",
        consent_id=consent_id,
        account=None if consent_id else query["account"],
        purpose=query.get("purpose"),
    )


def readings_of(transfer: Transfer) -> list[dict]:
    """Where a data API reads its database, this one reads a file."""
    file = READINGS / f"{transfer.meter}.csv"
    if not file.exists():
        return []
    when = datetime.datetime.fromisoformat
    start, end = when(transfer.start), when(transfer.end)
    with file.open() as lines:
        rows = [row for row in csv.DictReader(lines) if start <= when(row["at"]) < end]
    return [{"at": row["at"], "kwh": float(row["kwh"])} for row in rows]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        try:
            self.serve()
        except Refused as refused:
            self.send(refused.status, {"error": str(refused)})

    def serve(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        if url.path != "/consumption":
            raise Refused(404, "there is GET /consumption")
        caller = caller_of(self.headers.get("Authorization", ""))
        transfer = transfer_of(caller, dict(urllib.parse.parse_qsl(url.query)))
        permit = self.permit_of(transfer)
        readings = readings_of(transfer)
        transaction, at = str(uuid.uuid4()), datetime.datetime.now(datetime.UTC)
        self.send(200, {"transaction": transaction, "readings": readings})
        if not consents.record(transfer, permit, at, len(readings), transaction):
            logging.error("the consent ended while %s went", transaction)

    @staticmethod
    def permit_of(transfer: Transfer) -> Permit:
        try:
            return consents.ask(transfer)
        except Denied as denied:
            raise Refused(403, str(denied)) from denied
        except NoDecision as error:
            logging.error("no decision, so nothing goes: %s", error)
            raise Refused(503, "whether this is permitted cannot be told now") from error

    def send(self, status: int, body: dict) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def log_message(self, *_) -> None:
        """Queries name accounts: they do not belong into a log."""


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
