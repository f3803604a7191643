# SPDX-License-Identifier: Apache-2.0
"""TLS in front of a server that speaks plain HTTP, as an operator's proxy would: bytes passed on both
ways."""

import contextlib
import socket
import ssl
import threading


def _pass_on(source, target):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


class Front:
    """Shows the certificate of `pair` (harness/ca.py) and passes on to (host, port); use as a context.
    `passed` counts connections whose TLS stood."""

    def __init__(self, pair, host, port):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pair.certificate, pair.key)
        self.behind, self.passed = (host, port), 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def _accept(self):
        with contextlib.suppress(OSError):  # the listener is closed
            while True:
                plain, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain):
        try:
            caller = self.context.wrap_socket(plain, server_side=True)
        except OSError:  # it does not trust us
            plain.close()
            return
        self.passed += 1
        with caller, socket.create_connection(self.behind) as server:
            back = threading.Thread(target=_pass_on, args=(server, caller), daemon=True)
            back.start()
            _pass_on(caller, server)
            back.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()
