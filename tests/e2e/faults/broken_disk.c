/* Preloaded by a test: once the file named by BROKEN_DISK exists, nothing reaches the disk any
 * more: fdatasync fails with EIO, as on a device that died. The program under test is untouched. */
// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int fdatasync(int fd) {
    const char *broken = getenv("BROKEN_DISK");
    if (broken != NULL && access(broken, F_OK) == 0) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}
