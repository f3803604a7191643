# SPDX-License-Identifier: Apache-2.0
"""What the log costs and gives: tiles, proofs with writes, receipts, and how fast it is verified."""

import pathlib
import re
import statistics
import subprocess
import time

from service import Bare, load, mint

PROVIDER = "https://directory.core.pilot.trust.ib1.org/member/edp-00"
ROUNDS = 5
TILE = 256 * 32


def h2load(port, path, token, *more):
    """(requests per second, mean µs) of one GET, over and over."""
    command = ["h2load", "--h1", "-t", "1", "-D", "2", *more,
               "-H", f"Authorization: Bearer {token}", f"http://127.0.0.1:{port}{path}"]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    counted = re.search(r"(\d+) done, (\d+) succeeded", out)
    if counted[1] != counted[2]:
        raise SystemExit(out)
    rate = float(re.search(r"finished in [\d.]+m?s, ([\d.]+) req/s", out)[1])
    return rate, 1e6 / rate


def tiles(bench, server, token):
    bare = Bare(bench.build, TILE)
    pairs = [(h2load(server.port, "/log/tile/0/000", token, "-c", "64")[0],
              h2load(bare.port, "/", token, "-c", "64")[0]) for _ in range(ROUNDS)]
    bare.stop()
    ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    bench.row("a full tile of the log (8,192 bytes), one loop",
              f"{ours:,.0f}/s, bare handler {theirs:,.0f}/s, ratio {ratio:.2f}", "0.40")


def proofs(bench, server, tokens):
    """Alternating, so that both see the same disk."""
    at, times = 100000, {False: [], True: []}
    for _ in range(ROUNDS):
        for proof in (False, True):
            found = load(bench.build, server.port, tokens, 1, 1000, first=at, proof=proof)
            at += 1000
            times[proof].append(found["p50_us"])
    plain, proven = (statistics.median(times[proof]) for proof in (False, True))
    bench.row("a durable create with the proof of its entry, 1 client",
              f"p50 {proven:,.0f} µs, without {plain:,.0f} µs: {proven - plain:+,.0f} µs", "60 µs")


def receipts(bench, server, token, consent):
    taken = [h2load(server.port, f"/v1/consents/{consent}/receipt", token, "-c", "1")[1]
             for _ in range(ROUNDS)]
    bench.row("a signed receipt, 1 client", f"{statistics.median(taken):,.0f} µs", "700 µs")


def proving(bench):
    """The same creates with the log's hashing and signing, and in a program without."""
    sides = [bench.server("proving"), bench.server("unproving", program="bench/consentd")]
    at = 0
    for clients, count in ((1, 1000), (64, 10000)):
        pairs = []
        for turn in range(ROUNDS):
            rates = [0, 0]
            for side in (0, 1) if turn % 2 == 0 else (1, 0):
                server, tokens = sides[side]
                rates[side] = load(bench.build, server.port, tokens, clients, count,
                                   first=at)["rate"]
            pairs.append(rates)
            at += count
        proven, plain = (statistics.median(side) for side in zip(*pairs, strict=True))
        lost = 1 - statistics.median(a / b for a, b in pairs)
        bench.row(f"durable creates with the log's hashing and signing, {clients} "
                  f"client{'s' * (clients > 1)}",
                  f"{proven:,.0f}/s, without {plain:,.0f}/s: {100 * lost:.1f} % lost", "15 %")
    for server, _ in sides:
        server.stop()
        bench.remove(server)


def verified(bench, server):
    """From a directory; one process, one thread."""
    out = bench.scratch / "export"
    ctl = pathlib.Path(bench.build) / "consentctl"
    subprocess.run([ctl, "export", "--data", server.data, out], check=True, capture_output=True)
    vkey = (out / "vkey").read_text().split("\n")[0]
    size = int((out / "checkpoint").read_text().split("\n")[1])
    for more, what in (([], ""), (["--openings"], " and every payload")):
        rates = []
        for _ in range(ROUNDS):
            begun = time.monotonic()
            subprocess.run([ctl, "verify", out, "--vkey", vkey, *more], check=True,
                           capture_output=True)
            rates.append(size / (time.monotonic() - begun))
        bench.row(f"verifying a directory of {size:,} entries{what}, one core",
                  f"{statistics.median(rates):,.0f} leaves/s", "300,000/s")


def measure(bench):
    proving(bench)
    server, tokens = bench.server("log", loops=1)
    token = mint(bench.build, server.data, [PROVIDER], tokens)[0]
    auditor = subprocess.run(
        [pathlib.Path(bench.build) / "consentctl", "token", "--data", server.data, "--role", "auditor",
         "--id", "https://auditor.example", "--providers", "*", "--ttl", "24h"],
        check=True, capture_output=True, text=True).stdout.strip()
    ids = bench.scratch / "log.ids"
    load(bench.build, server.port, tokens, 64, 20000, ids=ids)
    tiles(bench, server, auditor)
    proofs(bench, server, tokens)
    receipts(bench, server, token, ids.read_text().split()[1])
    load(bench.build, server.port, tokens, 256, 80000, first=20000)
    verified(bench, server)
    server.stop()
    bench.remove(server)
