# SPDX-License-Identifier: Apache-2.0
"""One decision by consentd and by a peer: the same POST to both, on the same machine, taking turns.

Cerbos comes from its npm package, pinned in bench/peers/ and unpacked under the build folder. It
looks nothing up and checks no token: what the consent says comes with the question. consentd reads
the same bytes, checks the token, and looks at the consent it holds. Both with their own defaults,
on all cores; consentd writes its access log, Cerbos logs warnings only."""

import argparse
import copy
import json
import pathlib
import platform
import signal
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from decisions import EVALUATION, ROUNDS, Target, percentiles, post
from run import Bench, machine, say, table

HERE = pathlib.Path(__file__).parent
READY_SECONDS = 30
LONG_AGO = "2000-01-01T00:00:00Z"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cerbos:
    def __init__(self, build, scratch):
        system = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
        package = f"cerbos-{platform.system().lower()}-{system}"
        self.binary = build / "peers/node_modules/@cerbos" / package / package
        self.log = scratch / "cerbos.log"
        self.port = free_port()
        sets = {
            "server.httpListenAddr": f"127.0.0.1:{self.port}",
            "server.grpcListenAddr": f"unix:{scratch}/cerbos.sock",
            "storage.disk.directory": HERE / "peers/policies",
        }
        command = [self.binary, "server", f"--config={HERE / 'peers/cerbos.yaml'}",
                   "--log-level=warn", *(f"--set={key}={value}" for key, value in sets.items())]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        self.wait_until_ready()

    def version(self):
        return subprocess.run([self.binary, "--version"], check=True, capture_output=True,
                              text=True).stdout.split("\n")[0]

    def wait_until_ready(self):
        end = time.monotonic() + READY_SECONDS
        while self.process.poll() is None and time.monotonic() < end:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_cerbos/health"):
                    return
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.05)
        self.process.kill()
        raise SystemExit("cerbos does not answer:\n" + self.log.read_text())

    def decides(self, question):
        ask = urllib.request.Request(f"http://127.0.0.1:{self.port}{EVALUATION}",
                                     json.dumps(question).encode(),
                                     {"Content-Type": "application/json"})
        with urllib.request.urlopen(ask) as answer:
            return json.loads(answer.read())["decision"]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


# ---- the same question, and the same answers


def with_consent(question, consent):
    """What Cerbos has no other way to know; consentd passes over members that it does not know."""
    question = copy.deepcopy(question)
    properties = question["resource"]["properties"]
    properties["purpose"] = question["action"]["properties"]["purpose"]
    properties["consent"] = {
        "client": consent["client"],
        "license": consent["license"],
        "status": consent["status"],
        "expires": consent["expires"],
        "dataFrom": consent.get("dataFrom", question["resource"]["properties"]["from"]),
        "purposes": consent["purposes"],
        "permissions": [permission["code"] for permission in consent["permissions"]],
        "resources": [r for p in consent["permissions"] for r in p.get("resources", [])],
    }
    return question


def variations(question):
    """The question, and others that each break one thing: (what, question, decision)."""
    yield "as it is", question, True

    def other(what, change):
        changed = copy.deepcopy(question)
        change(changed, changed["resource"]["properties"])
        return what, changed, False

    def purpose(code):
        def change(asked, properties):
            asked["action"]["properties"]["purpose"] = properties["purpose"] = code
        return change

    yield other("another client", lambda q, _: q["subject"].update(id="https://other.example"))
    yield other("a bank's purpose", purpose("green-finance-eligibility"))
    yield other("a purpose that was left out", purpose("decarbonisation-recommendations"))
    yield other("a permission that was left out", lambda _, p: p["permissions"].append("tariff"))
    yield other("a denied permission", lambda _, p: p.update(permissions=["meter.identity"]))
    yield other("another meter", lambda _, p: p["resources"].append("meter-of-another"))
    yield other("too far back", lambda _, p: p.update({"from": LONG_AGO}))


def check_equal(target, cerbos, question):
    """Both decide alike, or there is nothing to compare."""
    for what, asked, wanted in variations(question):
        ours = json.loads(target.call(EVALUATION, json.dumps(asked).encode()))["decision"]
        if (ours, cerbos.decides(asked)) != (wanted, wanted):
            raise SystemExit(f"{what}: consentd {ours}, cerbos {cerbos.decides(asked)}: {asked}")


# ---- measuring


def compare(bench, target, cerbos):
    consent = json.loads(target.call("/v1/consents?limit=1"))["items"][0]
    question = with_consent(target.question, consent)
    check_equal(target, cerbos, question)
    target.single.write_text(json.dumps(question))
    ports = (target.server.port, cerbos.port)
    pairs = [[post(target, port, EVALUATION, target.single) for port in ports]
             for _ in range(ROUNDS)]
    ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    log, late = bench.scratch / "times.log", []
    for port in ports:
        post(target, port, EVALUATION, target.single, log=log)
        late.append(percentiles(log)[1])
    bench.row(f"one decision, not recorded, beside Cerbos {cerbos.version()}",
              f"{ours:,.0f}/s, p99 {late[0]:,} µs; Cerbos {theirs:,.0f}/s, p99 {late[1]:,} µs; "
              f"ratio {ratio:.1f}")


def measure(bench):
    target = Target(bench, "peers", "none", 10000)
    try:
        cerbos = Cerbos(bench.build, bench.scratch)
        try:
            compare(bench, target, cerbos)
        finally:
            cerbos.stop()
    finally:
        target.stop()


def page(bench):
    return "\n".join([
        "<!-- Written by bench/peers.py: `make bench-peers`. -->",
        "# Measured beside peers",
        "",
        machine(bench.build),
        "",
        *table(bench.rows),
        "",
        "The same POST of an AuthZEN question (bench/peers.py) to both, h2load over HTTP/1.1 with "
        f"64 connections, medians of {ROUNDS} runs of 2 s, taking turns. Both permit it, and deny "
        "the same variations of it. consentd checks the token and looks at the consent among "
        "10,000; Cerbos keeps none and reads what the question says of it. Each with its defaults, "
        "on all cores.",
        "",
    ])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build", type=pathlib.Path)
    parser.add_argument("--results", default=HERE / "PEERS.md", type=pathlib.Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="consentd-bench-", dir=options.build) as scratch:
        bench = Bench(options.build, 0, pathlib.Path(scratch))
        measure(bench)
        options.results.write_text(page(bench))
    say(f"written: {options.results}")


if __name__ == "__main__":
    main()
