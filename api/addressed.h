/* What erasures and holds are about: one consent, or an account; of the caller's own tenant, or of
 * the one that an administrator names. Private to api/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_ADDRESSED_H
#define API_ADDRESSED_H

#include "api/json_in.h"

/* For whom the caller acts. Borrowed. */
struct api_acting {
    struct span tenant;
    enum store_role role; /* of the tenant, or an administrator */
};
/* STATUS_INSUFFICIENT_SCOPE when the caller may not act for the tenant that is named,
 * STATUS_INVALID_PARAMETER when it has none of its own to act for and names none. */
MUST_CHECK enum status api_acting_for(const struct api_viewer *viewer, struct span named,
                                      struct api_acting *out);
enum api_outcome api_acting_refuse(struct api_call *call, enum status status);

struct api_addressed {
    struct api_acting acting;
    enum status status; /* of api_acting_for */
    bool by_account;
    struct uuid consent;
    struct span provider, account;
};
/* Reads tenant, consentId, provider and account of a body; what is wrong is recorded in `in`. Of an
 * administrator who names no tenant as well; one who may not is left to the caller. */
void api_addressed_read(const struct api_call *call, struct api_json *in,
                        struct api_addressed *out);
/* A code of letters, digits, '.', '_' and '-', which may be published; errors are recorded. */
struct span api_addressed_code(struct api_json *in, const char *name);

/* Read a whole body into change->erasure, or change->hold: what is wrong is recorded in `in`, and
 * the rest of the change is right only where nothing is. STATUS_INSUFFICIENT_SCOPE when the caller
 * may not act for the tenant. */
MUST_CHECK enum status api_erasure_read(const struct api_call *call, struct api_json *in,
                                        struct store_change *change);
MUST_CHECK enum status api_hold_read(const struct api_call *call, struct api_json *in,
                                     struct store_change *change);

#endif
