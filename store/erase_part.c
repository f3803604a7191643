/* One notice's worth of erasing: the entries are gathered, the notice is written, then they go with
 * what other tables know of them (invariant 2). At most LIMIT_BULK entries, and looks at
 * LIMIT_WALK: what is left is the caller's to go on with. Writer thread only. */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "base/json_out.h"
#include "store/consent.h"
#include "store/erasing.h"
#include "store/walk.h"

static const struct {
    enum store_ground ground;
    const char *name;
    bool at_once;
} grounds[] = {
#define X(name, number, wire, at_once) {STORE_GROUND_##name, wire, at_once},
    STORE_GROUNDS(X)
#undef X
};
#define GROUNDS (sizeof grounds / sizeof *grounds)

enum status store_ground_parse(struct span name, enum store_ground *out) {
    for (size_t i = 0; i < GROUNDS; i++) {
        if (span_is(name, grounds[i].name)) {
            *out = grounds[i].ground;
            return STATUS_OK;
        }
    }
    return STATUS_INVALID_PARAMETER;
}

static size_t ground_at(enum store_ground ground) {
    size_t i = 0;
    while (i < GROUNDS - 1 && grounds[i].ground != ground)
        i++;
    return i;
}

const char *erase_ground_name(enum store_ground ground) {
    return grounds[ground_at(ground)].name;
}

bool erase_at_once(enum store_ground ground) {
    return grounds[ground_at(ground)].at_once;
}

struct erasing erase_start(struct write *w, uint32_t tenant, struct actor actor) {
    return (struct erasing){
        .w = w,
        .actor = actor,
        .tenant = tenant,
        .indexes = arena_array(&w->scratch, LIMIT_BULK, sizeof(uint64_t)),
        .left = LIMIT_BULK,
        .looks = LIMIT_WALK,
        .notice = STORE_INDEX_NONE,
    };
}

/* ---- which entries */

/* Takes the entry if it has something to go; false when there is no room for more. */
static bool take(struct erasing *e, struct target *t, uint64_t index) {
    if (e->left == 0 || e->looks == 0)
        return false;
    e->looks--;
    if (erase_concerns(e->w, t->part, index)) {
        e->indexes[e->count++] = index;
        e->left--;
        t->touched = true;
    }
    t->next = index + 1;
    return true;
}

/* The lower of what two walks stand on. */
static struct walk *lower(struct walk *a, struct walk *b) {
    if (!b->live)
        return a;
    return a->live && a->number < b->number ? a : b;
}

static void gather_consent(struct erasing *e, struct target *t) {
    struct walk history, about, *at;
    const struct store_consent *c = &t->consent;
    bool room = true;
    if (c->created_entry >= t->next)
        room = take(e, t, c->created_entry);
    uint64_t from = t->next;
    walk_open(&e->w->txn, DB_LOG_BY_CONSENT, key_number(c->index), from, &history);
    walk_open(&e->w->txn, DB_ABOUT_CONSENT, key_number(c->index), from, &about);
    for (at = lower(&history, &about); room && at->live && at->number < t->end;
         at = lower(&history, &about)) {
        room = take(e, t, at->number);
        if (room)
            walk_next(at);
    }
    walk_close(&about);
    walk_close(&history);
    if (room)
        t->next = t->end;
}

/* What asked about the account and found no consent. */
static void gather_account(struct erasing *e, struct target *t) {
    struct walk asked;
    bool room = true;
    walk_open(&e->w->txn, DB_LOG_BY_TRANSACTION, key_16(t->account.bytes), t->next, &asked);
    while (room && asked.live && asked.number < t->end) {
        room = take(e, t, asked.number);
        if (room)
            walk_next(&asked);
    }
    walk_close(&asked);
    if (room)
        t->next = t->end;
}

/* ---- the notice, and what it tells */

static int compare_indexes(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void compose(const struct erasing *e, struct json_out *out) {
    json_out_key(out, "indexes");
    json_out_array_begin(out);
    for (uint32_t i = 0; i < e->count; i++)
        json_out_int(out, (int64_t)e->indexes[i]);
    json_out_array_end(out);
    json_out_member(out, "ground", span_of_text(erase_ground_name(e->ground)));
    if (e->request_id.size != 0) {
        json_out_member(out, "requestId", e->request_id);
        return;
    }
    json_out_key(out, "policyDigest");
    json_out_hex(out, e->w->state.pack.bytes, sizeof e->w->state.pack.bytes);
}

/* It names the tenant, and nobody else (no consent, client or account). */
static uint64_t notify(struct erasing *e, enum store_erased part) {
    struct write *w = e->w;
    struct buffer body = {0};
    struct json_out out = json_out_to(&body);
    const struct store_consent about = {.index = STORE_INDEX_NONE,
                                        .tenant = e->tenant,
                                        .provider = e->tenant,
                                        .client = STORE_NAME_NONE,
                                        .license = STORE_NAME_NONE};
    struct span ground = span_of_text(erase_ground_name(e->ground));
    qsort(e->indexes, e->count, sizeof *e->indexes, compare_indexes);
    compose(e, &out);
    struct entry entry = {
        .code = part == STORE_ERASED_WHOLE ? STORE_ERASURE_WHOLE : STORE_ERASURE_PERSONAL,
        .actor = e->actor,
        .consent = &about,
        .previous = STORE_INDEX_NONE,
        .step = {.reason = name_intern(w, STORE_NAME_REASON, ground)},
        .body = buffer_span(&body),
    };
    uint64_t index = entry_append(w, &entry);
    buffer_release(&body);
    return index;
}

void erase_part(struct erasing *e, enum store_erased part, struct target *targets, uint32_t count) {
    e->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (targets[i].part == part && targets[i].of_account)
            gather_account(e, &targets[i]);
        else if (targets[i].part == part)
            gather_consent(e, &targets[i]);
    }
    if (e->count == 0 || e->w->txn.status != STATUS_OK)
        return;
    e->notice = notify(e, part);
    for (uint32_t i = 0; i < e->count; i++)
        erase_entry(e->w, part, e->indexes[i]);
    for (uint32_t i = 0; i < count; i++) {
        struct target *t = &targets[i];
        bool begun = t->touched || (t->next < t->end && !e->leaves_rest);
        if (t->part == part && !t->of_account && begun && t->consent.erased < part)
            erase_consent(e->w, part, &t->consent);
    }
}
