# SPDX-License-Identifier: Apache-2.0
"""nginx, with the configuration of docs/examples/nginx."""

import os
import shutil
import signal

from harness.gateway import Gateway, changed
from harness.server import ROOT

UNPACKED = ROOT / "tests" / ".nginx" / "usr" / "sbin" / "nginx"  # tools/install.sh


def binary():
    """What tools/install.sh unpacked, else one that is installed."""
    return str(UNPACKED) if UNPACKED.exists() else shutil.which("nginx", path="/usr/sbin:/usr/bin")


class Nginx(Gateway):
    name = "nginx"
    refuses_handshakes = False  # it answers 400

    def configure(self, backend, files):
        temporary = "".join(
            f"    {name}_temp_path {self.folder}/{name};\n"
            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        changes = {
            "worker_processes auto;": "worker_processes 1; daemon off;",
            "http {\n": "http {\n" + temporary,
            "127.0.0.1:8081": backend,
            "listen 443 ": f"listen 127.0.0.1:{self.mutual_port} ",
            "listen 8443 ": f"listen 127.0.0.1:{self.public_port} ",
            "/var/log/nginx/consentd.log": self.access_log,
            **files,
        }
        text = changed((self.example / "nginx.conf").read_text(), changes)
        text = f"pid {self.folder}/pid;\n" + ("user root;\n" if os.getuid() == 0 else "") + text
        (self.folder / "nginx.conf").write_text(text)
        shutil.copy(self.example / "client-cert.conf", self.folder)

    def command(self):
        command = [binary(), "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")]
        return command + ["-e", str(self.folder / "error.log")]

    def lists_have_changed(self):
        self.process.send_signal(signal.SIGHUP)
