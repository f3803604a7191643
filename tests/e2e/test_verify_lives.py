# SPDX-License-Identifier: Apache-2.0
"""consentctl verify --openings on logs whose every hash, signature and number fits, and in which what
happened to the consents cannot have happened."""

import pytest
from harness import forge
from test_export import ctl
from test_verify import found

TENANT, CLIENT = "https://tenant.example", "https://client.example"
DAY = "2026-06-{:02d}T12:00:00.000Z"


class Life:
    """A log that is numbered as it should be, whatever is put into it."""

    def __init__(self):
        self.entries = []
        self.last, self.numbers = {}, {}
        self.day = 1
        self.put("log.genesis", None, {}, tenant=None)

    def put(self, kind, consent, body, tenant=TENANT, arrangement=None, client=CLIENT):
        """Returns its index."""
        index = len(self.entries)
        payload = {"v": 1, "id": f"e{index}", "type": kind, "at": DAY.format(self.day)}
        if consent is not None:
            payload |= {"consentId": consent, "client": client}
            if arrangement not in (None, consent):
                payload["arrangementId"] = arrangement
        if consent is not None and kind.startswith("consent."):
            payload |= self.number("seq", "prev", ("consent", consent), index)
        if tenant is not None:
            payload["tenant"] = tenant
            payload |= self.number("tenantSeq", "tenantPrev", ("tenant", tenant), index)
        self.entries.append({"payload": payload | {"body": body}})
        return index

    def number(self, seq, prev, key, index):
        before = self.last.get(key)
        self.last[key] = index
        self.numbers[key] = self.numbers.get(key, 0) + 1
        return {seq: self.numbers[key]} | ({} if before is None else {prev: before})

    def request(self, consent, **more):
        return self.put("consent.requested", consent, {"terms": {}}, **more)

    def grant(self, consent, expires=None, **more):
        terms = {} if expires is None else {"expires": DAY.format(expires)}
        return self.put("consent.granted", consent, {"terms": terms}, **more)

    def end(self, consent, state, body=None, **more):
        body = {"status": state, "reason": state} if body is None else body
        return self.put(f"consent.{state}", consent, body, **more)

    def supersede(self, consent, by, **more):
        body = {"status": "superseded", "reason": "superseded", "supersededBy": by}
        return self.put("consent.superseded", consent, body, **more)

    def add_token(self, consent, **more):
        return self.put("consent.tokenAdded", consent, {"token": {}}, **more)

    def permit(self, consent, **more):
        return self.put("decision.permitted", consent, {"decision": True}, **more)

    def seal(self):
        return [forge.seal(entry, index) for index, entry in enumerate(self.entries)]


@pytest.fixture
def life():
    return Life()


@pytest.fixture
def judged(life, tmp_path):
    """What consentctl says of it; some entries may have been erased."""

    def run(lines=None):
        folder = forge.write(tmp_path / "log", life.seal() if lines is None else lines)
        return ctl("verify", folder, "--vkey", forge.VKEY, "--openings")

    return run


def is_bad(judged, index, said):
    assert found(judged()) == f"entry {index}: {said}"


def test_what_may_happen_is_good(life, judged):
    life.request("a")
    life.grant("a", expires=5)
    life.permit("a")
    life.add_token("a")
    life.request("b")
    life.end("b", "refused")
    life.supersede("a", by="c")
    life.grant("c", expires=9, arrangement="a")  # a renewal
    life.permit("c", arrangement="a")
    life.put("consent.stepAdded", "a", {"stepId": "s"})
    life.grant("d")
    life.request("e")
    life.supersede("c", by="e", arrangement="a")  # it overlaps two, and joins the first
    life.supersede("d", by="e")
    life.grant("e", expires=20, arrangement="a")
    life.day = 20
    life.end("e", "expired", arrangement="a")
    life.grant("f", arrangement="a")  # renewed when it had expired
    life.end("f", "revoked", arrangement="a")
    life.put("decision.denied", "f", {"decision": False}, arrangement="a")
    life.put("disclosure.violation", "f", {}, arrangement="a")
    life.put("consent.proofAdded", "f", {}, arrangement="a")
    life.grant("g", arrangement="a")
    done = judged()
    assert (done.returncode, done.stderr) == (0, ""), done
    assert done.stdout.splitlines()[1].endswith("erased 0; consents 7, tenants 1")


# ---- one active consent of an arrangement


SECOND = "a second active consent in its arrangement"


def test_two_active_consents_of_an_arrangement_are_named(life, judged):
    life.grant("a")
    index = life.grant("b", arrangement="a")
    life.end("a", "revoked")
    is_bad(judged, index, SECOND)


def test_a_second_one_whose_first_is_not_the_arrangements_is_named(life, judged):
    life.grant("a")
    life.supersede("a", by="b")
    life.grant("b", arrangement="a")
    life.request("c")
    index = life.grant("c", arrangement="a")
    is_bad(judged, index, SECOND)


def test_a_request_that_joins_is_a_second_one_too(life, judged):
    life.request("b")
    life.grant("a")
    index = life.grant("b", arrangement="a")
    is_bad(judged, index, SECOND)


def test_an_end_frees_its_own_arrangement_and_no_other(life, judged):
    """Else the next grant would be a second one unseen."""
    life.grant("a")
    index = life.end("a", "revoked", arrangement="elsewhere")
    life.grant("b", arrangement="a")
    is_bad(judged, index, "it is not the active consent of its arrangement")


def test_what_was_erased_between_may_have_been_the_end(life, judged):
    """As a monitor sees it that saw the first grant before it was erased."""
    life.grant("a")
    gone = life.end("a", "revoked")
    life.grant("b", arrangement="a")
    life.put("erasure.whole", None, {"indexes": [gone]})
    lines = life.seal()
    lines[gone] = forge.drop(lines[gone], "r", "payload")
    done = judged(lines)
    assert done.returncode == 0, done


# ---- succession


def test_a_successor_that_does_not_come_is_missed(life, judged):
    life.grant("a")
    index = life.supersede("a", by="b")
    is_bad(judged, index, "superseded by a consent that is not granted next")


@pytest.mark.parametrize("then", ["other", "decision", "requested"])
def test_a_successor_that_comes_later_is_missed(life, judged, then):
    life.grant("a")
    index = life.supersede("a", by="b")
    if then == "other":
        life.grant("c")
    elif then == "decision":
        life.put("decision.denied", "a", {})
    else:
        life.request("b", arrangement="a")
    life.grant("b", arrangement="a")
    is_bad(judged, index, "superseded by a consent that is not granted next")


def test_two_superseded_by_different_ones_are_named(life, judged):
    life.grant("a")
    life.grant("b")
    life.supersede("a", by="c")
    index = life.supersede("b", by="d")
    life.grant("d", arrangement="b")
    is_bad(judged, index, "superseded by another than the one before it")


def test_who_supersedes_must_be_said(life, judged):
    life.grant("a")
    index = life.end("a", "superseded")
    is_bad(judged, index, "superseded, and it does not say by which")


def test_a_successor_may_have_been_erased(life, judged):
    life.grant("a")
    life.supersede("a", by="b")
    gone = life.grant("b", arrangement="a")
    life.put("erasure.whole", None, {"indexes": [gone]})
    lines = life.seal()
    lines[gone] = forge.drop(lines[gone], "r", "payload")
    assert judged(lines).returncode == 0


# ---- what an entry says of its consent


@pytest.mark.parametrize("who", [{"tenant": "https://other.example"}, {"client": "https://other.example"}])
@pytest.mark.parametrize("begun", [Life.request, Life.grant])
def test_parties_that_change_are_named(life, judged, who, begun):
    begun(life, "a")
    index = (life.grant if begun is Life.request else life.add_token)("a", **who)
    is_bad(judged, index, "the parties of a consent do not change")


@pytest.mark.parametrize("body", [{}, {"status": "terminated"}, {"status": 7}, {"status": "revoked "}])
def test_an_end_that_says_another_state_is_named(life, judged, body):
    life.grant("a")
    index = life.end("a", "revoked", body)
    is_bad(judged, index, 'its "status" is not what its "type" says')


def test_nothing_expires_before_its_time(life, judged):
    life.grant("a", expires=5)
    life.day = 4
    index = life.end("a", "expired")
    is_bad(judged, index, "it expired before its time")


def test_at_its_time_it_expires(life, judged):
    life.grant("a", expires=5)
    life.day = 5
    life.end("a", "expired")
    assert judged().returncode == 0


# ---- decisions


@pytest.mark.parametrize("state", ["revoked", "terminated", "fulfilled", "expired"])
def test_nothing_is_permitted_after_an_end(life, judged, state):
    life.grant("a")
    life.permit("a")
    life.end("a", state)
    index = life.permit("a")
    is_bad(judged, index, f"permitted by a consent that is {state}")


def test_nothing_is_permitted_before_the_grant(life, judged):
    life.request("a")
    index = life.permit("a")
    life.grant("a")
    is_bad(judged, index, "permitted by a consent that is requested")


def test_nothing_is_permitted_once_it_has_expired(life, judged):
    """Though nobody has written so yet."""
    life.grant("a", expires=5)
    life.day = 4
    life.permit("a")
    life.day = 5
    index = life.permit("a")
    is_bad(judged, index, "permitted by a consent that had expired")


@pytest.mark.parametrize("kind", ["decision.permitted", "decision.denied", "disclosure.permitted"])
def test_what_is_about_a_consent_that_never_was_is_named(life, judged, kind):
    life.grant("a")
    index = life.put(kind, "b", {})
    is_bad(judged, index, "it is about a consent that was never there")


def test_what_was_erased_may_have_been_its_beginning(life, judged):
    gone = life.grant("b")
    life.put("disclosure.permitted", "b", {})
    life.put("erasure.whole", None, {"indexes": [gone]})
    lines = life.seal()
    lines[gone] = forge.drop(lines[gone], "r", "payload")
    assert judged(lines).returncode == 0
