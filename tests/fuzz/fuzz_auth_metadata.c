/* Any bytes as what the server of an issuer says: its metadata, the Cache-Control of its answer,
 * and the URL that it names. Whatever comes out is text of the input and a time within bounds. */
// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>
#include <stdio.h>

#include "auth/auth.h"
#include "base/log.h"
#include "base/mem.h"
#include "service/key_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ISSUER "https://as.example/realm"

static void read_metadata(struct span text) {
    struct arena arena = {0};
    struct span uri = SPAN_NONE;
    const char *why = NULL;
    if (auth_metadata_read(text, SPAN(ISSUER), &arena, &uri, &why) == STATUS_OK) {
        ASSERT(span_present(uri) && uri.size <= text.size && why == NULL);
        bool allowed = key_url_allowed(uri, false);
        ASSERT(!allowed || (key_url_allowed(uri, true) && uri.size <= LIMIT_URL));
    } else {
        ASSERT(why != NULL && !span_present(uri));
    }
    arena_release(&arena);
}

/* The text as an issuer's URL has its metadata at the two places, if it may be asked at all. */
static void read_issuer(struct span text) {
    char first[KEY_METADATA_URL_MAX];
    char second[KEY_METADATA_URL_MAX];
    const struct key_source source = {.issuer = text};
    if (!key_url_allowed(text, true))
        return;
    key_source_metadata_url(&source, false, first);
    key_source_metadata_url(&source, true, second);
    ASSERT(strlen(first) < sizeof first - 1 && strlen(second) < sizeof second - 1);
    ASSERT(strstr(first, "/.well-known/") != NULL && strstr(second, "/.well-known/") != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = span_of((const char *)data, size);
    struct fetch fetch = {.status = 200};
    struct key_source source = {0};
    int64_t seconds = key_freshness_s(text);
    ASSERT(seconds >= -1 && seconds <= INT32_MAX);
    if (size < sizeof fetch.cache_control && memchr(data, '\0', size) == NULL) {
        memcpy(fetch.cache_control, data, size);
        key_source_settle(&source, KEY_CHANGED, &fetch, 0);
        ASSERT(source.due_us >= KEY_REUSE_MIN_S * INT64_C(1000000) &&
               source.due_us <= KEY_REUSE_MAX_S * INT64_C(1000000));
    }
    read_metadata(text);
    read_issuer(text);
    return 0;
}
