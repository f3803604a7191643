/* Any bytes as the body of an erasure, and as that of a hold, of a tenant, of an administrator and
 * of somebody who is both: refused with pointers and sentences, or read into one target within its
 * limits, for a tenant that the caller may act for; and what was read says the same when it is
 * written down and read again. */
// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>

#include "api/addressed.h"
#include "api/viewer.h"
#include "auth/auth.h"
#include "base/encode.h"
#include "base/json_out.h"
#include "base/limits.h"
#include "base/log.h"
#include "store/erasure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMBER "https://directory.example/edp"
#define CODE_SIZE_MAX 64

static struct api_viewer viewers[] = {
    {.client_id = SPAN(MEMBER), .tenant = SPAN(MEMBER), .scopes = AUTH_CONSENTS_WRITE},
    {.client_id = SPAN("admin"), .tenant = SPAN("admin"), .scopes = AUTH_ADMIN},
    {.client_id = SPAN(MEMBER), .tenant = SPAN(MEMBER), .scopes = AUTH_ADMIN | AUTH_CONSENTS_WRITE},
};

struct kind {
    enum store_op op;
    enum status (*read)(const struct api_call *call, struct api_json *in,
                        struct store_change *change);
};
static const struct kind kinds[] = {{STORE_ERASE, api_erasure_read}, {STORE_HOLD, api_hold_read}};

/* What an erasure and a hold have in common. */
struct order {
    enum store_role role;
    bool by_account;
    struct uuid id;
    struct span tenant, provider, account, code;
};

static struct order order_of(const struct store_change *change) {
    const struct store_erasure *e = change->erasure;
    const struct store_hold *h = change->hold;
    if (e != NULL)
        return (struct order){e->role,     e->by_account, change->id,   change->tenant,
                              e->provider, e->account,    e->request_id};
    return (struct order){h->role,     h->by_account, change->id, change->tenant,
                          h->provider, h->account,    h->reason};
}

static void check_errors(const struct api_json *in) {
    ASSERT(in->errors.count > 0 && in->errors.count <= API_ERRORS_MAX);
    ASSERT(in->path[0] == '\0'); /* left as it was entered */
    for (uint32_t i = 0; i < in->errors.count; i++) {
        ASSERT(in->errors.items[i].detail.size > 0);
        ASSERT(encode_utf8_valid(in->errors.items[i].detail));
        ASSERT(encode_utf8_valid(in->errors.items[i].pointer));
    }
}

static void check_code(struct span code) {
    ASSERT(code.size > 0 && code.size <= CODE_SIZE_MAX);
    for (size_t i = 0; i < code.size; i++)
        ASSERT(code.data[i] > ' ' && code.data[i] < 0x7f &&
               strchr("\"\\/<>", code.data[i]) == NULL);
}

static void check_limits(const struct api_viewer *viewer, const struct order *o) {
    bool own = span_equal(o->tenant, viewer->tenant);
    ASSERT(o->tenant.size > 0 && o->tenant.size <= LIMIT_URL);
    ASSERT(o->role == STORE_BY_TENANT || o->role == STORE_BY_ADMIN);
    ASSERT(o->role != STORE_BY_TENANT || (own && (viewer->scopes & AUTH_CONSENTS_WRITE) != 0));
    ASSERT(o->role != STORE_BY_ADMIN || (viewer->scopes & AUTH_ADMIN) != 0);
    ASSERT(o->provider.size > 0 && o->provider.size <= LIMIT_URL);
    ASSERT(!o->by_account || (o->account.size > 0 && o->account.size <= LIMIT_ACCOUNT));
    ASSERT(!o->by_account || encode_utf8_valid(o->account));
    ASSERT(o->by_account || !span_present(o->account));
    check_code(o->code);
}

static const char *ground_name(enum store_ground ground) {
    switch (ground) {
#define X(name, number, wire, at_once) \
    case STORE_GROUND_##name:          \
        return wire;
        STORE_GROUNDS(X)
#undef X
    }
    return NULL;
}

static void write_target(struct json_out *out, const struct order *o) {
    json_out_member(out, "tenant", o->tenant);
    if (o->by_account) {
        json_out_member(out, "account", o->account);
        if (!span_equal(o->provider, o->tenant)) /* a tenant need not be a URL */
            json_out_member(out, "provider", o->provider);
    } else {
        json_out_member_uuid(out, "consentId", &o->id);
    }
}

static void write_body(struct buffer *text, const struct store_change *change) {
    const struct store_erasure *e = change->erasure;
    struct order o = order_of(change);
    struct json_out out = json_out_to(text);
    json_out_object_begin(&out);
    write_target(&out, &o);
    json_out_member(&out, e != NULL ? "requestId" : "reason", o.code);
    if (e != NULL) {
        ASSERT(e->part == STORE_ERASED_PERSONAL || e->part == STORE_ERASED_WHOLE);
        ASSERT(ground_name(e->ground) != NULL);
        json_out_member(&out, "ground", span_of_text(ground_name(e->ground)));
        json_out_member(&out, "part",
                        e->part == STORE_ERASED_WHOLE ? SPAN("whole") : SPAN("personal"));
    }
    json_out_object_end(&out);
}

static bool same(const struct store_change *a, const struct store_change *b) {
    struct order x = order_of(a), y = order_of(b);
    bool alike = a->erasure == NULL ||
                 (a->erasure->part == b->erasure->part && a->erasure->ground == b->erasure->ground);
    return alike && x.role == y.role && x.by_account == y.by_account &&
           (x.by_account || uuid_equal(&x.id, &y.id)) && span_equal(x.tenant, y.tenant) &&
           span_equal(x.provider, y.provider) && span_equal(x.code, y.code) &&
           (!x.by_account || span_equal(x.account, y.account));
}

static struct store_change *change_new(const struct kind *kind) {
    struct store_change *change = store_change_new();
    change->op = kind->op;
    return change;
}

static void check_again(const struct kind *kind, const struct api_call *call,
                        const struct store_change *first) {
    struct buffer text = {0};
    struct api_json in;
    const char *why;
    struct store_change *change = change_new(kind);
    write_body(&text, first);
    ASSERT(api_json_begin(&in, &change->arena, buffer_span(&text), &why) == STATUS_OK);
    ASSERT(kind->read(call, &in, change) == STATUS_OK && !api_json_failed(&in));
    ASSERT(same(first, change));
    api_json_end(&in);
    store_change_free(change);
    buffer_release(&text);
}

static void read_as(const struct kind *kind, struct api_viewer *viewer, struct span body) {
    struct api_json in;
    const char *why = NULL;
    const struct api_call call = {.viewer = viewer};
    struct store_change *change = change_new(kind);
    if (api_json_begin(&in, &change->arena, body, &why) == STATUS_OK) {
        enum status status = kind->read(&call, &in, change);
        if (api_json_failed(&in)) {
            check_errors(&in);
        } else if (status == STATUS_OK) {
            struct order o = order_of(change);
            check_limits(viewer, &o);
            check_again(kind, &call, change);
        } else { /* of another tenant, by one who is no administrator */
            ASSERT(status == STATUS_INSUFFICIENT_SCOPE && (viewer->scopes & AUTH_ADMIN) == 0);
        }
        api_json_end(&in);
    } else {
        ASSERT(why != NULL && encode_utf8_valid(span_of_text(why)));
    }
    store_change_free(change);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span body = span_of((const char *)data, size);
    for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++)
        for (size_t i = 0; i < sizeof viewers / sizeof *viewers; i++)
            read_as(&kinds[kind], &viewers[i], body);
    return 0;
}
