/* The paths of conditions. Private to policy/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_PACK_PATH_H
#define POLICY_PACK_PATH_H

#include "base/mem.h"
#include "policy/rule.h"

/* What stands at the end of a path. */
enum pack_kind {
    PACK_ANY, /* a caller's property: whatever it sends */
    PACK_TEXT,
    PACK_NUMBER,
    PACK_TIME,
    PACK_SET, /* of texts */
};
struct pack_path {
    const char *name; /* ends in a dot when the words after it are free */
    enum policy_operand operand;
    enum pack_kind kind;
};

/* Sets operand and steps of *out; NULL when there is no such path. */
const struct pack_path *pack_path_find(struct arena *arena, struct span path,
                                       struct policy_condition *out);

#endif
