// SPDX-License-Identifier: Apache-2.0
// The two things that a data API does with consentd: ask before data go, and record that they went.
// The client's types are made from openapi.yaml (`npm run generate`); a change of the contract that
// matters here does not compile.
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import createClient from "openapi-fetch";
import type { components, paths } from "./consentd.d.ts";

type Schemas = components["schemas"];

/** One transfer: whose data, to which application, which, of which time, and what for. */
export interface Transfer {
  client: string;
  holder: { consentId: string } | { account: string };
  purpose?: string;
  permission: string;
  meter: string;
  from: string;
  to: string;
  granularity: string;
}

export type Answer =
  | { permitted: true; decisionId?: string; consentId: string }
  | { permitted: false; why: string };

export class Consents {
  readonly #api;

  /** `tokenFile` holds the access token of this data API; it is read anew for each call, so that
   * whatever renews it has only to write it there. */
  constructor(baseUrl: string, tokenFile: string) {
    this.#api = createClient<paths>({ baseUrl });
    this.#api.use({
      async onRequest({ request }) {
        const token = (await readFile(tokenFile, "utf8")).trim();
        request.headers.set("Authorization", `Bearer ${token}`);
        return request;
      },
    });
  }

  /** May this transfer happen now? Throws when there is no answer: then it may not. */
  async ask(transfer: Transfer): Promise<Answer> {
    const { data, error, response } = await this.#api.POST("/access/v1/evaluation", {
      body: {
        subject: { type: "application", id: transfer.client },
        action: {
          name: "read",
          ...(transfer.purpose && { properties: { purpose: transfer.purpose } }),
        },
        resource: {
          ...("consentId" in transfer.holder
            ? { type: "consent", id: transfer.holder.consentId }
            : { type: "account", id: transfer.holder.account }),
          properties: {
            permissions: [transfer.permission],
            resources: [transfer.meter],
            granularity: transfer.granularity,
            from: transfer.from,
            to: transfer.to,
          },
        },
        context: { record: true },
      },
    });
    if (!data) throw new Error(`no decision: ${response.status} ${error.title}`);
    if (!data.decision) {
      return { permitted: false, why: data.context?.reason_admin?.["en"] ?? "denied" };
    }
    const consent = data.context?.consent;
    if (!consent) throw new Error("a permit without a consent is none");
    const { decisionId } = data.context ?? {};
    return { permitted: true, consentId: consent.consentId, ...(decisionId && { decisionId }) };
  }

  /** Records that the data went. The same key with each try: it is recorded once. Returns whether
   * it was right that they went. */
  async record(
    transfer: Transfer,
    answer: Answer & { permitted: true },
    sent: { at: Date; records: number },
    transaction: string,
  ): Promise<boolean> {
    const body: Schemas["DisclosureRecord"] = {
      consentId: answer.consentId,
      ...(answer.decisionId && { decisionId: answer.decisionId }),
      recipient: transfer.client,
      permissions: [transfer.permission],
      ...(transfer.purpose && { purposes: [transfer.purpose] }),
      resources: [transfer.meter],
      from: transfer.from,
      to: transfer.to,
      granularity: transfer.granularity,
      records: sent.records,
      at: sent.at.toISOString(),
      transaction,
    };
    const key = randomUUID();
    for (let wait = 1000; ; wait = Math.min(2 * wait, 60_000)) {
      const { data, error, response } = await this.#api
        .POST("/v1/disclosures", { params: { header: { "Idempotency-Key": key } }, body })
        .catch((failure: unknown) => ({ data: undefined, error: failure, response: undefined }));
      if (data) return data.permitted;
      if (response && response.status < 500 && response.status !== 429) {
        throw new Error(`the disclosure is not taken: ${JSON.stringify(error)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}
