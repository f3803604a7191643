/* Any bytes as the body of an AuthZEN request, of the kind that the first byte chooses: refused
 * with a sentence, or read into the entities that jansson finds there too; each question is within
 * its limits, is the same whether it is asked after others or alone, is answered by the policy, and
 * is answered alike when it is read again from what the log keeps of it; a search finds of what the
 * pack lists exactly what the policy permits when it is asked for each. */
// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>

#include <jansson.h>

#include "api/access_question.h"
#include "api/access_record.h"
#include "api/access_seek.h"
#include "base/encode.h"
#include "base/limits.h"
#include "tests/fuzz/support_store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW INT64_C(1773309600000) /* 2026-03-12T10:00:00Z */
static const char rules[] =
    "[{\"id\":\"d\",\"effect\":\"deny\",\"when\":["
    "{\"path\":\"subject.properties.role\",\"op\":\"startsWith\",\"value\":\"x\"},"
    "{\"path\":\"context.time\",\"op\":\"lt\",\"value\":5}]},"
    "{\"id\":\"p\",\"effect\":\"permit\",\"when\":["
    "{\"path\":\"subject.id\",\"op\":\"ne\",\"value\":\"mallory\"},"
    "{\"path\":\"subject.properties.deep.er\",\"op\":\"gte\",\"value\":1},"
    "{\"path\":\"action.properties.soft\",\"op\":\"eq\",\"value\":true},"
    "{\"path\":\"resource.id\",\"op\":\"ne\",\"value\":\"r-2\"},"
    "{\"path\":\"resource.properties.tags\",\"op\":\"subsetOf\",\"value\":[\"a\",\"b\"]}]},"
    "{\"id\":\"q\",\"effect\":\"permit\",\"when\":["
    "{\"path\":\"resource.properties.license\",\"op\":\"ne\",\"value\":\"l\"},"
    "{\"path\":\"context.time\",\"op\":\"exists\",\"value\":true}]}]";
static const char directory[] =
    "{\"subjects\":[{\"type\":\"user\",\"id\":\"alice\"},"
    "{\"type\":\"user\",\"id\":\"mallory\",\"properties\":{\"role\":\"xy\"}}],"
    "\"resources\":[{\"type\":\"record\",\"id\":\"r-1\",\"properties\":{\"tags\":[\"a\"]}},"
    "{\"type\":\"record\",\"id\":\"r-2\",\"properties\":{\"license\":\"l\"}}],"
    "\"actions\":[\"read\",\"write\"]}";

/* What searches are asked through. */
static struct api_service service;
static struct api_loop loop;

static void close_reader(void) {
    store_reader_close(loop.reader);
}

static void prepare(void) {
    json_t *json = json_load_file("tests/packs/every-member.json", 0, NULL);
    ASSERT(json_object_set_new(json, "directory", json_loads(directory, 0, NULL)) == 0);
    ASSERT(json_object_set_new(json, "rules", json_loads(rules, 0, NULL)) == 0);
    char *text = json_dumps(json, 0);
    rig_open(span_of_text(text));
    free(text);
    json_decref(json);
    ASSERT(store_pack_activate(rig.store, rig.pack) == STATUS_OK);
    service.store = rig.store;
    loop.service = &service;
    ASSERT(store_reader_open(rig.store, &loop.reader) == STATUS_OK);
    atexit(close_reader); /* runs before the store is closed */
}

/* ---- entities, against jansson's */

static bool has_text(struct span text, const json_t *value) {
    return json_is_string(value) &&
           span_equal(text, span_of(json_string_value(value), json_string_length(value)));
}

static void check_entity(const struct api_entity *entity, unsigned kind, const json_t *object) {
    if (entity == NULL) {
        ASSERT(object == NULL);
        return;
    }
    if (entity->wrong != NULL || entity->id_wrong != NULL)
        return;
    ASSERT(json_is_object(object));
    const json_t *id = json_object_get(object, kind == API_ACTION ? "name" : "id");
    if (kind == API_SUBJECT || kind == API_RESOURCE)
        ASSERT(has_text(entity->type, json_object_get(object, "type")));
    if (kind != API_CONTEXT && span_present(entity->id)) /* a search ignores it */
        ASSERT(has_text(entity->id, id));
    const json_t *properties = kind == API_CONTEXT ? object : json_object_get(object, "properties");
    ASSERT(span_present(entity->properties) == (properties != NULL));
    if (properties == NULL)
        return;
    json_t *read =
        json_loadb(entity->properties.data, entity->properties.size, JSON_ALLOW_NUL, NULL);
    ASSERT(json_equal(read, properties));
    json_decref(read);
}

static void check_entities(const struct api_access_body *body, const struct api_entities *entities,
                           const json_t *own, const json_t *defaults) {
    static const char *const names[] = {"subject", "action", "resource", "context"};
    for (unsigned i = 0; i < API_ENTITIES; i++) {
        const json_t *object = json_object_get(own, names[i]);
        if (object == NULL)
            object = json_object_get(defaults, names[i]);
        if (i != API_ACTION || body->kind != API_ACCESS_SEARCH_ACTION)
            check_entity(entities->of[i], i, object);
    }
}

/* ---- questions */

static bool same_span(struct span a, struct span b) {
    return span_present(a) == span_present(b) && span_equal(a, b);
}

static bool same_text(const char *a, const char *b) {
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static void compare_attributes(const struct policy_attribute *a, const struct policy_attribute *b) {
    for (uint32_t i = 0; i < policy_pack_slot_count(rig.pack); i++) {
        ASSERT(a[i].kind == b[i].kind && a[i].text_count == b[i].text_count);
        ASSERT(a[i].number == b[i].number && a[i].fraction == b[i].fraction);
        ASSERT(span_equal(a[i].text, b[i].text));
        for (uint32_t t = 0; t < a[i].text_count; t++)
            ASSERT(span_equal(a[i].texts[t], b[i].texts[t]));
    }
}

static void compare(const struct store_question *a, const struct store_question *b) {
    const struct policy_request *x = &a->ask, *y = &b->ask;
    ASSERT(a->about == b->about && same_text(x->malformed, y->malformed));
    ASSERT(uuid_equal(&a->consent, &b->consent));
    ASSERT(memcmp(&a->account, &b->account, sizeof a->account) == 0);
    ASSERT(same_span(a->client, b->client) && same_span(a->onward, b->onward));
    ASSERT(same_span(x->subject_type, y->subject_type) && span_equal(x->subject_id, y->subject_id));
    ASSERT(same_span(x->resource_type, y->resource_type));
    ASSERT(same_span(x->action_name, y->action_name));
    ASSERT(x->roles_known == y->roles_known && x->role_count == y->role_count);
    for (uint32_t i = 0; i < x->role_count; i++)
        ASSERT(span_equal(x->roles[i], y->roles[i]));
    ASSERT(x->has_purpose == y->has_purpose && (!x->has_purpose || x->purpose == y->purpose));
    ASSERT(x->has_permissions == y->has_permissions && x->permissions == y->permissions);
    ASSERT(x->unknown_permission == y->unknown_permission);
    ASSERT(x->resource_count == y->resource_count);
    for (uint32_t i = 0; i < x->resource_count; i++)
        ASSERT(memcmp(&x->resources[i], &y->resources[i], sizeof *x->resources) == 0);
    ASSERT(x->has_granularity == y->has_granularity);
    ASSERT(x->granularity.months == y->granularity.months &&
           x->granularity.seconds == y->granularity.seconds);
    ASSERT(x->from == y->from && x->to == y->to && same_span(x->license, y->license));
    ASSERT(x->has_onward == y->has_onward && same_span(x->territory, y->territory));
    compare_attributes(x->attributes, y->attributes);
}

static void check_text(struct span text, size_t most) {
    ASSERT(text.size <= most && encode_utf8_valid(text)); /* which also refuses NUL */
}

static bool is_time(int64_t time_ms) {
    return time_ms == INT64_MIN || (time_ms >= 0 && time_ms <= TIMESTAMP_MAX);
}

static void check_limits(const struct store_question *question) {
    const struct policy_request *ask = &question->ask;
    check_text(question->client, LIMIT_URL);
    check_text(question->onward, LIMIT_URL);
    check_text(ask->subject_type, LIMIT_URL);
    check_text(ask->action_name, LIMIT_URL);
    check_text(ask->resource_type, LIMIT_URL);
    check_text(ask->resource_id,
               question->about == STORE_ABOUT_ACCOUNT ? LIMIT_ACCOUNT : LIMIT_TEXT);
    check_text(ask->license, LIMIT_URL);
    check_text(ask->territory, LIMIT_URL);
    ASSERT(ask->role_count <= LIMIT_ROLES && ask->resource_count <= LIMIT_RESOURCES);
    for (uint32_t i = 0; i < ask->role_count; i++)
        check_text(ask->roles[i], LIMIT_URL);
    ASSERT(ask->permissions >> policy_pack_permission_count(rig.pack) == 0);
    ASSERT(ask->purpose >= -1 && ask->purpose < (int)policy_pack_purpose_count(rig.pack));
    ASSERT(!ask->has_permissions || ask->permissions != 0 || ask->unknown_permission);
    ASSERT(is_time(ask->from) && is_time(ask->to));
}

/* What the log keeps, read again. */
static void check_record(struct arena *arena, const struct store_question *question,
                         const struct policy_decision *decision) {
    struct store_inquiry inquiry = {.question = *question};
    struct store_question again;
    struct policy_decision second;
    api_access_record_write(rig.pack, arena, &inquiry);
    struct span payload =
        arena_format(arena, "{\"body\":{\"request\":{%.*s}}}", SPAN_ARG(inquiry.request_json));
    struct span personal = arena_format(arena, "{%.*s}", SPAN_ARG(inquiry.personal_json));
    ASSERT(api_access_record_read(rig.pack, arena, payload, personal, &again) == STATUS_OK);
    compare(question, &again);
    policy_decide(rig.pack, NULL, &again.ask, NOW, &second);
    ASSERT(decision->denials == second.denials && decision->rule == second.rule);
}

static void check_question(struct api_access_asker *asker, const struct api_entities *entities) {
    struct api_access_asker alone = {.arena = asker->arena,
                                     .store = rig.store,
                                     .pack = rig.pack,
                                     .tenant = asker->tenant,
                                     .client_id = asker->client_id};
    struct api_access_ask ask, again;
    struct policy_decision decision;
    api_access_question(asker, entities, &ask);
    api_access_question(&alone, entities, &again);
    compare(&ask.question, &again.question);
    ASSERT(ask.record == again.record && ask.explain == again.explain);
    check_limits(&ask.question);
    policy_decide(rig.pack, NULL, &ask.question.ask, NOW, &decision);
    ASSERT(!decision.permitted ||
           (ask.question.ask.malformed == NULL && ask.question.about == STORE_ABOUT_RULES));
    check_record(asker->arena, &ask.question, &decision);
}

/* ---- searches */

static enum api_entity_kind sought_by(enum api_access_kind kind) {
    return kind == API_ACCESS_SEARCH_SUBJECT    ? API_SUBJECT
           : kind == API_ACCESS_SEARCH_RESOURCE ? API_RESOURCE
                                                : API_ACTION;
}

/* Whether the policy permits what is asked with this id or name in the place of what is sought. */
static bool is_permitted(struct api_access_asker *asker, const struct api_access_body *body,
                         struct span id) {
    struct api_entities entities = body->defaults;
    struct api_entity *candidate = arena_array(asker->arena, 1, sizeof *candidate);
    struct api_access_ask ask;
    struct policy_decision decision;
    if (entities.of[sought_by(body->kind)] != NULL)
        *candidate = *entities.of[sought_by(body->kind)];
    candidate->id = id;
    entities.of[sought_by(body->kind)] = candidate; /* a new one: the asker reads each once */
    api_access_question(asker, &entities, &ask);
    policy_decide(rig.pack, NULL, &ask.question.ask, NOW, &decision);
    return decision.permitted;
}

static bool is_among(const json_t *results, const char *member, const char *id) {
    for (size_t i = 0; i < json_array_size(results); i++)
        if (strcmp(json_string_value(json_object_get(json_array_get(results, i), member)), id) == 0)
            return true;
    return false;
}

/* Of the ids that the directory has for what is sought, if it has the type. */
static void check_found(struct api_access_asker *asker, const struct api_access_body *body,
                        const json_t *results) {
    static const char *const ids[][2] = {{"alice", "mallory"}, {"read", "write"}, {"r-1", "r-2"}};
    static const char *const types[] = {"user", NULL, "record"};
    enum api_entity_kind sought = sought_by(body->kind);
    const char *member = sought == API_ACTION ? "name" : "id";
    bool listed = types[sought] == NULL || span_is(body->defaults.of[sought]->type, types[sought]);
    size_t found = 0;
    for (unsigned i = 0; i < 2; i++) {
        bool expected = listed && is_permitted(asker, body, span_of_text(ids[sought][i]));
        ASSERT(is_among(results, member, ids[sought][i]) == expected);
        found += expected;
    }
    ASSERT(json_array_size(results) == found);
}

static void check_search(struct api_access_asker *asker, const struct api_access_body *body) {
    struct api_call call = {.loop = &loop, .arena = asker->arena};
    struct api_access_ask ask;
    struct buffer text = {0};
    struct json_out out = json_out_to(&text);
    struct api_seeking seeking = {.call = &call,
                                  .pack = rig.pack,
                                  .kind = body->kind,
                                  .asked = &ask.question,
                                  .limit = 2,
                                  .out = &out};
    api_access_question(asker, &body->defaults, &ask);
    json_out_array_begin(&out);
    ASSERT(store_read_begin(loop.reader) == STATUS_OK);
    ASSERT(api_access_seek(&seeking) == STATUS_OK);
    store_read_end(loop.reader);
    json_out_array_end(&out);
    json_t *results = json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES, NULL);
    ASSERT(json_is_array(results) && json_array_size(results) == seeking.count && !seeking.more);
    ASSERT(ask.question.about == STORE_ABOUT_RULES || seeking.count == 0); /* the store is empty */
    if (ask.question.about == STORE_ABOUT_RULES)
        check_found(asker, body, results);
    json_decref(results);
    buffer_release(&text);
}

/* A search asks about one candidate after the other. */
static void check_candidate(struct api_access_asker *asker, const struct api_access_body *body) {
    enum api_entity_kind sought = sought_by(body->kind);
    struct api_entities entities = body->defaults;
    struct api_entity candidate = {.type = SPAN_NONE};
    if (body->kind >= API_ACCESS_SEARCH_SUBJECT) {
        if (entities.of[sought] != NULL)
            candidate = *entities.of[sought];
        ASSERT(!span_present(candidate.id));
        candidate.id = SPAN("candidate");
        entities.of[sought] = &candidate;
    }
    check_question(asker, &entities);
    if (body->kind >= API_ACCESS_SEARCH_SUBJECT)
        check_search(asker, body);
}

/* ---- a request */

static void check_body(const struct api_access_body *body, struct arena *arena,
                       const json_t *json) {
    const struct json_t *evaluations = json_object_get(json, "evaluations");
    struct api_access_asker asker = {.arena = arena,
                                     .store = rig.store,
                                     .pack = rig.pack,
                                     .tenant = SPAN("https://directory.example/member/edp-1"),
                                     .client_id = SPAN("https://directory.example/app")};
    uint32_t count = 0;
    bool batch = body->kind == API_ACCESS_EVALUATIONS;
    ASSERT(body->page_limit <= LIMIT_PAGE && body->item_count <= LIMIT_EVALUATIONS);
    ASSERT(batch || (body->items == NULL && body->batch_end == STORE_BATCH_ALL));
    if (json != NULL)
        check_entities(body, &body->defaults, json, NULL);
    for (struct api_access_item *item = body->items; item != NULL; item = item->next, count++) {
        if (json != NULL && json_is_object(json_array_get(evaluations, count)))
            check_entities(body, &item->entities, json_array_get(evaluations, count), json);
        if (api_access_wrong(body->kind, &item->entities) == NULL)
            check_question(&asker, &item->entities);
    }
    ASSERT(count == body->item_count);
    ASSERT(json == NULL || !batch || count == json_array_size(evaluations));
    if (count == 0 && api_access_wrong(body->kind, &body->defaults) == NULL)
        check_candidate(&asker, body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena arena = {0};
    struct api_access_body body;
    const char *why = NULL;
    if (rig.store == NULL)
        prepare();
    if (size == 0)
        return 0;
    enum api_access_kind kind = data[0] % (API_ACCESS_SEARCH_ACTION + 1);
    struct span text = span_of((const char *)data + 1, size - 1);
    /* what jansson refuses and JSON does not: fuzz_api_stream.c */
    json_t *json = json_loadb(text.size != 0 ? text.data : "", text.size,
                              JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    enum status status = api_access_read(&arena, text, kind, &body, &why);
    ASSERT(status == STATUS_OK || status == STATUS_INVALID_BODY || status == STATUS_MALFORMED_JSON);
    ASSERT((status == STATUS_OK) == (why == NULL));
    ASSERT(status != STATUS_OK || json == NULL || json_is_object(json));
    if (status == STATUS_OK)
        check_body(&body, &arena, json);
    json_decref(json);
    arena_release(&arena);
    return 0;
}
