# SPDX-License-Identifier: Apache-2.0
"""A real nginx with the configuration of docs/examples/nginx, in front of a server under test."""

import os
import pathlib
import shutil
import socket
import subprocess
import time

from harness.server import ROOT, Door

EXAMPLE = ROOT / "docs" / "examples" / "nginx"
UNPACKED = ROOT / "tests" / ".nginx" / "usr" / "sbin" / "nginx"  # tools/install.sh
DEADLINE_S = 60


def binary():
    """What tools/install.sh unpacked, else one that is installed."""
    return str(UNPACKED) if UNPACKED.exists() else shutil.which("nginx", path="/usr/sbin:/usr/bin")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as chosen:
        return chosen.getsockname()[1]


class Nginx:
    """start() and stop(); `files` are the paths of the example and what stands for them here."""

    def __init__(self, folder, backend, files):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        self.mutual_port, self.public_port = free_port(), free_port()
        text = (EXAMPLE / "nginx.conf").read_text()
        changes = {
            "worker_processes auto;": "worker_processes 1; daemon off;",
            "127.0.0.1:8081": f"{backend.host}:{backend.port}",
            "listen 443 ": f"listen 127.0.0.1:{self.mutual_port} ",
            "listen 8443 ": f"listen 127.0.0.1:{self.public_port} ",
            "/var/log/nginx/consentd.log": str(self.folder / "access.log"),
            **{old: str(new) for old, new in files.items()},
        }
        for old, new in changes.items():
            assert old in text, old
            text = text.replace(old, new)
        temporary = "".join(
            f"    {name}_temp_path {self.folder}/{name};\n"
            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        text = text.replace("http {\n", "http {\n" + temporary, 1)
        text = f"pid {self.folder}/pid;\n" + ("user root;\n" if os.getuid() == 0 else "") + text
        (self.folder / "nginx.conf").write_text(text)
        shutil.copy(EXAMPLE / "client-cert.conf", self.folder)
        self.process = None

    def start(self):
        command = [binary(), "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")]
        command += ["-e", str(self.folder / "error.log")]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        end = time.monotonic() + DEADLINE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.public_port)).close()
                return self
            except ConnectionError:
                assert self.process.poll() is None, self.process.stderr.read()
                assert time.monotonic() < end, "nginx does not listen"

    def stop(self):
        self.process.terminate()
        assert self.process.wait(DEADLINE_S) == 0
        self.process.stderr.close()

    def log(self):
        return (self.folder / "access.log").read_text()

    def mutual(self, context):
        return Door("127.0.0.1", self.mutual_port, context)

    def public(self, context):
        return Door("127.0.0.1", self.public_port, context)
