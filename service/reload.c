/* A reload changes pointers; what they pointed to stays until the process ends (settings.h). */
// SPDX-License-Identifier: Apache-2.0
#include "service/reload.h"

#include <stdio.h>

#include "base/log.h"
#include "service/courier.h"
#include "service/deliveries.h"
#include "service/keyring.h"
#include "store/store.h"

/* Without one of its own a service is known by the address it listens on. */
static void complete_public_url(struct service *service, struct settings *settings) {
    if (span_present(settings->api.public_url))
        return;
    settings->api.public_url =
        arena_format(&settings->config->arena, "%s://%s", endpoint_scheme(&service->endpoints[0]),
                     service->endpoints[0].listener.address);
}

/* The writer publishes the pack itself, before it judges by it (service.c). */
static bool activate_pack(struct service *service, const struct policy_pack *pack,
                          const char **why) {
    enum status status = store_pack_activate(service->store, pack);
    if (status == STATUS_NOT_ADMISSIBLE)
        *why = "the policy pack would make more than 64 purposes or 64 permissions, counting those "
               "of all packs before it";
    else if (status == STATUS_STORAGE_FULL)
        *why = "the store has no room for the policy pack";
    else if (status == STATUS_BUSY)
        *why = "the store takes no changes, and so no policy pack";
    else
        *why = "the policy pack could not be stored";
    return status == STATUS_OK;
}

bool settings_activate(struct service *service, const struct settings *previous, const char **why) {
    struct settings *settings = service->settings;
    const struct config *config = settings->config;
    if ((previous == NULL || previous->pack != settings->pack) &&
        !activate_pack(service, settings->pack, why))
        return false;
    endpoints_follow(service->endpoints, service->endpoint_count, settings,
                     store_time_ms(service->store) / 1000);
    settings_drop_tls(settings);
    complete_public_url(service, settings);
    keyring_put(service->keyring, config, settings->keys);
    settings->keys = NULL;
    if (service->deliveries != NULL)
        deliveries_put(service->deliveries, config);
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
    if (!stats.clock_stepped)
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

/* What was in force stays so; the operator finds out from /readyz and the log, in this order: who
 * has read it in the log finds it in /readyz. */
static void refuse(struct service *service, const char *why) {
    const char *told = atomic_load(&service->api.reload_refused);
    if (told == NULL || strcmp(told, why) != 0) /* the same again and again takes no memory */
        atomic_store(&service->api.reload_refused,
                     arena_copy(&service->refusals, span_of_text(why)).data);
    log_event(LOG_ERROR, "service.reload_refused", LOG_TEXT("why", why));
}

void service_reload(struct service *service) {
    struct settings *previous = service->settings, *loaded;
    char why[SETTINGS_WHY_SIZE];
    const char *cause;
    confirm_clock(service);
    courier_hurry(service->courier);
    if (settings_load(&service->source, previous, &loaded, why) != STATUS_OK) {
        refuse(service, why);
        return;
    }
    log_fixed_differences(previous->config, loaded->config);
    service->settings = loaded;
    if (settings_activate(service, previous, &cause)) {
        atomic_store(&service->api.reload_refused, NULL);
        log_event(LOG_INFO, "service.reloaded", LOG_INT("reloads", ++service->reloads));
        return;
    }
    ASSERT(loaded != previous); /* the pack is the same then, and nothing else is refused */
    service->settings = previous;
    loaded->older = NULL;
    settings_free(loaded);
    refuse(service, cause);
}
