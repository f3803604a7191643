/* What members of an Icebreaker One scheme call with their Directory certificate alone: a client
 * reads the permission record of its refresh token, or revokes it (RFC 7009); another member tells
 * of a permission that was withdrawn in its store. A token is hashed here and goes no further
 * (invariant 10); every exchange is an entry of the log, so the writer looks the digest up.
 *
 * Sources: Icebreaker One, Permission Records 1.0, Withdrawal of Permission 1.0, Message Delivery
 * to Applications 1.0. Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/change.h"
#include "api/form.h"
#include "api/handlers.h"
#include "api/http_out.h"
#include "api/json_value.h"
#include "api/problem.h"
#include "api/render.h"
#include "base/encode.h"
#include "base/limits.h"
#include "store/peer.h"

#define HINT_MAX 64
#define TRUST_FRAMEWORK "https://registry.core.trust.ib1.org/trust-framework"
#define WITHDRAWAL "https://registry.trust.ib1.org/message/withdrawal-of-permission/2025-03-16"

/* ---- the token */

/* Whether it has the form of a JWT (RFC 7519 section 7.2), as access tokens do. */
static bool is_jwt(struct span token) {
    unsigned char header[512];
    size_t size, dots = 0;
    for (size_t i = 0; i < token.size; i++)
        dots += token.data[i] == '.';
    const char *first = memchr(token.data, '.', token.size);
    if (first == NULL || (dots != 2 && dots != 4) ||
        decode_base64url(span_of(token.data, (size_t)(first - token.data)), header, sizeof header,
                         &size) != STATUS_OK)
        return false;
    return size > 1 && header[0] == '{' && memmem(header, size, "\"alg\"", 5) != NULL;
}

static void present(struct store_change *change, struct span token) {
    change->peer = arena_array(&change->arena, 1, sizeof *change->peer);
    change->peer->token = digest_sha256(token);
    change->peer->never_refresh = is_jwt(token);
}

/* The form {token, token_type_hint?, client_id?}: an OAuth client that authenticates by TLS says
 * who it is as well (RFC 8705 section 2), and must be who the certificate says. */
static enum api_outcome present_form(struct api_call *call, enum store_op op) {
    struct span token, hint, client;
    const struct api_form_field fields[] = {
        {"token", LIMIT_TOKEN, true, &token},
        {"token_type_hint", HINT_MAX, false, &hint},
        {"client_id", LIMIT_URL, false, &client},
        {NULL, 0, false, NULL},
    };
    const char *why;
    struct store_change *change = api_change_new(call, op, false);
    if (change == NULL)
        return API_DONE;
    bool read = api_form_read(call->arena, call->body, fields, &why);
    if (read && span_present(client) && !span_equal(client, call->viewer->client_id)) {
        read = false;
        why = "client_id is not the application that the certificate names";
    }
    if (!read) {
        store_change_free(change);
        return api_problem_oauth(call, STATUS_INVALID_BODY, "invalid_request", why);
    }
    present(change, token);
    return api_change_submit(call, change);
}

static enum api_outcome refuse(struct api_call *call, struct store_change *change) {
    if (change->done.status != STATUS_INVALID_PARAMETER)
        return api_change_refuse(call, change);
    store_change_free(change);
    return api_problem_oauth(call, STATUS_INVALID_PARAMETER, "unsupported_token_type",
                             "this is a JWT, as access tokens are, and no refresh token of yours: "
                             "send the refresh token");
}

/* ---- in which role */

static bool shows(const struct auth_certificate *certificate, const struct policy_role *role) {
    for (uint32_t i = 0; i < certificate->role_count; i++)
        for (uint32_t u = 0; u < role->url_count; u++)
            if (span_equal(certificate->roles[i], role->urls[u]))
                return true;
    return false;
}

/* Roles of the pack to which some licence gives data. */
static uint64_t receiving(const struct policy_pack *pack) {
    uint64_t roles = 0;
    for (uint32_t i = 0; i < policy_pack_license_count(pack); i++)
        roles |= UINT64_C(1) << policy_pack_license(pack, i)->to_role;
    return roles;
}

static enum api_outcome refuse_role(struct api_call *call, uint64_t needed) {
    const struct policy_pack *pack = atomic_load(&call->loop->service->pack);
    const struct auth_certificate *certificate = call->certificate;
    struct buffer text = {0};
    buffer_append_text(&text, "the certificate must show one of the roles");
    for (uint32_t i = 0; i < policy_pack_role_count(pack); i++)
        for (uint32_t u = 0; (needed >> i & 1) != 0 && u < policy_pack_role(pack, i)->url_count;
             u++)
            buffer_append_format(&text, " %.*s", SPAN_ARG(policy_pack_role(pack, i)->urls[u]));
    buffer_append_text(&text, "; presented:");
    for (uint32_t i = 0; i < certificate->role_count; i++)
        buffer_append_format(&text, " %.*s", SPAN_ARG(certificate->roles[i]));
    if (certificate->role_count == 0)
        buffer_append_text(&text, " none");
    buffer_append(&text, "", 1);
    enum api_outcome outcome = api_problem(call, STATUS_WRONG_ROLE, text.data);
    buffer_release(&text);
    return outcome;
}

/* ---- the permission record */

/* Whoever lost its role may still end what it has, but reads nothing more. */
enum api_outcome api_ib1_permission(struct api_call *call) {
    const struct policy_pack *pack = atomic_load(&call->loop->service->pack);
    uint64_t needed = receiving(pack);
    bool in_role = needed == 0;
    for (uint32_t i = 0; i < policy_pack_role_count(pack) && !in_role; i++)
        in_role = (needed >> i & 1) != 0 && shows(call->certificate, policy_pack_role(pack, i));
    return in_role ? present_form(call, STORE_READ_PERMISSION) : refuse_role(call, needed);
}

/* Of the terms, else what the tenant's consents get now. */
static void write_issuer(struct api_call *call, const json_t *terms, struct span tenant,
                         struct json_out *out) {
    const struct api_settings *settings = atomic_load(&call->loop->service->settings);
    const json_t *stated = json_object_get(terms, "oauthIssuer");
    struct span issuer = settings->oauth_issuer;
    for (uint32_t i = 0; i < settings->tenant_count; i++)
        if (span_equal(settings->tenants[i].tenant, tenant) &&
            span_present(settings->tenants[i].oauth_issuer))
            issuer = settings->tenants[i].oauth_issuer;
    if (json_is_string(stated))
        issuer = span_of(json_string_value(stated), json_string_length(stated));
    json_out_member_optional(out, "oauthIssuer", issuer);
}

/* The record always says from when on: where nobody stated it, from where the consent begins. */
static int64_t available_from(const struct store_consent *c) {
    if (c->data_available_from != INT64_MIN)
        return c->data_available_from;
    return c->data_from != INT64_MIN ? c->data_from : c->granted_at;
}

static void write_evidence(struct api_call *call, const struct store_consent *c,
                           struct json_out *out) {
    const struct api_settings *settings = atomic_load(&call->loop->service->settings);
    char id[STORE_EVIDENCE_SIZE + 1];
    store_evidence_id(call->loop->service->store, &c->arrangement, id);
    json_out_member(
        out, "evidence",
        arena_format(call->arena, "%.*s/evidence/%s", SPAN_ARG(settings->public_url), id));
}

static enum status write_record(struct api_call *call, const struct store_consent *c,
                                const struct store_token *token, struct json_out *out) {
    struct store_reader *reader = call->loop->reader;
    struct store_terms terms;
    char account[API_PAIRWISE_SIZE + 1];
    enum status status = api_render_pairwise(call, c, account);
    if (status == STATUS_OK)
        status = store_consent_terms(reader, c, &terms);
    if (status != STATUS_OK)
        return status;
    json_t *stated = api_json_value_members(terms.terms);
    write_issuer(call, stated, store_name(reader, STORE_NAME_MEMBER, c->tenant), out);
    json_decref(stated);
    json_out_member(out, "client", store_name(reader, STORE_NAME_MEMBER, c->client));
    json_out_member(out, "license", store_name(reader, STORE_NAME_LICENSE, c->license));
    json_out_member(out, "account", span_of(account, API_PAIRWISE_SIZE));
    json_out_member_time(out, "lastGranted", c->granted_at);
    json_out_member_time(out, "expires", c->expires);
    write_evidence(call, c, out);
    if (c->recorded == CONSENT_REVOKED || c->recorded == CONSENT_TERMINATED)
        json_out_member_time(out, "revoked", c->status_at);
    json_out_member_time(out, "dataAvailableFrom", available_from(c));
    json_out_member_time(out, "tokenIssuedAt", token->issued_at);
    json_out_member_time(out, "tokenExpires", token->expires);
    return STATUS_OK;
}

static enum status render(struct api_call *call, const struct store_change *change) {
    struct store_reader *reader = call->loop->reader;
    struct store_consent c;
    enum status status = store_read_begin(reader);
    if (status != STATUS_OK)
        return status;
    struct json_out out = json_out_to(&call->response.body);
    json_out_object_begin(&out);
    json_out_key(&out, "permission");
    json_out_object_begin(&out);
    status = store_consent_by_index(reader, change->done.consent, &c);
    if (status == STATUS_OK)
        status = store_consent_as_of(reader, change->done.log_index, &c);
    if (status == STATUS_OK)
        status = write_record(call, &c, &change->peer->found, &out);
    json_out_object_end(&out);
    json_out_object_end(&out);
    store_read_end(reader);
    return status;
}

enum api_outcome api_ib1_permission_reply(struct api_call *call, struct store_change *change) {
    if (change->done.status != STATUS_OK)
        return refuse(call, change);
    enum status status = render(call, change);
    store_change_free(change);
    if (status != STATUS_OK) {
        api_response_reset(call);
        return api_problem(call, status, NULL);
    }
    return api_respond(call, 200, "application/json");
}

/* ---- revocation, and messages: what they bring about is nobody's to see */

static enum api_outcome done(struct api_call *call, struct store_change *change) {
    store_change_free(change);
    buffer_append_text(&call->response.body, "{}");
    return api_respond(call, 200, "application/json");
}

enum api_outcome api_ib1_revoke(struct api_call *call) {
    return present_form(call, STORE_REVOKE_TOKEN);
}

enum api_outcome api_ib1_revoke_reply(struct api_call *call, struct store_change *change) {
    if (change->done.status != STATUS_OK)
        return refuse(call, change);
    if (!change->peer->known)
        atomic_fetch_add(&call->loop->service->unknown_revocations, 1);
    return done(call, change);
}

static void expect(struct api_json *in, const char *name, const char *value) {
    struct span text = api_json_url(in, in->root, name, true);
    if (span_present(text) && !span_is(text, value))
        api_json_fail(in, name, "must be %s", value);
}

enum api_outcome api_ib1_message(struct api_call *call) {
    static const char *const known[] = {"ib1:message", "subject", "body", NULL};
    static const char *const body_known[] = {"token", NULL};
    struct api_json in;
    struct store_change *change = api_change_new(call, STORE_MESSAGE, false);
    if (change == NULL || !api_change_body(call, change, &in))
        return API_DONE;
    if (api_json_object(&in, in.root, known)) {
        expect(&in, "ib1:message", TRUST_FRAMEWORK);
        expect(&in, "subject", WITHDRAWAL);
        const json_t *body = api_json_member_object(&in, in.root, "body", true);
        size_t mark = api_json_enter(&in, "body");
        if (body != NULL && api_json_object(&in, body, body_known)) {
            struct span token = api_json_string(&in, body, "token", LIMIT_TOKEN, true);
            if (span_present(token))
                present(change, token);
        }
        api_json_leave(&in, mark);
    }
    return api_change_finish(call, change, &in);
}

enum api_outcome api_ib1_message_reply(struct api_call *call, struct store_change *change) {
    return change->done.status == STATUS_OK ? done(call, change) : api_change_refuse(call, change);
}
