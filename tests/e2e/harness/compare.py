# SPDX-License-Identifier: Apache-2.0
"""Holds a whole server against the model: every record, every history, every kind of query."""

import random
import urllib.parse

from model import format_time

from harness.client import check_new_shapes
from harness.wire import Wire, request
from harness.world import cap_app, cap_of, difference, edp, fsp_app, history_difference

PAGE = 500


def records(server, world, token):
    """Every consent by an auditor's pages: order and contents. Returns how many."""
    expected = world.model.ordered()
    found = _walk(server, token, {}, PAGE)
    assert [d["consentId"] for d in found] == [c.id for c in expected]
    for document, consent in zip(found, expected, strict=True):
        wrong = difference(document, world.model.record(consent))
        assert wrong is None, f"{consent.id}: {wrong}"
        tokens = [t["digest"] for t in document.get("tokens", [])]
        assert tokens == [t["digest"] for t in consent.tokens], consent.id
        assert document.get("dependsOn", []) == consent.terms.get("dependsOn", []), consent.id
        late = len(document.get("grant", {}).get("proofs", []))
        assert late == len(consent.late_proofs), consent.id
    return len(found)


def singles(server, world, every=1):
    """GET of single consents, by their tenant, with the ETag of their version."""
    chosen = world.model.ordered()[::every]
    asked = [request("GET", f"/v1/consents/{c.id}", world.tenant_token(c)) for c in chosen]
    with Wire(server) as wire:
        for consent, answer in zip(chosen, wire.ask_many(asked), strict=True):
            assert answer.status_code == 200, answer.text
            assert answer.headers["etag"] == consent.etag(), consent.id
            check_new_shapes("GET", f"/v1/consents/{consent.id}", answer)
            wrong = difference(answer.json(), world.model.record(consent))
            assert wrong is None, f"{consent.id}: {wrong}"
    return len(chosen)


def histories(server, world):
    """The events of every consent, by its tenant. Returns how many events."""
    chosen, count = world.model.ordered(), 0
    asked = [
        request("GET", f"/v1/consents/{c.id}/events?limit=500", world.tenant_token(c))
        for c in chosen
    ]
    with Wire(server) as wire:
        for consent, answer in zip(chosen, wire.ask_many(asked), strict=True):
            assert answer.status_code == 200, answer.text
            check_new_shapes("GET", f"/v1/consents/{consent.id}/events", answer)
            page = answer.json()
            assert "next" not in page
            wrong = history_difference(page["items"], consent)
            assert wrong is None, wrong
            count += len(page["items"])
    return count


def _walk(server, token, filters, limit, post=False):
    """All items of a query, page by page; `status` may be a list."""
    items, cursor = [], None
    with Wire(server) as wire:
        while True:
            asked = dict(filters, limit=limit)
            if cursor is not None:
                asked["cursor"] = cursor
            if post:
                answer = wire.ask(request("POST", "/v1/consents/query", token, asked))
            else:
                query = urllib.parse.urlencode(asked, doseq=True)
                answer = wire.ask(request("GET", f"/v1/consents?{query}", token))
            assert answer.status_code == 200, answer.text
            method, path = ("POST", "/v1/consents/query") if post else ("GET", "/v1/consents")
            check_new_shapes(method, path, answer)
            page = answer.json()
            assert len(page["items"]) <= limit
            items += page["items"]
            cursor = page.get("next")
            linked = 'rel="next"' in answer.headers.get("link", "")
            assert linked == (cursor is not None and not post)
            if cursor is None:
                return items


def _filters(rng, world):
    """One to three filters, with values of some consent so that something is found."""
    family = rng.choice(world.families)  # not of all: their order depends on the threads
    consent = rng.choice(family.energy + family.emissions)
    now = world.now
    kinds = {
        "client": lambda: consent.client,
        "provider": lambda: consent.provider,
        "license": lambda: consent.license,
        "purpose": lambda: rng.choice(consent.terms["purposes"]),
        "permission": lambda: rng.choice(consent.terms["permissions"])["code"],
        "status": lambda: rng.sample(
            [
                "requested",
                "active",
                "revoked",
                "terminated",
                "expired",
                "superseded",
                "refused",
                "timedOut",
            ],
            rng.randrange(1, 4),
        ),
        "grantedFrom": lambda: now - rng.randrange(0, 200 * 86_400_000),
        "grantedTo": lambda: now - rng.randrange(0, 200 * 86_400_000),
        "expiresBefore": lambda: now + rng.randrange(-200 * 86_400_000, 300 * 86_400_000),
        "arrangementId": lambda: consent.arrangement.id,
    }
    if consent.account is not None:
        kinds["account"] = lambda: consent.account
    if consent.resources_named():
        kinds["resource"] = lambda: sorted(consent.resources_named())[0]
    if consent.terms.get("externalId"):
        kinds["externalId"] = lambda: consent.terms["externalId"]
    chosen = rng.sample(sorted(kinds), rng.choice((1, 1, 2, 3)))
    return {name: kinds[name]() for name in chosen}, consent


def _viewers(rng, world, consent):
    app = consent.client if "/app/cap-" in consent.client else cap_app(rng.randrange(200))
    fsp = consent.client if "/app/fsp-" in consent.client else fsp_app(rng.randrange(200))
    two = [consent.tenant, edp(rng.randrange(40))]
    return rng.choice(
        (
            (
                world.minter.tenant(consent.tenant),
                {"as_tenant": consent.tenant, "as_client": consent.tenant},
            ),
            (world.cap_token(app), {"as_tenant": cap_of(app), "as_client": app}),
            (world.client(fsp), {"as_tenant": fsp, "as_client": fsp}),
            (world.minter.auditor(providers=two), {"auditor": two}),
            (world.minter.auditor(), {"auditor": ["*"]}),
        )
    )


def pairwise_ids(server, world, apps):
    """What a client calls an account: read from its own view, one id per account."""
    found = {}
    for app in apps:
        for document in _walk(server, world.client(app), {}, PAGE):
            consent = world.model.by_id[document["consentId"]]
            if "account" not in document:
                assert consent.account is None
                continue
            key = (consent.tenant, consent.provider, consent.account, consent.client)
            assert document["account"] != consent.account
            assert found.setdefault(key, document["account"]) == document["account"], key
    assert len(set(found.values())) == len(found), "two accounts share a pairwise id"
    return found


def queries(server, world, count, seed):
    """`count` queries by all kinds of viewers, in both forms. Returns how many items they found."""
    rng, total, seen = random.Random(seed), 0, set()
    apps = sorted({c.client for c in world.model.consents})
    pairwise = pairwise_ids(server, world, rng.sample(apps, 6))
    for number in range(count):
        filters, consent = _filters(rng, world)
        token, viewer = _viewers(rng, world, consent)
        if number % 10 == 0:  # as a client, by the pairwise id of an account
            key = rng.choice(sorted(pairwise))
            filters = {"account": pairwise[key]}
            token, viewer = world.client(key[3]), {"as_tenant": key[3], "as_client": key[3]}
        expected = world.model.query(**viewer, pairwise=pairwise, **filters)
        sent = {
            name: format_time(value) if isinstance(value, int) else value
            for name, value in filters.items()
        }
        limit = max(rng.choice((1, 7, 50, 500)), len(expected) // 20)
        found = [d["consentId"] for d in _walk(server, token, sent, limit, post=number % 2 == 1)]
        assert found == expected, f"{filters} by {viewer}: {len(found)} and {len(expected)}"
        total += len(found)
        seen.update(filters)
    assert count < 100 or len(seen) == 13, f"only these filters were tried: {seen}"
    return total
