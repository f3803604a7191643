# SPDX-License-Identifier: Apache-2.0
"""Answers are held against openapi.yaml: whole, or where there are answers by the ten thousand, once for
each shape."""

import json

from contract import Contract

LARGE = 65536  # of larger answers only what has a new shape is held against the contract
_contract = None


def contract():
    global _contract
    if _contract is None:
        _contract = Contract()
    return _contract


_shapes = set()


def _shape(value):
    if isinstance(value, dict):
        return tuple((name, _shape(member)) for name, member in sorted(value.items()))
    if isinstance(value, list):
        return tuple(sorted({_shape(item) for item in value}, key=repr))
    return type(value).__name__


def _is_new(where, value):
    shape = (where, _shape(value))
    known = shape in _shapes
    _shapes.add(shape)
    return not known


def check_new_shapes(method, path, response):
    """Holds against the contract what has a shape that nothing before had: validating by schema
    takes milliseconds a document, and there are answers by the ten thousand."""
    template = "/".join("{}" if len(part) == 36 else part for part in path.split("/"))
    where, content = (method, template, response.status_code), response.content
    if response.headers["content-type"].startswith("application/x-ndjson"):
        lines = [line for line in content.split(b"\n") if line]
        content = b"\n".join(line for line in lines if _is_new(where, json.loads(line)))
    else:
        document = json.loads(content)
        if "items" in document:
            document["items"] = [item for item in document["items"] if _is_new(where, item)]
            content = json.dumps(document).encode()
        elif not _is_new(where, document):
            return
    headers = {name.lower(): value for name, value in response.headers.items()}
    contract().check(method, path, Answer(response.status_code, headers, content))


class Answer:
    def __init__(self, status_code, headers, content):
        self.status_code = status_code
        self.headers = headers  # names in lower case
        self.content = content

    @property
    def text(self):
        return self.content.decode()

    def json(self):
        return json.loads(self.content)
