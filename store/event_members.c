/* Log entries as auditors read and keep them. The payload is embedded byte for byte: it is compact
 * JSON, and its exact bytes are what the leaf commits to. Threads: the reader's. */
// SPDX-License-Identifier: Apache-2.0
#include "base/encode.h"
#include "base/log.h"
#include "store/event.h"

/* Standard base64 of what is at most a leaf or an r. */
static void write_base64(struct json_out *out, const char *key, struct span data) {
    char text[ENCODE_BASE64_SIZE(STORE_LEAF_SIZE)];
    ASSERT(data.size <= STORE_LEAF_SIZE);
    json_out_member(out, key, span_of(text, encode_base64(data.data, data.size, text)));
}

static void write_raw(struct json_out *out, const char *key, struct span json) {
    json_out_key(out, key);
    json_out_raw(out, json);
}

void store_event_write_members(const struct store_event *event, struct json_out *out) {
    const char *name = store_event_name(event->code);
    ASSERT(name != NULL);
    json_out_member_int(out, "index", (int64_t)event->index);
    json_out_member_time(out, "at", event->at);
    json_out_member(out, "event", span_of_text(name));
    write_base64(out, "leaf", event->leaf);
    if (event->payload.size > 0) {
        write_base64(out, "r", event->salt);
        write_raw(out, "payload", event->payload);
    }
    if (event->personal_payload.size > 0) {
        write_base64(out, "personalR", event->personal_salt);
        write_raw(out, "personal", event->personal_payload);
    }
}
