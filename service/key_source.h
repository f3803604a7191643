/* Where the keys of an issuer come from, and when to ask again: arithmetic of times and answers,
 * without network and threads. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_KEY_SOURCE_H
#define SERVICE_KEY_SOURCE_H

#include <stdbool.h>

#include "base/digest.h"
#include "base/limits.h"
#include "service/fetch.h"

#define KEY_SET_MAX 262144 /* bytes: 1,000 keys fit without certificates, 100 with */
#define KEY_REUSE_S 900    /* for how long a set is good that says nothing about it */
#define KEY_REUSE_MIN_S \
    60 /* and at least, whatever it says: who publishes no-store is not hammered */
#define KEY_REUSE_MAX_S 3600 /* and at most: a withdrawn key is believed no longer */
#define KEY_RETRY_S 5        /* after a failure, twice as long after each further one */
#define KEY_RETRY_MAX_S 300
#define KEY_METADATA_URL_MAX (LIMIT_URL + 64)

struct key_source {
    /* as configured; texts live where it was made */
    struct span issuer;
    const char *url;     /* NULL: none, or told by the metadata */
    const char *ca_file; /* NULL: whom the system trusts */
    bool discovery;      /* the metadata of the issuer tell the URL */
    bool insecure_http;  /* plain HTTP beyond loopback */
    bool allow_rs256;
    /* what came of it */
    char etag[128];
    struct digest digest;     /* of the set in force */
    bool known;               /* there is one, from the URL */
    bool wanted;              /* a token named a key that is not in it */
    unsigned failures;        /* since the last success */
    int64_t tried_us, due_us; /* of CLOCK_MONOTONIC; tried_us 0: never */
};

/* Whether text may be asked for keys: https, or http to loopback (or anywhere, where that was said
 * aloud); no credentials in it and no fragment. */
bool key_url_allowed(struct span text, bool insecure_http);
/* Whether there is anything to ask. */
bool key_source_remote(const struct key_source *source);
/* Both are the same place, asked in the same way. */
bool key_source_equal(const struct key_source *a, const struct key_source *b);
/* When to ask: when the set has aged, or sooner when a key of it is wanted, but not before the cool
 * down since the last time is over. */
int64_t key_source_due(const struct key_source *source, int64_t cooldown_us);
/* Where the metadata are: RFC 8414 section 3.1, or (second) OpenID Connect Discovery section 4.1.
 */
void key_source_metadata_url(const struct key_source *source, bool second,
                             char out[KEY_METADATA_URL_MAX]);

enum key_outcome { KEY_CHANGED, KEY_SAME, KEY_FAILED, KEY_OUTCOMES };
const char *key_outcome_name(enum key_outcome outcome);
/* What the answer of the URL means. KEY_CHANGED: its body is to be read, and was not seen before.
 * KEY_FAILED, and a static phrase in why. */
enum key_outcome key_source_judge(const struct key_source *source, const struct fetch *fetch,
                                  const char **why);
/* Notes the outcome, after the body was read, and when to ask again. */
void key_source_settle(struct key_source *source, enum key_outcome outcome,
                       const struct fetch *fetch, int64_t now_us);

/* For how many seconds Cache-Control says that an answer may be used again: 0 for no-store and
 * no-cache, -1 when it says nothing (RFC 9111 section 5.2.2). */
int64_t key_freshness_s(struct span cache_control);

#endif
