/* The append-only log as readers see it: entries with their payloads, by index or by filter. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_EVENT_H
#define STORE_EVENT_H

#include "base/json_out.h"
#include "store/read.h"

/* X(NAME, stored number, leaf type, wire name). Numbers are stored: never renumber. */
#define STORE_EVENTS(X)                                    \
    X(CONSENT_REQUESTED, 1, 1, "consent.requested")        \
    X(CONSENT_GRANTED, 2, 1, "consent.granted")            \
    X(CONSENT_REFUSED, 3, 1, "consent.refused")            \
    X(CONSENT_TIMED_OUT, 4, 1, "consent.timedOut")         \
    X(CONSENT_REVOKED, 5, 1, "consent.revoked")            \
    X(CONSENT_TERMINATED, 6, 1, "consent.terminated")      \
    X(CONSENT_EXPIRED, 7, 1, "consent.expired")            \
    X(CONSENT_FULFILLED, 8, 1, "consent.fulfilled")        \
    X(CONSENT_SUPERSEDED, 9, 1, "consent.superseded")      \
    X(CONSENT_TOKEN_ADDED, 11, 1, "consent.tokenAdded")    \
    X(CONSENT_PROOF_ADDED, 12, 1, "consent.proofAdded")    \
    X(CONSENT_STEP_ADDED, 13, 1, "consent.stepAdded")      \
    X(DECISION_PERMITTED, 32, 2, "decision.permitted")     \
    X(DECISION_DENIED, 33, 2, "decision.denied")           \
    X(DISCLOSURE_PERMITTED, 40, 3, "disclosure.permitted") \
    X(DISCLOSURE_VIOLATION, 41, 3, "disclosure.violation") \
    X(ERASURE_PERSONAL, 44, 4, "erasure.personal")         \
    X(ERASURE_WHOLE, 45, 4, "erasure.whole")               \
    X(BLOCK_SET, 48, 12, "block.set")                      \
    X(BLOCK_LIFTED, 49, 12, "block.lifted")                \
    X(HOLD_SET, 50, 12, "hold.set")                        \
    X(HOLD_LIFTED, 51, 12, "hold.lifted")                  \
    X(KEY_ADDED, 56, 5, "key.added")                       \
    X(KEY_RETIRED, 57, 5, "key.retired")                   \
    X(ACCESS_AUDIT, 60, 7, "access.audit")                 \
    X(ACCESS_ADMIN, 61, 7, "access.admin")                 \
    X(POLICY_ACTIVATED, 64, 6, "policy.activated")         \
    X(LOG_GENESIS, 80, 8, "log.genesis")                   \
    X(PEER_PERMISSION_READ, 88, 9, "peer.permissionRead")  \
    X(PEER_REVOCATION, 89, 9, "peer.revocation")           \
    X(PEER_MESSAGE, 90, 9, "peer.message")                 \
    X(PEER_EVIDENCE_VIEWED, 91, 9, "peer.evidenceViewed")  \
    X(DELIVERY_SENT, 96, 10, "delivery.sent")              \
    X(DELIVERY_FAILED, 97, 10, "delivery.failed")          \
    X(DELIVERY_COSIGNED, 98, 10, "delivery.cosigned")

enum store_event_code {
#define X(name, number, type, wire) STORE_##name = number,
    STORE_EVENTS(X)
#undef X
};
/* Wire name; NULL for an unknown number. */
const char *store_event_name(enum store_event_code code);
MUST_CHECK enum status store_event_parse(struct span name, enum store_event_code *out);
/* The state in which an entry leaves its consent; 0 when it leaves it as it was. */
enum consent_state store_event_state(enum store_event_code code);

#define STORE_LEAF_SIZE 36
#define STORE_SALT_SIZE 32 /* r of a commitment */

/* One entry. Spans are views until store_read_end. */
struct store_event {
    uint64_t index;
    enum store_event_code code;
    int64_t at;
    uint32_t tenant, provider, client, license, actor, reason; /* names or STORE_NAME_NONE */
    enum store_role role;
    uint64_t consent;                             /* creation index or STORE_INDEX_NONE */
    uint64_t purposes;                            /* set, 0 when none */
    struct span leaf;                             /* STORE_LEAF_SIZE bytes */
    struct span salt, payload;                    /* r and the exact bytes committed to */
    struct span personal_salt, personal_payload;  /* absent when the entry has none */
    struct span members, asked, personal_members; /* of a disclosure, for its answer: what the log
                                                     says of it; whose data it asked about */
};
MUST_CHECK enum status store_event_get(struct store_reader *reader, uint64_t index,
                                       struct store_event *out);

/* Writes the members of an object that auditors read and keep: leaf, r and the payload's exact
 * bytes. Those of what was erased are left out. */
void store_event_write_members(const struct store_event *event, struct json_out *out);

/* Whether the consent that the entry changed is in the tables, and as the entry left it or later
 * ones did. */
bool store_event_agrees(struct store_reader *reader, const struct store_event *event);

/* The entry with the id that callers were given of it. STATUS_NOT_FOUND when there is none. */
MUST_CHECK enum status store_event_by_id(struct store_reader *reader, struct span id,
                                         struct store_event *out);

struct store_event_filter {
    bool everyone; /* who may see is as in store_filter */
    const struct span *tenants;
    uint32_t tenant_count;
    struct span viewer_client;
    struct span tenant, provider, client, license, purpose, account, actor,
        reason; /* absent: any */
    bool has_consent;
    struct uuid consent;        /* consentId */
    bool history;               /* of that consent alone: what changed it */
    struct span transaction;    /* of disclosures … */
    struct span step;           /* … and their provenance step, as their tenant has them */
    enum store_event_code code; /* 0: any */
    bool disclosures;           /* only those, whether permitted or not */
    bool after_ending;          /* only permits and disclosures of consents that had ended when they
                                   were recorded */
    int64_t from, to;           /* time: from inclusive, to exclusive; INT64_MIN / MAX open */
};
struct store_event_page {
    struct store_event *items; /* from the arena; spans are views */
    uint32_t count;
    bool more;
    uint64_t next; /* index to go on from */
};
/* Entries that match, in index order, from index `from_index` on; bounded like a consent query. */
MUST_CHECK enum status store_event_query(struct store_reader *reader,
                                         const struct store_event_filter *filter,
                                         uint64_t from_index, uint32_t limit, struct arena *arena,
                                         struct store_event_page *out);

#endif
