# SPDX-License-Identifier: Apache-2.0
"""What a request asks (docs/decisions.md, The question): the properties of the table, what rules
look at, and the first thing that is malformed. A JSON object is an Obj, so that members can stand
twice; a number is an int or a Decimal, so that it keeps its exact value."""

import decimal
import json
from dataclasses import dataclass, field

from truth import times

TEXT_MAX, ACCOUNT_MAX, OTHER_ID_MAX, RESOURCE_MAX, ATTRIBUTE_MAX = 256, 128, 1024, 128, 1024
LISTS_MAX = {"roles": 16, "permissions": 64, "resources": 64}
ATTRIBUTES = ("subject.properties.", "action.properties.", "resource.properties.", "context.")


class Obj(list):
    """(name, value) pairs."""

    def all(self, name):
        return [value for key, value in self if key == name]

    def get(self, name, otherwise=None):
        found = self.all(name)
        return found[0] if found else otherwise


def dump(value):
    if isinstance(value, Obj):
        return "{" + ",".join(f"{json.dumps(k)}:{dump(v)}" for k, v in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(dump, value)) + "]"
    if isinstance(value, decimal.Decimal):
        return str(value)
    return json.dumps(value)


class Malformed(Exception):
    """A property has the wrong form."""


def text(value, size_max=TEXT_MAX):
    if not isinstance(value, str) or not value or "\0" in value or size(value) > size_max:
        raise Malformed
    return value


def size(value):
    return len(value.encode())


def texts(name):
    def read(value):
        if not isinstance(value, list) or isinstance(value, Obj) or len(value) > LISTS_MAX[name]:
            raise Malformed
        return [text(item, RESOURCE_MAX if name == "resources" else TEXT_MAX) for item in value]

    return read


def some(read):
    def read_some(value):
        found = read(value)
        if not found:
            raise Malformed
        return found

    return read_some


def parsed(parse):
    def read(value):
        found = parse(text(value))
        if found is None:
            raise Malformed
        return found

    return read


def truth(value):
    if not isinstance(value, bool):
        raise Malformed
    return value


TABLE = {
    "subject": {"roles": texts("roles")},
    "action": {"purpose": text},
    "resource": {
        "permissions": some(texts("permissions")),
        "resources": texts("resources"),
        "granularity": parsed(times.duration),
        "from": parsed(times.parse),
        "to": parsed(times.parse),
        "license": text,
    },
    "context": {"onwardRecipient": text, "territory": text, "explain": truth, "record": truth},
}


@dataclass
class Question:
    kind: str  # consent, account, rules or unknown
    stated: dict = field(default_factory=dict)  # the well-formed properties of the table
    attributes: dict = field(default_factory=dict)  # path -> what the caller sent
    malformed: str = None  # the pointer of the first


def pointers():
    """All that can be malformed."""
    found = ["/subject/type", "/subject/id", "/action/name", "/resource/id"]
    for entity, properties in TABLE.items():
        where = f"/{entity}" if entity == "context" else f"/{entity}/properties"
        found += [where, *(f"{where}/{name}" for name in properties)]
    return found


def kind_of(pack, type_):
    types = pack.get("resourceTypes")
    if types is None:
        return type_ if type_ in ("consent", "account") else "unknown"
    for known in types:
        if known["type"] == type_:
            return type_ if known["needsConsent"] else "rules"
    return "unknown"


def read(pack, request):
    question = Question(kind_of(pack, request.get("resource").get("type")))
    paths = {c["path"] for rule in pack.get("rules", []) for c in rule["when"]}
    for entity in ("subject", "action", "resource", "context"):
        sent = request.get(entity, Obj())
        read_names(question, entity, sent)
        properties = sent if entity == "context" else sent.get("properties", Obj())
        read_attributes(question, entity, properties, sorted(paths))
        if entity == "context" or question.kind != "rules":
            read_table(question, entity, properties)
    return question


def spoil(question, pointer):
    question.malformed = question.malformed or pointer


def read_names(question, entity, sent):
    sizes = {"subject": {"type": TEXT_MAX, "id": TEXT_MAX}, "action": {"name": TEXT_MAX}}
    id_max = OTHER_ID_MAX if question.kind in ("rules", "unknown") else TEXT_MAX
    id_max = ACCOUNT_MAX if question.kind == "account" else id_max
    sizes["resource"] = {"type": TEXT_MAX, "id": id_max}
    for name, size_max in sizes.get(entity, {}).items():
        question.attributes[f"{entity}.{name}"] = sent.get(name)
        if size(sent.get(name)) > size_max or "\0" in sent.get(name):
            spoil(question, f"/{entity}/{name}")
            question.attributes[f"{entity}.{name}"] = ""


def read_table(question, entity, properties):
    seen = set()
    for name, value in properties:
        if name not in TABLE[entity]:
            continue
        try:
            if name in seen:
                raise Malformed
            question.stated[name] = TABLE[entity][name](value)
        except Malformed:
            where = entity if entity == "context" else f"{entity}/properties"
            spoil(question, f"/{where}/{name}")
        seen.add(name)


def read_attributes(question, entity, properties, paths):
    prefix = next(p for p in ATTRIBUTES if p.startswith(entity))
    for path in paths:
        if not path.startswith(prefix):
            continue
        try:
            value = walk(properties, path[len(prefix) :].split("."))
            if value is not ABSENT:
                question.attributes[path] = value
        except Malformed:
            spoil(question, "/context" if entity == "context" else f"/{entity}/properties")


ABSENT = object()


def walk(value, steps):
    for step in steps:
        if not isinstance(value, Obj):
            return ABSENT
        found = value.all(step)
        if len(found) > 1:
            raise Malformed
        if not found:
            return ABSENT
        value = found[0]
    plain_list = isinstance(value, list) and not isinstance(value, Obj)
    if plain_list and all(isinstance(item, str) for item in value):
        if len(value) > LISTS_MAX["permissions"]:
            raise Malformed
        for item in value:
            seen(item)
    return seen(value) if isinstance(value, str) else value


def seen(value):
    if size(value) > ATTRIBUTE_MAX or "\0" in value:
        raise Malformed
    return value
