/* One entry of a log with what opens it: a line of events.ndjson or of GET /v1/audit/events. Pure,
 * but for the fault. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_AUDIT_ENTRY_H
#define CLI_AUDIT_ENTRY_H

#include "cli/audit.h"
#include "tlog/leaf.h"

#define AUDIT_NO_INDEX UINT64_MAX

/* Spans are views into the line. */
struct audit_entry {
    uint64_t index;
    unsigned char leaf[TLOG_LEAF_SIZE];
    struct span payload, personal; /* the bytes committed to; absent when erased or never there */
    bool has_personal;             /* the payload commits to a personal part */
    /* of the payload, when it is there: */
    struct span type, consent, tenant, client, body;
    struct span arrangement; /* the consent's own id where the payload does not say another */
    struct span proof;       /* of an answer to GET /v1/audit/events/{index} */
    int64_t at;
    uint64_t seq, prev, tenant_seq, tenant_prev; /* 0 and AUDIT_NO_INDEX when absent */
};

/* Reads a line, where that of entry `expected` is due, and opens its leaf: the payload is what the
 * leaf commits to, the personal part what the payload commits to, and line, payload and leaf say
 * the same of the entry. A line that is the problem of a service that failed makes the fault
 * AUDIT_UNAVAILABLE. */
bool audit_entry_read(struct span line, uint64_t expected, struct audit_entry *out,
                      struct audit_fault *fault);

#endif
