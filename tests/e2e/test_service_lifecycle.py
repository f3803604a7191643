# SPDX-License-Identifier: Apache-2.0
"""Start, reload and end of the process."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import uuid

import jwt
import pytest
from conftest import NOW, NOW_S
from cryptography.hazmat.primitives.asymmetric import ec
from harness import bodies
from harness.checked import check_each_shape, curled
from harness.frames import Frames
from harness.process import DEADLINE_S, Stalled, fill, logged, metrics, until
from harness.server import BINARY, IB1, PERSEUS, ROOT, Server, _environment
from harness.tokens import Minter
from harness.wire import Closed, Wire, request

TENANT = "https://directory.example/lifecycle"
APP = "https://directory.example/app/lifecycle"


def run(*arguments, environment=None):
    return subprocess.run(
        [str(BINARY), *map(str, arguments)],
        env=_environment(environment),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


def settings(path, **keys):
    path.write_text(json.dumps(keys))
    return path


# ---- stopping


def test_a_stop_in_the_middle_of_writes_loses_none_that_was_answered(new_server):
    server = new_server(clock=f"{NOW}x0")
    token = Minter(server.data, NOW_S).tenant(TENANT)
    wires, answered = [Wire(server) for _ in range(16)], []
    for number, wire in enumerate(wires):
        wire.send(
            b"".join(
                request(
                    "POST",
                    "/v1/consents",
                    token,
                    bodies.consent(APP, NOW, account=f"a-{number}-{k}"),
                    [("Idempotency-Key", str(uuid.uuid4()))],
                )
                for k in range(50)
            )
        )
    server.process.send_signal(signal.SIGTERM)
    for wire in wires:
        try:
            while True:
                answer = wire.receive()
                assert answer.status_code == 201, answer.text
                answered.append(answer.json())
        except Closed:
            wire.close()
    server.stop()
    server.start()
    with Wire(server) as wire:
        for consent in answered:
            answer = wire.ask(request("GET", f"/v1/consents/{consent['consentId']}", token))
            assert answer.json() == consent
    server.stop()


def until_deaf(server):
    """Each loop closes its listener for itself; the last one ends it."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        try:
            with Wire(server) as wire:
                wire.ask(request("GET", "/healthz"))
        except Closed:
            continue
        except ConnectionRefusedError:
            return
    pytest.fail("it still accepts connections")


def test_a_stop_lets_a_stream_under_way_finish(new_server):
    server = new_server(clock=f"{NOW}x0")
    minter = Minter(server.data, NOW_S)
    fill(server, minter.tenant(TENANT), APP, NOW, 120)
    with Wire(server) as wire:
        length = len(
            wire.ask(
                request(
                    "GET",
                    "/v1/audit/events",
                    minter.auditor(),
                    headers=[("Accept", "application/x-ndjson")],
                )
            ).content
        )
    with Stalled(server, minter.auditor()) as frames, Wire(server) as idle:
        assert idle.ask(request("GET", "/healthz")).status_code == 200
        server.process.send_signal(signal.SIGTERM)
        assert idle.at_end()  # idle connections are closed,
        until_deaf(server)  # new ones refused,
        assert frames.read_on() == length  # and this one goes on to its end
    server.stop()


def test_a_stop_closes_a_connection_behind_its_last_answer(new_server):
    """HTTP/1 says keep-alive in a head that was sent before the stop; it is closed all the same."""
    server = new_server(clock=f"{NOW}x0")
    minter = Minter(server.data, NOW_S)
    fill(server, minter.tenant(TENANT), APP, NOW, 2500)
    data = request(
        "GET",
        "/v1/audit/events",
        minter.auditor(),
        headers=[("Accept", "application/x-ndjson")],
    )
    with socket.socket() as narrow, Wire(server) as idle:
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        narrow.settimeout(DEADLINE_S)
        narrow.connect((server.host, server.port))
        narrow.sendall(data)
        head = narrow.recv(100)
        assert metrics(server)["consentd_in_flight"] == 2  # it does not fit: it is under way
        assert idle.ask(request("GET", "/healthz")).status_code == 200
        server.process.send_signal(signal.SIGTERM)
        assert idle.at_end()
        until_deaf(server)
        tail = head
        while piece := narrow.recv(1 << 20):
            tail = (tail + piece)[-100:]
        assert tail.endswith(b"\r\n0\r\n\r\n")
    server.stop()
    assert "service.drain_deadline" not in server.stderr


def test_at_the_deadline_the_rest_is_cut_off(new_server):
    server = new_server(clock=f"{NOW}x0", environment={"CONSENTD_DRAIN_SECONDS": "0"})
    minter = Minter(server.data, NOW_S)
    fill(server, minter.tenant(TENANT), APP, NOW, 120)
    with Stalled(server, minter.auditor()), Wire(server) as unfinished:
        unfinished.send(b"POST /v1/consents HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        server.stop()
    assert any('"service.drain_deadline"' in line for line in server.lines)


@pytest.mark.parametrize("version", ["--http1.1", "--http2-prior-knowledge"])
def test_at_the_deadline_a_waiting_write_is_answered_and_its_key_resolves_it(
    new_server, tmp_path, version
):
    """The disk hangs in the middle of a commit: what becomes of it is not known at the deadline."""
    shim, stuck = tmp_path / "stuck_disk.so", tmp_path / "stuck"
    source = pathlib.Path(__file__).parent / "faults" / "stuck_disk.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, source], check=True)
    server = new_server(
        clock=f"{NOW}x0",
        environment={
            "LD_PRELOAD": str(shim),
            "STUCK_DISK": str(stuck),
            "CONSENTD_DRAIN_SECONDS": "0",
            "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=1:exitcode=99",
        },
    )
    token = Minter(server.data, NOW_S).tenant(TENANT)
    body = json.dumps(bodies.consent(APP, NOW)).encode()
    key = [("idempotency-key", "stuck")]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **dict(key)}
    command = ["curl", "-sS", version, "--dump-header", tmp_path / "head", "-d", body.decode()]
    command += [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    stuck.touch()
    try:
        with subprocess.Popen(
            [*command, f"{server.url}/v1/consents"], stdout=subprocess.PIPE
        ) as caller:
            until(server, (tmp_path / "stuck.waits").exists)
            server.process.send_signal(signal.SIGTERM)
            said, _ = caller.communicate(timeout=DEADLINE_S)
        assert caller.returncode == 0, said
        answer = curled((tmp_path / "head").read_bytes(), said)
        check_each_shape("POST", "/v1/consents", answer)
        assert answer.status_code == 503
        assert answer.json()["type"].endswith("/problems/outcome-unknown")
    finally:
        stuck.unlink()
    server.stop()
    server.start()
    with Wire(server) as wire:
        answer = wire.ask(request("POST", "/v1/consents", token, body, key))
        assert answer.status_code == 201 and answer.headers["idempotency-replayed"] == "true"
    server.stop()


def test_http2_is_told_to_go_away(new_server):
    server = new_server()
    with Frames(server) as frames:
        stream = frames.open("GET", "/healthz")
        frames.flush()
        assert frames.answer(stream)[0] == 200
        server.process.send_signal(signal.SIGTERM)
        events = []
        while not frames.closed:
            events += frames.events()
        assert "ConnectionTerminated" in [type(e).__name__ for e in events]
    server.stop()


# ---- reloading


@pytest.fixture
def reloadable(new_server, tmp_path):
    path = settings(tmp_path / "config.json", publicUrl="https://first.example")
    server = new_server(clock=f"{NOW}x0", arguments=["--config", path])
    return server, path


def problem_base(server):
    with Wire(server) as wire:
        return wire.ask(request("GET", "/nowhere")).json()["type"].partition("/problems/")[0]


def test_hup_puts_a_new_configuration_in_force(reloadable):
    server, path = reloadable
    assert problem_base(server) == "https://first.example"
    settings(path, publicUrl="https://second.example", accessLog=False)
    server.process.send_signal(signal.SIGHUP)
    logged(server, "service.reloaded")
    assert problem_base(server) == "https://second.example"
    seen = len([e for e in server.log_entries() if e["event"] == "http.request"])
    for count in (2, 3):  # many reloads, and no request is logged meanwhile
        server.process.send_signal(signal.SIGHUP)
        logged(server, "service.reloaded", count)
    assert len([e for e in server.log_entries() if e["event"] == "http.request"]) <= seen + 1


def details(server):
    with Wire(server) as wire:
        return wire.ask(request("GET", "/readyz")).json()["details"]


BAD = {
    "loops": ({"loops": 0}, 'config: "loops": must be 1..64'),
    "unknown": (
        {"publicUrl": "https://b.example", "nonsense": 1},
        'config: "nonsense": is not a key',
    ),
    "pack": ({"publicUrl": "https://b.example"}, 'config: "pack":'),
    "keys": (
        {
            "publicUrl": "https://b.example",
            "issuers": [{"issuer": "https://i.example", "audience": "a", "keyFile": "/nowhere"}],
        },
        'config: "issuers":',
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_hup_keeps_what_is_when_the_new_configuration_is_bad(reloadable, tmp_path, case):
    server, path = reloadable
    document, why = BAD[case]
    if case == "pack":
        server.stop()
        pack = tmp_path / "pack.json"
        pack.write_bytes(PERSEUS.read_bytes())
        server.pack = pack
        server.start()
        pack.write_text("{}")
    settings(path, **document)
    server.process.send_signal(signal.SIGHUP)
    (entry,) = logged(server, "service.reload_refused")
    assert entry["why"].startswith(why), entry
    assert problem_base(server) == "https://first.example"
    assert details(server)["reloadRefused"] == entry["why"]
    assert details(server)["policy"]["pack"] == "perseus"
    settings(path, publicUrl="https://third.example")
    if case == "pack":
        pack.write_bytes(PERSEUS.read_bytes())
    server.process.send_signal(signal.SIGHUP)
    logged(server, "service.reloaded")
    assert problem_base(server) == "https://third.example"
    assert "reloadRefused" not in details(server)


def test_hup_tells_what_needs_a_restart(reloadable):
    server, path = reloadable
    settings(path, publicUrl="https://first.example", loops=7, idleSeconds=9)
    server.process.send_signal(signal.SIGHUP)
    entries = logged(server, "service.restart_needed", 2)
    assert [e["key"] for e in entries] == ["loops", "idleSeconds"]
    logged(server, "service.reloaded")


def test_hup_changes_keys_of_issuers(new_server, tmp_path):
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    key_file, path = tmp_path / "keys.json", tmp_path / "config.json"

    def publish(key):
        jwk = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key()))
        key_file.write_text(json.dumps({"keys": [{**jwk, "kid": "k", "alg": "ES256"}]}))

    def ask(key):
        claims = {
            "iss": "https://i.example",
            "aud": "us",
            "client_id": TENANT,
            "scope": "consents:read",
            "iat": NOW_S,
            "exp": NOW_S + 600,
        }
        token = jwt.encode(claims, key, "ES256", {"kid": "k", "typ": "at+jwt"})
        with Wire(server) as wire:
            return wire.ask(request("GET", "/v1/consents", token)).status_code

    publish(keys[0])
    settings(
        path, issuers=[{"issuer": "https://i.example", "audience": "us", "keyFile": str(key_file)}]
    )
    server = new_server(clock=f"{NOW}x0", arguments=["--config", path])
    assert [ask(k) for k in keys] == [200, 401]
    publish(keys[1])
    assert [ask(k) for k in keys] == [200, 401]
    server.process.send_signal(signal.SIGHUP)
    logged(server, "service.reloaded")
    assert [ask(k) for k in keys] == [401, 200]
    server.stop()


def test_hup_activates_another_pack_and_the_log_has_it(new_server, tmp_path):
    pack = tmp_path / "pack.json"
    pack.write_bytes(PERSEUS.read_bytes())
    server = new_server(pack=pack, clock=f"{NOW}x0")
    minter = Minter(server.data, NOW_S)

    def state():
        with Wire(server) as wire:
            policy = wire.ask(request("GET", "/v1/policy", minter.auditor())).json()
            log = wire.ask(request("GET", "/v1/audit/events", minter.auditor())).json()
        return policy, [e["event"] for e in log["items"]].count("policy.activated")

    first, activations = state()
    assert activations == 1
    pack.write_bytes(IB1.read_bytes())
    server.process.send_signal(signal.SIGHUP)
    logged(server, "service.reloaded")
    second, activations = state()
    assert second != first and activations == 2
    server.process.send_signal(signal.SIGHUP)  # the same bytes again are no activation
    logged(server, "service.reloaded", 2)
    assert state() == (second, 2)
    server.stop()


# ---- starting


def test_check_config_says_what_a_start_would(tmp_path):
    good = settings(tmp_path / "good.json", inFlight=500)
    result = run("--dev", "--check-config", "--config", good, "--data", tmp_path / "none")
    assert (result.returncode, result.stdout, result.stderr) == (0, "configuration ok\n", "")
    assert not (tmp_path / "none").exists()
    broken = tmp_path / "broken.json"
    broken.write_text('{"loops": 1,\n"loops": 2}')
    bad = [
        (["--config", settings(tmp_path / "a.json", inFlight=0)], 'config: "inFlight": must be'),
        (["--pack", "/nowhere"], 'config: "pack": /nowhere: No such file'),
        (["--listen", "example.com:80"], 'config: "listen": example.com:80 must be HOST:PORT'),
        (["--listen", "0.0.0.0:80"], 'config: "listen": 0.0.0.0:80 is not a loopback address'),
        (["--config", tmp_path / "none.json"], f"config: {tmp_path}/none.json: No such file"),
        (["--config", tmp_path], f"config: {tmp_path}: "),
        (["--config", broken], f"config: {broken}: line 2: "),
    ]
    for arguments, message in bad:
        result = run("--dev", "--check-config", *arguments)
        assert (result.returncode, result.stdout) == (1, ""), arguments
        assert result.stderr.startswith(message), result.stderr
    result = run("--check-config")
    assert result.stderr == 'config: "data": is required\n'


def test_a_production_start_needs_create_once(new_server, tmp_path):
    new_server("dev").stop()
    path = settings(
        tmp_path / "config.json",
        data=str(tmp_path / "data"),
        pack=str(PERSEUS),
        origin="example.com/log",
        listen="127.0.0.1:0",
        issuers=[
            {
                "issuer": "https://issuer.consentd.invalid",
                "audience": "consentd",
                "keyFile": str(tmp_path / "dev" / "issuer" / "jwks.json"),
            }
        ],
    )
    result = run("--config", path)
    assert result.returncode == 1 and "--create" in result.stderr

    class Production(Server):
        def command(self):
            return [str(BINARY), "--config", str(path), *self.arguments]

    Production(tmp_path / "data", arguments=["--create"]).start().stop()
    assert os.stat(tmp_path / "data").st_mode & 0o777 == 0o700
    server = Production(tmp_path / "data").start()
    try:
        assert "service.insecure_http" not in server.stderr
        result = run("--config", path)  # a second one on the same data
        assert result.returncode == 1 and "lock" in result.stderr
    finally:
        server.stop()


def test_plain_http_beyond_loopback_must_be_asked_for(new_server, tmp_path):
    arguments = ["--dev", "--data", tmp_path / "data", "--listen", "0.0.0.0:0"]
    result = run(*arguments)
    assert result.returncode == 1
    assert "plain HTTP beyond loopback needs insecureHttp" in result.stderr
    server = new_server(arguments=["--listen", "0.0.0.0:0", "--insecure-http"])
    server.host = "127.0.0.1"
    (entry,) = logged(server, "service.insecure_http")
    assert entry["level"] == "warn" and "clear text" in entry["warning"]
    server.stop()


def test_sockets_of_a_service_manager_are_served(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as passed:

        class Activated(Server):
            def command(self):
                script = f'exec 3<&{passed.fileno()}; LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"'
                return ["bash", "-c", script, "bash", *super().command()]

        server = Activated(tmp_path / "data")
        real = subprocess.Popen

        def popen(*arguments, **options):
            return real(*arguments, pass_fds=[passed.fileno()], **options)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("harness.server.subprocess.Popen", popen)
            server.start()
        try:
            assert server.port == passed.getsockname()[1]
            with Wire(server) as wire:
                assert wire.ask(request("GET", "/healthz")).json() == {"status": "ok"}
        finally:
            server.stop()


def test_a_service_manager_is_told_when_it_is_ready_and_when_it_stops(new_server, tmp_path):
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(str(path))
        notified.settimeout(60)
        server = new_server(environment={"NOTIFY_SOCKET": str(path)})
        assert notified.recv(100) == b"READY=1"
        server.stop()
        assert notified.recv(100) == b"STOPPING=1"


def test_several_addresses_are_served(new_server):
    server = new_server(arguments=["--listen", "127.0.0.1:0,127.0.0.1:0"])
    entries = logged(server, "service.listening", 2)
    for entry in entries:
        server.port = int(entry["address"].rpartition(":")[2])
        with Wire(server) as wire:
            assert wire.ask(request("GET", "/healthz")).json() == {"status": "ok"}
    server.stop()


def test_an_address_that_is_taken_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        result = run("--dev", "--data", tmp_path / "data", "--listen", address)
        assert result.returncode == 1
        assert f"cannot listen on {address}" in result.stderr


def test_the_three_commands_of_a_development_start_work_as_pasted(tmp_path):
    process = subprocess.Popen(
        [str(BINARY), "--dev", "--data", str(tmp_path / "new" / "data"), "--listen", "127.0.0.1:0"],
        env=_environment(None),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    text = ""
    while text.count("\n\n") < 4:
        line = process.stdout.readline()
        assert line, text
        text += line
    script = text.partition("\n\n")[2] + '\necho "$ID" >&3\n'
    out = tmp_path / "id"
    result = subprocess.run(
        ["bash", "-ec", f"exec 3>{out}\n{script}"], capture_output=True, text=True, timeout=60
    )
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    process.stdout.close()
    granted = json.loads(result.stderr)  # the grant is shown on standard error
    decoder = json.JSONDecoder()
    found, end = decoder.raw_decode(result.stdout)
    revoked = json.loads(result.stdout[end:])
    consent_id = out.read_text().strip()
    assert granted["consentId"] == consent_id and granted["status"] == "active"
    assert [item["consentId"] for item in found["items"]] == [consent_id]
    assert (revoked["consentId"], revoked["status"]) == (consent_id, "revoked")
    assert os.stat(tmp_path / "new" / "data").st_mode & 0o777 == 0o700
    assert (
        pathlib.Path(tmp_path) / "new" / "data" / "issuer" / "private.pem"
    ).stat().st_mode & 0o777 == 0o600


def test_the_command_line_explains_itself():
    assert run("--version").stdout.startswith("consentd ")
    help_text = run("--help")
    assert help_text.returncode == 0
    for option in (
        "--dev",
        "--listen",
        "--data",
        "--pack",
        "--clock",
        "--config",
        "--check-config",
        "--create",
        "--confirm-clock",
        "--insecure-http",
        "--version",
        "Signals",
    ):
        assert option in help_text.stdout
    for wrong in (["--nonsense"], ["file"], ["--clock", "2026-01-01T00:00Z"], ["--listen"]):
        result = run(*wrong)
        assert result.returncode == 2 and result.stderr and not result.stdout
    result = run("--dev", "--clock", "yesterday")
    assert result.returncode == 1 and "--clock" in result.stderr
