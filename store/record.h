/* Records: how a consent's header and the log's rows look on disk. Encoding and decoding are pure;
 * every record begins with a version byte. Private to store/; FORMAT.md shows each byte. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include "base/mem.h"
#include "store/event.h"

#define RECORD_VERSION 1
#define RECORD_CONSENT_SIZE 130 /* of what every consent has */
#define RECORD_CONSENT_MAX (RECORD_CONSENT_SIZE + MAC16_SIZE + UUID_SIZE + 3 * 4 + 7 * 8 + 4)
#define RECORD_TAIL_MAX 8192 /* 64 permissions, 64 resources, 16 recipients, 8 x 16 members */

/* What every consent has, what this one has, then consent->tail. */
void record_consent_encode(const struct store_consent *consent, struct buffer *out);
/* status is set to recorded; tail is a view into value. STATUS_INTERNAL when value is no record of
 * this version. */
MUST_CHECK enum status record_consent_decode(uint64_t index, struct span value,
                                             struct store_consent *out);

/* The tail: per permission its bit, granularity and resource hashes; recipients; groups. */
struct record_permission {
    uint8_t bit;
    bool has_granularity;
    struct duration granularity;
    struct mac16 *resources; /* sorted */
    uint32_t resource_count; /* 0: all */
};
struct record_tail {
    struct record_permission permissions[LIMIT_SET];
    uint32_t permission_count;
    struct mac16 resources[LIMIT_RESOURCES]; /* backs the above, in order */
    uint32_t resource_count;
    uint32_t onward[LIMIT_ONWARD]; /* names, sorted */
    uint32_t onward_count;
    struct store_group groups[LIMIT_GROUPS];
    struct store_member members[LIMIT_GROUPS * LIMIT_GROUP_MEMBERS];
    uint32_t group_count;
};
void record_tail_encode(const struct record_tail *tail, struct buffer *out);
MUST_CHECK enum status record_tail_decode(struct span bytes, struct record_tail *out);

/* log_by_consent: what an entry after the first did, so that a header can be rewound, and its
 * tokens listed, without reading payloads. */
struct record_step {
    enum store_event_code code;
    enum consent_role by;
    uint32_t reason;
    int64_t status_at;
    struct store_token token; /* of consent.tokenAdded only */
};
#define RECORD_STEP_SIZE 15
#define RECORD_STEP_MAX (RECORD_STEP_SIZE + DIGEST_SIZE + 16)
/* Returns the bytes written. */
size_t record_step_encode(const struct record_step *step, unsigned char out[RECORD_STEP_MAX]);
MUST_CHECK enum status record_step_decode(struct span value, struct record_step *out);

/* leaf: the 36 bytes, then the filter columns. */
#define RECORD_LEAF_SIZE (STORE_LEAF_SIZE + 51)
void record_leaf_encode(const struct store_event *event, unsigned char out[RECORD_LEAF_SIZE]);
MUST_CHECK enum status record_leaf_decode(uint64_t index, struct span value,
                                          struct store_event *out);

/* payload and personal: r, two marks into the bytes, the bytes committed to. */
struct record_marks {
    uint16_t first_at, first_size, second_at, second_size;
};
#define RECORD_PAYLOAD_HEAD (STORE_SALT_SIZE + 8)
struct record_payload {
    struct span salt, bytes, first, second;
};
void record_payload_head(const unsigned char salt[STORE_SALT_SIZE],
                         const struct record_marks *marks, unsigned char out[RECORD_PAYLOAD_HEAD]);
MUST_CHECK enum status record_payload_decode(struct span value, struct record_payload *out);

#endif
