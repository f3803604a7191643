# SPDX-License-Identifier: Apache-2.0
"""Connections that are known to be served by different loops of a server."""

import itertools
import json

from harness.process import until
from harness.wire import Wire, request

ATTEMPTS = 256
NAMES = itertools.count()


def loop_of(server, wire, token):
    """The number of the loop that serves this connection, from the access log."""
    name = f"where-{next(NAMES)}"
    wire.ask(request("GET", "/v1/policy", token, headers=[("X-Request-ID", name)]))

    def said():
        return [line for line in server.lines[:] if f'"request_id":"{name}"' in line]

    return json.loads(until(server, said)[0])["loop"]


def one_on_each(server, token, loops):
    """A connection to each of so many loops, in their order."""
    found = {}
    for _ in range(ATTEMPTS):
        wire = Wire(server)
        if found.setdefault(loop_of(server, wire, token), wire) is not wire:
            wire.close()
        if len(found) == loops:
            return [found[number] for number in sorted(found)]
    raise AssertionError(f"{len(found)} of {loops} loops took a connection")
