# SPDX-License-Identifier: Apache-2.0
"""Rules (docs/decisions.md, Rules; docs/packs.md, Rules). What a path leads to is looked up in a
dictionary; what is not in it is not there."""

import decimal
import operator

from truth import times
from truth.question import Obj

ORDER = {"lt": operator.lt, "lte": operator.le, "gt": operator.gt, "gte": operator.ge}
TIMES = {"consent.lastGranted", "consent.expires", "consent.dataFrom", "consent.dataTo"}


MEMBERS = {  # path after consent. -> member of a case's consent
    "status": "status",
    "tenant": "tenant",
    "provider": "provider",
    "client": "client",
    "license": "license",
    "principal.type": "principal",
    "lastGranted": "grantedAt",
    "expires": "expires",
    "dataFrom": "dataFrom",
    "dataTo": "dataTo",
    "maxUses": "maxUses",
}


def facts_of(pack, consent):
    purposes = {p["code"] for p in pack["purposes"]} & set(consent["purposes"])
    held = {p["code"] for p in consent["permissions"]}
    found = {
        "consent.purposes": list(purposes),
        "consent.permissions": list({p["code"] for p in pack["permissions"]} & held),
        "consent.onwardRecipients": consent.get("onwardRecipients", []),
    }
    there = {path: consent[m] for path, m in MEMBERS.items() if consent.get(m) is not None}
    return found | {f"consent.{path}": value for path, value in there.items()}


def listed(pack, attributes):
    """What the directory of the pack says of the subject and the resource of a request."""
    found = {}
    for entity in ("subject", "resource"):
        named = {name: attributes[f"{entity}.{name}"] for name in ("type", "id")}
        for one in pack.get("directory", {}).get(f"{entity}s", []):
            if {name: one[name] for name in named} == named:
                properties = one.get("properties", {})
                found |= {f"{entity}.properties.{name}": properties[name] for name in properties}
    return found


def facts(pack, consent, license_, question):
    """path -> value, of everything that is there. What the request says goes before what is listed."""
    found = listed(pack, question.attributes) | question.attributes
    if consent is not None:
        found |= facts_of(pack, consent)
    if consent is not None and license_ is not None:
        for name in ("url", "from", "to", "purposes", "permissions"):
            found["license." + name] = license_[name]
    return found


def equal(one, other):
    """As JSON has it: true is no number; a list, an object or null equals nothing."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, (int, decimal.Decimal)) and isinstance(other, int):
        return one == other
    return isinstance(one, str) and isinstance(other, str) and one == other


def is_list_of_texts(value):
    plain = isinstance(value, list) and not isinstance(value, Obj)
    return plain and all(isinstance(item, str) for item in value)


def ordered(op, path, found, value):
    if isinstance(value, str):
        value = times.parse(value)
        if path not in TIMES:
            found = times.parse(found) if isinstance(found, str) else None
    if isinstance(found, bool) or not isinstance(found, (int, decimal.Decimal)):
        return False
    return ORDER[op](found, value)


def holds(condition, known):
    path, op, value = condition["path"], condition["op"], condition["value"]
    if op == "exists":
        return (path in known) == value
    if path not in known:
        return op in ("ne", "notIn")
    found = known[path]
    if op in ORDER:
        return ordered(op, path, found, value)
    if op == "startsWith":
        return isinstance(found, str) and found.startswith(value)
    if op == "subsetOf":
        return is_list_of_texts(found) and set(found) <= set(value)
    values = value if op in ("in", "notIn") else [value]
    if path in TIMES:
        values = map(times.parse, values)
    return any(equal(found, one) for one in values) == (op in ("eq", "in"))


def first(pack, effect, known):
    """Index of the first rule of this effect that applies, or None."""
    for index, rule in enumerate(pack.get("rules", [])):
        if rule["effect"] == effect and all(holds(c, known) for c in rule["when"]):
            return index
    return None
