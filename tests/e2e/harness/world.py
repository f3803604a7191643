# SPDX-License-Identifier: Apache-2.0
"""A generated market: 50 providers, 200 applications, 5,000 accounts, exactly 10,000 consents.

Every family of requests (one account at an energy provider, and the accounts of carbon accountants
whose consents depend on it) is drawn from a seed of its own, so that families may run at the same
time without changing what must come of each. Each answer is compared with the model at once.
"""

import hashlib
import random
import threading
from concurrent.futures import ThreadPoolExecutor

from model import Refused, format_time, parse_time

from harness import bodies
from harness.client import check_new_shapes
from harness.wire import Wire, request

DAY = 86_400_000
PROBLEM_STATUS = {"wrong-state": 409, "not-admissible": 422}
EDPS, CAPS, CAP_APPS, FSP_APPS = 40, 10, 120, 80
FAMILIES = 4000  # accounts at energy providers; a quarter of them have one at an accountant too
SIZES = (3, 3, 2, 2, 3, 2, 2, 3)  # consents of a family, by its number: 20 of eight
PHASES = ("2026-06-15T12:00:00Z", "2026-09-23T12:00:00Z", "2027-06-30T12:00:00Z")
WITHDRAWALS = (
    "withdrawn",
    "withdrawn",
    "withdrawnAtClient",
    "accountClosed",
    "tenancyChanged",
    "fraud",
    "grantedInError",
)


def edp(number):
    return f"https://directory.example/member/edp-{number % EDPS:02d}"


def cap(number):
    return f"https://directory.example/member/cap-{number % CAPS:02d}"


def cap_app(number):
    return f"https://directory.example/app/cap-{number % CAP_APPS:03d}"


def cap_of(app):
    return cap(int(app.rsplit("-", 1)[1]))


def fsp_app(number):
    return f"https://directory.example/app/fsp-{number % FSP_APPS:02d}"


def opaque(*parts):
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()[:20]


def difference(document, expected):
    """The first member in which a document is not what the model says; None when it is."""
    for name, value in expected.items():
        if document.get(name) != value:
            return f"{name}: got {document.get(name)!r}, expected {value!r}"
    for name in (
        "supersedes",
        "supersededBy",
        "statusReason",
        "account",
        "lastGranted",
        "expires",
        "revoked",
        "externalId",
        "onwardRecipients",
    ):
        if name in document and name not in expected and document[name] != []:
            return f"{name}: got {document[name]!r}, expected none"
    return None


def history_difference(events, consent):
    found = [
        {
            "event": e["event"],
            "version": e["version"],
            "at": parse_time(e["at"]),
            "role": e["actor"]["role"],
            "status": e.get("status"),
            "reason": e.get("reason"),
            "by": e["payload"]["body"].get("by"),
            "cause": e["payload"]["body"].get("cause", {}).get("consentId"),
        }
        for e in events
    ]
    expected = [
        {"status": None, "reason": None, "by": None, "cause": None, **entry}
        for entry in consent.history
    ]
    if found != expected:
        return f"history of {consent.id}:\n got {found}\n expected {expected}"
    indexes = [e["index"] for e in events]
    return None if indexes == sorted(set(indexes)) else f"indexes {indexes}"


class Family:
    """One account and all that is asked for it, drawn from its own seed."""

    def __init__(self, world, number):
        self.world, self.number = world, number
        self.rng = random.Random(world.seed * 1_000_003 + number)
        self.provider = edp(number)
        self.account = opaque("account", number)
        self.apps = [cap_app(number), cap_app(self.rng.randrange(CAP_APPS))]
        self.meters = [opaque("meter", number, k) for k in range(3)]
        self.left = SIZES[number % 8]  # consents to make in all
        self.energy, self.emissions, self.names = [], [], 0
        self.wire = None

    # ---- phases

    def run(self, phase, wire):
        self.wire = wire
        keep = {0: self.rng.choice((0, 0, 1)), 1: self.rng.choice((0, 1)), 2: 0}[phase]
        if phase == 0 and self.number % 4 == 0:
            self._create_energy()
            self._create_emissions(self.energy)
            keep = 1
        if phase > 0:
            self._live()
        if phase == 0 and self.number % 8 == 1:
            self._create_energy(plain={"permissions": self._meter(0)})
            self._create_energy(plain={"permissions": self._meter(1)})
            self._create_energy(
                plain={}
            )  # all meters: it joins the earlier of the two arrangements
        while self.left > keep:
            self._make()
        self._live()

    def step(self, wire):
        """One more moment of its life: at times something new, and what there is lives on."""
        self.wire = wire
        if self.rng.random() < 0.4:
            self._make()
        self._live()

    def _make(self):
        rng = self.rng
        parents = [
            c
            for c in self.energy
            if c.status == "active" and c.arrangement.head is c and c.client in self.apps
        ]
        if self.number % 4 == 0 and parents and rng.random() < 0.7:
            self._create_emissions(parents)
        elif rng.random() < 0.06:
            self._inadmissible()
        elif rng.random() < 0.2:
            known = self.energy + self.emissions
            self._renew(rng.choice(known) if known else None)
        else:
            self._create_energy(asked_first=bool(self.energy) and rng.random() < 0.3)

    def _live(self):
        for consent in list(self.energy) + list(self.emissions):
            act = self.rng.random()
            if consent.status == "requested":
                self._answer(consent)
            elif act < 0.15:
                self._revoke(consent)
            elif act < 0.25:
                self._append(consent)
            elif act < 0.30:
                self._refuse_wrongly(consent)

    # ---- single requests

    def _send(self, method, path, token, body=None, key=False):
        headers = []
        if key:
            self.names += 1
            headers.append(("Idempotency-Key", f"{self.number}-{self.names}-{self.world.now}"))
        answer = self.wire.ask(request(method, path, token, body, headers))
        check_new_shapes(method, path, answer)
        self.world.count(answer)
        return answer

    def _expect(self, answer, status, consent=None):
        if answer.status_code != status:
            raise AssertionError(f"{answer.status_code} where {status} was due: {answer.text}")
        document = answer.json()
        if consent is not None:
            wrong = difference(document, self.world.model.record(consent))
            if wrong is not None:
                raise AssertionError(f"consent {consent.id} of family {self.number}: {wrong}")
        return document

    def _problem(self, answer, refused):
        document = self._expect(answer, PROBLEM_STATUS[refused.problem])
        assert document["type"].endswith("/" + refused.problem), document

    def _grant(self):
        at = format_time(self.world.now - self.rng.randrange(0, 3 * DAY))
        return bodies.grant(at, person=opaque("person", self.number))

    def _token(self):
        self.names += 1
        now = self.world.now
        return bodies.token(
            f"{self.number}/{self.names}", format_time(now), format_time(now + 30 * DAY)
        )

    def _meter(self, number):
        return [{"code": bodies.CLUSTERS[0], "resources": [self.meters[number]]}]

    def _parties(self, body):
        rng = self.rng
        if rng.random() < 0.1:
            body["provider"] = edp(self.number + 1)  # kept by one member for another
        if rng.random() < 0.4:
            chosen = rng.sample(self.meters, rng.randrange(1, 3))
            body["permissions"] = [{"code": bodies.CLUSTERS[0], "resources": chosen}]
            if rng.random() < 0.5:
                body["permissions"][0]["maxGranularity"] = "P1D"
        if rng.random() < 0.3:
            body["purposes"] = sorted(rng.sample(bodies.PURPOSES[:5], 2), key=bodies.PURPOSES.index)
        if rng.random() < 0.3:
            body["principal"] = {"type": rng.choice(("company", "soleTrader", "individual"))}
        if rng.random() < 0.5:
            body["externalId"] = opaque("external", self.number, len(self.energy))

    def _create_energy(self, asked_first=False, plain=None):
        rng, world = self.rng, self.world
        body = {"client": rng.choice(self.apps), "license": bodies.ENERGY}
        if plain is not None:
            body.update(plain, client=self.apps[0])
        else:
            if rng.random() < 0.3:
                body["license"] = bodies.COMBINED
                body["onwardRecipients"] = [fsp_app(rng.randrange(FSP_APPS))]
            self._parties(body)
        if not asked_first:
            body.update(account=self.account, grant=self._grant())
            if rng.random() < 0.5:
                body["tokens"] = [self._token()]
            if rng.random() < 0.3:
                body["expires"] = format_time(world.now + rng.randrange(30, 360) * DAY)
        answer = self._send("POST", "/v1/consents", world.tenant(self.provider), body, key=True)
        document = self._expect(answer, 201)
        consent = world.model.create(
            self.provider, body, document["consentId"], document["logIndex"]
        )
        self._expect(answer, 201, consent)
        self.energy.append(consent)
        self.left -= 1

    def _create_emissions(self, parents):
        rng, world = self.rng, self.world
        parent = rng.choice(parents)
        member = cap_of(parent.client)
        body = {
            "client": fsp_app(rng.randrange(FSP_APPS)),
            "license": bodies.EMISSIONS,
            "account": opaque("account-at-cap", self.number),
            "grant": self._grant(),
            "dependsOn": [[{"arrangementId": parent.arrangement.id}]],
        }
        others = [p for p in parents if p is not parent and p.client == parent.client]
        if others and rng.random() < 0.5:
            body["dependsOn"][0].append({"arrangementId": others[0].arrangement.id})
        if rng.random() < 0.3:
            body["dependsOn"].append(
                [
                    {
                        "external": {
                            "oauthIssuer": "https://elsewhere.example/issuer",
                            "tokenDigest": bodies.digest(f"elsewhere {self.number}"),
                            "expires": format_time(world.now + 400 * DAY),
                        }
                    }
                ]
            )
        token = world.cap_token(parent.client)
        answer = self._send("POST", "/v1/consents", token, body, key=True)
        document = self._expect(answer, 201)
        consent = world.model.create(member, body, document["consentId"], document["logIndex"])
        self._expect(answer, 201, consent)
        self.emissions.append(consent)
        self.left -= 1

    def _inadmissible(self):
        body = {
            "client": self.apps[0],
            "license": bodies.ENERGY,
            "account": self.account,
            "grant": self._grant(),
        }
        body.update(
            self.rng.choice(
                (
                    {"purposes": ["green-finance-eligibility"]},
                    {"permissions": [{"code": "meter.identity"}]},
                    {"license": bodies.ENERGY + "-unknown"},
                    {"expires": format_time(self.world.now + 800 * DAY)},
                    {"license": bodies.EMISSIONS},
                )
            )
        )
        answer = self._send(
            "POST", "/v1/consents", self.world.tenant(self.provider), body, key=True
        )
        self._problem(answer, Refused("not-admissible"))

    def _owner(self, consent):
        return self.world.tenant_token(consent)

    def _renew(self, consent):
        if consent is None:
            return
        body = {"grant": self._grant()}
        if self.rng.random() < 0.5:
            body["tokens"] = [self._token()]
        answer = self._send(
            "POST", f"/v1/consents/{consent.id}/renew", self._owner(consent), body, key=True
        )
        made = answer.json() if answer.status_code == 201 else {}
        try:
            renewed = self.world.model.renew(
                consent, body, made.get("consentId", "none"), made.get("logIndex")
            )
        except Refused as refused:
            self._problem(answer, refused)
            return
        self._expect(answer, 201, renewed)
        (self.energy if consent in self.energy else self.emissions).append(renewed)
        self.left -= 1

    def _answer(self, consent):
        act = self.rng.random()
        token = self._owner(consent)
        if act < 0.5:
            body = {"grant": self._grant(), "account": self.account}
            path, apply = "grant", lambda: self.world.model.grant(consent, body)
        elif act < 0.75:
            body = {"reason": {"code": "refused", "by": {"role": "accountHolder"}}}
            path = "refuse"
            apply = lambda: self.world.model.end(consent, "refused", "accountHolder")  # noqa: E731
        else:
            return
        answer = self._send("POST", f"/v1/consents/{consent.id}/{path}", token, body)
        try:
            apply()
        except Refused as refused:
            self._problem(answer, refused)
            return
        self._expect(answer, 200, consent)

    def _revoke(self, consent):
        rng, model = self.rng, self.world.model
        as_client = rng.random() < 0.25
        if as_client:
            token, role, code = self.world.client(consent.client), "client", "withdrawnAtClient"
        else:
            token, role, code = self._owner(consent), "tenant", rng.choice(WITHDRAWALS)
        shape = rng.random()
        by = None
        if shape < 0.3:
            method, path, body = "DELETE", f"/v1/consents/{consent.id}", None
            code = "withdrawnAtClient" if as_client else "withdrawn"
        else:
            method, path = "POST", f"/v1/consents/{consent.id}/revoke"
            body = {"reason": {"code": code}}
            if not as_client and shape < 0.7:
                by = "accountHolder"
                body["reason"]["by"] = {"role": by}
        before = model.arrangement_of(consent).head.status
        answer = self._send(method, path, token, body)
        try:
            ended = model.end(consent, code, by, role)
        except Refused as refused:
            self._problem(answer, refused)
            return
        document = self._expect(answer, 200, None if as_client or before != "active" else ended)
        assert document["consentId"] == ended.id and document["status"] == ended.status
        assert document["statusAt"] == format_time(ended.status_at)

    def _append(self, consent):
        token = self._owner(consent)
        if self.rng.random() < 0.5:
            items = [self._token() for _ in range(self.rng.randrange(1, 3))]
            kind, apply = "tokens", self.world.model.add_tokens
        else:
            items = [{"type": "bill", "digest": bodies.digest(f"proof {self.number}")}]
            kind, apply = "proofs", self.world.model.add_proofs
        answer = self._send("POST", f"/v1/consents/{consent.id}/{kind}", token, {kind: items})
        try:
            changed = apply(consent, items)
        except Refused as refused:
            self._problem(answer, refused)
            return
        self._expect(answer, 200, changed)

    def _refuse_wrongly(self, consent):
        if consent.status == "refused":
            return
        body = {"reason": {"code": "refused"}}
        answer = self._send("POST", f"/v1/consents/{consent.id}/refuse", self._owner(consent), body)
        self._problem(answer, Refused("wrong-state"))


class World:
    def __init__(self, model, seed=1, families=FAMILIES, threads=16):
        self.model, self.seed, self.threads = model, seed, threads
        self.families = [Family(self, number) for number in range(families)]
        self.minter = None
        self.answers = {}
        self._lock = threading.Lock()

    @property
    def now(self):
        return self.model.now

    def tenant(self, url):
        return self.minter.tenant(url)

    def client(self, url):
        return self.minter.client(url)

    def cap_token(self, app):
        return self.minter.tenant(app, member=cap_of(app))

    def tenant_token(self, consent):
        """A token of the member whose it is: a carbon accountant calls by an application."""
        if "/cap-" in consent.tenant:
            return self.cap_token(cap_app(int(consent.tenant.rsplit("-", 1)[1])))
        return self.tenant(consent.tenant)

    def count(self, answer):
        with self._lock:
            self.answers[answer.status_code] = self.answers.get(answer.status_code, 0) + 1

    def run(self, server, phase):
        """All families' requests of one phase, over `threads` connections."""

        def share(first):
            with Wire(server) as wire:
                for family in self.families[first :: self.threads]:
                    family.run(phase, wire)

        with ThreadPoolExecutor(self.threads) as pool:
            for done in [pool.submit(share, first) for first in range(self.threads)]:
                done.result()
