/* Chains in a hash table, and what was erased; see audit_chain.h. */
// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_chain.h"

#define PLACES_FIRST 1024

/* ---- what was erased */

void audit_erased_add(struct audit_erased *erased, uint64_t index, uint32_t what) {
    if (erased->count == erased->capacity) {
        erased->capacity = 2 * erased->capacity + 64;
        erased->items = mem_resize(erased->items, erased->capacity * sizeof *erased->items);
    }
    erased->items[erased->count++] = (struct audit_gone){index, what};
    erased->unexplained++;
}

/* The number of items below index. */
static uint64_t items_below(const struct audit_erased *erased, uint64_t index) {
    uint64_t low = 0, high = erased->count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (erased->items[middle].index < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct audit_gone *gone_at(const struct audit_erased *erased, uint64_t index) {
    uint64_t at = items_below(erased, index);
    return at < erased->count && erased->items[at].index == index ? &erased->items[at] : NULL;
}

void audit_erased_notice(struct audit_erased *erased, uint64_t index, bool whole) {
    struct audit_gone *gone = gone_at(erased, index);
    if (gone == NULL || (gone->marks & AUDIT_NOTICED) != 0)
        return; /* it is still there: an erasure may come in parts */
    if ((gone->marks & AUDIT_PAYLOAD_GONE) != 0 && !whole)
        return;
    gone->marks |= AUDIT_NOTICED;
    erased->unexplained--;
}

uint64_t audit_erased_between(const struct audit_erased *erased, uint64_t low, uint64_t high) {
    uint64_t count = 0;
    for (uint64_t i = low == AUDIT_NO_INDEX ? 0 : items_below(erased, low + 1);
         i < erased->count && erased->items[i].index < high; i++)
        count += (erased->items[i].marks & AUDIT_PAYLOAD_GONE) != 0;
    return count;
}

void audit_erased_release(struct audit_erased *erased) {
    mem_free(erased->items);
}

/* ---- chains */

void audit_chains_begin(struct audit_chains *chains, uint32_t link, uint64_t from) {
    *chains = (struct audit_chains){.link = link, .from = from};
    digest_random(chains->secret, sizeof chains->secret);
}

static struct audit_chain *place_of(const struct audit_chains *chains, const struct mac16 *key) {
    uint64_t at;
    memcpy(&at, key->bytes, sizeof at);
    for (;; at++) {
        struct audit_chain *place = &chains->places[at & (chains->capacity - 1)];
        if (!place->used || memcmp(&place->key, key, sizeof *key) == 0)
            return place;
    }
}

static void grow(struct audit_chains *chains) {
    struct audit_chains larger = *chains;
    larger.capacity = chains->capacity != 0 ? 2 * chains->capacity : PLACES_FIRST;
    larger.places = mem_alloc_zeroed(larger.capacity, sizeof *larger.places);
    for (uint64_t i = 0; i < chains->capacity; i++)
        if (chains->places[i].used)
            *place_of(&larger, &chains->places[i].key) = chains->places[i];
    mem_free(chains->places);
    *chains = larger;
}

struct audit_chain *audit_chains_find(struct audit_chains *chains, struct span name) {
    struct mac16 key = siphash(chains->secret, name);
    if (5 * chains->count >= 4 * chains->capacity)
        grow(chains);
    struct audit_chain *place = place_of(chains, &key);
    if (!place->used) {
        *place = (struct audit_chain){
            .key = key, .last = AUDIT_NO_INDEX, .expires = INT64_MAX, .used = true};
        chains->count++;
    }
    return place;
}

const struct audit_chain *audit_chains_at(const struct audit_chains *chains,
                                          const struct mac16 *key) {
    const struct audit_chain *place = chains->capacity != 0 ? place_of(chains, key) : NULL;
    return place != NULL && place->used ? place : NULL;
}

/* Whether links between the last one and this one can have been erased: as many as are missing, the
 * one before this among them. */
static bool may_miss(const struct audit_chains *chains, const struct audit_chain *chain,
                     struct audit_erased *erased, const struct audit_link *link) {
    if (link->prev == AUDIT_NO_INDEX || link->prev >= link->index ||
        link->number <= chain->number + 1)
        return false;
    if (chain->last != AUDIT_NO_INDEX && link->prev <= chain->last)
        return false;
    if (link->prev < chains->from)
        return chain->last == AUDIT_NO_INDEX;
    struct audit_gone *gone = gone_at(erased, link->prev);
    if (gone == NULL || (gone->marks & AUDIT_PAYLOAD_GONE) == 0 ||
        (gone->marks & chains->link) != 0)
        return false;
    gone->marks |= chains->link;
    return chains->from != 0 || audit_erased_between(erased, chain->last, link->index) >=
                                    link->number - chain->number - 1;
}

bool audit_chain_add(const struct audit_chains *chains, struct audit_chain *chain,
                     struct audit_erased *erased, const struct audit_link *link, bool *gap) {
    *gap = link->number != chain->number + 1 || link->prev != chain->last;
    if (*gap && !may_miss(chains, chain, erased, link))
        return false;
    chain->number = link->number;
    chain->last = link->index;
    return true;
}

void audit_chains_release(struct audit_chains *chains) {
    mem_free(chains->places);
}
