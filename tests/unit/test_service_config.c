/* The configuration is strict, and every refusal names its key. */
// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "service/config.h"

#define ISSUER "{\"issuer\":\"https://i.example\",\"audience\":\"consentd\",\"keyFile\":\"k.json\"}"
#define NEEDED \
    "\"data\":\"d\",\"pack\":\"p.json\",\"origin\":\"example.com/log\",\"issuers\":[" ISSUER "]"

static char why[CONFIG_WHY_SIZE];

/* Loads `text` as the file, in production unless dev; NULL when it is refused. */
static struct config *load(const char *text, bool dev) {
    char path[] = "/tmp/consentd-config-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    struct config_source source = {.file = path, .dev = dev};
    struct config *config = NULL;
    why[0] = '\0';
    enum status status = config_load(&source, &config, why);
    unlink(path);
    assert_int_equal(status == STATUS_OK, config != NULL);
    return config;
}

static struct config *load_with(const char *member) {
    char text[4096];
    snprintf(text, sizeof text, "{" NEEDED "%s%s}", *member != '\0' ? "," : "", member);
    return load(text, false);
}

static void what_is_left_out_has_its_default(void **state) {
    (void)state;
    struct config *config = load_with("");
    assert_non_null(config);
    assert_int_equal(config->listen_count, 1);
    assert_string_equal(config->listen[0].data, "127.0.0.1:8080");
    assert_true(config->loops >= 1 && config->loops <= 64);
    assert_int_equal(config->in_flight, 4096);
    assert_int_equal(config->in_flight_per_connection, 128);
    assert_int_equal(config->idle_seconds, 75);
    assert_int_equal(config->drain_seconds, 20);
    assert_int_equal(config->witness_seconds, 30);
    assert_int_equal(config->witness_count, 0);
    assert_int_equal(config->log_level, LOG_INFO);
    assert_int_equal(config->map_size, 0);
    assert_true(config->http2 && config->access_log);
    assert_false(config->insecure_http || config->metrics_public);
    assert_false(span_present(config->public_url));
    config_free(config);
}

static void every_key_of_the_file_is_read(void **state) {
    (void)state;
    struct config *config =
        load("{\"listen\":[\"127.0.0.1:1\",\"[::1]:2\"],\"data\":\"/d\",\"pack\":\"/p\","
             "\"publicUrl\":\"https://c.example\",\"origin\":\"c.example/log\","
             "\"oauthIssuer\":\"https://o.example\",\"loops\":3,\"inFlight\":9,"
             "\"inFlightPerConnection\":8,\"idleSeconds\":7,\"drainSeconds\":0,"
             "\"mapSize\":1048576,\"logLevel\":\"debug\",\"http2\":false,\"accessLog\":false,"
             "\"insecureHttp\":true,\"metricsPublic\":true,\"tenants\":[{\"tenant\":"
             "\"https://t.example\",\"oauthIssuer\":\"https://a.example\"}],\"issuers\":[" ISSUER
             ",{\"issuer\":\"https://j.example\",\"audience\":\"x\",\"keyFile\":\"y\","
             "\"allowRs256\":true,\"clientClaim\":\"c\",\"memberClaim\":\"m\","
             "\"rolesClaim\":\"r\"}]}",
             false);
    assert_non_null(config);
    assert_int_equal(config->listen_count, 2);
    assert_string_equal(config->listen[1].data, "[::1]:2");
    assert_string_equal(config->data.data, "/d");
    assert_string_equal(config->pack.data, "/p");
    assert_string_equal(config->public_url.data, "https://c.example");
    assert_string_equal(config->origin.data, "c.example/log");
    assert_string_equal(config->oauth_issuer.data, "https://o.example");
    assert_int_equal(config->loops, 3);
    assert_int_equal(config->in_flight, 9);
    assert_int_equal(config->in_flight_per_connection, 8);
    assert_int_equal(config->idle_seconds, 7);
    assert_int_equal(config->drain_seconds, 0);
    assert_int_equal(config->map_size, 1048576);
    assert_int_equal(config->log_level, LOG_DEBUG);
    assert_false(config->http2 || config->access_log);
    assert_true(config->insecure_http && config->metrics_public);
    assert_int_equal(config->tenant_count, 1);
    assert_string_equal(config->tenants[0].tenant.data, "https://t.example");
    assert_string_equal(config->tenants[0].oauth_issuer.data, "https://a.example");
    assert_int_equal(config->issuer_count, 2);
    assert_string_equal(config->issuers[0].token.key_file, "k.json");
    assert_false(config->issuers[0].token.allow_rs256);
    assert_false(span_present(config->issuers[0].token.roles_claim));
    assert_true(config->issuers[1].token.allow_rs256);
    assert_string_equal(config->issuers[1].token.client_claim.data, "c");
    assert_string_equal(config->issuers[1].token.member_claim.data, "m");
    assert_string_equal(config->issuers[1].token.roles_claim.data, "r");
    config_free(config);
}

static const struct {
    const char *member, *why;
} refusals[] = {
    {"\"loopz\":1", "config: \"loopz\": is not a key"},
    {"\"loops\":0", "config: \"loops\": must be 1..64"},
    {"\"loops\":65", "config: \"loops\": must be 1..64"},
    {"\"loops\":-1", "config: \"loops\": must be 1..64"},
    {"\"loops\":2.0", "config: \"loops\": must be an integer"},
    {"\"loops\":\"2\"", "config: \"loops\": must be an integer"},
    {"\"inFlight\":0", "config: \"inFlight\": must be 1..65536"},
    {"\"inFlight\":65537", "config: \"inFlight\": must be 1..65536"},
    {"\"inFlightPerConnection\":1025", "config: \"inFlightPerConnection\": must be 1..1024"},
    {"\"inFlight\":5", "config: \"inFlightPerConnection\": must not exceed inFlight"},
    {"\"idleSeconds\":0", "config: \"idleSeconds\": must be 1..3600"},
    {"\"drainSeconds\":3601", "config: \"drainSeconds\": must be 0..3600"},
    {"\"keysCooldownSeconds\":0", "config: \"keysCooldownSeconds\": must be 1..3600"},
    {"\"mapSize\":1048575", "config: \"mapSize\": must be 1048576..70368744177664"},
    {"\"logLevel\":\"loud\"", "config: \"logLevel\": must be debug, info, warn or error"},
    {"\"logLevel\":1", "config: \"logLevel\": must be a string"},
    {"\"http2\":\"true\"", "config: \"http2\": must be true or false"},
    {"\"accessLog\":1", "config: \"accessLog\": must be true or false"},
    {"\"insecureHttp\":null", "config: \"insecureHttp\": must be true or false"},
    {"\"metricsPublic\":[]", "config: \"metricsPublic\": must be true or false"},
    {"\"listen\":[]", "config: \"listen\": must be HOST:PORT or an array of 1..16 of them"},
    {"\"listen\":8080", "config: \"listen\": must be HOST:PORT or an array of 1..16 of them"},
    {"\"listen\":[1]", "config: \"listen\": must be HOST:PORT or an array of 1..16 of them"},
    {"\"listen\":\"\"", "config: \"listen\": must be HOST:PORT"},
    {"\"publicUrl\":\"https://c.example/\"",
     "config: \"publicUrl\": must be an http or https URL of at most 256 bytes, without query and "
     "trailing slash"},
    {"\"oauthIssuer\":\"o.example\"",
     "config: \"oauthIssuer\": must be an http or https URL of at most 256 bytes, without query "
     "and trailing slash"},
    {"\"tenants\":{}", "config: \"tenants\": must be an array of at most 10000 objects"},
    {"\"tenants\":[1]", "config: \"tenants[0]\": must be an object"},
    {"\"tenants\":[{\"tenant\":\"https://t.example\"}]",
     "config: \"tenants[0].oauthIssuer\": is required"},
    {"\"tenants\":[{\"tenant\":\"https://t.example\",\"oauthIssuer\":\"https://"
     "a.example\",\"certFile\":\"c\"}]",
     "config: \"tenants[0].keyFile\": is required beside the other"},
    {"\"tenants\":[{\"tenant\":\"https://t.example\",\"oauthIssuer\":\"https://"
     "a.example\",\"keyFile\":\"k\"}]",
     "config: \"tenants[0].certFile\": is required beside the other"},
    {"\"messageRetrySeconds\":0", "config: \"messageRetrySeconds\": must be 1..3600"},
    {"\"messageGiveUpSeconds\":31622401", "config: \"messageGiveUpSeconds\": must be 1..31622400"},
    {"\"tenants\":[{\"tenant\":\"t\"}]",
     "config: \"tenants[0].tenant\": must be an http or https URL without query"},
};

static void every_refusal_names_its_key(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        assert_null(load_with(refusals[i].member));
        assert_string_equal(why, refusals[i].why);
    }
}

static void an_issuer_is_checked_member_by_member(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"{\"issuer\":\"https://i.example\",\"audience\":\"a\"}",
         "config: \"issuers[0].keyFile\": is required, or keysUrl, or discovery"},
        {"{\"issuer\":1}", "config: \"issuers[0].issuer\": must be a string"},
        {"{\"issuer\":\"https://i.example\",\"keyfile\":\"k\"}",
         "config: \"issuers[0].keyfile\": is not a key"},
        {"{\"allowRs256\":1}", "config: \"issuers[0].allowRs256\": must be true or false"},
        {"{\"audience\":\"\"}", "config: \"issuers[0].audience\": must be 1..256 bytes of UTF-8"},
        {"{\"keyFile\":\"\"}", "config: \"issuers[0].keyFile\": must be a path of 1..4095 bytes"},
        {ISSUER "," ISSUER, "config: \"issuers[1].issuer\": stands twice"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[1024];
        snprintf(text, sizeof text,
                 "{\"data\":\"d\",\"pack\":\"p\",\"origin\":\"o\","
                 "\"issuers\":[%s]}",
                 rows[i][0]);
        assert_null(load(text, false));
        assert_string_equal(why, rows[i][1]);
    }
}

/* Of tests/vectors/tlog.json. */
#define VKEY "witness.example/w1+cc6a4030+BB7e3iDlulND9RvkT+5qieIz441LY46kWnV5lnGtI5Q6"
#define LOG_VKEY "consent.example/log1+71046bc7+Aar0t/08cFMEMawrNmL1SdD4Mh+ts05tw2/cbLwo8+Da"
/* The same key under another name, and another key under the same. */
#define RENAMED "witness.example/w2+29500876+BB7e3iDlulND9RvkT+5qieIz441LY46kWnV5lnGtI5Q6"
#define REPLACED "witness.example/w1+8d066b3e+BOpX8fYPnXMwz555L5ky0MRMdjnR7QZTKohqzAUR2+u/"
#define WITNESS(url, vkey) "{\"url\":\"" url "\",\"vkey\":\"" vkey "\"}"

static void witnesses_are_read_and_their_members_checked(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"1", "config: \"witnesses\": must be an array of at most 16 objects"},
        {"[{}]", "config: \"witnesses[0].url\": is required"},
        {"[{\"url\":\"https://w.example\"}]", "config: \"witnesses[0].vkey\": is required"},
        {"[" WITNESS("ftp://w.example", VKEY) "]",
         "config: \"witnesses[0].url\": must be an http or https URL without query and trailing "
         "slash"},
        {"[" WITNESS("https://w.example/", VKEY) "]",
         "config: \"witnesses[0].url\": must be an http or https URL without query and trailing "
         "slash"},
        {"[" WITNESS("https://w.example", "w.example+00000000+AAAA") "]",
         "config: \"witnesses[0].vkey\": must be the verifier key of a witness"},
        {"[" WITNESS("https://w.example", LOG_VKEY) "]",
         "config: \"witnesses[0].vkey\": must be the verifier key of a witness"},
        {"[" WITNESS("https://w.example", VKEY) "," WITNESS("https://v.example", VKEY) "]",
         "config: \"witnesses[1].vkey\": stands twice"},
        {"[" WITNESS("https://w.example", VKEY) "," WITNESS("https://v.example", RENAMED) "]",
         "config: \"witnesses[1].vkey\": has the public key of another witness"},
        {"[" WITNESS("https://w.example", VKEY) "," WITNESS("https://v.example", REPLACED) "]",
         "config: \"witnesses[1].vkey\": has the name of another witness"},
        {"[{\"url\":\"https://w.example\",\"vkey\":\"" VKEY "\",\"caFile\":1}]",
         "config: \"witnesses[0].caFile\": must be a string"},
        {"[{\"url\":\"https://w.example\",\"vkey\":\"" VKEY "\",\"caFile\":\"\"}]",
         "config: \"witnesses[0].caFile\": must be a path of 1..4095 bytes"},
        {"[{\"url\":\"https://w.example\",\"vkey\":\"" VKEY "\",\"caFile\":\"/no/ca\"}]",
         "config: \"witnesses[0].caFile\": No such file or directory"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char member[1024];
        snprintf(member, sizeof member, "\"witnesses\":%s", rows[i][0]);
        assert_null(load_with(member));
        assert_string_equal(why, rows[i][1]);
    }
    struct config *config =
        load_with("\"witnessSeconds\":10,\"witnesses\":[" WITNESS("https://w.example/a", VKEY) "]");
    assert_non_null(config);
    assert_int_equal(config->witness_seconds, 10);
    assert_int_equal(config->witness_count, 1);
    assert_string_equal(config->witnesses[0].url.data, "https://w.example/a");
    assert_string_equal(config->witnesses[0].vkey.data, VKEY);
    assert_int_equal(config->witnesses[0].key.type, TLOG_KEY_COSIGNATURE);
    struct config *trusting =
        load_with("\"witnesses\":[{\"url\":\"https://w.example/a\",\"vkey\":\"" VKEY "\","
                  "\"caFile\":\"/dev/null\"}]");
    assert_null(config->witnesses[0].ca_file);
    assert_string_equal(trusting->witnesses[0].ca_file, "/dev/null");
    unsigned first = 0;
    while (strcmp(config_next_fixed_difference(config, trusting, &first), "witnesses") != 0)
        assert_true(first < 100);
    config_free(trusting);
    struct config *none = load_with("\"witnessSeconds\":10");
    unsigned cursor = 0;
    assert_string_equal(config_next_fixed_difference(config, none, &cursor), "witnesses");
    assert_null(config_next_fixed_difference(config, none, &cursor));
    cursor = 0;
    assert_null(config_next_fixed_difference(config, config, &cursor));
    config_free(none);
    config_free(config);
    assert_null(load_with("\"witnessSeconds\":9"));
    assert_string_equal(why, "config: \"witnessSeconds\": must be 10..60");
    assert_null(load_with("\"witnessSeconds\":61"));
}

#define OTHER "other.example/w+ce6de923+BAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
#define TWO                                                                                   \
    "\"witnesses\":[" WITNESS("https://w.example/a", VKEY) "," WITNESS("https://w.example/b", \
                                                                       OTHER) "]"

static void a_quorum_is_of_the_witnesses_there_are(void **state) {
    (void)state;
    static const char *const good[][2] = {
        {"\"witnessQuorum\":1", "1"}, {TWO, "1"}, {"\"witnessQuorum\":2," TWO, "2"}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct config *config = load_with(good[i][0]);
        assert_non_null(config);
        assert_int_equal(config->witness_quorum, strtol(good[i][1], NULL, 10));
        config_free(config);
    }
    assert_null(load_with("\"witnessQuorum\":3," TWO));
    assert_string_equal(why, "config: \"witnessQuorum\": is more than there are witnesses");
    assert_null(load_with("\"witnessQuorum\":2"));
    assert_null(load_with("\"witnessQuorum\":0," TWO));
    assert_string_equal(why, "config: \"witnessQuorum\": must be 1..16");
}

#define TLS ",\"certFile\":\"c\",\"keyFile\":\"k\""
#define AT(kind) "{\"address\":\"127.0.0.1:1\",\"kind\":\"" kind "\""

static void listeners_are_read_and_their_members_checked(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"{}", "config: \"listeners[0].address\": is required"},
        {"{\"address\":\"127.0.0.1:1\"}", "config: \"listeners[0].kind\": is required"},
        {AT("open") "}", "config: \"listeners[0].kind\": must be plain, mutual or public"},
        {AT("public") "}", "config: \"listeners[0].certFile\": is required"},
        {AT("public") ",\"certFile\":\"c\"}", "config: \"listeners[0].keyFile\": is required"},
        {AT("public") TLS ",\"tlsMin\":\"1.1\"}",
         "config: \"listeners[0].tlsMin\": must be 1.2 or 1.3"},
        {AT("public") TLS ",\"tlsMin\":1.2}", "config: \"listeners[0].tlsMin\": must be a string"},
        {AT("public") TLS ",\"clientCaFile\":\"a\"}",
         "config: \"listeners[0].clientCaFile\": is not for this kind of listener"},
        {AT("public") TLS ",\"crlFile\":\"a\"}",
         "config: \"listeners[0].crlFile\": is not for this kind of listener"},
        {AT("public") TLS ",\"certificateOptional\":true}",
         "config: \"listeners[0].certificateOptional\": is not for this kind of listener"},
        {AT("plain") ",\"proxies\":\"127.0.0.1\"}",
         "config: \"listeners[0].proxies\": must be an array of at most 64 addresses or networks"},
        {AT("plain") ",\"proxies\":[\"127.0.0.1\",\"proxy.example\"]}",
         "config: \"listeners[0].proxies\": must hold addresses like 192.0.2.1 and networks like "
         "10.0.0.0/8 or fd00::/8"},
        {AT("plain") ",\"proxies\":[1]}",
         "config: \"listeners[0].proxies\": must hold addresses like 192.0.2.1 and networks like "
         "10.0.0.0/8 or fd00::/8"},
        {AT("mutual") TLS "}", "config: \"listeners[0].clientCaFile\": is required"},
        {AT("plain") TLS "}",
         "config: \"listeners[0].certFile\": is not for this kind of listener"},
        {AT("plain") "}," AT("plain") ",\"tlsMin\":\"1.3\"}",
         "config: \"listeners[1].tlsMin\": is not for this kind of listener"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char member[1024];
        snprintf(member, sizeof member, "\"listeners\":[%s]", rows[i][0]);
        assert_null(load_with(member));
        assert_string_equal(why, rows[i][1]);
    }
}

static void listeners_stand_in_place_of_the_usual_address(void **state) {
    (void)state;
    struct config *config =
        load_with("\"listeners\":[" AT("mutual") TLS
                  ",\"clientCaFile\":\"a\",\"crlFile\":\"r\",\"tlsMin\":\"1.2\","
                  "\"certificateOptional\":true}," AT("plain") ",\"admin\":true}]");
    assert_non_null(config);
    assert_int_equal(config->listen_count, 0);
    assert_int_equal(config->listener_count, 2);
    const struct config_listener *mutual = &config->listeners[0];
    assert_string_equal(mutual->address.data, "127.0.0.1:1");
    assert_int_equal(mutual->kind, LISTENER_MUTUAL);
    assert_int_equal(mutual->tls_min, TLS_1_2);
    assert_string_equal(mutual->cert_file, "c");
    assert_string_equal(mutual->key_file, "k");
    assert_string_equal(mutual->client_ca_file, "a");
    assert_string_equal(mutual->crl_file, "r");
    assert_true(mutual->certificate_optional && !mutual->admin);
    assert_true(config->listeners[1].admin);
    struct config *other = load_with("\"listeners\":[" AT("public") TLS "}," AT("plain") "}]");
    struct config *files =
        load_with("\"listeners\":[" AT("mutual") TLS ",\"clientCaFile\":\"b\"}," AT("plain") "}]");
    unsigned cursor = 0;
    assert_string_equal(config_next_fixed_difference(config, other, &cursor), "listeners");
    assert_null(config_next_fixed_difference(config, other, &cursor));
    cursor = 0;
    assert_null(config_next_fixed_difference(config, files, &cursor));
    config_free(files);
    config_free(other);
    config_free(config);
    config = load_with("\"listen\":\"127.0.0.1:9\",\"listeners\":[" AT("plain") "}]");
    assert_int_equal(config->listen_count, 1);
    config_free(config);
}

#define KEYS(members) "{\"issuer\":\"https://i.example\",\"audience\":\"a\"," members "}"
#define KEYS_URL                                                                    \
    "config: \"issuers[0].keysUrl\": must be an https URL without credentials and " \
    "fragment; http is for loopback, or with insecureHttp"

static struct config *load_issuer(const char *issuer) {
    char text[1024];
    snprintf(text, sizeof text, "{\"data\":\"d\",\"pack\":\"p\",\"origin\":\"o\",\"issuers\":[%s]}",
             issuer);
    return load(text, false);
}

static void keys_come_from_a_file_or_a_place_that_may_be_asked(void **state) {
    (void)state;
    static const char *const good[] = {
        KEYS("\"keyFile\":\"k\",\"keysUrl\":\"https://i.example/jwks?p=1\",\"caFile\":\"c\""),
        KEYS("\"keysUrl\":\"http://127.0.0.1:8080/jwks\""),
        KEYS("\"keysUrl\":\"http://localhost/jwks\""),
        KEYS("\"keysUrl\":\"http://[::1]:80/jwks\""),
        KEYS("\"keysUrl\":\"http://192.0.2.1/jwks\",\"insecureHttp\":true"),
        KEYS("\"discovery\":true"),
    };
    static const char *const bad[][2] = {
        {KEYS("\"keysUrl\":\"http://192.0.2.1/jwks\""), KEYS_URL},
        {KEYS("\"keysUrl\":\"http://127.0.0.1.example/jwks\""), KEYS_URL},
        {KEYS("\"keysUrl\":\"http://localhost.example/jwks\""), KEYS_URL},
        {KEYS("\"keysUrl\":\"http://localhost@i.example/jwks\""), KEYS_URL},
        {KEYS("\"keysUrl\":\"https://user:secret@i.example/jwks\""), KEYS_URL},
        {KEYS("\"keysUrl\":\"https://i.example/jwks#1\""), KEYS_URL},
        {KEYS("\"keysUrl\":\"https:///jwks\""), KEYS_URL},
        {KEYS("\"keysUrl\":\"file:///etc/passwd\""), KEYS_URL},
        {KEYS("\"keyFile\":\"k\",\"caFile\":\"c\""),
         "config: \"issuers[0].caFile\": is of no use without keysUrl or discovery"},
        {KEYS("\"discovery\":true,\"keysUrl\":\"https://i.example/jwks\""),
         "config: \"issuers[0].discovery\": has no place beside keysUrl"},
        {"{\"issuer\":\"http://i.example\",\"audience\":\"a\",\"discovery\":true}",
         "config: \"issuers[0].discovery\": needs an https issuer (or insecureHttp)"},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct config *config = load_issuer(good[i]);
        if (config == NULL)
            fail_msg("%s", why);
        config_free(config);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_null(load_issuer(bad[i][0]));
        assert_string_equal(why, bad[i][1]);
    }
    struct config *config = load_issuer(good[0]);
    assert_string_equal(config->issuers[0].keys_url.data, "https://i.example/jwks?p=1");
    assert_string_equal(config->issuers[0].ca_file, "c");
    assert_int_equal(config->keys_cooldown_seconds, 30);
    assert_int_equal(config->issuers[0].binding, 0);
    config_free(config);
    config = load_issuer(KEYS("\"keyFile\":\"k\",\"binding\":\"directoryUrl\""));
    assert_int_equal(config->issuers[0].binding, 1 + AUTH_BINDING_DIRECTORY);
    config_free(config);
    assert_null(load_issuer(KEYS("\"keyFile\":\"k\",\"binding\":\"dpop\"")));
    assert_string_equal(why, "config: \"issuers[0].binding\": must be none, x5t or directoryUrl");
}

static void what_production_needs_is_required_by_name(void **state) {
    (void)state;
    assert_null(load("{}", false));
    assert_string_equal(why, "config: \"data\": is required");
    assert_null(load("{\"data\":\"d\"}", false));
    assert_string_equal(why, "config: \"pack\": is required");
    assert_null(load("{\"data\":\"d\",\"pack\":\"p\"}", false));
    assert_string_equal(why, "config: \"origin\": is required");
    assert_null(load("{\"data\":\"d\",\"pack\":\"p\",\"origin\":\"o\"}", false));
    assert_string_equal(why, "config: \"issuers\": must name at least one issuer of tokens");
    assert_null(load("{\"data\":\"d\",\"pack\":\"p\",\"origin\":\"o o\"}", false));
    assert_string_equal(why, "config: \"origin\": must be 1..256 bytes without spaces and '+'");
    assert_null(load("{\"data\":\"\"}", false));
    assert_string_equal(why, "config: \"data\": must be a path of 1..4095 bytes");
}

static void development_needs_nothing(void **state) {
    (void)state;
    struct config *config = load("{}", true);
    assert_non_null(config);
    assert_string_equal(config->data.data, "var/dev");
    assert_string_equal(config->origin.data, "consentd.invalid/dev");
    config_free(config);
}

static void a_file_that_is_no_object_is_refused_with_its_line(void **state) {
    (void)state;
    assert_null(load("[]", true));
    assert_non_null(strstr(why, "must be a JSON object"));
    assert_null(load("{\n\n\"loops\":1,}", true));
    assert_non_null(strstr(why, "line 3"));
    assert_null(load("{\"loops\":1,\"loops\":2}", true));
    assert_non_null(strstr(why, "duplicate"));
    struct config_source source = {.file = "/nowhere/config.json", .dev = true};
    struct config *config = NULL;
    assert_int_equal(config_load(&source, &config, why), STATUS_INVALID_PARAMETER);
    assert_string_equal(why, "config: /nowhere/config.json: No such file or directory");
}

static void a_variable_is_the_key_in_capitals(void **state) {
    (void)state;
    char name[64];
    config_variable_name("listen", name, sizeof name);
    assert_string_equal(name, "CONSENTD_LISTEN");
    config_variable_name("inFlightPerConnection", name, sizeof name);
    assert_string_equal(name, "CONSENTD_IN_FLIGHT_PER_CONNECTION");
    config_variable_name("http2", name, sizeof name);
    assert_string_equal(name, "CONSENTD_HTTP2");
}

static void the_environment_wins_over_the_file_and_the_command_line_over_both(void **state) {
    (void)state;
    setenv("CONSENTD_LOOPS", "5", 1);
    setenv("CONSENTD_LISTEN", "127.0.0.1:7,127.0.0.1:8", 1);
    setenv("CONSENTD_ACCESS_LOG", "false", 1);
    struct config *config = load_with("\"loops\":3,\"accessLog\":true");
    assert_non_null(config);
    assert_int_equal(config->loops, 5);
    assert_int_equal(config->listen_count, 2);
    assert_string_equal(config->listen[1].data, "127.0.0.1:8");
    assert_false(config->access_log);
    config_free(config);

    const struct config_override given[] = {{"listen", "--listen", "127.0.0.1:9"}};
    struct config_source source = {.dev = true, .overrides = given, .override_count = 1};
    assert_int_equal(config_load(&source, &config, why), STATUS_OK);
    assert_int_equal(config->listen_count, 1);
    assert_string_equal(config->listen[0].data, "127.0.0.1:9");
    config_free(config);
    unsetenv("CONSENTD_LOOPS");
    unsetenv("CONSENTD_LISTEN");
    unsetenv("CONSENTD_ACCESS_LOG");
}

static void a_refused_override_names_key_and_source(void **state) {
    (void)state;
    static const char *const rows[][3] = {
        {"CONSENTD_LOOPS", "none", "config: \"loops\" (CONSENTD_LOOPS): must be 1..64"},
        {"CONSENTD_LOOPS", "", "config: \"loops\" (CONSENTD_LOOPS): must be 1..64"},
        {"CONSENTD_LOOPS", "1e1", "config: \"loops\" (CONSENTD_LOOPS): must be 1..64"},
        {"CONSENTD_HTTP2", "yes", "config: \"http2\" (CONSENTD_HTTP2): must be true or false"},
        {"CONSENTD_LISTEN", "127.0.0.1:1,",
         "config: \"listen\" (CONSENTD_LISTEN): must be HOST:PORT"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        setenv(rows[i][0], rows[i][1], 1);
        assert_null(load("{}", true));
        assert_string_equal(why, rows[i][2]);
        unsetenv(rows[i][0]);
    }
    const struct config_override given[] = {{"data", "--data", ""}};
    struct config_source source = {.dev = true, .overrides = given, .override_count = 1};
    struct config *config = NULL;
    assert_int_equal(config_load(&source, &config, why), STATUS_INVALID_PARAMETER);
    assert_string_equal(why, "config: \"data\" (--data): must be a path of 1..4095 bytes");
}

static void only_keys_that_need_a_restart_are_differences(void **state) {
    (void)state;
    unsigned cursor = 0;
    struct config *old = load_with("\"loops\":1,\"inFlight\":200,\"http2\":true");
    struct config *new = load_with("\"loops\":2,\"inFlight\":300,\"http2\":false,"
                                   "\"listen\":[\"127.0.0.1:8080\",\"127.0.0.1:8081\"]");
    assert_string_equal(config_next_fixed_difference(old, new, &cursor), "listen");
    assert_string_equal(config_next_fixed_difference(old, new, &cursor), "loops");
    assert_string_equal(config_next_fixed_difference(old, new, &cursor), "http2");
    assert_null(config_next_fixed_difference(old, new, &cursor));
    cursor = 0;
    assert_null(config_next_fixed_difference(new, new, &cursor));
    config_free(old);
    config_free(new);
}

/* The manual has a heading `key` for each, and its variable. */
static void the_manual_explains_every_key(void **state) {
    (void)state;
    struct buffer manual = {0};
    FILE *file = fopen("docs/configuration.md", "rb");
    size_t got;
    const char *key;
    assert_non_null(file);
    while ((got = fread(buffer_reserve(&manual, 4096), 1, 4096, file)) > 0)
        manual.size += got;
    fclose(file);
    buffer_append(&manual, "", 1);
    for (unsigned i = 0; (key = config_key_name(i)) != NULL; i++) {
        char row[64], variable[64];
        snprintf(row, sizeof row, "| `%s` |", key);
        if (strstr(manual.data, row) == NULL)
            fail_msg("docs/configuration.md has no row for %s", key);
        config_variable_name(key, variable, sizeof variable);
        bool scalar = strcmp(key, "listeners") != 0 && strcmp(key, "issuers") != 0 &&
                      strcmp(key, "tenants") != 0 && strcmp(key, "witnesses") != 0;
        if (scalar && strstr(manual.data, variable) == NULL)
            fail_msg("docs/configuration.md does not name %s", variable);
    }
    buffer_release(&manual);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left_out_has_its_default),
        cmocka_unit_test(every_key_of_the_file_is_read),
        cmocka_unit_test(every_refusal_names_its_key),
        cmocka_unit_test(an_issuer_is_checked_member_by_member),
        cmocka_unit_test(witnesses_are_read_and_their_members_checked),
        cmocka_unit_test(a_quorum_is_of_the_witnesses_there_are),
        cmocka_unit_test(listeners_are_read_and_their_members_checked),
        cmocka_unit_test(listeners_stand_in_place_of_the_usual_address),
        cmocka_unit_test(keys_come_from_a_file_or_a_place_that_may_be_asked),
        cmocka_unit_test(what_production_needs_is_required_by_name),
        cmocka_unit_test(development_needs_nothing),
        cmocka_unit_test(a_file_that_is_no_object_is_refused_with_its_line),
        cmocka_unit_test(a_variable_is_the_key_in_capitals),
        cmocka_unit_test(the_environment_wins_over_the_file_and_the_command_line_over_both),
        cmocka_unit_test(a_refused_override_names_key_and_source),
        cmocka_unit_test(only_keys_that_need_a_restart_are_differences),
        cmocka_unit_test(the_manual_explains_every_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
