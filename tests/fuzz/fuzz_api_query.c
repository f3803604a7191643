/* Any bytes as the target of a GET, asked of the real api over a real store by a tenant that is
 * also an auditor of everything: every answer is a status of the contract, every body of JSON is
 * JSON, a page keeps its bounds, a link is one the api itself understands, and a cursor always
 * comes from the same query. The first byte chooses the Accept header and the method. */
// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>

#include "api/api.h"
#include "auth/dev.h"
#include "auth/signer.h"
#include "base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EDP "https://directory.example/member/edp-1"
#define LICENSE                                                   \
    "https://registry.core.trust.ib1.org/scheme/perseus/license/" \
    "energy-consumption-edp-cap/2026-03-12"

struct rig {
    char directory[64];
    struct clock clock;
    struct arena arena;
    struct policy_pack *pack;
    struct auth_keys *keys;
    struct api_settings settings;
    struct auth_signer *receipts;
    struct store *store;
    struct api_service service;
    struct api_loop loop;
    struct span authorization;
    pthread_mutex_t lock;
    pthread_cond_t woken;
};
static struct rig rig;

static void wake(void *context, unsigned loop) {
    (void)context;
    (void)loop;
    pthread_mutex_lock(&rig.lock);
    pthread_cond_signal(&rig.woken);
    pthread_mutex_unlock(&rig.lock);
}

static void failed(void *context) {
    (void)context;
    log_abort("the store keeps working", __FILE__, __LINE__);
}

static void forget(void) {
    char command[128];
    store_reader_close(rig.loop.reader);
    store_close(rig.store);
    auth_loop_free(rig.loop.auth);
    auth_keys_free(rig.keys);
    auth_signer_free(rig.receipts);
    policy_pack_free(rig.pack);
    arena_release(&rig.arena);
    snprintf(command, sizeof command, "rm -r %s", rig.directory);
    ASSERT(system(command) == 0);
}

static void load_pack(void) {
    struct policy_error error;
    struct buffer json = {0};
    FILE *file = fopen("policy/packs/perseus-2026-03-12.json", "rb");
    ASSERT(file != NULL);
    size_t got;
    while ((got = fread(buffer_reserve(&json, 4096), 1, 4096, file)) > 0) {
        json.size += got;
    }
    fclose(file);
    ASSERT(policy_pack_load(buffer_span(&json), &rig.pack, &error) == STATUS_OK);
    buffer_release(&json);
}

static void load_issuer(void) {
    char why[256];
    struct auth_issuer issuer;
    struct span everybody = SPAN("*");
    struct buffer out = {0};
    struct auth_dev_request request = {.id = SPAN(EDP),
                                       .scope = SPAN("consents:read audit:read"),
                                       .providers = &everybody,
                                       .provider_count = 1,
                                       .issued_at_s = clock_now_ms(&rig.clock) / 1000,
                                       .expires_s = clock_now_ms(&rig.clock) / 1000 + 864000};
    ASSERT(auth_dev_create(rig.directory, why, sizeof why) == STATUS_OK);
    ASSERT(auth_dev_issuer_fill(rig.directory, &rig.arena, &issuer) == STATUS_OK);
    ASSERT(auth_keys_load(&issuer, 1, &rig.keys, why, sizeof why) == STATUS_OK);
    struct span file = arena_format(&rig.arena, "%s/receipt.pem", rig.directory);
    ASSERT(auth_signer_load_or_make(file.data, &rig.receipts, why, sizeof why) == STATUS_OK);
    rig.service.receipts = rig.receipts;
    buffer_append_text(&out, "Bearer ");
    ASSERT(auth_dev_mint(rig.directory, &request, &out, why, sizeof why) == STATUS_OK);
    rig.authorization = arena_copy(&rig.arena, buffer_span(&out));
    buffer_release(&out);
}

static void open_store(void) {
    char why[256];
    struct store_options options = {.directory = rig.directory,
                                    .origin = "example.com/log",
                                    .create = true,
                                    .map_size = UINT64_C(1) << 28,
                                    .loops = 1,
                                    .clock = &rig.clock,
                                    .wake = wake,
                                    .failed = failed};
    ASSERT(store_open(&options, &rig.store, why, sizeof why) == STATUS_OK);
    ASSERT(store_pack_activate(rig.store, rig.pack) == STATUS_OK);
    rig.service.store = rig.store;
    rig.service.version = "fuzz";
    atomic_store(&rig.service.keys, rig.keys);
    atomic_store(&rig.service.pack, rig.pack);
    rig.settings.public_url = SPAN("https://consent.example.com");
    atomic_store(&rig.service.settings, &rig.settings);
    rig.loop = (struct api_loop){.service = &rig.service, .auth = auth_loop_new()};
    ASSERT(store_reader_open(rig.store, &rig.loop.reader) == STATUS_OK);
}

/* A consent of account `number`. */
static void make_consent(int number) {
    struct span purpose = SPAN("estimate-emissions");
    struct policy_permission_ask permission = {.code = SPAN("tariff")};
    struct store_change *change = store_change_new();
    struct store_draft *d = &change->draft;
    change->op = STORE_CREATE;
    change->tenant = change->actor = SPAN(EDP);
    change->pack = rig.pack;
    d->provider = change->tenant;
    d->client = SPAN("https://directory.example/app/cap-1");
    d->external_id = arena_format(&change->arena, "e%d", number);
    d->account = arena_format(&change->arena, "a%d", number);
    d->data_available_from = INT64_MIN;
    d->ask = (struct policy_admission){.license = SPAN(LICENSE),
                                       .purposes = &purpose,
                                       .purpose_count = 1,
                                       .permissions = &permission,
                                       .permission_count = 1,
                                       .granted = true,
                                       .granted_at = clock_now_ms(&rig.clock),
                                       .expires = clock_now_ms(&rig.clock) + 86400000,
                                       .data_from = INT64_MIN,
                                       .data_to = INT64_MIN,
                                       .asserted_by_client = true,
                                       .notice = {.shown_at = INT64_MIN}};
    d->terms_json = SPAN("\"maxUses\":1");
    d->grant_json = SPAN("\"method\":\"assertedByClient\"");
    d->account_json = arena_format(&change->arena, "\"account\":\"a%d\"", number);
    ASSERT(store_submit(rig.store, 0, change) == STATUS_OK);
    pthread_mutex_lock(&rig.lock);
    while ((change = store_take(rig.store, 0)) == NULL) {
        pthread_cond_wait(&rig.woken, &rig.lock);
    }
    pthread_mutex_unlock(&rig.lock);
    ASSERT(change->done.status == STATUS_OK);
    store_change_free(change);
}

static void prepare(void) {
    log_set_level(LOG_ERROR);
    snprintf(rig.directory, sizeof rig.directory, "/tmp/consentd-fuzz-XXXXXX");
    ASSERT(mkdtemp(rig.directory) != NULL);
    ASSERT(clock_init_injected(&rig.clock, SPAN("2026-03-12T10:00:00Zx0")) == STATUS_OK);
    pthread_mutex_init(&rig.lock, NULL);
    pthread_cond_init(&rig.woken, NULL);
    load_pack();
    load_issuer();
    open_store();
    for (int i = 0; i < 5; i++) {
        make_consent(i);
    }
    atexit(forget);
}

static struct span header_of(const struct api_call *call, const char *name) {
    for (uint32_t i = 0; i < call->response.header_count; i++) {
        if (span_is(call->response.headers[i].name, name)) {
            return call->response.headers[i].value;
        }
    }
    return SPAN_NONE;
}

static void drain(struct api_call *call) {
    struct api_stream *stream = call->response.stream;
    bool more = true;
    while (more) {
        size_t before = call->response.body.size;
        more = stream->next(stream, &call->response.body);
        ASSERT(!more || call->response.body.size > before);
    }
    stream->release(stream);
}

static void check_json(struct span body, bool page) {
    json_t *json = json_loadb(body.data, body.size, JSON_REJECT_DUPLICATES, NULL);
    ASSERT(json_is_object(json));
    json_t *items = json_object_get(json, "items");
    ASSERT(!page || (json_is_array(items) && json_array_size(items) <= 500));
    json_decref(json);
}

static bool is_page(struct span path) {
    return span_is(path, "/v1/consents") || span_is(path, "/v1/audit/events");
}

static void check(struct api_call *call) {
    const struct api_response *response = &call->response;
    struct span type = header_of(call, "content-type");
    int status = response->status;
    ASSERT(status == 200 || status == 304 || status == 400 || status == 403 || status == 404 ||
           status == 405 || status == 406);
    if (response->stream != NULL) {
        ASSERT(status == 200 && span_is(type, "application/x-ndjson"));
        drain(call);
    } else if (span_is(type, "application/json") || span_is(type, "application/problem+json")) {
        ASSERT((status == 200) == span_is(type, "application/json"));
        struct span body = span_present(response->fixed_body) ? response->fixed_body
                                                              : buffer_span(&response->body);
        check_json(body, status == 200 && is_page(call->path));
    }
}

/* Asks; returns the target of Link: rel="next" as heap text that the caller frees, or NULL. */
static char *ask(struct span target, uint8_t mode) {
    static const char *const ACCEPTS[] = {"application/json", "application/x-ndjson", "*/*", ""};
    struct arena arena = {0};
    const char *mark = target.size > 0 ? memchr(target.data, '?', target.size) : NULL;
    size_t path_size = mark != NULL ? (size_t)(mark - target.data) : target.size;
    const struct api_header headers[] = {
        {SPAN("authorization"), rig.authorization},
        {SPAN("accept"), span_of_text(ACCEPTS[mode % 4])},
        {SPAN("if-none-match"), SPAN("\"7\"")},
    };
    struct api_call call = {.loop = &rig.loop,
                            .method = (mode & 4) != 0 ? SPAN("HEAD") : SPAN("GET"),
                            .path = span_of(target.data, path_size),
                            .query = mark != NULL ? span_of(mark + 1, target.size - path_size - 1)
                                                  : SPAN(""),
                            .headers = headers,
                            .header_count = 3,
                            .peer = SPAN("127.0.0.1"),
                            .peer_is_loopback = true,
                            .request_id = SPAN("r"),
                            .arena = &arena};
    ASSERT(api_handle(&call) == API_DONE);
    check(&call);
    struct span link = header_of(&call, "link");
    char *next = NULL;
    if (span_present(link)) {
        const char *end = memchr(link.data, '>', link.size);
        ASSERT(link.data[0] == '<' && end != NULL);
        ASSERT(span_is(span_of(end, link.size - (size_t)(end - link.data)), ">; rel=\"next\""));
        next = mem_copy_text(span_of(link.data + 1, (size_t)(end - link.data) - 1));
    }
    buffer_release(&call.response.body);
    arena_release(&arena);
    return next;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (rig.store == NULL) {
        prepare();
    }
    if (size == 0) {
        return 0;
    }
    uint8_t mode = data[0];
    char *target = mem_copy_text(span_of((const char *)data + 1, size - 1));
    struct span text = span_of(target, size - 1);
    char *next = ask(text, mode);
    mem_free(target);
    /* Seven entries of the log and five consents: a walk ends after as many pages. */
    for (int pages = 0; next != NULL; pages++) {
        ASSERT(pages < 8);
        target = next;
        next = ask(span_of_text(target), mode);
        mem_free(target);
    }
    return 0;
}
