# SPDX-License-Identifier: Apache-2.0
"""A small market through many moments, and all that was decided in them.

At each moment the server's clock stands still. Between the changes of the families decisions of all
kinds are asked for and recorded; clients are blocked and the blocks lifted; now and then another pack
comes into force. What the model holds at the end of each moment is kept, for questions about the
past.
"""

import copy
import json
import random
import signal
import urllib.parse

from model import format_time, parse_time

from harness import bodies
from harness.client import check_new_shapes
from harness.market import Market, wait_for_the_clock
from harness.process import until
from harness.questions import pack_file, question
from harness.server import PERSEUS
from harness.tokens import Minter
from harness.wire import Wire, request
from harness.world import DAY, PHASES, cap_app, fsp_app, opaque

ROLES = [role["urls"][0] for role in json.loads(PERSEUS.read_text())["roles"]]
SETTINGS = ({}, {"purposeMustBeStated": True}, {"leeway": "PT2M"})


class Decision:
    """What was asked, by whom, when, and what was answered."""

    def __init__(self, at, tenant, asked, answer):
        self.at, self.tenant, self.asked = at, tenant, asked
        self.permitted = answer["decision"]
        self.context = answer["context"]
        self.id = self.context["decisionId"]
        self.reasons = [reason["code"] for reason in self.context["reasons"]]


class History(Market):
    def __init__(self, directory, families=24, seed=11):
        super().__init__(directory, families)
        self.rng = random.Random(seed)
        self.pack_path = directory / "pack.json"
        self.packs = 0
        self.decisions = []
        self.closing = []  # the decisions after which nothing else happened in their moment
        self.snapshots = []  # (time, consent id -> what the model holds, version)
        self.next_pack()
        self.server.pack = self.pack_path

    def next_pack(self):
        pack_file(self.pack_path, **SETTINGS[self.packs % len(SETTINGS)])
        if self.packs >= len(SETTINGS):  # the same rules, other bytes: a pack of its own
            self.pack_path.write_text(self.pack_path.read_text() + " " * self.packs)
        self.packs += 1

    def live(self, moments):
        now = parse_time(PHASES[0])
        for number in range(moments):
            if number % 7 == 6:
                self.next_pack()
            self.at_moment(format_time(now), first=number == 0)
            self.moment(reload=number % 5 == 3)
            now += self.rng.randrange(1, 45) * DAY + self.rng.randrange(0, DAY)
        return self

    def at_moment(self, text, first):
        self.server.stop()
        self.server.start(f"{text}x0")
        self.world.minter = Minter(self.server.data, parse_time(text) // 1000)
        self.model.advance(parse_time(text))
        if not first:
            wait_for_the_clock(self)

    def moment(self, reload):
        families = list(self.world.families)
        self.rng.shuffle(families)
        with Wire(self.server) as wire:
            for number, family in enumerate(families):
                family.step(wire)
                self.block(wire, family)
                self.decide(wire, family)
                if reload and number == len(families) // 2:
                    self.reload()
            for family in families[::2]:
                self.closing.append(self.decide(wire, family, by_the_tenant=True))
        held = {c.id: (copy.deepcopy(self.model.record(c)), c.version) for c in self.model.consents}
        self.snapshots.append((self.model.now, held))

    def reload(self):
        self.next_pack()
        before = len(self.server.lines)
        self.server.process.send_signal(signal.SIGHUP)

        def done():
            return [line for line in self.server.lines[before:] if '"service.reloaded"' in line]

        until(self.server, done)

    def block(self, wire, family):
        """Now and then a client of the family is blocked, for good or for some days, or no more."""
        rng, act = self.rng, self.rng.random()
        client, token = rng.choice(family.apps), self.world.tenant(family.provider)
        if act < 0.06:
            body = {"client": client, "reason": "fraud"}
            if rng.random() < 0.5:
                body["until"] = format_time(self.model.now + rng.randrange(1, 60) * DAY)
            answer = wire.ask(request("PUT", "/v1/blocks", token, body))
        elif act < 0.2:
            query = urllib.parse.urlencode({"client": client})
            answer = wire.ask(request("DELETE", f"/v1/blocks?{query}", token))
        else:
            return
        assert answer.status_code in (200, 404), answer.text

    # ---- questions

    def decide(self, wire, family, by_the_tenant=False):
        """Asks one question and keeps the answer."""
        known = family.energy + family.emissions
        consent = self.rng.choice(known) if known and self.rng.random() < 0.95 else None
        tenant = consent.tenant if consent is not None else family.provider
        asked = self.question(family, consent)
        token = self.world.tenant(tenant)
        if consent is not None:
            token = self.world.tenant_token(consent)
        if not by_the_tenant and consent is not None and self.rng.random() < 0.15:
            asked["resource"] = {**asked["resource"], "type": "consent", "id": consent.id}
            asked["subject"]["id"] = consent.client
            token, tenant = self.world.client(consent.client), consent.client
        answer = wire.ask(request("POST", "/access/v1/evaluation", token, asked))
        assert answer.status_code == 200, answer.text
        decision = Decision(self.model.now, tenant, asked, answer.json())
        self.decisions.append(decision)
        return decision

    def question(self, family, consent):
        rng = self.rng
        client = consent.client if consent is not None else cap_app(0)
        if rng.random() < 0.05:
            client = cap_app(rng.randrange(120))
        resource = family.account
        if consent is not None and consent.account is not None:
            resource = consent.account
        if consent is not None and rng.random() < 0.5:
            resource = {"consentId": consent.id}
        context = {"record": True, "explain": True}
        if consent is not None and rng.random() < 0.3:
            return self.fitting(consent, resource, context)
        data = {}
        if rng.random() < 0.8:
            data["permissions"] = rng.sample(bodies.CLUSTERS, rng.choice((1, 1, 2)))
        if rng.random() < 0.1:
            data["permissions"] = ["electricity.nuclear"]
        if rng.random() < 0.6:
            data["resources"] = rng.sample([*family.meters, opaque("nobody's")], rng.choice((1, 2)))
        if rng.random() < 0.4:
            data["granularity"] = rng.choice(("PT30M", "PT15M", "P1D", "P1M"))
        if rng.random() < 0.3:
            data["from"] = format_time(self.model.now - rng.randrange(1, 500) * DAY)
        if rng.random() < 0.2:
            data["to"] = format_time(self.model.now + rng.randrange(-100, 2) * DAY)
        if rng.random() < 0.2:
            data["license"] = rng.choice(tuple(bodies.LICENSES))
        purpose = rng.choice((*bodies.PURPOSES[:6], *bodies.PURPOSES[:2], None, "fishing"))
        if rng.random() < 0.2:
            onward = consent.onward if consent is not None else []
            context["onwardRecipient"] = (onward or [fsp_app(1)])[0]
        if rng.random() < 0.15:
            context["territory"] = rng.choice(("GB", "FR"))
        asked = question(client, resource, purpose, context=context, **data)
        if rng.random() < 0.3:
            roles = rng.sample(ROLES, rng.choice((1, 2)))
            asked["subject"]["properties"] = {"roles": roles}
        return asked

    def fitting(self, consent, resource, context):
        """What the consent is for: permitted, as long as it lives."""
        permission = consent.terms["permissions"][0]
        data = {"permissions": [permission["code"]], "granularity": "P1M"}
        if permission.get("resources"):
            data["resources"] = permission["resources"]
        purpose = self.rng.choice(consent.terms["purposes"])
        return question(consent.client, resource, purpose, context=context, **data)

    def asked_again(self, wire, decision):
        """The same question, of the end of its moment."""
        asked, data = decision.asked, dict(decision.asked["resource"].get("properties", {}))
        query = {
            "time": format_time(decision.at),
            "client": asked["subject"]["id"],
            **asked["subject"].get("properties", {}),
            **asked["action"].get("properties", {}),
            **data,
        }
        for name in ("onwardRecipient", "territory"):
            if name in asked["context"]:
                query[name] = asked["context"][name]
        if asked["resource"]["type"] == "consent":
            query["consentId"] = asked["resource"]["id"]
        else:
            query |= {"account": asked["resource"]["id"], "tenant": decision.tenant}
        path = f"/v1/audit/at?{urllib.parse.urlencode(query, doseq=True)}"
        answer = wire.ask(request("GET", path, self.auditor()))
        assert answer.status_code == 200, answer.text
        check_new_shapes("GET", "/v1/audit/at", answer)
        return json.loads(answer.content)

    def replayed(self, wire, decision):
        path = f"/v1/audit/decisions/{decision.id}/replay"
        answer = wire.ask(request("POST", path, self.auditor()))
        assert answer.status_code == 200, answer.text
        return json.loads(answer.content)
