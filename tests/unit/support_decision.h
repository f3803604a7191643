/* A pack, a consent that uses all of one licence, and a question that it permits: tests change one
 * thing and see what is said. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_SUPPORT_DECISION_H
#define TESTS_UNIT_SUPPORT_DECISION_H

#include "tests/unit/support_policy.h"

#include "policy/decision.h"

struct rig {
    struct policy_pack *pack;
    struct policy_consent consent;
    struct policy_grain grains[64];
    bool absent; /* asked where there is no consent */
    struct policy_request request;
    struct policy_attribute attributes[32];
    int64_t now;
    struct policy_decision out;
};

/* Takes the pack's JSON. */
static void rig_init(struct rig *rig, json_t *pack, const char *license) {
    *rig = (struct rig){.pack = loaded(pack), .now = ms("2026-06-15T12:00:00Z")};
    const struct policy_license *found = policy_pack_license_find(rig->pack, span_of_text(license));
    assert_true(license == NULL || found != NULL);
    rig->consent = (struct policy_consent){.status = CONSENT_ACTIVE,
                                           .license = found,
                                           .grains = rig->grains,
                                           .granted_at = ms("2026-03-20T10:00:00Z"),
                                           .expires = ms("2027-03-20T10:00:00Z"),
                                           .data_from = INT64_MIN,
                                           .data_to = INT64_MIN};
    if (found != NULL) {
        rig->consent.purposes = found->purposes;
        rig->consent.permissions = found->permissions;
    }
    for (int i = 0; i < 64; i++)
        if ((rig->consent.permissions >> i & 1U) != 0)
            rig->grains[rig->consent.grain_count++].permission = i;
    rig->request = (struct policy_request){.subject_type = SPAN("application"),
                                           .subject_id = SPAN("https://app.example"),
                                           .action_name = SPAN("read"),
                                           .resource_type = SPAN("account"),
                                           .resource_id = SPAN("account-1"),
                                           .from = INT64_MIN,
                                           .to = INT64_MIN,
                                           .attributes = rig->attributes};
    assert_true(policy_pack_slot_count(rig->pack) <= 32);
}

static void rig_release(struct rig *rig) {
    policy_pack_free(rig->pack);
}

static struct duration length_of(const char *text) {
    struct duration duration = {0, 0};
    assert_int_equal(duration_parse(span_of_text(text), &duration), STATUS_OK);
    return duration;
}

/* Bits of the codes in a list with spaces. */
static uint64_t bits_of(const struct policy_pack *pack, const char *codes,
                        int find(const struct policy_pack *, struct span)) {
    uint64_t bits = 0;
    while (*codes != '\0') {
        size_t size = strcspn(codes, " ");
        int index = find(pack, span_of(codes, size));
        if (index < 0)
            fail_msg("%.*s is not in the pack", (int)size, codes);
        bits |= UINT64_C(1) << index;
        codes += size + strspn(codes + size, " ");
    }
    return bits;
}

static uint64_t purposes_of(const struct rig *rig, const char *codes) {
    return bits_of(rig->pack, codes, policy_pack_purpose_find);
}

static uint64_t permissions_of(const struct rig *rig, const char *codes) {
    return bits_of(rig->pack, codes, policy_pack_permission_find);
}

static void ask_purpose(struct rig *rig, const char *code) {
    rig->request.has_purpose = code != NULL;
    rig->request.purpose = code ? policy_pack_purpose_find(rig->pack, span_of_text(code)) : 0;
}

static void ask_permissions(struct rig *rig, const char *codes) {
    rig->request.has_permissions = codes != NULL;
    rig->request.permissions = codes != NULL ? permissions_of(rig, codes) : 0;
}

static void ask_granularity(struct rig *rig, const char *text) {
    rig->request.has_granularity = text != NULL;
    rig->request.granularity = text != NULL ? length_of(text) : (struct duration){0, 0};
}

static void ask_window(struct rig *rig, const char *from, const char *to) {
    rig->request.from = from != NULL ? ms(from) : INT64_MIN;
    rig->request.to = to != NULL ? ms(to) : INT64_MIN;
}

static struct policy_grain *grain_of(struct rig *rig, const char *code) {
    int permission = policy_pack_permission_find(rig->pack, span_of_text(code));
    for (uint32_t i = 0; i < rig->consent.grain_count; i++)
        if (rig->grains[i].permission == permission)
            return &rig->grains[i];
    fail_msg("%s is not in the consent", code);
    return NULL;
}

static void decide(struct rig *rig) {
    memset(&rig->out, 0xa5, sizeof rig->out);
    policy_decide(rig->pack, rig->absent ? NULL : &rig->consent, &rig->request, rig->now,
                  &rig->out);
}

/* The reasons, in order and with spaces between; "" is a permit. */
static void assert_denials(struct rig *rig, const char *codes) {
    char said[512] = "";
    size_t size = 0;
    decide(rig);
    for (int i = 0; i < DENIAL_COUNT; i++)
        if ((rig->out.denials >> i & 1U) != 0)
            size += (size_t)snprintf(said + size, sizeof said - size, "%s%s", size > 0 ? " " : "",
                                     policy_denial_code(i));
    assert_string_equal(said, codes);
    assert_int_equal(rig->out.denials >> DENIAL_COUNT, 0);
    assert_int_equal(rig->out.permitted, *codes == '\0');
}

static void assert_explained(struct rig *rig, const char *code, const char *clause,
                             const char *detail) {
    struct policy_explanation said;
    enum policy_denial denial = policy_denial_parse(span_of_text(code));
    assert_true(denial < DENIAL_COUNT && (rig->out.denials >> denial & 1U) != 0);
    memset(&said, 0xa5, sizeof said);
    policy_decision_explain(rig->pack, rig->absent ? NULL : rig->consent.license, &rig->out, denial,
                            &said);
    assert_string_equal(said.clause, clause);
    assert_string_equal(said.detail, detail);
    assert_true(strlen(said.remedy) < sizeof said.remedy);
}

/* Denied for this reason alone, in these words. */
static void assert_denied(struct rig *rig, const char *code, const char *clause,
                          const char *detail) {
    assert_denials(rig, code);
    assert_explained(rig, code, clause, detail);
}

static void assert_permitted(struct rig *rig, const char *purposes, const char *permissions) {
    assert_denials(rig, "");
    assert_int_equal(rig->out.purposes, purposes_of(rig, purposes));
    assert_int_equal(rig->out.permissions, permissions_of(rig, permissions));
}

#endif
