/* Asks the URLs that are due, all at a time, and puts what they say in force. The lock is held
 * while sources and set are looked at or changed, never while somebody is asked. */
// SPDX-License-Identifier: Apache-2.0
#include "service/keyring.h"

#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "service/courier.h"
#include "service/kept_keys.h"
#include "store/store.h"

struct keyring {
    struct service *service;
    struct courier *courier;
    pthread_mutex_t lock;
    struct auth_keys *keys; /* in force; those of source i are of its issuer i */
    struct key_source *sources;
    uint32_t source_count;
    struct arena arena; /* texts of the sources */
    int64_t cooldown_us;
    char *kept;  /* the directory of what is kept */
    bool began;  /* the first turn is over; the courier's, as the next */
    bool unkept; /* the last could not be */
    _Atomic(uint64_t) outcomes[KEY_OUTCOMES];
};

/* One source being asked, with copies of what may change meanwhile. */
struct visit {
    uint32_t index;
    struct key_source source;
    char url[KEY_METADATA_URL_MAX];
    char condition[160]; /* If-None-Match */
    const char *headers[3];
    struct fetch fetch;
    const char *why; /* set: it has failed */
    bool done;       /* nothing more to ask */
    bool good;       /* what came is in force */
};
struct visits {
    struct visit *items;
    uint32_t count;
    struct arena arena;
};

/* ---- putting in force */

static void free_keys(void *keys) {
    auth_keys_free(keys);
}

/* Under the lock. */
static void publish(struct keyring *keyring, struct auth_keys *keys) {
    struct auth_keys *old = keyring->keys;
    keyring->keys = keys;
    atomic_store(&keyring->service->api.keys, keys);
    if (old != NULL)
        retired_add(keyring->service, old, free_keys);
}

static void describe(const struct config_issuer *config, struct arena *arena,
                     struct key_source *out) {
    *out = (struct key_source){
        .issuer = arena_copy(arena, config->token.issuer),
        .url = arena_copy(arena, config->keys_url).data,
        .ca_file =
            config->ca_file != NULL ? arena_copy(arena, span_of_text(config->ca_file)).data : NULL,
        .discovery = config->discovery,
        .insecure_http = config->insecure_http,
        .allow_rs256 = config->token.allow_rs256,
    };
}

/* What is known of the same source stays known, keys and all. */
static void recall(const struct keyring *keyring, struct key_source *source, struct auth_keys *keys,
                   uint32_t index) {
    for (uint32_t i = 0; i < keyring->source_count; i++) {
        const struct key_source *old = &keyring->sources[i];
        if (!key_source_equal(old, source) || !key_source_remote(source))
            continue;
        struct key_source described = *source;
        *source = *old;
        source->issuer = described.issuer; /* texts of this arena */
        source->url = described.url;
        source->ca_file = described.ca_file;
        if (old->known)
            auth_keys_inherit(keys, index, keyring->keys);
    }
}

/* What was kept of a source that nothing is known of. The set with it: `keys`, which nobody reads
 * yet, or another in its place. */
static struct auth_keys *adopt_kept(const struct keyring *keyring, struct key_source *source,
                                    struct auth_keys *keys, uint32_t index) {
    struct buffer set = {0};
    struct auth_renewal renewal;
    struct auth_keys *renewed;
    int64_t time_s, now_s = store_time_ms(keyring->service->store) / 1000;
    if (key_source_remote(source) && !source->known &&
        kept_keys_read(keyring->kept, source, now_s, &set, &time_s) &&
        auth_keys_renew(keys, index, buffer_span(&set), &renewed, &renewal) == STATUS_OK) {
        auth_keys_confirm(renewed, index, time_s);
        source->known = true;
        source->digest = digest_sha256(buffer_span(&set));
        auth_keys_free(keys);
        keys = renewed;
        log_event(LOG_INFO, "keys.kept", LOG_SPAN("issuer", source->issuer),
                  LOG_INT("keys", renewal.used), LOG_INT("age_s", now_s - time_s));
    }
    buffer_release(&set);
    return keys;
}

void keyring_put(struct keyring *keyring, const struct config *config, struct auth_keys *keys) {
    struct arena arena = {0};
    struct key_source *sources = mem_alloc_zeroed(config->issuer_count, sizeof *sources);
    pthread_mutex_lock(&keyring->lock);
    for (uint32_t i = 0; i < config->issuer_count; i++) {
        describe(&config->issuers[i], &arena, &sources[i]);
        recall(keyring, &sources[i], keys, i);
        keys = adopt_kept(keyring, &sources[i], keys, i);
    }
    mem_free(keyring->sources);
    arena_release(&keyring->arena);
    keyring->sources = sources;
    keyring->source_count = config->issuer_count;
    keyring->arena = arena;
    keyring->cooldown_us = (int64_t)config->keys_cooldown_seconds * 1000000;
    publish(keyring, keys);
    pthread_mutex_unlock(&keyring->lock);
    if (keyring->courier != NULL)
        courier_wake(keyring->courier);
}

/* ---- asking */

/* Copies of the sources that are due, or of all. */
static struct visits choose(struct keyring *keyring, bool all) {
    struct visits visits = {.items = NULL};
    int64_t now_us = service_now_us();
    pthread_mutex_lock(&keyring->lock);
    visits.items = mem_alloc_zeroed(keyring->source_count, sizeof *visits.items);
    for (uint32_t i = 0; i < keyring->source_count; i++) {
        struct key_source *source = &keyring->sources[i];
        source->wanted |= auth_keys_take_wanted(keyring->keys, i);
        if (!key_source_remote(source) ||
            (!all && key_source_due(source, keyring->cooldown_us) > now_us))
            continue;
        struct visit *visit = &visits.items[visits.count++];
        visit->index = i;
        visit->source = *source;
        visit->source.issuer = arena_copy(&visits.arena, source->issuer);
        visit->source.url = arena_copy(&visits.arena, span_of_text(source->url)).data;
        visit->source.ca_file = arena_copy(&visits.arena, span_of_text(source->ca_file)).data;
        visit->fetch.ca_file = visit->source.ca_file;
        visit->fetch.answer_max = KEY_SET_MAX;
        visit->fetch.url = visit->url;
        visit->fetch.headers = visit->headers;
    }
    pthread_mutex_unlock(&keyring->lock);
    return visits;
}

static void release(struct visits *visits) {
    for (uint32_t i = 0; i < visits->count; i++)
        buffer_release(&visits->items[i].fetch.answer);
    mem_free(visits->items);
    arena_release(&visits->arena);
}

/* All that still have something to ask. */
static void ask(struct keyring *keyring, struct visits *visits) {
    struct fetch *batch[FETCHES_MAX];
    unsigned size = 0;
    for (uint32_t i = 0; i <= visits->count; i++) {
        if (size == FETCHES_MAX || (i == visits->count && size != 0)) {
            courier_fetch(keyring->courier, batch, size);
            size = 0;
        }
        if (i < visits->count && !visits->items[i].done)
            batch[size++] = &visits->items[i].fetch;
    }
}

static void seek_metadata(struct visit *visit, bool second) {
    visit->headers[0] = "Accept: application/json";
    key_source_metadata_url(&visit->source, second, visit->url);
}

static void seek_keys(struct visit *visit, struct span url) {
    visit->headers[0] = "Accept: application/jwk-set+json, application/json";
    snprintf(visit->url, sizeof visit->url, "%.*s", SPAN_ARG(url));
    if (visit->source.known && visit->source.etag[0] != '\0') {
        snprintf(visit->condition, sizeof visit->condition, "If-None-Match: %s",
                 visit->source.etag);
        visit->headers[1] = visit->condition;
    }
}

/* The metadata have come, or not. */
static void read_metadata(struct visit *visit, struct arena *arena) {
    struct span uri;
    visit->done = true;
    if (visit->fetch.status != 200) {
        visit->why = visit->fetch.status == 0 ? visit->fetch.failure
                                              : "its metadata have another status than 200";
    } else if (auth_metadata_read(buffer_span(&visit->fetch.answer), visit->source.issuer, arena,
                                  &uri, &visit->why) == STATUS_OK) {
        visit->done = !key_url_allowed(uri, visit->source.insecure_http);
        visit->why = visit->done ? "the jwks_uri of its metadata may not be asked" : NULL;
        if (!visit->done)
            seek_keys(visit, uri);
    }
}

/* Metadata first, at either of their places, where they are to tell the URL. */
static void discover(struct keyring *keyring, struct visits *visits) {
    bool any = false;
    for (uint32_t i = 0; i < visits->count; i++) {
        struct visit *visit = &visits->items[i];
        visit->done = !visit->source.discovery;
        any = any || !visit->done;
        if (!visit->done)
            seek_metadata(visit, false);
    }
    if (!any)
        return;
    ask(keyring, visits);
    for (uint32_t i = 0; i < visits->count; i++) {
        struct visit *visit = &visits->items[i];
        if (visit->done)
            continue;
        visit->done = visit->fetch.status != 404;
        if (!visit->done)
            seek_metadata(visit, true);
    }
    ask(keyring, visits);
    for (uint32_t i = 0; i < visits->count; i++)
        if (visits->items[i].source.discovery)
            read_metadata(&visits->items[i], &visits->arena);
}

static void ask_for_keys(struct keyring *keyring, struct visits *visits) {
    discover(keyring, visits);
    for (uint32_t i = 0; i < visits->count; i++) {
        struct visit *visit = &visits->items[i];
        if (visit->source.discovery)
            continue;
        visit->done = false;
        seek_keys(visit, span_of_text(visit->source.url));
    }
    ask(keyring, visits);
}

/* ---- taking what came */

/* Once when it begins, not at each try. */
static void report_failure(const struct key_source *source, const struct visit *visit) {
    if (source->failures == 1)
        log_event(LOG_WARN, "keys.not_renewed", LOG_SPAN("issuer", source->issuer),
                  LOG_INT("status", visit->fetch.status), LOG_TEXT("why", visit->why));
}

/* Under the lock. */
static enum key_outcome take(struct keyring *keyring, struct visit *visit,
                             struct auth_renewal *renewal) {
    struct auth_keys *renewed;
    enum key_outcome outcome = KEY_FAILED;
    if (visit->why == NULL)
        outcome = key_source_judge(&visit->source, &visit->fetch, &visit->why);
    if (outcome == KEY_CHANGED) {
        if (auth_keys_renew(keyring->keys, visit->index, buffer_span(&visit->fetch.answer),
                            &renewed, renewal) == STATUS_OK) {
            publish(keyring, renewed);
        } else {
            visit->why = "it is no JWK set with a key that can verify tokens";
            outcome = KEY_FAILED;
        }
    }
    if (outcome != KEY_FAILED)
        auth_keys_confirm(keyring->keys, visit->index,
                          store_time_ms(keyring->service->store) / 1000);
    return outcome;
}

/* Nothing when a reload has taken the source away meanwhile; it may stand elsewhere now. */
static void settle(struct keyring *keyring, struct visit *visit) {
    struct key_source *source = NULL;
    for (uint32_t i = 0; i < keyring->source_count && source == NULL; i++)
        if (key_source_equal(&keyring->sources[i], &visit->source)) {
            source = &keyring->sources[i];
            visit->index = i;
        }
    if (source == NULL)
        return;
    struct auth_renewal renewal = {0};
    struct auth_issuer_state state;
    bool failing = source->failures != 0;
    enum key_outcome outcome = take(keyring, visit, &renewal);
    key_source_settle(source, outcome, &visit->fetch, service_now_us());
    atomic_fetch_add(&keyring->outcomes[outcome], 1);
    visit->good = outcome != KEY_FAILED;
    if (outcome == KEY_FAILED)
        report_failure(source, visit);
    else if ((outcome == KEY_CHANGED || failing) &&
             auth_keys_state(keyring->keys, visit->index, &state))
        log_event(LOG_INFO, "keys.renewed", LOG_SPAN("issuer", source->issuer),
                  LOG_INT("keys", state.key_count), LOG_INT("left_out", renewal.left_out));
}

/* What is in force is kept for the next start, without the lock: a disk may be slow. Of a set that
 * its server did not send again, and of which nothing is kept either, the whole is asked for. */
static void keep(struct keyring *keyring, const struct visit *visit) {
    bool came = visit->fetch.status == 200;
    struct span set = came ? buffer_span(&visit->fetch.answer) : SPAN_NONE;
    bool kept = kept_keys_write(keyring->kept, &visit->source, set,
                                store_time_ms(keyring->service->store) / 1000);
    if (!kept && !keyring->unkept)
        log_event(LOG_WARN, "keys.not_kept", LOG_SPAN("issuer", visit->source.issuer),
                  LOG_TEXT("why", strerror(errno)));
    keyring->unkept = !kept;
    if (kept || came)
        return;
    pthread_mutex_lock(&keyring->lock);
    for (uint32_t i = 0; i < keyring->source_count; i++)
        if (key_source_equal(&keyring->sources[i], &visit->source))
            keyring->sources[i].etag[0] = '\0';
    pthread_mutex_unlock(&keyring->lock);
}

/* Whether every URL's keys are known, so that the start need not wait for what it says now. */
static bool is_known(struct keyring *keyring) {
    bool known = true;
    pthread_mutex_lock(&keyring->lock);
    for (uint32_t i = 0; i < keyring->source_count; i++)
        known = known && (keyring->sources[i].known || !key_source_remote(&keyring->sources[i]));
    pthread_mutex_unlock(&keyring->lock);
    return known;
}

static int64_t next_due(struct keyring *keyring) {
    int64_t due_us = INT64_MAX;
    pthread_mutex_lock(&keyring->lock);
    for (uint32_t i = 0; i < keyring->source_count; i++) {
        const struct key_source *source = &keyring->sources[i];
        int64_t one_us = key_source_due(source, keyring->cooldown_us);
        if (key_source_remote(source) && one_us < due_us)
            due_us = one_us;
    }
    pthread_mutex_unlock(&keyring->lock);
    return due_us;
}

static int64_t run(void *context, bool hurried) {
    struct keyring *keyring = context;
    bool first = !keyring->began;
    keyring->began = true;
    if (first && is_known(keyring))
        return service_now_us();
    retired_collect(keyring->service);
    struct visits visits = choose(keyring, hurried);
    if (visits.count != 0)
        ask_for_keys(keyring, &visits);
    pthread_mutex_lock(&keyring->lock);
    for (uint32_t i = 0; i < visits.count && !courier_stopping(keyring->courier); i++)
        settle(keyring, &visits.items[i]);
    pthread_mutex_unlock(&keyring->lock);
    for (uint32_t i = 0; i < visits.count; i++)
        if (visits.items[i].good)
            keep(keyring, &visits.items[i]);
    release(&visits);
    return next_due(keyring);
}

/* ---- life */

struct keyring *keyring_new(struct service *service) {
    struct keyring *keyring = mem_alloc_zeroed(1, sizeof *keyring);
    struct buffer path = {0};
    buffer_append_format(&path, "%s/issuers", service->settings->config->data.data);
    keyring->service = service;
    keyring->kept = mem_copy_text(buffer_span(&path));
    buffer_release(&path);
    int code = pthread_mutex_init(&keyring->lock, NULL);
    ASSERT(code == 0);
    return keyring;
}

void keyring_free(struct keyring *keyring) {
    if (keyring == NULL)
        return;
    auth_keys_free(keyring->keys);
    mem_free(keyring->sources);
    arena_release(&keyring->arena);
    mem_free(keyring->kept);
    pthread_mutex_destroy(&keyring->lock);
    mem_free(keyring);
}

void keyring_join(struct keyring *keyring, struct courier *courier) {
    keyring->courier = courier;
    courier_add(courier, (struct courier_job){run, keyring, .awaited = true});
}

uint64_t keyring_count(const struct keyring *keyring, enum key_outcome outcome) {
    return atomic_load(&keyring->outcomes[outcome]);
}
