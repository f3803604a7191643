/* consentctl export: the log of a store as the directory that stock tools read (C2SP tlog-tiles),
 * and the payloads beside it. The store is read in short snapshots beside the running service: one
 * that is kept would keep freed pages from being used again. Payloads come first and the checkpoint
 * last, so that the notice of whatever was erased meanwhile is in the export. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/encode.h"
#include "cli/export_files.h"
#include "cli/file.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "store/cosigned.h"
#include "store/event.h"
#include "store/log.h"
#include "tlog/bundle.h"

#define COMMAND "export"
#define CHUNK 1024 /* entries of one snapshot: some ten milliseconds */

static const char help[] =
    "Usage: consentctl export --data DIR OUT [--quorum N] [--progress]\n"
    "\n"
    "Writes the log as files, for auditors and for software that is not ours. The service may run\n"
    "meanwhile. OUT must not exist; it has its name when all of it is on disk.\n"
    "\n"
    "  OUT/checkpoint      the signed size and root of the log (C2SP tlog-checkpoint)\n"
    "  OUT/checkpoint.cosigned   the newest that witnesses have cosigned, where some do\n"
    "  OUT/tile/...        the hashes of its tree, and its leaves in bundles (C2SP tlog-tiles)\n"
    "  OUT/vkey            the verifier keys, one a line. Auditors should have theirs from "
    "elsewhere\n"
    "  OUT/events.ndjson   every entry with what opens its leaf, one a line, as GET\n"
    "                      /v1/audit/events streams them. These are personal data\n"
    "\n"
    "The same log, cosigned alike, gives the same bytes. `consentctl verify OUT` verifies it.\n"
    "\n"
    "  --data DIR   the data directory of the service\n"
    "  --quorum N   how many witnesses must have cosigned checkpoint.cosigned, where so many have\n"
    "               one that is kept: 1, or the witnessQuorum of the service\n"
    "  --progress   tells how far it is also where standard error is no terminal\n"
    "\n"
    "Exit codes: 0 written, 1 the store or OUT has failed, or OUT is written and the store's "
    "tables\n"
    "say of a consent what the log does not, 2 asked wrongly.\n";

struct export {
    struct store *store;
    struct store_reader *reader;
    struct export_files files;
    struct progress progress;
    uint32_t quorum;     /* of witnesses */
    uint64_t size;       /* of the log, as exported */
    uint64_t done;       /* entries whose lines are written */
    bool at_entry;       /* the store could not be read at `done` */
    bool differs;        /* from what the tables say of a consent … */
    uint64_t differs_at; /* … first at this entry */
};

/* ---- lines */

static enum status write_lines(struct export *e, uint64_t count, FILE *out) {
    struct buffer line = {0};
    enum status status = STATUS_OK;
    for (uint64_t end = e->done + count; e->done < end && status == STATUS_OK; e->done++) {
        struct store_event event;
        status = store_event_get(e->reader, e->done, &event);
        e->at_entry = status != STATUS_OK;
        if (status != STATUS_OK)
            break;
        if (!e->differs && !store_event_agrees(e->reader, &event)) {
            e->differs = true;
            e->differs_at = e->done;
        }
        struct json_out json = json_out_to(&line);
        buffer_clear(&line);
        json_out_object_begin(&json);
        store_event_write_members(&event, &json);
        json_out_object_end(&json);
        buffer_append_text(&line, "\n");
        fwrite(line.data, 1, line.size, out); /* ferror is looked at when it is closed */
    }
    buffer_release(&line);
    return status;
}

static void write_heading(struct export *e) {
    struct buffer cosigned = {0};
    export_files_put(&e->files, "checkpoint", store_log_checkpoint(e->reader));
    export_files_put(&e->files, "vkey", store_log_verifier_keys(e->reader));
    if (store_cosigned_newest(e->reader, e->quorum, &cosigned))
        export_files_put(&e->files, "checkpoint.cosigned", buffer_span(&cosigned));
    buffer_release(&cosigned);
}

/* What was there at the start in short snapshots; in the last one all that has come since, and the
 * checkpoint. */
static enum status export_lines(struct export *e, FILE *out) {
    uint64_t first_size = e->progress.total;
    bool last = false;
    enum status status = STATUS_OK;
    while (!last && status == STATUS_OK && e->files.code == 0) {
        status = store_read_begin(e->reader);
        if (status != STATUS_OK)
            return status;
        e->size = store_log_size(e->reader);
        last = e->done + CHUNK >= first_size;
        status = write_lines(e, last ? e->size - e->done : CHUNK, out);
        if (status == STATUS_OK && last)
            write_heading(e);
        store_read_end(e->reader);
        progress_step(&e->progress, e->done);
    }
    return status;
}

/* ---- tiles: what stands in them at a size is the same in every later snapshot (invariant 3) */

static void put_tile(struct export *e, const struct tlog_tile *tile, struct span content) {
    char name[8 + TLOG_TILE_PATH_MAX] = "tile/";
    tlog_tile_path(tile, name + strlen(name));
    export_files_put(&e->files, name, content);
}

static enum status export_bundle(struct export *e, struct tlog_tile tile) {
    unsigned char leaves[TLOG_TILE_WIDTH * STORE_LEAF_SIZE];
    struct buffer bundle = {0};
    tile.entries = true;
    enum status status =
        store_log_leaves(e->reader, tile.index * TLOG_TILE_WIDTH, tile.width, leaves);
    for (uint32_t i = 0; i < tile.width && status == STATUS_OK; i++)
        tlog_bundle_append(&bundle,
                           span_of((const char *)leaves + i * STORE_LEAF_SIZE, STORE_LEAF_SIZE));
    if (status == STATUS_OK)
        put_tile(e, &tile, buffer_span(&bundle));
    buffer_release(&bundle);
    return status;
}

static enum status export_tile(struct export *e, const struct tlog_tile *tile) {
    struct digest hashes[TLOG_TILE_WIDTH];
    struct tlog_reader rows = store_log_rows(e->reader);
    enum status status =
        rows.read(rows.context, tile->level, tile->index * TLOG_TILE_WIDTH, tile->width, hashes);
    if (status == STATUS_OK)
        put_tile(e, tile, span_of((const char *)hashes, tile->width * sizeof *hashes));
    return status == STATUS_OK && tile->level == 0 ? export_bundle(e, *tile) : status;
}

static enum status export_level(struct export *e, uint32_t level) {
    struct tlog_tile tile = {false, level, 0, tlog_tile_width(e->size, level, 0)};
    enum status status = STATUS_OK;
    while (tile.width != 0 && status == STATUS_OK && e->files.code == 0) {
        status = store_read_begin(e->reader);
        if (status != STATUS_OK)
            return status;
        status = export_tile(e, &tile);
        store_read_end(e->reader);
        tile.index++;
        tile.width = tlog_tile_width(e->size, level, tile.index);
        if (level == 0)
            progress_step(&e->progress, tile.index * TLOG_TILE_WIDTH);
    }
    return status;
}

/* ---- the command */

static enum status export_all(struct export *e) {
    enum status status = STATUS_OK;
    FILE *lines = export_files_open(&e->files, "events.ndjson");
    if (lines != NULL)
        status = export_lines(e, lines);
    export_files_close(&e->files, lines);
    for (uint32_t level = 0; level < TLOG_TILE_LEVELS && status == STATUS_OK; level++)
        status = export_level(e, level);
    return status;
}

static enum cli_exit conclude(struct export *e, enum status status) {
    progress_end(&e->progress);
    char where[40] = "";
    if (e->at_entry)
        snprintf(where, sizeof where, " at entry %llu", (unsigned long long)e->done);
    if (status != STATUS_OK) {
        cli_complain(COMMAND, "the store cannot be read%s: %s; what was written is in %s", where,
                     status_title(status), e->files.partial);
        return CLI_FAILED;
    }
    if (export_files_end(&e->files)) {
        printf("%llu entries\n", (unsigned long long)e->size);
        if (e->differs)
            cli_complain(COMMAND, "entry %llu: the store's tables say otherwise of its consent",
                         (unsigned long long)e->differs_at);
        return cli_finish(COMMAND, e->differs ? CLI_FAILED : CLI_OK);
    }
    cli_complain(COMMAND, "%s: %s", e->files.failed, strerror(e->files.code));
    return CLI_FAILED;
}

static enum cli_exit run_opened(struct export *e, const char *out, bool progress) {
    enum status status = store_reader_open(e->store, &e->reader);
    if (status != STATUS_OK) {
        cli_complain(COMMAND, "the store cannot be read: %s", status_title(status));
        return CLI_FAILED;
    }
    struct store_stats stats;
    store_stats_get(e->store, &stats);
    export_files_begin(&e->files, out);
    progress_begin(&e->progress, COMMAND, stats.entries, progress);
    if (e->files.code == 0)
        status = export_all(e);
    enum cli_exit ended = conclude(e, status);
    export_files_release(&e->files);
    store_reader_close(e->reader);
    return ended;
}

static bool read_quorum(struct span text, uint32_t *out) {
    uint64_t number = 1;
    if (span_present(text) &&
        (decode_decimal(text, &number) != STATUS_OK || number == 0 || number > UINT32_MAX)) {
        cli_complain(COMMAND, "quorum must be a number from 1");
        return false;
    }
    *out = (uint32_t)number;
    return true;
}

static enum cli_exit run(int argc, char **argv) {
    struct export e = {0};
    struct span data = SPAN_NONE, quorum = SPAN_NONE;
    struct clock clock;
    char why[512];
    const struct cli_option known[] = {{"data", true, &data}, {"quorum", false, &quorum}};
    bool progress = cli_flag_take(&argc, argv, "progress");
    const char *out = cli_operand_take(&argc, argv);
    if (!cli_options_read(COMMAND, argc, argv, known, 2) || !read_quorum(quorum, &e.quorum))
        return CLI_USAGE;
    if (out == NULL) {
        cli_complain(COMMAND, "OUT is missing; see consentctl " COMMAND " --help");
        return CLI_USAGE;
    }
    clock_init(&clock);
    const struct store_options options = {.directory = data.data, .clock = &clock};
    if (store_open_read_only(&options, &e.store, why, sizeof why) != STATUS_OK) {
        cli_complain(COMMAND, "%s", why);
        return CLI_FAILED;
    }
    enum cli_exit ended = run_opened(&e, out, progress);
    store_close(e.store);
    return ended;
}

const struct cli_command cli_export_command = {
    .name = "export",
    .summary = "write the log as files for stock tools, with the payloads",
    .help = help,
    .run = run,
};
