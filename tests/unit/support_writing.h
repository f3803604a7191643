/* Writing through the api: requests that go in at api_handle, wait for the writer and come out of
 * api_reply, over the world of support_reading.h. Bodies are right unless a test spoils them. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_SUPPORT_WRITING_H
#define TESTS_UNIT_SUPPORT_WRITING_H

#include <sched.h>

#include "tests/unit/support_reading.h"

#define EMISSIONS PERSEUS "emissions-cap-fsp/2026-03-12"
#define YEAR_LATER "2027-03-12T10:00:00.000Z" /* after T0: the licence's term */
#define DIGEST_1 "k2in0h4Bj2SuMyfS8lzU12k7LYUyjku2gLz8vUwmuQ4"
#define DIGEST_2 "2SmKENGwc1g33EvYXaxkGw887yekfl1TpU8vP1svz_o"
/* A grant as it is stored: times with milliseconds, members in order. */
#define NOTICE                                                  \
    "\"notice\":{\"url\":\"https://n.example/1\",\"language\":" \
    "\"en\",\"renderedDigest\":\"" DIGEST_1 "\",\"shownAt\":\"" T0_OUT "\"}"
#define BY "\"by\":{\"ref\":\"person-1\",\"authority\":\"director\"}"
#define GRANT "{\"at\":\"" T0_OUT "\",\"method\":\"session\"," NOTICE "," BY "}"
#define PARTIES "\"client\":\"" APP "\",\"license\":\"" CONSUMPTION "\""
#define GRANTED "{" PARTIES ",\"account\":\"acc-1\",\"grant\":" GRANT "}"
#define REQUESTED "{" PARTIES "}"
#define TOKEN_1 \
    "{\"digest\":\"" DIGEST_1 "\",\"issuedAt\":\"" T0_OUT "\",\"expires\":\"" YEAR_LATER "\"}"

/* A request; absent texts have the defaults named. */
struct sending {
    struct who as;
    const char *token;  /* the Authorization header as it is, instead of one for `as` */
    const char *method; /* POST */
    const char *target;
    const char *body;   /* none */
    const char *type;   /* application/json when there is a body; "" sends none */
    const char *key;    /* no Idempotency-Key */
    const char *match;  /* no If-Match */
    const char *accept; /* no Accept */
    bool truncated;     /* the body was larger than the api is shown */
    const struct auth_certificate *certificate; /* none */
};

struct sent {
    struct api_call call;
    struct arena arena;
    struct api_header headers[8];
    char *body; /* of exactly its size, so that the sanitizer sees a byte read past its end */
    enum api_outcome outcome;
};

UNUSED static void add_header(struct sent *sent, const char *name, const char *value) {
    if (value != NULL && value[0] != '\0') {
        sent->headers[sent->call.header_count++] =
            (struct api_header){span_of_text(name), span_of_text(value)};
    }
}

/* Hands the request to the api, and no more. */
UNUSED static void send_begin(struct world *w, const struct sending *sending, struct sent *sent) {
    struct span target = span_of_text(sending->target);
    struct span body = span_of_text(sending->body != NULL ? sending->body : "");
    const char *mark = memchr(target.data, '?', target.size);
    size_t path_size = mark != NULL ? (size_t)(mark - target.data) : target.size;
    const char *type =
        sending->type != NULL ? sending->type : (sending->body != NULL ? "application/json" : "");
    *sent = (struct sent){.body = NULL};
    sent->body = malloc(body.size != 0 ? body.size : 1);
    memcpy(sent->body, body.data, body.size);
    sent->call = (struct api_call){
        .loop = &w->loop,
        .method = span_of_text(sending->method != NULL ? sending->method : "POST"),
        .path = span_of(target.data, path_size),
        .query = mark != NULL ? span_of(mark + 1, target.size - path_size - 1) : SPAN(""),
        .headers = sent->headers,
        .body = span_of(sent->body, body.size),
        .body_truncated = sending->truncated,
        .peer = SPAN("192.0.2.9"),
        .certificate = sending->certificate,
        .request_id = SPAN("r-1"),
        .arena = &sent->arena,
    };
    if (sending->token != NULL) {
        add_header(sent, "authorization", sending->token);
    } else if (sending->as.role != NULL || sending->as.scope != NULL) {
        add_header(sent, "authorization", authorization(w, &sending->as).data);
    }
    add_header(sent, "content-type", type);
    add_header(sent, "idempotency-key", sending->key);
    add_header(sent, "accept", sending->accept);
    if (sending->match != NULL) {
        sent->headers[sent->call.header_count++] =
            (struct api_header){SPAN("if-match"), span_of_text(sending->match)};
    }
    sent->outcome = api_handle(&sent->call);
}

UNUSED static void send_forget(struct sent *sent) {
    buffer_release(&sent->call.response.body);
    arena_release(&sent->arena);
    free(sent->body);
}

UNUSED static struct reply send_end(struct world *w, struct sent *sent) {
    struct reply reply = {0};
    if (sent->outcome == API_PENDING) {
        struct store_change *change = world_await(w);
        assert_null(change->next);
        assert_int_equal(api_reply(&sent->call, change), API_DONE);
    }
    take_response(w, &sent->call, &reply);
    sent->call.response.body = (struct buffer){0};
    send_forget(sent);
    return reply;
}

UNUSED static struct reply send(struct world *w, struct sending sending) {
    struct sent sent;
    send_begin(w, &sending, &sent);
    return send_end(w, &sent);
}

/* An Idempotency-Key that no other request of the test has. */
UNUSED static const char *fresh_key(struct world *w) {
    return arena_format(&w->arena, "key-%u", w->requests++).data;
}

UNUSED static struct reply create(struct world *w, const char *body) {
    return send(w, (struct sending){
                       .as = AS_EDP, .target = "/v1/consents", .body = body, .key = fresh_key(w)});
}

/* The answer is this status; its body as JSON, which the caller decrefs. */
UNUSED static json_t *answered(struct reply reply, int http) {
    if (reply.status != http) {
        fail_msg("%d: %s", reply.status, reply.body.data);
    }
    return json_of(&reply);
}

/* "/v1/consents/" and the consentId of the answer, then more; decrefs nothing. */
UNUSED static const char *at(struct world *w, const json_t *consent, const char *more) {
    return arena_format(&w->arena, "/v1/consents/%s%s", text_in(consent, "consentId"), more).data;
}

/* A consent made of body, which must be right. */
UNUSED static json_t *created(struct world *w, const char *body) {
    return answered(create(w, body), 201);
}

UNUSED static struct reply post(struct world *w, struct who as, const char *target,
                                const char *body) {
    return send(w, (struct sending){.as = as, .target = target, .body = body});
}

/* How many entries the log has: what a refused request must not change. */
UNUSED static uint64_t entries(struct world *w) {
    struct store_stats stats;
    store_stats_get(w->store, &stats);
    return stats.entries;
}

/* The problem names exactly these members, in this order: "/a /b". */
UNUSED static void assert_errors(const struct reply *reply, const char *name,
                                 const char *pointers) {
    struct buffer found = {0};
    assert_problem(reply, 400, name);
    json_t *json = json_of(reply);
    const json_t *errors = json_object_get(json, "errors");
    for (size_t i = 0; i < json_array_size(errors); i++) {
        buffer_append_format(&found, "%s%s", i != 0 ? " " : "",
                             text_in(json_array_get(errors, i), "pointer"));
        assert_string_not_equal(text_in(json_array_get(errors, i), "detail"), "");
    }
    buffer_append(&found, "", 1);
    assert_string_equal(found.data, pointers);
    buffer_release(&found);
    json_decref(json);
}

/* ---- the writer, held: it takes nothing more until it is let go */

UNUSED static struct store_change *nobodys_change(struct world *w) {
    struct store_change *change = change_for(w, STORE_END, NULL);
    change->reason = (struct store_reason){.code = SPAN("withdrawn"), .leads_to = CONSENT_REVOKED};
    return change;
}

/* The writer answers one change, and then waits for our lock in its call of wake. */
UNUSED static void hold_writer(struct world *w) {
    struct store_change *answer;
    pthread_mutex_lock(&w->lock);
    assert_int_equal(store_submit(w->store, 0, nobodys_change(w)), STATUS_OK);
    while ((answer = store_take(w->store, 0)) == NULL) {
        sched_yield();
    }
    store_change_free(answer);
}

UNUSED static void let_writer_go(struct world *w) {
    pthread_mutex_unlock(&w->lock);
}

#endif
