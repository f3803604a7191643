/* Whose data, and on whose behalf (addressed.h). Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/addressed.h"

#include "api/viewer.h"
#include "auth/name.h"

#define CODE_MAX 64

enum status api_acting_for(const struct api_viewer *viewer, struct span named,
                           struct api_acting *out) {
    bool own = !span_present(named) || span_equal(named, viewer->tenant);
    if (own && api_viewer_may(viewer, AUTH_CONSENTS_WRITE)) {
        *out = (struct api_acting){viewer->tenant, STORE_BY_TENANT};
        return STATUS_OK;
    }
    if (!api_viewer_may(viewer, AUTH_ADMIN))
        return STATUS_INSUFFICIENT_SCOPE;
    if (!span_present(named))
        return STATUS_INVALID_PARAMETER;
    *out = (struct api_acting){named, STORE_BY_ADMIN};
    return STATUS_OK;
}

#define NAME_THE_TENANT "an administrator must name the tenant"

enum api_outcome api_acting_refuse(struct api_call *call, enum status status) {
    return api_problem(call, status,
                       status == STATUS_INVALID_PARAMETER
                           ? NAME_THE_TENANT
                           : "only an administrator acts for another tenant");
}

static void read_target(struct api_json *in, struct api_addressed *out) {
    struct span id = api_json_string(in, in->root, "consentId", UUID_TEXT_SIZE, false);
    out->account = api_json_string(in, in->root, "account", LIMIT_ACCOUNT, false);
    out->provider = api_json_url(in, in->root, "provider", false);
    out->by_account = json_object_get(in->root, "account") != NULL;
    bool by_consent = json_object_get(in->root, "consentId") != NULL;
    if (span_present(id) && uuid_from_text(id, &out->consent) != STATUS_OK)
        api_json_fail(in, "consentId", "must be a UUID");
    if (by_consent == out->by_account)
        api_json_fail(in, NULL, "must name either consentId or account");
    else if (by_consent && json_object_get(in->root, "provider") != NULL)
        api_json_fail(in, "provider", "goes with an account only");
    if (!span_present(out->provider))
        out->provider = out->acting.tenant;
}

void api_addressed_read(const struct api_call *call, struct api_json *in,
                        struct api_addressed *out) {
    *out = (struct api_addressed){.status = STATUS_OK};
    struct span tenant = api_json_string(in, in->root, "tenant", LIMIT_URL, false);
    if (span_present(tenant) && !auth_name_valid(tenant))
        api_json_fail(in, "tenant", "must be of visible ASCII");
    out->status = api_acting_for(call->viewer, tenant, &out->acting);
    if (out->status == STATUS_INVALID_PARAMETER)
        api_json_fail(in, "tenant", NAME_THE_TENANT);
    read_target(in, out);
}

static bool is_code(struct span text) {
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && c != '.' && c != '_' && c != '-')
            return false;
    }
    return true;
}

struct span api_addressed_code(struct api_json *in, const char *name) {
    struct span code = api_json_string(in, in->root, name, CODE_MAX, true);
    if (span_present(code) && !is_code(code))
        api_json_fail(in, name, "must be a code of letters, digits, '.', '_' and '-'");
    return code;
}
