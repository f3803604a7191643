# SPDX-License-Identifier: Apache-2.0
"""GET /v1/changes: the feed against the log, and long polls: who is woken, who leaves, what a stop
does to them."""

import json
import socket
import struct
import threading
import uuid

import hpack
import pytest
from conftest import NOW, NOW_S
from harness import bodies
from harness.audit import read_log
from harness.client import Api, refused
from harness.frames import Frames
from harness.process import metrics, until
from harness.tokens import Minter
from harness.wire import Closed, Wire, request

EDP = "https://directory.example/changes/member/edp"
OTHER = "https://directory.example/changes/member/other"
APP = "https://directory.example/changes/app"
OTHER_APP = "https://directory.example/changes/other-app"
ONE_LOOP = {"CONSENTD_LOOPS": "1"}
WAITING_ONE = 64  # LIMIT_WAITING_ONE


class Feed:
    def __init__(self, server):
        self.server = server
        self.minter = Minter(server.data, NOW_S)
        self.edp = self.minter.tenant(EDP)
        self.app = self.minter.client(APP)

    def api(self, token=None):
        return Api(self.server, self.minter, token or self.edp)

    def waiting(self):
        return metrics(self.server)["consentd_waiting"]

    def await_waiting(self, count):
        until(self.server, lambda: self.waiting() == count)


@pytest.fixture
def feed(new_server):
    return Feed(new_server(clock=f"{NOW}x0"))


@pytest.fixture
def lone(new_server):
    return Feed(new_server(clock=f"{NOW}x0", environment=ONE_LOOP))


def create(api, app=APP, account=None):
    return api.create(bodies.consent(app, NOW, account=account or str(uuid.uuid4())))


def follow(api, after=None, wait=0, limit=500):
    """One page: its items, and where to go on."""
    params = {"limit": limit, "wait": wait}
    if after is not None:
        params["after"] = after
    response = api.get("/v1/changes", params=params)
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    page = response.json()
    return page["items"], page.get("next", after), page["more"]


def history(entries, **whose):
    """What a feed must have of the log: its consent events about these."""
    return [
        (e["index"], e["event"], e["payload"]["consentId"])
        for e in entries
        if e["event"].startswith("consent.")
        and any(e["payload"].get(member) == name for member, name in whose.items())
    ]


def told(items):
    return [(i["index"], i["event"], i["consentId"]) for i in items]


def test_feeds_under_concurrent_writes_are_the_log_without_loss_or_repetition(feed):
    """Two writers, ten followers that begin at different times; each ends with the whole."""
    done = threading.Event()
    failures = []

    def write(tenant, app):
        with feed.api(feed.minter.tenant(tenant)) as api:
            for number in range(60):
                made = create(api, app)
                if number % 3 == 0:
                    api.end(made["consentId"])

    seen = {number: [] for number in range(12)}

    def read(number):
        try:
            token = feed.edp if number % 2 else feed.app
            with feed.api(token) as api:
                after, last = None, False
                while True:
                    last = done.is_set()
                    items, after, more = follow(api, after, wait=0 if last else 1, limit=7)
                    seen[number] += told(items)
                    if last and not items and not more:
                        return
        except Exception as error:  # a thread's failure is the test's
            failures.append(error)

    readers = [threading.Thread(target=read, args=(n,)) for n in seen]
    writers = [threading.Thread(target=write, args=a) for a in ((EDP, APP), (OTHER, APP))]
    for thread in readers + writers:
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in readers:
        thread.join()
    assert failures == []
    with feed.api(feed.minter.auditor()) as auditor:
        entries = read_log(auditor)
    of_edp, of_app = history(entries, tenant=EDP), history(entries, client=APP)
    assert len(of_edp) == 80 and len(of_app) == 160
    for number, items in seen.items():
        assert items == (of_edp if number % 2 else of_app), number


def test_a_change_wakes_everybody_whom_it_concerns(lone):
    """More than ten wait on one loop; strangers go on waiting."""
    with lone.api() as tenant, Frames(lone.server) as frames:
        made = create(tenant)
        after = made["logIndex"]
        path = f"/v1/changes?wait=60&after={after}"
        mine = [frames.open("GET", path, lone.edp if n % 2 else lone.app) for n in range(20)]
        other = frames.open("GET", path, lone.minter.tenant(OTHER))
        unknown = frames.open("GET", path, lone.minter.tenant("https://directory.example/new"))
        frames.flush()
        lone.await_waiting(22)
        ended = tenant.end(made["consentId"])
        got = collect(frames, mine)
        for number, stream in enumerate(mine):
            status, _, body = got[stream]
            page = json.loads(body)
            assert status == 200
            assert told(page["items"]) == [
                (ended["logIndex"], "consent.revoked", made["consentId"])
            ]
            owed = page["items"][0].get("withdrawalMessage")
            assert owed == ("owed" if number % 2 else None)
        lone.await_waiting(2)
        frames.reset(other)
        frames.reset(unknown)
        frames.flush()
        lone.await_waiting(0)


def collect(frames, streams):
    """Answers of all of these streams, in whatever order they come."""
    answers = {}
    parts = {stream: [None, {}, b""] for stream in streams}
    while len(answers) < len(streams):
        assert not frames.closed
        for event in frames.events():
            part = parts.get(getattr(event, "stream_id", None))
            if part is None:
                continue
            name = type(event).__name__
            if name == "ResponseReceived":
                part[1] = {bytes(k).decode(): bytes(v).decode() for k, v in event.headers}
                part[0] = int(part[1][":status"])
            elif name == "DataReceived":
                part[2] += event.data
            elif name == "StreamEnded":
                answers[event.stream_id] = tuple(part)
    return answers


def test_who_cancels_or_leaves_waits_no_longer(lone):
    token = lone.edp
    with Frames(lone.server) as frames:
        streams = [frames.open("GET", "/v1/changes?wait=60", token) for _ in range(30)]
        frames.flush()
        lone.await_waiting(30)
        for stream in streams[:15]:
            frames.reset(stream)
        frames.flush()
        lone.await_waiting(15)
    lone.await_waiting(0)  # the connection has gone
    wires = [Wire(lone.server) for _ in range(12)]
    for wire in wires:
        wire.send(request("GET", "/v1/changes?wait=60", token))
    lone.await_waiting(12)
    for wire in wires[:6]:
        wire.close()
    lone.await_waiting(6)
    wires[6].socket.shutdown(socket.SHUT_WR)  # it still listens, and is answered
    answer = wires[6].receive()
    assert (answer.status_code, answer.json()) == (200, {"items": [], "more": False})
    with lone.api() as tenant:
        create(tenant)  # nothing of those that left is touched
    for wire in wires[7:]:
        assert len(wire.receive().json()["items"]) == 1
        wire.close()
    wires[6].close()
    now = metrics(lone.server)
    assert now["consentd_waiting"] == 0
    assert now["consentd_in_flight"] == 1


def test_a_stop_answers_those_who_wait(new_server):
    """Without a wait for the deadline: an answer that says nothing happened, not a lost request."""
    feed = Feed(new_server(clock=f"{NOW}x0", environment={"CONSENTD_DRAIN_SECONDS": "3600"}))
    with feed.api() as tenant:
        after = create(tenant)["logIndex"]
    wires = [Wire(feed.server) for _ in range(12)]
    with Frames(feed.server) as frames:
        path = f"/v1/changes?wait=60&after={after}"
        streams = [frames.open("GET", path, feed.app) for _ in range(12)]
        frames.flush()
        for wire in wires:
            wire.send(request("GET", path, feed.edp))
        feed.await_waiting(24)
        stopping = threading.Thread(target=feed.server.stop)
        stopping.start()
        for wire in wires:
            answer = wire.receive()
            assert answer.status_code == 200
            assert answer.json() == {"items": [], "next": after, "more": False}
            assert wire.at_end()
            wire.close()
        for stream, (status, _, body) in collect_all(frames, streams).items():
            assert status == 200, stream
            assert json.loads(body) == {"items": [], "next": after, "more": False}
        stopping.join()
    feed.server.start()
    with feed.api() as tenant:
        assert follow(tenant, after) == ([], after, False)


def collect_all(frames, streams):
    """Like collect, past the GOAWAY that a stop sends first."""
    parts = {stream: [None, None, b""] for stream in streams}
    ended, data, decoder = set(), b"", hpack.Decoder()
    while len(ended) < len(streams):
        more = frames.socket.recv(65536)
        assert more, "the connection ended before the answers"
        data += more
        while len(data) >= 9:
            high, low, kind, flags, stream = struct.unpack("!BHBBL", data[:9])
            size = (high << 16) + low
            if len(data) < 9 + size:
                break
            payload, data = data[9 : 9 + size], data[9 + size :]
            if kind == 1:
                parts[stream][0] = int(dict(decoder.decode(payload))[":status"])
            elif kind == 0:
                parts[stream][2] += payload
            if kind in (0, 1) and flags & 1:
                ended.add(stream)
    return {stream: tuple(part) for stream, part in parts.items()}


def test_when_the_time_is_up_nothing_has_happened(feed):
    with feed.api() as tenant:
        after = create(tenant)["logIndex"]
        assert follow(tenant, after, wait=1) == ([], after, False)


def test_what_was_written_between_a_page_and_the_next_wait_is_not_slept_through(lone):
    """Each change is made while the follower is between two polls, or is not: it cannot matter."""
    got = []
    total = 150

    def read():
        with lone.api() as api:
            after = None
            while len(got) < total:
                items, after, _ = follow(api, after, wait=60)
                got.extend(told(items))

    reader = threading.Thread(target=read)
    reader.start()
    with lone.api() as tenant:
        made = [create(tenant)["consentId"] for _ in range(total)]
    reader.join()
    assert [item[2] for item in got] == made


def test_so_many_wait_and_no_more(new_server):
    """A quarter of what may be in flight, and 64 of one caller on a loop."""
    feed = Feed(new_server(clock=f"{NOW}x0", environment={**ONE_LOOP, "CONSENTD_IN_FLIGHT": "400"}))
    with Frames(feed.server) as frames:
        for _ in range(WAITING_ONE):
            frames.open("GET", "/v1/changes?wait=60", feed.edp)
        frames.flush()
        feed.await_waiting(WAITING_ONE)
        with feed.api() as tenant:
            refused(tenant.get("/v1/changes", params={"wait": 60}), 503, "busy")
            assert follow(tenant) == ([], None, False)  # who does not wait is answered
        for _ in range(100 - WAITING_ONE):
            frames.open("GET", "/v1/changes?wait=60", feed.app)
        frames.flush()
        feed.await_waiting(100)
        with feed.api(feed.minter.tenant(OTHER)) as other:
            refused(other.get("/v1/changes", params={"wait": 60}), 503, "busy")
    feed.await_waiting(0)
    with feed.api(feed.minter.tenant(OTHER)) as other:
        assert follow(other, wait=1) == ([], None, False)


def test_head_waits_too_and_has_no_body(feed):
    with Wire(feed.server) as wire:
        wire.send(request("HEAD", "/v1/changes?wait=1", feed.edp))
        answer = wire.receive(head=True)
        assert answer.status_code == 200 and answer.headers["content-length"] != "0"


def test_an_erased_consent_stays_in_the_feed_without_what_was_erased(feed):
    with feed.api() as tenant:
        made = create(tenant)
        tenant.end(made["consentId"])
        ground = {"consentId": made["consentId"], "ground": "unlawfulProcessing", "requestId": "r"}
        assert tenant.post("/v1/erasures", ground).status_code in (200, 201, 202)
        items, _, _ = follow(tenant)
        assert [i["event"] for i in items] == ["consent.granted", "consent.revoked"]
        assert [i["status"] for i in items] == ["active", "revoked"]


def test_a_poll_whose_connection_breaks_is_not_answered_twice(lone):
    """The answer and the end of the connection race; under ASan nothing is touched twice."""
    with lone.api() as tenant:
        for _ in range(20):
            after = create(tenant)["logIndex"]
            wires = [Wire(lone.server) for _ in range(4)]
            for wire in wires:
                wire.send(request("GET", f"/v1/changes?wait=60&after={after}", lone.edp))
            lone.await_waiting(4)
            for wire in wires[:2]:
                wire.close()
            create(tenant)
            for wire in wires[2:]:
                try:
                    assert len(wire.receive().json()["items"]) == 1
                except Closed:
                    pytest.fail("a waiting request was dropped")
                wire.close()
            lone.await_waiting(0)
