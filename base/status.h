/* The one list of outcomes: it feeds the enum, the names, the HTTP codes and the problem types. */
// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#include <stddef.h>

/* X(NAME, HTTP code, problem name, title). The problem names are the contract with callers:
 * a test checks that each stands in openapi.yaml, and /problems/{name} serves a page for each. */
#define STATUS_PROBLEMS(X)                                                                         \
    X(MALFORMED_JSON, 400, "malformed-json", "The body is not JSON")                               \
    X(INVALID_BODY, 400, "invalid-body", "The body does not have the form this operation needs")   \
    X(UNKNOWN_MEMBER, 400, "unknown-member", "The body has a member this operation does not know") \
    X(INVALID_PARAMETER, 400, "invalid-parameter", "A parameter or header is not valid")           \
    X(MISSING_IDEMPOTENCY_KEY, 400, "missing-idempotency-key", "An Idempotency-Key is required")   \
    X(UNAUTHENTICATED, 401, "unauthenticated", "The caller is not known")                          \
    X(CERTIFICATE_REFUSED, 401, "certificate-refused", "The client certificate is not accepted")   \
    X(INSUFFICIENT_SCOPE, 403, "insufficient-scope", "The token does not allow this operation")    \
    X(WRONG_ROLE, 403, "wrong-role", "The caller does not have the role that this needs")          \
    X(NOT_FOUND, 404, "not-found", "There is no such resource")                                    \
    X(METHOD_NOT_ALLOWED, 405, "method-not-allowed", "The resource does not have this method")     \
    X(NOT_ACCEPTABLE, 406, "not-acceptable", "None of the accepted media types can be produced")   \
    X(WRONG_STATE, 409, "wrong-state", "The consent's state does not allow this")                  \
    X(LEGAL_HOLD, 409, "legal-hold", "A legal hold forbids this")                                  \
    X(ERASED, 410, "erased", "What this names has been erased")                                    \
    X(VERSION_MISMATCH, 412, "version-mismatch", "The consent has another version")                \
    X(BODY_TOO_LARGE, 413, "body-too-large", "The body is too large")                              \
    X(UNSUPPORTED_MEDIA_TYPE, 415, "unsupported-media-type",                                       \
      "The body's media type is not supported")                                                    \
    X(NOT_ADMISSIBLE, 422, "not-admissible", "The policy does not admit this consent")             \
    X(IDEMPOTENCY_MISMATCH, 422, "idempotency-mismatch",                                           \
      "The Idempotency-Key was used for another request")                                          \
    X(RATE_LIMITED, 429, "rate-limited", "Too many requests")                                      \
    X(INTERNAL, 500, "internal", "The service failed")                                             \
    X(BUSY, 503, "busy", "The service cannot take this now")                                       \
    X(OUTCOME_UNKNOWN, 503, "outcome-unknown", "Whether the change was stored is not known")       \
    X(STORAGE_FULL, 507, "storage-full", "The storage is full")

enum status {
    STATUS_OK = 0,
#define X(name, http, problem, title) STATUS_##name,
    STATUS_PROBLEMS(X)
#undef X
        STATUS_COUNT
};

/* Every function that can fail returns this and must be checked; on anything but STATUS_OK its
 * outputs are untouched. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* Static strings; name is the problem name, "ok" for STATUS_OK. */
const char *status_name(enum status status);
const char *status_title(enum status status);
/* HTTP code, 200 for STATUS_OK. */
int status_http(enum status status);
/* STATUS_INTERNAL, for an operator: writes the sentence that says why, of at most size bytes. */
MUST_CHECK enum status status_refuse(char *why, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The status with this problem name, STATUS_OK when there is none. */
enum status status_by_name(const char *name, size_t size);

#endif
