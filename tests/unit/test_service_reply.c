/* What witnesses answer is believed as far as their key has signed it, and no further. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_note.h"

#include "service/reply.h"

#define SIZE_TYPE "text/x.tlog.size"

static struct reply judge(const struct noted *n, int status, const char *type, const char *body) {
    static struct fetch fetch; /* the line of the reply is a view of it */
    fetch.status = status;
    snprintf(fetch.type, sizeof fetch.type, "%s", type);
    buffer_release(&fetch.answer);
    buffer_append_text(&fetch.answer, body);
    struct tlog_checkpoint checkpoint;
    assert_int_equal(tlog_checkpoint_parse(vector_text(n, "checkpoint_utf8"), &checkpoint),
                     STATUS_OK);
    return reply_judge(&fetch, checkpoint.note.text, &n->witness_vkey);
}

static void a_cosignature_is_taken_among_those_of_strangers(void **state) {
    const struct noted *n = *state;
    const char *line = string_at(n->vectors, "cosignature_line");
    struct tlog_key *stranger = tlog_key_renamed(n->witness, SPAN("stranger.example/w"));
    struct buffer lines = {0};
    tlog_cosignature_put(&lines, stranger, 7, SPAN("something else\n"));
    buffer_append_text(&lines, line);
    buffer_append(&lines, "", 1);
    struct reply alone = judge(n, 200, "", line);
    assert_int_equal(alone.kind, REPLY_COSIGNED);
    assert_span(alone.line, line);
    struct reply among = judge(n, 200, "text/html", lines.data);
    assert_int_equal(among.kind, REPLY_COSIGNED);
    assert_span(among.line, line);
    buffer_release(&lines);
    tlog_key_free(stranger);
}

static void a_200_without_a_good_cosignature_is_invalid(void **state) {
    const struct noted *n = *state;
    struct buffer wrong_text = {0};
    tlog_cosignature_put(&wrong_text, n->witness, 7, SPAN("example.com/other\n1\nx\n"));
    buffer_append(&wrong_text, "", 1);
    const char *const bodies[] = {"", "\n", "OK\n", "\xe2\x80\x94 witness.example/w1 AAAA\n",
                                  wrong_text.data};
    for (size_t i = 0; i < COUNT(bodies); i++)
        assert_int_equal(judge(n, 200, "", bodies[i]).kind, REPLY_INVALID);
    buffer_release(&wrong_text);
}

static void a_409_is_a_size_and_nothing_else(void **state) {
    const struct noted *n = *state;
    struct reply reply = judge(n, 409, SIZE_TYPE, "9223372036854775807\n");
    assert_int_equal(reply.kind, REPLY_OTHER_SIZE);
    assert_int_equal(reply.size, INT64_MAX);
    assert_int_equal(judge(n, 409, SIZE_TYPE, "0\n").size, 0);
    static const char *const bodies[] = {"",       "7",       "007\n",
                                         "-1\n",   "7\n\n",   "7 \n",
                                         "1e3\n",  "0x7\n",   "9223372036854775808\n",
                                         "7\n8\n", "seven\n", "18446744073709551617\n"};
    for (size_t i = 0; i < COUNT(bodies); i++)
        assert_int_equal(judge(n, 409, SIZE_TYPE, bodies[i]).kind, REPLY_INVALID);
    assert_int_equal(judge(n, 409, "text/plain", "7\n").kind, REPLY_INVALID);
}

static void other_statuses_refuse_and_none_is_unreachable(void **state) {
    const struct noted *n = *state;
    static const int statuses[] = {100, 201, 204, 302, 400, 403, 404, 422, 429, 500, 503};
    const char *line = string_at(n->vectors, "cosignature_line");
    for (size_t i = 0; i < COUNT(statuses); i++)
        assert_int_equal(judge(n, statuses[i], "", line).kind, REPLY_REFUSED);
    assert_int_equal(judge(n, 0, "", line).kind, REPLY_UNREACHABLE);
    judge(n, 0, "", "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        NOTED(a_cosignature_is_taken_among_those_of_strangers),
        NOTED(a_200_without_a_good_cosignature_is_invalid),
        NOTED(a_409_is_a_size_and_nothing_else),
        NOTED(other_statuses_refuse_and_none_is_unreachable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
