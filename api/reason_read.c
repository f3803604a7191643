/* Why a consent ends, as the caller says it. Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/change.h"
#include "base/json_out.h"
#include "base/limits.h"

static void read_code(struct api_json *in, const json_t *reason, const struct policy_pack *pack,
                      bool refusing, struct store_reason *out) {
    bool by_caller = false;
    out->code = api_json_string(in, reason, "code", 64, true);
    if (!span_present(out->code))
        return;
    if (!policy_pack_reason(pack, out->code, &out->leads_to, &by_caller) || !by_caller)
        api_json_fail(in, "code", "is no reason that a caller may state");
    else if ((out->leads_to == CONSENT_REFUSED) != refusing)
        api_json_fail(in, "code",
                      refusing ? "does not refuse a request" : "only refuses a request");
}

static struct span read_by(struct api_json *in, const json_t *reason, struct store_reason *out) {
    static const char *const known[] = {"role", "ref", NULL};
    struct span ref = SPAN_NONE;
    const json_t *by = api_json_member_object(in, reason, "by", false);
    if (by == NULL)
        return ref;
    size_t mark = api_json_enter(in, "by");
    (void)api_json_object(in, by, known);
    struct span role = api_json_string(in, by, "role", 32, true);
    if (span_present(role) &&
        (lifecycle_role_parse(role, &out->by) != STATUS_OK || out->by == CONSENT_BY_SYSTEM))
        api_json_fail(in, "role", "must be accountHolder, client, tenant or scheme");
    ref = api_json_string(in, by, "ref", LIMIT_ACCOUNT, false);
    api_json_leave(in, mark);
    return ref;
}

void api_reason_read(struct api_json *in, const json_t *body, const struct policy_pack *pack,
                     bool refusing, struct store_reason *out) {
    static const char *const known[] = {"code", "text", "by", NULL};
    const json_t *reason = api_json_member_object(in, body, "reason", true);
    if (reason == NULL)
        return;
    size_t mark = api_json_enter(in, "reason");
    (void)api_json_object(in, reason, known);
    read_code(in, reason, pack, refusing, out);
    struct span text = api_json_string(in, reason, "text", LIMIT_TEXT, false);
    struct span ref = read_by(in, reason, out);
    api_json_leave(in, mark);
    struct buffer members = {0};
    struct json_out json = json_out_to(&members);
    json_out_member_optional(&json, "text", text);
    json_out_member_optional(&json, "ref", ref);
    out->text_json = arena_copy(in->arena, buffer_span(&members));
    buffer_release(&members);
}
