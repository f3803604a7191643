/* Reading disclosures, strictly in form and liberally in content: a code that no pack knows is a
 * violation to be recorded, not a mistake to be corrected. Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/disclosure_read.h"

#include "base/json_out.h"
#include "base/limits.h"
#include "base/timestamp.h"

/* One being read. */
struct reading {
    struct api_json *in;
    const struct store *store;
    struct store_change *change;
    struct store_disclosure *disclosure;
    struct store_question *question;
    struct span account;
};

/* ---- the question */

static void read_purposes(struct reading *r, const struct span *codes, uint32_t count) {
    struct policy_request *ask = &r->question->ask;
    int *purposes = arena_array(r->in->arena, count, sizeof *purposes);
    for (uint32_t i = 0; i < count; i++)
        purposes[i] = policy_pack_purpose_find(r->disclosure->pack, codes[i]);
    ask->has_purpose = count != 0;
    ask->purpose = count != 0 ? purposes[0] : -1;
    r->question->more_purposes = purposes + (count != 0);
    r->question->more_purpose_count = count != 0 ? count - 1 : 0;
}

static void read_permissions(struct reading *r, const struct span *codes, uint32_t count) {
    struct policy_request *ask = &r->question->ask;
    ask->has_permissions = true;
    for (uint32_t i = 0; i < count; i++) {
        int found = policy_pack_permission_find(r->disclosure->pack, codes[i]);
        ask->unknown_permission |= found < 0;
        ask->permissions |= found >= 0 ? UINT64_C(1) << found : 0;
    }
}

static void read_resources(struct reading *r, const struct span *names, uint32_t count) {
    struct mac16 *keys = arena_array(r->in->arena, count, sizeof *keys);
    for (uint32_t i = 0; i < count; i++)
        keys[i] = store_resource_key(r->store, r->change->tenant, names[i]);
    r->question->ask.resources = keys;
    r->question->ask.resource_count = count;
    r->question->resource_ids = names;
}

/* ---- members */

static void put_texts(struct json_out *out, const char *key, const struct span *texts,
                      uint32_t count) {
    json_out_key(out, key);
    json_out_array_begin(out);
    for (uint32_t i = 0; i < count; i++)
        json_out_string(out, texts[i]);
    json_out_array_end(out);
}

static int64_t read_time(struct reading *r, const char *name, struct json_out *out) {
    if (json_object_get(r->in->root, name) == NULL)
        api_json_fail(r->in, name, "is required");
    int64_t time = api_json_time(r->in, r->in->root, name, INT64_MIN);
    if (time != INT64_MIN)
        json_out_member_time(out, name, time);
    return time;
}

static const struct span *required_list(struct reading *r, const char *name,
                                        struct api_bounds bounds, uint32_t *count) {
    if (json_object_get(r->in->root, name) == NULL)
        api_json_fail(r->in, name, "is required");
    return api_json_strings(r->in, r->in->root, name, bounds, count);
}

static void read_lists(struct reading *r, struct json_out *out) {
    const struct api_bounds codes = {LIMIT_SET, LIMIT_URL};
    const struct api_bounds ids = {LIMIT_RESOURCES, LIMIT_RESOURCE};
    uint32_t count;
    const struct span *list = required_list(r, "permissions", codes, &count);
    read_permissions(r, list, count);
    put_texts(out, "permissions", list, count);
    list = api_json_strings(r->in, r->in->root, "purposes", codes, &count);
    read_purposes(r, list, count);
    if (count != 0)
        put_texts(out, "purposes", list, count);
    list = required_list(r, "resources", ids, &count);
    read_resources(r, list, count);
    put_texts(out, "resources", list, count);
}

static void read_granularity(struct reading *r, struct json_out *out) {
    struct policy_request *ask = &r->question->ask;
    struct span text = api_json_string(r->in, r->in->root, "granularity", 16, false);
    if (!span_present(text))
        return;
    ask->has_granularity = duration_parse(text, &ask->granularity) == STATUS_OK;
    if (!ask->has_granularity)
        api_json_fail(r->in, "granularity", "must be an ISO 8601 duration with one unit");
    json_out_member(out, "granularity", text);
}

static void read_data(struct reading *r, struct json_out *out) {
    const struct api_range range = {0, INT64_C(9007199254740991), -1}; /* exact as a double */
    struct policy_request *ask = &r->question->ask;
    read_lists(r, out);
    ask->from = read_time(r, "from", out);
    ask->to = read_time(r, "to", out);
    read_granularity(r, out);
    int64_t records = api_json_int(r->in, r->in->root, "records", range);
    if (records >= 0)
        json_out_member_int(out, "records", records);
}

static void read_transfer(struct reading *r, int64_t now, struct json_out *out) {
    struct api_json *in = r->in;
    struct store_disclosure *d = r->disclosure;
    struct duration leeway = policy_pack_settings(r->change->pack)->leeway;
    d->at = read_time(r, "at", out);
    if (d->at > timestamp_add(now, leeway))
        api_json_fail(in, "at", "must not lie in the future");
    d->transaction = api_json_string(in, in->root, "transaction", LIMIT_TRANSACTION, true);
    json_out_member_optional(out, "transaction", d->transaction);
    d->step = api_json_string(in, in->root, "transferStepId", LIMIT_TRANSACTION, false);
    json_out_member_optional(out, "transferStepId", d->step);
    struct span decision =
        api_json_string(in, in->root, "decisionId", STORE_ENTRY_ID_MAX - 1, false);
    json_out_member_optional(out, "decisionId", decision);
}

/* ---- whose data: a consent, or an account and a client */

static void read_consent(struct reading *r) {
    struct api_json *in = r->in;
    struct store_question *q = r->question;
    struct span id = api_json_string(in, in->root, "consentId", UUID_TEXT_SIZE, true);
    q->about = STORE_ABOUT_CONSENT;
    q->ask.resource_type = SPAN("consent");
    q->ask.resource_id = id;
    if (span_present(id) && uuid_from_text(id, &q->consent) != STATUS_OK)
        api_json_fail(in, "consentId", "must be a UUID");
    if (json_object_get(in->root, "account") != NULL || json_object_get(in->root, "client") != NULL)
        api_json_fail(in, NULL, "must name consentId, or account and client, not both");
}

static void read_account(struct reading *r) {
    struct api_json *in = r->in;
    struct store_question *q = r->question;
    r->account = api_json_string(in, in->root, "account", LIMIT_ACCOUNT, true);
    q->about = STORE_ABOUT_ACCOUNT;
    q->ask.resource_type = SPAN("account");
    q->ask.resource_id = r->account;
    q->client = q->ask.subject_id = api_json_url(in, in->root, "client", true);
    if (span_present(r->account))
        q->account = store_account_key(r->store, r->change->tenant, r->account);
}

static struct span keep(struct reading *r, struct buffer *members) {
    struct span kept = arena_copy(r->in->arena, buffer_span(members));
    buffer_release(members);
    return kept;
}

static struct span asked_members(struct reading *r) {
    struct buffer members = {0};
    struct json_out out = json_out_to(&members);
    if (r->question->about == STORE_ABOUT_CONSENT)
        json_out_member_uuid(&out, "consentId", &r->question->consent);
    else
        json_out_member_optional(&out, "client", r->question->client);
    return keep(r, &members);
}

static struct span personal_members(struct reading *r) {
    struct buffer members = {0};
    struct json_out out = json_out_to(&members);
    json_out_member_optional(&out, "account", r->account);
    return keep(r, &members);
}

static void begin(struct reading *r, struct api_json *in, struct store_change *change) {
    struct store_inquiry *inquiry = arena_array(in->arena, 1, sizeof *inquiry);
    r->disclosure = change->disclosure = arena_array(in->arena, 1, sizeof *r->disclosure);
    r->disclosure->pack = change->past_pack != NULL ? change->past_pack : change->pack;
    change->inquiries = inquiry;
    change->inquiry_count = 1;
    r->question = &inquiry->question;
    r->question->tenant = change->tenant;
    r->question->viewer_client = change->actor;
    r->question->ask.subject_type = SPAN("application");
    r->question->ask.action_name = SPAN("disclose");
}

void api_disclosure_read(struct api_json *in, const struct store *store, int64_t now,
                         struct store_change *change) {
    static const char *const known[] = {"consentId", "account",     "client",         "decisionId",
                                        "recipient", "permissions", "purposes",       "resources",
                                        "from",      "to",          "granularity",    "records",
                                        "at",        "transaction", "transferStepId", NULL};
    struct reading r = {.in = in, .store = store, .change = change};
    struct buffer members = {0};
    struct json_out out = json_out_to(&members);
    if (!api_json_object(in, in->root, known))
        return;
    begin(&r, in, change);
    if (json_object_get(in->root, "consentId") != NULL)
        read_consent(&r);
    else
        read_account(&r);
    r.question->onward = api_json_url(in, in->root, "recipient", true);
    json_out_member_optional(&out, "recipient", r.question->onward);
    read_data(&r, &out);
    read_transfer(&r, now, &out);
    if (members.size > LIMIT_TERMS)
        api_json_fail(in, NULL, "has more than %d bytes as it is stored", LIMIT_TERMS);
    r.disclosure->body_json = keep(&r, &members);
    r.disclosure->asked_json = asked_members(&r);
    r.disclosure->personal_json = personal_members(&r);
}

/* ---- under which rules */

/* The pack in force at a time, when it is another than now; before the first, that of now. */
static enum status load_pack(struct store_reader *reader, int64_t at, struct store_change *change) {
    struct digest digest;
    struct policy_error error;
    struct span bytes;
    struct store_moment then;
    uint64_t entry;
    enum status status = store_moment_at(reader, at, &then);
    if (status == STATUS_OK)
        status = store_policy_at(reader, then.position, &digest, &entry);
    if (status == STATUS_NOT_FOUND ||
        (status == STATUS_OK && digest_equal(&digest, policy_pack_digest(change->pack))))
        return STATUS_OK;
    if (status == STATUS_OK)
        status = store_pack_bytes(reader, &digest, &bytes);
    if (status != STATUS_OK)
        return status;
    return policy_pack_load(bytes, &change->past_pack, &error) == STATUS_OK ? STATUS_OK
                                                                            : STATUS_INTERNAL;
}

enum status api_disclosure_pack(const json_t *body, int64_t now, struct store_reader *reader,
                                struct store_change *change) {
    const json_t *value = json_object_get(body, "at");
    int64_t at;
    if (!json_is_string(value) ||
        timestamp_parse(span_of(json_string_value(value), json_string_length(value)), &at) !=
            STATUS_OK ||
        at >= now)
        return STATUS_OK;
    enum status status = store_read_begin(reader);
    if (status != STATUS_OK)
        return status;
    status = load_pack(reader, at, change);
    store_read_end(reader);
    return status;
}

/* ---- to whom */

static enum status find_client(struct store_reader *reader, struct store_change *change) {
    struct store_question *q = &change->inquiries[0].question;
    struct store_consent c;
    q->client = q->onward;
    enum status status = store_consent_by_id(reader, &q->consent, &c);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    struct span client = store_name(reader, STORE_NAME_MEMBER, c.client);
    if (span_equal(client, q->viewer_client) ||
        span_equal(store_name(reader, STORE_NAME_MEMBER, c.tenant), q->tenant))
        q->client = arena_copy(&change->arena, client);
    return store_question_rekey(reader, &change->arena, q);
}

enum status api_disclosure_address(struct store_reader *reader, struct store_change *change) {
    struct store_question *q = &change->inquiries[0].question;
    enum status status = STATUS_OK;
    if (q->about == STORE_ABOUT_CONSENT) {
        status = store_read_begin(reader);
        if (status == STATUS_OK) {
            status = find_client(reader, change);
            store_read_end(reader);
        }
    }
    q->ask.subject_id = q->client;
    q->ask.has_onward = !span_equal(q->onward, q->client);
    return status;
}
