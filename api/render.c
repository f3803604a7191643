/* A consent as JSON: the header's members from the decoded header, the other terms copied as
 * the bytes that were stored. For the tenant's view nothing is parsed and nothing allocated but the
 * output buffer, unless tokens or late proofs were appended.
 *
 * Runs on a loop, inside a store_read (invariant 5: nothing here outlives it). */
// SPDX-License-Identifier: Apache-2.0
#include "api/render.h"

#include "api/recipient.h"
#include "api/render_client.h"
#include "api/terms.h"
#include "base/log.h"

/* What one rendering works on. */
struct rendering {
    const struct api_call *call;
    struct store_reader *reader;
    const struct store_consent *consent;
    bool whole; /* tenant or auditor: everything */
    bool part;  /* onward recipient: its part */
    struct store_terms terms;
    struct store_facts facts;
};

/* The clock, not an entry, gave the consent the state it shows (invariant 7). */
static bool ended_by_clock(const struct store_consent *consent) {
    return consent->status != consent->recorded;
}

struct span api_render_reason_code(struct store_reader *reader,
                                   const struct store_consent *consent) {
    if (ended_by_clock(consent)) {
        return span_of_text(lifecycle_state_name(consent->status));
    }
    return consent->reason == STORE_NAME_NONE
               ? SPAN_NONE
               : store_name(reader, STORE_NAME_REASON, consent->reason);
}

/* The first complete member of `members` whose text begins with prefix (`"name":"`), up to its
 * closing quote. Values are strings in our own escaping: a quote ends one unless a backslash
 * stands before it. */
static struct span string_member(struct span members, struct span prefix) {
    size_t at = 0;
    while (at < members.size) {
        struct span rest = span_of(members.data + at, members.size - at);
        bool found = span_starts(rest, prefix);
        size_t end = 0;
        /* Two strings make a member: its name, then its value. */
        for (int quotes = 0; quotes < 4 && end < rest.size; end++) {
            if (rest.data[end] == '\\') {
                end++;
            } else if (rest.data[end] == '"') {
                quotes++;
            }
        }
        ASSERT(end <= rest.size);
        if (found) {
            return span_of(rest.data, end);
        }
        at += end + 1; /* the comma */
    }
    return SPAN_NONE;
}

static void write_reason(struct rendering *r, struct json_out *out) {
    struct span code = api_render_reason_code(r->reader, r->consent);
    if (!span_present(code)) {
        return;
    }
    json_out_key(out, "statusReason");
    json_out_object_begin(out);
    json_out_member(out, "code", code);
    if (r->whole) {
        struct span text = ended_by_clock(r->consent) ? SPAN_NONE : r->terms.reason_text;
        enum consent_role by = ended_by_clock(r->consent) ? CONSENT_BY_SYSTEM : r->consent->by;
        const char *role = lifecycle_role_name(by);
        json_out_members(out, string_member(text, SPAN("\"text\":\"")));
        if (role != NULL) {
            json_out_key(out, "by");
            json_out_object_begin(out);
            json_out_member(out, "role", span_of_text(role));
            json_out_members(out, string_member(text, SPAN("\"ref\":\"")));
            json_out_object_end(out);
        }
    }
    json_out_object_end(out);
}

static enum status write_neighbour(struct rendering *r, const char *name, uint64_t index,
                                   struct json_out *out) {
    struct store_consent other;
    if (index == STORE_INDEX_NONE) {
        return STATUS_OK;
    }
    enum status status = store_consent_by_index(r->reader, index, &other);
    if (status == STATUS_OK) {
        json_out_member_uuid(out, name, &other.id);
    }
    return status;
}

static enum status write_header(struct rendering *r, struct json_out *out) {
    const struct store_consent *consent = r->consent;
    json_out_member_uuid(out, "consentId", &consent->id);
    json_out_member_uuid(out, "arrangementId", &consent->arrangement);
    json_out_member_int(out, "version", consent->version);
    enum status status =
        r->part ? STATUS_OK : write_neighbour(r, "supersedes", consent->supersedes, out);
    if (status == STATUS_OK && !r->part) {
        status = write_neighbour(r, "supersededBy", consent->superseded_by, out);
    }
    json_out_member(out, "status", span_of_text(lifecycle_state_name(consent->status)));
    json_out_member_time(out, "statusAt", consent->status_at);
    write_reason(r, out);
    json_out_member(out, "tenant", store_name(r->reader, STORE_NAME_MEMBER, consent->tenant));
    if (consent->granted_at != INT64_MIN) {
        json_out_member_time(out, "lastGranted", consent->granted_at);
    }
    if (consent->status == CONSENT_REVOKED || consent->status == CONSENT_TERMINATED) {
        json_out_member_time(out, "revoked", consent->status_at);
    }
    return status;
}

/* grant_private, with the late proofs put into its proofs array: by agreement with the writing
 * side that array, where there is one, is its last member, and no other member ends in ']'. */
static void write_grant_private(struct rendering *r, struct json_out *out) {
    struct span members = r->terms.grant_private;
    if (r->facts.proof_count == 0) {
        json_out_members(out, members);
        return;
    }
    if (members.size > 0 && members.data[members.size - 1] == ']') {
        json_out_members(out, span_of(members.data, members.size - 1));
        out->comma = members.data[members.size - 2] != '[';
    } else {
        json_out_members(out, members);
        json_out_key(out, "proofs");
        json_out_array_begin(out);
    }
    for (uint32_t i = 0; i < r->facts.proof_count; i++) {
        json_out_members(out, r->facts.proofs[i]);
    }
    json_out_array_end(out);
}

static void write_tokens(const struct rendering *r, struct json_out *out) {
    if (r->facts.token_count == 0) {
        return;
    }
    json_out_key(out, "tokens");
    json_out_array_begin(out);
    for (uint32_t i = 0; i < r->facts.token_count; i++) {
        const struct store_token *token = &r->facts.tokens[i];
        json_out_object_begin(out);
        json_out_key(out, "digest");
        json_out_base64url(out, token->digest.bytes, sizeof token->digest.bytes);
        json_out_member_time(out, "issuedAt", token->issued_at);
        json_out_member_time(out, "expires", token->expires);
        json_out_object_end(out);
    }
    json_out_array_end(out);
}

static void write_steps(const struct rendering *r, struct json_out *out) {
    if (r->facts.step_count == 0) {
        return;
    }
    json_out_key(out, "provenanceStepIds");
    json_out_array_begin(out);
    for (uint32_t i = 0; i < r->facts.step_count; i++) {
        json_out_members(out, r->facts.steps[i]);
    }
    json_out_array_end(out);
}

static void write_whole_terms(struct rendering *r, struct json_out *out) {
    api_terms_parties(r->reader, r->consent, out);
    json_out_members(out, r->terms.terms);
    json_out_members(out, r->terms.account);
    if (r->terms.grant.size > 0) {
        json_out_key(out, "grant");
        json_out_object_begin(out);
        json_out_members(out, r->terms.grant);
        write_grant_private(r, out);
        json_out_object_end(out);
    }
    write_tokens(r, out);
}

static struct api_client_view client_view(const struct rendering *r) {
    const struct store_consent *consent = r->consent;
    return (struct api_client_view){
        r->call->loop->service->store,
        &r->terms,
        store_name(r->reader, STORE_NAME_MEMBER, consent->tenant),
        store_name(r->reader, STORE_NAME_MEMBER, consent->provider),
        r->part ? api_recipient_named(r->call->viewer, &r->terms)
                : store_name(r->reader, STORE_NAME_MEMBER, consent->client),
        r->part ? atomic_load(&r->call->loop->service->pack) : NULL,
        store_name(r->reader, STORE_NAME_LICENSE, consent->license),
    };
}

static enum status gather(struct rendering *r) {
    enum status status = store_consent_terms(r->reader, r->consent, &r->terms);
    bool appended = (r->whole && (r->consent->token_count > 0 || r->consent->proof_count > 0)) ||
                    (!r->part && r->consent->step_count > 0);
    if (status == STATUS_OK && appended) {
        status = store_consent_facts(r->reader, r->consent, r->call->arena, &r->facts);
    }
    return status;
}

enum status api_render_consent(const struct api_call *call, enum api_relation relation,
                               const struct store_consent *consent, struct json_out *out) {
    struct rendering r = {.call = call, .reader = call->loop->reader, .consent = consent};
    char evidence[STORE_EVIDENCE_SIZE + 1];
    ASSERT(relation != API_RELATION_NONE); /* invariant 9 */
    r.whole = relation == API_RELATION_TENANT || relation == API_RELATION_AUDITOR;
    r.part = relation == API_RELATION_RECIPIENT;
    enum status status = gather(&r);
    if (status != STATUS_OK) {
        return status;
    }
    json_out_object_begin(out);
    status = write_header(&r, out);
    if (r.whole) {
        write_whole_terms(&r, out);
    } else {
        struct api_client_view view = client_view(&r);
        api_terms_parties(r.reader, consent, out);
        api_render_client_terms(&view, out);
    }
    if (!r.part) {
        write_steps(&r, out);
        store_evidence_id(call->loop->service->store, &consent->arrangement, evidence);
        json_out_member(out, "evidenceId", span_of(evidence, STORE_EVIDENCE_SIZE));
    }
    json_out_member_int(out, "logIndex", (int64_t)consent->last_entry);
    json_out_object_end(out);
    return status;
}

enum status api_render_pairwise(const struct api_call *call, const struct store_consent *consent,
                                char out[API_PAIRWISE_SIZE + 1]) {
    struct rendering r = {.call = call, .reader = call->loop->reader, .consent = consent};
    enum status status = gather(&r);
    if (status != STATUS_OK) {
        return status;
    }
    struct api_client_view view = client_view(&r);
    return api_render_client_account(&view, out) ? STATUS_OK : STATUS_NOT_FOUND;
}
