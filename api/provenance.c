/* The permission step of a provenance record (Icebreaker One, Provenance Records 1.0), made from
 * the consent, for its tenant to sign; and its id, which the consent keeps, so that whoever holds
 * the record finds the evidence. Runs on a loop; the writer judges. */
// SPDX-License-Identifier: Apache-2.0
#include "api/change.h"
#include "api/handlers.h"
#include "api/http_out.h"
#include "api/log_proof.h"
#include "api/problem.h"
#include "api/render.h"
#include "base/encode.h"
#include "base/limits.h"

#define ID_BYTES 15 /* as the reference library makes them: 20 characters, none of them padding */

static struct span fresh_id(struct arena *arena) {
    unsigned char random[ID_BYTES];
    char *text = arena_alloc(arena, ENCODE_BASE64_SIZE(ID_BYTES));
    digest_random(random, sizeof random);
    return span_of(text, encode_base64(random, sizeof random, text));
}

enum api_outcome api_consent_step(struct api_call *call) {
    static const char *const known[] = {"id", NULL};
    struct api_json in;
    struct store_change *change = api_change_new(call, STORE_STEP, false);
    if (change == NULL)
        return API_DONE;
    change->step_is_new = true;
    change->step = fresh_id(&change->arena);
    if (call->body.size == 0)
        return api_change_submit(call, change);
    if (!api_change_body(call, change, &in))
        return API_DONE;
    if (api_json_object(&in, in.root, known) && json_object_get(in.root, "id") != NULL) {
        change->step_is_new = false;
        change->step = api_json_string(&in, in.root, "id", LIMIT_TRANSACTION, true);
    }
    return api_change_finish(call, change, &in);
}

/* ---- the step */

/* As Icebreaker One prints times in steps. */
static void write_seconds(struct json_out *out, const char *name, int64_t time_ms) {
    char text[TIMESTAMP_SIZE + 1];
    timestamp_format(time_ms, text);
    memcpy(text + TIMESTAMP_SIZE - sizeof ".000Z" + 1, "Z", 2);
    json_out_member(out, name, span_of_text(text));
}

static void write_urls(struct json_out *out, const struct span *urls, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        json_out_string(out, urls[i]);
    json_out_array_end(out);
}

/* What the pack in force says of the consent's licence, which is allowed whatever it says. */
static void write_allows(struct json_out *out, const struct policy_pack *pack, struct span url) {
    static const struct policy_license none;
    const struct policy_license *license = policy_pack_license_find(pack, url);
    if (license == NULL)
        license = &none;
    json_out_key(out, "allows");
    json_out_object_begin(out);
    json_out_key(out, "licenses");
    json_out_array_begin(out);
    json_out_string(out, url);
    write_urls(out, license->step_licenses, license->step_license_count);
    json_out_key(out, "processes");
    json_out_array_begin(out);
    write_urls(out, license->step_processes, license->step_process_count);
    json_out_object_end(out);
}

static enum status write_step(struct api_call *call, const struct store_consent *c, struct span id,
                              struct json_out *out) {
    const struct policy_pack *pack = atomic_load(&call->loop->service->pack);
    char account[API_PAIRWISE_SIZE + 1];
    enum status status = api_render_pairwise(call, c, account);
    if (status != STATUS_OK)
        return status;
    json_out_object_begin(out);
    json_out_member(out, "id", id);
    json_out_member(out, "type", SPAN("permission"));
    json_out_member(out, "scheme", policy_pack_scheme(pack));
    write_seconds(out, "timestamp", c->granted_at);
    json_out_member(out, "account", span_of(account, API_PAIRWISE_SIZE));
    write_allows(out, pack, store_name(call->loop->reader, STORE_NAME_LICENSE, c->license));
    write_seconds(out, "expires", c->expires);
    json_out_object_end(out);
    return STATUS_OK;
}

static enum status render(struct api_call *call, const struct store_change *change,
                          struct store_consent *c) {
    struct store_reader *reader = call->loop->reader;
    enum status status = store_read_begin(reader);
    if (status != STATUS_OK)
        return status;
    struct json_out out = json_out_to(&call->response.body);
    json_out_object_begin(&out);
    json_out_key(&out, "step");
    status = store_consent_by_index(reader, change->done.consent, c);
    if (status == STATUS_OK)
        status = store_consent_as_of(reader, change->done.log_index, c);
    if (status == STATUS_OK)
        status = write_step(call, c, change->step, &out);
    json_out_member_int(&out, "logIndex", (int64_t)change->done.log_index);
    json_out_object_end(&out);
    c->tail = SPAN_NONE;
    store_read_end(reader);
    return status;
}

enum api_outcome api_consent_step_reply(struct api_call *call, struct store_change *change) {
    struct store_consent consent;
    if (change->done.status != STATUS_OK)
        return api_change_refuse(call, change);
    enum status status = render(call, change, &consent);
    if (status == STATUS_OK)
        status = api_log_proof_add(call, change->done.log_index);
    store_change_free(change);
    if (status != STATUS_OK) {
        api_response_reset(call);
        return api_problem(call, status, NULL);
    }
    (void)api_etag_set(call, &consent);
    return api_respond(call, 200, "application/json");
}
