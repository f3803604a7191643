/* What the service says of itself and of its policy: policy, liveness, readiness, metrics, version,
 * contract and the pages of the problems. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_reading.h"

#include "api/assets.h"
#include "api/resource.h"
#include "base/encode.h"

static const char *digest_hex(struct world *w) {
    char hex[2 * DIGEST_SIZE];
    encode_hex(policy_pack_digest(w->pack)->bytes, DIGEST_SIZE, hex);
    return arena_copy(&w->arena, span_of(hex, sizeof hex)).data;
}

static const json_t *named(const json_t *list, const char *key, const char *value) {
    size_t i;
    const json_t *item;
    json_array_foreach(list, i, item) {
        if (strcmp(text_in(item, key), value) == 0) {
            return item;
        }
    }
    fail_msg("no %s %s", key, value);
    return NULL;
}

static void assert_strings(const json_t *list, const char *const *wanted) {
    size_t count = 0;
    for (; wanted[count] != NULL; count++) {
        assert_string_equal(json_string_value(json_array_get(list, count)), wanted[count]);
    }
    assert_int_equal(json_array_size(list), count);
}

static void the_policy_in_force_is_shown_by_codes_and_urls(void **state) {
    struct world *w = *state;
    struct reply reply = get(w, AS_APP, "/v1/policy");
    json_t *json = json_of(&reply);
    struct span tag = arena_format(&w->arena, "\"%s\"", digest_hex(w));
    assert_int_equal(reply.status, 200);
    assert_string_equal(header_of(&reply, "etag"), tag.data);
    assert_string_equal(text_in(json, "pack"), "perseus");
    assert_string_equal(text_in(json, "version"), "2026-03-12");
    assert_string_equal(text_in(json, "digest"), digest_hex(w));
    assert_int_equal(json_array_size(json_object_get(json, "roles")), 3);
    assert_int_equal(json_array_size(json_object_get(json, "purposes")), 7);
    assert_int_equal(json_array_size(json_object_get(json, "licenses")), 3);
    const json_t *purpose =
        named(json_object_get(json, "purposes"), "code", "green-finance-eligibility");
    assert_strings(json_object_get(purpose, "roles"), (const char *const[]){"fsp", NULL});
    const json_t *fine =
        named(json_object_get(json, "permissions"), "code", "electricity.import.halfhourly");
    assert_string_equal(text_in(fine, "finestGranularity"), "PT30M");
    assert_true(json_is_false(json_object_get(fine, "denied")));
    const json_t *denied = named(json_object_get(json, "permissions"), "code", "meter.identity");
    assert_true(json_is_true(json_object_get(denied, "denied")));
    json_decref(json);
}

static void a_licence_shows_its_roles_limits_and_dependencies(void **state) {
    struct world *w = *state;
    struct reply reply = get(w, AS_EDP, "/v1/policy");
    json_t *json = json_of(&reply);
    const json_t *licenses = json_object_get(json, "licenses");
    const json_t *energy = named(licenses, "url", CONSUMPTION);
    assert_string_equal(text_in(energy, "fromRole"), "edp");
    assert_string_equal(text_in(energy, "toRole"), "cap");
    assert_string_equal(text_in(energy, "maximumTerm"), "P1Y");
    assert_strings(json_object_get(energy, "permissions"),
                   (const char *const[]){"electricity.import.halfhourly", "gas.import.halfhourly",
                                         "tariff", "location.outcode", NULL});
    assert_strings(json_object_get(energy, "dependsOn"), (const char *const[]){NULL});
    const json_t *emissions = named(licenses, "url", PERSEUS "emissions-cap-fsp/2026-03-12");
    assert_strings(json_object_get(emissions, "purposes"),
                   (const char *const[]){"green-finance-eligibility",
                                         "green-finance-product-management", NULL});
    assert_int_equal(json_array_size(json_object_get(emissions, "dependsOn")), 2);
    assert_true(json_is_true(json_object_get(emissions, "wholeMonths")));
    const json_t *combined = named(licenses, "url", COMBINED);
    const json_t *onward = json_object_get(combined, "onwardRecipients");
    assert_int_equal(json_integer_value(json_object_get(onward, "minimum")), 1);
    assert_int_equal(json_integer_value(json_object_get(onward, "maximum")), 1);
    json_decref(json);
}

static void a_pack_is_served_by_its_digest_as_the_bytes_that_have_it(void **state) {
    struct world *w = *state;
    struct span path = arena_format(&w->arena, "/v1/policies/%s", digest_hex(w));
    struct reply reply = get(w, AS_AUDITOR, path.data);
    assert_int_equal(reply.status, 200);
    struct digest digest = digest_sha256(reply.body);
    assert_true(digest_equal(&digest, policy_pack_digest(w->pack)));
    static const char *const NONE[] = {
        "/v1/policies/x", "/v1/policies/00",
        "/v1/policies/0000000000000000000000000000000000000000000000000000000000000000"};
    for (size_t i = 0; i < 3; i++) {
        struct reply none = get(w, AS_AUDITOR, NONE[i]);
        assert_problem(&none, 404, "not-found");
    }
}

static void a_pack_that_was_in_force_is_served_for_ever(void **state) {
    struct world *w = *state;
    struct policy_error error;
    struct policy_pack *next;
    struct span old = arena_copy(&w->arena, policy_pack_bytes(w->pack));
    struct span path = arena_format(&w->arena, "/v1/policies/%s", digest_hex(w));
    /* the same pack but for a space at its end */
    struct span bytes = arena_format(&w->arena, "%s ", old.data);
    assert_int_equal(policy_pack_load(bytes, &next, &error), STATUS_OK);
    assert_int_equal(store_pack_activate(w->store, next), STATUS_OK);
    atomic_store(&w->service.pack, next);
    struct reply reply = get(w, AS_EDP, path.data);
    assert_int_equal(reply.status, 200);
    assert_true(span_equal(reply.body, old));
    atomic_store(&w->service.pack, w->pack);
    assert_int_equal(store_pack_activate(w->store, w->pack), STATUS_OK);
    char hex[2 * DIGEST_SIZE];
    encode_hex(policy_pack_digest(next)->bytes, DIGEST_SIZE, hex);
    path = arena_format(&w->arena, "/v1/policies/%.*s", (int)sizeof hex, hex);
    reply = get(w, AS_EDP, path.data);
    assert_true(span_equal(reply.body, bytes));
    policy_pack_free(next);
}

static void a_policy_that_is_known_is_not_sent_again(void **state) {
    struct world *w = *state;
    struct span tag = arena_format(&w->arena, "W/\"%s\"", digest_hex(w));
    const char *const paths[] = {"/v1/policy",
                                 arena_format(&w->arena, "/v1/policies/%s", digest_hex(w)).data};
    for (size_t i = 0; i < 2; i++) {
        struct reply reply = ask(
            w, (struct asking){
                   .as = AS_EDP, .target = paths[i], .header = "if-none-match", .value = tag.data});
        assert_int_equal(reply.status, 304);
        assert_int_equal(reply.body.size, 0);
        reply = ask(
            w, (struct asking){
                   .as = AS_EDP, .target = paths[i], .header = "if-none-match", .value = "\"1\""});
        assert_int_equal(reply.status, 200);
    }
}

static void the_policy_needs_a_token_of_any_kind(void **state) {
    struct world *w = *state;
    struct reply reply = get(w, AS_NOBODY, "/v1/policy");
    assert_problem(&reply, 401, "unauthenticated");
    reply = get(w, AS_ADMIN, "/v1/policy");
    assert_int_equal(reply.status, 200);
    reply = get(w, AS_ADMIN, "/v1/policy?version=1");
    assert_problem(&reply, 400, "invalid-parameter");
    atomic_store(&w->service.pack, NULL);
    reply = get(w, AS_ADMIN, "/v1/policy");
    assert_problem(&reply, 503, "busy");
}

static void assert_readiness(struct world *w, int status, const char *body) {
    struct asking asking = {.target = "/readyz", .from_afar = true};
    struct reply reply = ask(w, asking);
    assert_int_equal(reply.status, status);
    assert_string_equal(reply.body.data, body);
    assert_string_equal(header_of(&reply, "content-type"), "application/json");
    assert_string_equal(header_of(&reply, "retry-after"), status == 503 ? "1" : "");
}

#define CHECKS(pack, keys, accepting)                                             \
    "\"checks\":{\"store\":true,\"writer\":true,\"pack\":" pack ",\"keys\":" keys \
    ",\"accepting\":" accepting "}}"

static void readiness_names_every_check(void **state) {
    struct world *w = *state;
    assert_readiness(w, 200, "{\"status\":\"ready\"," CHECKS("true", "true", "true"));
    w->draining = true;
    assert_readiness(w, 503, "{\"status\":\"notReady\"," CHECKS("true", "true", "false"));
    w->draining = false;
    atomic_store(&w->service.pack, NULL);
    assert_readiness(w, 503, "{\"status\":\"notReady\"," CHECKS("false", "true", "true"));
    atomic_store(&w->service.pack, w->pack);
    atomic_store(&w->service.keys, NULL);
    assert_readiness(w, 503, "{\"status\":\"notReady\"," CHECKS("true", "false", "true"));
    struct reply alive = get(w, AS_NOBODY, "/healthz");
    assert_int_equal(alive.status, 200); /* alive all the same */
    assert_string_equal(alive.body.data, "{\"status\":\"ok\"}");
}

static void readiness_tells_the_operator_what_is_in_force(void **state) {
    struct world *w = *state;
    atomic_store(&w->service.reload_refused, "config: \"pack\": /licenses/0: is wrong");
    struct asking asking = {.target = "/readyz"};
    struct reply reply = ask(w, asking);
    assert_non_null(strstr(reply.body.data, "\"details\":{\"policy\":{\"pack\":\"perseus\","));
    assert_non_null(strstr(reply.body.data,
                           "\"reloadRefused\":\"config: \\\"pack\\\": /licenses/0: is wrong\"}"));
    asking.from_afar = true;
    reply = ask(w, asking);
    assert_null(strstr(reply.body.data, "details"));
}

/* Invariant 9: counts show how much happens in all. */
static void metrics_are_for_the_same_host_unless_opened(void **state) {
    struct world *w = *state;
    struct asking asking = {.target = "/metrics"};
    struct reply reply = ask(w, asking);
    assert_int_equal(reply.status, 200);
    assert_string_equal(header_of(&reply, "content-type"), "text/plain; version=0.0.4");
    assert_string_equal(reply.body.data, "consentd_up 1\n");
    asking.from_afar = true;
    reply = ask(w, asking);
    assert_problem(&reply, 404, "not-found");
    asking.target = "/nothing";
    struct reply nothing = ask(w, asking);
    assert_string_equal(reply.body.data, nothing.body.data);
    w->settings.metrics_public = true;
    asking.target = "/metrics";
    reply = ask(w, asking);
    assert_int_equal(reply.status, 200);
}

static void version_contract_and_reference_need_no_token(void **state) {
    struct world *w = *state;
    struct reply reply = get(w, AS_NOBODY, "/version");
    assert_string_equal(reply.body.data, "{\"name\":\"consentd\",\"version\":\"0.0.0-test\"}");
    reply = get(w, AS_NOBODY, "/openapi.yaml");
    assert_int_equal(reply.status, 200);
    assert_string_equal(header_of(&reply, "content-type"), "application/yaml");
    assert_true(reply.body.size > 0 && span_equal(reply.body, api_asset_openapi()));
    reply = get(w, AS_NOBODY, "/docs");
    assert_int_equal(reply.status, 200);
    assert_string_equal(header_of(&reply, "content-type"), "text/html; charset=utf-8");
    assert_true(reply.body.size > 0 && span_equal(reply.body, api_asset_docs()));
    assert_non_null(strstr(header_of(&reply, "content-security-policy"), "default-src 'none'"));
}

static void the_metadata_of_the_resource_say_how_to_get_a_token(void **state) {
    static const char expected[] =
        "{\"resource\":\"" PUBLIC_URL "\","
        "\"authorization_servers\":[\"https://issuer.consentd.invalid\"],"
        "\"scopes_supported\":[\"consents:write\",\"consents:read\",\"decisions:evaluate\","
        "\"audit:read\",\"admin\"],\"bearer_methods_supported\":[\"header\"],"
        "\"jwks_uri\":\"" PUBLIC_URL "/.well-known/jwks.json\","
        "\"resource_signing_alg_values_supported\":[\"ES256\"],"
        "\"resource_documentation\":\"" PUBLIC_URL "/docs\","
        "\"tls_client_certificate_bound_access_tokens\":false,"
        "\"authorization_details_types_supported\":[\"consent\"],"
        "\"dpop_bound_access_tokens_required\":false}";
    struct world *w = *state;
    struct reply reply = get(w, AS_NOBODY, "/.well-known/oauth-protected-resource");
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body.data, expected);
    w->settings.certificates = true;
    reply = get(w, AS_NOBODY, "/.well-known/oauth-protected-resource");
    assert_non_null(strstr(reply.body.data, "\"tls_client_certificate_bound_access_tokens\":true"));
}

/* RFC 9728 section 3.1. */
static void the_well_known_path_stands_between_host_and_path(void **state) {
    static const char *const rows[][2] = {
        {"https://c.example", "https://c.example/.well-known/oauth-protected-resource"},
        {"https://c.example:8443/a/b",
         "https://c.example:8443/.well-known/oauth-protected-resource/a/b"},
        {"http://127.0.0.1:1", "http://127.0.0.1:1/.well-known/oauth-protected-resource"},
        {"", "/.well-known/oauth-protected-resource"},
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(api_resource_metadata_url(&w->arena, span_of_text(rows[i][0])).data,
                            rows[i][1]);
}

static void every_problem_has_a_page_that_brings_everything_with_it(void **state) {
    struct world *w = *state;
    const char *previous = "";
    for (enum status problem = STATUS_OK + 1; problem < STATUS_COUNT; problem++) {
        struct span path = arena_format(&w->arena, "/problems/%s", status_name(problem));
        struct reply reply = get(w, AS_NOBODY, path.data);
        const char *page = reply.body.data;
        assert_int_equal(reply.status, 200);
        assert_string_equal(header_of(&reply, "content-type"), "text/html; charset=utf-8");
        assert_memory_equal(page, "<!doctype html>\n<html lang=\"en\">", 32);
        assert_non_null(
            strstr(page, arena_format(&w->arena, "<h1>%s</h1>", status_title(problem)).data));
        assert_non_null(strstr(page, "width=device-width"));
        const char *means = strstr(page, "<h2>What it means</h2>\n<p>");
        const char *action = strstr(page, "<h2>What to do</h2>\n<p>");
        assert_true(means != NULL && action > means);
        assert_memory_not_equal(means + 26, action + 23, 40);
        static const char *const OUTSIDE[] = {"http:", "https:", "<script", "<img",
                                              "<link", "url(",   "src=",    "href="};
        for (size_t i = 0; i < sizeof OUTSIDE / sizeof OUTSIDE[0]; i++) {
            assert_null(strstr(page, OUTSIDE[i]));
        }
        assert_string_not_equal(strstr(page, "<main>"), previous);
        previous = strstr(page, "<main>");
    }
    struct reply reply = get(w, AS_NOBODY, "/problems/ok");
    assert_problem(&reply, 404, "not-found");
    reply = get(w, AS_NOBODY, "/problems/nothing");
    assert_problem(&reply, 404, "not-found");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_policy_in_force_is_shown_by_codes_and_urls),
        TEST(a_licence_shows_its_roles_limits_and_dependencies),
        TEST(a_pack_is_served_by_its_digest_as_the_bytes_that_have_it),
        TEST(a_pack_that_was_in_force_is_served_for_ever),
        TEST(a_policy_that_is_known_is_not_sent_again),
        TEST(the_policy_needs_a_token_of_any_kind),
        TEST(readiness_names_every_check),
        TEST(readiness_tells_the_operator_what_is_in_force),
        TEST(metrics_are_for_the_same_host_unless_opened),
        TEST(version_contract_and_reference_need_no_token),
        TEST(the_metadata_of_the_resource_say_how_to_get_a_token),
        TEST(the_well_known_path_stands_between_host_and_path),
        TEST(every_problem_has_a_page_that_brings_everything_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
