/* Any bytes as a policy pack: refused with a JSON pointer and a sentence, or compiled into what
 * keeps every promise of its headers; and what a loaded pack offers, it also admits. */
// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>

#include "base/encode.h"
#include "base/log.h"
#include "policy/admission.h"
#include "policy/clause.h"
#include "policy/notice.h"
#include "policy/rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW INT64_C(1773316800000) /* 2026-03-12T12:00:00Z */

/* ---- a refusal */

/* RFC 6901: empty, or steps after slashes in which '~' begins an escape. */
static void check_pointer(const char *pointer) {
    ASSERT(*pointer == '\0' || *pointer == '/');
    for (; *pointer != '\0'; pointer++)
        ASSERT(*pointer != '~' || pointer[1] == '0' || pointer[1] == '1');
}

static void check_error(const struct policy_error *error) {
    ASSERT(memchr(error->pointer, '\0', sizeof error->pointer) != NULL);
    ASSERT(memchr(error->detail, '\0', sizeof error->detail) != NULL);
    ASSERT(encode_utf8_valid(span_of_text(error->pointer)));
    ASSERT(encode_utf8_valid(span_of_text(error->detail)));
    ASSERT(error->detail[0] != '\0');
    check_pointer(error->pointer);
}

/* ---- a loaded pack */

/* Bits of a set that has count elements. */
static uint64_t all(uint32_t count) {
    return count == 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1;
}

static void check_sets(const struct policy_pack *pack) {
    uint32_t roles = policy_pack_role_count(pack);
    uint32_t purposes = policy_pack_purpose_count(pack);
    uint32_t permissions = policy_pack_permission_count(pack);
    ASSERT(roles <= 32 && purposes <= 64 && permissions <= 64);
    for (uint32_t i = 0; i < purposes; i++) {
        const struct policy_purpose *purpose = policy_pack_purpose(pack, i);
        ASSERT(purpose->roles != 0 && (purpose->roles & ~all(roles)) == 0);
        ASSERT(policy_pack_purpose_find(pack, purpose->code) == (int)i);
    }
    for (uint32_t i = 0; i < permissions; i++) {
        const struct policy_permission *permission = policy_pack_permission(pack, i);
        ASSERT((permission->only_with & ~all(permissions)) == 0);
        ASSERT((permission->only_with >> i & 1U) == 0);
        ASSERT(permission->has_granularity == span_present(permission->finest_text));
        ASSERT(policy_pack_permission_find(pack, permission->code) == (int)i);
    }
}

static void check_texts(const struct policy_license *license) {
    const struct policy_notice nothing = {.present = true};
    for (uint32_t i = 0; i < license->text_count; i++) {
        const struct policy_text *text = &license->texts[i];
        size_t size = 0;
        for (uint32_t p = 0; p < text->part_count; p++) {
            struct span part = text->parts[p].text;
            ASSERT(part.data == text->text.data + size && part.size > 0);
            ASSERT(!text->parts[p].placeholder ||
                   (part.size > 2 && part.data[0] == '[' && part.data[part.size - 1] == ']'));
            size += part.size;
        }
        ASSERT(size == text->text.size);
        struct digest whole = digest_sha256(text->text);
        struct digest unfilled = policy_notice_digest(text, &nothing);
        ASSERT(digest_equal(&whole, &unfilled));
    }
}

static void check_license(const struct policy_pack *pack, const struct policy_license *license) {
    uint64_t permissions = all(policy_pack_permission_count(pack));
    ASSERT(policy_pack_license_find(pack, license->url) == license);
    ASSERT(license->from_role < policy_pack_role_count(pack));
    ASSERT(license->to_role < policy_pack_role_count(pack));
    ASSERT(license->purposes != 0 && license->permissions != 0);
    ASSERT((license->purposes & ~all(policy_pack_purpose_count(pack))) == 0);
    ASSERT((license->permissions & ~permissions) == 0);
    ASSERT((license->onward_permissions & ~license->permissions) == 0);
    ASSERT(license->onward_min <= license->onward_max);
    ASSERT((license->onward_max != 0) == (license->onward_permissions != 0));
    ASSERT(license->available_from <= license->deprecated_after);
    ASSERT(license->available_from <= license->prohibited_after);
    ASSERT(!license->has_look_back || license->look_back.seconds == 0);
    for (uint32_t i = 0; i < license->depends_on_count; i++) {
        const struct policy_license *other = policy_pack_license_find(pack, license->depends_on[i]);
        ASSERT(other != NULL && other != license);
    }
    ASSERT(!span_present(license->replaced_by) ||
           policy_pack_license_find(pack, license->replaced_by) != NULL);
    check_texts(license);
}

static void check_rules(const struct policy_pack *pack) {
    for (uint32_t i = 0; i < policy_pack_rule_count(pack); i++) {
        const struct policy_rule *rule = policy_pack_rule(pack, i);
        ASSERT(span_present(rule->id) && rule->condition_count > 0);
        for (uint32_t c = 0; c < rule->condition_count; c++) {
            const struct policy_condition *condition = &rule->when[c];
            ASSERT(condition->value_count > 0);
            for (uint32_t v = 0; v < condition->value_count; v++)
                ASSERT((condition->values[v].type == POLICY_TEXT) ==
                       span_present(condition->values[v].text));
        }
    }
}

/* ---- what it offers */

struct offer {
    struct span purposes[64], onward[16];
    struct policy_permission_ask permissions[64];
    struct policy_substitution substitution;
    struct policy_dependency dependency;
    struct policy_admission ask;
};

static void offer_sets(const struct policy_pack *pack, const struct policy_license *license,
                       struct offer *offer) {
    for (uint32_t i = 0; i < policy_pack_purpose_count(pack); i++)
        if ((license->purposes >> i & 1U) != 0)
            offer->purposes[offer->ask.purpose_count++] = policy_pack_purpose(pack, i)->code;
    for (uint32_t i = 0; i < policy_pack_permission_count(pack); i++) {
        const struct policy_permission *permission = policy_pack_permission(pack, i);
        if ((license->permissions >> i & 1U) != 0)
            offer->permissions[offer->ask.permission_count++] =
                (struct policy_permission_ask){.code = permission->code,
                                               .has_granularity = permission->has_granularity,
                                               .granularity = permission->finest};
    }
    offer->ask.purposes = offer->purposes;
    offer->ask.permissions = offer->permissions;
}

/* The first text with its first placeholder filled in. */
static void offer_notice(const struct policy_license *license, struct offer *offer) {
    struct policy_notice *notice = &offer->ask.notice;
    *notice = (struct policy_notice){.present = true,
                                     .language = SPAN("en"),
                                     .has_rendered_digest = true,
                                     .shown_at = INT64_MIN};
    if (license->text_count == 0)
        return;
    const struct policy_text *text = &license->texts[0];
    for (uint32_t i = 0; i < text->part_count && notice->substitution_count == 0; i++) {
        if (!text->parts[i].placeholder)
            continue;
        struct span name = text->parts[i].text;
        offer->substitution.placeholder = span_of(name.data + 1, name.size - 2);
        offer->substitution.value = SPAN("[x]");
        notice->substitutions = &offer->substitution;
        notice->substitution_count = 1;
    }
    notice->language = text->language;
    notice->rendered_digest = policy_notice_digest(text, notice);
}

static void make_offer(const struct policy_pack *pack, const struct policy_license *license,
                       struct offer *offer) {
    int64_t now = license->available_from > NOW ? license->available_from : NOW;
    *offer = (struct offer){
        .dependency = {true, true},
        .ask = {.license = license->url,
                .client_roles = policy_pack_role(pack, license->to_role)->urls,
                .client_role_count = 1,
                .client_roles_known = true,
                .tenant_roles = policy_pack_role(pack, license->from_role)->urls,
                .tenant_role_count = 1,
                .tenant_roles_known = true,
                .onward_count = license->onward_max,
                .granted = true,
                .granted_at = now,
                .expires = policy_default_expiry(license, now),
                .data_from = INT64_MIN,
                .data_to = INT64_MIN,
                .dependency_count = license->depends_on_count != 0,
                .dependencies_required = true},
    };
    for (uint32_t i = 0; i < license->onward_max; i++)
        offer->onward[i] = SPAN("https://x");
    offer->ask.onward = offer->onward;
    offer->ask.dependencies = &offer->dependency;
    if (license->has_look_back)
        offer->ask.data_from =
            timestamp_add_months(timestamp_month_start(now), -license->look_back.months);
    offer_sets(pack, license, offer);
    offer_notice(license, offer);
}

/* What may still be wrong with an offer: its time is over, or a permission can only be asked for
 * beside one that the licence does not have. */
static bool is_excused(const struct policy_license *license, const struct policy_reason *reason,
                       int64_t now) {
    if (strcmp(reason->code, policy_clause_code(CLAUSE_LICENSE_DEPRECATED)) == 0)
        return license->deprecated_after < now;
    if (strcmp(reason->code, policy_clause_code(CLAUSE_LICENSE_PROHIBITED)) == 0)
        return license->prohibited_after < now;
    if (strcmp(reason->code, policy_clause_code(CLAUSE_PERMISSION_NEEDS_ANOTHER)) == 0)
        return true;
    /* a licence that begins at the end of the calendar */
    return license->available_from == TIMESTAMP_MAX &&
           (strcmp(reason->code, policy_clause_code(CLAUSE_EXPIRES_BEFORE_GRANT)) == 0 ||
            strcmp(reason->code, policy_clause_code(CLAUSE_EXPIRED_ALREADY)) == 0);
}

static void check_offer(const struct policy_pack *pack, const struct policy_license *license) {
    struct offer offer;
    struct policy_reasons reasons;
    make_offer(pack, license, &offer);
    int64_t now = offer.ask.granted_at;
    enum status status = policy_admit(pack, &offer.ask, now, &reasons);
    ASSERT(status == (reasons.count == 0 ? STATUS_OK : STATUS_NOT_ADMISSIBLE));
    for (uint32_t i = 0; i < reasons.count; i++) {
        ASSERT(is_excused(license, &reasons.items[i], now));
        ASSERT(encode_utf8_valid(span_of_text(reasons.items[i].clause)));
        ASSERT(encode_utf8_valid(span_of_text(reasons.items[i].detail)));
    }
    offer.ask.onward_count = license->onward_max + 1;
    struct span onward[17] = {SPAN("https://x")};
    offer.ask.onward = onward;
    ASSERT(policy_admit(pack, &offer.ask, now, &reasons) == STATUS_NOT_ADMISSIBLE);
}

static void check_pack(const struct policy_pack *pack, struct span json) {
    struct digest digest = digest_sha256(json);
    ASSERT(span_equal(policy_pack_bytes(pack), json));
    ASSERT(digest_equal(policy_pack_digest(pack), &digest));
    ASSERT(policy_pack_request_timeout_ms(pack) > 0);
    check_sets(pack);
    check_rules(pack);
    for (uint32_t i = 0; i < policy_pack_license_count(pack); i++) {
        check_license(pack, policy_pack_license(pack, i));
        check_offer(pack, policy_pack_license(pack, i));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span json = span_of((const char *)data, size);
    struct policy_pack *pack = NULL;
    struct policy_error error = {.pointer = ""};
    if (policy_pack_load(json, &pack, &error) == STATUS_OK) {
        check_pack(pack, json);
        policy_pack_free(pack);
    } else {
        ASSERT(pack == NULL);
        check_error(&error);
    }
    return 0;
}
