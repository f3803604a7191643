# SPDX-License-Identifier: Apache-2.0
"""RFC 6962 and C2SP notes as a stranger reads them: nothing of ours but the log's public key."""

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

EMPTY = hashlib.sha256(b"").digest()


def leaf_hash(leaf):
    return hashlib.sha256(b"\0" + leaf).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def split(size):
    """The largest power of two below size."""
    return 1 << (size - 1).bit_length() - 1


def root(hashes):
    """Section 2.1, as it stands there."""
    if len(hashes) < 2:
        return hashes[0] if hashes else EMPTY
    k = split(len(hashes))
    return node(root(hashes[:k]), root(hashes[k:]))


def inclusion(index, hashes):
    """Section 2.1.1: the path of a leaf, from its side to the root's."""
    if len(hashes) == 1:
        return []
    k = split(len(hashes))
    if index < k:
        return [*inclusion(index, hashes[:k]), root(hashes[k:])]
    return [*inclusion(index - k, hashes[k:]), root(hashes[:k])]


def consistency(old, hashes, whole=True):
    """Section 2.1.2."""
    if old == len(hashes):
        return [] if whole else [root(hashes)]
    k = split(len(hashes))
    if old <= k:
        return [*consistency(old, hashes[:k], whole), root(hashes[k:])]
    return [*consistency(old - k, hashes[k:], False), root(hashes[:k])]


def key_id(name, public):
    """public has its type before it."""
    return hashlib.sha256(f"{name}\n".encode() + public).digest()[:4]


def signatures_of(note, name):
    """The text of a note, and what stands in its lines of this name."""
    text, _, lines = note.rpartition("\n\n")
    words = [line.split(" ") for line in lines.splitlines()]
    return text + "\n", [base64.b64decode(w[2]) for w in words if w[:2] == ["\u2014", name]]


def cosigned(note, vkey):
    """The times at which a witness cosigned a checkpoint, by its lines; each must verify."""
    name, expected, key = vkey.split("+", 2)
    public = base64.b64decode(key)
    assert public[0] == 4
    assert key_id(name, public).hex() == expected
    text, blobs = signatures_of(note, name)
    times = []
    for blob in blobs:
        assert blob[:4].hex() == expected
        times.append(int.from_bytes(blob[4:12], "big"))
        message = f"cosignature/v1\ntime {times[-1]}\n{text}".encode()
        Ed25519PublicKey.from_public_bytes(public[1:]).verify(blob[12:], message)
    return times


class Note:
    """A signed note, verified with one key."""

    def __init__(self, text, vkey):
        name, expected, key = vkey.split("+", 2)
        public = base64.b64decode(key)
        assert public[0] == 1
        assert key_id(name, public).hex() == expected
        self.text, found = signatures_of(text, name)
        mine = [blob[4:] for blob in found if blob[:4].hex() == expected]
        assert len(mine) == 1, text
        Ed25519PublicKey.from_public_bytes(public[1:]).verify(mine[0], self.text.encode())


class Checkpoint(Note):
    def __init__(self, text, vkey):
        super().__init__(text, vkey)
        lines = self.text.splitlines()
        assert len(lines) == 3, lines
        self.origin, self.size, self.root = lines[0], int(lines[1]), base64.b64decode(lines[2])
        assert self.origin == vkey.split("+")[0]


def renamed(vkey, name):
    """The same key under another name, whose ID differs."""
    key = vkey.split("+", 2)[2]
    return f"{name}+{key_id(name, base64.b64decode(key)).hex()}+{key}"


class Proof:
    """A tlog-proof: says which entry is under which checkpoint."""

    def __init__(self, text, vkey):
        head, _, checkpoint = text.partition("\n\n")
        lines = head.splitlines()
        assert lines[0] == "c2sp.org/tlog-proof@v1"
        word, index = lines[1].split(" ")
        assert word == "index"
        self.index = int(index)
        self.hashes = [base64.b64decode(line) for line in lines[2:]]
        self.checkpoint = Checkpoint(checkpoint, vkey)

    def check(self, leaf, hashes):
        """The path is the one that the leaves make, and leads from this leaf to the root."""
        hashes = hashes[: self.checkpoint.size]
        assert leaf_hash(leaf) == hashes[self.index]
        assert self.hashes == inclusion(self.index, hashes)
        assert self.checkpoint.root == root(hashes)


class Log:
    """A log of a test's own: hashes in memory, a key, and what it says to a witness."""

    def __init__(self, origin):
        self.origin = origin
        self.key = Ed25519PrivateKey.generate()
        self.hashes = []
        public = b"\1" + self.key.public_key().public_bytes_raw()
        self.id = key_id(origin, public)
        self.vkey = f"{origin}+{self.id.hex()}+{base64.b64encode(public).decode()}"

    def grow(self, *leaves):
        self.hashes += [leaf_hash(leaf) for leaf in leaves]
        return len(self.hashes)

    def checkpoint(self, size):
        top = base64.b64encode(root(self.hashes[:size])).decode()
        text = f"{self.origin}\n{size}\n{top}\n"
        signature = base64.b64encode(self.id + self.key.sign(text.encode())).decode()
        return f"{text}\n\u2014 {self.origin} {signature}\n"

    def submission(self, old, size):
        path = consistency(old, self.hashes[:size]) if 0 < old <= size else []
        lines = "".join(f"{base64.b64encode(digest).decode()}\n" for digest in path)
        return f"old {old}\n{lines}\n{self.checkpoint(size)}"
