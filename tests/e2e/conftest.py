# SPDX-License-Identifier: Apache-2.0
"""Servers that tests share, and names that no two tests share."""

import itertools
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))  # truth, the model of decisions

from harness.audit import Watch  # noqa: E402
from harness.client import Api  # noqa: E402
from harness.server import CTL, Server  # noqa: E402
from harness.tokens import Minter  # noqa: E402
from model import parse_time  # noqa: E402

NOW = "2026-06-15T12:00:00.000Z"
NOW_S = parse_time(NOW) // 1000


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """Perseus, with a clock that stands still at NOW: every time in an answer is known."""
    server = Server(tmp_path_factory.mktemp("shared") / "data", clock=f"{NOW}x0").start()
    yield server
    folder = tmp_path_factory.mktemp("shared-log") / "out"
    server.stop()
    verify_log(server.data, folder)


def verify_log(data, folder):
    """Whatever tests did: the log that they leave is good, and all that it tells is legal."""

    def ctl(*arguments):
        command = [str(CTL), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), done

    ctl("export", "--data", data, folder)
    ctl("verify", folder, "--vkey", folder / "vkey", "--openings")


@pytest.fixture(scope="session")
def minter(server):
    return Minter(server.data, NOW_S)


@pytest.fixture(scope="session")
def root(server, minter):
    """An auditor of everything."""
    with Api(server, minter, minter.auditor()) as api:
        yield api


_numbers = itertools.count(1)


class Cast:
    """One test's own tenant, client and strangers; nothing of other tests is theirs."""

    def __init__(self, server, minter, http2=False):
        number = next(_numbers)
        base = f"https://directory.example/n{number}"
        self.server, self.minter = server, minter
        self.tenant_url = f"{base}/member/edp"
        self.other_url = f"{base}/member/other-edp"
        self.app_url = f"{base}/app/cap"
        self.other_app_url = f"{base}/app/other-cap"
        self.fsp_url = f"{base}/app/fsp"
        self.now = NOW
        self._apis = []
        self.http2 = http2

    def api(self, token):
        api = Api(self.server, self.minter, token, http2=self.http2)
        self._apis.append(api)
        return api

    def close(self):
        for api in self._apis:
            api.close()

    def __getattr__(self, name):
        makers = {
            "tenant": lambda m: m.tenant(self.tenant_url),
            "other": lambda m: m.tenant(self.other_url),
            "client": lambda m: m.client(self.app_url),
            "other_client": lambda m: m.client(self.other_app_url),
            "auditor": lambda m: m.auditor(providers=[self.tenant_url]),
            "other_auditor": lambda m: m.auditor(providers=[self.other_url]),
            "admin": lambda m: m.admin(),
        }
        if name not in makers:
            raise AttributeError(name)
        api = self.api(makers[name](self.minter))
        setattr(self, name, api)
        return api


@pytest.fixture
def cast(server, minter):
    cast = Cast(server, minter)
    yield cast
    cast.close()


@pytest.fixture
def watch(root):
    """Tells what was appended to the whole log since the test began."""
    return Watch(root)


@pytest.fixture
def new_server(tmp_path):
    """Makes servers of a test's own; all are stopped cleanly at its end."""
    made = []

    def make(name="data", **options):
        server = Server(tmp_path / name, **options).start()
        made.append(server)
        return server

    yield make
    for server in made:
        server.stop()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """With a failure comes what the servers that run, or died, said last."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for server in Server.known:
            if server.process is not None:
                status = server.process.poll()
                last = "".join(server.lines[-40:])
                report.sections.append((f"consentd, exit status {status}", last))


def pytest_sessionfinish(session):
    """Nothing stays behind, also of a fixture whose own set-up failed; and then the run has."""
    left = [process for process in Server.processes if process.poll() is None]
    for process in left:
        process.kill()
        process.wait()
    if left and session.exitstatus == 0:
        session.exitstatus = 1
