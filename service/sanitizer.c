/* What LeakSanitizer must not report: h2o 2.2.5 keeps up to 16 blocks per thread and size for reuse
 * in thread-local lists that it never frees; they are bounded, and lost with their thread. Only
 * builds with ASan ever call these. */
// SPDX-License-Identifier: Apache-2.0
const char *__lsan_default_suppressions(void);
const char *__lsan_default_options(void);

const char *__lsan_default_suppressions(void) {
    return "leak:h2o_mem_alloc_recycle\n";
}

const char *__lsan_default_options(void) {
    return "print_suppressions=0";
}
