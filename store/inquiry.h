/* What a change carries beside consents: decisions to be recorded, disclosures, blocks. Everything
 * is owned by the change's arena. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_INQUIRY_H
#define STORE_INQUIRY_H

#include "store/question.h"

/* "prefix-counter.index": names an entry and finds it. */
#define STORE_ENTRY_ID_MAX 64

enum store_recording { STORE_RECORD_NO, STORE_RECORD_DENIAL, STORE_RECORD_YES };

/* One question of STORE_DECIDE. */
struct store_inquiry {
    struct store_question question;
    struct span request_json;  /* of the question, without personal parts: an object's members */
    struct span personal_json; /* the rest, likewise, or empty */
    enum store_recording recording;
    /* out */
    bool answered; /* false: not reached, the one before it ended the batch */
    bool recorded;
    struct store_ruling ruling;
    uint64_t log_index;
    char id[STORE_ENTRY_ID_MAX];
};

/* STORE_DISCLOSE: data went. It is judged as of `at` by the change's one inquiry. What came of it
 * is read from its entry, by the first answer as by a replayed one. */
struct store_disclosure {
    int64_t at;
    const struct policy_pack *pack; /* in force then: what it was read under, and is judged by */
    struct span transaction;        /* of the transfer: counted once */
    struct span step;               /* of the transfer's provenance, or absent */
    struct span body_json;          /* members for log and answer */
    struct span asked_json;         /* members that name whose data they were, as the caller does */
    struct span personal_json;      /* members that are personal, or empty */
};

/* STORE_BLOCK: the entry that set it; one that stands already, just so, stays. STORE_UNBLOCK: the
 * client alone; STATUS_NOT_FOUND when none stands. */
struct store_block {
    struct span client;
    struct span reason; /* code */
    int64_t until;      /* INT64_MAX: until lifted */
};
/* Blocks that stand, of one tenant. */
struct store_block_view {
    struct span client, reason; /* views */
    int64_t until, since;
    uint64_t log_index;
};
struct store_block_page {
    struct store_block_view *items; /* from the arena */
    uint32_t count;
    bool more;
    uint64_t next;
};
/* One for each client, in an order that stays. Looks at LIMIT_BLOCKS clients at
 * most: a page may be short, even empty, and have more. */
struct store_block_query {
    struct span tenant;
    uint64_t from; /* 0, or the next of the page before */
    uint32_t limit;
};
MUST_CHECK enum status store_blocks(struct store_reader *reader,
                                    const struct store_block_query *query, struct arena *arena,
                                    struct store_block_page *out);

#endif
