/* A disclosure is shown by copying the bytes of its entry between the columns beside the leaf;
 * nothing is parsed. Runs on a loop, inside a store_read. */
// SPDX-License-Identifier: Apache-2.0
#include "api/disclosure_view.h"

#include "api/entry.h"

static void put_name(struct store_reader *reader, struct json_out *out, const char *key,
                     enum store_name_kind kind, uint32_t number) {
    if (number != STORE_NAME_NONE)
        json_out_member(out, key, store_name(reader, kind, number));
}

/* Whose data they were: the consent that answered, or what was asked about. */
static enum status put_subject(struct store_reader *reader, const struct store_event *event,
                               struct json_out *out) {
    struct store_consent consent;
    if (event->consent == STORE_INDEX_NONE) {
        json_out_members(out, event->asked);
        return STATUS_OK;
    }
    enum status status = store_consent_by_index(reader, event->consent, &consent);
    if (status != STATUS_OK)
        return status;
    json_out_member_uuid(out, "consentId", &consent.id);
    put_name(reader, out, "client", STORE_NAME_MEMBER, event->client);
    put_name(reader, out, "license", STORE_NAME_LICENSE, event->license);
    return STATUS_OK;
}

enum status api_disclosure_write(struct store_reader *reader, const struct store_event *event,
                                 struct json_out *out) {
    json_out_object_begin(out);
    json_out_member_int(out, "logIndex", (int64_t)event->index);
    json_out_member_time(out, "recordedAt", event->at);
    json_out_member_bool(out, "permitted", event->code == STORE_DISCLOSURE_PERMITTED);
    put_name(reader, out, "tenant", STORE_NAME_MEMBER, event->tenant);
    put_name(reader, out, "provider", STORE_NAME_MEMBER, event->provider);
    enum status status = put_subject(reader, event, out);
    api_entry_write_actor(reader, event, true, out);
    json_out_members(out, event->members);
    json_out_members(out, event->personal_members);
    json_out_object_end(out);
    return status;
}
