# SPDX-License-Identifier: Apache-2.0
"""How fast decisions are: alone, in batches, recorded, beside writes, and in a large store."""

import json
import pathlib
import re
import statistics
import subprocess
import threading
import urllib.request

from service import Bare, Consentd, load, mint

PERSEUS = pathlib.Path(__file__).parents[1] / "policy/packs/perseus-2026-03-12.json"
PROVIDER = "https://directory.core.pilot.trust.ib1.org/member/edp-00"
ROUNDS = 5
EVALUATION, EVALUATIONS = "/access/v1/evaluation", "/access/v1/evaluations"


def pack_file(path, record):
    pack = json.loads(PERSEUS.read_text())
    pack["settings"]["record"] = record
    path.write_text(json.dumps(pack))
    return path


class Target:
    """A store with some consents, and a question that one of them permits."""

    def __init__(self, bench, name, record, consents, **settings):
        self.bench, self.scratch = bench, bench.scratch
        pack = pack_file(self.scratch / f"{name}.pack", record)
        self.server = Consentd(bench.build, self.scratch / name, pack=pack, **settings).start()
        self.tokens = self.scratch / f"{name}.tokens"
        self.token = mint(bench.build, self.server.data, [PROVIDER], self.tokens)[0]
        load(bench.build, self.server.port, self.tokens, 256, consents)
        self.question = self.ask_about(json.loads(self.call("/v1/consents?limit=1"))["items"][0])
        self.single = self.scratch / f"{name}.single"
        self.single.write_text(json.dumps(self.question))
        self.batch = self.scratch / f"{name}.batch"
        self.batch.write_text(json.dumps({**self.question, "evaluations": [{}] * 100}))
        self.answer = self.call(EVALUATION, self.single.read_bytes())
        if not json.loads(self.answer)["decision"]:
            raise SystemExit(self.answer)

    @staticmethod
    def ask_about(consent):
        permission = consent["permissions"][0]
        data = {"permissions": [permission["code"]], "from": "2026-09-01T00:00:00Z"}
        if "resources" in permission:
            data["resources"] = permission["resources"]
        return {
            "subject": {"type": "application", "id": consent["client"]},
            "action": {"name": "read", "properties": {"purpose": consent["purposes"][0]}},
            "resource": {"type": "account", "id": consent["account"], "properties": data},
        }

    def call(self, path, body=None):
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        ask = urllib.request.Request(f"http://127.0.0.1:{self.server.port}{path}", body, headers)
        with urllib.request.urlopen(ask) as answer:
            return answer.read()

    def stop(self):
        self.server.stop()
        self.bench.remove(self.server)


def post(target, port, path, body, clients=64, seconds=2, rps=None, log=None,
         scheme=None):
    """Requests per second of one POST, over and over."""
    command = ["h2load", "--h1", "-t", "1", "-c", str(clients), "-D", str(seconds),
               "-d", str(body), "-H", f"Authorization: Bearer {target.token}",
               "-H", "Content-Type: application/json"]
    if scheme is not None:  # two schemes are compared: handshakes are not part of it
        command.append("--warm-up-time=1")
    command.append(f"{scheme or 'http'}://127.0.0.1:{port}{path}")
    if rps is not None:
        command.append(f"--rps={rps / clients:.1f}")
    if log is not None:
        command.append(f"--log-file={log}")
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    counted = re.search(r"(\d+) done, (\d+) succeeded", out)
    if counted[1] != counted[2]:
        raise SystemExit(out)
    return float(re.search(r"finished in [\d.]+m?s, ([\d.]+) req/s", out)[1])


def percentiles(log):
    times = sorted(int(line.split()[2]) for line in log.read_text().splitlines())
    log.unlink()
    return times[len(times) // 2], times[len(times) * 99 // 100]


def alone(bench):
    target = Target(bench, "decisions", "none", 10000, loops=1)
    bare = Bare(bench.build, len(target.answer))
    pairs = [(post(target, target.server.port, EVALUATION, target.single),
              post(target, bare.port, EVALUATION, target.single)) for _ in range(ROUNDS)]
    ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    bench.row("one decision, not recorded, one loop",
              f"{ours:,.0f}/s, bare handler with the same POST {theirs:,.0f}/s, ratio {ratio:.2f}",
              "0.60")
    batches = statistics.median(
        post(target, target.server.port, EVALUATIONS, target.batch, 8) for _ in range(ROUNDS))
    bench.row("decisions in batches of 100, one loop", f"{batches * 100:,.0f} decisions/s",
              "600,000/s")
    beside_writes(bench, target)
    bare.stop()
    target.stop()


def beside_writes(bench, target):
    """p99 at half the highest rate, while 1,000 consents a second are created durably."""
    port = target.server.port
    most = statistics.median(post(target, port, EVALUATION, target.single) for _ in range(ROUNDS))
    log = bench.scratch / "mixed.log"
    writer = threading.Thread(
        target=load, args=(bench.build, port, target.tokens, 8, 6000),
        kwargs={"first": 1000000, "rate": 1000})
    writer.start()
    rate = post(target, port, EVALUATION, target.single, 64, 5, most / 2, log)
    writer.join()
    p50, p99 = percentiles(log)
    bench.row("one decision beside 1,000 durable creates/s, at half its highest rate",
              f"{rate:,.0f}/s; p50 {p50:,} µs, p99 {p99:,} µs", "p99 2,000 µs")


def recorded(bench):
    target = Target(bench, "recorded", "all", 1000)
    before = target.server.metrics()
    rate = statistics.median(
        post(target, target.server.port, EVALUATION, target.single, 256) for _ in range(ROUNDS))
    after = target.server.metrics()
    commits = after["consentd_commits_total"] - before["consentd_commits_total"]
    entries = after["consentd_log_entries"] - before["consentd_log_entries"]
    bench.row("one decision, recorded durably before the answer, 256 clients",
              f"{rate:,.0f}/s; {entries / commits:,.0f} per commit", "15,000/s")
    target.stop()


def in_large_stores(bench, large):
    """What one decision costs when the store holds many: batches of 100 questions, each about
    another account or another consent. Accounts have a consent for each 100,000 in the store."""
    rates = {}
    for consents in (10000, large):
        target = Target(bench, f"store-{consents}", "none", consents, loops=1)
        items = json.loads(target.call("/v1/consents?limit=100"))["items"]
        for kind in ("account", "consent"):
            asked = [target.ask_about(item) for item in items]
            if kind == "consent":
                for question, item in zip(asked, items, strict=True):
                    question["resource"] |= {"type": "consent", "id": item["consentId"]}
            batch = bench.scratch / "spread"
            batch.write_text(json.dumps({"evaluations": asked}))
            rates[kind, consents] = statistics.median(
                post(target, target.server.port, EVALUATIONS, batch, 8) for _ in range(ROUNDS))
        target.stop()
    for kind in ("account", "consent"):
        bench.row(f"cost of a decision by {kind} at {large:,} consents",
                  f"{rates[kind, 10000] / rates[kind, large]:.2f} × that at 10,000", "1.5 ×")


def measure(bench):
    alone(bench)
    recorded(bench)
    in_large_stores(bench, bench.fill)
