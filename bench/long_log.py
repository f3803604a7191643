# SPDX-License-Identifier: Apache-2.0
"""What stays the same however long the log is: the start, a page by any index, the memory of a stream
that goes on beside writes. Most entries are recorded decisions, which come in fast."""

import datetime
import http.client
import json
import pathlib
import statistics
import subprocess
import threading
import time
import urllib.parse
import urllib.request
import uuid

from log import h2load
from service import Consentd, load, mint

PROVIDERS = [f"https://directory.core.pilot.trust.ib1.org/member/edp-{n:02d}" for n in range(50)]
FIRST = 10000  # consents, and so many entries
BATCH = 1000
DISCLOSURES = 200
ROUNDS = 5
WRITES, RATE = 4000, 1000
MIB = 1 << 20


class Long:
    def __init__(self, bench):
        self.bench, self.build = bench, bench.build
        self.server = Consentd(bench.build, bench.scratch / "long").start()
        self.tokens = bench.scratch / "long.tokens"
        self.secrets = mint(bench.build, self.server.data, PROVIDERS, self.tokens)
        self.auditor = subprocess.run(
            [pathlib.Path(bench.build) / "consentctl", "token", "--data", self.server.data,
             "--role", "auditor", "--id", "https://auditor.example", "--providers", "*",
             "--ttl", "24h"], check=True, capture_output=True, text=True).stdout.strip()
        load(bench.build, self.server.port, self.tokens, 256, FIRST)
        self.consents = [self.ask(secret, "/v1/consents?limit=200")["items"]
                         for secret in self.secrets]

    def ask(self, token, path, body=None):
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json",
                   "Idempotency-Key": str(uuid.uuid4())}
        data = None if body is None else json.dumps(body).encode()
        ask = urllib.request.Request(f"http://127.0.0.1:{self.server.port}{path}", data, headers)
        with urllib.request.urlopen(ask) as answer:
            return json.loads(answer.read())

    def entries(self):
        return int(self.server.metrics()["consentd_log_entries"])

    # ---- filling

    def batch(self, consents):
        """A thousand questions about these, each to be recorded."""
        asked = []
        for number in range(BATCH):
            consent = consents[number % len(consents)]
            asked.append({
                "subject": {"type": "application", "id": consent["client"]},
                "resource": {"type": "account", "id": consent["account"],
                             "properties": {"permissions": ["electricity.import.halfhourly"]}}})
        return json.dumps({
            "action": {"name": "read", "properties": {"purpose": "estimate-emissions"}},
            "context": {"record": True}, "evaluations": asked})

    def post_batches(self, bodies, turns):
        """turns: an iterator that the threads share."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port)
        for turn in turns:
            provider = turn % len(PROVIDERS)
            connection.request("POST", "/access/v1/evaluations", bodies[provider], {
                "Authorization": f"Bearer {self.secrets[provider]}",
                "Content-Type": "application/json"})
            answer = connection.getresponse()
            if answer.status != 200 or len(answer.read()) < BATCH:
                raise SystemExit(f"a batch was answered with {answer.status}")
        connection.close()

    def fill(self, entries):
        missing = max(0, entries - self.entries() - 2 * DISCLOSURES)
        bodies = [self.batch(consents) for consents in self.consents]
        turns = iter(range(-(-missing // BATCH)))
        lock = threading.Lock()

        def shared():
            while True:
                with lock:
                    turn = next(turns, None)
                if turn is None:
                    return
                yield turn

        threads = [threading.Thread(target=self.post_batches, args=(bodies, shared()))
                   for _ in range(4)]
        begun, before = time.monotonic(), self.server.metrics()["consentd_store_bytes"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if missing:
            rate = missing / (time.monotonic() - begun)
            grown = self.server.metrics()["consentd_store_bytes"] - before
            self.bench.row(f"filling the log to {self.entries():,} entries with recorded decisions, "
                           f"{BATCH:,} a request",
                           f"{rate:,.0f} entries/s, {grown / missing:,.0f} bytes an entry")
        for number in range(DISCLOSURES):
            self.disclose(self.consents[0][number], number)

    def disclose(self, consent, number):
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.ask(self.secrets[0], "/v1/disclosures", {
            "consentId": consent["consentId"], "recipient": consent["client"],
            "permissions": ["electricity.import.halfhourly"],
            "resources": consent["permissions"][0]["resources"],
            "from": consent["lastGranted"], "to": now, "at": now, "transaction": f"transfer-{number}",
            "transferStepId": f"step-{number}"})

    # ---- measuring

    def start_ms(self):
        taken = []
        for _ in range(ROUNDS):
            self.server.stop()
            self.server.start()
            taken.append(self.server.start_seconds * 1000)
        return statistics.median(taken)

    def page_us(self, **filters):
        query = urllib.parse.urlencode({"limit": 50, **filters})
        path = f"/v1/audit/events?{query}"
        if not self.ask(self.auditor, path)["items"]:
            raise SystemExit(f"nothing is found by {filters}")
        return h2load(self.server.port, path, self.auditor, "-c", "1")[1]

    def pages(self):
        consent = self.consents[0][7]
        size = self.entries()
        middle = self.ask(self.auditor, f"/v1/audit/events?limit=1&after={size // 2}")["items"][0]
        by = {
            "tenant": {"tenant": PROVIDERS[1]},
            "client": {"client": consent["client"]},
            "consent": {"consentId": consent["consentId"]},
            "transaction": {"tenant": PROVIDERS[0], "transaction": "transfer-7"},
            "step": {"tenant": PROVIDERS[0], "stepId": "step-7"},
            "time": {"from": middle["at"]},
        }
        for name in ("tenant", "client"):
            by[name]["after"] = FIRST // 2
        found = {name: self.page_us(**filters) for name, filters in by.items()}
        said = ", ".join(f"{name} {taken:,.0f}" for name, taken in found.items())
        account = self.page_us(tenant=PROVIDERS[0], account=consent["account"])
        self.bench.row(f"a page of 50 of {size:,} entries by index, 1 client, µs",
                       f"{said}, account {account:,.0f}")
        kind = self.page_us(type="policy.activated")
        self.bench.row("such a page by a bounded walk, 1 client, µs",
                       f"type, through all {kind:,.0f}")

    def paced(self, first):
        return load(self.build, self.server.port, self.tokens, 8, WRITES, first=first, rate=RATE)

    def stream(self):
        """The whole log again and again while consents are created; the memory that it takes."""
        alone = self.paced(1000000)
        found, rates, most = [], [], 0
        command = ["curl", "-sS", "-o", "/dev/null", "-w", "%{size_download}",
                   "-H", f"Authorization: Bearer {self.auditor}", "-H", "Accept: application/x-ndjson",
                   f"http://127.0.0.1:{self.server.port}/v1/audit/events"]
        before = self.server.resident()[1]
        writer = threading.Thread(target=lambda: found.append(self.paced(2000000)))
        writer.start()
        while writer.is_alive() or not rates:
            size, begun = self.entries(), time.monotonic()
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as curl:
                while curl.poll() is None:
                    most = max(most, self.server.resident()[1] - before)
                    time.sleep(0.05)
                mib = int(curl.stdout.read()) / MIB
                if curl.returncode != 0:
                    raise SystemExit("the stream ended early")
            seconds = time.monotonic() - begun
            rates.append((size / seconds, mib / seconds))
        writer.join()
        entries, speed = (statistics.median(side) for side in zip(*rates, strict=True))
        self.bench.row(
            f"the whole log as NDJSON beside {RATE:,} durable creates/s",
            f"{entries:,.0f} entries/s, {speed:,.0f} MiB/s; creates p99 {found[0]['p99_us']:,} µs, "
            f"without it {alone['p99_us']:,} µs; {most / MIB:,.1f} MiB more above the map", "32 MiB")


def measure(bench):
    long = Long(bench)
    small = long.entries()
    short = long.start_ms()
    long.fill(bench.entries)
    size, taken = long.entries(), long.start_ms()
    bench.row(f"start-up with {size:,} entries in the log",
              f"{taken:,.0f} ms, {taken / short:.2f} × that with {small:,} ({short:,.0f} ms)")
    long.pages()
    long.stream()
    long.server.stop()
    bench.remove(long.server)
