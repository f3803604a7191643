/* An onward recipient's part: the permissions that the licence keeps for such, the purposes that
 * are open to their role, and no other recipient (spec: consent.md, What others see).
 *
 * Runs on a loop inside a store_read. */
// SPDX-License-Identifier: Apache-2.0
#include "api/recipient.h"

#include "api/json_value.h"
#include "base/log.h"

static const char *const NOT_ITS_OWN[] = {"oauthIssuer", "clientMember", "clientRoles",
                                          "maxUses",     "dependsOn",    NULL};

static struct span text_of(const json_t *value) {
    return json_is_string(value) ? span_of(json_string_value(value), json_string_length(value))
                                 : SPAN_NONE;
}

static bool names(const json_t *list, struct span url) {
    size_t i;
    const json_t *value;
    json_array_foreach(list, i, value) {
        if (span_present(url) && span_equal(text_of(value), url)) {
            return true;
        }
    }
    return false;
}

struct span api_recipient_named(const struct api_viewer *viewer, const struct store_terms *terms) {
    if (!api_viewer_may(viewer, AUTH_CONSENTS_READ)) {
        return SPAN_NONE;
    }
    json_t *object = api_json_value_members(terms->terms);
    const json_t *list = json_object_get(object, "onwardRecipients");
    struct span url = names(list, viewer->client_id) ? viewer->client_id
                      : names(list, viewer->tenant)  ? viewer->tenant
                                                     : SPAN_NONE;
    json_decref(object);
    return url;
}

static bool purpose_is_theirs(const struct policy_pack *pack, const struct policy_license *license,
                              const json_t *value) {
    int purpose = policy_pack_purpose_find(pack, text_of(value));
    return purpose >= 0 && (license->purposes >> purpose & 1U) != 0 &&
           (policy_pack_purpose(pack, (uint32_t)purpose)->roles >> license->onward_role & 1U) != 0;
}

static bool permission_is_theirs(const struct policy_pack *pack,
                                 const struct policy_license *license, const json_t *value) {
    int permission = policy_pack_permission_find(pack, text_of(json_object_get(value, "code")));
    return permission >= 0 && (license->onward_permissions >> permission & 1U) != 0;
}

static void keep(json_t *list, const struct policy_pack *pack, const struct policy_license *license,
                 bool is_theirs(const struct policy_pack *, const struct policy_license *,
                                const json_t *)) {
    for (size_t i = json_array_size(list); i > 0; i--) {
        if (license == NULL || license->onward_max == 0 ||
            !is_theirs(pack, license, json_array_get(list, i - 1))) {
            json_array_remove(list, i - 1);
        }
    }
}

void api_recipient_reduce(const struct policy_pack *pack, struct span license, struct span url,
                          json_t *terms) {
    const struct policy_license *found = policy_pack_license_find(pack, license);
    ASSERT(span_present(url)); /* invariant 9: a grant only narrows its request */
    for (const char *const *name = NOT_ITS_OWN; *name != NULL; name++) {
        json_object_del(terms, *name);
    }
    json_object_set_new(terms, "onwardRecipients", json_pack("[s%]", url.data, url.size));
    keep(json_object_get(terms, "purposes"), pack, found, purpose_is_theirs);
    keep(json_object_get(terms, "permissions"), pack, found, permission_is_theirs);
}
