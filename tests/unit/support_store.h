/* A store in a temporary directory for unit tests, with a clock that stands still until it is
 * moved, and short ways to write drafts. One fixture per test. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_SUPPORT_STORE_H
#define TESTS_UNIT_SUPPORT_STORE_H

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "store/event.h"

#define T0 "2026-03-12T10:00:00Z"
#define TENANT "https://directory.example/member/edp-1"
#define OTHER_TENANT "https://directory.example/member/edp-2"
#define APP "https://directory.example/application/cap-1"
#define OTHER_APP "https://directory.example/application/cap-2"

struct fixture {
    char directory[64];
    struct clock clock;
    struct policy_pack *pack;
    struct store *store;
    struct store_reader *reader;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    unsigned wakes;
    bool failed;
    const struct policy_pack *activated; /* last, as the writer told it */
    unsigned activations;
    unsigned queued; /* messages, as the writer told it */
    uint64_t fed;    /* whom commits concerned, as the writer told it */
    uint64_t map_size;
};

#define PERSEUS "https://registry.core.trust.ib1.org/scheme/perseus/license/"
#define CONSUMPTION PERSEUS "energy-consumption-edp-cap/2026-03-12"
#define EMISSIONS PERSEUS "emissions-cap-fsp/2026-03-12"
#define DAY_MS INT64_C(86400000)

static void fixture_wake(void *context, unsigned loop) {
    struct fixture *f = context;
    (void)loop;
    pthread_mutex_lock(&f->lock);
    f->wakes++;
    pthread_cond_signal(&f->woken);
    pthread_mutex_unlock(&f->lock);
}

static void fixture_failed(void *context) {
    ((struct fixture *)context)->failed = true;
}

/* On the writer; whoever activates waits for it. */
static void fixture_activated(void *context, const struct policy_pack *pack) {
    struct fixture *f = context;
    f->activated = pack;
    f->activations++;
}

/* On the writer, before the answers of its commit. */
static void fixture_committed(void *context, uint64_t fed) {
    ((struct fixture *)context)->fed |= fed;
}

static void fixture_queued(void *context) {
    ((struct fixture *)context)->queued++;
}

static enum status fixture_try_open(struct fixture *f, bool create, char why[256]) {
    struct store_options options = {.directory = f->directory,
                                    .origin = "example.com/log",
                                    .create = create,
                                    .clock_confirmed = true,
                                    .map_size = f->map_size,
                                    .loops = 1,
                                    .clock = &f->clock,
                                    .wake = fixture_wake,
                                    .failed = fixture_failed,
                                    .committed = fixture_committed,
                                    .queued = fixture_queued,
                                    .activated = fixture_activated,
                                    .context = f};
    return store_open(&options, &f->store, why, 256);
}

static void fixture_open(struct fixture *f, bool create) {
    char why[256] = "";
    if (fixture_try_open(f, create, why) != STATUS_OK)
        fail_msg("store_open: %s", why);
    assert_int_equal(store_pack_activate(f->store, f->pack), STATUS_OK);
    assert_int_equal(store_reader_open(f->store, &f->reader), STATUS_OK);
}

static void fixture_close(struct fixture *f) {
    store_reader_close(f->reader);
    store_close(f->store);
    f->reader = NULL;
    f->store = NULL;
}

/* The default pack: the tests run in the top folder. */
static struct policy_pack *load_pack(void) {
    struct policy_error error;
    struct policy_pack *pack = NULL;
    struct buffer json = {0};
    FILE *file = fopen("policy/packs/perseus-2026-03-12.json", "rb");
    assert_non_null(file);
    size_t got;
    while ((got = fread(buffer_reserve(&json, 4096), 1, 4096, file)) > 0)
        json.size += got;
    fclose(file);
    if (policy_pack_load(buffer_span(&json), &pack, &error) != STATUS_OK)
        fail_msg("pack: %s: %s", error.pointer, error.detail);
    buffer_release(&json);
    return pack;
}

static int fixture_setup(void **state) {
    struct fixture *f = mem_alloc_zeroed(1, sizeof *f);
    snprintf(f->directory, sizeof f->directory, "/tmp/consentd-test-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    assert_int_equal(clock_init_injected(&f->clock, SPAN(T0 "x0")), STATUS_OK);
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->woken, NULL);
    log_set_level(LOG_ERROR + 1);
    f->pack = load_pack();
    f->map_size = 1ULL << 30;
    fixture_open(f, true);
    *state = f;
    return 0;
}

static void remove_tree(const char *path) {
    DIR *dir = opendir(path);
    struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char child[512];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
        if (unlink(child) != 0)
            remove_tree(child);
    }
    if (dir != NULL)
        closedir(dir);
    rmdir(path);
}

static int fixture_teardown(void **state) {
    struct fixture *f = *state;
    if (f->store != NULL)
        fixture_close(f);
    policy_pack_free(f->pack);
    remove_tree(f->directory);
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->woken);
    mem_free(f);
    return 0;
}

/* Moves the clock; it stands still in between. */
static void fixture_set_time(struct fixture *f, const char *time) {
    int64_t now;
    assert_int_equal(timestamp_parse(span_of_text(time), &now), STATUS_OK);
    f->clock.start_ms = now;
}

/* Submits and waits for the answer. The caller frees the change. */
static enum status fixture_run(struct fixture *f, struct store_change *change) {
    assert_int_equal(store_submit(f->store, 0, change), STATUS_OK);
    struct store_change *answer;
    pthread_mutex_lock(&f->lock);
    while ((answer = store_take(f->store, 0)) == NULL)
        pthread_cond_wait(&f->woken, &f->lock);
    pthread_mutex_unlock(&f->lock);
    assert_ptr_equal(answer, change);
    assert_null(answer->next);
    return answer->done.status;
}

static struct span keep(struct store_change *change, const char *text) {
    return arena_copy(&change->arena, span_of_text(text));
}

static struct store_change *new_change(struct fixture *f, enum store_op op, const char *tenant) {
    struct store_change *change = store_change_new();
    change->op = op;
    change->tenant = change->actor = keep(change, tenant);
    change->pack = f->pack;
    return change;
}

/* A whole draft under the consumption licence, for 30 days. */
static void fill_draft(struct fixture *f, struct store_change *change, const char *client,
                       const char *account) {
    struct store_draft *d = &change->draft;
    struct span *purposes = arena_array(&change->arena, 1, sizeof *purposes);
    struct policy_permission_ask *permissions = arena_array(&change->arena, 1, sizeof *permissions);
    purposes[0] = SPAN("estimate-emissions");
    permissions[0].code = SPAN("electricity.import.halfhourly");
    d->provider = change->tenant;
    d->client = keep(change, client);
    d->account = keep(change, account);
    d->data_available_from = INT64_MIN;
    d->ask = (struct policy_admission){
        .license = SPAN(CONSUMPTION),
        .purposes = purposes,
        .purpose_count = 1,
        .permissions = permissions,
        .permission_count = 1,
        .granted = true,
        .granted_at = store_time_ms(f->store),
        .expires = store_time_ms(f->store) + 30 * DAY_MS,
        .data_from = INT64_MIN,
        .data_to = INT64_MIN,
        .asserted_by_client = true,
        .notice = {.shown_at = INT64_MIN},
    };
    d->terms_json = SPAN("\"expires\":\"x\"");
    d->grant_json = SPAN("\"method\":\"assertedByClient\"");
    d->account_json = arena_format(&change->arena, "\"account\":\"%s\"", account);
    d->grant_private_json = SPAN("\"ip\":\"192.0.2.1\"");
}

/* A consent as a snapshot shows it, without its tail. */
static struct store_consent look(struct fixture *f, uint64_t index) {
    struct store_consent c;
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_int_equal(store_consent_by_index(f->reader, index, &c), STATUS_OK);
    store_read_end(f->reader);
    c.tail = SPAN_NONE;
    return c;
}

/* Creates an active consent. */
static struct store_consent create(struct fixture *f, const char *client, const char *account) {
    struct store_change *change = new_change(f, STORE_CREATE, TENANT);
    fill_draft(f, change, client, account);
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    uint64_t index = change->done.consent;
    store_change_free(change);
    return look(f, index);
}

static enum status end_consent(struct fixture *f, const struct uuid *id, const char *code,
                               enum consent_state leads_to) {
    struct store_change *change = new_change(f, STORE_END, TENANT);
    change->id = *id;
    change->reason.code = keep(change, code);
    change->reason.leads_to = leads_to;
    enum status status = fixture_run(f, change);
    store_change_free(change);
    return status;
}

#endif
