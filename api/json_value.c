/* Values of stored JSON. Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/json_value.h"

#include "base/log.h"

json_t *api_json_value_members(struct span members) {
    struct buffer text = {0};
    buffer_append_text(&text, "{");
    buffer_append_span(&text, members);
    buffer_append_text(&text, "}");
    json_t *object = json_loadb(text.data, text.size, 0, NULL);
    buffer_release(&text);
    ASSERT(json_is_object(object));
    return object;
}

static int append(const char *data, size_t size, void *to) {
    buffer_append(to, data, size);
    return 0;
}

void api_json_value_write(const json_t *value, struct json_out *out) {
    struct buffer text = {0};
    int failed = json_dump_callback(value, append, &text, JSON_COMPACT | JSON_ENCODE_ANY);
    ASSERT(failed == 0);
    json_out_raw(out, buffer_span(&text));
    buffer_release(&text);
}
