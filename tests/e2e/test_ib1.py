# SPDX-License-Identifier: Apache-2.0
"""What other members of an Icebreaker One scheme call, over mutual TLS 1.3: permission records,
revocation (RFC 7009), messages. Their certificate alone says who they are."""

import json
import ssl
import urllib.parse

import pytest
from conftest import NOW, Cast
from harness import bodies, ib1
from harness.audit import Auditor, Watch, read_log
from harness.client import Api, refused
from harness.frames import Frames
from harness.house import House, refusal
from harness.process import metrics, until
from harness.server import IB1, Server
from test_export import ctl, export
from test_problems import create_until_refused

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PERMISSION, REVOKE, MESSAGES = "/ib1/permission", "/ib1/revoke", "/ib1/messages"
ALARM = "consentd_unknown_revocations_total"
ISSUER = "https://edp.example/issuer"
NONE_OF_THEIRS = "8xLOxBtZp8-nobody-has-this"
JWT = "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJ4In0.c2ln"
ISSUED, TOKEN_ENDS = "2026-06-15T12:30:00.000Z", "2026-12-15T12:30:00.000Z"
CAP = f"{bodies.PREFIX}/role/carbon-accounting-provider"
STEP_YEAR = "2027-06-15T12:00:00.000Z"


class Peer:
    """A member's application with its certificate, TLS 1.3 and nothing older."""

    def __init__(self, house, application, http2=False, roles=(CAP,)):
        pair = house.ca.client(application, roles=roles)
        alpn = ("h2",) if http2 else ("http/1.1",)
        door = house.mutual(pair, alpn=alpn, least=ssl.TLSVersion.TLSv1_3)
        self.api = Api(door, house.minter, token=None, http2=http2)

    def form(self, path, **fields):
        body = urllib.parse.urlencode(fields).encode()
        return self.api.call("POST", path, content=body, headers=FORM)

    def permission(self, token, path=PERMISSION):
        return self.form(path, token=token)

    def revoke(self, token, **more):
        return self.form(REVOKE, token=token, **more)

    def withdraw(self, token):
        return self.api.post(
            MESSAGES,
            {
                "ib1:message": "https://registry.core.trust.ib1.org/trust-framework",
                "subject": "https://registry.trust.ib1.org/message/"
                "withdrawal-of-permission/2025-03-16",
                "body": {"token": token},
            },
        )


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    made = []

    def make(**options):
        made.append(Server(folder / "data", **options).start())
        return made[0]

    folder = tmp_path_factory.mktemp("ib1")
    yield House(make, folder, crlFile=True)
    made[0].stop()


@pytest.fixture
def cast(house):
    """Tenants and auditors come with tokens, members with certificates."""
    cast = Cast(house.server, house.minter)
    peers = []

    def peer(url, **more):
        peers.append(Peer(house, url, **more))
        return peers[-1]

    cast.peer = peer
    yield cast
    cast.close()
    for made in peers:
        made.api.close()


@pytest.fixture
def watch(house):
    with Api(house.server, house.minter, house.minter.auditor()) as root:
        yield Watch(root)


def token(name, issued=ISSUED, ends=TOKEN_ENDS):
    return bodies.token(name, issued, ends)


def make(cast, *tokens, **more):
    more.setdefault("oauthIssuer", ISSUER)
    consent = bodies.consent(cast.app_url, NOW, tokens=[token(t) for t in tokens] or None, **more)
    return cast.tenant.create(consent)


def record_of(cast, consent, name, **more):
    seen = cast.client.consent(consent["consentId"])
    return {
        "permission": {
            "oauthIssuer": ISSUER,
            "client": cast.app_url,
            "license": consent["license"],
            "account": seen["account"],
            "lastGranted": consent["lastGranted"],
            "expires": consent["expires"],
            "evidence": f"{cast.server.url}/evidence/{consent['evidenceId']}",
            "dataAvailableFrom": consent["lastGranted"],
            "tokenIssuedAt": ISSUED,
            "tokenExpires": TOKEN_ENDS,
            **more,
        }
    }


# ---- permission records


@pytest.mark.parametrize("http2", (False, True))
@pytest.mark.parametrize("path", (PERMISSION, "/api/v1/permissions"))
def test_a_client_reads_the_record_of_its_token(cast, http2, path):
    consent = make(cast, f"{path}{http2}")
    client = cast.peer(cast.app_url, http2=http2)
    response = client.permission(f"{path}{http2}", path)
    assert response.status_code == 200
    assert response.json() == record_of(cast, consent, f"{path}{http2}")
    assert response.headers["cache-control"] == "no-store"


def test_every_token_of_an_arrangement_shows_its_newest_grant(cast):
    first = make(cast, "a1", "a2")
    client = cast.peer(cast.app_url)
    cast.tenant.post(
        f"/v1/consents/{first['consentId']}/tokens",
        {"tokens": [token("a3", "2026-06-16T00:00:00Z", "2026-07-16T00:00:00Z")]},
    )
    renewed = cast.tenant.renew(first["consentId"], {"grant": bodies.grant(NOW), "tokens": [token("a4")]})
    late = {"tokenIssuedAt": "2026-06-16T00:00:00.000Z", "tokenExpires": "2026-07-16T00:00:00.000Z"}
    for name in ("a1", "a2", "a3", "a4"):
        shown = client.permission(name).json()
        assert shown == record_of(cast, renewed, name, **(late if name == "a3" else {}))
    ended = cast.tenant.end(renewed["consentId"])
    for name in ("a1", "a4"):
        shown = client.permission(name).json()
        assert shown["permission"]["revoked"] == ended["statusAt"]
        assert shown["permission"]["lastGranted"] == renewed["lastGranted"]


def meters(*names):
    return [{"code": "electricity.import.halfhourly", "resources": list(names)}]


def test_tokens_of_an_arrangement_that_another_took_over_show_and_end_what_goes_on(cast):
    first = make(cast, "p1", account="p", permissions=meters("m1"))
    second = make(cast, "p2", account="p", permissions=meters("m2"))
    assert first["arrangementId"] != second["arrangementId"]
    both = make(cast, "p3", account="p", permissions=meters("m1", "m2"))
    assert both["arrangementId"] == first["arrangementId"]
    client = cast.peer(cast.app_url)
    for name in ("p1", "p2", "p3"):
        assert client.permission(name).json() == record_of(cast, both, name)
    assert client.revoke("p2").status_code == 200
    ended = cast.tenant.consent(both["consentId"])
    assert (ended["status"], ended["statusReason"]["code"]) == ("revoked", "withdrawnAtClient")
    for name in ("p1", "p2", "p3"):
        shown = client.permission(name).json()
        assert shown == record_of(cast, both, name, revoked=ended["statusAt"])


def test_each_reading_is_an_entry_of_the_tenants_log(cast, watch):
    consent = make(cast, "b1")
    watch.new()
    cast.peer(cast.app_url).permission("b1")
    [entry] = watch.new()
    assert entry["event"] == "peer.permissionRead"
    payload = entry["payload"]
    assert payload["consentId"] == consent["consentId"] and payload["tenant"] == cast.tenant_url
    assert payload["actor"] == {"clientId": cast.app_url, "role": "client"}
    added = cast.auditor.get(f"/v1/audit/events/{payload['body']['tokenIndex']}").json()
    assert added["event"] == "consent.tokenAdded"
    assert added["payload"]["body"]["token"]["digest"] == bodies.digest("b1")
    assert cast.tenant.consent(consent["consentId"])["version"] == consent["version"]


def test_anothers_token_answers_like_an_unknown_one(cast, house, watch):
    make(cast, "c1")
    stranger = cast.peer(cast.other_app_url)
    watch.new()
    answers = []
    for name in ("c1", NONE_OF_THEIRS):
        response = stranger.permission(name)
        refused(response, 404, "not-found")
        plain = {k: v for k, v in response.headers.items() if k not in ("date", "x-request-id")}
        document = response.json()
        del document["instance"]
        answers.append((plain, document))
    assert answers[0][1] == answers[1][1] and answers[0][0] == answers[1][0]
    assert watch.new() == []
    assert [stranger.revoke(n).text for n in ("c1", NONE_OF_THEIRS)] == ["{}", "{}"]
    assert [e["payload"]["body"]["outcome"] for e in watch.new()] == ["unknown", "unknown"]


def test_the_tenant_itself_is_no_client(cast):
    make(cast, "d1")
    refused(cast.peer(cast.tenant_url).permission("d1"), 404, "not-found")


def test_a_client_without_its_role_reads_nothing_and_ends_what_it_has(cast):
    consent = make(cast, "m1")
    edp = f"{bodies.PREFIX}/role/energy-data-provider"
    for roles, shown in ((None, "none"), ([], "none"), ([edp], edp)):
        response = cast.peer(cast.app_url, roles=roles).permission("m1")
        refused(response, 403, "wrong-role")
        assert CAP in response.json()["detail"]
        assert response.json()["detail"].endswith(f"; presented: {shown}")
    assert cast.peer(cast.app_url, roles=[edp, CAP]).permission("m1").status_code == 200
    assert cast.peer(cast.app_url, roles=None).revoke("m1").status_code == 200
    assert cast.tenant.consent(consent["consentId"])["status"] == "revoked"


def test_an_access_token_is_told_what_it_is(cast):
    client = cast.peer(cast.app_url)
    for path in (PERMISSION, REVOKE):
        response = client.form(path, token=JWT)
        refused(response, 400, "invalid-parameter")
        assert response.json()["error"] == "unsupported_token_type"
        assert "send the refresh token" in response.json()["detail"]


def test_the_printed_record_of_the_specification(new_server, tmp_path):
    """Permission Records 1.0 prints a record of another scheme: with that scheme's pack, it is ours."""
    house = House(lambda **more: new_server(pack=IB1, **more), tmp_path, clock=f"{ib1.GRANTED}x0")
    with ib1.api_at(house.server, ib1.GRANTED) as api:
        document = {
            "oauthIssuer": ib1.PRINTED["oauthIssuer"],
            "client": ib1.PRINTED["client"],
            "license": ib1.license(),
            "account": ib1.PRINTED["account"],
            "grant": bodies.grant(ib1.GRANTED),
            "tokens": [token("printed", "2024-05-01T08:00Z", "2024-11-01T08:00Z")],
            "dataAvailableFrom": "2023-03-31T23:30Z",
        }
        consent = api.create(document)
    [recipient] = [r["urls"] for r in json.loads(IB1.read_text())["roles"] if r["code"] == "recipient"]
    client = Peer(house, ib1.PRINTED["client"], roles=recipient)
    shown = client.permission("printed").json()["permission"]
    client.api.close()
    assert shown.pop("account") not in (ib1.PRINTED["account"], "")  # pairwise, and so opaque
    assert shown == {
        "oauthIssuer": ib1.PRINTED["oauthIssuer"],
        "client": ib1.PRINTED["client"],
        "license": ib1.license(),
        "lastGranted": ib1.PRINTED["lastGranted"],
        "expires": ib1.PRINTED["expires"],
        "evidence": f"{house.server.url}/evidence/{consent['evidenceId']}",
        "dataAvailableFrom": "2023-03-31T23:30:00.000Z",
        "tokenIssuedAt": "2024-05-01T08:00:00.000Z",
        "tokenExpires": "2024-11-01T08:00:00.000Z",
    }


# ---- revocation


def permitted(cast, consent):
    question = {
        "subject": {"type": "application", "id": cast.app_url},
        "action": {"name": "read"},
        "resource": {"type": "consent", "id": consent["consentId"]},
    }
    return cast.tenant.post("/access/v1/evaluation", question).json()["decision"]


def test_a_client_revokes_what_depends_ends_and_decisions_deny(cast, watch):
    energy = make(cast, "e1")
    emissions = cast.tenant.create(
        bodies.consent(
            cast.fsp_url,
            NOW,
            license=bodies.EMISSIONS,
            dependsOn=[[{"arrangementId": energy["arrangementId"]}]],
        )
    )
    assert permitted(cast, energy)
    watch.new()
    client = cast.peer(cast.app_url)
    assert client.revoke("e1", token_type_hint="refresh_token").text == "{}"
    assert not permitted(cast, energy)
    ended = cast.tenant.consent(energy["consentId"])
    assert (ended["status"], ended["statusReason"]["code"]) == ("revoked", "withdrawnAtClient")
    assert ended["statusReason"]["by"] == {"role": "client"}
    assert cast.tenant.consent(emissions["consentId"])["status"] == "terminated"
    entries = [e for e in watch.new() if not e["event"].startswith("decision.")]
    assert [e["event"] for e in entries] == [
        "peer.revocation",
        "consent.revoked",
        "consent.terminated",
    ]
    assert entries[1]["payload"]["body"]["cause"] == {"logIndex": entries[0]["index"]}
    again = client.revoke("e1", token_type_hint="access_token")
    assert again.status_code == 200
    assert cast.tenant.consent(energy["consentId"]) == ended
    [entry] = watch.new()
    assert entry["payload"]["body"]["outcome"] == "endedBefore"


def test_a_token_may_be_revoked_before_anybody_knows_it(cast, house, watch):
    client, before = cast.peer(cast.app_url), metrics(house.server)[ALARM]
    watch.new()
    names = ("f1", "f2", "f3", "f4")
    for name in names:
        assert client.revoke(name).text == "{}"
    assert metrics(house.server)[ALARM] == before + 4
    noted = watch.new()
    assert [e["payload"]["body"] for e in noted] == [
        {"outcome": "unknown", "token": {"digest": bodies.digest(name)}} for name in names
    ]
    assert all("tenant" not in e["payload"] for e in noted)
    created = make(cast, "f1", account="f1")
    granted = cast.tenant.create(bodies.requested(cast.app_url))
    granted = cast.tenant.post(
        f"/v1/consents/{granted['consentId']}/grant",
        {"grant": bodies.grant(NOW), "account": "f2", "tokens": [token("f2")]},
    ).json()
    old = make(cast, account="f3")
    renewed = cast.tenant.renew(
        old["consentId"], {"grant": bodies.grant(NOW), "tokens": [token("f3")]}
    )
    appended = make(cast, account="f4")
    appended = cast.tenant.post(
        f"/v1/consents/{appended['consentId']}/tokens", {"tokens": [token("f4")]}
    ).json()
    for consent, note in zip((created, granted, renewed, appended), noted):
        assert (consent["status"], consent["statusReason"]["code"]) == (
            "revoked",
            "withdrawnAtClient",
        )
        last = cast.tenant.events(consent["consentId"])[-1]
        assert last["payload"]["body"]["cause"] == {"logIndex": note["index"]}
        assert not permitted(cast, consent)


def add_tokens(cast, consent, *names, expect=200):
    path = f"/v1/consents/{consent['consentId']}/tokens"
    response = cast.tenant.post(path, {"tokens": [token(name) for name in names]})
    assert response.status_code == expect, response.text
    return response.json()


def test_a_late_token_of_a_renewed_consent_shows_and_ends_what_goes_on(cast):
    first = make(cast, "q1")
    renewed = cast.tenant.renew(first["consentId"], {"grant": bodies.grant(NOW)})
    client = cast.peer(cast.app_url)
    assert client.permission("q2").status_code == 404
    assert add_tokens(cast, first, "q2")["consentId"] == renewed["consentId"]
    assert client.permission("q2").json() == record_of(cast, renewed, "q2")
    before = cast.tenant.consent(renewed["consentId"])
    assert add_tokens(cast, first, "q1", "q2") == before  # known: no news
    client.revoke("q3")
    ended = add_tokens(cast, first, "q3")
    assert ended["consentId"] == renewed["consentId"]
    assert (ended["status"], ended["statusReason"]["code"]) == ("revoked", "withdrawnAtClient")
    assert not permitted(cast, renewed)
    add_tokens(cast, first, "q4", expect=409)


def test_only_its_own_client_revokes_it_early(cast):
    cast.peer(cast.other_app_url).revoke("g1")
    assert make(cast, "g1")["status"] == "active"


def test_what_was_revoked_early_is_so_after_a_restart(new_server, tmp_path):
    house = House(new_server, tmp_path)
    cast = Cast(house.server, house.minter)
    client = Peer(house, cast.app_url)
    assert client.revoke("h1").status_code == 200
    client.api.close()
    cast.close()
    house.server.restart()
    with Api(house.server, house.minter, house.minter.tenant(cast.tenant_url)) as tenant:
        consent = tenant.create(bodies.consent(cast.app_url, NOW, tokens=[token("h1")]))
    assert consent["status"] == "revoked"


def test_a_client_that_leaves_has_revoked_all_the_same(cast, house):
    """The cancel comes in one piece with the request, so before any answer."""
    made = [make(cast, f"n{i}", account=f"n{i}") for i in range(20)]
    with Frames(house.mutual(house.ca.client(cast.app_url), alpn=("h2",))) as frames:
        for i in range(20):
            body = f"token=n{i}".encode()
            stream = frames.h2.get_next_available_stream_id()
            fields = [
                (":method", "POST"),
                (":scheme", "https"),
                (":authority", frames.authority),
                (":path", REVOKE),
                ("content-type", FORM["Content-Type"]),
                ("content-length", str(len(body))),
            ]
            frames.h2.send_headers(stream, fields)
            frames.h2.send_data(stream, body, end_stream=True)
            frames.reset(stream)
        frames.flush()
        stream = frames.open("GET", "/healthz")
        frames.flush()
        assert frames.answer(stream)[0] == 200
    ids = [consent["consentId"] for consent in made]
    until(house.server, lambda: all(cast.tenant.consent(i)["status"] == "revoked" for i in ids))


def test_forms_are_read_strictly_and_no_token_is_repeated(cast, watch):
    client, secret = cast.peer(cast.app_url), "s3cr3t-token"
    watch.new()
    for body in (
        f"token={secret}&token={secret}",
        f"token={secret}&scope=x",
        f"{secret}=token",
        f"token={secret}%00",
        f"token={'x' * 8193}",
        json.dumps({"token": secret}),
        "",
    ):
        response = client.api.call("POST", REVOKE, content=body.encode(), headers=FORM)
        refused(response, 400, "invalid-body")
        assert response.json()["error"] == "invalid_request" and secret not in response.text
    typed = {"Content-Type": "application/json"}
    response = client.api.call("POST", REVOKE, content=f"token={secret}".encode(), headers=typed)
    refused(response, 415, "unsupported-media-type")
    response = client.api.call("POST", f"{REVOKE}?token={secret}", content=b"token=a", headers=FORM)
    refused(response, 400, "invalid-parameter")
    refused(client.form(REVOKE, token="a", client_id=cast.other_app_url), 400, "invalid-body")
    assert client.form(REVOKE, token="x" * 8192, client_id=cast.app_url).status_code == 200
    assert len(watch.new()) == 1
    assert secret not in cast.server.stderr and "x" * 100 not in cast.server.stderr


# ---- messages


def external(name, expires=STEP_YEAR):
    return {"external": {"oauthIssuer": ISSUER, "tokenDigest": bodies.digest(name), "expires": expires}}


def test_a_message_of_another_member_ends_what_depends_on_its_token(cast, watch):
    hit = make(cast, dependsOn=[[external("i1")]], account="i1")
    kept = make(cast, dependsOn=[[external("i1"), external("i2")]], account="i2")
    assert permitted(cast, hit) and permitted(cast, kept)
    watch.new()
    sender = cast.peer(f"{cast.other_url}/app")
    assert sender.withdraw("i1").text == "{}"
    assert not permitted(cast, hit) and permitted(cast, kept)
    ended = cast.tenant.consent(hit["consentId"])
    assert (ended["status"], ended["statusReason"]["code"]) == ("terminated", "linkedConsentEnded")
    message, end = [e for e in watch.new() if not e["event"].startswith("decision.")]
    assert message["event"] == "peer.message"
    assert message["payload"]["actor"]["clientId"] == f"{cast.other_url}/app"
    assert message["payload"]["tenant"] == cast.tenant_url
    assert end["payload"]["body"]["cause"] == {"logIndex": message["index"]}
    assert sender.withdraw("i1").status_code == 200
    assert cast.tenant.consent(hit["consentId"]) == ended
    sender.withdraw("i2")
    assert cast.tenant.consent(kept["consentId"])["status"] == "terminated"


def test_a_message_about_nothing_known_is_taken_and_holds_for_what_comes(cast):
    assert cast.peer(cast.other_app_url).withdraw("j1").text == "{}"
    body = bodies.consent(
        cast.fsp_url, NOW, license=bodies.EMISSIONS, dependsOn=[[external("j1")]]
    )
    response = cast.tenant.post("/v1/consents", body, key="j1")
    refused(response, 422, "not-admissible")
    assert [r["code"] for r in response.json()["reasons"]] == ["dependencyNotActive"]


def test_the_past_knows_when_a_message_came(cast):
    consent = make(cast, dependsOn=[[external("k1")]])
    cast.peer(cast.other_app_url).withdraw("k1")
    asked = {"time": NOW, "consentId": consent["consentId"], "client": cast.app_url}
    answer = cast.auditor.get("/v1/audit/at", params=asked).json()
    assert answer["decision"] is False
    assert [e["event"] for e in answer["evidence"] if e["shows"] == "link"] == ["peer.message"]


def test_other_messages_are_not_for_us(cast):
    client = cast.peer(cast.app_url)
    good = {
        "ib1:message": "https://registry.core.trust.ib1.org/trust-framework",
        "subject": "https://registry.trust.ib1.org/message/withdrawal-of-permission/2025-03-16",
        "body": {"token": "x"},
    }
    for member, value in (
        ("ib1:message", "https://registry.example/trust-framework"),
        ("subject", "https://registry.trust.ib1.org/message/revoke"),
        ("body", {}),
        ("body", {"token": ""}),
        ("body", "x"),
    ):
        response = client.api.post(MESSAGES, {**good, member: value})
        refused(response, 400, "invalid-body")
        assert response.json()["errors"][0]["pointer"].startswith(f"/{member}")
    refused(client.api.post(MESSAGES, {**good, "more": 1}), 400, "unknown-member", "/more")


# ---- when there is room for endings alone


def test_nobody_fills_the_room_that_is_kept_for_endings(new_server, tmp_path):
    small = {"CONSENTD_MAP_SIZE": str(8 * 1024 * 1024)}
    house = House(lambda **more: new_server(environment=small, **more), tmp_path)
    cast = Cast(house.server, house.minter)
    energy = make(cast, "o1", account="o1")
    linked = make(cast, dependsOn=[[external("o2")]], account="o2")
    client = Peer(house, cast.app_url)
    create_until_refused(cast.tenant, cast.app_url)
    size = metrics(house.server)["consentd_log_entries"]
    for answer in (client.revoke(NONE_OF_THEIRS), client.withdraw(NONE_OF_THEIRS)):
        refused(answer, 507, "storage-full")
    assert metrics(house.server)["consentd_log_entries"] == size
    assert client.revoke("o1").status_code == 200 and client.withdraw("o2").status_code == 200
    assert cast.tenant.consent(energy["consentId"])["status"] == "revoked"
    assert cast.tenant.consent(linked["consentId"])["status"] == "terminated"
    for answer in (client.revoke("o1"), client.withdraw("o2")):
        refused(answer, 507, "storage-full")  # they end nothing more
    client.api.close()
    cast.close()


# ---- who comes in


@pytest.mark.parametrize("path", (PERMISSION, "/api/v1/permissions", REVOKE, MESSAGES))
def test_a_certificate_is_needed_and_a_token_is_no_matter(cast, house, path):
    """On each kind of listener."""
    bearer = {**FORM, "Authorization": f"Bearer {house.minter.client(cast.app_url)}"}
    with Api(house.server, house.minter, token=None) as plain:
        response = plain.call("POST", path, content=b"token=a", headers=bearer)
        refusal(response, "no_certificate")
    with Api(house.public(), house.minter, token=None) as public:
        response = public.call("POST", path, content=b"token=a", headers=bearer, check=False)
        refused(response, 404, "not-found")
    unnamed = cast.peer(None)
    response = unnamed.api.call("POST", path, content=b"token=a", headers=bearer)
    assert "so no application" in refusal(response, "no_application")


def test_a_revoked_certificate_revokes_nothing(cast, house):
    consent, pair = make(cast, "l1"), house.ca.client(cast.app_url)
    house.revoke(pair)
    with Api(house.mutual(pair), house.minter, token=None) as api:
        refusal(api.call("POST", REVOKE, content=b"token=l1", headers=FORM), "revoked")
    assert cast.tenant.consent(consent["consentId"])["status"] == "active"


def test_the_whole_log_is_as_it_says(house, tmp_path):
    """After all of the above: every entry opens and follows from the one before, as two verifiers
    find; no token is in it."""
    with Api(house.server, house.minter, house.minter.auditor()) as root:
        entries = read_log(root)
    Auditor().feed(entries)
    kinds = {entry["event"] for entry in entries}
    assert {"peer.permissionRead", "peer.revocation", "peer.message"} <= kinds
    assert NONE_OF_THEIRS not in json.dumps(entries) and NONE_OF_THEIRS not in house.server.stderr
    export(house.server.data, tmp_path / "out")
    done = ctl("verify", tmp_path / "out", "--openings", "--vkey", tmp_path / "out" / "vkey")
    assert done.returncode == 0, done.stdout + done.stderr
