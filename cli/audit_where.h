/* Which log an auditor's command looks at: the options that say so. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_AUDIT_WHERE_H
#define CLI_AUDIT_WHERE_H

#include "cli/audit_source.h"
#include "cli/options.h"

struct audit_where {
    const char *place; /* URL or DIR */
    bool is_url;
    struct span vkey, token, timeout, tenant, ca_file;
    struct buffer secret; /* the token itself */
    int64_t timeout_s;
};

#define AUDIT_OPTIONS_MAX 16
/* Reads URL|DIR, --vkey, --token, --timeout, --ca-file and `more` options, of which the last has no
 * name; false after a sentence. Flags have been taken. */
bool audit_where_read(const char *command, int argc, char **argv, const struct cli_option *more,
                      struct audit_where *out);
/* Lines begin behind `after`, where it is a URL. Caller closes; NULL after a fault. */
struct audit_source *audit_where_open(const struct audit_where *where, uint64_t after,
                                      struct audit_fault *fault);
void audit_where_release(struct audit_where *where);

#endif
