/* The key that the corpora of tlog/ are signed with: the log's of tests/vectors/tlog.json. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_FUZZ_SUPPORT_TLOG_H
#define TESTS_FUZZ_SUPPORT_TLOG_H

#include "base/log.h"
#include "tlog/checkpoint.h"

#define FUZZ_ORIGIN "consent.example/log1"

/* One for the process. */
static inline struct tlog_key *fuzz_key(void) {
    static struct tlog_key *key;
    if (key == NULL)
        ASSERT(tlog_key_parse(SPAN("PRIVATE+KEY+" FUZZ_ORIGIN "+71046bc7+"
                                   "ATPKbWh3BsUg+/fGOGxG/1HtdfjawYP0fkPipOlkBRVg"),
                              &key) == STATUS_OK);
    return key;
}

static inline struct tlog_trust fuzz_trust(void) {
    return (struct tlog_trust){
        .origin = SPAN(FUZZ_ORIGIN), .keys = tlog_key_public(fuzz_key()), .key_count = 1};
}

#endif
