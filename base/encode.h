/* base64url without padding (RFC 4648 section 5), standard base64, lower-case hex and decimal,
 * strict. */
// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_ENCODE_H
#define BASE_ENCODE_H

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "base/status.h"

#define ENCODE_BASE64URL_SIZE(n) (((n)*4 + 2) / 3)
#define ENCODE_BASE64_SIZE(n) (((n) + 2) / 3 * 4)

/* Each writer returns the characters written, without a NUL; out must have room. */
size_t encode_base64url(const void *data, size_t size, char *out);
size_t encode_base64(const void *data, size_t size, char *out);
size_t encode_hex(const void *data, size_t size, char *out);
#define ENCODE_DECIMAL_SIZE 20 /* the digits of 2^64 */
size_t encode_decimal(uint64_t value, char out[ENCODE_DECIMAL_SIZE]);
/* Strict readers: no padding, no white space, unused bits zero. Fail with
 * STATUS_INVALID_PARAMETER, also when the result does not fit capacity. */
MUST_CHECK enum status decode_base64url(struct span text, void *out, size_t capacity,
                                        size_t *out_size);
/* The same for standard base64, whose padding must be there (RFC 4648 section 4). */
MUST_CHECK enum status decode_base64(struct span text, void *out, size_t capacity,
                                     size_t *out_size);
/* True when decode_base64 would read text into what is large enough. */
bool encode_base64_valid(struct span text);
/* A number without sign or leading zeros that fits. */
MUST_CHECK enum status decode_decimal(struct span text, uint64_t *out);
/* Exactly size bytes from 2 * size hex digits of either case. */
MUST_CHECK enum status decode_hex(struct span text, void *out, size_t size);
/* True when text is valid UTF-8 (RFC 3629) without NUL. */
bool encode_utf8_valid(struct span text);
/* The size of the well-formed character that text begins with (RFC 3629 section 4); 0 when it is
 * none, or NUL. left is what there is of text, at least 1. */
size_t encode_utf8_size(const char *text, size_t left);

#endif
