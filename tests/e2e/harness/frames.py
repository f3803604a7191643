# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 on a plain socket with h2's state machine: for streams that are reset, and floods."""

import socket

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from harness.checked import Answer, check_each_shape


class Frames:
    """upgrade: nothing is sent yet; `settings` is what the HTTP/1.1 request before it names."""

    def __init__(self, server, timeout=30, upgrade=False):
        self.authority = f"{server.host}:{server.port}"
        self.scheme = getattr(server, "scheme", "http")
        self.socket = socket.create_connection((server.host, server.port), timeout=timeout)
        if getattr(server, "tls", None) is not None:
            self.socket = server.tls.wrap_socket(self.socket, server_hostname=server.host)
            assert self.socket.selected_alpn_protocol() == "h2"
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        if upgrade:
            self.settings = self.h2.initiate_upgrade_connection()
        else:
            self.h2.initiate_connection()
            self.flush()
        self.closed = False
        self.asked = {}  # stream -> method and path

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def flush(self):
        data = self.h2.data_to_send()
        if data:
            self.socket.sendall(data)

    def open(self, method, path, token=None, body=None, headers=()):
        """Begins a request without flushing; returns its stream."""
        stream = self.h2.get_next_available_stream_id()
        self.asked[stream] = (method, path)
        fields = [
            (":method", method),
            (":scheme", self.scheme),
            (":authority", self.authority),
            (":path", path),
        ]
        if token is not None:
            fields.append(("authorization", f"Bearer {token}"))
        if body is not None:
            fields += [("content-type", "application/json"), ("content-length", str(len(body)))]
        fields += list(headers)
        self.h2.send_headers(stream, fields, end_stream=body is None)
        if body is not None:
            self.h2.send_data(stream, body, end_stream=True)
        return stream

    def reset(self, stream):
        self.h2.reset_stream(stream, error_code=8)

    def events(self):
        """Events of what arrives next; marks the end of the connection in `closed`."""
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            self.closed = True
            return []
        happened = self.h2.receive_data(data)
        for event in happened:
            if isinstance(event, h2.events.DataReceived):
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            if isinstance(event, h2.events.ConnectionTerminated):
                self.closed = True
        if not self.closed:
            self.flush()
        return happened

    def answer(self, stream):
        """(status, headers, body) of a stream; status None when it was reset."""
        headers, body = {}, b""
        while not self.closed:
            for event in self.events():
                if getattr(event, "stream_id", None) != stream:
                    continue
                if isinstance(event, h2.events.ResponseReceived):
                    headers = {_text(k): _text(v) for k, v in event.headers}
                elif isinstance(event, h2.events.DataReceived):
                    body += event.data
                elif isinstance(event, h2.events.StreamEnded):
                    return self.whole(stream, headers, body)
                elif isinstance(event, h2.events.StreamReset):
                    return None, headers, body
        return None, headers, body

    def whole(self, stream, headers, body):
        status = int(headers[":status"])
        fields = {name: value for name, value in headers.items() if name[0] != ":"}
        check_each_shape(*self.asked[stream], Answer(status, fields, body))
        return status, headers, body


def _text(value):
    return value.decode() if isinstance(value, bytes) else value
