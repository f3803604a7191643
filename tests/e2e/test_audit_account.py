# SPDX-License-Identifier: Apache-2.0
"""GET /v1/audit/events?account= against a filter over the whole log, which tells whose each is."""

import random

import pytest
from conftest import NOW, NOW_S
from harness import bodies
from harness.audit import read_log
from harness.client import Api
from harness.tokens import Minter
from harness.transfers import record, transfer

BASE = "https://directory.example/accounts"
TENANTS = [f"{BASE}/member/{n}" for n in "ab"]
APPS = [f"{BASE}/app/{n}" for n in range(3)]
ACCOUNTS = [f"account {n}/é" for n in range(4)]
STEPS = 120
REVOKE = {"reason": {"code": "withdrawn", "by": {"role": "accountHolder"}}}


class Market:
    """Random consents, questions, transfers, ends and erasures; knows whose each entry is."""

    def __init__(self, server, minter, seed):
        self.rng = random.Random(seed)
        self.apis = {url: Api(server, minter, minter.tenant(url)) for url in TENANTS}
        self.consents = []  # (tenant, id, account)
        self.asked = {}  # index of the entry -> account

    def close(self):
        for api in self.apis.values():
            api.close()

    def create(self, api, url, account):
        provider = self.rng.choice([url, url, *TENANTS])
        body = bodies.consent(self.rng.choice(APPS), NOW, account=account, provider=provider)
        if provider == url:
            del body["provider"]
        self.consents.append((url, api.create(body)["consentId"], account))

    def ask(self, api, url, account):
        asked = {
            "subject": {"type": "application", "id": self.rng.choice(APPS)},
            "action": {"name": "read"},
            "resource": {"type": "account", "id": account},
            "context": {"record": True},
        }
        answer = api.post("/access/v1/evaluation", asked).json()
        self.asked[int(answer["context"]["decisionId"].rsplit(".", 1)[1])] = account

    def send(self, api, url, account):
        app = self.rng.choice(APPS)
        record(api, transfer(NOW, app, account=account, client=app))

    def end(self, api, url, account):
        mine = [c for c in self.consents if c[0] == url and c[2] == account]
        if mine:
            api.post(f"/v1/consents/{self.rng.choice(mine)[1]}/revoke", REVOKE)

    def erase(self, api, url, account):
        mine = [c for c in self.consents if c[0] == url and c[2] == account]
        if mine:
            body = {"consentId": self.rng.choice(mine)[1], "ground": "objection"}
            api.post("/v1/erasures", body | {"requestId": "r-1", "part": "personal"})

    def forget(self, api, url, account):
        """Of ended consents the personal part, of what found none the whole, at once."""
        if self.rng.random() < 0.2:
            body = {"account": account, "ground": "consentWithdrawn", "requestId": "r-2"}
            api.post("/v1/erasures", body)

    def run(self):
        moves = [self.create, self.ask, self.ask, self.send, self.end, self.erase, self.forget]
        for _ in range(STEPS):
            url = self.rng.choice(TENANTS)
            # the last account never has a consent: only questions name it
            account = self.rng.choice(ACCOUNTS)
            move = self.rng.choice(moves[1:] if account == ACCOUNTS[-1] else moves)
            move(self.apis[url], url, account)


def told_by(market, entry, url):
    """Whose an entry of a tenant is: by its consent, else by the account that the question named."""
    payload = entry.get("payload", {})
    if payload.get("tenant") != url:
        return None
    if "consentId" in payload:
        return next(c[2] for c in market.consents if c[1] == payload["consentId"])
    return market.asked.get(entry["index"], entry.get("personal", {}).get("account"))


@pytest.mark.parametrize("seed", range(3))
def test_an_account_has_what_a_filter_over_the_whole_log_finds(new_server, seed):
    server = new_server(clock=f"{NOW}x0")
    minter = Minter(server.data, NOW_S)
    market = Market(server, minter, seed)
    market.run()
    kinds = set()
    with Api(server, minter, minter.auditor()) as auditor:
        log = read_log(auditor)
        for url in TENANTS:
            for account in [*ACCOUNTS, "nobody's"]:
                params = {"tenant": url, "account": account}
                wanted = [entry for entry in log if told_by(market, entry, url) == account]
                kinds |= {(entry["event"], "consentId" in entry["payload"]) for entry in wanted}
                assert read_log(auditor, **params) == wanted
                for limit in (1, 7, 500):
                    got = auditor.pages("/v1/audit/events", params=params | {"limit": limit})
                    assert got == wanted, (url, account, limit)
                with Api(server, minter, minter.auditor(providers=[url])) as own:
                    assert read_log(own, account=account) == wanted
    market.close()
    assert {
        ("consent.granted", True),
        ("consent.revoked", True),
        ("decision.permitted", True),
        ("decision.denied", False),
        ("disclosure.violation", False),
    } <= kinds
    assert any(entry["event"] == "erasure.personal" for entry in log)
    assert any(entry["event"] == "erasure.whole" for entry in log)
