/* Another pack comes into force: what it names gets numbers, and its entry has its bytes the first
 * time. They are kept for ever. Writer thread only. */
// SPDX-License-Identifier: Apache-2.0
#include "base/json_out.h"
#include "store/entry.h"

/* Every code gets its number, so that sets of 64 bits hold it over all packs. */
static bool number_codes(struct write *w, const struct policy_pack *pack) {
    bool numbered = true;
    for (uint32_t i = 0; i < policy_pack_purpose_count(pack); i++)
        numbered &= name_intern(w, STORE_NAME_PURPOSE, policy_pack_purpose(pack, i)->code) !=
                    STORE_NAME_NONE;
    for (uint32_t i = 0; i < policy_pack_permission_count(pack); i++)
        numbered &= name_intern(w, STORE_NAME_PERMISSION, policy_pack_permission(pack, i)->code) !=
                    STORE_NAME_NONE;
    for (uint32_t i = 0; i < policy_pack_license_count(pack); i++)
        (void)name_intern(w, STORE_NAME_LICENSE, policy_pack_license(pack, i)->url);
    return numbered;
}

/* The entry has the pack's bytes the first time. */
static void write_activation(struct write *w, const struct policy_pack *pack) {
    struct span known;
    struct buffer body = {0};
    const struct digest *digest = policy_pack_digest(pack);
    struct span key = span_of((const char *)digest->bytes, sizeof digest->bytes);
    struct json_out out = json_out_to(&body);
    json_out_member(&out, "pack", policy_pack_name(pack));
    json_out_member(&out, "version", policy_pack_version(pack));
    json_out_key(&out, "digest");
    json_out_hex(&out, digest->bytes, sizeof digest->bytes);
    if (!db_get(&w->txn, DB_PACK, key, &known)) {
        json_out_member(&out, "bytes", policy_pack_bytes(pack));
        db_insert(&w->txn, DB_PACK, key, policy_pack_bytes(pack));
    }
    struct entry entry = {.code = STORE_POLICY_ACTIVATED,
                          .actor = {.role = STORE_BY_SYSTEM},
                          .previous = STORE_INDEX_NONE,
                          .body = buffer_span(&body)};
    struct key in_force = key_number(entry_append(w, &entry));
    db_append(&w->txn, DB_POLICY, key_span(&in_force), key);
    w->state.pack = *digest;
    buffer_release(&body);
}

enum status activation_write(struct write *w, const struct policy_pack *pack) {
    if (!number_codes(w, pack) && w->txn.status == STATUS_OK)
        return STATUS_NOT_ADMISSIBLE;
    write_activation(w, pack);
    return w->txn.status;
}
