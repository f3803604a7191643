/* Eight consents known by letters, and queries that answer in letters. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_SUPPORT_LETTERS_H
#define TESTS_UNIT_SUPPORT_LETTERS_H

#include "tests/unit/support_reading.h"

/* Eight consents, made one by one an hour apart; the letters name them in what follows.
 *   a  EDP, account acc-1, APP, active          b  EDP, account acc-2, OTHER_APP, revoked
 *   c  EDP, requested                           d  EDP, provider OTHER_EDP, combined licence
 *   e  OTHER_EDP, acc-1, APP, external id x     f  EDP, account acc-1, meter-1, expired
 *   g  EDP, other purpose and permission, external id x
 *   h  APP as a tenant, for FSP                                                              */
#define CONSENTS 8
struct letters {
    struct uuid ids[CONSENTS];
    struct uuid arrangements[CONSENTS];
};

UNUSED static void keep(struct letters *letters, int letter, struct store_consent consent) {
    letters->ids[letter] = consent.id;
    letters->arrangements[letter] = consent.arrangement;
}

UNUSED static struct letters populate(struct world *w) {
    struct letters l;
    static const char *const HOURS[CONSENTS] = {"2026-03-12T10:00:00Z", "2026-03-12T11:00:00Z",
                                                "2026-03-12T12:00:00Z", "2026-03-12T13:00:00Z",
                                                "2026-03-12T14:00:00Z", "2026-03-12T15:00:00Z",
                                                "2026-03-12T16:00:00Z", "2026-03-12T17:00:00Z"};
    const struct making makings[CONSENTS] = {
        {.account = "acc-1", .external_id = "a-1"},
        {.account = "acc-2", .client = OTHER_APP},
        {.requested = true},
        {.account = "acc-4", .provider = OTHER_EDP, .license = COMBINED},
        {.tenant = OTHER_EDP, .account = "acc-1", .external_id = "x"},
        {.account = "acc-1",
         .resource = "meter-1",
         .client = OTHER_APP,
         .expires = "2026-03-12T15:30:00Z"},
        {.account = "acc-7",
         .purpose = "corroborate-savings",
         .permission = "tariff",
         .external_id = "x"},
        {.tenant = APP, .account = "acc-8", .client = FSP},
    };
    for (int i = 0; i < CONSENTS; i++) {
        world_set_time(w, HOURS[i]);
        struct store_consent consent = make(w, makings[i]);
        keep(&l, i, consent);
        if (i == 1) {
            end(w, &consent, "withdrawn", CONSENT_REVOKED, "");
        }
    }
    return l;
}

/* The letters of the ids of a page, or of all pages. */
UNUSED static void append_letters(const struct letters *l, const json_t *page, struct buffer *out) {
    size_t i;
    const json_t *item;
    json_array_foreach(json_object_get(page, "items"), i, item) {
        char letter = '?';
        struct uuid id;
        assert_int_equal(uuid_from_text(span_of_text(text_in(item, "consentId")), &id), STATUS_OK);
        for (int k = 0; k < CONSENTS; k++) {
            letter = uuid_equal(&id, &l->ids[k]) ? (char)('a' + k) : letter;
        }
        buffer_append(out, &letter, 1);
    }
}

/* Follows Link: rel="next" to the end. */
UNUSED static const char *list_from(struct world *w, const struct letters *l, struct who as,
                                    const char *target) {
    struct buffer found = {0};
    while (target != NULL) {
        struct reply reply = get(w, as, target);
        if (reply.status != 200) {
            fail_msg("%s: %s", target, reply.body.data);
        }
        json_t *page = json_of(&reply);
        append_letters(l, page, &found);
        const char *link = header_of(&reply, "link");
        const char *end = strstr(link, ">; rel=\"next\"");
        assert_int_equal(end != NULL, json_object_get(page, "next") != NULL);
        target = NULL;
        if (end != NULL) {
            assert_int_equal(link[0], '<');
            target = arena_copy(&w->arena, span_of(link + 1, (size_t)(end - link) - 1)).data;
        }
        json_decref(page);
    }
    buffer_append(&found, "", 1);
    const char *letters = arena_copy(&w->arena, buffer_span(&found)).data;
    buffer_release(&found);
    return letters;
}

UNUSED static const char *list(struct world *w, const struct letters *l, struct who as,
                               const char *query) {
    return list_from(w, l, as, arena_format(&w->arena, "/v1/consents?%s", query).data);
}

/* The same by POST, page by page. */
UNUSED static const char *query(struct world *w, const struct letters *l, struct who as,
                                const char *members) {
    struct buffer found = {0};
    struct span cursor = SPAN("");
    do {
        struct span body =
            arena_format(&w->arena, "{%s%s%.*s}", members,
                         cursor.size > 0 && members[0] != '\0' ? "," : "", SPAN_ARG(cursor));
        struct reply reply = ask(
            w, (struct asking){
                   .as = as, .method = "POST", .target = "/v1/consents/query", .body = body.data});
        if (reply.status != 200) {
            fail_msg("%s: %s", body.data, reply.body.data);
        }
        assert_string_equal(header_of(&reply, "link"), "");
        json_t *page = json_of(&reply);
        append_letters(l, page, &found);
        const char *next = json_string_value(json_object_get(page, "next"));
        cursor = next != NULL ? arena_format(&w->arena, "\"cursor\":\"%s\"", next) : SPAN("");
        json_decref(page);
    } while (cursor.size > 0);
    buffer_append(&found, "", 1);
    const char *letters = arena_copy(&w->arena, buffer_span(&found)).data;
    buffer_release(&found);
    return letters;
}

#endif
