/* What auditors and administrators read, and evidence that was shown, becomes entries of the log,
 * for the tenants whose it is. Writer thread. */
// SPDX-License-Identifier: Apache-2.0
#include "store/look.h"

#include "base/json_out.h"
#include "base/log.h"
#include "store/entry.h"
#include "store/granting.h"

static enum store_event_code code_of(const struct store_look *look) {
    if (look->role == STORE_BY_SYSTEM)
        return STORE_PEER_EVIDENCE_VIEWED;
    return look->role == STORE_BY_ADMIN ? STORE_ACCESS_ADMIN : STORE_ACCESS_AUDIT;
}

static void append(struct write *w, const struct store_look *look,
                   const struct store_consent *about) {
    struct buffer body = {0};
    struct json_out out = json_out_to(&body);
    json_out_member(&out, "operation", look->operation);
    if (look->entry != STORE_INDEX_NONE)
        json_out_member_int(&out, "index", (int64_t)look->entry);
    json_out_member_int(&out, "count", (int64_t)look->count);
    json_out_member_time(&out, "first", look->first);
    json_out_member_time(&out, "last", look->last);
    struct entry entry = {
        .code = code_of(look),
        .actor = {look->client_id, look->role},
        .consent = about,
        .previous = STORE_INDEX_NONE,
        .step = {.reason = STORE_NAME_NONE},
        .body = buffer_span(&body),
    };
    (void)entry_append(w, &entry);
    buffer_release(&body);
}

static struct store_consent about_tenant(uint32_t tenant) {
    return (struct store_consent){.index = STORE_INDEX_NONE,
                                  .tenant = tenant,
                                  .provider = tenant,
                                  .client = STORE_NAME_NONE,
                                  .license = STORE_NAME_NONE};
}

static void about_consent(struct write *w, const struct store_look *look) {
    struct store_consent consent;
    if (consent_find(&w->txn, &look->consent, &consent) != STATUS_OK)
        return;                  /* it was there when it was read: nothing is without a tenant */
    consent.has_account = false; /* who looked is no matter of the account holder's */
    append(w, look, &consent);
}

static void about_entry(struct write *w, const struct store_look *look) {
    struct span value;
    struct store_event event;
    struct key key = key_number(look->entry);
    if (!db_get(&w->txn, DB_LEAF, key_span(&key), &value) ||
        record_leaf_decode(look->entry, value, &event) != STATUS_OK)
        return;
    struct store_consent about = about_tenant(event.tenant);
    append(w, look, event.tenant != STORE_NAME_NONE ? &about : NULL);
}

static void about_tenants(struct write *w, const struct store_look *look) {
    for (uint32_t i = 0; i < look->tenant_count; i++) {
        struct store_consent about =
            about_tenant(name_find(&w->txn, STORE_NAME_MEMBER, look->tenants[i]));
        if (about.tenant != STORE_NAME_NONE) /* else there was nothing of it to see */
            append(w, look, &about);
    }
}

enum status change_look(struct write *w, struct store_change *change) {
    for (uint32_t i = 0; i < change->look_count; i++) {
        const struct store_look *look = &change->looks[i];
        if (look->has_consent)
            about_consent(w, look);
        else if (look->entry != STORE_INDEX_NONE)
            about_entry(w, look);
        else if (look->tenant_count != 0)
            about_tenants(w, look);
        else
            append(w, look, NULL);
    }
    return w->txn.status;
}
