# SPDX-License-Identifier: Apache-2.0
"""Measures a release build and writes bench/RESULTS.md. Standard library only.

What is compared runs in one session with the same settings, alternating; what is stated is a median
or a whole run, never a best.
"""

import argparse
import datetime
import pathlib
import platform
import re
import shutil
import signal
import statistics
import subprocess
import tempfile

import decisions
import log
import long_log
import tls
import tokens
from service import Bare, Consentd, load, mint

PROVIDERS = [f"https://directory.core.pilot.trust.ib1.org/member/edp-{n:02d}" for n in range(50)]
ROUNDS = 5
MIB = 1 << 20


def say(text):
    print(text, flush=True)


def h2load(port, uris, token, seconds, http1, log=None):
    """Requests per second over 64 connections."""
    command = ["h2load", "-t", "1", "-c", "64", "-D", str(seconds), "-i", uris,
               "-B", f"http://127.0.0.1:{port}", "-H", f"Authorization: Bearer {token}"]
    command += ["--h1"] if http1 else ["-m", "10"]
    if log is not None:
        command += [f"--log-file={log}"]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rate = float(re.search(r"finished in [\d.]+m?s, ([\d.]+) req/s", out)[1])
    counted = re.search(r"(\d+) done, (\d+) succeeded", out)
    if counted[1] != counted[2]:
        raise SystemExit(out)
    return rate


def percentiles(log):
    """p50 and p99 in µs of h2load's log: start, status, microseconds."""
    times = sorted(int(line.split()[2]) for line in log.read_text().splitlines())
    return times[len(times) // 2], times[len(times) * 99 // 100]


def machine(build):
    """What was measured, and on which machine."""
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text())[1])
    version = subprocess.run([pathlib.Path(build) / "consentd", "--version"], check=True,
                             capture_output=True, text=True).stdout.strip()
    cores = len(set(re.findall(r"processor\s*: (\d+)", pathlib.Path("/proc/cpuinfo").read_text())))
    return (f"{datetime.date.today()}, {version}, {cpu[1] if cpu else platform.machine()}, "
            f"{cores} cores, {memory / 1024 / 1024:.0f} GiB, Linux {platform.release()}. "
            "Load generator and service share the cores. Ratios hold elsewhere, absolutes do not.")


def table(rows):
    return ["| what | measured | aim |", "|---|---|---|",
            *(f"| {what} | {value} | {aim} |" for what, value, aim in rows)]


class Bench:
    def __init__(self, build, fill, entries, scratch):
        self.build, self.fill, self.entries, self.scratch = build, fill, entries, scratch
        self.rows = []

    def row(self, what, value, aim=""):
        self.rows.append((what, value, aim))
        say(f"{what}: {value}" + (f" (aim: {aim})" if aim else ""))

    def server(self, name, **settings):
        server = Consentd(self.build, self.scratch / name, **settings).start()
        tokens = self.scratch / f"{name}.tokens"
        self.tokens = mint(self.build, server.data, PROVIDERS, tokens)
        return server, tokens

    def remove(self, server):
        shutil.rmtree(server.data)
        server.log.unlink()

    # ---- reads

    def reads(self):
        server, tokens = self.server("reads", loops=1)
        ids = self.scratch / "ids"
        load(self.build, server.port, tokens, 64, 20000, ids=ids)
        mine = [line.split()[1] for line in ids.read_text().splitlines() if line.startswith("0 ")]
        uris = self.scratch / "uris"
        uris.write_text("".join(f"http://127.0.0.1/v1/consents/{i}\n" for i in mine))
        size = self.answer_size(server, mine[0])
        bare = Bare(self.build, size)
        for http1, name in ((True, "HTTP/1.1"), (False, "HTTP/2")):
            self.compare(server, bare, uris, http1, name, size)
        server.stop()
        server.settings["CONSENTD_ACCESS_LOG"] = "false"
        server.start()
        for http1, name in ((True, "HTTP/1.1"), (False, "HTTP/2")):
            self.compare(server, bare, uris, http1, name + ", access log off", size)
        bare.stop()
        server.stop()
        self.remove(server)

    def answer_size(self, server, consent_id):
        import urllib.request

        ask = urllib.request.Request(f"http://127.0.0.1:{server.port}/v1/consents/{consent_id}",
                                     headers={"Authorization": f"Bearer {self.tokens[0]}"})
        with urllib.request.urlopen(ask) as answer:
            return len(answer.read())

    def compare(self, server, bare, uris, http1, name, size):
        pairs = []
        for _ in range(ROUNDS):
            pairs.append((h2load(server.port, uris, self.tokens[0], 2, http1),
                          h2load(bare.port, uris, self.tokens[0], 2, http1)))
        ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratio = statistics.median(a / b for a, b in pairs)
        log = self.scratch / "h2load.log"
        h2load(server.port, uris, self.tokens[0], 2, http1, log)
        p50, p99 = percentiles(log)
        log.unlink()
        self.row(f"GET of a consent ({size} bytes), {name}, one loop",
                 f"{ours:,.0f}/s, bare handler {theirs:,.0f}/s, ratio {ratio:.2f}; "
                 f"p50 {p50:,} µs, p99 {p99:,} µs", "0.60")

    # ---- writes

    def creates_from_empty(self):
        alone = None
        for clients, count, aim in ((1, 3000, ""), (64, 40000, "8,000/s, 6 × one client"),
                                    (256, 60000, "10,000/s")):
            server, tokens = self.server(f"creates-{clients}")
            found = load(self.build, server.port, tokens, clients, count)
            server.stop()
            self.remove(server)
            alone = alone or found["rate"]
            self.row(f"durable creates from empty, {clients} client{'s' * (clients > 1)}",
                     f"{found['rate']:,.0f}/s ({found['rate'] / alone:.1f} ×); p50 "
                     f"{found['p50_us']:,} µs, p99 {found['p99_us']:,} µs", aim)

    def creates_when_full(self):
        server, tokens = self.server("full")
        first = server.metrics()
        found = load(self.build, server.port, tokens, 256, self.fill)
        now = server.metrics()
        consents = int(now["consentd_consents"])
        grown = now["consentd_store_bytes"] - first["consentd_store_bytes"]
        self.row(f"filling to {consents:,} consents, 256 clients",
                 f"{found['rate']:,.0f}/s over all; {grown / self.fill:,.0f} bytes per create",
                 "2,200 bytes")
        at = self.fill
        for clients, count in ((1, 2000), (64, 30000), (256, 40000)):
            before, wrote = server.metrics(), server.written_pages()
            found = load(self.build, server.port, tokens, clients, count, first=at)
            after = server.metrics()
            at += count
            commits = after["consentd_commits_total"] - before["consentd_commits_total"]
            pages = server.written_pages() - wrote
            self.row(f"durable creates at {int(before['consentd_consents']):,} consents, "
                     f"{clients} client{'s' * (clients > 1)}",
                     f"{found['rate']:,.0f}/s; p50 {found['p50_us']:,} µs, p99 {found['p99_us']:,} "
                     f"µs; {count / commits:,.0f} changes and {pages / commits:,.0f} dirty pages "
                     f"per commit, {pages / count:,.1f} pages per create")
        of_map, others = server.resident()
        self.row(f"resident memory at {int(after['consentd_consents']):,} consents",
                 f"{others / MIB:,.1f} MiB above the map, {of_map / MIB:,.0f} MiB of the map",
                 "64 MiB")
        self.starts(server)
        self.remove(server)

    def starts(self, server):
        server.stop()
        server.start()
        self.row("start-up after a clean stop", f"{server.start_seconds * 1000:,.0f} ms", "1 s")
        server.stop(signal.SIGKILL)
        server.start()
        self.row("start-up after kill -9", f"{server.start_seconds * 1000:,.0f} ms", "1 s")
        server.stop()

    # ---- the page

    def page(self):
        lines = [
            "<!-- Written by bench/run.py: `make bench FILL=1000000 ENTRIES=10000000`. -->",
            "# Measured",
            "",
            machine(self.build),
            "",
            *table(self.rows),
            "",
            "GET: h2load, one thread, 64 connections (HTTP/2: 10 streams each), medians of "
            f"{ROUNDS} runs of 2 s, alternating with the bare handler (bench/bare_h2o.c), which "
            "returns a constant of the same size. p50 and p99 as h2load sees them at full load. "
            "Creates: bench/load.c, each with a body, Idempotency-Key and account of its own, "
            "answered after the commit is on disk. Bytes per create: growth of the store's used "
            "pages. Dirty pages: what the writer thread handed to the kernel, in pages of 4 KiB. "
            "Decisions: bench/decisions.py, h2load over HTTP/1.1, the access log on; medians of "
            f"{ROUNDS} runs. The log's hashing and signing: the same objects, in a program whose linker "
            "replaced commitments, leaf hashes, the tree and the checkpoint's signature by nothing "
            "(bench/without_log.c); alternating. The long log: bench/long_log.py, recorded decisions "
            "of 50 tenants, 200 clients and 10,000 consents.",
            "",
        ]
        return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build", type=pathlib.Path)
    parser.add_argument("--fill", default=100000, type=int)
    parser.add_argument("--entries", default=500000, type=int)
    parser.add_argument("--only", choices=("reads", "creates", "decisions", "log", "long", "tokens",
                                           "tls", "full"),
                        help="measure and print this alone; the results are not written")
    parser.add_argument("--results", default=pathlib.Path(__file__).with_name("RESULTS.md"),
                        type=pathlib.Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="consentd-bench-", dir=options.build) as scratch:
        bench = Bench(options.build, options.fill, options.entries, pathlib.Path(scratch))
        parts = {"reads": bench.reads, "creates": bench.creates_from_empty,
                 "decisions": lambda: decisions.measure(bench),
                 "log": lambda: log.measure(bench), "long": lambda: long_log.measure(bench),
                 "tokens": lambda: tokens.measure(bench),
                 "tls": lambda: tls.measure(bench),
                 "full": bench.creates_when_full}
        for name, measure in parts.items():
            if options.only in (None, name):
                measure()
        if options.only is not None:
            return
        options.results.write_text(bench.page())
    say(f"written: {options.results}")


if __name__ == "__main__":
    main()
