/* A reload changes pointers; what they pointed to stays until the process ends (settings.h). */
// SPDX-License-Identifier: Apache-2.0
#include "service/reload.h"

#include <stdio.h>

#include "base/log.h"
#include "store/store.h"

/* Without one of its own a service is known by the address it listens on. */
static void complete_public_url(struct service *service, struct settings *settings) {
    if (span_present(settings->api.public_url))
        return;
    settings->api.public_url =
        arena_format(&settings->config->arena, "http://%s", service->listeners[0].address);
}

bool settings_activate(struct service *service, const struct settings *previous) {
    struct settings *settings = service->settings;
    const struct config *config = settings->config;
    if ((previous == NULL || previous->pack != settings->pack) &&
        store_pack_activate(service->store, settings->pack) != STATUS_OK)
        return false;
    complete_public_url(service, settings);
    atomic_store(&service->api.pack, settings->pack);
    atomic_store(&service->api.keys, settings->keys);
    atomic_store(&service->api.settings, &settings->api);
    atomic_store(&service->limits.in_flight, (uint32_t)config->in_flight);
    atomic_store(&service->limits.in_flight_per_connection,
                 (uint32_t)config->in_flight_per_connection);
    atomic_store(&service->limits.access_log, config->access_log);
    log_set_level((enum log_level)config->log_level);
    return true;
}

static void confirm_clock(struct service *service) {
    struct store_stats stats;
    store_stats_get(service->store, &stats);
    if (stats.clock_step_ms == 0)
        return;
    clock_confirm(&service->clock);
    store_clock_confirm(service->store);
}

static void log_fixed_differences(const struct config *old, const struct config *new) {
    unsigned cursor = 0;
    const char *key;
    while ((key = config_next_fixed_difference(old, new, &cursor)) != NULL)
        log_event(LOG_WARN, "service.restart_needed", LOG_TEXT("key", key));
}

/* What was in force stays so; the operator finds out from the log and /readyz. */
static void refuse(struct service *service, const char *why) {
    log_event(LOG_ERROR, "service.reload_refused", LOG_TEXT("why", why));
    atomic_store(&service->api.reload_refused,
                 arena_copy(&service->refusals, span_of_text(why)).data);
}

void service_reload(struct service *service) {
    struct settings *previous = service->settings, *loaded;
    char why[SETTINGS_WHY_SIZE];
    confirm_clock(service);
    if (settings_load(&service->source, previous, &loaded, why) != STATUS_OK) {
        refuse(service, why);
        return;
    }
    log_fixed_differences(previous->config, loaded->config);
    service->settings = loaded;
    if (settings_activate(service, previous)) {
        atomic_store(&service->api.reload_refused, NULL);
        log_event(LOG_INFO, "service.reloaded", LOG_INT("reloads", loaded->age));
        return;
    }
    service->settings = previous;
    loaded->older = NULL;
    settings_free(loaded);
    refuse(service, "the store did not take the policy pack");
}
