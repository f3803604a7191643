# SPDX-License-Identifier: Apache-2.0
"""The example authorization server (oidc-provider), run as it stands, with a client made of openid-client
and jose, and the service behind TLS 1.3: a request is pushed, a person says yes on the page, the token
carries the consent and is bound to the certificate, a decision is asked for, a transfer recorded, the
token rotated; then the consent is revoked, and from there on everything says no.

Every exchange with the service is held against the contract: the authorization server reaches it by a
proxy that does so, and hands its certificate on."""

import datetime
import html
import json
import re
import socket
import ssl
import subprocess
import uuid

import httpx
import pytest
from contract import ROOT
from harness import bodies
from harness.ca import Authority, listener
from harness.client import Api, contract
from harness.process import until
from harness.program import BIN, Program, copied, environment
from harness.proxy import Proxy
from harness.server import Server

EDP_APP = "https://directory.example/member/edp/app/1"
EDP = "https://directory.example/member/edp"
APP = "https://directory.example/member/cap/app/7"
CAP = "https://directory.example/member/cap"
PREFIX = bodies.PREFIX
CALLBACK = "https://cap.example/callback"
AUDIENCE = "https://consent.edp.example"
DATA = "https://data.edp.example"
SCOPES = "consents:write consents:read decisions:evaluate audit:read"
PERSON = {"ref": "user-71", "authority": "director", "account": "6qIO3KZx0Q"}
ALGORITHMS = ["ES256", "PS256", "EdDSA", "Ed25519"]
PERMISSION = {"code": "electricity.import.halfhourly", "resources": ["meter-1"]}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Client:
    """tests/npm/client.mjs with one application's certificate."""

    def __init__(self, issuer, ca, pair, client):
        self.process = subprocess.Popen(
            [BIN / "node", ROOT / "tests" / "npm" / "client.mjs"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
            text=True,
            start_new_session=True,
        )
        self._write(
            issuer=issuer,
            client=client,
            redirect_uri=CALLBACK,
            ca=str(ca.certificate),
            cert=str(pair.certificate),
            key=str(pair.key),
        )

    def _write(self, **line):
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()

    def do(self, step, **more):
        self._write(do=step, **more)
        line = self.process.stdout.readline()
        assert line, "the client ended"
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class World:
    """One authority, the service, the authorization server, and two applications."""

    def __init__(self, directory, algorithm):
        self.algorithm = algorithm
        self.ca = Authority(directory / "ca")
        pair = self.ca.server()
        role = f"{PREFIX}/role/energy-data-provider"
        self.edp = self.ca.client(EDP_APP, member=EDP, roles=[role])
        roles = [f"{PREFIX}/role/carbon-accounting-provider"]
        self.cap = self.ca.client(APP, member=CAP, roles=roles)
        self.other = self.ca.client(f"{APP}7", member=CAP, roles=roles)
        self.issuer = f"https://127.0.0.1:{free_port()}"
        self.server = Server(directory / "data", config=self.config(pair)).start()
        self.doors = {kind: self.server.door(kind) for kind in ("mutual", "public")}
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(self.ca.certificate))
        tls.load_cert_chain(pair.certificate, pair.key)
        tls.minimum_version, tls.verify_mode = ssl.TLSVersion.TLSv1_3, ssl.CERT_REQUIRED
        tls.verify_flags &= ~ssl.VERIFY_X509_STRICT
        self.proxy = Proxy(self.server.door("plain", number=1), tls=tls).__enter__()
        self.program = Program(
            self.example(directory, pair), "node", "server.js", "config.json"
        ).__enter__()
        self.clients = [
            Client(self.issuer, self.ca, self.cap, APP),
            Client(self.issuer, self.ca, self.edp, EDP_APP),
        ]
        self.app, self.own = self.clients
        self.https = [self.http(pair) for pair in (self.edp, self.cap, None, self.other)]
        until(self.server, self.has_keys)
        token = self.own.do("own", resource=AUDIENCE, scope=SCOPES)
        assert "access_token" in token, token
        self.tenant = self.api(self.https[0], token["access_token"])
        self.token = token

    def has_keys(self):
        """The service starts before the authorization server, and asks it again."""
        return httpx.get(f"{self.server.url}/readyz", trust_env=False).status_code == 200

    def config(self, pair):
        return {
            "publicUrl": "https://consent.edp.example",
            "listeners": [
                listener(pair, "mutual", clientCaFile=self.ca.certificate),
                listener(pair, "public"),
                {"address": "127.0.0.1:0", "kind": "plain", "proxies": ["127.0.0.1"]},
            ],
            "issuers": [
                {
                    "issuer": self.issuer,
                    "audience": AUDIENCE,
                    "discovery": True,
                    "caFile": str(self.ca.certificate),
                    "binding": "x5t",
                }
            ],
            "keysCooldownSeconds": 1,
            "oauthIssuer": self.issuer,
        }

    def example(self, directory, pair):
        place = copied("authorization-server", directory)
        service = {
            "url": self.proxy.url,
            "audience": AUDIENCE,
            "scope": SCOPES,
            "clientId": EDP_APP,
            "caFile": str(self.ca.certificate),
            "certFile": str(self.edp.certificate),
            "keyFile": str(self.edp.key),
        }
        config = {
            "issuer": self.issuer,
            "keysFile": "keys.json",
            "accessTokenAlg": self.algorithm,
            "dataApi": DATA,
            "tls": {
                "certFile": str(pair.certificate),
                "keyFile": str(pair.key),
                "clientCaFile": str(self.ca.certificate),
            },
            "consentd": service,
            "people": [PERSON],
            "clients": [
                {"client_id": APP, "name": "Greenbooks", "redirect_uris": [CALLBACK],
                 "grant_types": ["authorization_code", "refresh_token"]},
                {"client_id": EDP_APP, "name": "The provider itself", "redirect_uris": [],
                 "response_types": [], "grant_types": ["client_credentials"], "member": EDP},
            ],
        }
        (place / "config.json").write_text(json.dumps(config))
        return place

    def http(self, pair, door="mutual"):
        context = self.ca.context(pair)
        door = self.doors["public" if pair is None else "mutual"]
        return httpx.Client(
            base_url=f"https://127.0.0.1:{door.port}", verify=context, timeout=60, trust_env=False
        )

    def api(self, http, token):
        api = Api.__new__(Api)
        api.server, api.minter, api.token, api.http = self.server, None, token, http
        return api

    def close(self):
        for client in self.clients:
            client.close()
        self.program.__exit__()
        self.proxy.__exit__()
        for http in self.https:
            http.close()
        self.server.stop()

    # ---- what people and applications do

    def push(self, **detail):
        details = [{"type": "consent", "license": bodies.ENERGY, **detail}]
        return self.app.do(
            "push",
            parameters={
                "scope": f"energy {SCOPES}",
                "resource": [DATA, AUDIENCE],
                "authorization_details": json.dumps(details),
            },
        )

    def browser(self):
        return httpx.Client(verify=self.ca.context(), timeout=60, trust_env=False)

    def decide(self, url, answer):
        """What the person sees, and where the browser is sent at the end."""
        with self.browser() as browser:
            response = browser.get(url, follow_redirects=True)
            assert response.status_code == 200, response.text
            action = re.search(r'action="([^"]+)"', response.text)[1]
            target = httpx.URL(response.url).join(html.unescape(action))
            form = {"person": PERSON["ref"], "answer": answer}
            ended = browser.post(target, data=form)
            while ended.is_redirect and not ended.headers["location"].startswith(CALLBACK):
                ended = browser.get(httpx.URL(ended.url).join(ended.headers["location"]))
            assert ended.is_redirect, ended.text
            return response.text, ended.headers["location"]

    def granted(self, resource=DATA, **detail):
        """Tokens of a consent that the person has granted."""
        pushed = self.push(permissions=[PERMISSION], **detail)
        assert "url" in pushed, pushed
        _, url = self.decide(pushed["url"], "yes")
        tokens = self.app.do("callback", url=url, resource=resource)
        assert "access_token" in tokens, tokens
        return tokens

    def question(self, consent):
        return {
            "subject": {"type": "application", "id": APP},
            "action": {"name": "read", "properties": {"purpose": "estimate-emissions"}},
            "resource": {
                "type": "consent",
                "id": consent,
                "properties": {"permissions": [PERMISSION["code"]], "resources": ["meter-1"]},
            },
            "context": {"record": True},
        }

    def form(self, path, token, http):
        response = http.post(path, data={"token": token})
        contract().check("POST", path, response)
        return response


@pytest.fixture(scope="module", params=ALGORITHMS)
def world(request, tmp_path_factory):
    world = World(tmp_path_factory.mktemp("authorization"), request.param)
    yield world
    print(world.program.said)  # comes with a failure
    world.close()


def test_tokens_are_signed_and_bound_as_they_should(world):
    header, claims = world.token["header"], world.token["claims"]
    assert (header["alg"], header["typ"]) == (world.algorithm, "at+jwt")
    assert claims["client_id"] == EDP_APP and claims["member"] == EDP
    assert claims["cnf"] == {"x5t#S256": bodies.digest_of(world.edp.der)}
    listed = world.tenant.get("/v1/consents")
    assert listed.status_code == 200, listed.text


def test_from_the_pushed_request_to_what_the_auditor_reads(world):
    pushed = world.push(permissions=[PERMISSION])
    assert "url" in pushed, pushed
    [asked] = world.tenant.pages("/v1/consents", params={"status": "requested"})
    assert asked["client"] == APP and asked["tenant"] == EDP
    assert asked["request"]["certificate"]["sha256"] == bodies.digest_of(world.cap.der)
    page, url = world.decide(pushed["url"], "yes")
    assert "Greenbooks" in page and "estimate-emissions" in page
    tokens = world.app.do("callback", url=url, resource=DATA)
    assert "access_token" in tokens, tokens
    claims = tokens["claims"]
    consent = asked["consentId"]
    assert (tokens["header"]["alg"], claims["aud"]) == (world.algorithm, DATA)
    assert claims["cnf"] == {"x5t#S256": bodies.digest_of(world.cap.der)}
    assert claims["consent_id"] == consent
    [detail] = claims["authorization_details"]
    assert (detail["type"], detail["consent_id"]) == ("consent", consent)
    stored = world.tenant.consent(consent)
    assert stored["status"] == "active" and stored["account"] == PERSON["account"]
    assert stored["grant"]["by"] == {"ref": "user-71", "authority": "director"}
    assert [token["digest"] for token in stored["tokens"]] == [bodies.digest(tokens["refresh_token"])]


def test_a_transfer_is_decided_recorded_and_shown(world):
    tokens = world.granted()
    consent = tokens["claims"]["consent_id"]
    answer = world.tenant.post("/access/v1/evaluation", world.question(consent)).json()
    assert answer["decision"] is True
    now = datetime.datetime.now(datetime.UTC)
    sent = world.tenant.post(
        "/v1/disclosures",
        {
            "consentId": consent,
            "decisionId": answer["context"]["decisionId"],
            "recipient": APP,
            "permissions": [PERMISSION["code"]],
            "purposes": ["estimate-emissions"],
            "resources": ["meter-1"],
            "from": f"{now - datetime.timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}",
            "to": f"{now - datetime.timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}",
            "granularity": "PT30M",
            "at": f"{now:%Y-%m-%dT%H:%M:%S.%f}Z",
            "transaction": str(uuid.uuid4()),
        },
        key=str(uuid.uuid4()),
    )
    assert sent.status_code == 201 and sent.json()["permitted"] is True, sent.text


def test_each_rotated_token_is_known_and_its_record_leads_to_the_evidence(world):
    tokens = world.granted()
    consent = tokens["claims"]["consent_id"]
    rotated = world.app.do("refresh", token=tokens["refresh_token"], resource=DATA)
    assert rotated["refresh_token"] != tokens["refresh_token"]
    assert rotated["claims"]["consent_id"] == consent
    records = []
    for token in (tokens["refresh_token"], rotated["refresh_token"]):
        answer = world.form("/ib1/permission", token, world.https[1])
        assert answer.status_code == 200, answer.text
        records.append(answer.json()["permission"])
    first, second = records
    assert first["oauthIssuer"] == world.issuer and first["client"] == APP
    assert first["license"] == bodies.ENERGY and "revoked" not in first
    assert first["evidence"] == second["evidence"]
    assert first["account"] == second["account"] != PERSON["account"]
    path = first["evidence"].removeprefix("https://consent.edp.example")
    page = world.https[2].get(path)
    contract().check("GET", path, page)
    assert page.status_code == 200 and "director" in page.text
    assert tokens["refresh_token"] not in page.text
    # Another application's certificate finds nothing, whatever token it shows; the provider's is in
    # the wrong role.
    assert world.form("/ib1/permission", rotated["refresh_token"], world.https[3]).status_code == 404
    assert world.form("/ib1/permission", rotated["refresh_token"], world.https[0]).status_code == 403


def test_when_the_tenant_revokes_decisions_and_refreshes_stop(world):
    tokens = world.granted()
    consent = tokens["claims"]["consent_id"]
    world.tenant.end(consent)
    assert world.tenant.post("/access/v1/evaluation", world.question(consent)).json()["decision"] is False
    refused = world.app.do("refresh", token=tokens["refresh_token"], resource=DATA)
    assert refused["failed"] == "invalid_grant", refused
    record = world.form("/ib1/permission", tokens["refresh_token"], world.https[1]).json()["permission"]
    assert "revoked" in record


def test_when_the_application_revokes_its_token_decisions_and_refreshes_stop(world):
    tokens = world.granted()
    consent = tokens["claims"]["consent_id"]
    assert world.app.do("metadata")["revocation_endpoint"].endswith("/ib1/revoke")
    assert world.form("/ib1/revoke", tokens["refresh_token"], world.https[1]).status_code == 200
    ended = world.tenant.consent(consent)
    assert ended["statusReason"]["code"] == "withdrawnAtClient"
    assert world.tenant.post("/access/v1/evaluation", world.question(consent)).json()["decision"] is False
    refused = world.app.do("refresh", token=tokens["refresh_token"], resource=DATA)
    assert refused["failed"] == "invalid_grant", refused


def test_the_application_reads_its_part_with_a_token_for_the_service(world):
    tokens = world.granted(resource=AUDIENCE)
    consent = tokens["claims"]["consent_id"]
    seen = world.api(world.https[1], tokens["access_token"]).consent(consent)
    assert "by" not in seen["grant"] and seen["account"] != PERSON["account"]
    # The same token with another certificate, and with none, is nobody's.
    stolen = world.api(world.https[0], tokens["access_token"]).get(f"/v1/consents/{consent}")
    assert stolen.status_code == 401, stolen.text
    assert 'error="invalid_token"' in stolen.headers["www-authenticate"]
    # One for the data API is not for the service.
    other = world.app.do("refresh", token=tokens["refresh_token"], resource=DATA)
    answer = world.api(world.https[1], other["access_token"]).get(f"/v1/consents/{consent}")
    assert answer.status_code == 401, answer.text


def test_no_on_the_page_is_a_refusal(world):
    pushed = world.push(permissions=[PERMISSION])
    _, url = world.decide(pushed["url"], "no")
    assert "error=access_denied" in url
    [refused] = world.tenant.pages("/v1/consents", params={"status": "refused"})
    assert refused["statusReason"]["by"] == {"role": "accountHolder", "ref": "user-71"}


def test_what_the_policy_does_not_admit_gets_no_page(world):
    pushed = world.push(purposes=["green-finance-eligibility"])
    assert pushed["failed"] == "invalid_authorization_details", pushed
    assert "green-finance-eligibility" in pushed["description"]


def test_nothing_pushed_nothing_asked(world):
    with world.browser() as browser:
        query = {"client_id": APP, "response_type": "code", "redirect_uri": CALLBACK,
                 "scope": "energy", "code_challenge": "x" * 43, "code_challenge_method": "S256"}
        answer = browser.get(f"{world.issuer}/auth", params=query)
        assert "invalid_request" in answer.headers.get("location", answer.text)


def test_the_authorization_server_has_not_complained(world):
    assert "rror" not in world.program.said, world.program.said
    asked = {re.sub(r"/[0-9a-f-]{36}/", "/{id}/", path) for _, path, _ in world.proxy.seen}
    assert asked == {
        "/v1/consents",
        "/v1/consents/query",
        "/v1/consents/{id}/grant",
        "/v1/consents/{id}/refuse",
        "/v1/consents/{id}/tokens",
        "/access/v1/evaluation",
    }
