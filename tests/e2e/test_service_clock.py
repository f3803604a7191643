# SPDX-License-Identifier: Apache-2.0
"""Invariant 7: a wall clock that steps by more than a minute stops writes until an operator says
that it is right (SIGHUP); a smaller step is none."""

import os
import pathlib
import signal
import subprocess
import time

import pytest
from harness import bodies
from harness.audit import read_log
from harness.client import Api, refused
from harness.process import logged, metrics, until
from harness.tokens import Minter
from harness.wire import Wire
from model import format_time, parse_time

TENANT = "https://directory.example/member/edp-clock"
APP = "https://directory.example/app/cap-clock"


class Stepping:
    """A server on the system's clock, which this test can step."""

    def __init__(self, new_server, folder, config=None, **settings):
        shim, self.file = folder / "stepped_clock.so", folder / "step"
        source = pathlib.Path(__file__).parent / "faults" / "stepped_clock.c"
        subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, source], check=True)
        self.server = new_server(
            config=config,
            environment={
                "LD_PRELOAD": str(shim),
                "STEPPED_CLOCK": str(self.file),
                "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=1:exitcode=99",
                **settings,
            }
        )
        self.minter = Minter(self.server.data, int(time.time()))
        self.api = Api(self.server, self.minter, self.minter.tenant(TENANT))
        self.made = 0

    def step(self, seconds):
        """In one piece: the server reads the file with each look at the clock."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(str(seconds))
        os.replace(fresh, self.file)

    def create(self):
        self.made += 1
        at = format_time(int(time.time()) * 1000 - 1000)
        return self.api.post(
            "/v1/consents",
            bodies.consent(APP, at, account=f"a{self.made}"),
            key=f"k{self.made}",
        )

    def entries(self):
        return read_log(self.api, token=self.minter.auditor())

    def confirm(self, count=1):
        self.server.process.send_signal(signal.SIGHUP)
        logged(self.server, "service.reloaded", count)


@pytest.fixture
def stepping(new_server, tmp_path):
    stepping = Stepping(new_server, tmp_path)
    yield stepping
    stepping.api.close()


@pytest.mark.parametrize("seconds", [90, -90])
def test_a_step_of_the_clock_stops_writes_until_it_is_confirmed(stepping, seconds):
    made = stepping.create()
    assert made.status_code == 201
    before = stepping.entries()
    stepping.step(seconds)
    for _ in range(2):
        answer = stepping.create()
        refused(answer, 503, "busy")
        assert int(answer.headers["retry-after"]) >= 1
    (said,) = logged(stepping.server, "store.clock_stepped")
    assert abs(said["step_ms"] - seconds * 1000) < 5000
    ready = stepping.api.get("/readyz", token=None)
    assert ready.status_code == 503 and ready.json()["checks"]["writer"] is False
    # Reads go on, and nothing was written.
    assert stepping.api.consent(made.json()["consentId"]) == made.json()
    assert stepping.entries() == before
    assert metrics(stepping.server)["consentd_clock_step_seconds"] != 0
    # An operator says that the new time is right: then it is the time of what comes.
    stepping.confirm()
    assert len(logged(stepping.server, "store.clock_confirmed")) == 1
    assert stepping.api.get("/readyz", token=None).status_code == 200
    assert stepping.create().status_code == 201
    times = [parse_time(entry["at"]) for entry in stepping.entries()]
    assert times == sorted(times)
    ahead = times[-1] - int(time.time() * 1000)
    assert abs(ahead - max(seconds, 0) * 1000) < 60_000


def seconds_of(server, thread):
    """Of processor that the threads of this name have had."""
    tick = os.sysconf("SC_CLK_TCK")
    had = 0
    for task in pathlib.Path(f"/proc/{server.process.pid}/task").iterdir():
        if (task / "comm").read_text().strip().startswith(thread):
            fields = (task / "stat").read_text().rpartition(") ")[2].split()
            had += int(fields[11]) + int(fields[12])
    return had / tick


def test_while_nothing_can_be_written_nobody_runs_in_circles(new_server, tmp_path):
    """The courier has nothing to write, and rests between its attempts to fetch keys; loops serve
    reads."""
    nowhere = {"issuer": "http://127.0.0.1:1", "audience": "a", "keysUrl": "http://127.0.0.1:1/"}
    stepping = Stepping(new_server, tmp_path, config={"issuers": [nowhere]})
    fetches = lambda: metrics(stepping.server)['consentd_key_fetches_total{outcome="failed"}']  # noqa: E731
    stepping.step(90)
    refused(stepping.create(), 503, "busy")
    logged(stepping.server, "store.clock_stepped")
    before = fetches()
    until(stepping.server, lambda: fetches() > before)
    couriers, loops = (seconds_of(stepping.server, name) for name in ("courier", "loop-"))
    while seconds_of(stepping.server, "loop-") < loops + 1:
        assert stepping.api.get("/v1/changes").status_code == 200
    assert seconds_of(stepping.server, "courier") < couriers + 0.2
    stepping.api.close()


def test_a_clock_that_was_put_right_again_is_confirmed_like_any(stepping):
    stepping.step(600)
    refused(stepping.create(), 503, "busy")
    stepping.step(0)
    refused(stepping.create(), 503, "busy")
    stepping.confirm()
    assert stepping.create().status_code == 201
    assert abs(parse_time(stepping.entries()[-1]["at"]) - time.time() * 1000) < 60_000


def test_a_small_step_is_none(stepping):
    stepping.step(50)
    assert stepping.create().status_code == 201
    assert "store.clock_stepped" not in stepping.server.stderr


def test_a_stop_does_not_wait_for_the_wall_clock(new_server, tmp_path):
    stepping = Stepping(new_server, tmp_path, CONSENTD_DRAIN_SECONDS="0")
    stepping.api.close()
    with Wire(stepping.server) as unfinished:
        unfinished.send(b"POST /v1/consents HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        assert metrics(stepping.server)["consentd_in_flight"] == 1
        stepping.step(3600)
        stepping.server.stop()
