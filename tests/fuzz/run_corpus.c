/* Feeds each file of a corpus to a fuzz target, in builds without libFuzzer: what once broke a
 * parser is replayed by every `make test`.
 *
 *   fuzz_auth_token tests/fuzz/corpus/auth_token
 *
 * Each argument is a file or a directory; exits 1 when there is nothing to feed. */
// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Exactly as large as the input, so that the sanitizer sees a byte read past its end. */
static int feed(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(1);
    }
    long size = ftell(file);
    rewind(file);
    uint8_t *data = malloc(size > 0 ? (size_t)size : 1);
    if (data == NULL || fread(data, 1, (size_t)size, file) != (size_t)size) {
        perror(path);
        exit(1);
    }
    fclose(file);
    LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
    return 1;
}

static int is_file(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

static int feed_all(const char *path) {
    struct dirent **entries;
    int fed = 0;
    int count = scandir(path, &entries, is_file, alphasort);
    if (count < 0) {
        return feed(path);
    }
    for (int i = 0; i < count; i++) {
        char *name = NULL;
        if (asprintf(&name, "%s/%s", path, entries[i]->d_name) < 0) {
            exit(1);
        }
        fed += feed_all(name);
        free(name);
        free(entries[i]);
    }
    free(entries);
    return fed;
}

int main(int argc, char **argv) {
    int fed = 0;
    for (int i = 1; i < argc; i++) {
        fed += feed_all(argv[i]);
    }
    printf("%s: %d inputs\n", argv[0], fed);
    return fed > 0 ? 0 : 1;
}
