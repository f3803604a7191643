/* When and where to ask for the keys of an issuer, and what an answer is worth. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "service/key_source.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <strings.h>

#include "base/encode.h"

#define SECOND_US INT64_C(1000000)
#define HTTPS SPAN("https://")
#define HTTP SPAN("http://")

/* ---- where */

/* What stands between scheme and path. */
static struct span authority_of(struct span url, struct span scheme) {
    size_t end = scheme.size;
    while (end < url.size && url.data[end] != '/' && url.data[end] != '?' && url.data[end] != '#')
        end++;
    return span_of(url.data + scheme.size, end - scheme.size);
}

static bool is_loopback(struct span authority) {
    char host[64];
    struct in_addr address;
    const char *colon = authority.size != 0 ? memchr(authority.data, ':', authority.size) : NULL;
    if (span_is(authority, "[::1]") || span_starts(authority, SPAN("[::1]:")))
        return true;
    size_t size = colon != NULL ? (size_t)(colon - authority.data) : authority.size;
    if (size >= sizeof host)
        return false;
    memcpy(host, authority.data, size);
    host[size] = '\0';
    return strcasecmp(host, "localhost") == 0 ||
           (inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127);
}

bool key_url_allowed(struct span text, bool insecure_http) {
    bool https = span_starts(text, HTTPS);
    if (text.size > LIMIT_URL || (!https && !span_starts(text, HTTP)))
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] <= ' ' || text.data[i] >= '\x7f' || text.data[i] == '#')
            return false;
    struct span authority = authority_of(text, https ? HTTPS : HTTP);
    if (authority.size == 0 || memchr(authority.data, '@', authority.size) != NULL)
        return false;
    return https || insecure_http || is_loopback(authority);
}

bool key_source_remote(const struct key_source *source) {
    return source->url != NULL || source->discovery;
}

static bool same_text(const char *a, const char *b) {
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool key_source_equal(const struct key_source *a, const struct key_source *b) {
    return span_equal(a->issuer, b->issuer) && same_text(a->url, b->url) &&
           same_text(a->ca_file, b->ca_file) && a->discovery == b->discovery &&
           a->insecure_http == b->insecure_http && a->allow_rs256 == b->allow_rs256;
}

void key_source_metadata_url(const struct key_source *source, bool second,
                             char out[KEY_METADATA_URL_MAX]) {
    struct span issuer = source->issuer;
    bool https = span_starts(issuer, HTTPS);
    struct span authority = authority_of(issuer, https ? HTTPS : HTTP);
    size_t head = (size_t)(authority.data + authority.size - issuer.data);
    struct span path = span_of(issuer.data + head, issuer.size - head);
    if (path.size != 0 && path.data[path.size - 1] == '/')
        path.size--;
    if (second)
        snprintf(out, KEY_METADATA_URL_MAX, "%.*s%.*s/.well-known/openid-configuration", (int)head,
                 issuer.data, SPAN_ARG(path));
    else
        snprintf(out, KEY_METADATA_URL_MAX, "%.*s/.well-known/oauth-authorization-server%.*s",
                 (int)head, issuer.data, SPAN_ARG(path));
}

/* ---- when */

int64_t key_source_due(const struct key_source *source, int64_t cooldown_us) {
    int64_t wanted_us = source->tried_us + cooldown_us;
    return source->wanted && wanted_us < source->due_us ? wanted_us : source->due_us;
}

/* One directive of Cache-Control, without the spaces around it. */
static struct span next_directive(struct span *rest) {
    const char *comma = rest->size != 0 ? memchr(rest->data, ',', rest->size) : NULL;
    size_t size = comma != NULL ? (size_t)(comma - rest->data) : rest->size;
    struct span one = span_of(rest->data, size);
    *rest = comma != NULL ? span_of(comma + 1, rest->size - size - 1) : span_of(rest->data, 0);
    while (one.size != 0 && (one.data[0] == ' ' || one.data[0] == '\t'))
        one = span_of(one.data + 1, one.size - 1);
    while (one.size != 0 && (one.data[one.size - 1] == ' ' || one.data[one.size - 1] == '\t'))
        one.size--;
    return one;
}

static bool is_named(struct span directive, const char *name) {
    size_t size = strlen(name);
    return directive.size >= size && strncasecmp(directive.data, name, size) == 0;
}

int64_t key_freshness_s(struct span cache_control) {
    int64_t seconds = -1;
    while (cache_control.size != 0) {
        struct span one = next_directive(&cache_control);
        uint64_t age;
        if (is_named(one, "no-store") || is_named(one, "no-cache"))
            return 0;
        if (!is_named(one, "max-age="))
            continue;
        if (decode_decimal(span_of(one.data + 8, one.size - 8), &age) == STATUS_OK)
            seconds = age > INT32_MAX ? INT32_MAX : (int64_t)age;
    }
    return seconds;
}

static int64_t reuse_s(const struct fetch *fetch) {
    int64_t seconds = key_freshness_s(span_of_text(fetch->cache_control));
    if (seconds < 0)
        return KEY_REUSE_S;
    return seconds < KEY_REUSE_MIN_S   ? KEY_REUSE_MIN_S
           : seconds > KEY_REUSE_MAX_S ? KEY_REUSE_MAX_S
                                       : seconds;
}

static int64_t retry_s(unsigned failures) {
    int64_t seconds = KEY_RETRY_S;
    while (failures-- > 1 && seconds < KEY_RETRY_MAX_S)
        seconds *= 2;
    return seconds < KEY_RETRY_MAX_S ? seconds : KEY_RETRY_MAX_S;
}

/* ---- what came */

const char *key_outcome_name(enum key_outcome outcome) {
    static const char *const names[] = {"changed", "same", "failed"};
    return names[outcome];
}

enum key_outcome key_source_judge(const struct key_source *source, const struct fetch *fetch,
                                  const char **why) {
    *why = NULL;
    if (fetch->status == 304 && source->known && source->etag[0] != '\0')
        return KEY_SAME;
    if (fetch->status != 200) {
        *why = fetch->status == 0 ? fetch->failure : "it answered with another status than 200";
        return KEY_FAILED;
    }
    struct digest digest = digest_sha256(buffer_span(&fetch->answer));
    return source->known && digest_equal(&digest, &source->digest) ? KEY_SAME : KEY_CHANGED;
}

void key_source_settle(struct key_source *source, enum key_outcome outcome,
                       const struct fetch *fetch, int64_t now_us) {
    source->tried_us = now_us;
    source->wanted = false;
    if (outcome == KEY_FAILED) {
        source->failures++;
        source->due_us = now_us + retry_s(source->failures) * SECOND_US;
        return;
    }
    source->failures = 0;
    source->due_us = now_us + reuse_s(fetch) * SECOND_US;
    if (fetch->status != 200)
        return;
    source->known = true;
    source->digest = digest_sha256(buffer_span(&fetch->answer));
    memcpy(source->etag, fetch->etag, sizeof source->etag);
}
