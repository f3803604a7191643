/* What a witness knows, and how it judges a checkpoint. */
// SPDX-License-Identifier: Apache-2.0
#include "service/witness.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/directory.h"
#include "base/encode.h"
#include "base/file.h"
#include "base/log.h"
#include "tlog/cosignature.h"
#include "tlog/submission.h"

#define PATH_SIZE 4096
#define KEYS_MAX 4            /* of one log: two sign while one follows the other */
#define LOGS_FILE_MAX 1048576 /* some thousand logs */
#define NAME_MAX_SIZE 384     /* of a key (tlog/key.h) */
#define STATE_NAME_SIZE 16    /* bytes of the digest of an origin that name its file */

struct log {
    struct span origin; /* in the text of the file */
    struct tlog_vkey keys[KEYS_MAX];
    size_t key_count;
    char *file;
    struct tlog_head head; /* cosigned last; the empty tree before */
};

struct witness {
    const struct clock *clock;
    int lock_file;
    struct tlog_key *key;
    char vkey[NAME_MAX_SIZE + TLOG_VKEY_SIZE];
    struct buffer text; /* of the file that names the logs */
    struct log *logs;
    size_t log_count;
};

/* ---- opening */

static enum status open_key(struct witness *witness, const struct witness_options *options,
                            char *why, size_t why_size) {
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/witness.key", options->directory);
    bool there = access(path, F_OK) == 0;
    if (!there && !options->create)
        return status_refuse(why, why_size, "%s holds no witness; --create makes a new one",
                             options->directory);
    if (!there && (tlog_key_create_cosigner(path, span_of_text(options->name)) != STATUS_OK ||
                   !directory_sync(options->directory)))
        return status_refuse(why, why_size, "%s cannot be made for \"%s\": %s", path, options->name,
                             strerror(errno));
    if (tlog_key_load(path, &witness->key) != STATUS_OK ||
        tlog_key_public(witness->key)->type != TLOG_KEY_COSIGNATURE)
        return status_refuse(why, why_size, "%s is not the key of a witness", path);
    if (options->create && !span_is(tlog_key_public(witness->key)->name, options->name))
        return status_refuse(why, why_size, "%s holds a witness of another name than \"%s\"",
                             options->directory, options->name);
    tlog_key_vkey(witness->key, witness->vkey, sizeof witness->vkey);
    return STATUS_OK;
}

static struct log *find(struct witness *witness, struct span origin) {
    for (size_t i = 0; i < witness->log_count; i++)
        if (span_equal(witness->logs[i].origin, origin))
            return &witness->logs[i];
    return NULL;
}

/* Origins have characters that file names have not. */
static char *state_file(const char *directory, struct span origin) {
    char path[PATH_SIZE], hex[2 * STATE_NAME_SIZE + 1];
    struct digest digest = digest_sha256(origin);
    hex[encode_hex(digest.bytes, STATE_NAME_SIZE, hex)] = '\0';
    snprintf(path, sizeof path, "%s/logs/%s", directory, hex);
    return mem_copy_text(span_of_text(path));
}

static bool add_log(struct witness *witness, const char *directory, struct span line) {
    struct tlog_vkey key;
    if (tlog_vkey_parse(line, &key) != STATUS_OK || key.type != TLOG_KEY_ED25519)
        return false;
    struct log *log = find(witness, key.name);
    if (log == NULL) {
        const struct tlog_tree empty = {.size = 0};
        witness->logs = mem_resize(witness->logs, (witness->log_count + 1) * sizeof *witness->logs);
        log = &witness->logs[witness->log_count++];
        *log = (struct log){.origin = key.name,
                            .file = state_file(directory, key.name),
                            .head = {0, tlog_tree_root(&empty)}};
    }
    if (log->key_count == KEYS_MAX)
        return false;
    log->keys[log->key_count++] = key;
    return true;
}

static enum status read_logs(struct witness *witness, const struct witness_options *options,
                             char *why, size_t why_size) {
    if (!file_read(options->logs, LOGS_FILE_MAX, &witness->text))
        return status_refuse(why, why_size, "%s: %s", options->logs, strerror(errno));
    struct span left = buffer_span(&witness->text);
    for (unsigned number = 1; left.size != 0; number++) {
        const char *end = memchr(left.data, '\n', left.size);
        size_t size = end != NULL ? (size_t)(end - left.data) : left.size;
        struct span line = span_of(left.data, size);
        size_t taken = size + (end != NULL);
        left = span_of(left.data + taken, left.size - taken);
        if (size != 0 && line.data[0] != '#' && !add_log(witness, options->directory, line))
            return status_refuse(
                why, why_size, "%s: line %u: must be a log's verifier key, at most %d for one log",
                options->logs, number, KEYS_MAX);
    }
    if (witness->log_count == 0)
        return status_refuse(why, why_size, "%s: names no log", options->logs);
    return STATUS_OK;
}

/* Our own cosignature shows that the file is what we wrote. */
static bool read_head(const struct witness *witness, struct log *log, struct span bytes) {
    struct tlog_checkpoint cosigned;
    if (tlog_checkpoint_parse(bytes, &cosigned) != STATUS_OK ||
        !span_equal(cosigned.origin, log->origin) ||
        tlog_note_verify(&cosigned.note, tlog_key_public(witness->key), 1, 1) != STATUS_OK)
        return false;
    log->head = cosigned.head;
    return true;
}

static enum status read_state(struct witness *witness, char *why, size_t why_size) {
    enum status status = STATUS_OK;
    for (size_t i = 0; i < witness->log_count && status == STATUS_OK; i++) {
        struct log *log = &witness->logs[i];
        struct buffer bytes = {0};
        if (file_read(log->file, WITNESS_SUBMISSION_MAX, &bytes)) {
            if (!read_head(witness, log, buffer_span(&bytes)))
                status =
                    status_refuse(why, why_size, "%s is not what this witness cosigned", log->file);
        } else if (errno != ENOENT) {
            status = status_refuse(why, why_size, "%s: %s", log->file, strerror(errno));
        }
        buffer_release(&bytes);
    }
    return status;
}

static enum status open_directory(struct witness *witness, const struct witness_options *options,
                                  char *why, size_t why_size) {
    char path[PATH_SIZE];
    if (strlen(options->directory) > PATH_SIZE - 64)
        return status_refuse(why, why_size, "the directory's name is too long");
    snprintf(path, sizeof path, "%s/logs", options->directory);
    if (options->create && !directory_make(path))
        return status_refuse(why, why_size, "%s cannot be made: %s", path, strerror(errno));
    snprintf(path, sizeof path, "%s/lock", options->directory);
    witness->lock_file = file_lock(path);
    if (witness->lock_file >= 0)
        return STATUS_OK;
    return status_refuse(why, why_size, "%s %s: %s%s", path,
                         errno == EWOULDBLOCK ? "is held by another process" : "cannot be opened",
                         strerror(errno), options->create ? "" : "; --create makes a new witness");
}

enum status witness_open(const struct witness_options *options, struct witness **out, char *why,
                         size_t why_size) {
    struct witness *witness = mem_alloc_zeroed(1, sizeof *witness);
    witness->clock = options->clock;
    witness->lock_file = -1;
    enum status status = open_directory(witness, options, why, why_size);
    if (status == STATUS_OK)
        status = open_key(witness, options, why, why_size);
    if (status == STATUS_OK)
        status = read_logs(witness, options, why, why_size);
    if (status == STATUS_OK)
        status = read_state(witness, why, why_size);
    if (status == STATUS_OK)
        *out = witness;
    else
        witness_close(witness);
    return status;
}

void witness_close(struct witness *witness) {
    if (witness == NULL)
        return;
    for (size_t i = 0; i < witness->log_count; i++)
        mem_free(witness->logs[i].file);
    mem_free(witness->logs);
    buffer_release(&witness->text);
    tlog_key_free(witness->key);
    if (witness->lock_file >= 0)
        close(witness->lock_file);
    mem_free(witness);
}

const char *witness_vkey(const struct witness *witness) {
    return witness->vkey;
}

size_t witness_log_count(const struct witness *witness) {
    return witness->log_count;
}

/* ---- judging */

static void answer_text(struct witness_answer *out, int status, const char *text) {
    out->status = status;
    out->type = SPAN("text/plain; charset=utf-8");
    buffer_append_format(&out->body, "%s\n", text);
}

static void answer_size(struct witness_answer *out, const struct log *log) {
    out->status = 409;
    out->type = SPAN("text/x.tlog.size");
    buffer_append_format(&out->body, "%llu\n", (unsigned long long)log->head.size);
}

/* Two trees of one size, both signed by the log: what the log cannot explain. The first is kept. */
static void keep_fork(const struct log *log, const struct tlog_checkpoint *checkpoint) {
    char path[PATH_SIZE + 8];
    snprintf(path, sizeof path, "%s.fork", log->file);
    log_event(LOG_ERROR, "witness.fork", LOG_SPAN("origin", log->origin),
              LOG_INT("size", log->head.size));
    if (access(path, F_OK) != 0 && !file_replace(path, checkpoint->bytes))
        log_event(LOG_ERROR, "witness.fork_not_kept", LOG_TEXT("why", strerror(errno)));
}

/* True when what the log says now is what it said before, grown; else the answer says why not. */
static bool consistent(const struct log *log, const struct tlog_submission *submission,
                       struct witness_answer *out) {
    const struct tlog_head *head = &submission->checkpoint.head;
    bool same_size = submission->old_size == head->size;
    if (submission->old_size != log->head.size) {
        answer_size(out, log);
        return false;
    }
    if (same_size && !digest_equal(&head->root, &log->head.root)) {
        if (head->size != 0)
            keep_fork(log, &submission->checkpoint);
        answer_size(out, log);
        return false;
    }
    if (tlog_consistency_verify(&submission->path, &log->head, head))
        return true;
    log_event(LOG_WARN, "witness.inconsistent", LOG_SPAN("origin", log->origin),
              LOG_INT("size", head->size));
    answer_text(out, 422, "the proof does not lead from the old tree to the new");
    return false;
}

/* The file has the log's own signatures and ours; strangers' are left out. */
static void cosign(struct witness *witness, struct log *log,
                   const struct tlog_checkpoint *checkpoint, struct witness_answer *out) {
    const struct tlog_note *note = &checkpoint->note;
    struct buffer line = {0}, state = {0};
    tlog_cosignature_put(&line, witness->key, (uint64_t)(clock_now_ms(witness->clock) / 1000),
                         note->text);
    tlog_note_put_text(&state, note->text);
    for (uint32_t i = 0; i < note->count; i++)
        if (note->signatures[i].by != NULL)
            buffer_append_span(&state, note->signatures[i].line);
    buffer_append_span(&state, buffer_span(&line));
    if (file_replace(log->file, buffer_span(&state))) {
        log->head = checkpoint->head;
        out->status = 200;
        out->type = SPAN("text/plain; charset=utf-8");
        buffer_append_span(&out->body, buffer_span(&line));
        log_event(LOG_INFO, "witness.cosigned", LOG_SPAN("origin", log->origin),
                  LOG_INT("size", log->head.size));
    } else {
        log_event(LOG_ERROR, "witness.state_failed", LOG_SPAN("origin", log->origin),
                  LOG_TEXT("why", strerror(errno)));
        answer_text(out, 500, "the witness cannot keep what it would cosign");
    }
    buffer_release(&state);
    buffer_release(&line);
}

void witness_add_checkpoint(struct witness *witness, struct span body, struct witness_answer *out) {
    struct tlog_submission submission;
    *out = (struct witness_answer){.status = 0};
    if (tlog_submission_parse(body, &submission) != STATUS_OK) {
        answer_text(out, 400, "the body is no request for a cosignature");
        return;
    }
    struct log *log = find(witness, submission.checkpoint.origin);
    if (log == NULL) {
        answer_text(out, 404, "this witness does not know the log");
        return;
    }
    const struct tlog_trust trust = {
        .origin = log->origin, .keys = log->keys, .key_count = log->key_count};
    if (tlog_checkpoint_verify(&submission.checkpoint, &trust) != STATUS_OK)
        answer_text(out, 403, "no key of the log has signed the checkpoint");
    else if (consistent(log, &submission, out))
        cosign(witness, log, &submission.checkpoint, out);
}
