# SPDX-License-Identifier: Apache-2.0
"""The permission record printed in Icebreaker One's Permission Records 1.0."""

import json

from model import parse_time

from harness import bodies
from harness.client import Api
from harness.server import IB1
from harness.tokens import Minter

GRANTED, REVOKED = "2024-03-31T23:30Z", "2024-07-01T12:34Z"
MEMBER = "https://directory.core.pilot.trust.ib1.org/member/71212388"
PRINTED = {  # with IB1's own names
    "oauthIssuer": "https://api.example.com/issuer",
    "client": "https://directory.core.pilot.trust.ib1.org/member/28364528",
    "account": "6qIO3KZx0Q",
    "lastGranted": "2024-03-31T23:30:00.000Z",
    "expires": "2025-03-31T23:30:00.000Z",
}


def license():
    pack = json.loads(IB1.read_text())
    found = pack["licenses"]
    [url] = found if isinstance(found, dict) else [entry["url"] for entry in found]
    assert url.endswith("/scheme/electricity/license/energy-consumption-data/2024-12-05")
    return url


def api_at(server, moment):
    minter = Minter(server.data, parse_time(moment) // 1000)
    return Api(server, minter, minter.tenant(MEMBER))


def grant(api):
    return api.create(
        {
            "oauthIssuer": PRINTED["oauthIssuer"],
            "client": PRINTED["client"],
            "license": license(),
            "account": PRINTED["account"],
            "grant": bodies.grant(GRANTED),
        },
        key="permission-1",
    )


def revoke(api, consent):
    return api.post(
        f"/v1/consents/{consent['consentId']}/revoke",
        {"reason": {"code": "withdrawn", "by": {"role": "accountHolder"}}},
    )
