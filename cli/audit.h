/* What the auditor's commands share: how a check ends, and whom they believe. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_AUDIT_H
#define CLI_AUDIT_H

#include "base/mem.h"
#include "cli/command.h"
#include "tlog/checkpoint.h"

enum audit_result {
    AUDIT_GOOD,
    AUDIT_BAD,         /* the log, or who serves it, is not honest */
    AUDIT_UNAVAILABLE, /* nothing is known about that */
};
/* What is wrong: the first thing that was found. Checks return false when they have set it. */
struct audit_fault {
    enum audit_result result;
    char text[512];
};
bool audit_bad(struct audit_fault *fault, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The text begins with "entry INDEX: ". */
bool audit_bad_entry(struct audit_fault *fault, uint64_t index, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool audit_unavailable(struct audit_fault *fault, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Tells it: "bad, TEXT" on stdout, or a sentence on stderr; returns how the command ends. */
enum cli_exit audit_tell(const char *command, const struct audit_fault *fault);

#define AUDIT_KEYS_MAX 8
struct audit_keys {
    struct buffer text; /* what the keys borrow from */
    struct tlog_vkey keys[AUDIT_KEYS_MAX];
    struct tlog_trust trust; /* of the log's checkpoints */
};
/* From a verifier key, or a file with one a line; all of one log. False after a sentence. */
bool audit_keys_read(const char *command, struct span option, struct audit_keys *out);
void audit_keys_release(struct audit_keys *keys);

/* A checkpoint that the keys believe; `name` is where it came from. */
bool audit_checkpoint_check(const struct audit_keys *keys, struct span bytes, const char *name,
                            struct tlog_head *head, struct audit_fault *fault);

#endif
