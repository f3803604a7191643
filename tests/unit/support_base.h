/* What tests of base and tlog share: cmocka with what it needs, exact comparison of bytes given as
 * hex, and children that are meant to die. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_SUPPORT_BASE_H
#define TESTS_UNIT_SUPPORT_BASE_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/encode.h"
#include "base/mem.h"
#include "base/span.h"

#define UNUSED __attribute__((unused))
#define COUNT(array) (sizeof(array) / sizeof *(array))

#define assert_span(s, text) assert_span_at((s), (text), __FILE__, __LINE__)
UNUSED static void assert_span_at(struct span s, const char *text, const char *file, int line) {
    if (span_is(s, text))
        return;
    print_error("\"%.*s\" is not \"%s\"\n", SPAN_ARG(s), text);
    _fail(file, line);
}

/* bytes are those of the lower-case hex text. */
#define assert_hex(bytes, size, text) assert_hex_at((bytes), (size), (text), __FILE__, __LINE__)
UNUSED static void assert_hex_at(const void *bytes, size_t size, const char *text, const char *file,
                                 int line) {
    char *hex = mem_alloc(2 * size + 1);
    hex[encode_hex(bytes, size, hex)] = '\0';
    bool same = strcmp(hex, text) == 0;
    if (!same)
        print_error("%s is not %s\n", hex, text);
    mem_free(hex);
    if (!same)
        _fail(file, line);
}

/* Runs act in a child, which must end by SIGABRT after a line that has `said` on stderr. */
UNUSED static void assert_aborts(void (*act)(void), const char *said) {
    int ends[2];
    char text[4096];
    size_t size = 0;
    ssize_t got;
    int status;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL); /* cmocka's handler would take it for a failed test */
        dup2(ends[1], STDERR_FILENO);
        act();
        _exit(0);
    }
    close(ends[1]);
    while (size < sizeof text - 1 && (got = read(ends[0], text + size, sizeof text - 1 - size)) > 0)
        size += (size_t)got;
    text[size] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT || strstr(text, said) == NULL)
        fail_msg("status %d, \"%s\" on stderr", status, text);
}

#endif
