/* The lists of the configuration: listeners[] (addresses of a kind, with TLS), issuers[] (whose
 * tokens are believed), tenants[] (what one tenant has of its own) and witnesses[] (who cosigns the
 * log). They have no form as environment variables. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "base/encode.h"
#include "base/limits.h"
#include "service/config_key.h"

enum member_kind {
    MEMBER_URL,
    MEMBER_PREFIX,
    MEMBER_TEXT,
    MEMBER_PATH,
    MEMBER_FLAG,
    MEMBER_VKEY,
    MEMBER_CHOICE,   /* uint64_t: the choice's place, from 1 */
    MEMBER_NETWORKS, /* proxies of a listener */
};
struct member {
    const char *name;
    enum member_kind kind;
    size_t offset;
    bool required;
    const char *const *choices; /* ends with NULL */
};

static const char *const listener_kinds[] = {"plain", "mutual", "public", NULL};
static const char *const tls_versions[] = {"1.2", "1.3", NULL};
static const struct member listener_members[] = {
    {"address", MEMBER_TEXT, offsetof(struct config_listener, address), true, NULL},
    {"kind", MEMBER_CHOICE, offsetof(struct config_listener, kind), true, listener_kinds},
    {"admin", MEMBER_FLAG, offsetof(struct config_listener, admin), false, NULL},
    {"certFile", MEMBER_PATH, offsetof(struct config_listener, cert_file), false, NULL},
    {"keyFile", MEMBER_PATH, offsetof(struct config_listener, key_file), false, NULL},
    {"clientCaFile", MEMBER_PATH, offsetof(struct config_listener, client_ca_file), false, NULL},
    {"crlFile", MEMBER_PATH, offsetof(struct config_listener, crl_file), false, NULL},
    {"certificateOptional", MEMBER_FLAG, offsetof(struct config_listener, certificate_optional),
     false, NULL},
    {"proxies", MEMBER_NETWORKS, offsetof(struct config_listener, proxies), false, NULL},
    {"tlsMin", MEMBER_CHOICE, offsetof(struct config_listener, tls_min), false, tls_versions},
    {0},
};

static const char *const bindings[] = {"none", "x5t", "directoryUrl", NULL};
static const struct member issuer_members[] = {
    {"issuer", MEMBER_URL, offsetof(struct config_issuer, token.issuer), true, NULL},
    {"audience", MEMBER_TEXT, offsetof(struct config_issuer, token.audience), true, NULL},
    {"keyFile", MEMBER_PATH, offsetof(struct config_issuer, token.key_file), false, NULL},
    {"keysUrl", MEMBER_TEXT, offsetof(struct config_issuer, keys_url), false, NULL},
    {"discovery", MEMBER_FLAG, offsetof(struct config_issuer, discovery), false, NULL},
    {"caFile", MEMBER_PATH, offsetof(struct config_issuer, ca_file), false, NULL},
    {"insecureHttp", MEMBER_FLAG, offsetof(struct config_issuer, insecure_http), false, NULL},
    {"allowRs256", MEMBER_FLAG, offsetof(struct config_issuer, token.allow_rs256), false, NULL},
    {"binding", MEMBER_CHOICE, offsetof(struct config_issuer, binding), false, bindings},
    {"clientClaim", MEMBER_TEXT, offsetof(struct config_issuer, token.client_claim), false, NULL},
    {"memberClaim", MEMBER_TEXT, offsetof(struct config_issuer, token.member_claim), false, NULL},
    {"rolesClaim", MEMBER_TEXT, offsetof(struct config_issuer, token.roles_claim), false, NULL},
    {0},
};
static const struct member tenant_members[] = {
    {"tenant", MEMBER_URL, offsetof(struct api_tenant_setting, tenant), true, NULL},
    {"oauthIssuer", MEMBER_URL, offsetof(struct api_tenant_setting, oauth_issuer), true, NULL},
    {"certFile", MEMBER_PATH, offsetof(struct api_tenant_setting, cert_file), false, NULL},
    {"keyFile", MEMBER_PATH, offsetof(struct api_tenant_setting, key_file), false, NULL},
    {"hookKeyFile", MEMBER_PATH, offsetof(struct api_tenant_setting, hook_key_file), false, NULL},
    {0},
};
static const struct member witness_members[] = {
    {"url", MEMBER_PREFIX, offsetof(struct config_witness, url), true, NULL},
    {"vkey", MEMBER_VKEY, offsetof(struct config_witness, vkey), true, NULL},
    {"caFile", MEMBER_PATH, offsetof(struct config_witness, ca_file), false, NULL},
    {0},
};

struct list {
    const char *name;
    const struct member *members;
    size_t item_size;
    size_t count_max;
    size_t items, count; /* where the configuration has them */
};
#define AT(member) offsetof(struct config, member)
static const struct list lists[] = {
    {"listeners", listener_members, sizeof(struct config_listener), CONFIG_LISTEN_MAX,
     AT(listeners), AT(listener_count)},
    {"issuers", issuer_members, sizeof(struct config_issuer), CONFIG_ISSUERS_MAX, AT(issuers),
     AT(issuer_count)},
    {"tenants", tenant_members, sizeof(struct api_tenant_setting), CONFIG_TENANTS_MAX, AT(tenants),
     AT(tenant_count)},
    {"witnesses", witness_members, sizeof(struct config_witness), CONFIG_WITNESSES_MAX,
     AT(witnesses), AT(witness_count)},
};
#define LISTS (sizeof lists / sizeof *lists)
static bool refuse(struct config_refusal *refusal, const char *phrase) {
    snprintf(refusal->phrase, sizeof refusal->phrase, "%s", phrase);
    return false;
}

/* Its name becomes a label of metrics, where a quote would end it. */
static bool set_vkey(struct config *config, struct config_witness *witness, struct span text) {
    witness->vkey = arena_copy(&config->arena, text);
    return tlog_vkey_parse(witness->vkey, &witness->key) == STATUS_OK &&
           witness->key.type == TLOG_KEY_COSIGNATURE && witness->key.name.size <= LIMIT_URL &&
           memchr(text.data, '"', text.size) == NULL && memchr(text.data, '\\', text.size) == NULL;
}

static bool set_choice(const struct member *member, uint64_t *at, struct span text,
                       struct config_refusal *refusal) {
    size_t size = (size_t)snprintf(refusal->phrase, sizeof refusal->phrase, "must be");
    for (uint64_t i = 0; member->choices[i] != NULL; i++) {
        const char *choice = member->choices[i];
        if (span_is(text, choice)) {
            *at = i + 1;
            return true;
        }
        const char *before = i == 0 ? " " : member->choices[i + 1] != NULL ? ", " : " or ";
        size += (size_t)snprintf(refusal->phrase + size, sizeof refusal->phrase - size, "%s%s",
                                 before, choice);
    }
    return false;
}

static bool set_proxies(struct config *config, struct config_listener *listener,
                        const json_t *value, struct config_refusal *refusal) {
    size_t count = json_array_size(value);
    if (!json_is_array(value) || count > CONFIG_PROXIES_MAX)
        return refuse(refusal, "must be an array of at most 64 addresses or networks");
    struct network *networks = arena_array(&config->arena, count, sizeof *networks);
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(value, i);
        struct span text = json_is_string(item)
                               ? span_of(json_string_value(item), json_string_length(item))
                               : SPAN_NONE;
        if (!network_parse(text, &networks[i]))
            return refuse(refusal, "must hold addresses like 192.0.2.1 and networks like "
                                   "10.0.0.0/8 or fd00::/8");
    }
    listener->proxies = networks;
    listener->proxy_count = (uint32_t)count;
    return true;
}

static bool set_member(struct config *config, const struct member *member, void *item,
                       const json_t *value, struct config_refusal *refusal) {
    char *at = (char *)item + member->offset;
    if (member->kind == MEMBER_FLAG) {
        *(bool *)(void *)at = json_is_true(value);
        return json_is_boolean(value) || refuse(refusal, "must be true or false");
    }
    if (member->kind == MEMBER_NETWORKS)
        return set_proxies(config, item, value, refusal);
    if (!json_is_string(value))
        return refuse(refusal, "must be a string");
    struct span text = span_of(json_string_value(value), json_string_length(value));
    if (member->kind == MEMBER_CHOICE)
        return set_choice(member, (uint64_t *)(void *)at, text, refusal);
    if (member->kind == MEMBER_VKEY)
        return set_vkey(config, item, text) ||
               refuse(refusal, "must be the verifier key of a witness");
    size_t size_max = member->kind == MEMBER_PATH ? 4095 : LIMIT_URL;
    if (text.size == 0 || text.size > size_max || !encode_utf8_valid(text))
        return refuse(refusal, member->kind == MEMBER_PATH ? "must be a path of 1..4095 bytes"
                                                           : "must be 1..256 bytes of UTF-8");
    if (member->kind == MEMBER_URL && !config_url_valid(text))
        return refuse(refusal, "must be an http or https URL without query");
    if (member->kind == MEMBER_PREFIX &&
        (!config_url_valid(text) || text.data[text.size - 1] == '/'))
        return refuse(refusal, "must be an http or https URL without query and trailing slash");
    struct span copy = arena_copy(&config->arena, text);
    if (member->kind == MEMBER_PATH)
        *(const char **)(void *)at = copy.data;
    else
        *(struct span *)(void *)at = copy;
    return true;
}

static const struct member *member_find(const struct member *members, const char *name) {
    for (; members->name != NULL; members++)
        if (strcmp(members->name, name) == 0)
            return members;
    return NULL;
}

/* An element being read: what it fills, and its place in the file. */
struct slot {
    const struct member *members;
    void *item;
    char *where; /* 80 bytes */
};

static bool set_item(struct config *config, const struct slot *slot, json_t *value,
                     struct config_refusal *refusal) {
    char *where = slot->where;
    size_t prefix = strlen(where);
    const char *name;
    json_t *found;
    if (!json_is_object(value))
        return refuse(refusal, "must be an object");
    json_object_foreach(value, name, found) {
        const struct member *member = member_find(slot->members, name);
        snprintf(where + prefix, 80 - prefix, ".%.40s", name);
        if (member == NULL)
            return refuse(refusal, "is not a key");
        if (!set_member(config, member, slot->item, found, refusal))
            return false;
    }
    for (const struct member *member = slot->members; member->name != NULL; member++) {
        snprintf(where + prefix, 80 - prefix, ".%s", member->name);
        if (member->required && json_object_get(value, member->name) == NULL)
            return refuse(refusal, "is required");
    }
    return true;
}

const char *config_list_name(unsigned index) {
    return index < LISTS ? lists[index].name : NULL;
}

static const struct list *list_find(const char *name) {
    for (size_t i = 0; i < LISTS; i++)
        if (strcmp(lists[i].name, name) == 0)
            return &lists[i];
    return NULL;
}

bool config_list_known(const char *name) {
    return list_find(name) != NULL;
}

bool config_list_set(struct config *config, const char *name, json_t *value, char where[80],
                     struct config_refusal *refusal) {
    const struct list *list = list_find(name);
    size_t count = json_array_size(value);
    snprintf(where, 80, "%s", name);
    if (!json_is_array(value) || count > list->count_max) {
        snprintf(refusal->phrase, sizeof refusal->phrase, "must be an array of at most %zu objects",
                 list->count_max);
        return false;
    }
    char *items = arena_array(&config->arena, count, list->item_size);
    for (size_t i = 0; i < count; i++) {
        snprintf(where, 80, "%s[%zu]", name, i);
        struct slot slot = {list->members, items + i * list->item_size, where};
        if (!set_item(config, &slot, json_array_get(value, i), refusal))
            return false;
    }
    memcpy((char *)config + list->items, &items, sizeof items);
    *(uint32_t *)(void *)((char *)config + list->count) = (uint32_t)count;
    return true;
}
