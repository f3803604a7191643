# SPDX-License-Identifier: Apache-2.0
"""Bodies of disclosures that are right, for tests to use as they are or to spoil in one place."""

import uuid

TARIFF = {"permissions": ["tariff"], "resources": ["meter-1"]}


def transfer(at, recipient, **more):
    """Of one month's data at `at`; `more` says whose: consentId, or account and client."""
    document = {
        "recipient": recipient,
        **TARIFF,
        "from": "2026-05-01T00:00Z",
        "to": "2026-06-01T00:00Z",
        "at": at,
        "transaction": str(uuid.uuid4()),
        **more,
    }
    return {name: value for name, value in document.items() if value is not None}


def record(api, body, key=None, expect=201, **more):
    response = api.post("/v1/disclosures", body, key=key or str(uuid.uuid4()), **more)
    assert response.status_code == expect, response.text
    return response.json()
