/* Where an auditor reads a log: a directory that was exported, or the service by its URL. Nothing
 * that is read is believed here; sizes and times are bounded, because who serves it may lie or
 * hang. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_AUDIT_SOURCE_H
#define CLI_AUDIT_SOURCE_H

#include "cli/audit.h"
#include "tlog/tile.h"

#define AUDIT_NO_INDEX UINT64_MAX
#define AUDIT_COSIGNED "checkpoint.cosigned"

struct audit_source {
    const struct audit_source_kind *kind;
    const char *name;   /* as it was asked for */
    bool live;          /* it grows while it is read */
    uint64_t last_line; /* index of the last line that was read, which the reader sets */
};

enum audit_got { AUDIT_GOT, AUDIT_MISSING, AUDIT_FAILED };
struct audit_source_kind {
    /* Appends at most max bytes of a file below the log's root: "checkpoint" (the newest),
     * AUDIT_COSIGNED (the one for those who demand cosignatures), "tile/...". A fault only with
     * AUDIT_FAILED. */
    enum audit_got (*get)(struct audit_source *source, const char *path, size_t max,
                          struct buffer *out, struct audit_fault *fault);
    /* The next line with an entry, a view until the next call; absent when there is none yet. */
    bool (*next_line)(struct audit_source *source, struct span *line, struct audit_fault *fault);
    /* That it has no tile which a tree of this size has not. */
    bool (*check_rest)(struct audit_source *source, uint64_t size, struct audit_fault *fault);
    void (*close)(struct audit_source *source);
};

/* Caller closes with audit_source_close. NULL after a fault. */
struct audit_source *audit_directory_open(const char *path, struct audit_fault *fault);
struct audit_http_options {
    const char *url;
    struct span token;   /* bearer; absent: none */
    struct span tenant;  /* only the lines about it; absent: all */
    uint64_t after;      /* the index that lines begin behind; AUDIT_NO_INDEX: at the first */
    long timeout_s;      /* of one request */
    const char *ca_file; /* PEM: whom alone to trust for its certificate; NULL: the system's */
};
struct audit_source *audit_http_open(const struct audit_http_options *options,
                                     struct audit_fault *fault);
/* The signed head of the tenant of its options (GET /v1/audit/heads), appended. */
bool audit_http_head(struct audit_source *source, struct buffer *out, struct audit_fault *fault);
void audit_source_close(struct audit_source *source);

/* The log's checkpoint, in out, and the head that its keys signed. */
bool audit_source_checkpoint(struct audit_source *source, const struct audit_keys *keys,
                             struct buffer *out, struct tlog_head *head, struct audit_fault *fault);
/* The same of the newest that witnesses have cosigned; where there is none, of the newest. */
bool audit_source_cosigned(struct audit_source *source, const struct audit_keys *keys,
                           struct buffer *out, struct tlog_head *head, struct audit_fault *fault);
/* A tile or bundle, in out: a fault when it is not there. */
bool audit_source_tile(struct audit_source *source, const struct tlog_tile *tile,
                       struct buffer *out, struct audit_fault *fault);

#endif
