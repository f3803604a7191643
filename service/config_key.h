/* The table of scalar keys and how a value of each kind is read; private to config*.c. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_CONFIG_KEY_H
#define SERVICE_CONFIG_KEY_H

#include <jansson.h>

#include "service/config.h"

enum config_kind {
    CONFIG_PATH,      /* struct span */
    CONFIG_URL,       /* struct span: http or https, no query, no trailing slash */
    CONFIG_ORIGIN,    /* struct span: a log's name */
    CONFIG_NUMBER,    /* uint64_t within min..max */
    CONFIG_FLAG,      /* bool */
    CONFIG_LEVEL,     /* uint64_t: enum log_level by name */
    CONFIG_ADDRESSES, /* config->listen: one text, or an array of them */
};
struct config_key {
    const char *name;
    enum config_kind kind;
    size_t offset;
    uint64_t min, max;
    bool fixed; /* takes effect only at the next start */
};
/* Ends with a key without a name. */
extern const struct config_key config_keys[];

/* What a value is refused for: a phrase that goes on after the key's name. */
struct config_refusal {
    char phrase[160];
};
/* Both return false and fill *refusal when the value is not valid for the key. */
bool config_key_set_text(struct config *config, const struct config_key *key, struct span text,
                         struct config_refusal *refusal);
bool config_key_set_json(struct config *config, const struct config_key *key, const json_t *value,
                         struct config_refusal *refusal);
bool config_key_equal(const struct config_key *key, const struct config *a, const struct config *b);

/* Whether text is an http(s) URL of at most LIMIT_URL bytes without white space. */
bool config_url_valid(struct span text);

/* Whether name is that of a list; the i-th of these names, NULL past the last. */
bool config_list_known(const char *name);
const char *config_list_name(unsigned index);
/* listeners[], issuers[], tenants[] and witnesses[]: on failure `where` names the key inside
 * ("issuers[0].keyFile"). */
bool config_list_set(struct config *config, const char *name, json_t *value, char where[80],
                     struct config_refusal *refusal);

#endif
