# SPDX-License-Identifier: Apache-2.0
"""What tests of the process itself need: its metrics, its log lines as they come, stalled readers."""

import json
import struct
import time
import uuid

from harness import bodies
from harness.frames import Frames
from harness.wire import Wire, request

NDJSON = ("Accept", "application/x-ndjson")
DEADLINE_S = 60
DATA, WINDOW_UPDATE, END_STREAM = 0, 8, 1


def metrics(server):
    """Samples by name with labels, as /metrics prints them."""
    with Wire(server) as wire:
        answer = wire.ask(request("GET", "/metrics"))
    assert answer.status_code == 200, answer.text
    lines = [line for line in answer.text.split("\n") if line and not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def until(server, condition):
    """Asks the server for its health until condition() holds: a wait that is no sleep."""
    end = time.monotonic() + DEADLINE_S
    while not (value := condition()):
        assert time.monotonic() < end, "it did not happen"
        with Wire(server) as wire:
            assert wire.ask(request("GET", "/healthz")).status_code == 200
    return value


def logged(server, event, count=1):
    """The log lines of one event once there are `count` of them."""

    def lines():
        found = [e for e in map(json.loads, server.lines[:]) if e.get("event") == event]
        return found if len(found) >= count else None

    return until(server, lines)


def fill(server, token, app, at, count):
    """Creates consents over one connection; their ids."""
    ids = []
    with Wire(server) as wire:
        requests = [
            request(
                "POST",
                "/v1/consents",
                token,
                bodies.consent(app, at, account=f"filled-{number}"),
                [("Idempotency-Key", str(uuid.uuid4()))],
            )
            for number in range(count)
        ]
        for answer in wire.ask_many(requests):
            assert answer.status_code == 201, answer.text
            ids.append(answer.json()["consentId"])
    return ids


class Stalled(Frames):
    """A reader of the whole log over HTTP/2 that stops after the first 64 KiB: its request stays in
    flight until it reads on or leaves. The log must be longer than that."""

    def __init__(self, server, token):
        super().__init__(server)
        self.stream = self.open(
            "GET", "/v1/audit/events", token, headers=[("accept", "application/x-ndjson")]
        )
        self.flush()
        self.received = self.wait_for_window()

    def wait_for_window(self):
        """Reads without granting more, until the server may not send any more of the stream."""
        got = 0
        while got < 65535:
            for event in self.h2.receive_data(self.socket.recv(65536)):
                got += getattr(event, "flow_controlled_length", 0)
            self.flush()
        return got

    def read_on(self):
        """Grants what is left and reads to the end: the number of bytes in all. By hand, since h2
        takes a GOAWAY for the end of all streams."""
        for stream in (0, self.stream):
            self.socket.sendall(struct.pack("!BHBBLL", 0, 4, WINDOW_UPDATE, 0, stream, 1 << 24))
        with self.socket.makefile("rb") as file:
            ended = False
            while not ended:
                head = file.read(9)
                assert len(head) == 9, "the connection ended before the stream"
                high, low, kind, flags, stream = struct.unpack("!BHBBL", head)
                file.read((high << 16) + low)
                if (kind, stream) == (DATA, self.stream):
                    self.received += (high << 16) + low
                    ended = flags & END_STREAM
        return self.received
