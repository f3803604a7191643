# SPDX-License-Identifier: Apache-2.0
"""RFC 6962 and C2SP notes as a stranger reads them: nothing of ours but the log's public key."""

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

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


class Note:
    """A signed note, verified with one key."""

    def __init__(self, text, vkey):
        self.text, _, signatures = text.rpartition("\n\n")
        self.text += "\n"
        name, key_id, key = vkey.split("+", 2)
        public = base64.b64decode(key)
        assert public[0] == 1
        expected = hashlib.sha256(f"{name}\n".encode() + public).digest()[:4]
        assert expected.hex() == key_id
        lines = [line.split(" ") for line in signatures.splitlines()]
        found = [base64.b64decode(line[2]) for line in lines if line[:2] == ["\u2014", name]]
        mine = [blob[4:] for blob in found if blob[:4] == expected]
        assert len(mine) == 1, signatures
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
    key_id = hashlib.sha256(f"{name}\n".encode() + base64.b64decode(key)).digest()[:4]
    return f"{name}+{key_id.hex()}+{key}"


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
