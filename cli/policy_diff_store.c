/* What a new pack would break of a store: each active consent is asked for every purpose and
 * permission that it holds. The store is read in short snapshots beside the running service; one
 * that is kept would keep freed pages from being used again. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>

#include "cli/options.h"
#include "cli/policy_diff.h"
#include "cli/policy_diff_ask.h"
#include "store/erasure.h"
#include "store/question.h"

#define PAGE 256 /* consents of one snapshot */

/* A clause that denies, and whom. */
struct finding {
    const char *code;
    char clause[96];
    uint64_t consents, last; /* creation index of the last, so that each counts once */
    struct uuid *examples;
    uint32_t example_count;
};

struct survey {
    const struct policy_diff_survey *asked;
    struct store *store;
    /* the new pack's snapshot is begun first: what it shows and is gone from the other was denied
     * before */
    struct store_reader *of_old, *of_new;
    struct arena arena;
    uint64_t active, unusable, broken;
    uint64_t lost[LIMIT_SET][LIMIT_SET]; /* consents, by purpose and permission of the old pack */
    struct finding *findings;
    uint32_t finding_count, finding_room;
};

static struct finding *finding_of(struct survey *s, const char *code, const char *clause) {
    for (uint32_t i = 0; i < s->finding_count; i++) {
        if (strcmp(s->findings[i].code, code) == 0 && strcmp(s->findings[i].clause, clause) == 0) {
            return &s->findings[i];
        }
    }
    if (s->finding_count == s->finding_room) {
        s->finding_room = 2 * s->finding_room + 16;
        s->findings = mem_resize(s->findings, s->finding_room * sizeof *s->findings);
    }
    struct finding *made = &s->findings[s->finding_count++];
    *made = (struct finding){.code = code, .last = STORE_INDEX_NONE};
    snprintf(made->clause, sizeof made->clause, "%s", clause);
    made->examples = arena_array(&s->arena, s->asked->examples + 1, sizeof *made->examples);
    return made;
}

static void note(struct survey *s, const struct store_consent *consent,
                 const struct policy_license *license, const struct policy_decision *decision) {
    for (unsigned i = 0; i < DENIAL_COUNT; i++) {
        struct policy_explanation words;
        if ((decision->denials >> i & 1U) == 0) {
            continue;
        }
        policy_decision_explain(s->asked->new, license, decision, i, &words);
        struct finding *finding = finding_of(s, policy_denial_code(i), words.clause);
        if (finding->last == consent->index) {
            continue;
        }
        finding->last = consent->index;
        finding->consents++;
        if (finding->example_count < s->asked->examples) {
            finding->examples[finding->example_count++] = consent->id;
        }
    }
}

static void ask_all(struct survey *s, const struct store_consent *consent,
                    const struct policy_diff_case *one) {
    bool usable = false, broken = false;
    for (uint64_t p = one->old->purposes; p != 0; p &= p - 1) {
        for (uint64_t m = one->old->permissions; m != 0; m &= m - 1) {
            uint32_t purpose = (uint32_t)__builtin_ctzll(p);
            uint32_t permission = (uint32_t)__builtin_ctzll(m);
            struct policy_decision decision;
            enum policy_diff_outcome outcome = policy_diff_ask(one, purpose, permission, &decision);
            usable |= outcome != DIFF_DENIED_BEFORE;
            if (outcome == DIFF_BROKEN) {
                broken = true;
                s->lost[purpose][permission]++;
                note(s, consent, one->new->license, &decision);
            }
        }
    }
    s->unusable += !usable;
    s->broken += broken;
}

static enum status survey_one(struct survey *s, const struct store_consent *consent) {
    struct policy_consent old, new;
    struct store_consent before;
    char id[UUID_TEXT_SIZE + 1];
    enum status status = store_consent_by_index(s->of_old, consent->index, &before);
    if (status == STATUS_OK) {
        status = store_consent_spread(s->of_old, s->asked->old, &before, &old);
    }
    if (status == STATUS_OK) {
        status = store_consent_spread(s->of_new, s->asked->new, consent, &new);
    }
    if (status != STATUS_OK) {
        return status;
    }
    uuid_to_text(&consent->id, id);
    struct policy_diff_case one = {
        .old_pack = s->asked->old,
        .new_pack = s->asked->new,
        .old = &old,
        .new = &new,
        .client = store_name(s->of_old, STORE_NAME_MEMBER, consent->client),
        .license = store_name(s->of_old, STORE_NAME_LICENSE, consent->license),
        .id = span_of_text(id),
        .now = store_time_ms(s->store),
    };
    s->active++;
    ask_all(s, consent, &one);
    return STATUS_OK;
}

/* Both snapshots are begun. */
static enum status survey_page(struct survey *s, uint64_t *from, bool *more) {
    struct arena arena = {0};
    struct store_page page;
    const struct store_filter active = {
        .everyone = true,
        .states = 1U << CONSENT_ACTIVE,
        .granted_from = INT64_MIN,
        .granted_to = INT64_MAX,
        .expires_before = INT64_MAX,
    };
    enum status status = store_consent_query(s->of_new, &active, *from, PAGE, &arena, &page);
    for (uint32_t i = 0; status == STATUS_OK && i < page.count; i++) {
        status = survey_one(s, &page.items[i]);
    }
    if (status == STATUS_OK) {
        *more = page.more;
        *from = page.next;
    }
    arena_release(&arena);
    return status;
}

static enum status survey_all(struct survey *s) {
    uint64_t from = 0;
    bool more = true;
    enum status status = STATUS_OK;
    while (more && status == STATUS_OK) {
        status = store_read_begin(s->of_new);
        if (status != STATUS_OK) {
            return status;
        }
        status = store_read_begin(s->of_old);
        if (status == STATUS_OK) {
            status = survey_page(s, &from, &more);
            store_read_end(s->of_old);
        }
        store_read_end(s->of_new);
    }
    return status;
}

/* ---- the report */

static int by_consents(const void *a, const void *b) {
    const struct finding *x = a, *y = b;
    if (x->consents != y->consents) {
        return x->consents > y->consents ? -1 : 1;
    }
    int codes = strcmp(x->code, y->code);
    return codes != 0 ? codes : strcmp(x->clause, y->clause);
}

static void print_findings(struct survey *s) {
    qsort(s->findings, s->finding_count, sizeof *s->findings, by_consents);
    printf("consents that a clause denies\n");
    for (uint32_t i = 0; i < s->finding_count; i++) {
        const struct finding *finding = &s->findings[i];
        printf("%10llu  %s %s\n", (unsigned long long)finding->consents, finding->code,
               finding->clause);
        for (uint32_t j = 0; j < finding->example_count; j++) {
            char id[UUID_TEXT_SIZE + 1];
            uuid_to_text(&finding->examples[j], id);
            printf("            %s\n", id);
        }
    }
}

static void print_lost(const struct survey *s) {
    const struct policy_pack *old = s->asked->old;
    printf("consents that lose a permission for a purpose, in whole or in part\n");
    for (uint32_t p = 0; p < policy_pack_purpose_count(old); p++) {
        for (uint32_t m = 0; m < policy_pack_permission_count(old); m++) {
            if (s->lost[p][m] != 0) {
                printf("%10llu  %.*s for %.*s\n", (unsigned long long)s->lost[p][m],
                       SPAN_ARG(policy_pack_permission(old, m)->code),
                       SPAN_ARG(policy_pack_purpose(old, p)->code));
            }
        }
    }
}

static void report(struct survey *s) {
    printf("active consents       %10llu\n", (unsigned long long)s->active);
    printf("unusable before       %10llu\n", (unsigned long long)s->unusable);
    printf("broken                %10llu\n", (unsigned long long)s->broken);
    if (s->broken != 0) {
        print_findings(s);
        print_lost(s);
    }
}

/* ---- room for the new pack's codes: a store numbers those of all packs that were ever in force */

static uint32_t numbered(struct survey *s, enum store_name_kind kind) {
    uint32_t count = 0;
    while (count < LIMIT_SET && span_present(store_name(s->of_new, kind, count))) {
        count++;
    }
    return count;
}

static bool fits(uint32_t codes, const char *kind) {
    if (codes > LIMIT_SET) {
        printf("does not fit          %10u  %s over all packs, %u at most\n", codes, kind,
               LIMIT_SET);
    }
    return codes <= LIMIT_SET;
}

/* Tells what the store could not take; all of it. */
static enum status check_room(struct survey *s, bool *room) {
    const struct policy_pack *new = s->asked->new;
    enum status status = store_read_begin(s->of_new);
    if (status != STATUS_OK) {
        return status;
    }
    uint32_t purposes = numbered(s, STORE_NAME_PURPOSE);
    uint32_t permissions = numbered(s, STORE_NAME_PERMISSION);
    for (uint32_t i = 0; i < policy_pack_purpose_count(new); i++) {
        purposes += store_name_find(s->of_new, STORE_NAME_PURPOSE,
                                    policy_pack_purpose(new, i)->code) == STORE_NAME_NONE;
    }
    for (uint32_t i = 0; i < policy_pack_permission_count(new); i++) {
        permissions += store_name_find(s->of_new, STORE_NAME_PERMISSION,
                                       policy_pack_permission(new, i)->code) == STORE_NAME_NONE;
    }
    store_read_end(s->of_new);
    *room = fits(purposes, "purposes");
    *room &= fits(permissions, "permissions");
    return STATUS_OK;
}

/* ---- what retention would take: it does not come back */

static enum status count_ended(struct survey *s, const struct policy_pack *pack, uint64_t *count) {
    const struct policy_settings *settings = policy_pack_settings(pack);
    struct store_ended_place place = {.done = !settings->has_erase_after};
    enum status status = STATUS_OK;
    *count = 0;
    while (!place.done && status == STATUS_OK) {
        status = store_read_begin(s->of_new);
        if (status != STATUS_OK) {
            return status;
        }
        status = store_ended_count(s->of_new, settings->erase_after, &place, count);
        store_read_end(s->of_new);
    }
    return status;
}

/* Tells how many would be erased as soon as the new pack is in force, and are kept by the old. */
static enum status check_retention(struct survey *s, bool *kept) {
    uint64_t by_old, by_new;
    enum status status = count_ended(s, s->asked->old, &by_old);
    if (status == STATUS_OK) {
        status = count_ended(s, s->asked->new, &by_new);
    }
    if (status == STATUS_OK && by_new > by_old) {
        *kept = false;
        printf("erased at once        %10llu  consents that ended longer ago than eraseAfter\n",
               (unsigned long long)(by_new - by_old));
    }
    return status;
}

static enum cli_exit run(struct survey *s) {
    bool room = true, kept = true;
    char why[512];
    const struct store_options options = {.directory = s->asked->directory,
                                          .clock = s->asked->clock};
    if (store_open_read_only(&options, &s->store, why, sizeof why) != STATUS_OK) {
        cli_complain(POLICY_DIFF, "%s", why);
        return CLI_FAILED;
    }
    enum status status = store_reader_open(s->store, &s->of_old);
    if (status == STATUS_OK) {
        status = store_reader_open(s->store, &s->of_new);
    }
    if (status == STATUS_OK) {
        status = survey_all(s);
    }
    if (status == STATUS_OK) {
        report(s);
        status = check_room(s, &room);
    }
    if (status == STATUS_OK) {
        status = check_retention(s, &kept);
    }
    if (status != STATUS_OK) {
        cli_complain(POLICY_DIFF, "%s: %s", s->asked->directory, status_title(status));
    }
    return status == STATUS_OK && s->broken == 0 && room && kept ? CLI_OK : CLI_FAILED;
}

enum cli_exit policy_diff_survey(const struct policy_diff_survey *asked) {
    struct survey *s = mem_alloc_zeroed(1, sizeof *s);
    s->asked = asked;
    enum cli_exit ended = run(s);
    store_reader_close(s->of_old);
    store_reader_close(s->of_new);
    store_close(s->store);
    mem_free(s->findings);
    arena_release(&s->arena);
    mem_free(s);
    return ended;
}
