/* The process from start to end: everything is opened in one order and closed in the opposite one.
 *
 * Threads: all of this runs on the main thread, but store_wake, store_failed, store_committed
 * and pack_activated, which the writer calls. */
// SPDX-License-Identifier: Apache-2.0
#include "service/service.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "auth/signer.h"
#include "base/directory.h"
#include "base/log.h"
#include "service/courier.h"
#include "service/deliveries.h"
#include "service/dev.h"
#include "service/http.h"
#include "service/keyring.h"
#include "service/lag.h"
#include "service/library_log.h"
#include "service/loop.h"
#include "service/metrics.h"
#include "service/notify.h"
#include "service/reload.h"
#include "service/rounds.h"
#include "service/waiting.h"
#include "store/store.h"

#define DESCRIPTORS_RESERVED 128 /* store, logs, listeners and pipes of 64 loops */
#define ANSWER_SECONDS 1         /* for sending what the deadline forced */
#define CLOSE_SECONDS 5          /* for closing connections: longer is a defect */

int64_t service_now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static bool refuse(const char *why) {
    log_event(LOG_ERROR, "service.refused", LOG_TEXT("why", why));
    return false;
}

static void store_wake(void *context, unsigned loop) {
    struct service *service = context;
    if (loop == service->loop_count)
        courier_answered(service->courier);
    else
        loop_tell(&service->loops[loop], LOOP_ANSWERS);
}

static void store_failed(void *context) {
    struct service *service = context;
    atomic_store(&service->failed, true);
    pthread_kill(service->main_thread, SIGUSR1);
}

static void store_queued(void *context) {
    struct service *service = context;
    courier_wake(service->courier);
}

static void store_committed(void *context, uint64_t fed) {
    struct service *service = context;
    for (unsigned i = 0; i < service->loop_count; i++)
        waiting_tell(&service->loops[i], fed);
}

static void pack_activated(void *context, const struct policy_pack *pack) {
    struct service *service = context;
    atomic_store(&service->api.pack, pack);
}

static bool is_draining(void *context) {
    const struct service *service = context;
    return atomic_load(&service->draining);
}

static void keys_wanted(void *context) {
    const struct service *service = context;
    courier_wake(service->courier);
}

/* As many descriptors as the system allows; connections are bounded by them. */
static void raise_descriptors(struct service *service) {
    struct rlimit limit = {1024, 1024};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
    uint64_t allowed = limit.rlim_cur > 1000000 ? 1000000 : (uint64_t)limit.rlim_cur;
    service->connections_max = allowed > 2 * DESCRIPTORS_RESERVED
                                   ? (uint32_t)allowed - DESCRIPTORS_RESERVED
                                   : (uint32_t)allowed / 2;
}

static bool open_endpoints(struct service *service) {
    char why[LIMIT_URL + 128];
    return endpoints_open(service->settings, service->endpoints, &service->endpoint_count, why,
                          sizeof why) == STATUS_OK ||
           refuse(why);
}

/* Its directory is the store's, which has made it. */
static bool load_receipt_key(struct service *service, char *why, size_t why_size) {
    char path[4096];
    const struct config *config = service->settings->config;
    if (snprintf(path, sizeof path, "%s/keys/receipt.pem", config->data.data) >= (int)sizeof path) {
        snprintf(why, why_size, "config: \"data\": is too long");
        return false;
    }
    if (auth_signer_load_or_make(path, &service->receipts, why, why_size) != STATUS_OK)
        return false;
    service->api.receipts = service->receipts;
    return true;
}

static bool open_store(struct service *service) {
    const struct config *config = service->settings->config;
    struct store_options options = {
        .directory = config->data.data,
        .guard = config->guard.data,
        .origin = config->origin.data,
        .create = service->create || config->dev,
        .clock_confirmed = service->clock_confirmed || config->dev,
        .map_size = config->map_size,
        .loops = service->loop_count + 1, /* the last lane is the courier's */
        .clock = &service->clock,
        .wake = store_wake,
        .failed = store_failed,
        .committed = store_committed,
        .queued = store_queued,
        .activated = pack_activated,
        .context = service,
    };
    char why[1024];
    bool there =
        options.create ? directory_make(options.directory) : access(options.directory, F_OK) == 0;
    if (!there) {
        snprintf(why, sizeof why, "config: \"data\": %.500s: %s%s", options.directory,
                 strerror(errno), options.create ? "" : "; --create makes a new log");
        return refuse(why);
    }
    if (store_open(&options, &service->store, why, sizeof why) != STATUS_OK)
        return false; /* the store has logged why */
    service->api.store = service->store;
    const char *cause;
    if (!load_receipt_key(service, why, sizeof why))
        return refuse(why);
    return settings_activate(service, NULL, &cause) || refuse(cause);
}

/* Before there is anybody who could write. */
static bool start_courier(struct service *service) {
    const struct config *config = service->settings->config;
    service->courier = courier_new(service->store, service->loop_count);
    if (config->witness_count != 0 &&
        rounds_open(service->store, config, service->courier, &service->rounds) != STATUS_OK)
        return refuse("the store cannot be read");
    if (deliveries_open(service->store, config, &service->deliveries) != STATUS_OK)
        return refuse("the store cannot be read");
    keyring_join(service->keyring, service->courier);
    deliveries_join(service->deliveries, service->courier);
    if (lag_open(service->store, service->courier, &service->lag) != STATUS_OK)
        return refuse("the store cannot be read");
    courier_start(service->courier);
    return service->rounds == NULL || !rounds_rolled_back(service->rounds) ||
           refuse("the log cannot go on before its witnesses");
}

static bool start_loops(struct service *service, h2o_globalconf_t *http) {
    retired_set_readers(service, RETIRED_UNKNOWN);
    for (unsigned i = 0; i < service->loop_count; i++)
        loop_init(&service->loops[i], service, i, http);
    for (unsigned i = 0; i < service->loop_count; i++)
        if (loop_start(&service->loops[i]) != STATUS_OK)
            return refuse("a loop cannot read the store");
    retired_set_readers(service, RETIRED_READERS_RUN);
    return true;
}

static bool announce(struct service *service) {
    struct buffer text = {0};
    char why[512];
    for (uint32_t i = 0; i < service->endpoint_count; i++)
        log_event(LOG_INFO, "service.listening",
                  LOG_TEXT("address", service->endpoints[i].listener.address),
                  LOG_TEXT("kind", endpoint_kind_name(&service->endpoints[i])),
                  LOG_TEXT("version", service->api.version), LOG_INT("loops", service->loop_count));
    notify("READY=1");
    if (!service->settings->config->dev)
        return true;
    if (dev_welcome(service, &text, why, sizeof why) != STATUS_OK) {
        buffer_release(&text);
        return refuse(why);
    }
    if (text.size != 0) /* a pack without licences has nothing to try */
        fwrite(text.data, 1, text.size, stdout);
    fflush(stdout);
    buffer_release(&text);
    return true;
}

/* Until a signal ends the service. */
static void serve(struct service *service, const sigset_t *signals) {
    for (;;) {
        siginfo_t info;
        int signal = sigwaitinfo(signals, &info);
        if (signal == SIGHUP)
            service_reload(service);
        else if (signal == SIGTERM || signal == SIGINT || atomic_load(&service->failed))
            return;
    }
}

static void tell_all(struct service *service, enum loop_order order) {
    for (unsigned i = 0; i < service->loop_count; i++)
        if (service->loops[i].serving)
            loop_tell(&service->loops[i], order);
}

static bool join_all(struct service *service, uint64_t seconds) {
    struct timespec deadline;
    bool all = true;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += (time_t)seconds;
    for (unsigned i = 0; i < service->loop_count; i++)
        all &= loop_join(&service->loops[i], &deadline);
    return all;
}

/* Stop accepting, finish what is in flight, at the deadline answer it, at last close. */
static void stop_loops(struct service *service) {
    atomic_store(&service->draining, true);
    notify("STOPPING=1");
    log_event(LOG_INFO, "service.draining", LOG_INT("in_flight", atomic_load(&service->in_flight)));
    endpoints_close(service->endpoints, service->endpoint_count); /* loops close their copies */
    tell_all(service, LOOP_DRAIN);
    bool failed = atomic_load(&service->failed);
    if (join_all(service, failed ? 0 : service->settings->config->drain_seconds))
        return;
    log_event(LOG_WARN, "service.drain_deadline",
              LOG_INT("in_flight", atomic_load(&service->in_flight)));
    tell_all(service, LOOP_ANSWER);
    if (join_all(service, ANSWER_SECONDS))
        return;
    tell_all(service, LOOP_CLOSE);
    bool ended = join_all(service, CLOSE_SECONDS);
    ASSERT(ended);
}

static bool prepare(struct service *service, const struct service_options *options) {
    char why[SETTINGS_WHY_SIZE];
    clock_init(&service->clock);
    if (options->clock != NULL &&
        clock_init_injected(&service->clock, span_of_text(options->clock)) != STATUS_OK)
        return refuse("--clock: must be START or STARTxRATE, START like 2026-03-12T00:00Z");
    service->source = options->source;
    service->create = options->create;
    service->clock_confirmed = options->clock_confirmed;
    service->started_ms = service_now_us() / 1000;
    service->main_thread = pthread_self();
    service->api.version = CONSENTD_VERSION;
    service->api.context = service;
    service->api.metrics = metrics_write;
    service->api.draining = is_draining;
    service->api.keys_wanted = keys_wanted;
    retired_init(&service->retired);
    raise_descriptors(service);
    if (settings_load(&service->source, NULL, &service->settings, why) != STATUS_OK)
        return refuse(why);
    const struct config *config = service->settings->config;
    log_set_level((enum log_level)config->log_level);
    service->idle_seconds = config->idle_seconds;
    service->loop_count = (unsigned)config->loops;
    service->loops = mem_alloc_zeroed(service->loop_count, sizeof *service->loops);
    service->keyring = keyring_new(service);
    service->logger = logger_start(service->loop_count, STDERR_FILENO);
    library_log_start();
    return true;
}

static void release(struct service *service, h2o_globalconf_t *http) {
    courier_stop(service->courier);
    rounds_close(service->rounds);
    deliveries_close(service->deliveries);
    lag_close(service->lag);
    store_close(service->store);
    auth_signer_free(service->receipts);
    for (unsigned i = 0; i < service->loop_count; i++)
        if (service->loops[i].service != NULL)
            loop_release(&service->loops[i]);
    endpoints_release(service->endpoints, service->endpoint_count);
    http_release(http);
    keyring_free(service->keyring);
    retired_release(&service->retired);
    settings_free(service->settings);
    arena_release(&service->refusals);
    library_log_stop();
    logger_stop(service->logger);
    mem_free(service->loops);
}

int service_run(const struct service_options *options) {
    struct service service = {0};
    h2o_globalconf_t http;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &signals,
                    NULL); /* threads inherit it: signals come to sigwaitinfo */
    signal(SIGPIPE, SIG_IGN);
    if (!prepare(&service, options)) {
        settings_free(service.settings);
        return 1;
    }
    http_init(&http, service.settings->config);
    bool good = open_endpoints(&service) && open_store(&service) && start_courier(&service) &&
                start_loops(&service, &http) && announce(&service);
    if (good)
        serve(&service, &signals);
    if (service.store != NULL)
        stop_loops(&service);
    bool failed = !good || atomic_load(&service.failed);
    log_event(LOG_INFO, "service.stopped",
              LOG_INT("uptime_ms", service_now_us() / 1000 - service.started_ms));
    release(&service, &http);
    return failed ? 1 : 0;
}

int service_check(const struct service_options *options) {
    struct config_source source = options->source;
    struct settings *settings;
    char why[SETTINGS_WHY_SIZE];
    source.check = true;
    if (settings_load(&source, NULL, &settings, why) != STATUS_OK) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    bool good = endpoints_check(settings, why, sizeof why) == STATUS_OK;
    if (good)
        puts("configuration ok");
    else
        fprintf(stderr, "%s\n", why);
    settings_free(settings);
    return good ? 0 : 1;
}
