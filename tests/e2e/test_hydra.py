# SPDX-License-Identifier: Apache-2.0
"""POST /hooks/hydra/token: bodies as Ory Hydra v2.3.0 sends them, and what it is told."""

import copy
import secrets
import uuid

import pytest
from conftest import NOW, NOW_S
from harness import bodies
from harness.client import Api, refused
from harness.hydra import hook_body
from harness.process import until
from harness.tokens import Minter
from test_service_lifecycle import run, settings

EDP = "https://directory.example/hydra/member/edp"
OTHER = "https://directory.example/hydra/member/other"
APP = "https://directory.example/hydra/application/cap"
ISSUER = "https://auth.example"


class Hydra:
    def __init__(self, new_server, folder):
        self.keys = {tenant: secrets.token_hex(24) for tenant in (EDP, OTHER)}
        tenants = []
        for number, (tenant, key) in enumerate(self.keys.items()):
            path = folder / f"hook-{number}.key"
            path.write_text(key + "\n")
            tenants.append({"tenant": tenant, "oauthIssuer": ISSUER, "hookKeyFile": str(path)})
        self.server = new_server(clock=f"{NOW}x0", config={"tenants": tenants})
        self.minter = Minter(self.server.data, NOW_S)

    def api(self, token=None):
        return Api(self.server, self.minter, token or self.minter.tenant(EDP))

    def granted(self, **more):
        with self.api() as api:
            return api.create(bodies.consent(APP, NOW, account=str(uuid.uuid4()), **more))

    def ask(self, body, key=..., **more):
        sent = {} if key is None else {"X-API-Key": self.keys[EDP] if key is ... else key}
        with self.api() as api:
            return api.post("/hooks/hydra/token", body, token=None, headers=sent, **more)

    def denied(self, body, why):
        answer = self.ask(body)
        assert answer.status_code == 403, answer.text
        assert answer.json() == {"error": "access_denied", "error_description": why}


@pytest.fixture
def hydra(new_server, tmp_path):
    return Hydra(new_server, tmp_path)


@pytest.mark.parametrize("grant", ["refresh_token", "authorization_code"])
def test_tokens_go_on_until_the_consent_ends(hydra, grant):
    consent = hydra.granted()
    asked = hook_body(consent["consentId"], grant=grant)
    answer = hydra.ask(asked)
    assert answer.status_code == 204 and answer.content == b""
    with hydra.api() as api:
        api.end(consent["consentId"])
    hydra.denied(asked, "notActive")


def test_after_a_renewal_the_claims_name_the_consent_that_permits_now(hydra):
    """All other claims stay what they were: Hydra replaces the session's by the answer."""
    consent = hydra.granted()
    with hydra.api() as api:
        renewed = api.renew(consent["consentId"], {"grant": bodies.grant(NOW)})
    more = {"role": 'a "b" \\ ü', "list": [1, None, True, {"x": 1.5}], "none": None, "n": 12}
    asked = hook_body(consent["consentId"], extra=more)
    answer = hydra.ask(asked)
    assert answer.status_code == 200
    assert answer.json() == {
        "session": {
            "access_token": {**more, "consent_id": renewed["consentId"]},
            "id_token": {"sid": "2e87343b-e3bd-4615-8412-7410f55f73ca"},
        }
    }
    assert hydra.ask(hook_body(renewed["consentId"])).status_code == 204
    with hydra.api() as api:
        api.end(renewed["consentId"])
    hydra.denied(asked, "notActive")


def test_a_blocked_client_gets_no_tokens(hydra):
    consent = hydra.granted()
    with hydra.api() as api:
        assert api.call("PUT", "/v1/blocks", {"client": APP, "reason": "fraud"}).status_code == 200
    hydra.denied(hook_body(consent["consentId"]), "clientBlocked")


def test_a_requested_consent_gives_no_tokens(hydra):
    with hydra.api() as api:
        asked = api.create(bodies.requested(APP))
    hydra.denied(hook_body(asked["consentId"]), "notActive")


def test_what_is_not_the_tenants_or_the_clients_is_as_if_it_were_not_there(hydra):
    consent = hydra.granted()
    with hydra.api(hydra.minter.tenant(OTHER)) as other:
        theirs = other.create(bodies.consent(APP, NOW, account="theirs"))
    hydra.denied(hook_body(theirs["consentId"]), "consentNotFound")
    hydra.denied(hook_body(str(uuid.uuid4())), "consentNotFound")
    hydra.denied(hook_body(consent["consentId"], client=APP + "/other"), "wrongClient")
    answer = hydra.ask(hook_body(consent["consentId"]), key=hydra.keys[OTHER])
    assert answer.status_code == 403


def test_a_client_whose_id_in_hydra_is_another_says_who_it_is_in_its_metadata(hydra):
    consent = hydra.granted()
    asked = hook_body(consent["consentId"], client="0b0e5ec7")
    hydra.denied(asked, "wrongClient")
    asked["request"]["client"] = {"client_id": "0b0e5ec7", "metadata": {"directory_url": APP}}
    assert hydra.ask(asked).status_code == 204
    asked["request"]["client"] = None
    hydra.denied(asked, "wrongClient")


@pytest.mark.parametrize(
    "grant", ["client_credentials", "urn:ietf:params:oauth:grant-type:jwt-bearer"]
)
def test_grants_without_a_person_need_no_consent_but_those_that_name_one_do(hydra, grant):
    assert hydra.ask(hook_body(None, grant=grant)).status_code == 204
    hydra.denied(hook_body(str(uuid.uuid4()), grant=grant), "consentNotFound")


@pytest.mark.parametrize("grant", ["refresh_token", "authorization_code", "anything:new"])
def test_a_session_without_a_consent_gets_no_tokens(hydra, grant):
    hydra.denied(hook_body(None, grant=grant), "the session names no consent")
    asked = hook_body(None, grant=grant)
    asked["session"]["extra"] = None
    hydra.denied(asked, "the session names no consent")


def test_without_the_key_nothing_is_said(hydra):
    consent = hydra.granted()
    asked, right = hook_body(consent["consentId"]), hydra.keys[EDP]
    for key in (None, "x", right[:-1], right + "0", right.upper(), "x" * 8000):
        refused(hydra.ask(asked, key=key), 401, "unauthenticated")
    with hydra.api() as api:
        answer = api.post("/hooks/hydra/token", asked)  # a bearer token is no key
        refused(answer, 401, "unauthenticated")
    assert right not in hydra.server.stderr


def test_what_hydra_would_not_send_is_refused(hydra):
    good = hook_body(str(uuid.uuid4()))
    wrong = [("/session", lambda b: b.pop("session")), ("/request", lambda b: b.pop("request"))]
    wrong += [
        ("/request/client_id", lambda b: b["request"].pop("client_id")),
        ("/request/grant_types", lambda b: b["request"].pop("grant_types")),
        ("/request/grant_types/0", lambda b: b["request"].update(grant_types=[7])),
        ("/session/extra/consent_id", lambda b: b["session"]["extra"].update(consent_id="x")),
        ("/session/extra/consent_id", lambda b: b["session"]["extra"].update(consent_id=7)),
    ]
    for pointer, spoil in wrong:
        body = copy.deepcopy(good)
        spoil(body)
        refused(hydra.ask(body), 400, "invalid-body", pointer)
    key = {"X-API-Key": hydra.keys[EDP], "Content-Type": "application/json"}
    with hydra.api() as api:
        for content in (b"", b"{", b'{"session":{},"session":{}}', b"[" * 100, b"\xff"):
            answer = api.call("POST", "/hooks/hydra/token", content=content, headers=key)
            refused(answer, 400, "malformed-json")
        answer = api.call("POST", "/hooks/hydra/token", content=b"[]", headers=key)
        refused(answer, 400, "invalid-body")
        answer = api.call("POST", "/hooks/hydra/token?x=1", content=b"{}", headers=key)
        refused(answer, 400, "invalid-parameter")


@pytest.mark.parametrize("key", ["", "x" * 31, "x" * 257, "x" * 40 + " y", "ü" * 40])
def test_a_key_that_could_be_guessed_or_not_sent_stops_the_start(tmp_path, key):
    path = tmp_path / "hook.key"
    path.write_text(key)
    tenants = [{"tenant": EDP, "oauthIssuer": ISSUER, "hookKeyFile": str(path)}]
    config = settings(tmp_path / "config.json", tenants=tenants)
    answer = run("--check-config", "--dev", "--config", config)
    assert answer.returncode != 0
    assert "tenants[0].hookKeyFile" in answer.stdout + answer.stderr
    assert key == "" or key not in answer.stdout + answer.stderr


def test_a_reload_changes_the_key(hydra, tmp_path):
    consent = hydra.granted()
    asked, old = hook_body(consent["consentId"]), hydra.keys[EDP]
    hydra.keys[EDP] = secrets.token_hex(24)
    (tmp_path / "hook-0.key").write_text(hydra.keys[EDP])
    hydra.server.reload()
    until(hydra.server, lambda: hydra.ask(asked).status_code == 204)
    assert hydra.ask(asked, key=old).status_code == 401
