// SPDX-License-Identifier: Apache-2.0
// The page on which a person says yes or no, and the words that they see: the digest of these words
// goes into the grant.
import { digest } from "./consents.js";

const escape = (text) =>
  String(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

export const NOTICE_URL = "https://supplier.example/notices/sharing/1";

export function wordsOf(consent, application) {
  const until = consent.expires ? `until ${consent.expires.slice(0, 10)}` : "for a year";
  return [
    `${application} asks for data of your account, ${until}.`,
    `It may use them for: ${consent.purposes.join(", ")}.`,
    `It gets: ${consent.permissions.map(({ code }) => code).join(", ")}.`,
    "You can withdraw this at any time, here or there. No more data will go then.",
  ];
}

export function noticeOf(consent, application) {
  const words = wordsOf(consent, application).join("\n");
  return { url: NOTICE_URL, language: "en", renderedDigest: digest(words) };
}

/** Who is signed in belongs to your own login; this page asks. */
export function render({ uid, consent, application, people }) {
  const options = people.map(({ ref }) => `<option>${escape(ref)}</option>`).join("");
  const words = wordsOf(consent, application).map((line) => `<p>${escape(line)}</p>`).join("");
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Share your data?</title>
<h1>Share your data?</h1>
${words}
<form method="post" action="/interaction/${escape(uid)}">
<p><label>You are <select name="person">${options}</select></label></p>
<button name="answer" value="yes">Yes, share</button> <button name="answer" value="no">No</button>
</form></html>`;
}
