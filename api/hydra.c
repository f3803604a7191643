/* POST /hooks/hydra/token: Ory Hydra asks before it issues tokens. Its session names the consent
 * (consent_id among the access token's claims, as the consent page put it there); while that
 * consent's arrangement permits the client to read, tokens go on, else Hydra is told 403, which it
 * turns into access_denied. The hook carries no token, and it is no decision about a transfer:
 * nothing is recorded.
 *
 * Source: Ory Hydra v2, "Customizing claims": 204 leaves the session's claims as they are, 200
 * replaces them, 403 denies, anything else is an error of the server. Unknown members are ignored:
 * Hydra adds some with its releases. Runs on a loop; one snapshot (invariant 5). */
// SPDX-License-Identifier: Apache-2.0

#include "api/handlers.h"
#include "api/http_out.h"
#include "api/json_in.h"
#include "api/json_value.h"
#include "api/params_in.h"
#include "base/json_out.h"
#include "base/limits.h"
#include "store/question.h"

struct hook {
    struct span tenant;         /* whose hook it is, by its key */
    const json_t *extra;        /* session.extra: claims of the access token; or NULL */
    const json_t *id_claims;    /* session.id_token.id_token_claims.ext; or NULL */
    struct span client, stated; /* Hydra's id of the client; the id that its metadata state */
    bool personal;              /* a grant that rests on somebody's consent */
    bool has_consent;
    struct uuid consent;
};

/* ---- what about */

static const json_t *object_in(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);
    return json_is_object(value) ? value : NULL;
}

/* Grants without a person: client credentials and assertions. */
static void read_grants(struct api_json *in, const json_t *request, struct hook *hook) {
    const json_t *grants = api_json_array(in, request, "grant_types", LIMIT_ROLES, true);
    size_t i;
    const json_t *grant;
    size_t mark = api_json_enter(in, "grant_types");
    json_array_foreach(grants, i, grant) {
        const char *text = json_string_value(grant);
        size_t inner = api_json_enter_index(in, i);
        if (text == NULL)
            api_json_fail(in, NULL, "must be a string");
        api_json_leave(in, inner);
        if (text != NULL)
            hook->personal |= strcmp(text, "client_credentials") != 0 &&
                              strcmp(text, "urn:ietf:params:oauth:grant-type:jwt-bearer") != 0;
    }
    api_json_leave(in, mark);
}

static void read_request(struct api_json *in, struct hook *hook) {
    const json_t *request = api_json_member_object(in, in->root, "request", true);
    if (request == NULL)
        return;
    size_t mark = api_json_enter(in, "request");
    hook->client = api_json_string(in, request, "client_id", LIMIT_URL, true);
    read_grants(in, request, hook);
    const json_t *metadata = object_in(object_in(request, "client"), "metadata");
    if (json_object_get(metadata, "directory_url") != NULL) {
        size_t outer = api_json_enter(in, "client");
        size_t inner = api_json_enter(in, "metadata");
        hook->stated = api_json_url(in, metadata, "directory_url", true);
        api_json_leave(in, inner);
        api_json_leave(in, outer);
    }
    api_json_leave(in, mark);
}

static void read_session(struct api_json *in, struct hook *hook) {
    const json_t *session = api_json_member_object(in, in->root, "session", true);
    if (session == NULL)
        return;
    size_t mark = api_json_enter(in, "session");
    size_t inner = api_json_enter(in, "extra");
    hook->extra = object_in(session, "extra");
    hook->id_claims =
        object_in(object_in(object_in(session, "id_token"), "id_token_claims"), "ext");
    if (json_object_get(hook->extra, "consent_id") != NULL) {
        struct span text = api_json_string(in, hook->extra, "consent_id", UUID_TEXT_SIZE, true);
        hook->has_consent = uuid_from_text(text, &hook->consent) == STATUS_OK;
        if (span_present(text) && !hook->has_consent)
            api_json_fail(in, "consent_id", "must be a UUID");
    }
    api_json_leave(in, inner);
    api_json_leave(in, mark);
}

/* ---- what of it */

/* The active consent of the arrangement, which may have been renewed since the session began. */
static enum status find_active(struct api_call *call, struct store_consent *consent) {
    const struct store_filter filter = {.everyone = true,
                                        .has_arrangement = true,
                                        .arrangement = consent->arrangement,
                                        .states = 1U << CONSENT_ACTIVE,
                                        .granted_from = INT64_MIN,
                                        .granted_to = INT64_MAX,
                                        .expires_before = INT64_MAX};
    struct store_page page;
    enum status status = store_consent_query(call->loop->reader, &filter, 0, 1, call->arena, &page);
    if (status == STATUS_OK && page.count != 0)
        *consent = page.items[0];
    return status;
}

/* Whether reading is permitted to the client now, under any purpose. */
static enum status decide(struct api_call *call, const struct hook *hook, struct span client,
                          const struct uuid *consent, const char **why) {
    const struct store_question question = {
        .about = STORE_ABOUT_CONSENT,
        .tenant = hook->tenant,
        .client = client,
        .consent = *consent,
        .ask = {.subject_type = SPAN("application"),
                .subject_id = client,
                .action_name = SPAN("read"),
                .resource_type = SPAN("consent"),
                .from = INT64_MIN,
                .to = INT64_MIN},
    };
    struct store_ruling ruling;
    const struct policy_pack *pack = atomic_load(&call->loop->service->pack);
    enum status status = store_decide(call->loop->reader, pack, &question, &ruling);
    if (status != STATUS_OK || ruling.decision.permitted)
        return status;
    *why = policy_denial_code((enum policy_denial)__builtin_ctz(ruling.decision.denials));
    return STATUS_OK;
}

/* Sets *why to a denial's code, or leaves it NULL. */
static enum status judge(struct api_call *call, struct hook *hook, const char **why) {
    struct store_reader *reader = call->loop->reader;
    struct store_consent consent;
    enum status status = store_consent_by_id(reader, &hook->consent, &consent);
    if (status == STATUS_NOT_FOUND ||
        (status == STATUS_OK &&
         !span_equal(store_name(reader, STORE_NAME_MEMBER, consent.tenant), hook->tenant))) {
        *why = policy_denial_code(DENIAL_CONSENT_NOT_FOUND); /* invariant 9 */
        return STATUS_OK;
    }
    if (status == STATUS_OK)
        status = find_active(call, &consent);
    if (status != STATUS_OK)
        return status;
    hook->consent = consent.id;
    struct span client = span_present(hook->stated) ? hook->stated : hook->client;
    return decide(call, hook, client, &consent.id, why);
}

/* ---- the answer */

static enum api_outcome deny(struct api_call *call, const char *why) {
    struct json_out out = json_out_to(&call->response.body);
    json_out_object_begin(&out);
    json_out_member(&out, "error", SPAN("access_denied"));
    json_out_member(&out, "error_description", span_of_text(why));
    json_out_object_end(&out);
    return api_respond(call, 403, "application/json");
}

/* The claims as they were, with the id of the consent that permits now. */
static enum api_outcome replace(struct api_call *call, const struct hook *hook) {
    struct json_out out = json_out_to(&call->response.body);
    const char *name;
    json_t *value;
    json_out_object_begin(&out);
    json_out_key(&out, "session");
    json_out_object_begin(&out);
    json_out_key(&out, "access_token");
    json_out_object_begin(&out);
    json_object_foreach((json_t *)(uintptr_t)hook->extra, name, value) {
        if (strcmp(name, "consent_id") == 0)
            continue;
        json_out_string(&out, span_of_text(name));
        buffer_append_text(out.to, ":");
        out.comma = false;
        api_json_value_write(value, &out);
        out.comma = true;
    }
    json_out_member_uuid(&out, "consent_id", &hook->consent);
    json_out_object_end(&out);
    json_out_key(&out, "id_token");
    if (hook->id_claims != NULL) {
        api_json_value_write(hook->id_claims, &out);
    } else {
        json_out_object_begin(&out);
        json_out_object_end(&out);
    }
    json_out_object_end(&out);
    json_out_object_end(&out);
    return api_respond(call, 200, "application/json");
}

static enum api_outcome answer(struct api_call *call, struct hook *hook) {
    const char *why = NULL;
    struct uuid named = hook->consent;
    if (!hook->has_consent && !hook->personal)
        return api_respond(call, 204, NULL); /* nobody's consent is used */
    if (!hook->has_consent)
        return deny(call, "the session names no consent");
    enum status status = store_read_begin(call->loop->reader);
    if (status == STATUS_OK) {
        status = judge(call, hook, &why);
        store_read_end(call->loop->reader);
    }
    if (status != STATUS_OK)
        return api_problem(call, status, NULL);
    if (why != NULL)
        return deny(call, why);
    return uuid_equal(&named, &hook->consent) ? api_respond(call, 204, NULL) : replace(call, hook);
}

enum api_outcome api_hydra_token(struct api_call *call) {
    const struct api_tenant_setting *tenant = call->state; /* the router's */
    struct api_json in;
    const char *why;
    if (!api_params_none(call))
        return API_DONE;
    struct hook hook = {.tenant = tenant->tenant};
    enum status status = api_json_begin(&in, call->arena, call->body, &why);
    if (status != STATUS_OK)
        return api_problem(call, status, why);
    if (json_is_object(in.root)) {
        read_session(&in, &hook);
        read_request(&in, &hook);
    } else {
        api_json_fail(&in, NULL, "must be an object");
    }
    if (api_json_failed(&in))
        return api_json_refuse(&in, call);
    enum api_outcome outcome = answer(call, &hook);
    api_json_end(&in);
    return outcome;
}
