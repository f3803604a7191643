/* Names: strings that records carry as small numbers, append-only, so that sets of purposes and
 * permissions stay valid over pack versions. */
// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"
#include "store/internal.h"

uint32_t name_find(struct db_txn *txn, enum store_name_kind kind, struct span name) {
    struct span value;
    if (!span_present(name) || name.size > LIMIT_URL)
        return STORE_NAME_NONE;
    struct key key = key_name_text(kind, name);
    if (!db_get(txn, DB_NAME, key_span(&key), &value) || value.size != 4)
        return STORE_NAME_NONE;
    return key_get_u32(value.data);
}

static bool is_set(enum store_name_kind kind) {
    return kind == STORE_NAME_PURPOSE || kind == STORE_NAME_PERMISSION;
}

uint32_t name_intern(struct write *w, enum store_name_kind kind, struct span name) {
    uint32_t found = name_find(&w->txn, kind, name);
    if (found != STORE_NAME_NONE || !span_present(name))
        return found;
    ASSERT(name.size <= LIMIT_URL);
    uint32_t number = w->state.next_name[kind];
    if (is_set(kind) && number >= LIMIT_SET)
        return STORE_NAME_NONE;
    unsigned char value[4];
    key_put_u32(value, number);
    struct key by_text = key_name_text(kind, name), by_number = key_name_of(kind, number);
    db_insert(&w->txn, DB_NAME, key_span(&by_text), span_of((const char *)value, sizeof value));
    db_insert(&w->txn, DB_NAME, key_span(&by_number), name);
    w->state.next_name[kind]++;
    return number;
}

struct span name_text(struct db_txn *txn, enum store_name_kind kind, uint32_t number) {
    struct span value = SPAN_NONE;
    if (number == STORE_NAME_NONE)
        return SPAN_NONE;
    struct key key = key_name_of(kind, number);
    (void)db_get(txn, DB_NAME, key_span(&key), &value);
    return value;
}

struct span store_name(struct store_reader *reader, enum store_name_kind kind, uint32_t number) {
    if (number >= NAMES_KEPT)
        return name_text(&reader->txn, kind, number);
    struct span *kept = &reader->names.texts[kind][number];
    if (!span_present(*kept)) {
        struct span text = name_text(&reader->txn, kind, number);
        if (!span_present(text))
            return SPAN_NONE;
        *kept = span_of(mem_copy_text(text), text.size);
    }
    return db_view(&reader->txn, *kept);
}

static unsigned place_of(struct span name) {
    uint32_t hash = (uint32_t)name.size;
    for (size_t i = 0; i < name.size; i++)
        hash = (hash ^ (unsigned char)name.data[i]) * 16777619U;
    return (hash ^ hash >> 16) % MEMBERS_KEPT;
}

uint32_t name_find_member(struct names_kept *kept, struct db_txn *txn, struct span name) {
    if (kept == NULL || !span_present(name))
        return name_find(txn, STORE_NAME_MEMBER, name);
    struct member_kept *member = &kept->members[place_of(name)];
    if (span_present(member->text) && span_equal(member->text, name))
        return member->number;
    uint32_t number = name_find(txn, STORE_NAME_MEMBER, name);
    if (number == STORE_NAME_NONE)
        return number;
    mem_free((void *)(uintptr_t)member->text.data);
    *member = (struct member_kept){span_of(mem_copy_text(name), name.size), number};
    return number;
}

void names_kept_release(struct names_kept *kept) {
    for (unsigned i = 0; i < MEMBERS_KEPT; i++)
        mem_free((void *)(uintptr_t)kept->members[i].text.data);
    for (unsigned kind = 0; kind <= STORE_NAME_REASON; kind++)
        for (unsigned i = 0; i < NAMES_KEPT; i++)
            mem_free((void *)(uintptr_t)kept->texts[kind][i].data);
}
