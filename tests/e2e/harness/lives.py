# SPDX-License-Identifier: Apache-2.0
"""Random lives of one tenant's consents, with a random question to the policy after each step.

What must be answered comes from two models: model.py says what has become of the consents,
truth/model.py what is decided about each, and `answer_of` which of them speaks.
"""

import math
import random
import urllib.parse

from model import Model, format_time, parse_time
from truth.model import decide
from truth.question import Obj

from harness import bodies
from harness.wire import request

DAY = 86_400_000
CLUSTERS = [*bodies.CLUSTERS, "meter.identity", "unknown"]
PURPOSES = [*bodies.PURPOSES, "fishing"]
GRANULARITIES = ("PT30M", "P1D", "P1M", "P1M", "P30D", "P31D", "P1Y")
METERS = ("m1", "m2", "m3")
ROLES = ("carbon-accounting-provider", "financial-service-provider", "energy-data-provider")
REQUEST_TIMEOUT_MS = 30 * DAY


def case_of(life, consent, recorded):
    """A consent of model.py as truth/model.py reads it."""
    model, terms = life.model, consent.terms

    def time(name):
        return parse_time(terms[name]) if name in terms else None

    return {
        "status": recorded[consent][0],
        "license": consent.license,
        "client": consent.client,
        "tenant": consent.tenant,
        "provider": consent.provider,
        "principal": "unknown",
        "purposes": terms["purposes"],
        "permissions": terms["permissions"],
        "grantedAt": consent.granted_at,
        "expires": consent.expires,
        "dataFrom": time("dataFrom"),
        "dataTo": time("dataTo"),
        "maxUses": terms.get("maxUses"),
        "uses": len(life.used.get(consent.id, ())),
        "onwardRecipients": consent.onward,
        "linkedEnded": model.linked_ended(consent),
    }


def pairs(value):
    """A document as truth/question.py reads it."""
    if isinstance(value, dict):
        return Obj((name, pairs(member)) for name, member in value.items())
    return [pairs(item) for item in value] if isinstance(value, list) else value


def answer_of(life, question, recorded):
    """(verdict, the consent that speaks or None) of docs/decisions.md, Which consent."""
    resource = question["resource"]
    if resource["type"] == "consent":
        found = [c for c in life.consents if c.id == resource["id"]]
    else:
        client = question["subject"]["id"]
        found = [c for c in life.consents if (c.account, c.client) == (resource["id"], client)]

    def judged(consent):
        case = {"now": life.model.now, "request": pairs(question), "consent": consent}
        case["blocked"] = life.is_blocked(question["subject"]["id"])
        if consent is not None:
            case["consent"] = case_of(life, consent, recorded)
        return decide(life.pack, case)

    verdicts = [(judged(c), c) for c in found] or [(judged(None), None)]
    permits = [(v, c) for v, c in verdicts if not v.reasons]
    if permits:
        return max(permits, key=lambda vc: (vc[1].expires, vc[1].granted_at, vc[1].number))
    return min(verdicts, key=lambda vc: (len(vc[0].reasons), -(vc[1].number if vc[1] else 0)))


def status_now(life, consent, recorded):
    """What is recorded, and what the clock makes of it."""
    status = recorded[consent][0]
    if status == "active" and consent.expires <= life.model.now:
        return "expired"
    return "timedOut" if status == "requested" and consent.answer_due <= life.model.now else status


def expected_of(life, question, recorded):
    verdict, consent = answer_of(life, question, recorded)
    return {
        "decision": not verdict.reasons,
        "reasons": verdict.reasons,
        "consentId": consent.id if consent else None,
        "version": recorded[consent][1] if consent else None,
        "status": status_now(life, consent, recorded) if consent else None,
        "purposes": None if verdict.reasons else verdict.purposes,
    }


def found_in(answer, question):
    context = answer["context"]
    consent = context.get("consent", {})
    stated = question["action"].get("properties", {}).get("purpose")
    return {
        "decision": answer["decision"],
        "reasons": {r["code"]: r["clause"] for r in context["reasons"]},
        "consentId": consent.get("consentId"),
        "version": consent.get("version"),
        "status": consent.get("status"),
        "purposes": context.get("purposes", [stated]) if answer["decision"] else None,
    }


class Life:
    """One tenant, two accounts, three applications. `wires` are one on each loop."""

    def __init__(self, number, pack, now, seed):
        self.rng = random.Random(f"{seed}/{number}")
        self.number, self.pack = number, pack
        self.tenant = f"https://directory.example/member/life-{number}"
        self.apps = [f"https://directory.example/life-{number}/app/{i}" for i in range(3)]
        self.banks = [f"https://directory.example/life-{number}/bank/{i}" for i in range(2)]
        self.model = Model(now, bodies.LICENSES, REQUEST_TIMEOUT_MS)
        self.consents, self.used, self.blocks = [], {}, {}
        self.names, self.steps = 0, []
        self.asked, self.wrong, self.unswept = [], [], None
        self.wires, self.token = [], None

    def recorded(self):
        """consent -> status and version, as they are written."""
        return {c: (c.status, c.version) for c in self.consents}

    def advance(self, now):
        """The clock moves on; until the service has written what that ends, it is denied all the
        same, by other reasons for dependants."""
        self.unswept = self.recorded()
        self.model.advance(now)

    # ---- requests

    def send(self, method, path, body=None, key=False):
        headers = []
        if key:
            self.names += 1
            headers = [("Idempotency-Key", f"{self.number}-{self.names}")]
        wire = self.rng.choice(self.wires)
        answer = wire.ask(request(method, path, self.token, body, headers))
        self.steps.append((method, path, body, answer.status_code))
        return answer

    def grant(self):
        return bodies.grant(format_time(self.model.now - self.rng.choice((0, 0, 1, DAY))))

    def terms(self, license_):
        rng, known = self.rng, bodies.LICENSES[license_]
        body = {"client": rng.choice(self.apps), "license": license_, "account": self.account()}
        if license_ == bodies.COMBINED:
            body["onwardRecipients"] = [rng.choice(self.banks)]
        if rng.random() < 0.4:
            body["purposes"] = some(rng, known["purposes"])
        if rng.random() < 0.5:
            body["permissions"] = [self.permission(c) for c in known["permissions"]]
        if rng.random() < 0.5:
            body["expires"] = format_time(self.model.now + rng.choice((1, 2, 1000, 30 * DAY)))
        if rng.random() < 0.3 and license_ != bodies.EMISSIONS:
            body["dataFrom"] = rng.choice(("2026-01-01T00:00Z", "2026-04-10T00:00:00.001Z"))
        if rng.random() < 0.3:
            body["maxUses"] = rng.choice((1, 2))
        return body

    def permission(self, code):
        permission = {"code": code}
        if self.rng.random() < 0.3:
            permission["resources"] = some(self.rng, METERS)
        if self.rng.random() < 0.3:
            coarse = ("P1M", "P1Y") if code == "emissions.monthly" else ("P1D", "P1M")
            permission["maxGranularity"] = self.rng.choice(coarse)
        return permission

    def account(self):
        return f"account-{self.number}-{self.rng.randrange(2)}"

    # ---- steps: each is acknowledged before the next question

    def step(self):
        self.unswept = None  # the writer writes first what the clock has ended
        steps = [self.create] * 3 + [self.depend] * 2 + [self.revoke] * 3
        steps += [self.renew] * 2 + [self.late_grant, self.disclose, self.block, self.unblock]
        self.rng.choice(steps)()

    def made(self, body, path="/v1/consents"):
        answer = self.send("POST", path, body, key=True)
        return answer.json() if answer.status_code == 201 else None

    def create(self):
        body = self.terms(self.rng.choice((bodies.ENERGY, bodies.COMBINED)))
        body["grant"] = self.grant()
        self.add(body, self.made(body))

    def add(self, body, document):
        assert document is not None, self.steps[-1]
        ids = document["consentId"], document["logIndex"]
        self.consents.append(self.model.create(self.tenant, body, *ids))

    def depend(self):
        """One under the licence that needs it, or a longer chain."""
        parents = [c for c in self.consents if c.status == "active"]
        if not parents:
            return self.create()
        chosen = self.rng.choice(parents)
        long = chosen.license == bodies.EMISSIONS
        body = self.terms(bodies.ENERGY if long else bodies.EMISSIONS)
        body |= {"grant": self.grant(), "client": self.apps[0] if long else self.banks[0]}
        body["dependsOn"] = [[{"arrangementId": chosen.arrangement.id}]]
        if self.rng.random() < 0.4:  # one that lives elsewhere is needed as well, or will do
            groups = body["dependsOn"]
            groups.append([self.external()]) if long else groups[0].append(self.external())
        self.add(body, self.made(body))

    def external(self):
        self.names += 1
        return {
            "external": {
                "oauthIssuer": "https://elsewhere.example",
                "tokenDigest": bodies.digest(f"{self.number}-{self.names}"),
                "expires": format_time(self.model.now + self.rng.choice((1, 2, 30 * DAY))),
            }
        }

    def revoke(self):
        active = [c for c in self.consents if c.status == "active"]
        if active:
            consent = self.rng.choice(active)
            answer = self.send("DELETE", f"/v1/consents/{consent.id}")
            assert answer.status_code == 200, self.steps[-1]
            self.model.end(consent, "withdrawn")

    def renew(self):
        old = [c for c in self.consents if c.status in ("active", "expired")]
        old = [c for c in old if c.superseded_by is None and not self.model.linked_ended(c)]
        if not old:
            return
        consent = self.rng.choice(old)
        body = {"grant": self.grant()}
        document = self.made(body, f"/v1/consents/{consent.id}/renew")
        assert document is not None, self.steps[-1]
        ids = document["consentId"], document["logIndex"]
        self.consents.append(self.model.renew(consent, body, *ids))

    def late_grant(self):
        """Asked for, a question while it is only requested, then granted."""
        body = self.terms(bodies.ENERGY)
        self.add(body, self.made(body))
        self.ask()
        consent, body = self.consents[-1], {"grant": self.grant()}
        answer = self.send("POST", f"/v1/consents/{consent.id}/grant", body)
        assert answer.status_code == 200, self.steps[-1]
        self.model.grant(consent, body)

    def disclose(self):
        """Data went, and a use with them, if that was permitted."""
        limited = [c for c in self.consents if c.terms.get("maxUses") and c.status == "active"]
        if not limited:
            return
        consent = self.rng.choice(limited)
        self.names += 1
        body = {
            "consentId": consent.id,
            "recipient": consent.client,
            "permissions": ["tariff"],
            "resources": ["m1"],
            "from": "2026-05-01T00:00Z",
            "to": "2026-06-01T00:00Z",
            "granularity": "P1M",
            "at": format_time(self.model.now),
            "transaction": f"t-{self.number}-{self.names}",
        }
        answer = self.send("POST", "/v1/disclosures", body, key=True)
        assert answer.status_code == 201, (answer.text, self.steps[-1])
        if answer.json()["permitted"]:
            used = self.used.setdefault(consent.id, set())
            used.add(body["transaction"])
            if len(used) == consent.terms["maxUses"]:
                self.model.use_up(consent)

    def block(self):
        """For good, or for so long that the clock lifts it at a border of these lives."""
        client, until = self.rng.choice(self.apps), self.rng.choice((None, 1, 2, 1000))
        body = {"client": client, "reason": "fraud"}
        if until is not None:
            body["until"] = format_time(self.model.now + until)
        assert self.send("PUT", "/v1/blocks", body).status_code == 200, self.steps[-1]
        self.blocks[client] = math.inf if until is None else self.model.now + until

    def unblock(self):
        blocked = [client for client in self.blocks if self.is_blocked(client)]
        if blocked:
            client = self.rng.choice(blocked)
            answer = self.send("DELETE", f"/v1/blocks?client={urllib.parse.quote(client, safe='')}")
            assert answer.status_code == 200, self.steps[-1]
            del self.blocks[client]

    def is_blocked(self, client):
        return self.model.now < self.blocks.get(client, 0)

    # ---- questions

    def question(self):
        rng = self.rng
        active = [c for c in self.consents if c.status == "active"]
        known = active if active and rng.random() < 0.5 else self.consents[-6:]
        consent = rng.choice(known) if known else None
        client = consent.client if consent and rng.random() < 0.9 else rng.choice(self.apps)
        resource = {"type": "account", "id": self.account()}
        if consent is not None and rng.random() < 0.5:
            resource = {"type": "consent", "id": consent.id}
        elif consent is not None and consent.account is not None:
            resource["id"] = consent.account
        resource["properties"] = self.data(consent)
        asked = {
            "subject": {"type": "application", "id": client},
            "action": {"name": "read"},
            "resource": resource,
            "context": {"explain": True},
        }
        held = consent.terms["purposes"] if consent else PURPOSES
        if rng.random() < 0.7:
            purpose = rng.choice(held if rng.random() < 0.9 else PURPOSES)
            asked["action"]["properties"] = {"purpose": purpose}
        if rng.random() < 0.2:
            role = f"{bodies.PREFIX}/role/{rng.choice(ROLES)}"
            asked["subject"]["properties"] = {"roles": [role]}
        if rng.random() < (0.4 if consent and consent.onward else 0.1):
            recipients = consent.onward if consent and consent.onward else self.banks
            asked["context"]["onwardRecipient"] = rng.choice(recipients)
        return asked

    def data(self, consent):
        rng, properties = self.rng, {}
        held = [p["code"] for p in consent.terms["permissions"]] if consent else CLUSTERS
        if rng.random() < 0.7:
            properties["permissions"] = some(rng, held if rng.random() < 0.9 else CLUSTERS)
        if rng.random() < 0.7:
            properties["resources"] = [METERS[0]] if rng.random() < 0.6 else some(rng, METERS)
        if rng.random() < 0.8:
            properties["granularity"] = rng.choice(GRANULARITIES)
        if rng.random() < 0.8:
            starts = ["2026-05-01T00:00Z"] * 6 + ["2026-04-10T00:00Z", "2025-03-01T00:00Z"]
            ends = ["2026-06-01T00:00Z"] * 6 + ["2026-05-20T00:00Z", "2026-04-10T00:00Z"]
            properties |= {"from": rng.choice(starts), "to": rng.choice(ends)}
        if consent is not None and rng.random() < 0.2:
            properties["license"] = rng.choice((consent.license, bodies.COMBINED))
        return properties

    def ask(self):
        """The same questions on every loop: one alone, all in a batch, and one recorded."""
        questions = [self.question() for _ in range(6)]
        batch = {"evaluations": questions}
        for wire in self.wires:
            self.hold(wire, "/access/v1/evaluation", questions[0], questions[:1])
            self.hold(wire, "/access/v1/evaluations", batch, questions)
        recorded = {**questions[0], "context": {**questions[0]["context"], "record": True}}
        wire = self.rng.choice(self.wires)
        self.hold(wire, "/access/v1/evaluation", recorded, questions[:1])

    def hold(self, wire, path, body, questions):
        answer = wire.ask(request("POST", path, self.token, body))
        assert answer.status_code == 200, answer.text
        items = answer.json().get("evaluations", [answer.json()])
        assert len(items) == len(questions)
        found = [found_in(item, q) for item, q in zip(items, questions)]
        self.asked += found
        expected = [expected_of(self, q, self.recorded()) for q in questions]
        if self.unswept is not None and found != expected:
            expected = [expected_of(self, q, self.unswept) for q in questions]
        if found != expected:
            self.wrong.append((self.steps[-3:], questions, found, expected))


def some(rng, items):
    """A random part of a list, in its order and not empty."""
    chosen = rng.sample(range(len(items)), rng.randint(1, len(items)))
    return [items[i] for i in sorted(chosen)]
