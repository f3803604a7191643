# SPDX-License-Identifier: Apache-2.0
"""Random policy packs: valid ones, small, with every member that decisions read, and with dates
near each other so that times drawn from them are borders of several things at once."""

from truth import times

HOST = "https://scheme.example"
DURATIONS = (
    "PT1S", "PT15M", "PT30M", "PT60M", "PT1H", "P1D", "P7D", "P1W", "P28D", "P30D", "P31D", "P1M",
    "P2M", "P3M", "P12M", "P1Y", "P365D", "P366D", "P13M", "P2Y",
)  # fmt: skip
LOOK_BACKS = ("P1M", "P2M", "P3M", "P12M", "P13M", "P1Y", "P2Y")
TERRITORIES = ("GB", "IE", "FR", "DE")
STATES = (
    "requested active refused timedOut revoked terminated expired fulfilled superseded".split()
)
PRINCIPALS = ("company", "soleTrader", "individual", "unknown")
CLIENTS = tuple(f"https://directory.example/app/{i}" for i in range(3))
TENANTS = tuple(f"https://directory.example/member/{i}" for i in range(2))
ONWARD = tuple(f"https://directory.example/onward/{i}" for i in range(4))
CALLER_PATHS = (
    "subject.properties.role", "subject.properties.roles", "subject.properties.deep.er",
    "action.properties.purpose", "action.properties.soft", "resource.properties.level",
    "resource.properties.tags", "resource.properties.from", "resource.properties.deep.er.est",
    "context.time", "context.onwardRecipient", "context.purpose.of",
)  # fmt: skip
WORDS = ("a", "ab", "abc", "b", "admin", "user", "Ä", "")
NUMBERS = (-2, -1, 0, 1, 2, 3, 2**53, -(2**63), 2**63 - 1)


def maybe(rng, chance):
    return rng.random() < chance


def some(rng, items, least=1):
    """A random subset, in the items' order."""
    items = list(items)
    chosen = set(rng.sample(range(len(items)), rng.randint(min(least, len(items)), len(items))))
    return [item for i, item in enumerate(items) if i in chosen]


def instant(rng, base):
    """A time near a border of the calendar, or any."""
    at = times.moment(base)
    start = times.month_start(base)
    nearby = [start, times.back(start, (rng.randint(-6, 14), 0)), base]
    nearby.append(times.parse(f"{at.year // 4 * 4}-02-29T00:00Z"))
    nearby.append(times.parse(f"{at.year}-12-31T23:59:59.999Z"))
    if maybe(rng, 0.2):
        return base + rng.randint(-400, 400) * times.DAY + rng.randint(0, times.DAY)
    return rng.choice(nearby) + rng.choice((0, 0, 0, -1, 1, times.DAY, -times.DAY))


def pack_time(rng, base):
    text = times.write(instant(rng, base))
    return rng.choice((text, text[:10], text[:10], text[:16] + "Z"))


def members(rng, **chances):
    """Calls each maker with its chance: name=(chance, maker)."""
    return {name: make() for name, (chance, make) in chances.items() if maybe(rng, chance)}


def make_permission(rng, index, count):
    others = [f"p{i}" for i in range(count) if i != index]
    return {
        "code": f"p{index}",
        "title": "A permission",
        **members(
            rng,
            granularity=(0.6, lambda: rng.choice(DURATIONS)),
            sensitivity=(0.1, lambda: "high"),
            denied=(0.15, lambda: maybe(rng, 0.9)),
            wholeMonths=(0.15, lambda: maybe(rng, 0.9)),
            onlyWith=(0.25 if others else 0, lambda: some(rng, others)),
        ),
    }


def make_purpose(rng, index, roles):
    limits = members(
        rng,
        lookBack=(0.3, lambda: rng.choice((*LOOK_BACKS, "P30D", "P1W", "PT1H"))),
        granularity=(0.3, lambda: rng.choice(DURATIONS)),
        every=(0.1, lambda: "P1Y"),
        oncePer=(0.1, lambda: "intervention"),
    )
    purpose = {"code": f"u{index}", "title": "A purpose", "roles": some(rng, roles)}
    return {**purpose, "limits": limits} if limits else purpose


def make_license(rng, index, pack, base):
    """None when the pack has no purpose or permission for it."""
    roles = [role["code"] for role in pack["roles"]]
    open_ = [p["code"] for p in pack["permissions"] if not p.get("denied")]
    to, onward = rng.choice(roles), rng.choice(roles)
    has_onward = maybe(rng, 0.4)
    may = {to, onward} if has_onward else {to}
    purposes = [p["code"] for p in pack["purposes"] if may & set(p["roles"])]
    if not purposes or not open_:
        return None
    permissions = some(rng, open_)
    license_ = {
        "url": f"{HOST}/license/{index}",
        "title": "A licence",
        "from": rng.choice(roles),
        "to": to,
        "purposes": some(rng, purposes),
        "permissions": permissions,
        **members(
            rng,
            term=(0.3, lambda: "P1Y"),
            lookBack=(0.35, lambda: rng.choice(LOOK_BACKS)),
            wholeMonths=(0.2, lambda: maybe(rng, 0.9)),
        ),
    }
    if has_onward:
        kept = {"role": onward, "permissions": some(rng, permissions)}
        license_["onwardRecipients"] = {**kept, **members(rng, max=(0.5, lambda: 4))}
    dates = sorted((pack_time(rng, base) for _ in range(3)), key=lambda d: times.pack_time(d, True))
    for name, date in zip(("availableFrom", "deprecatedAfter", "prohibitedAfter"), dates):
        if maybe(rng, 0.25):
            license_[name] = date
    return license_


def make(rng, base):
    """Has a licence at least."""
    while True:
        pack = make_any(rng, base)
        if pack["licenses"]:
            return pack


def make_any(rng, base):
    roles = [f"r{i}" for i in range(rng.randint(1, 4))]
    count = rng.randint(1, 6)
    pack = {
        "pack": "random",
        "version": "1",
        "scheme": HOST,
        "roles": [
            {"code": code, "urls": [f"{HOST}/role/{code}", f"{HOST}/pilot/{code}"][: i % 2 + 1]}
            for i, code in enumerate(roles)
        ],
        "purposes": [make_purpose(rng, i, roles) for i in range(rng.randint(1, 5))],
        "permissions": [make_permission(rng, i, count) for i in range(count)],
    }
    made = [make_license(rng, i, pack, base) for i in range(rng.randint(1, 4))]
    pack["licenses"] = [license_ for license_ in made if license_]
    for i, license_ in enumerate(pack["licenses"]):
        later = [other["url"] for other in pack["licenses"][i + 1 :]]
        if later and maybe(rng, 0.3):
            license_["dependsOn"] = some(rng, later)
    pack |= members(
        rng,
        territory=(0.5, lambda: some(rng, TERRITORIES)),
        settings=(0.4, lambda: {"purposeMustBeStated": maybe(rng, 0.3)}),
        rules=(0.5, lambda: [make_rule(rng, i, pack, base) for i in range(rng.randint(1, 4))]),
        resourceTypes=(0.5, lambda: make_types(rng)),
    )
    if "rules" in pack and maybe(rng, 0.5):
        pack["directory"] = make_directory(rng, pack, base)
    return pack


def make_entity(rng, names, base):
    def value():
        return some(rng, WORDS, 0) if maybe(rng, 0.2) else any_value(rng, base)

    properties = {name: value() for name in names if maybe(rng, 0.7)}
    return {"properties": properties} if properties or maybe(rng, 0.2) else {}


def make_directory(rng, pack, base):
    """Of subjects and resources that requests are about, with properties that rules look at."""
    looked_at = {c["path"] for rule in pack["rules"] for c in rule["when"]}
    ruled = [t["type"] for t in pack.get("resourceTypes", []) if not t["needsConsent"]]
    made = {}
    for side, types, ids in (
        ("subject", ("application", "user"), CLIENTS),
        ("resource", ruled, ("account-1", "account-2")),
    ):
        prefix = f"{side}.properties."
        names = sorted(p.removeprefix(prefix) for p in looked_at if p.startswith(prefix))
        names = [name for name in names if "." not in name]
        made[f"{side}s"] = [
            {"type": type_, "id": id_, **make_entity(rng, names, base)}
            for type_ in types
            for id_ in ids
            if maybe(rng, 0.7)
        ]
    return made


def make_types(rng):
    needs = {"consent": True, "account": True, "record": False, "note": False}
    names = list(needs) if maybe(rng, 0.8) else some(rng, needs)
    return [{"type": name, "needsConsent": needs[name]} for name in names]


# ---- rules

TEXT_OPS, SET_OPS = ("eq", "ne", "in", "notIn", "exists", "startsWith"), ("exists", "subsetOf")
TIME_OPS = ("eq", "ne", "in", "notIn", "exists", "lt", "lte", "gt", "gte")
ANY_OPS = (*TIME_OPS, "subsetOf", "startsWith")


def paths(pack):
    """path -> (operators, values that may well be there); None: whatever callers send."""
    roles = [role["code"] for role in pack["roles"]]
    codes = {name: [p["code"] for p in pack[name]] for name in ("purposes", "permissions")}
    urls = [license_["url"] for license_ in pack["licenses"]] + [HOST + "/license/other"]
    found = {
        "subject.type": (TEXT_OPS, ["application", "user"]),
        "subject.id": (TEXT_OPS, CLIENTS),
        "action.name": (TEXT_OPS, ["read", "write", ""]),
        "resource.type": (TEXT_OPS, ["account", "consent", "record", "note", "other"]),
        "resource.id": (TEXT_OPS, ["account-1", "account-2"]),
        "consent.status": (TEXT_OPS, STATES),
        "consent.tenant": (TEXT_OPS, TENANTS),
        "consent.provider": (TEXT_OPS, TENANTS),
        "consent.client": (TEXT_OPS, CLIENTS),
        "consent.license": (TEXT_OPS, urls),
        "consent.principal.type": (TEXT_OPS, PRINCIPALS),
        "consent.purposes": (SET_OPS, codes["purposes"]),
        "consent.permissions": (SET_OPS, codes["permissions"]),
        "consent.onwardRecipients": (SET_OPS, ONWARD),
        "consent.maxUses": (TIME_OPS, (1, 2, 3)),
        "license.url": (TEXT_OPS, urls),
        "license.from": (TEXT_OPS, roles),
        "license.to": (TEXT_OPS, roles),
        "license.purposes": (SET_OPS, codes["purposes"]),
        "license.permissions": (SET_OPS, codes["permissions"]),
    }
    for name in ("lastGranted", "expires", "dataFrom", "dataTo"):
        found["consent." + name] = (TIME_OPS, None)
    for path in CALLER_PATHS:
        found[path] = (ANY_OPS, None)
    return found


def any_value(rng, base):
    """What a pack may compare with what callers send."""
    kinds = (
        lambda: rng.choice(WORDS),
        lambda: rng.choice(NUMBERS),
        lambda: maybe(rng, 0.5),
        lambda: times.write(instant(rng, base)),
    )
    return rng.choice(kinds)()


def make_condition(rng, pack, base):
    known = paths(pack)
    path = rng.choice(CALLER_PATHS) if maybe(rng, 0.3) else rng.choice(list(known))
    operators, values = known[path]
    op = rng.choice(operators)
    timed = path.startswith("consent.") and values is None

    def one():
        if timed:
            return times.write(instant(rng, base))
        return rng.choice(values) if values is not None else any_value(rng, base)

    if op == "exists":
        value = maybe(rng, 0.5)
    elif op in ("in", "notIn", "subsetOf"):
        value = [one() for _ in range(rng.randint(1, 4))]
        if op == "subsetOf" and values is None:
            value = some(rng, WORDS)
    elif op == "startsWith":
        text = rng.choice(values or WORDS)
        value = text[: rng.randint(0, len(text))]
    elif op in ("lt", "lte", "gt", "gte") and values is None and not timed:
        value = rng.choice((rng.choice(NUMBERS), times.write(instant(rng, base))))
    else:
        value = one()
    return {"path": path, "op": op, "value": value}


def make_rule(rng, index, pack, base):
    effect = rng.choice(("permit", "deny"))
    count = rng.randint(2, 4) if effect == "deny" else rng.randint(1, 2)
    conditions = [make_condition(rng, pack, base) for _ in range(count)]
    reason = {"reason": "Because."} if maybe(rng, 0.3) else {}
    return {"id": f"rule-{index}", "effect": effect, "when": conditions, **reason}
