/* Proofs that stand alone and requests to witnesses: those of an independent reference byte for
 * byte, strictly read, and not believed when anything is not so. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_note.h"

#include "tlog/proof.h"
#include "tlog/submission.h"

#define HEAD "c2sp.org/tlog-proof@v1\n"
#define HASH "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n"
#define CHECKPOINT "o\n7\n" HASH "\n\xe2\x80\x94 n AAAAAAA=\n"

/* The first seven entries of the vectors; freed with memory_release. */
static struct memory_log seven(void) {
    struct memory_log log = {0};
    char *zeros = mem_alloc_zeroed(1, 65535), text[32];
    while (log.tree.size < 7)
        memory_append(&log, vector_entry(log.tree.size, zeros, text));
    mem_free(zeros);
    return log;
}

static void append_lines(struct buffer *out, const char *start, uint32_t hashes) {
    buffer_append_text(out, start);
    for (uint32_t i = 0; i < hashes; i++)
        buffer_append_text(out, HASH);
    buffer_append_text(out, "\n" CHECKPOINT);
}

/* ---- proofs */

static void the_proof_of_the_vectors_is_written_and_believed(void **state) {
    const struct noted *n = *state;
    struct span bytes = vector_text(n, "tlog_proof_index4_size7");
    struct memory_log log = seven();
    const struct tlog_reader reader = memory_reader(&log, 7);
    struct tlog_proof proof;
    struct tlog_path path;
    struct digest leaf = tlog_entry_hash(SPAN("entry-4"));
    struct buffer written = {0};
    assert_int_equal(tlog_proof_parse(bytes, &proof), STATUS_OK);
    assert_true(proof.index == 4 && proof.checkpoint.head.size == 7);
    assert_false(span_present(proof.extra));
    assert_int_equal(tlog_proof_verify(&proof, &leaf, &n->trust), STATUS_OK);
    assert_ptr_equal(proof.checkpoint.note.signatures[0].by, &n->log_vkey);
    assert_int_equal(tlog_inclusion_prove(&reader, 4, 7, &path), STATUS_OK);
    tlog_proof_put(&written, SPAN_NONE, 4, &path, proof.checkpoint.bytes);
    assert_true(span_equal(buffer_span(&written), bytes));
    buffer_release(&written);
    memory_release(&log);
}

static void extra_data_are_kept_and_vouched_for_by_nobody(void **state) {
    const struct noted *n = *state;
    struct tlog_proof proof;
    struct digest leaf = tlog_entry_hash(SPAN("entry-4"));
    struct buffer written = {0};
    assert_int_equal(tlog_proof_parse(vector_text(n, "tlog_proof_index4_size7"), &proof),
                     STATUS_OK);
    tlog_proof_put(&written, SPAN("any\0bytes"), 4, &proof.path, proof.checkpoint.bytes);
    assert_true(span_starts(buffer_span(&written), SPAN(HEAD "extra YW55AGJ5dGVz\nindex 4\n")));
    assert_int_equal(tlog_proof_parse(buffer_span(&written), &proof), STATUS_OK);
    assert_span(proof.extra, "YW55AGJ5dGVz");
    assert_int_equal(tlog_proof_verify(&proof, &leaf, &n->trust), STATUS_OK);
    buffer_release(&written);
}

/* Any bit of the file turned: it is no proof, or not believed; the leaf's hash counts too. */
static void a_proof_with_any_bit_turned_is_not_believed(void **state) {
    const struct noted *n = *state;
    struct span bytes = vector_text(n, "tlog_proof_index4_size7");
    char *copy = mem_copy_text(bytes);
    struct tlog_proof proof;
    struct digest leaf = tlog_entry_hash(SPAN("entry-4"));
    for (size_t bit = 0; bit < bytes.size * 8; bit++) {
        copy[bit / 8] ^= (char)(1 << bit % 8);
        if (tlog_proof_parse(span_of(copy, bytes.size), &proof) == STATUS_OK)
            assert_int_equal(tlog_proof_verify(&proof, &leaf, &n->trust), STATUS_INVALID_PARAMETER);
        copy[bit / 8] ^= (char)(1 << bit % 8);
    }
    assert_int_equal(tlog_proof_parse(bytes, &proof), STATUS_OK);
    for (size_t bit = 0; bit < DIGEST_SIZE * 8; bit++) {
        leaf.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        assert_int_equal(tlog_proof_verify(&proof, &leaf, &n->trust), STATUS_INVALID_PARAMETER);
        leaf.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    assert_null(proof.checkpoint.note.signatures[0].by);
    mem_free(copy);
}

#define NO(text) SPAN(text "\n" CHECKPOINT)
static const struct span no_proofs[] = {
    SPAN(""),
    SPAN("\n"),
    SPAN(HEAD),
    SPAN(HEAD "index 4\n"),
    SPAN(HEAD "index 4\n\n"),
    SPAN(HEAD "index 4\n" HASH CHECKPOINT), /* no empty line */
    SPAN(CHECKPOINT),
    NO("index 4\n"),
    NO("c2sp.org/tlog-proof@v2\nindex 4\n"),
    NO("c2sp.org/tlog-proof@v1 \nindex 4\n"),
    NO("c2sp.org/tlog-proof@v1\r\nindex 4\n"),
    NO(" " HEAD "index 4\n"),
    NO(HEAD HEAD "index 4\n"),
    NO(HEAD),
    NO(HEAD "index\n"),
    NO(HEAD "index \n"),
    NO(HEAD "index  4\n"),
    NO(HEAD "index 4 \n"),
    NO(HEAD "index 04\n"),
    NO(HEAD "index -4\n"),
    NO(HEAD "index 4,\n"),
    NO(HEAD "index 9223372036854775808\n"),
    NO(HEAD "Index 4\n"),
    NO(HEAD "index 4\nindex 4\n"),
    NO(HEAD "extra\nindex 4\n"),
    NO(HEAD "extra \nindex 4\n"),
    NO(HEAD "extra  YQ==\nindex 4\n"),
    NO(HEAD "extra YQ== \nindex 4\n"),
    NO(HEAD "extra YQ\nindex 4\n"),
    NO(HEAD "extra YR==\nindex 4\n"),
    NO(HEAD "extra -_-_\nindex 4\n"),
    NO(HEAD "extra YQ==\nextra YQ==\nindex 4\n"),
    NO(HEAD "extra YQ==\n"),
    NO(HEAD "index 4\nextra YQ==\n"),
    NO(HEAD "index 4\nYQ==\n"),
    NO(HEAD "index 4\n " HASH),
    NO(HEAD "index 4\n" HASH "\n" HASH), /* what follows the empty line is the checkpoint */
    NO(HEAD "index 4\n\n"),
    SPAN(HEAD "index 4\n\n" CHECKPOINT "\n"),
    SPAN(HEAD "index 4\n\n" CHECKPOINT "more"),
};

static void what_is_no_proof_is_refused(void **state) {
    struct tlog_proof proof = {.index = 42};
    (void)state;
    for (size_t i = 0; i < COUNT(no_proofs); i++)
        if (tlog_proof_parse(no_proofs[i], &proof) != STATUS_INVALID_PARAMETER)
            fail_msg("case %zu was taken", i);
    assert_true(proof.index == 42);
    assert_int_equal(tlog_proof_parse(NO(HEAD "index 9223372036854775807\n"), &proof), STATUS_OK);
    assert_true(proof.index == TLOG_SIZE_MAX);
}

static void sixty_four_hashes_are_read_and_no_more(void **state) {
    struct tlog_proof proof;
    (void)state;
    for (uint32_t count = TLOG_PATH_MAX; count <= TLOG_PATH_MAX + 1; count++) {
        struct buffer bytes = {0};
        append_lines(&bytes, HEAD "index 4\n", count);
        assert_int_equal(tlog_proof_parse(buffer_span(&bytes), &proof),
                         count == TLOG_PATH_MAX ? STATUS_OK : STATUS_INVALID_PARAMETER);
        buffer_release(&bytes);
    }
    assert_int_equal(proof.path.count, TLOG_PATH_MAX);
}

/* ---- requests to witnesses */

static void the_request_of_the_vectors_is_written_and_verified(void **state) {
    const struct noted *n = *state;
    struct span bytes = vector_text(n, "add_checkpoint_4_to_7");
    struct memory_log log = seven();
    const struct tlog_reader reader = memory_reader(&log, 7);
    struct tlog_submission read;
    struct tlog_path path;
    struct tlog_tree then;
    struct buffer written = {0};
    assert_int_equal(tlog_submission_parse(bytes, &read), STATUS_OK);
    assert_true(read.old_size == 4 && read.checkpoint.head.size == 7);
    assert_int_equal(tlog_checkpoint_verify(&read.checkpoint, &n->trust), STATUS_OK);
    assert_int_equal(tlog_tree_read(&reader, 4, &then), STATUS_OK);
    const struct tlog_head old = {4, tlog_tree_root(&then)};
    assert_true(tlog_consistency_verify(&read.path, &old, &read.checkpoint.head));
    assert_int_equal(tlog_consistency_prove(&reader, 4, 7, &path), STATUS_OK);
    tlog_submission_put(&written, 4, &path, read.checkpoint.bytes);
    assert_true(span_equal(buffer_span(&written), bytes));
    buffer_release(&written);
    memory_release(&log);
}

static const struct span no_requests[] = {
    SPAN(""),
    SPAN("\n"),
    SPAN("old 4\n"),
    SPAN("old 4\n\n"),
    SPAN("old 4\n" HASH),
    SPAN("old 4\n" HASH CHECKPOINT),
    SPAN("\n" CHECKPOINT),
    SPAN(CHECKPOINT),
    NO("old\n"),
    NO("old \n"),
    NO("old  4\n"),
    NO("old 4 \n"),
    NO("old 04\n"),
    NO("old -4\n"),
    NO("old +4\n"),
    NO("old 4\r\n"),
    NO("new 4\n"),
    NO("Old 4\n"),
    NO("4\n"),
    NO("old 8\n"), /* above the checkpoint's 7 */
    NO("old 9223372036854775807\n"),
    NO("old 9223372036854775808\n"),
    NO("old 18446744073709551620\n"), /* 2^64 + 4 */
    NO("old 4\nold 4\n"),
    NO("old 4\nYQ==\n"),
    NO("old 4\n" HASH "\n"),
    SPAN("old 4\n\n" CHECKPOINT "\n"),
};

static void what_is_no_request_is_refused(void **state) {
    struct tlog_submission read = {.old_size = 42};
    (void)state;
    for (size_t i = 0; i < COUNT(no_requests); i++)
        if (tlog_submission_parse(no_requests[i], &read) != STATUS_INVALID_PARAMETER)
            fail_msg("case %zu was taken", i);
    assert_true(read.old_size == 42);
    assert_int_equal(tlog_submission_parse(NO("old 7\n"), &read), STATUS_OK);
    assert_int_equal(tlog_submission_parse(NO("old 0\n"), &read), STATUS_OK);
    assert_true(read.old_size == 0 && read.path.count == 0);
}

static void put_sixty_four_lines(void) {
    struct tlog_path path = {.count = 64};
    struct buffer out = {0};
    tlog_submission_put(&out, 1, &path, SPAN(CHECKPOINT));
}

static void sixty_three_lines_are_sent_and_read_and_no_more(void **state) {
    struct tlog_submission read;
    (void)state;
    for (uint32_t count = 63; count <= 64; count++) {
        struct buffer bytes = {0};
        append_lines(&bytes, "old 4\n", count);
        assert_int_equal(tlog_submission_parse(buffer_span(&bytes), &read),
                         count == 63 ? STATUS_OK : STATUS_INVALID_PARAMETER);
        buffer_release(&bytes);
    }
    assert_int_equal(read.path.count, 63);
    assert_aborts(put_sixty_four_lines, "TLOG_SUBMISSION_PATH_MAX");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        NOTED(the_proof_of_the_vectors_is_written_and_believed),
        NOTED(extra_data_are_kept_and_vouched_for_by_nobody),
        NOTED(a_proof_with_any_bit_turned_is_not_believed),
        cmocka_unit_test(what_is_no_proof_is_refused),
        cmocka_unit_test(sixty_four_hashes_are_read_and_no_more),
        NOTED(the_request_of_the_vectors_is_written_and_verified),
        cmocka_unit_test(what_is_no_request_is_refused),
        cmocka_unit_test(sixty_three_lines_are_sent_and_read_and_no_more),
    };
    return cmocka_run_group_tests_name("tlog/proof", tests, NULL, NULL);
}
