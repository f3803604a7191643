/* What a change does, inside the write transaction. Private to store/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_GRANTING_H
#define STORE_GRANTING_H

#include "store/consent.h"
#include "store/ending.h"

enum status change_create(struct write *w, struct store_change *change);
enum status change_grant(struct write *w, struct store_change *change);
enum status change_renew(struct write *w, struct store_change *change);
enum status change_end(struct write *w, struct store_change *change);
enum status change_end_many(struct write *w, struct store_change *change);
enum status change_tokens(struct write *w, struct store_change *change);
enum status change_proofs(struct write *w, struct store_change *change);
enum status change_step(struct write *w, struct store_change *change);
enum status change_decide(struct write *w, struct store_change *change);
enum status change_disclose(struct write *w, struct store_change *change);
enum status change_block(struct write *w, struct store_change *change);
enum status change_unblock(struct write *w, struct store_change *change);
enum status change_look(struct write *w, struct store_change *change);
enum status change_read_permission(struct write *w, struct store_change *change);
enum status change_revoke_token(struct write *w, struct store_change *change);
enum status change_message(struct write *w, struct store_change *change);
/* The consent a change names, as the caller may see it, with the actor's role; checks If-Match. */
enum status change_target(struct write *w, struct store_change *change, struct store_consent *out,
                          enum store_role *role);
enum status change_match(const struct store_change *change, const struct store_consent *consent);
void token_append(struct write *w, struct store_consent *consent, const struct store_token *token,
                  const struct actor *actor);
/* Ends the consent, which was saved, when its client has revoked one of these tokens before they
 * were known. */
void tokens_apply_revocations(struct write *w, struct store_consent *consent,
                              const struct store_token *tokens, uint32_t count);
void change_explain(struct store_change *change, const char *detail);

#define OVERLAPS_MAX 256 /* active consents of one account that one grant may replace */

/* One grant under way: a create, a grant or a renewal. */
struct granting {
    struct store_change *change;
    const struct store_draft *draft;
    struct actor actor;
    struct store_consent consent;   /* being made */
    struct store_consent *overlaps; /* active consents it supersedes, in creation order, scratch */
    uint32_t overlap_count;
    bool renewal; /* keeps the arrangement it has */
};

/* ---- draft.c: what the draft says becomes a header and index rows */
/* Everything the draft says; identity, state and entries are the caller's. */
void draft_fill(struct write *w, struct granting *g);
void draft_index(struct write *w, const struct granting *g);
void draft_index_new(struct write *w, const struct store_consent *consent);
/* By another consent of the tenant. */
bool draft_external_id_taken(struct write *w, const struct granting *g);

/* ---- overlap.c: at most one active consent per tenant, provider, account, client, licence, onward
 * recipient and overlapping resources */
/* Finds the active consents that the new one supersedes. */
MUST_CHECK enum status overlap_find(struct write *w, struct granting *g);
/* One more that is superseded: the renewed consent, which need not overlap. */
void overlap_add(struct write *w, struct granting *g, const struct store_consent *other);
/* Joins the earliest of the arrangements it takes over; a renewal keeps its own. */
void overlap_join(struct write *w, struct granting *g);
void overlap_supersede(struct write *w, struct granting *g);

/* ---- idempotency.c */
/* True when the change's key was used before: then *status is the answer. */
bool idempotency_recall(struct write *w, struct store_change *change, enum status *status);
void idempotency_remember(struct write *w, const struct store_change *change);
/* Drops whole days that nobody may ask for any more, at most `limit` rows. */
void idempotency_sweep(struct write *w, uint32_t limit);

#endif
