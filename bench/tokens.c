/* What a token costs: one that is new (parsed, ES256 verified, judged, kept) and one that is known.
 * The verifier is the service's own, without the service around it.
 *
 * tokens DIRECTORY: makes a development issuer there and tokens of it; prints one JSON object with
 * medians over rounds, in nanoseconds of processor time a token. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "auth/auth.h"
#include "auth/dev.h"
#include "base/log.h"

#define ROUNDS 9
#define COUNT 1000 /* the cache has room for them */
#define NOW_S INT64_C(1781524800)

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* others on the machine do not count */
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void fail(const char *why) {
    fprintf(stderr, "tokens: %s\n", why);
    exit(1);
}

/* "Bearer " and a token; no two are alike, since ES256 draws a number for each. */
static struct span mint(const char *directory, struct arena *arena) {
    char why[256];
    struct buffer text = {0};
    const struct auth_dev_request request = {
        .role = SPAN("tenant"),
        .id = SPAN("https://directory.core.pilot.trust.ib1.org/member/28364528/application/1"),
        .member = SPAN("https://directory.core.pilot.trust.ib1.org/member/28364528"),
        .issued_at_s = NOW_S,
        .expires_s = NOW_S + 3600,
    };
    buffer_append_text(&text, "Bearer ");
    if (auth_dev_mint(directory, &request, &text, why, sizeof why) != STATUS_OK)
        fail(why);
    struct span token = arena_copy(arena, buffer_span(&text));
    buffer_release(&text);
    return token;
}

static struct auth_keys *load(const char *directory, struct arena *arena) {
    char why[256];
    struct auth_issuer issuer;
    struct auth_keys *keys = NULL;
    if (auth_dev_create(directory, why, sizeof why) != STATUS_OK ||
        auth_dev_issuer_fill(directory, arena, &issuer) != STATUS_OK ||
        auth_keys_load(&issuer, 1, &keys, why, sizeof why) != STATUS_OK)
        fail(why);
    return keys;
}

/* Nanoseconds a token, over all of them. */
static int64_t present(struct auth_loop *loop, const struct auth_keys *keys,
                       const struct span *tokens, unsigned count) {
    int64_t begun = now_ns();
    for (unsigned i = 0; i < count; i++) {
        const struct auth_credentials credentials = {
            .authorization = tokens[i], .peer = SPAN("192.0.2.1"), .now_ms = NOW_S * 1000};
        struct auth_principal principal;
        struct auth_refusal refusal;
        if (auth_verify(loop, keys, &credentials, &principal, &refusal) != STATUS_OK)
            fail(refusal.why);
    }
    return (now_ns() - begun) / count;
}

static int compare(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv) {
    if (argc < 2)
        fail("which directory?");
    struct arena arena = {0};
    int64_t fresh[ROUNDS], known[ROUNDS];
    struct auth_keys *keys = load(argv[1], &arena);
    struct span *tokens = arena_array(&arena, COUNT, sizeof *tokens);
    for (unsigned i = 0; i < COUNT; i++)
        tokens[i] = mint(argv[1], &arena);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct auth_loop *loop = auth_loop_new(); /* which knows none of them */
        fresh[round] = present(loop, keys, tokens, COUNT);
        known[round] = present(loop, keys, tokens, COUNT);
        auth_loop_free(loop);
    }
    qsort(fresh, ROUNDS, sizeof *fresh, compare);
    qsort(known, ROUNDS, sizeof *known, compare);
    printf("{\"tokens\":%u,\"bytes\":%zu,\"fresh_ns\":%lld,\"known_ns\":%lld}\n", COUNT,
           tokens[0].size, (long long)fresh[ROUNDS / 2], (long long)known[ROUNDS / 2]);
    auth_keys_free(keys);
    arena_release(&arena);
    return 0;
}
