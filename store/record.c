/* The consent header and its tail, byte by byte. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "store/record.h"

#include "base/log.h"
#include "store/key.h"

/* A place that moves forward while numbers are written to or read from it. */
struct place {
    unsigned char *at;
};

static void put_u8(struct place *p, unsigned value) {
    *p->at++ = (unsigned char)value;
}

static void put_u32(struct place *p, uint32_t value) {
    key_put_u32(p->at, value);
    p->at += 4;
}

static void put_u64(struct place *p, uint64_t value) {
    key_put_u64(p->at, value);
    p->at += 8;
}

static void put_time(struct place *p, int64_t value) {
    put_u64(p, (uint64_t)value);
}

static void put_bytes(struct place *p, const void *data, size_t size) {
    memcpy(p->at, data, size);
    p->at += size;
}

struct source {
    const char *at, *end;
    bool short_; /* something was read past the end */
};

static const char *take(struct source *s, size_t size) {
    static const char zeros[DIGEST_SIZE];
    if (s->short_ || (size_t)(s->end - s->at) < size) {
        s->short_ = true;
        ASSERT(size <= sizeof zeros);
        return zeros;
    }
    const char *at = s->at;
    s->at += size;
    return at;
}

static uint8_t get_u8(struct source *s) {
    return (uint8_t)*take(s, 1);
}

static uint32_t get_u32(struct source *s) {
    return key_get_u32(take(s, 4));
}

static uint64_t get_u64(struct source *s) {
    return key_get_u64(take(s, 8));
}

static int64_t get_time(struct source *s) {
    return (int64_t)get_u64(s);
}

static void get_bytes(struct source *s, void *out, size_t size) {
    memcpy(out, take(s, size), size);
}

/* Members that most consents lack stand only where their bit is set, after those that all have.
 * What an ordinary life changes (an end, a use, a token, a successor) is always there: the record
 * keeps its size, and the page its rows. */
enum {
    HAS_ACCOUNT = 1,
    IS_DEPENDENT = 1 << 1,
    HAS_ARRANGEMENT = 1 << 2, /* not its own id */
    HAS_PROVIDER = 1 << 3,    /* not the tenant */
    HAS_MAX_USES = 1 << 4,
    HAS_PROOFS = 1 << 5,
    HAS_DATA_FROM = 1 << 6,
    HAS_DATA_TO = 1 << 7,
    HAS_DATA_AVAILABLE = 1 << 8,
    HAS_ANSWER_DUE = 1 << 9,
    HAS_GRANTED_ENTRY = 1 << 10, /* not the creating entry */
    HAS_SUPERSEDES = 1 << 11,
    HAS_SUPERSEDED_ENTRY = 1 << 12, /* not the entry of its status */
    IS_ERASED_PERSONAL = 1 << 13,
    IS_ERASED_WHOLE = 1 << 14,
    HAS_STEPS = 1 << 15,
};

static uint64_t default_granted_entry(const struct store_consent *c) {
    return c->granted_at != INT64_MIN ? c->created_entry : STORE_INDEX_NONE;
}

static uint64_t default_superseded_entry(const struct store_consent *c) {
    return c->superseded_by != STORE_INDEX_NONE ? c->status_entry : STORE_INDEX_NONE;
}

static unsigned bits_of(const struct store_consent *c) {
    return (c->has_account ? HAS_ACCOUNT : 0U) | (c->dependent ? IS_DEPENDENT : 0U) |
           (!uuid_equal(&c->arrangement, &c->id) ? HAS_ARRANGEMENT : 0U) |
           (c->provider != c->tenant ? HAS_PROVIDER : 0U) | (c->max_uses != 0 ? HAS_MAX_USES : 0U) |
           (c->proof_count != 0 ? HAS_PROOFS : 0U) |
           (c->data_from != INT64_MIN ? HAS_DATA_FROM : 0U) |
           (c->data_to != INT64_MIN ? HAS_DATA_TO : 0U) |
           (c->data_available_from != INT64_MIN ? HAS_DATA_AVAILABLE : 0U) |
           (c->answer_due != INT64_MIN ? HAS_ANSWER_DUE : 0U) |
           (c->granted_entry != default_granted_entry(c) ? HAS_GRANTED_ENTRY : 0U) |
           (c->supersedes != STORE_INDEX_NONE ? HAS_SUPERSEDES : 0U) |
           (c->superseded_by_entry != default_superseded_entry(c) ? HAS_SUPERSEDED_ENTRY : 0U) |
           (c->erased == STORE_ERASED_PERSONAL ? IS_ERASED_PERSONAL : 0U) |
           (c->erased == STORE_ERASED_WHOLE ? IS_ERASED_WHOLE : 0U) |
           (c->step_count != 0 ? HAS_STEPS : 0U);
}

static void put_optional(struct place *p, const struct store_consent *c, unsigned bits) {
    if (bits & HAS_ACCOUNT)
        put_bytes(p, c->account.bytes, MAC16_SIZE);
    if (bits & HAS_ARRANGEMENT)
        put_bytes(p, c->arrangement.bytes, UUID_SIZE);
    const uint32_t words[] = {c->provider, c->max_uses, c->proof_count};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (bits & (unsigned)HAS_PROVIDER << i)
            put_u32(p, words[i]);
    const uint64_t longs[] = {
        (uint64_t)c->data_from,  (uint64_t)c->data_to, (uint64_t)c->data_available_from,
        (uint64_t)c->answer_due, c->granted_entry,     c->supersedes,
        c->superseded_by_entry};
    for (size_t i = 0; i < sizeof longs / sizeof *longs; i++)
        if (bits & (unsigned)HAS_DATA_FROM << i)
            put_u64(p, longs[i]);
    if (bits & HAS_STEPS)
        put_u32(p, c->step_count);
}

void record_consent_encode(const struct store_consent *c, struct buffer *out) {
    unsigned char *start = (unsigned char *)buffer_reserve(out, RECORD_CONSENT_MAX);
    struct place p = {start};
    unsigned bits = bits_of(c);
    put_u8(&p, RECORD_VERSION);
    put_u8(&p, c->recorded);
    put_u8(&p, c->by);
    put_u8(&p, c->principal);
    put_u8(&p, bits >> 8);
    put_u8(&p, bits & 0xff);
    put_bytes(&p, c->id.bytes, UUID_SIZE);
    const uint32_t words[] = {c->version, c->reason, c->tenant,     c->client,
                              c->license, c->uses,   c->token_count};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        put_u32(&p, words[i]);
    const uint64_t longs[] = {c->purposes,
                              c->permissions,
                              (uint64_t)c->status_at,
                              (uint64_t)c->created_at,
                              (uint64_t)c->granted_at,
                              (uint64_t)c->expires,
                              c->created_entry,
                              c->status_entry,
                              c->last_entry,
                              c->superseded_by};
    for (size_t i = 0; i < sizeof longs / sizeof *longs; i++)
        put_u64(&p, longs[i]);
    ASSERT(p.at == start + RECORD_CONSENT_SIZE);
    put_optional(&p, c, bits);
    out->size += (size_t)(p.at - start);
    buffer_append_span(out, c->tail);
}

/* After the members that all have: defaults follow from those. */
static void decode_optional(struct source *s, unsigned bits, struct store_consent *c) {
    c->has_account = (bits & HAS_ACCOUNT) != 0;
    c->dependent = (bits & IS_DEPENDENT) != 0;
    c->erased = bits & IS_ERASED_WHOLE      ? STORE_ERASED_WHOLE
                : bits & IS_ERASED_PERSONAL ? STORE_ERASED_PERSONAL
                                            : STORE_KEPT;
    c->account = (struct mac16){{0}};
    if (bits & HAS_ACCOUNT)
        get_bytes(s, c->account.bytes, MAC16_SIZE);
    c->arrangement = c->id;
    if (bits & HAS_ARRANGEMENT)
        get_bytes(s, c->arrangement.bytes, UUID_SIZE);
    c->provider = bits & HAS_PROVIDER ? get_u32(s) : c->tenant;
    c->max_uses = bits & HAS_MAX_USES ? get_u32(s) : 0;
    c->proof_count = bits & HAS_PROOFS ? get_u32(s) : 0;
    c->data_from = bits & HAS_DATA_FROM ? get_time(s) : INT64_MIN;
    c->data_to = bits & HAS_DATA_TO ? get_time(s) : INT64_MIN;
    c->data_available_from = bits & HAS_DATA_AVAILABLE ? get_time(s) : INT64_MIN;
    c->answer_due = bits & HAS_ANSWER_DUE ? get_time(s) : INT64_MIN;
    c->granted_entry = bits & HAS_GRANTED_ENTRY ? get_u64(s) : default_granted_entry(c);
    c->supersedes = bits & HAS_SUPERSEDES ? get_u64(s) : STORE_INDEX_NONE;
    c->superseded_by_entry = bits & HAS_SUPERSEDED_ENTRY ? get_u64(s) : default_superseded_entry(c);
    c->step_count = bits & HAS_STEPS ? get_u32(s) : 0;
}

static void decode_fixed(struct source *s, struct store_consent *c) {
    c->recorded = get_u8(s);
    c->status = c->recorded;
    c->by = get_u8(s);
    c->principal = get_u8(s);
    unsigned high = get_u8(s);
    unsigned bits = high << 8 | get_u8(s);
    get_bytes(s, c->id.bytes, UUID_SIZE);
    uint32_t *words[] = {&c->version, &c->reason, &c->tenant,     &c->client,
                         &c->license, &c->uses,   &c->token_count};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        *words[i] = get_u32(s);
    c->purposes = get_u64(s);
    c->permissions = get_u64(s);
    int64_t *times[] = {&c->status_at, &c->created_at, &c->granted_at, &c->expires};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        *times[i] = get_time(s);
    uint64_t *indexes[] = {&c->created_entry, &c->status_entry, &c->last_entry, &c->superseded_by};
    for (size_t i = 0; i < sizeof indexes / sizeof *indexes; i++)
        *indexes[i] = get_u64(s);
    decode_optional(s, bits, c);
}

/* What this version does not know is no consent of it (invariant 8). */
static bool is_known(const struct store_consent *c) {
    return lifecycle_state_name(c->recorded) != NULL &&
           (c->by == CONSENT_BY_NONE || lifecycle_role_name(c->by) != NULL) &&
           c->principal <= STORE_INDIVIDUAL;
}

enum status record_consent_decode(uint64_t index, struct span value, struct store_consent *out) {
    if (value.size < RECORD_CONSENT_SIZE || value.data[0] != RECORD_VERSION)
        return STATUS_INTERNAL;
    struct source s = {value.data + 1, value.data + value.size, false};
    out->index = index;
    decode_fixed(&s, out);
    out->tail = span_of(s.at, (size_t)(s.end - s.at));
    return s.short_ || !is_known(out) ? STATUS_INTERNAL : STATUS_OK;
}

static void encode_permission(const struct record_permission *p, struct buffer *out) {
    unsigned char head[1 + 1 + 4 + 8 + 1];
    struct place at = {head};
    put_u8(&at, p->bit);
    put_u8(&at, p->has_granularity);
    if (p->has_granularity) {
        put_u32(&at, (uint32_t)p->granularity.months);
        put_u64(&at, (uint64_t)p->granularity.seconds);
    }
    put_u8(&at, p->resource_count);
    buffer_append(out, head, (size_t)(at.at - head));
    buffer_append(out, p->resources, p->resource_count * sizeof *p->resources);
}

static void encode_member(const struct store_member *m, struct buffer *out) {
    unsigned char bytes[1 + DIGEST_SIZE + 8];
    struct place at = {bytes};
    put_u8(&at, m->external);
    if (m->external) {
        put_bytes(&at, m->token_digest.bytes, DIGEST_SIZE);
        put_time(&at, m->expires);
    } else {
        put_bytes(&at, m->arrangement.bytes, UUID_SIZE);
    }
    buffer_append(out, bytes, (size_t)(at.at - bytes));
}

void record_tail_encode(const struct record_tail *tail, struct buffer *out) {
    buffer_append(out, &(unsigned char){(unsigned char)tail->permission_count}, 1);
    for (uint32_t i = 0; i < tail->permission_count; i++)
        encode_permission(&tail->permissions[i], out);
    buffer_append(out, &(unsigned char){(unsigned char)tail->onward_count}, 1);
    for (uint32_t i = 0; i < tail->onward_count; i++) {
        unsigned char name[4];
        key_put_u32(name, tail->onward[i]);
        buffer_append(out, name, sizeof name);
    }
    buffer_append(out, &(unsigned char){(unsigned char)tail->group_count}, 1);
    for (uint32_t i = 0; i < tail->group_count; i++) {
        const struct store_group *group = &tail->groups[i];
        buffer_append(out, &(unsigned char){(unsigned char)group->member_count}, 1);
        for (uint32_t j = 0; j < group->member_count; j++)
            encode_member(&group->members[j], out);
    }
}

static void decode_permission(struct source *s, struct record_tail *tail) {
    struct record_permission *p = &tail->permissions[tail->permission_count++];
    p->bit = get_u8(s);
    p->has_granularity = get_u8(s) != 0;
    p->granularity = (struct duration){0};
    if (p->has_granularity) {
        p->granularity.months = (int)get_u32(s);
        p->granularity.seconds = get_time(s);
    }
    p->resource_count = get_u8(s);
    p->resources = tail->resources + tail->resource_count;
    if (p->bit >= LIMIT_SET || tail->resource_count + p->resource_count > LIMIT_RESOURCES) {
        s->short_ = true;
        return;
    }
    for (uint32_t i = 0; i < p->resource_count; i++)
        get_bytes(s, tail->resources[tail->resource_count++].bytes, MAC16_SIZE);
}

static void decode_group(struct source *s, struct record_tail *tail, uint32_t *members) {
    struct store_group *group = &tail->groups[tail->group_count++];
    struct store_member *first = tail->members + *members;
    group->members = first;
    group->member_count = get_u8(s);
    if (group->member_count > LIMIT_GROUP_MEMBERS) {
        s->short_ = true;
        return;
    }
    for (uint32_t i = 0; i < group->member_count; i++) {
        struct store_member *m = &first[i];
        m->external = get_u8(s) != 0;
        if (m->external) {
            get_bytes(s, m->token_digest.bytes, DIGEST_SIZE);
            m->expires = get_time(s);
        } else {
            get_bytes(s, m->arrangement.bytes, UUID_SIZE);
        }
    }
    *members += group->member_count;
}

enum status record_tail_decode(struct span bytes, struct record_tail *out) {
    struct source s = {bytes.data, bytes.data + bytes.size, false};
    uint32_t members = 0;
    out->permission_count = out->resource_count = out->onward_count = out->group_count = 0;
    for (unsigned n = get_u8(&s); n > 0 && out->permission_count < LIMIT_SET; n--)
        decode_permission(&s, out);
    for (unsigned n = get_u8(&s); n > 0 && out->onward_count < LIMIT_ONWARD; n--)
        out->onward[out->onward_count++] = get_u32(&s);
    for (unsigned n = get_u8(&s); n > 0 && out->group_count < LIMIT_GROUPS; n--)
        decode_group(&s, out, &members);
    return s.short_ || s.at != s.end ? STATUS_INTERNAL : STATUS_OK;
}
