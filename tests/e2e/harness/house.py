# SPDX-License-Identifier: Apache-2.0
"""A server with a mutual and a public listener, its authority, and callers of every kind."""

from conftest import NOW, NOW_S

from harness.ca import Authority, listener
from harness.process import logged, metrics
from harness.tokens import Minter
from harness.wire import Closed, Wire, request


class House:
    def __init__(self, make, folder, clock=f"{NOW}x0", config=None, more=None, **mutual):
        """`mutual` goes to the mutual listener; crlFile=True for a list that revokes nobody.
        `more` gives further listeners, knowing the house."""
        self.make, self.folder = make, folder
        self.revoked, self.lists, self.others = [], [], 0
        self.ca = Authority(folder / "ca")
        self.pair = self.ca.server()
        if mutual.get("crlFile") is True:
            mutual["crlFile"] = self.ca.write_crl()
        mutual.setdefault("clientCaFile", self.ca.certificate)
        self.config = {
            "listeners": [
                listener(self.pair, "mutual", **mutual),
                listener(self.pair, "public"),
                *(more(self) if more else ()),
            ],
            **(config or {}),
        }
        self.server = make(clock=clock, config=self.config)
        self.minter = Minter(self.server.data, NOW_S)

    def mutual(self, pair=None, number=0, **more):
        return self.server.door("mutual", self.ca.context(pair, **more), number)

    def public(self, number=0, **more):
        return self.server.door("public", self.ca.context(**more), number)

    def address(self, kind):
        door = self.server.door(kind)
        return f"{door.host}:{door.port}"

    def reload(self):
        """Until the new settings are in force."""
        done = self._reloads()
        self.server.reload()
        logged(self.server, "service.reloaded", done + 1)

    def _reloads(self):
        return sum('"service.reloaded"' in line for line in self.server.lines)

    def revoke(self, *pairs):
        self.revoked += pairs
        self._write_lists()

    def add_crl(self, path):
        """Of another authority."""
        self.lists.append(path.read_bytes())
        self._write_lists()

    def _write_lists(self):
        path = self.ca.write_crl(self.revoked)
        path.write_bytes(b"".join([path.read_bytes(), *self.lists]))
        self.reload()

    def elsewhen(self, clock):
        """The same house at another time: another process, with its own data."""
        other = House.__new__(House)
        other.__dict__.update(self.__dict__)
        self.others += 1
        other.server = self.make(name=f"data-{self.others}", clock=clock, config=self.config)
        return other

    def failures(self):
        """Handshakes that failed, by cause; what did not happen is left out."""
        start = "consentd_tls_handshakes_failed_total"
        found = {name: int(n) for name, n in metrics(self.server).items() if name.startswith(start)}
        return {name.split('"')[1]: number for name, number in found.items() if number}


def asked(door, path="/healthz", token=None):
    with Wire(door) as wire:
        return wire.ask(request("GET", path, token))


def refusal(response, cause):
    document = response.json()
    assert response.status_code == 401, document
    assert document["type"].endswith("/problems/certificate-refused")
    assert document["cause"] == cause
    told = response.headers["www-authenticate"]
    assert told.startswith('Bearer realm="consentd", resource_metadata="') and "error" not in told
    return document["detail"]


def is_closed(wire):
    try:
        return wire.at_end()
    except (Closed, OSError):
        return True
