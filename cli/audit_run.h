/* One look at a log from its first entry, or from a checkpoint that was believed, to its present
 * one: the tree, and beside it the lines that open its leaves. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_AUDIT_RUN_H
#define CLI_AUDIT_RUN_H

#include "cli/audit_cosigned.h"
#include "cli/audit_history.h"
#include "cli/audit_tree.h"
#include "cli/progress.h"

/* What a log has signed about the numbers of one tenant. */
struct audit_tenant {
    struct span name;       /* absent: all tenants are looked at */
    struct buffer text;     /* the name as payloads have it */
    uint64_t size, number;  /* the head: of so many entries, so many are about it */
    uint64_t seen, seen_at; /* the last number within that size, and its index */
};

struct audit_run {
    struct audit_source *source;
    const struct audit_keys *keys;
    const struct audit_witnesses *witnesses;
    bool openings;
    struct audit_tenant tenant;
    struct audit_tree tree;
    struct audit_history history;
    struct progress progress;
    struct buffer checkpoint;       /* as it was signed */
    struct audit_cosigned cosigned; /* where witnesses are demanded */
    struct audit_entry line;        /* read ahead */
    bool has_line, lines_end;
    uint64_t opened;
    struct audit_fault fault;
};

/* All return false when run->fault is set. */

/* Reads the signed head of run->tenant.name. Before the checkpoint. */
bool audit_run_head(struct audit_run *run);
/* Reads the checkpoint, goes on to it, and says what can be said of all that was read by then;
 * where witnesses are demanded, also that what they are shown is how this log began. Whether a
 * quorum has cosigned that is for the caller to judge. Can be called again while it returns true:
 * the log may have grown since. */
bool audit_run_look(struct audit_run *run);
void audit_run_release(struct audit_run *run);

#endif
