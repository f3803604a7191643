# SPDX-License-Identifier: Apache-2.0
"""The log over HTTP, verified by a stranger: checkpoint, tiles, bundles and proofs at every size."""

import base64
import struct

import pytest
from conftest import NOW, NOW_S
from harness import bodies
from harness.audit import read_log
from harness.client import Api, refused
from harness.merkle import Checkpoint, Note, Proof, consistency, inclusion, leaf_hash, renamed, root
from harness.tokens import Minter
from harness.transfers import record, transfer

APP = "https://directory.example/log/app"
EDP = "https://directory.example/log/member/edp"
OTHER = "https://directory.example/log/member/other"
ENTRIES = 300  # more than a tile


class Log:
    """A server with a log of its own, of which all leaves are known by another way: the events."""

    def __init__(self, server):
        self.server = server
        self.minter = Minter(server.data, NOW_S)
        self.api = Api(server, self.minter, self.minter.auditor())
        self.entries = []
        self.hashes = []
        self.vkey = read_log(self.api)[0]["payload"]["body"]["verifierKey"]

    def tenant(self, url=EDP):
        return Api(self.server, self.minter, self.minter.tenant(url))

    def refresh(self):
        self.entries = read_log(self.api)
        self.leaves = [base64.b64decode(entry["leaf"]) for entry in self.entries]
        self.hashes = [leaf_hash(leaf) for leaf in self.leaves]
        return self

    def checkpoint(self):
        answer = self.api.get("/log/checkpoint")
        assert answer.status_code == 200
        return Checkpoint(answer.text, self.vkey)

    def tile(self, path, expect=200):
        answer = self.api.get(f"/log/tile/{path}")
        assert answer.status_code == expect, answer.text
        return answer.content


def append_tokens(tenant, consent, count, start):
    for first in range(start, start + count, 16):
        last = min(first + 16, start + count)
        # expired by now: what they stand in can be erased
        tokens = [bodies.token(f"t{n}", "2026-06-15T11:00:00Z", NOW) for n in range(first, last)]
        answer = tenant.post(f"/v1/consents/{consent}/tokens", {"tokens": tokens})
        assert answer.status_code == 200, answer.text


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    from harness.server import Server

    server = Server(tmp_path_factory.mktemp("log") / "data", clock=f"{NOW}x0").start()
    made = Log(server)
    with made.tenant() as tenant:
        consent = tenant.create(bodies.consent(APP, NOW))
        append_tokens(tenant, consent["consentId"], ENTRIES - 3, 0)
    yield made.refresh()
    made.api.close()
    server.stop()


# ---- checkpoint and tiles


def test_the_checkpoint_is_the_root_of_all_leaves(log):
    checkpoint = log.checkpoint()
    assert checkpoint.origin == "consentd.invalid/dev"
    assert checkpoint.size == len(log.hashes) == ENTRIES
    assert checkpoint.root == root(log.hashes)


def test_nobody_else_may_take_it_from_a_cache(log):
    answer = log.api.get("/log/checkpoint")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "private, no-cache"
    answer = log.api.get("/log/tile/0/000")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"


def test_tiles_hold_the_hashes(log):
    assert log.tile("0/000") == b"".join(log.hashes[:256])
    assert log.tile(f"0/001.p/{ENTRIES - 256}") == b"".join(log.hashes[256:])
    assert log.tile("1/000.p/1") == root(log.hashes[:256])
    for width in range(1, 256):
        assert log.tile(f"0/000.p/{width}") == b"".join(log.hashes[:width])


def test_bundles_hold_the_leaves(log):
    def bundle(leaves):
        return b"".join(struct.pack(">H", len(leaf)) + leaf for leaf in leaves)

    assert log.tile("entries/000") == bundle(log.leaves[:256])
    assert log.tile(f"entries/001.p/{ENTRIES - 256}") == bundle(log.leaves[256:])
    assert log.tile("entries/000.p/7") == bundle(log.leaves[:7])


@pytest.mark.parametrize(
    "path",
    [
        "0/001",  # not full yet
        f"0/001.p/{ENTRIES - 255}",
        "entries/001",
        f"entries/001.p/{ENTRIES - 255}",
        "0/002",
        "0/002.p/1",
        "1/000",
        "1/000.p/2",
        "2/000.p/1",
        "63/000",
        "64/000",
        "0/x000/000",
        "0/0",
        "0/00",
        "0/0000",
        "0/000/",
        "0//000",
        "/0/000",
        "0/000.p/0",
        "0/000.p/256",
        "0/000.p/01",
        "0/000.p/",
        "0/000.p",
        "0/000.p/1/1",
        "00/000",
        "+0/000",
        "-1/000",
        "entries/0",
        "Entries/000",
        "data/000",
        "0/x999/x999/x999/x999/x999/x999/999",
        "0/x999/x999/x999/x999/x999/x999/x999/x999/999",
        "0/%30%30%30",
        "%30/000",
        "0/..",
        "0",
        "entries",
    ],
)
def test_what_the_log_has_not_is_not_there(log, path):
    answer = log.api.get(f"/log/tile/{path}", check=False)
    refused(answer, 404, "not-found")


@pytest.mark.parametrize(
    "path", ["/log/checkpoint?size=1", "/log/checkpoint?newest=1", "/log/tile/0/000?x=1"]
)
def test_there_is_nothing_to_ask_for(log, path):
    refused(log.api.get(path, check=False), 400, "invalid-parameter")


def test_a_token_is_needed_unless_the_log_is_public(log, new_server):
    for path in ("/log/checkpoint", "/log/tile/0/000", "/log/tile/entries/000"):
        refused(log.api.get(path, token=None), 401, "unauthenticated")
        refused(log.api.get(path, token=log.minter.tenant(EDP)), 403, "insufficient-scope")
    server = new_server(environment={"CONSENTD_LOG_PUBLIC": "true"}, clock=f"{NOW}x0")
    with Api(server, None) as nobody:
        answer = nobody.get("/log/checkpoint")
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-cache"
        answer = nobody.get("/log/tile/entries/000.p/2")
        assert len(answer.content) == 2 * 38
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        refused(nobody.get("/v1/audit/events/0"), 401, "unauthenticated")


# ---- proofs


def decoded(hashes):
    return [base64.b64decode(text) for text in hashes]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 255, 256, 257, ENTRIES])
def test_inclusion_is_proven_at_every_size(log, size):
    for index in {0, size // 3, size // 2, size - 1}:
        answer = log.api.get(
            "/v1/audit/proofs/inclusion", params={"index": index, "size": size}
        ).json()
        assert (answer["index"], answer["size"]) == (index, size)
        assert decoded([answer["root"]]) == [root(log.hashes[:size])]
        assert decoded(answer["hashes"]) == inclusion(index, log.hashes[:size])


@pytest.mark.parametrize("to", [1, 2, 5, 256, 257, ENTRIES])
def test_consistency_is_proven_between_all_sizes(log, to):
    for old in {1, to // 3 or 1, to // 2 or 1, to - 1 or 1, to}:
        answer = log.api.get("/v1/audit/proofs/consistency", params={"from": old, "to": to}).json()
        assert (answer["from"], answer["to"]) == (old, to)
        assert decoded([answer["root"]]) == [root(log.hashes[:to])]
        assert decoded(answer["hashes"]) == consistency(old, log.hashes[:to])
    empty = log.api.get("/v1/audit/proofs/consistency", params={"from": 0, "to": to}).json()
    assert empty["hashes"] == []


def test_without_a_size_it_is_the_present_one(log):
    answer = log.api.get("/v1/audit/proofs/inclusion", params={"index": 1}).json()
    assert answer["size"] == ENTRIES
    answer = log.api.get("/v1/audit/proofs/consistency", params={"from": 1}).json()
    assert answer["to"] == ENTRIES


INCLUSION, CONSISTENCY = "inclusion", "consistency"


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        (INCLUSION, {}),
        (INCLUSION, {"size": 1}),
        (INCLUSION, {"index": ENTRIES}),
        (INCLUSION, {"index": 5, "size": 5}),
        (INCLUSION, {"index": 0, "size": 0}),
        (INCLUSION, {"index": 0, "size": ENTRIES + 1}),
        (INCLUSION, {"index": -1}),
        (INCLUSION, {"index": "1.0"}),
        (INCLUSION, {"index": "01"}),
        (INCLUSION, {"index": ""}),
        (INCLUSION, {"index": 2**63}),
        (INCLUSION, {"index": 2**64}),
        (INCLUSION, {"index": 1, "from": 1}),
        (CONSISTENCY, {}),
        (CONSISTENCY, {"to": 1}),
        (CONSISTENCY, {"from": 2, "to": 1}),
        (CONSISTENCY, {"from": 0, "to": ENTRIES + 1}),
        (CONSISTENCY, {"from": ENTRIES + 1}),
        (CONSISTENCY, {"from": "x"}),
        (CONSISTENCY, {"from": 10**30}),
    ],
)
def test_what_cannot_be_proven_is_refused(log, kind, params):
    answer = log.api.get(f"/v1/audit/proofs/{kind}", params=params)
    refused(answer, 400, "invalid-parameter")


# ---- entries


def test_an_entry_comes_with_what_opens_and_proves_it(log):
    for index in (0, 1, 2, 3, ENTRIES - 1):
        answer = log.api.get(f"/v1/audit/events/{index}").json()
        proof = Proof(answer.pop("proof"), log.vkey)
        assert answer == log.entries[index]
        assert proof.index == index
        proof.check(log.leaves[index], log.hashes)


@pytest.mark.parametrize("index", [ENTRIES, 10**18, 2**64, "-1", "00", "x", "1e1"])
def test_other_entries_are_not_there(log, index):
    refused(log.api.get(f"/v1/audit/events/{index}", check=False), 404, "not-found")


def test_entries_of_others_are_not_there_but_those_of_nobody_are(log):
    for url, expect in ((EDP, 200), (OTHER, 404)):
        with Api(log.server, log.minter, log.minter.auditor(providers=[url])) as auditor:
            assert auditor.get("/v1/audit/events/2").status_code == expect
            for index in (0, 1):
                assert auditor.get(f"/v1/audit/events/{index}").status_code == 200


# ---- heads


def head(log, tenant, token=...):
    answer = log.api.get("/v1/audit/heads", params={"tenant": tenant}, token=token)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "private, no-cache"
    note = Note(answer.text, renamed(log.vkey, "consentd.invalid/dev/heads"))
    name, size, named, count = note.text.splitlines()
    assert (name, named) == ("consentd.invalid/dev/heads", tenant)
    return int(size), int(count)


def test_a_head_tells_how_far_a_tenants_numbers_go(log):
    of_tenant = [e["payload"]["tenantSeq"] for e in log.entries if "tenantSeq" in e["payload"]]
    assert of_tenant == list(range(1, ENTRIES - 1))
    assert head(log, EDP) == (ENTRIES, ENTRIES - 2)
    assert head(log, EDP, log.minter.auditor(providers=[EDP])) == (ENTRIES, ENTRIES - 2)
    assert head(log, OTHER) == (ENTRIES, 0)


def test_no_head_is_a_checkpoint(log):
    answer = log.api.get("/v1/audit/heads", params={"tenant": EDP})
    with pytest.raises(AssertionError):
        Checkpoint(answer.text, log.vkey)


def test_heads_of_others_are_not_there(log):
    token = log.minter.auditor(providers=[OTHER])
    answer = log.api.get("/v1/audit/heads", params={"tenant": EDP}, token=token)
    refused(answer, 404, "not-found")


@pytest.mark.parametrize("params", [{}, {"tenant": ""}, {"tenant": "a\nb"}, {"tenant": "x" * 257}])
def test_a_tenant_must_be_named(log, params):
    refused(log.api.get("/v1/audit/heads", params=params), 400, "invalid-parameter")


# ---- proofs with writes


@pytest.mark.parametrize(
    ("prefer", "applied"),
    [
        ("proof", True),
        ("Proof", True),
        ("wait=1, proof", True),
        ('respond-async,proof;x="y"', True),
        ("proofs", False),
        ("return=proof", False),
        ("", False),
        (",,", False),
    ],
)
def test_a_write_brings_its_proof_when_it_is_preferred(cast, root, prefer, applied):
    vkey = root.get("/v1/audit/events/0").json()["payload"]["body"]["verifierKey"]
    body = bodies.consent(cast.app_url, NOW)
    answer = cast.tenant.post("/v1/consents", body, key="preferring", headers={"Prefer": prefer})
    assert answer.status_code == 201
    assert answer.headers.get("preference-applied") == ("proof" if applied else None)
    document = answer.json()
    assert ("proof" in document) == applied
    if applied:
        proof = Proof(document["proof"], vkey)
        entry = root.get(f"/v1/audit/events/{document['logIndex']}").json()
        assert proof.index == document["logIndex"]
        leaves = [base64.b64decode(e["leaf"]) for e in read_log(root)]
        proof.check(base64.b64decode(entry["leaf"]), [leaf_hash(leaf) for leaf in leaves])


def test_every_write_of_one_entry_can_bring_its_proof(cast, root):
    vkey = root.get("/v1/audit/events/0").json()["payload"]["body"]["verifierKey"]
    prefer = {"Prefer": "proof"}
    made = cast.tenant.create(bodies.consent(cast.app_url, NOW))
    of = f"/v1/consents/{made['consentId']}"
    answers = [
        cast.tenant.post(f"{of}/tokens", {"tokens": [bodies.token("t", NOW, "2026-07-01T00:00:00Z")]}, headers=prefer),
        cast.tenant.post(
            "/v1/disclosures",
            transfer(NOW, cast.app_url, consentId=made["consentId"]),
            headers={"Idempotency-Key": "with-proof", **prefer},
        ),
        cast.client.call("DELETE", of, headers=prefer),
    ]
    for answer in answers:
        assert answer.status_code in (200, 201), answer.text
        document = answer.json()
        assert Proof(document["proof"], vkey).index == document["logIndex"]
        assert answer.headers["preference-applied"] == "proof"


def test_a_replay_proves_the_first_answers_entry(cast, root):
    vkey = root.get("/v1/audit/events/0").json()["payload"]["body"]["verifierKey"]
    body = bodies.consent(cast.app_url, NOW)
    headers = {"Idempotency-Key": "replayed", "Prefer": "proof"}
    first = cast.tenant.post("/v1/consents", body, headers=headers).json()
    cast.tenant.create(bodies.consent(cast.other_app_url, NOW))
    again = cast.tenant.post("/v1/consents", body, headers=headers).json()
    assert again["logIndex"] == first["logIndex"]
    then, now = Proof(first["proof"], vkey), Proof(again["proof"], vkey)
    assert then.index == now.index == first["logIndex"]
    assert now.checkpoint.size > then.checkpoint.size


def test_disclosures_are_recorded_all_the_same(cast):
    made = cast.tenant.create(bodies.consent(cast.app_url, NOW))
    assert "proof" not in record(cast.tenant, transfer(NOW, cast.app_url, consentId=made["consentId"]))
