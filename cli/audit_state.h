/* The state file of an auditor: the last checkpoint that was found good, and when it was first
 * seen. Text: "consentctl audit state 1", the time as RFC 3339, perhaps a line "uncosigned SIZE
 * TIME", an empty line, the checkpoint as it was signed. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_AUDIT_STATE_H
#define CLI_AUDIT_STATE_H

#include "cli/audit.h"

struct audit_state {
    bool known; /* there is a file */
    struct tlog_head head;
    int64_t seen; /* Unix ms */
    /* So many entries were seen then, and no quorum of witnesses has cosigned that many since; 0
     * when they have. */
    uint64_t uncosigned;
    int64_t uncosigned_seen;
};

/* Reads it; a file that is not there is none yet. False after a sentence: also for the file of
 * another log, or one that the keys have not signed. */
bool audit_state_read(const char *command, const char *path, const struct audit_keys *keys,
                      struct audit_state *out);
/* Puts a new one in its place, which is on disk when this returns; false after a sentence. The
 * checkpoint is that of state->head. */
bool audit_state_write(const char *command, const char *path, const struct audit_state *state,
                       struct span checkpoint);

#endif
