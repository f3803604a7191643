# SPDX-License-Identifier: Apache-2.0
"""Holds answers against openapi.yaml: status, media type, headers, body, and what ties them."""

import json
import pathlib
import re
import urllib.parse

import yaml
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

ROOT = pathlib.Path(__file__).resolve().parents[2]
FastLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
METHODS = ("get", "put", "post", "delete", "patch", "options", "trace")
PROBLEM = "application/problem+json"
FORM = "application/x-www-form-urlencoded"
# Of the protocol or of every answer alike; all others must be documented with the answer.
PLAIN_HEADERS = {
    "cache-control",
    "connection",
    "content-length",
    "content-security-policy",
    "content-type",
    "date",
    "server",
    "transfer-encoding",
    "vary",
    "x-content-type-options",
}


class Broken(AssertionError):
    """An answer that the contract does not allow."""


def load():
    return yaml.load((ROOT / "openapi.yaml").read_text(encoding="utf-8"), FastLoader)


def operations(document):
    """(METHOD, path template, operation) of each."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path, item[method]


def resolve(document, node):
    while "$ref" in node:
        target = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step.replace("~1", "/").replace("~0", "~")]
        rest = {key: value for key, value in node.items() if key != "$ref"}
        node = {**target, **rest}
    return node


class Schemas:
    """Validators of the document's schemas, made once each."""

    def __init__(self, document):
        contents = self._absolute(document)
        self.registry = Registry().with_resource(
            "urn:contract", Resource(contents=contents, specification=DRAFT202012)
        )
        self.made = {}

    def _absolute(self, node):
        if isinstance(node, dict):
            return {
                key: "urn:contract" + value
                if key == "$ref" and isinstance(value, str)
                else self._absolute(value)
                for key, value in node.items()
            }
        if isinstance(node, list):
            return [self._absolute(item) for item in node]
        return node

    def errors(self, schema, value):
        """Sentences that say where the value is not what the schema says; the deepest first."""
        key = json.dumps(schema, sort_keys=True)
        if key not in self.made:
            self.made[key] = Draft202012Validator(
                self._absolute(schema), registry=self.registry, format_checker=FormatChecker()
            )
        return [line for error in self.made[key].iter_errors(value) for line in told(error)]


def told(error):
    """The error and, of alternatives, what kept the nearest from holding."""
    place = "/" + "/".join(str(step) for step in error.absolute_path)
    lines = [f"{place}: {error.message[:400]}"]
    if error.context:
        nearest = max(error.context, key=lambda part: len(part.absolute_path))
        lines += told(nearest)
    return lines


def _no_duplicates(pairs):
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise Broken(f"a member is given twice: {names}")
    return dict(pairs)


def parse(content):
    def no_constant(text):
        raise Broken(f"{text} is no JSON")

    try:
        text = content.decode("utf-8")
        return json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=no_constant)
    except ValueError as error:
        raise Broken(f"the body is no JSON: {error}") from None


def parse_form(content):
    return _no_duplicates(urllib.parse.parse_qsl(content.decode(), strict_parsing=True))


def _pattern(template):
    """{tile} stands for one segment or more, every other variable for one."""
    parts = re.split(r"(\{[a-z]+\})", template)
    stands = {"{tile}": ".+"}
    return re.compile(
        "".join(stands.get(p, "[^/]+") if p.startswith("{") else re.escape(p) for p in parts)
    )


class Contract:
    def __init__(self, document=None):
        self.document = document or load()
        self.schemas = Schemas(self.document)
        self.table = [
            (_pattern(path), method, path, operation)
            for method, path, operation in operations(self.document)
        ]
        self.seen = set()  # (METHOD, path template, status)

    # ---- finding what was promised

    def find(self, method, path):
        """(path template, operation); operation is None when the path lacks the method."""
        wanted = "GET" if method == "HEAD" else method
        known = [row for row in self.table if row[0].fullmatch(path)]
        if not known:
            return None, None
        # A literal segment goes before a parameter, with all its methods.
        template = min((row[2] for row in known), key=lambda path: path.count("{"))
        fits = [row[3] for row in known if row[1:3] == (wanted, template)]
        return template, fits[0] if fits else None

    def promised(self, method, path, status):
        template, operation = self.find(method, path)
        answers = self.document["components"]["responses"]
        malformed = {"400": answers["BadParameter"]}  # what is not well-formed HTTP
        if template is None:
            allowed = {**malformed, "404": answers["NotFound"]}
        elif operation is None:
            allowed = {**malformed, "405": answers["MethodNotAllowed"]}
        else:
            everywhere = {"401": answers["Unauthenticated"], "413": answers["BodyTooLarge"]}
            allowed = {**malformed, **everywhere, **operation["responses"]}
        if str(status) not in allowed:
            raise Broken(f"{status} is not among the answers {sorted(allowed)}")
        self.seen.add((method, template, status))
        return resolve(self.document, allowed[str(status)])

    # ---- checking

    def check(self, method, path, response):
        """`path` as it was sent, without its query. Raises Broken."""
        try:
            promise = self.promised(method, path, response.status_code)
            headers = {name.lower(): value for name, value in response.headers.items()}
            self._check_headers(promise, headers)
            if method == "HEAD":
                self._expect(not response.content, "HEAD is answered without a body")
                return
            self._check_body(promise, headers, response)
            self._check_request(method, path, response)
        except Broken as broken:
            raise Broken(
                f"{method} {path} -> {response.status_code}: {broken}\n"
                f"{dict(response.headers)}\n{response.content[:4000]!r}"
            ) from None

    @staticmethod
    def _expect(condition, message):
        if not condition:
            raise Broken(message)

    def _check_headers(self, promise, headers):
        documented = {
            name.lower(): resolve(self.document, header)
            for name, header in promise.get("headers", {}).items()
        }
        for name, header in documented.items():
            if name not in headers:
                self._expect(not header.get("required"), f"the header {name} is missing")
                continue
            wrong = self.schemas.errors(header["schema"], headers[name])
            self._expect(not wrong, f"header {name}: {headers[name]!r}: {wrong}")
        undocumented = set(headers) - set(documented) - PLAIN_HEADERS
        self._expect(not undocumented, f"headers that nobody promised: {undocumented}")

    def _check_body(self, promise, headers, response):
        content = promise.get("content", {})
        if not content:
            self._expect(not response.content, "a body where none was promised")
            return
        kind = headers.get("content-type", "").partition(";")[0].strip()
        self._expect(kind in content, f"the media type {kind!r} is not among {list(content)}")
        schema = content[kind]["schema"]
        if kind == "application/x-ndjson":
            for line in response.content.split(b"\n"):
                if line:
                    self._valid(schema, parse(line))
        elif kind.endswith("json"):
            body = parse(response.content)
            self._valid(schema, body)
            self._check_ties(headers, response.status_code, kind, body)
            self._check_link(promise, headers, body)
        elif kind == "application/yaml":
            self._valid(schema, yaml.load(response.content, FastLoader))
        else:
            binary = kind == "application/octet-stream"
            self._valid(schema, response.content.decode("latin-1" if binary else "utf-8"))

    def _check_sent(self, stated, request):
        if not request.content and not stated.get("required", False):
            return
        [(kind, content)] = stated["content"].items()
        sent = parse_form(request.content) if kind == FORM else parse(request.content)
        wrong = self.schemas.errors(content["schema"], sent)
        self._expect(not wrong, f"it took {request.content[:2000]!r}: {wrong}")

    def _check_request(self, method, path, response):
        """What was accepted must be what the document lets a caller send."""
        request = getattr(response, "request", None)
        _, operation = self.find(method, path)
        if request is None or operation is None or response.status_code >= 300:
            return
        if "requestBody" in operation:
            self._check_sent(operation["requestBody"], request)
        for parameter in operation.get("parameters", []):
            parameter = resolve(self.document, parameter)
            if parameter["in"] == "header" and parameter.get("required"):
                self._expect(parameter["name"] in request.headers, f"no {parameter['name']}")
        documented = {
            resolve(self.document, parameter)["name"]: resolve(self.document, parameter)
            for parameter in operation.get("parameters", [])
        }
        for name, value in request.url.params.multi_items():
            self._expect(documented.get(name, {}).get("in") == "query", f"it took ?{name}")
            schema = resolve(self.document, documented[name]["schema"])
            schema = schema["items"] if schema.get("type") == "array" else schema
            if resolve(self.document, schema).get("type") == "integer":
                value = int(value)
            wrong = self.schemas.errors(schema, value)
            self._expect(not wrong, f"it took ?{name}={value}: {wrong}")

    def _valid(self, schema, body):
        wrong = self.schemas.errors(schema, body)
        self._expect(not wrong, "\n".join(wrong))

    def _check_ties(self, headers, status, kind, body):
        """What a header says and a member says too must agree."""
        if kind == PROBLEM:
            self._expect(body["status"] == status, "status of the problem and of the answer")
            self._expect(body["instance"] == headers["x-request-id"], "instance is not the id")
            return
        if "consentId" in body and "etag" in headers:
            version = str(body["version"])
            tags = {f'"{version}"', f'"{version}-{body["status"]}"'}
            self._expect(headers["etag"] in tags, f"{headers['etag']} is none of {tags}")
        if "location" in headers:
            self._expect(headers["location"].endswith("/" + body["consentId"]), "Location")

    def _check_link(self, promise, headers, body):
        if "Link" in promise.get("headers", {}):
            self._expect(("link" in headers) == ("next" in body), "Link exactly when there is next")
