/* The configuration: one JSON file, scalars overridden by environment and command line, validated
 * strictly. A struct config is immutable once loaded; a reload makes another one.
 *
 * Threads: loading and comparing on the main thread; a loaded configuration may be read by all. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_CONFIG_H
#define SERVICE_CONFIG_H

#include "api/api.h"
#include "base/mem.h"
#include "service/network.h"
#include "tlog/vkey.h"

#define CONFIG_LISTEN_MAX 16 /* addresses of `listen`, and as many of `listeners` */
#define CONFIG_ISSUERS_MAX 32
#define CONFIG_TENANTS_MAX 10000
#define CONFIG_WITNESSES_MAX 16
#define CONFIG_PROXIES_MAX 64
#define CONFIG_WHY_SIZE 512

struct config_issuer {
    struct auth_issuer token; /* what its tokens must be */
    uint64_t binding;         /* enum auth_binding, from 1; 0: none was said */
    struct span keys_url;     /* its JWK set; absent: none */
    const char *ca_file;      /* whom to trust for it; NULL: whom the system trusts */
    bool discovery;           /* its metadata tell the URL of its keys */
    bool insecure_http;       /* ask in plain HTTP beyond loopback */
};
struct config_witness {
    struct span url; /* its submission prefix, without trailing slash */
    struct span vkey;
    struct tlog_vkey key; /* the same, read */
    const char *ca_file;  /* PEM: who alone may vouch for its TLS certificate; NULL: the system's */
};

/* What a listener is for. */
enum config_kind_of_listener {
    LISTENER_PLAIN = 1, /* HTTP without TLS: the whole surface */
    LISTENER_MUTUAL,    /* TLS that asks for a client certificate: the whole surface */
    LISTENER_PUBLIC,    /* TLS for everybody: what needs no credential */
};
enum config_tls_version { TLS_DEFAULT, TLS_1_2, TLS_1_3 };
struct config_listener {
    struct span address;
    uint64_t kind;    /* enum config_kind_of_listener */
    uint64_t tls_min; /* enum config_tls_version */
    bool admin, certificate_optional;
    const char *cert_file, *key_file, *client_ca_file, *crl_file;
    const struct network *proxies; /* whose Client-Cert is believed */
    uint32_t proxy_count;
};

/* Spans are NUL-terminated and live in the arena; docs/configuration.md says what each means. */
struct config {
    struct arena arena;
    struct digest text; /* of the file, but for how it is laid out; zero without one */
    bool dev;
    struct span listen[CONFIG_LISTEN_MAX];
    uint32_t listen_count;
    const struct config_listener *listeners;
    uint32_t listener_count;
    struct span data, guard, message_ca_file, pack, public_url, origin, oauth_issuer;
    const struct api_tenant_setting *tenants;
    uint32_t tenant_count;
    const struct config_issuer *issuers;
    uint32_t issuer_count;
    const struct config_witness *witnesses;
    uint32_t witness_count;
    uint64_t loops, in_flight, in_flight_per_connection, idle_seconds, drain_seconds, map_size,
        note_reads_seconds, witness_seconds, witness_quorum, keys_cooldown_seconds,
        message_retry_seconds, message_give_up_seconds;
    uint64_t log_level; /* enum log_level */
    bool http2, access_log, insecure_http, log_public, metrics_public;
};

/* A scalar given on the command line. */
struct config_override {
    const char *key;    /* as in the file */
    const char *option; /* as typed, for messages */
    const char *text;
};

struct config_source {
    const char *file; /* NULL: none */
    const struct config_override *overrides;
    uint32_t override_count;
    bool dev;   /* defaults for what is required otherwise */
    bool check; /* only validating: nothing is made on disk */
};

/* Reads and validates everything that can be checked without opening other files. On failure
 * STATUS_INVALID_PARAMETER and one sentence in why that names the key:
 * config: "loops": must be 1..64. Caller frees with config_free. */
MUST_CHECK enum status config_load(const struct config_source *source, struct config **out,
                                   char why[CONFIG_WHY_SIZE]);
void config_free(struct config *config);

/* The key at or after *cursor that differs but takes effect only at the next start, NULL when there
 * is none; *cursor goes past it. */
const char *config_next_fixed_difference(const struct config *old, const struct config *new,
                                         unsigned *cursor);
/* CONSENTD_IN_FLIGHT for inFlight: the name of a scalar's environment variable. */
void config_variable_name(const char *key, char *out, size_t size);
/* Name of the i-th key, NULL past the last; for the test that holds them against the manual. */
const char *config_key_name(unsigned index);

#endif
