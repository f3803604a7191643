/* The table of scalar keys: one row says a key's name, kind, bounds and whether a reload applies
 * it. File, environment and command line all go through it, so that a bound holds in each. */
// SPDX-License-Identifier: Apache-2.0
#include "service/config_key.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/encode.h"
#include "base/limits.h"
#include "base/log.h"

#define PATH_SIZE_MAX 4095
#define AT(member) offsetof(struct config, member)

const struct config_key config_keys[] = {
    {"listen", CONFIG_ADDRESSES, AT(listen), 1, CONFIG_LISTEN_MAX, true},
    {"data", CONFIG_PATH, AT(data), 0, 0, true},
    {"guard", CONFIG_PATH, AT(guard), 0, 0, true},
    {"pack", CONFIG_PATH, AT(pack), 0, 0, false},
    {"publicUrl", CONFIG_URL, AT(public_url), 0, 0, false},
    {"origin", CONFIG_ORIGIN, AT(origin), 0, 0, true},
    {"oauthIssuer", CONFIG_URL, AT(oauth_issuer), 0, 0, false},
    {"loops", CONFIG_NUMBER, AT(loops), 1, LIMIT_LOOPS, true},
    {"inFlight", CONFIG_NUMBER, AT(in_flight), 1, 65536, false},
    {"inFlightPerConnection", CONFIG_NUMBER, AT(in_flight_per_connection), 1, 1024, false},
    {"idleSeconds", CONFIG_NUMBER, AT(idle_seconds), 1, 3600, true},
    {"drainSeconds", CONFIG_NUMBER, AT(drain_seconds), 0, 3600, false},
    {"noteReadsSeconds", CONFIG_NUMBER, AT(note_reads_seconds), 0, 3600, false},
    {"witnessSeconds", CONFIG_NUMBER, AT(witness_seconds), 10, 60, true},
    {"witnessQuorum", CONFIG_NUMBER, AT(witness_quorum), 1, CONFIG_WITNESSES_MAX, false},
    {"keysCooldownSeconds", CONFIG_NUMBER, AT(keys_cooldown_seconds), 1, 3600, false},
    {"messageRetrySeconds", CONFIG_NUMBER, AT(message_retry_seconds), 1, 3600, false},
    {"messageGiveUpSeconds", CONFIG_NUMBER, AT(message_give_up_seconds), 1, 31622400, false},
    {"messageCaFile", CONFIG_PATH, AT(message_ca_file), 0, 0, false},
    {"mapSize", CONFIG_NUMBER, AT(map_size), UINT64_C(1) << 20, UINT64_C(1) << 46, true},
    {"logLevel", CONFIG_LEVEL, AT(log_level), 0, 0, false},
    {"http2", CONFIG_FLAG, AT(http2), 0, 0, true},
    {"accessLog", CONFIG_FLAG, AT(access_log), 0, 0, false},
    {"insecureHttp", CONFIG_FLAG, AT(insecure_http), 0, 0, true},
    {"logPublic", CONFIG_FLAG, AT(log_public), 0, 0, false},
    {"metricsPublic", CONFIG_FLAG, AT(metrics_public), 0, 0, false},
    {0},
};

static const char *const levels[] = {"debug", "info", "warn", "error"};

static bool refuse(struct config_refusal *refusal, const char *phrase) {
    snprintf(refusal->phrase, sizeof refusal->phrase, "%s", phrase);
    return false;
}

static void *member_of(struct config *config, const struct config_key *key) {
    return (char *)config + key->offset;
}

static const void *member_in(const struct config *config, const struct config_key *key) {
    return (const char *)config + key->offset;
}

bool config_url_valid(struct span text) {
    if (text.size > LIMIT_URL || !encode_utf8_valid(text))
        return false;
    size_t scheme = span_starts(text, SPAN("https://"))  ? 8
                    : span_starts(text, SPAN("http://")) ? 7
                                                         : 0;
    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)text.data[i] <= ' ' || strchr("?#\"\\", text.data[i]) != NULL)
            return false;
    return scheme != 0 && text.size > scheme;
}

/* A log's name stands on a line of signed notes and in key names: no space, no '+'. */
static bool origin_valid(struct span text) {
    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)text.data[i] <= ' ' || text.data[i] == '+' || text.data[i] == '\x7f')
            return false;
    return text.size != 0 && text.size <= LIMIT_URL && encode_utf8_valid(text);
}

static bool set_span(struct config *config, const struct config_key *key, struct span text,
                     struct config_refusal *refusal) {
    if (key->kind == CONFIG_PATH &&
        (text.size == 0 || text.size > PATH_SIZE_MAX || memchr(text.data, '\0', text.size) != NULL))
        return refuse(refusal, "must be a path of 1..4095 bytes");
    if (key->kind == CONFIG_URL && (!config_url_valid(text) || text.data[text.size - 1] == '/'))
        return refuse(refusal, "must be an http or https URL of at most 256 bytes, without query "
                               "and trailing slash");
    if (key->kind == CONFIG_ORIGIN && !origin_valid(text))
        return refuse(refusal, "must be 1..256 bytes without spaces and '+'");
    *(struct span *)member_of(config, key) = arena_copy(&config->arena, text);
    return true;
}

static bool set_number(struct config *config, const struct config_key *key, uint64_t number,
                       struct config_refusal *refusal) {
    if (number < key->min || number > key->max) {
        snprintf(refusal->phrase, sizeof refusal->phrase, "must be %llu..%llu",
                 (unsigned long long)key->min, (unsigned long long)key->max);
        return false;
    }
    *(uint64_t *)member_of(config, key) = number;
    return true;
}

static bool number_from_text(struct span text, uint64_t *out) {
    uint64_t number = 0;
    if (text.size == 0 || text.size > 18)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        number = number * 10 + (uint64_t)(text.data[i] - '0');
    }
    *out = number;
    return true;
}

static bool set_level(struct config *config, const struct config_key *key, struct span text,
                      struct config_refusal *refusal) {
    for (uint64_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (span_is(text, levels[i])) {
            *(uint64_t *)member_of(config, key) = i;
            return true;
        }
    return refuse(refusal, "must be debug, info, warn or error");
}

static bool add_address(struct config *config, struct span text, struct config_refusal *refusal) {
    if (config->listen_count == CONFIG_LISTEN_MAX)
        return refuse(refusal, "must be at most 16 addresses");
    if (text.size == 0 || text.size > LIMIT_URL || memchr(text.data, '\0', text.size) != NULL)
        return refuse(refusal, "must be HOST:PORT");
    config->listen[config->listen_count++] = arena_copy(&config->arena, text);
    return true;
}

/* In text form addresses are separated by commas. */
static bool set_addresses(struct config *config, struct span text, struct config_refusal *refusal) {
    config->listen_count = 0;
    for (;;) {
        const char *comma = text.size != 0 ? memchr(text.data, ',', text.size) : NULL;
        size_t size = comma != NULL ? (size_t)(comma - text.data) : text.size;
        if (!add_address(config, span_of(text.data, size), refusal))
            return false;
        if (comma == NULL)
            return true;
        text = span_of(comma + 1, text.size - size - 1);
    }
}

bool config_key_set_text(struct config *config, const struct config_key *key, struct span text,
                         struct config_refusal *refusal) {
    uint64_t number;
    switch (key->kind) {
    case CONFIG_NUMBER:
        if (!number_from_text(text, &number))
            number = key->max + 1; /* refused, with the bounds */
        return set_number(config, key, number, refusal);
    case CONFIG_FLAG:
        if (!span_is(text, "true") && !span_is(text, "false"))
            return refuse(refusal, "must be true or false");
        *(bool *)member_of(config, key) = span_is(text, "true");
        return true;
    case CONFIG_LEVEL:
        return set_level(config, key, text, refusal);
    case CONFIG_ADDRESSES:
        return set_addresses(config, text, refusal);
    case CONFIG_PATH:
    case CONFIG_URL:
    case CONFIG_ORIGIN:
        return set_span(config, key, text, refusal);
    }
    log_abort("a kind of key", __FILE__, __LINE__);
}

static bool set_json_addresses(struct config *config, const json_t *value,
                               struct config_refusal *refusal) {
    config->listen_count = 0;
    if (json_array_size(value) == 0)
        return refuse(refusal, "must be HOST:PORT or an array of 1..16 of them");
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);
        if (!json_is_string(item))
            return refuse(refusal, "must be HOST:PORT or an array of 1..16 of them");
        struct span text = span_of(json_string_value(item), json_string_length(item));
        if (!add_address(config, text, refusal))
            return false;
    }
    return true;
}

bool config_key_set_json(struct config *config, const struct config_key *key, const json_t *value,
                         struct config_refusal *refusal) {
    if (key->kind == CONFIG_NUMBER) {
        if (!json_is_integer(value))
            return refuse(refusal, "must be an integer");
        json_int_t number = json_integer_value(value);
        return set_number(config, key, number < 0 ? key->max + 1 : (uint64_t)number, refusal);
    }
    if (key->kind == CONFIG_FLAG) {
        if (!json_is_boolean(value))
            return refuse(refusal, "must be true or false");
        *(bool *)member_of(config, key) = json_is_true(value);
        return true;
    }
    if (key->kind == CONFIG_ADDRESSES && !json_is_string(value))
        return set_json_addresses(config, value, refusal);
    if (!json_is_string(value))
        return refuse(refusal, "must be a string");
    struct span text = span_of(json_string_value(value), json_string_length(value));
    if (key->kind == CONFIG_ADDRESSES) {
        config->listen_count = 0;
        return add_address(config, text, refusal);
    }
    return config_key_set_text(config, key, text, refusal);
}

bool config_key_equal(const struct config_key *key, const struct config *a,
                      const struct config *b) {
    switch (key->kind) {
    case CONFIG_NUMBER:
    case CONFIG_LEVEL:
        return *(const uint64_t *)member_in(a, key) == *(const uint64_t *)member_in(b, key);
    case CONFIG_FLAG:
        return *(const bool *)member_in(a, key) == *(const bool *)member_in(b, key);
    case CONFIG_ADDRESSES:
        if (a->listen_count != b->listen_count)
            return false;
        for (uint32_t i = 0; i < a->listen_count; i++)
            if (!span_equal(a->listen[i], b->listen[i]))
                return false;
        return true;
    case CONFIG_PATH:
    case CONFIG_URL:
    case CONFIG_ORIGIN:
        break;
    }
    return span_equal(*(const struct span *)member_in(a, key),
                      *(const struct span *)member_in(b, key));
}
