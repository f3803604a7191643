/* Disclosures through the api: bodies that are right unless a test spoils them. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_SUPPORT_DISCLOSING_H
#define TESTS_UNIT_SUPPORT_DISCLOSING_H

#include "store/inquiry.h"
#include "tests/unit/support_writing.h"

#define HALFHOURLY "electricity.import.halfhourly"
/* The data, in the order and form in which they are stored. */
#define DATA                                                       \
    "\"permissions\":[\"" HALFHOURLY "\"],\"resources\":[\"m1\"]," \
    "\"from\":\"2026-01-01T00:00:00.000Z\",\"to\":\"2026-03-01T00:00:00.000Z\""
#define TRANSFER(id) "\"at\":\"" T0_OUT "\",\"transaction\":\"" id "\""
#define TO_APP "\"recipient\":\"" APP "\""
#define BY_ACCOUNT(account) "\"account\":\"" account "\",\"client\":\"" APP "\""
#define DISCLOSED "{" BY_ACCOUNT("acc-1") "," TO_APP "," DATA "," TRANSFER("tx-1") "}"

UNUSED static struct reply disclose_as(struct world *w, struct who as, const char *body) {
    return send(w, (struct sending){
                       .as = as, .target = "/v1/disclosures", .body = body, .key = fresh_key(w)});
}

/* A body of members that begins with a consent's id. */
UNUSED static const char *of_consent(struct world *w, const json_t *consent, const char *more) {
    return arena_format(&w->arena, "{\"consentId\":\"%s\",%s}", text_in(consent, "consentId"), more)
        .data;
}

/* What was recorded; the caller decrefs. */
UNUSED static json_t *disclosed(struct world *w, const char *body) {
    return answered(disclose_as(w, AS_EDP, body), 201);
}

/* The reasons with blanks between, "permitted" when there are none. */
UNUSED static void assert_judged(const json_t *disclosure, const char *reasons) {
    struct buffer found = {0};
    const json_t *list = json_object_get(disclosure, "reasons");
    for (size_t i = 0; i < json_array_size(list); i++)
        buffer_append_format(&found, "%s%s", i != 0 ? " " : "",
                             json_string_value(json_array_get(list, i)));
    buffer_append_text(&found, json_array_size(list) == 0 ? "permitted" : "");
    buffer_append(&found, "", 1);
    assert_string_equal(found.data, reasons);
    assert_int_equal(json_is_true(json_object_get(disclosure, "permitted")),
                     json_array_size(list) == 0);
    buffer_release(&found);
}

/* Records it for the tenant and says what came of it. */
UNUSED static void assert_disclosed(struct world *w, const char *body, const char *reasons) {
    json_t *disclosure = disclosed(w, body);
    assert_judged(disclosure, reasons);
    json_decref(disclosure);
}

/* The entry of the log; the caller decrefs. */
UNUSED static json_t *entry_of(struct world *w, const json_t *disclosure) {
    json_int_t index = json_integer_value(json_object_get(disclosure, "logIndex"));
    struct reply reply =
        get(w, AS_AUDITOR,
            arena_format(&w->arena, "/v1/audit/events?limit=1&after=%lld", index - 1).data);
    json_t *page = answered(reply, 200);
    json_t *entry = json_incref(json_array_get(json_object_get(page, "items"), 0));
    assert_int_equal(json_integer_value(json_object_get(entry, "index")), index);
    json_decref(page);
    return entry;
}

#endif
