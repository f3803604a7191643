/* What is read from a log wherever it is; see audit_source.h. */
// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_source.h"

#include "base/digest.h"
#include "tlog/bundle.h"

#define CHECKPOINT_MAX 65536 /* 64 signatures of a few hundred bytes */
#define BUNDLE_MAX ((size_t)TLOG_TILE_WIDTH * (2 + TLOG_ENTRY_SIZE_MAX))

bool audit_source_checkpoint(struct audit_source *source, const struct audit_keys *keys,
                             struct buffer *out, struct tlog_head *head,
                             struct audit_fault *fault) {
    buffer_clear(out);
    switch (source->kind->get(source, "checkpoint", CHECKPOINT_MAX, out, fault)) {
    case AUDIT_GOT:
        return audit_checkpoint_check(keys, buffer_span(out), "checkpoint", head, fault);
    case AUDIT_MISSING:
        return audit_unavailable(fault, "%s: there is no checkpoint", source->name);
    default:
        return false;
    }
}

bool audit_source_cosigned(struct audit_source *source, const struct audit_keys *keys,
                           struct buffer *out, struct tlog_head *head, struct audit_fault *fault) {
    buffer_clear(out);
    switch (source->kind->get(source, AUDIT_COSIGNED, CHECKPOINT_MAX, out, fault)) {
    case AUDIT_GOT:
        return audit_checkpoint_check(keys, buffer_span(out), AUDIT_COSIGNED, head, fault);
    case AUDIT_MISSING:
        return audit_source_checkpoint(source, keys, out, head, fault);
    default:
        return false;
    }
}

bool audit_source_tile(struct audit_source *source, const struct tlog_tile *tile,
                       struct buffer *out, struct audit_fault *fault) {
    char path[8 + TLOG_TILE_PATH_MAX] = "tile/";
    tlog_tile_path(tile, path + strlen(path));
    size_t max = tile->entries ? BUNDLE_MAX : TLOG_TILE_WIDTH * DIGEST_SIZE;
    buffer_clear(out);
    switch (source->kind->get(source, path, max, out, fault)) {
    case AUDIT_GOT:
        return true;
    case AUDIT_MISSING:
        return audit_bad(fault, "%s: it is not there", path);
    default:
        return false;
    }
}

void audit_source_close(struct audit_source *source) {
    if (source != NULL)
        source->kind->close(source);
}
