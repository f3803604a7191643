/* Addresses to listen on, and the command line. */
// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "service/listener.h"
#include "service/options.h"

static void an_address_is_a_host_and_a_port(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool loopback;
    } good[] = {
        {"127.0.0.1:8080", true}, {"127.9.9.9:1", true},          {"localhost:0", true},
        {"[::1]:80", true},       {"0.0.0.0:80", false},          {"[::]:65535", false},
        {"192.0.2.1:1", false},   {"[::ffff:127.0.0.1]:1", true},
    };
    static const char *const bad[] = {
        "",       ":80",          "127.0.0.1",       "127.0.0.1:",    "127.0.0.1:65536",
        "::1:80", "127.0.0.1:8x", "example.com:80",  "[::1:80",       "127.0.0.1:-1",
        "*:80",   "[]:80",        "127.0.0.1:80:80", "127.0.0.1 :80", "127.0.0.1:000080",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        bool loopback = !good[i].loopback;
        if (listener_check(span_of_text(good[i].text), &loopback) != STATUS_OK)
            fail_msg("%s", good[i].text);
        assert_int_equal(loopback, good[i].loopback);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bool loopback;
        if (listener_check(span_of_text(bad[i]), &loopback) == STATUS_OK)
            fail_msg("%s", bad[i]);
    }
}

static void port_0_tells_which_port_it_became(void **state) {
    (void)state;
    struct listener first, second;
    char why[256];
    unsigned port;
    assert_int_equal(listener_open(SPAN("127.0.0.1:0"), &first, why, sizeof why), STATUS_OK);
    assert_true(first.loopback);
    assert_int_equal(sscanf(first.address, "127.0.0.1:%u", &port), 1);
    assert_true(port > 0);
    assert_int_equal(listener_open(span_of_text(first.address), &second, why, sizeof why),
                     STATUS_INTERNAL);
    assert_non_null(strstr(why, first.address));
    listener_close(&first);
}

/* Sockets passed by a service manager begin at descriptor 3. */
static void inherited_sockets_are_taken_when_they_are_meant_for_us(void **state) {
    (void)state;
    struct listener taken[4];
    uint32_t count = 9;
    char why[256], pid[32];
    snprintf(pid, sizeof pid, "%ld", (long)getpid() + 1);
    setenv("LISTEN_FDS", "1", 1);
    setenv("LISTEN_PID", pid, 1);
    assert_int_equal(listener_inherit(taken, 4, &count, why, sizeof why), STATUS_OK);
    assert_int_equal(count, 0);

    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    setenv("LISTEN_PID", pid, 1);
    int saved = dup(3), ends[2];
    struct listener made;
    assert_int_equal(listener_open(SPAN("127.0.0.1:0"), &made, why, sizeof why), STATUS_OK);
    assert_int_equal(dup2(made.fd, 3), 3);
    assert_int_equal(listener_inherit(taken, 4, &count, why, sizeof why), STATUS_OK);
    assert_int_equal(count, 1);
    assert_string_equal(taken[0].address, made.address);

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[0], 3), 3);
    assert_int_equal(listener_inherit(taken, 4, &count, why, sizeof why), STATUS_INVALID_PARAMETER);
    setenv("LISTEN_FDS", "5", 1);
    assert_int_equal(listener_inherit(taken, 4, &count, why, sizeof why), STATUS_INVALID_PARAMETER);
    close(ends[0]);
    close(ends[1]);
    if (made.fd != 3)
        listener_close(&made);
    if (saved >= 0)
        dup2(saved, 3);
    else
        close(3);
    close(saved);
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
}

static enum options_action parse(struct options *out, const char *one, const char *two,
                                 const char *three) {
    char name[] = "consentd";
    char copies[3][64];
    char *arguments[5] = {name, NULL};
    const char *given[] = {one, two, three};
    int count = 1;
    for (int i = 0; i < 3 && given[i] != NULL; i++) {
        snprintf(copies[i], sizeof copies[i], "%s", given[i]);
        arguments[count++] = copies[i];
    }
    return options_parse(count, arguments, out);
}

static void options_choose_what_to_do(void **state) {
    (void)state;
    struct options options;
    assert_int_equal(parse(&options, NULL, NULL, NULL), OPTIONS_SERVE);
    assert_int_equal(parse(&options, "--help", NULL, NULL), OPTIONS_HELP);
    assert_int_equal(parse(&options, "--version", NULL, NULL), OPTIONS_VERSION);
    assert_int_equal(parse(&options, "--check-config", NULL, NULL), OPTIONS_CHECK);
    assert_int_equal(parse(&options, "--clock", "2026-03-12T00:00Z", "--dev"), OPTIONS_SERVE);
    assert_true(options.service.source.dev);
    assert_int_equal(parse(&options, "--create", "--insecure-http", NULL), OPTIONS_SERVE);
    assert_true(options.service.create);
    assert_int_equal(options.service.source.override_count, 1);
    assert_string_equal(options.overrides[0].key, "insecureHttp");
}

static void a_repeated_option_counts_once_and_last(void **state) {
    (void)state;
    struct options options;
    assert_int_equal(parse(&options, "--data=a", "--data=b", "--pack=c"), OPTIONS_SERVE);
    assert_int_equal(options.service.source.override_count, 2);
    assert_string_equal(options.overrides[0].key, "data");
    assert_string_equal(options.overrides[1].key, "pack");
}

static void the_clock_is_injected_in_development_only(void **state) {
    (void)state;
    struct options options;
    assert_int_equal(parse(&options, "--clock", "2026-03-12T00:00Z", NULL), OPTIONS_WRONG);
    assert_int_equal(parse(&options, "file", NULL, NULL), OPTIONS_WRONG);
    assert_int_equal(parse(&options, "--nonsense", NULL, NULL), OPTIONS_WRONG);
    assert_int_equal(parse(&options, "--data", NULL, NULL), OPTIONS_WRONG);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_a_host_and_a_port),
        cmocka_unit_test(port_0_tells_which_port_it_became),
        cmocka_unit_test(inherited_sockets_are_taken_when_they_are_meant_for_us),
        cmocka_unit_test(options_choose_what_to_do),
        cmocka_unit_test(a_repeated_option_counts_once_and_last),
        cmocka_unit_test(the_clock_is_injected_in_development_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
