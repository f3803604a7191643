/* consentctl monitor: looks at a log again and again, each time at what came since, and raises what
 * an operator cannot explain away: a fork, a rollback, a stall, an entry that is not opened.
 * Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/timestamp.h"
#include "cli/audit_run.h"
#include "cli/audit_state.h"
#include "cli/audit_where.h"
#include "cli/file.h"

#define COMMAND "monitor"
#define EVERY_S 60
#define STALL_S 86400
#define COSIGNED_S 600 /* witnesses are asked every minute at least */

static const char help[] =
    "Usage: consentctl monitor URL --vkey KEY --state FILE [--every TIME] [--stall TIME]\n"
    "                          [--exec COMMAND] [--once] [--token FILE] [--timeout TIME]\n"
    "                          [--ca-file FILE]\n"
    "                          [--witness KEY... [--quorum N] [--cosigned-within TIME]]\n"
    "\n"
    "Watches a log that is served. Each look reads the checkpoint, shows that the log goes on "
    "from\n"
    "the one in FILE, and opens every entry that came since; the first look reads the whole log. "
    "What\n"
    "it raises, on standard error and by COMMAND, once until it changes:\n"
    "\n"
    "  bad          fork: the log is not the one it was; rollback: it has become shorter; an "
    "entry\n"
    "               that is not what its leaf commits to, is withheld, or leaves a gap in "
    "numbers;\n"
    "               a log that no quorum of witnesses has cosigned, or that is not the one they "
    "have\n"
    "  stale        it has not grown for the time of --stall, or a quorum has not cosigned it, or "
    "not\n"
    "               what it has become, for that of --cosigned-within\n"
    "  unavailable  it cannot be read\n"
    "\n"
    "  --vkey KEY       the log's verifier key, or a file with its keys, one a line\n"
    "  --state FILE     keeps the last good checkpoint; only good looks change it\n"
    "  --every TIME     between two looks: 60s\n"
    "  --stall TIME     how long a log may stay as it is: 1d\n"
    "  --witness KEY    a witness's verifier key, or a file with some, one a line; can be given "
    "more\n"
    "                   than once. The checkpoint that is shown to who demands cosignatures is "
    "read\n"
    "                   too, and held against the newest\n"
    "  --quorum N       how many of them must have cosigned it: all\n"
    "  --cosigned-within TIME   how long witnesses may stay behind: 10m\n"
    "  --exec COMMAND   is run by the shell, with CONSENTCTL_RESULT (bad, stale, unavailable) and\n"
    "                   CONSENTCTL_TEXT in its environment\n"
    "  --once           looks once and ends\n"
    "  --token FILE     a bearer token with audit:read that shows all tenants; - for standard "
    "input\n"
    "  --timeout TIME   of each request: 60s\n"
    "  --ca-file FILE   the authorities (PEM) that alone may vouch for the server's certificate;\n"
    "                   without it those that the system trusts\n"
    "\n"
    "Numbers of consents and tenants are held against what this process has seen; for the whole "
    "log\n"
    "see `consentctl verify --openings`.\n"
    "\n"
    "Exit codes, with --once: 0 good, 1 bad, 2 unavailable or asked wrongly, 3 stale.\n";

struct monitor {
    struct audit_where where;
    struct audit_keys keys;
    struct audit_witnesses witnesses;
    struct span state_file, every, stall, exec;
    int64_t every_s, stall_s;
    bool once;
    struct audit_state state;
    struct audit_run *run; /* NULL before the first look, and after one that failed */
    char raised[512];      /* what was raised last, until a look is good */
};

static int64_t now_ms(void) {
    struct clock clock;
    clock_init(&clock);
    return clock_now_ms(&clock);
}

/* ---- raising */

static void run_command(const struct monitor *m, const char *result, const char *text) {
    if (setenv("CONSENTCTL_RESULT", result, 1) != 0 || setenv("CONSENTCTL_TEXT", text, 1) != 0 ||
        system(m->exec.data) != 0)
        cli_complain(COMMAND, "the command has failed");
}

static void raise_alarm(struct monitor *m, const char *result, const char *text) {
    if (strcmp(m->raised, text) == 0)
        return;
    snprintf(m->raised, sizeof m->raised, "%s", text);
    cli_complain(COMMAND, "%s: %s", result, text);
    if (span_present(m->exec))
        run_command(m, result, text);
}

/* ---- looking */

static void forget(struct monitor *m) {
    if (m->run == NULL)
        return;
    audit_source_close(m->run->source);
    audit_run_release(m->run);
    mem_free(m->run);
    m->run = NULL;
}

static bool begin(struct monitor *m, struct audit_fault *fault) {
    uint64_t size = m->state.known ? m->state.head.size : 0;
    struct audit_source *source =
        audit_where_open(&m->where, size != 0 ? size - 1 : AUDIT_NO_INDEX, fault);
    if (source == NULL)
        return false;
    m->run = mem_alloc_zeroed(1, sizeof *m->run);
    m->run->source = source;
    m->run->keys = &m->keys;
    m->run->witnesses = &m->witnesses;
    m->run->openings = true;
    audit_history_begin(&m->run->history, size);
    if (m->state.known) {
        m->run->tree.marks[0] = (struct audit_mark){m->state.head, m->state_file.data};
        m->run->tree.mark_count = 1;
        m->run->tree.resumes = true;
    }
    return true;
}

static enum cli_exit fail(struct monitor *m, const struct audit_fault *fault) {
    bool bad = fault->result == AUDIT_BAD;
    raise_alarm(m, bad ? "bad" : "unavailable", fault->text);
    forget(m);
    return bad ? CLI_FAILED : CLI_UNAVAILABLE;
}

/* What a quorum must come to have cosigned: when it has reached that, what there is then. */
static bool aim_at(struct monitor *m, const struct audit_run *run, struct audit_state *state) {
    size_t quorum = run->witnesses->quorum;
    uint64_t cosigned = run->cosigned.count >= quorum ? run->cosigned.head.size : 0;
    if (quorum == 0 || (state->uncosigned != 0 && cosigned < state->uncosigned))
        return false;
    state->uncosigned = cosigned < run->tree.head.size ? run->tree.head.size : 0;
    state->uncosigned_seen = now_ms();
    return state->uncosigned != m->state.uncosigned;
}

/* False when the state cannot be written. */
static bool keep(struct monitor *m, struct audit_run *run, bool *grown) {
    const struct tlog_head *head = &run->tree.head;
    struct audit_state state = m->state;
    *grown = !m->state.known || head->size != m->state.head.size;
    if (*grown) {
        state.known = true;
        state.head = *head;
        state.seen = now_ms();
    }
    if (aim_at(m, run, &state) || *grown) {
        if (!audit_state_write(COMMAND, m->state_file.data, &state, buffer_span(&run->checkpoint)))
            return false;
        m->state = state;
    }
    run->tree.marks[0] = (struct audit_mark){m->state.head, m->state_file.data};
    run->tree.mark_count = 1;
    return true;
}

static enum cli_exit raise_stall(struct monitor *m, const char *text) {
    char whole[160];
    snprintf(whole, sizeof whole, "stall: %s", text);
    raise_alarm(m, "stale", whole);
    return CLI_STALE;
}

/* A stall of the log, or of what witnesses have seen of it. */
static enum cli_exit look_for_stalls(struct monitor *m, const struct audit_run *run) {
    const struct audit_state *state = &m->state;
    int64_t now = now_ms();
    char text[128], seen[TIMESTAMP_SIZE + 1];
    if (m->witnesses.count != 0 && !audit_cosigned_fresh(&run->cosigned, &m->witnesses, now, text))
        return raise_stall(m, text);
    if (m->witnesses.count != 0 && state->uncosigned != 0 &&
        now - state->uncosigned_seen > m->witnesses.within_ms) {
        timestamp_format(state->uncosigned_seen, seen);
        snprintf(text, sizeof text, "cosigned are %llu entries, and it had %llu at %s",
                 (unsigned long long)run->cosigned.head.size, (unsigned long long)state->uncosigned,
                 seen);
        return raise_stall(m, text);
    }
    if (now - state->seen >= m->stall_s * 1000) {
        timestamp_format(state->seen, seen);
        snprintf(text, sizeof text, "%llu entries since %s",
                 (unsigned long long)run->tree.head.size, seen);
        return raise_stall(m, text);
    }
    m->raised[0] = '\0';
    return CLI_OK;
}

/* What is good of the log is kept, also when witnesses are not where they should be. */
static enum cli_exit conclude(struct monitor *m, struct audit_run *run) {
    struct audit_fault fault = {AUDIT_GOOD, ""};
    bool grown;
    if (!keep(m, run, &grown))
        return CLI_UNAVAILABLE;
    if (!audit_cosigned_judge(&run->cosigned, run->witnesses, &fault)) {
        raise_alarm(m, "bad", fault.text);
        return CLI_FAILED;
    }
    if (grown || m->once)
        printf("good, %llu entries\n", (unsigned long long)run->tree.head.size);
    return look_for_stalls(m, run);
}

static enum cli_exit look(struct monitor *m) {
    struct audit_fault fault = {AUDIT_GOOD, ""};
    if (m->run == NULL && !begin(m, &fault))
        return fail(m, &fault);
    if (!audit_run_look(m->run)) {
        fault = m->run->fault;
        return fail(m, &fault);
    }
    return cli_finish(COMMAND, conclude(m, m->run));
}

/* ---- the command */

static bool read_time(struct span text, const char *name, int64_t otherwise, int64_t *out) {
    *out = otherwise;
    if (!span_present(text) || cli_seconds_read(text, out))
        return true;
    cli_complain(COMMAND, "option --%s must be a time like 90s, 30m, 1h or 7d", name);
    return false;
}

static bool read_arguments(int argc, char **argv, struct monitor *m) {
    const struct cli_option more[] = {
        {"state", true, &m->state_file},
        {"every", false, &m->every},
        {"stall", false, &m->stall},
        {"exec", false, &m->exec},
        {"quorum", false, &m->witnesses.number},
        {"cosigned-within", false, &m->witnesses.age},
        {NULL, false, NULL},
    };
    m->once = cli_flag_take(&argc, argv, "once");
    if (!cli_values_take(COMMAND, &argc, argv, "witness", &m->witnesses.given) ||
        !audit_where_read(COMMAND, argc, argv, more, &m->where) ||
        !audit_witnesses_read(COMMAND, COSIGNED_S, &m->witnesses) ||
        !read_time(m->every, "every", EVERY_S, &m->every_s) ||
        !read_time(m->stall, "stall", STALL_S, &m->stall_s))
        return false;
    if (!m->where.is_url)
        cli_complain(COMMAND, "what is watched must be a URL: files do not grow");
    return m->where.is_url && audit_keys_read(COMMAND, m->where.vkey, &m->keys) &&
           audit_state_read(COMMAND, m->state_file.data, &m->keys, &m->state);
}

static enum cli_exit watch(struct monitor *m) {
    const struct timespec pause = {.tv_sec = m->every_s};
    enum cli_exit ended = look(m);
    while (!m->once) {
        nanosleep(&pause, NULL);
        ended = look(m);
    }
    return ended;
}

static enum cli_exit run(int argc, char **argv) {
    struct monitor m = {.once = false};
    enum cli_exit ended = read_arguments(argc, argv, &m) ? watch(&m) : CLI_USAGE;
    forget(&m);
    audit_keys_release(&m.keys);
    audit_witnesses_release(&m.witnesses);
    audit_where_release(&m.where);
    return ended;
}

const struct cli_command cli_monitor_command = {
    .name = "monitor",
    .summary = "watch a log: forks, rollbacks, stalls, entries that are not opened",
    .help = help,
    .run = run,
};
