/* Applications to which messages go: where each takes them, as its Directory document says, and for
 * how long that is believed. Pure, but for memory. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_APPLICATION_H
#define SERVICE_APPLICATION_H

#include "service/fetch.h"
#include "base/limits.h"
#include "base/status.h"

#define APPLICATION_FRESH_MIN_S \
    60 /* a document that forbids to keep it is not asked for a minute */
#define APPLICATION_FRESH_MAX_S 86400

struct application {
    char url[LIMIT_URL + 1];      /* its id, and the address of its Directory document */
    char endpoint[LIMIT_URL + 1]; /* where it takes messages; "" while that is not known */
    int64_t fresh_until_us;       /* of the endpoint */
    int64_t retry_us;             /* not before; 0: at once */
    int64_t used_us;
    unsigned failures; /* since it took a message last */
};

/* Whether url may be asked for a document, or be where messages go: https alone, so that what an
 * application writes into its document leads to nobody whom the Directory's authority does not
 * vouch for, and not to services of this machine. */
bool application_url_allowed(struct span url);
/* Takes a document that was fetched. NULL, or why it is none: a static sentence; what was known
 * before stays. */
const char *application_learn(struct application *application, const struct fetch *fetch,
                              int64_t now_us);
/* It did not take a message, or did: when it may be asked again. first_s is the first delay, which
 * doubles up to an hour; between half of it and all of it is waited, by chance. Returns the delay
 * in milliseconds. */
int64_t application_failed(struct application *application, uint64_t first_s, int64_t now_us);
void application_took(struct application *application);
/* The same delay for a message after so many attempts. */
int64_t application_delay_ms(uint64_t first_s, unsigned attempts);

/* The body of a withdrawal message. */
void application_withdrawal(struct span token, struct buffer *out);

#endif
