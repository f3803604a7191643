/* C2SP tlog-witness, "add-checkpoint", from the log's side. */
// SPDX-License-Identifier: Apache-2.0
#include "service/reply.h"

#include "base/log.h"
#include "tlog/note.h"
#include "tlog/text.h"

static const char *const names[REPLY_KINDS] = {"cosigned", "other_size", "refused", "invalid",
                                               "unreachable"};

const char *reply_kind_name(enum reply_kind kind) {
    ASSERT(kind < REPLY_KINDS);
    return names[kind];
}

/* Lines of keys that we do not know are left out, as the specification demands. */
static struct reply judge_lines(struct span lines, struct span text, const struct tlog_vkey *key) {
    struct tlog_note note;
    if (tlog_note_parse_apart(text, lines, &note) != STATUS_OK ||
        tlog_note_verify(&note, key, 1, 1) != STATUS_OK)
        return (struct reply){.kind = REPLY_INVALID};
    uint32_t at = 0;
    while (note.signatures[at].by == NULL)
        at++;
    return (struct reply){.kind = REPLY_COSIGNED, .line = note.signatures[at].line};
}

static struct reply judge_size(const struct fetch *fetch, struct span body) {
    struct reply reply = {.kind = REPLY_OTHER_SIZE};
    if (strcmp(fetch->type, "text/x.tlog.size") != 0 ||
        tlog_text_number(&body, SPAN(""), &reply.size) != STATUS_OK || body.size != 0)
        return (struct reply){.kind = REPLY_INVALID};
    return reply;
}

struct reply reply_judge(const struct fetch *fetch, struct span text, const struct tlog_vkey *key) {
    struct span body = buffer_span(&fetch->answer);
    if (fetch->status == 0)
        return (struct reply){.kind = REPLY_UNREACHABLE};
    if (fetch->status == 200)
        return judge_lines(body, text, key);
    if (fetch->status == 409)
        return judge_size(fetch, body);
    return (struct reply){.kind = REPLY_REFUSED};
}
