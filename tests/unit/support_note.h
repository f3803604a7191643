/* The keys, notes and checkpoints of tests/vectors/tlog.json. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_SUPPORT_NOTE_H
#define TESTS_UNIT_SUPPORT_NOTE_H

#include "tests/unit/support_merkle.h"

#include "tlog/checkpoint.h"
#include "tlog/cosignature.h"

#define ORIGIN "consent.example/log1"
#define WITNESS "witness.example/w1"
#define GOLDEN_ORIGIN "example.com/log/testdata"
#define GOLDEN_KEY                            \
    "PRIVATE+KEY+" GOLDEN_ORIGIN "+33d7b496+" \
    "AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg"

struct noted {
    json_t *vectors;
    struct tlog_key *log, *witness;
    struct tlog_vkey log_vkey, witness_vkey; /* parsed from the vectors' texts */
    struct tlog_trust trust;                 /* in the log, without witnesses */
};

/* "name+id" of the verifier key, with the seed behind it. Freed with tlog_key_free. */
UNUSED static struct tlog_key *key_of(const json_t *row, unsigned char type) {
    unsigned char typed[1 + TLOG_PUBLIC_KEY_SIZE] = {type};
    char text[256], base64[ENCODE_BASE64_SIZE(sizeof typed) + 1];
    struct tlog_key *key;
    int size = (int)strlen(string_at(row, "name")) + 1 + 8;
    assert_int_equal(decode_hex(span_of_text(string_at(row, "seed_hex")), typed + 1, 32),
                     STATUS_OK);
    base64[encode_base64(typed, sizeof typed, base64)] = '\0';
    snprintf(text, sizeof text, "PRIVATE+KEY+%.*s+%s", size, string_at(row, "vkey"), base64);
    assert_int_equal(tlog_key_parse(span_of_text(text), &key), STATUS_OK);
    return key;
}

UNUSED static int noted_init(void **state) {
    struct noted *n = mem_alloc_zeroed(1, sizeof *n);
    n->vectors = vectors_load("tlog.json");
    const json_t *keys = json_object_get(n->vectors, "keys");
    const json_t *log = json_object_get(keys, "log"), *witness = json_object_get(keys, "witness");
    n->log = key_of(log, TLOG_KEY_ED25519);
    n->witness = key_of(witness, TLOG_KEY_COSIGNATURE);
    assert_int_equal(tlog_vkey_parse(span_of_text(string_at(log, "vkey")), &n->log_vkey),
                     STATUS_OK);
    assert_int_equal(tlog_vkey_parse(span_of_text(string_at(witness, "vkey")), &n->witness_vkey),
                     STATUS_OK);
    n->trust = (struct tlog_trust){.origin = SPAN(ORIGIN), .keys = &n->log_vkey, .key_count = 1};
    *state = n;
    return 0;
}

UNUSED static int noted_release(void **state) {
    struct noted *n = *state;
    tlog_key_free(n->log);
    tlog_key_free(n->witness);
    json_decref(n->vectors);
    mem_free(n);
    return 0;
}

#define NOTED(name) cmocka_unit_test_setup_teardown(name, noted_init, noted_release)

UNUSED static struct span vector_text(const struct noted *n, const char *name) {
    return span_of_text(string_at(n->vectors, name));
}

/* Freed with tlog_key_free. */
UNUSED static struct tlog_key *golden_key(void) {
    struct tlog_key *key;
    assert_int_equal(tlog_key_parse(SPAN(GOLDEN_KEY), &key), STATUS_OK);
    return key;
}

/* text signed by keys, in order; freed with buffer_release. */
UNUSED static struct buffer signed_by(struct span text, struct tlog_key *const *keys,
                                      size_t count) {
    struct buffer note = {0};
    tlog_note_put_text(&note, text);
    for (size_t i = 0; i < count; i++)
        tlog_note_put_signature(&note, keys[i], text);
    return note;
}

#endif
