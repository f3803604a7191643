/* A policy pack: what a scheme allows, as data. Loaded and validated strictly from JSON, immutable
 * afterwards, safe to read from every thread. This header shows the compiled form. */
// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_PACK_H
#define POLICY_PACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/span.h"
#include "base/status.h"
#include "base/timestamp.h"
#include "policy/lifecycle.h"

struct policy_pack;

/* Where and why a pack was refused. */
struct policy_error {
    char pointer[128]; /* JSON pointer (RFC 6901) of the offending value */
    char detail[256];
};

struct policy_role {
    struct span code;
    const struct span *urls;
    uint32_t url_count;
};
/* How often and how finely data may be delivered for a purpose: read by decisions only. */
struct policy_limits {
    bool has_look_back, has_granularity, has_every;
    struct duration look_back;   /* no data from before this long ago */
    struct duration granularity; /* nothing finer */
    struct duration every;       /* at most one delivery in this time */
    struct span once_per;        /* one delivery for each of these, or absent */
};
struct policy_purpose {
    struct span code, title, text;
    uint64_t roles; /* bit i: pack role i may act for it */
    struct policy_limits limits;
};
struct policy_permission {
    struct span code, title, text, sensitivity;
    bool has_granularity;
    struct duration finest;  /* nothing finer may be asked for */
    struct span finest_text; /* as the pack writes it */
    bool denied;             /* defined, but no licence may open it */
    bool whole_months;       /* handed out by whole calendar months: read by decisions only */
    uint64_t only_with;      /* bit i: pack permission i; one of them must be asked for beside it */
};
/* Words between placeholders, or a placeholder with its brackets. */
struct policy_text_part {
    struct span text;
    bool placeholder;
};
struct policy_text { /* wording imported by the operator */
    struct span language, text;
    const struct policy_text_part *parts; /* text, cut at its placeholders */
    uint32_t part_count;
};
struct policy_license {
    struct span url, title;
    uint32_t from_role, to_role;  /* indexes of pack roles */
    uint64_t purposes;            /* bit i: pack purpose i */
    uint64_t permissions;         /* bit i: pack permission i */
    bool has_term, has_look_back; /* without: unlimited */
    struct duration term;         /* longest time from grant to expiry, and the default */
    struct duration look_back;    /* whole months before the month of the grant */
    bool whole_months;            /* the window starts and ends on the first of a month */
    const struct span
        *depends_on; /* licence URLs, an active consent under one of which is needed */
    uint32_t depends_on_count;
    const struct span *step_licenses; /* licences of others that a provenance step names as well */
    uint32_t step_license_count;
    const struct span *step_processes; /* processing that a provenance step allows */
    uint32_t step_process_count;
    uint32_t onward_min, onward_max; /* onward recipients that must and may be named */
    uint32_t onward_role;            /* their role, when onward_max is not 0 */
    uint64_t onward_permissions;     /* bit i: pack permission i is for them; no other is */
    int64_t available_from;          /* Unix ms; INT64_MIN when absent */
    int64_t deprecated_after;        /* INT64_MAX when absent: no new grants after it */
    int64_t prohibited_after;        /* INT64_MAX when absent: no use after it */
    struct span replaced_by;         /* licence URL or absent */
    bool has_text_digest;
    struct digest text_digest;
    const struct policy_text *texts;
    uint32_t text_count;
};
enum policy_record { POLICY_RECORD_NONE, POLICY_RECORD_DENIALS, POLICY_RECORD_ALL };
struct policy_settings {
    bool purpose_must_be_stated;     /* in a decision */
    enum policy_record record;       /* which decisions are recorded by default */
    struct duration request_timeout; /* how long a requested consent waits for an answer */
    struct duration leeway;          /* how far ahead of service time a grant may lie */
    bool has_keep_after_end, has_erase_after;
    struct duration keep_after_end, erase_after; /* retention, counted from the end */
};

/* Loads the pack in json (copied). STATUS_INVALID_BODY with *error filled, and *out untouched, when
 * it is not valid. Caller frees with policy_pack_free. */
MUST_CHECK enum status policy_pack_load(struct span json, struct policy_pack **out,
                                        struct policy_error *error);
void policy_pack_free(struct policy_pack *pack);

/* All spans live as long as the pack. */
struct span policy_pack_name(const struct policy_pack *pack);
struct span policy_pack_version(const struct policy_pack *pack);
struct span policy_pack_scheme(const struct policy_pack *pack);
const struct span *policy_pack_territory(const struct policy_pack *pack, uint32_t *count);
const struct policy_settings *policy_pack_settings(const struct policy_pack *pack);
/* The exact bytes that were loaded, and their SHA-256: the pack's identity. */
struct span policy_pack_bytes(const struct policy_pack *pack);
const struct digest *policy_pack_digest(const struct policy_pack *pack);
/* How long a `requested` consent waits for an answer, in milliseconds (settings.requestTimeout). */
int64_t policy_pack_request_timeout_ms(const struct policy_pack *pack);

uint32_t policy_pack_role_count(const struct policy_pack *pack);
const struct policy_role *policy_pack_role(const struct policy_pack *pack, uint32_t index);
uint32_t policy_pack_purpose_count(const struct policy_pack *pack);
const struct policy_purpose *policy_pack_purpose(const struct policy_pack *pack, uint32_t index);
uint32_t policy_pack_permission_count(const struct policy_pack *pack);
const struct policy_permission *policy_pack_permission(const struct policy_pack *pack,
                                                       uint32_t index);
uint32_t policy_pack_license_count(const struct policy_pack *pack);
const struct policy_license *policy_pack_license(const struct policy_pack *pack, uint32_t index);
/* NULL when unknown. */
const struct policy_license *policy_pack_license_find(const struct policy_pack *pack,
                                                      struct span url);
/* Index of a purpose or permission by code, -1 when unknown. */
int policy_pack_purpose_find(const struct policy_pack *pack, struct span code);
int policy_pack_permission_find(const struct policy_pack *pack, struct span code);
/* The state a reason leads to, built in or added by the pack; false when unknown. *by_caller tells
 * whether a caller may state it. */
bool policy_pack_reason(const struct policy_pack *pack, struct span code,
                        enum consent_state *leads_to, bool *by_caller);

#endif
