/* Every handler, in the order of the table of routes. Private to api/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_HANDLERS_H
#define API_HANDLERS_H

#include "api/api.h"

/* consents, written */
enum api_outcome api_consent_create(struct api_call *call);
enum api_outcome api_consent_create_reply(struct api_call *call, struct store_change *change);
enum api_outcome api_consent_grant(struct api_call *call);
enum api_outcome api_consent_refuse(struct api_call *call);
enum api_outcome api_consent_revoke(struct api_call *call);
enum api_outcome api_consent_delete(struct api_call *call);
enum api_outcome api_consent_renew(struct api_call *call);
enum api_outcome api_consent_tokens(struct api_call *call);
enum api_outcome api_consent_proofs(struct api_call *call);
enum api_outcome api_consent_step(struct api_call *call);
enum api_outcome api_consent_step_reply(struct api_call *call, struct store_change *change);
/* 200 with the consent, for all of those that change one. */
enum api_outcome api_consent_changed_reply(struct api_call *call, struct store_change *change);
enum api_outcome api_revocations_create(struct api_call *call);
enum api_outcome api_revocations_create_reply(struct api_call *call, struct store_change *change);

/* consents and log, read */
enum api_outcome api_consent_get(struct api_call *call);
enum api_outcome api_consents_query_get(struct api_call *call);
enum api_outcome api_consents_query_post(struct api_call *call);
enum api_outcome api_consent_events(struct api_call *call);
enum api_outcome api_consent_receipt(struct api_call *call);
enum api_outcome api_changes(struct api_call *call);
enum api_outcome api_audit_events(struct api_call *call);
enum api_outcome api_audit_at(struct api_call *call);
enum api_outcome api_report_after_ending(struct api_call *call);
enum api_outcome api_decision_replay(struct api_call *call);
enum api_outcome api_policy_get(struct api_call *call);
enum api_outcome api_policy_by_digest(struct api_call *call);

/* the log as a tree */
enum api_outcome api_log_checkpoint(struct api_call *call);
enum api_outcome api_log_tile(struct api_call *call);
enum api_outcome api_audit_event(struct api_call *call);
enum api_outcome api_audit_head(struct api_call *call);
enum api_outcome api_proof_inclusion(struct api_call *call);
enum api_outcome api_proof_consistency(struct api_call *call);

/* decisions */
enum api_outcome api_access_evaluate(struct api_call *call);
enum api_outcome api_access_evaluate_many(struct api_call *call);
enum api_outcome api_access_reply(struct api_call *call, struct store_change *change);
enum api_outcome api_access_search_subject(struct api_call *call);
enum api_outcome api_access_search_resource(struct api_call *call);
enum api_outcome api_access_search_action(struct api_call *call);
enum api_outcome api_access_request(struct api_call *call);
enum api_outcome api_access_request_reply(struct api_call *call, struct store_change *change);
enum api_outcome api_access_request_get(struct api_call *call);
enum api_outcome api_access_configuration(struct api_call *call);

/* disclosures */
enum api_outcome api_disclosure_create(struct api_call *call);
enum api_outcome api_disclosure_create_reply(struct api_call *call, struct store_change *change);
enum api_outcome api_disclosures_list(struct api_call *call);

/* a tenant's stop-list */
enum api_outcome api_block_set(struct api_call *call);
enum api_outcome api_block_set_reply(struct api_call *call, struct store_change *change);
enum api_outcome api_block_lift(struct api_call *call);
enum api_outcome api_block_lift_reply(struct api_call *call, struct store_change *change);
enum api_outcome api_blocks_list(struct api_call *call);

/* erasure, and what keeps from it */
enum api_outcome api_erasure_create(struct api_call *call);
enum api_outcome api_erasure_create_reply(struct api_call *call, struct store_change *change);
enum api_outcome api_hold_set(struct api_call *call);
enum api_outcome api_hold_set_reply(struct api_call *call, struct store_change *change);
enum api_outcome api_hold_lift(struct api_call *call);
enum api_outcome api_hold_lift_reply(struct api_call *call, struct store_change *change);
enum api_outcome api_holds_list(struct api_call *call);

/* hooks of authorization servers */
enum api_outcome api_hydra_token(struct api_call *call);

/* for whoever was given the address */
enum api_outcome api_evidence(struct api_call *call);

/* by certificate alone */
enum api_outcome api_ib1_permission(struct api_call *call);
enum api_outcome api_ib1_permission_reply(struct api_call *call, struct store_change *change);
enum api_outcome api_ib1_revoke(struct api_call *call);
enum api_outcome api_ib1_revoke_reply(struct api_call *call, struct store_change *change);
enum api_outcome api_ib1_message(struct api_call *call);
enum api_outcome api_ib1_message_reply(struct api_call *call, struct store_change *change);

/* the service itself */
enum api_outcome api_healthz(struct api_call *call);
enum api_outcome api_readyz(struct api_call *call);
enum api_outcome api_metrics(struct api_call *call);
enum api_outcome api_version(struct api_call *call);
enum api_outcome api_openapi(struct api_call *call);
enum api_outcome api_docs(struct api_call *call);
enum api_outcome api_resource_metadata(struct api_call *call);
enum api_outcome api_receipt_keys(struct api_call *call);
enum api_outcome api_problem_type(struct api_call *call);

#endif
