# SPDX-License-Identifier: Apache-2.0
"""Writes a log directory as an operator would who signs what is not true: every hash and signature
fits, whatever the entries say. Nothing of ours."""

import base64
import hashlib
import hmac
import json
import pathlib
import struct

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from harness.audit import LEAF_TYPES, compact
from harness.merkle import leaf_hash, root

ORIGIN = "forger.example/log"
KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"forger").digest())
KINDS = {**LEAF_TYPES, "erasure": 4}


def b64(data):
    return base64.b64encode(data).decode()


def key_of(name):
    """The key's ID under a name, and its verifier key."""
    public = b"\1" + KEY.public_key().public_bytes_raw()
    key_id = hashlib.sha256(f"{name}\n".encode() + public).digest()[:4]
    return key_id, f"{name}+{key_id.hex()}+{b64(public)}"


VKEY = key_of(ORIGIN)[1]


def sign(text, name=ORIGIN):
    return f"{text}\n\u2014 {name} {b64(key_of(name)[0] + KEY.sign(text.encode()))}\n"


def checkpoint(hashes, origin=ORIGIN):
    return sign(f"{origin}\n{len(hashes)}\n{b64(root(hashes))}\n", origin)


def commitment(r, text):
    return hmac.digest(r, b"consentd/payload/v1\0" + text, hashlib.sha256)


def seal(entry, index):
    """The entry's line with the commitments that fit what it says now."""
    r = hashlib.sha256(f"r{index}".encode()).digest()
    line = {"index": index, "at": entry["payload"]["at"], "event": entry["payload"]["type"]}
    payload = dict(entry["payload"])
    if "personal" in payload and "personal" in entry:
        committed = commitment(r, compact(entry["personal"]))
        payload["personal"] = base64.urlsafe_b64encode(committed).decode().rstrip("=")
    kind = KINDS[payload["type"].split(".")[0]]
    leaf = bytes([1, entry.get("leafType", kind), 0, 0]) + commitment(r, compact(payload))
    line |= {"leaf": b64(leaf), "r": b64(r), "payload": payload}
    if "personal" in entry:
        line |= {"personalR": b64(r), "personal": entry["personal"]}
    return line


def drop(line, *members):
    return {name: value for name, value in line.items() if name not in members}


def tiles(leaves):
    """Path and content of every tile and bundle."""
    level, rows = 0, [leaf_hash(leaf) for leaf in leaves]
    while rows:
        for first in range(0, len(rows), 256):
            part = rows[first : first + 256]
            name = f"{first // 256:03d}" + (f".p/{len(part)}" if len(part) < 256 else "")
            yield f"{level}/{name}", b"".join(part)
            if level == 0:
                bundle = leaves[first : first + 256]
                yield f"entries/{name}", b"".join(struct.pack(">H", len(b)) + b for b in bundle)
        whole = len(rows) // 256 * 256
        rows = [root(rows[first : first + 256]) for first in range(0, whole, 256)]
        level += 1


def write(folder, lines):
    """The directory of a log of these lines, in their order; erased members may be left out."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    leaves = [base64.b64decode(line["leaf"]) for line in lines]
    for name, content in tiles(leaves):
        path = folder / "tile" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / "checkpoint").write_text(checkpoint([leaf_hash(leaf) for leaf in leaves]))
    (folder / "events.ndjson").write_bytes(b"".join(compact(line) + b"\n" for line in lines))
    return folder


def read(folder):
    text = (pathlib.Path(folder) / "events.ndjson").read_text()
    return [json.loads(line) for line in text.splitlines()]
