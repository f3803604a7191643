/* A whole log made by other software: Ed25519 is deterministic, so each of its bytes follows from
 * its fifteen entries and its key. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_note.h"

#include "tlog/bundle.h"

#define FOLDER SHARED_VECTORS "golden-log/"

static const char *const entries[] = {"one",    "two",   "three",    "four",    "five",
                                      "six",    "seven", "eit",      "nain",    "ten",
                                      "ileven", "twelf", "threeten", "fourten", "fivten"};

struct golden {
    struct memory_log log;
    struct buffer bundle;
    struct tlog_key *key;
};

static int golden_init(void **state) {
    struct golden *g = mem_alloc_zeroed(1, sizeof *g);
    g->key = golden_key();
    *state = g;
    return 0;
}

static int golden_release(void **state) {
    struct golden *g = *state;
    memory_release(&g->log);
    buffer_release(&g->bundle);
    tlog_key_free(g->key);
    mem_free(g);
    return 0;
}

static void grow(struct golden *g) {
    struct span entry = span_of_text(entries[g->log.tree.size]);
    memory_append(&g->log, entry);
    tlog_bundle_append(&g->bundle, entry);
}

static void assert_file(const char *name, struct span content) {
    char path[128];
    snprintf(path, sizeof path, FOLDER "%s", name);
    struct span file = whole_file(path);
    assert_true(span_present(file));
    if (!span_equal(file, content))
        fail_msg("%s differs", path);
    file_free(file);
}

/* The checkpoint of the log as it is; freed with buffer_release. */
static struct buffer checkpoint_now(const struct golden *g) {
    struct tlog_head head = {g->log.tree.size, tlog_tree_root(&g->log.tree)};
    struct buffer text = {0};
    tlog_checkpoint_put_text(&text, SPAN(GOLDEN_ORIGIN), &head, SPAN_NONE);
    struct buffer bytes = signed_by(buffer_span(&text), &g->key, 1);
    buffer_release(&text);
    return bytes;
}

static void every_checkpoint_is_reproduced(void **state) {
    struct golden *g = *state;
    char name[32];
    if (access(FOLDER "checkpoint", R_OK) != 0)
        skip_without_vectors();
    for (size_t size = 0; size <= COUNT(entries); size++) {
        struct buffer bytes = checkpoint_now(g);
        snprintf(name, sizeof name, "checkpoint.%zu", size);
        assert_file(name, buffer_span(&bytes));
        if (size == COUNT(entries))
            assert_file("checkpoint", buffer_span(&bytes));
        else
            grow(g);
        buffer_release(&bytes);
    }
}

static void assert_tile(const struct golden *g, bool is_bundle, struct span content) {
    char name[8 + TLOG_TILE_PATH_MAX] = "tile/";
    struct tlog_tile tile = {is_bundle, 0, 0, tlog_tile_width(g->log.tree.size, 0, 0)};
    tlog_tile_path(&tile, name + 5);
    assert_file(name, content);
}

static void every_tile_and_bundle_is_reproduced(void **state) {
    struct golden *g = *state;
    if (access(FOLDER "checkpoint", R_OK) != 0)
        skip_without_vectors();
    while (g->log.tree.size < COUNT(entries)) {
        grow(g);
        assert_tile(g, false, buffer_span(&g->log.rows[0]));
        assert_tile(g, true, buffer_span(&g->bundle));
    }
}

/* And read: each checkpoint is believed, and each follows from each before it. */
static void every_checkpoint_is_believed_and_follows_from_those_before(void **state) {
    struct golden *g = *state;
    const struct tlog_trust trust = {
        .origin = SPAN(GOLDEN_ORIGIN), .keys = tlog_key_public(g->key), .key_count = 1};
    struct tlog_checkpoint read[COUNT(entries) + 1];
    struct span files[COUNT(entries) + 1];
    char path[128];
    if (access(FOLDER "checkpoint", R_OK) != 0)
        skip_without_vectors();
    while (g->log.tree.size < COUNT(entries))
        grow(g);
    for (size_t i = 0; i < COUNT(read); i++) {
        snprintf(path, sizeof path, FOLDER "checkpoint.%zu", i);
        files[i] = whole_file(path);
        assert_int_equal(tlog_checkpoint_parse(files[i], &read[i]), STATUS_OK);
        assert_int_equal(tlog_checkpoint_verify(&read[i], &trust), STATUS_OK);
        for (size_t old = 0; old <= i; old++) {
            const struct tlog_reader reader = memory_reader(&g->log, i);
            struct tlog_path proof;
            assert_int_equal(tlog_consistency_prove(&reader, old, i, &proof), STATUS_OK);
            assert_true(tlog_consistency_verify(&proof, &read[old].head, &read[i].head));
        }
    }
    for (size_t i = 0; i < COUNT(files); i++)
        file_free(files[i]);
}

int main(void) {
#define GOLDEN(name) cmocka_unit_test_setup_teardown(name, golden_init, golden_release)
    const struct CMUnitTest tests[] = {
        GOLDEN(every_checkpoint_is_reproduced),
        GOLDEN(every_tile_and_bundle_is_reproduced),
        GOLDEN(every_checkpoint_is_believed_and_follows_from_those_before),
    };
    return cmocka_run_group_tests_name("tlog/golden log", tests, NULL, NULL);
}
