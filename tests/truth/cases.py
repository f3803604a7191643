# SPDX-License-Identifier: Apache-2.0
"""Random cases under a pack: a consent and a request that fit each other, and then some changes,
so that permits and every reason for a denial are frequent, alone and together."""

import decimal

from truth import times
from truth.packs import CLIENTS, DURATIONS, HOST, ONWARD, PRINCIPALS, STATES, TENANTS, TERRITORIES
from truth.packs import CALLER_PATHS, WORDS, any_value, instant, maybe, members, some
from truth.question import Obj

METERS = tuple(f"meter-{i}" for i in range(5))
DAY = times.DAY


def times_of(pack):
    found = []
    for license_ in pack["licenses"]:
        for name in ("availableFrom", "prohibitedAfter"):
            if name in license_:
                found.append(times.pack_time(license_[name], name.endswith("After")))
    return found


def months_after(start, count):
    return times.back(start, (-count, 0))


# ---- a consent and a request that fit


def fitting_consent(rng, license_, now):
    def permission(code):
        return {
            "code": code,
            **members(
                rng,
                resources=(0.25, lambda: some(rng, METERS, least=2)),
                maxGranularity=(0.25, lambda: rng.choice(DURATIONS)),
            ),
        }

    purposes = license_["purposes"]
    permissions = license_["permissions"]
    consent = {
        "status": "active",
        "license": license_["url"],
        "client": rng.choice(CLIENTS),
        "tenant": rng.choice(TENANTS),
        "provider": rng.choice(TENANTS),
        "principal": rng.choice(PRINCIPALS),
        "purposes": list(purposes) if maybe(rng, 0.6) else some(rng, purposes),
        "permissions": [
            permission(code)
            for code in (permissions if maybe(rng, 0.7) else some(rng, permissions))
        ],
        "grantedAt": now - rng.choice((0, 1, DAY, rng.randint(0, 400 * DAY))),
        "expires": now + rng.choice((1, DAY, rng.randint(1, 400 * DAY))),
    }
    month = times.month_start(now)
    consent |= members(
        rng,
        dataFrom=(0.3, lambda: months_after(month, -rng.randint(1, 24))),
        dataTo=(0.2, lambda: months_after(month, rng.randint(0, 12))),
    )
    if maybe(rng, 0.2):
        consent["maxUses"] = rng.randint(1, 3)
        consent["uses"] = rng.randint(0, consent["maxUses"] - 1)
    if "onwardRecipients" in license_:
        consent["onwardRecipients"] = some(rng, ONWARD)
    return consent


def entity(kind, id_, properties):
    return Obj([("type", kind), ("id", id_), ("properties", Obj(properties))])


def request_of(subject, action, resource, context):
    names = ("subject", "action", "resource", "context")
    return Obj(zip(names, (subject, action, resource, context)))


def fitting_request(rng, pack, license_, consent, now):
    onward = license_.get("onwardRecipients")
    to_others = bool(onward) and maybe(rng, 0.4)
    codes = [p["code"] for p in consent["permissions"]]
    if onward:
        codes = [c for c in codes if (c in onward["permissions"]) == to_others]
    asked = (codes if maybe(rng, 0.5) else some(rng, codes)) if codes and maybe(rng, 0.8) else []
    properties = [("permissions", asked)] if asked else []
    properties += fitting_resources(rng, consent, asked)
    properties += fitting_granularity(rng, pack, consent, asked)
    properties += fitting_window(rng, pack, license_, consent, asked, now)
    if maybe(rng, 0.3):
        properties.append(("license", consent["license"]))
    if maybe(rng, 0.3):
        rng.shuffle(properties)
    kind = rng.choice(("account", "account", "consent"))
    context = [("onwardRecipient", rng.choice(consent["onwardRecipients"]))] if to_others else []
    if maybe(rng, 0.3):
        context.append(("territory", rng.choice(pack.get("territory", TERRITORIES))))
    purpose = [("purpose", rng.choice(consent["purposes"]))] if maybe(rng, 0.55) else []
    urls = next(r["urls"] for r in pack["roles"] if r["code"] == license_["to"])
    roles = [("roles", list(urls))] if maybe(rng, 0.3) else []
    return request_of(
        entity("application", consent["client"], roles),
        Obj([("name", "read"), ("properties", Obj(purpose))]),
        entity(kind, "account-1", properties),
        Obj(context),
    )


def fitting_resources(rng, consent, asked):
    held = [p for p in consent["permissions"] if p["code"] in asked and "resources" in p]
    limits = [set(p["resources"]) for p in held]
    common = sorted(set.intersection(*limits)) if limits else list(METERS)
    if not common or (not limits and maybe(rng, 0.7)):
        return []
    return [("resources", some(rng, common))]


def fitting_granularity(rng, pack, consent, asked):
    limits = [p["granularity"] for p in pack["permissions"] if "granularity" in p]
    limits += [p["maxGranularity"] for p in consent["permissions"] if "maxGranularity" in p]
    limits += [
        p["limits"]["granularity"]
        for p in pack["purposes"]
        if p["code"] in consent["purposes"] and "granularity" in p.get("limits", {})
    ]
    limits = list(map(times.duration, limits))
    fits = [d for d in DURATIONS if not any(times.finer(times.duration(d), x) for x in limits)]
    must = any("maxGranularity" in p for p in consent["permissions"] if p["code"] in asked)
    if not fits or not maybe(rng, 0.8 if must else 0.3):
        return []
    return [("granularity", rng.choice(fits))]


def fitting_window(rng, pack, license_, consent, asked, now):
    whole = [p["code"] for p in pack["permissions"] if p.get("wholeMonths")]
    must = license_.get("wholeMonths") or set(whole) & set(asked)
    must = must or "dataFrom" in consent or "dataTo" in consent
    if not maybe(rng, 0.9 if must else 0.4):
        return []
    month = times.month_start(now)
    end = min(month, times.month_start(consent.get("dataTo", month)))
    start = max(months_after(end, -rng.choice((1, 1, 1, 2, 12))), consent.get("dataFrom", 0))
    if not must and maybe(rng, 0.3):
        start += rng.choice((1, DAY))
    return [("from", times.write(start)), ("to", times.write(end))]


# ---- changes


def put(obj, name, value):
    """Replaces or adds; None removes."""
    at = next((i for i, (key, _) in enumerate(obj) if key == name), len(obj))
    obj[at : at + 1] = [] if value is None else [(name, value)]


class Change:
    """Ways to break a case, each a method; now and then one changes nothing that matters."""

    def __init__(self, rng, pack, case):
        self.rng, self.pack, self.case = rng, pack, case
        request = case["request"]
        self.consent = case["consent"]
        self.subject, self.action = request.get("subject"), request.get("action")
        self.resource, self.context = request.get("resource"), request.get("context")
        self.asked = self.resource.get("properties")

    def maker(self, name):
        return getattr(self, name)

    # the consent

    def status(self):
        self.consent["status"] = self.rng.choice(STATES)

    def never_granted(self):
        self.consent["status"] = self.rng.choice(("requested", "refused", "timedOut"))
        self.consent["grantedAt"] = None

    def expiry(self):
        self.consent["expires"] = self.rng.choice(
            (None, *(self.case["now"] + d for d in (-DAY, -1, 0, 0, 1)))
        )

    def uses(self):
        self.consent["maxUses"] = self.rng.randint(1, 3)
        self.consent["uses"] = self.consent["maxUses"] + self.rng.choice((-1, 0, 1))

    def linked(self):
        self.consent["linkedEnded"] = True

    def client(self):
        self.consent["client"] = self.rng.choice(CLIENTS)

    def license_(self):
        urls = [one["url"] for one in self.pack["licenses"]]
        self.consent["license"] = self.rng.choice((*urls, HOST + "/license/other"))

    def only_denied(self):
        """Of a licence that is gone, what the pack denies now."""
        denied = [p["code"] for p in self.pack["permissions"] if p.get("denied")]
        self.consent["license"] = HOST + "/license/other"
        self.consent["permissions"] = [{"code": code} for code in denied]
        put(self.asked, "permissions", None)

    def purposes(self):
        codes = [p["code"] for p in self.pack["purposes"]] + ["gone"]
        self.consent["purposes"] = some(self.rng, codes)

    def permissions(self):
        held = {p["code"]: p for p in self.consent["permissions"]}
        codes = [p["code"] for p in self.pack["permissions"]] + ["gone"]
        self.consent["permissions"] = [
            held.get(code, {"code": code}) for code in some(self.rng, codes)
        ]

    def limits(self):
        for permission in self.consent["permissions"]:
            permission |= members(
                self.rng,
                resources=(0.5, lambda: some(self.rng, METERS)),
                maxGranularity=(0.5, lambda: self.rng.choice(DURATIONS)),
            )

    def recipients(self):
        self.consent["onwardRecipients"] = some(self.rng, ONWARD, least=0)

    def data(self):
        start, end = self.asked.get("from"), self.asked.get("to")
        near = [times.parse(t) for t in (start, end) if isinstance(t, str) and times.parse(t)]
        for name in ("dataFrom", "dataTo"):
            at = self.rng.choice(near or [instant(self.rng, self.case["now"])])
            self.consent[name] = self.rng.choice((None, at - 1, at, at + 1))

    def grant(self):
        self.consent["grantedAt"] = instant(self.rng, self.case["now"])

    def none(self):
        self.case["consent"] = None

    # the moment

    def now(self):
        borders = times_of(self.pack) + [instant(self.rng, self.case["now"])]
        if self.consent.get("expires") is not None:
            borders.append(self.consent["expires"])
        self.case["now"] = self.rng.choice(borders) + self.rng.choice((-1, 0, 1))

    def blocked(self):
        self.case["blocked"] = True

    # the request

    def roles(self):
        urls = [url for role in self.pack["roles"] for url in role["urls"]] + [HOST + "/role/x"]
        roles = self.rng.choice((None, some(self.rng, urls, least=0)))
        put(self.subject.get("properties"), "roles", roles)

    def purpose(self):
        codes = [p["code"] for p in self.pack["purposes"]]
        put(self.action.get("properties"), "purpose", self.rng.choice((*codes, "other", None)))

    def ask(self):
        codes = [p["code"] for p in self.pack["permissions"]]
        if maybe(self.rng, 0.25):
            codes.append("other")
        put(self.asked, "permissions", some(self.rng, codes) if maybe(self.rng, 0.9) else None)

    def meters(self):
        meters = some(self.rng, METERS, least=0) if maybe(self.rng, 0.8) else None
        put(self.asked, "resources", meters)

    def granularity(self):
        put(self.asked, "granularity", self.rng.choice((None, *DURATIONS)))

    def window(self):
        name = self.rng.choice(("from", "to"))
        at = self.asked.get(name)
        at = times.parse(at) if isinstance(at, str) else None
        if at is None or maybe(self.rng, 0.3):
            at = instant(self.rng, self.case["now"])
        at += self.rng.choice((-31 * DAY, -DAY, -1, 0, 1, DAY, 31 * DAY))
        put(self.asked, name, self.rng.choice((None, *[times.write(max(at, 0))] * 3)))

    def swap(self):
        start, end = self.asked.get("from"), self.asked.get("to")
        put(self.asked, "from", end)
        put(self.asked, "to", self.rng.choice((start, end)))

    def token(self):
        urls = [one["url"] for one in self.pack["licenses"]]
        put(self.asked, "license", self.rng.choice((*urls, HOST + "/license/other")))

    def onward(self):
        put(self.context, "onwardRecipient", self.rng.choice((None, *ONWARD, ONWARD[0] + "x")))

    def territory(self):
        put(self.context, "territory", self.rng.choice(TERRITORIES))

    def type_(self):
        put(self.resource, "type", self.rng.choice(("consent", "account", "record", "note", "x")))

    def names(self):
        put(self.subject, "type", self.rng.choice(("application", "user")))
        put(self.action, "name", self.rng.choice(("read", "write", "")))
        put(self.resource, "id", self.rng.choice(("account-1", "account-2")))

    def malformed(self):
        entity_, name, value = self.rng.choice(MALFORMED)
        part = {"subject": self.subject, "action": self.action, "resource": self.resource}
        target = self.context if entity_ == "context" else part[entity_]
        if entity_ != "context" and name not in ("type", "id", "name"):
            target = target.get("properties")
        if value == "twice":
            if target.get(name) is not None:
                target.append((name, target.get(name)))
        else:
            put(target, name, value)


MALFORMED = [
    ("subject", "roles", "https://scheme.example/role/r0"), ("subject", "roles", [1]),
    ("subject", "roles", [""]), ("subject", "roles", [str(i) for i in range(17)]),
    ("subject", "roles", "twice"), ("subject", "type", "x" * 257), ("subject", "id", "x" * 257),
    ("action", "purpose", 1), ("action", "purpose", None), ("action", "purpose", ""),
    ("action", "name", "x" * 257), ("action", "purpose", "twice"),
    ("action", "purpose", "u" * 257), ("action", "purpose", "u\0"),
    ("resource", "permissions", []), ("resource", "permissions", "p0"),
    ("resource", "permissions", ["p0", 1]), ("resource", "permissions", "twice"),
    ("resource", "permissions", [f"p{i}" for i in range(65)]), ("resource", "resources", {}),
    ("resource", "resources", ["m" * 129]), ("resource", "resources", [f"m{i}" for i in range(65)]),
    ("resource", "granularity", "P1X"), ("resource", "granularity", 30),
    ("resource", "from", "yesterday"), ("resource", "from", 0), ("resource", "to", "twice"),
    ("resource", "to", "2025-02-29T00:00:00Z"), ("resource", "license", ""),
    ("resource", "license", "twice"), ("resource", "id", "a" * 129),
    ("context", "onwardRecipient", False), ("context", "onwardRecipient", "twice"),
    ("context", "territory", 44), ("context", "record", 1), ("context", "explain", "true"),
]  # fmt: skip
CHANGES = [name for name in vars(Change) if not name.startswith("__") and name != "maker"]


# ---- what rules look at


def caller_value(rng, near, base):
    """Something that a caller may send: often what the pack compares with."""
    kinds = (
        lambda: near,
        lambda: near,
        lambda: any_value(rng, base),
        lambda: some(rng, WORDS, least=0),
        lambda: decimal.Decimal(rng.choice(("1.5", "2.0", "1e1", "-0.5", "1E+2", "-0"))),
        lambda: decimal.Decimal(near) + decimal.Decimal("0.5") if type(near) is int else near,
        lambda: rng.choice((None, ["a", 1], Obj(), Obj([("er", "a")]))),
    )
    value = rng.choice(kinds)()
    return value if not isinstance(value, list) or value is not near else list(near)


def put_deep(obj, steps, value):
    for step in steps[:-1]:
        below = obj.get(step)
        if not isinstance(below, Obj):
            below = Obj()
            put(obj, step, below)
        obj = below
    at = next((i for i, (key, _) in enumerate(obj) if key == steps[-1]), len(obj))
    obj[at : at + 1] = [(steps[-1], value)]


def add_attributes(rng, pack, request, base):
    conditions = [c for rule in pack.get("rules", []) for c in rule["when"]]
    for condition in conditions:
        path = condition["path"]
        if path not in CALLER_PATHS or maybe(rng, 0.4):
            continue
        if path.split(".")[-1] in ("roles", "purpose", "from", "onwardRecipient"):
            continue
        first, *steps = path.split(".")
        target = request.get(first)
        if first != "context":
            target, steps = target.get("properties"), steps[1:]
        near = condition["value"]
        near = rng.choice(near) if isinstance(near, list) and maybe(rng, 0.5) else near
        put_deep(target, steps, caller_value(rng, near, base))
        if maybe(rng, 0.02):
            target.append((steps[0], "again"))


def make(rng, pack, base):
    now = instant(rng, base) if maybe(rng, 0.7) else base
    license_ = rng.choice(pack["licenses"])
    case = {"now": now, "consent": fitting_consent(rng, license_, now)}
    case["request"] = fitting_request(rng, pack, license_, case["consent"], now)
    ruled = [t["type"] for t in pack.get("resourceTypes", []) if not t["needsConsent"]]
    if ruled and maybe(rng, 0.2):
        put(case["request"].get("resource"), "type", rng.choice(ruled))
    for name in rng.choices(CHANGES, k=rng.choice((0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 5))):
        if case["consent"] is None:
            break
        Change(rng, pack, case).maker(name)()
    if pack.get("rules"):
        add_attributes(rng, pack, case["request"], base)
    consent = case["consent"]
    if consent and consent.get("expires") is not None and maybe(rng, 0.5):
        if consent["status"] == "active" and case["now"] >= consent["expires"]:
            consent["status"] = "expired"  # as the store has it, by then
    return case
