/* The options that name a log; see audit_where.h. */
// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_where.h"

#include "base/limits.h"
#include "base/log.h"
#include "cli/file.h"

#define TIMEOUT_S 60

static bool is_space(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool read_token(const char *command, struct audit_where *out) {
    struct buffer *text = &out->secret;
    const char *path = span_is(out->token, "-") ? "/dev/stdin" : out->token.data;
    if (cli_file_read(command, path, LIMIT_TOKEN, text) != CLI_OK)
        return false;
    while (text->size != 0 && is_space(text->data[text->size - 1]))
        text->size--;
    bool good = text->size != 0;
    for (size_t i = 0; i < text->size; i++)
        good = good && text->data[i] > ' ' && text->data[i] < 127;
    if (!good)
        cli_complain(command, "option --token must name a file that holds a token");
    return good;
}

static bool check(const char *command, struct audit_where *out) {
    struct span place = span_of_text(out->place);
    if (out->place == NULL) {
        cli_complain(command, "a URL or a directory is missing; see consentctl %s --help", command);
        return false;
    }
    out->is_url = span_starts(place, SPAN("http://")) || span_starts(place, SPAN("https://"));
    out->timeout_s = TIMEOUT_S;
    if (span_present(out->timeout) && !cli_seconds_read(out->timeout, &out->timeout_s)) {
        cli_complain(command, "option --timeout must be a time like 90s, 30m, 1h or 7d");
        return false;
    }
    return !span_present(out->token) || read_token(command, out);
}

bool audit_where_read(const char *command, int argc, char **argv, const struct cli_option *more,
                      struct audit_where *out) {
    struct cli_option options[AUDIT_OPTIONS_MAX] = {
        {"vkey", true, &out->vkey},
        {"token", false, &out->token},
        {"timeout", false, &out->timeout},
        {"ca-file", false, &out->ca_file},
    };
    size_t count = 4;
    for (; more->name != NULL; more++) {
        ASSERT(count < AUDIT_OPTIONS_MAX);
        options[count++] = *more;
    }
    out->place = cli_operand_take(&argc, argv);
    return cli_options_read(command, argc, argv, options, count) && check(command, out);
}

struct audit_source *audit_where_open(const struct audit_where *where, uint64_t after,
                                      struct audit_fault *fault) {
    const struct audit_http_options options = {
        .url = where->place,
        .token = span_present(where->token) ? buffer_span(&where->secret) : SPAN_NONE,
        .tenant = where->tenant,
        .after = after,
        .timeout_s = (long)where->timeout_s,
        .ca_file = span_present(where->ca_file) ? where->ca_file.data : NULL,
    };
    return where->is_url ? audit_http_open(&options, fault)
                         : audit_directory_open(where->place, fault);
}

void audit_where_release(struct audit_where *where) {
    if (where->secret.data != NULL)
        memset(where->secret.data, 0, where->secret.capacity);
    buffer_release(&where->secret);
}
