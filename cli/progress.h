/* How far a long run is, on stderr: about once a second, on a terminal or where it is wanted. One
 * line that is written over on a terminal, else a line each time. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *command;
    uint64_t total;
    uint64_t shown_ms; /* when it was told last */
    bool on, terminal;
};

/* wanted: also where stderr is no terminal. */
void progress_begin(struct progress *progress, const char *command, uint64_t total, bool wanted);
/* `done` entries of the total. */
void progress_step(struct progress *progress, uint64_t done);
/* Leaves the terminal's line to what is said next. */
void progress_end(struct progress *progress);

#endif
