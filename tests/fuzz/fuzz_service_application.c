/* Any bytes as the Directory document of an application: no place, with a sentence that says why
 * and what was known before, or a place that messages may be sent to, believed within bounds. And
 * any bytes as a token: the message is one JSON object that holds it. */
// SPDX-License-Identifier: Apache-2.0
#include <jansson.h>
#include <stdint.h>

#include "base/encode.h"
#include "base/log.h"
#include "service/application.h"
#include "service/key_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_document(struct span text) {
    struct application application = {.endpoint = "https://known.example"};
    struct fetch fetch = {.status = 200, .failure = "none", .type = "application/json"};
    buffer_append_span(&fetch.answer, text);
    const char *why = application_learn(&application, &fetch, 0);
    if (why == NULL) {
        ASSERT(key_url_allowed(span_of_text(application.endpoint), false));
        ASSERT(application.fresh_until_us >= APPLICATION_FRESH_MIN_S * INT64_C(1000000) &&
               application.fresh_until_us <= APPLICATION_FRESH_MAX_S * INT64_C(1000000));
    } else {
        ASSERT(why[0] != '\0' && strcmp(application.endpoint, "https://known.example") == 0 &&
               application.fresh_until_us == 0);
    }
    buffer_release(&fetch.answer);
}

static void write_message(struct span token) {
    struct buffer out = {0};
    if (token.size == 0 || !encode_utf8_valid(token))
        return; /* the api takes no other */
    application_withdrawal(token, &out);
    json_t *message = json_loadb(out.data, out.size, JSON_REJECT_DUPLICATES, NULL);
    const json_t *held = json_object_get(json_object_get(message, "body"), "token");
    ASSERT(json_object_size(message) == 3 && json_is_string(held) &&
           span_equal(span_of(json_string_value(held), json_string_length(held)), token));
    json_decref(message);
    buffer_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = span_of((const char *)data, size);
    read_document(text);
    write_message(text);
    return 0;
}
