/* Any bytes as the body of a create, by a tenant of the Perseus scheme: refused with pointers and
 * sentences, or read into a draft whose stored JSON is JSON without doubles, is within its limits,
 * narrows itself, and gives the same bytes when it is read again, as a grant and a renewal do; and
 * the policy has an answer to it. */
// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>
#include <stdio.h>

#include "api/terms.h"
#include "base/encode.h"
#include "base/json_out.h"
#include "base/limits.h"
#include "base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW INT64_C(1773309600000) /* 2026-03-12T10:00:00Z */

static struct policy_pack *pack;
static const struct api_settings settings = {.public_url = SPAN("https://consent.example.com"),
                                             .oauth_issuer = SPAN("https://issuer.example")};
static const struct span tenant_roles[] = {
    SPAN("https://registry.core.trust.ib1.org/scheme/perseus/role/energy-data-provider")};
static const struct api_viewer viewer = {.client_id = SPAN("https://directory.example/edp"),
                                         .member = SPAN("https://directory.example/edp"),
                                         .tenant = SPAN("https://directory.example/edp"),
                                         .roles = tenant_roles,
                                         .role_count = 1,
                                         .roles_known = true};

static void prepare(void) {
    struct policy_error error;
    struct buffer json = {0};
    FILE *file = fopen("policy/packs/perseus-2026-03-12.json", "rb");
    ASSERT(file != NULL);
    size_t got;
    while ((got = fread(buffer_reserve(&json, 4096), 1, 4096, file)) > 0)
        json.size += got;
    fclose(file);
    ASSERT(policy_pack_load(buffer_span(&json), &pack, &error) == STATUS_OK);
    buffer_release(&json);
}

/* ---- reading, once or again */

struct reading {
    struct arena arena;
    struct api_json in;
    struct store_draft draft;
    struct api_terms terms;
};

static void read_terms(struct reading *r, const json_t *body) {
    r->terms = (struct api_terms){pack, &settings, &viewer, NOW};
    r->draft = (struct store_draft){.data_available_from = INT64_MIN};
    api_terms_read(&r->in, body, &r->terms, &r->draft);
}

static void end(struct reading *r) {
    api_json_end(&r->in);
    arena_release(&r->arena);
}

/* ---- a refusal */

/* RFC 6901: empty, or steps after slashes in which '~' begins an escape. */
static void check_pointer(struct span pointer) {
    ASSERT(pointer.size == 0 || pointer.data[0] == '/');
    for (size_t i = 0; i < pointer.size; i++)
        ASSERT(pointer.data[i] != '~' || pointer.data[i + 1] == '0' || pointer.data[i + 1] == '1');
}

static void check_errors(const struct api_json *in) {
    ASSERT(in->errors.count > 0 && in->errors.count <= API_ERRORS_MAX);
    ASSERT(in->path[0] == '\0'); /* left as it was entered */
    for (uint32_t i = 0; i < in->errors.count; i++) {
        const struct api_error *error = &in->errors.items[i];
        ASSERT(error->detail.size > 0 && encode_utf8_valid(error->detail));
        ASSERT(encode_utf8_valid(error->pointer));
        check_pointer(error->pointer);
    }
}

/* ---- a draft */

static void check_sets(const struct store_draft *draft) {
    const struct policy_admission *ask = &draft->ask;
    uint32_t resources = 0;
    ASSERT(ask->purpose_count <= LIMIT_SET && ask->permission_count <= LIMIT_SET);
    ASSERT(ask->onward_count <= LIMIT_ONWARD && draft->group_count <= LIMIT_GROUPS);
    ASSERT(ask->client_role_count <= LIMIT_ROLES && draft->token_count <= LIMIT_TOKENS);
    ASSERT(ask->notice.substitution_count <= LIMIT_SUBSTITUTIONS);
    for (uint32_t i = 0; i < ask->permission_count; i++) {
        ASSERT(ask->permissions[i].code.size > 0);
        resources += ask->permissions[i].resource_count;
    }
    ASSERT(resources <= LIMIT_RESOURCES);
    for (uint32_t i = 0; i < draft->group_count; i++)
        ASSERT(draft->groups[i].member_count > 0 &&
               draft->groups[i].member_count <= LIMIT_GROUP_MEMBERS);
    for (uint32_t i = 0; i < ask->onward_count; i++)
        ASSERT(ask->onward[i].size > 0 && ask->onward[i].size <= LIMIT_URL);
}

static bool is_time(int64_t time_ms, int64_t absent) {
    return time_ms == absent || (time_ms >= 0 && time_ms <= TIMESTAMP_MAX);
}

static void check_draft(const struct store_draft *draft) {
    const struct policy_admission *ask = &draft->ask;
    ASSERT(draft->client.size > 0 && draft->client.size <= LIMIT_URL);
    ASSERT(draft->provider.size > 0 && draft->provider.size <= LIMIT_URL);
    ASSERT(ask->license.size > 0 && ask->license.size <= LIMIT_URL);
    ASSERT(draft->account.size <= LIMIT_ACCOUNT && draft->external_id.size <= LIMIT_EXTERNAL_ID);
    ASSERT(!ask->granted || draft->account.size > 0);
    ASSERT(ask->granted || draft->token_count == 0);
    ASSERT(is_time(ask->granted_at, NOW) && is_time(ask->expires, INT64_MAX));
    ASSERT(is_time(ask->data_from, INT64_MIN) && is_time(ask->data_to, INT64_MIN));
    ASSERT(is_time(draft->data_available_from, INT64_MIN));
    ASSERT(is_time(ask->notice.shown_at, INT64_MIN));
    ASSERT(draft->terms_json.size + draft->grant_json.size <= LIMIT_TERMS);
    ASSERT(draft->grant_private_json.size + draft->account_json.size <= LIMIT_PERSONAL);
    check_sets(draft);
}

static void add(struct buffer *text, const char *before, struct span members, const char *after) {
    if (members.size == 0)
        return;
    buffer_append_text(text, text->size > 1 && text->data[text->size - 1] != '{' ? "," : "");
    buffer_append_text(text, before);
    buffer_append_span(text, members);
    buffer_append_text(text, after);
}

/* The consent as it is stored, as the body of a create: what the service adds is left out. */
static json_t *stored(const struct store_draft *draft) {
    struct buffer text = {0};
    buffer_append_text(&text, "{");
    struct json_out parties = json_out_to(&text);
    json_out_member(&parties, "provider", draft->provider);
    json_out_member(&parties, "client", draft->client);
    json_out_member(&parties, "license", draft->ask.license);
    add(&text, "", draft->terms_json, "");
    add(&text, "", draft->account_json, "");
    if (draft->ask.granted) {
        add(&text, "\"grant\":{", draft->grant_json, "");
        add(&text, "", draft->grant_private_json, "");
        buffer_append_text(&text, "}");
    }
    buffer_append_text(&text, "}");
    json_t *object = json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES, NULL);
    buffer_release(&text);
    ASSERT(json_is_object(object));
    ASSERT(json_object_del(object, "policy") == 0);
    (void)json_object_del(object, "licenseDigest");
    return object;
}

static void check_again(const struct store_draft *first, const json_t *body) {
    struct reading again = {.in = {.arena = &again.arena}};
    read_terms(&again, body);
    ASSERT(!api_json_failed(&again.in));
    ASSERT(span_equal(again.draft.terms_json, first->terms_json));
    ASSERT(span_equal(again.draft.account_json, first->account_json));
    ASSERT(span_equal(again.draft.grant_json, first->grant_json));
    ASSERT(span_equal(again.draft.grant_private_json, first->grant_private_json));
    ASSERT(again.draft.ask.expires == first->ask.expires);
    ASSERT(again.draft.ask.granted_at == first->ask.granted_at);
    ASSERT(again.draft.max_uses == first->max_uses);
    ASSERT(again.draft.principal == first->principal);
    api_terms_narrow(&again.in, body, body);
    ASSERT(!api_json_failed(&again.in));
    end(&again);
}

static void check_stored(const struct store_draft *draft) {
    json_t *body = stored(draft);
    /* without a purpose or a permission, from a licence that the pack does not know, nothing is
     * stored: the policy refuses it */
    if (draft->ask.purpose_count != 0 && draft->ask.permission_count != 0)
        check_again(draft, body);
    json_decref(body);
}

static void check_policy(struct store_draft *draft) {
    struct policy_dependency dependencies[LIMIT_GROUPS] = {{true, true}, {true, false}};
    struct policy_reasons reasons;
    draft->ask.dependencies = dependencies;
    draft->ask.dependency_count = draft->group_count;
    draft->ask.dependencies_required = draft->ask.granted;
    enum status status = policy_admit(pack, &draft->ask, NOW, &reasons);
    ASSERT(status == (reasons.count == 0 ? STATUS_OK : STATUS_NOT_ADMISSIBLE));
    for (uint32_t i = 0; i < reasons.count; i++) {
        ASSERT(encode_utf8_valid(span_of_text(reasons.items[i].clause)));
        ASSERT(encode_utf8_valid(span_of_text(reasons.items[i].detail)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct reading r = {.draft = {.max_uses = 0}};
    const char *why = NULL;
    if (pack == NULL)
        prepare();
    struct span body = span_of((const char *)data, size);
    if (api_json_begin(&r.in, &r.arena, body, &why) == STATUS_OK) {
        read_terms(&r, r.in.root);
        if (api_json_failed(&r.in)) {
            check_errors(&r.in);
        } else {
            check_draft(&r.draft);
            check_stored(&r.draft);
            check_policy(&r.draft);
        }
    } else {
        ASSERT(why != NULL && encode_utf8_valid(span_of_text(why)));
    }
    end(&r);
    return 0;
}
