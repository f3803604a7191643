/* Checkpoints and cosignatures, byte for byte those of an independent reference; whom a reader
 * believes. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_note.h"

#define ROOT "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" /* of the empty tree */
#define SIG "\xe2\x80\x94 n AAAAAAA=\n"

static struct digest root_at(const struct noted *n, const char *size) {
    return digest_of_hex(string_at(json_object_get(n->vectors, "roots_by_size"), size));
}

/* The text of our log's checkpoint; freed with buffer_release. */
static struct buffer text_at(const struct noted *n, const char *size) {
    struct tlog_head head = {strtoull(size, NULL, 10), root_at(n, size)};
    struct buffer text = {0};
    tlog_checkpoint_put_text(&text, SPAN(ORIGIN), &head, SPAN_NONE);
    return text;
}

static void assert_checkpoint(const struct noted *n, const char *size, const char *vector) {
    struct buffer text = text_at(n, size);
    struct buffer bytes = signed_by(buffer_span(&text), (struct tlog_key *[]){n->log}, 1);
    struct tlog_checkpoint checkpoint;
    assert_span(buffer_span(&bytes), string_at(n->vectors, vector));
    assert_int_equal(tlog_checkpoint_parse(vector_text(n, vector), &checkpoint), STATUS_OK);
    assert_span(checkpoint.bytes, string_at(n->vectors, vector));
    assert_span(checkpoint.origin, ORIGIN);
    assert_true(checkpoint.head.size == strtoull(size, NULL, 10));
    struct digest root = root_at(n, size);
    assert_true(digest_equal(&checkpoint.head.root, &root));
    assert_int_equal(checkpoint.extensions.size, 0);
    assert_int_equal(tlog_checkpoint_verify(&checkpoint, &n->trust), STATUS_OK);
    assert_ptr_equal(checkpoint.note.signatures[0].by, &n->log_vkey);
    buffer_release(&bytes);
    buffer_release(&text);
}

static void the_checkpoints_of_the_vectors_are_written_and_believed(void **state) {
    const struct noted *n = *state;
    assert_checkpoint(n, "0", "checkpoint_size0");
    assert_checkpoint(n, "1", "checkpoint_size1");
    assert_checkpoint(n, "70000", "checkpoint_utf8");
}

#define NO(text) SPAN(text "\n" SIG)
static const struct span no_checkpoints[] = {
    NO("o\n"),
    NO("o\n0\n"),
    NO("\n0\n" ROOT "\n"),
    NO("o\n\n" ROOT "\n"),
    NO("o\n0\n\n"),
    NO("o\n00\n" ROOT "\n"),
    NO("o\n01\n" ROOT "\n"),
    NO("o\n+1\n" ROOT "\n"),
    NO("o\n-1\n" ROOT "\n"),
    NO("o\n 1\n" ROOT "\n"),
    NO("o\n1 \n" ROOT "\n"),
    NO("o\n0x1\n" ROOT "\n"),
    NO("o\n1.0\n" ROOT "\n"),
    NO("o\n\xd9\xa1\n" ROOT "\n"),
    NO("o\n9223372036854775808\n" ROOT "\n"), /* 2^63 */
    NO("o\n9223372036854775810\n" ROOT "\n"),
    NO("o\n10000000000000000000\n" ROOT "\n"),
    NO("o\n18446744073709551616\n" ROOT "\n"),
    NO("o\n1\n" ROOT),
    NO("o\n1\n " ROOT "\n"),
    NO("o\n1\n" ROOT " \n"),
    NO("o\n1\nAAAA" ROOT "\n"),
    NO("o\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuA==\n"), /* 31 bytes */
    NO("o\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=\n"), /* bits that no byte uses */
    NO("o\n1\n47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=\n"),
    NO("o\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU\n"),
    NO("o\n1\n" ROOT "\n\n"), /* an empty extension line */
    NO("o\n1\n" ROOT "\next\n\next\n"),
    SPAN("o\n1\n" ROOT "\n"), /* not signed */
    SPAN("o\n1\n" ROOT "\n\n"),
};

static void what_is_no_checkpoint_is_refused(void **state) {
    struct tlog_checkpoint checkpoint = {.head.size = 42};
    (void)state;
    for (size_t i = 0; i < COUNT(no_checkpoints); i++)
        if (tlog_checkpoint_parse(no_checkpoints[i], &checkpoint) != STATUS_INVALID_PARAMETER)
            fail_msg("case %zu was taken", i);
    assert_true(checkpoint.head.size == 42);
    assert_int_equal(tlog_checkpoint_parse(NO("o\n9223372036854775807\n" ROOT "\n"), &checkpoint),
                     STATUS_OK);
    assert_true(checkpoint.head.size == TLOG_SIZE_MAX);
}

/* An origin is any line: only a key's name may have no spaces. */
static void extension_lines_are_kept_and_signed(void **state) {
    struct noted *n = *state;
    struct tlog_checkpoint checkpoint;
    struct buffer text = {0};
    struct tlog_head head = {0, root_at(n, "0")};
    tlog_checkpoint_put_text(&text, SPAN("an origin + more"), &head, SPAN("one\ntwo\n"));
    assert_span(buffer_span(&text), "an origin + more\n0\n" ROOT "\none\ntwo\n");
    struct buffer bytes = signed_by(buffer_span(&text), &n->log, 1);
    assert_int_equal(tlog_checkpoint_parse(buffer_span(&bytes), &checkpoint), STATUS_OK);
    assert_span(checkpoint.origin, "an origin + more");
    assert_span(checkpoint.extensions, "one\ntwo\n");
    n->trust.origin = SPAN("an origin + more");
    assert_int_equal(tlog_checkpoint_verify(&checkpoint, &n->trust), STATUS_OK);
    *(char *)memmem(bytes.data, bytes.size, "two", 3) = 'T';
    assert_int_equal(tlog_checkpoint_parse(buffer_span(&bytes), &checkpoint), STATUS_OK);
    assert_int_equal(tlog_checkpoint_verify(&checkpoint, &n->trust), STATUS_INVALID_PARAMETER);
    buffer_release(&bytes);
    buffer_release(&text);
}

static void put_empty_extension(void) {
    struct buffer out = {0};
    struct tlog_head head = {0};
    tlog_checkpoint_put_text(&out, SPAN("o"), &head, SPAN("one\n\n"));
}

static void put_origin_of_two_lines(void) {
    struct buffer out = {0};
    struct tlog_head head = {0};
    tlog_checkpoint_put_text(&out, SPAN("o\n1"), &head, SPAN_NONE);
}

static void what_would_read_as_another_checkpoint_is_not_written(void **state) {
    (void)state;
    assert_aborts(put_empty_extension, "full_lines(extensions)");
    assert_aborts(put_origin_of_two_lines, "origin.data");
}

static void another_origin_is_not_believed_whoever_signed(void **state) {
    struct noted *n = *state;
    struct tlog_checkpoint checkpoint;
    assert_int_equal(tlog_checkpoint_parse(vector_text(n, "checkpoint_size1"), &checkpoint),
                     STATUS_OK);
    n->trust.origin = SPAN("consent.example/log");
    assert_int_equal(tlog_checkpoint_verify(&checkpoint, &n->trust), STATUS_INVALID_PARAMETER);
    n->trust.origin = SPAN(ORIGIN "1");
    assert_int_equal(tlog_checkpoint_verify(&checkpoint, &n->trust), STATUS_INVALID_PARAMETER);
    assert_null(checkpoint.note.signatures[0].by);
}

/* During a rotation both keys sign; who trusts either believes. */
static void either_key_of_a_rotation_is_enough(void **state) {
    struct noted *n = *state;
    struct tlog_key *next = tlog_key_renamed(n->log, SPAN(ORIGIN "/2"));
    struct buffer text = text_at(n, "7");
    struct buffer bytes = signed_by(buffer_span(&text), (struct tlog_key *[]){n->log, next}, 2);
    const struct tlog_vkey keys[] = {*tlog_key_public(next), n->log_vkey};
    struct tlog_checkpoint checkpoint;
    for (size_t from = 0; from < 2; from++)
        for (size_t count = 1; from + count <= 2; count++) {
            n->trust.keys = keys + from;
            n->trust.key_count = count;
            assert_int_equal(tlog_checkpoint_parse(buffer_span(&bytes), &checkpoint), STATUS_OK);
            assert_int_equal(tlog_checkpoint_verify(&checkpoint, &n->trust), STATUS_OK);
        }
    buffer_release(&bytes);
    buffer_release(&text);
    tlog_key_free(next);
}

/* ---- cosignatures */

static void the_cosignature_of_the_vectors_is_written_and_verified(void **state) {
    struct noted *n = *state;
    uint64_t time = number_at(n->vectors, "cosignature_time");
    struct tlog_checkpoint checkpoint;
    struct tlog_note note;
    struct buffer line = {0};
    assert_int_equal(tlog_checkpoint_parse(vector_text(n, "checkpoint_utf8"), &checkpoint),
                     STATUS_OK);
    tlog_cosignature_put(&line, n->witness, time, checkpoint.note.text);
    assert_span(buffer_span(&line), string_at(n->vectors, "cosignature_line"));
    assert_int_equal(tlog_note_parse_apart(checkpoint.note.text, buffer_span(&line), &note),
                     STATUS_OK);
    assert_int_equal(tlog_note_verify(&note, &n->witness_vkey, 1, 1), STATUS_OK);
    assert_ptr_equal(note.signatures[0].by, &n->witness_vkey);
    assert_true(note.signatures[0].time == time);
    buffer_release(&line);
}

static void each_bit_of_a_cosignature_and_its_text_counts(void **state) {
    struct noted *n = *state;
    unsigned char bytes[TLOG_KEY_ID_SIZE + TLOG_COSIGNATURE_SIZE];
    char text[] = ORIGIN "\n0\n" ROOT "\n";
    const struct span signed_bytes = span_of((const char *)bytes + 4, TLOG_COSIGNATURE_SIZE);
    struct buffer line = {0};
    size_t size;
    uint64_t time = 42;
    tlog_cosignature_put(&line, n->witness, 1, span_of_text(text));
    const struct span base64 =
        span_of(line.data + 4 + strlen(WITNESS) + 1, ENCODE_BASE64_SIZE(sizeof bytes));
    assert_int_equal(decode_base64(base64, bytes, sizeof bytes, &size), STATUS_OK);
    assert_int_equal(size, sizeof bytes);
    assert_hex(bytes, 12, "cc6a40300000000000000001");
#define VERIFIED() \
    tlog_cosignature_verify(&n->witness_vkey, span_of_text(text), signed_bytes, &time)
    for (size_t bit = 0; bit < 8 * TLOG_COSIGNATURE_SIZE; bit++) {
        bytes[4 + bit / 8] ^= (unsigned char)(1 << bit % 8);
        assert_int_equal(VERIFIED(), STATUS_INVALID_PARAMETER);
        bytes[4 + bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * (sizeof text - 1); bit++) {
        text[bit / 8] ^= (char)(1 << bit % 8);
        assert_int_equal(VERIFIED(), STATUS_INVALID_PARAMETER);
        text[bit / 8] ^= (char)(1 << bit % 8);
    }
    assert_true(time == 42);
    assert_int_equal(VERIFIED(), STATUS_OK);
    assert_true(time == 1);
    for (size_t cut = 0; cut < TLOG_COSIGNATURE_SIZE; cut++)
        assert_int_equal(tlog_cosignature_verify(&n->witness_vkey, span_of_text(text),
                                                 span_of((const char *)bytes + 4, cut), &time),
                         STATUS_INVALID_PARAMETER);
    buffer_release(&line);
}

/* The text that a cosigner signs names its kind: a plain signature by the same secret over the
 * same text is no cosignature, nor the other way round. */
static void a_signature_is_no_cosignature(void **state) {
    struct noted *n = *state;
    const struct span text = SPAN(ORIGIN "\n0\n" ROOT "\n");
    unsigned char bytes[TLOG_COSIGNATURE_SIZE] = {0, 0, 0, 0, 0, 0, 0, 1};
    struct tlog_vkey plain =
        tlog_vkey_make(SPAN(WITNESS), TLOG_KEY_ED25519, n->witness_vkey.public_key);
    uint64_t time;
    tlog_key_sign(n->witness, text, bytes + 8);
    assert_true(tlog_vkey_verify(&plain, text, bytes + 8));
    assert_memory_not_equal(plain.id, n->witness_vkey.id, TLOG_KEY_ID_SIZE);
    assert_int_equal(tlog_cosignature_verify(&n->witness_vkey, text,
                                             span_of((const char *)bytes, sizeof bytes), &time),
                     STATUS_INVALID_PARAMETER);
}

static void a_time_beyond_63_bits_is_refused(void **state) {
    struct noted *n = *state;
    const char message[] = "cosignature/v1\ntime 9223372036854775808\n" ORIGIN "\n0\n" ROOT "\n";
    unsigned char bytes[TLOG_COSIGNATURE_SIZE] = {0x80};
    uint64_t time;
    tlog_key_sign(n->witness, span_of_text(message), bytes + 8);
    assert_int_equal(tlog_cosignature_verify(&n->witness_vkey, SPAN(ORIGIN "\n0\n" ROOT "\n"),
                                             span_of((const char *)bytes, sizeof bytes), &time),
                     STATUS_INVALID_PARAMETER);
    struct buffer line = {0};
    tlog_cosignature_put(&line, n->witness, INT64_MAX, SPAN("text\n"));
    struct tlog_note note;
    assert_int_equal(tlog_note_parse_apart(SPAN("text\n"), buffer_span(&line), &note), STATUS_OK);
    assert_int_equal(tlog_note_verify(&note, &n->witness_vkey, 1, 1), STATUS_OK);
    assert_true(note.signatures[0].time == INT64_MAX);
    buffer_release(&line);
}

static const struct noted *noted;

static void cosign_at_no_time(void) {
    struct buffer out = {0};
    tlog_cosignature_put(&out, noted->witness, 0, SPAN("text\n"));
}

static void cosign_as_a_log(void) {
    struct buffer out = {0};
    tlog_cosignature_put(&out, noted->log, 1, SPAN("text\n"));
}

static void sign_as_a_witness(void) {
    struct buffer out = {0};
    tlog_note_put_signature(&out, noted->witness, SPAN("text\n"));
}

static void a_key_signs_what_its_kind_signs(void **state) {
    noted = *state;
    assert_aborts(cosign_at_no_time, "time != 0");
    assert_aborts(cosign_as_a_log, "type == TLOG_KEY_COSIGNATURE");
    assert_aborts(sign_as_a_witness, "type == TLOG_KEY_ED25519");
}

/* ---- whom a reader believes */

static void a_quorum_of_witnesses_is_counted(void **state) {
    struct noted *n = *state;
    struct tlog_key *second = tlog_key_renamed(n->witness, SPAN("witness.example/w2"));
    const struct tlog_vkey witnesses[] = {n->witness_vkey, *tlog_key_public(second)};
    struct buffer text = text_at(n, "7");
    struct buffer bytes = signed_by(buffer_span(&text), &n->log, 1);
    struct tlog_checkpoint checkpoint;
    n->trust.witnesses = witnesses;
    n->trust.witness_count = 2;
    for (size_t signers = 0; signers <= 2; signers++) {
        if (signers != 0)
            tlog_cosignature_put(&bytes, signers == 1 ? n->witness : second, 1679315147 + signers,
                                 buffer_span(&text));
        for (n->trust.quorum = 0; n->trust.quorum <= 3; n->trust.quorum++) {
            assert_int_equal(tlog_checkpoint_parse(buffer_span(&bytes), &checkpoint), STATUS_OK);
            bool enough = n->trust.quorum <= signers;
            assert_int_equal(tlog_checkpoint_verify(&checkpoint, &n->trust),
                             enough ? STATUS_OK : STATUS_INVALID_PARAMETER);
            assert_int_equal(checkpoint.note.signatures[0].by != NULL, enough);
        }
    }
    assert_true(checkpoint.note.signatures[2].time == 0);
    n->trust.quorum = 2;
    assert_int_equal(tlog_checkpoint_verify(&checkpoint, &n->trust), STATUS_OK);
    assert_ptr_equal(checkpoint.note.signatures[1].by, &witnesses[0]);
    assert_true(checkpoint.note.signatures[2].time == 1679315149);
    buffer_release(&bytes);
    buffer_release(&text);
    tlog_key_free(second);
}

/* However many witnesses cosigned: what the log did not sign is not the log's. */
static void witnesses_without_the_log_are_not_believed(void **state) {
    struct noted *n = *state;
    struct buffer text = text_at(n, "7"), bytes = {0};
    struct tlog_checkpoint checkpoint;
    tlog_note_put_text(&bytes, buffer_span(&text));
    tlog_cosignature_put(&bytes, n->witness, 1, buffer_span(&text));
    n->trust.witnesses = &n->witness_vkey;
    n->trust.witness_count = n->trust.quorum = 1;
    assert_int_equal(tlog_checkpoint_parse(buffer_span(&bytes), &checkpoint), STATUS_OK);
    assert_int_equal(tlog_checkpoint_verify(&checkpoint, &n->trust), STATUS_INVALID_PARAMETER);
    tlog_note_put_signature(&bytes, n->log, buffer_span(&text));
    assert_int_equal(tlog_checkpoint_parse(buffer_span(&bytes), &checkpoint), STATUS_OK);
    assert_int_equal(tlog_checkpoint_verify(&checkpoint, &n->trust), STATUS_OK);
    buffer_release(&bytes);
    buffer_release(&text);
}

static void a_wrong_line_of_a_witness_spoils_the_checkpoint(void **state) {
    struct noted *n = *state;
    struct buffer text = text_at(n, "7");
    struct buffer bytes = signed_by(buffer_span(&text), &n->log, 1);
    struct tlog_checkpoint checkpoint;
    tlog_cosignature_put(&bytes, n->witness, 1, SPAN(ORIGIN "\n0\n" ROOT "\n"));
    assert_int_equal(tlog_checkpoint_parse(buffer_span(&bytes), &checkpoint), STATUS_OK);
    assert_int_equal(tlog_checkpoint_verify(&checkpoint, &n->trust), STATUS_OK); /* a stranger */
    n->trust.witnesses = &n->witness_vkey;
    n->trust.witness_count = 1;
    assert_int_equal(tlog_checkpoint_verify(&checkpoint, &n->trust), STATUS_INVALID_PARAMETER);
    buffer_release(&bytes);
    buffer_release(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        NOTED(the_checkpoints_of_the_vectors_are_written_and_believed),
        cmocka_unit_test(what_is_no_checkpoint_is_refused),
        NOTED(extension_lines_are_kept_and_signed),
        cmocka_unit_test(what_would_read_as_another_checkpoint_is_not_written),
        NOTED(another_origin_is_not_believed_whoever_signed),
        NOTED(either_key_of_a_rotation_is_enough),
        NOTED(the_cosignature_of_the_vectors_is_written_and_verified),
        NOTED(each_bit_of_a_cosignature_and_its_text_counts),
        NOTED(a_signature_is_no_cosignature),
        NOTED(a_time_beyond_63_bits_is_refused),
        NOTED(a_key_signs_what_its_kind_signs),
        NOTED(a_quorum_of_witnesses_is_counted),
        NOTED(witnesses_without_the_log_are_not_believed),
        NOTED(a_wrong_line_of_a_witness_spoils_the_checkpoint),
    };
    return cmocka_run_group_tests_name("tlog/checkpoint", tests, NULL, NULL);
}
