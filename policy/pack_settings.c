/* Loading the settings of a pack, and what holds where it sets nothing. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "policy/pack_private.h"

#define REQUEST_TIMEOUT_S INT64_C(2592000) /* 30 days: as long as a lost e-mail is looked for */
#define LEEWAY_S 60                        /* as for token times: FAPI 2.0 */
#define LEEWAY_MAX_S 3600                  /* a clock further off than this is broken */

static void read_record(struct reader *r, const json_t *settings, struct policy_settings *out) {
    static const char *const names[] = {"none", "denials", "all"};
    struct span name = reader_string(r, settings, "record", READER_OPTIONAL(1, 16));
    if (!span_present(name))
        return;
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (span_is(name, names[i])) {
            out->record = i;
            return;
        }
    }
    reader_fail_member(r, "record", "must be none, denials or all");
}

static void read_retention(struct reader *r, const json_t *settings, struct policy_settings *out) {
    static const char *const known[] = {"keepAfterEnd", "eraseAfter", NULL};
    const json_t *retention = json_object_get(settings, "retention");
    if (retention == NULL || r->failed)
        return;
    size_t mark = reader_enter(r, "retention");
    if (reader_object(r, retention, known)) {
        out->has_keep_after_end =
            reader_duration(r, retention, "keepAfterEnd", true, &out->keep_after_end);
        out->has_erase_after = reader_duration(r, retention, "eraseAfter", true, &out->erase_after);
    }
    if (!r->failed && out->has_keep_after_end && out->has_erase_after &&
        timestamp_add(0, out->erase_after) < timestamp_add(0, out->keep_after_end))
        reader_fail_member(r, "eraseAfter", "must not be shorter than keepAfterEnd");
    reader_leave(r, mark);
}

void pack_read_settings(struct reader *r, const json_t *root, struct policy_pack *pack) {
    static const char *const known[] = {"purposeMustBeStated", "record", "requestTimeout",
                                        "retention",           "leeway", NULL};
    struct policy_settings *out = &pack->settings;
    const json_t *settings = json_object_get(root, "settings");
    *out = (struct policy_settings){.record = POLICY_RECORD_NONE,
                                    .request_timeout = {0, REQUEST_TIMEOUT_S},
                                    .leeway = {0, LEEWAY_S}};
    if (settings == NULL || r->failed)
        return;
    size_t mark = reader_enter(r, "settings");
    if (reader_object(r, settings, known)) {
        out->purpose_must_be_stated = reader_bool(r, settings, "purposeMustBeStated", false);
        read_record(r, settings, out);
        (void)reader_duration(r, settings, "requestTimeout", false, &out->request_timeout);
        (void)reader_duration(r, settings, "leeway", true, &out->leeway);
        if (out->leeway.months != 0 || out->leeway.seconds > LEEWAY_MAX_S)
            reader_fail_member(r, "leeway", "must be at most PT1H");
        read_retention(r, settings, out);
    }
    reader_leave(r, mark);
}
