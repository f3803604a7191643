/* Erasing inside the write transaction. Private to store/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_ERASING_H
#define STORE_ERASING_H

#include "store/entry.h"
#include "store/erasure.h"

/* What is erased together: a consent's entries, or those about an account that found no consent. */
struct target {
    bool of_account;
    struct store_consent consent;
    struct mac16 account;   /* key of the account */
    enum store_erased part; /* to go now; STORE_KEPT: none */
    uint64_t next, end;     /* entries that are left: from next on, before end */
    int64_t due;            /* of the whole, when that is later; INT64_MIN: not */
    bool touched;           /* an entry of it goes with this commit */
};

/* An erasure under way in one commit. */
struct erasing {
    struct write *w;
    struct actor actor;
    uint32_t tenant;
    enum store_ground ground;
    struct span request_id; /* empty: nobody has asked, the pack's eraseAfter says so */
    uint64_t *indexes;      /* entries that go, LIMIT_BULK at most, in w->scratch */
    uint32_t count;         /* of one notice … */
    uint32_t left;          /* … and what this commit may still take */
    uint32_t looks;         /* and look at */
    bool leaves_rest;       /* targets that it has no room for stay as they are */
    uint64_t notice;        /* the last one's entry, or STORE_INDEX_NONE */
};

enum status change_erase(struct write *w, struct store_change *change);
enum status change_hold(struct write *w, struct store_change *change);
enum status change_release(struct write *w, struct store_change *change);
/* Does the first of what was scheduled and is due, or goes on with it. Returns whether there may be
 * more. */
bool erasure_sweep(struct write *w);
/* erase_ended.c: erases what ended so long ago that the pack in force wants it gone. Returns
 * whether there may be more. */
bool retention_sweep(struct write *w);

/* ---- erase_part.c */
struct erasing erase_start(struct write *w, uint32_t tenant, struct actor actor);
/* Erases that part of the targets that are to lose it now; moves their `next` along. */
void erase_part(struct erasing *e, enum store_erased part, struct target *targets, uint32_t count);
const char *erase_ground_name(enum store_ground ground);
/* Whether, for this ground, the personal part does not wait for retention. */
bool erase_at_once(enum store_ground ground);

/* ---- erase_due.c */
/* To be gone on with at a time. What has begun comes before all that waits, so that it never has
 * the key of an erasure that does. */
#define ERASE_NEXT INT64_MIN
void erase_put_order(struct erasing *e, const struct target *target, enum store_erased part,
                     int64_t due);
/* The same from the start, once retention allows it. */
void erase_let_wait(struct erasing *e, const struct target *target, enum store_erased part,
                    int64_t due);
/* The key of what a consent waits for; false when for nothing. */
bool erase_waiting_for(struct write *w, uint64_t consent, struct key *row);
void erase_forget(struct write *w, uint64_t consent, const struct key *row);
/* The consent ended so long ago that it is to go, and waits for the hold that was set there. */
void erase_keep_held(struct write *w, const struct store_consent *consent, uint64_t hold);
/* The hold that was set there does not stand any more: what waits for it goes on with the sweep. */
void erase_free_held(struct write *w, uint64_t hold);

/* ---- by_end: when consents ended, of those that a pack's eraseAfter may come to */
void erase_ended_put(struct write *w, const struct store_consent *consent);
void erase_ended_drop(struct write *w, const struct store_consent *consent);

/* ---- hold.c */
/* Whether the consent, or its account, is held; by the entry *hold, unless that is NULL. */
bool hold_stands(struct write *w, const struct store_consent *consent, uint64_t *hold);
bool hold_stands_on_account(struct write *w, uint32_t tenant, const struct mac16 *account);

/* ---- erase_rows.c: what goes with an entry, and with a consent */
/* Whether anything of the entry is there that this erasure takes. Notices and holds stay. */
bool erase_concerns(struct write *w, enum store_erased part, uint64_t index);
/* Its personal part, or all but the leaf; and what other tables know from it. */
void erase_entry(struct write *w, enum store_erased part, uint64_t index);
/* The header becomes a tombstone, or only tells that its personal parts are gone. */
void erase_consent(struct write *w, enum store_erased part, struct store_consent *consent);

#endif
