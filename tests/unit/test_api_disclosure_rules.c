/* Disclosures after the rules have changed: what went is judged by the pack that was in force when
 * it went, and its entry names that one. */
// SPDX-License-Identifier: Apache-2.0
#include "base/encode.h"
#include "tests/unit/support_disclosing.h"

#define LATER "2026-03-13T10:00:00Z" /* the new pack's first moment */
#define AT(time) TO_APP "," DATA ",\"at\":\"" time "\",\"transaction\":\"t\""

/* Perseus with a rule that denies every disclosure. */
static struct policy_pack *stricter(const struct world *w) {
    struct policy_error error;
    struct policy_pack *pack = NULL;
    struct span bytes = policy_pack_bytes(w->pack);
    json_t *json = json_loadb(bytes.data, bytes.size, 0, NULL);
    json_t *rules = json_loads("[{\"id\":\"stop\",\"effect\":\"deny\",\"when\":[{\"path\":"
                               "\"action.name\",\"op\":\"eq\",\"value\":\"disclose\"}]}]",
                               0, NULL);
    assert_int_equal(json_object_set_new(json, "rules", rules), 0);
    char *text = json_dumps(json, 0);
    if (policy_pack_load(span_of_text(text), &pack, &error) != STATUS_OK) {
        fail_msg("pack: %s: %s", error.pointer, error.detail);
    }
    free(text);
    json_decref(json);
    return pack;
}

static void put_in_force(struct world *w, struct policy_pack *pack) {
    assert_int_equal(store_pack_activate(w->store, pack), STATUS_OK);
    atomic_store(&w->service.pack, pack);
}

/* The disclosure has these reasons, and its entry the digest of this pack. */
static void assert_judged_by(struct world *w, const char *body, const char *reasons,
                             const struct policy_pack *pack) {
    char hex[2 * DIGEST_SIZE + 1] = "";
    json_t *disclosure = disclosed(w, body);
    json_t *entry = entry_of(w, disclosure);
    encode_hex(policy_pack_digest(pack)->bytes, DIGEST_SIZE, hex);
    assert_judged(disclosure, reasons);
    assert_string_equal(
        text_in(json_object_get(json_object_get(entry, "payload"), "body"), "policyDigest"), hex);
    json_decref(entry);
    json_decref(disclosure);
}

static void the_rules_of_then_judge(void **state) {
    struct world *w = *state;
    struct policy_pack *old = w->pack, *next = stricter(w);
    json_t *consent = created(w, GRANTED);
    world_set_time(w, LATER);
    put_in_force(w, next);
    world_set_time(w, "2026-03-14T10:00:00Z");
    assert_judged_by(w, of_consent(w, consent, AT("2026-03-13T09:59:59.999Z")), "permitted", old);
    assert_judged_by(w, of_consent(w, consent, AT(LATER)), "deniedByRule", next);
    assert_judged_by(w, of_consent(w, consent, AT("2026-03-14T10:00:00Z")), "deniedByRule", next);
    assert_judged_by(w, of_consent(w, consent, AT("1970-01-01T00:00Z")),
                     "consentNotFound deniedByRule", next); /* before the first pack: that of now */
    put_in_force(w, old);
    assert_judged_by(w, of_consent(w, consent, AT("2026-03-13T12:00Z")), "deniedByRule", next);
    policy_pack_free(next);
    json_decref(consent);
}

/* Codes are read under the pack that judges: one that only the old pack has is no violation. */
static void codes_are_those_of_then(void **state) {
    struct world *w = *state;
    struct policy_error error;
    struct policy_pack *old = w->pack, *next = NULL;
    struct span bytes = arena_copy(&w->arena, policy_pack_bytes(old));
    char *text = (char *)(uintptr_t)bytes.data;
    for (char *found; (found = strstr(text, HALFHOURLY)) != NULL;) {
        found[0] = 'E';
    }
    assert_int_equal(policy_pack_load(bytes, &next, &error), STATUS_OK);
    json_t *consent = created(w, GRANTED);
    world_set_time(w, LATER);
    put_in_force(w, next);
    assert_judged_by(w, of_consent(w, consent, AT("2026-03-12T12:00Z")), "permitted", old);
    json_t *disclosure = disclosed(w, of_consent(w, consent, AT(LATER)));
    assert_judged(disclosure, "permissionNotPermitted");
    json_decref(disclosure);
    put_in_force(w, old);
    policy_pack_free(next);
    json_decref(consent);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(the_rules_of_then_judge),
        IN_A_WORLD(codes_are_those_of_then),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
