/* Proofs of entries; see log_proof.h. Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/log_proof.h"

#include "api/http_out.h"
#include "base/log.h"
#include "store/log.h"
#include "tlog/proof.h"

enum status api_log_proof_member(const struct api_call *call, uint64_t index,
                                 struct json_out *out) {
    struct store_reader *reader = call->loop->reader;
    struct tlog_reader rows = store_log_rows(reader);
    struct tlog_path path;
    struct buffer proof = {0};
    enum status status = tlog_inclusion_prove(&rows, index, store_log_size(reader), &path);
    if (status != STATUS_OK)
        return status;
    tlog_proof_put(&proof, SPAN_NONE, index, &path, store_log_checkpoint(reader));
    json_out_member(out, "proof", buffer_span(&proof));
    buffer_release(&proof);
    return STATUS_OK;
}

/* One preference of a list: its token, without value and parameters. */
static struct span next_preference(struct span *list) {
    const char *comma = memchr(list->data, ',', list->size);
    size_t size = comma != NULL ? (size_t)(comma - list->data) : list->size;
    struct span one = span_of(list->data, size);
    *list = span_of(list->data + size, list->size - size);
    if (list->size != 0)
        *list = span_of(list->data + 1, list->size - 1);
    while (one.size > 0 && (one.data[0] == ' ' || one.data[0] == '\t'))
        one = span_of(one.data + 1, one.size - 1);
    for (size_t i = 0; i < one.size; i++)
        if (memchr("=; \t", one.data[i], 4) != NULL)
            one.size = i;
    return one;
}

static bool is_preferred(const struct api_call *call) {
    for (uint32_t i = 0; i < call->header_count; i++) {
        struct span list = call->headers[i].value;
        while (span_is(call->headers[i].name, "prefer") && list.size > 0) {
            struct span token = next_preference(&list);
            if (token.size == 5 && strncasecmp(token.data, "proof", 5) == 0)
                return true;
        }
    }
    return false;
}

enum status api_log_proof_add(struct api_call *call, uint64_t index) {
    struct buffer *body = &call->response.body;
    if (!is_preferred(call))
        return STATUS_OK;
    enum status status = store_read_begin(call->loop->reader);
    if (status != STATUS_OK)
        return status;
    ASSERT(body->size > 2 && body->data[body->size - 1] == '}');
    body->size--;
    struct json_out out = json_out_to(body);
    out.comma = true;
    status = api_log_proof_member(call, index, &out);
    buffer_append_text(body, "}");
    store_read_end(call->loop->reader);
    if (status == STATUS_OK)
        api_header_set(call, "preference-applied", SPAN("proof"));
    return status;
}
