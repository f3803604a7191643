/* Receipts: what a consent says, in the words of ISO/IEC TS 27560, signed by the service and bound
 * to the log, for who keeps it. A receipt shows what its reader may see of the consent and nothing
 * more: it is made from that document (api/render.h).
 *
 * Runs on a loop; one snapshot per call (invariant 5). A signature takes about 0.4 ms. */
// SPDX-License-Identifier: Apache-2.0
#include <jansson.h>

#include "api/handlers.h"
#include "api/http_out.h"
#include "api/json_value.h"
#include "api/log_proof.h"
#include "api/params_in.h"
#include "api/problem.h"
#include "api/render.h"
#include "api/sight.h"
#include "auth/signer.h"
#include "base/encode.h"

#define SCHEMA "ISO/IEC TS 27560:2023"

/* ---- what the receipt is made of */

struct material {
    struct buffer consent; /* the document that the caller may see */
    struct buffer log;     /* index, leaf and proof of its last entry, as an object */
    int64_t now;
};

static void release(struct material *m) {
    buffer_release(&m->consent);
    buffer_release(&m->log);
}

static enum status write_log(const struct api_call *call, uint64_t index, struct buffer *into) {
    struct store_event event;
    struct json_out out = json_out_to(into);
    char leaf[ENCODE_BASE64_SIZE(STORE_LEAF_SIZE)];
    enum status status = store_event_get(call->loop->reader, index, &event);
    if (status != STATUS_OK)
        return status;
    json_out_object_begin(&out);
    json_out_member_int(&out, "index", (int64_t)index);
    json_out_member(&out, "leaf",
                    span_of(leaf, encode_base64(event.leaf.data, event.leaf.size, leaf)));
    status = api_log_proof_member(call, index, &out);
    json_out_object_end(&out);
    return status;
}

static enum status gather(const struct api_call *call, struct material *m) {
    struct store_consent consent;
    struct uuid id;
    if (uuid_from_text(call->path_id, &id) != STATUS_OK)
        return STATUS_NOT_FOUND;
    enum status status = store_consent_by_id(call->loop->reader, &id, &consent);
    if (status != STATUS_OK)
        return status;
    enum api_relation relation = api_sight_of(call, &consent);
    if (relation == API_RELATION_NONE)
        return STATUS_NOT_FOUND;
    struct json_out out = json_out_to(&m->consent);
    status = api_render_consent(call, relation, &consent, &out);
    return status == STATUS_OK ? write_log(call, consent.last_entry, &m->log) : status;
}

/* ---- the record, in other words */

/* Sets a member to what another object has under a name, if it has it. */
static void take(json_t *into, const char *name, const json_t *from, const char *under) {
    json_t *value = json_object_get(from, under);
    if (value != NULL)
        json_object_set(into, name, value);
}

static json_t *party(const json_t *consent, const char *member, const char *role) {
    json_t *one = json_object();
    take(one, "party_id", consent, member);
    take(one, "party_url", consent, member);
    json_object_set_new(one, "party_role", json_string(role));
    return one;
}

static json_t *parties(const json_t *consent) {
    json_t *list = json_array();
    size_t i;
    const json_t *recipient;
    json_array_append_new(list, party(consent, "provider", "pii_controller"));
    json_array_append_new(list, party(consent, "client", "recipient_third_party"));
    json_array_foreach(json_object_get(consent, "onwardRecipients"), i, recipient) {
        json_t *one = json_pack("{s:O, s:O, s:s}", "party_id", recipient, "party_url", recipient,
                                "party_role", "recipient_third_party");
        json_array_append_new(list, one);
    }
    json_array_append_new(list, party(consent, "tenant", "consent_record_keeper"));
    return list;
}

static json_t *purposes(const json_t *consent) {
    json_t *list = json_array(), *information = json_array();
    size_t i;
    const json_t *item;
    json_array_foreach(json_object_get(consent, "permissions"), i, item) {
        json_t *one = json_object();
        take(one, "pii_type", item, "code");
        take(one, "pii_attribute_id", item, "resources");
        json_array_append_new(information, one);
    }
    json_array_foreach(json_object_get(consent, "purposes"), i, item) {
        json_t *one = json_object();
        json_object_set(one, "purpose", (json_t *)(uintptr_t)item);
        json_object_set_new(one, "lawful_basis", json_string("consent"));
        json_object_set(one, "pii_information", information);
        take(one, "service", consent, "license");
        take(one, "retention_period", consent, "dataLife");
        json_array_append_new(list, one);
    }
    json_decref(information);
    return list;
}

static void add_event(json_t *list, const json_t *consent, const char *type, const char *time) {
    json_t *one = json_object();
    json_object_set_new(one, "event_type", json_string(type));
    take(one, "event_time", consent, time);
    if (json_object_get(one, "event_time") != NULL) {
        json_array_append(list, one);
    }
    json_decref(one);
}

static json_t *events(const json_t *consent) {
    json_t *list = json_array();
    const char *status = json_string_value(json_object_get(consent, "status"));
    add_event(list, consent, "given", "lastGranted");
    if (strcmp(status, "active") != 0)
        add_event(list, consent, status, "statusAt");
    if (json_array_size(list) != 0)
        take(json_array_get(list, 0), "validity_end", consent, "expires");
    return list;
}

static json_t *processing(const json_t *consent) {
    json_t *made = json_object();
    const json_t *notice = json_object_get(json_object_get(consent, "grant"), "notice");
    take(made, "privacy_notice", notice, "url");
    take(made, "language", notice, "language");
    take(made, "notice_digest", notice, "renderedDigest");
    json_object_set_new(made, "purposes", purposes(consent));
    return made;
}

/* The claims, with a NUL; caller frees with buffer_release. */
static void compose(const struct api_call *call, const struct material *m, struct buffer *out) {
    const struct api_settings *settings = atomic_load(&call->loop->service->settings);
    json_t *consent = json_loadb(m->consent.data, m->consent.size, 0, NULL);
    json_t *log = json_loadb(m->log.data, m->log.size, 0, NULL);
    json_t *claims = json_object();
    struct json_out json = json_out_to(out);
    json_object_set_new(claims, "iss",
                        json_stringn(settings->public_url.data, settings->public_url.size));
    json_object_set_new(claims, "iat", json_integer(m->now / 1000));
    take(claims, "sub", consent, "consentId");
    json_object_set_new(claims, "schema_version", json_string(SCHEMA));
    take(claims, "record_id", consent, "consentId");
    take(claims, "pii_principal_id", consent, "account");
    json_object_set_new(claims, "pii_processing", processing(consent));
    json_object_set_new(claims, "party_identification", parties(consent));
    json_object_set_new(claims, "events", events(consent));
    json_object_set_new(claims, "consent", consent);
    json_object_set_new(claims, "log", log);
    api_json_value_write(claims, &json);
    buffer_append(out, "", 1);
    json_decref(claims);
}

/* ---- answers */

enum api_outcome api_consent_receipt(struct api_call *call) {
    struct material m = {.now = store_time_ms(call->loop->service->store)};
    struct buffer claims = {0};
    if (!api_params_none(call))
        return API_DONE;
    enum status status = store_read_begin(call->loop->reader);
    if (status == STATUS_OK) {
        status = gather(call, &m);
        store_read_end(call->loop->reader);
    }
    if (status == STATUS_OK) {
        compose(call, &m, &claims);
        status = auth_signer_sign(call->loop->service->receipts, claims.data, &call->response.body);
    }
    buffer_release(&claims);
    release(&m);
    if (status != STATUS_OK)
        return api_problem(call, status, NULL);
    api_header_set(call, "cache-control", SPAN("private, no-cache"));
    return api_respond(call, 200, "application/jwt");
}

enum api_outcome api_receipt_keys(struct api_call *call) {
    buffer_append_span(&call->response.body, auth_signer_jwks(call->loop->service->receipts));
    api_header_set(call, "cache-control", SPAN("public, max-age=3600"));
    return api_respond(call, 200, "application/json");
}
