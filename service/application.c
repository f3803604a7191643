/* See application.h. */
// SPDX-License-Identifier: Apache-2.0
#include "service/application.h"

#include <jansson.h>
#include <stdio.h>
#include <strings.h>

#include "base/digest.h"
#include "base/json_out.h"
#include "service/key_source.h"

#define SECOND_US INT64_C(1000000)
#define FRESH_DEFAULT_S 300
#define DELAY_MAX_S 3600
#define DOUBLINGS_MAX 12

/* application/json, or anything that is JSON by its suffix (RFC 6839). */
static bool is_json(const char *type) {
    size_t size = strcspn(type, "; \t");
    return (size == 16 && strncasecmp(type, "application/json", 16) == 0) ||
           (size > 5 && strncasecmp(type + size - 5, "+json", 5) == 0);
}

/* A string, or what JSON-LD writes for a reference. */
static struct span address_in(const json_t *document) {
    const json_t *value = json_object_get(document, "ib1:messageDelivery");
    if (json_is_object(value))
        value = json_object_get(value, "@id");
    return json_is_string(value) ? span_of(json_string_value(value), json_string_length(value))
                                 : SPAN_NONE;
}

static int64_t fresh_for_us(const struct fetch *fetch) {
    int64_t seconds = key_freshness_s(span_of_text(fetch->cache_control));
    if (seconds < 0)
        seconds = FRESH_DEFAULT_S;
    if (seconds < APPLICATION_FRESH_MIN_S)
        seconds = APPLICATION_FRESH_MIN_S;
    return (seconds < APPLICATION_FRESH_MAX_S ? seconds : APPLICATION_FRESH_MAX_S) * SECOND_US;
}

bool application_url_allowed(struct span url) {
    return span_starts(url, SPAN("https://")) && key_url_allowed(url, false);
}

const char *application_learn(struct application *application, const struct fetch *fetch,
                              int64_t now_us) {
    if (fetch->status == 0)
        return fetch->failure;
    if (fetch->status != 200)
        return "its Directory document is not there";
    if (!is_json(fetch->type))
        return "its Directory document is no JSON";
    json_t *document =
        json_loadb(fetch->answer.data, fetch->answer.size, JSON_REJECT_DUPLICATES, NULL);
    struct span address = address_in(document);
    const char *why = document == NULL         ? "its Directory document is no JSON"
                      : !span_present(address) ? "its Directory document has no ib1:messageDelivery"
                      : !application_url_allowed(address)
                          ? "its ib1:messageDelivery is no https URL"
                          : NULL;
    if (why == NULL) {
        snprintf(application->endpoint, sizeof application->endpoint, "%.*s", SPAN_ARG(address));
        application->fresh_until_us = now_us + fresh_for_us(fetch);
    }
    json_decref(document);
    return why;
}

int64_t application_delay_ms(uint64_t first_s, unsigned attempts) {
    uint32_t chance;
    uint64_t delay_s = first_s << (attempts < DOUBLINGS_MAX ? attempts : DOUBLINGS_MAX);
    digest_random(&chance, sizeof chance);
    int64_t most_ms = (int64_t)(delay_s < DELAY_MAX_S ? delay_s : DELAY_MAX_S) * 1000;
    return most_ms / 2 + most_ms / 2 * (chance % 1024) / 1023;
}

int64_t application_failed(struct application *application, uint64_t first_s, int64_t now_us) {
    int64_t delay_ms = application_delay_ms(first_s, application->failures++);
    application->retry_us = now_us + delay_ms * 1000;
    return delay_ms;
}

void application_took(struct application *application) {
    application->failures = 0;
    application->retry_us = 0;
}

void application_withdrawal(struct span token, struct buffer *out) {
    struct json_out json = json_out_to(out);
    json_out_object_begin(&json);
    json_out_member(&json, "ib1:message",
                    SPAN("https://registry.core.trust.ib1.org/trust-framework"));
    json_out_member(
        &json, "subject",
        SPAN("https://registry.trust.ib1.org/message/withdrawal-of-permission/2025-03-16"));
    json_out_key(&json, "body");
    json_out_object_begin(&json);
    json_out_member(&json, "token", token);
    json_out_object_end(&json);
    json_out_object_end(&json);
}
