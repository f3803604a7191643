/* Addresses and networks of configured peers. */
// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>

#include "service/network.h"

static struct network_address address_of(const char *text) {
    struct sockaddr_storage storage = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)&storage;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)&storage;
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
        v4->sin_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1)
        v6->sin6_family = AF_INET6;
    return network_address_of(&storage);
}

static const struct {
    const char *network, *inside, *outside;
} good[] = {
    {"127.0.0.1", "127.0.0.1", "127.0.0.2"},
    {"127.0.0.1", "::ffff:127.0.0.1", "::1"},
    {"127.0.0.1/32", "127.0.0.1", "127.0.0.0"},
    {"10.0.0.0/8", "10.255.255.255", "11.0.0.0"},
    {"10.32.0.0/11", "10.63.1.1", "10.64.0.0"},
    {"10.32.0.0/11", "10.32.0.0", "10.31.255.255"},
    {"192.0.2.128/25", "192.0.2.255", "192.0.2.127"},
    {"0.0.0.0/0", "255.1.2.3", "2001:db8::1"},
    {"::/0", "2001:db8::1", NULL},
    {"::1", "::1", "::2"},
    {"fd00::/8", "fdff::1", "fe00::1"},
    {"2001:db8::/33", "2001:db8:7fff::", "2001:db8:8000::"},
    {"::ffff:10.0.0.0/104", "10.1.2.3", "11.0.0.0"},
};

static void a_network_has_what_begins_like_it(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct network network;
        print_message("%s\n", good[i].network);
        assert_true(network_parse(span_of_text(good[i].network), &network));
        struct network_address inside = address_of(good[i].inside);
        assert_true(network_has(&network, &inside));
        if (good[i].outside == NULL)
            continue;
        struct network_address outside = address_of(good[i].outside);
        assert_false(network_has(&network, &outside));
    }
}

static void what_is_no_network_is_refused(void **state) {
    static const char *const bad[] = {
        "",          "localhost",   "10.0.0.0/33", "10.0.0.0/",        "10.0.0.0/08",
        "10.0.0/8",  "10.0.0.1/8",  "10.0.0.0/-1", "10.0.0.0/8/8",     "10.0.0.0/1000",
        "fd00::1/8", "::/129",      "[::1]",       "127.0.0.1:80",     " 127.0.0.1",
        "*",         "10.0.0.0/8 ", "fd00::%eth0", "10.0.0.0/0000008",
    };
    struct network network;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (network_parse(span_of_text(bad[i]), &network))
            fail_msg("%s", bad[i]);
    assert_false(network_parse(SPAN("127.0.0.1\0"), &network));
    assert_false(network_parse(SPAN_NONE, &network));
}

static void a_local_socket_is_no_peer(void **state) {
    struct sockaddr_storage storage = {.ss_family = AF_UNIX};
    struct network_address none = network_address_of(&storage);
    struct network loopback;
    (void)state;
    assert_true(network_parse(SPAN("127.0.0.0/8"), &loopback));
    assert_false(network_has(&loopback, &none));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_network_has_what_begins_like_it),
        cmocka_unit_test(what_is_no_network_is_refused),
        cmocka_unit_test(a_local_socket_is_no_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
