/* Questions in the log: written for replay, exactly. Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/access_record.h"

#include <jansson.h>

#include "base/encode.h"
#include "base/json_out.h"
#include "base/limits.h"

/* ---- writing */

static void put_texts(struct json_out *out, const char *key, const struct span *texts,
                      uint32_t count) {
    json_out_key(out, key);
    json_out_array_begin(out);
    for (uint32_t i = 0; i < count; i++)
        json_out_string(out, texts[i]);
    json_out_array_end(out);
}

static void put_mac(struct json_out *out, const struct mac16 *mac) {
    json_out_base64url(out, mac->bytes, sizeof mac->bytes);
}

static void put_data(const struct policy_pack *pack, const struct store_question *question,
                     struct json_out *out) {
    const struct policy_request *ask = &question->ask;
    if (ask->has_permissions) {
        json_out_key(out, "permissions");
        json_out_array_begin(out);
        for (uint64_t left = ask->permissions; left != 0; left &= left - 1)
            json_out_string(out,
                            policy_pack_permission(pack, (uint32_t)__builtin_ctzll(left))->code);
        json_out_array_end(out);
    }
    if (ask->unknown_permission)
        json_out_member_bool(out, "unknownPermission", true);
    if (ask->resource_count != 0) {
        json_out_key(out, "resources");
        json_out_array_begin(out);
        for (uint32_t i = 0; i < ask->resource_count; i++)
            put_mac(out, &ask->resources[i]);
        json_out_array_end(out);
    }
    if (ask->has_granularity) {
        json_out_key(out, "granularity");
        json_out_object_begin(out);
        json_out_member_int(out, "months", ask->granularity.months);
        json_out_member_int(out, "seconds", ask->granularity.seconds);
        json_out_object_end(out);
    }
    if (ask->from != INT64_MIN)
        json_out_member_time(out, "from", ask->from);
    if (ask->to != INT64_MIN)
        json_out_member_time(out, "to", ask->to);
    json_out_member_optional(out, "license", ask->license);
}

static void put_request(const struct policy_pack *pack, const struct store_question *question,
                        struct json_out *out) {
    const struct policy_request *ask = &question->ask;
    json_out_member(out, "subjectType", ask->subject_type);
    json_out_member(out, "resourceType", ask->resource_type);
    json_out_member(out, "action", ask->action_name);
    if (question->about != STORE_ABOUT_RULES)
        json_out_member(out, "client", question->client);
    if (question->about == STORE_ABOUT_CONSENT)
        json_out_member_uuid(out, "consentId", &question->consent);
    if (question->about == STORE_ABOUT_ACCOUNT) {
        json_out_key(out, "accountKey");
        put_mac(out, &question->account);
    }
    json_out_member_optional(out, "asTenant", question->tenant);
    json_out_member_optional(out, "asClient", question->viewer_client);
    if (ask->malformed != NULL)
        json_out_member(out, "malformed", span_of_text(ask->malformed));
    if (ask->roles_known)
        put_texts(out, "roles", ask->roles, ask->role_count);
    if (ask->has_purpose && ask->purpose >= 0)
        json_out_member(out, "purpose", policy_pack_purpose(pack, (uint32_t)ask->purpose)->code);
    else if (ask->has_purpose)
        json_out_member_bool(out, "unknownPurpose", true);
    put_data(pack, question, out);
    if (ask->has_onward)
        json_out_member(out, "onwardRecipient", question->onward);
    json_out_member_optional(out, "territory", ask->territory);
}

static void put_attribute(struct json_out *out, const struct policy_attribute *attribute) {
    switch (attribute->kind) {
    case POLICY_ABSENT:
        json_out_null(out);
        return;
    case POLICY_IS_TEXT:
        json_out_string(out, attribute->text);
        return;
    case POLICY_IS_TRUTH:
        json_out_bool(out, attribute->number != 0);
        return;
    case POLICY_IS_TEXTS:
        json_out_array_begin(out);
        for (uint32_t i = 0; i < attribute->text_count; i++)
            json_out_string(out, attribute->texts[i]);
        json_out_array_end(out);
        return;
    case POLICY_IS_NUMBER:
    case POLICY_IS_OTHER:
        break;
    }
    if (attribute->kind == POLICY_IS_NUMBER && !attribute->fraction) {
        json_out_int(out, attribute->number);
        return;
    }
    json_out_object_begin(out); /* of another kind, or between this number and the next */
    if (attribute->kind == POLICY_IS_NUMBER)
        json_out_member_int(out, "above", attribute->number);
    json_out_object_end(out);
}

static void put_personal(const struct policy_pack *pack, const struct store_question *question,
                         struct json_out *out) {
    const struct policy_request *ask = &question->ask;
    bool sees_ids = policy_pack_rule_count(pack) != 0;
    if (question->about == STORE_ABOUT_RULES)
        json_out_member(out, "subject", ask->subject_id);
    if (question->about == STORE_ABOUT_RULES ||
        (sees_ids && question->about == STORE_ABOUT_ACCOUNT))
        json_out_member(out, "resource", ask->resource_id);
    if (policy_pack_slot_count(pack) == 0 || ask->attributes == NULL)
        return;
    json_out_key(out, "attributes");
    json_out_array_begin(out);
    for (uint32_t i = 0; i < policy_pack_slot_count(pack); i++)
        put_attribute(out, &ask->attributes[i]);
    json_out_array_end(out);
}

static void write_both(const struct policy_pack *pack, struct arena *arena,
                       struct store_inquiry *inquiry) {
    struct buffer members = {0};
    struct json_out out = json_out_to(&members);
    put_request(pack, &inquiry->question, &out);
    inquiry->request_json = arena_copy(arena, buffer_span(&members));
    buffer_clear(&members);
    out = json_out_to(&members);
    put_personal(pack, &inquiry->question, &out);
    inquiry->personal_json = arena_copy(arena, buffer_span(&members));
    buffer_release(&members);
}

/* What cannot be recorded is not permitted (invariant 11): more than an entry holds of what rules
 * look at counts as malformed, and is not looked at, now or when the decision is replayed. */
void api_access_record_write(const struct policy_pack *pack, struct arena *arena,
                             struct store_inquiry *inquiry) {
    write_both(pack, arena, inquiry);
    if (inquiry->personal_json.size <= LIMIT_PERSONAL)
        return;
    inquiry->question.ask.attributes = NULL;
    inquiry->question.ask.malformed = "/context";
    write_both(pack, arena, inquiry);
}

/* ---- reading */

struct reading {
    const struct policy_pack *pack;
    struct arena *arena;
    bool wrong;
};

static struct span text_of(struct reading *r, const json_t *value) {
    if (!json_is_string(value))
        return SPAN_NONE;
    return arena_copy(r->arena, span_of(json_string_value(value), json_string_length(value)));
}

static struct span text(struct reading *r, const json_t *object, const char *name) {
    return text_of(r, json_object_get(object, name));
}

static struct mac16 mac_of(struct reading *r, const json_t *value) {
    struct mac16 mac = {{0}};
    size_t size = 0;
    if (decode_base64url(text_of(r, value), mac.bytes, sizeof mac.bytes, &size) != STATUS_OK ||
        size != sizeof mac.bytes)
        r->wrong = true;
    return mac;
}

static int64_t time_of(struct reading *r, const json_t *object, const char *name) {
    int64_t time = INT64_MIN;
    struct span value = text(r, object, name);
    if (span_present(value) && timestamp_parse(value, &time) != STATUS_OK)
        r->wrong = true;
    return time;
}

static const struct span *texts_of(struct reading *r, const json_t *array, uint32_t *count) {
    struct span *out = arena_array(r->arena, json_array_size(array) + 1, sizeof *out);
    *count = (uint32_t)json_array_size(array);
    for (uint32_t i = 0; i < *count; i++)
        out[i] = text_of(r, json_array_get(array, i));
    return out;
}

static void read_data(struct reading *r, const json_t *from, struct policy_request *ask) {
    const json_t *permissions = json_object_get(from, "permissions");
    const json_t *resources = json_object_get(from, "resources");
    const json_t *granularity = json_object_get(from, "granularity");
    ask->has_permissions = permissions != NULL;
    for (size_t i = 0; i < json_array_size(permissions); i++) {
        int at = policy_pack_permission_find(r->pack, text_of(r, json_array_get(permissions, i)));
        r->wrong |= at < 0;
        ask->permissions |= at >= 0 ? UINT64_C(1) << at : 0;
    }
    ask->unknown_permission = json_object_get(from, "unknownPermission") != NULL;
    struct mac16 *macs = arena_array(r->arena, json_array_size(resources) + 1, sizeof *macs);
    ask->resource_count = (uint32_t)json_array_size(resources);
    for (uint32_t i = 0; i < ask->resource_count; i++)
        macs[i] = mac_of(r, json_array_get(resources, i));
    ask->resources = macs;
    ask->has_granularity = granularity != NULL;
    ask->granularity.months = (int)json_integer_value(json_object_get(granularity, "months"));
    ask->granularity.seconds = json_integer_value(json_object_get(granularity, "seconds"));
    ask->from = time_of(r, from, "from");
    ask->to = time_of(r, from, "to");
    ask->license = text(r, from, "license");
}

static void read_purpose(struct reading *r, const json_t *from, struct policy_request *ask) {
    struct span purpose = text(r, from, "purpose");
    ask->has_purpose = span_present(purpose) || json_object_get(from, "unknownPurpose") != NULL;
    ask->purpose = span_present(purpose) ? policy_pack_purpose_find(r->pack, purpose) : -1;
    r->wrong |= span_present(purpose) && ask->purpose < 0;
}

static void read_about(struct reading *r, const json_t *from, struct store_question *out) {
    const json_t *account = json_object_get(from, "accountKey");
    struct span consent = text(r, from, "consentId");
    out->about = STORE_ABOUT_RULES;
    if (span_present(consent)) {
        out->about = STORE_ABOUT_CONSENT;
        r->wrong |= uuid_from_text(consent, &out->consent) != STATUS_OK;
        out->ask.resource_id = consent;
    } else if (account != NULL) {
        out->about = STORE_ABOUT_ACCOUNT;
        out->account = mac_of(r, account);
    }
    out->client = text(r, from, "client");
    out->ask.subject_id = out->client;
    out->tenant = text(r, from, "asTenant");
    out->viewer_client = text(r, from, "asClient");
}

static void read_request(struct reading *r, const json_t *from, struct store_question *out) {
    struct policy_request *ask = &out->ask;
    const json_t *roles = json_object_get(from, "roles");
    read_about(r, from, out);
    ask->subject_type = text(r, from, "subjectType");
    ask->resource_type = text(r, from, "resourceType");
    ask->action_name = text(r, from, "action");
    ask->malformed = text(r, from, "malformed").data;
    ask->roles_known = roles != NULL;
    ask->roles = texts_of(r, roles, &ask->role_count);
    read_purpose(r, from, ask);
    read_data(r, from, ask);
    out->onward = text(r, from, "onwardRecipient");
    ask->has_onward = span_present(out->onward);
    ask->territory = text(r, from, "territory");
}

static struct policy_attribute attribute_of(struct reading *r, const json_t *value) {
    struct policy_attribute out = {.kind = POLICY_IS_OTHER};
    if (json_is_null(value) || value == NULL)
        return (struct policy_attribute){.kind = POLICY_ABSENT};
    if (json_is_string(value))
        return (struct policy_attribute){.kind = POLICY_IS_TEXT, .text = text_of(r, value)};
    if (json_is_boolean(value))
        return (struct policy_attribute){.kind = POLICY_IS_TRUTH, .number = json_is_true(value)};
    if (json_is_integer(value))
        return (struct policy_attribute){.kind = POLICY_IS_NUMBER,
                                         .number = json_integer_value(value)};
    if (json_is_array(value)) {
        out.kind = POLICY_IS_TEXTS;
        out.texts = texts_of(r, value, &out.text_count);
    } else if (json_object_get(value, "above") != NULL) {
        out.kind = POLICY_IS_NUMBER;
        out.number = json_integer_value(json_object_get(value, "above"));
        out.fraction = true;
    }
    return out;
}

static void read_personal(struct reading *r, const json_t *from, struct store_question *out) {
    const json_t *attributes = json_object_get(from, "attributes");
    uint32_t count = policy_pack_slot_count(r->pack);
    struct policy_attribute *values = arena_array(r->arena, count + 1, sizeof *values);
    struct span subject = text(r, from, "subject"), resource = text(r, from, "resource");
    for (uint32_t i = 0; i < count; i++)
        values[i] = attribute_of(r, json_array_get(attributes, i));
    out->ask.attributes = values;
    if (span_present(subject))
        out->ask.subject_id = out->client = subject;
    if (span_present(resource))
        out->ask.resource_id = resource;
}

enum status api_access_record_read(const struct policy_pack *pack, struct arena *arena,
                                   struct span payload, struct span personal,
                                   struct store_question *out) {
    struct reading r = {.pack = pack, .arena = arena};
    struct store_question question = {.about = STORE_ABOUT_RULES};
    json_t *root = json_loadb(payload.data, payload.size, JSON_ALLOW_NUL, NULL);
    json_t *own =
        json_loadb(personal.data != NULL ? personal.data : "", personal.size, JSON_ALLOW_NUL, NULL);
    const json_t *request = json_object_get(json_object_get(root, "body"), "request");
    r.wrong = request == NULL;
    read_request(&r, request, &question);
    read_personal(&r, own, &question);
    json_decref(root);
    json_decref(own);
    if (r.wrong)
        return STATUS_INTERNAL;
    *out = question;
    return STATUS_OK;
}
