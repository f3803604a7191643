/* A witness cosigns only what a log grew into, answers with the codes of C2SP tlog-witness, and
 * knows after a restart what it knew before. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_note.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "base/file.h"
#include "service/witness.h"
#include "tlog/submission.h"

#define NAME "witness.example/w1"

struct rig {
    char directory[64], logs[80];
    struct clock clock;
    struct tlog_key *key;        /* of the log */
    struct memory_log log, fork; /* the same up to entry 5 */
    struct witness *witness;
    struct witness_answer answer;
    char why[512];
};

static void append(struct rig *r, uint64_t until) {
    char text[32];
    for (uint64_t i = r->log.tree.size; i < until; i++) {
        struct span entry = span_of(text, (size_t)snprintf(text, sizeof text, "%d", (int)i));
        memory_append(&r->log, entry);
        memory_append(&r->fork, i < 5 ? entry : SPAN("another"));
    }
}

static enum status open_as(struct rig *r, const char *name, bool create) {
    const struct witness_options options = {.directory = r->directory,
                                            .logs = r->logs,
                                            .name = name,
                                            .create = create,
                                            .clock = &r->clock};
    return witness_open(&options, &r->witness, r->why, sizeof r->why);
}

static void reopen(struct rig *r) {
    witness_close(r->witness);
    r->witness = NULL;
    if (open_as(r, NULL, false) != STATUS_OK)
        fail_msg("%s", r->why);
}

static void write_logs(struct rig *r, const char *text) {
    assert_true(file_replace(r->logs, span_of_text(text)));
}

static int setup(void **state) {
    struct rig *r = mem_alloc_zeroed(1, sizeof *r);
    char vkey[256], text[512];
    snprintf(r->directory, sizeof r->directory, "/tmp/consentd-witness-XXXXXX");
    assert_non_null(mkdtemp(r->directory));
    snprintf(r->logs, sizeof r->logs, "%s/known", r->directory);
    r->key = golden_key();
    tlog_key_vkey(r->key, vkey, sizeof vkey);
    snprintf(text, sizeof text, "# logs\n\n%s\n", vkey);
    write_logs(r, text);
    assert_int_equal(clock_init_injected(&r->clock, SPAN("2026-03-12T09:00Zx0")), STATUS_OK);
    append(r, 20);
    assert_int_equal(open_as(r, NAME, true), STATUS_OK);
    *state = r;
    return 0;
}

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *at) {
    (void)s, (void)kind, (void)at;
    return remove(path);
}

static int teardown(void **state) {
    struct rig *r = *state;
    buffer_release(&r->answer.body);
    witness_close(r->witness);
    memory_release(&r->log);
    memory_release(&r->fork);
    tlog_key_free(r->key);
    assert_int_equal(nftw(r->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
    mem_free(r);
    return 0;
}

/* The log's tree as it was at size. */
static struct tlog_head head_of(struct memory_log *log, uint64_t size) {
    struct tlog_reader reader = memory_reader(log, size);
    struct tlog_tree tree;
    assert_int_equal(tlog_tree_read(&reader, size, &tree), STATUS_OK);
    return (struct tlog_head){size, tlog_tree_root(&tree)};
}

static struct buffer checkpoint_of(struct tlog_key *key, struct span origin,
                                   const struct tlog_head *head) {
    struct buffer text = {0};
    tlog_checkpoint_put_text(&text, origin, head, SPAN_NONE);
    struct buffer note = signed_by(buffer_span(&text), &key, 1);
    buffer_release(&text);
    return note;
}

/* Asks with this body; returns the status. */
static int ask(struct rig *r, struct span body) {
    buffer_release(&r->answer.body);
    witness_add_checkpoint(r->witness, body, &r->answer);
    return r->answer.status;
}

static int submit(struct rig *r, struct memory_log *log, uint64_t old_size, uint64_t size) {
    struct tlog_head head = head_of(log, size);
    struct tlog_path path = {.count = 0};
    struct buffer body = {0};
    struct buffer note = checkpoint_of(r->key, SPAN(GOLDEN_ORIGIN), &head);
    struct tlog_reader reader = memory_reader(log, size);
    if (old_size <= size)
        assert_int_equal(tlog_consistency_prove(&reader, old_size, size, &path), STATUS_OK);
    tlog_submission_put(&body, old_size, &path, buffer_span(&note));
    int status = ask(r, buffer_span(&body));
    buffer_release(&note);
    buffer_release(&body);
    return status;
}

/* The last answer is the witness's cosignature of the log at size, given now. */
static void assert_cosigned(struct rig *r, uint64_t size) {
    struct tlog_vkey key;
    struct tlog_note note;
    struct buffer text = {0};
    struct tlog_head head = head_of(&r->log, size);
    tlog_checkpoint_put_text(&text, SPAN(GOLDEN_ORIGIN), &head, SPAN_NONE);
    assert_int_equal(tlog_vkey_parse(span_of_text(witness_vkey(r->witness)), &key), STATUS_OK);
    assert_span(key.name, NAME);
    assert_int_equal(tlog_note_parse_apart(buffer_span(&text), buffer_span(&r->answer.body), &note),
                     STATUS_OK);
    assert_int_equal(tlog_note_verify(&note, &key, 1, 1), STATUS_OK);
    assert_int_equal(note.count, 1);
    assert_int_equal(note.signatures[0].time, 1773306000);
    buffer_release(&text);
}

static void assert_conflict(struct rig *r, const char *size) {
    assert_int_equal(r->answer.status, 409);
    assert_span(r->answer.type, "text/x.tlog.size");
    assert_span(buffer_span(&r->answer.body), size);
}

static void state_path(struct rig *r, const char *suffix, char path[160]) {
    char hex[33];
    struct digest digest = digest_sha256(SPAN(GOLDEN_ORIGIN));
    hex[encode_hex(digest.bytes, 16, hex)] = '\0';
    snprintf(path, 160, "%s/logs/%s%s", r->directory, hex, suffix);
}

static void a_log_that_grows_is_cosigned(void **state) {
    struct rig *r = *state;
    static const uint64_t sizes[] = {0, 1, 2, 3, 7, 8, 20, 20};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        assert_int_equal(submit(r, &r->log, i == 0 ? 0 : sizes[i - 1], sizes[i]), 200);
        assert_cosigned(r, sizes[i]);
    }
}

static void another_old_size_is_told_the_size_that_was_cosigned(void **state) {
    struct rig *r = *state;
    assert_int_equal(submit(r, &r->log, 3, 4), 409);
    assert_conflict(r, "0\n");
    assert_int_equal(submit(r, &r->log, 0, 7), 200);
    assert_int_equal(submit(r, &r->log, 0, 9), 409);
    assert_conflict(r, "7\n");
    assert_int_equal(submit(r, &r->log, 5, 6), 409); /* the log is behind */
    assert_conflict(r, "7\n");
    assert_int_equal(submit(r, &r->log, 7, 9), 200);
    assert_cosigned(r, 9);
}

static void state_outlives_a_restart(void **state) {
    struct rig *r = *state;
    char vkey[256];
    snprintf(vkey, sizeof vkey, "%s", witness_vkey(r->witness));
    assert_int_equal(submit(r, &r->log, 0, 7), 200);
    reopen(r);
    assert_string_equal(witness_vkey(r->witness), vkey);
    assert_int_equal(submit(r, &r->log, 0, 9), 409);
    assert_conflict(r, "7\n");
    assert_int_equal(submit(r, &r->log, 7, 9), 200);
    assert_cosigned(r, 9);
}

static void another_history_is_not_cosigned(void **state) {
    struct rig *r = *state;
    assert_int_equal(submit(r, &r->log, 0, 7), 200);
    assert_int_equal(submit(r, &r->fork, 7, 9), 422);
    assert_int_equal(submit(r, &r->log, 7, 7), 200);
    assert_int_equal(submit(r, &r->log, 7, 9), 200);
}

/* Evidence that the log signed two trees of one size stays, and the first of it. */
static void another_tree_of_the_same_size_is_a_conflict_and_kept(void **state) {
    struct rig *r = *state;
    char path[160];
    assert_int_equal(submit(r, &r->log, 0, 7), 200);
    assert_int_equal(submit(r, &r->fork, 7, 7), 409);
    assert_conflict(r, "7\n");
    struct tlog_head head = head_of(&r->fork, 7);
    struct buffer note = checkpoint_of(r->key, SPAN(GOLDEN_ORIGIN), &head), kept = {0};
    state_path(r, ".fork", path);
    assert_true(file_read(path, 4096, &kept));
    assert_true(span_equal(buffer_span(&kept), buffer_span(&note)));
    buffer_release(&kept);
    buffer_release(&note);
    assert_int_equal(submit(r, &r->log, 7, 8), 200);
}

static void an_empty_tree_has_one_root(void **state) {
    struct rig *r = *state;
    struct tlog_head head = {0, head_of(&r->log, 1).root};
    struct buffer note = checkpoint_of(r->key, SPAN(GOLDEN_ORIGIN), &head), body = {0};
    struct tlog_path none = {.count = 0};
    tlog_submission_put(&body, 0, &none, buffer_span(&note));
    assert_int_equal(ask(r, buffer_span(&body)), 409);
    buffer_release(&note);
    buffer_release(&body);
}

static void strangers_are_refused(void **state) {
    struct rig *r = *state;
    struct tlog_path none = {.count = 0};
    struct tlog_head head = head_of(&r->log, 3);
    struct tlog_key *other = tlog_key_renamed(r->key, SPAN("other.example/log"));
    static const struct {
        const char *origin;
        bool ours;
        int status;
    } rows[] = {{"other.example/log", false, 404},
                {"other.example/log", true, 404},
                {GOLDEN_ORIGIN, false, 403},
                {GOLDEN_ORIGIN, true, 200}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer body = {0};
        struct buffer note =
            checkpoint_of(rows[i].ours ? r->key : other, span_of_text(rows[i].origin), &head);
        tlog_submission_put(&body, 0, &none, buffer_span(&note));
        assert_int_equal(ask(r, buffer_span(&body)), rows[i].status);
        buffer_release(&note);
        buffer_release(&body);
    }
    tlog_key_free(other);
}

static void what_is_no_request_is_400(void **state) {
    struct rig *r = *state;
    static const char *const bodies[] = {
        "", "\n", "old 0\n", "old -1\n\n", "old 00\n\nx\n1\n", "old 0\n\n\n\n", "add 0\n\n"};
    for (size_t i = 0; i < COUNT(bodies); i++)
        assert_int_equal(ask(r, span_of_text(bodies[i])), 400);
    assert_int_equal(submit(r, &r->log, 9, 8), 400);
    assert_int_equal(submit(r, &r->log, 0, 8), 200);
}

/* Nothing is cosigned that is not on disk. */
static void a_disk_that_fails_is_500_and_changes_nothing(void **state) {
    struct rig *r = *state;
    char path[96], away[96];
    assert_int_equal(submit(r, &r->log, 0, 7), 200);
    snprintf(path, sizeof path, "%s/logs", r->directory);
    snprintf(away, sizeof away, "%s/away", r->directory);
    assert_int_equal(rename(path, away), 0);
    assert_int_equal(submit(r, &r->log, 7, 9), 500);
    assert_null(strstr(r->answer.body.data, "\xe2\x80\x94"));
    assert_int_equal(rename(away, path), 0);
    assert_int_equal(submit(r, &r->log, 7, 8), 200);
    assert_cosigned(r, 8);
}

static void refuses(struct rig *r, const char *name, bool create, const char *cause) {
    witness_close(r->witness);
    r->witness = NULL;
    assert_int_equal(open_as(r, name, create), STATUS_INTERNAL);
    if (strstr(r->why, cause) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", r->why, cause);
}

static void a_second_process_is_kept_out(void **state) {
    struct rig *r = *state;
    struct witness *first = r->witness;
    r->witness = NULL;
    refuses(r, NULL, false, "is held by another process");
    r->witness = first;
}

static void a_witness_is_made_only_when_asked(void **state) {
    struct rig *r = *state;
    char path[96];
    refuses(r, "witness.example/other", true, "holds a witness of another name");
    snprintf(path, sizeof path, "%s/witness.key", r->directory);
    assert_int_equal(unlink(path), 0);
    refuses(r, NULL, false, "--create makes a new one");
    refuses(r, "no name", true, "cannot be made");
}

static void lists_of_logs_are_read_strictly(void **state) {
    struct rig *r = *state;
    char text[1024];
    snprintf(text, sizeof text, "# a witness is no log\n%s\n", witness_vkey(r->witness));
    write_logs(r, text);
    refuses(r, NULL, false, "line 2: must be a log's verifier key");
    write_logs(r, "# none\n");
    refuses(r, NULL, false, "names no log");
    assert_int_equal(unlink(r->logs), 0);
    refuses(r, NULL, false, "No such file");
}

static void a_state_that_is_not_ours_is_refused(void **state) {
    struct rig *r = *state;
    char path[160];
    state_path(r, "", path);
    struct tlog_head head = head_of(&r->log, 1);
    struct buffer note = checkpoint_of(r->key, SPAN(GOLDEN_ORIGIN), &head);
    assert_true(file_replace(path, buffer_span(&note)));
    refuses(r, NULL, false, "is not what this witness cosigned");
    buffer_release(&note);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_log_that_grows_is_cosigned),
        TEST(another_old_size_is_told_the_size_that_was_cosigned),
        TEST(state_outlives_a_restart),
        TEST(another_history_is_not_cosigned),
        TEST(another_tree_of_the_same_size_is_a_conflict_and_kept),
        TEST(an_empty_tree_has_one_root),
        TEST(strangers_are_refused),
        TEST(what_is_no_request_is_400),
        TEST(a_disk_that_fails_is_500_and_changes_nothing),
        TEST(a_second_process_is_kept_out),
        TEST(a_witness_is_made_only_when_asked),
        TEST(lists_of_logs_are_read_strictly),
        TEST(a_state_that_is_not_ours_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
