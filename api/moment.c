/* Times that are asked about. Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/moment.h"

#include "api/problem.h"

bool api_moment_past(struct api_call *call, const char *parameter, struct api_moment *moment) {
    int64_t now = store_time_ms(call->loop->service->store);
    if (moment->first > now) {
        struct span detail = arena_format(call->arena, "%s lies in the future", parameter);
        (void)api_problem(call, STATUS_INVALID_PARAMETER, detail.data);
        return false;
    }
    if (moment->last > now) {
        moment->last = now;
    }
    return true;
}
