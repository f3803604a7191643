# SPDX-License-Identifier: Apache-2.0
"""Envoy, with the configuration of docs/examples/envoy."""

import pathlib
import shutil
import sys

from harness.gateway import Gateway, changed

BINARY = pathlib.Path(sys.executable).parent / "envoy"  # tests/requirements.txt


class Envoy(Gateway):
    name = "envoy"
    refuses_handshakes = True

    def configure(self, backend, files):
        host, port = backend.split(":")
        places = {
            f"/etc/consentd/envoy/{name}": self.folder / name
            for name in ("server.yaml", "clients.yaml", "client-cert.lua")
        }
        changes = {
            "{ address: 127.0.0.1, port_value: 8081 }": f"{{ address: {host}, port_value: {port} }}",
            "{ address: 0.0.0.0, port_value: 443 }": self.place(self.mutual_port),
            "{ address: 0.0.0.0, port_value: 8443 }": self.place(self.public_port),
            "/var/log/envoy/consentd.log": self.access_log,
            **places,
        }
        self.write("envoy.yaml", changes)
        self.write("server.yaml", self.those(files, "server."))
        self.write("clients.yaml", self.those(files, "client-ca."))
        shutil.copy(self.example / "client-cert.lua", self.folder)

    @staticmethod
    def place(port):
        return f"{{ address: 127.0.0.1, port_value: {port} }}"

    @staticmethod
    def those(files, start):
        return {old: new for old, new in files.items() if old.split("/")[-1].startswith(start)}

    def write(self, name, changes):
        (self.folder / name).write_text(changed((self.example / name).read_text(), changes))

    def command(self):
        command = [str(BINARY), "-c", str(self.folder / "envoy.yaml"), "--concurrency", "1"]
        # no shared memory of a name that another one could have; what is logged is seen at once
        return command + ["--disable-hot-restart", "--file-flush-interval-msec", "50", "-l", "warn"]

    def lists_have_changed(self):
        """Nothing: it watches the files."""
