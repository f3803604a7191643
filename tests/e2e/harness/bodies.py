# SPDX-License-Identifier: Apache-2.0
"""Request bodies that are right, for tests to use as they are or to spoil in one place."""

import base64
import hashlib

PREFIX = "https://registry.core.trust.ib1.org/scheme/perseus"
ENERGY = f"{PREFIX}/license/energy-consumption-edp-cap/2026-03-12"
EMISSIONS = f"{PREFIX}/license/emissions-cap-fsp/2026-03-12"
COMBINED = f"{PREFIX}/license/energy-consumption-emissions-edp-cap-fsp/2026-03-12"

PURPOSES = [
    "estimate-emissions",
    "project-intervention-emissions",
    "corroborate-savings",
    "share-emissions-with-fsp",
    "decarbonisation-recommendations",
    "green-finance-eligibility",
    "green-finance-product-management",
]
CLUSTERS = [
    "electricity.import.halfhourly",
    "gas.import.halfhourly",
    "tariff",
    "location.outcode",
    "emissions.monthly",
]
# What an omitted member defaults to, and the longest term: facts of perseus.md.
LICENSES = {
    ENERGY: {"purposes": PURPOSES[:5], "permissions": CLUSTERS[:4], "months": 12},
    EMISSIONS: {"purposes": PURPOSES[5:], "permissions": CLUSTERS[4:], "months": 12},
    COMBINED: {"purposes": PURPOSES, "permissions": CLUSTERS, "months": 12},
}

AUTHORITY = "director"


def digest(text):
    """Base64url of the SHA-256, as digests are written in this API."""
    return digest_of(text.encode())


def digest_of(content):
    """The same of bytes."""
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")


def grant(at, person="user-71", **more):
    """A grant by a person at `at` (RFC 3339), under words shown at the same moment."""
    document = {
        "at": at,
        "method": "authenticatedSession",
        "by": {"ref": person, "authority": AUTHORITY},
        "notice": {
            "url": "https://edp.example/notices/1",
            "language": "en",
            "renderedDigest": digest("the words"),
            "shownAt": at,
        },
    }
    document.update(more)
    return {name: value for name, value in document.items() if value is not None}


def consent(client, at, account="account-1", license=ENERGY, **more):
    """Created with a grant: active at once. A value of None leaves the member out."""
    document = {"client": client, "license": license, "account": account, "grant": grant(at)}
    document.update(more)
    return {name: value for name, value in document.items() if value is not None}


def requested(client, license=ENERGY, **more):
    document = {"client": client, "license": license}
    document.update(more)
    return document


def token(name, issued_at, expires):
    return {"digest": digest(name), "issuedAt": issued_at, "expires": expires}
