# SPDX-License-Identifier: Apache-2.0
"""Invariant 1: what was acknowledged survives kill -9; what was not is resolved by its key."""

import threading

import pytest
from conftest import NOW, NOW_S
from harness import bodies
from harness.audit import Auditor, read_log
from harness.client import Api
from harness.server import Server
from harness.tokens import Minter
from harness.wire import Closed, Wire, request

WRITERS = 12
TENANT = "https://directory.example/member/edp-durable"
APP = "https://directory.example/app/cap-durable"


class Ledger:
    """One writer's requests in order, and which of them were answered."""

    def __init__(self, number, minter, lock):
        self.number = number
        self.token = minter.tenant(TENANT)
        self.acknowledged = []  # (kind, consent id, version)
        self.open = None  # the request under way: (bytes, kind)
        self.count = 0
        self._lock = lock

    def run(self, server, total, enough):
        try:
            with Wire(server) as wire:
                while True:
                    self._create(wire)
                    if self.count % 3 == 0:
                        self._revoke(wire)
                    with self._lock:
                        total[0] += 1
                        if total[0] >= enough:
                            reached.set()
        except (Closed, OSError):
            pass  # the server was killed; what is open stays in self.open

    def _ask(self, wire, kind, data):
        self.open = (kind, data)
        answer = wire.ask(data)
        assert answer.status_code in (200, 201), answer.text
        document = answer.json()
        self.acknowledged.append((kind, document["consentId"], document["version"]))
        self.open = None

    def _create(self, wire):
        self.count += 1
        body = bodies.consent(APP, NOW, account=f"account-{self.number}-{self.count}")
        key = ("Idempotency-Key", f"durable-{self.number}-{self.count}")
        self._ask(wire, "create", request("POST", "/v1/consents", self.token, body, [key]))

    def _revoke(self, wire):
        consent_id = self.acknowledged[-1][1]
        body = {"reason": {"code": "withdrawn"}}
        self._ask(
            wire, "revoke", request("POST", f"/v1/consents/{consent_id}/revoke", self.token, body)
        )


reached = threading.Event()


def _load_until_killed(server, minter, enough):
    lock, total = threading.Lock(), [0]
    ledgers = [Ledger(f"{enough}-{n}", minter, lock) for n in range(WRITERS)]
    reached.clear()
    threads = [
        threading.Thread(target=ledger.run, args=(server, total, enough)) for ledger in ledgers
    ]
    for thread in threads:
        thread.start()
    assert reached.wait(60)
    server.kill()
    for thread in threads:
        thread.join()
    return ledgers


def _check(server, minter, ledgers):
    with Api(server, minter, minter.auditor()) as api:
        log = read_log(api)
        auditor = Auditor().feed(log)
    for ledger in ledgers:
        last = {consent_id: (kind, version) for kind, consent_id, version in ledger.acknowledged}
        for consent_id, (kind, version) in last.items():
            stored, _, state = auditor.consents[consent_id]
            assert stored >= version
            if kind == "revoke":
                assert state == "revoked" and stored == version
    return log


def _resolve(server, ledgers):
    """The caller that got no answer asks again with the same key: one consent, whatever it was."""
    with Wire(server) as wire:
        for ledger in ledgers:
            if ledger.open is None:
                continue
            kind, data = ledger.open
            first, second = wire.ask(data), wire.ask(data)
            assert first.status_code == second.status_code == (201 if kind == "create" else 200)
            assert first.content == second.content
            if kind == "create":
                assert second.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize("enough", [1, 200, 900])
def test_acknowledged_writes_survive_kill_9(tmp_path, enough):
    server = Server(tmp_path / "data", clock=f"{NOW}x0").start()
    ledgers = _load_until_killed(server, Minter(server.data, NOW_S), enough)
    server.start()
    minter = Minter(server.data, NOW_S)
    before = _check(server, minter, ledgers)
    _resolve(server, ledgers)
    with Api(server, minter, minter.auditor()) as api:
        after = Auditor().feed(read_log(api))
    # Nothing but what was open was added, once each.
    opened = sum(1 for ledger in ledgers if ledger.open is not None)
    assert 0 <= after.count - len(before) <= opened
    acknowledged = {i for ledger in ledgers for _, i, _ in ledger.acknowledged}
    assert len(set(after.histories) - acknowledged) <= opened
    server.stop()
