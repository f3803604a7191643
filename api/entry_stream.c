/* NDJSON of log entries: one line an entry, chunk by chunk. A chunk is one bounded page of the
 * store, cut when it is long enough, so that neither memory nor the time the loop spends grows with
 * the log. A page of a filter that matches little may be empty, a chunk never: then it is an empty
 * line, which readers of NDJSON skip. Should the store fail, the last line is a problem instead of
 * an entry, so that a reader does not take a torn stream for the whole.
 *
 * Threads: one loop's. Invariant 5: no snapshot survives a return to the loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/entry_stream.h"

#include "base/log.h"

#define CHUNK_ENTRIES 200
#define CHUNK_BYTES 65536

struct entry_stream {
    struct api_stream stream; /* first: what the service holds */
    struct api_loop *loop;
    struct arena arena; /* the query's copies */
    struct api_event_query query;
    api_entry_writer *write;
    uint64_t end;  /* the log's size when the stream began */
    uint64_t left; /* entries it may still give */
};

/* A whole line or nothing. */
static enum status append_line(struct entry_stream *self, const struct store_event *event,
                               struct buffer *out) {
    size_t size = out->size;
    struct json_out json = json_out_to(out);
    enum status status = self->write(self->loop->reader, event, &json);
    if (status != STATUS_OK) {
        out->size = size;
        return status;
    }
    buffer_append_text(out, "\n");
    self->left--;
    return STATUS_OK;
}

/* Appends the lines of one page until the chunk is full; *more is false when the last entry was
 * reached. */
static enum status append_page(struct entry_stream *self, const struct store_event_page *page,
                               struct buffer *out, bool *more) {
    for (uint32_t i = 0; i < page->count; i++) {
        const struct store_event *event = &page->items[i];
        if (event->index >= self->end || self->left == 0) {
            *more = false;
            return STATUS_OK;
        }
        if (out->size >= CHUNK_BYTES) {
            self->query.from = event->index;
            *more = true;
            return STATUS_OK;
        }
        enum status status = append_line(self, event, out);
        if (status != STATUS_OK) {
            return status;
        }
    }
    self->query.from = page->next;
    *more = page->more && page->next < self->end && self->left > 0;
    return STATUS_OK;
}

static void append_failure(const struct api_loop *loop, enum status status, struct buffer *out) {
    const struct api_settings *settings = atomic_load(&loop->service->settings);
    log_event(LOG_ERROR, "audit.stream", LOG_TEXT("status", status_name(status)));
    buffer_append_format(out, "{\"type\":\"%.*s/problems/%s\",\"title\":\"%s\",\"status\":%d}\n",
                         SPAN_ARG(settings->public_url), status_name(status), status_title(status),
                         status_http(status));
}

/* One snapshot's worth. Leaves *more untouched on failure. */
static enum status append_chunk(struct entry_stream *self, struct buffer *out, bool *more) {
    struct arena arena = {0};
    struct store_event_page page;
    enum status status = store_read_begin(self->loop->reader);
    if (status != STATUS_OK) {
        return status;
    }
    status = store_event_query(self->loop->reader, &self->query.filter, self->query.from,
                               CHUNK_ENTRIES, &arena, &page);
    if (status == STATUS_OK) {
        status = append_page(self, &page, out, more);
    }
    store_read_end(self->loop->reader);
    arena_release(&arena);
    return status;
}

static bool next(struct api_stream *stream, struct buffer *out) {
    struct entry_stream *self = (struct entry_stream *)stream;
    struct buffer chunk = {0};
    bool more = false;
    enum status status = STATUS_OK;
    if (self->query.from < self->end) {
        status = append_chunk(self, &chunk, &more);
    }
    if (status != STATUS_OK) {
        append_failure(self->loop, status, &chunk);
    } else if (more && chunk.size == 0) {
        buffer_append_text(&chunk, "\n");
    }
    buffer_append_span(out, buffer_span(&chunk));
    buffer_release(&chunk);
    return more;
}

static void release(struct api_stream *stream) {
    struct entry_stream *self = (struct entry_stream *)stream;
    arena_release(&self->arena);
    mem_free(self);
}

static void copy_filter(struct store_event_filter *filter, struct arena *arena) {
    struct span *const texts[] = {&filter->viewer_client, &filter->tenant,  &filter->provider,
                                  &filter->client,        &filter->license, &filter->purpose,
                                  &filter->account,       &filter->actor,   &filter->reason,
                                  &filter->transaction,   &filter->step};
    struct span *tenants = arena_array(arena, filter->tenant_count + 1, sizeof *tenants);
    for (uint32_t i = 0; i < filter->tenant_count; i++) {
        tenants[i] = arena_copy(arena, filter->tenants[i]);
    }
    filter->tenants = tenants;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        *texts[i] = arena_copy(arena, *texts[i]);
    }
}

struct api_stream *api_entry_stream_new(struct api_loop *loop, const struct api_event_query *query,
                                        uint64_t most, api_entry_writer *write) {
    struct store_stats stats;
    struct entry_stream *self = mem_alloc_zeroed(1, sizeof *self);
    store_stats_get(loop->service->store, &stats);
    *self = (struct entry_stream){.stream = {next, release},
                                  .loop = loop,
                                  .query = *query,
                                  .write = write,
                                  .end = stats.entries,
                                  .left = most};
    copy_filter(&self->query.filter, &self->arena);
    return &self->stream;
}
