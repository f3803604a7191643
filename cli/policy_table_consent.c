/* The consents of a case table, as decisions see them. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "base/limits.h"
#include "cli/policy_table_ask.h"
#include "policy/admission.h"

struct mac16 table_mac(struct span text) {
    static const unsigned char key[MAC_KEY_SIZE];
    return digest_mac16(key, &text, 1);
}

/* What the table leaves out is all that the licence of the pack itself has: a variant may take it
 * away again. */
static bool of_license(const struct table *t, struct span url, bool purpose, uint32_t i) {
    const struct policy_license *license = policy_pack_license_find(t->base, url);
    uint64_t bits = license == NULL ? 0 : purpose ? license->purposes : license->permissions;
    return (bits >> i & 1U) != 0;
}

static void read_purposes(struct table *t, struct table_ask *ask, json_t *json) {
    struct table_texts stated = table_texts(t, &ask->arena, json, "purposes");
    for (uint32_t i = 0; i < stated.count && !t->wrong; i++) {
        int found = policy_pack_purpose_find(ask->pack, stated.items[i]);
        if (policy_pack_purpose_find(t->base, stated.items[i]) < 0) {
            table_wrong(t, "the pack has no purpose \"%.*s\"", SPAN_ARG(stated.items[i]));
        } else if (found >= 0) {
            ask->consent.purposes |= UINT64_C(1) << found;
        }
    }
    for (uint32_t i = 0; !stated.present && i < policy_pack_purpose_count(t->base); i++) {
        int found = policy_pack_purpose_find(ask->pack, policy_pack_purpose(t->base, i)->code);
        if (found >= 0 && of_license(t, ask->consent.license_url, true, i)) {
            ask->consent.purposes |= UINT64_C(1) << found;
        }
    }
}

static int compare_macs(const void *a, const void *b) {
    return memcmp(a, b, MAC16_SIZE);
}

static void add_permission(struct table_ask *ask, struct span code, struct policy_grain *grain) {
    grain->permission = policy_pack_permission_find(ask->pack, code);
    if (grain->permission >= 0) {
        ask->consent.permissions |= UINT64_C(1) << grain->permission;
    }
    ask->consent.grain_count++;
}

static void read_permission(struct table *t, struct table_ask *ask, json_t *item,
                            struct policy_grain *grain) {
    static const char *const known[] = {"code", "resources", "maxGranularity", NULL};
    if (!table_known(t, item, known)) {
        return;
    }
    struct span code = table_text(t, item, "code");
    struct table_texts resources = table_texts(t, &ask->arena, item, "resources");
    struct mac16 *macs = arena_array(&ask->arena, resources.count + 1, sizeof *macs);
    for (uint32_t i = 0; i < resources.count && !t->wrong; i++) {
        macs[i] = table_mac(resources.items[i]);
    }
    qsort(macs, resources.count, sizeof *macs, compare_macs);
    grain->resources = macs;
    grain->resource_count = resources.count;
    grain->has_granularity = table_duration(t, item, "maxGranularity", &grain->granularity);
    if (policy_pack_permission_find(t->base, code) < 0) {
        table_wrong(t, "the pack has no permission \"%.*s\"", SPAN_ARG(code));
    }
    add_permission(ask, code, grain);
}

static void read_permissions(struct table *t, struct table_ask *ask, json_t *json) {
    json_t *array = table_array(t, json, "permissions");
    size_t count = json_array_size(array);
    struct policy_grain *grains = arena_array(&ask->arena, count + LIMIT_SET, sizeof *grains);
    ask->consent.grains = grains;
    for (size_t i = 0; i < count && !t->wrong; i++) {
        read_permission(t, ask, json_array_get(array, i), &grains[i]);
    }
    for (uint32_t i = 0; array == NULL && i < policy_pack_permission_count(t->base); i++) {
        if (of_license(t, ask->consent.license_url, false, i)) {
            add_permission(ask, policy_pack_permission(t->base, i)->code,
                           &grains[ask->consent.grain_count]);
        }
    }
}

static void read_onward(struct table *t, struct table_ask *ask, json_t *json) {
    struct table_texts urls = table_texts(t, &ask->arena, json, "onwardRecipients");
    uint32_t *numbers = arena_array(&ask->arena, urls.count + 1, sizeof *numbers);
    for (uint32_t i = 0; i < urls.count; i++) {
        numbers[i] = i;
    }
    ask->consent.onward = numbers;
    ask->consent.onward_urls = urls.items;
    ask->consent.onward_count = urls.count;
}

static void read_state(struct table *t, struct table_ask *ask, json_t *json) {
    struct policy_consent *c = &ask->consent;
    const struct policy_license *license = policy_pack_license_find(t->base, c->license_url);
    struct span status = table_text(t, json, "status");
    c->status = CONSENT_ACTIVE;
    if (span_present(status) && lifecycle_state_parse(status, &c->status) != STATUS_OK) {
        table_wrong(t, "\"%.*s\" is no status", SPAN_ARG(status));
    }
    c->granted_at = table_time(t, json, "grantAt", t->now);
    c->expires =
        table_time(t, json, "expires",
                   license != NULL ? policy_default_expiry(license, c->granted_at) : INT64_MAX);
    c->data_from = table_time(t, json, "dataFrom", INT64_MIN);
    c->data_to = table_time(t, json, "dataTo", INT64_MIN);
    c->max_uses = table_number(t, json, "maxUses");
    c->uses = table_number(t, json, "uses");
    c->linked_ended = table_flag(t, json, "linkedEnded");
}

bool table_consent_read(struct table *t, struct table_ask *ask, json_t *json) {
    static const char *const known[] = {
        "license",  "status",   "purposes", "permissions",      "grantAt",     "expires",
        "dataFrom", "dataTo",   "maxUses",  "onwardRecipients", "linkedEnded", "client",
        "tenant",   "provider", "uses",     "principal",        "request",     NULL};
    struct policy_consent *c = &ask->consent;
    if (!table_known(t, json, known)) {
        return false;
    }
    c->license_url = table_text(t, json, "license");
    c->license = policy_pack_license_find(ask->pack, c->license_url);
    c->client = table_text(t, json, "client");
    if (!span_present(c->license_url) || !span_present(c->client)) {
        table_wrong(t, "a consent needs its \"license\" and its \"client\"");
    }
    c->tenant = table_text(t, json, "tenant");
    c->provider = table_text(t, json, "provider");
    c->principal = table_text(t, json, "principal");
    read_state(t, ask, json);
    read_purposes(t, ask, json);
    read_permissions(t, ask, json);
    read_onward(t, ask, json);
    return !t->wrong;
}
