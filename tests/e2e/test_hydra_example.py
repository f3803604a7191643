# SPDX-License-Identifier: Apache-2.0
"""docs/examples/hydra, run as it stands between a browser, a client and Hydra (a stand-in)."""

import html
import os
import re
import secrets
import subprocess
import sys
import time

import httpx
import pytest
from harness.client import Api
from harness.hydra import APP, StandIn
from harness.process import until
from harness.proxy import Proxy
from harness.server import ROOT
from harness.tokens import Minter

EDP = "https://directory.example/hydra/member/edp"
EXAMPLE = ROOT / "docs" / "examples" / "hydra"


class Example:
    def __init__(self, new_server, folder):
        key, path = secrets.token_hex(24), folder / "hook.key"
        path.write_text(key)
        tenant = {"tenant": EDP, "oauthIssuer": "http://127.0.0.1:4444", "hookKeyFile": str(path)}
        self.server = new_server(config={"tenants": [tenant]})
        self.minter = Minter(self.server.data, int(time.time()))
        self.token = folder / "token"
        self.token.write_text(self.minter.tenant(EDP))
        self.proxy = Proxy(self.server).__enter__()
        self.hydra = StandIn(self.proxy.url + "/hooks/hydra/token", key)
        environment = {
            **os.environ,
            "LISTEN": "127.0.0.1:0",
            "HYDRA_ADMIN": self.hydra.url,
            "HYDRA_PUBLIC": self.hydra.url,
            "CONSENTD": self.proxy.url,
            "CONSENTD_TOKEN_FILE": str(self.token),
        }
        self.process = subprocess.Popen(
            [sys.executable, str(EXAMPLE / "app.py")],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        url = self.process.stdout.readline().split()[-1]
        self.web = httpx.Client(base_url=url, trust_env=False, timeout=30)

    def close(self):
        self.web.close()
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
        self.hydra.close()
        self.proxy.__exit__()

    def api(self):
        return Api(self.server, self.minter, self.minter.tenant(EDP))

    def answer(self, answer, challenge="challenge-1"):
        page = self.web.get("/consent", params={"consent_challenge": challenge})
        assert page.status_code == 200
        found = re.findall(r'name="(\w+)"\s+value="([^"]*)"', page.text, re.S)
        fields = {name: html.unescape(value) for name, value in found if name != "answer"}
        return self.web.post("/consent", data={**fields, "answer": answer})

    def tokens(self, grant="authorization_code", expect=200):
        response = self.web.post("/oauth2/token", data={"grant_type": grant})
        assert response.status_code == expect, response.text
        return response.json()

    @property
    def consent_id(self):
        return self.hydra.accepted[-1]["session"]["access_token"]["consent_id"]


@pytest.fixture
def example(new_server, tmp_path):
    made = Example(new_server, tmp_path)
    yield made
    made.close()


def test_from_the_page_to_the_refusal_of_a_refresh(example):
    for _ in range(2):  # sent twice, in another second: one consent
        to = example.answer("yes")
        assert to.status_code == 303 and to.headers["location"].endswith("/callback")
        second = int(time.time())
        until(example.server, lambda before=second: int(time.time()) > before)
    with example.api() as api:
        consent = api.consent(example.consent_id)
        assert consent["client"] == APP and consent["account"] == "6qIO3KZx0Q"
        assert len(api.get("/v1/consents").json()["items"]) == 1
        example.tokens()
        refreshed = example.tokens("refresh_token")["refresh_token"]
        registered = api.consent(example.consent_id)["tokens"]
        assert len(registered) == 2 and refreshed not in str(registered)
        api.end(example.consent_id)
    assert example.tokens("refresh_token", expect=403) == {"error": "access_denied"}


def test_who_says_no_gets_no_consent(example):
    assert example.answer("no").status_code == 303
    assert example.hydra.rejected and not example.hydra.accepted
    with example.api() as api:
        assert api.get("/v1/consents").json()["items"] == []


def test_a_client_does_not_get_a_refresh_token_that_could_not_be_registered(example):
    example.answer("yes")
    right = example.token.read_text()
    example.token.write_text(example.minter.token(EDP, "consents:read"))
    answer = example.tokens(expect=503)
    assert "refresh_token" not in answer and answer["error"] == "server_error"
    example.token.write_text(right)
    example.tokens()
