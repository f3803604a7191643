/* Erasure and legal holds: what a change carries for them, and the list of holds. Everything is
 * owned by the change's arena. What goes, what stays and when: docs/erasure.md. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_ERASURE_H
#define STORE_ERASURE_H

#include "store/read.h"

/* X(NAME, stored number, wire name, whether the personal part goes at once). Why something is to be
 * erased, after GDPR Article 17(1). Numbers are stored: never renumber. */
#define STORE_GROUNDS(X)                                  \
    X(NO_LONGER_NECESSARY, 1, "noLongerNecessary", false) \
    X(CONSENT_WITHDRAWN, 2, "consentWithdrawn", true)     \
    X(OBJECTION, 3, "objection", true)                    \
    X(UNLAWFUL_PROCESSING, 4, "unlawfulProcessing", true) \
    X(LEGAL_OBLIGATION, 5, "legalObligation", true)

enum store_ground {
#define X(name, number, wire, at_once) STORE_GROUND_##name = number,
    STORE_GROUNDS(X)
#undef X
};
MUST_CHECK enum status store_ground_parse(struct span name, enum store_ground *out);

/* What became of one consent. */
struct store_erased_consent {
    struct uuid id;
    enum store_erased done; /* what of it is gone now */
    int64_t due;            /* when the rest goes; INT64_MIN: nothing is left to go */
};

/* STORE_ERASE: of the change's tenant, one consent (id) or all that an account has. Refused whole
 * with STATUS_WRONG_STATE while one is requested or active, with STATUS_LEGAL_HOLD while one is
 * held, with STATUS_ERASED when the consent named is gone already, STATUS_NOT_FOUND when nothing of
 * the account is there. */
struct store_erasure {
    enum store_role role; /* STORE_BY_TENANT or STORE_BY_ADMIN */
    bool by_account;
    struct span provider, account; /* of an account */
    enum store_erased part;        /* what is to go */
    enum store_ground ground;
    struct span request_id; /* the caller's, nothing personal: it stands in the notice */
    /* out */
    struct store_erased_consent *consents;
    uint32_t consent_count;
    bool goes_on; /* entries are left, which go one commit after the other */
    bool more;    /* the account has more consents: call again */
};

/* STORE_HOLD: of a consent (id) or an account. One that stands already stays as it is, and is
 * done.log_index; change->replayed tells. STORE_RELEASE: by log_index; STATUS_NOT_FOUND when none
 * of the tenant stands there. */
struct store_hold {
    enum store_role role;
    bool by_account;
    struct span provider, account;
    struct span reason; /* code */
    uint64_t log_index;
};
/* Holds that stand, of one tenant, in the order in which they were set. */
struct store_hold_view {
    struct uuid consent; /* nil: an account's */
    struct mac16 account;
    struct span provider, reason; /* views */
    int64_t since;
    uint64_t log_index;
};
struct store_hold_page {
    struct store_hold_view *items; /* from the arena */
    uint32_t count;
    bool more;
    uint64_t next;
};
struct store_hold_query {
    struct span tenant;
    uint64_t from; /* 0, or the next of the page before */
    uint32_t limit;
};
MUST_CHECK enum status store_holds(struct store_reader *reader,
                                   const struct store_hold_query *query, struct arena *arena,
                                   struct store_hold_page *out);
/* The one that the entry set; STATUS_NOT_FOUND when it does not stand. */
MUST_CHECK enum status store_hold_get(struct store_reader *reader, struct span tenant,
                                      uint64_t log_index, struct store_hold_view *out);

/* Consents that ended so long ago, at the snapshot's time, that a pack with this eraseAfter wants
 * them gone: adds to *count those of at most LIMIT_WALK rows, and moves on in *place, which is
 * zeroed at first. place->done: there are no more. */
struct store_ended_place {
    int64_t at;
    uint64_t consent;
    bool begun, done;
};
MUST_CHECK enum status store_ended_count(struct store_reader *reader, struct duration erase_after,
                                         struct store_ended_place *place, uint64_t *count);

#endif
