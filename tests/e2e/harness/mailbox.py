# SPDX-License-Identifier: Apache-2.0
"""Applications that take messages: a Directory and their endpoints, over HTTPS, whose manners a test
sets. A message is taken only over mutual TLS."""

import http.server
import json
import ssl
import threading


class Mailbox:
    """`manners[name]` is how the endpoint of application `name` answers: "take", "refuse" (500),
    "redirect" (to "elsewhere"), "hang", "rubbish" or "drop"; or, having taken the message, "break"
    (200, and the connection ends amid the body), "flood" (200 and a megabyte), "drip" (200 and no
    end) or "cut" (200, and no end of the head). `documents[name]` is its Directory document, where
    it is not the usual one; `before[name]` runs when a message was taken and not yet answered. What
    came is in `taken` (name, certificate's URL, body), `tried` and `fetched` (names)."""

    def __init__(self, ca, server_pair=None):
        self.ca = ca
        self.manners, self.documents, self.headers, self.before = {}, {}, {}, {}
        self.taken, self.fetched, self.tried = [], [], []
        self.changed = threading.Condition()
        self.over = threading.Event()
        handler = type("Handler", (_Handler,), {"mailbox": self})
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.http.daemon_threads = True
        self.port = self.http.server_address[1]
        pair = server_pair or ca.server()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        context.load_verify_locations(str(ca.certificate))
        context.verify_mode = ssl.CERT_OPTIONAL
        self.http.socket = context.wrap_socket(
            self.http.socket, server_side=True, do_handshake_on_connect=False
        )
        self.http.handle_error = lambda *_: None  # who does not trust us hangs up
        self.thread = threading.Thread(target=self.http.serve_forever, daemon=True)
        self.thread.start()

    def application(self, name):
        return f"https://127.0.0.1:{self.port}/application/{name}"

    def endpoint(self, name):
        return f"https://127.0.0.1:{self.port}/messages/{name}"

    def note(self, what, value):
        with self.changed:
            getattr(self, what).append(value)
            self.changed.notify_all()

    def wait(self, condition, seconds=60):
        with self.changed:
            assert self.changed.wait_for(condition, seconds), (self.taken, self.fetched, self.tried)

    def close(self):
        self.over.set()
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


_HALVES = {
    "cut": b"HTTP/1.1 200 OK\r\nContent-Type: app",
    "break": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx",
    "drip": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx",
}


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, *_):
        pass

    def _answer(self, status, body=b"", headers=(), kind="application/json"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        box, name = self.mailbox, self.path.rpartition("/")[2]
        usual = {"@id": box.application(name), "ib1:messageDelivery": box.endpoint(name)}
        document = box.documents.get(name, usual)
        box.note("fetched", name)
        if document is None:
            return self._answer(404, b"{}")
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return self._answer(200, body, box.headers.get(name, ()))

    def do_POST(self):
        box, name = self.mailbox, self.path.rpartition("/")[2]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        certificate = self.connection.getpeercert()
        box.note("tried", name)
        manner = box.manners.get(name, "take")
        if manner == "hang":
            box.over.wait()
            return None
        if manner == "drop":
            self.close_connection = True
            return None
        if manner == "rubbish":
            self.close_connection = True
            return self.wfile.write(b"\x00\xffthis is no HTTP\r\n\r\n")
        if manner == "refuse" or not certificate:
            return self._answer(500, b'{"error":"later"}')
        if manner == "redirect":
            return self._answer(307, headers=[("Location", box.endpoint("elsewhere"))])
        urls = [value for kind, value in certificate["subjectAltName"] if kind == "URI"]
        box.note("taken", (name, urls, self.headers["Content-Type"], json.loads(body)))
        box.before.get(name, lambda: None)()
        if manner in _HALVES:
            self.close_connection = True
            self.wfile.write(_HALVES[manner])
            return box.over.wait() if manner == "drip" else None
        return self._answer(200, b"x" * 1000000 if manner == "flood" else b"{}")
