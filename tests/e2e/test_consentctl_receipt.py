# SPDX-License-Identifier: Apache-2.0
"""consentctl verify-receipt: what the service signed is believed, and nothing else."""

import base64
import json
import subprocess

import jwt
import pytest
from conftest import NOW
from cryptography.hazmat.primitives.asymmetric import ec
from harness import bodies
from harness.merkle import renamed
from harness.server import CTL


def run(*arguments):
    return subprocess.run(
        [CTL, "verify-receipt", *map(str, arguments)], capture_output=True, text=True
    )


class Kept:
    """A receipt and the keys as files, and the claims for forging others."""

    def __init__(self, cast, root, folder):
        self.folder = folder
        self.consent = cast.tenant.create(bodies.consent(cast.app_url, NOW))
        answer = cast.client.get(f"/v1/consents/{self.consent['consentId']}/receipt")
        self.receipt, self.text = folder / "receipt.jwt", answer.text
        self.receipt.write_text(answer.text + "\n")
        self.keys = folder / "keys.json"
        self.jwks = root.get("/.well-known/jwks.json").json()
        self.keys.write_text(json.dumps(self.jwks))
        self.vkey = root.get("/v1/audit/events/0").json()["payload"]["body"]["verifierKey"]
        self.claims = jwt.decode(answer.text, options={"verify_signature": False})

    def verify(self, receipt=None, keys=None, vkey=None):
        return run(
            receipt or self.receipt, "--keys", keys or self.keys, "--vkey", vkey or self.vkey
        )

    def forge(self, change):
        """A receipt signed by a key of ours, which is in the set under the same name."""
        key = ec.generate_private_key(ec.SECP256R1())
        point = key.public_key().public_numbers()
        x, y = (
            base64.urlsafe_b64encode(n.to_bytes(32, "big")).rstrip(b"=").decode()
            for n in (point.x, point.y)
        )
        keys = self.folder / "forged.json"
        keys.write_text(json.dumps({"keys": [{**self.jwks["keys"][0], "x": x, "y": y}]}))
        claims = json.loads(json.dumps(self.claims))
        change(claims)
        made = self.folder / "forged.jwt"
        kid = self.jwks["keys"][0]["kid"]
        made.write_text(jwt.encode(claims, key, "ES256", headers={"kid": kid}))
        return made, keys


@pytest.fixture
def kept(cast, root, tmp_path):
    return Kept(cast, root, tmp_path)


def test_a_receipt_is_good(kept, server):
    done = kept.verify()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"good: consent {kept.consent['consentId']}, active since {NOW}\n"
        f"issued by {server.url}, bound to entry {kept.consent['logIndex']} of the log\n"
    )
    vkeys = kept.folder / "vkey"
    vkeys.write_text(kept.vkey + "\n")
    assert kept.verify(vkey=vkeys).returncode == 0


def bad(done, why):
    assert done.returncode == 1, done
    assert why in done.stdout + done.stderr, done


def test_each_changed_character_is_found(kept):
    for part in range(3):
        parts = kept.text.split(".")
        middle = len(parts[part]) // 2
        old = parts[part][middle]
        parts[part] = parts[part][:middle] + ("A" if old != "A" else "B") + parts[part][middle + 1 :]
        changed = kept.folder / "changed.jwt"
        changed.write_text(".".join(parts))
        assert kept.verify(changed).returncode == 1


FORGERIES = {
    "no proof": (lambda c: c["log"].pop("proof"), "no proof that it is in a log"),
    "no log": (lambda c: c.pop("log"), "no proof that it is in a log"),
    "another entry": (lambda c: c["log"].update(index=0), "its proof is of another entry"),
    "another leaf": (
        lambda c: c["log"].update(leaf="AQEAAA" + "A" * 42),
        "its entry is not in a log that the key has signed",
    ),
    "a leaf that is none": (lambda c: c["log"].update(leaf="AA=="), "its leaf is none"),
    "a proof that is none": (lambda c: c["log"].update(proof="c2sp"), "its proof is none"),
    "another root": (
        lambda c: c["log"].update(proof=c["log"]["proof"].replace("\n\n—", "x\n\n—")),
        "its proof is none",
    ),
    "no consent": (lambda c: c.pop("consent"), "it is no receipt"),
    "nothing": (lambda c: c.clear(), "it is no receipt"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_what_is_signed_must_be_in_the_log(kept, name):
    change, why = FORGERIES[name]
    receipt, keys = kept.forge(change)
    bad(kept.verify(receipt, keys=keys), why)


def test_the_keys_must_be_the_right_ones(kept):
    receipt, keys = kept.forge(lambda claims: None)
    assert kept.verify(receipt, keys=keys).returncode == 0
    bad(kept.verify(receipt), "the signature is not that of the key")
    bad(kept.verify(keys=keys), "the signature is not that of the key")
    other = kept.folder / "other.json"
    other.write_text(json.dumps({"keys": [{**kept.jwks["keys"][0], "kid": "other"}]}))
    bad(kept.verify(keys=other), "no key of the set is the one that the header names")
    bad(kept.verify(vkey=renamed(kept.vkey, "other.example/log")), "not in a log")


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "....", "\0", "e30.e30.e30", "é.é.é"])
def test_what_is_no_receipt_is_bad(kept, text):
    made = kept.folder / "none.jwt"
    made.write_text(text)
    assert kept.verify(made).returncode == 1


def test_a_token_of_hmac_is_bad(kept):
    """Signed with what is public as the secret."""
    made = kept.folder / "hmac.jwt"
    key = kept.jwks["keys"][0]
    secret = (key["x"] + key["y"]).encode()
    made.write_text(jwt.encode(kept.claims, secret, "HS256", headers={"kid": key["kid"]}))
    bad(kept.verify(made), "the signature is not that of the key")


def test_what_cannot_be_read_is_told_apart(kept):
    for done in (
        run(),
        run(kept.receipt),
        run(kept.receipt, "--keys", kept.keys),
        kept.verify(kept.folder / "missing"),
        kept.verify(keys=kept.folder / "missing"),
        kept.verify(vkey="no+key"),
        run(kept.receipt, "--keys", kept.keys, "--vkey", kept.vkey, "--more", "x"),
    ):
        assert done.returncode == 2 and done.stderr, done
