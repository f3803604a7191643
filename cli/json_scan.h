/* Finds members of a JSON object as the bytes that they are: what a log commits to is bytes, which
 * a parser would not keep. Strict (RFC 8259), bounded in depth; copies nothing. Pure. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_JSON_SCAN_H
#define CLI_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

#define JSON_SCAN_DEPTH 64

struct json_wanted {
    const char *name; /* as it stands between the quotes */
    struct span *value;
};
/* Reads all of text as one object and sets the values that it has, views; the others become absent.
 * False when it is none, or has a wanted name twice. */
bool json_scan_object(struct span text, const struct json_wanted *wanted, size_t count);
/* The next value of an array, which *left begins with; *left then begins behind it. False at the
 * end, which leaves nothing, or when it is none, which leaves something. *left begins as the whole
 * array with its brackets. */
bool json_scan_element(struct span *left, struct span *value);

/* A value that is a string: what stands between its quotes, escapes as they are. False for others.
 */
bool json_scan_text(struct span value, struct span *out);
/* A value that is a number without sign, fraction and exponent. */
bool json_scan_number(struct span value, uint64_t *out);

#endif
