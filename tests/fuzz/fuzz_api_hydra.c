/* Any bytes as the body of Hydra's token hook: refused as a problem, denied with a reason, or let
 * through; and only for the client whose consent is active does a session pass that names one,
 * with the claims that jansson finds in it and the id of the consent of today. Two ids stand for
 * consents of one arrangement that are made anew in each run: OLD was superseded by NEW. */
// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>

#include <jansson.h>

#include "api/handlers.h"
#include "tests/fuzz/support_store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OLD "00000000-0000-7000-8000-00000000001d"
#define NEW "00000000-0000-7000-8000-000000000e10"
#define TENANT "https://directory.example/edp"
#define APP "https://directory.example/app"
#define LICENSE                                                                             \
    "https://registry.core.trust.ib1.org/scheme/perseus/license/energy-consumption-edp-cap" \
    "/2026-03-12"
#define MONTH_MS (INT64_C(30) * 86400000)

static struct api_tenant_setting tenant = {.tenant = SPAN(TENANT)};
static struct api_settings settings = {.public_url = SPAN("https://consent.example")};
static struct api_service service;
static struct api_loop loop;
static char old_id[UUID_TEXT_SIZE + 1], new_id[UUID_TEXT_SIZE + 1];

/* ---- a consent and what renewed it */

static struct store_change *draft(enum store_op op) {
    static const struct span purpose = SPAN("estimate-emissions");
    static const struct policy_permission_ask permission = {
        .code = SPAN("electricity.import.halfhourly")};
    struct store_change *change = store_change_new();
    change->op = op;
    change->tenant = change->actor = change->draft.provider = SPAN(TENANT);
    change->pack = rig.pack;
    change->draft.client = SPAN(APP);
    change->draft.account = SPAN("a-1");
    change->draft.data_available_from = INT64_MIN;
    change->draft.ask = (struct policy_admission){
        .license = SPAN(LICENSE),
        .purposes = &purpose,
        .purpose_count = 1,
        .permissions = &permission,
        .permission_count = 1,
        .granted = true,
        .granted_at = store_time_ms(rig.store),
        .expires = store_time_ms(rig.store) + MONTH_MS,
        .data_from = INT64_MIN,
        .data_to = INT64_MIN,
        .asserted_by_client = true,
        .notice = {.shown_at = INT64_MIN},
    };
    change->draft.terms_json = SPAN("\"expires\":\"x\"");
    change->draft.grant_json = SPAN("\"method\":\"assertedByClient\"");
    change->draft.account_json = SPAN("\"account\":\"a-1\"");
    return change;
}

/* Its answer, with the id of the consent as text. */
static struct uuid written(struct store_change *change, char *text) {
    struct store_consent consent;
    struct store_change *answer;
    ASSERT(store_submit(rig.store, 0, change) == STATUS_OK);
    while ((answer = store_take(rig.store, 0)) == NULL)
        ;
    ASSERT(answer == change && change->done.status == STATUS_OK);
    ASSERT(store_read_begin(loop.reader) == STATUS_OK);
    ASSERT(store_consent_by_index(loop.reader, change->done.consent, &consent) == STATUS_OK);
    store_read_end(loop.reader);
    store_change_free(change);
    uuid_to_text(&consent.id, text);
    return consent.id;
}

static void close_reader(void) {
    api_loop_release(&loop);
    store_reader_close(loop.reader);
}

static void prepare(void) {
    rig_open_default();
    ASSERT(store_pack_activate(rig.store, rig.pack) == STATUS_OK);
    ASSERT(store_reader_open(rig.store, &loop.reader) == STATUS_OK);
    loop.service = &service;
    service.store = rig.store;
    atomic_init(&service.pack, rig.pack);
    atomic_init(&service.settings, &settings);
    atexit(close_reader); /* runs before the store is closed */
    struct uuid id = written(draft(STORE_CREATE), old_id);
    struct store_change *renewal = draft(STORE_RENEW);
    renewal->id = id;
    (void)written(renewal, new_id);
}

/* ---- what the answer may be */

static void put(char *body, size_t size, const char *placeholder, const char *id) {
    char *at = body;
    while ((at = memmem(at, size - (size_t)(at - body), placeholder, UUID_TEXT_SIZE)) != NULL)
        memcpy(at, id, UUID_TEXT_SIZE);
}

static const char *text_in(const json_t *object, const char *name) {
    return json_string_value(json_object_get(object, name));
}

static bool is_id(const char *text, const char *id) {
    return text != NULL && strcasecmp(text, id) == 0;
}

/* As the document says it, told from the body as jansson reads it. */
static void check_passed(const json_t *body, bool replaced) {
    const json_t *session = json_object_get(body, "session");
    const json_t *request = json_object_get(body, "request");
    const char *named = text_in(json_object_get(session, "extra"), "consent_id");
    const json_t *metadata = json_object_get(json_object_get(request, "client"), "metadata");
    const char *client = text_in(metadata, "directory_url");
    if (json_object_get(json_object_get(session, "extra"), "consent_id") == NULL) {
        const char *grant;
        json_t *item;
        size_t i;
        json_array_foreach(json_object_get(request, "grant_types"), i, item) {
            grant = json_string_value(item);
            ASSERT(strcmp(grant, "client_credentials") == 0 || strstr(grant, "jwt-bearer") != NULL);
        }
        ASSERT(!replaced);
        return;
    }
    ASSERT(is_id(named, replaced ? old_id : new_id));
    ASSERT(strcmp(client != NULL ? client : text_in(request, "client_id"), APP) == 0);
}

/* What was in the session is in the answer, but for the id. */
static void check_claims(const json_t *body, const json_t *answer) {
    const json_t *session = json_object_get(body, "session");
    json_t *extra = json_deep_copy(json_object_get(session, "extra"));
    const json_t *claims = json_object_get(json_object_get(session, "id_token"), "id_token_claims");
    const json_t *ext = json_object_get(claims, "ext");
    json_t *expected = json_pack("{s:{s:o,s:o}}", "session", "access_token", extra, "id_token",
                                 json_is_object(ext) ? json_deep_copy(ext) : json_object());
    json_object_set_new(extra, "consent_id", json_string(new_id));
    ASSERT(json_equal(expected, answer));
    json_decref(expected);
}

static void check(const struct api_response *response, struct span body) {
    json_t *read = json_loadb(body.data, body.size, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
    struct span said = buffer_span(&response->body);
    json_t *answer = json_loadb(said.data, said.size, JSON_ALLOW_NUL, NULL);
    ASSERT((answer == NULL) == (response->status == 204));
    switch (response->status) {
    case 200:
        check_claims(read, answer);
        check_passed(read, true);
        break;
    case 204:
        check_passed(read, false);
        break;
    case 403:
        ASSERT(text_in(answer, "error_description") != NULL);
        break;
    default:
        ASSERT(response->status == 400 && text_in(answer, "detail") != NULL);
    }
    json_decref(answer);
    json_decref(read);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (rig.store == NULL)
        prepare();
    char *body = malloc(size + 1);
    ASSERT(body != NULL);
    if (size != 0)
        memcpy(body, data, size);
    put(body, size, OLD, old_id);
    put(body, size, NEW, new_id);
    struct arena arena = {0};
    struct api_call call = {.loop = &loop,
                            .arena = &arena,
                            .method = SPAN("POST"),
                            .path = SPAN("/hooks/hydra/token"),
                            .body = span_of(body, size),
                            .state = &tenant};
    ASSERT(api_hydra_token(&call) == API_DONE);
    check(&call.response, call.body);
    buffer_release(&call.response.body);
    arena_release(&arena);
    free(body);
    return 0;
}
