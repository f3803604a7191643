# SPDX-License-Identifier: Apache-2.0
"""Ways in which an HTTP server may fail whoever asks it."""

from http.server import BaseHTTPRequestHandler

HUGE = 64 * 1024 * 1024


class Unkind(BaseHTTPRequestHandler):
    """Its server has an event `over`, which tells that the test is."""

    protocol_version = "HTTP/1.1"
    content_type = "text/plain"

    def log_message(self, *_):
        pass

    def reply(self, status, body=b"", kind=None, more=()):
        self.send_response(status)
        self.send_header("Content-Type", kind or self.content_type)
        self.send_header("Content-Length", str(len(body)))
        for header in more:
            self.send_header(*header)
        self.end_headers()
        self.wfile.write(body)

    def empty(self):
        self.reply(200)

    def broken(self):
        self.reply(500)

    def huge(self):
        self.send_response(200)
        self.send_header("Content-Length", str(HUGE))
        self.end_headers()
        self.flood(b'{"keys":[' + b" " * 4087)  # all that was promised

    def endless_head(self):
        self.send_response(200)
        self.flush_headers()
        self.flood(b"X-More: " + b"y" * 1000 + b"\r\n")

    def flood(self, data):
        self.close_connection = True
        try:
            for _ in range(HUGE // len(data)):
                self.wfile.write(data)
        except OSError:
            pass  # it had enough

    def hangs_up(self):
        self.close_connection = True

    def hangs(self):
        self.close_connection = True
        self.server.over.wait()
