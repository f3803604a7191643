/* What an auditor verifies with: one entry with its proof, proofs between sizes, and how far a
 * tenant's numbers go. Sizes are those of any tree the log ever had.
 *
 * Runs on a loop; one snapshot per call (invariant 5). An auditor sees entries of the tenants that
 * its token names, and those about no tenant: genesis, keys, policies (invariant 9). */
// SPDX-License-Identifier: Apache-2.0
#include "api/entry.h"
#include "api/handlers.h"
#include "api/http_out.h"
#include "api/log_proof.h"
#include "api/param.h"
#include "api/params_in.h"
#include "api/problem.h"
#include "api/reading.h"
#include "api/viewer.h"
#include "base/encode.h"
#include "store/log.h"

#define UNSET UINT64_MAX

/* ---- one entry */

/* What relates to no tenant is published to every auditor: erasures, keys, policies, genesis. Who
 * reads the whole log is a matter of those who may. */
static bool may_see(const struct api_viewer *viewer, struct store_reader *reader,
                    const struct store_event *event) {
    if (event->tenant != STORE_NAME_NONE)
        return api_viewer_audits(viewer, store_name(reader, STORE_NAME_MEMBER, event->tenant));
    return viewer->all_providers || event->code != STORE_ACCESS_AUDIT;
}

static enum status write_event(struct api_call *call, uint64_t index) {
    struct store_reader *reader = call->loop->reader;
    struct store_event event;
    enum status status = store_event_get(reader, index, &event);
    if (status != STATUS_OK)
        return status;
    if (!may_see(call->viewer, reader, &event))
        return STATUS_NOT_FOUND;
    struct json_out out = json_out_to(&call->response.body);
    json_out_object_begin(&out);
    store_event_write_members(&event, &out);
    status = api_log_proof_member(call, index, &out);
    json_out_object_end(&out);
    return status;
}

enum api_outcome api_audit_event(struct api_call *call) {
    uint64_t index;
    if (!api_params_none(call))
        return API_DONE;
    if (decode_decimal(call->path_id, &index) != STATUS_OK)
        return api_problem(call, STATUS_NOT_FOUND, NULL);
    enum status status = store_read_begin(call->loop->reader);
    if (status == STATUS_OK) {
        status = write_event(call, index);
        store_read_end(call->loop->reader);
    }
    if (status == STATUS_OK)
        return api_reading_json(call);
    api_response_reset(call);
    return api_problem(call, status, NULL);
}

/* ---- proofs */

struct proof_query {
    uint64_t from, to; /* of inclusion: index and size */
};
#define AT(member) offsetof(struct proof_query, member)
static const struct api_param inclusion_params[] = {{"index", API_PARAM_NUMBER, AT(from), 0},
                                                    {"size", API_PARAM_NUMBER, AT(to), 0}};
static const struct api_param consistency_params[] = {{"from", API_PARAM_NUMBER, AT(from), 0},
                                                      {"to", API_PARAM_NUMBER, AT(to), 0}};
#undef AT

typedef enum status prover(const struct tlog_reader *rows, uint64_t from, uint64_t to,
                           struct tlog_path *out);
struct proof_kind {
    const struct api_param *params; /* two */
    prover *prove;
    uint64_t beyond; /* how far `from` must stay below `to` */
    const char *rule;
};

static void write_root(struct json_out *out, const char *name, const struct digest *root) {
    char text[ENCODE_BASE64_SIZE(DIGEST_SIZE)];
    json_out_member(out, name, span_of(text, encode_base64(root->bytes, DIGEST_SIZE, text)));
}

static enum status write_proof(struct api_call *call, const struct proof_kind *kind,
                               const struct proof_query *query) {
    struct tlog_reader rows = store_log_rows(call->loop->reader);
    struct tlog_path path;
    struct tlog_tree tree;
    enum status status = kind->prove(&rows, query->from, query->to, &path);
    if (status == STATUS_OK)
        status = tlog_tree_read(&rows, query->to, &tree);
    if (status != STATUS_OK)
        return status;
    struct json_out out = json_out_to(&call->response.body);
    struct digest root = tlog_tree_root(&tree);
    json_out_object_begin(&out);
    json_out_member_int(&out, kind->params[0].name, (int64_t)query->from);
    json_out_member_int(&out, kind->params[1].name, (int64_t)query->to);
    write_root(&out, "root", &root);
    json_out_key(&out, "hashes");
    json_out_array_begin(&out);
    for (uint32_t i = 0; i < path.count; i++) {
        char text[ENCODE_BASE64_SIZE(DIGEST_SIZE)];
        json_out_string(&out,
                        span_of(text, encode_base64(path.hashes[i].bytes, DIGEST_SIZE, text)));
    }
    json_out_array_end(&out);
    json_out_object_end(&out);
    return STATUS_OK;
}

static enum api_outcome answer_proof(struct api_call *call, const struct proof_kind *kind) {
    struct proof_query query = {UNSET, UNSET};
    struct api_params params = {kind->params, 2, &query, 0, NULL};
    if (!api_params_from_url(call, &params))
        return API_DONE;
    enum status status = store_read_begin(call->loop->reader);
    if (status != STATUS_OK)
        return api_problem(call, status, NULL);
    uint64_t size = store_log_size(call->loop->reader);
    if (query.to == UNSET)
        query.to = size;
    bool right = query.from != UNSET && query.to <= size && query.from <= query.to &&
                 query.to - query.from >= kind->beyond;
    if (right)
        status = write_proof(call, kind, &query);
    store_read_end(call->loop->reader);
    if (!right)
        return api_problem(call, STATUS_INVALID_PARAMETER, kind->rule);
    return status == STATUS_OK ? api_reading_json(call) : api_problem(call, status, NULL);
}

enum api_outcome api_proof_inclusion(struct api_call *call) {
    static const struct proof_kind kind = {
        inclusion_params, tlog_inclusion_prove, 1,
        "index is required and below size; size is at most the log's, which it is when absent"};
    return answer_proof(call, &kind);
}

enum api_outcome api_proof_consistency(struct api_call *call) {
    static const struct proof_kind kind = {
        consistency_params, tlog_consistency_prove, 0,
        "from is required and at most to; to is at most the log's size, which it is when absent"};
    return answer_proof(call, &kind);
}

/* ---- heads */

enum api_outcome api_audit_head(struct api_call *call) {
    static const struct api_param list[] = {{"tenant", API_PARAM_NAME, 0, LIMIT_URL}};
    struct span tenant = SPAN_NONE;
    struct api_params params = {list, 1, &tenant, 0, NULL};
    if (!api_params_from_url(call, &params))
        return API_DONE;
    if (!span_present(tenant))
        return api_problem(call, STATUS_INVALID_PARAMETER, "tenant is required");
    if (!api_viewer_audits(call->viewer, tenant))
        return api_problem(call, STATUS_NOT_FOUND, NULL);
    enum status status = store_read_begin(call->loop->reader);
    if (status == STATUS_OK) {
        status = store_log_head(call->loop->reader, tenant, &call->response.body);
        store_read_end(call->loop->reader);
    }
    if (status == STATUS_INVALID_PARAMETER)
        return api_problem(call, status, "tenant must be a URL");
    if (status != STATUS_OK)
        return api_problem(call, status, NULL);
    api_header_set(call, "cache-control", SPAN("private, no-cache"));
    return api_respond(call, 200, "text/plain; charset=utf-8");
}
