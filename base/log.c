/* Log lines and always-on assertions. */
// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/json_out.h"

#define LINE_USUAL 512 /* bytes of a line, in one allocation */

struct sink {
    log_sink *write;
    void *context;
};

static struct sink sink;
static _Atomic(int) least_level = LOG_INFO;

void log_set_sink(log_sink *write_line, void *context) {
    sink = (struct sink){write_line, context};
}

void log_set_level(enum log_level least) {
    atomic_store(&least_level, (int)least);
}

static void put_text(struct json_out *out, struct span text) {
    if (encode_utf8_valid(text)) {
        json_out_string(out, text);
        return;
    }
    struct buffer clean = {0};
    buffer_append_span(&clean, text);
    for (size_t i = 0; i < clean.size; i++)
        if ((unsigned char)clean.data[i] >= 0x80 || clean.data[i] == '\0')
            clean.data[i] = '?';
    json_out_string(out, buffer_span(&clean));
    buffer_release(&clean);
}

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void log_write(enum log_level level, const char *event, const struct log_field *fields) {
    static const char *const names[] = {"debug", "info", "warn", "error"};
    if ((int)level < atomic_load(&least_level))
        return;
    struct buffer line = {0};
    struct json_out out = json_out_to(&line);
    (void)buffer_reserve(&line, LINE_USUAL);
    json_out_object_begin(&out);
    json_out_member_time(&out, "time", now_ms());
    json_out_member(&out, "level", span_of_text(names[level]));
    json_out_member(&out, "event", span_of_text(event));
    for (; fields->key != NULL; fields++) {
        json_out_key(&out, fields->key);
        if (span_present(fields->text))
            put_text(&out, fields->text);
        else
            json_out_int(&out, fields->number);
    }
    json_out_object_end(&out);
    buffer_append(&line, "\n", 1);
    if (sink.write != NULL)
        sink.write(sink.context, line.data, line.size);
    else
        while (write(STDERR_FILENO, line.data, line.size) < 0 && errno == EINTR)
            ;
    buffer_release(&line);
}

_Noreturn void log_abort(const char *condition, const char *file, int line) {
    char text[512];
    int size = snprintf(text, sizeof text,
                        "{\"level\":\"error\",\"event\":\"assertion\",\"file\":\"%s\",\"line\":%d,"
                        "\"condition\":\"",
                        file, line);
    size = size < (int)sizeof text / 2 ? size : (int)sizeof text / 2;
    /* No allocation here: memory may be what failed. The condition's quotes are not for JSON. */
    for (; *condition != '\0' && size < (int)sizeof text - 8; condition++)
        text[size++] = *condition == '"' || *condition == '\\' ? '\'' : *condition;
    memcpy(text + size, "\"}\n", 3);
    (void)!write(STDERR_FILENO, text, (size_t)size + 3);
    abort();
}
