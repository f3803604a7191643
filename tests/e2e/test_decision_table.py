# SPDX-License-Identifier: Apache-2.0
"""The case table of Perseus, asked of the running service: consentctl judges the table with the
service's own rules but reads requests and consents itself, so the two are held together here."""

import copy
import json

import pytest
from conftest import Cast
from harness import bodies
from harness.server import PERSEUS

TABLE = json.loads(PERSEUS.with_name(PERSEUS.stem + ".test.json").read_text())
# What a consent is given by others than its terms, or as of another time or pack.
ELSEWHERE = {"status", "expires", "uses", "maxUses", "linkedEnded"}
# Of these consents the table says what only an older pack can have admitted.
NOT_ADMISSIBLE = {
    "no cluster is stated: without consumption no outcode",
    "no cluster is stated, and none is open",
}


def is_of_here(case):
    edits = case.get("set", {})
    return (
        not {"variant", "now", "blocked"} & set(case)
        and not ELSEWHERE & set(case.get("given", {}))
        and "/subject/id" not in edits
        and case["name"] not in NOT_ADMISSIBLE
    )


CASES = [case for case in TABLE["decisions"] if is_of_here(case)]


def edited(request, edits):
    request = copy.deepcopy(request)
    for pointer, value in edits.items():
        *steps, last = pointer[1:].split("/")
        at = request
        for step in steps:
            at = at.setdefault(step, {})
        if value is None:
            at.pop(last, None)
        else:
            at[last] = value
    return request


class Consents:
    """The table's consents, stored: each set of terms once, for an account of its own."""

    def __init__(self, cast):
        self.cast, self.made = cast, {}

    def get(self, fixture, given):
        name = json.dumps([fixture, given], sort_keys=True)
        if name not in self.made:
            account = f"account-{len(self.made)}"
            self.made[name] = account, self._create(fixture, given, account)
        return self.made[name]

    def _create(self, fixture, given, account):
        terms = {**TABLE["consents"][fixture], **given}
        body = bodies.consent(
            terms["client"], terms["grantAt"], account, terms["license"], expires=terms["expires"]
        )
        for member in ("purposes", "permissions", "dataFrom", "dataTo", "onwardRecipients"):
            if terms.get(member) is not None:
                body[member] = terms[member]
        if fixture == "emissions":
            energy = {"arrangementId": self.get("energy", {})[1]["arrangementId"]}
            body["dependsOn"] = [[energy]]
        return self.cast.tenant.create(body)


@pytest.fixture(scope="module")
def consents(server, minter):
    cast = Cast(server, minter)
    yield Consents(cast)
    cast.close()


def fixtures_of(case):
    return case.get("only", list(TABLE["consents"]))


def expected(case, fixture):
    expect = case["expect"]
    if isinstance(expect, dict):
        expect = expect.get(fixture, [])
    return [] if expect == "permit" else expect


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_service_decides_as_the_table_says(consents, case):
    for fixture in fixtures_of(case):
        account, consent = consents.get(fixture, case.get("given", {}))
        edits = {"/context/explain": True, **case.get("set", {})}
        request = edited(TABLE["consents"][fixture]["request"], edits)
        resource = request["resource"]
        resource["id"] = consent["consentId"] if resource["type"] == "consent" else account
        if "consent" in case:
            resource["id"] = "nobody"
        answer = consents.cast.tenant.post("/access/v1/evaluation", request).json()
        wanted = expected(case, fixture)
        assert answer["decision"] is (wanted == []), (fixture, answer)
        if edits["/context/explain"] is not True:
            continue
        reasons = answer["context"]["reasons"]
        assert [reason["code"] for reason in reasons] == wanted, fixture
        clauses = {reason["code"]: reason["clause"] for reason in reasons}
        for code, clause in case.get("clauses", {}).items():
            if code in clauses:
                assert clauses[code] == clause, fixture
        for name, codes in case.get("open", {}).items():
            assert answer["context"][name] == codes, fixture


@pytest.mark.parametrize("row", TABLE["matrix"], ids=lambda row: row.get("name", row["consent"]))
def test_the_service_permits_exactly_what_the_matrix_lists(consents, row):
    pack = json.loads(PERSEUS.read_text())
    account, _ = consents.get(row["consent"], {})
    request = edited(TABLE["consents"][row["consent"]]["request"], row.get("set", {}))
    request["resource"]["id"] = account
    pairs = [(p["code"], m["code"]) for p in pack["purposes"] for m in pack["permissions"]]
    items = [
        edited(
            request,
            {
                "/action/properties/purpose": purpose,
                "/resource/properties/permissions": [*row.get("beside", []), permission],
            },
        )
        for purpose, permission in pairs
    ]
    answers = consents.cast.tenant.post("/access/v1/evaluations", {"evaluations": items}).json()
    permitted = {
        pair
        for pair, answer in zip(pairs, answers["evaluations"], strict=True)
        if answer["decision"]
    }
    assert permitted == {(p, m) for p, listed in row["permits"].items() for m in listed}


def test_most_of_the_table_is_asked_here():
    assert len(CASES) >= 0.7 * len(TABLE["decisions"])
