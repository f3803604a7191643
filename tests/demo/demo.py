# SPDX-License-Identifier: Apache-2.0
"""`make demo`: real input in a release build, told step by step.

First the permission record that Icebreaker One prints in its Permission Records 1.0: granted in
March 2024, revoked in July. Then a generated market of 10,000 consents, each answer and in the end
each record, each history and a few hundred queries compared with an independent model.
"""

import argparse
import collections
import json
import os
import pathlib
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def parsed():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", default=str(ROOT / "build" / "consentd"))
    parser.add_argument(
        "--families",
        type=int,
        default=4000,
        help="accounts at energy providers; 4000 make 10,000 consents",
    )
    return parser.parse_args()


def tell(text=""):
    print(text, flush=True)


def show(title, document):
    tell(f"\n{title}")
    for line in json.dumps(document, indent=2, ensure_ascii=False).split("\n"):
        tell("    " + line)


def show_history(title, events):
    tell(f"\n{title}")
    for event in events:
        more = "".join(f"  {event[name]}" for name in ("reason",) if name in event)
        tell(
            f"    #{event['index']:<6} {event['at']}  {event['event']:<20} by "
            f"{event['actor']['role']}{more}"
        )


def replay_printed_record(directory):
    from harness import ib1
    from harness.server import IB1, Server

    tell("1. The permission record printed in Permission Records 1.0")
    server = Server(pathlib.Path(directory) / "ib1", pack=IB1, clock=f"{ib1.GRANTED}x0").start()
    with ib1.api_at(server, ib1.GRANTED) as api:
        made = ib1.grant(api)
    tell(f"   clock at {ib1.GRANTED}: granted, until {made['expires']}")
    server.restart(f"{ib1.REVOKED}x0")
    with ib1.api_at(server, ib1.REVOKED) as api:
        revoked = ib1.revoke(api, made).json()
        events = api.events(made["consentId"])
    tell(f"   clock at {ib1.REVOKED}: revoked")
    names = ("oauthIssuer", "client", "license", "account", "lastGranted", "expires", "revoked")
    show("The record now, in IB1's terms:", {name: revoked[name] for name in names})
    show_history("Its history:", events)
    server.stop()


def run_market(directory, families):
    from harness import compare
    from harness.audit import Auditor, check_one_active, read_log
    from harness.market import Market

    tell("\n2. A generated market: 50 providers, 200 applications, 5,000 accounts")
    market, begun = Market(directory, families), time.monotonic()
    market.run(lambda text: tell("   " + text))
    requests = sum(market.world.answers.values())
    tell(
        f"   {requests} requests answered as the model says, in "
        f"{time.monotonic() - begun:.1f} s: "
        + ", ".join(f"{count} × {status}" for status, count in sorted(market.world.answers.items()))
    )
    count = collections.Counter(c.status for c in market.model.consents)
    tell("\nStates:")
    for state, number in count.most_common():
        tell(f"    {state:<12}{number:>7}")
    sample = next(c for c in market.model.ordered() if c.reason == "linkedConsentEnded")
    with market.api() as api:
        show("A consent that ended with the one it depended on:", api.consent(sample.id))
        show_history("Its history:", api.events(sample.id))
        tell("\nChecks:")
        auditor = Auditor().feed(read_log(api))
        check_one_active(auditor.histories)
    passed = [
        f"{compare.records(market.server, market.world, market.auditor())} records",
        f"{compare.singles(market.server, market.world)} single reads with their ETags",
        f"{compare.histories(market.server, market.world)} events of all histories",
        f"{compare.queries(market.server, market.world, 300, seed=7)} answers to 300 queries",
        f"{auditor.count} log entries: commitments opened, numbers without gaps, legal lives",
    ]
    market.server.kill()
    market.server.start()
    passed.append(
        f"{compare.records(market.server, market.world, market.auditor())} records "
        "again after kill -9"
    )
    market.server.stop()
    for line in passed:
        tell(f"    ok  {line}")


def main():
    arguments = parsed()
    os.environ["CONSENTD_BIN"] = arguments.binary
    sys.path.insert(0, str(ROOT / "tests" / "e2e"))
    with tempfile.TemporaryDirectory(prefix="consentd-demo-") as directory:
        replay_printed_record(directory)
        run_market(directory, arguments.families)
    tell("\nDone: everything was as it should be.")


if __name__ == "__main__":
    main()
