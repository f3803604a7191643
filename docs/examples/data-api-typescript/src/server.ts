// SPDX-License-Identifier: Apache-2.0
// A data API: GET /consumption?meter=…&from=…&to=…[&purpose=…][&account=…] with the application's
// access token. The token says which application it is and, where the authorization server puts it
// there (authorization_details of type consent), under which consent it was issued; without that,
// the application names the account.
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import path from "node:path";
import { createLocalJWKSet, createRemoteJWKSet, errors, jwtVerify, type JWTPayload } from "jose";
import { Consents, type Transfer } from "./consents.ts";

const {
  CONSENTD_URL = "http://127.0.0.1:8080",
  CONSENTD_TOKEN_FILE = "token",
  ISSUER = "https://issuer.consentd.invalid",
  ISSUER_KEYS = "../../../var/dev/issuer/jwks.json",
  AUDIENCE = "consentd",
  READINGS = ".",
  PORT = "8090",
} = process.env;

const keys = /^https?:/.test(ISSUER_KEYS)
  ? createRemoteJWKSet(new URL(ISSUER_KEYS))
  : createLocalJWKSet(JSON.parse(await readFile(ISSUER_KEYS, "utf8")));
const consents = new Consents(CONSENTD_URL, CONSENTD_TOKEN_FILE);

class Refused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

async function callerOf(request: IncomingMessage): Promise<JWTPayload> {
  const [scheme, token] = (request.headers.authorization ?? "").split(" ");
  if (scheme?.toLowerCase() !== "bearer" || !token) throw new Refused(401, "a token is needed");
  try {
    return (await jwtVerify(token, keys, { issuer: ISSUER, audience: AUDIENCE })).payload;
  } catch (error) {
    if (error instanceof errors.JOSEError) throw new Refused(401, "the token is not good");
    throw error;
  }
}

function consentOf(caller: JWTPayload): string | undefined {
  const details = caller["authorization_details"];
  const consent = Array.isArray(details) ? details.find((one) => one.type === "consent") : undefined;
  return typeof consent?.consent_id === "string" ? consent.consent_id : undefined;
}

function transferOf(caller: JWTPayload, query: URLSearchParams): Transfer {
  const client = caller["client_id"];
  const [account, purpose] = [query.get("account"), query.get("purpose")];
  const [meter, from, to] = [query.get("meter"), query.get("from"), query.get("to")];
  const consentId = consentOf(caller);
  if (typeof client !== "string") throw new Refused(403, "the token names no application");
  if (!meter || !/^[\w-]+$/.test(meter) || !from || !to) {
    throw new Refused(400, "meter, from and to are needed");
  }
  const holder = consentId ? { consentId } : account ? { account } : undefined;
  if (!holder) throw new Refused(403, "neither the token nor the query says whose data");
  return {
    client,
    holder,
    ...(purpose && { purpose }),
    permission: "electricity.import.halfhourly",
    meter,
    from,
    to,
    granularity: "PT30M",
  };
}

/** Where a data API reads its database, this one reads a file. */
async function readingsOf({ meter, from, to }: Transfer): Promise<object[]> {
  const text = await readFile(path.join(READINGS, `${meter}.csv`), "utf8").catch(() => "");
  const [start, end] = [Date.parse(from), Date.parse(to)];
  return text
    .split("\n")
    .slice(1)
    .map((line) => line.split(","))
    .filter(([at]) => at && Date.parse(at) >= start && Date.parse(at) < end)
    .map(([at, kwh]) => ({ at, kwh: Number(kwh) }));
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://data.invalid");
  if (url.pathname !== "/consumption") throw new Refused(404, "there is GET /consumption");
  const transfer = transferOf(await callerOf(request), url.searchParams);
  const answer = await consents.ask(transfer).catch((error: unknown) => {
    console.error("no decision, so nothing goes:", error);
    throw new Refused(503, "whether this is permitted cannot be told now");
  });
  if (!answer.permitted) throw new Refused(403, answer.why);
  const readings = await readingsOf(transfer);
  const transaction = randomUUID();
  const at = new Date();
  send(response, 200, { transaction, readings });
  const right = await consents.record(transfer, answer, { at, records: readings.length }, transaction);
  if (!right) console.error(`the consent ended while ${transaction} went`);
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}

const server = createServer((request, response) => {
  serve(request, response).catch((error: unknown) => {
    const refused = error instanceof Refused ? error : new Refused(500, "something is broken");
    if (refused !== error) console.error(error);
    if (!response.headersSent) send(response, refused.status, { error: refused.message });
  });
});
server.listen(Number(PORT), "127.0.0.1", () => {
  const address = server.address();
  console.log(`listening on http://127.0.0.1:${typeof address === "object" ? address?.port : PORT}`);
});
