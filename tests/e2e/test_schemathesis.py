# SPDX-License-Identifier: Apache-2.0
"""Schemathesis, with all its checks, against the running server: what openapi.yaml allows is
accepted, what it does not allow is refused, and every answer is as it says. What the schemas cannot
say is told in tests/peers/schemathesis_hooks.py.

SCHEMATHESIS_SEED and SCHEMATHESIS_EXAMPLES draw other, and more, cases.
"""

import os
import pathlib
import re
import subprocess
import sys

from conftest import NOW, NOW_S
from contract import ROOT, load, operations
from harness.server import Server
from harness.tokens import ADMIN, AUDITOR, TENANT, Minter

PEERS = ROOT / "tests" / "peers"
ST = pathlib.Path(sys.executable).with_name("st")
SEED = os.environ.get("SCHEMATHESIS_SEED", "1")
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "10")
PHASES = "examples,coverage,fuzzing,stateful"
DEADLINE_S = 1200


def run(server, token, directory, *more):
    command = [ST, f"--config-file={PEERS / 'schemathesis.toml'}", "run", ROOT / "openapi.yaml"]
    command += ["--url", server.url]
    command += ["--checks=all", f"--seed={SEED}", f"--phases={PHASES}", *more]
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "schemathesis_hooks"}
    environment |= {"PYTHONPATH": str(PEERS), "SCHEMATHESIS_TOKEN": token}
    done = subprocess.run(
        command,
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, done.stdout + done.stderr


def test_every_check_of_schemathesis_holds(tmp_path):
    # From the time of the examples on, so fast that wrong tokens are not asked to wait.
    server = Server(tmp_path / "data", clock=f"{NOW}x1000").start()
    token = Minter(server.data, NOW_S, lifetime_s=30 * 86400).token(
        "https://directory.example/member/edp", f"{TENANT} {AUDITOR} {ADMIN}", providers=["*"]
    )
    try:
        status, said = run(server, token, tmp_path, f"--max-examples={EXAMPLES}")
    finally:
        server.stop()
    assert status == 0, said[-60000:]
    tested = re.search(r"Tested: (\d+)", said)
    assert tested and int(tested[1]) == len(list(operations(load()))), said[-5000:]
    cases = re.search(r"(\d+) generated", said)
    assert int(cases[1]) > 1000, said[-5000:]

