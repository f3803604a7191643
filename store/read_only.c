/* A store opened to read only, by tools beside a running service. LMDB lets any number of processes
 * read while one writes; the lock of the directory keeps out only those that would write. Threads:
 * the tool's one. */
// SPDX-License-Identifier: Apache-2.0
#include "store/checkpoint.h"

#include <stdio.h>

enum status store_open_read_only(const struct store_options *options, struct store **out, char *why,
                                 size_t why_size) {
    const struct store_options used = {.directory = options->directory, .clock = options->clock};
    struct store *store = store_make(&used);
    enum status status = db_open_read_only(used.directory, &store->db, why, why_size);
    if (status == STATUS_OK && !state_exists(store)) {
        snprintf(why, why_size, "%s holds no log", used.directory);
        status = STATUS_INTERNAL;
    }
    if (status == STATUS_OK)
        status = store_check_existing(store, why, why_size);
    log_keys_release(&store->log_keys); /* they verified the checkpoint; nothing is signed here */
    if (status != STATUS_OK) {
        store_unmake(store);
        return status;
    }
    /* service time is not before the last entry (invariant 7) */
    atomic_store(&store->last_time, store->state.last_time);
    atomic_store(&store->entries, store->state.tree.size);
    atomic_store(&store->consents, store->state.next_consent);
    *out = store;
    return STATUS_OK;
}
