// SPDX-License-Identifier: Apache-2.0
// An authorization server for the FAPI 2.0 profile (pushed requests, PKCE, mutual TLS, tokens bound to
// certificates) whose consents live in consentd. `node server.js config.json`; docs/authorization-server.md
// walks through it.
import { generateKeyPairSync, randomUUID, X509Certificate } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import Provider, { errors, interactionPolicy } from "oidc-provider";
import { Consents, Refused } from "./consents.js";
import { noticeOf, render } from "./page.js";

const config = JSON.parse(readFileSync(process.argv[2] ?? "config.json", "utf8"));
const consents = new Consents(config.consentd, `${config.issuer}/token`);
const CONSENTD_SCOPES = "consents:write consents:read decisions:evaluate audit:read";

// ---- keys: made once, kept in a file

function makeKeys() {
  const kinds = [
    ["ES256", "ec", { namedCurve: "P-256" }],
    ["PS256", "rsa", { modulusLength: 2048 }],
    ["EdDSA", "ed25519", {}],
    ["Ed25519", "ed25519", {}],
  ];
  const keys = kinds.map(([alg, kind, options]) => ({
    ...generateKeyPairSync(kind, options).privateKey.export({ format: "jwk" }),
    alg,
    use: "sig",
    kid: randomUUID(),
  }));
  writeFileSync(config.keysFile, JSON.stringify({ keys }), { mode: 0o600 });
}

if (!existsSync(config.keysFile)) makeKeys();

// ---- certificates: who speaks is the only URI among the alternative names

const certificateOf = (ctx) => {
  const { raw } = ctx.socket.getPeerCertificate();
  return raw && new X509Certificate(raw);
};

function isNamed(ctx, property, expected) {
  const names = (certificateOf(ctx)?.subjectAltName ?? "").split(", ");
  const uris = names.filter((name) => name.startsWith("URI:"));
  return property === "tls_client_auth_san_uri" && uris.length === 1 && uris[0] === `URI:${expected}`;
}

// ---- the consent in a grant

const detailOf = (details) => details?.find(({ type }) => type === "consent");

function checkDetail(ctx, detail) {
  if (typeof detail.license !== "string") {
    throw new errors.InvalidAuthorizationDetails("a consent names its license");
  }
}

/** Before a refresh token is used up: does the consent still stand? */
async function rotate(ctx) {
  const { RefreshToken: token, Client: client } = ctx.oidc.entities;
  const detail = detailOf(token.rar);
  if (detail && !(await consents.mayRefresh(detail.consent_id, client.clientId, detail.license))) {
    throw new errors.InvalidGrant("the consent does not permit it any more");
  }
  return true;
}

function resourceServer(ctx, resource) {
  const scope = { [config.dataApi]: "energy", [config.consentd.audience]: CONSENTD_SCOPES }[resource];
  if (!scope) throw new errors.InvalidTarget();
  const jwt = { sign: { alg: config.accessTokenAlg } };
  return { scope, audience: resource, accessTokenFormat: "jwt", accessTokenTTL: 600, jwt };
}

const provider = new Provider(config.issuer, {
  clients: config.clients.map((client) => ({
    token_endpoint_auth_method: "tls_client_auth",
    tls_client_auth_san_uri: client.client_id,
    tls_client_certificate_bound_access_tokens: true,
    authorization_details_types: ["consent"],
    ...client,
  })),
  clientDefaults: { id_token_signed_response_alg: "ES256", authorization_signed_response_alg: "ES256" },
  extraClientMetadata: { properties: ["member"] },
  clientAuthMethods: ["tls_client_auth"],
  jwks: JSON.parse(readFileSync(config.keysFile, "utf8")),
  cookies: { keys: [randomUUID()] },
  scopes: [],
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
    mTLS: {
      enabled: true,
      certificateBoundAccessTokens: true,
      tlsClientAuth: true,
      getCertificate: certificateOf,
      certificateAuthorized: (ctx) => ctx.socket.authorized,
      certificateSubjectMatches: isNamed,
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => config.dataApi,
      useGrantedResource: () => true,
      getResourceServerInfo: resourceServer,
    },
    richAuthorizationRequests: {
      enabled: true,
      types: { consent: { validate: checkDetail } },
      authorizationDetailsForGrantSource: (ctx) => ctx.oidc.entities.Grant.rar,
      authorizationDetailsForAccessToken: (ctx, token, source) => source.rar,
    },
  },
  issueRefreshToken: () => true,
  rotateRefreshToken: rotate,
  // A token ends with its consent, at the latest.
  ttl: {
    Interaction: 600,
    Grant: 366 * 86_400,
    Session: 600,
    RefreshToken: (ctx, token) => {
      const left = Math.floor((Date.parse(detailOf(token.rar)?.expires) - Date.now()) / 1000);
      return Math.min(left || 86_400, 180 * 86_400);
    },
  },
  extraTokenClaims: (ctx, token) => {
    const consent = detailOf(token.rar);
    const { member } = ctx.oidc.client;
    return { ...(consent && { consent_id: consent.consent_id }), ...(member && { member }) };
  },
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  interactions: { url: (ctx, { uid }) => `/interaction/${uid}`, policy: interactionPolicy.base() },
  // What of Icebreaker One's endpoints consentd has (docs/ib1.md).
  discovery: {
    revocation_endpoint: `${config.consentd.url}/ib1/revoke`,
    revocation_endpoint_auth_methods_supported: ["tls_client_auth"],
    ib1_permission_endpoint: `${config.consentd.url}/ib1/permission`,
  },
});

// ---- around the provider's own endpoints

/** A pushed request that consentd does not admit gets no request_uri. */
async function record(ctx) {
  const detail = detailOf(JSON.parse(ctx.oidc.params.authorization_details ?? "[]"));
  if (!detail) return;
  try {
    await consents.request({
      externalId: ctx.body.request_uri.split(":").at(-1),
      client: ctx.oidc.client.clientId,
      detail,
      params: ctx.oidc.body,
      certificate: certificateOf(ctx),
    });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    ctx.status = 400;
    ctx.body = { error: "invalid_authorization_details", error_description: error.message };
  }
}

/** No refresh token leaves before consentd knows its digest; when it has ended meanwhile, none does. */
async function register(ctx) {
  const token = ctx.oidc.entities.RefreshToken;
  const detail = detailOf(token?.rar);
  if (!ctx.body.refresh_token || !detail) return;
  try {
    const consent = await consents.addToken(
      detail.consent_id,
      ctx.body.refresh_token,
      token.remainingTTL,
    );
    if (consent.status === "active") return;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
  }
  ctx.status = 400;
  ctx.body = { error: "invalid_grant", error_description: "the consent has ended" };
}

provider.use(async (ctx, next) => {
  await next();
  if (ctx.oidc?.route === "pushed_authorization_request" && ctx.status === 201) await record(ctx);
  if (ctx.oidc?.route === "token" && ctx.status === 200) await register(ctx);
});
provider.on("server_error", (ctx, error) => console.error(error));

// ---- the page

async function formOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return new URLSearchParams(Buffer.concat(parts).toString());
}

async function show(request, response) {
  const { uid, params, parJti } = await provider.interactionDetails(request, response);
  const consent = await consents.find(parJti);
  const application = config.clients.find((client) => client.client_id === params.client_id);
  const facts = { uid, consent, application: application.name, people: config.people };
  response.writeHead(200, {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  }).end(render(facts));
}

async function decide(request, response) {
  const { params, parJti } = await provider.interactionDetails(request, response);
  const form = await formOf(request);
  const person = config.people.find(({ ref }) => ref === form.get("person"));
  const consent = await consents.find(parJti);
  if (form.get("answer") !== "yes" || !person) {
    if (person) await consents.refuse(consent.consentId, person);
    const result = { error: "access_denied", error_description: "the account holder said no" };
    return provider.interactionFinished(request, response, result);
  }
  const application = config.clients.find((client) => client.client_id === params.client_id);
  const granted = await consents.grant(consent.consentId, {
    account: person.account,
    person,
    notice: { ...noticeOf(consent, application.name), shownAt: new Date().toISOString() },
    browser: { ip: request.socket.remoteAddress, userAgent: request.headers["user-agent"] },
  });
  const grant = new provider.Grant({ accountId: person.account, clientId: params.client_id });
  grant.addResourceScope(config.dataApi, "energy");
  grant.addResourceScope(config.consentd.audience, CONSENTD_SCOPES);
  const { consentId: consent_id, license, expires } = granted;
  grant.addRar({ type: "consent", consent_id, license, expires });
  const grantId = await grant.save();
  const result = { login: { accountId: person.account }, consent: { grantId } };
  return provider.interactionFinished(request, response, result);
}

// ---- over TLS: applications have certificates, people have browsers

const callback = provider.callback();
const server = createServer(
  {
    cert: readFileSync(config.tls.certFile),
    key: readFileSync(config.tls.keyFile),
    ca: readFileSync(config.tls.clientCaFile),
    minVersion: "TLSv1.3",
    requestCert: true,
    rejectUnauthorized: false,
  },
  (request, response) => {
    if (!request.url.startsWith("/interaction/")) return callback(request, response);
    const handle = request.method === "POST" ? decide : show;
    return handle(request, response).catch((error) => {
      console.error(error);
      if (!response.headersSent) response.writeHead(500).end("Something is broken. Please try again.");
    });
  },
);
server.listen(new URL(config.issuer).port, config.address ?? "127.0.0.1", () =>
  console.log(`listening on ${config.issuer}`),
);
