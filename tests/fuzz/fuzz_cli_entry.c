/* Any bytes as a line of a log's events, as a server that lies may send it: what is found in it is
 * what a parser of JSON finds, and an entry is open only when its bytes are those committed to. */
// SPDX-License-Identifier: Apache-2.0
#include <jansson.h>
#include <stdint.h>

#include "base/log.h"
#include "cli/audit_entry.h"
#include "cli/json_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_within(struct span part, struct span whole) {
    return part.data >= whole.data && part.data + part.size <= whole.data + whole.size;
}

static void check_value(const json_t *object, const char *name, struct span value) {
    json_t *expected = json_object_get(object, name);
    if (expected == NULL) {
        ASSERT(!span_present(value));
        return;
    }
    json_t *found = json_loadb(value.data, value.size, JSON_DECODE_ANY, NULL);
    ASSERT(found != NULL && json_equal(found, expected));
    json_decref(found);
}

static size_t depth_of(struct span text) {
    size_t depth = 0;
    for (size_t i = 0; i < text.size; i++)
        depth += text.data[i] == '{' || text.data[i] == '[';
    return depth;
}

/* Names that are written with escapes are others to the scanner. */
static void check_scan(struct span text) {
    struct span index, payload, list;
    const struct json_wanted wanted[] = {
        {"index", &index}, {"payload", &payload}, {"indexes", &list}};
    bool scanned = json_scan_object(text, wanted, 3);
    json_t *parsed = json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES, NULL);
    bool plain = memchr(text.data, '\\', text.size) == NULL;
    /* Jansson 2.14 reads over a NUL between tokens (corpus: nul) */
    if (json_is_object(parsed) && memchr(text.data, '\0', text.size) == NULL) {
        ASSERT(scanned || depth_of(text) > JSON_SCAN_DEPTH);
        if (scanned && plain) {
            check_value(parsed, "index", index);
            check_value(parsed, "payload", payload);
        }
    }
    json_decref(parsed);
    struct span value;
    for (size_t steps = 0; scanned && span_present(list) && json_scan_element(&list, &value);
         steps++)
        ASSERT(is_within(value, text) && steps < text.size);
}

static void check_entry(struct span text) {
    struct audit_entry entry;
    struct audit_fault fault = {AUDIT_GOOD, ""};
    if (!audit_entry_read(text, 7, &entry, &fault)) {
        ASSERT(fault.result != AUDIT_GOOD && fault.text[0] != '\0');
        return;
    }
    ASSERT(fault.result == AUDIT_GOOD && entry.leaf[0] == 1);
    ASSERT(!span_present(entry.payload) || is_within(entry.payload, text));
    ASSERT(!span_present(entry.personal) || (entry.has_personal && span_present(entry.payload)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = span_of(size != 0 ? (const char *)data : "", size);
    check_scan(text);
    check_entry(text);
    return 0;
}
