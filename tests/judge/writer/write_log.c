/* Writes a log of any size as the directory that C2SP tlog-tiles describes, with tlog/ alone, for a
 * judge that is not ours (judge.go):
 *
 *   write_log FOLDER SIZE LOG_KEY WITNESS_KEY
 *
 * checkpoint, signed and cosigned; tile/, whole; proofs/<index>, proof files for some entries;
 * requests/<old size>, bodies that a witness would get. The entries are those of
 * tests/vectors/tlog.json. */
// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/mem.h"
#include "tlog/bundle.h"
#include "tlog/checkpoint.h"
#include "tlog/cosignature.h"
#include "tlog/leaf.h"
#include "tlog/proof.h"
#include "tlog/submission.h"

#define COSIGNED_AT 1679315147

struct log {
    const char *folder;
    struct tlog_tree tree;
    struct buffer rows[TLOG_TILE_LEVELS];
    struct buffer bundle; /* of the last tile */
    struct buffer checkpoint;
};

_Noreturn static void fail(const char *path) {
    perror(path);
    exit(1);
}

/* Makes the folders above path, which is below the log's folder. */
static void make_folders(const struct log *log, char *path) {
    for (char *at = path + strlen(log->folder); (at = strchr(at + 1, '/')) != NULL;) {
        *at = '\0';
        if (mkdir(path, 0755) != 0 && errno != EEXIST)
            fail(path);
        *at = '/';
    }
}

static void write_file(const struct log *log, const char *name, struct span content) {
    char path[512];
    int size = snprintf(path, sizeof path, "%s/%s", log->folder, name);
    ASSERT(size > 0 && (size_t)size < sizeof path);
    make_folders(log, path);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(content.data, 1, content.size, file) != content.size ||
        fclose(file) != 0)
        fail(path);
}

/* ---- the tree */

static void write_tile(const struct log *log, struct tlog_tile tile, struct span content) {
    char name[8 + TLOG_TILE_PATH_MAX] = "tile/";
    if (tile.width == 0)
        return;
    tlog_tile_path(&tile, name + strlen(name));
    write_file(log, name, content);
}

static void write_rows(const struct log *log, uint32_t level, uint64_t index) {
    struct tlog_tile tile = {false, level, index, tlog_tile_width(log->tree.size, level, index)};
    write_tile(log, tile,
               span_of(log->rows[level].data + index * TLOG_TILE_WIDTH * DIGEST_SIZE,
                       tile.width * DIGEST_SIZE));
}

/* The last bundle as it is: full, or at the log's end. */
static void write_bundle(struct log *log) {
    uint64_t index = (log->tree.size - 1) / TLOG_TILE_WIDTH;
    struct tlog_tile tile = {true, 0, index, tlog_tile_width(log->tree.size, 0, index)};
    write_tile(log, tile, buffer_span(&log->bundle));
    buffer_clear(&log->bundle);
}

static void append(struct log *log, struct span entry) {
    struct digest hash = tlog_entry_hash(entry), rows[TLOG_TILE_LEVELS];
    uint32_t count = tlog_tree_append_rows(&log->tree, &hash, rows);
    for (uint32_t level = 0; level < count; level++)
        buffer_append(&log->rows[level], &rows[level], sizeof *rows);
    tlog_bundle_append(&log->bundle, entry);
    for (uint32_t level = 0; level < tlog_tile_filled(log->tree.size); level++)
        write_rows(log, level, tlog_tile_rows(log->tree.size, level) / TLOG_TILE_WIDTH - 1);
    if (tlog_tile_filled(log->tree.size) != 0)
        write_bundle(log);
}

static void append_all(struct log *log, uint64_t size) {
    static const char zeros[TLOG_ENTRY_SIZE_MAX];
    char text[32];
    while (log->tree.size < size) {
        uint64_t i = log->tree.size;
        int length = snprintf(text, sizeof text, "entry-%llu", (unsigned long long)i);
        append(log, i == 5   ? SPAN("")
                    : i == 6 ? span_of(zeros, sizeof zeros)
                             : span_of(text, (size_t)length));
    }
    for (uint32_t level = 0; level < TLOG_TILE_LEVELS; level++) {
        uint64_t rows = tlog_tile_rows(size, level);
        if (rows % TLOG_TILE_WIDTH != 0)
            write_rows(log, level, rows / TLOG_TILE_WIDTH);
    }
    if (log->bundle.size != 0)
        write_bundle(log);
}

/* ---- what is said about it */

static struct tlog_key *key_of(const char *text) {
    struct tlog_key *key;
    if (tlog_key_parse(span_of_text(text), &key) != STATUS_OK)
        fail("not a signing key");
    return key;
}

static void write_checkpoint(struct log *log, const char *log_key, const char *witness_key) {
    struct tlog_key *key = key_of(log_key), *witness = key_of(witness_key);
    struct tlog_head head = {log->tree.size, tlog_tree_root(&log->tree)};
    struct buffer text = {0};
    tlog_checkpoint_put_text(&text, tlog_key_public(key)->name, &head, SPAN_NONE);
    tlog_note_put_text(&log->checkpoint, buffer_span(&text));
    tlog_note_put_signature(&log->checkpoint, key, buffer_span(&text));
    tlog_cosignature_put(&log->checkpoint, witness, COSIGNED_AT, buffer_span(&text));
    write_file(log, "checkpoint", buffer_span(&log->checkpoint));
    buffer_release(&text);
    tlog_key_free(key);
    tlog_key_free(witness);
}

static enum status read_rows(void *context, uint32_t level, uint64_t first, uint32_t count,
                             struct digest *out) {
    const struct log *log = context;
    ASSERT((first + count) * DIGEST_SIZE <= log->rows[level].size);
    memcpy(out, log->rows[level].data + first * DIGEST_SIZE, count * DIGEST_SIZE);
    return STATUS_OK;
}

/* A number beside every edge of a tile, and some between. */
static const uint64_t samples[] = {0,     1,     2,     3,     100,   254,   255,   256,
                                   257,   510,   511,   512,   1000,  40000, 65279, 65280,
                                   65534, 65535, 65536, 65537, 69999, 70000};

static void write_samples(struct log *log) {
    const struct tlog_reader reader = {read_rows, log, &log->tree};
    const uint64_t size = log->tree.size;
    struct tlog_path path;
    char name[64];
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        unsigned long long at = samples[i];
        struct buffer bytes = {0};
        if (at < size) {
            ASSERT(tlog_inclusion_prove(&reader, at, size, &path) == STATUS_OK);
            tlog_proof_put(&bytes, SPAN_NONE, at, &path, buffer_span(&log->checkpoint));
            snprintf(name, sizeof name, "proofs/%llu", at);
            write_file(log, name, buffer_span(&bytes));
        }
        buffer_clear(&bytes);
        if (at <= size) {
            ASSERT(tlog_consistency_prove(&reader, at, size, &path) == STATUS_OK);
            tlog_submission_put(&bytes, at, &path, buffer_span(&log->checkpoint));
            snprintf(name, sizeof name, "requests/%llu", at);
            write_file(log, name, buffer_span(&bytes));
        }
        buffer_release(&bytes);
    }
}

int main(int argc, char **argv) {
    struct log log = {.folder = argv[1]};
    if (argc != 5) {
        fprintf(stderr, "usage: write_log FOLDER SIZE LOG_KEY WITNESS_KEY\n");
        return 2;
    }
    append_all(&log, strtoull(argv[2], NULL, 10));
    write_checkpoint(&log, argv[3], argv[4]);
    write_samples(&log);
    for (uint32_t level = 0; level < TLOG_TILE_LEVELS; level++)
        buffer_release(&log.rows[level]);
    buffer_release(&log.bundle);
    buffer_release(&log.checkpoint);
    return 0;
}
