/* The evidence page as HTML: plain, without script, image, font or link to elsewhere, readable at
 * 320 px, in light and dark (WCAG 2.2 AA: contrast of text at least 7 to 1 in both). Runs on a
 * loop, inside a store_read. */
// SPDX-License-Identifier: Apache-2.0
#include "api/evidence_page.h"

#include <jansson.h>

#include "api/html_out.h"
#include "api/json_value.h"
#include "api/render.h"
#include "api/render_client.h"

static const char HEAD[] =
    "<!doctype html>\n<html lang=\"en\" dir=\"ltr\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"robots\" content=\"noindex\">\n<meta name=\"referrer\" content=\"no-referrer\">\n"
    "<title>";
/* Its hash is EVIDENCE_STYLE_HASH. */
static const char STYLE[] =
    ":root{color-scheme:light dark}\n"
    "body{font:1rem/1.5 system-ui,sans-serif;margin:0 auto;padding:1rem;max-width:44rem;"
    "color:#1a1a1a;background:#fff;overflow-wrap:anywhere}\n"
    "h1{font-size:1.4rem;line-height:1.25}h2{font-size:1.15rem;line-height:1.3}\n"
    "section{border-top:1px solid #767676;margin-top:1.5rem}\n"
    "dt{font-weight:bold;margin-top:.75rem}dd{margin:0}ul{margin:0;padding-left:1.25rem}\n"
    "code{font-size:.9em}.state{border:2px solid;padding:.5rem .75rem}\n"
    "@media (prefers-color-scheme:dark){body{color:#ededed;background:#121212}}\n";

/* ---- pieces */

static void text(struct buffer *out, const char *words) {
    buffer_append_text(out, words);
}

static void term(struct buffer *out, const char *name) {
    buffer_append_format(out, "<dt>%s</dt>\n<dd>", name);
}

static void end_term(struct buffer *out) {
    text(out, "</dd>\n");
}

static struct span string_in(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);
    return json_is_string(value) ? span_of(json_string_value(value), json_string_length(value))
                                 : SPAN_NONE;
}

static void term_foreign(struct buffer *out, const char *name, struct span value) {
    if (!span_present(value))
        return;
    term(out, name);
    html_foreign(out, value);
    end_term(out);
}

static void term_time(struct buffer *out, const char *name, int64_t at) {
    if (at == INT64_MIN || at == INT64_MAX)
        return;
    term(out, name);
    html_time(out, at);
    end_term(out);
}

static void html_time_text(struct buffer *out, struct span value) {
    int64_t at;
    if (timestamp_parse(value, &at) == STATUS_OK)
        html_time(out, at);
}

static struct span member_name(const struct api_call *call, uint32_t number) {
    return store_name(call->loop->reader, STORE_NAME_MEMBER, number);
}

/* ---- the state */

static const char *state_words(enum consent_state state) {
    static const char *const words[CONSENT_STATE_END] = {
        [CONSENT_REQUESTED] = "Asked for, not granted",
        [CONSENT_ACTIVE] = "In force",
        [CONSENT_REFUSED] = "Refused",
        [CONSENT_TIMED_OUT] = "Asked for, and not answered in time",
        [CONSENT_REVOKED] = "Withdrawn",
        [CONSENT_TERMINATED] = "Ended",
        [CONSENT_EXPIRED] = "Expired",
        [CONSENT_FULFILLED] = "Fulfilled",
        [CONSENT_SUPERSEDED] = "Replaced by a newer grant",
    };
    return words[state];
}

static const char *by_words(const struct store_consent *consent) {
    static const char *const words[] = {
        [CONSENT_BY_NONE] = "",
        [CONSENT_BY_ACCOUNT_HOLDER] = " by the account holder",
        [CONSENT_BY_CLIENT] = " by the application",
        [CONSENT_BY_TENANT] = " by the data provider",
        [CONSENT_BY_SCHEME] = " by the scheme",
        [CONSENT_BY_SYSTEM] = "",
    };
    return consent->status == consent->recorded ? words[consent->by] : "";
}

static void put_state(struct api_call *call, const struct store_consent *consent,
                      struct buffer *out) {
    struct span reason = api_render_reason_code(call->loop->reader, consent);
    buffer_append_format(out, "%s%s since ", state_words(consent->status), by_words(consent));
    html_time(out, consent->status_at);
    if (span_present(reason)) {
        text(out, " (reason: <code>");
        html_text(out, reason);
        text(out, "</code>)");
    }
    if (consent->status == CONSENT_ACTIVE) {
        text(out, ", until ");
        html_time(out, consent->expires);
    }
}

/* ---- who */

static void put_account(struct api_call *call, const struct evidence_grant *grant,
                        struct buffer *out) {
    static const char *const kinds[] = {"of a kind that was not recorded", "a company",
                                        "a sole trader", "an individual"};
    char pairwise[API_PAIRWISE_SIZE + 1];
    struct api_client_view view = {.store = call->loop->service->store,
                                   .terms = &grant->terms,
                                   .tenant = member_name(call, grant->consent->tenant),
                                   .provider = member_name(call, grant->consent->provider),
                                   .client = member_name(call, grant->consent->client)};
    if (grant->consent->erased == STORE_ERASED_WHOLE)
        return;
    term(out, "On whose behalf");
    buffer_append_format(out, "The account holder, %s", kinds[grant->consent->principal]);
    if (api_render_client_account(&view, pairwise))
        buffer_append_format(out, "; account <code>%s</code>, as this application knows it",
                             pairwise);
    end_term(out);
}

/* The person is named by the data provider's own id. */
static void put_person(const json_t *personal, const struct evidence_grant *grant,
                       struct buffer *out) {
    const json_t *by = json_object_get(personal, "by");
    term(out, "Who gave it");
    if (grant->consent->erased != STORE_KEPT) {
        text(out, "Erased");
    } else if (by != NULL) {
        html_foreign(out, string_in(by, "ref"));
        text(out, ", acting as ");
        html_foreign(out, string_in(by, "authority"));
    } else {
        text(out, "The application asserts that the account holder did");
    }
    end_term(out);
}

/* ---- what */

static void put_purpose(const struct policy_pack *pack, struct span code, struct buffer *out) {
    int found = policy_pack_purpose_find(pack, code);
    text(out, "<li>");
    if (found >= 0) {
        const struct policy_purpose *purpose = policy_pack_purpose(pack, (uint32_t)found);
        html_text(out, purpose->title);
        text(out, ": ");
        html_text(out, purpose->text);
        text(out, " ");
    }
    text(out, "<code>");
    html_text(out, code);
    text(out, "</code></li>\n");
}

/* Whether a purpose is this application's, and not one of whom it sends data on to. */
static bool is_purpose_here(const struct evidence_grant *grant,
                            const struct policy_license *license, struct span code) {
    int found = policy_pack_purpose_find(grant->pack, code);
    return license == NULL || found < 0 ||
           (policy_pack_purpose(grant->pack, (uint32_t)found)->roles >> license->to_role & 1) != 0;
}

static bool is_permission_here(const struct evidence_grant *grant,
                               const struct policy_license *license, struct span code) {
    int found = policy_pack_permission_find(grant->pack, code);
    return license == NULL || found < 0 || license->onward_max == 0 ||
           (license->onward_permissions >> found & 1) == 0;
}

static void put_purposes(const struct evidence_grant *grant, const json_t *terms,
                         const struct policy_license *license, struct buffer *out) {
    size_t i;
    const json_t *value;
    term(out, "For what");
    text(out, "<ul>\n");
    json_array_foreach(json_object_get(terms, "purposes"), i, value) {
        struct span code = span_of(json_string_value(value), json_string_length(value));
        if (is_purpose_here(grant, license, code))
            put_purpose(grant->pack, code, out);
    }
    text(out, "</ul>");
    end_term(out);
}

static void put_permissions(const struct evidence_grant *grant, const json_t *terms,
                            const struct policy_license *license, struct buffer *out) {
    size_t i;
    const json_t *value;
    term(out, "Which data");
    text(out, "<ul>\n");
    json_array_foreach(json_object_get(terms, "permissions"), i, value) {
        struct span code = string_in(value, "code");
        int found = policy_pack_permission_find(grant->pack, code);
        if (!is_permission_here(grant, license, code))
            continue;
        text(out, "<li>");
        if (found >= 0) {
            html_text(out, policy_pack_permission(grant->pack, (uint32_t)found)->title);
            text(out, " ");
        }
        text(out, "<code>");
        html_text(out, code);
        text(out, "</code></li>\n");
    }
    text(out, "</ul>");
    end_term(out);
}

static void put_license(const struct policy_license *license, struct span url, struct buffer *out) {
    term(out, "Licence");
    if (license != NULL) {
        html_text(out, license->title);
        text(out, "<br>");
    }
    html_foreign(out, url);
    end_term(out);
}

/* ---- how */

static void put_notice(const json_t *grant, struct buffer *out) {
    const json_t *notice = json_object_get(grant, "notice");
    int64_t shown;
    if (notice == NULL)
        return;
    term(out, "Words that were shown");
    html_foreign(out, string_in(notice, "url"));
    text(out, ", in the language <code>");
    html_text(out, string_in(notice, "language"));
    text(out, "</code>");
    if (timestamp_parse(string_in(notice, "shownAt"), &shown) == STATUS_OK) {
        text(out, ", shown ");
        html_time(out, shown);
    }
    end_term(out);
}

static void put_proof(const json_t *proof, struct buffer *out) {
    struct span at = string_in(proof, "at");
    text(out, "<li>");
    html_foreign(out, string_in(proof, "type"));
    if (span_present(at)) {
        text(out, ", ");
        html_time_text(out, at);
    }
    text(out, "</li>\n");
}

static void put_late_proofs(struct span elements, struct buffer *out) {
    size_t i;
    const json_t *proof;
    struct buffer list = {0};
    buffer_append_format(&list, "[%.*s]", SPAN_ARG(elements));
    json_t *array = json_loadb(list.data, list.size, 0, NULL);
    json_array_foreach(array, i, proof) {
        put_proof(proof, out);
    }
    json_decref(array);
    buffer_release(&list);
}

static void put_proofs(const struct evidence_grant *grant, const json_t *personal,
                       struct buffer *out) {
    size_t i;
    const json_t *proof, *proofs = json_object_get(personal, "proofs");
    term(out, "How ownership of the meter was established");
    if (grant->consent->erased != STORE_KEPT) {
        text(out, "Erased");
    } else if (json_array_size(proofs) == 0 && grant->facts.proof_count == 0) {
        text(out, "No proof was recorded");
    } else {
        text(out, "<ul>\n");
        json_array_foreach(proofs, i, proof) {
            put_proof(proof, out);
        }
        for (uint32_t k = 0; k < grant->facts.proof_count; k++)
            put_late_proofs(grant->facts.proofs[k], out);
        text(out, "</ul>");
    }
    end_term(out);
}

static void put_given(struct api_call *call, const struct evidence_grant *grant,
                      struct buffer *out) {
    json_t *public = api_json_value_members(grant->terms.grant);
    json_t *personal = api_json_value_members(grant->terms.grant_private);
    put_person(personal, grant, out);
    put_account(call, grant, out);
    term_time(out, "When", grant->consent->granted_at);
    term_foreign(out, "How", string_in(public, "method"));
    term_foreign(out, "With the software", string_in(public, "appVersion"));
    put_notice(public, out);
    put_proofs(grant, personal, out);
    json_decref(personal);
    json_decref(public);
}

static void put_terms(struct api_call *call, const struct evidence_grant *grant,
                      struct buffer *out) {
    struct span url = store_name(call->loop->reader, STORE_NAME_LICENSE, grant->consent->license);
    const struct policy_license *license = policy_pack_license_find(grant->pack, url);
    json_t *terms = api_json_value_members(grant->terms.terms);
    put_license(license, url, out);
    put_purposes(grant, terms, license, out);
    put_permissions(grant, terms, license, out);
    term_time(out, "Data from", grant->consent->data_from);
    term_time(out, "Data up to", grant->consent->data_to);
    term_time(out, "Until", grant->consent->expires);
    term_foreign(out, "Data may be kept for", string_in(terms, "dataLife"));
    json_decref(terms);
}

/* ---- the page */

static void put_head(const char *title, struct buffer *out) {
    text(out, HEAD);
    text(out, title);
    text(out, "</title>\n<style>");
    text(out, STYLE);
    text(out, "</style>\n</head>\n<body>\n<main>\n");
    buffer_append_format(out, "<h1>%s</h1>\n", title);
}

void evidence_page_begin(struct api_call *call, const struct store_consent *consent,
                         struct buffer *out) {
    put_head("Evidence of consent", out);
    text(out, "<p class=\"state\">");
    put_state(call, consent, out);
    text(out, "</p>\n<dl>\n");
    term_foreign(out, "Application", member_name(call, consent->client));
    term_foreign(out, "Data provider", member_name(call, consent->provider));
    if (consent->provider != consent->tenant)
        term_foreign(out, "Recorded by", member_name(call, consent->tenant));
    text(out, "</dl>\n");
}

void evidence_page_grant(struct api_call *call, const struct evidence_grant *grant,
                         struct buffer *out) {
    const struct store_consent *consent = grant->consent;
    bool granted = consent->granted_at != INT64_MIN;
    text(out, granted ? "<section>\n<h2>Granted " : "<section>\n<h2>Asked for ");
    html_time(out, granted ? consent->granted_at : consent->created_at);
    text(out, "</h2>\n<dl>\n");
    term(out, "State");
    put_state(call, consent, out);
    end_term(out);
    if (consent->erased == STORE_ERASED_WHOLE) {
        term(out, "Details");
        text(out, "Erased. What remains is that this consent existed, and when it ended.");
        end_term(out);
    } else {
        if (granted)
            put_given(call, grant, out);
        put_terms(call, grant, out);
    }
    term(out, "Entry of the log");
    buffer_append_format(out, "<code>%llu</code>", (unsigned long long)consent->last_entry);
    end_term(out);
    text(out, "</dl>\n</section>\n");
}

void evidence_page_end(bool more, struct buffer *out) {
    if (more)
        text(out, "<p>There are older grants, which the data provider shows.</p>\n");
    text(out, "<section>\n<h2>About this page</h2>\n"
              "<p>It shows what concerns this application and this account alone, as it is now. "
              "Each grant is an entry of an append-only log, which independent auditors verify. "
              "To withdraw a consent, ask the data provider or the application.</p>\n"
              "</section>\n</main>\n</body>\n</html>\n");
}

void evidence_page_missing(struct buffer *out) {
    put_head("No such evidence", out);
    text(out, "<p>This address is not that of any consent. Ask for it again where you had it "
              "from.</p>\n</main>\n</body>\n</html>\n");
}
