/* What licences of a pack say of each other: every reference must lead somewhere, and none in a
 * circle, for a circle could never be granted or would be renewed for ever. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "base/limits.h"
#include "policy/pack_private.h"

#define WORDS (LIMIT_LICENSES / 64)

struct links {
    uint64_t needs[LIMIT_LICENSES][WORDS]; /* row i, bit j: i depends on j */
    int next[LIMIT_LICENSES];              /* replacedBy, or -1 */
};

static int position(const struct policy_pack *pack, struct span url) {
    const struct policy_license *found = policy_pack_license_find(pack, url);
    return found != NULL ? (int)(found - pack->licenses) : -1;
}

/* The path is at the licence. */
static void resolve(struct reader *r, const struct policy_pack *pack, uint32_t at,
                    struct links *links) {
    const struct policy_license *license = &pack->licenses[at];
    links->next[at] =
        span_present(license->replaced_by) ? position(pack, license->replaced_by) : -1;
    if (span_present(license->replaced_by) && links->next[at] < 0)
        reader_fail_member(r, "replacedBy", "is no licence of this pack");
    size_t outer = reader_enter(r, "dependsOn");
    for (uint32_t i = 0; i < license->depends_on_count; i++) {
        size_t mark = reader_enter_index(r, i);
        int found = position(pack, license->depends_on[i]);
        if (found < 0)
            reader_fail(r, "is no licence of this pack");
        else
            links->needs[at][found / 64] |= UINT64_C(1) << found % 64;
        reader_leave(r, mark);
    }
    reader_leave(r, outer);
}

/* Licences all of whose dependencies are free of circles are so too; what is never reached stands
 * in one, or leads to one. */
static void check_depends_on(struct reader *r, const struct policy_pack *pack,
                             const struct links *links) {
    uint64_t clear[WORDS] = {0};
    for (bool moved = true; moved;) {
        moved = false;
        for (uint32_t i = 0; i < pack->license_count; i++) {
            bool waits = (clear[i / 64] >> i % 64 & 1U) != 0;
            for (unsigned w = 0; w < WORDS; w++)
                waits |= (links->needs[i][w] & ~clear[w]) != 0;
            if (!waits) {
                clear[i / 64] |= UINT64_C(1) << i % 64;
                moved = true;
            }
        }
    }
    for (uint32_t i = 0; i < pack->license_count; i++) {
        size_t mark = reader_enter_index(r, i);
        if ((clear[i / 64] >> i % 64 & 1U) == 0)
            reader_fail_member(r, "dependsOn", "leads in a circle");
        reader_leave(r, mark);
    }
}

static void check_replaced_by(struct reader *r, const struct policy_pack *pack,
                              const struct links *links) {
    for (uint32_t i = 0; i < pack->license_count; i++) {
        int at = (int)i;
        for (uint32_t steps = 0; at >= 0 && steps <= pack->license_count; steps++)
            at = links->next[at];
        size_t mark = reader_enter_index(r, i);
        if (at >= 0)
            reader_fail_member(r, "replacedBy", "leads in a circle");
        reader_leave(r, mark);
    }
}

void pack_check_links(struct reader *r, const struct policy_pack *pack) {
    struct links links = {.next = {0}};
    for (uint32_t i = 0; i < pack->license_count; i++) {
        size_t mark = reader_enter_index(r, i);
        resolve(r, pack, i, &links);
        reader_leave(r, mark);
    }
    if (r->failed)
        return;
    check_depends_on(r, pack, &links);
    check_replaced_by(r, pack, &links);
}
