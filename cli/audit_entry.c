/* Opening entries; see audit_entry.h. */
// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_entry.h"

#include "base/encode.h"
#include "base/timestamp.h"
#include "cli/json_scan.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* As they stand in the line. */
struct line {
    struct span index, at, event, leaf, r, payload, personal_r, personal, proof, status;
};

static bool read_line(struct span text, struct line *out) {
    const struct json_wanted wanted[] = {
        {"index", &out->index},
        {"at", &out->at},
        {"event", &out->event},
        {"leaf", &out->leaf},
        {"r", &out->r},
        {"payload", &out->payload},
        {"personalR", &out->personal_r},
        {"personal", &out->personal},
        {"proof", &out->proof},
        {"status", &out->status},
    };
    return json_scan_object(text, wanted, COUNT(wanted));
}

static bool read_base64(struct span value, void *out, size_t size) {
    struct span text;
    size_t got = 0;
    return json_scan_text(value, &text) && decode_base64(text, out, size, &got) == STATUS_OK &&
           got == size;
}

/* ---- the payload's members */

static bool optional_number(struct span value, uint64_t absent, uint64_t *out) {
    *out = absent;
    return !span_present(value) || json_scan_number(value, out);
}

static bool optional_text(struct span value, struct span *out) {
    *out = SPAN_NONE;
    return !span_present(value) || json_scan_text(value, out);
}

/* The personal part's commitment goes to `personal`. */
static bool read_payload(struct audit_entry *e, struct span *personal) {
    struct span v, type, at, consent, arrangement, tenant, client, seq, prev, tenant_seq,
        tenant_prev, when;
    const struct json_wanted wanted[] = {
        {"v", &v},
        {"type", &type},
        {"at", &at},
        {"consentId", &consent},
        {"arrangementId", &arrangement},
        {"tenant", &tenant},
        {"client", &client},
        {"seq", &seq},
        {"prev", &prev},
        {"tenantSeq", &tenant_seq},
        {"tenantPrev", &tenant_prev},
        {"personal", personal},
        {"body", &e->body},
    };
    return json_scan_object(e->payload, wanted, COUNT(wanted)) && span_is(v, "1") &&
           json_scan_text(type, &e->type) && json_scan_text(at, &when) &&
           timestamp_parse(when, &e->at) == STATUS_OK && optional_text(consent, &e->consent) &&
           optional_text(span_present(arrangement) ? arrangement : consent, &e->arrangement) &&
           optional_text(tenant, &e->tenant) && optional_text(client, &e->client) &&
           optional_number(seq, 0, &e->seq) && optional_number(prev, AUDIT_NO_INDEX, &e->prev) &&
           optional_number(tenant_seq, 0, &e->tenant_seq) &&
           optional_number(tenant_prev, AUDIT_NO_INDEX, &e->tenant_prev);
}

/* ---- leaves: which type each kind of entry has is part of the format */

static unsigned char leaf_type_of(struct span type) {
    static const struct {
        const char *kind;
        unsigned char leaf_type;
    } kinds[] = {
        {"consent.", 1}, {"decision.", 2},  {"disclosure.", 3},   {"erasure.", 4},
        {"key.", 5},     {"policy.", 6},    {"access.", 7},       {"log.", 8},
        {"peer.", 9},    {"delivery.", 10}, {"attestation.", 11}, {"block.", 12},
        {"hold.", 12},
    };
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (span_starts(type, span_of_text(kinds[i].kind)))
            return kinds[i].leaf_type;
    return 0;
}

static bool commits(const struct digest *commitment, const unsigned char *salt,
                    struct span content) {
    struct digest found = tlog_commitment(salt, content);
    return digest_equal(&found, commitment);
}

static bool open_personal(const struct line *line, struct audit_entry *e, struct span stated,
                          struct audit_fault *fault) {
    struct digest commitment;
    unsigned char salt[TLOG_SALT_SIZE];
    struct span text;
    size_t size = 0;
    e->has_personal = span_present(stated);
    if (!e->has_personal)
        return (!span_present(line->personal) && !span_present(line->personal_r)) ||
               audit_bad_entry(fault, e->index, "nothing commits to its personal part");
    if (!json_scan_text(stated, &text) ||
        decode_base64url(text, commitment.bytes, DIGEST_SIZE, &size) != STATUS_OK ||
        size != DIGEST_SIZE)
        return audit_bad_entry(fault, e->index, "its payload has no commitment as \"personal\"");
    if (!span_present(line->personal) && !span_present(line->personal_r))
        return true; /* an erasure notice must say so */
    if (!read_base64(line->personal_r, salt, sizeof salt) || !span_present(line->personal) ||
        !commits(&commitment, salt, line->personal))
        return audit_bad_entry(fault, e->index,
                               "its personal part is not what its payload commits to");
    e->personal = line->personal;
    return true;
}

/* The line repeats what the payload says. */
static bool check_repeated(const struct line *line, const struct audit_entry *e,
                           struct audit_fault *fault) {
    struct span event = SPAN_NONE, at = SPAN_NONE;
    int64_t time = 0;
    if (!json_scan_text(line->event, &event) || !span_equal(event, e->type))
        return audit_bad_entry(fault, e->index, "its \"event\" is not its payload's \"type\"");
    if (!json_scan_text(line->at, &at) || timestamp_parse(at, &time) != STATUS_OK || time != e->at)
        return audit_bad_entry(fault, e->index, "its \"at\" is not its payload's");
    return true;
}

static bool open_payload(const struct line *line, struct audit_entry *e,
                         struct audit_fault *fault) {
    struct digest commitment;
    unsigned char salt[TLOG_SALT_SIZE];
    struct span personal;
    memcpy(commitment.bytes, e->leaf + TLOG_LEAF_SIZE - DIGEST_SIZE, DIGEST_SIZE);
    if (!read_base64(line->r, salt, sizeof salt) || !span_present(line->payload) ||
        !commits(&commitment, salt, line->payload))
        return audit_bad_entry(fault, e->index, "its payload is not what its leaf commits to");
    e->payload = line->payload;
    if (!read_payload(e, &personal))
        return audit_bad_entry(fault, e->index, "its payload has not the form of one");
    if (e->leaf[1] != leaf_type_of(e->type))
        return audit_bad_entry(fault, e->index, "a leaf of type %u, and it is \"%.*s\"",
                               (unsigned)e->leaf[1], SPAN_ARG(e->type));
    return open_personal(line, e, personal, fault) && check_repeated(line, e, fault);
}

bool audit_entry_read(struct span text, uint64_t expected, struct audit_entry *out,
                      struct audit_fault *fault) {
    struct line line;
    struct audit_entry e = {.seq = 0};
    if (!read_line(text, &line))
        return audit_bad_entry(fault, expected, "its line is no JSON object");
    if (!span_present(line.index) && span_present(line.status))
        return audit_unavailable(fault, "the service failed while it read its events");
    if (!json_scan_number(line.index, &e.index))
        return audit_bad_entry(fault, expected, "its line has no index");
    if (!read_base64(line.leaf, e.leaf, sizeof e.leaf))
        return audit_bad_entry(fault, e.index, "its line has no leaf");
    if (e.leaf[0] != 1 || e.leaf[2] != 0 || e.leaf[3] != 0)
        return audit_bad_entry(fault, e.index, "its leaf has not the form of one");
    e.proof = line.proof;
    if (!span_present(line.payload) && !span_present(line.r) && !span_present(line.personal) &&
        !span_present(line.personal_r)) {
        *out = e;
        return true;
    }
    if (!open_payload(&line, &e, fault))
        return false;
    *out = e;
    return true;
}
