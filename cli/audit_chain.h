/* Chains: the entries of a consent, or of a tenant, numbered from 1 and each naming the one before.
 * And what was erased: an entry that cannot be opened may be the missing link of one chain of each
 * kind, and of no other. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_AUDIT_CHAIN_H
#define CLI_AUDIT_CHAIN_H

#include "base/siphash.h"
#include "cli/audit_entry.h"

struct audit_chain {
    struct mac16 key; /* of the consent's id or the tenant's URL */
    uint64_t number;  /* of the last entry; 0 before the first */
    uint64_t last;    /* its index; AUDIT_NO_INDEX before the first */
    /* of a consent: */
    struct mac16 active; /* where `holds`: the active consent of the arrangement of this id */
    int64_t expires;     /* by its grant; INT64_MAX: never, or not known */
    uint32_t parties;    /* digest of tenant and client; 0: not known */
    uint8_t state;       /* 0: not known */
    bool holds;
    bool used; /* a place of the table that is taken */
};
struct audit_chains {
    unsigned char secret[SIPHASH_KEY_SIZE]; /* so that nobody can choose ids that collide */
    uint64_t from;                          /* what has a link before this entry began unseen */
    uint32_t link;                          /* bit of the marks below that is this kind's */
    struct audit_chain *places;
    uint64_t count, capacity;
};

/* Entries whose payload or personal part cannot be opened, by index. */
enum {
    AUDIT_PAYLOAD_GONE = 1,
    AUDIT_PERSONAL_GONE = 2,
    AUDIT_NOTICED = 4,      /* a later notice says that it was erased */
    AUDIT_CONSENT_LINK = 8, /* it is the missing link of a consent's chain */
    AUDIT_TENANT_LINK = 16,
};
struct audit_erased {
    struct audit_gone {
        uint64_t index;
        uint32_t marks;
    } * items;
    uint64_t count, capacity;
    uint64_t unexplained; /* without a notice so far */
};

void audit_chains_begin(struct audit_chains *chains, uint32_t link, uint64_t from);
/* The chain of this name, made when it is new: number 0. Until the next call. */
struct audit_chain *audit_chains_find(struct audit_chains *chains, struct span name);
/* The same, of the key of a chain; NULL when there is none. */
const struct audit_chain *audit_chains_at(const struct audit_chains *chains,
                                          const struct mac16 *key);
/* What an entry says of its place in a chain. */
struct audit_link {
    uint64_t index, number;
    uint64_t prev; /* index of the one before, AUDIT_NO_INDEX for none */
};
/* Adds it. *gap tells that links between were erased, or not looked at. False when it does not fit.
 */
bool audit_chain_add(const struct audit_chains *chains, struct audit_chain *chain,
                     struct audit_erased *erased, const struct audit_link *link, bool *gap);
void audit_chains_release(struct audit_chains *chains);

/* index is greater than all before. */
void audit_erased_add(struct audit_erased *erased, uint64_t index, uint32_t what);
/* A notice lists the entry; whole: also its payload is gone. */
void audit_erased_notice(struct audit_erased *erased, uint64_t index, bool whole);
/* How many entries whose payload is gone stand between two indexes, both exclusive. */
uint64_t audit_erased_between(const struct audit_erased *erased, uint64_t low, uint64_t high);
void audit_erased_release(struct audit_erased *erased);

#endif
