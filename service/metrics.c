/* Metrics: the sum over all loops, the store's figures and the process's. */
// SPDX-License-Identifier: Apache-2.0
#include "service/metrics.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "service/access_log.h"
#include "service/deliveries.h"
#include "service/rounds.h"
#include "service/keyring.h"
#include "service/lag.h"
#include "service/loop.h"
#include "store/store.h"

static void head(struct buffer *out, const char *name, const char *type, const char *help) {
    buffer_append_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void single(struct buffer *out, const char *name, const char *type, const char *help,
                   uint64_t value) {
    head(out, name, type, help);
    buffer_append_format(out, "%s %llu\n", name, (unsigned long long)value);
}

/* The sum over loops of the counter at this offset of struct counters. */
static uint64_t sum_at(const struct service *service, size_t offset) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < service->loop_count; i++) {
        const char *base = (const char *)&service->loops[i].counters;
        sum += counter_get((const _Atomic(uint64_t) *)(const void *)(base + offset));
    }
    return sum;
}
#define SUM(service, member) sum_at((service), offsetof(struct counters, member))

static void write_requests(const struct service *service, struct buffer *out) {
    head(out, "consentd_requests_total", "counter", "Requests by route, method and status class.");
    for (unsigned route = 0; route <= COUNTERS_ROUTES; route++)
        for (unsigned class = 0; class < COUNTERS_CLASSES; class ++) {
            uint64_t sum =
                sum_at(service, offsetof(struct counters, requests) +
                                    (route * COUNTERS_CLASSES + class) * sizeof(_Atomic(uint64_t)));
            const char *method = "";
            if (sum == 0)
                continue;
            const struct api_route *at =
                route == COUNTERS_NO_ROUTE ? NULL : api_route_at(route, &method);
            buffer_append_format(out,
                                 "consentd_requests_total{method=\"%s\",route=\"%s\","
                                 "status=\"%uxx\"} %llu\n",
                                 method, api_route_template(at), class + 1,
                                 (unsigned long long)sum);
        }
}

static void write_latency(const struct service *service, struct buffer *out) {
    uint64_t below = 0;
    head(out, "consentd_request_duration_seconds", "histogram",
         "From a complete request to its answer handed to the network.");
    for (unsigned i = 0; i <= COUNTERS_BUCKETS; i++) {
        below +=
            sum_at(service, offsetof(struct counters, latency) + i * sizeof(_Atomic(uint64_t)));
        if (i < COUNTERS_BUCKETS)
            buffer_append_format(out, "consentd_request_duration_seconds_bucket{le=\"%g\"} %llu\n",
                                 (double)access_log_bounds_us[i] / 1e6, (unsigned long long)below);
    }
    buffer_append_format(out,
                         "consentd_request_duration_seconds_bucket{le=\"+Inf\"} %llu\n"
                         "consentd_request_duration_seconds_sum %.6f\n"
                         "consentd_request_duration_seconds_count %llu\n",
                         (unsigned long long)below, (double)SUM(service, latency_sum_us) / 1e6,
                         (unsigned long long)below);
}

static void write_loops(const struct service *service, struct buffer *out) {
    static const struct {
        const char *name, *help;
        size_t offset;
    } rows[] = {
        {"consentd_response_bytes_total", "Body bytes sent.",
         offsetof(struct counters, bytes_sent)},
        {"consentd_connections_total", "Connections accepted.",
         offsetof(struct counters, connections)},
        {"consentd_connections_turned_away_total", "Connections beyond the bound.",
         offsetof(struct counters, turned_away)},
        {"consentd_vanished_requests_total", "Requests whose client left before the answer.",
         offsetof(struct counters, vanished)},
        {"consentd_dropped_answers_total", "Changes made whose request had vanished.",
         offsetof(struct counters, dropped)},
        {"consentd_busy_total", "Requests refused by the in-flight bounds.",
         offsetof(struct counters, busy)},
        {"consentd_rapid_reset_total", "Connections closed for resetting too much.",
         offsetof(struct counters, reset_closed)},
        {"consentd_overdue_total",
         "Connections closed because a request arrived too slowly or its head was too long.",
         offsetof(struct counters, overdue)},
        {"consentd_malformed_total", "Requests that were no well-formed HTTP or too large.",
         offsetof(struct counters, transport)},
        {"consentd_tokens_verified_total", "Tokens verified by signature.",
         offsetof(struct counters, auth_verified)},
        {"consentd_tokens_cached_total", "Tokens found in the cache of verified ones.",
         offsetof(struct counters, auth_cached)},
        {"consentd_tokens_refused_total", "Tokens refused.",
         offsetof(struct counters, auth_refused)},
        {"consentd_tokens_limited_total", "Requests refused because their peer failed too often.",
         offsetof(struct counters, auth_limited)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        single(out, rows[i].name, "counter", rows[i].help, sum_at(service, rows[i].offset));
    single(out, "consentd_log_lines_dropped_total", "counter", "Log lines lost to a full ring.",
           logger_dropped(service->logger));
    single(out, "consentd_in_flight", "gauge", "Requests being handled or answered.",
           atomic_load(&service->in_flight));
    single(out, "consentd_waiting", "gauge", "Of those, long polls that wait for changes.",
           atomic_load(&service->waiting));
    single(out, "consentd_connections", "gauge", "Open connections.",
           atomic_load(&service->connections));
}

/* Addresses are those of the configuration: no person's. */
static void write_tls(struct service *service, struct buffer *out) {
    int64_t now_s = store_time_ms(service->store) / 1000;
    single(out, "consentd_tls_handshakes_total", "counter",
           "TLS handshakes done, with a good client certificate where one is asked for.",
           SUM(service, handshakes));
    head(out, "consentd_tls_handshakes_failed_total", "counter",
         "TLS handshakes that failed, or brought no good client certificate, by cause.");
    for (size_t i = TLS_FAILURE_NONE + 1; i < TLS_FAILURE_COUNT; i++)
        buffer_append_format(
            out, "consentd_tls_handshakes_failed_total{cause=\"%s\"} %llu\n",
            tls_failure_name((enum tls_failure)i),
            (unsigned long long)sum_at(service, offsetof(struct counters, handshakes_failed) +
                                                    i * sizeof(_Atomic(uint64_t))));
    head(out, "consentd_tls_certificate_expiry_seconds", "gauge",
         "Until the listener's own certificate expires; negative since.");
    for (uint32_t i = 0; i < service->endpoint_count; i++) {
        struct tls *tls = endpoint_tls(&service->endpoints[i]);
        if (tls != NULL)
            buffer_append_format(
                out, "consentd_tls_certificate_expiry_seconds{address=\"%s\"} %lld\n",
                service->endpoints[i].listener.address, (long long)(tls->expires_s - now_s));
        tls_unref(tls);
    }
    head(out, "consentd_tls_crl_expiry_seconds", "gauge",
         "Until the first of the listener's revocation lists is due again; negative since.");
    for (uint32_t i = 0; i < service->endpoint_count; i++) {
        struct tls *tls = endpoint_tls(&service->endpoints[i]);
        if (tls != NULL && tls->crl_next_s != 0)
            buffer_append_format(out, "consentd_tls_crl_expiry_seconds{address=\"%s\"} %lld\n",
                                 service->endpoints[i].listener.address,
                                 (long long)(tls->crl_next_s - now_s));
        tls_unref(tls);
    }
}

static void write_store(const struct service *service, struct buffer *out) {
    struct store_stats stats;
    store_stats_get(service->store, &stats);
    single(out, "consentd_log_entries", "gauge", "Entries of the log.", stats.entries);
    single(out, "consentd_consents", "gauge", "Consents stored.", stats.consents);
    single(out, "consentd_queue_length", "gauge", "Changes waiting for the writer.", stats.queued);
    single(out, "consentd_commits_total", "counter", "Commits since start.", stats.commits);
    single(out, "consentd_changes_total", "counter", "Changes answered since start.",
           stats.changes);
    single(out, "consentd_changes_refused_total", "counter", "Changes refused since start.",
           stats.refused);
    head(out, "consentd_commit_seconds_total", "counter", "Time spent in commits since start.");
    buffer_append_format(out, "consentd_commit_seconds_total %.6f\n",
                         (double)stats.commit_us / 1e6);
    single(out, "consentd_store_bytes", "gauge", "Bytes of the store's file in use.",
           stats.map_used);
    single(out, "consentd_store_bytes_max", "gauge", "Bytes the store's file may grow to.",
           stats.map_size);
    head(out, "consentd_clock_step_seconds", "gauge", "Unconfirmed step of the wall clock.");
    buffer_append_format(out, "consentd_clock_step_seconds %.3f\n",
                         (double)stats.clock_step_ms / 1e3);
    single(out, "consentd_store_full", "gauge", "1 while new consents are refused for space.",
           stats.full);
}

static void write_alarms(const struct service *service, struct buffer *out) {
    single(out, "consentd_unknown_revocations_total", "counter",
           "Revocations by clients of tokens that nobody had registered.",
           atomic_load(&service->api.unknown_revocations));
}

/* Names are the witnesses' own: no person's. */
static void write_witnesses(const struct service *service, struct buffer *out) {
    const struct rounds *rounds = service->rounds;
    struct rounds_stats stats;
    if (rounds == NULL)
        return;
    head(out, "consentd_witness_replies_total", "counter", "What witnesses answered, by kind.");
    for (unsigned i = 0; rounds_stats_get(rounds, i, &stats); i++)
        for (unsigned kind = 0; kind < REPLY_KINDS; kind++)
            buffer_append_format(
                out, "consentd_witness_replies_total{witness=\"%.*s\",reply=\"%s\"} %llu\n",
                SPAN_ARG(stats.witness), reply_kind_name(kind),
                (unsigned long long)stats.replies[kind]);
    head(out, "consentd_witness_cosigned_entries", "gauge",
         "Entries of the log under the witness's last cosignature since the start.");
    for (unsigned i = 0; rounds_stats_get(rounds, i, &stats); i++)
        buffer_append_format(out, "consentd_witness_cosigned_entries{witness=\"%.*s\"} %llu\n",
                             SPAN_ARG(stats.witness), (unsigned long long)stats.size);
    head(out, "consentd_witness_cosigned_timestamp_seconds", "gauge",
         "When that was, since 1970; 0: not since the start.");
    for (unsigned i = 0; rounds_stats_get(rounds, i, &stats); i++)
        buffer_append_format(out,
                             "consentd_witness_cosigned_timestamp_seconds{witness=\"%.*s\"} %llu\n",
                             SPAN_ARG(stats.witness), (unsigned long long)stats.time);
}

/* Issuers are named by the configuration: authorization servers, no persons. The set is read once:
 * it is another one at any time. */
static void write_keys(const struct service *service, struct buffer *out) {
    const struct auth_keys *keys = atomic_load(&service->api.keys);
    struct auth_issuer_state state;
    if (keys == NULL)
        return;
    head(out, "consentd_key_fetches_total", "counter", "Answers of the URLs of key sets.");
    for (unsigned i = 0; i < KEY_OUTCOMES; i++)
        buffer_append_format(out, "consentd_key_fetches_total{outcome=\"%s\"} %llu\n",
                             key_outcome_name(i),
                             (unsigned long long)keyring_count(service->keyring, i));
    single(out, "consentd_key_sets_retired", "gauge",
           "Sets of keys that were replaced and may still be read.",
           atomic_load(&service->retired.count));
    head(out, "consentd_issuer_keys", "gauge", "Keys that verify tokens of the issuer.");
    for (uint32_t i = 0; auth_keys_state(keys, i, &state); i++)
        buffer_append_format(out, "consentd_issuer_keys{issuer=\"%.*s\"} %u\n",
                             SPAN_ARG(state.issuer), state.key_count);
    head(out, "consentd_issuer_keys_timestamp_seconds", "gauge",
         "When the issuer's URL last said that these are its keys, since 1970; 0: never.");
    for (uint32_t i = 0; auth_keys_state(keys, i, &state); i++)
        if (state.renewed)
            buffer_append_format(out,
                                 "consentd_issuer_keys_timestamp_seconds{issuer=\"%.*s\"} %lld\n",
                                 SPAN_ARG(state.issuer), (long long)state.renewed_s);
}

static void write_messages(const struct service *service, struct buffer *out) {
    struct deliveries_stats stats;
    if (service->deliveries == NULL)
        return;
    deliveries_stats_get(service->deliveries, &stats);
    single(out, "consentd_messages_waiting", "gauge", "Withdrawal messages that wait for delivery.",
           stats.waiting);
    head(out, "consentd_messages_oldest_seconds", "gauge",
         "For how long the oldest of them has waited.");
    buffer_append_format(out, "consentd_messages_oldest_seconds %.3f\n",
                         (double)stats.oldest_ms / 1e3);
    head(out, "consentd_messages_total", "counter",
         "What came of attempts to deliver, by outcome.");
    buffer_append_format(out,
                         "consentd_messages_total{outcome=\"sent\"} %llu\n"
                         "consentd_messages_total{outcome=\"failed\"} %llu\n"
                         "consentd_messages_total{outcome=\"given_up\"} %llu\n",
                         (unsigned long long)stats.sent, (unsigned long long)stats.failed,
                         (unsigned long long)stats.given_up);
}

static void write_lag(const struct service *service, struct buffer *out) {
    struct lag_stats stats;
    if (service->lag == NULL)
        return;
    lag_stats_get(service->lag, &stats);
    head(out, "consentd_withdrawal_lag_seconds", "gauge",
         "The longest from the end of a consent to a disclosure after it, by the log: of the 30 "
         "days "
         "before the start, and since.");
    buffer_append_format(out, "consentd_withdrawal_lag_seconds %.3f\n",
                         (double)stats.longest_ms / 1e3);
    single(out, "consentd_disclosures_after_ending", "gauge",
           "Disclosures of data that went after their consent had been revoked or terminated.",
           stats.disclosures);
}

/* A line "name:  123 kB" of /proc/self/status, in bytes. The kernel makes it from memory: no disk
 * is waited for. */
static uint64_t status_bytes(const char *text, const char *name) {
    const char *at = strstr(text, name);
    return at != NULL ? strtoull(at + strlen(name), NULL, 10) * 1024 : 0;
}

static void write_process(const struct service *service, struct buffer *out) {
    char text[4096];
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0)
        close(fd);
    text[got > 0 ? got : 0] = '\0';
    single(out, "process_resident_memory_bytes", "gauge", "Resident memory, the map included.",
           status_bytes(text, "VmRSS:"));
    single(out, "consentd_resident_anonymous_bytes", "gauge", "Resident memory beside the map.",
           status_bytes(text, "RssAnon:"));
    head(out, "consentd_uptime_seconds", "gauge", "Time since start.");
    buffer_append_format(out, "consentd_uptime_seconds %.3f\n",
                         (double)(service_now_us() / 1000 - service->started_ms) / 1e3);
    head(out, "consentd_build_info", "gauge", "Always 1; the label is the version.");
    buffer_append_format(out, "consentd_build_info{version=\"%s\"} 1\n", service->api.version);
}

void metrics_write(void *context, struct buffer *out) {
    struct service *service = context;
    write_requests(service, out);
    write_latency(service, out);
    write_loops(service, out);
    write_tls(service, out);
    write_store(service, out);
    write_alarms(service, out);
    write_witnesses(service, out);
    write_keys(service, out);
    write_messages(service, out);
    write_lag(service, out);
    write_process(service, out);
}
