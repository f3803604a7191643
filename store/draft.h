/* A consent that is to be: the whole of its terms, as the caller stated them. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_DRAFT_H
#define STORE_DRAFT_H

#include "base/uuid.h"
#include "policy/admission.h"

enum store_principal { STORE_UNKNOWN = 0, STORE_COMPANY, STORE_SOLE_TRADER, STORE_INDIVIDUAL };

struct store_member { /* of a dependsOn group */
    bool external;
    struct uuid arrangement;    /* not external */
    struct digest token_digest; /* external */
    int64_t expires;            /* external */
};
struct store_group {
    const struct store_member *members;
    uint32_t member_count;
};
struct store_token {
    struct digest digest;
    int64_t issued_at, expires;
};

/* The whole of a consent's terms. Spans live in the change's arena. The members ending in _json are
 * members of a JSON object without its braces, compact, or empty; they are stored and rendered as
 * they are. */
struct store_draft {
    struct policy_admission ask; /* dependencies[] is filled in by the writer */
    struct span provider, client;
    struct span external_id; /* absent when none */
    struct span account;     /* absent only while requested */
    enum store_principal principal;
    int64_t data_available_from; /* INT64_MIN when absent; the others stand in ask */
    uint32_t max_uses;           /* 0: unlimited */
    const struct store_group *groups;
    uint32_t group_count;
    struct span terms_json;   /* everything a caller sees of the terms, except grant, account and
                               what every entry names: provider, client, license */
    struct span grant_json;   /* grant's members that are not personal; empty while requested */
    struct span account_json; /* personal: "account":"…" */
    struct span grant_private_json;   /* personal: by, ip, userAgent, proofs of grant */
    const struct store_token *tokens; /* first tokens, each an entry of its own */
    uint32_t token_count;
};

#endif
