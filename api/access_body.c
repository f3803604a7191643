/* One question of a body. Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/access_body.h"

#include "api/problem.h"
#include "api/viewer.h"

bool api_access_body_read(struct api_call *call, enum api_access_kind kind,
                          const struct policy_pack *pack, struct api_access_body *body,
                          struct api_access_ask *ask) {
    const char *why = NULL;
    enum status status = api_access_read(call->arena, call->body, kind, body, &why);
    if (status == STATUS_OK) {
        why = api_access_wrong(kind, &body->defaults);
        status = why != NULL ? STATUS_INVALID_BODY : STATUS_OK;
    }
    if (status != STATUS_OK) {
        (void)api_problem(call, status, why);
        return false;
    }
    struct api_access_asker asker = {
        .arena = call->arena,
        .store = call->loop->service->store,
        .pack = pack,
        .tenant = call->viewer->tenant,
        .client_id = call->viewer->client_id,
    };
    api_access_question(&asker, &body->defaults, ask);
    return true;
}
