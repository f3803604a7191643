/* Log entries as JSON. The payload is embedded byte for byte: it is compact JSON, and its exact
 * bytes are what the leaf commits to.
 *
 * Runs on a loop inside a store_read. */
// SPDX-License-Identifier: Apache-2.0
#include "api/entry.h"

#include <jansson.h>

#include "base/log.h"

static void write_raw(struct json_out *out, const char *key, struct span json) {
    json_out_key(out, key);
    json_out_raw(out, json);
}

static void write_name(struct json_out *out, const struct store_event *event) {
    const char *name = store_event_name(event->code);
    ASSERT(name != NULL);
    json_out_member_int(out, "index", (int64_t)event->index);
    json_out_member_time(out, "at", event->at);
    json_out_member(out, "event", span_of_text(name));
}

enum status api_entry_write_audit(struct store_reader *reader, const struct store_event *event,
                                  struct json_out *out) {
    (void)reader;
    json_out_object_begin(out);
    store_event_write_members(event, out);
    json_out_object_end(out);
    return STATUS_OK;
}

/* The consent's version after the entry; 0 when the payload has been erased. */
static int64_t version_of(const struct store_event *event) {
    json_t *payload = json_loadb(event->payload.data, event->payload.size, 0, NULL);
    int64_t version = json_integer_value(json_object_get(payload, "seq"));
    json_decref(payload);
    return version;
}

static const char *role_name(enum store_role role) {
    switch (role) {
    case STORE_BY_TENANT:
        return "tenant";
    case STORE_BY_CLIENT:
        return "client";
    case STORE_BY_AUDITOR:
        return "auditor";
    case STORE_BY_ADMIN:
        return "admin";
    case STORE_BY_SYSTEM:
        break;
    }
    return "system";
}

void api_entry_write_actor(struct store_reader *reader, const struct store_event *event, bool whole,
                           struct json_out *out) {
    json_out_key(out, "actor");
    json_out_object_begin(out);
    json_out_member(out, "role", span_of_text(role_name(event->role)));
    if (whole && event->actor != STORE_NAME_NONE) {
        json_out_member(out, "clientId", store_name(reader, STORE_NAME_MEMBER, event->actor));
    }
    json_out_object_end(out);
}

void api_entry_write_history(struct store_reader *reader, const struct store_event *event,
                             bool whole, struct json_out *out) {
    enum consent_state state = store_event_state(event->code);
    int64_t version = version_of(event);
    json_out_object_begin(out);
    write_name(out, event);
    if (version > 0) {
        json_out_member_int(out, "version", version);
    }
    api_entry_write_actor(reader, event, whole, out);
    if (state != 0) {
        json_out_member(out, "status", span_of_text(lifecycle_state_name(state)));
    }
    if (event->reason != STORE_NAME_NONE) {
        json_out_member(out, "reason", store_name(reader, STORE_NAME_REASON, event->reason));
    }
    if (whole && event->payload.size > 0) {
        write_raw(out, "payload", event->payload);
    }
    if (whole && event->personal_payload.size > 0) {
        write_raw(out, "personal", event->personal_payload);
    }
    json_out_object_end(out);
}
