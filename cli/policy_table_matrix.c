/* The matrix: of each consent of the table, every purpose with every permission of the pack is
 * asked for; what the table does not list as permitted must be denied. So nothing that a pack opens
 * goes unseen. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "cli/policy_table_ask.h"

/* One row of "matrix", or what stands for it when a consent has none. */
struct row {
    struct table *t;
    struct policy_pack *pack;
    struct table_question question;
    json_t *permits; /* purpose -> permissions; NULL: nothing */
    json_t *beside;  /* permissions that are asked for as well */
};

static bool is_listed(const struct row *row, struct span purpose, struct span permission) {
    json_t *list = json_object_getn(row->permits, purpose.data, purpose.size);
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (span_is(permission, json_string_value(json_array_get(list, i)))) {
            return true;
        }
    }
    return false;
}

static json_t *request_for(const struct row *row, struct span purpose, struct span permission) {
    json_t *request = json_deep_copy(row->question.request);
    json_t *edits = json_object();
    json_t *permissions = row->beside != NULL ? json_copy(row->beside) : json_array();
    json_array_append_new(permissions, json_stringn(permission.data, permission.size));
    json_object_set_new(edits, "/action/properties/purpose",
                        json_stringn(purpose.data, purpose.size));
    json_object_set_new(edits, "/resource/properties/permissions", permissions);
    json_t *out = table_edited(row->t, request, edits);
    json_decref(request);
    json_decref(edits);
    return out;
}

static void run_pair(struct row *row, struct span purpose, struct span permission) {
    struct table *t = row->t;
    struct table_ask ask = {.pack = NULL};
    struct table_question question = row->question;
    question.request = request_for(row, purpose, permission);
    bool listed = is_listed(row, purpose, permission);
    if (!t->wrong && table_decide(t, &question, &ask)) {
        t->cases++;
        if (ask.decision.permitted) {
            table_cover_permit(t, &ask);
        }
        if (ask.decision.permitted != listed) {
            table_fail(t, "%.*s for %.*s: expected %s", SPAN_ARG(permission), SPAN_ARG(purpose),
                       listed ? "a permit but was denied" : "a denial but was permitted");
        }
    }
    table_ask_release(&ask);
    json_decref(question.request);
}

/* Every code that permits names is one of the pack: a misspelt one would permit nothing. */
static void check_permits(struct row *row) {
    const char *purpose;
    json_t *list;
    json_object_foreach(row->permits, purpose, list) {
        struct table_texts codes = table_texts(row->t, &row->t->arena, row->permits, purpose);
        if (policy_pack_purpose_find(row->pack, span_of_text(purpose)) < 0) {
            table_wrong(row->t, "the pack has no purpose \"%s\"", purpose);
        }
        for (uint32_t i = 0; i < codes.count && !row->t->wrong; i++) {
            if (policy_pack_permission_find(row->pack, codes.items[i]) < 0) {
                table_wrong(row->t, "the pack has no permission \"%.*s\"",
                            SPAN_ARG(codes.items[i]));
            }
        }
    }
}

static void run_row(struct row *row) {
    const struct policy_pack *pack = row->pack;
    check_permits(row);
    for (uint32_t i = 0; i < policy_pack_purpose_count(pack); i++) {
        for (uint32_t j = 0; j < policy_pack_permission_count(pack) && !row->t->wrong; j++) {
            run_pair(row, policy_pack_purpose(pack, i)->code,
                     policy_pack_permission(pack, j)->code);
        }
    }
}

/* The row of a consent; json is NULL for one that the matrix does not name. */
static void read_and_run(struct table *t, json_t *json, json_t *consent) {
    static const char *const known[] = {"name", "consent", "set",     "variant",
                                        "now",  "beside",  "permits", NULL};
    json_t *request = table_object(t, consent, "request");
    struct row row = {.t = t};
    if (!table_known(t, json, known)) {
        return;
    }
    if (request == NULL) {
        request = table_object(t, t->root, "request");
    }
    row.pack = table_pack(t, table_text(t, json, "variant"));
    row.permits = table_object(t, json, "permits");
    row.beside = table_array(t, json, "beside");
    row.question = (struct table_question){
        .consent = consent,
        .request = table_edited(t, request, table_object(t, json, "set")),
        .variant = table_text(t, json, "variant"),
        .now = table_time(t, json, "now", t->now),
    };
    if (!t->wrong) {
        run_row(&row);
    }
    json_decref(row.question.request);
}

static bool has_row(json_t *matrix, const char *consent) {
    for (size_t i = 0; i < json_array_size(matrix); i++) {
        const char *named =
            json_string_value(json_object_get(json_array_get(matrix, i), "consent"));
        if (named != NULL && strcmp(named, consent) == 0) {
            return true;
        }
    }
    return false;
}

void table_run_matrix(struct table *t) {
    json_t *consents = table_object(t, t->root, "consents");
    json_t *matrix = table_array(t, t->root, "matrix"), *consent;
    const char *name;
    for (size_t i = 0; i < json_array_size(matrix) && !t->wrong; i++) {
        json_t *json = json_array_get(matrix, i);
        struct span named = table_text(t, json, "consent");
        struct span title = table_text(t, json, "name");
        snprintf(t->where, sizeof t->where, "matrix/%zu \"%.*s\" (%.*s)", i, SPAN_ARG(title),
                 SPAN_ARG(named));
        consent = json_object_getn(consents, named.data, named.size);
        if (consent == NULL) {
            table_wrong(t, "there is no consent \"%.*s\"", SPAN_ARG(named));
        } else {
            read_and_run(t, json, consent);
        }
    }
    json_object_foreach(consents, name, consent) {
        snprintf(t->where, sizeof t->where, "matrix (%s)", name);
        if (!t->wrong && !has_row(matrix, name)) {
            read_and_run(t, NULL, consent);
        }
    }
    t->where[0] = '\0';
}
