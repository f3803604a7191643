// SPDX-License-Identifier: Apache-2.0
// A client of an authorization server, with openid-client and jose, over mutual TLS: reads a line of
// JSON, {"do": …}, answers with a line of JSON. Its first line has issuer, client, resource and the
// files of the certificate.
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { createInterface } from "node:readline";
import { createRemoteJWKSet, customFetch, decodeProtectedHeader, jwtVerify } from "jose";
import * as oidc from "openid-client";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const config = JSON.parse((await lines.next()).value);
const tls = {
  ca: readFileSync(config.ca),
  cert: readFileSync(config.cert),
  key: readFileSync(config.key),
  minVersion: "TLSv1.3",
};

/** fetch with a client certificate. */
function fetchWith(url, { method = "GET", headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const sent = { method, headers: Object.fromEntries(new Headers(headers)), ...tls };
    const asked = request(url, sent, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => {
        const { statusCode: status, headers: got } = response;
        resolve(new Response(Buffer.concat(parts), { status, headers: new Headers(got) }));
      });
    });
    asked.on("error", reject);
    asked.end(body === undefined || body === null ? undefined : String(body));
  });
}

const server = await oidc.discovery(
  new URL(config.issuer),
  config.client,
  { use_mtls_endpoint_aliases: false },
  oidc.TlsClientAuth(),
  { algorithm: "oauth2", [oidc.customFetch]: fetchWith },
);
const metadata = server.serverMetadata();
const keys = createRemoteJWKSet(new URL(metadata.jwks_uri), { [customFetch]: fetchWith });
let verifier, state;

async function read(tokens) {
  const options = { issuer: config.issuer, typ: "at+jwt" };
  const { payload } = await jwtVerify(tokens.access_token, keys, options);
  return { ...tokens, header: decodeProtectedHeader(tokens.access_token), claims: payload };
}

const steps = {
  metadata: () => metadata,
  async push({ parameters }) {
    verifier = oidc.randomPKCECodeVerifier();
    state = oidc.randomState();
    const pushed = new URLSearchParams({
      redirect_uri: config.redirect_uri,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      state,
    });
    for (const [name, values] of Object.entries(parameters)) {
      for (const value of [values].flat()) pushed.append(name, value);
    }
    return { url: (await oidc.buildAuthorizationUrlWithPAR(server, pushed)).href };
  },
  async callback({ url, resource }) {
    const checks = { pkceCodeVerifier: verifier, expectedState: state };
    return read(await oidc.authorizationCodeGrant(server, new URL(url), checks, { resource }));
  },
  async refresh({ token, resource }) {
    return read(await oidc.refreshTokenGrant(server, token, { resource }));
  },
  async own({ resource, scope }) {
    return read(await oidc.clientCredentialsGrant(server, { resource, scope }));
  },
};

for await (const line of lines) {
  const { do: step, ...arguments_ } = JSON.parse(line);
  let answer;
  try {
    answer = await steps[step](arguments_);
  } catch (error) {
    const { error: code, error_description: description, message } = error;
    answer = { failed: code ?? message, description: description ?? String(error.cause ?? "") };
  }
  console.log(JSON.stringify(answer));
}
