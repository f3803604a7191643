# SPDX-License-Identifier: Apache-2.0
"""What Schemathesis needs to know beside openapi.yaml, and one check more: every answer that it gets
is held against the contract by the validator of the end-to-end tests, too.

A refusal of what the schemas allow is a finding. REFUSALS has those rules that a schema cannot say:
each sentence is one of the service, and nothing else that a refusal says is excused.
"""

import json
import pathlib
import re
import sys
import urllib.parse
import uuid

import schemathesis
from schemathesis.core.failures import MalformedJson
from schemathesis.openapi.checks import RejectedPositiveData

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from contract import Contract  # noqa: E402
from harness.wire import Answer  # noqa: E402

CONTRACT = Contract()

REFUSALS = [
    # what only an answer of the service can hold
    r"cursor does not continue this (list|query of this caller)",
    r"/cursor does not continue this query of this caller",
    r"page\.token does not continue this search of this caller",
    r"binding_token is not of a denial of this question to this caller",
    # parameters that depend on each other, or on the log's size
    r"either account or consentId is required",
    r"tenant goes with account; a consentId tells whose it is",
    r"/permissions/\d+/code stands in the list twice",
    r"index is required and below size; size is at most the log's, which it is when absent",
    r"from is required and at most to; to is at most the log's size, which it is when absent",
    r"tenant is required: the token names more than one, and no account with this pairwise id was "
    r"granted in that time",
    r"transaction and stepId need tenant, whose names they are",
    # the clock
    r"(at|time) lies in the future",
    r"/\S+ must (not )?lie in the future",
    # what was requested is not here to be read
    r"/(account|request) is required",
    r"/grant/method assertedByClient needs the member request",
    r"/\S+ would widen or change what was requested",
    # codes that the policy pack sorts
    r"/\S+ is no reason that a caller may state",
    r"/reason/code (does not refuse|only refuses) a request",
]


def sentences(problem):
    """What it says: its errors each by itself, else its detail."""
    errors = [f"{error['pointer']} {error['detail']}" for error in problem.get("errors", [])]
    return errors or [problem["detail"]]


# Schemas count characters, the service bytes: the same in ASCII.
LONGER_IN_BYTES = [
    r"/\S+ must be a string of 1 to \d+ bytes",
    r"/?\w+ must be a text of UTF-8, neither empty nor longer than its limit",
]


# RFC 8259 section 6: numbers past what a 64-bit integer holds are not read.
TOO_LARGE = [r"line 1, column \d+"]
# The 29th of February of a year that has none.
NO_SUCH_DAY = [
    r"/\S+ must be an RFC 3339 time in UTC, with Z",
    r"\w+ must be a time such as 2026-03-12T00:00:00Z",
]


def excused(problem, request):
    body = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
    written = re.search(rb"\\u(00[89a-f]|0[1-9a-f]|[1-9a-f])", body, re.IGNORECASE)
    known = list(REFUSALS)
    if written or not body.isascii() or "%" in request.url:
        known += LONGER_IN_BYTES
    if re.search(rb"\d{19}", body):
        known += TOO_LARGE
    if b"-02-29T" in body or "-02-29T" in request.url:
        known += NO_SUCH_DAY
    return all(any(re.fullmatch(r, said) for r in known) for said in sentences(problem))


def is_valid(name, value):
    return not CONTRACT.schemas.errors({"$ref": f"#/components/parameters/{name}/schema"}, value)


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """True: it is a finding."""
    if isinstance(failure, MalformedJson):
        # It takes a JWT for JSON; `contract` looks at it.
        return "application/jwt" not in response.headers["content-type"]
    if not isinstance(failure, RejectedPositiveData) or response.status_code != 400:
        return True
    if "If-Match" in response.request.headers:
        # Some of its values lack the quotes that the schema wants.
        if not is_valid("IfMatch", response.request.headers["If-Match"]):
            return False
    return not excused(json.loads(response.content), response.request)


def whole(value):
    """2.0 is an integer to JSON Schema; this API has them written without a point."""
    if isinstance(value, dict):
        return {name: whole(member) for name, member in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@schemathesis.hook
def before_call(context, case, kwargs):
    """Each creation has a key of its own, unless it is the key that is wrong or missing. Whoever
    may wait for changes waits for none."""
    if re.fullmatch("[1-5]?[0-9]|60", str((case.query or {}).get("wait"))):
        case.query["wait"] = 0
    key = (case.headers or {}).get("Idempotency-Key", "")
    if re.fullmatch(r'[!#-~]{1,128}|"[!#-~]{1,128}"', str(key)):
        case.headers["Idempotency-Key"] = str(uuid.uuid4())
    if isinstance(case.body, dict | list):
        case.body = whole(case.body)


@schemathesis.deserializer("application/jwt")
def compact(context, response):
    return response.content.decode("ascii")


@schemathesis.deserializer("application/x-ndjson")
def first_line(context, response):
    """The schema is that of a line; `contract` looks at all of them."""
    return json.loads(response.content.partition(b"\n")[0])


@schemathesis.check
def contract(context, response, case):
    request = response.request
    path = urllib.parse.urlsplit(request.url).path
    headers = {name.lower(): value[0] for name, value in response.headers.items()}
    CONTRACT.check(request.method, path, Answer(response.status_code, headers, response.content))
