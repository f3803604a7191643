/* Questions to the policy about stored consents, and the answers to them. A question holds keyed
 * digests where it is about persons, so that it can be recorded and asked again. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_QUESTION_H
#define STORE_QUESTION_H

#include "policy/decision.h"
#include "store/read.h"

enum store_question_about {
    STORE_ABOUT_CONSENT, /* one consent, by id */
    STORE_ABOUT_ACCOUNT, /* whichever consents of an account name the client */
    STORE_ABOUT_RULES,   /* none: a resource type that rules alone decide */
};

/* Spans and arrays are borrowed for the call (or owned by the change that carries the question). */
struct store_question {
    enum store_question_about about;
    struct policy_request ask; /* blocked and onward are filled in by the store */
    struct span tenant;        /* whose consents are asked about: the caller's … */
    struct span viewer_client; /* … or, when present, those that name this client: it asks about
                                  itself */
    struct span client;        /* asked about: subject.id */
    struct uuid consent;       /* STORE_ABOUT_CONSENT */
    struct mac16 account;      /* STORE_ABOUT_ACCOUNT: store_account_key */
    struct span onward;        /* URL of the onward recipient, when ask.has_onward */
    const struct span *resource_ids; /* ask.resources in clear, or NULL when read from the log */
    const int *more_purposes;        /* of the pack, -1: unknown; beside ask.purpose. One consent
                                        must permit them all */
    uint32_t more_purpose_count;
};
/* The keyed digests that stand in questions. Any thread. */
struct mac16 store_account_key(const struct store *store, struct span tenant, struct span account);
struct mac16 store_resource_key(const struct store *store, struct span tenant,
                                struct span resource);

/* A client asks about itself: resources are keyed by whose consent it is, which only the store
 * knows. Keys them anew, in arena, when that is another tenant. Inside a store_read. */
MUST_CHECK enum status store_question_rekey(struct store_reader *reader, struct arena *arena,
                                            struct store_question *question);

struct store_ruling {
    struct policy_decision decision;
    bool has_consent; /* the one that permits (the last to expire), or that comes nearest */
    struct store_consent consent;
    const struct policy_license *license; /* its licence in the pack, or NULL */
};

/* Answers from the snapshot, by the time of the snapshot. The pack must have been activated. */
MUST_CHECK enum status store_decide(struct store_reader *reader, const struct policy_pack *pack,
                                    const struct store_question *question,
                                    struct store_ruling *out);
/* A consent as decisions under a pack see it, for tools that ask many questions of one: views until
 * this reader is asked again or ends. The pack need not have been activated: what this store never
 * heard of, no consent of it can hold. */
MUST_CHECK enum status store_consent_spread(struct store_reader *reader,
                                            const struct policy_pack *pack,
                                            const struct store_consent *consent,
                                            struct policy_consent *out);
/* store_decide as of a moment. */
MUST_CHECK enum status store_decide_as_of(struct store_reader *reader,
                                          const struct policy_pack *pack,
                                          const struct store_question *question,
                                          const struct store_moment *moment,
                                          struct store_ruling *out);
/* The pack in force at a position and the entry that activated it. STATUS_NOT_FOUND before the
 * first. */
MUST_CHECK enum status store_policy_at(struct store_reader *reader, uint64_t position,
                                       struct digest *digest, uint64_t *entry);
/* Consents that a person granted from `first` to `last`, as the grants say, and that were recorded
 * at another time: in the order of their grants, LIMIT_WALK at most. The array is the arena's. */
struct store_grants {
    uint64_t *consents; /* creation indexes */
    uint32_t count;
    bool more;
};
MUST_CHECK enum status store_granted_between(struct store_reader *reader, int64_t first,
                                             int64_t last, struct arena *arena,
                                             struct store_grants *out);
/* What an answer of then rested on beside the consent: the entry that set the block which held
 * against the client (STATUS_NOT_FOUND when none did) … */
MUST_CHECK enum status store_block_at(struct store_reader *reader, struct span tenant,
                                      struct span client, const struct store_moment *moment,
                                      uint64_t *entry);
/* … and, for each member of the consent's groups that is kept here, the entry that gave the consent
 * that it was then its state. *consent is as store_consent_at leaves it. */
#define STORE_LINKS_MAX (LIMIT_GROUPS * LIMIT_GROUP_MEMBERS)
MUST_CHECK enum status store_links_at(struct store_reader *reader,
                                      const struct store_consent *consent,
                                      const struct store_moment *moment,
                                      uint64_t entries[STORE_LINKS_MAX], uint32_t *count);

#endif
