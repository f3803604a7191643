# SPDX-License-Identifier: Apache-2.0
"""An onward recipient reads its part of a consent that names it, and nothing else."""

import pytest
from conftest import NOW
from harness import bodies
from harness.client import refused


@pytest.fixture
def second(cast):
    return f"{cast.fsp_url}-2"


@pytest.fixture
def made(cast):
    """Names one of two banks, with all that is not a bank's to see."""
    return cast.tenant.create(
        bodies.consent(
            cast.app_url,
            NOW,
            license=bodies.COMBINED,
            onwardRecipients=[cast.fsp_url],
            externalId="external-1",
            oauthIssuer="https://edp.example/issuer",
            maxUses=9,
            tokens=[bodies.token("t", NOW, NOW)],
            grant=bodies.grant(NOW, ip="192.0.2.7", proofs=[{"type": "bill"}]),
        )
    )


def path(consent, operation=""):
    return f"/v1/consents/{consent['consentId']}{operation}"


def test_an_onward_recipient_sees_its_part(cast, made):
    token = cast.minter.client(cast.fsp_url)
    answer = cast.tenant.get(path(made), token=token)
    seen = answer.json()
    assert answer.status_code == 200 and answer.headers["etag"] == '"2"'
    of_client = cast.client.consent(made["consentId"])
    account = seen.pop("account")
    assert len(account) == 22 and account not in (made["account"], of_client["account"])
    assert seen == {
        "consentId": made["consentId"],
        "arrangementId": made["arrangementId"],
        "version": 2,
        "status": "active",
        "statusAt": NOW,
        "tenant": cast.tenant_url,
        "lastGranted": NOW,
        "provider": cast.tenant_url,
        "client": cast.app_url,
        "license": bodies.COMBINED,
        "onwardRecipients": [cast.fsp_url],
        "purposes": bodies.PURPOSES[5:7],
        "permissions": [{"code": "emissions.monthly"}],
        "principal": {"type": "unknown"},
        "expires": made["expires"],
        "policy": {"pack": "perseus", "version": made["policy"]["version"]},
        "grant": of_client["grant"],
        "logIndex": made["logIndex"],
    }
    assert cast.tenant.get(path(made), token=token).json()["account"] == account
    same = cast.tenant.get(path(made), token=token, headers={"If-None-Match": '"2"'})
    assert same.status_code == 304


def test_it_sees_that_the_consent_has_ended(cast, made):
    cast.tenant.end(made["consentId"])
    seen = cast.tenant.get(path(made), token=cast.minter.client(cast.fsp_url)).json()
    assert seen["status"] == "revoked" and seen["revoked"] == NOW
    assert seen["statusReason"] == {"code": "withdrawn"}


def test_a_member_is_named_as_well_as_its_application(cast):
    member = f"{cast.fsp_url}/member"
    made = cast.tenant.create(
        bodies.consent(cast.app_url, NOW, license=bodies.COMBINED, onwardRecipients=[member])
    )
    token = cast.minter.client(cast.fsp_url, member=member)
    assert cast.tenant.get(path(made), token=token).json()["onwardRecipients"] == [member]
    refused(
        cast.tenant.get(path(made), token=cast.minter.client(cast.fsp_url)), 404, "not-found"
    )


def test_another_recipient_sees_nothing(cast, made, second):
    refused(cast.tenant.get(path(made), token=cast.minter.client(second)), 404, "not-found")


def test_a_recipient_does_nothing_but_read_the_consent_itself(cast, made, watch):
    token = cast.minter.client(cast.fsp_url)
    watch.new()
    assert cast.tenant.get("/v1/consents", token=token).json()["items"] == []
    refused(cast.tenant.get(path(made, "/events"), token=token), 404, "not-found")
    reason = {"reason": {"code": "withdrawnAtClient"}}
    refused(cast.tenant.post(path(made, "/revoke"), reason, token=token), 404, "not-found")
    refused(cast.tenant.call("DELETE", path(made), token=token), 404, "not-found")
    without = cast.minter.token(cast.fsp_url, "decisions:evaluate")
    refused(cast.tenant.get(path(made), token=without), 403, "insufficient-scope")
    audits = cast.minter.token(cast.fsp_url, "audit:read", providers=[])
    refused(cast.tenant.get(path(made), token=audits), 404, "not-found")
    assert watch.new() == []
