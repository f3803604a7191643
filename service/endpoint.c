/* Opening endpoints, and what a reload changes of them. */
// SPDX-License-Identifier: Apache-2.0
#include "service/endpoint.h"

#include <stdio.h>

#include "base/log.h"
#include "service/settings.h"

#define SECONDS_PER_DAY 86400
#define WARNING_DAYS 30
#define BEYOND_LOOPBACK \
    "is not a loopback address, and plain HTTP beyond loopback needs insecureHttp"

/* Where a refusal is written. */
struct refusal {
    char *why;
    size_t size;
};

static enum status refuse(struct refusal refusal, const char *key, struct span address,
                          const char *phrase) {
    return status_refuse(refusal.why, refusal.size, "config: \"%s\": %.*s %s", key,
                         SPAN_ARG(address), phrase);
}

static const char *key_of(const struct endpoint *endpoint) {
    return span_present(endpoint->configured) ? "listeners" : "listen";
}

/* What is written there is read by whoever is on the way. */
static enum status admit_plain(const struct endpoint *endpoint, const struct config *config,
                               struct refusal refusal) {
    const struct listener *listener = &endpoint->listener;
    if (endpoint->kind != LISTENER_PLAIN || listener->loopback)
        return STATUS_OK;
    if (!config->insecure_http)
        return refuse(refusal, key_of(endpoint), span_of_text(listener->address), BEYOND_LOOPBACK);
    log_event(LOG_WARN, "service.insecure_http", LOG_TEXT("address", listener->address),
              LOG_TEXT("warning", "tokens and consents cross this network in clear text"));
    return STATUS_OK;
}

/* `of` is NULL for an address of `listen`. */
static void init(struct endpoint *endpoint, const struct config *config,
                 const struct config_listener *of) {
    struct listener listener = endpoint->listener;
    *endpoint = (struct endpoint){
        .listener = listener,
        .kind = of != NULL ? of->kind : LISTENER_PLAIN,
        .configured = of != NULL ? of->address : SPAN_NONE,
        .place = of != NULL ? (uint32_t)(of - config->listeners) : 0,
    };
    pthread_mutex_init(&endpoint->lock, NULL);
}

static const struct config_listener *configured_at(const struct config *config, const char *text) {
    for (uint32_t i = 0; i < config->listener_count; i++)
        if (span_is(config->listeners[i].address, text))
            return &config->listeners[i];
    return NULL;
}

static enum status inherit(const struct config *config, struct endpoint *endpoints, uint32_t *count,
                           struct refusal refusal) {
    struct listener passed[CONFIG_LISTEN_MAX];
    uint32_t passed_count;
    enum status status =
        listener_inherit(passed, CONFIG_LISTEN_MAX, &passed_count, refusal.why, refusal.size);
    for (uint32_t i = 0; status == STATUS_OK && i < passed_count; i++) {
        struct endpoint *endpoint = &endpoints[(*count)++];
        endpoint->listener = passed[i];
        init(endpoint, config, configured_at(config, passed[i].address));
        status = admit_plain(endpoint, config, refusal);
    }
    return status;
}

static enum status open_one(const struct config *config, struct span address,
                            const struct config_listener *of, struct endpoint *endpoint,
                            struct refusal refusal) {
    enum status status = listener_open(address, &endpoint->listener, refusal.why, refusal.size);
    if (status != STATUS_OK)
        return status;
    init(endpoint, config, of);
    status = admit_plain(endpoint, config, refusal);
    if (status != STATUS_OK)
        listener_close(&endpoint->listener);
    return status;
}

static bool is_open(const struct endpoint *endpoints, uint32_t count, struct span configured) {
    for (uint32_t i = 0; i < count; i++)
        if (span_present(endpoints[i].configured) &&
            span_equal(endpoints[i].configured, configured))
            return true;
    return false;
}

enum status endpoints_open(const struct settings *settings, struct endpoint *endpoints,
                           uint32_t *count, char *why, size_t why_size) {
    struct refusal refusal = {why, why_size};
    const struct config *config = settings->config;
    *count = 0;
    enum status status = inherit(config, endpoints, count, refusal);
    uint32_t inherited = *count;
    for (uint32_t i = 0; status == STATUS_OK && inherited == 0 && i < config->listen_count; i++) {
        status = open_one(config, config->listen[i], NULL, &endpoints[*count], refusal);
        *count += status == STATUS_OK;
    }
    for (uint32_t i = 0; status == STATUS_OK && i < config->listener_count; i++) {
        const struct config_listener *of = &config->listeners[i];
        if (is_open(endpoints, inherited, of->address))
            continue;
        status = open_one(config, of->address, of, &endpoints[*count], refusal);
        *count += status == STATUS_OK;
    }
    return status;
}

static enum status check_one(const struct config *config, const char *key, struct span address,
                             bool plain, struct refusal refusal) {
    bool loopback;
    if (listener_check(address, &loopback) != STATUS_OK)
        return refuse(refusal, key, address, "must be HOST:PORT with an address as HOST");
    return !plain || loopback || config->insecure_http
               ? STATUS_OK
               : refuse(refusal, key, address, BEYOND_LOOPBACK);
}

enum status endpoints_check(const struct settings *settings, char *why, size_t why_size) {
    struct refusal refusal = {why, why_size};
    const struct config *config = settings->config;
    enum status status = STATUS_OK;
    for (uint32_t i = 0; status == STATUS_OK && i < config->listen_count; i++)
        status = check_one(config, "listen", config->listen[i], true, refusal);
    for (uint32_t i = 0; status == STATUS_OK && i < config->listener_count; i++) {
        const struct config_listener *listener = &config->listeners[i];
        status = check_one(config, "listeners", listener->address, listener->kind == LISTENER_PLAIN,
                           refusal);
    }
    return status;
}

static bool is_of(const struct endpoint *endpoint, const struct config_listener *config) {
    return span_equal(config->address, endpoint->configured) && config->kind == endpoint->kind;
}

/* The newest settings of an open listener: those of the same address and kind. Several may have
 * asked for port 0: then the place tells them apart. */
static uint32_t find(const struct endpoint *endpoint, const struct config *config) {
    uint32_t i = 0;
    if (endpoint->place < config->listener_count &&
        is_of(endpoint, &config->listeners[endpoint->place]))
        return endpoint->place;
    while (i < config->listener_count && !is_of(endpoint, &config->listeners[i]))
        i++;
    return i;
}

static void put_in_force(struct endpoint *endpoint, struct tls *tls) {
    pthread_mutex_lock(&endpoint->lock);
    struct tls *before = endpoint->tls;
    endpoint->tls = tls_ref(tls);
    pthread_mutex_unlock(&endpoint->lock);
    atomic_store(&endpoint->tls_generation, tls->generation);
    tls_unref(before);
}

/* Negative days have passed since. */
static void warn_of_age(const struct endpoint *endpoint, const struct tls *tls, int64_t now_s) {
    int64_t days = (tls->expires_s - now_s) / SECONDS_PER_DAY;
    if (days < WARNING_DAYS)
        log_event(LOG_WARN, "tls.certificate_expires",
                  LOG_TEXT("address", endpoint->listener.address), LOG_INT("days", days));
    if (tls->crl_next_s != 0 && tls->crl_next_s <= now_s)
        log_event(LOG_WARN, "tls.crl_expired", LOG_TEXT("address", endpoint->listener.address),
                  LOG_TEXT("warning", "client certificates are refused until it is renewed"));
}

void endpoints_follow(struct endpoint *endpoints, uint32_t count, const struct settings *settings,
                      int64_t now_s) {
    const struct config *config = settings->config;
    for (uint32_t i = 0; i < count; i++) {
        struct endpoint *endpoint = &endpoints[i];
        if (!span_present(endpoint->configured))
            continue;
        uint32_t at = find(endpoint, config);
        if (at == config->listener_count)
            continue; /* service.restart_needed has been logged: it stays as it is */
        if (endpoint->kind != LISTENER_PLAIN) {
            put_in_force(endpoint, settings->tls[at]);
            warn_of_age(endpoint, settings->tls[at], now_s);
        }
        atomic_store(&endpoint->config, &config->listeners[at]);
    }
}

void endpoints_close(struct endpoint *endpoints, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        listener_close(&endpoints[i].listener);
}

void endpoints_release(struct endpoint *endpoints, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        tls_unref(endpoints[i].tls);
        pthread_mutex_destroy(&endpoints[i].lock);
    }
}

struct tls *endpoint_tls(struct endpoint *endpoint) {
    if (endpoint->kind == LISTENER_PLAIN)
        return NULL;
    pthread_mutex_lock(&endpoint->lock);
    struct tls *tls = tls_ref(endpoint->tls);
    pthread_mutex_unlock(&endpoint->lock);
    return tls;
}

bool endpoint_is_public(const struct endpoint *endpoint) {
    return endpoint->kind == LISTENER_PUBLIC;
}

bool endpoint_is_admin(const struct endpoint *endpoint) {
    const struct config_listener *config = atomic_load(&endpoint->config);
    return config != NULL && config->admin;
}

const char *endpoint_scheme(const struct endpoint *endpoint) {
    return endpoint->kind == LISTENER_PLAIN ? "http" : "https";
}

const char *endpoint_kind_name(const struct endpoint *endpoint) {
    return endpoint->kind == LISTENER_PLAIN    ? "plain"
           : endpoint->kind == LISTENER_MUTUAL ? "mutual"
                                               : "public";
}
