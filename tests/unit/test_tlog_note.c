/* Signed notes and their keys: read strictly, every byte counts, and strangers' signatures do not.
 */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_note.h"

#define DASH "\xe2\x80\x94 "
#define STRANGER DASH "stranger.example c3RyYW5nZXI=\n" /* 8 bytes */

/* ---- names and verifier keys */

static void a_name_has_no_space_of_unicode_no_plus_and_no_control_character(void **state) {
    static const char *const good[] = {
        "a",
        "consent.example/log1",
        "\xc3\xa9t\xc3\xa9",
        "\xe2\x80\x8b",
        "\xe2\x80\x94",
        "\x7f",
        "\xf0\x9f\x94\x91",
        "~",
        "\xe2\x80\xb0",
        "\xc2\xa1",
    };
    static const char *const bad[] = {
        "",
        " ",
        "a b",
        "a+b",
        "+",
        "a\nb",
        "\t",
        "\x1f",
        "a\xc2\x85",
        "\xc2\xa0z",
        "\xe1\x9a\x80",
        "\xe2\x80\x80",
        "\xe2\x80\x85",
        "a\xe2\x80\x8a",
        "\xe2\x80\xa8",
        "\xe2\x80\xa9",
        "\xe2\x80\xaf",
        "\xe2\x81\x9f",
        "\xe3\x80\x80",
        "\xff",
        "a\xc3",
        "\xed\xa0\x80",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        if (!tlog_name_valid(span_of_text(good[i])))
            fail_msg("\"%s\" was refused", good[i]);
    for (size_t i = 0; i < COUNT(bad); i++)
        if (tlog_name_valid(span_of_text(bad[i])))
            fail_msg("case %zu was taken", i);
    assert_false(tlog_name_valid(SPAN("a\0b")));
    assert_false(tlog_name_valid(SPAN_NONE));
}

static void assert_vkey_round(struct span text, enum tlog_key_type type, const char *name) {
    struct tlog_vkey key;
    char back[256];
    assert_int_equal(tlog_vkey_parse(text, &key), STATUS_OK);
    assert_int_equal(key.type, type);
    assert_span(key.name, name);
    tlog_vkey_text(&key, back, sizeof back);
    assert_span(text, back);
}

static void a_verifier_key_is_read_and_written(void **state) {
    const json_t *keys = json_object_get(((struct noted *)*state)->vectors, "keys");
    const json_t *log = json_object_get(keys, "log"), *witness = json_object_get(keys, "witness");
    assert_vkey_round(span_of_text(string_at(log, "vkey")), TLOG_KEY_ED25519, ORIGIN);
    assert_vkey_round(span_of_text(string_at(witness, "vkey")), TLOG_KEY_COSIGNATURE, WITNESS);
}

static void the_key_of_a_seed_is_the_vectors(void **state) {
    struct noted *n = *state;
    const struct tlog_vkey *log = tlog_key_public(n->log);
    const struct tlog_vkey *witness = tlog_key_public(n->witness);
    assert_hex(log->id, 4, "71046bc7");
    assert_hex(witness->id, 4, "cc6a4030");
    assert_memory_equal(log->public_key, n->log_vkey.public_key, TLOG_PUBLIC_KEY_SIZE);
    assert_memory_equal(witness->public_key, n->witness_vkey.public_key, TLOG_PUBLIC_KEY_SIZE);
}

/* Any character of a verifier key changed to another that could stand there. */
static void a_verifier_key_with_a_changed_character_is_refused(void **state) {
    const struct noted *n = *state;
    char text[128];
    struct tlog_vkey key = {.id = "kept"};
    tlog_vkey_text(&n->log_vkey, text, sizeof text);
    for (size_t i = 0; i < strlen(text); i++) {
        char was = text[i];
        text[i] = was == 'a' ? 'b' : 'a';
        assert_int_equal(tlog_vkey_parse(span_of_text(text), &key), STATUS_INVALID_PARAMETER);
        text[i] = was;
        char *cut = mem_alloc(i); /* exactly as large: the sanitizer sees a byte past it */
        memcpy(cut, text, i);
        assert_int_equal(tlog_vkey_parse(span_of(cut, i), &key), STATUS_INVALID_PARAMETER);
        mem_free(cut);
    }
    size_t size = strlen(text);
    text[size] = 'A';
    assert_int_equal(tlog_vkey_parse(span_of(text, size + 1), &key), STATUS_INVALID_PARAMETER);
    assert_memory_equal(key.id, "kept", 4);
}

static void other_kinds_of_keys_are_none_of_ours(void **state) {
    static const char *const bad[] = {
        "",
        "+",
        "++",
        "a+71046bc7",
        "a+71046bc7+",
        /* ECDSA, type 2; a signing key; an ID in capitals; a byte more; a space; a newline */
        "a+71046bc7+Aqr0t/08cFMEMawrNmL1SdD4Mh+ts05tw2/cbLwo8+Da",
        GOLDEN_KEY,
        GOLDEN_ORIGIN "+33D7B496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx",
        GOLDEN_ORIGIN "+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSxAA==",
        GOLDEN_ORIGIN " +33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx",
        GOLDEN_ORIGIN "+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx\n",
    };
    struct tlog_vkey key;
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (tlog_vkey_parse(span_of_text(bad[i]), &key) != STATUS_INVALID_PARAMETER)
            fail_msg("\"%s\" was taken", bad[i]);
}

static void a_key_under_another_name_is_another_key_of_the_same_secret(void **state) {
    struct noted *n = *state;
    struct tlog_key *heads = tlog_key_renamed(n->log, SPAN(ORIGIN "/heads"));
    const struct tlog_vkey *vkey = tlog_key_public(heads);
    unsigned char own[TLOG_SIGNATURE_SIZE], other[TLOG_SIGNATURE_SIZE];
    assert_span(vkey->name, ORIGIN "/heads");
    assert_memory_equal(vkey->public_key, n->log_vkey.public_key, TLOG_PUBLIC_KEY_SIZE);
    assert_memory_not_equal(vkey->id, n->log_vkey.id, TLOG_KEY_ID_SIZE);
    tlog_key_sign(n->log, SPAN("m"), own);
    tlog_key_free(n->log); /* the secret is shared, not borrowed */
    tlog_key_sign(heads, SPAN("m"), other);
    assert_memory_equal(own, other, sizeof own);
    assert_true(tlog_vkey_verify(vkey, SPAN("m"), own));
    n->log = heads;
}

/* RFC 8032 section 7.1, test 1: no message. */
static void a_signature_is_the_one_of_rfc_8032(void **state) {
    static const char seed[] = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    json_t *row = json_pack("{s:s, s:s, s:s}", "name", "x", "seed_hex", seed, "vkey",
                            "x+69b339d5+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea");
    unsigned char signature[TLOG_SIGNATURE_SIZE];
    (void)state;
    struct tlog_key *key = key_of(row, TLOG_KEY_ED25519);
    tlog_key_sign(key, SPAN(""), signature);
    assert_hex(signature, sizeof signature,
               "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bac"
               "c61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b");
    assert_true(tlog_vkey_verify(tlog_key_public(key), SPAN(""), signature));
    tlog_key_free(key);
    json_decref(row);
}

/* ---- reading */

static void a_note_is_text_and_signatures_of_anyone(void **state) {
    static const char bytes[] = "first\n\nthird\n\n" STRANGER DASH
                                "stranger.example c3RyYW5nZXI=\n" DASH "\xc3\xa9 AAECAwQ=\n";
    struct tlog_note note;
    (void)state;
    assert_int_equal(tlog_note_parse(span_of_text(bytes), &note), STATUS_OK);
    assert_span(note.text, "first\n\nthird\n");
    assert_int_equal(note.count, 3);
    assert_span(note.signatures[0].line, STRANGER);
    assert_span(note.signatures[0].name, "stranger.example");
    assert_span(note.signatures[0].base64, "c3RyYW5nZXI=");
    assert_hex(note.signatures[0].key_id, 4, "73747261");
    assert_span(note.signatures[2].name, "\xc3\xa9");
    assert_hex(note.signatures[2].key_id, 4, "00010203"); /* and one byte of signature */
    assert_null(note.signatures[0].by);
}

#define SIG DASH "n AAAAAAA=\n"
static const char *const no_notes[] = {
    "",
    "\n",
    "\n\n",
    "text\n",
    "text\n\n",
    SIG,
    "\n" SIG,              /* no text */
    "text\n" SIG,          /* no empty line */
    "text\n\n" SIG "\n",   /* the last empty line has no signatures behind it */
    "text\n\n\n" SIG "\n", /* nor has this one */
    "text\n\n" SIG "text", /* no newline */
    "text\n\n" SIG "text\n",
    "text\n\n" SIG " " SIG,
    "text\n\n" SIG "\xe2\x80\x94n AAAAAAA=\n",
    "text\n\n" SIG "- n AAAAAAA=\n",
    "text\n\n" SIG "\xe2\x80\x93 n AAAAAAA=\n", /* U+2013 */
    "text\n\n" SIG DASH "\n",
    "text\n\n" SIG DASH "n\n",
    "text\n\n" SIG DASH "n \n",
    "text\n\n" SIG DASH " AAAAAAA=\n",
    "text\n\n" SIG DASH " n AAAAAAA=\n",
    "text\n\n" SIG DASH "n  AAAAAAA=\n",
    "text\n\n" SIG DASH "n AAAAAAA= \n",
    "text\n\n" SIG DASH "n+n AAAAAAA=\n",
    "text\n\n" SIG DASH "n\xe3\x80\x80n AAAAAAA=\n",
    "text\n\n" SIG DASH "n AAAAAA==\n", /* a key ID alone */
    "text\n\n" SIG DASH "n AAAA\n",
    "text\n\n" SIG DASH "n AAAAAAA\n",
    "text\n\n" SIG DASH "n AAAAAAB=\n", /* bits that no byte uses */
    "text\n\n" SIG DASH "n AAAA-AA=\n",
    "text\n\n" SIG DASH "n AAAAAAAAA\n",
    "text\n\n" SIG DASH "n AAAAAAA=\r\n",
    "text\r\n\n" SIG,
    "te\txt\n\n" SIG,
    "te\x1fxt\n\n" SIG,
    "te\xffxt\n\n" SIG,
    "te\xed\xa0\x80xt\n\n" SIG, /* a surrogate */
    "te\xc0\xafxt\n\n" SIG,     /* too long for what it says */
};

static void what_is_no_note_is_refused(void **state) {
    struct tlog_note note = {.count = 42};
    (void)state;
    assert_int_equal(tlog_note_parse(SPAN("\n\n" SIG), &note), STATUS_OK);
    note.count = 42;
    for (size_t i = 0; i < COUNT(no_notes); i++)
        if (tlog_note_parse(span_of_text(no_notes[i]), &note) != STATUS_INVALID_PARAMETER)
            fail_msg("case %zu was taken: %s", i, no_notes[i]);
    assert_int_equal(tlog_note_parse(SPAN("te\0xt\n\n" SIG), &note), STATUS_INVALID_PARAMETER);
    assert_int_equal(tlog_note_parse(SPAN_NONE, &note), STATUS_INVALID_PARAMETER);
    assert_int_equal(note.count, 42);
}

static void sixty_four_signatures_are_read_and_no_more(void **state) {
    struct buffer bytes = {0};
    struct tlog_note note;
    (void)state;
    buffer_append_text(&bytes, "text\n\n");
    for (size_t i = 0; i < TLOG_SIGNATURES_MAX; i++)
        buffer_append_text(&bytes, SIG);
    assert_int_equal(tlog_note_parse(buffer_span(&bytes), &note), STATUS_OK);
    assert_int_equal(note.count, 64);
    buffer_append_text(&bytes, SIG);
    assert_int_equal(tlog_note_parse(buffer_span(&bytes), &note), STATUS_INVALID_PARAMETER);
    buffer_release(&bytes);
}

/* As large as post-quantum signatures are, and larger. */
static void a_large_signature_of_a_stranger_is_kept(void **state) {
    struct noted *n = *state;
    struct buffer bytes = signed_by(SPAN("text\n"), &n->log, 1);
    struct tlog_note note;
    buffer_append_text(&bytes, DASH ORIGIN " ");
    for (size_t i = 0; i < 2500; i++)
        buffer_append_text(&bytes, "AAAA");
    buffer_append_text(&bytes, "\n");
    assert_int_equal(tlog_note_parse(buffer_span(&bytes), &note), STATUS_OK);
    assert_int_equal(note.signatures[1].base64.size, 10000);
    assert_int_equal(tlog_note_verify(&note, &n->log_vkey, 1, 1), STATUS_OK);
    assert_null(note.signatures[1].by);
    buffer_release(&bytes);
}

/* ---- verifying */

static void signatures_of_known_keys_are_marked_and_strangers_are_ignored(void **state) {
    struct noted *n = *state;
    struct tlog_key *other = tlog_key_renamed(n->log, SPAN("other.example"));
    struct tlog_key *golden = golden_key();
    struct tlog_key *const signers[] = {golden, n->log, other};
    const struct tlog_vkey keys[] = {*tlog_key_public(other), n->log_vkey};
    struct buffer bytes = signed_by(SPAN("text\n"), signers, 3);
    struct tlog_note note;
    buffer_append_text(&bytes, STRANGER);
    assert_int_equal(tlog_note_parse(buffer_span(&bytes), &note), STATUS_OK);
    assert_int_equal(note.count, 4);
    assert_int_equal(tlog_note_verify(&note, keys, 2, 3), STATUS_INVALID_PARAMETER);
    assert_null(note.signatures[1].by); /* nothing is marked in vain */
    assert_int_equal(tlog_note_verify(&note, keys, 2, 2), STATUS_OK);
    assert_null(note.signatures[0].by);
    assert_ptr_equal(note.signatures[1].by, &keys[1]);
    assert_ptr_equal(note.signatures[2].by, &keys[0]);
    assert_null(note.signatures[3].by);
    /* other keys, later: the first marks stay */
    assert_int_equal(tlog_note_verify(&note, tlog_key_public(golden), 1, 1), STATUS_OK);
    assert_ptr_equal(note.signatures[0].by, tlog_key_public(golden));
    assert_ptr_equal(note.signatures[1].by, &keys[1]);
    assert_int_equal(tlog_note_verify(&note, NULL, 0, 0), STATUS_OK);
    assert_int_equal(tlog_note_verify(&note, NULL, 0, 1), STATUS_INVALID_PARAMETER);
    buffer_release(&bytes);
    tlog_key_free(other);
    tlog_key_free(golden);
}

static void one_key_that_signs_twice_counts_once(void **state) {
    struct noted *n = *state;
    struct tlog_key *const signers[] = {n->log, n->log};
    struct tlog_vkey keys[] = {n->log_vkey, n->log_vkey}; /* nor is a key listed twice two */
    struct buffer bytes = signed_by(SPAN("text\n"), signers, 2);
    struct tlog_note note;
    assert_int_equal(tlog_note_parse(buffer_span(&bytes), &note), STATUS_OK);
    assert_int_equal(tlog_note_verify(&note, keys, 2, 2), STATUS_INVALID_PARAMETER);
    assert_int_equal(tlog_note_verify(&note, keys, 2, 1), STATUS_OK);
    buffer_release(&bytes);
}

/* A key of the same name and another ID, or the same ID and another name, is another key. */
static void name_and_id_together_make_a_key(void **state) {
    struct noted *n = *state;
    struct buffer bytes = signed_by(SPAN("text\n"), &n->log, 1);
    struct tlog_note note;
    struct tlog_vkey key = n->log_vkey;
    assert_int_equal(tlog_note_parse(buffer_span(&bytes), &note), STATUS_OK);
    key.id[3] ^= 1;
    assert_int_equal(tlog_note_verify(&note, &key, 1, 0), STATUS_OK);
    assert_null(note.signatures[0].by);
    key = n->log_vkey;
    key.name = SPAN(ORIGIN "/");
    assert_int_equal(tlog_note_verify(&note, &key, 1, 0), STATUS_OK);
    assert_null(note.signatures[0].by);
    key.name = SPAN(ORIGIN);
    assert_int_equal(tlog_note_verify(&note, &key, 1, 1), STATUS_OK);
    buffer_release(&bytes);
}

/* Each byte of text and signature counts: a note with one bit turned is no note, has no signature
 * of the key, or is refused for it; even beside a good signature of another. */
static void a_note_with_any_bit_turned_is_not_believed(void **state) {
    struct noted *n = *state;
    struct tlog_key *golden = golden_key();
    struct tlog_key *const signers[] = {n->log, golden};
    const struct tlog_vkey keys[] = {n->log_vkey, *tlog_key_public(golden)};
    struct buffer bytes = signed_by(SPAN("some text\n"), signers, 2);
    struct tlog_note note;
    assert_int_equal(tlog_note_parse(buffer_span(&bytes), &note), STATUS_OK);
    assert_int_equal(tlog_note_verify(&note, keys, 2, 2), STATUS_OK);
    for (size_t bit = 0; bit < bytes.size * 8; bit++) {
        bytes.data[bit / 8] ^= (char)(1 << bit % 8);
        if (tlog_note_parse(buffer_span(&bytes), &note) == STATUS_OK)
            assert_int_equal(tlog_note_verify(&note, keys, 2, 2), STATUS_INVALID_PARAMETER);
        bytes.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    buffer_release(&bytes);
    tlog_key_free(golden);
}

static void a_wrong_signature_of_a_known_key_spoils_the_note(void **state) {
    struct noted *n = *state;
    struct tlog_key *golden = golden_key();
    const struct tlog_vkey keys[] = {*tlog_key_public(golden), n->log_vkey};
    struct buffer bytes = signed_by(SPAN("text\n"), &golden, 1);
    unsigned char wrong[TLOG_COSIGNATURE_SIZE] = {0};
    const size_t sizes[] = {1, TLOG_SIGNATURE_SIZE - 1, TLOG_SIGNATURE_SIZE,
                            TLOG_SIGNATURE_SIZE + 1, TLOG_COSIGNATURE_SIZE};
    struct tlog_note note;
    size_t good = bytes.size;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        bytes.size = good;
        tlog_key_sign(n->log, SPAN("text\n"), wrong);
        wrong[0] ^= sizes[i] == TLOG_SIGNATURE_SIZE;
        tlog_note_put_line(&bytes, &n->log_vkey, wrong, sizes[i]);
        assert_int_equal(tlog_note_parse(buffer_span(&bytes), &note), STATUS_OK);
        assert_int_equal(tlog_note_verify(&note, keys, 2, 1), STATUS_INVALID_PARAMETER);
        assert_int_equal(tlog_note_verify(&note, keys, 1, 1), STATUS_OK);
    }
    buffer_release(&bytes);
    tlog_key_free(golden);
}

/* Larger than any that our keys make, in the name of one of them. */
static void a_signature_of_a_known_key_that_is_too_large_spoils_the_note(void **state) {
    struct noted *n = *state;
    unsigned char large[TLOG_KEY_ID_SIZE + TLOG_COSIGNATURE_SIZE + 1] = {0};
    char base64[ENCODE_BASE64_SIZE(sizeof large) + 1];
    struct buffer bytes = signed_by(SPAN("text\n"), &n->log, 1);
    struct tlog_note note;
    memcpy(large, n->log_vkey.id, TLOG_KEY_ID_SIZE);
    base64[encode_base64(large, sizeof large, base64)] = '\0';
    buffer_append_format(&bytes, DASH ORIGIN " %s\n", base64);
    assert_int_equal(tlog_note_parse(buffer_span(&bytes), &note), STATUS_OK);
    assert_int_equal(tlog_note_verify(&note, &n->log_vkey, 1, 1), STATUS_INVALID_PARAMETER);
    buffer_release(&bytes);
}

/* ---- lines apart */

static void lines_apart_from_their_text_are_read_alike(void **state) {
    struct noted *n = *state;
    struct buffer bytes = signed_by(SPAN("text\n"), &n->log, 1);
    struct span lines = span_of(bytes.data + 6, bytes.size - 6);
    struct tlog_note note = {.count = 42};
    assert_int_equal(tlog_note_parse_apart(SPAN("text\n"), lines, &note), STATUS_OK);
    assert_int_equal(note.count, 1);
    assert_int_equal(tlog_note_verify(&note, &n->log_vkey, 1, 1), STATUS_OK);
    note.count = 42;
    /* what would be another text, were it put behind the first */
    const struct span bad[] = {SPAN(""), SPAN("\n"), SPAN("\nother\n\n" SIG), SPAN(SIG "\n" SIG),
                               SPAN("other\n\n" SIG)};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(tlog_note_parse_apart(SPAN("text\n"), bad[i], &note),
                         STATUS_INVALID_PARAMETER);
    assert_int_equal(tlog_note_parse_apart(SPAN("text"), lines, &note), STATUS_INVALID_PARAMETER);
    assert_int_equal(note.count, 42);
    buffer_release(&bytes);
}

/* ---- writing */

static struct span unwritable;

static void put_unwritable(void) {
    struct buffer out = {0};
    tlog_note_put_text(&out, unwritable);
}

static void a_text_that_no_reader_would_take_is_not_written(void **state) {
    const struct span bad[] = {SPAN(""), SPAN("no newline"), SPAN("\xff\n"), SPAN("\r\n"),
                               SPAN("\0\n")};
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        unwritable = bad[i];
        assert_aborts(put_unwritable, "is_text(text)");
    }
}

static void a_text_may_end_in_empty_lines(void **state) {
    struct noted *n = *state;
    static const char *const texts[] = {"\n", "\n\n\n", "text\n\n\n", "text\n\n" SIG "\n"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct buffer bytes = signed_by(span_of_text(texts[i]), &n->log, 1);
        struct tlog_note note;
        assert_int_equal(tlog_note_parse(buffer_span(&bytes), &note), STATUS_OK);
        assert_span(note.text, texts[i]);
        assert_int_equal(tlog_note_verify(&note, &n->log_vkey, 1, 1), STATUS_OK);
        buffer_release(&bytes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_has_no_space_of_unicode_no_plus_and_no_control_character),
        NOTED(a_verifier_key_is_read_and_written),
        NOTED(the_key_of_a_seed_is_the_vectors),
        NOTED(a_verifier_key_with_a_changed_character_is_refused),
        cmocka_unit_test(other_kinds_of_keys_are_none_of_ours),
        NOTED(a_key_under_another_name_is_another_key_of_the_same_secret),
        cmocka_unit_test(a_signature_is_the_one_of_rfc_8032),
        cmocka_unit_test(a_note_is_text_and_signatures_of_anyone),
        cmocka_unit_test(what_is_no_note_is_refused),
        cmocka_unit_test(sixty_four_signatures_are_read_and_no_more),
        NOTED(a_large_signature_of_a_stranger_is_kept),
        NOTED(signatures_of_known_keys_are_marked_and_strangers_are_ignored),
        NOTED(one_key_that_signs_twice_counts_once),
        NOTED(name_and_id_together_make_a_key),
        NOTED(a_note_with_any_bit_turned_is_not_believed),
        NOTED(a_wrong_signature_of_a_known_key_spoils_the_note),
        NOTED(a_signature_of_a_known_key_that_is_too_large_spoils_the_note),
        NOTED(lines_apart_from_their_text_are_read_alike),
        cmocka_unit_test(a_text_that_no_reader_would_take_is_not_written),
        NOTED(a_text_may_end_in_empty_lines),
    };
    return cmocka_run_group_tests_name("tlog/note", tests, NULL, NULL);
}
