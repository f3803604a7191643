/* Problem documents (RFC 9457). Details never carry personal data or a token (invariant 10).
 * Private to api/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_PROBLEM_H
#define API_PROBLEM_H

#include "api/api.h"
#include "policy/admission.h"

#define API_ERRORS_MAX 16
struct api_error {
    struct span pointer; /* JSON pointer (RFC 6901) into the body */
    struct span detail;
};
struct api_errors {
    struct api_error items[API_ERRORS_MAX]; /* spans from the call's arena or static */
    uint32_t count;
};

/* Each makes the response and returns API_DONE. detail may be NULL: then the title says it all. It
 * is copied. 401 and 403 carry WWW-Authenticate (RFC 6750 section 3), 429, 503 and 507 Retry-After.
 */
enum api_outcome api_problem(struct api_call *call, enum status status, const char *detail);
enum api_outcome api_problem_errors(struct api_call *call, enum status status, const char *detail,
                                    const struct api_errors *errors);
/* 422, or 403 wrong-role when the caller's own role is among what is wrong. */
enum api_outcome api_problem_reasons(struct api_call *call, const struct policy_reasons *reasons);
/* 401: without any credential the challenge carries no error code (RFC 6750 section 3.1). */
enum api_outcome api_problem_unauthenticated(struct api_call *call,
                                             const struct auth_refusal *refusal);
/* 401 for want of a good certificate; no error code, since it is not about a token. */
enum api_outcome api_problem_certificate(struct api_call *call, const char *cause,
                                         const char *detail);
/* 403 with the scopes that would do. */
enum api_outcome api_problem_scope(struct api_call *call, unsigned scopes);
/* 400 as OAuth clients read it: with `error` and `error_description` (RFC 6749 section 5.2). */
enum api_outcome api_problem_oauth(struct api_call *call, enum status status, const char *error,
                                   const char *detail);
/* 405 with Allow. */
enum api_outcome api_problem_method(struct api_call *call, const char *allow);

#endif
