/* UUIDs as 16 bytes; version 7 (RFC 9562 section 5.7): 48 bits of Unix milliseconds, then random.
 */
// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "base/status.h"

#define UUID_SIZE 16
#define UUID_TEXT_SIZE 36

struct uuid {
    unsigned char bytes[UUID_SIZE];
};

/* A fresh version 7 id; its 74 random bits are drawn in blocks per thread. */
struct uuid uuid_make(int64_t now_ms);
/* The same, and greater than `last` when that was made in the same millisecond: its random bits are
 * then those of `last` with a random step of 40 bits (RFC 9562 section 6.2, method 2). In the rare
 * case that they would overflow it is not greater. Keeps an index of ids in the order they come. */
struct uuid uuid_make_after(int64_t now_ms, const struct uuid *last);
/* Lower- or upper-case hex with hyphens, exactly 36 characters; else STATUS_INVALID_PARAMETER. */
MUST_CHECK enum status uuid_from_text(struct span text, struct uuid *out);
/* Writes 36 lower-case characters and a NUL. */
void uuid_to_text(const struct uuid *id, char out[UUID_TEXT_SIZE + 1]);
bool uuid_equal(const struct uuid *a, const struct uuid *b);
bool uuid_is_nil(const struct uuid *id);

#endif
