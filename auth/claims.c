/* Is the token for this service, and valid now?
 * Threads: any. */
// SPDX-License-Identifier: Apache-2.0
#include "auth/claims.h"

#include <math.h>

#include "auth/refuse.h"

#define SECONDS_MAX 253402300800.0 /* the year 10000: milliseconds stay far inside an int64_t */

static bool is_text(const json_t *value, struct span expected) {
    return json_is_string(value) &&
           span_equal(span_of(json_string_value(value), json_string_length(value)), expected);
}

static bool is_for(const json_t *audience, struct span expected) {
    const json_t *element;
    size_t i;
    json_array_foreach(audience, i, element) {
        if (is_text(element, expected)) {
            return true;
        }
    }
    return is_text(audience, expected);
}

/* A NumericDate: seconds, fractions allowed (RFC 7519 section 2). */
static bool read_time(const json_t *value, int64_t *out_ms) {
    double seconds = json_number_value(value);
    if (!json_is_number(value) || !(seconds >= 0 && seconds < SECONDS_MAX)) {
        return false;
    }
    *out_ms =
        json_is_integer(value) ? json_integer_value(value) * 1000 : (int64_t)floor(seconds * 1000);
    return true;
}

static enum status check_times(const json_t *payload, int64_t now_ms, int64_t *out_expires_ms,
                               const char **why) {
    int64_t expires_ms;
    int64_t time_ms;
    const int64_t latest_ms = now_ms + (int64_t)LIMIT_TOKEN_LEEWAY * 1000;
    const json_t *not_before = json_object_get(payload, "nbf");
    const json_t *issued_at = json_object_get(payload, "iat");
    if (!read_time(json_object_get(payload, "exp"), &expires_ms)) {
        return auth_refuse(why, "The token has no exp, or one that is not a time.");
    }
    if (expires_ms <= now_ms) {
        return auth_refuse(why, "The token has expired.");
    }
    if (not_before != NULL && (!read_time(not_before, &time_ms) || time_ms > latest_ms)) {
        return auth_refuse(why, "The token is not valid yet (nbf).");
    }
    if (issued_at != NULL && (!read_time(issued_at, &time_ms) || time_ms > latest_ms)) {
        return auth_refuse(why, "The token was issued in the future (iat).");
    }
    *out_expires_ms = expires_ms;
    return STATUS_OK;
}

enum status auth_claims_check(const json_t *payload, const struct auth_keys_issuer *issuer,
                              int64_t now_ms, int64_t *out_expires_ms, const char **why) {
    if (!is_for(json_object_get(payload, "aud"), issuer->audience)) {
        return auth_refuse(why, "The token is not for this service (aud).");
    }
    return check_times(payload, now_ms, out_expires_ms, why);
}
