# SPDX-License-Identifier: Apache-2.0
"""A decision on one loop sees what another loop has acknowledged: 10,000 times over."""

import threading

from conftest import NOW, NOW_S
from harness import bodies
from harness.loops import one_on_each
from harness.process import metrics
from harness.questions import pack_file, question
from harness.tokens import Minter
from harness.wire import request
from test_concurrency import at_once

TENANT = "https://directory.example/member/edp-order"
APP = "https://directory.example/app/cap-order"
PAIRS = 4
ROUNDS = 2500
BATCH = 50


class Pair:
    """Revokes on one loop and asks on the other, again and again."""

    def __init__(self, server, token, number):
        self.number = number
        self.token = token
        self.writer, self.asker = one_on_each(server, token, 2)
        if number % 2:
            self.writer, self.asker = self.asker, self.writer
        self.wrong = []

    def create(self, count, base):
        requests = [
            request(
                "POST",
                "/v1/consents",
                self.token,
                bodies.consent(APP, NOW, account=f"p{self.number}-{base + i}"),
                headers=[("Idempotency-Key", f"k{self.number}-{base + i}")],
            )
            for i in range(count)
        ]
        return [answer.json()["consentId"] for answer in self.writer.ask_many(requests)]

    def ask(self, consent_id, account):
        for resource in ({"consentId": consent_id}, account):
            asked = question(APP, resource, permissions=["tariff"])
            answer = self.asker.ask(request("POST", "/access/v1/evaluation", self.token, asked))
            yield answer.json()["decision"]

    def run(self):
        for base in range(0, ROUNDS, BATCH):
            for i, consent_id in enumerate(self.create(BATCH, base)):
                account = f"p{self.number}-{base + i}"
                before = list(self.ask(consent_id, account))
                ended = self.writer.ask(
                    request("DELETE", f"/v1/consents/{consent_id}", self.token)
                )
                after = list(self.ask(consent_id, account))
                if (before, ended.status_code, after) != ([True] * 2, 200, [False] * 2):
                    self.wrong.append((consent_id, before, ended.status_code, after))

    def close(self):
        self.writer.close()
        self.asker.close()


def test_a_revocation_acknowledged_on_one_loop_is_known_on_the_other(new_server, tmp_path):
    server = new_server(
        clock=f"{NOW}x0",
        pack=pack_file(tmp_path / "pack.json", record="none"),
        environment={"CONSENTD_LOOPS": "2"},
    )
    token = Minter(server.data, NOW_S).tenant(TENANT)
    pairs = [Pair(server, token, number) for number in range(PAIRS)]
    threads = [threading.Thread(target=pair.run) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for pair in pairs:
        pair.close()
    assert PAIRS * ROUNDS == 10_000
    assert [pair.wrong for pair in pairs] == [[]] * PAIRS


def test_many_large_batches_at_once_are_recorded_whole(new_server):
    """More entries than one transaction takes: they go into several."""
    server = new_server(clock=f"{NOW}x0")
    minter = Minter(server.data, NOW_S)
    token = minter.tenant(TENANT)
    document = {**question(APP, "nobody"), "evaluations": [{}] * 1000}
    sent = [request("POST", "/access/v1/evaluations", token, document)] * 24
    answers = at_once(server, sent)
    assert [answer.status_code for answer in answers] == [200] * 24
    assert all(len(answer.json()["evaluations"]) == 1000 for answer in answers)
    assert metrics(server)["consentd_log_entries"] == 2 + 24_000
