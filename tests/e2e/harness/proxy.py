# SPDX-License-Identifier: Apache-2.0
"""Between a client that is not ours and the server: every exchange is held against openapi.yaml.

    with Proxy(server) as proxy: ... proxy.url ...
    with Proxy(door, tls=context) as proxy: ...

With a TLS context it asks for client certificates, and hands them on as RFC 9440 has it: the server must
have the proxy among its `proxies`. What departs from the contract is answered with 599 and fails the test
when the proxy closes.
"""

import base64
import http.server
import threading

import httpx

from harness.client import contract

# Of the connection (RFC 9110 section 7.6.1), and what the proxy's own client writes.
OWN = {"connection", "content-length", "host", "keep-alive", "te", "transfer-encoding", "upgrade"}
CERTIFICATE = "Client-Cert"
BROKEN = 599


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy = None

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        content = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline() not in (b"\r\n", b""):
            pass
        return content

    def certificate(self):
        der = self.connection.getpeercert(True) if self.proxy.tls else None
        return [(CERTIFICATE, f":{base64.b64encode(der).decode()}:")] if der else []

    def answer(self):
        own = OWN | {CERTIFICATE.lower()}
        sent = [(name, value) for name, value in self.headers.items() if name.lower() not in own]
        sent += self.certificate()
        content = self.body() or None
        response = self.proxy.http.request(self.command, self.path, content=content, headers=sent)
        status, body = response.status_code, response.content
        try:
            contract().check(self.command, self.path.partition("?")[0], response)
            self.proxy.seen.append((self.command, self.path.partition("?")[0], status))
        except AssertionError as broken:
            self.proxy.broken.append(str(broken))
            status, body = BROKEN, str(broken).encode()
        self.send_response_only(status)
        for name, value in response.headers.multi_items():
            if name.lower() not in OWN:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = answer

    def log_message(self, *_):
        pass


class Proxy:
    def __init__(self, target, tls=None):
        self.seen, self.broken, self.tls = [], [], tls
        url = f"http://{target.host}:{target.port}"
        self.http = httpx.Client(base_url=url, timeout=60, trust_env=False)
        handler = type("Bound", (Handler,), {"proxy": self})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    @property
    def url(self):
        scheme = "http" if self.tls is None else "https"
        return f"{scheme}://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.http.close()
        assert not self.broken, self.broken[0]
