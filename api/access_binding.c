/* A binding token is the time when it ends, 8 bytes, and a MAC over that time, the licence and the
 * question in the form in which the log would keep it: two requests that differ only in what no
 * decision looks at have the same. Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/access_binding.h"

#include "api/access_record.h"
#include "api/json_in.h"
#include "base/encode.h"
#include "base/log.h"

#define TIME_SIZE 8
#define SEALED_SIZE (TIME_SIZE + MAC16_SIZE)

/* An onward recipient can be named only where the licence knows one. */
static bool may_answer(const struct policy_license *license, const struct policy_request *ask,
                       int64_t now) {
    if (span_present(ask->license) && !span_equal(ask->license, license->url))
        return false;
    return now >= license->available_from && now <= license->deprecated_after &&
           (!ask->has_onward || license->onward_max != 0) &&
           (!ask->has_purpose ||
            (ask->purpose >= 0 && (license->purposes >> ask->purpose & 1U) != 0)) &&
           !ask->unknown_permission && (ask->permissions & ~license->permissions) == 0;
}

const struct policy_license *api_access_requestable(const struct policy_pack *pack,
                                                    const struct store_question *question,
                                                    int64_t now) {
    if (question->about != STORE_ABOUT_ACCOUNT || question->ask.resource_id.size == 0 ||
        !api_json_is_url(question->client))
        return NULL; /* a new consent would have another id, or cannot be for these */
    for (uint32_t i = 0; i < policy_pack_license_count(pack); i++)
        if (may_answer(policy_pack_license(pack, i), &question->ask, now))
            return policy_pack_license(pack, i);
    return NULL;
}

static struct mac16 mac_of(const struct api_binding *b, const unsigned char time[TIME_SIZE]) {
    struct arena arena = {0};
    struct store_inquiry inquiry = {.question = *b->question};
    api_access_record_write(b->pack, &arena, &inquiry);
    struct span parts[] = {SPAN("access request"), span_of((const char *)time, TIME_SIZE),
                           b->license->url, inquiry.request_json, inquiry.personal_json};
    struct mac16 mac = store_mac16(b->store, parts, sizeof parts / sizeof *parts);
    arena_release(&arena);
    return mac;
}

void api_access_binding_seal(const struct api_binding *b, int64_t expires,
                             char out[API_BINDING_SIZE + 1]) {
    unsigned char sealed[SEALED_SIZE];
    for (int i = 0; i < TIME_SIZE; i++)
        sealed[i] = (unsigned char)((uint64_t)expires >> (8 * i));
    struct mac16 mac = mac_of(b, sealed);
    memcpy(sealed + TIME_SIZE, mac.bytes, MAC16_SIZE);
    size_t written = encode_base64url(sealed, sizeof sealed, out);
    ASSERT(written == API_BINDING_SIZE);
    out[written] = '\0';
}

/* Compared in constant time: what differs where must not show. */
static bool same_mac(const unsigned char *a, const unsigned char *b) {
    unsigned char differs = 0;
    for (int i = 0; i < MAC16_SIZE; i++)
        differs |= a[i] ^ b[i];
    return differs == 0;
}

bool api_access_binding_open(const struct api_binding *b, struct span text, int64_t *expires) {
    unsigned char sealed[SEALED_SIZE];
    size_t size;
    uint64_t time = 0;
    if (decode_base64url(text, sealed, sizeof sealed, &size) != STATUS_OK || size != SEALED_SIZE)
        return false;
    struct mac16 mac = mac_of(b, sealed);
    if (!same_mac(mac.bytes, sealed + TIME_SIZE))
        return false;
    for (int i = 0; i < TIME_SIZE; i++)
        time |= (uint64_t)sealed[i] << (8 * i);
    *expires = (int64_t)time;
    return true;
}
