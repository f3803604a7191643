/* Which witnesses an auditor demands, and the checkpoint that a log shows to those who demand some
 * (C2SP tlog-cosignature): it must be cosigned by a quorum of them, and the log that is looked at
 * must be what its tree has grown into. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_AUDIT_COSIGNED_H
#define CLI_AUDIT_COSIGNED_H

#include "cli/audit_source.h"
#include "cli/options.h"

struct audit_witnesses {
    struct cli_values given; /* --witness: a verifier key, or a file with some, one a line */
    struct span number, age; /* --quorum, --cosigned-within; may be absent */
    struct arena arena;      /* what the keys borrow from */
    struct tlog_vkey keys[CLI_VALUES_MAX];
    size_t count;      /* 0: none are demanded */
    size_t quorum;     /* how many of them; 1 at least where there are some */
    int64_t within_ms; /* how old their cosignatures may be; 0: of any age */
};
/* Reads what the command line gave. No witness twice, by key or by name; without a number, all of
 * them are the quorum; without an age, it is otherwise_s. False after a sentence. */
bool audit_witnesses_read(const char *command, int64_t otherwise_s, struct audit_witnesses *out);
void audit_witnesses_release(struct audit_witnesses *witnesses);

struct audit_cosigned {
    struct buffer bytes; /* as it was signed and cosigned */
    struct tlog_head head;
    size_t count;    /* of the witnesses demanded that have cosigned it */
    int64_t time_ms; /* when a quorum of them had last done so; 0: none has */
};
/* Reads it, before the log's newest: believed by keys, and each line in the name of a demanded
 * witness is its own. A fault otherwise. */
bool audit_cosigned_read(struct audit_source *source, const struct audit_keys *keys,
                         const struct audit_witnesses *witnesses, struct audit_cosigned *out,
                         struct audit_fault *fault);
/* A fault when no quorum has cosigned it. */
bool audit_cosigned_judge(const struct audit_cosigned *cosigned,
                          const struct audit_witnesses *witnesses, struct audit_fault *fault);
/* Whether a quorum has cosigned it not too long ago; a sentence in `text` when none has. */
bool audit_cosigned_fresh(const struct audit_cosigned *cosigned,
                          const struct audit_witnesses *witnesses, int64_t now_ms, char text[128]);
void audit_cosigned_release(struct audit_cosigned *cosigned);

#endif
