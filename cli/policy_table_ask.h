/* One question of a table as policy_decide takes it: a consent of the table and a request in
 * AuthZEN's shape. Keyed digests are made under a key of zeros: a table keeps nothing secret.
 *
 * Threads: one. Everything lives in the arena given. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_POLICY_TABLE_ASK_H
#define CLI_POLICY_TABLE_ASK_H

#include "cli/policy_table.h"

#define TABLE_ONWARD_UNKNOWN UINT32_MAX /* a recipient that the consent does not name */

struct table_ask {
    struct arena arena;
    const struct policy_pack *pack;
    int64_t now;
    struct policy_consent consent;
    struct policy_request request;
    struct policy_decision decision;
};

/* The consent in json as of this pack; false when the table is wrong. policy_table_consent.c */
bool table_consent_read(struct table *t, struct table_ask *ask, json_t *json);
/* The request in json, of the consent read before when has_consent. policy_table_request.c */
bool table_request_read(struct table *t, struct table_ask *ask, json_t *json, bool has_consent);
struct mac16 table_mac(struct span text);

/* Which question of the table: of which fixture, edited how. policy_table_decision.c */
struct table_question {
    json_t *consent; /* NULL: there is none */
    json_t *request;
    struct span variant;
    int64_t now;
    bool blocked;
};
/* Reads and decides; false when the table is wrong. Release the ask in any case. */
bool table_decide(struct table *t, const struct table_question *question, struct table_ask *ask);
void table_ask_release(struct table_ask *ask);
/* Counts a permit, with what it leaves open, for the coverage. */
void table_cover_permit(struct table *t, const struct table_ask *ask);

#endif
