/* Files that a command is asked to read, and the packs in them. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_FILE_H
#define CLI_FILE_H

#include "base/mem.h"
#include "cli/command.h"
#include "policy/pack.h"

/* Appends the whole file to out. CLI_USAGE after a sentence on stderr when it cannot be read or has
 * more than max bytes. */
enum cli_exit cli_file_read(const char *command, const char *path, size_t max, struct buffer *out);
/* The pack in a file. CLI_USAGE as above; CLI_FAILED after a sentence with the place and the cause
 * when it is not valid. Caller frees with policy_pack_free. */
enum cli_exit cli_pack_read(const char *command, const char *path, struct policy_pack **out);
/* The pack in bytes that came from path. */
enum cli_exit cli_pack_load(const char *command, const char *path, struct span bytes,
                            struct policy_pack **out);
/* What was printed must have arrived: CLI_FAILED after a sentence when it has not, else ended. */
enum cli_exit cli_finish(const char *command, enum cli_exit ended);

#endif
