# SPDX-License-Identifier: Apache-2.0
"""The very next decision knows of it: every acknowledged change and every millisecond of the clock,
on every loop, alone and in batches, recorded or not, held against models of both."""

import collections
import itertools
import json
import os
import threading

from conftest import NOW, NOW_S
from harness import bodies
from harness.lives import Life
from harness.loops import one_on_each
from harness.questions import codes, pack_file, question
from harness.tokens import Minter
from harness.wire import request
from model import format_time, parse_time

EVALUATION = "/access/v1/evaluation"
EVALUATIONS = "/access/v1/evaluations"
TENANT = "https://directory.example/member/edp-truth"
APP = "https://directory.example/app/cap-truth"
BANK = "https://directory.example/app/fsp-truth"
DAY = 86_400_000
LOOPS = 2
LIVES = 8
STEPS = 12
MANY = 1500  # more than a cascade ends in the transaction of its cause
SEED = os.environ.get("TRUTH_SEED", "lives")
FREQUENT = (
    "consentNotFound wrongClient clientBlocked notActive expired usesExhausted linkedConsentEnded "
    "licenseNotAvailable roleMissing purposeNotPermitted permissionNotPermitted "
    "resourceNotPermitted granularityTooFine outsideDataWindow recipientNotNamed"
).split()


def in_threads(work, items):
    """Calls work(item) of all at once; the first error is raised."""
    errors = []

    def run(item):
        try:
            work(item)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(item,)) for item in items]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def connect(server, lives):
    minter = Minter(server.data, parse_time(server.clock.split("x")[0]) // 1000)
    for life in lives:
        life.token = minter.tenant(life.tenant)
        life.wires = one_on_each(server, life.token, LOOPS)


def disconnect(lives):
    for life in lives:
        for wire in life.wires:
            wire.close()


def live(life):
    for _ in range(STEPS):
        life.step()
        life.ask()


def check(lives):
    for life in lives:
        for steps, questions, found, expected in life.wrong:
            at = next(i for i in range(len(found)) if found[i] != expected[i])
            said = f"{questions[at]}\nfound    {found[at]}\nexpected {expected[at]}"
            raise AssertionError(f"{said}\n{life.model.now} {steps}")


def next_border(lives, now):
    """The first moment at which the clock ends a consent."""
    due = [c.due() for life in lives for c in life.consents if c.due() is not None]
    return min(at for at in due if at > now)


def test_each_change_is_in_the_next_decision_on_every_loop(new_server, tmp_path):
    pack = pack_file(tmp_path / "pack.json", record="none")
    now = NOW_S * 1000
    lives = [Life(n, json.loads(pack.read_text()), now, SEED) for n in range(LIVES)]
    server = new_server(
        clock=f"{NOW}x0", pack=pack, environment={"CONSENTD_LOOPS": str(LOOPS)}
    )
    for phase in range(4):
        connect(server, lives)
        in_threads(live, lives)
        disconnect(lives)
        check(lives)
        border = next_border(lives, now)
        for now in (border - 1, border):  # the last millisecond of a consent, and the next
            server.restart(clock=f"{format_time(now)}x0")
            for life in lives:
                life.advance(now)
            connect(server, lives)
            in_threads(lambda life: [life.ask() for _ in range(4)], lives)
            disconnect(lives)
            check(lives)
    check_coverage(lives)


def check_coverage(lives):
    """Each is frequent: what never occurs was not held against anything."""
    answers = [answer for life in lives for answer in life.asked]
    seen = collections.Counter(code for answer in answers for code in answer["reasons"])
    seen["permits"] = sum(answer["decision"] for answer in answers)
    rare = {name for name in FREQUENT if seen[name] < len(answers) // 200}
    assert not rare, (rare, len(answers), seen)
    assert seen["permits"] > len(answers) // 10, (len(answers), seen)


# ---- the clock


class Asker:
    """A tenant with a connection to each loop."""

    def __init__(self, server):
        minter = Minter(server.data, NOW_S)
        self.token, self.auditor = minter.tenant(TENANT), minter.auditor()
        self.wires = one_on_each(server, self.token, LOOPS)
        self.turn = itertools.cycle(self.wires)

    def post(self, wire, path, body, key=None):
        headers = [] if key is None else [("Idempotency-Key", key)]
        answer = wire.ask(request("POST", path, self.token, body, headers))
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def record(self, asked):
        """(log index, decision) of a recorded decision, by one loop after the other."""
        answer = self.post(next(self.turn), EVALUATION, {**asked, "context": {"record": True}})
        return answer["context"]["logIndex"], answer["decision"]

    def times(self):
        """log index -> time."""
        reader = [("Accept", "application/x-ndjson")]
        answer = self.wires[0].ask(
            request("GET", "/v1/audit/events", self.auditor, headers=reader)
        )
        entries = map(json.loads, answer.text.splitlines())
        return {entry["index"]: parse_time(entry["at"]) for entry in entries}

    def create(self, account, expires, parent=None):
        body = bodies.consent(APP, NOW, account=account, expires=format_time(expires))
        if parent is not None:
            body |= {"client": BANK, "license": bodies.EMISSIONS}
            body["dependsOn"] = [[{"arrangementId": parent["arrangementId"]}]]
        return self.post(next(self.turn), "/v1/consents", body, key=account)

    def ask_everywhere(self, questions):
        """Reasons of each, of every loop, alone and in a batch; none of it is recorded."""
        asked = [{**one, "context": {"explain": True}} for one in questions]
        for wire in self.wires:
            for one in asked:
                yield one["resource"]["id"], codes(self.post(wire, EVALUATION, one))
            batch = self.post(wire, EVALUATIONS, {"evaluations": asked})["evaluations"]
            for one, answer in zip(asked, batch):
                yield one["resource"]["id"], codes(answer)

    def close(self):
        for wire in self.wires:
            wire.close()


ENERGY = {"permissions": ["tariff"]}
EMISSIONS = {
    "permissions": ["emissions.monthly"],
    "from": "2026-04-01T00:00Z",
    "to": "2026-05-01T00:00Z",
}


def clocked(asker, number, expires):
    """A consent, one that depends on it and outlives it, and a question about each."""
    parent = asker.create(f"parent-{number}", expires)
    child = asker.create(f"child-{number}", expires + DAY, parent)
    return (
        question(APP, parent, **ENERGY),
        question(BANK, child, purpose="green-finance-eligibility", **EMISSIONS),
    )


def test_a_consent_ends_at_its_millisecond_and_with_it_its_dependants(new_server, tmp_path):
    """The clock takes 50 real milliseconds for one of its own. What is asked between two recorded
    decisions was decided between their times."""
    server = new_server(
        clock=f"{NOW}x0.02",
        pack=pack_file(tmp_path / "pack.json", record="none"),
        environment={"CONSENTD_LOOPS": str(LOOPS)},
    )
    asker = Asker(server)
    start, _ = asker.record(question(APP, "nobody", **ENERGY))
    begin = asker.times()[start] + 60
    ends = [begin + 4 * number for number in range(6)]
    questions = [clocked(asker, number, at) for number, at in enumerate(ends)]
    brackets = []
    for (parent, child), end in zip(questions, ends):
        denied = 0
        while denied < 2:
            before, _ = asker.record(parent)
            found = list(asker.ask_everywhere([parent, child]))
            after, decision = asker.record(parent)
            brackets.append((parent, end, before, found, after, decision))
            denied += not decision
    check_brackets(brackets, asker.times())
    asker.close()


def check_brackets(brackets, times):
    permits = denials = 0
    for parent, end, before, found, after, decision in brackets:
        first, last = times[before], times[after]
        assert decision == (last < end), (last, end)
        for resource, reasons in found:
            ended = "expired" if resource == parent["resource"]["id"] else "linkedConsentEnded"
            permits += reasons == set()
            denials += ended in reasons
            assert reasons == set() or last >= end, (first, last, end)
            assert ended in reasons or first < end, (first, last, end)
    assert permits > 0 and denials > 0


# ---- cascades


def test_what_depends_on_it_is_denied_at_once_however_much_there_is(new_server, tmp_path):
    """More than one transaction ends: until the rest is written, decisions follow the links."""
    server = new_server(
        clock=f"{NOW}x0",
        pack=pack_file(tmp_path / "pack.json", record="none"),
        environment={"CONSENTD_LOOPS": str(LOOPS)},
    )
    asker = Asker(server)
    root = asker.create("root", NOW_S * 1000 + DAY)
    chains = [create_chain(asker, root, number) for number in range(MANY)]
    questions = [asked for chain in chains for asked in chain]
    assert decisions_everywhere(asker, questions) == {True: len(questions) * LOOPS}
    revoked = asker.wires[0].ask(
        request("DELETE", f"/v1/consents/{root['consentId']}", asker.token)
    )
    assert revoked.status_code == 200
    questions.reverse()  # the last are the last to be ended
    assert decisions_everywhere(asker, questions) == {False: len(questions) * LOOPS}
    assert decisions_everywhere(asker, questions, record=True) == {False: len(questions) * LOOPS}
    asker.close()


def create_chain(asker, root, number):
    """A consent that depends on the root, and for some of them one that depends on that."""
    late = NOW_S * 1000 + DAY
    child = asker.create(f"child-{number}", late, root)
    asked = [question(BANK, child, purpose="green-finance-eligibility", **EMISSIONS)]
    if number % 10 == 0:
        body = bodies.consent(APP, NOW, account=f"grandchild-{number}")
        body["dependsOn"] = [[{"arrangementId": child["arrangementId"]}]]
        path = "/v1/consents"
        grandchild = asker.post(next(asker.turn), path, body, key=f"grandchild-{number}")
        asked.append(question(APP, grandchild, **ENERGY))
    return asked


def decisions_everywhere(asker, questions, record=False):
    """How many of each in batches on every loop, the loops at the same time."""
    seen, lock = collections.Counter(), threading.Lock()

    def ask(wire):
        for at in range(0, len(questions), 1000):
            part = questions[at : at + 1000]
            body = {"evaluations": part, "context": {"record": record}}
            answers = asker.post(wire, EVALUATIONS, body)["evaluations"]
            assert len(answers) == len(part)
            with lock:
                seen.update(answer["decision"] for answer in answers)

    in_threads(ask, asker.wires)
    return seen
