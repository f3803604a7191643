/* Signing keys on disk: made once, private to their owner, read strictly. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_vectors.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tlog/key.h"

struct place {
    char folder[64], file[80];
};

static int place_init(void **state) {
    static struct place place;
    snprintf(place.folder, sizeof place.folder, "/tmp/consentd-test-XXXXXX");
    if (mkdtemp(place.folder) == NULL)
        return -1;
    snprintf(place.file, sizeof place.file, "%s/log.key", place.folder);
    *state = &place;
    return 0;
}

static int place_release(void **state) {
    struct place *place = *state;
    unlink(place->file);
    return rmdir(place->folder);
}

static void file_write(const char *path, struct span content) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(content.data, 1, content.size, file), content.size);
    assert_int_equal(fclose(file), 0);
}

static void assert_vkey(const char *file, const char *vkey) {
    struct tlog_key *key = NULL;
    char text[256];
    assert_int_equal(tlog_key_load(file, &key), STATUS_OK);
    tlog_key_vkey(key, text, sizeof text);
    assert_string_equal(text, vkey);
    tlog_key_free(key);
}

static void a_made_key_is_private_to_its_owner_and_loads(void **state) {
    struct place *place = *state;
    struct stat s;
    struct tlog_key *key;
    char vkey[128];
    umask(0);
    assert_int_equal(tlog_key_create(place->file, SPAN("consent.example/log")), STATUS_OK);
    assert_int_equal(stat(place->file, &s), 0);
    assert_int_equal(s.st_mode & 07777, 0600);
    assert_int_equal(tlog_key_load(place->file, &key), STATUS_OK);
    tlog_key_vkey(key, vkey, sizeof vkey);
    /* name + "+" + 8 hex digits + "+" + 33 bytes in base64, which begins with type 1 */
    assert_int_equal(strlen(vkey), 19 + 1 + 8 + 1 + 44);
    assert_true(span_starts(span_of_text(vkey), SPAN("consent.example/log+")));
    assert_memory_equal(vkey + 28, "+A", 2);
    tlog_key_free(key);
}

static void the_key_file_has_the_form_of_a_note_key(void **state) {
    struct place *place = *state;
    assert_int_equal(tlog_key_create(place->file, SPAN("x")), STATUS_OK);
    struct span content = whole_file(place->file);
    assert_int_equal(content.size, strlen("PRIVATE+KEY+x+01234567+") + 44 + 1);
    assert_true(span_starts(content, SPAN("PRIVATE+KEY+x+")));
    assert_memory_equal(content.data + 22, "+A", 2);
    assert_int_equal(content.data[content.size - 1], '\n');
    file_free(content);
}

static void two_made_keys_differ(void **state) {
    struct place *place = *state;
    assert_int_equal(tlog_key_create(place->file, SPAN("x")), STATUS_OK);
    struct span first = whole_file(place->file);
    assert_int_equal(unlink(place->file), 0);
    assert_int_equal(tlog_key_create(place->file, SPAN("x")), STATUS_OK);
    struct span second = whole_file(place->file);
    assert_false(span_equal(first, second));
    file_free(first);
    file_free(second);
}

static void a_key_is_never_written_over(void **state) {
    struct place *place = *state;
    file_write(place->file, SPAN("kept"));
    errno = 0;
    assert_int_equal(tlog_key_create(place->file, SPAN("x")), STATUS_INTERNAL);
    assert_int_equal(errno, EEXIST);
    struct span content = whole_file(place->file);
    assert_span(content, "kept");
    file_free(content);
}

static void a_key_in_no_folder_cannot_be_made(void **state) {
    struct place *place = *state;
    char missing[128];
    snprintf(missing, sizeof missing, "%s/none/log.key", place->folder);
    errno = 0;
    assert_int_equal(tlog_key_create(missing, SPAN("x")), STATUS_INTERNAL);
    assert_int_equal(errno, ENOENT);
}

/* A disk that is full after 10 bytes: half a key would be refused at every later start. */
static void a_key_cut_short_leaves_no_file(void **state) {
    struct place *place = *state;
    struct rlimit before, limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = (struct rlimit){10, before.rlim_max};
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    enum status status = tlog_key_create(place->file, SPAN("x"));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(status, STATUS_INTERNAL);
    assert_int_equal(access(place->file, F_OK), -1);
    assert_int_equal(tlog_key_create(place->file, SPAN("x")), STATUS_OK);
}

static void a_name_that_would_break_a_note_is_refused(void **state) {
    struct place *place = *state;
    char longest[512];
    const struct span bad[] = {SPAN(""),     SPAN("a b"),  SPAN("a+b"),   SPAN("a\nb"),
                               SPAN("a\tb"), SPAN("a\0b"), SPAN("a\x7f"), {longest, 385}};
    memset(longest, 'n', sizeof longest);
    for (size_t i = 0; i < COUNT(bad); i++) {
        errno = 0;
        assert_int_equal(tlog_key_create(place->file, bad[i]), STATUS_INTERNAL);
        assert_int_equal(errno, EINVAL);
        assert_int_equal(access(place->file, F_OK), -1);
    }
    struct tlog_key *key;
    assert_int_equal(tlog_key_create(place->file, span_of(longest, 384)), STATUS_OK);
    assert_int_equal(tlog_key_load(place->file, &key), STATUS_OK);
    tlog_key_free(key);
}

/* The vectors' seeds, written as key files by this test, give the vectors' verifier keys. */
static void the_keys_of_the_vectors_have_their_verifier_keys(void **state) {
    struct place *place = *state;
    json_t *vectors = vectors_load("tlog.json");
    const json_t *row = json_object_get(json_object_get(vectors, "keys"), "log");
    const char *vkey = json_string_value(json_object_get(row, "vkey"));
    unsigned char typed[33] = {1};
    char line[256], base64[45] = "";
    assert_int_equal(decode_hex(span_of_text(json_string_value(json_object_get(row, "seed_hex"))),
                                typed + 1, 32),
                     STATUS_OK);
    encode_base64(typed, sizeof typed, base64);
    /* "consent.example/log1+71046bc7": the name and id stand before the vkey's last '+' part */
    int size = snprintf(line, sizeof line, "PRIVATE+KEY+%.*s+%s\n", 20 + 1 + 8, vkey, base64);
    file_write(place->file, span_of(line, (size_t)size));
    assert_vkey(place->file, vkey);
    file_write(place->file, span_of(line, (size_t)size - 1)); /* without the line's end */
    assert_vkey(place->file, vkey);
    json_decref(vectors);
}

#define GOLDEN_NAME "example.com/log/testdata"
#define GOLDEN_SEED "AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg"
#define GOLDEN "PRIVATE+KEY+" GOLDEN_NAME "+33d7b496+" GOLDEN_SEED

static void the_golden_logs_key_loads(void **state) {
    struct place *place = *state;
    file_write(place->file, SPAN(GOLDEN "\n"));
    assert_vkey(place->file, GOLDEN_NAME "+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx");
}

static void what_is_no_key_is_refused(void **state) {
    static const struct span bad[] = {
        SPAN(""),
        SPAN("\n"),
        SPAN("PRIVATE+KEY+"),
        SPAN("private+key+" GOLDEN_NAME "+33d7b496+" GOLDEN_SEED),
        SPAN(GOLDEN "\n\n"),
        SPAN(GOLDEN " "),
        SPAN(" " GOLDEN),
        SPAN(GOLDEN "+"),
        SPAN(GOLDEN "A"),
        SPAN(GOLDEN_NAME "+33d7b496+" GOLDEN_SEED),
        SPAN("PRIVATE+KEY+" GOLDEN_NAME "+33d7b496"),
        SPAN("PRIVATE+KEY++33d7b496+" GOLDEN_SEED),
        SPAN("PRIVATE+KEY+other.com/log/testdata+33d7b496+" GOLDEN_SEED), /* another id */
        SPAN("PRIVATE+KEY+" GOLDEN_NAME "+33d7b497+" GOLDEN_SEED),
        SPAN("PRIVATE+KEY+" GOLDEN_NAME "+33D7B496+" GOLDEN_SEED),
        SPAN("PRIVATE+KEY+" GOLDEN_NAME "-33d7b496+" GOLDEN_SEED),
        SPAN("PRIVATE+KEY+" GOLDEN_NAME "+33d7b496-" GOLDEN_SEED),
        /* type 2; a seed one bit off; a seed cut by a byte; no base64 */
        SPAN("PRIVATE+KEY+" GOLDEN_NAME "+33d7b496+AuymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg"),
        SPAN("PRIVATE+KEY+" GOLDEN_NAME "+33d7b496+AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eh"),
        SPAN("PRIVATE+KEY+" GOLDEN_NAME "+33d7b496+AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3c="),
        SPAN("PRIVATE+KEY+" GOLDEN_NAME "+33d7b496+AeymY_SZAX0jZcJ8enZ5FY1Dz-wTML2yWSkK-9DSF3eg"),
        SPAN("PRIVATE+KEY+" GOLDEN_NAME "+33d7b496+    Y/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg"),
    };
    struct place *place = *state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct tlog_key *key = NULL;
        file_write(place->file, bad[i]);
        if (tlog_key_load(place->file, &key) != STATUS_INTERNAL || key != NULL)
            fail_msg("case %zu was taken", i);
    }
}

static void a_file_larger_than_any_key_is_refused(void **state) {
    struct place *place = *state;
    struct tlog_key *key = NULL;
    char *content = mem_alloc(100000);
    memset(content, '\n', 100000);
    memcpy(content, GOLDEN, sizeof GOLDEN - 1);
    file_write(place->file, span_of(content, 100000));
    assert_int_equal(tlog_key_load(place->file, &key), STATUS_INTERNAL);
    assert_int_equal(unlink(place->file), 0);
    assert_int_equal(tlog_key_load(place->file, &key), STATUS_INTERNAL); /* no file at all */
    assert_null(key);
    tlog_key_free(NULL);
    mem_free(content);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, place_init, place_release)
    const struct CMUnitTest tests[] = {
        TEST(a_made_key_is_private_to_its_owner_and_loads),
        TEST(the_key_file_has_the_form_of_a_note_key),
        TEST(two_made_keys_differ),
        TEST(a_key_is_never_written_over),
        TEST(a_key_in_no_folder_cannot_be_made),
        TEST(a_key_cut_short_leaves_no_file),
        TEST(a_name_that_would_break_a_note_is_refused),
        TEST(the_keys_of_the_vectors_have_their_verifier_keys),
        TEST(the_golden_logs_key_loads),
        TEST(what_is_no_key_is_refused),
        TEST(a_file_larger_than_any_key_is_refused),
    };
    return cmocka_run_group_tests_name("tlog/key", tests, NULL, NULL);
}
