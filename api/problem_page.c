/* HTML pages for the problem types, one per entry of the status list; a unit test walks the list
 * and finds an entry without its two sentences. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "api/problem_page.h"

#include "base/log.h"

struct advice {
    const char *means;
    const char *action;
};

/* Plain ASCII without the characters that HTML gives a meaning: copied as it is. */
static const struct advice ADVICE[STATUS_COUNT] = {
    [STATUS_MALFORMED_JSON] =
        {"The request's body could not be read as JSON: a syntax error, a member given twice, a "
         "text that is not UTF-8 or contains a NUL, a number out of range, or too deep nesting.",
         "Send one JSON value in UTF-8 that follows RFC 8259; the detail says what was found "
         "where."},
    [STATUS_INVALID_BODY] =
        {"The body is JSON, but a member is missing, has the wrong type, is too long or is not "
         "written in the form the operation needs.",
         "Correct the members that the errors list points to; each has a JSON pointer and a "
         "sentence."},
    [STATUS_UNKNOWN_MEMBER] =
        {"The body has a member that this operation does not know. It is refused rather than "
         "ignored, so that nobody believes in a condition that was never stored.",
         "Remove the member, or correct its spelling; names are case-sensitive."},
    [STATUS_INVALID_PARAMETER] =
        {"A path segment, query parameter, cursor or header is unknown, given twice or not valid.",
         "Correct the parameter that the detail names. A cursor only continues the very query, "
         "by the very caller, that it was given for."},
    [STATUS_MISSING_IDEMPOTENCY_KEY] =
        {"The operation creates something, and a request that is sent again must not create it "
         "twice; therefore it needs an Idempotency-Key header.",
         "Make up a fresh key for each new consent, at most 128 characters, and repeat it "
         "unchanged whenever the same request is sent again."},
    [STATUS_UNAUTHENTICATED] =
        {"There was no bearer token in the Authorization header, or it could not be verified: "
         "wrong issuer, audience, key or algorithm, not yet valid, or expired.",
         "Get a fresh access token from the authorization server that this service trusts; the "
         "WWW-Authenticate header tells more."},
    [STATUS_CERTIFICATE_REFUSED] =
        {"The connection has no client certificate where one is needed, or the one it has is not "
         "good: the detail says why, and the member cause names it for programs: no_certificate, "
         "unknown_ca, expired, not_yet_valid, revoked, crl, purpose, unreadable or refused.",
         "Connect anew with a certificate that is valid now and issued by an authority of the "
         "scheme. With the cause crl the service's own revocation list is out of date: tell its "
         "operator."},
    [STATUS_INSUFFICIENT_SCOPE] =
        {"The token is valid but does not carry the scope that this operation needs, or the "
         "caller's part in the consent does not allow it.",
         "Ask the authorization server for the scope named in the WWW-Authenticate header, or "
         "let the party that may do this do it."},
    [STATUS_WRONG_ROLE] =
        {"The licence is granted by members in one role of the scheme, and the caller, as its "
         "certificate or its token shows it, does not have that role. The detail names the role "
         "that is needed and those that were presented; the reasons list names every other clause "
         "that failed too.",
         "Call with a certificate that the Directory has issued for that role, or for the licence "
         "that belongs to the role you have."},
    [STATUS_NOT_FOUND] =
        {"Nothing that this caller may see has this address. A consent of somebody else answers "
         "in exactly the same way as one that does not exist.",
         "Check the id, and that the token belongs to the tenant or client of that consent."},
    [STATUS_METHOD_NOT_ALLOWED] = {"The address exists, but not with this method.",
                                   "Use one of the methods in the Allow header of the answer."},
    [STATUS_NOT_ACCEPTABLE] = {"None of the media types in the Accept header can be produced here.",
                               "Accept application/json, or leave the header out."},
    [STATUS_WRONG_STATE] =
        {"The consent is in a state from which this change is not possible: for example it has "
         "already ended in another way, or there is no active consent left to end.",
         "Read the consent again and decide from its present status. The end of a consent is "
         "final; to go on, ask the account holder for a new one."},
    [STATUS_LEGAL_HOLD] = {"A legal hold keeps the record from being erased.",
                           "Wait until the hold has been lifted by the one who set it."},
    [STATUS_ERASED] =
        {"What this request names has been erased; only a commitment without content remains.",
         "Nothing can bring it back. Use a new Idempotency-Key for a new consent."},
    [STATUS_VERSION_MISMATCH] =
        {"The consent has changed since the version that the If-Match header names.",
         "Read the consent again, take its ETag, and decide anew whether the change is wanted."},
    [STATUS_BODY_TOO_LARGE] = {"The body is larger than 1 MiB.",
                               "Send less in one request; long lists can be sent in several."},
    [STATUS_UNSUPPORTED_MEDIA_TYPE] =
        {"The body's Content-Type is not one that this operation reads.",
         "Send the body as application/json."},
    [STATUS_NOT_ADMISSIBLE] =
        {"The consent as asked for is not one that the scheme's policy admits: for example the "
         "licence is unknown, the term too long, a purpose outside the licence, or a consent "
         "that it depends on is missing.",
         "The reasons list names every clause that failed, not only the first. Correct all of "
         "them; GET /v1/policy shows the policy in force."},
    [STATUS_IDEMPOTENCY_MISMATCH] =
        {"The Idempotency-Key was used before, by the same caller, for a request with another "
         "body.",
         "Use a fresh key for a new request; use the old key only to repeat the old request "
         "unchanged."},
    [STATUS_RATE_LIMITED] =
        {"There were too many requests, or too many failed attempts to authenticate, in a short "
         "time.",
         "Wait as long as the Retry-After header says, then go on more slowly."},
    [STATUS_INTERNAL] =
        {"The service met a condition that it cannot explain.",
         "Try again later. If it persists, tell the operator the request id in the instance "
         "member; the operator finds the cause in the log under that id."},
    [STATUS_BUSY] =
        {"The service cannot take this now: too much is waiting, or it is about to stop or to "
         "start. Nothing was changed.",
         "Send the same request again after the time in the Retry-After header."},
    [STATUS_OUTCOME_UNKNOWN] =
        {"The storage failed while the change was being written; whether it was stored is not "
         "known until the service has started again.",
         "Repeat the same request with the same Idempotency-Key: if it was stored, the first "
         "answer comes again; if not, it is done now."},
    [STATUS_STORAGE_FULL] =
        {"There is no room for new consents. Consents can still be read, ended and revoked.",
         "Try again later; the operator has to make room."},
};

static const char HEAD[] =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"robots\" content=\"noindex\">\n<title>";
static const char STYLE[] =
    "</title>\n<style>\n"
    ":root{color-scheme:light dark}\n"
    "body{font:1rem/1.5 system-ui,sans-serif;margin:0 auto;padding:1rem;max-width:40rem;"
    "overflow-wrap:anywhere}\n"
    "h1{font-size:1.4rem;line-height:1.25}h2{font-size:1.1rem;margin-bottom:0}\n"
    "p{margin-top:.25rem}code{font-size:.95em}\n"
    "</style>\n</head>\n<body>\n<main>\n";

void api_problem_page(enum status problem, struct buffer *out) {
    ASSERT(problem > STATUS_OK && problem < STATUS_COUNT);
    const struct advice *advice = &ADVICE[problem];
    ASSERT(advice->means != NULL && advice->action != NULL);
    buffer_append_text(out, HEAD);
    buffer_append_text(out, status_title(problem));
    buffer_append_text(out, STYLE);
    buffer_append_format(out, "<p><code>%d %s</code></p>\n<h1>%s</h1>\n", status_http(problem),
                         status_name(problem), status_title(problem));
    buffer_append_format(out, "<h2>What it means</h2>\n<p>%s</p>\n", advice->means);
    buffer_append_format(out, "<h2>What to do</h2>\n<p>%s</p>\n", advice->action);
    buffer_append_text(out, "</main>\n</body>\n</html>\n");
}

const char *api_problem_meaning(enum status problem) {
    ASSERT(problem > STATUS_OK && problem < STATUS_COUNT && ADVICE[problem].means != NULL);
    return ADVICE[problem].means;
}
