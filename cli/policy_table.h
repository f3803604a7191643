/* A case table of a pack (docs/packs.md, Case tables) and its run: what stands in the file is read
 * strictly, each case is judged by the functions that the service calls, each failure is one line,
 * and what no case covers is one too.
 *
 * Threads: one. Spans and JSON live as long as the table. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_POLICY_TABLE_H
#define CLI_POLICY_TABLE_H

#include <jansson.h>

#include "base/mem.h"
#include "policy/clause.h"
#include "policy/decision.h"

#define TABLE_LICENSES_MAX 257 /* those of a pack, and one column for none of them */

struct table_variant {
    struct table_variant *next;
    const char *name;
    struct policy_pack *pack;
};

struct table {
    const char *command, *path;
    json_t *root, *pack_json;
    json_t *none; /* an empty list */
    struct policy_pack *base;
    struct table_variant *variants; /* loaded so far */
    struct arena arena;
    int64_t now;
    char where[192]; /* the case at hand, for sentences */
    bool wrong;      /* the table itself is: said, and nothing more is run */
    uint32_t cases, failed;
    /* coverage: columns are licences of base, the last is none */
    uint32_t refused[CLAUSE_COUNT][TABLE_LICENSES_MAX], admitted[TABLE_LICENSES_MAX];
    uint32_t denied[DENIAL_COUNT][TABLE_LICENSES_MAX], permitted[TABLE_LICENSES_MAX];
    uint64_t purposes_permitted, permissions_permitted;
    uint32_t *rules_applied; /* of base */
};

/* ---- policy_table.c */
/* Reads the table; base is borrowed, pack_bytes are its JSON. false after a sentence. */
bool table_open(struct table *t, struct policy_pack *base);
void table_close(struct table *t);
/* The pack with a variant's values; NULL after a sentence. Absent name: the pack itself. */
struct policy_pack *table_pack(struct table *t, struct span variant);
/* A copy of a fixture with these members replaced; null removes one. Caller releases it. */
json_t *table_merged(json_t *fixture, json_t *members);
/* Whether a case with "only" is for the fixture of this name. */
bool table_is_for(const json_t *test, const char *fixture);
/* Checks that what "only" and an "expect" by fixture name is there. */
void table_check_names(struct table *t, json_t *test, json_t *fixtures);
/* The list of codes that is expected of a fixture, none when it is to pass. */
typedef bool table_is_code(const char *code);
json_t *table_expected(struct table *t, json_t *test, const char *fixture, table_is_code *is_code);
/* Counts a case; when found is not what was expected, prints why it failed. */
void table_judge(struct table *t, json_t *expected, json_t *found);
/* One line that says what failed. */
void table_fail(struct table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The column of a licence. */
uint32_t table_column(const struct table *t, struct span license);

/* ---- policy_table_read.c: members of the file; each does nothing once the table was wrong */
void table_wrong(struct table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* object is one, or absent, and has no member beside those of the list, which ends with NULL. */
bool table_known(struct table *t, json_t *object, const char *const *known);
json_t *table_object(struct table *t, json_t *object, const char *name); /* NULL when absent */
json_t *table_array(struct table *t, json_t *object, const char *name);  /* NULL when absent */
struct span table_text(struct table *t, json_t *object, const char *name);
bool table_flag(struct table *t, json_t *object, const char *name);
uint32_t table_number(struct table *t, json_t *object, const char *name);
int64_t table_time(struct table *t, json_t *object, const char *name, int64_t otherwise);
bool table_duration(struct table *t, json_t *object, const char *name, struct duration *out);
struct table_texts {
    const struct span *items;
    uint32_t count;
    bool present;
};
struct table_texts table_texts(struct table *t, struct arena *arena, json_t *object,
                               const char *name);
/* A copy of json with the values at the JSON pointers of edits replaced, added or (null) removed;
 * objects on the way are made. Caller releases it with json_decref. */
json_t *table_edited(struct table *t, json_t *json, json_t *edits);

/* ---- what is run */
void table_run_admissions(struct table *t); /* policy_table_admission.c */
void table_run_decisions(struct table *t);  /* policy_table_decision.c */
void table_run_matrix(struct table *t);     /* policy_table_matrix.c */
/* Prints what was covered; each clause that was not is a failure. policy_table_coverage.c */
void table_print_coverage(struct table *t);

#endif
