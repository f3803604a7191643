# SPDX-License-Identifier: Apache-2.0
"""What tokens cost, and whether the time of an answer tells that another tenant's consent exists."""

import http.client
import json
import pathlib
import statistics
import subprocess
import time
import uuid

from service import load

PAIRS = 20000


def verified(bench):
    out = subprocess.run([pathlib.Path(bench.build) / "bench" / "tokens", bench.scratch / "issuer"],
                         check=True, capture_output=True, text=True).stdout
    found = json.loads(out)
    bench.row(f"verifying an ES256 token of {found['bytes']} bytes that is new, processor time",
              f"{found['fresh_ns'] / 1000:,.1f} µs", "100 µs")
    bench.row("a token that was verified before, processor time",
              f"{found['known_ns'] / 1000:,.2f} µs", "2 µs")


def timed(connection, path, headers):
    """Nanoseconds from the request to the end of the answer, which is 404."""
    begun = time.perf_counter_ns()
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    if answer.status != 404:
        raise SystemExit(f"{path}: {answer.status}")
    return time.perf_counter_ns() - begun


def larger(foreign, unknown):
    """How often one of the first is larger than one of the second: 0.5 when time tells nothing."""
    ranked = sorted([(t, 0) for t in unknown] + [(t, 1) for t in foreign])
    below = above = 0
    for _, is_foreign in ranked:
        if is_foreign:
            above += below
        else:
            below += 1
    return above / (len(foreign) * len(unknown))


def foreign_ids(bench):
    """One connection asks in turn for a consent of another tenant and for an id that is nobody's."""
    server, tokens = bench.server("foreign", loops=1)
    ids = bench.scratch / "foreign.ids"
    load(bench.build, server.port, tokens, 64, 5000, ids=ids)
    lines = [line.split() for line in ids.read_text().splitlines()]
    theirs = [consent for provider, consent in lines if provider != "0"]
    headers = {"Authorization": f"Bearer {bench.tokens[0]}"}
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    found = ([], [])
    for number in range(PAIRS):
        known = theirs[number % len(theirs)]
        nobody = known[:24] + str(uuid.uuid4())[24:]  # of the same time, as a guess would be
        turns = [(0, known), (1, nobody)]
        for kind, name in turns if number % 2 else turns[::-1]:
            found[kind].append(timed(connection, f"/v1/consents/{name}", headers))
    connection.close()
    server.stop()
    bench.remove(server)
    foreign, unknown = (statistics.median(times) / 1000 for times in found)
    bench.row("404 for another tenant's consent, against 404 for nobody's",
              f"medians {foreign:,.1f} and {unknown:,.1f} µs; the first is the slower of a pair in "
              f"{larger(*found) * 100:.1f} % of {PAIRS:,} pairs", "50 %")


def measure(bench):
    verified(bench)
    foreign_ids(bench)
