/* Packs of the past. Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/packs.h"

#include "base/limits.h"
#include "base/log.h"
#include "store/change.h"

struct kept {
    struct policy_pack *pack; /* NULL: the place is free */
    uint64_t used;
};
struct api_packs {
    struct kept of[LIMIT_PAST_PACKS];
    uint64_t uses;
};

/* The one with this digest, else the place of the one that was not used for longest. */
static struct kept *place_of(struct api_packs *packs, const struct digest *digest) {
    struct kept *oldest = &packs->of[0];
    for (unsigned i = 0; i < LIMIT_PAST_PACKS; i++) {
        struct kept *kept = &packs->of[i];
        if (kept->pack != NULL && digest_equal(policy_pack_digest(kept->pack), digest))
            return kept;
        if (kept->used < oldest->used)
            oldest = kept;
    }
    policy_pack_free(oldest->pack);
    *oldest = (struct kept){.pack = NULL};
    return oldest;
}

static enum status load(struct api_loop *loop, const struct digest *digest, struct kept *to) {
    struct span bytes;
    struct policy_error error;
    enum status status = store_pack_bytes(loop->reader, digest, &bytes);
    if (status != STATUS_OK)
        return status;
    if (policy_pack_load(bytes, &to->pack, &error) == STATUS_OK)
        return STATUS_OK;
    log_event(LOG_ERROR, "policy.unreadable", LOG_TEXT("why", error.detail));
    return STATUS_INTERNAL;
}

enum status api_packs_get(struct api_loop *loop, const struct digest *digest,
                          const struct policy_pack **out) {
    const struct policy_pack *active = atomic_load(&loop->service->pack);
    if (active != NULL && digest_equal(policy_pack_digest(active), digest)) {
        *out = active;
        return STATUS_OK;
    }
    if (loop->packs == NULL)
        loop->packs = mem_alloc_zeroed(1, sizeof *loop->packs);
    struct kept *kept = place_of(loop->packs, digest);
    if (kept->pack == NULL) {
        enum status status = load(loop, digest, kept);
        if (status != STATUS_OK)
            return status;
    }
    kept->used = ++loop->packs->uses;
    *out = kept->pack;
    return STATUS_OK;
}

void api_loop_release(struct api_loop *loop) {
    for (unsigned i = 0; loop->packs != NULL && i < LIMIT_PAST_PACKS; i++)
        policy_pack_free(loop->packs->of[i].pack);
    mem_free(loop->packs);
    loop->packs = NULL;
    store_change_free(loop->looks);
    loop->looks = NULL;
}
