/* Every bound of the service, each with the sentence that derives it. Sizes in bytes. */
// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#define LIMIT_BODY 1048576 /* what a handler reads; the largest legal create is < 64 KiB */
#define LIMIT_BODY_TRANSPORT 4194304 /* what h2o reads, so that the 413 problem can be answered */
#define LIMIT_JSON_DEPTH 16          /* the deepest legal document (dependsOn) nests 6 */
#define LIMIT_STREAM_DEPTH 32  /* a caller's own properties nest; nothing of ours goes past 5 */
#define LIMIT_TOKEN 8192       /* a bearer token; FAPI tokens with RAR stay under 4 KiB */
#define LIMIT_URL 256          /* client, provider, licence, recipient; an LMDB key holds 511 */
#define LIMIT_CODE 64          /* of a pack: a purpose, a permission, a reason */
#define LIMIT_ACCOUNT 128      /* opaque account id */
#define LIMIT_EXTERNAL_ID 128  /* the tenant's own id; is part of an LMDB key */
#define LIMIT_RESOURCE 128     /* opaque resource id */
#define LIMIT_TRANSACTION 128  /* the caller's id of a transfer, or of its provenance step */
#define LIMIT_TEXT 1024        /* free text: statusReason.text, userAgent */
#define LIMIT_RESOURCES 64     /* resources of a consent, over all its permissions */
#define LIMIT_ONWARD 16        /* onward recipients of a consent */
#define LIMIT_GROUPS 8         /* dependsOn groups */
#define LIMIT_GROUP_MEMBERS 16 /* members of one group */
#define LIMIT_LINKS 16         /* how far a decision follows a chain of dependsOn: schemes have 1 */
#define LIMIT_LINKED 1000      /* heads it looks at on the way, in about a millisecond of a loop */
#define LIMIT_ROLES 16         /* scheme roles of one caller */
#define LIMIT_PROVIDERS 256    /* tenants named in an auditor's token; 8 KiB hold fewer long URLs */
#define LIMIT_TOKEN_LEEWAY 60  /* seconds that nbf and iat may be ahead: FAPI 2.0 refuses more */
#define LIMIT_AUTH_CACHE                                                    \
    4096 /* verified tokens of one loop: clients x rotations within an hour \
          */
#define LIMIT_AUTH_CACHE_BYTES 4194304 /* their principals; a usual one takes under 500 bytes */
#define LIMIT_FAILURES 20              /* failed tokens of one peer in a burst, then one a second */
#define LIMIT_PEERS 4096               /* peers with failures one loop remembers: 128 KiB */
#define LIMIT_PROOFS 16                /* proofs in one request */
#define LIMIT_TOKENS 16                /* token digests in one request */
#define LIMIT_SUBSTITUTIONS 32         /* placeholders of one notice */
#define LIMIT_TERMS 16384              /* terms of a consent as JSON */
#define LIMIT_PERSONAL 8192            /* the personal part of an entry as JSON */
#define LIMIT_FACTS                                                   \
    1000 /* appended tokens, proofs and steps of one consent: a token \
            an hour for a month; a refresh a day for almost 3 years */
#define LIMIT_PENDING                                                                            \
    1000             /* digests of one peer that are not known here (yet): a token is registered \
                        seconds after it is issued */
#define LIMIT_SET 64 /* purposes or permissions of a pack: bits of a u64 */
#define LIMIT_BLOCKS \
    1000 /* clients that one page of a stop-list looks at: a scheme has some hundred */
#define LIMIT_LICENSES 256 /* of a pack: a scheme publishes a few each year */
#define LIMIT_REASONS 32   /* clauses that one admissibility check can fail */
#define LIMIT_IDEMPOTENCY_KEY 128
#define LIMIT_PAGE 500 /* items of a page; the default is 50 */
#define LIMIT_PAGE_DEFAULT 50
#define LIMIT_WAIT 60 /* seconds of a long poll: proxies cut connections that are silent longer */
#define LIMIT_WAITING 1024   /* long polls of the process: 4 MiB, and a millisecond to wake all */
#define LIMIT_WAITING_ONE 64 /* of one caller on one loop */
#define LIMIT_WALK 10000     /* index rows one page may visit: about 2 ms of a loop */
#define LIMIT_BULK 1000      /* consents one bulk revocation ends, and a cascade ends inline */
#define LIMIT_EVALUATIONS \
    1000                   /* items of a batch, questions of a search page: about 1 ms of a loop */
#define LIMIT_PAST_PACKS 4 /* kept compiled by a loop: a scheme publishes a few in a log's life */
#define LIMIT_PACK 4194304 /* a policy pack with its texts */
#define LIMIT_QUEUE 4096   /* changes waiting for the writer: ~0.3 s of its work */
#define LIMIT_QUEUE_BYTES 67108864
#define LIMIT_BATCH 512          /* changes in one commit */
#define LIMIT_BATCH_ENTRIES 8192 /* that they may write: LMDB takes 131,071 dirty pages at once */
#define LIMIT_LOOPS 64
#define LIMIT_LANES (LIMIT_LOOPS + 1) /* who submits changes: each loop, and the courier */

#endif
