/* The development greeting: commands made for the pack that is active, whichever it is. */
// SPDX-License-Identifier: Apache-2.0
#include "service/dev.h"

#include <stdio.h>

#include "auth/dev.h"
#include "base/json_out.h"
#include "policy/pack.h"
#include "store/store.h"

#define TENANT "https://directory.example/member/energy-supplier"
#define CLIENT "https://directory.example/app/carbon-accounts"
#define ACCOUNT "account-1"
#define TOKEN_SECONDS 86400

/* A licence that a consent can be granted under without anything else being there. */
static const struct policy_license *simple_license(const struct policy_pack *pack) {
    for (uint32_t i = 0; i < policy_pack_license_count(pack); i++) {
        const struct policy_license *license = policy_pack_license(pack, i);
        if (license->onward_min == 0 && license->depends_on_count == 0)
            return license;
    }
    return policy_pack_license_count(pack) != 0 ? policy_pack_license(pack, 0) : NULL;
}

static void write_grant(struct json_out *json, int64_t now_ms) {
    json_out_key(json, "grant");
    json_out_object_begin(json);
    json_out_member_time(json, "at", now_ms);
    json_out_member(json, "method", SPAN("authenticatedSession"));
    json_out_key(json, "by");
    json_out_object_begin(json);
    json_out_member(json, "ref", SPAN("user-71"));
    json_out_member(json, "authority", SPAN("director"));
    json_out_object_end(json);
    json_out_key(json, "notice");
    json_out_object_begin(json);
    struct digest words = digest_sha256(SPAN("the words that were shown"));
    json_out_member(json, "url", SPAN("https://supplier.example/notices/1"));
    json_out_member(json, "language", SPAN("en"));
    json_out_key(json, "renderedDigest");
    json_out_base64url(json, words.bytes, sizeof words.bytes);
    json_out_member_time(json, "shownAt", now_ms);
    json_out_object_end(json);
    json_out_object_end(json);
}

static void write_body(const struct policy_license *license, int64_t now_ms, struct buffer *out) {
    struct json_out json = json_out_to(out);
    json_out_object_begin(&json);
    json_out_member(&json, "client", SPAN(CLIENT));
    json_out_member(&json, "license", license->url);
    json_out_member(&json, "account", SPAN(ACCOUNT));
    json_out_key(&json, "principal");
    json_out_object_begin(&json);
    json_out_member(&json, "type", SPAN("company"));
    json_out_object_end(&json);
    write_grant(&json, now_ms);
    json_out_object_end(&json);
}

static enum status mint(const struct service *service, struct buffer *out, char *why,
                        size_t why_size) {
    int64_t now_s = clock_now_ms(&service->clock) / 1000;
    struct auth_dev_request request = {
        .role = SPAN("tenant"),
        .id = SPAN(TENANT),
        .issued_at_s = now_s,
        .expires_s = now_s + TOKEN_SECONDS,
    };
    return auth_dev_mint(service->settings->config->data.data, &request, out, why, why_size);
}

static void write_commands(const char *url, struct span token, struct span body,
                           struct buffer *out) {
    buffer_append_format(
        out,
        "# Grant a consent: the answer is shown, its id kept in $ID.\n"
        "ID=$(curl -sS -X POST %s/v1/consents -H 'Authorization: Bearer %.*s' "
        "-H 'Content-Type: application/json' "
        "-H \"Idempotency-Key: $(cat /proc/sys/kernel/random/uuid)\" -d '%.*s' "
        "| tee /dev/stderr | sed -n 's/.*\"consentId\":\"\\([^\"]*\\)\".*/\\1/p')\n\n",
        url, SPAN_ARG(token), SPAN_ARG(body));
    buffer_append_format(out,
                         "# Find the consents of that account.\n"
                         "curl -sS -X POST %s/v1/consents/query -H 'Authorization: Bearer %.*s' "
                         "-H 'Content-Type: application/json' -d '{\"account\":\"" ACCOUNT
                         "\"}'\n\n",
                         url, SPAN_ARG(token));
    buffer_append_format(out,
                         "# Revoke the one just granted.\n"
                         "curl -sS -X POST \"%s/v1/consents/$ID/revoke\" "
                         "-H 'Authorization: Bearer %.*s' -H 'Content-Type: application/json' "
                         "-d '{\"reason\":{\"code\":\"withdrawn\","
                         "\"by\":{\"role\":\"accountHolder\"}}}'\n\n",
                         url, SPAN_ARG(token));
}

enum status dev_welcome(const struct service *service, struct buffer *out, char *why,
                        size_t why_size) {
    const struct policy_license *license = simple_license(service->settings->pack);
    struct buffer token = {0}, body = {0};
    char url[LISTENER_ADDRESS_SIZE + 8];
    if (license == NULL)
        return STATUS_OK;
    enum status status = mint(service, &token, why, why_size);
    if (status == STATUS_OK) {
        snprintf(url, sizeof url, "%s://%s", endpoint_scheme(&service->endpoints[0]),
                 service->endpoints[0].listener.address);
        write_body(license, store_time_ms(service->store), &body);
        buffer_append_format(out,
                             "consentd %s serves %s for development; data in %s.\n"
                             "API reference: %s/docs. These commands work for 24 hours:\n\n",
                             service->api.version, url, service->settings->config->data.data, url);
        write_commands(url, buffer_span(&token), buffer_span(&body), out);
    }
    buffer_release(&token);
    buffer_release(&body);
    return status;
}
