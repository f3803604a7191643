/* Strict reading of form bodies (application/x-www-form-urlencoded), as OAuth endpoints take them
 * (RFC 6749 appendix B). Private to api/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_FORM_H
#define API_FORM_H

#include "base/mem.h"
#include "base/span.h"

/* A field's value has 1 to size_max visible ASCII characters or spaces (RFC 6749 appendix A). */
struct api_form_field {
    const char *name; /* NULL ends the list */
    size_t size_max;
    bool required;
    struct span *value; /* out: in the arena; absent when the field is */
};
/* False, with a sentence that holds nothing of the body, for a field that is not listed, comes
 * twice, lacks its value, is too long or has other characters, and for what is no form. Then values
 * are untouched. */
bool api_form_read(struct arena *arena, struct span body, const struct api_form_field *fields,
                   const char **why);

#endif
