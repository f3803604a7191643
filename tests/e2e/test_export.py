# SPDX-License-Identifier: Apache-2.0
"""consentctl export: the log as files that stock tools verify, and the same lines as the API's."""

import os
import shutil
import subprocess
import threading

import pytest
from conftest import NOW, NOW_S
from harness import bodies
from harness.client import Api
from harness.market import Market
from harness.server import CTL, Server, _environment
from harness.tokens import Minter
from test_judge import judge  # noqa: F401
from test_log_served import APP, EDP, append_tokens


def ctl(*arguments, **more):
    environment = _environment({"no_proxy": "127.0.0.1"})
    command = [str(CTL), *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=300, **more
    )


def export(data, out, *more):
    done = ctl("export", "--data", data, out, *more)
    assert done.returncode == 0, done.stderr
    return done


def files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def stream(api):
    answer = api.get("/v1/audit/events", headers={"Accept": "application/x-ndjson"}, check=False)
    return b"".join(line + b"\n" for line in answer.content.split(b"\n") if line)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A server whose log has 600 entries."""
    server = Server(tmp_path_factory.mktemp("export") / "data", clock=f"{NOW}x0").start()
    minter = Minter(server.data, NOW_S)
    with Api(server, minter, minter.tenant(EDP)) as tenant:
        consent = tenant.create(bodies.consent(APP, NOW))
        append_tokens(tenant, consent["consentId"], 597, 0)
    with Api(server, minter, minter.auditor()) as auditor:
        yield server, auditor
    server.stop()


def test_an_export_is_the_log_as_it_is_served(served, judge, tmp_path):  # noqa: F811
    server, auditor = served
    done = export(server.data, tmp_path / "out")
    assert (done.stdout, done.stderr) == ("600 entries\n", "")
    found = files(tmp_path / "out")
    assert found.pop("events.ndjson") == stream(auditor)
    assert found["checkpoint"] == auditor.get("/log/checkpoint").content
    vkey = auditor.get("/v1/audit/events/0").json()["payload"]["body"]["verifierKey"]
    assert found.pop("vkey").decode() == f"{vkey}\n"
    assert sorted(found) == [
        "checkpoint",
        "tile/0/000",
        "tile/0/001",
        "tile/0/002.p/88",
        "tile/1/000.p/2",
        "tile/entries/000",
        "tile/entries/001",
        "tile/entries/002.p/88",
    ]
    for name in sorted(found):
        assert found[name] == auditor.get(f"/log/{name}").content, name
    assert judge(tmp_path / "out", vkey) == (0, "good, 600 entries")


def test_the_same_log_gives_the_same_bytes_and_only_its_owner_reads_payloads(served, tmp_path):
    server, _ = served
    export(server.data, tmp_path / "one")
    export(server.data, tmp_path / "two")
    assert files(tmp_path / "one") == files(tmp_path / "two")
    assert (tmp_path / "one").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "one" / "events.ndjson").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("there", ["out", "out.partial"])
def test_what_is_there_is_left_alone(served, tmp_path, there):
    (tmp_path / there).mkdir()
    done = ctl("export", "--data", served[0].data, tmp_path / "out")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"consentctl export: {tmp_path / there}: File exists\n"
    assert sorted(tmp_path.iterdir()) == [tmp_path / there]


def test_progress_is_told_where_it_is_wanted(served, tmp_path):
    done = export(served[0].data, tmp_path / "out", "--progress")
    assert done.stderr.startswith("consentctl export: 0 of 600 entries, 0 %\n")


def test_a_full_disk_leaves_no_export_of_that_name(served, tmp_path):
    def little():
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    done = ctl("export", "--data", served[0].data, tmp_path / "out", preexec_fn=little)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "consentctl export: a file cannot be written: File too large\n"
    assert os.listdir(tmp_path) == ["out.partial"]


@pytest.mark.parametrize(
    "arguments, status, said",
    [
        ((), 2, "option --data is required; see consentctl export --help"),
        (("out",), 2, "option --data is required; see consentctl export --help"),
        (("--data", "d"), 2, "OUT is missing; see consentctl export --help"),
        (("--data=d",), 2, "OUT is missing; see consentctl export --help"),
        (("--data", "d", "out", "more"), 2, 'unexpected argument "more"'),
        (("--data=nothing", "out"), 1, None),
    ],
)
def test_a_wrong_command_line_is_named(tmp_path, arguments, status, said):
    done = ctl("export", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (status, "")
    assert said is None or done.stderr == f"consentctl export: {said}\n"
    assert list(tmp_path.iterdir()) == []


def test_exports_while_writers_run_are_whole(new_server, judge, tmp_path):  # noqa: F811
    server = new_server(clock=f"{NOW}x0")
    minter = Minter(server.data, NOW_S)
    with Api(server, minter, minter.tenant(EDP)) as tenant:
        consent = tenant.create(bodies.consent(APP, NOW))["consentId"]
        write = threading.Thread(target=append_tokens, args=(tenant, consent, 900, 0))
        write.start()
        sizes = []
        for number in range(5):
            out = tmp_path / f"out{number}"
            export(server.data, out)
            status, said = judge(out, (out / "vkey").read_text().strip())
            assert status == 0, said
            sizes.append(int(said.split()[1]))
            assert len((out / "events.ndjson").read_bytes().splitlines()) == sizes[-1]
            shutil.rmtree(out)
        write.join()
    assert sizes == sorted(sizes)


def test_a_market_is_exported_whole(judge, tmp_path):  # noqa: F811
    market = Market(tmp_path, families=4)
    market.run()
    export(market.server.data, tmp_path / "out")
    with market.api() as api:
        assert (tmp_path / "out" / "events.ndjson").read_bytes() == stream(api)
    status, said = judge(tmp_path / "out", (tmp_path / "out" / "vkey").read_text().strip())
    assert status == 0, said
    market.server.stop()
