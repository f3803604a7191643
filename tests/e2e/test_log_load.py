# SPDX-License-Identifier: Apache-2.0
"""The log under load: each receipt that was given then verifies against the tree in the end, a judge
that is not ours reads it meanwhile, and the whole log streams while it grows, complete, in bounded memory, without keeping old pages."""

import base64
import concurrent.futures
import itertools
import json
import pathlib
import re
import struct
import subprocess
import threading
import uuid

import jwt
import pytest
from conftest import NOW, NOW_S
from harness import bodies
from harness.checked import check_new_shapes, curled
from harness.client import Api
from harness.merkle import Proof, leaf_hash, root
from harness.process import NDJSON, Stalled
from harness.proxy import Proxy
from harness.questions import question
from harness.server import CTL
from harness.tokens import Minter
from harness.wire import Wire, request
from test_export import ctl, export
from test_judge import judge  # noqa: F401
from test_log_served import append_tokens

MIB = 1 << 20
TENANT = "https://directory.example/load/member/{}"
APP = "https://directory.example/load/app"


# ---- receipts


def live(server, minter, number, receipts):
    """Creates, adds to and ends consents, and takes a receipt after each change."""

    def take(api, consent):
        answer = api.get(f"/v1/consents/{consent}/receipt", check=False)
        assert answer.status_code == 200, answer.text
        receipts.append(answer.text)

    with Api(server, minter, minter.tenant(TENANT.format(number % 2))) as tenant:
        for turn in range(20):
            account = f"account-{number}-{turn}"
            consent = tenant.create(bodies.consent(APP, NOW, account=account))["consentId"]
            take(tenant, consent)
            append_tokens(tenant, consent, 1, turn)
            take(tenant, consent)
            if turn % 2:
                tenant.end(consent)
                take(tenant, consent)


def test_every_receipt_of_a_load_run_verifies_against_the_final_tree(new_server, judge, tmp_path):  # noqa: F811
    server = new_server(clock=f"{NOW}x0")
    minter = Minter(server.data, NOW_S)
    receipts = []
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(live, server, minter, n, receipts) for n in range(6)]:
            done.result()
    with Api(server, None) as nobody:
        jwks = nobody.get("/.well-known/jwks.json").json()
    (tmp_path / "keys").write_text(json.dumps(jwks))
    export(server.data, tmp_path / "out")
    vkey = (tmp_path / "out" / "vkey").read_text().strip()
    lines = (tmp_path / "out" / "events.ndjson").read_bytes().splitlines()
    leaves = [base64.b64decode(json.loads(line)["leaf"]) for line in lines]
    hashes = [leaf_hash(leaf) for leaf in leaves]
    assert judge(tmp_path / "out", vkey) == (0, f"good, {len(leaves)} entries")
    done = ctl("verify", tmp_path / "out", "--vkey", vkey, "--openings")
    assert done.returncode == 0 and base64.b64encode(root(hashes)).decode() in done.stdout, done

    [key] = [jwt.PyJWK(key) for key in jwks["keys"]]
    options = {"verify_iat": False, "verify_aud": False}
    seen = set()
    for receipt in receipts:
        claims = jwt.decode(receipt, key, ["ES256"], options=options)
        proof = Proof(claims["log"]["proof"], vkey)
        assert proof.index == claims["log"]["index"]
        leaf = base64.b64decode(claims["log"]["leaf"])
        assert leaf == leaves[proof.index]
        proof.check(leaf, hashes)
        seen.add(proof.index)
    assert len(receipts) == len(seen) == 6 * (20 * 2 + 10)

    def verify(receipt):
        command = [CTL, "verify-receipt", "/dev/stdin", "--keys", tmp_path / "keys"]
        command += ["--vkey", vkey]
        return subprocess.run(command, input=receipt, capture_output=True, text=True)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for done in pool.map(verify, receipts):
            assert (done.returncode, done.stderr) == (0, ""), done


ROUNDS = 8


def test_a_judge_that_is_not_ours_reads_the_log_while_it_is_written(new_server, judge, tmp_path):  # noqa: F811
    """Over HTTP; each checkpoint continues the one before, and writers have gone on in between."""
    server = new_server(clock=f"{NOW}x0")
    minter = Minter(server.data, NOW_S)
    (tmp_path / "token").write_text(minter.auditor())
    with Api(server, minter, minter.auditor()) as auditor:
        vkey = auditor.get("/v1/audit/events/0").json()["payload"]["body"]["verifierKey"]
    over = threading.Event()

    def write(number):
        with Api(server, minter, minter.tenant(TENANT.format(number))) as tenant:
            for turn in itertools.count():
                if over.is_set():
                    return
                tenant.create(bodies.consent(APP, NOW, account=f"account-{number}-{turn}"))

    with concurrent.futures.ThreadPoolExecutor(2) as pool, Proxy(server) as proxy:
        writers = [pool.submit(write, number) for number in range(2)]
        try:
            options = ("-token", tmp_path / "token", "-rounds", str(ROUNDS))
            status, said = judge(*options, f"{proxy.url}/log", vkey)
        finally:
            over.set()
        for writer in writers:
            writer.result()
    assert status == 0, said
    sizes = [int(re.fullmatch(r"good, (\d+) entries", line)[1]) for line in said.splitlines()]
    assert len(sizes) == ROUNDS and sizes == sorted(set(sizes)), sizes


# ---- the whole log as a stream

ENTRIES = 50_000
BATCH = 500


def record(server, minter, batches):
    """So many batches of decisions, each an entry of the log."""
    token = minter.tenant(TENANT.format(0))
    asked = question(APP, "account-of-nobody", context={"record": True})
    body = {**asked, "evaluations": [{}] * BATCH}
    with Wire(server) as wire:
        for _ in range(batches):
            answer = wire.ask(request("POST", "/access/v1/evaluations", token, body))
            assert answer.status_code == 200, answer.text


def create(wire, token, number):
    body = bodies.consent(APP, NOW, account=f"account-{number}")
    key = [("Idempotency-Key", str(uuid.uuid4()))]
    answer = wire.ask(request("POST", "/v1/consents", token, body, key))
    assert answer.status_code == 201, answer.text


def resident(server):
    """Bytes that are resident and not of the store's map."""
    others, here = 0, False
    smaps = pathlib.Path(f"/proc/{server.process.pid}/smaps").read_text()
    for line in smaps.splitlines():
        if "-" in line.split(" ", 1)[0]:
            here = line.endswith("/data.mdb")
        elif line.startswith("Rss:") and not here:
            others += int(line.split()[1]) * 1024
    return others


def readers(server):
    """The snapshots that the server's readers hold, from LMDB's lock file (0.9: two heads of 64 bytes,
    then a line of 64 bytes for each reader: transaction, process, thread)."""
    lock = next(server.data.rglob("lock.mdb")).read_bytes()
    assert struct.unpack_from("<I", lock)[0] == 0xBEEFC0DE
    found = []
    for at in range(128, len(lock), 64):
        transaction, process = struct.unpack_from("<QI", lock, at)
        if process == server.process.pid and transaction != 2**64 - 1:
            found.append(transaction)
    return found


def streamed(server, token, look):
    """The lines of the whole log; look() after each MiB."""
    with Wire(server) as wire:
        wire.send(request("GET", "/v1/audit/events", token, headers=[NDJSON]))
        received, looked = [], 0
        while b"\r\n\r\n" not in wire.buffer:
            wire._more()
        head, _, wire.buffer = wire.buffer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        while size := int(wire._line(), 16):
            received.append(wire._take(size))
            assert wire._take(2) == b"\r\n"
            looked += size
            if looked > MIB:
                looked = 0
                look()
    return b"".join(received).splitlines()


def test_the_whole_log_streams_while_writes_go_on(new_server, tmp_path):
    """Complete, each entry once, in less than 32 MiB."""
    keep_nothing = "detect_leaks=1:exitcode=99:quarantine_size_mb=0:thread_local_quarantine_size_kb=0"
    server = new_server(clock=f"{NOW}x0", environment={"ASAN_OPTIONS": keep_nothing})
    minter = Minter(server.data, NOW_S)
    record(server, minter, ENTRIES // BATCH)
    stop, written, sizes = threading.Event(), threading.Semaphore(0), []

    def write():
        number = 0
        with Wire(server) as wire:
            while not stop.is_set():
                create(wire, minter.tenant(TENANT.format(1)), number)
                number += 1
                written.release()
        return number

    def look():
        assert written.acquire(timeout=60) and written.acquire(timeout=60)  # it goes on
        sizes.append(resident(server))

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        writer = pool.submit(write)
        try:
            streamed(server, minter.auditor(), look)  # what each loop keeps for good is made
            before = sizes[-1]
            sizes.clear()
            lines = streamed(server, minter.auditor(), look)
        finally:
            stop.set()
        made = writer.result()
    assert len(sizes) > 20
    assert max(sizes) - before < 32 * MIB, f"{(max(sizes) - before) / MIB:.1f} MiB"
    assert len(lines) > ENTRIES
    assert [json.loads(line)["index"] for line in lines] == list(range(len(lines)))
    export(server.data, tmp_path / "out")
    with (tmp_path / "out" / "events.ndjson").open("rb") as exported:
        for line in lines:
            assert exported.readline() == line + b"\n"
        later = exported.read().splitlines()
    assert len(sizes) < len(later) < made  # the writes while it streamed stand behind its end


@pytest.mark.parametrize("version", ["--http1.1", "--http2-prior-knowledge"])
def test_a_reader_that_keeps_up_does_not_have_the_loop_for_himself(new_server, tmp_path, version):
    """There is one loop, and curl reads faster than the log is read."""
    server = new_server(clock=f"{NOW}x0", environment={"CONSENTD_LOOPS": "1"})
    minter = Minter(server.data, NOW_S)
    record(server, minter, 30)
    command = ["curl", "-sS", "--noproxy", "*", version, "-o", tmp_path / "log"]
    command += ["--dump-header", tmp_path / "head"]
    command += ["-H", f"Authorization: Bearer {minter.auditor()}"]
    command += ["-H", "Accept: application/x-ndjson", f"{server.url}/v1/audit/events"]
    served = 0
    with subprocess.Popen(command) as curl:
        with Wire(server) as wire:
            while curl.poll() is None:
                assert wire.ask(request("GET", "/healthz")).status_code == 200
                begun = (tmp_path / "log").exists() and (tmp_path / "log").stat().st_size > 0
                served += begun and curl.poll() is None
        assert curl.returncode == 0
    log = (tmp_path / "log").read_bytes()
    answer = curled((tmp_path / "head").read_bytes(), log)
    check_new_shapes("GET", "/v1/audit/events", answer)
    assert len(log.splitlines()) == 30 * BATCH + 2
    assert served > 10


def test_a_stream_that_is_not_read_keeps_no_old_pages(new_server):
    """The file grows as it does without a reader: what commits free is used again."""
    server = new_server(clock=f"{NOW}x0")
    minter = Minter(server.data, NOW_S)
    token = minter.tenant(TENANT.format(1))
    record(server, minter, 10)
    data = next(server.data.rglob("data.mdb"))

    def grown(first):
        before = data.stat().st_size
        with Wire(server) as wire:
            for number in range(first, first + 300):
                create(wire, token, number)
        return data.stat().st_size - before

    grown(0)
    without = grown(1000)
    with Stalled(server, minter.auditor()) as frames:
        assert readers(server) == []  # it holds no snapshot while it waits
        beside = grown(2000)
        assert readers(server) == []
        assert frames.read_on() > 5000 * 200
    assert beside < without + 2 * MIB, (beside, without)
