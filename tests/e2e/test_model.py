# SPDX-License-Identifier: Apache-2.0
"""The model judges the server; these judge the model, by cases worked out by hand."""

import pytest
from harness import bodies
from model import Model, Refused, add_months, format_time, parse_time

NOW = parse_time("2026-06-15T12:00Z")
DAY = 86_400_000
EDP, APP, FSP = "https://edp.example", "https://cap.example", "https://fsp.example"


@pytest.fixture
def model():
    return Model(NOW, bodies.LICENSES, 30 * DAY)


def energy(client=APP, **more):
    return bodies.consent(client, format_time(NOW), **more)


def test_times_are_read_with_and_without_seconds():
    assert parse_time("2024-03-31T23:30Z") == parse_time("2024-03-31T23:30:00.000Z")
    assert parse_time("1970-01-01T00:00:01.25Z") == 1250
    assert parse_time("1970-01-01T00:00:01.1239Z") == 1123
    assert format_time(1250) == "1970-01-01T00:00:01.250Z"


def test_a_year_after_the_last_of_february_is_the_28th():
    assert (
        format_time(add_months(parse_time("2024-02-29T10:00Z"), 12)) == "2025-02-28T10:00:00.000Z"
    )
    assert format_time(add_months(parse_time("2024-01-31T10:00Z"), 1)) == "2024-02-29T10:00:00.000Z"
    assert (
        format_time(add_months(parse_time("2026-12-15T00:00Z"), 12)) == "2027-12-15T00:00:00.000Z"
    )


def test_a_second_grant_supersedes_the_first_in_the_same_arrangement(model):
    first = model.create(EDP, energy(), "a")
    second = model.create(EDP, energy(), "b")
    assert (first.status, first.superseded_by) == ("superseded", second)
    assert (second.status, second.supersedes, second.arrangement.id) == ("active", first, "a")
    assert [h["event"] for h in first.history] == ["consent.granted", "consent.superseded"]


@pytest.mark.parametrize(
    "other",
    [
        {"account": "account-2"},
        {"client": FSP},
        {"provider": "https://other.example"},
        {"license": bodies.COMBINED, "onwardRecipients": [FSP]},
    ],
)
def test_a_grant_of_other_parties_stands_beside(model, other):
    first = model.create(EDP, energy(), "a")
    second = model.create(EDP, energy(**other), "b")
    assert first.status == second.status == "active" and second.arrangement.id == "b"


def meters(*names):
    return [{"code": "electricity.import.halfhourly", "resources": list(names)}]


def test_other_meters_stand_beside_and_no_meter_is_all_meters(model):
    first = model.create(EDP, energy(permissions=meters("m1")), "a")
    second = model.create(EDP, energy(permissions=meters("m2")), "b")
    assert first.status == second.status == "active"
    third = model.create(EDP, energy(), "c")
    assert first.status == second.status == "superseded"
    assert third.arrangement.id == "a" and third.supersedes is first
    assert model.arrangement_of(second).id == "a"


def test_ending_by_a_joined_id_ends_the_one_that_is_active(model):
    model.create(EDP, energy(permissions=meters("m1")), "a")
    second = model.create(EDP, energy(permissions=meters("m2")), "b")
    third = model.create(EDP, energy(), "c")
    assert model.end(second, "withdrawn") is third
    assert third.status == "revoked" and model.end(second, "withdrawn").version == third.version
    with pytest.raises(Refused, match="wrong-state"):
        model.end(second, "fraud")


def emissions(name, *groups):
    return {
        "client": FSP,
        "license": bodies.EMISSIONS,
        "account": name,
        "grant": bodies.grant(format_time(NOW)),
        "dependsOn": list(groups),
    }


def test_a_cascade_runs_when_a_group_has_no_active_member_left(model):
    one = model.create(EDP, energy(permissions=meters("m1")), "a")
    two = model.create(EDP, energy(permissions=meters("m2")), "b")
    either = model.create(
        APP, emissions("x", [{"arrangementId": "a"}, {"arrangementId": "b"}]), "c"
    )
    both = model.create(
        APP, emissions("y", [{"arrangementId": "a"}], [{"arrangementId": "b"}]), "d"
    )
    chained = model.create(APP, emissions("z", [{"arrangementId": "d"}]), "e")
    model.end(one, "withdrawn")
    assert [c.status for c in (either, both, chained)] == ["active", "terminated", "terminated"]
    assert both.history[-1]["cause"] == "a" and chained.history[-1]["cause"] == "d"
    assert both.reason == "linkedConsentEnded" and both.by == "system"
    model.end(two, "withdrawn")
    assert either.status == "terminated" and either.history[-1]["cause"] == "b"


def test_supersession_does_not_cascade_and_is_followed(model):
    model.create(EDP, energy(), "a")
    linked = model.create(APP, emissions("x", [{"arrangementId": "a"}]), "c")
    newer = model.create(EDP, energy(), "d")
    assert linked.status == "active"
    model.end(newer, "withdrawn")
    assert linked.status == "terminated"


def test_a_dependant_of_a_joined_arrangement_follows_it(model):
    model.create(EDP, energy(permissions=meters("m1")), "a")
    model.create(EDP, energy(permissions=meters("m2")), "b")
    linked = model.create(APP, emissions("x", [{"arrangementId": "b"}]), "c")
    joined = model.create(EDP, energy(), "d")
    assert linked.status == "active"
    model.end(joined, "withdrawn")
    assert linked.status == "terminated"


def test_the_clock_expires_and_an_external_member_no_longer_holds(model):
    short = format_time(NOW + 10 * DAY)
    parent = model.create(EDP, energy(expires=short), "a")
    external = {
        "external": {
            "oauthIssuer": "https://x.example",
            "tokenDigest": "0" * 64,
            "expires": format_time(NOW + 5 * DAY),
        }
    }
    linked = model.create(APP, emissions("x", [{"arrangementId": "a"}, external]), "c")
    model.advance(NOW + 10 * DAY - 1)
    assert parent.status == "active"
    model.advance(NOW + 10 * DAY + 5)
    assert (parent.status, parent.status_at) == ("expired", NOW + 10 * DAY)
    assert (linked.status, linked.status_at) == ("terminated", NOW + 10 * DAY + 5)


def test_renewal_is_a_new_consent_and_only_once(model):
    old = model.create(EDP, energy(), "a")
    new = model.renew(old, {"grant": bodies.grant(format_time(NOW))}, "b")
    assert (old.status, new.status, new.arrangement.id) == ("superseded", "active", "a")
    with pytest.raises(Refused, match="wrong-state"):
        model.renew(old, {"grant": bodies.grant(format_time(NOW))}, "c")
    model.advance(new.expires)
    assert new.status == "expired"
    at = format_time(model.now)
    again = model.renew(new, {"grant": bodies.grant(at)}, "d")
    assert (new.status, new.superseded_by, again.status) == ("expired", again, "active")


def test_a_request_is_refused_granted_or_times_out(model):
    asked = model.create(EDP, bodies.requested(APP), "a")
    model.end(asked, "refused")
    assert asked.status == "refused" and asked.granted_at is None
    with pytest.raises(Refused, match="wrong-state"):
        model.end(asked, "withdrawn")
    late = model.create(EDP, bodies.requested(APP), "b")
    model.advance(NOW + 30 * DAY)
    assert (late.status, late.status_at) == ("timedOut", NOW + 30 * DAY)
    with pytest.raises(Refused, match="wrong-state"):
        model.grant(late, {"account": "x", "grant": bodies.grant(format_time(NOW))})


def test_a_client_and_a_stranger_see_their_part(model):
    one = model.create(EDP, energy(externalId="e-1"), "a")
    model.create(EDP, bodies.consent(FSP, format_time(NOW), license=bodies.EMISSIONS), "b")
    assert model.query(as_tenant=EDP, as_client=EDP) == ["a", "b"]
    assert model.query(as_tenant=APP, as_client=APP) == ["a"]
    assert model.query(as_tenant="https://nobody.example", as_client="https://nobody.example") == []
    assert model.query(auditor=[EDP]) == ["a", "b"] and model.query(auditor=[APP]) == []
    assert model.query(as_tenant=EDP, as_client=EDP, externalId="e-1") == ["a"]
    assert model.query(as_tenant=APP, as_client=APP, externalId="e-1") == []
    pairwise = {(EDP, EDP, one.account, APP): "p" * 22}
    assert model.query(as_tenant=APP, as_client=APP, pairwise=pairwise, account="p" * 22) == ["a"]
    assert model.query(as_tenant=APP, as_client=APP, pairwise=pairwise, account=one.account) == []


def test_bulk_ends_at_most_so_many_and_tells_of_more(model):
    for n in range(5):
        model.create(EDP, energy(account=f"account-{n}"), f"c{n}")
    ended, more = model.end_many(EDP, "recipientStruckOff", most=3, client=APP)
    assert [c.id for c in ended] == ["c0", "c1", "c2"] and more
    ended, more = model.end_many(EDP, "recipientStruckOff", most=3, client=APP)
    assert [c.id for c in ended] == ["c3", "c4"] and not more
