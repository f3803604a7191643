/* Any bytes as the body of a disclosure: refused with pointers and sentences, or read into members
 * within their limits, whose bytes are JSON and are the same when they are read again, the account
 * among the personal ones alone; and into a question that the policy has an answer to. */
// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>

#include "api/disclosure_read.h"
#include "base/encode.h"
#include "base/json_out.h"
#include "base/limits.h"
#include "tests/fuzz/support_store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW INT64_C(1773309600000) /* 2026-03-12T10:00:00Z */
#define MEMBER "https://directory.example/edp"

static void prepare(void) {
    rig_open_default();
}

static struct store_change *change_new(void) {
    struct store_change *change = store_change_new();
    change->op = STORE_DISCLOSE;
    change->tenant = change->actor = SPAN(MEMBER);
    change->pack = rig.pack;
    return change;
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

static void check_limits(const struct store_change *change) {
    const struct store_disclosure *d = change->disclosure;
    const struct store_question *q = &change->inquiries[0].question;
    ASSERT(change->inquiry_count == 1);
    ASSERT(d->at >= 0 && d->at <= NOW + 60000);
    ASSERT(d->transaction.size > 0 && d->transaction.size <= LIMIT_TRANSACTION);
    ASSERT(d->step.size <= LIMIT_TRANSACTION);
    ASSERT(d->body_json.size <= LIMIT_TERMS && d->personal_json.size <= LIMIT_PERSONAL);
    ASSERT(q->onward.size > 0 && q->onward.size <= LIMIT_URL);
    ASSERT(q->ask.has_permissions && q->ask.resource_count > 0);
    ASSERT(q->ask.resource_count <= LIMIT_RESOURCES && q->more_purpose_count < LIMIT_SET);
    ASSERT(q->ask.has_purpose || q->more_purpose_count == 0);
    ASSERT(q->about == STORE_ABOUT_CONSENT || q->about == STORE_ABOUT_ACCOUNT);
    ASSERT((q->about == STORE_ABOUT_ACCOUNT) == (d->personal_json.size != 0));
}

/* What is stored, as a body again. */
static void check_again(const struct store_disclosure *first) {
    struct buffer text = {0};
    struct api_json in;
    const char *why;
    struct store_change *change = change_new();
    struct json_out out = json_out_to(&text);
    json_out_object_begin(&out);
    json_out_members(&out, first->asked_json);
    json_out_members(&out, first->body_json);
    json_out_members(&out, first->personal_json);
    json_out_object_end(&out);
    ASSERT(api_json_begin(&in, &change->arena, buffer_span(&text), &why) == STATUS_OK);
    api_disclosure_read(&in, rig.store, NOW, change);
    ASSERT(!api_json_failed(&in));
    ASSERT(span_equal(change->disclosure->body_json, first->body_json));
    ASSERT(span_equal(change->disclosure->asked_json, first->asked_json));
    ASSERT(span_equal(change->disclosure->personal_json, first->personal_json));
    ASSERT(change->disclosure->at == first->at);
    api_json_end(&in);
    store_change_free(change);
    buffer_release(&text);
}

/* Nobody's consent: there is something to say all the same. */
static void check_policy(const struct store_question *question) {
    struct policy_decision decision;
    policy_decide(rig.pack, NULL, &question->ask, NOW, &decision);
    ASSERT((decision.denials >> DENIAL_CONSENT_NOT_FOUND & 1U) == 1);
    ASSERT((decision.denials >> DENIAL_MALFORMED_REQUEST & 1U) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct api_json in;
    const char *why = NULL;
    if (rig.store == NULL)
        prepare();
    struct store_change *change = change_new();
    struct span body = span_of((const char *)data, size);
    if (api_json_begin(&in, &change->arena, body, &why) == STATUS_OK) {
        api_disclosure_read(&in, rig.store, NOW, change);
        if (api_json_failed(&in)) {
            check_errors(&in);
        } else {
            check_limits(change);
            check_again(change->disclosure);
            check_policy(&change->inquiries[0].question);
        }
        api_json_end(&in);
    } else {
        ASSERT(why != NULL && encode_utf8_valid(span_of_text(why)));
    }
    store_change_free(change);
    return 0;
}
