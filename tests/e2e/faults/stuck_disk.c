/* Preloaded by a test: while the file named by STUCK_DISK exists, what should reach the disk waits,
 * as on a device that hangs, and the file with ".waits" behind its name says so. The program under
 * test is untouched. */
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int fdatasync(int fd) {
    const char *stuck = getenv("STUCK_DISK");
    char waits[4096];
    if (stuck != NULL && access(stuck, F_OK) == 0) {
        snprintf(waits, sizeof waits, "%s.waits", stuck);
        close(open(waits, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    }
    while (stuck != NULL && access(stuck, F_OK) == 0)
        usleep(1000);
    return (int)syscall(SYS_fdatasync, fd);
}
