# SPDX-License-Identifier: Apache-2.0
"""The test's auditor finds each way in which a log can lie: without this it proves nothing."""

import base64
import copy

import pytest
from harness.audit import Auditor, commitment, compact

R, PERSONAL_R = bytes(range(32)), bytes(range(32, 64))
TENANT, CONSENT = "https://edp.example", "019e0000-0000-7000-8000-000000000001"


def encode(data):
    return base64.b64encode(data).decode()


def entry(index, kind, seq, prev, personal=None, at="2026-06-15T12:00:00.000Z"):
    payload = {
        "v": 1,
        "id": f"x-{index}",
        "type": kind,
        "at": at,
        "consentId": CONSENT,
        "arrangementId": CONSENT,
        "tenant": TENANT,
        "actor": {"clientId": TENANT, "role": "tenant"},
        "seq": seq,
    }
    if prev is not None:
        payload["prev"] = prev
    payload["tenantSeq"] = index + 1
    if index > 0:
        payload["tenantPrev"] = index - 1
    made = {"index": index, "at": at, "event": kind}
    if personal is not None:
        stated = base64.urlsafe_b64encode(commitment(PERSONAL_R, compact(personal)))
        payload["personal"] = stated.decode().rstrip("=")
        made |= {"personalR": encode(PERSONAL_R), "personal": personal}
    payload["body"] = {"text": "café"}
    made |= {"payload": payload}
    return sealed(made)


def sealed(made):
    leaf = bytes([1, 1, 0, 0]) + commitment(R, compact(made["payload"]))
    return {**made, "leaf": encode(leaf), "r": encode(R)}


@pytest.fixture
def log():
    return [
        entry(0, "consent.granted", 1, None, personal={"account": "a"}),
        entry(1, "consent.tokenAdded", 2, 0),
        entry(2, "consent.revoked", 3, 1),
    ]


def test_a_true_log_is_believed(log):
    assert Auditor().feed(log).consents == {CONSENT: [3, 2, "revoked"]}


def change(log, index, **members):
    """Changes payload members and seals again: what a lying operator would do."""
    made = copy.deepcopy(log)
    made[index]["payload"].update(members)
    made[index] = sealed(made[index])
    return made


LIES = {
    "a payload that was not committed to": lambda log: [
        {**log[0], "payload": {**log[0]["payload"], "tenant": "x"}},
        *log[1:],
    ],
    "another r": lambda log: [{**log[0], "r": encode(PERSONAL_R)}, *log[1:]],
    "another leaf version": lambda log: [
        {**log[0], "leaf": encode(b"\2" + base64.b64decode(log[0]["leaf"])[1:])},
        *log[1:],
    ],
    "another leaf type": lambda log: [
        {**log[0], "leaf": encode(b"\1\2" + base64.b64decode(log[0]["leaf"])[2:])},
        *log[1:],
    ],
    "a personal part that was not committed to": lambda log: [
        {**log[0], "personal": {"account": "b"}},
        *log[1:],
    ],
    "a personal part nobody committed to": lambda log: [
        log[0],
        {**log[1], "personal": {}, "personalR": encode(R)},
        log[2],
    ],
    "a missing entry": lambda log: [log[0], log[2]],
    "an entry twice": lambda log: [log[0], log[0], *log[1:]],
    "another order": lambda log: [log[1], log[0], log[2]],
    "a gap in the consent's numbers": lambda log: change(log, 1, seq=3),
    "a broken chain of the consent": lambda log: change(log, 2, prev=0),
    "a gap in the tenant's numbers": lambda log: change(log, 1, tenantSeq=5),
    "a broken chain of the tenant": lambda log: change(log, 2, tenantPrev=0),
    "an id twice": lambda log: change(log, 1, id="x-0"),
    "an event that may not follow": lambda log: [log[0], log[1], entry(2, "consent.refused", 3, 1)],
    "a life after the end": lambda log: [*log, entry(3, "consent.granted", 4, 2)],
    "a token after the end": lambda log: [*log, entry(3, "consent.tokenAdded", 4, 2)],
    "a time that goes back": lambda log: [
        *log,
        entry(3, "consent.proofAdded", 4, 2, at="2026-06-15T11:59:59.999Z"),
    ],
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_found(log, lie):
    with pytest.raises(AssertionError):
        Auditor().feed(LIES[lie](log))


def test_late_proofs_after_the_end_are_no_lie(log):
    Auditor().feed([*log, entry(3, "consent.proofAdded", 4, 2)])
