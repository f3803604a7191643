/* Questions about consents: which ones they are about, found by index and read in place, and which
 * of them answers (docs/decisions.md). The writer asks for recorded decisions inside its
 * transaction (invariant 4), loops for all others. Threads: as the transactions it is given. */
// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"
#include "store/consent.h"
#include "store/decider.h"
#include "store/pending.h"
#include "store/walk.h"

struct mac16 store_account_key(const struct store *store, struct span tenant, struct span account) {
    return account_key(store, tenant, account);
}

struct mac16 store_resource_key(const struct store *store, struct span tenant,
                                struct span resource) {
    return resource_mac(store, tenant, resource);
}

enum status store_question_rekey(struct store_reader *reader, struct arena *arena,
                                 struct store_question *question) {
    ASSERT(reader->open);
    struct store_consent c;
    struct policy_request *ask = &question->ask;
    if (question->about != STORE_ABOUT_CONSENT || ask->resource_count == 0 ||
        question->resource_ids == NULL)
        return STATUS_OK;
    enum status status = consent_find(&reader->txn, &question->consent, &c);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    struct span tenant = store_name(reader, STORE_NAME_MEMBER, c.tenant);
    if (span_equal(tenant, question->tenant))
        return STATUS_OK;
    struct mac16 *keys = arena_array(arena, ask->resource_count, sizeof *keys);
    for (uint32_t i = 0; i < ask->resource_count; i++)
        keys[i] = resource_mac(reader->store, tenant, question->resource_ids[i]);
    ask->resources = keys;
    return reader->txn.status;
}

/* ---- numbers: the pack's codes got theirs when it was activated, and keep them */

static void number_codes(const struct vantage *from, const struct policy_pack *pack) {
    struct decider *d = from->decider;
    memset(d->purposes, -1, sizeof d->purposes);
    memset(d->permissions, -1, sizeof d->permissions);
    for (uint32_t i = 0; i < policy_pack_purpose_count(pack); i++) {
        uint32_t n = name_find(from->txn, STORE_NAME_PURPOSE, policy_pack_purpose(pack, i)->code);
        if (n < LIMIT_SET)
            d->purposes[n] = (int8_t)i;
    }
    for (uint32_t i = 0; i < policy_pack_permission_count(pack); i++) {
        uint32_t n =
            name_find(from->txn, STORE_NAME_PERMISSION, policy_pack_permission(pack, i)->code);
        if (n < LIMIT_SET)
            d->permissions[n] = (int8_t)i;
    }
    for (uint32_t i = 0; i < policy_pack_license_count(pack); i++)
        d->licenses[i] =
            name_find(from->txn, STORE_NAME_LICENSE, policy_pack_license(pack, i)->url);
    d->numbered = pack;
    d->pack = *policy_pack_digest(pack);
}

static void use_pack(const struct vantage *from, const struct policy_pack *pack) {
    const struct decider *d = from->decider;
    if (d->numbered != pack || !digest_equal(&d->pack, policy_pack_digest(pack)))
        number_codes(from, pack);
}

static const struct policy_license *license_of(const struct decider *d, uint32_t number) {
    for (uint32_t i = 0; i < policy_pack_license_count(d->numbered); i++)
        if (d->licenses[i] == number)
            return policy_pack_license(d->numbered, i);
    return NULL;
}

static uint64_t in_pack(const int8_t positions[LIMIT_SET], uint64_t numbers) {
    uint64_t bits = 0;
    for (; numbers != 0; numbers &= numbers - 1) {
        int at = positions[__builtin_ctzll(numbers)];
        bits |= at >= 0 ? UINT64_C(1) << at : 0;
    }
    return bits;
}

/* ---- one consent, spread out for the policy */

/* What a consent depends on, followed as far as it leads: a member is active that is not about to
 * end with what it depends on itself. Neither the sweep nor the rest of a cascade is waited for. A
 * chain may be long, or lead in a circle: its end is taken as recorded. */
struct links {
    const struct vantage *from;
    unsigned deep, looked_at;
};

static bool group_active(struct links *links, const struct store_group *group);

static bool all_active(struct links *links, const struct record_tail *tail) {
    bool active = true;
    links->deep++;
    for (uint32_t i = 0; i < tail->group_count && active; i++)
        active = group_active(links, &tail->groups[i]);
    links->deep--;
    return active;
}

static bool member_active(struct links *links, const struct store_member *member) {
    const struct vantage *from = links->from;
    struct store_consent head;
    struct record_tail tail;
    if (member->external)
        return member->expires > from->now &&
               !external_withdrawn(from->txn, &member->token_digest,
                                   from->past ? from->log_index : STORE_INDEX_NONE, NULL);
    if (++links->looked_at > LIMIT_LINKED)
        return false;
    enum status status =
        from->past ? consent_head_then(from->txn, &member->arrangement, from->log_index, &head)
                   : consent_head_now(from->txn, &member->arrangement, from->now, &head);
    if (status != STATUS_OK)
        return false;
    consent_judge(&head, from->now);
    if (head.status != CONSENT_ACTIVE || !head.dependent || links->deep == LIMIT_LINKS)
        return head.status == CONSENT_ACTIVE;
    return record_tail_decode(head.tail, &tail) == STATUS_OK && all_active(links, &tail);
}

static bool group_active(struct links *links, const struct store_group *group) {
    bool active = false;
    for (uint32_t i = 0; i < group->member_count && !active; i++)
        active = member_active(links, &group->members[i]);
    return active;
}

static bool linked_ended(const struct vantage *from, const struct record_tail *tail) {
    struct links links = {.from = from};
    return !all_active(&links, tail);
}

static void spread_tail(struct decider *d, struct policy_consent *out) {
    const struct record_tail *tail = &d->tail;
    for (uint32_t i = 0; i < tail->permission_count; i++)
        d->grains[i] = (struct policy_grain){
            .permission = d->permissions[tail->permissions[i].bit],
            .has_granularity = tail->permissions[i].has_granularity,
            .granularity = tail->permissions[i].granularity,
            .resources = tail->permissions[i].resources,
            .resource_count = tail->permissions[i].resource_count,
        };
    out->grains = d->grains;
    out->grain_count = tail->permission_count;
    out->onward = tail->onward;
    out->onward_count = tail->onward_count;
}

static struct span principal_name(enum store_principal principal) {
    static const char *const names[] = {"unknown", "company", "soleTrader", "individual"};
    return span_of_text(names[principal]);
}

/* What only rules look at. */
static void spread_words(const struct vantage *from, const struct store_consent *c,
                         struct policy_consent *out) {
    struct decider *d = from->decider;
    out->license_url = name_text(from->txn, STORE_NAME_LICENSE, c->license);
    out->tenant = name_text(from->txn, STORE_NAME_MEMBER, c->tenant);
    out->provider = name_text(from->txn, STORE_NAME_MEMBER, c->provider);
    out->client = name_text(from->txn, STORE_NAME_MEMBER, c->client);
    out->principal = principal_name(c->principal);
    for (uint32_t i = 0; i < out->onward_count; i++)
        d->onward_urls[i] = name_text(from->txn, STORE_NAME_MEMBER, out->onward[i]);
    out->onward_urls = d->onward_urls;
}

/* *c is rewound to the moment and judged by its time. */
static enum status spread(const struct vantage *from, struct store_consent *c,
                          struct policy_consent *out) {
    struct decider *d = from->decider;
    enum status status = from->past ? consent_rewind(from->txn, from->log_index, c) : STATUS_OK;
    if (status == STATUS_OK)
        status = record_tail_decode(c->tail, &d->tail);
    if (status != STATUS_OK)
        return status;
    consent_judge(c, from->now);
    *out = (struct policy_consent){
        .status = c->status,
        .license = license_of(d, c->license),
        .purposes = in_pack(d->purposes, c->purposes),
        .permissions = in_pack(d->permissions, c->permissions),
        .granted_at = c->granted_at,
        .expires = c->expires,
        .data_from = c->data_from,
        .data_to = c->data_to,
        .max_uses = c->max_uses,
        .uses = c->max_uses != 0 ? use_count(from, c) : 0,
        .linked_ended = linked_ended(from, &d->tail),
    };
    spread_tail(d, out);
    if (policy_pack_reads_consent(d->numbered))
        spread_words(from, c, out);
    return STATUS_OK;
}

/* ---- which consent answers */

struct asking {
    const struct vantage *from;
    const struct store_question *question;
    struct policy_request ask; /* with what the store adds */
    uint32_t tenant, client, viewer_client;
    struct store_ruling *best;
    bool any;
};

static bool better(const struct store_ruling *a, const struct store_ruling *b) {
    const struct store_consent *x = &a->consent, *y = &b->consent;
    if (a->decision.permitted != b->decision.permitted)
        return a->decision.permitted;
    if (!a->decision.permitted) {
        int fewer =
            __builtin_popcount(a->decision.denials) - __builtin_popcount(b->decision.denials);
        return fewer != 0 ? fewer < 0 : x->index > y->index;
    }
    if (x->expires != y->expires)
        return x->expires > y->expires;
    return x->granted_at != y->granted_at ? x->granted_at > y->granted_at : x->index > y->index;
}

/* What one purpose alone denies is denied; the first cause under a code stands. */
static void add_decision(struct policy_decision *to, const struct policy_decision *more) {
    for (unsigned d = 0; d < DENIAL_COUNT; d++)
        if ((more->denials & ~to->denials & 1U << d) != 0)
            to->causes[d] = more->causes[d];
    to->denials |= more->denials;
    to->purposes |= more->purposes;
    to->permitted = to->denials == 0;
}

static void judge(const struct asking *a, const struct policy_consent *consent,
                  struct policy_decision *out) {
    const struct policy_pack *pack = a->from->decider->numbered;
    policy_decide(pack, consent, &a->ask, a->from->now, out);
    for (uint32_t i = 0; i < a->question->more_purpose_count; i++) {
        struct policy_request ask = a->ask;
        struct policy_decision decision;
        ask.purpose = a->question->more_purposes[i];
        policy_decide(pack, consent, &ask, a->from->now, &decision);
        add_decision(out, &decision);
    }
}

static enum status consider(struct asking *a, const struct store_consent *consent) {
    struct store_ruling ruling = {.has_consent = true, .consent = *consent};
    struct policy_consent spread_out;
    enum status status = spread(a->from, &ruling.consent, &spread_out);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK; /* it came later than the moment that is asked about */
    if (status != STATUS_OK)
        return status;
    if (a->question->about == STORE_ABOUT_ACCOUNT && !ruling.consent.has_account)
        return STATUS_OK; /* the grant, later, told whose it is */
    spread_out.wrong_client = consent->client != a->client;
    ruling.license = spread_out.license;
    judge(a, &spread_out, &ruling.decision);
    if (!a->any || better(&ruling, a->best))
        *a->best = ruling;
    a->any = true;
    return STATUS_OK;
}

static bool may_ask(const struct asking *a, const struct store_consent *c) {
    if (c->tenant == a->tenant)
        return true;
    return c->client == a->viewer_client && a->viewer_client == a->client &&
           a->client != STORE_NAME_NONE;
}

static enum status by_consent(struct asking *a) {
    struct store_consent c;
    enum status status = consent_find(a->from->txn, &a->question->consent, &c);
    if (status == STATUS_NOT_FOUND || (status == STATUS_OK && !may_ask(a, &c)))
        return STATUS_OK;
    if (status != STATUS_OK)
        return status;
    if (c.tenant != a->tenant) /* its client asks: the stop-list is that of its tenant */
        a->ask.blocked = block_holds(a->from, c.tenant, a->client);
    return consider(a, &c);
}

/* The consents of other clients of the account are not walked over. */
static enum status by_account(struct asking *a) {
    struct walk walk;
    enum status status = STATUS_OK;
    if (a->client == STORE_NAME_NONE)
        return STATUS_OK;
    struct key key = key_account(&a->question->account, a->client);
    walk_open(a->from->txn, DB_BY_ACCOUNT, key, 0, &walk);
    for (; walk.live && status == STATUS_OK; walk_next(&walk)) {
        struct store_consent c;
        status = consent_load(a->from->txn, walk.number, &c);
        if (status == STATUS_OK)
            status = consider(a, &c);
    }
    walk_close(&walk);
    return status != STATUS_OK ? status : a->from->txn->status;
}

enum status decider_rule(const struct vantage *from, const struct policy_pack *pack,
                         const struct store_question *question, struct store_ruling *out) {
    struct store_ruling best = {.has_consent = false};
    struct asking a = {
        .from = from,
        .question = question,
        .ask = question->ask,
        .tenant = name_find_member(from->names, from->txn, question->tenant),
        .client = name_find_member(from->names, from->txn, question->client),
        .viewer_client = name_find_member(from->names, from->txn, question->viewer_client),
        .best = &best,
    };
    use_pack(from, pack);
    if (question->ask.has_onward)
        a.ask.onward = name_find(from->txn, STORE_NAME_MEMBER, question->onward);
    a.ask.blocked = block_holds(from, a.tenant, a.client);
    enum status status = question->about == STORE_ABOUT_CONSENT   ? by_consent(&a)
                         : question->about == STORE_ABOUT_ACCOUNT ? by_account(&a)
                                                                  : STATUS_OK;
    if (status == STATUS_OK)
        status = from->txn->status;
    if (status != STATUS_OK)
        return status;
    if (!a.any)
        judge(&a, NULL, &best.decision);
    *out = best;
    return STATUS_OK;
}

static struct vantage present(struct store_reader *reader) {
    ASSERT(reader->open);
    return (struct vantage){.store = reader->store,
                            .txn = &reader->txn,
                            .decider = &reader->decider,
                            .names = &reader->names,
                            .now = reader->now};
}

enum status store_decide(struct store_reader *reader, const struct policy_pack *pack,
                         const struct store_question *question, struct store_ruling *out) {
    const struct vantage here = present(reader);
    return decider_rule(&here, pack, question, out);
}

enum status store_consent_spread(struct store_reader *reader, const struct policy_pack *pack,
                                 const struct store_consent *consent, struct policy_consent *out) {
    const struct vantage here = present(reader);
    struct store_consent c = *consent;
    use_pack(&here, pack);
    enum status status = spread(&here, &c, out);
    return status == STATUS_OK ? reader->txn.status : status;
}

enum status store_decide_as_of(struct store_reader *reader, const struct policy_pack *pack,
                               const struct store_question *question,
                               const struct store_moment *moment, struct store_ruling *out) {
    ASSERT(reader->open && moment->position > 0);
    const struct vantage then = {.store = reader->store,
                                 .txn = &reader->txn,
                                 .decider = &reader->decider,
                                 .names = &reader->names,
                                 .now = moment->time,
                                 .past = true,
                                 .log_index = moment->position - 1};
    return decider_rule(&then, pack, question, out);
}
