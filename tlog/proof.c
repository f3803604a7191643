/* Proofs that stand alone. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "tlog/proof.h"

#include "base/encode.h"
#include "tlog/text.h"

#define FIRST_LINE "c2sp.org/tlog-proof@v1"
#define EXTRA "extra "
#define INDEX "index "

/* The line may be missing; with nothing behind its name it is none. */
static enum status parse_extra(struct span *left, struct span *extra) {
    struct span line;
    if (!span_starts(*left, SPAN(EXTRA)))
        return STATUS_OK;
    if (tlog_text_line(left, &line) != STATUS_OK)
        return STATUS_INVALID_PARAMETER;
    *extra = span_of(line.data + strlen(EXTRA), line.size - strlen(EXTRA));
    return extra->size != 0 && encode_base64_valid(*extra) ? STATUS_OK : STATUS_INVALID_PARAMETER;
}

enum status tlog_proof_parse(struct span bytes, struct tlog_proof *out) {
    struct tlog_proof read = {.extra = SPAN_NONE};
    struct span first;
    if (tlog_text_line(&bytes, &first) != STATUS_OK || !span_is(first, FIRST_LINE) ||
        parse_extra(&bytes, &read.extra) != STATUS_OK ||
        tlog_text_number(&bytes, SPAN(INDEX), &read.index) != STATUS_OK ||
        tlog_text_path(&bytes, TLOG_PATH_MAX, &read.path) != STATUS_OK ||
        tlog_checkpoint_parse(bytes, &read.checkpoint) != STATUS_OK)
        return STATUS_INVALID_PARAMETER;
    *out = read;
    return STATUS_OK;
}

enum status tlog_proof_verify(struct tlog_proof *proof, const struct digest *leaf_hash,
                              const struct tlog_trust *trust) {
    if (!tlog_inclusion_verify(&proof->path, proof->index, leaf_hash, &proof->checkpoint.head))
        return STATUS_INVALID_PARAMETER;
    return tlog_checkpoint_verify(&proof->checkpoint, trust);
}

void tlog_proof_put(struct buffer *out, struct span extra, uint64_t index,
                    const struct tlog_path *path, struct span checkpoint) {
    buffer_append_text(out, FIRST_LINE "\n");
    if (extra.size != 0) {
        buffer_append_text(out, EXTRA);
        out->size += encode_base64(extra.data, extra.size,
                                   buffer_reserve(out, ENCODE_BASE64_SIZE(extra.size)));
        buffer_append_text(out, "\n");
    }
    tlog_text_put_number(out, SPAN(INDEX), index);
    tlog_text_put_path(out, path);
    buffer_append_span(out, checkpoint);
}
