/* Progress on stderr; see progress.h. */
// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define EVERY_MS 1000

static uint64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void tell(struct progress *progress, uint64_t done) {
    double part = progress->total != 0 ? 100.0 * (double)done / (double)progress->total : 100.0;
    fprintf(stderr, "%sconsentctl %s: %llu of %llu entries, %.0f %%%s",
            progress->terminal ? "\r" : "", progress->command, (unsigned long long)done,
            (unsigned long long)progress->total, part, progress->terminal ? "" : "\n");
    fflush(stderr);
}

void progress_begin(struct progress *progress, const char *command, uint64_t total, bool wanted) {
    bool terminal = isatty(STDERR_FILENO) == 1;
    *progress = (struct progress){command, total, now_ms(), wanted || terminal, terminal};
    if (wanted)
        tell(progress, 0);
}

void progress_step(struct progress *progress, uint64_t done) {
    if (!progress->on)
        return;
    uint64_t now = now_ms();
    if (now - progress->shown_ms >= EVERY_MS) {
        progress->shown_ms = now;
        tell(progress, done);
    }
}

void progress_end(struct progress *progress) {
    if (progress->on && progress->terminal)
        fputs("\r\33[K", stderr);
    progress->on = false;
}
