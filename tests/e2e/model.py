# SPDX-License-Identifier: Apache-2.0
"""An independent model of consents, written from the specification and not from the C code.

It holds what a tenant, a client or an auditor must see after a sequence of requests: states, the
rule of one active consent, arrangements that join, renewals, cascades through groups of dependsOn,
expiry by the clock, queries with every filter, histories, and bulk revocations.

Time is a number of milliseconds that the test sets: the server under test runs with an injected
clock that stands still, so that every time in an answer is known. Ids are the server's; the caller
passes them in after an answer. A refused request raises Refused and changes nothing.
"""

import bisect
import datetime
import threading

FINAL = ("refused", "timedOut", "revoked", "terminated", "expired", "fulfilled", "superseded")
LEADS_TO = {  # statements of a caller; the others are the service's own
    "refused": "refused",
    "withdrawn": "revoked",
    "withdrawnAtClient": "revoked",
    "tenancyChanged": "terminated",
    "resourceRemoved": "terminated",
    "accountClosed": "terminated",
    "recipientStruckOff": "terminated",
    "schemeEnded": "terminated",
    "grantedInError": "terminated",
    "fraud": "terminated",
}
EVENT_OF = {"requested": "consent.requested", "active": "consent.granted"}
EVENT_OF.update({state: f"consent.{state}" for state in FINAL})


class Refused(Exception):
    def __init__(self, problem):
        super().__init__(problem)
        self.problem = problem


def parse_time(text):
    """Milliseconds of an RFC 3339 time as this API reads it."""
    body = text.removesuffix("Z")
    shape = "%Y-%m-%dT%H:%M" if body.count(":") == 1 else "%Y-%m-%dT%H:%M:%S"
    whole, _, fraction = body.partition(".")
    moment = datetime.datetime.strptime(whole, shape).replace(tzinfo=datetime.timezone.utc)
    return int(moment.timestamp()) * 1000 + int((fraction + "000")[:3])


def format_time(ms):
    moment = datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + f".{ms % 1000:03d}Z"


def add_months(ms, months):
    """Keeps the day or takes the month's last, as calendars do."""
    moment = datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc)
    index = moment.year * 12 + moment.month - 1 + months
    year, month = divmod(index, 12)
    for day in range(moment.day, 27, -1):
        try:
            moment = moment.replace(year=year, month=month + 1, day=day)
            break
        except ValueError:
            continue
    else:
        moment = moment.replace(year=year, month=month + 1)
    return int(moment.timestamp()) * 1000 + ms % 1000


class Consent:
    def __init__(self, tenant, terms, number):
        self.number = number  # creation order among those the model knows
        self.tenant = tenant
        self.terms = terms  # plain members as the caller gave them, defaults filled in
        self.id = None
        self.arrangement = None
        self.version = 0
        self.status = None
        self.status_at = None
        self.reason = None
        self.by = None
        self.granted_at = None
        self.account = None
        self.expires = None
        self.answer_due = None
        self.supersedes = None
        self.superseded_by = None
        self.tokens = []
        self.late_proofs = []
        self.history = []  # dicts: event, version, at, role, and status, reason, by, cause
        self.groups = []  # of ("arrangement", Arrangement) and ("external", expires)

    @property
    def client(self):
        return self.terms["client"]

    @property
    def provider(self):
        return self.terms["provider"]

    @property
    def license(self):
        return self.terms["license"]

    @property
    def onward(self):
        return self.terms.get("onwardRecipients", [])

    def resources(self):
        """Every resource named; None when some permission names none: all."""
        named = set()
        for permission in self.terms["permissions"]:
            if not permission.get("resources"):
                return None
            named.update(permission["resources"])
        return named

    def resources_named(self):
        return {r for p in self.terms["permissions"] for r in p.get("resources", [])}

    def due(self):
        """When the clock ends it, or None."""
        if self.status == "active":
            return self.expires
        if self.status == "requested":
            return self.answer_due
        return None

    def etag(self):
        return f'"{self.version}"'


class Arrangement:
    def __init__(self, first):
        self.first = first
        self.head = first
        self.joined = None  # the arrangement that took it over
        self.dependants = []

    @property
    def id(self):
        return self.first.id

    def now(self):
        """What it is read as: the one that superseded it, however often."""
        place = self
        while place.joined is not None:
            place = place.joined
        return place

    def active(self, now):
        head = self.now().head
        return head.status == "active" and head.expires > now


class Model:
    """`licenses`: URL → {purposes, permissions, months}; what an omitted member defaults to."""

    def __init__(self, now, licenses, request_timeout_ms):
        self.now = now
        self.licenses = licenses
        self.request_timeout_ms = request_timeout_ms
        self.consents = []
        self.by_id = {}
        self.arrangements = {}
        self._by_account = {}
        self._external_ids = set()
        self._lock = threading.RLock()

    # ---- writing

    def create(self, tenant, body, consent_id, order=None):
        """`body` as sent to POST /v1/consents; consent_id from the answer."""
        with self._lock:
            consent = self._new(tenant, self._terms(tenant, body))
            self._check_external_id(consent)
            self._set_id(consent, consent_id, order)
            if "grant" in body:
                self._grant(consent, body, previous=None)
            else:
                consent.expires = _optional_time(body, "expires")
                consent.account = body.get("account")
                consent.answer_due = self.now + self.request_timeout_ms
                self._move(consent, "requested", "tenant")
                self._index_account(consent)
            return consent

    def grant(self, consent, body):
        with self._lock:
            if consent.status != "requested":
                raise Refused("wrong-state")
            for name in ("dataFrom", "dataTo", "permissions", "purposes", "expires"):
                if name in body:
                    consent.terms[name] = body[name]
            self._grant(consent, body, previous=None)
            return consent

    def renew(self, old, body, consent_id, order=None):
        with self._lock:
            if old.status not in ("active", "expired") or old.superseded_by is not None:
                raise Refused("wrong-state")
            if not all(self._holds(group) for group in old.groups):
                raise Refused("not-admissible")
            terms = dict(old.terms)
            terms.pop("externalId", None)
            terms.pop("expires", None)
            for name in ("license", "onwardRecipients", "dataFrom", "expires"):
                if name in body:
                    terms[name] = body[name]
            consent = self._new(old.tenant, terms)
            consent.account = old.account
            self._set_id(consent, consent_id, order)
            self._grant(consent, body, previous=old)
            return consent

    def end(self, consent, reason, by=None, role="tenant"):
        """refuse and revoke. Returns the consent that ended, which the answer shows."""
        with self._lock:
            to = LEADS_TO[reason]
            if to != "refused":
                consent = self.arrangement_of(consent).head
            if consent.status == to:
                return consent
            if consent.status != ("requested" if to == "refused" else "active"):
                raise Refused("wrong-state")
            self._end(consent, to, reason, by or role, role)
            self._cascade(consent)
            return consent

    def use_up(self, consent):
        """A disclosure was its last use."""
        with self._lock:
            self._end(consent, "fulfilled", "fulfilled", "system", "system")
            self._cascade(consent)

    def end_many(self, tenant, reason, most=1000, **selection):
        """Returns the consents that ended by name (cascades are not results), and whether more."""
        with self._lock:
            found = [
                c
                for c in self.consents
                if c.tenant == tenant
                and c.status == "active"
                and all(_selects(c, name, value) for name, value in selection.items())
            ]
            found.sort(key=lambda c: c.number)
            ended = []
            for consent in found[:most]:
                if consent.status == "active":
                    self.end(consent, reason)
                    ended.append(consent)
            return ended, len(found) > most

    def add_tokens(self, consent, tokens):
        """Returns the consent that has them: late ones go to the active one of the arrangement."""
        with self._lock:
            known = []
            if consent.status == "superseded":
                known = [t["digest"] for t in consent.tokens]
                consent = self.arrangement_of(consent).head
            if consent.status != "active":
                raise Refused("wrong-state")
            self._add_tokens(consent, [t for t in tokens if t["digest"] not in known])
            return consent

    def add_proofs(self, consent, proofs):
        with self._lock:
            if consent.granted_at is None:
                raise Refused("wrong-state")
            consent.late_proofs.extend(proofs)
            self._note(consent, "consent.proofAdded", "tenant")
            return consent

    def advance(self, now):
        """The clock moves on, and what it ends is recorded in the order in which it was due."""
        with self._lock:
            assert now >= self.now
            self.now = now
            self._settle()

    # ---- reading

    def arrangement_of(self, consent):
        return self.arrangements[consent.arrangement.id].now()

    def ordered(self):
        return sorted(self.consents, key=lambda c: c.number)

    def query(self, as_tenant=None, as_client=None, auditor=None, pairwise=None, **filters):
        """Ids in creation order. The viewer is a tenant URL, a client URL or a list of tenants
        ("*": all). As a client the filter `account` is the account's pairwise id: `pairwise` maps
        (tenant, provider, account, client) to it."""
        found = []
        for c in self.ordered():
            if auditor is not None:
                whole = "*" in auditor or c.tenant in auditor
            else:
                whole = as_tenant is not None and c.tenant == as_tenant
            reduced = as_client is not None and c.client == as_client
            if not (whole or reduced):
                continue
            if self._matches(c, filters, whole, reduced, pairwise or {}):
                found.append(c.id)
        return found

    def _matches(self, c, filters, whole, reduced, pairwise):
        for name, value in filters.items():
            if name == "account":
                name_of = pairwise.get((c.tenant, c.provider, c.account, c.client))
                if not (
                    (whole and c.account == value)
                    or (reduced and c.account is not None and name_of == value)
                ):
                    return False
            elif name == "externalId":
                if not whole or c.terms.get("externalId") != value:
                    return False
            elif not self._matches_plain(c, name, value):
                return False
        return True

    def _matches_plain(self, c, name, value):
        if name in ("client", "provider", "license"):
            return c.terms[name] == value
        if name == "purpose":
            return value in c.terms["purposes"]
        if name == "permission":
            return value in [p["code"] for p in c.terms["permissions"]]
        if name == "resource":
            return value in c.resources_named()
        if name == "status":
            return c.status in value
        if name == "arrangementId":
            return c.arrangement.id == value
        if name == "grantedFrom":
            return c.granted_at is not None and c.granted_at >= value
        if name == "grantedTo":
            return c.granted_at is not None and c.granted_at < value
        if name == "expiresBefore":
            return c.expires is not None and c.expires < value
        raise AssertionError(f"no such filter: {name}")

    def record(self, c):
        """The members of the tenant's view that the model knows, exactly."""
        out = {
            "consentId": c.id,
            "arrangementId": c.arrangement.id,
            "version": c.version,
            "status": c.status,
            "statusAt": format_time(c.status_at),
            "tenant": c.tenant,
        }
        for name in ("provider", "client", "license", "purposes", "permissions"):
            out[name] = c.terms[name]
        for name in ("onwardRecipients", "externalId", "principal", "maxUses"):
            if c.terms.get(name):
                out[name] = c.terms[name]
        for name in ("dataFrom", "dataTo"):
            if name in c.terms:
                out[name] = format_time(parse_time(c.terms[name]))
        if c.supersedes is not None:
            out["supersedes"] = c.supersedes.id
        if c.superseded_by is not None:
            out["supersededBy"] = c.superseded_by.id
        if c.reason is not None:
            out["statusReason"] = {"code": c.reason, "by": {"role": c.by}}
        if c.account is not None:
            out["account"] = c.account
        if c.granted_at is not None:
            out["lastGranted"] = format_time(c.granted_at)
        if c.expires is not None:
            out["expires"] = format_time(c.expires)
        if c.status in ("revoked", "terminated"):
            out["revoked"] = format_time(c.status_at)
        return out

    def linked_ended(self, consent):
        """Whether a group of dependsOn has no active member that has not lost its own."""
        with self._lock:
            return not self._stands(consent, frozenset())

    def _stands(self, consent, above):
        """A circle holds itself."""
        return consent in above or all(
            any(self._supports(kind, value, above | {consent}) for kind, value in group)
            for group in consent.groups
        )

    def _supports(self, kind, value, above):
        if kind == "external":
            return value > self.now
        return value.active(self.now) and self._stands(value.now().head, above)

    # ---- how it works

    def _terms(self, tenant, body):
        terms = {k: v for k, v in body.items() if k not in ("grant", "tokens", "account")}
        terms.setdefault("provider", tenant)
        known = self.licenses[terms["license"]]
        terms.setdefault("purposes", list(known["purposes"]))
        terms.setdefault("permissions", [{"code": code} for code in known["permissions"]])
        return terms

    def _new(self, tenant, terms):
        return Consent(tenant, terms, len(self.consents))

    def _check_external_id(self, consent):
        name = consent.terms.get("externalId")
        if name is not None and (consent.tenant, name) in self._external_ids:
            raise Refused("wrong-state")

    def _set_id(self, consent, consent_id, order):
        assert consent_id not in self.by_id
        consent.id = consent_id
        if order is not None:
            consent.number = order
        consent.arrangement = Arrangement(consent)
        self.arrangements[consent_id] = consent.arrangement
        self.by_id[consent_id] = consent
        self.consents.append(consent)
        if "externalId" in consent.terms:
            self._external_ids.add((consent.tenant, consent.terms["externalId"]))
        for group in consent.terms.get("dependsOn", []):
            members = []
            for member in group:
                if "arrangementId" in member:
                    arrangement = self.arrangements[member["arrangementId"]]
                    arrangement.now().dependants.append(consent)
                    members.append(("arrangement", arrangement))
                else:
                    members.append(("external", parse_time(member["external"]["expires"])))
            consent.groups.append(members)

    def _index_account(self, consent):
        """A requested consent may have an account already, and be granted later."""
        if consent.account is not None:
            known = self._by_account.setdefault((consent.tenant, consent.account), [])
            if consent not in known:
                known.append(consent)

    def _grant(self, consent, body, previous):
        consent.account = body.get("account", consent.account)
        self._index_account(consent)
        consent.granted_at = parse_time(body["grant"]["at"])
        months = self.licenses[consent.license]["months"]
        consent.expires = (
            parse_time(consent.terms["expires"])
            if "expires" in consent.terms
            else add_months(consent.granted_at, months)
        )
        taken = self._overlapping(consent)
        if previous is not None:
            self._join(consent, previous.arrangement.now(), previous)
            if previous.status == "active" and previous not in taken:
                taken.append(previous)
        elif taken:
            first = min(taken, key=lambda c: c.arrangement.first.number)
            self._join(consent, first.arrangement.now(), first)
        for old in sorted(taken, key=lambda c: c.number):
            old.superseded_by = consent
            self._end(old, "superseded", "superseded", "system", "tenant")
            self._take_over(old.arrangement.now(), consent.arrangement)
        self._move(consent, "active", "tenant")
        consent.arrangement.head = consent
        if previous is not None and previous.status == "expired":
            previous.superseded_by = consent
        self._add_tokens(consent, body.get("tokens", []))

    def _join(self, consent, arrangement, supersedes):
        own = consent.arrangement
        consent.supersedes = supersedes
        consent.arrangement = arrangement
        self._take_over(own, arrangement)

    def _take_over(self, arrangement, by):
        if arrangement is not by:
            arrangement.joined = by
            by.dependants.extend(d for d in arrangement.dependants if d not in by.dependants)

    def _overlapping(self, consent):
        key = (consent.tenant, consent.account)
        return [
            c
            for c in self._by_account.get(key, [])
            if c is not consent
            and c.status == "active"
            and c.provider == consent.provider
            and c.client == consent.client
            and c.license == consent.license
            and _meet(set(c.onward) or None, set(consent.onward) or None, nothing=True)
            and _meet(c.resources(), consent.resources(), nothing=False)
        ]

    def _add_tokens(self, consent, tokens):
        for token in tokens:
            if token["digest"] not in [t["digest"] for t in consent.tokens]:
                consent.tokens.append(token)
                self._note(consent, "consent.tokenAdded", "tenant")

    def _note(self, consent, event, role, **more):
        consent.version += 1
        consent.history.append(
            {"event": event, "version": consent.version, "at": self.now, "role": role, **more}
        )

    def _move(self, consent, status, role, **more):
        consent.status = status
        consent.status_at = self.now
        self._note(consent, EVENT_OF[status], role, status=status, **more)

    def _end(self, consent, status, reason, by, role, at=None, cause=None):
        assert consent.status in ("requested", "active")
        self._move(
            consent,
            status,
            role,
            reason=reason,
            by=by,
            **({"cause": cause.id} if cause is not None else {}),
        )
        consent.reason, consent.by = reason, by
        if at is not None:
            consent.status_at = at

    def _holds(self, group):
        return any(
            value.active(self.now) if kind == "arrangement" else value > self.now
            for kind, value in group
        )

    def _cascade(self, ended):
        """The cause, then the dependants in creation order, and so on for those that end."""
        waiting = [(d.number, ended, d) for d in ended.arrangement.now().dependants]
        waiting.sort(key=lambda row: row[0])
        while waiting:
            _, cause, dependant = waiting.pop(0)
            if dependant.status != "active" or dependant.expires <= self.now:
                continue
            if all(self._holds(group) for group in dependant.groups):
                continue
            self._end(
                dependant, "terminated", "linkedConsentEnded", "system", "system", cause=cause
            )
            for next_one in dependant.arrangement.now().dependants:
                bisect.insort(
                    waiting, (next_one.number, dependant, next_one), key=lambda row: row[0]
                )

    def _settle(self):
        due = [c for c in self.consents if c.due() is not None and c.due() <= self.now]
        for consent in sorted(due, key=lambda c: (c.due(), c.number)):
            at = consent.due()
            if at is None or at > self.now:
                continue
            state = "expired" if consent.status == "active" else "timedOut"
            self._end(consent, state, state, "system", "system", at=at)
            if state == "expired":
                self._cascade(consent)


def _optional_time(body, name):
    return parse_time(body[name]) if name in body else None


def _meet(a, b, nothing):
    """Whether two sets meet; None is everything for resources, and no recipient for recipients."""
    if nothing:
        return (a is None and b is None) or bool((a or set()) & (b or set()))
    return a is None or b is None or bool(a & b)


def _selects(consent, name, value):
    if name == "resource":
        return value in consent.resources_named()
    if name == "account":
        return consent.account == value
    return consent.terms[name] == value
