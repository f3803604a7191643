/* Findings, keys and checkpoints of the auditor's commands; see audit.h. */
// SPDX-License-Identifier: Apache-2.0
#include "cli/audit.h"

#include <stdarg.h>
#include <stdio.h>

#include "cli/file.h"
#include "cli/options.h"

#define KEY_FILE_MAX 8192

/* ---- findings */

/* What a server says is shown on a terminal: without what would steer it. */
static bool set(struct audit_fault *fault, enum audit_result result) {
    fault->result = result;
    for (char *c = fault->text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = '?';
    return false;
}

bool audit_bad(struct audit_fault *fault, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(fault->text, sizeof fault->text, format, args);
    va_end(args);
    return set(fault, AUDIT_BAD);
}

bool audit_bad_entry(struct audit_fault *fault, uint64_t index, const char *format, ...) {
    va_list args;
    int size = snprintf(fault->text, sizeof fault->text, "entry %llu: ", (unsigned long long)index);
    va_start(args, format);
    vsnprintf(fault->text + size, sizeof fault->text - (size_t)size, format, args);
    va_end(args);
    return set(fault, AUDIT_BAD);
}

bool audit_unavailable(struct audit_fault *fault, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(fault->text, sizeof fault->text, format, args);
    va_end(args);
    return set(fault, AUDIT_UNAVAILABLE);
}

enum cli_exit audit_tell(const char *command, const struct audit_fault *fault) {
    if (fault->result == AUDIT_UNAVAILABLE) {
        cli_complain(command, "%s", fault->text);
        return CLI_UNAVAILABLE;
    }
    printf("bad, %s\n", fault->text);
    return cli_finish(command, CLI_FAILED);
}

/* ---- keys */

static struct span cut_line(struct span *left) {
    const char *end = left->size != 0 ? memchr(left->data, '\n', left->size) : NULL;
    size_t size = end != NULL ? (size_t)(end - left->data) : left->size;
    struct span line = span_of(left->data, size);
    size_t used = end != NULL ? size + 1 : size;
    *left = span_of(left->data + used, left->size - used);
    return line;
}

static bool read_lines(struct audit_keys *out) {
    struct span left = buffer_span(&out->text);
    size_t count = 0;
    while (left.size != 0) {
        struct span line = cut_line(&left);
        if (line.size == 0)
            continue;
        if (count == AUDIT_KEYS_MAX || tlog_vkey_parse(line, &out->keys[count]) != STATUS_OK ||
            out->keys[count].type != TLOG_KEY_ED25519 ||
            !span_equal(out->keys[count].name, out->keys[0].name))
            return false;
        count++;
    }
    out->trust =
        (struct tlog_trust){.origin = out->keys[0].name, .keys = out->keys, .key_count = count};
    return count != 0;
}

bool audit_keys_read(const char *command, struct span option, struct audit_keys *out) {
    struct tlog_vkey key;
    *out = (struct audit_keys){0};
    if (tlog_vkey_parse(option, &key) == STATUS_OK)
        buffer_append_span(&out->text, option);
    else if (cli_file_read(command, option.data, KEY_FILE_MAX, &out->text) != CLI_OK)
        return false;
    if (read_lines(out))
        return true;
    cli_complain(command,
                 "option --vkey must be a log's verifier key, or a file with some, one a line");
    return false;
}

void audit_keys_release(struct audit_keys *keys) {
    buffer_release(&keys->text);
}

/* ---- checkpoints */

bool audit_checkpoint_check(const struct audit_keys *keys, struct span bytes, const char *name,
                            struct tlog_head *head, struct audit_fault *fault) {
    struct tlog_checkpoint checkpoint;
    if (tlog_checkpoint_parse(bytes, &checkpoint) != STATUS_OK)
        return audit_bad(fault, "%s: it is no checkpoint", name);
    if (!span_equal(checkpoint.origin, keys->trust.origin))
        return audit_bad(fault, "%s: it is of another log, \"%.*s\"", name,
                         SPAN_ARG(checkpoint.origin));
    if (tlog_checkpoint_verify(&checkpoint, &keys->trust) != STATUS_OK)
        return audit_bad(fault, "%s: the log's key has not signed it", name);
    *head = checkpoint.head;
    return true;
}
