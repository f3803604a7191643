# SPDX-License-Identifier: Apache-2.0
"""Another policy pack: by SIGHUP under load, by a restart, and where it cannot be.

Two packs that answer oppositely take turns, with broken ones in between, while decisions and
creates go to every loop: each answer is one pack's and no mixture, and what is recorded stands in
the log behind the activation of the pack that judged it."""

import hashlib
import itertools
import json
import os
import signal
import threading

import pytest
from conftest import NOW, NOW_S
from harness import bodies
from harness.audit import read_log
from harness.client import Api
from harness.frames import Frames
from harness.process import logged
from harness.questions import question
from harness.server import PERSEUS
from harness.tokens import Minter
from harness.wire import Wire, request

TENANT = "https://directory.example/member/edp-reload"
APP = "https://directory.example/app/cap-reload"
RELOADS = 150  # two of three put the other pack in force, every third is broken
REPLAYS = 50  # of what was recorded, spread over all of it
WIRES = 8  # for each kind of caller
NINE_MONTHS = "2027-03-15T12:00:00Z"
FAVOURITE = {"alpha": "a", "beta": "b"}  # the kind of data that a pack permits; it denies the other


def pack_of(name):
    """Perseus that denies the other's kind. Beta has a shorter term, names that alpha lacks, and
    its codes in the opposite order: a bit of one pack means something else in the other."""
    pack = json.loads(PERSEUS.read_text())
    other = {"alpha": "b", "beta": "a"}[name]
    pack["pack"] = name
    pack["settings"]["record"] = "none"
    pack["rules"] = [
        {
            "id": f"not-{other}",
            "effect": "deny",
            "when": [{"path": "resource.properties.kind", "op": "eq", "value": other}],
        }
    ]
    if name == "beta":
        pack["purposes"].append({"code": "spare-purpose", "title": "Spare", "roles": ["cap"]})
        pack["permissions"].append({"code": "spare-permission", "title": "Spare"})
        pack["purposes"].reverse()
        pack["permissions"].reverse()
        pack["licenses"][0]["term"] = "P6M"
        first = {"path": "context.unknown", "op": "exists", "value": True}
        pack["rules"].insert(0, {"id": "first", "effect": "deny", "when": [first]})
    return json.dumps(pack).encode()


PACKS = {name: pack_of(name) for name in FAVOURITE}
DIGESTS = {hashlib.sha256(data).hexdigest(): name for name, data in PACKS.items()}
DIGEST_OF = {name: digest for digest, name in DIGESTS.items()}
BROKEN = [
    (PACKS["alpha"][:-1], "is not JSON"),
    (b"{}", "is required"),
    (PACKS["beta"].replace(b'"P6M"', b'"6M"'), "must be an ISO 8601 duration"),
    (b"", "must have 1 to 4194304 bytes"),
]


def asked(kind, **context):
    return question(APP, "account-0", permissions=["tariff"], kind=kind, context=context)


class Callers(threading.Thread):
    """Asks one thing on many connections at once, again and again until told to stop."""

    def __init__(self, server, token, stop):
        super().__init__()
        self.wires = [Wire(server) for _ in range(WIRES)]
        self.token, self.stop = token, stop
        self.answers = []
        self.count = itertools.count()

    def run(self):
        while not self.stop.is_set():
            for wire in self.wires:
                wire.send(self.request())
            for wire in self.wires:
                answer = wire.receive()
                self.answers.append((answer.status_code, answer.json()))

    def close(self):
        for wire in self.wires:
            wire.close()


class Singles(Callers):
    """`explain` makes the answer name its pack."""

    record = False

    def request(self):
        kind = "ab"[next(self.count) % 2]
        context = {"explain": True, "record": True} if self.record else {"explain": True}
        return request("POST", "/access/v1/evaluation", self.token, asked(kind, **context))

    def check(self):
        for status, answer in self.answers:
            assert status == 200, answer
            judge = DIGESTS[answer["context"]["policyDigest"]]
            denied_by = {r["clause"] for r in answer["context"]["reasons"]}
            assert denied_by <= {"rules/0", "rules/1"} and len(denied_by) == 1 - answer["decision"]
            yield judge, answer


class Recorded(Singles):
    record = True


class Batches(Callers):
    """The answers of a batch follow one pack from the first to the last."""

    record = False

    def request(self):
        document = asked("a", **({"record": True} if self.record else {}))
        resources = [asked(kind)["resource"] for kind in "abab"]
        document["evaluations"] = [{"resource": resource} for resource in resources]
        return request("POST", "/access/v1/evaluations", self.token, document)

    def check(self):
        for status, answer in self.answers:
            assert status == 200, answer
            decisions = [item["decision"] for item in answer["evaluations"]]
            assert decisions in ([True, False] * 2, [False, True] * 2), decisions
            yield "alpha" if decisions[0] else "beta", answer


class RecordedBatches(Batches):
    record = True


class Creates(Callers):
    """Nine months are admitted by alpha and too long for beta."""

    def request(self):
        number = next(self.count)
        body = bodies.consent(APP, NOW, account=f"account-{number}", expires=NINE_MONTHS)
        key = [("Idempotency-Key", f"k-{number}")]
        return request("POST", "/v1/consents", self.token, body, key)

    def check(self):
        for status, answer in self.answers:
            assert status in (201, 422), answer
            if status == 422:
                assert [r["code"] for r in answer["reasons"]] == ["termTooLong"], answer
            else:
                assert answer["policy"]["digest"] == DIGEST_OF["alpha"]
            yield "alpha" if status == 201 else "beta", answer


class Leavers(threading.Thread):
    """Ask to be recorded over HTTP/2 and are gone before the answer, which is what the writer finds
    when it hands a question back to be read again."""

    def __init__(self, server, token, stop):
        super().__init__()
        self.server, self.token, self.stop = server, token, stop
        self.left = 0

    def run(self):
        body = json.dumps(asked("a", record=True)).encode()
        while not self.stop.is_set():
            with Frames(self.server) as frames:
                for _ in range(50):
                    stream = frames.open("POST", "/access/v1/evaluation", self.token, body)
                    frames.flush()
                    frames.reset(stream)
                    self.left += 1
                frames.flush()
                stream = frames.open("GET", "/healthz")
                frames.flush()
                assert frames.answer(stream)[0] == 200

    def close(self):
        assert self.left > 0


def replace(path, data):
    """At once, so that a reload reads the old bytes or the new."""
    path.with_suffix(".next").write_bytes(data)
    os.replace(path.with_suffix(".next"), path)


def readiness(server):
    with Wire(server) as wire:
        answer = wire.ask(request("GET", "/readyz"))
    assert answer.status_code == 200
    return answer.json()["details"]


def reload_again_and_again(server, path):
    """Puts packs in force and refuses broken ones; /readyz tells which and why."""
    turns = itertools.cycle(["beta", "alpha"])
    done = {"service.reloaded": 0, "service.reload_refused": 0}
    in_force = "alpha"
    for number in range(RELOADS):
        broken = number % 3 == 2
        data, why = BROKEN[number // 3 % len(BROKEN)] if broken else (None, None)
        if not broken:
            in_force = next(turns)
            data = PACKS[in_force]
        replace(path, data)
        event = "service.reload_refused" if broken else "service.reloaded"
        done[event] += 1
        server.process.send_signal(signal.SIGHUP)
        said = logged(server, event, done[event])
        assert len(said) == done[event]
        details = readiness(server)
        assert details["policy"]["digest"] == DIGEST_OF[in_force]
        if broken:
            assert why in said[-1]["why"] and details["reloadRefused"] == said[-1]["why"]
        else:
            assert "reloadRefused" not in details
    return done["service.reloaded"]


def whole_log(server, minter):
    with Api(server, minter, minter.auditor()) as api:
        return read_log(api)


def check_log(entries):
    """Every entry that a pack judged names the one whose activation is the last before it. Returns
    activations and, by index, who judged what and how."""
    in_force, activations, judged = None, [], {}
    for entry in entries:
        body = entry["payload"].get("body", {})
        if entry["event"] == "policy.activated":
            activations.append(body)
            in_force = body["digest"]
        elif entry["event"].startswith("decision."):
            assert body["policyDigest"] == in_force, entry["index"]
            judged[entry["index"]] = (DIGESTS[in_force], body["decision"])
        elif entry["event"] == "consent.granted":
            assert body["terms"]["policy"]["digest"] == in_force, entry["index"]
    return activations, judged


def check_recorded(callers, judged):
    """The log has what was answered, and is about the pack that gives such an answer."""
    for judge, answer in callers.check():
        for item in answer.get("evaluations", [answer]):
            assert judged[item["context"]["logIndex"]] == (judge, item["decision"])


def check_replays(server, token, recorded):
    """Whatever is in force by now, each is judged again by the pack that judged it."""
    answers = list(recorded.check())
    chosen = answers[:: max(len(answers) // REPLAYS, 1)]
    assert {judge for judge, _ in chosen} == {"alpha", "beta"}
    with Wire(server) as wire:
        for judge, answer in chosen:
            path = f"/v1/audit/decisions/{answer['context']['decisionId']}/replay"
            again = wire.ask(request("POST", path, token))
            assert again.status_code == 200, again.text
            outcome = again.json()
            assert outcome["agrees"] is True, outcome
            assert outcome["policy"]["digest"] == DIGEST_OF[judge]


@pytest.fixture
def storm(new_server, tmp_path):
    path = tmp_path / "pack.json"
    replace(path, PACKS["alpha"])
    quiet = {"CONSENTD_LOOPS": "4", "CONSENTD_ACCESS_LOG": "false"}
    server = new_server(pack=path, clock=f"{NOW}x0", environment=quiet)
    return server, path


def test_every_answer_through_many_reloads_is_one_packs(storm):
    server, path = storm
    minter = Minter(server.data, NOW_S)
    token, stop = minter.tenant(TENANT), threading.Event()
    with Wire(server) as wire:
        body = bodies.consent(APP, NOW, account="account-0", expires="2026-12-01T00:00:00Z")
        made = wire.ask(request("POST", "/v1/consents", token, body, [("Idempotency-Key", "0")]))
        assert made.status_code == 201, made.text
    kinds = (Singles, Recorded, Batches, RecordedBatches, Creates)
    callers = [kind(server, token, stop) for kind in (*kinds, Leavers)]
    for each in callers:
        each.start()
    try:
        reloaded = reload_again_and_again(server, path)
    finally:
        stop.set()
        for each in callers:
            each.join()
            each.close()
    activations, judged = check_log(whole_log(server, minter))
    singles, recorded, batches, recorded_batches, creates, _ = callers
    for plain in (singles, batches, creates):
        assert {judge for judge, _ in plain.check()} == {"alpha", "beta"}
    check_recorded(recorded, judged)
    check_recorded(recorded_batches, judged)
    check_replays(server, minter.auditor(), recorded)
    assert [body["digest"] for body in activations] == [
        DIGEST_OF[name] for name in itertools.islice(itertools.cycle(FAVOURITE), reloaded + 1)
    ]
    assert [body["bytes"].encode() for body in activations if "bytes" in body] == list(
        PACKS.values()
    )
    check_bytes(server, token)
    server.stop()


def check_bytes(server, token):
    with Wire(server) as wire:
        for name, data in PACKS.items():
            answer = wire.ask(request("GET", f"/v1/policies/{DIGEST_OF[name]}", token))
            assert (answer.status_code, answer.content) == (200, data)
        for data, _ in BROKEN:
            digest = hashlib.sha256(data).hexdigest()
            assert wire.ask(request("GET", f"/v1/policies/{digest}", token)).status_code == 404


# ---- a restart


def activations(server, minter):
    return check_log(whole_log(server, minter))[0]


def test_a_restart_with_another_pack_activates_it_once(storm):
    server, path = storm
    minter = Minter(server.data, NOW_S)
    for name, entries in (("alpha", 1), ("beta", 2), ("beta", 2), ("alpha", 3)):
        server.stop()
        replace(path, PACKS[name])
        server.start()
        done = activations(server, minter)
        assert (len(done), done[-1]["digest"]) == (entries, DIGEST_OF[name])
        assert readiness(server)["policy"]["digest"] == DIGEST_OF[name]
    assert ["bytes" in entry for entry in done] == [True, True, False]


def test_a_killed_service_has_one_entry_for_its_pack(storm):
    server, path = storm
    minter = Minter(server.data, NOW_S)
    replace(path, PACKS["beta"])
    server.process.send_signal(signal.SIGHUP)
    logged(server, "service.reloaded")
    server.kill()
    server.start()
    assert [entry["pack"] for entry in activations(server, minter)] == ["alpha", "beta"]


# ---- where it cannot be


def refused_to_reload(server, path, data, why):
    """Nothing has changed, and both places say why."""
    before = readiness(server)
    replace(path, data)
    count = len([e for e in server.log_entries() if e["event"] == "service.reload_refused"])
    server.process.send_signal(signal.SIGHUP)
    said = logged(server, "service.reload_refused", count + 1)[-1]
    assert said["why"] == why
    assert readiness(server) == {**before, "reloadRefused": why}


def with_purposes(count):
    """Perseus and so many purposes more."""
    pack = json.loads(PERSEUS.read_text())
    pack["pack"] = f"more-{count}"
    pack["purposes"] += [
        {"code": f"{count}-{i}", "title": "One more", "roles": ["cap"]} for i in range(count)
    ]
    return json.dumps(pack).encode()


def test_all_packs_together_have_at_most_64_purposes(storm):
    server, path = storm
    minter = Minter(server.data, NOW_S)
    full = (
        "the policy pack would make more than 64 purposes or 64 permissions, counting those of all "
        "packs before it"
    )
    refused_to_reload(server, path, PACKS["alpha"] + b" " * 4194304, TOO_LARGE.format(path))
    replace(path, with_purposes(50))
    server.process.send_signal(signal.SIGHUP)
    logged(server, "service.reloaded", 1)
    refused_to_reload(server, path, with_purposes(8), full)
    replace(path, with_purposes(7))  # 7 of Perseus, 50 and 7: one that was refused took none
    server.process.send_signal(signal.SIGHUP)
    logged(server, "service.reloaded", 2)
    refused_to_reload(server, path, PACKS["beta"], full)
    names = [entry["pack"] for entry in activations(server, minter)]
    assert names == ["alpha", "more-50", "more-7"]
    server.stop()
    with pytest.raises(AssertionError, match="did not start"):
        server.start()  # a start says so, too
    assert any(e.get("why") == full for e in server.log_entries())


TOO_LARGE = 'config: "pack": {}: File too large'


def test_a_pack_that_the_store_has_no_room_for(new_server, tmp_path):
    path = tmp_path / "pack.json"
    replace(path, PACKS["alpha"])
    server = new_server(
        pack=path, clock=f"{NOW}x0", environment={"CONSENTD_MAP_SIZE": str(4 << 20)}
    )
    minter = Minter(server.data, NOW_S)
    large = json.loads(PACKS["beta"])
    large["purposes"][0]["text"] = "x" * 65_536
    large["licenses"][0]["texts"] = [
        {"language": f"x-{number}", "text": "y" * 65_536} for number in range(50)
    ]
    refused_to_reload(
        server, path, json.dumps(large).encode(), "the store has no room for the policy pack"
    )
    with Wire(server) as wire:  # the writer goes on under the old one
        body = bodies.consent(APP, NOW, expires=NINE_MONTHS)
        made = wire.ask(
            request("POST", "/v1/consents", minter.tenant(TENANT), body, [("Idempotency-Key", "0")])
        )
        assert made.status_code == 201, made.text
    replace(path, PACKS["beta"])
    server.process.send_signal(signal.SIGHUP)
    logged(server, "service.reloaded")
    assert readiness(server)["policy"]["digest"] == DIGEST_OF["beta"]
    assert [entry["pack"] for entry in activations(server, minter)] == ["alpha", "beta"]
