/* The table of routes. */
// SPDX-License-Identifier: Apache-2.0
#include "api/handlers.h"
#include "api/router.h"

#define READ (AUTH_CONSENTS_READ | AUTH_AUDIT_READ)
#define WRITE AUTH_CONSENTS_WRITE
#define JSON "application/json"
#define STREAMED "application/json, application/x-ndjson"

const struct api_route api_routes[] = {
    {"POST", "/v1/consents", WRITE, false, API_JSON_BODY, JSON, api_consent_create,
     api_consent_create_reply},
    {"GET", "/v1/consents", READ, false, API_NO_BODY, JSON, api_consents_query_get, NULL},
    {"POST", "/v1/consents/query", READ, false, API_JSON_BODY, JSON, api_consents_query_post, NULL},
    {"GET", "/v1/consents/{id}", READ, false, API_NO_BODY, JSON, api_consent_get, NULL},
    {"DELETE", "/v1/consents/{id}", WRITE, false, API_NO_BODY, JSON, api_consent_delete,
     api_consent_changed_reply},
    {"POST", "/v1/consents/{id}/grant", WRITE, false, API_JSON_BODY, JSON, api_consent_grant,
     api_consent_changed_reply},
    {"POST", "/v1/consents/{id}/refuse", WRITE, false, API_JSON_BODY, JSON, api_consent_refuse,
     api_consent_changed_reply},
    {"POST", "/v1/consents/{id}/revoke", WRITE, false, API_JSON_BODY, JSON, api_consent_revoke,
     api_consent_changed_reply},
    {"POST", "/v1/consents/{id}/renew", WRITE, false, API_JSON_BODY, JSON, api_consent_renew,
     api_consent_create_reply},
    {"POST", "/v1/consents/{id}/tokens", WRITE, false, API_JSON_BODY, JSON, api_consent_tokens,
     api_consent_changed_reply},
    {"POST", "/v1/consents/{id}/proofs", WRITE, false, API_JSON_BODY, JSON, api_consent_proofs,
     api_consent_changed_reply},
    {"GET", "/v1/consents/{id}/events", READ, false, API_NO_BODY, JSON, api_consent_events, NULL},
    {"POST", "/v1/revocations", WRITE, false, API_JSON_BODY, JSON, api_revocations_create,
     api_revocations_create_reply},
    {"GET", "/v1/audit/events", AUTH_AUDIT_READ, false, API_NO_BODY, STREAMED, api_audit_events,
     NULL},
    {"POST", "/v1/audit/decisions/{id}/replay", AUTH_AUDIT_READ, false, API_NO_BODY, JSON,
     api_decision_replay, NULL},
    {"POST", "/access/v1/evaluation", AUTH_DECISIONS, false, API_ACCESS_BODY, JSON,
     api_access_evaluate, api_access_reply},
    {"POST", "/access/v1/evaluations", AUTH_DECISIONS, false, API_ACCESS_BODY, JSON,
     api_access_evaluate_many, api_access_reply},
    {"POST", "/access/v1/search/subject", AUTH_DECISIONS, false, API_ACCESS_BODY, JSON,
     api_access_search_subject, NULL},
    {"POST", "/access/v1/search/resource", AUTH_DECISIONS, false, API_ACCESS_BODY, JSON,
     api_access_search_resource, NULL},
    {"POST", "/access/v1/search/action", AUTH_DECISIONS, false, API_ACCESS_BODY, JSON,
     api_access_search_action, NULL},
    {"GET", "/.well-known/authzen-configuration", 0, true, API_NO_BODY, JSON,
     api_access_configuration, NULL},
    {"POST", "/v1/disclosures", AUTH_DECISIONS, false, API_JSON_BODY, JSON, api_disclosure_create,
     api_disclosure_create_reply},
    {"GET", "/v1/disclosures", AUTH_AUDIT_READ, false, API_NO_BODY, STREAMED, api_disclosures_list,
     NULL},
    {"GET", "/v1/policy", 0, false, API_NO_BODY, JSON, api_policy_get, NULL},
    {"GET", "/v1/policies/{digest}", 0, false, API_NO_BODY, JSON, api_policy_by_digest, NULL},
    {"GET", "/healthz", 0, true, API_NO_BODY, JSON, api_healthz, NULL},
    {"GET", "/readyz", 0, true, API_NO_BODY, JSON, api_readyz, NULL},
    {"GET", "/metrics", 0, true, API_NO_BODY, "text/plain", api_metrics, NULL},
    {"GET", "/version", 0, true, API_NO_BODY, JSON, api_version, NULL},
    {"GET", "/openapi.yaml", 0, true, API_NO_BODY, "application/yaml", api_openapi, NULL},
    {"GET", "/docs", 0, true, API_NO_BODY, "text/html", api_docs, NULL},
    {"GET", "/problems/{name}", 0, true, API_NO_BODY, "text/html", api_problem_type, NULL},
    {NULL, NULL, 0, false, API_NO_BODY, NULL, NULL, NULL},
};
