# SPDX-License-Identifier: Apache-2.0
"""The market of harness.world in a server of its own: three moments a year apart, then bulk."""

import json
import pathlib

from model import Model, format_time, parse_time

from harness import bodies
from harness.audit import read_log
from harness.client import Api
from harness.server import PERSEUS, Server
from harness.tokens import Minter
from harness.world import FAMILIES, PHASES, World


class Market:
    def __init__(self, directory, families=FAMILIES):
        self.server = Server(pathlib.Path(directory) / "market", pack=PERSEUS)
        self.model = Model(parse_time(PHASES[0]), bodies.LICENSES, request_timeout_ms())
        self.world = World(self.model, families=families)

    def at(self, phase):
        """The server at a phase's moment, and what the clock ended by then recorded."""
        self.server.stop()
        self.server.start(f"{PHASES[phase]}x0")
        self.world.minter = Minter(self.server.data, parse_time(PHASES[phase]) // 1000)
        self.model.advance(parse_time(PHASES[phase]))

    def run(self, tell=lambda text: None):
        """All phases; while they run, each answer is compared with the model."""
        for phase, moment in enumerate(PHASES):
            self.at(phase)
            if phase > 0:
                wait_for_the_clock(self)
            self.world.run(self.server, phase)
            tell(f"{moment}: {len(self.model.consents)} consents so far")
        end_many(self)
        return self

    def auditor(self):
        return self.world.minter.auditor()

    def api(self):
        return Api(self.server, self.world.minter, self.auditor())


def request_timeout_ms():
    unit = {"D": 86_400_000, "H": 3_600_000, "M": 60_000}
    text = json.loads(PERSEUS.read_text())["settings"]["requestTimeout"]
    return int(text.strip("PTDHM")) * unit[text[-1]]


def wait_for_the_clock(market):
    """Until the sweep has recorded all that the clock ended: the log itself tells."""
    due = sum(1 for c in market.model.consents if c.history[-1]["at"] == market.model.now)
    with market.api() as api:
        after, seen = None, 0
        while seen < due:
            entries = read_log(api, after, **{"from": format_time(market.model.now)})
            seen += len([e for e in entries if e["event"].startswith("consent.")])
            after = entries[-1]["index"] if entries else after
        assert seen == due


def end_many(market):
    """Bulk revocations by client, account, resource and ids, the model beside them."""
    model, world = market.model, market.world
    active = [c for family in world.families for c in family.energy if c.status == "active"]
    picks = active[:: max(1, len(active) // 12)]
    with market.api() as api:
        for number, consent in enumerate(picks):
            kind = ("client", "account", "resource")[number % 3]
            value = {
                "client": consent.client,
                "account": consent.account,
                "resource": min(consent.resources_named(), default=None),
            }[kind]
            if value is None:
                continue
            answer = api.post(
                "/v1/revocations",
                {kind: value, "reason": {"code": "tenancyChanged"}},
                token=world.tenant_token(consent),
            )
            assert answer.status_code == 200, answer.text
            ended, more = model.end_many(consent.tenant, "tenancyChanged", **{kind: value})
            assert [r["consentId"] for r in answer.json()["results"]] == [c.id for c in ended]
            assert answer.json()["more"] is more
