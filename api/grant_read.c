/* Reading a grant: who, on whose behalf, when, how, under which exact words; and the facts that may
 * be appended later, tokens and proofs. Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/terms.h"
#include "base/encode.h"
#include "base/json_out.h"
#include "base/limits.h"

#define CODE_MAX 64
#define PLACEHOLDER_MAX 128

/* A placeholder is named with or without its brackets. */
static struct span bare(struct span name) {
    if (name.size > 2 && name.data[0] == '[' && name.data[name.size - 1] == ']')
        return span_of(name.data + 1, name.size - 2);
    return name;
}

static void read_substitutions(struct api_json *in, const json_t *notice,
                               struct policy_notice *out) {
    const json_t *object = api_json_member_object(in, notice, "substitutions", false);
    struct policy_substitution *list = arena_array(in->arena, LIMIT_SUBSTITUTIONS, sizeof *list);
    const char *name;
    json_t *value;
    if (json_object_size(object) > LIMIT_SUBSTITUTIONS) {
        api_json_fail(in, "substitutions", "must have at most %d members", LIMIT_SUBSTITUTIONS);
        return;
    }
    size_t mark = api_json_enter(in, "substitutions");
    json_object_foreach((json_t *)(uintptr_t)object, name, value) {
        if (strlen(name) > PLACEHOLDER_MAX)
            api_json_fail(in, name, "names a placeholder of more than %d bytes", PLACEHOLDER_MAX);
        struct span text = api_json_string(in, object, name, LIMIT_TEXT, true);
        list[out->substitution_count++] =
            (struct policy_substitution){bare(arena_copy(in->arena, span_of_text(name))), text};
    }
    api_json_leave(in, mark);
    out->substitutions = list;
}

static void read_notice(struct api_json *in, const json_t *grant, struct policy_notice *out) {
    static const char *const known[] = {"url",     "language", "substitutions", "renderedDigest",
                                        "shownAt", NULL};
    const json_t *notice = api_json_member_object(in, grant, "notice", false);
    if (notice == NULL)
        return;
    size_t mark = api_json_enter(in, "notice");
    (void)api_json_object(in, notice, known);
    out->present = true;
    out->url = api_json_url(in, notice, "url", true);
    out->language = api_json_string(in, notice, "language", 35, true);
    read_substitutions(in, notice, out);
    out->has_rendered_digest =
        api_json_digest(in, notice, "renderedDigest", false, &out->rendered_digest);
    out->shown_at = api_json_time(in, notice, "shownAt", INT64_MIN);
    api_json_leave(in, mark);
}

static void read_by(struct api_json *in, const json_t *grant, bool required) {
    static const char *const known[] = {"ref", "authority", NULL};
    const json_t *by = api_json_member_object(in, grant, "by", required);
    if (by == NULL)
        return;
    size_t mark = api_json_enter(in, "by");
    (void)api_json_object(in, by, known);
    (void)api_json_string(in, by, "ref", LIMIT_ACCOUNT, true);
    (void)api_json_string(in, by, "authority", LIMIT_ACCOUNT, true);
    api_json_leave(in, mark);
}

struct span api_proofs_read(struct api_json *in, const json_t *object, bool required) {
    static const char *const known[] = {"type", "digest", "at", NULL};
    const json_t *array = api_json_array(in, object, "proofs", LIMIT_PROOFS, required);
    struct buffer text = {0};
    struct json_out out = json_out_to(&text);
    struct digest digest;
    size_t outer = api_json_enter(in, "proofs");
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *proof = json_array_get(array, i);
        size_t mark = api_json_enter_index(in, i);
        if (api_json_object(in, proof, known)) {
            (void)api_json_string(in, proof, "type", CODE_MAX, true);
            (void)api_json_digest(in, proof, "digest", false, &digest);
            (void)api_json_time(in, proof, "at", INT64_MIN);
        }
        api_json_leave(in, mark);
        if (!api_json_failed(in))
            api_json_write(&out, "", proof);
    }
    api_json_leave(in, outer);
    struct span elements = arena_copy(in->arena, buffer_span(&text));
    buffer_release(&text);
    return elements;
}

void api_grant_read(struct api_json *in, const json_t *body, struct store_draft *draft) {
    static const char *const known[] = {"at",        "method",     "by",     "notice", "ip",
                                        "userAgent", "appVersion", "proofs", NULL};
    const json_t *grant = api_json_member_object(in, body, "grant", true);
    if (grant == NULL)
        return;
    size_t mark = api_json_enter(in, "grant");
    (void)api_json_object(in, grant, known);
    if (json_object_get(grant, "at") == NULL)
        api_json_fail(in, "at", "is required");
    draft->ask.granted_at = api_json_time(in, grant, "at", draft->ask.granted_at);
    struct span method = api_json_string(in, grant, "method", CODE_MAX, true);
    draft->ask.asserted_by_client = span_is(method, "assertedByClient");
    if (draft->ask.asserted_by_client && json_object_get(body, "request") == NULL)
        api_json_fail(in, "method", "assertedByClient needs the member request");
    read_by(in, grant, !draft->ask.asserted_by_client);
    read_notice(in, grant, &draft->ask.notice);
    (void)api_json_string(in, grant, "ip", 45, false);
    (void)api_json_string(in, grant, "userAgent", LIMIT_TEXT, false);
    (void)api_json_string(in, grant, "appVersion", CODE_MAX, false);
    (void)api_proofs_read(in, grant, false);
    api_json_leave(in, mark);
}

static void read_token(struct api_json *in, const json_t *value, struct store_token *out) {
    static const char *const known[] = {"digest", "issuedAt", "expires", NULL};
    if (!api_json_object(in, value, known))
        return;
    (void)api_json_digest(in, value, "digest", true, &out->digest);
    for (const char *const *name = known + 1; *name != NULL; name++)
        if (json_object_get(value, *name) == NULL)
            api_json_fail(in, *name, "is required");
    out->issued_at = api_json_time(in, value, "issuedAt", INT64_MIN);
    out->expires = api_json_time(in, value, "expires", INT64_MIN);
}

const struct store_token *api_tokens_read(struct api_json *in, const json_t *body, bool required,
                                          uint32_t *count) {
    const json_t *array = api_json_array(in, body, "tokens", LIMIT_TOKENS, required);
    size_t size = json_array_size(array);
    struct store_token *tokens = arena_array(in->arena, size, sizeof *tokens);
    size_t outer = api_json_enter(in, "tokens");
    for (size_t i = 0; i < size; i++) {
        size_t mark = api_json_enter_index(in, i);
        read_token(in, json_array_get(array, i), &tokens[i]);
        api_json_leave(in, mark);
    }
    api_json_leave(in, outer);
    *count = (uint32_t)size;
    return tokens;
}
