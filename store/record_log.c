/* The rows of the log, byte by byte: leaf with filter columns, payload heads, steps. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "store/key.h"
#include "store/record.h"

size_t record_step_encode(const struct record_step *step, unsigned char out[RECORD_STEP_MAX]) {
    out[0] = RECORD_VERSION;
    out[1] = (unsigned char)step->code;
    out[2] = (unsigned char)step->by;
    key_put_u32(out + 3, step->reason);
    key_put_u64(out + 7, (uint64_t)step->status_at);
    if (step->code != STORE_CONSENT_TOKEN_ADDED)
        return RECORD_STEP_SIZE;
    memcpy(out + RECORD_STEP_SIZE, step->token.digest.bytes, DIGEST_SIZE);
    key_put_u64(out + RECORD_STEP_SIZE + DIGEST_SIZE, (uint64_t)step->token.issued_at);
    key_put_u64(out + RECORD_STEP_SIZE + DIGEST_SIZE + 8, (uint64_t)step->token.expires);
    return RECORD_STEP_MAX;
}

enum status record_step_decode(struct span value, struct record_step *out) {
    if (value.size < RECORD_STEP_SIZE || value.data[0] != RECORD_VERSION)
        return STATUS_INTERNAL;
    struct record_step step = {.code = (unsigned char)value.data[1],
                               .by = (unsigned char)value.data[2],
                               .reason = key_get_u32(value.data + 3),
                               .status_at = (int64_t)key_get_u64(value.data + 7)};
    bool token = step.code == STORE_CONSENT_TOKEN_ADDED;
    if (value.size != (token ? RECORD_STEP_MAX : RECORD_STEP_SIZE))
        return STATUS_INTERNAL;
    if (token) {
        const char *at = value.data + RECORD_STEP_SIZE;
        memcpy(step.token.digest.bytes, at, DIGEST_SIZE);
        step.token.issued_at = (int64_t)key_get_u64(at + DIGEST_SIZE);
        step.token.expires = (int64_t)key_get_u64(at + DIGEST_SIZE + 8);
    }
    *out = step;
    return STATUS_OK;
}

void record_leaf_encode(const struct store_event *event, unsigned char out[RECORD_LEAF_SIZE]) {
    memcpy(out, event->leaf.data, STORE_LEAF_SIZE);
    unsigned char *columns = out + STORE_LEAF_SIZE;
    columns[0] = RECORD_VERSION;
    columns[1] = (unsigned char)event->code;
    columns[2] = (unsigned char)event->role;
    key_put_u64(columns + 3, (uint64_t)event->at);
    key_put_u32(columns + 11, event->tenant);
    key_put_u32(columns + 15, event->provider);
    key_put_u32(columns + 19, event->client);
    key_put_u32(columns + 23, event->license);
    key_put_u32(columns + 27, event->actor);
    key_put_u32(columns + 31, event->reason);
    key_put_u64(columns + 35, event->consent);
    key_put_u64(columns + 43, event->purposes);
}

enum status record_leaf_decode(uint64_t index, struct span value, struct store_event *out) {
    const char *columns = value.data + STORE_LEAF_SIZE;
    if (value.size != RECORD_LEAF_SIZE || columns[0] != RECORD_VERSION)
        return STATUS_INTERNAL;
    *out = (struct store_event){.index = index, .leaf = span_of(value.data, STORE_LEAF_SIZE)};
    out->code = (unsigned char)columns[1];
    out->role = (unsigned char)columns[2];
    out->at = (int64_t)key_get_u64(columns + 3);
    out->tenant = key_get_u32(columns + 11);
    out->provider = key_get_u32(columns + 15);
    out->client = key_get_u32(columns + 19);
    out->license = key_get_u32(columns + 23);
    out->actor = key_get_u32(columns + 27);
    out->reason = key_get_u32(columns + 31);
    out->consent = key_get_u64(columns + 35);
    out->purposes = key_get_u64(columns + 43);
    return STATUS_OK;
}

void record_payload_head(const unsigned char salt[STORE_SALT_SIZE],
                         const struct record_marks *marks, unsigned char out[RECORD_PAYLOAD_HEAD]) {
    memcpy(out, salt, STORE_SALT_SIZE);
    key_put_u16(out + STORE_SALT_SIZE, marks->first_at);
    key_put_u16(out + STORE_SALT_SIZE + 2, marks->first_size);
    key_put_u16(out + STORE_SALT_SIZE + 4, marks->second_at);
    key_put_u16(out + STORE_SALT_SIZE + 6, marks->second_size);
}

static bool mark(struct span bytes, const char *at, struct span *out) {
    size_t offset = key_get_u16(at), size = key_get_u16(at + 2);
    if (offset + size > bytes.size)
        return false;
    *out = span_of(bytes.data + offset, size);
    return true;
}

enum status record_payload_decode(struct span value, struct record_payload *out) {
    if (value.size < RECORD_PAYLOAD_HEAD)
        return STATUS_INTERNAL;
    struct record_payload p = {.salt = span_of(value.data, STORE_SALT_SIZE)};
    p.bytes = span_of(value.data + RECORD_PAYLOAD_HEAD, value.size - RECORD_PAYLOAD_HEAD);
    if (!mark(p.bytes, value.data + STORE_SALT_SIZE, &p.first) ||
        !mark(p.bytes, value.data + STORE_SALT_SIZE + 4, &p.second))
        return STATUS_INTERNAL;
    *out = p;
    return STATUS_OK;
}
