# SPDX-License-Identifier: Apache-2.0
"""Receipts, verified by software that is not ours: PyJWT with the published keys, and RFC 6962."""

import base64
import json

import jwt
import pytest
from conftest import NOW, NOW_S
from harness import bodies
from harness.audit import read_log
from harness.client import refused
from harness.merkle import Proof, leaf_hash

ISSUER_CLAIMS = ["iss", "iat", "sub", "record_id", "schema_version"]


def keys_of(api):
    return {
        key["kid"]: jwt.PyJWK(key) for key in api.get("/.well-known/jwks.json").json()["keys"]
    }


def receipt_of(api, consent_id):
    """The verified claims."""
    answer = api.get(f"/v1/consents/{consent_id}/receipt")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/jwt"
    assert answer.headers["cache-control"] == "private, no-cache"
    head = jwt.get_unverified_header(answer.text)
    assert head["alg"] == "ES256"
    options = {"verify_iat": False, "verify_aud": False}  # the service's clock stands still
    return jwt.decode(answer.text, keys_of(api)[head["kid"]], ["ES256"], options=options)


@pytest.fixture
def consent(cast):
    return cast.tenant.create(bodies.consent(cast.app_url, NOW, dataLife="P30D"))


def test_a_receipt_says_what_the_consent_says(cast, consent, server):
    receipt = receipt_of(cast.tenant, consent["consentId"])
    assert receipt["consent"] == cast.tenant.consent(consent["consentId"])
    assert [receipt[name] for name in ISSUER_CLAIMS] == [
        server.url,
        NOW_S,
        consent["consentId"],
        consent["consentId"],
        "ISO/IEC TS 27560:2023",
    ]
    assert receipt["pii_principal_id"] == consent["account"]
    notice = consent["grant"]["notice"]
    processing = receipt["pii_processing"]
    assert processing["privacy_notice"] == notice["url"]
    assert processing["language"] == notice["language"]
    assert [one["purpose"] for one in processing["purposes"]] == consent["purposes"]
    for one in processing["purposes"]:
        assert one["lawful_basis"] == "consent"
        assert one["service"] == consent["license"]
        assert one["retention_period"] == "P30D"
        assert [data["pii_type"] for data in one["pii_information"]] == [
            permission["code"] for permission in consent["permissions"]
        ]
    assert receipt["party_identification"] == [
        {"party_id": url, "party_url": url, "party_role": role}
        for url, role in (
            (cast.tenant_url, "pii_controller"),
            (cast.app_url, "recipient_third_party"),
            (cast.tenant_url, "consent_record_keeper"),
        )
    ]
    assert receipt["events"] == [
        {
            "event_type": "given",
            "event_time": consent["lastGranted"],
            "validity_end": consent["expires"],
        }
    ]


def test_a_receipt_is_bound_to_the_log(cast, consent, root):
    entries = read_log(root)
    vkey = entries[0]["payload"]["body"]["verifierKey"]
    log = receipt_of(cast.tenant, consent["consentId"])["log"]
    leaves = [base64.b64decode(entry["leaf"]) for entry in entries]
    assert log["index"] == consent["logIndex"]
    assert base64.b64decode(log["leaf"]) == leaves[log["index"]]
    proof = Proof(log["proof"], vkey)
    assert proof.index == log["index"]
    proof.check(leaves[log["index"]], [leaf_hash(leaf) for leaf in leaves])


def test_a_client_gets_the_receipt_of_what_it_sees(cast, consent):
    seen = cast.client.consent(consent["consentId"])
    receipt = receipt_of(cast.client, consent["consentId"])
    assert receipt["consent"] == seen
    assert receipt["pii_principal_id"] == seen["account"] != consent["account"]
    text = json.dumps(receipt)
    for private in (consent["account"], consent["grant"]["by"]["ref"]):
        assert private not in text


def test_a_receipt_tells_the_end(cast, consent, root):
    ended = cast.tenant.end(consent["consentId"])
    receipt = receipt_of(cast.tenant, consent["consentId"])
    assert [one["event_type"] for one in receipt["events"]] == ["given", "revoked"]
    assert receipt["events"][1]["event_time"] == ended["statusAt"]
    assert receipt["log"]["index"] == ended["logIndex"]


def test_a_request_has_a_receipt_too(cast):
    asked = cast.tenant.create(bodies.requested(cast.app_url))
    receipt = receipt_of(cast.tenant, asked["consentId"])
    assert [one["event_type"] for one in receipt["events"]] == ["requested"]
    assert "pii_principal_id" not in receipt
    assert "privacy_notice" not in receipt["pii_processing"]


def test_a_changed_receipt_does_not_verify(cast, consent):
    token = cast.tenant.get(f"/v1/consents/{consent['consentId']}/receipt").text
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    claims["consent"]["status"] = "revoked"
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    [key] = keys_of(cast.tenant).values()
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(f"{head}.{forged}.{signature}", key, ["ES256"])


def test_the_key_stays_over_restarts(new_server):
    from harness.client import Api

    server = new_server(clock=f"{NOW}x0")
    with Api(server, None) as nobody:
        before = nobody.get("/.well-known/jwks.json").json()
    assert (server.data / "keys" / "receipt.pem").stat().st_mode & 0o077 == 0
    server.stop()
    server.start()
    with Api(server, None) as nobody:
        assert nobody.get("/.well-known/jwks.json").json() == before


@pytest.mark.parametrize("query", ["?at=2026-06-15T12:00:00Z", "?x"])
def test_there_is_nothing_to_ask_for(cast, consent, query):
    answer = cast.tenant.get(f"/v1/consents/{consent['consentId']}/receipt{query}", check=False)
    refused(answer, 400, "invalid-parameter")


def test_what_is_no_jwt_is_not_acceptable(cast, consent):
    path = f"/v1/consents/{consent['consentId']}/receipt"
    refused(cast.tenant.get(path, headers={"Accept": "text/html"}), 406, "not-acceptable")
