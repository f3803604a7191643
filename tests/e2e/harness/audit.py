# SPDX-License-Identifier: Apache-2.0
"""An auditor without our code: reads the log as NDJSON and checks every claim an entry makes."""

import base64
import hashlib
import hmac
import json

from model import EVENT_OF, FINAL, parse_time

NDJSON = "application/x-ndjson"
LEAF_TYPES = {"consent": 1, "decision": 2, "disclosure": 3, "erasure": 4, "key": 5, "policy": 6, "access": 7,
              "log": 8, "peer": 9, "delivery": 10, "block": 12, "hold": 12}
MAY_FOLLOW = {
    None: {"requested", "active"},
    "requested": {"active", "refused", "timedOut"},
    "active": {"revoked", "terminated", "expired", "fulfilled", "superseded"},
}
STATE_OF = {event: state for state, event in EVENT_OF.items()}


def read_log(api, after=None, token=..., **params):
    """Every entry the caller may read, as the server streams them; blank lines are no entries."""
    if after is not None:
        params["after"] = after
    headers = {"Accept": NDJSON}
    response = api.get("/v1/audit/events", headers=headers, params=params, token=token)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith(NDJSON), response.headers
    return [json.loads(line) for line in response.text.split("\n") if line]


class Watch:
    def __init__(self, root):
        self.root = root
        self.last = getattr(root, "last_seen", None)
        self.new()

    def new(self):
        """Entries appended since the last call."""
        entries = read_log(self.root, self.last)
        if entries:
            self.last = self.root.last_seen = entries[-1]["index"]
        return entries


def commitment(r, text):
    return hmac.digest(r, b"consentd/payload/v1\0" + text, hashlib.sha256)


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _decode(text, urlsafe=False):
    return (base64.urlsafe_b64decode if urlsafe else base64.b64decode)(
        text + "=" * (-len(text) % 4)
    )


def kind_of(entry):
    return entry["event"].split(".")[0]


class Auditor:
    """Feed it entries in order; whole=True demands that it sees the whole log."""

    def __init__(self, whole=True):
        self.whole = whole
        self.count = 0
        self.last_at = None
        self.ids = set()
        self.consents = {}  # id -> [version, index of last entry, state]
        self.tenants = {}  # url -> [tenantSeq, index]
        self.histories = {}  # id -> [entry]
        self.unopened = {"erasure.whole": set(), "erasure.personal": set()}
        self.noticed = {"erasure.whole": set(), "erasure.personal": set()}

    def feed(self, entries):
        for entry in entries:
            self._check(entry)
        if self.whole:
            self._check_notices()
        return self

    def _check_notices(self):
        """What does not open is what notices list, and of the rest everything opens."""
        whole, noticed = self.unopened["erasure.whole"], self.noticed["erasure.whole"]
        assert whole == noticed, f"not covered by a notice: {whole ^ noticed}"
        personal = self.unopened["erasure.personal"]
        assert personal <= self.noticed["erasure.personal"], personal

    def _check(self, entry):
        index = entry["index"]
        if self.whole:
            assert index == self.count, f"index {index} where {self.count} was due"
        self.count += 1
        if "payload" in entry:
            self._check_opened(entry)
        else:
            assert "personal" not in entry and "r" not in entry and "personalR" not in entry
            self.unopened["erasure.whole"].add(index)

    def _check_opened(self, entry):
        index, payload = entry["index"], entry["payload"]
        self._check_commitments(entry)
        if kind_of(entry) == "erasure":
            listed = payload["body"]["indexes"]
            assert listed == sorted(set(listed)) and listed[-1] < index, entry
            assert not {"consentId", "client", "accountRef"} & set(payload), entry
            self.noticed[entry["event"]].update(listed)
        assert payload["v"] == 1 and payload["id"] not in self.ids
        self.ids.add(payload["id"])
        assert payload["at"] == entry["at"] and payload["type"] == entry["event"]
        at = parse_time(payload["at"])
        assert self.last_at is None or at >= self.last_at, f"time goes back at {index}"
        self.last_at = at
        if "tenant" in payload:
            self._check_tenant(index, payload)
        if LEAF_TYPES[kind_of(entry)] == 1:
            self._check_consent(index, payload)
            self.histories.setdefault(payload["consentId"], []).append(entry)
        else:
            assert "seq" not in payload and "prev" not in payload

    def _check_commitments(self, entry):
        leaf = _decode(entry["leaf"])
        kind = LEAF_TYPES[kind_of(entry)]
        assert len(leaf) == 36 and leaf[:4] == bytes([1, kind, 0, 0]), entry
        payload = compact(entry["payload"])
        assert commitment(_decode(entry["r"]), payload) == leaf[4:], f"{entry['index']} opens not"
        if "personal" in entry["payload"] and "personal" not in entry:
            assert "personalR" not in entry
            self.unopened["erasure.personal"].add(entry["index"])
        elif "personal" in entry["payload"]:
            stated = _decode(entry["payload"]["personal"], urlsafe=True)
            personal = compact(entry["personal"])
            assert commitment(_decode(entry["personalR"]), personal) == stated
        else:
            assert "personal" not in entry and "personalR" not in entry

    def _check_tenant(self, index, payload):
        last = self.tenants.get(payload["tenant"])
        before = payload.get("tenantPrev")
        if before in self.unopened["erasure.whole"]:
            assert payload["tenantSeq"] > (last[0] + 1 if last else 1), payload
        else:
            assert payload["tenantSeq"] == (last[0] + 1 if last else 1), payload
            assert before == (last[1] if last else None), payload
        self.tenants[payload["tenant"]] = [payload["tenantSeq"], index]

    def _check_consent(self, index, payload):
        last = self.consents.get(payload["consentId"], [0, None, None])
        assert payload.get("prev") not in self.unopened["erasure.whole"], "half erased"
        assert payload["seq"] == last[0] + 1, payload
        assert payload.get("prev") == last[1], payload
        state = last[2]
        if payload["type"] in STATE_OF:
            to = STATE_OF[payload["type"]]
            assert to in MAY_FOLLOW.get(state, ()), f"{state} -> {to} at {index}"
            state = to
        elif payload["type"] == "consent.tokenAdded":
            assert state == "active", f"a token after the end at {index}"
        else:
            assert payload["type"] in ("consent.proofAdded", "consent.stepAdded"), payload["type"]
            assert state == "active" or state in FINAL
        self.consents[payload["consentId"]] = [payload["seq"], index, state]


def check_one_active(histories_of):
    """At no point of the log are two consents of one arrangement active: replays the states."""
    active = {}
    entries = sorted((e for h in histories_of.values() for e in h), key=lambda e: e["index"])
    for entry in entries:
        state = STATE_OF.get(entry["event"])
        consent = entry["payload"]["consentId"]
        key = entry["payload"].get("arrangementId", consent)
        if state == "active":
            assert active.get(key) in (None, consent), f"two active in {key} at {entry['index']}"
            active[key] = consent
        elif state in FINAL and active.get(key) == consent:
            active[key] = None
