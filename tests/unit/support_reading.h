/* A world to read from: a real store in a temporary directory, the default pack, real development
 * tokens, and calls that go in at api_handle and come out as a response. The clock stands still
 * until it is moved. One world per test; helpers end the test when they fail. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_SUPPORT_READING_H
#define TESTS_UNIT_SUPPORT_READING_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "api/api.h"
#include "auth/dev.h"
#include "auth/signer.h"
#include "base/log.h"
#include "policy/admission.h"

#define UNUSED __attribute__((unused))

#define T0 "2026-03-12T10:00:00Z"
#define T0_OUT "2026-03-12T10:00:00.000Z"
#define EXPIRES_OUT "2026-04-11T10:00:00.000Z" /* 30 days later */
#define EDP "https://directory.example/member/edp-1"
#define OTHER_EDP "https://directory.example/member/edp-2"
#define APP "https://directory.example/app/cap-1"
#define OTHER_APP "https://directory.example/app/cap-2"
#define FSP "https://directory.example/app/fsp-1"
#define AUDITOR "https://auditor.example/app"
#define PERSEUS "https://registry.core.trust.ib1.org/scheme/perseus/license/"
#define CONSUMPTION PERSEUS "energy-consumption-edp-cap/2026-03-12"
#define COMBINED PERSEUS "energy-consumption-emissions-edp-cap-fsp/2026-03-12"
#define PUBLIC_URL "https://consent.example.com"
#define DAY_MS INT64_C(86400000)

struct world {
    char directory[64];
    struct clock clock;
    struct policy_pack *pack;
    struct auth_keys *keys;
    struct api_settings settings;
    struct auth_signer *receipts;
    struct store *store;
    struct api_service service;
    struct api_loop loop;
    struct arena arena; /* calls, tokens and replies of the test */
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool draining;
    unsigned requests;
};

UNUSED static void world_wake(void *context, unsigned loop) {
    struct world *w = context;
    (void)loop;
    pthread_mutex_lock(&w->lock);
    pthread_cond_signal(&w->woken);
    pthread_mutex_unlock(&w->lock);
}

UNUSED static void world_failed(void *context) {
    (void)context;
    fail_msg("the store failed");
}

UNUSED static void world_metrics(void *context, struct buffer *out) {
    (void)context;
    buffer_append_text(out, "consentd_up 1\n");
}

UNUSED static bool world_draining(void *context) {
    return ((struct world *)context)->draining;
}

UNUSED static struct policy_pack *world_pack(void) {
    struct policy_error error;
    struct policy_pack *pack = NULL;
    struct buffer json = {0};
    FILE *file = fopen("policy/packs/perseus-2026-03-12.json", "rb");
    assert_non_null(file);
    size_t got;
    while ((got = fread(buffer_reserve(&json, 4096), 1, 4096, file)) > 0) {
        json.size += got;
    }
    fclose(file);
    if (policy_pack_load(buffer_span(&json), &pack, &error) != STATUS_OK) {
        fail_msg("pack: %s: %s", error.pointer, error.detail);
    }
    buffer_release(&json);
    return pack;
}

UNUSED static void world_open_store(struct world *w) {
    char why[256] = "";
    struct store_options options = {.directory = w->directory,
                                    .origin = "example.com/log",
                                    .create = true,
                                    .map_size = UINT64_C(1) << 30,
                                    .loops = 1,
                                    .clock = &w->clock,
                                    .wake = world_wake,
                                    .failed = world_failed,
                                    .context = w};
    if (store_open(&options, &w->store, why, sizeof why) != STATUS_OK) {
        fail_msg("store_open: %s", why);
    }
    assert_int_equal(store_pack_activate(w->store, w->pack), STATUS_OK);
}

UNUSED static void world_load_keys(struct world *w) {
    char why[256] = "";
    struct auth_issuer issuer;
    if (auth_dev_create(w->directory, why, sizeof why) != STATUS_OK ||
        auth_dev_issuer_fill(w->directory, &w->arena, &issuer) != STATUS_OK ||
        auth_keys_load(&issuer, 1, &w->keys, why, sizeof why) != STATUS_OK) {
        fail_msg("keys: %s", why);
    }
    struct span file = arena_format(&w->arena, "%s/receipt.pem", w->directory);
    if (auth_signer_load_or_make(file.data, &w->receipts, why, sizeof why) != STATUS_OK) {
        fail_msg("receipts: %s", why);
    }
}

UNUSED static int world_setup(void **state) {
    struct world *w = mem_alloc_zeroed(1, sizeof *w);
    snprintf(w->directory, sizeof w->directory, "/tmp/consentd-test-XXXXXX");
    assert_non_null(mkdtemp(w->directory));
    assert_int_equal(clock_init_injected(&w->clock, SPAN(T0 "x0")), STATUS_OK);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->woken, NULL);
    log_set_level(LOG_ERROR + 1);
    w->pack = world_pack();
    world_load_keys(w);
    world_open_store(w);
    w->settings = (struct api_settings){.public_url = SPAN(PUBLIC_URL)};
    w->service.store = w->store;
    w->service.receipts = w->receipts;
    w->service.version = "0.0.0-test";
    w->service.context = w;
    w->service.metrics = world_metrics;
    w->service.draining = world_draining;
    atomic_store(&w->service.keys, w->keys);
    atomic_store(&w->service.pack, w->pack);
    atomic_store(&w->service.settings, &w->settings);
    w->loop = (struct api_loop){.service = &w->service, .auth = auth_loop_new()};
    assert_int_equal(store_reader_open(w->store, &w->loop.reader), STATUS_OK);
    *state = w;
    return 0;
}

UNUSED static int world_teardown(void **state) {
    struct world *w = *state;
    char command[128];
    api_loop_release(&w->loop);
    store_reader_close(w->loop.reader);
    store_close(w->store);
    auth_loop_free(w->loop.auth);
    auth_keys_free(w->keys);
    auth_signer_free(w->receipts);
    policy_pack_free(w->pack);
    arena_release(&w->arena);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->woken);
    snprintf(command, sizeof command, "rm -r %s", w->directory);
    int failed = system(command);
    mem_free(w);
    return failed;
}

/* Moves the clock; it stands still in between. */
UNUSED static void world_set_time(struct world *w, const char *time) {
    int64_t now;
    assert_int_equal(timestamp_parse(span_of_text(time), &now), STATUS_OK);
    w->clock.start_ms = now;
}

/* ---- writing, past the api's writing side: drafts as it hands them to the store */

/* Waits for answers of the writer: a list. */
UNUSED static struct store_change *world_await(struct world *w) {
    struct store_change *answer;
    pthread_mutex_lock(&w->lock);
    while ((answer = store_take(w->store, 0)) == NULL) {
        pthread_cond_wait(&w->woken, &w->lock);
    }
    pthread_mutex_unlock(&w->lock);
    return answer;
}

UNUSED static enum status world_run(struct world *w, struct store_change *change) {
    assert_int_equal(store_submit(w->store, 0, change), STATUS_OK);
    struct store_change *answer = world_await(w);
    assert_ptr_equal(answer, change);
    return answer->done.status;
}

/* A consent to make; absent texts have the defaults of make_draft. */
struct making {
    const char *tenant, *provider, *client, *account, *license, *purpose, *permission;
    const char *resource, *external_id;
    const char *terms_more;    /* further members of the terms, with a comma in front */
    const char *grant_private; /* instead of by and ip */
    bool requested;            /* without grant and account */
    const char *expires;
    const struct store_group *groups;
    uint32_t group_count;
    const char *token_of; /* the first token, its digest made from this text */
};

UNUSED static struct span kept(struct store_change *change, const char *text,
                               const char *otherwise) {
    return arena_copy(&change->arena, span_of_text(text != NULL ? text : otherwise));
}

UNUSED static int64_t time_of(const char *text) {
    int64_t time;
    assert_int_equal(timestamp_parse(span_of_text(text), &time), STATUS_OK);
    return time;
}

UNUSED static struct store_token *token_named(struct store_change *change, const char *name) {
    struct store_token *token = arena_array(&change->arena, 1, sizeof *token);
    token->digest = digest_sha256(span_of_text(name));
    token->issued_at = time_of(T0);
    token->expires = time_of(T0) + DAY_MS;
    return token;
}

UNUSED static struct policy_admission make_ask(struct world *w, struct store_change *change,
                                               const struct making *m) {
    struct span *purposes = arena_array(&change->arena, 1, sizeof *purposes);
    struct policy_permission_ask *permissions = arena_array(&change->arena, 1, sizeof *permissions);
    struct span *resources = arena_array(&change->arena, 1, sizeof *resources);
    struct span *onward = arena_array(&change->arena, 1, sizeof *onward);
    bool combined = m->license != NULL && strcmp(m->license, COMBINED) == 0;
    purposes[0] = kept(change, m->purpose, "estimate-emissions");
    permissions[0].code = kept(change, m->permission, "electricity.import.halfhourly");
    permissions[0].resources = resources;
    permissions[0].resource_count = m->resource != NULL;
    resources[0] = kept(change, m->resource, "");
    onward[0] = SPAN(FSP);
    return (struct policy_admission){
        .license = kept(change, m->license, CONSUMPTION),
        .purposes = purposes,
        .purpose_count = 1,
        .permissions = permissions,
        .permission_count = 1,
        .onward = onward,
        .onward_count = combined ? 1 : 0,
        .granted = !m->requested,
        .granted_at = m->requested ? INT64_MIN : store_time_ms(w->store),
        .expires = m->expires != NULL ? time_of(m->expires) : store_time_ms(w->store) + 30 * DAY_MS,
        .data_from = INT64_MIN,
        .data_to = INT64_MIN,
        .asserted_by_client = true,
        .notice = {.shown_at = INT64_MIN},
    };
}

UNUSED static void make_draft(struct world *w, struct store_change *change,
                              const struct making *m) {
    struct store_draft *d = &change->draft;
    char expires[TIMESTAMP_SIZE + 1];
    d->ask = make_ask(w, change, m);
    timestamp_format(d->ask.expires, expires);
    d->provider = m->provider != NULL ? kept(change, m->provider, "") : change->tenant;
    d->client = kept(change, m->client, APP);
    d->external_id = m->external_id != NULL ? kept(change, m->external_id, "") : SPAN_NONE;
    d->data_available_from = INT64_MIN;
    d->groups = m->groups;
    d->group_count = m->group_count;
    d->terms_json = arena_format(&change->arena,
                                 "%s%s%s"
                                 "\"purposes\":[\"%.*s\"],\"permissions\":[{\"code\":\"%.*s\"}],"
                                 "\"principal\":{\"type\":\"unknown\"},\"expires\":\"%s\"%s",
                                 m->external_id != NULL ? "\"externalId\":\"" : "",
                                 m->external_id != NULL ? m->external_id : "",
                                 m->external_id != NULL ? "\"," : "", SPAN_ARG(d->ask.purposes[0]),
                                 SPAN_ARG(d->ask.permissions[0].code), expires,
                                 m->terms_more != NULL ? m->terms_more : "");
    if (m->requested) {
        return;
    }
    d->account = kept(change, m->account, "acc-1");
    d->account_json = arena_format(&change->arena, "\"account\":\"%.*s\"", SPAN_ARG(d->account));
    d->grant_json = arena_format(&change->arena,
                                 "\"at\":\"%s\",\"method\":\"assertedByClient\","
                                 "\"notice\":{\"url\":\"https://n.example\",\"language\":\"en\","
                                 "\"substitutions\":{\"[x]\":\"y\"},\"renderedDigest\":\"abc\"}",
                                 T0_OUT);
    d->grant_private_json =
        kept(change, m->grant_private,
             "\"by\":{\"ref\":\"person-1\",\"authority\":\"director\"},\"ip\":\"192.0.2.1\"");
    if (m->token_of != NULL) {
        d->tokens = token_named(change, m->token_of);
        d->token_count = 1;
    }
}

UNUSED static struct store_change *change_for(struct world *w, enum store_op op,
                                              const char *actor) {
    struct store_change *change = store_change_new();
    change->op = op;
    change->tenant = change->actor = kept(change, actor, EDP);
    change->pack = w->pack;
    return change;
}

/* Runs and frees the change; returns what a snapshot shows of its consent, without the tail. */
UNUSED static struct store_consent world_done(struct world *w, struct store_change *change) {
    struct store_consent consent;
    enum status status = world_run(w, change);
    if (status != STATUS_OK) {
        fail_msg("%s: %s", status_name(status), change->detail);
    }
    assert_int_equal(store_read_begin(w->loop.reader), STATUS_OK);
    assert_int_equal(store_consent_by_index(w->loop.reader, change->done.consent, &consent),
                     STATUS_OK);
    store_read_end(w->loop.reader);
    consent.tail = SPAN_NONE;
    store_change_free(change);
    return consent;
}

UNUSED static struct store_consent make(struct world *w, struct making m) {
    struct store_change *change = change_for(w, STORE_CREATE, m.tenant);
    make_draft(w, change, &m);
    return world_done(w, change);
}

/* At least `least` consents of as many accounts of EDP, and nothing else to say about them. */
UNUSED static void make_crowd(struct world *w, int least) {
    enum { BATCH = 500 };
    for (int made = 0; made < least; made += BATCH) {
        for (int i = 0; i < BATCH; i++) {
            char account[16];
            snprintf(account, sizeof account, "%d", made + i);
            struct store_change *change = change_for(w, STORE_CREATE, NULL);
            make_draft(w, change, &(struct making){.account = account});
            assert_int_equal(store_submit(w->store, 0, change), STATUS_OK);
        }
        for (int answered = 0; answered < BATCH;) {
            struct store_change *answer = world_await(w);
            for (struct store_change *following; answer != NULL; answer = following, answered++) {
                following = answer->next;
                assert_int_equal(answer->done.status, STATUS_OK);
                store_change_free(answer);
            }
        }
    }
}

UNUSED static struct store_consent end(struct world *w, const struct store_consent *consent,
                                       const char *code, enum consent_state leads_to,
                                       const char *text_json) {
    struct store_change *change = change_for(w, STORE_END, NULL);
    change->id = consent->id;
    change->reason.code = kept(change, code, "");
    change->reason.leads_to = leads_to;
    change->reason.by = CONSENT_BY_ACCOUNT_HOLDER;
    change->reason.text_json = kept(change, text_json, "");
    return world_done(w, change);
}

UNUSED static struct store_consent add_token(struct world *w, const struct store_consent *consent,
                                             const char *name) {
    struct store_change *change = change_for(w, STORE_TOKENS, NULL);
    change->id = consent->id;
    change->tokens = token_named(change, name);
    change->token_count = 1;
    return world_done(w, change);
}

UNUSED static struct store_consent add_proofs(struct world *w, const struct store_consent *consent,
                                              const char *json) {
    struct store_change *change = change_for(w, STORE_PROOFS, NULL);
    change->id = consent->id;
    change->proofs_json = kept(change, json, "");
    return world_done(w, change);
}

/* ---- who asks: the Authorization header of a token for the next ten years */

struct who {
    const char *role, *id, *member, *scope, *provider;
};
#define AS_EDP ((struct who){.role = "tenant", .id = EDP})
#define AS_OTHER_EDP ((struct who){.role = "tenant", .id = OTHER_EDP})
#define AS_APP ((struct who){.role = "client", .id = APP})
#define AS_OTHER_APP ((struct who){.role = "client", .id = OTHER_APP})
#define AS_AUDITOR ((struct who){.role = "auditor", .id = AUDITOR, .provider = EDP})
#define AS_EVERYBODYS_AUDITOR ((struct who){.role = "auditor", .id = AUDITOR, .provider = "*"})
#define AS_ADMIN ((struct who){.role = "admin", .id = EDP})
#define AS_NOBODY ((struct who){.role = NULL})

UNUSED static struct span authorization(struct world *w, const struct who *who) {
    char why[256] = "";
    struct span provider = span_of_text(who->provider);
    struct buffer out = {0};
    struct auth_dev_request request = {.role = span_of_text(who->role),
                                       .id = span_of_text(who->id),
                                       .member = span_of_text(who->member),
                                       .scope = span_of_text(who->scope),
                                       .providers = &provider,
                                       .provider_count = who->provider != NULL,
                                       .issued_at_s = time_of(T0) / 1000,
                                       .expires_s = time_of(T0) / 1000 + 10 * 365 * 86400};
    buffer_append_text(&out, "Bearer ");
    if (auth_dev_mint(w->directory, &request, &out, why, sizeof why) != STATUS_OK) {
        fail_msg("token: %s", why);
    }
    struct span header = arena_copy(&w->arena, buffer_span(&out));
    buffer_release(&out);
    return header;
}

/* ---- asking */

struct asking {
    struct who as;
    const char *method;         /* NULL: GET */
    const char *target;         /* path and query */
    const char *body;           /* NULL: none; else it is JSON */
    const char *header, *value; /* one more */
    const char *request_id;
    bool from_afar;   /* the peer is not loopback */
    bool keep_stream; /* the caller reads and releases reply.stream */
};
struct reply {
    int status;
    struct api_header headers[API_RESPONSE_HEADERS_MAX];
    uint32_t header_count;
    struct span body; /* NUL-terminated, in the world's arena */
    struct api_stream *stream;
    bool streamed;
    uint32_t chunks;       /* of a stream */
    size_t chunk_size_max; /* bytes of the largest */
};

UNUSED static void drain(struct world *w, struct api_stream *stream, struct reply *reply) {
    struct buffer all = {0}, chunk = {0};
    bool more = true;
    while (more) {
        buffer_clear(&chunk);
        more = stream->next(stream, &chunk);
        assert_true(!more || chunk.size > 0); /* never an empty chunk before the end */
        reply->chunks++;
        if (chunk.size > reply->chunk_size_max) {
            reply->chunk_size_max = chunk.size;
        }
        buffer_append_span(&all, buffer_span(&chunk));
    }
    stream->release(stream);
    reply->streamed = true;
    reply->body = arena_copy(&w->arena, span_of(all.size > 0 ? all.data : "", all.size));
    buffer_release(&chunk);
    buffer_release(&all);
}

UNUSED static void take_response(struct world *w, struct api_call *call, struct reply *reply) {
    struct api_response *response = &call->response;
    reply->status = response->status;
    reply->header_count = response->header_count;
    for (uint32_t i = 0; i < response->header_count; i++) {
        reply->headers[i] = (struct api_header){arena_copy(&w->arena, response->headers[i].name),
                                                arena_copy(&w->arena, response->headers[i].value)};
    }
    if (span_present(response->fixed_body)) {
        reply->body = arena_copy(&w->arena, response->fixed_body);
    } else {
        struct span body = buffer_span(&response->body);
        reply->body = arena_copy(&w->arena, span_of(body.size > 0 ? body.data : "", body.size));
    }
    buffer_release(&response->body);
}

UNUSED static struct reply ask(struct world *w, struct asking asking) {
    struct reply reply = {0};
    struct arena arena = {0};
    struct api_header headers[4];
    struct span target = span_of_text(asking.target);
    const char *mark = memchr(target.data, '?', target.size);
    size_t path_size = mark != NULL ? (size_t)(mark - target.data) : target.size;
    struct api_call call = {
        .loop = &w->loop,
        .method = span_of_text(asking.method != NULL ? asking.method : "GET"),
        .path = span_of(target.data, path_size),
        .query = mark != NULL ? span_of(mark + 1, target.size - path_size - 1) : SPAN(""),
        .headers = headers,
        .body = span_of_text(asking.body != NULL ? asking.body : ""),
        .peer = SPAN("192.0.2.9"),
        .peer_is_loopback = !asking.from_afar,
        .request_id = span_of_text(asking.request_id != NULL ? asking.request_id : "r-1"),
        .arena = &arena,
    };
    if (asking.as.role != NULL || asking.as.scope != NULL) {
        headers[call.header_count++] =
            (struct api_header){SPAN("authorization"), authorization(w, &asking.as)};
    }
    if (asking.body != NULL) {
        headers[call.header_count++] =
            (struct api_header){SPAN("content-type"), SPAN("application/json")};
    }
    if (asking.header != NULL) {
        headers[call.header_count++] =
            (struct api_header){span_of_text(asking.header), span_of_text(asking.value)};
    }
    assert_int_equal(api_handle(&call), API_DONE);
    take_response(w, &call, &reply);
    arena_release(&arena);
    /* Nothing of the call is left: a stream lives on its own. */
    if (call.response.stream != NULL && asking.keep_stream) {
        reply.stream = call.response.stream;
    } else if (call.response.stream != NULL) {
        drain(w, call.response.stream, &reply);
    }
    return reply;
}

UNUSED static struct reply get(struct world *w, struct who as, const char *target) {
    return ask(w, (struct asking){.as = as, .target = target});
}

/* The header's value; "" when there is none. */
UNUSED static const char *header_of(const struct reply *reply, const char *name) {
    for (uint32_t i = 0; i < reply->header_count; i++) {
        if (span_is(reply->headers[i].name, name)) {
            return reply->headers[i].value.data;
        }
    }
    return "";
}

/* The body as JSON; the caller decrefs. */
UNUSED static json_t *json_of(const struct reply *reply) {
    json_error_t error;
    json_t *json = json_loadb(reply->body.data, reply->body.size, JSON_REJECT_DUPLICATES, &error);
    if (json == NULL) {
        fail_msg("%s in %s", error.text, reply->body.data);
    }
    return json;
}

UNUSED static const char *text_in(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

/* The reply is this problem. */
UNUSED static void assert_problem(const struct reply *reply, int http, const char *name) {
    char type[128];
    json_t *json = json_of(reply);
    snprintf(type, sizeof type, "%s/problems/%s", PUBLIC_URL, name);
    assert_string_equal(text_in(json, "type"), type);
    assert_int_equal(reply->status, http);
    assert_int_equal(json_integer_value(json_object_get(json, "status")), http);
    assert_string_equal(header_of(reply, "content-type"), "application/problem+json");
    json_decref(json);
}

/* "/v1/consents/" and the id, then more. In the world's arena. */
UNUSED static const char *path_of(struct world *w, const struct uuid *id, const char *more) {
    char text[UUID_TEXT_SIZE + 1];
    uuid_to_text(id, text);
    return arena_format(&w->arena, "/v1/consents/%s%s", text, more).data;
}

#endif
