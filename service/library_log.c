/* stdio's stderr as a source of log lines. */
// SPDX-License-Identifier: Apache-2.0
#include "service/library_log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

#define LINES_PER_SECOND 10

static FILE *saved;
static _Atomic(int64_t) current_second;
static _Atomic(int) lines_in_second;

static bool allowed(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (atomic_exchange(&current_second, now.tv_sec) != now.tv_sec)
        atomic_store(&lines_in_second, 0);
    return atomic_fetch_add(&lines_in_second, 1) < LINES_PER_SECOND;
}

static ssize_t take(void *cookie, const char *text, size_t size) {
    struct span line = {text, size};
    (void)cookie;
    /* h2o's last words before it aborts: there will be no logger to pass them on. */
    if (span_starts(line, SPAN("fatal:")))
        return write(STDERR_FILENO, text, size);
    while (line.size != 0 && line.data[line.size - 1] == '\n')
        line.size--;
    if (line.size != 0 && allowed())
        log_event(LOG_WARN, "library.message", LOG_SPAN("text", line));
    return (ssize_t)size;
}

void library_log_start(void) {
    FILE *stream = fopencookie(NULL, "w", (cookie_io_functions_t){.write = take});
    ASSERT(stream != NULL);
    setvbuf(stream, NULL, _IOLBF, 1024);
    saved = stderr;
    stderr = stream;
}

void library_log_stop(void) {
    FILE *stream = stderr;
    stderr = saved;
    fclose(stream);
}
