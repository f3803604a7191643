/* Any bytes as the value of each header and of each small text that callers write in a form of its
 * own: media types, keys, tags, ids, times, durations. What is accepted keeps its bounds and means
 * one thing. */
// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>

#include "api/http_in.h"
#include "base/log.h"
#include "base/timestamp.h"
#include "service/request_id.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_visible(struct span text) {
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] <= ' ' || text.data[i] > '~') {
            return false;
        }
    }
    return true;
}

static struct api_call call_with(const char *name, struct span value, struct api_header *header) {
    *header = (struct api_header){span_of_text(name), value};
    return (struct api_call){.headers = header, .header_count = 1};
}

static void read_key(struct span value) {
    struct api_header header;
    struct span key = SPAN_NONE;
    const struct api_call call = call_with("idempotency-key", value, &header);
    if (api_idempotency_key(&call, &key) == STATUS_OK) {
        ASSERT(key.size >= 1 && key.size <= LIMIT_IDEMPOTENCY_KEY && is_visible(key));
        ASSERT(key.data >= value.data && key.data + key.size <= value.data + value.size);
    } else {
        ASSERT(!span_present(key));
    }
}

static void read_tags(struct span value) {
    struct api_header header;
    struct store_change *change = store_change_new();
    const struct api_call call = call_with("if-match", value, &header);
    if (api_if_match(&call, change) == STATUS_OK) {
        ASSERT(change->match_count <= STORE_MATCH_MAX);
    }
    store_change_free(change);
}

static void read_media_types(struct span value) {
    static const char json[] = "application/json";
    if (api_accepts_exactly(value, json)) {
        ASSERT(api_accepts(value, json));
    }
    if (api_accepts(value, json)) {
        ASSERT(api_accepts(value, "application/x-ndjson, application/json"));
    }
    (void)api_media_type_is(value, json);
}

static void read_ids(struct span value) {
    struct arena arena = {0};
    struct span trace = request_id_trace(value);
    struct span id = request_id_choose(value, trace, &arena);
    ASSERT(!span_present(trace) || (trace.size == 32 && is_visible(trace)));
    ASSERT(request_id_valid(id) && is_visible(id) && id.size <= REQUEST_ID_SIZE_MAX);
    arena_release(&arena);
}

static void read_times(struct span value) {
    int64_t ms = -1, again = -1;
    char text[TIMESTAMP_SIZE + 1];
    struct duration duration = {-1, -1};
    if (timestamp_parse(value, &ms) == STATUS_OK) {
        ASSERT(ms >= 0 && ms <= TIMESTAMP_MAX);
        timestamp_format(ms, text);
        ASSERT(timestamp_parse(span_of_text(text), &again) == STATUS_OK && again == ms);
        ASSERT(timestamp_month_start(ms) <= ms);
    }
    if (duration_parse(value, &duration) == STATUS_OK) {
        ASSERT(duration.months >= 0 && duration.seconds >= 0);
        ASSERT(duration.months == 0 || duration.seconds == 0);
        ASSERT(timestamp_add(0, duration) >= 0);
        ASSERT(timestamp_add(TIMESTAMP_MAX, duration) == TIMESTAMP_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct span value = span_of((const char *)data, size);
    read_key(value);
    read_tags(value);
    read_media_types(value);
    read_ids(value);
    read_times(value);
    return 0;
}
