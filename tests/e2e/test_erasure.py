# SPDX-License-Identifier: Apache-2.0
"""Erasure from outside: what is gone from answers, exports and the disk, and that the log verifies."""

import calendar
import json
import time

import pytest
from conftest import NOW, NOW_S
from harness import bodies
from harness.audit import Auditor, read_log
from harness.client import Api, refused
from harness.process import until
from harness.server import Server
from harness.tokens import Minter
from harness.transfers import record, transfer
from test_export import ctl, export
from test_log_served import APP, EDP, OTHER

ACCOUNT, EXTERNAL = "account-secret-4711", "external-secret-1"
GONE = {
    "account": ACCOUNT,
    "external id": EXTERNAL,
    "person": "person-secret-7",
    "ip": "203.0.113.77",
    "user agent": "Agent-secret/1.0",
    "proof": "proof-secret",
    "resource": "meter-secret-1",
    "text": "moved to secret street",
    "reference": "letter-secret-9",
    "transaction": 'transfer-secret-"1"',
    "step": "step-secret-1",
}
KEPT = "account-kept-1"
YEARS_LATER = "2028-01-01T00:00:00.000Z"
YEARS_LATER_S = 1830297600


def secret_consent():
    return bodies.consent(
        APP,
        NOW,
        account=ACCOUNT,
        externalId=EXTERNAL,
        permissions=[{"code": "electricity.import.halfhourly", "resources": [GONE["resource"]]}],
        tokens=[bodies.token("token-secret", NOW, NOW)],
        grant=bodies.grant(
            NOW,
            person=GONE["person"],
            ip=GONE["ip"],
            userAgent=GONE["user agent"],
            proofs=[{"type": GONE["proof"]}],
        ),
    )


def asks(account):
    return {
        "subject": {"type": "application", "id": APP},
        "action": {"name": "read"},
        "resource": {"type": "account", "id": account},
        "context": {"record": True},
    }


class Life:
    """A consent of everything, decisions and transfers about it, and its end; years later."""

    def __init__(self, folder):
        self.folder = folder
        self.server = Server(folder / "data", clock=f"{NOW}x0").start()
        self.minter = Minter(self.server.data, NOW_S)
        with self.tenant() as api:
            api.post("/access/v1/evaluation", asks(ACCOUNT))  # finds no consent yet
            self.consent = api.create(secret_consent(), key="key-1")
            decided = api.post("/access/v1/evaluation", asks(ACCOUNT)).json()
            self.decision = decided["context"]["decisionId"]
            sent = transfer(NOW, APP, account=ACCOUNT, client=APP)
            sent |= {"transaction": GONE["transaction"], "transferStepId": GONE["step"]}
            record(api, sent | {"resources": [GONE["resource"]]})
            reason = {"code": "withdrawn", "text": GONE["text"], "by": {"role": "accountHolder"}}
            reason["by"]["ref"] = GONE["reference"]
            answer = api.post(f"{self.path}/revoke", {"reason": reason})
            assert answer.status_code == 200, answer.text
            api.create(bodies.consent(APP, NOW, account=KEPT))

    @property
    def path(self):
        return f"/v1/consents/{self.consent['consentId']}"

    def tenant(self, url=EDP):
        return Api(self.server, self.minter, self.minter.tenant(url))

    def auditor(self):
        return Api(self.server, self.minter, self.minter.auditor())

    def restart(self, clock=None, seconds=NOW_S):
        self.server.stop()
        self.server.start(clock)
        self.minter = Minter(self.server.data, seconds)

    def years_later(self):
        self.restart(f"{YEARS_LATER}x0", YEARS_LATER_S)

    def on_disk(self, text):
        needle = json.dumps(text)[1:-1].encode()
        return sum(
            path.read_bytes().count(needle) + path.read_bytes().count(text.encode())
            for path in self.server.data.rglob("*")
            if path.is_file()
        )


@pytest.fixture
def life(tmp_path):
    made = Life(tmp_path)
    yield made
    made.server.stop()


def erasure(**more):
    return {"ground": "consentWithdrawn", "requestId": "dsr-2031", **more}


def erase(api, expect=200, **more):
    answer = api.post("/v1/erasures", erasure(**more))
    assert answer.status_code == expect, answer.text
    return answer.json()


def notices(log, event):
    return [entry for entry in log if entry["event"] == event]


def verified(life, out, *more):
    """consentctl verify on a new export: good, every payload opened or under a notice."""
    export(life.server.data, out)
    done = ctl("verify", out, "--vkey", (out / "vkey").read_text().strip(), "--openings", *more)
    assert done.returncode == 0, done
    return done.stdout


def test_the_log_verifies_and_nothing_is_found_any_more(life, tmp_path):
    verified(life, tmp_path / "before")
    before = (tmp_path / "before" / "events.ndjson").read_text()
    for what, text in GONE.items():
        assert json.dumps(text)[1:-1] in before, what
        assert life.on_disk(text) > 0, what
    life.years_later()
    with life.tenant() as api:
        done = erase(api, account=ACCOUNT)
    assert [c["erased"] for c in done["consents"]] == ["whole"] and done["status"] == "erased"
    old = tmp_path / "before" / "checkpoint"
    verified(life, tmp_path / "after", "--from", old)
    after = (tmp_path / "after" / "events.ndjson").read_text()
    for what, text in GONE.items():
        assert json.dumps(text)[1:-1] not in after, what
    # the leaves are the same, byte for byte
    leaves = [
        next((tmp_path / when / "tile/entries").glob("000.p/*")).read_bytes()
        for when in ("before", "after")
    ]
    assert leaves[1].startswith(leaves[0])
    with life.auditor() as api:
        log = read_log(api)
        auditor = Auditor().feed(log)
    assert auditor.unopened["erasure.whole"] == set(log[done["logIndex"]]["payload"]["body"]["indexes"])
    assert len(auditor.unopened["erasure.whole"]) == 6

    # deleted bytes may still be on the disk, until it is scrubbed
    life.server.stop()
    assert sum(life.on_disk(text) for text in GONE.values()) > 0
    scrubbed = ctl("scrub", "--data", life.server.data)
    assert scrubbed.returncode == 0, scrubbed.stderr
    for what, text in GONE.items():
        assert life.on_disk(text) == 0, what
    assert life.on_disk(KEPT) > 0
    life.server.start()
    verified(life, tmp_path / "scrubbed", "--from", tmp_path / "after" / "checkpoint")
    for name in ("checkpoint", "events.ndjson"):
        assert (tmp_path / "scrubbed" / name).read_bytes() == (tmp_path / "after" / name).read_bytes()
    with life.tenant() as api:
        assert api.create(bodies.consent(APP, YEARS_LATER))["logIndex"] == len(log)


def test_what_is_answered_afterwards(life):
    life.years_later()
    with life.tenant() as api:
        erase(api, consentId=life.consent["consentId"])
        refused(api.get(life.path), 410, "erased")
        refused(api.get(f"{life.path}?at={NOW}"), 410, "erased")
        history = api.get(f"{life.path}/events").json()["items"]
        assert [e["event"] for e in history] == [
            "consent.granted",
            "consent.tokenAdded",
            "consent.revoked",
        ]
        assert not any("payload" in e or "personal" in e for e in history)
        assert ACCOUNT not in api.get("/v1/consents").text
        answer = api.post("/access/v1/evaluation", asks(ACCOUNT)).json()
        assert answer["decision"] is False
        refused(api.post("/v1/erasures", erasure(consentId=life.consent["consentId"])), 410, "erased")
    with life.tenant(OTHER) as api:
        refused(api.get(life.path), 404, "not-found")
    with life.auditor() as api:
        refused(api.post(f"/v1/audit/decisions/{life.decision}/replay"), 410, "erased")
        assert api.get("/v1/audit/reports/after-ending").status_code == 200
        assert api.get("/v1/disclosures").status_code == 200
        Auditor().feed(read_log(api))


def test_a_key_whose_answer_is_gone(life):
    with life.tenant() as api:
        assert api.create(secret_consent(), key="key-1") == life.consent
        assert erase(api, 202, account=ACCOUNT)["status"] == "scheduled"
        refused(api.post("/v1/consents", secret_consent(), key="key-1"), 410, "erased")


def test_what_is_scheduled_goes_by_itself_and_survives_a_kill(life):
    with life.tenant() as api:
        done = erase(api, 202, account=ACCOUNT)
        shown = api.consent(life.consent["consentId"])
        assert "account" not in shown and GONE["person"] not in json.dumps(shown)
    assert done["consents"][0]["erased"] == "personal"
    life.server.kill()
    life.server.start(f"{done['dueAt']}x0")
    life.minter = Minter(life.server.data, NOW_S + 365 * 86400)
    with life.auditor() as api:
        # the first was of what had found no consent, and went with the request
        found = until(life.server, lambda: notices(read_log(api), "erasure.whole")[1:])
        assert [notice["payload"]["actor"] for notice in found] == [{"role": "system"}]
        Auditor().feed(read_log(api))
        refused(api.get(life.path), 410, "erased")


def test_what_ended_long_ago_goes_by_itself(life, tmp_path):
    """Six years after the end, to the millisecond, under the pack in force; kills in between."""
    verified(life, tmp_path / "before")
    life.server.kill()

    def years_later(clock):
        life.server.start(f"{clock}x0")
        life.minter = Minter(life.server.data, calendar.timegm(time.strptime(clock[:19], "%Y-%m-%dT%H:%M:%S")))

    def whole():
        with life.auditor() as api:
            return notices(read_log(api), "erasure.whole")

    def expired():
        with life.auditor() as api:
            return notices(read_log(api), "consent.expired")

    years_later("2032-06-15T11:59:59.999Z")
    # the sweep has run: it recorded the end of the one that is kept, a year after it was granted
    assert [e["payload"]["at"] for e in until(life.server, expired)] == ["2032-06-15T11:59:59.999Z"]
    assert whole() == []
    life.server.kill()
    years_later("2032-06-15T12:00:00.000Z")
    (notice,) = until(life.server, whole)
    with life.auditor() as api:
        pack = api.get("/v1/policy").json()["digest"]
        body = notice["payload"]["body"]
        assert body | {"indexes": None} == {
            "indexes": None,
            "ground": "noLongerNecessary",
            "policyDigest": pack,
        }
        assert len(body["indexes"]) == 5 and notice["payload"]["actor"] == {"role": "system"}
        refused(api.get(life.path), 410, "erased")
        Auditor().feed(read_log(api))
        assert [e["account"] for e in api.get("/v1/consents").json()["items"]] == [KEPT]
    verified(life, tmp_path / "after", "--from", tmp_path / "before" / "checkpoint")
    after = (tmp_path / "after" / "events.ndjson").read_text()
    for what in GONE.keys() - {"account"}:  # asked about before it had a consent: see docs/erasure.md
        assert json.dumps(GONE[what])[1:-1] not in after, what
    life.server.kill()
    years_later("2033-06-15T12:00:00.000Z")
    assert len(until(life.server, lambda: whole()[1:])) == 1


def test_a_hold_keeps_it_and_its_lifting_frees_it(life):
    held = {"account": ACCOUNT, "reason": "court-17"}
    with life.tenant() as api:
        hold = api.post("/v1/holds", held).json()["logIndex"]
        shown = api.get("/v1/holds").json()["items"][0]["accountRef"]
    life.restart("2033-01-01T00:00:00.000Zx0", 1988150400)
    with life.tenant() as api:
        other = api.create(bodies.consent(APP, "2033-01-01T00:00:00.000Z", account="account-3"))
        assert api.get(life.path).status_code == 200
        assert api.call("DELETE", "/v1/holds", params={"logIndex": hold}).status_code == 200
    with life.auditor() as api:

        def whole():
            return notices(read_log(api), "erasure.whole")

        assert until(life.server, whole)[0]["index"] > other["logIndex"]
        log = read_log(api)
        assert len(notices(log, "hold.set")) == len(notices(log, "hold.lifted")) == 1
        asked = [e for e in log if shown in json.dumps(e)]
        assert asked == [], asked
        Auditor().feed(log)


def test_an_administrator_holds_and_erases_for_a_tenant(life):
    life.years_later()
    with Api(life.server, life.minter, life.minter.admin()) as api:
        held = {"tenant": EDP, "account": ACCOUNT, "reason": "court-17"}
        hold = api.post("/v1/holds", held)
        assert hold.status_code == 201, hold.text
        refused(api.post("/v1/erasures", erasure(tenant=EDP, account=ACCOUNT)), 409, "legal-hold")
        lifted = {"tenant": EDP, "logIndex": hold.json()["logIndex"]}
        assert api.call("DELETE", "/v1/holds", params=lifted).status_code == 200
        erase(api, tenant=EDP, account=ACCOUNT)
    with life.auditor() as api:
        Auditor().feed(read_log(api))


def test_a_scrub_beside_a_running_service_is_refused(life):
    done = ctl("scrub", "--data", life.server.data)
    assert done.returncode == 1 and "is held by another process" in done.stderr
    assert ctl("scrub").returncode == 2
    assert ctl("scrub", "--data", life.folder / "none").returncode == 1
