# SPDX-License-Identifier: Apache-2.0
"""What TLS costs: decisions on open connections beside plain ones, and whole handshakes with client
certificates beside what OpenSSL itself can do."""

import json
import os
import pathlib
import statistics
import subprocess

from decisions import EVALUATION, ROUNDS, Target, post

HANDSHAKES = 2000
LIMIT_S = 2
SECONDS, WARM_UP = 2, 1  # of a run of h2load
P256 = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def authority(folder):
    """An authority, its empty revocation list, a server and a client of the Directory's kind."""
    folder.mkdir()
    openssl(folder, "req", "-x509", *P256, "-days", "30", "-keyout", "ca.key", "-out", "ca.pem",
            "-subj", "/CN=bench")
    (folder / "index.txt").touch()
    (folder / "crlnumber").write_text("1000\n")
    (folder / "ca.conf").write_text("[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\n"
                                    "crlnumber=crlnumber\ndefault_md=sha256\ndefault_crl_days=30\n")
    openssl(folder, "ca", "-config", "ca.conf", "-gencrl", "-cert", "ca.pem", "-keyfile", "ca.key",
            "-out", "ca.crl")
    member = "1.3.6.1.4.1.62329.1.3=ASN1:UTF8String:https://directory.example/member/1"
    for name, names, more in (("server", "DNS:localhost,IP:127.0.0.1", ()),
                              ("client", "URI:https://directory.example/app/1",
                               ("-addext", "extendedKeyUsage=clientAuth", "-addext", member))):
        openssl(folder, "req", *P256, "-keyout", f"{name}.key", "-out", f"{name}.csr",
                "-subj", f"/CN={name}", "-addext", f"subjectAltName={names}", *more)
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-days", "30", "-copy_extensions", "copy", "-out", f"{name}.pem")
        (folder / f"{name}.key").chmod(0o600)
    return folder


def mutual(folder, **more):
    return {"address": "127.0.0.1:0", "kind": "mutual", "certFile": str(folder / "server.pem"),
            "keyFile": str(folder / "server.key"), "clientCaFile": str(folder / "ca.pem"),
            "crlFile": str(folder / "ca.crl"), **more}


def processor_seconds(pid):
    user, system = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def decisions_on_open_connections(bench, folder):
    """h2load shows no certificate: the record layer is what counts here. Beside the rate, what the
    service's processor time says, since h2load pays for TLS as well."""
    target = Target(bench, "tls", "none", 10000, loops=1,
                    config={"listeners": [mutual(folder, certificateOptional=True)]})
    plain, tls = target.server.ports

    def run(port, scheme):
        before = processor_seconds(target.server.process.pid)
        rate = post(target, port, EVALUATION, target.single, scheme=scheme)
        spent = processor_seconds(target.server.process.pid) - before
        return rate, spent / (rate * (SECONDS + WARM_UP)) * 1e6

    pairs = [(run(tls, "https"), run(plain, "http")) for _ in range(ROUNDS)]
    ours, theirs = (statistics.median(side[0] for side in sides)
                    for sides in zip(*pairs, strict=True))
    ratio = statistics.median(a[0] / b[0] for a, b in pairs)
    own, other = (statistics.median(side[1] for side in sides)
                  for sides in zip(*pairs, strict=True))
    bench.row("one decision over TLS 1.3, connections kept, one loop",
              f"{ours:,.0f}/s, plain {theirs:,.0f}/s, ratio {ratio:.2f}; processor time of the "
              f"service {own:.1f} and {other:.1f} µs", "0.80")
    target.stop()


def handshakes(bench, folder):
    """Per second of the service's processor time, since the client shares the machine. Between runs
    of OpenSSL alone, so that both see the same machine."""
    def run(*arguments):
        command = [pathlib.Path(bench.build) / "bench" / "handshakes", *map(str, arguments)]
        return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)

    server, _ = bench.server("handshakes", loops=1, config={"listeners": [mutual(folder)]})
    ours, theirs = [], []
    for _ in range(ROUNDS):
        theirs.append(run("limit", folder, LIMIT_S)["per_core"])
        before = processor_seconds(server.process.pid)
        run("drive", folder, server.ports[1], HANDSHAKES)
        ours.append(HANDSHAKES / (processor_seconds(server.process.pid) - before))
    here, most = statistics.median(ours), statistics.median(theirs)
    bench.row("full mTLS handshakes (P-256, revocation list) with one request each, a second and core",
              f"{here:,.0f}/s; OpenSSL's server side alone {most:,.0f}/s, ratio {here / most:.2f}",
              f"{min(1000, most):,.0f}/s")
    server.stop()
    bench.remove(server)


def measure(bench):
    folder = authority(bench.scratch / "authority")
    decisions_on_open_connections(bench, folder)
    handshakes(bench, folder)
