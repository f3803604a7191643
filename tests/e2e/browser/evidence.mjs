// SPDX-License-Identifier: Apache-2.0
// What a person's browser makes of pages: `node evidence.mjs URL...` prints one JSON document a line
// and scheme of colours: how wide it is at 320 px, what was requested, what axe-core finds, and what
// the console said. The browser is Debian's Chromium, headless, with no route to anywhere but here.
import { createRequire } from "node:module";
import { readFileSync, rmSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const require = createRequire(new URL("../../npm/package.json", import.meta.url));
const puppeteer = require("puppeteer-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const WIDTH = 320;

async function look(browser, url, scheme) {
  const page = await browser.newPage();
  const requests = [];
  const said = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  await page.setViewport({ width: WIDTH, height: 640, deviceScaleFactor: 2, isMobile: true });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  const response = await page.goto(url, { waitUntil: "networkidle0" });
  const seen = await page.evaluate(() => ({
    title: document.title,
    language: document.documentElement.lang,
    text: document.body.innerText,
    scripts: document.scripts.length,
    width: document.documentElement.scrollWidth,
    smallest: Math.min(
      ...[...document.querySelectorAll("body *")]
        .filter((e) => e.innerText)
        .map((e) => parseFloat(getComputedStyle(e).fontSize)),
    ),
    outside: [...document.querySelectorAll("body *")]
      .filter((e) => e.getBoundingClientRect().right > innerWidth + 0.5)
      .map((e) => e.outerHTML.slice(0, 120)),
    background: getComputedStyle(document.body).backgroundColor,
  }));
  const before = requests.length;
  await page.evaluate(axe);
  const found = await page.evaluate(() =>
    globalThis.axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }),
  );
  if (process.env.PICTURES) {
    const path = join(process.env.PICTURES, `${url.slice(-8)}-${scheme}.png`);
    await page.screenshot({ path, fullPage: true });
  }
  await page.close();
  return {
    url,
    scheme,
    status: response.status(),
    ...seen,
    requests: requests.slice(0, before),
    said,
    violations: found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" ")}`),
    incomplete: found.incomplete.map((v) => v.id),
    passes: found.passes.map((v) => v.id),
  };
}

/** A page of another origin that frames the first URL, to see that it may. */
async function frame(browser, url) {
  const page = await browser.newPage();
  await page.setContent(`<iframe title="evidence" src="${url}" width="320" height="600"></iframe>`);
  const inner = await page.waitForFrame((f) => f.url() === url);
  await inner.waitForSelector("h1");
  const title = await inner.evaluate(() => document.title);
  await page.close();
  return title;
}

const profile = mkdtempSync(join(tmpdir(), "consentd-browser-"));
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  userDataDir: profile,
  args: [
    "--no-sandbox", // tests run as root in containers
    "--disable-dev-shm-usage",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
  ],
});
try {
  for (const url of process.argv.slice(2))
    for (const scheme of ["light", "dark"])
      console.log(JSON.stringify(await look(browser, url, scheme)));
  console.log(JSON.stringify({ framed: await frame(browser, process.argv[2]) }));
} finally {
  await browser.close();
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
}
