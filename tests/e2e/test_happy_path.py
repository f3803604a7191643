# SPDX-License-Identifier: Apache-2.0
"""Every operation used as it is meant, over HTTP/1.1 and HTTP/2, with exact answers."""

import json
import subprocess
import uuid

import pytest
from conftest import NOW, Cast
from harness import bodies
from harness.audit import Auditor, read_log
from harness.server import CTL, PERSEUS

YEAR_LATER = "2027-06-15T12:00:00.000Z"


@pytest.fixture(params=["HTTP/1.1", "HTTP/2"])
def both(request, server, minter):
    cast = Cast(server, minter, http2=request.param == "HTTP/2")
    assert cast.tenant.get("/version").http_version == request.param
    yield cast
    cast.close()


def test_a_consent_is_created_with_a_grant(both):
    sent = bodies.consent(
        both.app_url, NOW, externalId="e-1", tokens=[bodies.token("first", NOW, YEAR_LATER)]
    )
    response = both.tenant.post("/v1/consents", sent, key="k")
    made = response.json()
    assert response.status_code == 201
    assert response.headers["location"].endswith(f"/v1/consents/{made['consentId']}")
    assert response.headers["etag"] == '"2"'
    assert "idempotency-replayed" not in response.headers
    assert uuid.UUID(made["consentId"]).version == 7
    generated = {name: made.pop(name) for name in ("evidenceId", "logIndex", "policy")}
    made.pop("licenseDigest", None)
    assert made == {
        "consentId": made["consentId"],
        "arrangementId": made["consentId"],
        "version": 2,
        "status": "active",
        "statusAt": NOW,
        "tenant": both.tenant_url,
        "provider": both.tenant_url,
        "client": both.app_url,
        "externalId": "e-1",
        "license": bodies.ENERGY,
        "purposes": bodies.PURPOSES[:5],
        "permissions": [{"code": code} for code in bodies.CLUSTERS[:4]],
        "account": "account-1",
        "principal": {"type": "unknown"},
        "expires": YEAR_LATER,
        "lastGranted": NOW,
        "grant": sent["grant"],
        "tokens": sent["tokens"],
    } | {
        name: made[name] for name in ("principal", "onwardRecipients", "dependsOn") if name in made
    }
    assert len(generated["evidenceId"]) == 43
    assert generated["policy"]["pack"] == json.loads(PERSEUS.read_text())["pack"]
    assert set(generated["policy"]) == {"pack", "version", "digest"}


def test_the_same_key_and_body_replay_the_first_answer(both):
    sent = bodies.consent(both.app_url, NOW)
    first = both.tenant.post("/v1/consents", sent, key='"quoted"')
    both.tenant.end(first.json()["consentId"])
    for key in ('"quoted"', "quoted"):
        again = both.tenant.post("/v1/consents", sent, key=key)
        assert again.status_code == 201 and again.headers["idempotency-replayed"] == "true"
        assert again.content == first.content
        assert again.headers["etag"] == first.headers["etag"]
        assert again.headers["location"] == first.headers["location"]


def test_a_consent_is_read_and_not_sent_again_while_it_is_the_same(both):
    made = both.tenant.create(bodies.consent(both.app_url, NOW))
    path = f"/v1/consents/{made['consentId']}"
    response = both.tenant.get(path)
    assert response.status_code == 200 and response.json() == made
    assert response.headers["etag"] == '"1"'
    for tag in ('"1"', 'W/"1"', '"9", "1"', "*"):
        same = both.tenant.get(path, headers={"If-None-Match": tag})
        assert same.status_code == 304 and same.content == b"", tag
        assert same.headers["etag"] == '"1"'
    assert both.tenant.get(path, headers={"If-None-Match": '"2"'}).status_code == 200


def test_a_requested_consent_is_granted_with_what_was_absent(both):
    asked = both.tenant.create(bodies.requested(both.app_url, externalId="e-2"))
    assert asked["status"] == "requested" and asked["version"] == 1
    for absent in ("account", "grant", "lastGranted", "revoked", "tokens"):
        assert absent not in asked
    sent = {
        "grant": bodies.grant(NOW),
        "account": "account-2",
        "tokens": [bodies.token("t", NOW, YEAR_LATER)],
    }
    response = both.tenant.post(
        f"/v1/consents/{asked['consentId']}/grant", sent, headers={"If-Match": '"1"'}
    )
    granted = response.json()
    assert response.status_code == 200 and response.headers["etag"] == '"3"'
    assert granted["status"] == "active" and granted["version"] == 3
    assert granted["account"] == "account-2" and granted["grant"] == sent["grant"]
    assert granted["expires"] == YEAR_LATER and granted["tokens"] == sent["tokens"]
    assert [e["event"] for e in both.tenant.events(asked["consentId"])] == [
        "consent.requested",
        "consent.granted",
        "consent.tokenAdded",
    ]


def test_a_grant_narrows_and_never_widens(both):
    wide = both.tenant.create(
        bodies.requested(
            both.app_url,
            purposes=bodies.PURPOSES[:2],
            permissions=[{"code": bodies.CLUSTERS[0], "resources": ["m1", "m2"]}],
        )
    )
    path = f"/v1/consents/{wide['consentId']}/grant"
    grant = {"grant": bodies.grant(NOW), "account": "a"}
    for wider in (
        {"purposes": bodies.PURPOSES[:3]},
        {"permissions": [{"code": bodies.CLUSTERS[0], "resources": ["m1", "m3"]}]},
        {"permissions": [{"code": bodies.CLUSTERS[0]}]},
        {"permissions": [{"code": bodies.CLUSTERS[1]}]},
    ):
        response = both.tenant.post(path, {**grant, **wider})
        assert response.status_code in (400, 422), (wider, response.text)
    assert both.tenant.consent(wide["consentId"]) == wide
    narrow = {
        "purposes": bodies.PURPOSES[:1],
        "permissions": [{"code": bodies.CLUSTERS[0], "resources": ["m1"]}],
    }
    response = both.tenant.post(path, {**grant, **narrow})
    assert response.status_code == 200, response.text
    for name, value in narrow.items():
        assert response.json()[name] == value


def test_a_requested_consent_is_refused_and_stays_so(both):
    asked = both.tenant.create(bodies.requested(both.app_url))
    path = f"/v1/consents/{asked['consentId']}/refuse"
    first = both.tenant.post(
        path,
        {
            "reason": {
                "code": "refused",
                "text": "no thanks",
                "by": {"role": "accountHolder", "ref": "u1"},
            }
        },
    )
    assert first.status_code == 200
    assert first.json() == {
        **asked,
        "version": 2,
        "status": "refused",
        "statusAt": NOW,
        "statusReason": {
            "code": "refused",
            "text": "no thanks",
            "by": {"role": "accountHolder", "ref": "u1"},
        },
        "logIndex": first.json()["logIndex"],
    }
    again = both.tenant.post(path, {"reason": {"code": "refused"}})
    assert again.status_code == 200 and again.content == first.content


def test_a_revocation_is_repeated_without_change_and_contradicted_in_vain(both):
    made = both.tenant.create(bodies.consent(both.app_url, NOW))
    path = f"/v1/consents/{made['consentId']}"
    first = both.tenant.post(
        path + "/revoke",
        {
            "reason": {
                "code": "withdrawn",
                "text": "moved",
                "by": {"role": "accountHolder", "ref": "u1"},
            }
        },
        headers={"If-Match": '"1"'},
    )
    assert first.status_code == 200 and first.headers["etag"] == '"2"'
    assert first.json() == {
        **made,
        "version": 2,
        "status": "revoked",
        "statusAt": NOW,
        "revoked": NOW,
        "logIndex": first.json()["logIndex"],
        "statusReason": {
            "code": "withdrawn",
            "text": "moved",
            "by": {"role": "accountHolder", "ref": "u1"},
        },
    }
    again = both.tenant.call("DELETE", path)
    assert again.status_code == 200 and again.content == first.content
    # A proof that comes late is no part of the first result.
    assert both.tenant.post(path + "/proofs", {"proofs": [{"type": "letter"}]}).status_code == 200
    again = both.client.call("DELETE", path)
    assert again.status_code == 200 and again.headers["etag"] == '"2"'
    again = both.tenant.post(path + "/revoke", {"reason": {"code": "withdrawnAtClient"}})
    assert again.content == first.content
    response = both.tenant.post(path + "/revoke", {"reason": {"code": "fraud"}})
    assert response.status_code == 409


def test_delete_is_a_withdrawal_and_names_who_asked(both):
    for api, code in ((both.tenant, "withdrawn"), (both.client, "withdrawnAtClient")):
        made = both.tenant.create(bodies.consent(both.app_url, NOW))
        response = api.call("DELETE", f"/v1/consents/{made['consentId']}")
        assert response.status_code == 200 and response.json()["status"] == "revoked"
        ended = both.tenant.consent(made["consentId"])
        assert ended["statusReason"]["code"] == code and ended["revoked"] == NOW


def test_a_termination_is_no_revocation(both):
    made = both.tenant.create(bodies.consent(both.app_url, NOW))
    ended = both.tenant.end(made["consentId"], "recipientStruckOff")
    assert ended["status"] == "terminated" and ended["revoked"] == NOW
    assert ended["statusReason"] == {"code": "recipientStruckOff", "by": {"role": "tenant"}}


def test_ending_by_an_old_id_ends_the_active_consent_of_the_arrangement(both):
    old = both.tenant.create(bodies.consent(both.app_url, NOW))
    new = both.tenant.create(bodies.consent(both.app_url, NOW))
    ended = both.tenant.end(old["consentId"])
    assert ended["consentId"] == new["consentId"] and ended["status"] == "revoked"


def meter(name):
    return [{"code": bodies.CLUSTERS[0], "resources": [name]}]


def test_a_grant_that_overlaps_several_arrangements_joins_the_earliest(both):
    one = both.tenant.create(bodies.consent(both.app_url, NOW, permissions=meter("m1")))
    two = both.tenant.create(bodies.consent(both.app_url, NOW, permissions=meter("m2")))
    three = both.tenant.create(bodies.consent(both.app_url, NOW, permissions=meter("m3")))
    wide = both.tenant.create(bodies.consent(both.app_url, NOW))
    assert wide["arrangementId"] == one["arrangementId"] != two["arrangementId"]
    assert wide["supersedes"] == one["consentId"]
    for old in (one, two, three):
        now = both.tenant.consent(old["consentId"])
        assert now["status"] == "superseded" and now["supersededBy"] == wide["consentId"]
        assert now["arrangementId"] == old["arrangementId"]
    # An id of an arrangement that was joined ends what it is read as.
    assert both.tenant.end(three["consentId"])["consentId"] == wide["consentId"]


def test_grants_of_other_parties_or_other_meters_stand_beside(both):
    first = both.tenant.create(bodies.consent(both.app_url, NOW, permissions=meter("m1")))
    for other in (
        {"permissions": meter("m2")},
        {"permissions": meter("m1"), "account": "another"},
        {"permissions": meter("m1"), "provider": both.other_url},
        {"permissions": meter("m1"), "client": both.other_app_url},
        {
            "permissions": meter("m1"),
            "license": bodies.COMBINED,
            "onwardRecipients": [both.fsp_url],
        },
        {
            "permissions": meter("m1"),
            "license": bodies.COMBINED,
            "onwardRecipients": [both.other_app_url],
        },
    ):
        body = {**bodies.consent(both.app_url, NOW), **other}
        assert "supersedes" not in both.tenant.create(body), other
    assert both.tenant.consent(first["consentId"]) == first


def test_a_renewal_is_a_new_consent_in_the_same_arrangement(both):
    old = both.tenant.create(
        bodies.consent(
            both.app_url, NOW, permissions=[{"code": bodies.CLUSTERS[0], "resources": ["m1"]}]
        )
    )
    sent = {"grant": bodies.grant(NOW, person="another"), "expires": "2026-12-31T00:00:00.000Z"}
    path = f"/v1/consents/{old['consentId']}/renew"
    response = both.tenant.post(path, sent, key="r")
    new = response.json()
    assert response.status_code == 201
    assert response.headers["location"].endswith(f"/v1/consents/{new['consentId']}")
    assert new == {
        **old,
        "consentId": new["consentId"],
        "supersedes": old["consentId"],
        "grant": sent["grant"],
        "expires": sent["expires"],
        "logIndex": new["logIndex"],
    }
    superseded = both.tenant.consent(old["consentId"])
    assert superseded["status"] == "superseded" and superseded["supersededBy"] == new["consentId"]
    again = both.tenant.post(path, sent, key="r")
    assert again.content == response.content and again.headers["idempotency-replayed"] == "true"
    assert both.tenant.post(path, sent, key="r2").status_code == 409


def test_tokens_and_proofs_are_appended(both):
    made = both.tenant.create(bodies.consent(both.app_url, NOW))
    path = f"/v1/consents/{made['consentId']}"
    tokens = [bodies.token("one", NOW, YEAR_LATER), bodies.token("two", NOW, YEAR_LATER)]
    response = both.tenant.post(path + "/tokens", {"tokens": tokens})
    assert response.status_code == 200 and response.headers["etag"] == '"3"'
    assert response.json()["tokens"] == tokens
    # The same digest again is no news.
    assert both.tenant.post(path + "/tokens", {"tokens": tokens[:1]}).headers["etag"] == '"3"'
    proof = {"type": "bill", "digest": bodies.digest("bill"), "at": NOW}
    response = both.tenant.post(path + "/proofs", {"proofs": [proof]}, headers={"If-Match": '"3"'})
    assert response.status_code == 200 and response.json()["version"] == 4
    assert response.json()["grant"]["proofs"] == [proof]
    assert [e["event"] for e in both.tenant.events(made["consentId"])] == [
        "consent.granted",
        "consent.tokenAdded",
        "consent.tokenAdded",
        "consent.proofAdded",
    ]


def test_many_are_revoked_at_once(both):
    made = [
        both.tenant.create(
            bodies.consent(
                both.app_url,
                NOW,
                account=f"a{n}",
                permissions=[{"code": bodies.CLUSTERS[0], "resources": [f"m{n % 2}"]}],
            )
        )
        for n in range(6)
    ]
    ids = [c["consentId"] for c in made]
    reason = {"reason": {"code": "tenancyChanged", "by": {"role": "accountHolder"}}}
    unknown = ids[0][:-4] + ("0000" if ids[0][-4:] != "0000" else "1111")
    response = both.tenant.post("/v1/revocations", {"ids": [ids[5], unknown, ids[5]], **reason})
    assert response.status_code == 200 and response.json()["more"] is False
    results = response.json()["results"]
    assert len(results) == 3
    assert both.tenant.consent(ids[5])["status"] == "terminated"
    by_resource = both.tenant.post("/v1/revocations", {"resource": "m1", **reason}).json()
    assert [r["consentId"] for r in by_resource["results"]] == [ids[1], ids[3]]
    by_account = both.tenant.post("/v1/revocations", {"account": "a0", **reason}).json()
    assert [r["consentId"] for r in by_account["results"]] == [ids[0]]
    by_client = both.tenant.post("/v1/revocations", {"client": both.app_url, **reason}).json()
    assert [r["consentId"] for r in by_client["results"]] == [ids[2], ids[4]]
    assert by_client["more"] is False
    assert {c["status"] for c in both.tenant.pages("/v1/consents")} == {"terminated"}


def test_more_than_a_thousand_are_revoked_call_by_call(cast, server, minter):
    from harness.wire import Wire, request

    token = minter.tenant(cast.tenant_url)
    asked = [
        request(
            "POST",
            "/v1/consents",
            token,
            bodies.consent(cast.app_url, NOW, account=f"a{n}"),
            [("Idempotency-Key", f"k{n}")],
        )
        for n in range(1100)
    ]
    with Wire(server) as wire:
        assert {a.status_code for a in wire.ask_many(asked)} == {201}
    body = {"client": cast.app_url, "reason": {"code": "recipientStruckOff"}}
    first = cast.tenant.post("/v1/revocations", body).json()
    assert len(first["results"]) == 1000 and first["more"] is True
    second = cast.tenant.post("/v1/revocations", body).json()
    assert len(second["results"]) == 100 and second["more"] is False
    assert cast.tenant.get("/v1/consents", params={"status": "active"}).json()["items"] == []


def test_a_withdrawal_cascades_to_linked_consents(both):
    parent = both.tenant.create(bodies.consent(both.app_url, NOW))
    linking = both.api(both.minter.tenant(both.app_url))
    child = linking.create(
        bodies.consent(
            both.fsp_url,
            NOW,
            account="at-cap",
            license=bodies.EMISSIONS,
            dependsOn=[[{"arrangementId": parent["arrangementId"]}]],
        )
    )
    ended = both.tenant.end(parent["consentId"])
    cascaded = linking.consent(child["consentId"])
    assert cascaded["status"] == "terminated" and cascaded["version"] == 2
    assert cascaded["statusReason"] == {"code": "linkedConsentEnded", "by": {"role": "system"}}
    assert cascaded["logIndex"] == ended["logIndex"] + 1
    event = linking.events(child["consentId"])[-1]
    assert event["payload"]["body"]["cause"] == {
        "consentId": parent["consentId"],
        "logIndex": ended["logIndex"],
    }


def test_a_cascade_beyond_a_thousand_goes_on_by_itself(cast, server, minter):
    from harness.wire import Wire, request

    parent = cast.tenant.create(bodies.consent(cast.app_url, NOW))
    token = minter.tenant(cast.app_url)
    asked = [
        request(
            "POST",
            "/v1/consents",
            token,
            bodies.consent(
                cast.fsp_url,
                NOW,
                account=f"a{n}",
                license=bodies.EMISSIONS,
                dependsOn=[[{"arrangementId": parent["arrangementId"]}]],
            ),
            [("Idempotency-Key", f"k{n}")],
        )
        for n in range(1500)
    ]
    with Wire(server) as wire:
        assert {a.status_code for a in wire.ask_many(asked)} == {201}
    cast.tenant.end(parent["consentId"])
    linking = cast.api(token)
    while linking.get(
        "/v1/consents", params={"status": "active", "license": bodies.EMISSIONS}
    ).json()["items"]:
        pass  # the durable job goes on; the deadline is the test's
    assert len(linking.pages("/v1/consents", params={"status": "terminated", "limit": 500})) == 1500


def test_queries_page_in_creation_order_both_ways(both):
    made = [
        both.tenant.create(bodies.consent(both.app_url, NOW, account=f"a{n}")) for n in range(7)
    ]
    assert both.tenant.pages("/v1/consents?limit=3") == made
    body, found = {"limit": 3}, []
    while True:
        page = both.tenant.post("/v1/consents/query", body)
        assert page.status_code == 200
        found += page.json()["items"]
        if "next" not in page.json():
            break
        body["cursor"] = page.json()["next"]
    assert found == made
    one = both.tenant.get(
        "/v1/consents",
        params={"account": "a3", "status": ["active", "revoked"], "client": both.app_url},
    )
    assert one.json() == {"items": [made[3]]} and "link" not in one.headers


def test_the_client_sees_its_part(both):
    made = both.tenant.create(bodies.consent(both.app_url, NOW))
    seen = both.client.consent(made["consentId"])
    assert set(made) - set(seen) == set()
    assert seen["account"] != made["account"]
    assert seen["grant"] == {
        "at": NOW,
        "method": made["grant"]["method"],
        "notice": {k: v for k, v in made["grant"]["notice"].items() if k != "renderedDigest"},
    }
    [event] = both.client.events(made["consentId"])
    assert event["actor"] == {"role": "tenant"} and "payload" not in event


def test_events_tell_the_history_with_log_indexes(both):
    made = both.tenant.create(bodies.consent(both.app_url, NOW))
    ended = both.tenant.end(made["consentId"])
    events = both.tenant.events(made["consentId"])
    assert [(e["index"], e["event"], e["at"], e["version"], e["status"]) for e in events] == [
        (made["logIndex"], "consent.granted", NOW, 1, "active"),
        (ended["logIndex"], "consent.revoked", NOW, 2, "revoked"),
    ]
    assert events[0]["actor"] == {"clientId": both.tenant_url, "role": "tenant"}
    assert events[0]["payload"]["actor"] == {"role": "tenant"}
    assert events[0]["personal"]["account"] == made["account"]
    first = both.tenant.get(f"/v1/consents/{made['consentId']}/events?limit=1")
    assert first.json()["items"] == events[:1]
    rest = both.tenant.pages(f"/v1/consents/{made['consentId']}/events?limit=1")
    assert rest == events


def test_an_entry_says_once_what_two_members_share(both):
    members = ("consentId", "arrangementId", "tenant", "provider", "actor")
    elsewhere = "https://directory.example/member/another-holder"
    for provider, left_out in ((both.tenant_url, True), (elsewhere, False)):
        first = both.tenant.create({**bodies.consent(both.app_url, NOW), "provider": provider})
        again = both.tenant.create({**bodies.consent(both.app_url, NOW), "provider": provider})
        payload = both.tenant.events(again["consentId"])[0]["payload"]
        assert {name: payload[name] for name in members if name in payload} == {
            "consentId": again["consentId"],
            "arrangementId": first["consentId"],
            "tenant": both.tenant_url,
            **({} if left_out else {"provider": provider}),
            "actor": {"role": "tenant"},
        }
        assert "arrangementId" not in both.tenant.events(first["consentId"])[0]["payload"]
        ended = both.client.end(again["consentId"])
        assert ended["status"] == "revoked"
        actor = both.tenant.events(again["consentId"])[1]["payload"]["actor"]
        assert actor == {"clientId": both.app_url, "role": "client"}


def test_an_auditor_reads_the_log_as_pages_and_as_a_stream(both):
    made = both.tenant.create(bodies.consent(both.app_url, NOW))
    both.tenant.end(made["consentId"])
    pages = both.auditor.pages("/v1/audit/events?limit=1")
    assert pages == read_log(both.auditor)
    assert [e["event"] for e in pages] == ["consent.granted", "consent.revoked"]
    Auditor(whole=False).feed(pages)
    for name, value, count in (
        ("tenant", both.tenant_url, 2),
        ("provider", both.tenant_url, 2),
        ("client", both.app_url, 2),
        ("license", bodies.ENERGY, 2),
        ("purpose", bodies.PURPOSES[0], 2),
        ("actor", both.tenant_url, 2),
        ("consentId", made["consentId"], 2),
        ("account", "account-1", 2),
        ("type", "consent.revoked", 1),
        ("reason", "withdrawn", 1),
        ("from", NOW, 2),
        ("to", NOW, 0),
        ("after", pages[0]["index"], 1),
        ("purpose", bodies.PURPOSES[6], 0),
        ("tenant", both.other_url, 0),
    ):
        found = read_log(both.auditor, **{name: value})
        assert len(found) == count, name
        page = both.auditor.get("/v1/audit/events", params={name: value})
        assert page.json()["items"] == found, name


def test_the_policy_is_shown_to_every_valid_token(both):
    for api in (both.tenant, both.client, both.auditor, both.admin):
        response = api.get("/v1/policy")
        assert response.status_code == 200
        document = response.json()
        assert document["pack"] == json.loads(PERSEUS.read_text())["pack"]


def test_meta_endpoints_need_no_token(both):
    for path, kind in (
        ("/healthz", None),
        ("/readyz", None),
        ("/version", "application/json"),
        ("/openapi.yaml", None),
        ("/docs", "text/html"),
        ("/metrics", "text/plain"),
    ):
        response = both.tenant.get(path, token=None)
        assert response.status_code == 200, path
        assert kind is None or response.headers["content-type"].startswith(kind), path
    page = both.tenant.get("/docs", token=None).text
    assert 'src="http' not in page and 'href="http' not in page.replace('href="https://spec', "")


def test_consentctl_mints_tokens_that_the_service_takes(cast, server):
    def minted(role, url, *more):
        done = subprocess.run(
            [
                CTL,
                "token",
                "--data",
                server.data,
                "--role",
                role,
                "--id",
                url,
                "--ttl",
                "8760h",
                *more,
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    # consentctl knows the wall clock only: its tokens are good for a server that has that clock.
    import jwt

    token = minted("tenant", cast.tenant_url)
    key = jwt.PyJWK(json.loads((server.data / "issuer" / "jwks.json").read_text())["keys"][0])
    claims = jwt.decode(
        token,
        key,
        algorithms=["ES256"],
        audience="consentd",
        issuer="https://issuer.consentd.invalid",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims["client_id"] == cast.tenant_url
    assert {"consents:write", "consents:read"} <= set(claims["scope"].split())
    claims = jwt.decode(
        minted("auditor", cast.app_url, "--providers", cast.tenant_url),
        key,
        algorithms=["ES256"],
        audience="consentd",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims["scope"] == "audit:read" and claims["providers"] == [cast.tenant_url]


def test_consentctl_and_the_wall_clock(new_server):
    server = new_server()
    token = subprocess.run(
        [
            CTL,
            "token",
            "--data",
            server.data,
            "--role",
            "auditor",
            "--id",
            "https://a.example",
            "--providers",
            "*",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    from harness.client import Api

    with Api(server, None, token) as api:
        assert [e["event"] for e in Auditor().feed(read_log(api)).histories] == []
        assert [e["event"] for e in read_log(api)] == ["log.genesis", "policy.activated"]
