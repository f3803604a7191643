/* A change: what a caller wants written, owning all its bytes, because it crosses to the writer
 * thread; and, when it comes back, what became of it. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_CHANGE_H
#define STORE_CHANGE_H

#include "base/mem.h"
#include "store/draft.h"

struct store_inquiry; /* store/inquiry.h has these three */
struct store_disclosure;
struct store_block;
struct store_erasure; /* and store/erasure.h these */
struct store_hold;
struct store_look;     /* store/look.h */
struct store_cosigned; /* store/cosigned.h */
struct store_delivery; /* store/outbox.h */
struct store_peer;     /* store/peer.h */
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
    STORE_ERASE,    /* erasure */
    STORE_HOLD,     /* hold */
    STORE_RELEASE,  /* hold.log_index */
    STORE_LOOK,     /* looks; without an owner */
    STORE_COSIGN,   /* cosigned */
    STORE_DELIVER,  /* deliveries */
    STORE_STEP,     /* id, step */
    STORE_READ_PERMISSION, /* peer, by actor: without a tenant, as the next two */
    STORE_REVOKE_TOKEN,
    STORE_MESSAGE,
};

enum store_role { /* values are stored: never renumber */
                  STORE_BY_TENANT = 1,
                  STORE_BY_CLIENT,
                  STORE_BY_AUDITOR,
                  STORE_BY_ADMIN,
                  STORE_BY_SYSTEM
};

struct store_match { /* one If-Match tag; state 0: the tag named none */
    uint32_t version;
    enum consent_state state;
};
#define STORE_MATCH_MAX 4

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
    struct uuid id;           /* grant, renew, end, tokens, proofs, step */
    struct store_match matches[STORE_MATCH_MAX];
    uint32_t match_count; /* 0: no If-Match */
    bool match_any;       /* If-Match: * */
    struct store_draft draft;
    struct store_reason reason;
    struct span invalidated_token; /* STORE_END: what the message to the client has; a secret, wiped
                                      with the change. Absent: the tenant owes the message */
    struct store_selection selection;
    const struct store_token *tokens;
    uint32_t token_count;
    struct span proofs_json; /* personal: elements of the proofs array, compact */
    struct span step;        /* id of a provenance step */
    bool step_is_new;        /* of a step to be made: only an active consent has those */
    struct store_inquiry *inquiries;
    uint32_t inquiry_count;
    enum store_batch_end batch_end;
    struct store_disclosure *disclosure;
    struct policy_pack *past_pack; /* owned, or NULL: what the disclosure is judged by */
    struct store_block *block;
    struct store_erasure *erasure;
    struct store_hold *hold;
    struct store_look *looks;
    uint32_t look_count;
    const struct store_cosigned *cosigned;
    const struct store_delivery *deliveries;
    uint32_t delivery_count;
    struct store_peer *peer;
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
