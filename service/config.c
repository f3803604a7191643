/* Loading a configuration: defaults, then the file, then the environment, then the command line;
 * at last what must be there and what must fit together. */
// SPDX-License-Identifier: Apache-2.0
#include "service/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "service/config_key.h"
#include "service/key_source.h"

/* Where a refused value came from: the variable or option, or NULL for the file. */
static bool fail(char why[CONFIG_WHY_SIZE], const char *key, const char *source,
                 const char *phrase) {
    if (source != NULL)
        snprintf(why, CONFIG_WHY_SIZE, "config: \"%s\" (%s): %s", key, source, phrase);
    else
        snprintf(why, CONFIG_WHY_SIZE, "config: \"%.100s\": %s", key, phrase);
    return false;
}

static const struct config_key *key_find(const char *name) {
    for (const struct config_key *key = config_keys; key->name != NULL; key++)
        if (strcmp(key->name, name) == 0)
            return key;
    return NULL;
}

static void set_defaults(struct config *config, bool dev) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    config->dev = dev;
    config->loops = cores < 1 ? 1 : cores > LIMIT_LOOPS ? LIMIT_LOOPS : (uint64_t)cores;
    config->in_flight = 4096;
    config->in_flight_per_connection = 128;
    config->idle_seconds = 75;
    config->drain_seconds = 20;
    config->note_reads_seconds = 60;
    config->witness_seconds = 30;
    config->witness_quorum = 1;
    config->message_retry_seconds = 30;
    config->message_give_up_seconds = 604800; /* a week */
    config->keys_cooldown_seconds = 30;
    config->log_level = LOG_INFO;
    config->http2 = true;
    config->access_log = true;
    if (!dev)
        return;
    config->data = SPAN("var/dev");
    config->pack = SPAN("policy/packs/perseus-2026-03-12.json");
    config->origin = SPAN("consentd.invalid/dev");
}

static bool apply_member(struct config *config, const char *name, json_t *value,
                         char why[CONFIG_WHY_SIZE]) {
    struct config_refusal refusal;
    char where[80];
    if (config_list_known(name))
        return config_list_set(config, name, value, where, &refusal) ||
               fail(why, where, NULL, refusal.phrase);
    const struct config_key *key = key_find(name);
    if (key == NULL)
        return fail(why, name, NULL, "is not a key");
    return config_key_set_json(config, key, value, &refusal) ||
           fail(why, name, NULL, refusal.phrase);
}

static struct digest digest_of(const json_t *root) {
    size_t size = json_dumpb(root, NULL, 0, JSON_COMPACT);
    char *text = mem_alloc(size);
    ASSERT(json_dumpb(root, text, size, JSON_COMPACT) == size);
    struct digest digest = digest_sha256(span_of(text, size));
    mem_free(text);
    return digest;
}

static bool apply_file(struct config *config, const char *file, char why[CONFIG_WHY_SIZE]) {
    json_error_t error;
    json_t *root = json_load_file(file, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL && json_error_code(&error) == json_error_cannot_open_file) {
        snprintf(why, CONFIG_WHY_SIZE, "config: %.200s: %s", file, strerror(errno));
        return false;
    }
    if (root == NULL) {
        snprintf(why, CONFIG_WHY_SIZE, "config: %.200s: line %d: %.200s", file, error.line,
                 error.text);
        return false;
    }
    const char *name;
    json_t *value;
    bool good = json_is_object(root);
    if (!good)
        snprintf(why, CONFIG_WHY_SIZE, "config: %.200s: must be a JSON object", file);
    json_object_foreach(root, name, value) {
        if (good)
            good = apply_member(config, name, value, why);
    }
    config->text = digest_of(root);
    json_decref(root);
    return good;
}

void config_variable_name(const char *key, char *out, size_t size) {
    size_t at = (size_t)snprintf(out, size, "CONSENTD_");
    for (; *key != '\0' && at + 3 < size; key++) {
        if (isupper((unsigned char)*key))
            out[at++] = '_';
        out[at++] = (char)toupper((unsigned char)*key);
    }
    out[at] = '\0';
}

static bool apply_environment(struct config *config, char why[CONFIG_WHY_SIZE]) {
    struct config_refusal refusal;
    for (const struct config_key *key = config_keys; key->name != NULL; key++) {
        char variable[64];
        config_variable_name(key->name, variable, sizeof variable);
        const char *text = getenv(variable);
        if (text != NULL && !config_key_set_text(config, key, span_of_text(text), &refusal))
            return fail(why, key->name, variable, refusal.phrase);
    }
    return true;
}

static bool apply_overrides(struct config *config, const struct config_source *source,
                            char why[CONFIG_WHY_SIZE]) {
    struct config_refusal refusal;
    for (uint32_t i = 0; i < source->override_count; i++) {
        const struct config_override *given = &source->overrides[i];
        const struct config_key *key = key_find(given->key);
        ASSERT(key != NULL);
        if (!config_key_set_text(config, key, span_of_text(given->text), &refusal))
            return fail(why, key->name, given->option, refusal.phrase);
    }
    return true;
}

/* Where the keys of an issuer come from: a phrase and the member, or NULL. */
static const char *key_source_fault(const struct config_issuer *issuer, const char **member) {
    bool remote = span_present(issuer->keys_url) || issuer->discovery;
    *member = "keyFile";
    if (issuer->token.key_file == NULL && !remote)
        return "is required, or keysUrl, or discovery";
    *member = "caFile";
    if (issuer->ca_file != NULL && !remote)
        return "is of no use without keysUrl or discovery";
    *member = "discovery";
    if (span_present(issuer->keys_url) && issuer->discovery)
        return "has no place beside keysUrl";
    if (issuer->discovery && !key_url_allowed(issuer->token.issuer, issuer->insecure_http))
        return "needs an https issuer (or insecureHttp)";
    *member = "keysUrl";
    if (span_present(issuer->keys_url) && !key_url_allowed(issuer->keys_url, issuer->insecure_http))
        return "must be an https URL without credentials and fragment; http is for loopback, or "
               "with insecureHttp";
    return NULL;
}

static bool check_key_sources(const struct config *config, char why[CONFIG_WHY_SIZE]) {
    for (uint32_t i = 0; i < config->issuer_count; i++) {
        const char *member;
        const char *fault = key_source_fault(&config->issuers[i], &member);
        char where[80];
        snprintf(where, sizeof where, "issuers[%u].%s", i, member);
        if (fault != NULL)
            return fail(why, where, NULL, fault);
    }
    return true;
}

static bool check_unique(const struct config *config, char why[CONFIG_WHY_SIZE]) {
    char where[80];
    for (uint32_t i = 0; i < config->issuer_count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (span_equal(config->issuers[i].token.issuer, config->issuers[k].token.issuer)) {
                snprintf(where, sizeof where, "issuers[%u].issuer", i);
                return fail(why, where, NULL, "stands twice");
            }
    return true;
}

/* What two have in common who must be different hands, or NULL. A key whose text differs is still
 * the same: its name is not what signs. */
static const char *common_part(const struct config_witness *a, const struct config_witness *b) {
    if (span_equal(a->vkey, b->vkey))
        return "stands twice";
    if (memcmp(a->key.public_key, b->key.public_key, TLOG_PUBLIC_KEY_SIZE) == 0)
        return "has the public key of another witness";
    return span_equal(a->key.name, b->key.name) ? "has the name of another witness" : NULL;
}

static bool check_witnesses(const struct config *config, char why[CONFIG_WHY_SIZE]) {
    char where[80];
    if (config->witness_quorum > 1 && config->witness_quorum > config->witness_count)
        return fail(why, "witnessQuorum", NULL, "is more than there are witnesses");
    for (uint32_t i = 0; i < config->witness_count; i++) {
        const struct config_witness *witness = &config->witnesses[i];
        if (witness->ca_file != NULL && access(witness->ca_file, R_OK) != 0) {
            snprintf(where, sizeof where, "witnesses[%u].caFile", i);
            return fail(why, where, NULL, strerror(errno));
        }
        for (uint32_t k = 0; k < i; k++) {
            const char *common = common_part(witness, &config->witnesses[k]);
            if (common != NULL) {
                snprintf(where, sizeof where, "witnesses[%u].vkey", i);
                return fail(why, where, NULL, common);
            }
        }
    }
    return true;
}

static bool check_listener(const struct config_listener *listener, const char **member,
                           const char **phrase) {
    bool tls = listener->kind != LISTENER_PLAIN, mutual = listener->kind == LISTENER_MUTUAL;
    const struct {
        const char *name;
        bool given, possible, required;
    } members[] = {
        {"certFile", listener->cert_file != NULL, tls, tls},
        {"keyFile", listener->key_file != NULL, tls, tls},
        {"tlsMin", listener->tls_min != TLS_DEFAULT, tls, false},
        {"clientCaFile", listener->client_ca_file != NULL, mutual, mutual},
        {"crlFile", listener->crl_file != NULL, mutual, false},
        {"certificateOptional", listener->certificate_optional, mutual, false},
    };
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        *member = members[i].name;
        *phrase = members[i].given && !members[i].possible   ? "is not for this kind of listener"
                  : !members[i].given && members[i].required ? "is required"
                                                             : NULL;
        if (*phrase != NULL)
            return false;
    }
    return true;
}

static bool check_listeners(const struct config *config, char why[CONFIG_WHY_SIZE]) {
    char where[80];
    const char *member, *phrase;
    for (uint32_t i = 0; i < config->listener_count; i++)
        if (!check_listener(&config->listeners[i], &member, &phrase)) {
            snprintf(where, sizeof where, "listeners[%u].%s", i, member);
            return fail(why, where, NULL, phrase);
        }
    return true;
}

static bool check_tenants(const struct config *config, char why[CONFIG_WHY_SIZE]) {
    char where[80];
    for (uint32_t i = 0; i < config->tenant_count; i++) {
        const struct api_tenant_setting *tenant = &config->tenants[i];
        if ((tenant->cert_file == NULL) == (tenant->key_file == NULL))
            continue;
        snprintf(where, sizeof where, "tenants[%u].%s", i,
                 tenant->key_file == NULL ? "keyFile" : "certFile");
        return fail(why, where, NULL, "is required beside the other");
    }
    return true;
}

static bool check_complete(const struct config *config, char why[CONFIG_WHY_SIZE]) {
    if (!span_present(config->data))
        return fail(why, "data", NULL, "is required");
    if (!span_present(config->pack))
        return fail(why, "pack", NULL, "is required");
    if (!span_present(config->origin))
        return fail(why, "origin", NULL, "is required");
    if (!config->dev && config->issuer_count == 0)
        return fail(why, "issuers", NULL, "must name at least one issuer of tokens");
    if (config->in_flight_per_connection > config->in_flight)
        return fail(why, "inFlightPerConnection", NULL, "must not exceed inFlight");
    return check_listeners(config, why) && check_key_sources(config, why) &&
           check_tenants(config, why) && check_unique(config, why) && check_witnesses(config, why);
}

/* Who names listeners with TLS means these alone. */
static void complete_listen(struct config *config) {
    if (config->listen_count != 0 || config->listener_count != 0)
        return;
    config->listen[0] = SPAN("127.0.0.1:8080");
    config->listen_count = 1;
}

enum status config_load(const struct config_source *source, struct config **out,
                        char why[CONFIG_WHY_SIZE]) {
    struct config *config = mem_alloc_zeroed(1, sizeof *config);
    set_defaults(config, source->dev);
    if ((source->file != NULL && !apply_file(config, source->file, why)) ||
        !apply_environment(config, why) || !apply_overrides(config, source, why) ||
        !check_complete(config, why)) {
        config_free(config);
        return STATUS_INVALID_PARAMETER;
    }
    complete_listen(config);
    *out = config;
    return STATUS_OK;
}

void config_free(struct config *config) {
    if (config == NULL)
        return;
    arena_release(&config->arena);
    mem_free(config);
}

static bool same_text(const char *a, const char *b) {
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_witnesses(const struct config *a, const struct config *b) {
    bool same = a->witness_count == b->witness_count;
    for (uint32_t i = 0; same && i < a->witness_count; i++)
        same = span_equal(a->witnesses[i].url, b->witnesses[i].url) &&
               span_equal(a->witnesses[i].vkey, b->witnesses[i].vkey) &&
               same_text(a->witnesses[i].ca_file, b->witnesses[i].ca_file);
    return same;
}

/* What stands behind the address of a listener may change, the address and its kind may not. */
static bool same_listeners(const struct config *a, const struct config *b) {
    bool same = a->listener_count == b->listener_count;
    for (uint32_t i = 0; same && i < a->listener_count; i++)
        same = span_equal(a->listeners[i].address, b->listeners[i].address) &&
               a->listeners[i].kind == b->listeners[i].kind;
    return same;
}

static unsigned scalar_count(void) {
    unsigned count = 0;
    while (config_keys[count].name != NULL)
        count++;
    return count;
}

/* Behind the scalars stand the two lists that a reload does not apply. */
const char *config_next_fixed_difference(const struct config *old, const struct config *new,
                                         unsigned *cursor) {
    unsigned scalars = scalar_count();
    while (*cursor < scalars + 2) {
        unsigned at = (*cursor)++;
        const struct config_key *key = &config_keys[at];
        if (at < scalars && key->fixed && !config_key_equal(key, old, new))
            return key->name;
        if (at == scalars && !same_witnesses(old, new))
            return "witnesses";
        if (at == scalars + 1 && !same_listeners(old, new))
            return "listeners";
    }
    return NULL;
}

const char *config_key_name(unsigned index) {
    unsigned scalars = scalar_count();
    return index < scalars ? config_keys[index].name : config_list_name(index - scalars);
}
