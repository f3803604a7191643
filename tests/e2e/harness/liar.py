# SPDX-License-Identifier: Apache-2.0
"""A server that serves a forged log, and answers whatever a test wants it to."""

import base64
import http.server
import threading

from harness import forge


class Liar:
    """Serves a forged log; `answers` replaces what a path says by a status and bytes, or by a
    function that writes what it likes."""

    def __init__(self, lines):
        self.answers, self.asked = {}, []
        self.cosigned = None  # what those are shown who do not ask for the newest checkpoint
        self.heard = threading.Semaphore(0)  # released with each request
        self.serve(lines)
        liar = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                liar.answer(self)

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,))
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def serve(self, lines):
        """From now on the log of these lines."""
        leaves = [base64.b64decode(line["leaf"]) for line in lines]
        hashes = [forge.leaf_hash(leaf) for leaf in leaves]
        self.lines = lines
        self.tiles = {f"/log/tile/{name}": content for name, content in forge.tiles(leaves)}
        self.checkpoint = forge.checkpoint(hashes).encode()

    def file(self, path):
        """Tiles of smaller trees are parts of those of this one."""
        if path == "/log/checkpoint":
            return self.checkpoint
        name, _, width = path.partition(".p/")
        size = int(width or 256) * (38 if "/entries/" in path else 32)
        found = [self.tiles[key] for key in self.tiles if key.partition(".p/")[0] == name]
        return found[0][:size] if found and len(found[0]) >= size else None

    def stop(self):
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()

    def events(self, query):
        params = dict(part.split("=") for part in query.split("&"))
        first = int(params.get("after", -1)) + 1
        page = self.lines[first : first + int(params["limit"])]
        return b"".join(forge.compact(line) + b"\n" for line in page)

    def answer(self, request):
        path, _, query = request.path.partition("?")
        self.asked.append(request.path)
        self.heard.release()
        said = self.answers.get(path)
        if callable(said):
            said(request)
            return
        if said is None and path == "/v1/audit/events":
            said = 200, self.events(query)
        content = self.file(path)
        if path == "/log/checkpoint" and query == "" and self.cosigned is not None:
            content = self.cosigned
        status, content = said or ((404, b"") if content is None else (200, content))
        request.send_response(status)
        request.send_header("Content-Length", str(len(content)))
        request.send_header("Location", "/log/checkpoint")
        request.end_headers()
        request.wfile.write(content)
