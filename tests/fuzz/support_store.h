/* A store of one process for programs that need its keys: fuzz targets make it at the first input;
 * removed at the end. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_FUZZ_SUPPORT_STORE_H
#define TESTS_FUZZ_SUPPORT_STORE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>

#include "base/log.h"
#include "policy/pack.h"
#include "store/store.h"

static struct {
    char directory[64];
    struct clock clock;
    struct policy_pack *pack;
    struct store *store;
} rig;

static void rig_wake(void *context, unsigned loop) {
    (void)context;
    (void)loop;
}

static void rig_failed(void *context) {
    (void)context;
    log_abort("the store keeps working", __FILE__, __LINE__);
}

static void rig_release(void) {
    char command[128];
    store_close(rig.store);
    policy_pack_free(rig.pack);
    snprintf(command, sizeof command, "rm -r %s", rig.directory);
    ASSERT(system(command) == 0);
}

/* Opens it, with this pack, or (absent) none, beside it. */
static void rig_open(struct span pack) {
    char why[256];
    struct policy_error error;
    struct store_options options = {.directory = rig.directory,
                                    .origin = "example.com/log",
                                    .create = true,
                                    .map_size = UINT64_C(1) << 28,
                                    .loops = 1,
                                    .clock = &rig.clock,
                                    .wake = rig_wake,
                                    .failed = rig_failed};
    ASSERT(!span_present(pack) || policy_pack_load(pack, &rig.pack, &error) == STATUS_OK);
    log_set_level(LOG_ERROR);
    snprintf(rig.directory, sizeof rig.directory, "/tmp/consentd-fuzz-XXXXXX");
    ASSERT(mkdtemp(rig.directory) != NULL);
    ASSERT(clock_init_injected(&rig.clock, SPAN("2026-03-12T10:00:00Zx0")) == STATUS_OK);
    ASSERT(store_open(&options, &rig.store, why, sizeof why) == STATUS_OK);
    atexit(rig_release);
}

/* The same, with the default pack: fuzz targets run in the top folder. */
static inline void rig_open_default(void) {
    json_t *json = json_load_file("policy/packs/perseus-2026-03-12.json", 0, NULL);
    char *text = json_dumps(json, 0);
    rig_open(span_of_text(text));
    free(text);
    json_decref(json);
}

#endif
