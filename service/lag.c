/* The entries that it asks for are those of GET /v1/audit/reports/after-ending. */
// SPDX-License-Identifier: Apache-2.0
#include "service/lag.h"

#include "base/log.h"
#include "base/timestamp.h"
#include "service/service.h"
#include "store/event.h"

#define WINDOW_MS (INT64_C(30) * 86400000)
#define EVERY_US INT64_C(30000000)
#define GOING_ON_US INT64_C(100000) /* between two pieces of a long log: it is in nobody's way */
#define PIECE 100                   /* disclosures after an end; there should be none */

struct lag {
    struct store *store;
    struct store_reader *reader;
    int64_t from_time; /* service time, Unix ms */
    uint64_t from;     /* the first entry to look at */
    int64_t due_us;
    _Atomic(uint64_t) longest_ms, disclosures;
};

/* When the data went, as the disclosure says. Texts of callers have their quotes escaped: this is
 * the member. */
static bool went_at(const struct store_event *event, int64_t *out) {
    static const struct span name = SPAN("\"at\":\"");
    struct span members = event->members;
    const char *at =
        members.size != 0 ? memmem(members.data, members.size, name.data, name.size) : NULL;
    if (at == NULL)
        return false;
    at += name.size;
    size_t left = members.size - (size_t)(at - members.data);
    const char *end = memchr(at, '"', left);
    return end != NULL && timestamp_parse(span_of(at, (size_t)(end - at)), out) == STATUS_OK;
}

static void note(struct lag *lag, const struct store_event *event) {
    struct store_consent consent;
    int64_t at;
    if (!went_at(event, &at) ||
        store_consent_by_index(lag->reader, event->consent, &consent) != STATUS_OK ||
        (consent.status != CONSENT_REVOKED && consent.status != CONSENT_TERMINATED) ||
        at <= consent.status_at)
        return;
    uint64_t ms = (uint64_t)(at - consent.status_at);
    atomic_fetch_add(&lag->disclosures, 1);
    if (ms > atomic_load(&lag->longest_ms))
        atomic_store(&lag->longest_ms, ms);
}

static enum status read_piece(struct lag *lag, bool *more) {
    struct arena arena = {0};
    struct store_event_page page = {.more = false};
    const struct store_event_filter filter = {.everyone = true,
                                              .disclosures = true,
                                              .after_ending = true,
                                              .from = lag->from_time,
                                              .to = INT64_MAX};
    enum status status = store_event_query(lag->reader, &filter, lag->from, PIECE, &arena, &page);
    for (uint32_t i = 0; status == STATUS_OK && i < page.count; i++)
        note(lag, &page.items[i]);
    *more = status == STATUS_OK && page.more;
    if (*more)
        lag->from = page.next;
    arena_release(&arena);
    return status;
}

static int64_t run(void *context, bool hurried) {
    struct lag *lag = context;
    struct store_stats stats;
    int64_t now_us = service_now_us();
    if (!hurried && now_us < lag->due_us)
        return lag->due_us;
    bool more = false;
    enum status status = STATUS_OK;
    store_stats_get(lag->store, &stats); /* before the snapshot, which has them all */
    if (store_read_begin(lag->reader) == STATUS_OK) {
        status = read_piece(lag, &more);
        store_read_end(lag->reader);
        if (status == STATUS_OK && !more && lag->from < stats.entries)
            lag->from = stats.entries;
    }
    lag->due_us = now_us + (more ? GOING_ON_US : EVERY_US);
    return lag->due_us;
}

enum status lag_open(struct store *store, struct courier *courier, struct lag **out) {
    struct lag *lag = mem_alloc_zeroed(1, sizeof *lag);
    lag->store = store;
    enum status status = store_reader_open(store, &lag->reader);
    if (status != STATUS_OK) {
        mem_free(lag);
        return status;
    }
    lag->from_time = store_time_ms(store) - WINDOW_MS;
    courier_add(courier, (struct courier_job){run, lag, .awaited = true});
    *out = lag;
    return STATUS_OK;
}

void lag_close(struct lag *lag) {
    if (lag == NULL)
        return;
    store_reader_close(lag->reader);
    mem_free(lag);
}

void lag_stats_get(const struct lag *lag, struct lag_stats *out) {
    *out = (struct lag_stats){atomic_load(&lag->longest_ms), atomic_load(&lag->disclosures)};
}
