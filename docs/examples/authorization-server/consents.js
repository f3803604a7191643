// SPDX-License-Identifier: Apache-2.0
// What the authorization server does with consentd: a consent is requested when a request is pushed,
// granted or refused on the page, told of each refresh token, and asked about at each refresh.
import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { request } from "node:https";

export const digest = (text) => createHash("sha256").update(text).digest("base64url");
const now = () => new Date().toISOString();

/** One request over TLS with the provider's own certificate; { status, body }. */
function send(url, { method = "GET", headers = {}, body, tls }) {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers, ...tls, timeout: 10_000 }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(parts).toString();
        try {
          resolve({ status: response.statusCode, body: text ? JSON.parse(text) : undefined });
        } catch {
          reject(new Error(`${url} answered ${response.statusCode} without JSON`));
        }
      });
    });
    asked.on("timeout", () => asked.destroy(new Error(`${url} does not answer`)));
    asked.on("error", reject);
    asked.end(body);
  });
}

/** A refusal of consentd: its problem document. */
export class Refused extends Error {
  constructor(problem) {
    const reasons = (problem.reasons ?? problem.errors ?? []).map(({ detail }) => detail);
    super(reasons.join("; ") || problem.detail);
    this.problem = problem;
  }
}

export class Consents {
  #config;
  #tls;
  #tokenUrl;
  #token = { value: "", expires: 0 };

  constructor(config, tokenUrl) {
    this.#config = config;
    this.#tokenUrl = tokenUrl;
    this.#tls = {
      ca: readFileSync(config.caFile),
      cert: readFileSync(config.certFile),
      key: readFileSync(config.keyFile),
      minVersion: "TLSv1.3",
    };
  }

  /** The provider is a client of its own authorization server: its token is bound to its
   * certificate like any other. */
  async #accessToken() {
    if (Date.now() < this.#token.expires) return this.#token.value;
    const { clientId, audience, scope } = this.#config;
    const form = { grant_type: "client_credentials", client_id: clientId, resource: audience, scope };
    const { status, body } = await send(this.#tokenUrl, {
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams(form).toString(),
      tls: this.#tls,
    });
    if (status !== 200) throw new Error(`no token for consentd: ${JSON.stringify(body)}`);
    this.#token = { value: body.access_token, expires: Date.now() + (body.expires_in - 60) * 1000 };
    return this.#token.value;
  }

  async #call(method, path, value, headers = {}) {
    const { status, body } = await send(new URL(path, this.#config.url), {
      method,
      headers: {
        Authorization: `Bearer ${await this.#accessToken()}`,
        ...(value && { "Content-Type": "application/json" }),
        ...headers,
      },
      body: value && JSON.stringify(value),
      tls: this.#tls,
    });
    if (status >= 400) throw new Refused(body);
    return body;
  }

  /** The record of a pushed request, in the detail that an audit wants. `externalId` is the id that
   * the request was given, by which the page finds it again. */
  request({ externalId, client, detail, params, certificate }) {
    const { license, purposes, permissions, expires } = detail;
    return this.#call(
      "POST",
      "/v1/consents",
      {
        externalId,
        client,
        license,
        ...(purposes && { purposes }),
        ...(permissions && { permissions }),
        ...(expires && { expires }),
        request: {
          at: now(),
          digest: digest(new URLSearchParams(params).toString()),
          redirectUri: params.redirect_uri,
          certificate: { sha256: digest(certificate.raw) },
        },
      },
      { "Idempotency-Key": externalId },
    );
  }

  async find(externalId) {
    const { items } = await this.#call("POST", "/v1/consents/query", { externalId });
    return items[0];
  }

  /** Yes, by this person, under these words. */
  grant(consentId, { account, person, notice, browser }) {
    return this.#call("POST", `/v1/consents/${consentId}/grant`, {
      account,
      principal: { type: "company" },
      grant: {
        at: now(),
        method: "authenticatedSession",
        by: { ref: person.ref, authority: person.authority },
        notice,
        ...browser,
      },
    });
  }

  refuse(consentId, person) {
    const by = { role: "accountHolder", ref: person.ref };
    return this.#call("POST", `/v1/consents/${consentId}/refuse`, { reason: { code: "refused", by } });
  }

  /** Of a refresh token consentd knows the digest, never the token. */
  addToken(consentId, value, secondsLeft) {
    const expires = new Date(Date.now() + secondsLeft * 1000).toISOString();
    const tokens = [{ digest: digest(value), issuedAt: now(), expires }];
    return this.#call("POST", `/v1/consents/${consentId}/tokens`, { tokens });
  }

  /** Whether the consent still stands, for this client and this licence. */
  async mayRefresh(consentId, client, license) {
    const answer = await this.#call("POST", "/access/v1/evaluation", {
      subject: { type: "application", id: client },
      action: { name: "read" },
      resource: { type: "consent", id: consentId, properties: { license } },
    }, { "X-Request-ID": randomUUID() });
    return answer.decision;
  }
}
