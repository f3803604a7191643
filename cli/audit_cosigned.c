/* Demanding witnesses; see audit_cosigned.h. */
// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_cosigned.h"

#include <stdio.h>

#include "base/encode.h"
#include "base/timestamp.h"
#include "cli/file.h"
#include "tlog/text.h"

#define NAME AUDIT_COSIGNED
#define KEY_FILE_MAX 8192

/* ---- whom */

static bool complain(const char *command, const char *what) {
    cli_complain(command, "option --%s", what);
    return false;
}

static bool add_key(const char *command, struct span text, struct audit_witnesses *out) {
    struct tlog_vkey *key = &out->keys[out->count];
    if (out->count == CLI_VALUES_MAX)
        return complain(command, "witness names more than 16 witnesses");
    if (tlog_vkey_parse(arena_copy(&out->arena, text), key) != STATUS_OK ||
        key->type != TLOG_KEY_COSIGNATURE)
        return complain(
            command, "witness must be a witness's verifier key, or a file with some, one a line");
    for (size_t i = 0; i < out->count; i++)
        if (memcmp(key->public_key, out->keys[i].public_key, TLOG_PUBLIC_KEY_SIZE) == 0 ||
            span_equal(key->name, out->keys[i].name))
            return complain(command, "witness names one witness twice, which counts once");
    out->count++;
    return true;
}

static bool add_file(const char *command, const char *path, struct audit_witnesses *out) {
    struct buffer text = {0};
    bool good = cli_file_read(command, path, KEY_FILE_MAX, &text) == CLI_OK;
    if (good && (text.size == 0 || text.data[text.size - 1] != '\n'))
        buffer_append_text(&text, "\n");
    struct span left = buffer_span(&text), line;
    while (good && left.size != 0 && tlog_text_line(&left, &line) == STATUS_OK)
        good = line.size == 0 || line.data[0] == '#' || add_key(command, line, out);
    buffer_release(&text);
    return good;
}

static bool add_value(const char *command, struct span value, struct audit_witnesses *out) {
    struct tlog_vkey key;
    return tlog_vkey_parse(value, &key) == STATUS_OK ? add_key(command, value, out)
                                                     : add_file(command, value.data, out);
}

bool audit_witnesses_read(const char *command, int64_t otherwise_s, struct audit_witnesses *out) {
    uint64_t number;
    int64_t within_s = otherwise_s;
    for (size_t i = 0; i < out->given.count; i++)
        if (!add_value(command, out->given.items[i], out))
            return false;
    if (out->given.count != 0 && out->count == 0)
        return complain(command, "witness must name a witness");
    if (span_present(out->age) && (out->count == 0 || !cli_seconds_read(out->age, &within_s)))
        return complain(command, "cosigned-within must be a time like 90s, 30m, 1h or 7d, and "
                                 "needs --witness");
    out->within_ms = within_s * 1000;
    out->quorum = out->count;
    if (!span_present(out->number))
        return true;
    if (decode_decimal(out->number, &number) != STATUS_OK || number == 0 || number > out->count)
        return complain(command, "quorum must be a number from 1 to that of the keys of --witness");
    out->quorum = (size_t)number;
    return true;
}

void audit_witnesses_release(struct audit_witnesses *witnesses) {
    arena_release(&witnesses->arena);
}

/* ---- what they have cosigned */

/* The newest time of a key's lines; 0 when it has none. */
static uint64_t time_of(const struct tlog_note *note, const struct tlog_vkey *key) {
    uint64_t time = 0;
    for (uint32_t i = 0; i < note->count; i++)
        if (note->signatures[i].by == key && note->signatures[i].time > time)
            time = note->signatures[i].time;
    return time;
}

/* Counts them, and finds the newest time at which a quorum had signed. */
static void count_signers(const struct tlog_note *note, const struct audit_witnesses *witnesses,
                          struct audit_cosigned *out) {
    uint64_t times[CLI_VALUES_MAX]; /* newest first */
    out->count = 0;
    for (size_t i = 0; i < witnesses->count; i++) {
        uint64_t time = time_of(note, &witnesses->keys[i]);
        size_t at = out->count;
        if (time == 0)
            continue;
        for (; at > 0 && times[at - 1] < time; at--)
            times[at] = times[at - 1];
        times[at] = time;
        out->count++;
    }
    uint64_t reached = out->count >= witnesses->quorum ? times[witnesses->quorum - 1] : 0;
    out->time_ms = reached < TIMESTAMP_MAX / 1000 ? (int64_t)reached * 1000 : TIMESTAMP_MAX;
}

bool audit_cosigned_read(struct audit_source *source, const struct audit_keys *keys,
                         const struct audit_witnesses *witnesses, struct audit_cosigned *out,
                         struct audit_fault *fault) {
    struct tlog_checkpoint checkpoint;
    if (!audit_source_cosigned(source, keys, &out->bytes, &out->head, fault))
        return false;
    if (tlog_checkpoint_parse(buffer_span(&out->bytes), &checkpoint) != STATUS_OK ||
        tlog_note_verify(&checkpoint.note, witnesses->keys, witnesses->count, 0) != STATUS_OK)
        return audit_bad(fault, NAME ": a line in the name of a witness is not its cosignature");
    count_signers(&checkpoint.note, witnesses, out);
    return true;
}

bool audit_cosigned_judge(const struct audit_cosigned *cosigned,
                          const struct audit_witnesses *witnesses, struct audit_fault *fault) {
    return cosigned->count >= witnesses->quorum ||
           audit_bad(fault,
                     NAME ": of %llu entries, cosigned by %zu of the %zu witnesses, and %zu must",
                     (unsigned long long)cosigned->head.size, cosigned->count, witnesses->count,
                     witnesses->quorum);
}

bool audit_cosigned_fresh(const struct audit_cosigned *cosigned,
                          const struct audit_witnesses *witnesses, int64_t now_ms, char text[128]) {
    char time[TIMESTAMP_SIZE + 1];
    if (witnesses->within_ms == 0 || now_ms - cosigned->time_ms <= witnesses->within_ms)
        return true;
    timestamp_format(cosigned->time_ms, time);
    snprintf(text, 128, "no quorum of witnesses has cosigned it since %s", time);
    return false;
}

void audit_cosigned_release(struct audit_cosigned *cosigned) {
    buffer_release(&cosigned->bytes);
}
