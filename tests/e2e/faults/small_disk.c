/* Preloaded by a test: while the file named by SMALL_DISK exists, no disk has a byte left. */
// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

int statvfs(const char *path, struct statvfs *out) {
    int (*real)(const char *, struct statvfs *) =
        (int (*)(const char *, struct statvfs *))dlsym(RTLD_NEXT, "statvfs");
    int code = real(path, out);
    const char *small = getenv("SMALL_DISK");
    if (code == 0 && small != NULL && access(small, F_OK) == 0)
        out->f_bavail = 0;
    return code;
}
