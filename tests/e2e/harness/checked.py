# SPDX-License-Identifier: Apache-2.0
"""What every answer goes through that any test gets: it is held against openapi.yaml. Whole, or where
there are answers by the ten thousand, once for each shape."""

import collections
import json
import re

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


def curled(head, body):
    """The answer of which curl wrote the head (--dump-header) and the body."""
    line, *fields = head.decode().rstrip().splitlines()
    named = (field.partition(":") for field in fields)
    headers = {name.lower(): value.strip() for name, _, value in named}
    return Answer(int(line.split()[1]), headers, body)


def check_each_shape(method, path, answer):
    """An answer that the service itself gave has an id; what h2o refuses before has none."""
    if "x-request-id" not in answer.headers:
        return
    path = path.partition("?")[0]
    kind = answer.headers.get("content-type", "")
    template = contract().find(method, path)[0]
    names = tuple(sorted(answer.headers))
    if kind == "application/problem+json" and answer.content:
        names += (json.loads(answer.content)["type"].rpartition("/")[2],)
    if _is_new((method, template, answer.status_code, kind, names), None):
        contract().check(method, path, answer)
    elif "json" in kind and answer.content:
        check_new_shapes(method, path, answer)


class Requests:
    """Which requests went over a connection, so that each answer is held against its own. Where a
    request is not written as HTTP has it, what comes is nobody's, from there on."""

    LINE = re.compile(rb"([A-Z]+) (/[!-~]*) HTTP/1\.1")

    def __init__(self):
        self._left = b""
        self._waiting = collections.deque()
        self._lost = False

    def sent(self, data):
        self._left += b"" if self._lost else data
        while not self._lost and b"\r\n\r\n" in self._left:
            head, _, rest = self._left.partition(b"\r\n\r\n")
            line, *fields = head.split(b"\r\n")
            found = self.LINE.fullmatch(line)
            names = [field.partition(b":")[0].lower() for field in fields]
            sizes = [f.partition(b":")[2] for f, n in zip(fields, names) if n == b"content-length"]
            framed = len(sizes) <= 1 and b"transfer-encoding" not in names
            if not found or not framed or (sizes and not sizes[0].strip().isdigit()):
                self._lost = True
                return
            size = int(sizes[0]) if sizes else 0
            if len(rest) < size:
                return
            self._left = rest[size:]
            self._waiting.append((found[1].decode(), found[2].decode()))

    def answered(self, answer):
        if answer.status_code < 200 or self._lost:
            return
        if not self._waiting:  # before the request was whole
            self._lost = True
            return
        method, path = self._waiting.popleft()
        check_each_shape(method, path, answer)
