/* consentctl verify: a log against its own checkpoint, from outside. Uses files or HTTP and the
 * log's public formats; it knows nothing of the store. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/timestamp.h"
#include "cli/audit_run.h"
#include "cli/audit_state.h"
#include "cli/audit_where.h"
#include "cli/file.h"
#include "cli/options.h"

#define COMMAND "verify"
#define CHECKPOINT_MAX 65536

static const char help[] =
    "Usage: consentctl verify URL|DIR --vkey KEY [--openings] [--tenant URL] [--from FILE]\n"
    "                         [--state FILE [--max-age TIME]] [--token FILE] [--timeout TIME]\n"
    "                         [--ca-file FILE]\n"
    "                         [--witness KEY... [--quorum N] [--cosigned-within TIME]]\n"
    "\n"
    "Verifies a log: one that is served (URL), or was exported (DIR; see consentctl export). "
    "Every\n"
    "hash is computed again from the leaves, and every tile and the root in the signed checkpoint\n"
    "must be those. Nothing is taken on trust but KEY.\n"
    "\n"
    "  --vkey KEY       the log's verifier key, or a file with its keys, one a line. Take it from\n"
    "                   where you would believe it, not from the log\n"
    "  --openings       reads every entry as well: its payload must be what its leaf commits to, "
    "or\n"
    "                   a later notice says that it was erased. The entries of each consent and "
    "of\n"
    "                   each tenant are numbered without gaps, time does not go back, and lives\n"
    "                   of consents are legal: states that may follow one another, one active\n"
    "                   consent of an arrangement, nothing permitted by what is not active\n"
    "  --tenant URL     reads the entries about one tenant, as an auditor of that tenant may: its\n"
    "                   numbers must go without gaps to the one that the log has signed. For a "
    "URL\n"
    "  --from FILE      an old checkpoint that the log must go on from\n"
    "  --state FILE     keeps the last good checkpoint, which the next run goes on from. A log\n"
    "                   that went back, or another one, is refused\n"
    "  --max-age TIME   how long the checkpoint in FILE may stay the last one (90s, 30m, 1h, 7d);\n"
    "                   without it, not growing since the last run is told as stale\n"
    "  --witness KEY    a witness's verifier key, or a file with some, one a line; can be given "
    "more\n"
    "                   than once. What the log shows to who demands cosignatures must be "
    "cosigned\n"
    "                   by a quorum of these, and the log must be what that has grown into\n"
    "  --quorum N       how many of them: all\n"
    "  --cosigned-within TIME   a quorum must have cosigned it so lately; without it, ever\n"
    "  --token FILE     a bearer token with audit:read; - for standard input\n"
    "  --timeout TIME   of each request: 60s\n"
    "  --ca-file FILE   the authorities (PEM) that alone may vouch for the server's certificate;\n"
    "                   without it those that the system trusts\n"
    "  --progress       tells how far it is also where standard error is no terminal\n"
    "\n"
    "Exit codes: 0 good; 1 bad, and the first thing that is wrong is named, by its index where it\n"
    "has one, also that too few witnesses have cosigned; 2 it cannot be read, or was asked "
    "wrongly:\n"
    "nothing is known; 3 good, but stale.\n";

struct arguments {
    struct audit_where where;
    struct audit_witnesses witnesses;
    struct span from, state, max_age;
    bool openings, progress;
    int64_t max_age_s; /* 0: none */
};

/* What was believed before. */
struct past {
    struct audit_state state;
    struct audit_mark marks[AUDIT_MARKS_MAX];
    uint32_t count;
};

static bool read_arguments(int argc, char **argv, struct arguments *out) {
    const struct cli_option more[] = {
        {"from", false, &out->from},
        {"state", false, &out->state},
        {"max-age", false, &out->max_age},
        {"tenant", false, &out->where.tenant},
        {"quorum", false, &out->witnesses.number},
        {"cosigned-within", false, &out->witnesses.age},
        {NULL, false, NULL},
    };
    out->openings = cli_flag_take(&argc, argv, "openings");
    out->progress = cli_flag_take(&argc, argv, "progress");
    if (!cli_values_take(COMMAND, &argc, argv, "witness", &out->witnesses.given) ||
        !audit_where_read(COMMAND, argc, argv, more, &out->where) ||
        !audit_witnesses_read(COMMAND, 0, &out->witnesses))
        return false;
    if (span_present(out->where.tenant) && !out->where.is_url) {
        cli_complain(COMMAND, "option --tenant is for a URL: whoever has all files needs no head");
        return false;
    }
    if (span_present(out->max_age) &&
        (!span_present(out->state) || !cli_seconds_read(out->max_age, &out->max_age_s))) {
        cli_complain(COMMAND, "option --max-age must be a time like 90s, 30m, 1h or 7d, and needs "
                              "--state");
        return false;
    }
    out->openings |= span_present(out->where.tenant);
    return true;
}

/* ---- what was believed before */

static bool read_old(const struct arguments *arguments, const struct audit_keys *keys,
                     struct past *past) {
    struct buffer bytes = {0};
    struct audit_fault fault;
    struct audit_mark *mark = &past->marks[past->count];
    mark->name = arguments->from.data;
    bool good = cli_file_read(COMMAND, mark->name, CHECKPOINT_MAX, &bytes) == CLI_OK;
    if (good &&
        !audit_checkpoint_check(keys, buffer_span(&bytes), mark->name, &mark->head, &fault)) {
        cli_complain(COMMAND, "%s", fault.text);
        good = false;
    }
    past->count += good;
    buffer_release(&bytes);
    return good;
}

static bool read_past(const struct arguments *arguments, const struct audit_keys *keys,
                      struct past *past) {
    if (span_present(arguments->state)) {
        if (!audit_state_read(COMMAND, arguments->state.data, keys, &past->state))
            return false;
        if (past->state.known)
            past->marks[past->count++] =
                (struct audit_mark){past->state.head, arguments->state.data};
    }
    return !span_present(arguments->from) || read_old(arguments, keys, past);
}

/* ---- the verdict */

static void print_good(const struct audit_run *run) {
    char root[ENCODE_BASE64_SIZE(DIGEST_SIZE)];
    size_t size = encode_base64(run->tree.head.root.bytes, DIGEST_SIZE, root);
    printf("good, %llu entries, root %.*s\n", (unsigned long long)run->tree.head.size, (int)size,
           root);
    if (run->openings)
        printf("opened %llu, erased %llu; consents %llu, tenants %llu\n",
               (unsigned long long)run->opened,
               (unsigned long long)audit_erased_between(&run->history.erased, AUDIT_NO_INDEX,
                                                        UINT64_MAX),
               (unsigned long long)run->history.consent_count,
               (unsigned long long)run->history.tenants.count);
    if (run->witnesses->count != 0) {
        char time[TIMESTAMP_SIZE + 1];
        timestamp_format(run->cosigned.time_ms, time);
        printf("cosigned %llu entries, by %zu of %zu witnesses, a quorum at %s\n",
               (unsigned long long)run->cosigned.head.size, run->cosigned.count,
               run->witnesses->count, time);
    }
}

static enum cli_exit conclude(const struct arguments *arguments, const struct audit_run *run,
                              const struct past *past) {
    struct clock clock;
    clock_init(&clock);
    int64_t now = clock_now_ms(&clock);
    bool same = past->state.known && past->state.head.size == run->tree.head.size;
    struct audit_state state = past->state;
    char text[128];
    state.seen = same ? past->state.seen : now;
    print_good(run);
    bool stale = same && now - state.seen >= arguments->max_age_s * 1000;
    if (stale) {
        timestamp_format(state.seen, text);
        printf("stale, it has not grown since %s\n", text);
    }
    if (run->witnesses->count != 0 &&
        !audit_cosigned_fresh(&run->cosigned, run->witnesses, now, text)) {
        printf("stale, %s\n", text);
        stale = true;
    }
    if (span_present(arguments->state) &&
        !audit_state_write(COMMAND, arguments->state.data, &state, buffer_span(&run->checkpoint)))
        return CLI_UNAVAILABLE;
    return cli_finish(COMMAND, stale ? CLI_STALE : CLI_OK);
}

static enum cli_exit verify(const struct arguments *arguments, const struct audit_keys *keys,
                            const struct past *past) {
    struct audit_run *run = mem_alloc_zeroed(1, sizeof *run);
    enum cli_exit ended;
    run->keys = keys;
    run->witnesses = &arguments->witnesses;
    run->openings = arguments->openings;
    run->tenant.name = arguments->where.tenant;
    memcpy(run->tree.marks, past->marks, sizeof past->marks);
    run->tree.mark_count = past->count;
    audit_history_begin(&run->history, 0);
    progress_begin(&run->progress, COMMAND, 0, arguments->progress);
    run->source = audit_where_open(&arguments->where, AUDIT_NO_INDEX, &run->fault);
    bool good = run->source != NULL && (!span_present(run->tenant.name) || audit_run_head(run)) &&
                audit_run_look(run) &&
                audit_cosigned_judge(&run->cosigned, run->witnesses, &run->fault);
    progress_end(&run->progress);
    ended = good ? conclude(arguments, run, past) : audit_tell(COMMAND, &run->fault);
    audit_source_close(run->source);
    audit_run_release(run);
    mem_free(run);
    return ended;
}

static enum cli_exit run(int argc, char **argv) {
    struct arguments arguments = {.openings = false};
    struct audit_keys keys = {0};
    struct past past = {.count = 0};
    enum cli_exit ended = CLI_USAGE;
    if (read_arguments(argc, argv, &arguments) &&
        audit_keys_read(COMMAND, arguments.where.vkey, &keys) &&
        read_past(&arguments, &keys, &past))
        ended = verify(&arguments, &keys, &past);
    audit_keys_release(&keys);
    audit_witnesses_release(&arguments.witnesses);
    audit_where_release(&arguments.where);
    return ended;
}

const struct cli_command cli_verify_command = {
    .name = "verify",
    .summary = "verify a log, by URL or as exported, from its leaves up",
    .help = help,
    .run = run,
};
