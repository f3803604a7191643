/* The outbox: withdrawal messages that are owed to applications, each with the token that was
 * invalidated, sealed, until it is delivered or given up. Written in the commit that ends the
 * consent; read and settled by the courier. Delivery is at least once: a message that was sent, and
 * whose settling did not reach the disk, is sent again. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_OUTBOX_H
#define STORE_OUTBOX_H

#include "store/read.h"

/* Values are stored: never renumber. */
enum store_message_state {
    STORE_MESSAGE_NONE = 0, /* it has not ended, or its client knows: it ended it */
    STORE_MESSAGE_WAITING,
    STORE_MESSAGE_SENT,
    STORE_MESSAGE_GIVEN_UP,
    STORE_MESSAGE_OWED /* nobody gave the token: it is the tenant's business. Not stored */
};
/* Of this consent, as it is or as of the entry that ended it. */
enum store_message_state store_message_state(struct store_reader *reader,
                                             const struct store_consent *consent);

struct store_message {
    uint64_t consent; /* creation index */
    struct span tenant, client;
    struct span token; /* NUL-terminated; absent when it cannot be opened. The reader of the message
                          wipes it */
    int64_t queued_at;
    uint32_t attempts; /* so far */
};
/* A row of the queue; all zero is before the first. */
struct store_outbox_place {
    int64_t due;
    uint64_t consent;
};
struct store_outbox {
    struct store_message *items; /* due, and wanted; all in the arena */
    uint32_t count;
    uint64_t waiting; /* messages in all, from where it began; at most LIMIT_WALK are counted */
    int64_t oldest;   /* when the oldest of them was queued; INT64_MAX: none */
    int64_t next_due; /* of those that are not due; INT64_MAX: none */
    bool more;        /* behind LIMIT_WALK of them further ones are due, from `next` on */
    struct store_outbox_place next;
};
struct store_outbox_ask {
    struct store_outbox_place from;
    uint32_t limit;
    /* Asked about each message that is due, before its token is opened. */
    bool (*want)(void *context, const struct store_message *message);
    void *context;
};
/* What is due now and wanted, the longest due first. */
MUST_CHECK enum status store_outbox_read(struct store_reader *reader,
                                         const struct store_outbox_ask *ask, struct arena *arena,
                                         struct store_outbox *out);

#define STORE_DELIVERIES_MAX 16 /* in one change */
/* What came of a message, for STORE_DELIVER; spans in the change's arena. */
struct store_delivery {
    uint64_t consent;
    enum store_message_state state; /* WAITING: again when it is due */
    int64_t due;                    /* of WAITING */
    struct span endpoint;           /* where it went, or absent */
    int http;                       /* status of the last answer; 0: there was none */
    struct span cause;              /* of GIVEN_UP: one sentence of ours */
};

#endif
