# SPDX-License-Identifier: Apache-2.0
"""The example data APIs, run as they stand, with clients made from openapi.yaml: in TypeScript by
openapi-typescript and openapi-fetch, compiled by `tsc` with `strict`; in Python by
openapi-python-client. Whatever they say to the service is held against the contract."""

import datetime
import json
import re
import time

import httpx
import pytest
from harness import bodies
from harness.client import Api
from harness.process import until
from harness.program import NODE_MODULES, Program, copied, run
from harness.proxy import Proxy
from harness.server import Server
from harness.tokens import Minter

EDP = "https://directory.example/member/edp"
APP = "https://directory.example/app/cap"


GENERATE = """openapi-python-client generate --path ../../../openapi.yaml --meta none
    --config client.yaml --output-path consentd_client"""


def typescript(directory):
    place = copied("data-api-typescript", directory)
    run(place, "npm", "run", "generate")
    run(place, "npm", "run", "check")
    return place, ("npm", "start")


def python(directory):
    place = copied("data-api-python", directory)
    said = run(place, *GENERATE.split())
    assert "WARNING" not in said, said
    return place, ("python", "server.py")


class World:
    """A server, whose clock is the machine's, and one of the examples in front of the readings."""

    def __init__(self, directory, make):
        self.server = Server(directory / "data").start()
        self.minter = Minter(self.server.data, int(time.time()))
        self.tenant = Api(self.server, self.minter, self.minter.tenant(EDP))
        self.auditor = Api(self.server, self.minter, self.minter.auditor())
        self.proxy = Proxy(self.server).__enter__()
        self.place, command = make(directory)
        (self.place / "token").write_text(self.tenant.token + "\n")
        keys = self.server.data / "issuer" / "jwks.json"
        self.api = Program(
            self.place, *command, PORT="0", CONSENTD_URL=self.proxy.url, ISSUER_KEYS=str(keys)
        ).__enter__()
        midnight = datetime.datetime.now(datetime.UTC).replace(hour=0, minute=0, second=0)
        self.window = {
            "from": f"{midnight - datetime.timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}",
            "to": f"{midnight:%Y-%m-%dT%H:%M:%SZ}",
        }

    def close(self):
        self.api.__exit__()
        self.proxy.__exit__()
        self.tenant.close()
        self.auditor.close()
        self.server.stop()

    def consent(self, account):
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        permission = {"code": "electricity.import.halfhourly", "resources": ["meter-1"]}
        body = bodies.consent(APP, now, account=account, permissions=[permission])
        return self.tenant.create(body)["consentId"]

    def get(self, token, **parameters):
        query = {"meter": "meter-1", **self.window, **parameters}
        return httpx.get(
            f"{self.api.url}/consumption",
            params={name: value for name, value in query.items() if value is not None},
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=60,
            trust_env=False,
        )

    def disclosure(self, transaction):
        """What was recorded of a transfer, once it is there."""
        query = {"transaction": transaction, "tenant": EDP}

        def recorded():
            return self.auditor.get("/v1/disclosures", params=query).json()["items"]

        return until(self.server, recorded)


@pytest.fixture(scope="module", params=[typescript, python], ids=["typescript", "python"])
def world(request, tmp_path_factory):
    world = World(tmp_path_factory.mktemp("example"), request.param)
    yield world
    world.close()


def refused(answer, status, reason):
    assert (answer.status_code, set(answer.json())) == (status, {"error"}), answer.text
    assert reason in answer.json()["error"], answer.text


def test_what_is_permitted_is_sent_and_recorded(world):
    consent = world.consent("account-1")
    answer = world.get(world.minter.client(APP), account="account-1", purpose="estimate-emissions")
    assert answer.status_code == 200, answer.text
    sent = answer.json()
    assert len(sent["readings"]) == 48
    assert sent["readings"][0]["at"] == world.window["from"]
    [recorded] = world.disclosure(sent["transaction"])
    assert recorded["permitted"] is True and recorded["consentId"] == consent
    assert (recorded["records"], recorded["resources"]) == (48, ["meter-1"])
    assert recorded["purposes"] == ["estimate-emissions"]
    index = int(recorded["decisionId"].rpartition(".")[2])
    decision = world.auditor.get(f"/v1/audit/events/{index}").json()
    assert decision["event"] == "decision.permitted"


def test_the_token_may_name_the_consent(world):
    consent = world.consent("account-2")
    details = [{"type": "consent", "consent_id": consent}]
    token = world.minter.client(APP, authorization_details=details)
    answer = world.get(token)
    assert answer.status_code == 200, answer.text
    [recorded] = world.disclosure(answer.json()["transaction"])
    assert recorded["permitted"] is True and recorded["consentId"] == consent


def test_what_is_not_permitted_is_not_sent(world):
    world.consent("account-3")
    token = world.minter.client(APP)
    wrong = world.get(token, account="account-3", purpose="green-finance-eligibility")
    refused(wrong, 403, "purposeNotPermitted")
    refused(world.get(token, account="account-3", meter="meter-2"), 403, "resourceNotPermitted")
    refused(world.get(token, account="account-4"), 403, "consentNotFound")
    stranger = world.minter.client("https://directory.example/app/other")
    refused(world.get(stranger, account="account-3"), 403, "")


def test_once_it_is_revoked_nothing_goes(world):
    consent = world.consent("account-5")
    token = world.minter.client(APP)
    assert world.get(token, account="account-5").status_code == 200
    world.tenant.end(consent)
    refused(world.get(token, account="account-5"), 403, "notActive")


def test_who_does_not_say_whose_data_or_who_it_is_gets_none(world):
    token = world.minter.client(APP)
    refused(world.get(None, account="account-1"), 401, "token")
    refused(world.get(token[:-8] + "AAAAAAAA", account="account-1"), 401, "token")
    foreign = world.minter.client(APP, iss="https://other.example")
    refused(world.get(foreign, account="account-1"), 401, "token")
    refused(world.get(token), 403, "whose")
    refused(world.get(token, account="account-1", meter="../meter-1"), 400, "meter")


def test_without_an_answer_nothing_goes(world):
    world.consent("account-6")
    good = (world.place / "token").read_text()
    (world.place / "token").write_text(world.minter.admin())
    try:
        refused(world.get(world.minter.client(APP), account="account-6"), 503, "permitted")
    finally:
        (world.place / "token").write_text(good)
    assert world.get(world.minter.client(APP), account="account-6").status_code == 200


def test_both_were_seen_by_the_contract(world):
    seen = {(method, path) for method, path, _ in world.proxy.seen}
    assert seen == {("POST", "/access/v1/evaluation"), ("POST", "/v1/disclosures")}


def test_the_versions_of_the_examples_are_those_of_the_tests():
    held = json.loads((NODE_MODULES.parent / "package.json").read_text())["dependencies"]
    place = NODE_MODULES.parents[2] / "docs" / "examples"
    for file in place.glob("*/package.json"):
        package = json.loads(file.read_text())
        for name, version in {**package["dependencies"], **package.get("devDependencies", {})}.items():
            assert held[name] == version, (file, name)
    pinned = set(without_extras(NODE_MODULES.parents[1] / "requirements.txt"))
    for file in place.glob("*/requirements.txt"):
        assert set(without_extras(file)) <= pinned, file


def without_extras(file):
    return [re.sub(r"\[\w+\]", "", line) for line in file.read_text().split("\n") if "==" in line]
