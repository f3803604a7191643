# SPDX-License-Identifier: Apache-2.0
"""What must be decided, read from docs/decisions.md sentence by sentence, with sets and lists: the
opposite of how policy/ does it, so that both are wrong together only where the page is."""

import math

from truth import rules, times
from truth.question import read

NOT_ACTIVE = ("requested", "refused", "timedOut", "revoked", "terminated", "superseded")


def finest(permission):
    return times.duration(permission["granularity"]) if "granularity" in permission else None


class Verdict:
    """reasons: code -> clause; the purposes and permissions that a permit leaves open."""

    def __init__(self):
        self.reasons, self.purposes, self.permissions, self.rule = {}, [], [], None


class Judge:
    def __init__(self, pack, case):
        self.pack, self.now = pack, case["now"]
        self.blocked = case.get("blocked", False)
        self.request = read(pack, case["request"])
        self.consent = case["consent"] if self.request.kind != "rules" else None
        self.stated = self.request.stated
        self.client = self.request.attributes["subject.id"]
        self.month = times.month_start(self.now)
        self.permissions = {p["code"]: (i, p) for i, p in enumerate(pack["permissions"])}
        self.purposes = {p["code"]: (i, p) for i, p in enumerate(pack["purposes"])}
        self.license, self.at = None, None
        for i, license_ in enumerate(pack["licenses"]):
            if self.consent is not None and license_["url"] == self.consent["license"]:
                self.license, self.at = license_, f"licenses/{i}"
        self.onward = (self.license or {}).get("onwardRecipients")
        self.verdict = Verdict()

    def deny(self, code, clause):
        self.verdict.reasons.setdefault(code, clause)

    def decide(self):
        kind = self.request.kind
        if kind == "unknown":
            self.deny("deniedByRule", "resourceTypes")
            return self.verdict
        if self.request.malformed:
            self.deny("malformedRequest", "request" + self.request.malformed)
        if self.blocked:
            self.deny("clientBlocked", "blocks")
        if kind != "rules":
            self.judge_clauses()
        self.judge_rules(kind)
        return self.verdict

    def judge_clauses(self):
        if self.consent is None:
            self.deny("consentNotFound", "consent")
        else:
            self.judge_consent()
            self.judge_license()
            self.judge_recipient()
        self.judge_purpose()
        self.judge_permissions()
        self.judge_window()
        here = self.pack.get("territory")
        if "territory" in self.stated and here and self.stated["territory"] not in here:
            self.deny("territory", "territory")

    # ---- what needs neither purpose nor permission

    def judge_consent(self):
        consent, status = self.consent, self.status()
        if consent["client"] != self.client:
            self.deny("wrongClient", "consent/client")
        if status in NOT_ACTIVE:
            self.deny("notActive", "consent/status")
        if status == "expired":
            self.deny("expired", "consent/expires")
        uses_max = consent.get("maxUses")
        if status == "fulfilled" or (uses_max and consent.get("uses", 0) >= uses_max):
            self.deny("usesExhausted", "consent/maxUses")
        if consent.get("linkedEnded"):
            self.deny("linkedConsentEnded", "consent/dependsOn")

    def status(self):
        """As of now: an active consent expires by the clock."""
        status, expires = self.consent["status"], self.consent.get("expires")
        ended = status == "active" and expires is not None and self.now >= expires
        return "expired" if ended else status

    def judge_license(self):
        stated = self.stated.get("license")
        if self.license is None:
            self.deny("licenseNotAvailable", "licenses")
        else:
            begins, ends = self.license.get("availableFrom"), self.license.get("prohibitedAfter")
            if begins and self.now < times.pack_time(begins, last=False):
                self.deny("licenseNotAvailable", f"{self.at}/availableFrom")
            if ends and self.now > times.pack_time(ends, last=True):
                self.deny("licenseProhibited", f"{self.at}/prohibitedAfter")
        if self.license and stated is not None and stated != self.consent["license"]:
            self.deny("licenseNotAvailable", f"{self.at}/url")

    def judge_recipient(self):
        stated = self.stated.get("onwardRecipient")
        if stated is not None:
            if stated not in self.consent.get("onwardRecipients", []):
                self.deny("recipientNotNamed", "consent/onwardRecipients")
        elif self.onward:
            counting = set(self.counting("permissions")) & set(self.asked())
            if counting & set(self.onward["permissions"]):
                self.deny("recipientNotNamed", f"{self.at}/onwardRecipients/permissions")

    def judge_rules(self, kind):
        consent = self.consent and {**self.consent, "status": self.status()}
        known = rules.facts(self.pack, consent, self.license, self.request)
        denied = rules.first(self.pack, "deny", known)
        permitted = rules.first(self.pack, "permit", known)
        if denied is not None:
            self.deny("deniedByRule", f"rules/{denied}")
        elif kind == "rules" and permitted is None:
            self.deny("deniedByRule", "rules")
        elif kind == "rules":
            self.verdict.rule = permitted

    # ---- purposes

    def counting(self, member):
        """Codes that count: in the consent and in the licence, in the order of the pack."""
        held = self.consent[member]
        held = [p["code"] for p in held] if member == "permissions" else held
        allowed = held if self.license is None else self.license[member]
        known = self.permissions if member == "permissions" else self.purposes
        return [code for code in known if code in held and code in allowed]

    def acting(self):
        """Codes of the roles that act."""
        roles = self.pack["roles"]
        if "roles" in self.stated:
            found = {r["code"] for r in roles if set(r["urls"]) & set(self.stated["roles"])}
        elif self.license is None:
            found = {r["code"] for r in roles}
        else:
            found = {self.license["to"]}
        if "onwardRecipient" in self.stated and self.onward:
            found.add(self.onward["role"])
        return found

    def judge_purpose(self):
        stated = self.stated.get("purpose")
        if stated is None and self.pack.get("settings", {}).get("purposeMustBeStated"):
            self.deny("purposeNotPermitted", "settings/purposeMustBeStated")
        if stated is not None and stated not in self.purposes:
            self.deny("purposeNotPermitted", "purposes")
        if self.consent is not None:
            self.judge_open_purpose(stated)

    def judge_open_purpose(self, stated):
        if self.license and "roles" in self.stated:
            to = next(r for r in self.pack["roles"] if r["code"] == self.license["to"])
            if not set(to["urls"]) & set(self.stated["roles"]):
                self.deny("roleMissing", f"{self.at}/to")
        counting = self.counting("purposes")
        if stated is None:
            if not counting:
                self.deny("purposeNotPermitted", "purposes")
            self.verdict.purposes = self.test_purposes(counting)
        elif stated in self.purposes:
            if stated not in counting:
                self.deny("purposeNotPermitted", f"purposes/{self.purposes[stated][0]}/code")
            self.verdict.purposes = self.test_purposes([stated])

    def test_purposes(self, left):
        tests = (
            ("roleMissing", "roles", self.has_role),
            ("granularityTooFine", "limits/granularity", self.is_coarse_for),
            ("outsideDataWindow", "limits/lookBack", self.is_young_for),
        )
        for code, member, passes in tests:
            passed = [p for p in left if passes(self.purposes[p][1])]
            if left and not passed:
                one = f"purposes/{self.purposes[left[0]][0]}/{member}"
                self.deny(code, one if "purpose" in self.stated else "purposes")
            left = passed or left
        return left

    def has_role(self, purpose):
        return bool(set(purpose["roles"]) & self.acting())

    def is_coarse_for(self, purpose):
        limit = purpose.get("limits", {}).get("granularity")
        if limit is None:
            return True
        if "permissions" in self.stated:
            asked = [self.grain_of(code) for code in self.asked()]
        else:
            asked = [self.stated.get("granularity")]
        return not any(g is not None and times.finer(g, times.duration(limit)) for g in asked)

    def is_young_for(self, purpose):
        limit = purpose.get("limits", {}).get("lookBack")
        start = self.stated.get("from")
        if limit is None or start is None:
            return True
        return start >= times.back(self.month, times.duration(limit))

    # ---- permissions

    def asked(self):
        """Known codes that are stated, in the order of the pack."""
        return [code for code in self.permissions if code in self.stated.get("permissions", [])]

    def grain_of(self, code):
        """What the request comes to for a permission, or None."""
        return self.stated.get("granularity") or finest(self.permissions[code][1])

    def held(self, code):
        """What the consent says of a permission."""
        found = [p for p in self.consent["permissions"] if p["code"] == code]
        return found[0] if found else {}

    def judge_permissions(self):
        if "permissions" not in self.stated:
            if self.consent is not None:
                self.open_permissions()
            return
        asked = self.asked()
        if set(self.stated["permissions"]) - set(asked):
            self.deny("permissionNotPermitted", "permissions")
        for code in asked:
            self.judge_permission(code, asked)
        self.verdict.permissions = asked

    def judge_permission(self, code, asked):
        index, permission = self.permissions[code]
        counts = self.consent is not None and code in self.counting("permissions")
        if permission.get("denied"):
            self.deny("permissionNotPermitted", f"permissions/{index}/denied")
        if self.consent is not None and not counts:
            self.deny("permissionNotPermitted", f"permissions/{index}/code")
        if permission.get("onlyWith") and not set(permission["onlyWith"]) & set(asked):
            self.deny("permissionNotPermitted", f"permissions/{index}/onlyWith")
        if not counts:
            return
        held = self.held(code)
        if not self.may_go_onward(code):
            self.deny("permissionNotPermitted", f"{self.at}/onwardRecipients/permissions")
        if held.get("resources") and not self.within(held["resources"]):
            self.deny("resourceNotPermitted", "consent/permissions")
        self.judge_grain(code, held, f"permissions/{index}/granularity")

    def may_go_onward(self, code):
        if "onwardRecipient" not in self.stated or self.license is None:
            return True
        return bool(self.onward) and code in self.onward["permissions"]

    def within(self, resources):
        stated = self.stated.get("resources", [])
        return bool(stated) and set(stated) <= set(resources)

    def judge_grain(self, code, held, clause):
        grain, least = self.grain_of(code), finest(self.permissions[code][1])
        limit = times.duration(held["maxGranularity"]) if "maxGranularity" in held else None
        if limit and (grain is None or times.finer(grain, limit)):
            self.deny("granularityTooFine", "consent/permissions")
        if grain and least and times.finer(grain, least):
            self.deny("granularityTooFine", clause)

    def open_permissions(self):
        left = [c for c in self.counting("permissions") if self.may_be_open(c)]
        while True:
            beside = [c for c in left if self.is_beside(c, left)]
            if beside == left:
                break
            left = beside
        if not left:
            self.deny("permissionNotPermitted", "permissions")
        self.verdict.permissions = left

    def is_beside(self, code, others):
        needed = self.permissions[code][1].get("onlyWith")
        return not needed or bool(set(needed) & set(others))

    def may_be_open(self, code):
        permission, held = self.permissions[code][1], self.held(code)
        if permission.get("denied") or not self.may_go_onward(code):
            return False
        if "onwardRecipient" not in self.stated and self.onward:
            if code in self.onward["permissions"]:
                return False
        if self.stated.get("resources") and held.get("resources"):
            if not self.within(held["resources"]):
                return False
        if permission.get("wholeMonths") and not self.is_whole_months():
            return False
        grain = self.stated.get("granularity")
        limits = [held.get("maxGranularity"), permission.get("granularity")]
        return not any(grain and g and times.finer(grain, times.duration(g)) for g in limits)

    # ---- window

    def judge_window(self):
        start, end = self.stated.get("from"), self.stated.get("to")
        if start is not None and end is not None and start >= end:
            self.deny("outsideDataWindow", "request")
        if self.consent is None:
            return
        must = "permissions" in self.stated
        first, last = self.consent.get("dataFrom"), self.consent.get("dataTo")
        if first is not None and (must if start is None else start < first):
            self.deny("outsideDataWindow", "consent/dataFrom")
        if last is not None and (must if end is None else end > last):
            self.deny("outsideDataWindow", "consent/dataTo")
        if first is None and start is not None and start < self.look_back():
            self.deny("outsideDataWindow", f"{self.at}/lookBack")
        if self.is_whole_months():
            return
        if self.license and self.license.get("wholeMonths"):
            self.deny("outsideDataWindow", f"{self.at}/wholeMonths")
        for code in self.asked():
            index, permission = self.permissions[code]
            if permission.get("wholeMonths"):
                self.deny("outsideDataWindow", f"permissions/{index}/wholeMonths")

    def look_back(self):
        """The earliest that the licence allows, counted from the grant; or no bound."""
        granted = self.consent.get("grantedAt")
        if granted is None or "lookBack" not in (self.license or {}):
            return -math.inf
        return times.back(times.month_start(granted), times.duration(self.license["lookBack"]))

    def is_whole_months(self):
        """Of months that are over; both ends, unless only stated ones are judged."""
        start, end = self.stated.get("from"), self.stated.get("to")
        if "permissions" in self.stated and (start is None or end is None):
            return False
        if any(t is not None and times.month_start(t) != t for t in (start, end)):
            return False
        return (start is None or start < self.month) and (end is None or end <= self.month)


def decide(pack, case):
    return Judge(pack, case).decide()
