/* Parameters of queries as a table: name, kind, bound and where the value goes. URLs and JSON
 * bodies share it, so that a filter means the same in both. Pure. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_PARAM_H
#define API_PARAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/span.h"
#include "base/status.h"

/* Each with the type of the member it fills. */
enum api_param_kind {
    API_PARAM_TEXT,   /* struct span: 1 to `extra` bytes of UTF-8 without NUL, borrowed */
    API_PARAM_NAME,   /* the same, of visible ASCII: a URL, or what a token calls a party */
    API_PARAM_TEXTS,  /* struct api_texts, each like text; repeated */
    API_PARAM_NAMES,  /* struct api_texts, each like a name; repeated */
    API_PARAM_UUID,   /* struct uuid; the bool at offset `extra` becomes true */
    API_PARAM_TIME,   /* int64_t */
    API_PARAM_MOMENT, /* struct api_moment */
    API_PARAM_STATES, /* uint32_t, a bit per consent_state; may be repeated */
    API_PARAM_EVENT,  /* enum store_event_code */
    API_PARAM_JUDGED, /* enum store_event_code, of a disclosure: true when it was permitted */
    API_PARAM_INDEX,  /* uint64_t: the number plus one, "what comes after it" */
    API_PARAM_LIMIT,  /* uint32_t: 1 to LIMIT_PAGE */
    API_PARAM_NUMBER, /* uint64_t, exact as a double, as indexes are */
    API_PARAM_FLAG,   /* bool: true or false */
};
/* A time that is asked about, first and last millisecond: without a fraction it is that whole
 * second. */
struct api_moment {
    int64_t first, last;
};
struct api_texts {
    struct span items[LIMIT_SET];
    uint32_t count;
};
struct api_param {
    const char *name;
    enum api_param_kind kind;
    size_t offset;
    size_t extra;
};
/* A table of at most 32 parameters, and the struct to fill. */
struct api_params {
    const struct api_param *list;
    size_t count;
    void *into;
    uint32_t seen;   /* bit per parameter that was set */
    const char *why; /* after a refusal: a static sentence that goes on after the name */
};

/* Sets one parameter. STATUS_NOT_FOUND when the table has no such name; STATUS_INVALID_PARAMETER
 * when it was set before (only lists may be repeated) or text is not valid for its kind. */
MUST_CHECK enum status api_param_set(struct api_params *params, struct span name, struct span text);
/* NULL when the table has no such name. */
const struct api_param *api_param_find(const struct api_params *params, struct span name);
bool api_param_was_set(const struct api_params *params, struct span name);

#endif
