# SPDX-License-Identifier: Apache-2.0
"""The two things that a data API does with consentd: ask before data go, and record that they went.

The client is made from openapi.yaml (README.md says how) and not kept here.
"""

import dataclasses
import datetime
import pathlib
import time
import uuid

import httpx

from consentd_client import AuthenticatedClient
from consentd_client.api.decisions import evaluate
from consentd_client.api.disclosures import record_disclosure
from consentd_client.models import (
    AccessAction,
    AccessActionProperties,
    AccessContext,
    AccessDecision,
    AccessEvaluationRequest,
    AccessResource,
    AccessResourceProperties,
    AccessSubject,
    Disclosure,
    DisclosureRecord,
)
from consentd_client.types import UNSET


@dataclasses.dataclass(frozen=True)
class Transfer:
    """Whose data (a consent, or an account), to which application, which, of which time, and what
    for."""

    client: str
    permission: str
    meter: str
    start: str
    end: str
    granularity: str
    consent_id: str | None = None
    account: str | None = None
    purpose: str | None = None


@dataclasses.dataclass(frozen=True)
class Permit:
    consent_id: uuid.UUID
    decision_id: str | None


class Denied(Exception):
    """With the reason that the service gives."""


class NoDecision(Exception):
    """Whether it may happen is not known: then it may not."""


class Consents:
    def __init__(self, base_url: str, token_file: pathlib.Path):
        """`token_file` holds the access token of this data API; it is read anew for each call, so
        that whatever renews it has only to write it there."""
        self._base_url, self._token_file = base_url, token_file

    def _client(self) -> AuthenticatedClient:
        token = self._token_file.read_text().strip()
        return AuthenticatedClient(base_url=self._base_url, token=token)

    def ask(self, transfer: Transfer) -> Permit:
        """Raises Denied or NoDecision."""
        action = AccessAction(name="read")
        if transfer.purpose:
            action.properties = AccessActionProperties(purpose=transfer.purpose)
        question = AccessEvaluationRequest(
            subject=AccessSubject(type_="application", id=transfer.client),
            action=action,
            resource=AccessResource(
                type_="consent" if transfer.consent_id else "account",
                id=transfer.consent_id or transfer.account or "",
                properties=AccessResourceProperties(
                    permissions=[transfer.permission],
                    resources=[transfer.meter],
                    granularity=transfer.granularity,
                    from_=transfer.start,
                    to=transfer.end,
                ),
            ),
            context=AccessContext(record=True),
        )
        try:
            with self._client() as client:
                answer = evaluate.sync_detailed(client=client, body=question)
        except httpx.HTTPError as error:
            raise NoDecision(str(error)) from error
        if not isinstance(answer.parsed, AccessDecision):
            raise NoDecision(f"{answer.status_code} {answer.content.decode()}")
        context = answer.parsed.context
        if not answer.parsed.decision:
            raise Denied(context.reason_admin["en"] if context and context.reason_admin else "denied")
        if not context or not context.consent:
            raise NoDecision("a permit without a consent is none")
        return Permit(context.consent.consent_id, context.decision_id or None)

    def record(
        self,
        transfer: Transfer,
        permit: Permit,
        sent_at: datetime.datetime,
        records: int,
        transaction: str,
    ) -> bool:
        """Records that the data went. The same key with each try: it is recorded once. Returns
        whether it was right that they went."""
        body = DisclosureRecord(
            consent_id=permit.consent_id,
            decision_id=permit.decision_id or UNSET,
            recipient=transfer.client,
            permissions=[transfer.permission],
            purposes=[transfer.purpose] if transfer.purpose else UNSET,
            resources=[transfer.meter],
            from_=transfer.start,
            to=transfer.end,
            granularity=transfer.granularity,
            records=records,
            at=sent_at.astimezone(datetime.UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            transaction=transaction,
        )
        key, wait_s = str(uuid.uuid4()), 1
        while True:
            try:
                with self._client() as client:
                    answer = record_disclosure.sync_detailed(
                        client=client, body=body, idempotency_key=key
                    )
                if isinstance(answer.parsed, Disclosure):
                    return answer.parsed.permitted
                if answer.status_code < 500 and answer.status_code != 429:
                    raise ValueError(f"the disclosure is not taken: {answer.content.decode()}")
            except httpx.HTTPError:
                pass
            time.sleep(wait_s)
            wait_s = min(2 * wait_s, 60)
