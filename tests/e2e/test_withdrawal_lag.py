# SPDX-License-Identifier: Apache-2.0
"""consentd_withdrawal_lag_seconds: how long data went on after a consent had ended, by the log."""

import uuid

from conftest import NOW, NOW_S
from harness import bodies
from harness.client import Api
from harness.process import metrics, until
from harness.tokens import Minter
from harness.transfers import record, transfer

EDP = "https://directory.example/lag/member/edp"
APP = "https://directory.example/lag/app"
LAG, COUNT = "consentd_withdrawal_lag_seconds", "consentd_disclosures_after_ending"
LATER = "2026-06-15T15:00:00.000Z"  # three hours after NOW


def sent(api, consent, at):
    record(api, transfer(at, APP, consentId=consent["consentId"], transaction=str(uuid.uuid4())))


def test_the_longest_flow_after_an_end_is_the_lag_and_a_restart_finds_it_again(new_server):
    server = new_server(clock=f"{NOW}x0")
    minter = Minter(server.data, NOW_S)
    with Api(server, minter, minter.tenant(EDP)) as api:
        withdrawn, other, active, expired = (
            api.create(bodies.consent(APP, NOW, account=str(uuid.uuid4()), **more))
            for more in ({}, {}, {}, {"expires": "2026-06-15T12:30:00Z"})
        )
        api.end(withdrawn["consentId"])
        api.end(other["consentId"], "fraud")
    assert (metrics(server)[LAG], metrics(server)[COUNT]) == (0, 0)
    server.restart(clock=f"{LATER}x0")
    minter = Minter(server.data, NOW_S + 3 * 3600)
    with Api(server, minter, minter.tenant(EDP)) as api:
        sent(api, withdrawn, "2026-06-15T11:59:00Z")  # recorded late, but it went before the end
        sent(api, active, "2026-06-15T14:59:00Z")
        sent(api, expired, "2026-06-15T14:59:00Z")  # not a withdrawal
        server.reload()  # which hurries whoever reads
        sent(api, withdrawn, "2026-06-15T13:30:00Z")
        sent(api, other, "2026-06-15T12:10:00Z")
    server.reload()
    until(server, lambda: metrics(server)[COUNT] == 2)
    assert metrics(server)[LAG] == 5400
    server.restart()
    until(server, lambda: metrics(server)[COUNT] == 2)
    assert metrics(server)[LAG] == 5400
    server.restart(clock="2026-07-15T15:00:01.000Zx0")  # more than 30 days later
    assert (metrics(server)[LAG], metrics(server)[COUNT]) == (0, 0)
