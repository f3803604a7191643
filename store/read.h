/* Snapshot reads of consents. A reader belongs to one thread. Everything returned as a view points
 * into the map and dies at store_read_end (invariant 5); in builds with STORE_CHECK_VIEWS a view is
 * a heap copy freed there, so that sanitizers see one that escaped. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_READ_H
#define STORE_READ_H

#include "base/uuid.h"
#include "store/change.h"
#include "store/store.h"

struct store_reader;

/* Caller closes with store_reader_close before store_close. */
MUST_CHECK enum status store_reader_open(struct store *store, struct store_reader **out);
void store_reader_close(struct store_reader *reader);
/* Begins a snapshot: sees every change answered before. No nesting. */
MUST_CHECK enum status store_read_begin(struct store_reader *reader);
void store_read_end(struct store_reader *reader);

enum store_name_kind {
    STORE_NAME_MEMBER = 1, /* tenants, providers, clients, actors */
    STORE_NAME_LICENSE,
    STORE_NAME_PURPOSE,    /* numbers 0..63 are bits of a set */
    STORE_NAME_PERMISSION, /* likewise */
    STORE_NAME_REASON,
};
#define STORE_NAME_NONE UINT32_MAX
/* The number of a name, STORE_NAME_NONE when it was never stored. */
uint32_t store_name_find(struct store_reader *reader, enum store_name_kind kind, struct span name);
/* View of a stored name. */
struct span store_name(struct store_reader *reader, enum store_name_kind kind, uint32_t number);

#define STORE_INDEX_NONE UINT64_MAX

/* Of a consent: its personal parts alone, or all but a tombstone (docs/erasure.md). */
enum store_erased { STORE_KEPT = 0, STORE_ERASED_PERSONAL, STORE_ERASED_WHOLE };

/* A consent's header, decoded. Times are Unix ms, INT64_MIN (INT64_MAX for expires) when absent. */
struct store_consent {
    uint64_t index; /* creation index */
    struct uuid id, arrangement;
    enum consent_state recorded; /* as last written */
    enum consent_state status;   /* as of the read: clock or as_of applied */
    int64_t status_at;
    uint32_t version;
    uint32_t reason; /* STORE_NAME_REASON of statusReason.code, or STORE_NAME_NONE */
    enum consent_role by;
    uint32_t tenant, provider, client, license;
    uint64_t purposes, permissions; /* bits by name number */
    struct mac16 account;           /* accountRef; zero while requested without account */
    bool has_account;
    enum store_principal principal;
    int64_t created_at, granted_at, expires, data_from, data_to, data_available_from;
    int64_t answer_due; /* when a requested consent times out; absent when created granted */
    uint32_t max_uses, uses, token_count, proof_count, step_count;
    uint64_t supersedes, superseded_by; /* creation indexes or STORE_INDEX_NONE */
    uint64_t created_entry, granted_entry, status_entry, last_entry; /* log indexes */
    bool dependent;                                                  /* has dependsOn groups */
    uint64_t superseded_by_entry; /* the entry that granted superseded_by */
    enum store_erased erased;
    struct span tail; /* view: hashes, recipients, groups; store's own */
};

/* By id, for this viewer-independent snapshot; callers check who may see it. STATUS_NOT_FOUND,
 * after as many reads as what is found takes (invariant 9). */
MUST_CHECK enum status store_consent_by_id(struct store_reader *reader, const struct uuid *id,
                                           struct store_consent *out);
MUST_CHECK enum status store_consent_by_index(struct store_reader *reader, uint64_t index,
                                              struct store_consent *out);
/* Whether the consent names this onward recipient; its terms need not be read for that. */
bool store_consent_has_onward(struct store_reader *reader, const struct store_consent *consent,
                              struct span url);
/* Whether it had ended for what an entry says of a time not after its own: by an entry before it,
 * or by the clock. */
bool store_consent_had_ended(const struct store_consent *consent, uint64_t entry, int64_t at);
/* Rewinds *consent to what it was right after log entry `log_index` (for replayed answers and
 * reads of the past). */
MUST_CHECK enum status store_consent_as_of(struct store_reader *reader, uint64_t log_index,
                                           struct store_consent *consent);

/* A place in the log and a time: how many entries there were, and what the clock said. */
struct store_moment {
    uint64_t position;
    int64_t time;
};
/* The end of a millisecond: behind every entry written in it. */
MUST_CHECK enum status store_moment_at(struct store_reader *reader, int64_t time_ms,
                                       struct store_moment *out);
/* Rewinds *consent to a moment; its status is by the clock of then. STATUS_NOT_FOUND before it was
 * created. */
MUST_CHECK enum status store_consent_at(struct store_reader *reader,
                                        const struct store_moment *moment,
                                        struct store_consent *consent);

/* The stored JSON of a consent as of its last_entry: views, each the members of an object without
 * braces. grant and grant_private are empty while requested; text is of statusReason's entry. */
struct store_terms {
    struct span terms, grant, account, grant_private, reason_text;
};
MUST_CHECK enum status store_consent_terms(struct store_reader *reader,
                                           const struct store_consent *consent,
                                           struct store_terms *out);
/* Appended facts up to consent->last_entry, in order. Arrays from arena; late proofs and ids of
 * provenance steps are JSON elements (views). */
struct store_facts {
    struct store_token *tokens;
    uint32_t token_count;
    struct span *proofs;
    uint32_t proof_count;
    struct span *steps;
    uint32_t step_count;
};
MUST_CHECK enum status store_consent_facts(struct store_reader *reader,
                                           const struct store_consent *consent, struct arena *arena,
                                           struct store_facts *out);

/* A query. Absent members match everything; names never stored match nothing. */
struct store_filter {
    bool everyone;              /* an auditor of "*": who may see is not asked */
    const struct span *tenants; /* else: consents of these tenants … */
    uint32_t tenant_count;
    struct span viewer_client; /* … or, when present, those that name this client */
    struct span client, provider, license, purpose, permission, account, resource, external_id;
    bool has_arrangement;
    struct uuid arrangement;
    uint32_t states;                  /* bit per consent_state, 0: all; by computed status */
    int64_t granted_from, granted_to; /* from inclusive, to exclusive; INT64_MIN / MAX open */
    int64_t expires_before;           /* INT64_MAX open */
    bool tombstones;                  /* what was erased whole, too */
};
struct store_page {
    struct store_consent *items; /* from the arena; their tails are views */
    uint32_t count;
    bool more; /* call again with after = next */
    uint64_t next;
};
/* Consents that match, in creation order, from creation index `from` on. Visits at most LIMIT_WALK
 * index rows: a page may be short, even empty, and have more. */
MUST_CHECK enum status store_consent_query(struct store_reader *reader,
                                           const struct store_filter *filter, uint64_t from,
                                           uint32_t limit, struct arena *arena,
                                           struct store_page *out);
/* The exact bytes of a pack that was activated once: a view. STATUS_NOT_FOUND. */
MUST_CHECK enum status store_pack_bytes(struct store_reader *reader, const struct digest *digest,
                                        struct span *out);
#endif
