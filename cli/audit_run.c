/* Leaves and lines side by side; see audit_run.h. */
// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_run.h"

#include "base/json_out.h"
#include "tlog/text.h"

#define HEADS "/heads"
#define ROUNDS 10 /* looks at a log that erases while it is read */

/* ---- the head of a tenant */

static bool parse_head(struct span text, struct span name, struct audit_tenant *tenant) {
    struct span line;
    return tlog_text_line(&text, &line) == STATUS_OK && span_equal(line, name) &&
           tlog_text_number(&text, SPAN(""), &tenant->size) == STATUS_OK &&
           tlog_text_line(&text, &line) == STATUS_OK && span_equal(line, tenant->name) &&
           tlog_text_number(&text, SPAN(""), &tenant->number) == STATUS_OK && text.size == 0;
}

/* A head is signed by the log's keys under another name, so that it is no checkpoint. */
static bool check_head(struct audit_run *run, struct span bytes) {
    struct tlog_vkey keys[AUDIT_KEYS_MAX];
    struct tlog_note note;
    struct buffer name = {0};
    size_t count = run->keys->trust.key_count;
    buffer_append_span(&name, run->keys->trust.origin);
    buffer_append_text(&name, HEADS);
    for (size_t i = 0; i < count; i++)
        keys[i] =
            tlog_vkey_make(buffer_span(&name), TLOG_KEY_ED25519, run->keys->keys[i].public_key);
    bool good = tlog_note_parse(bytes, &note) == STATUS_OK &&
                tlog_note_verify(&note, keys, count, 1) == STATUS_OK &&
                parse_head(note.text, buffer_span(&name), &run->tenant);
    buffer_release(&name);
    return good || audit_bad(&run->fault, "the tenant's head is none that the log's key signed");
}

static void write_name(struct audit_tenant *tenant) {
    struct buffer quoted = {0};
    struct json_out out = json_out_to(&quoted);
    json_out_string(&out, tenant->name);
    buffer_append(&tenant->text, quoted.data + 1, quoted.size - 2);
    buffer_release(&quoted);
}

bool audit_run_head(struct audit_run *run) {
    struct buffer bytes = {0};
    write_name(&run->tenant);
    run->tenant.seen_at = AUDIT_NO_INDEX;
    bool good =
        audit_http_head(run->source, &bytes, &run->fault) && check_head(run, buffer_span(&bytes));
    buffer_release(&bytes);
    return good;
}

static bool end_tenant(struct audit_run *run) {
    const struct audit_tenant *tenant = &run->tenant;
    uint64_t gone = audit_erased_between(&run->history.erased, tenant->seen_at, tenant->size);
    if (tenant->seen > tenant->number)
        return audit_bad_entry(&run->fault, tenant->seen_at,
                               "it is number %llu of its tenant, whose signed head says %llu",
                               (unsigned long long)tenant->seen,
                               (unsigned long long)tenant->number);
    return tenant->seen + gone >= tenant->number ||
           audit_bad(&run->fault,
                     "withheld: the tenant has %llu entries by its signed head, %llu were shown",
                     (unsigned long long)tenant->number, (unsigned long long)tenant->seen);
}

/* ---- lines */

static bool read_line(struct audit_run *run) {
    struct span text;
    if (run->has_line || run->lines_end)
        return true;
    if (!run->source->kind->next_line(run->source, &text, &run->fault))
        return false;
    if (!span_present(text)) {
        run->lines_end = true;
        return true;
    }
    uint64_t expected = run->source->last_line + 1; /* 0 behind AUDIT_NO_INDEX */
    if (!audit_entry_read(text, expected, &run->line, &run->fault))
        return false;
    run->source->last_line = run->line.index;
    run->has_line = true;
    return true;
}

static bool check_tenant(struct audit_run *run, const struct audit_entry *e) {
    struct audit_tenant *tenant = &run->tenant;
    if (!span_present(tenant->name) || !span_present(e->payload))
        return true;
    if (!span_equal(e->tenant, buffer_span(&tenant->text)))
        return audit_bad_entry(&run->fault, e->index, "it is not about the tenant");
    if (e->index < tenant->size) {
        tenant->seen = e->tenant_seq;
        tenant->seen_at = e->index;
    }
    return true;
}

static bool take_line(struct audit_run *run, struct span leaf) {
    const struct audit_entry *e = &run->line;
    if (!span_equal(leaf, span_of((const char *)e->leaf, TLOG_LEAF_SIZE)))
        return audit_bad_entry(&run->fault, e->index, "its line has another leaf than the tree");
    run->has_line = false;
    run->opened += span_present(e->payload);
    return check_tenant(run, e) && audit_history_add(&run->history, e, &run->fault);
}

/* Every entry has a line; of one tenant's lines, those of others are left out. */
static bool open_leaves(struct audit_run *run, const struct audit_leaves *leaves) {
    bool all = !span_present(run->tenant.name);
    for (uint32_t i = 0; i < leaves->count; i++) {
        uint64_t index = leaves->first + i;
        if (!read_line(run))
            return false;
        if (run->has_line && run->line.index < index)
            return audit_bad_entry(&run->fault, run->line.index, "its line comes out of order");
        if (run->has_line && run->line.index == index) {
            if (!take_line(run, leaves->entries[i]))
                return false;
        } else if (all) {
            return audit_bad_entry(&run->fault, index, "withheld: it has no line%s",
                                   run->source->live ? " (a token of some tenants: see --tenant)"
                                                     : "");
        }
    }
    return true;
}

/* ---- the run */

static bool go_on(struct audit_run *run) {
    struct tlog_head head;
    struct audit_leaves leaves;
    run->tree.source = run->source;
    run->tree.fault = &run->fault;
    run->lines_end = false;
    if (!audit_source_checkpoint(run->source, run->keys, &run->checkpoint, &head, &run->fault) ||
        !audit_tree_aim(&run->tree, &head))
        return false;
    run->progress.total = head.size;
    do {
        if (!audit_tree_next(&run->tree, &leaves))
            return false;
        if (run->openings && !open_leaves(run, &leaves))
            return false;
        progress_step(&run->progress, run->tree.tree.size);
    } while (leaves.count != 0);
    return audit_tree_end(&run->tree);
}

/* What is exported ends where its checkpoint says. */
static bool check_rest(struct audit_run *run) {
    if (run->source->live)
        return true;
    if (run->openings && !read_line(run))
        return false;
    if (run->has_line)
        return audit_bad_entry(&run->fault, run->line.index, "the checkpoint does not know it");
    return run->source->kind->check_rest(run->source, run->tree.head.size, &run->fault);
}

static bool conclude(struct audit_run *run) {
    if (!check_rest(run))
        return false;
    if (!run->openings)
        return true;
    return audit_history_end(&run->history, &run->fault) &&
           (!span_present(run->tenant.name) || end_tenant(run));
}

/* What others are shown who demand cosignatures: read first, so that the newest is not older. */
static bool read_cosigned(struct audit_run *run) {
    return run->witnesses->count == 0 ||
           audit_cosigned_read(run->source, run->keys, run->witnesses, &run->cosigned, &run->fault);
}

static bool compare_cosigned(struct audit_run *run) {
    const struct audit_mark mark = {run->cosigned.head, AUDIT_COSIGNED};
    return run->witnesses->count == 0 || audit_tree_began(&run->tree, &mark);
}

/* What is erased while it is read has its notice behind the checkpoint. */
bool audit_run_look(struct audit_run *run) {
    bool good = read_cosigned(run) && go_on(run);
    for (int round = 0;
         good && run->source->live && round < ROUNDS && !audit_history_explained(&run->history);
         round++)
        good = go_on(run);
    return good && compare_cosigned(run) && conclude(run);
}

void audit_run_release(struct audit_run *run) {
    audit_tree_release(&run->tree);
    audit_history_release(&run->history);
    buffer_release(&run->checkpoint);
    buffer_release(&run->tenant.text);
    audit_cosigned_release(&run->cosigned);
}
