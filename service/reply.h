/* What a witness answered, judged: nothing it says is believed but what its key has signed over our
 * checkpoint. Pure. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_REPLY_H
#define SERVICE_REPLY_H

#include "service/fetch.h"
#include "tlog/vkey.h"

enum reply_kind {
    REPLY_COSIGNED,    /* line */
    REPLY_OTHER_SIZE,  /* it cosigned the tree of `size` last */
    REPLY_REFUSED,     /* 403, 404, 422 or another status: it knows the log otherwise */
    REPLY_INVALID,     /* an answer that is none, or without its cosignature */
    REPLY_UNREACHABLE, /* no answer */
};
#define REPLY_KINDS (REPLY_UNREACHABLE + 1)

struct reply {
    enum reply_kind kind;
    struct span line; /* a view of the answer, with its newline */
    uint64_t size;
};

/* Judges the answer to a request for key's cosignature over the text of a checkpoint. */
struct reply reply_judge(const struct fetch *fetch, struct span text, const struct tlog_vkey *key);
/* A word for labels and log lines. */
const char *reply_kind_name(enum reply_kind kind);

#endif
