# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 on a plain socket: for requests that no library would send, and for many requests fast.

Only what the server under test uses is understood: Content-Length and chunked bodies. What it
answers to is held against openapi.yaml.
"""

import json
import socket

from harness.checked import Answer, Requests

TIMEOUT_S = 60


class Closed(Exception):
    """The server closed the connection before a whole answer."""


class Wire:
    """One connection, to a server or one of its doors. send() any bytes, receive() one answer; ask_many() pipelines."""

    def __init__(self, server, timeout=TIMEOUT_S, source=""):
        self.address = f"{server.host}:{server.port}"
        self.socket = socket.create_connection(
            (server.host, server.port), timeout=timeout, source_address=(source, 0)
        )
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if getattr(server, "tls", None) is not None:
            self.socket = server.tls.wrap_socket(self.socket, server_hostname=server.host)
        self.buffer = b""
        self.requests = Requests()

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        self.requests.sent(data)
        self.socket.sendall(data)

    def _more(self):
        try:
            data = self.socket.recv(262144)
        except ConnectionError:
            raise Closed from None
        if not data:
            raise Closed
        self.buffer += data

    def _line(self):
        while b"\r\n" not in self.buffer:
            self._more()
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line

    def _take(self, size):
        while len(self.buffer) < size:
            self._more()
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def receive(self, head=False):
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        block, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        first, *rest = block.decode("latin-1").split("\r\n")
        status = int(first.split(" ", 2)[1])
        headers = {}
        for line in rest:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        answer = Answer(status, headers, self._body(status, headers, head))
        self.requests.answered(answer)
        return answer

    def _body(self, status, headers, head):
        if head or status in (204, 304) or status < 200:
            return b""
        if headers.get("transfer-encoding") == "chunked":
            content = b""
            while size := int(self._line(), 16):
                content += self._take(size)
                self._line()
            self._line()
            return content
        return self._take(int(headers["content-length"]))

    def at_end(self):
        """True when the server closes without another byte."""
        try:
            while True:
                self._more()
        except Closed:
            return True
        except socket.timeout:
            return False

    def ask(self, request):
        self.send(request)
        return self.receive()

    def ask_many(self, requests, window=32):
        """Answers in order; at most `window` requests are under way."""
        answers, sent = [], 0
        while len(answers) < len(requests):
            if sent - len(answers) <= window // 2 and sent < len(requests):
                upto = min(len(requests), len(answers) + window)
                self.send(b"".join(requests[sent:upto]))
                sent = upto
            answers.append(self.receive())
        return answers


def request(method, path, token=None, body=None, headers=(), host="127.0.0.1"):
    """The bytes of a request; body is a value for JSON, or bytes as they are."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    content = b""
    if body is not None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        lines.append("Content-Type: application/json")
    if body is not None or method in ("POST", "PUT"):
        lines.append(f"Content-Length: {len(content)}")
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + content
