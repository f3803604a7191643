# SPDX-License-Identifier: Apache-2.0
"""Witnesses that lie, each in a way of its own, at one address; the path says which."""

import base64
import socketserver
import threading

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from harness.merkle import key_id
from harness.unkind import Unkind

SIZE = "text/x.tlog.size"


class Key:
    def __init__(self, name):
        self.name = f"witness.example/{name}"
        self.private = Ed25519PrivateKey.generate()
        public = b"\4" + self.private.public_key().public_bytes_raw()
        self.id = key_id(self.name, public)
        self.vkey = f"{self.name}+{self.id.hex()}+{base64.b64encode(public).decode()}"

    def line(self, text, time=1):
        message = f"cosignature/v1\ntime {time}\n{text}".encode()
        blob = self.id + time.to_bytes(8, "big") + self.private.sign(message)
        return f"\u2014 {self.name} {base64.b64encode(blob).decode()}\n"


class Handler(Unkind):
    def do_POST(self):
        name = self.path.split("/")[1]
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.text = body.split("\n\n")[1] + "\n"
        self.server.asked += 1
        self.key = self.server.keys[name]
        getattr(self, name)()

    def rubbish(self):
        self.reply(200, b"\xff\xfe no line\n")

    def another_key(self):
        """In its own name, with a signature of another's."""
        other = Key("another_key")
        other.id = self.key.id
        self.reply(200, other.line(self.text).encode())

    def other_text(self):
        self.reply(200, self.key.line(self.text + "more\n").encode())

    def size_of_rubbish(self):
        self.reply(409, b"007\n", SIZE)

    def size_without_type(self):
        self.reply(409, b"1000000\n")

    def size_after_size(self):
        """Always another, and each one that the log has had."""
        self.server.size = 3 - self.server.size
        self.reply(409, f"{self.server.size}\n".encode(), SIZE)

    def forbidden(self):
        self.reply(403)

    def unknown(self):
        self.reply(404)

    def unprocessable(self):
        self.reply(422)

    def elsewhere(self):
        self.reply(302, more=[("Location", "/unknown/add-checkpoint")])


class Liars(socketserver.ThreadingTCPServer):
    """One witness for each name; use as a context."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, names):
        super().__init__(("127.0.0.1", 0), Handler)
        self.names = list(names)
        self.keys = {name: Key(name) for name in self.names}
        self.over = threading.Event()
        self.asked = 0
        self.size = 1
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)
        self.thread.start()

    def pairs(self):
        port = self.server_address[1]
        return [(f"http://127.0.0.1:{port}/{name}", self.keys[name].vkey) for name in self.names]

    def __exit__(self, *exception):
        self.over.set()
        self.shutdown()
        self.thread.join()
        super().__exit__(*exception)
