/* A change: what a caller wants written, owning all its bytes, because it crosses to the writer
 * thread; and, when it comes back, what became of it. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_CHANGE_H
#define STORE_CHANGE_H

#include "base/mem.h"
#include "base/uuid.h"
#include "policy/admission.h"

struct store_inquiry; /* store/inquiry.h has these three */
struct store_disclosure;
struct store_block;
enum store_batch_end { STORE_BATCH_ALL, STORE_BATCH_TO_DENIAL, STORE_BATCH_TO_PERMIT };

enum store_op {
    STORE_CREATE,   /* draft, granted or only requested */
    STORE_GRANT,    /* id, draft: requested -> active */
    STORE_RENEW,    /* id, draft: a new consent in the arrangement of id */
    STORE_END,      /* id, reason: the active consent of id's arrangement, or a request refused */
    STORE_END_MANY, /* selection, reason */
    STORE_TOKENS,   /* id, facts */
    STORE_PROOFS,   /* id, facts, personal */
    STORE_DECIDE,   /* inquiries, batch_end */
    STORE_DISCLOSE, /* disclosure, one inquiry */
    STORE_BLOCK,    /* block */
    STORE_UNBLOCK,  /* block.client */
};

enum store_role { /* values are stored: never renumber */
                  STORE_BY_TENANT = 1,
                  STORE_BY_CLIENT,
                  STORE_BY_AUDITOR,
                  STORE_BY_ADMIN,
                  STORE_BY_SYSTEM
};

enum store_principal { STORE_UNKNOWN = 0, STORE_COMPANY, STORE_SOLE_TRADER, STORE_INDIVIDUAL };

struct store_match { /* one If-Match tag; state 0: the tag named none */
    uint32_t version;
    enum consent_state state;
};
#define STORE_MATCH_MAX 4

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

struct store_reason {
    struct span code; /* of statusReason */
    enum consent_state leads_to;
    enum consent_role by;  /* CONSENT_BY_NONE: derived from the actor */
    struct span text_json; /* personal: "text":"…" and "ref":"…" members, or empty */
};

struct store_selection { /* of STORE_END_MANY: ids, or the conjunction of the rest */
    const struct uuid *ids;
    uint32_t id_count;
    struct span client, provider, account, resource; /* absent: any */
};

/* What became of one consent. */
struct store_done {
    enum status status;
    struct uuid asked;  /* the id asked for, nil when found by selection */
    uint64_t consent;   /* creation index; of the consent that was created, granted or ended */
    uint64_t log_index; /* render the consent as of this entry */
};

struct store_change {
    /* in */
    struct arena arena; /* owns all spans and arrays below */
    enum store_op op;
    void *owner;        /* the submitter's; the store never follows it */
    struct span actor;  /* client id of the caller */
    struct span tenant; /* of the caller. The change reaches consents of this tenant and, STORE_END*
                           only, those whose client is `actor`; others are STATUS_NOT_FOUND, a
                           client's attempt at another operation STATUS_INSUFFICIENT_SCOPE */
    const struct policy_pack *pack; /* what it was read under, and is judged by */
    bool has_key;                   /* Idempotency-Key: create and renew */
    struct mac16 key;               /* MAC16(actor, key) */
    struct mac16 fingerprint; /* of operation, path, tenant and body; keyed: it outlives erasures */
    struct uuid id;           /* grant, renew, end, tokens, proofs */
    struct store_match matches[STORE_MATCH_MAX];
    uint32_t match_count; /* 0: no If-Match */
    bool match_any;       /* If-Match: * */
    struct store_draft draft;
    struct store_reason reason;
    struct store_selection selection;
    const struct store_token *tokens;
    uint32_t token_count;
    struct span proofs_json; /* personal: elements of the proofs array, compact */
    struct store_inquiry *inquiries;
    uint32_t inquiry_count;
    enum store_batch_end batch_end;
    struct store_disclosure *disclosure;
    struct policy_pack *past_pack; /* owned, or NULL: what the disclosure is judged by */
    struct store_block *block;
    /* out, set by the writer */
    struct store_done done;
    bool outdated;                  /* not judged: another pack is in force. Read it again */
    bool replayed;                  /* the Idempotency-Key was known: done is the first answer's */
    struct policy_reasons *reasons; /* in the arena, with STATUS_NOT_ADMISSIBLE */
    char detail[160];               /* one sentence for the caller, or empty; nothing personal */
    struct store_done *results;     /* STORE_END_MANY, in the arena */
    uint32_t result_count;
    bool more;                 /* STORE_END_MANY: call again */
    unsigned loop;             /* where it was submitted */
    struct store_change *next; /* the store's, then the taker's */
};

/* Zeroed; free with store_change_free. */
struct store_change *store_change_new(void);
void store_change_free(struct store_change *change);

#endif
