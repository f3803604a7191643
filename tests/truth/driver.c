/* Answers for tests/run_truth.py: decides cases as the service does, many in one process. Each line
 * of standard input begins with a letter: P and a pack; C and a case, a JSON object of the consent
 * (or null), blocked, and now; R and the bytes of an AuthZEN request, which is then read by api/,
 * decided by policy/ and answered by one line of JSON. A pack is answered too. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/support_store.h"

#include <jansson.h>

#include "api/access_question.h"
#include "base/json_out.h"
#include "base/limits.h"
#include "policy/decision.h"

#define TENANT SPAN("https://directory.example/member/tenant")

static json_t *given; /* the case */

/* ---- the consent of a case */

static struct span text_of(const json_t *object, const char *name) {
    return span_of_text(json_string_value(json_object_get(object, name)));
}

static int64_t number_of(const json_t *object, const char *name, int64_t otherwise) {
    const json_t *value = json_object_get(object, name);
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

static int compare(const void *a, const void *b) {
    return memcmp(a, b, sizeof(struct mac16));
}

static struct policy_grain grain_of(struct arena *arena, const json_t *from) {
    const json_t *resources = json_object_get(from, "resources");
    struct mac16 *keys = arena_array(arena, json_array_size(resources) + 1, sizeof *keys);
    struct policy_grain grain = {.permission =
                                     policy_pack_permission_find(rig.pack, text_of(from, "code")),
                                 .resources = keys,
                                 .resource_count = (uint32_t)json_array_size(resources)};
    size_t i;
    const json_t *one;
    json_array_foreach(resources, i, one) keys[i] =
        store_resource_key(rig.store, TENANT, span_of_text(json_string_value(one)));
    qsort(keys, grain.resource_count, sizeof *keys, compare);
    const struct span least = text_of(from, "maxGranularity");
    grain.has_granularity = span_present(least);
    ASSERT(!grain.has_granularity || duration_parse(least, &grain.granularity) == STATUS_OK);
    return grain;
}

static void take_sets(struct arena *arena, const json_t *from, struct policy_consent *out) {
    const json_t *permissions = json_object_get(from, "permissions"), *one;
    const json_t *onward = json_object_get(from, "onwardRecipients");
    struct policy_grain *grains = arena_array(arena, LIMIT_SET, sizeof *grains);
    struct span *urls = arena_array(arena, LIMIT_ONWARD, sizeof *urls);
    uint32_t *numbers = arena_array(arena, LIMIT_ONWARD, sizeof *numbers);
    size_t i;
    json_array_foreach(json_object_get(from, "purposes"), i, one) {
        int at = policy_pack_purpose_find(rig.pack, span_of_text(json_string_value(one)));
        out->purposes |= at >= 0 ? UINT64_C(1) << at : 0;
    }
    json_array_foreach(permissions, i, one) {
        grains[i] = grain_of(arena, one);
        out->permissions |= grains[i].permission >= 0 ? UINT64_C(1) << grains[i].permission : 0;
    }
    json_array_foreach(onward, i, one) {
        urls[i] = span_of_text(json_string_value(one));
        numbers[i] = (uint32_t)i + 1;
    }
    out->grains = grains;
    out->grain_count = (uint32_t)json_array_size(permissions);
    out->onward = numbers;
    out->onward_urls = urls;
    out->onward_count = (uint32_t)json_array_size(onward);
}

static void take_consent(struct arena *arena, const json_t *from, struct span client,
                         struct policy_consent *out) {
    *out = (struct policy_consent){
        .license = policy_pack_license_find(rig.pack, text_of(from, "license")),
        .granted_at = number_of(from, "grantedAt", INT64_MIN),
        .expires = number_of(from, "expires", INT64_MAX),
        .data_from = number_of(from, "dataFrom", INT64_MIN),
        .data_to = number_of(from, "dataTo", INT64_MIN),
        .max_uses = (uint32_t)number_of(from, "maxUses", 0),
        .uses = (uint32_t)number_of(from, "uses", 0),
        .wrong_client = !span_equal(text_of(from, "client"), client),
        .linked_ended = json_is_true(json_object_get(from, "linkedEnded")),
        .license_url = text_of(from, "license"),
        .tenant = text_of(from, "tenant"),
        .provider = text_of(from, "provider"),
        .client = text_of(from, "client"),
        .principal = text_of(from, "principal"),
    };
    ASSERT(lifecycle_state_parse(text_of(from, "status"), &out->status) == STATUS_OK);
    take_sets(arena, from, out);
}

/* Numbered as take_sets does; 0 is one that the consent does not name. */
static uint32_t onward_of(const struct policy_consent *consent, struct span url) {
    for (uint32_t i = 0; consent != NULL && i < consent->onward_count; i++)
        if (span_equal(consent->onward_urls[i], url))
            return consent->onward[i];
    return 0;
}

/* ---- answers */

static void answer_reasons(struct json_out *out, const struct policy_consent *consent,
                           const struct policy_decision *decision) {
    json_out_key(out, "reasons");
    json_out_object_begin(out);
    for (unsigned denial = 0; denial < DENIAL_COUNT; denial++) {
        struct policy_explanation words;
        if ((decision->denials >> denial & 1) == 0)
            continue;
        policy_decision_explain(rig.pack, consent != NULL ? consent->license : NULL, decision,
                                denial, &words);
        json_out_member(out, policy_denial_code(denial), span_of_text(words.clause));
    }
    json_out_object_end(out);
}

static void answer_sets(struct json_out *out, const struct policy_decision *decision) {
    json_out_key(out, "purposes");
    json_out_array_begin(out);
    for (uint32_t i = 0; i < policy_pack_purpose_count(rig.pack); i++)
        if (decision->purposes >> i & 1)
            json_out_string(out, policy_pack_purpose(rig.pack, i)->code);
    json_out_array_end(out);
    json_out_key(out, "permissions");
    json_out_array_begin(out);
    for (uint32_t i = 0; i < policy_pack_permission_count(rig.pack); i++)
        if (decision->permissions >> i & 1)
            json_out_string(out, policy_pack_permission(rig.pack, i)->code);
    json_out_array_end(out);
}

static void say(struct buffer *line) {
    buffer_append_text(line, "\n");
    fwrite(line->data, 1, line->size, stdout);
    fflush(stdout);
    buffer_release(line);
}

static void answer(const struct policy_consent *consent, const struct policy_decision *decision) {
    struct buffer line = {0};
    struct json_out out = json_out_to(&line);
    json_out_object_begin(&out);
    json_out_member_bool(&out, "permitted", decision->permitted);
    answer_reasons(&out, consent, decision);
    answer_sets(&out, decision);
    json_out_member_int(&out, "rule", decision->rule);
    json_out_object_end(&out);
    say(&line);
}

static void answer_refusal(const char *where, const char *why) {
    struct buffer line = {0};
    struct json_out out = json_out_to(&line);
    json_out_object_begin(&out);
    json_out_member(&out, "refused", span_of_text(why));
    json_out_member(&out, "at", span_of_text(where));
    json_out_object_end(&out);
    say(&line);
}

/* ---- lines */

static void take_pack(struct span json) {
    struct policy_error error;
    policy_pack_free(rig.pack);
    rig.pack = NULL;
    if (policy_pack_load(json, &rig.pack, &error) != STATUS_OK)
        answer_refusal(error.pointer, error.detail);
    else
        answer_refusal("", "");
}

static void take_case(struct span json) {
    json_decref(given);
    given = json_loadb(json.data, json.size, 0, NULL);
    ASSERT(given != NULL);
}

static void decide(struct arena *arena, struct api_access_ask *ask) {
    struct policy_request *request = &ask->question.ask;
    struct policy_consent stored;
    struct policy_decision decision;
    const struct policy_consent *consent = NULL;
    const json_t *from = json_object_get(given, "consent");
    if (json_is_object(from) && ask->question.about != STORE_ABOUT_RULES) {
        take_consent(arena, from, ask->question.client, &stored);
        consent = &stored;
    }
    request->blocked = json_is_true(json_object_get(given, "blocked"));
    if (request->has_onward)
        request->onward = onward_of(consent, ask->question.onward);
    policy_decide(rig.pack, consent, request, number_of(given, "now", 0), &decision);
    answer(consent, &decision);
}

static void take_request(struct span bytes) {
    struct arena arena = {0};
    struct api_access_body body;
    struct api_access_ask ask;
    const char *why = NULL;
    struct api_access_asker asker = {
        .arena = &arena, .store = rig.store, .pack = rig.pack, .tenant = TENANT};
    if (rig.pack == NULL)
        why = "there is no pack";
    else if (api_access_read(&arena, bytes, API_ACCESS_EVALUATION, &body, &why) == STATUS_OK)
        why = api_access_wrong(body.kind, &body.defaults);
    if (why == NULL) {
        api_access_question(&asker, &body.defaults, &ask);
        decide(&arena, &ask);
    } else {
        answer_refusal("", why);
    }
    arena_release(&arena);
}

int main(void) {
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    rig_open(SPAN_NONE);
    while ((size = getline(&line, &capacity, stdin)) > 1) {
        const struct span rest = span_of(line + 1, (size_t)size - 2); /* letter and line end */
        if (line[0] == 'P')
            take_pack(rest);
        else if (line[0] == 'C')
            take_case(rest);
        else
            take_request(rest);
    }
    free(line);
    json_decref(given);
    return 0;
}
