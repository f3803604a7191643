# SPDX-License-Identifier: Apache-2.0
"""consentctl monitor raises what an operator cannot explain away, and verify-entry needs nothing but
what was kept."""

import copy
import json
import subprocess

import pytest
from conftest import NOW, NOW_S
from harness import bodies, forge
from harness.client import Api
from harness.liar import Liar
from harness.proxy import Proxy
from harness.server import CTL, _environment
from harness.tokens import Minter
from test_export import ctl
from test_log_served import APP, EDP, append_tokens
from test_verify import found

AT = "2026-06-15T12:00:00.000Z"
TENANT = "https://tenant.example"


def entries(count):
    """One consent with a token after the other: numbers that go on and on."""
    made = []
    for index in range(count):
        kind = "granted" if index == 0 else "tokenAdded"
        payload = {"v": 1, "type": f"consent.{kind}", "at": AT, "consentId": "c", "tenant": TENANT}
        payload |= {"seq": index + 1, "tenantSeq": index + 1}
        if index:
            payload |= {"prev": index - 1, "tenantPrev": index - 1}
        made.append({"payload": payload | {"body": {}}})
    return made


def seal(entries):
    return [forge.seal(entry, index) for index, entry in enumerate(entries)]


LINES = seal(entries(600))


@pytest.fixture
def liar():
    made = Liar(LINES[:100])
    yield made
    made.stop()


@pytest.fixture
def watch(liar, tmp_path):
    """Looks once; `more` are options."""

    def look(*more):
        state = tmp_path / "state"
        return ctl(
            *("monitor", liar.url, "--vkey", forge.VKEY, "--state", state, "--once"), *more
        )

    look.state = tmp_path / "state"
    return look


def raised(done, result, status):
    assert done.returncode == status, done
    assert done.stderr.startswith(f"consentctl monitor: {result}: "), done
    assert done.stderr.count("\n") == 1
    return done.stderr.split(": ", 2)[2][:-1]


@pytest.mark.parametrize("sizes", [(1, 2, 255), (100, 256, 600), (256, 257), (255, 256, 512, 513)])
def test_each_look_reads_what_came_since(liar, watch, sizes):
    before = 0
    for size in sizes:
        liar.serve(LINES[:size])
        liar.asked.clear()
        done = watch()
        assert (done.returncode, done.stdout, done.stderr) == (0, f"good, {size} entries\n", "")
        bundles = [path for path in liar.asked if "/entries/" in path]
        assert len(bundles) == (size + 255) // 256 - before // 256, liar.asked
        before = size
    assert watch.state.read_text().endswith(liar.checkpoint.decode())


def test_a_rollback_is_raised_and_the_state_kept(liar, watch):
    assert watch().returncode == 0
    kept = watch.state.read_bytes()
    liar.serve(LINES[:99])
    text = raised(watch(), "bad", 1)
    assert text == f"rollback: the log has 99 entries, and had 100 in {watch.state}"
    assert watch.state.read_bytes() == kept


@pytest.mark.parametrize("size", [100, 101, 256, 600])
@pytest.mark.parametrize("at", [0, 50, 99])
def test_a_fork_is_raised(liar, watch, size, at):
    assert watch().returncode == 0
    others = entries(size)
    others[at]["payload"]["body"] = {"other": True}
    liar.serve(seal(others))
    text = raised(watch(), "bad", 1)
    assert text.startswith("fork: ") and str(watch.state) in text


def test_a_fork_behind_old_tiles_is_found(liar, watch):
    """It shows the hashes of the old tree, and signs another one."""
    assert watch().returncode == 0
    old = {path: liar.file(path) for path in ("/log/tile/0/000.p/100",)}
    others = entries(300)
    others[50]["payload"]["body"] = {"other": True}
    liar.serve(seal(others))
    liar.answers = {path: (200, content) for path, content in old.items()}
    assert raised(watch(), "bad", 1) == "entry 50: its leaf is not the one that it was"


def test_a_stall_is_raised(liar, watch):
    assert watch().returncode == 0
    assert watch().returncode == 0  # a day may pass
    seen = watch.state.read_text().splitlines()[1]
    watch.state.write_text(watch.state.read_text().replace(seen, "2020-01-01T00:00:00.000Z"))
    text = raised(watch(), "stale", 3)
    assert text == "stall: 100 entries since 2020-01-01T00:00:00.000Z"
    assert watch("--stall", "36500d").returncode == 0
    liar.serve(LINES[:101])
    assert watch().returncode == 0


def test_an_entry_that_is_not_opened_is_raised(liar, watch):
    assert watch().returncode == 0
    lines = copy.deepcopy(LINES[:120])
    lines[110] = forge.drop(lines[110], "r", "payload")
    lines[111] = lines[110] | {"index": 111, "leaf": lines[111]["leaf"]}
    liar.serve(lines[:112])
    assert raised(watch(), "bad", 1) == (
        "entry 110: its payload is not there, and no notice says that it was erased"
    )
    liar.serve(lines[:110] + lines[112:])
    assert raised(watch(), "bad", 1).startswith("entry 110: ")


def test_a_gap_in_numbers_is_raised_across_looks(liar, watch):
    assert watch().returncode == 0
    made = entries(103)
    made[102]["payload"]["seq"] = 110
    liar.serve(LINES[:102] + seal(made)[102:])
    assert raised(watch(), "bad", 1).startswith("entry 102: it is number 110 of its consent")


def test_a_server_that_is_not_there_is_raised(liar, watch):
    liar.answers["/log/checkpoint"] = 503, b""
    assert raised(watch(), "unavailable", 2).endswith("answers with status 503")


def test_a_command_is_run_with_what_was_raised(liar, watch, tmp_path):
    out = tmp_path / "out"
    command = f'printf "%s|%s\\n" "$CONSENTCTL_RESULT" "$CONSENTCTL_TEXT" >>{out}'
    assert watch("--exec", command).returncode == 0
    assert not out.exists()
    liar.serve(LINES[:99])
    text = raised(watch("--exec", command), "bad", 1)
    assert out.read_text() == f"bad|{text}\n"
    done = watch("--exec", "exit 7")
    assert done.returncode == 1
    assert done.stderr.endswith("consentctl monitor: the command has failed\n")


def test_a_monitor_goes_on_and_raises_a_thing_once(liar, tmp_path):
    command = [CTL, "monitor", liar.url, "--vkey", forge.VKEY, "--state", tmp_path / "state"]
    with subprocess.Popen(
        [*map(str, command), "--every", "1s"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment(None),
    ) as process:
        assert process.stdout.readline() == "good, 100 entries\n"
        liar.serve(LINES[:300])
        assert process.stdout.readline() == "good, 300 entries\n"
        liar.serve(LINES[:200])
        assert "bad: rollback: the log has 200 entries, and had 300 " in process.stderr.readline()
        for _ in range(len(liar.asked) + 3):  # looks that raise nothing new
            assert liar.heard.acquire(timeout=60)
        liar.serve(LINES[:600])
        assert process.stdout.readline() == "good, 600 entries\n"
        liar.answers["/log/checkpoint"] = 500, b""
        assert "unavailable: " in process.stderr.readline()
        process.terminate()
        assert process.stderr.read() == "" and process.stdout.read() == ""


@pytest.mark.parametrize(
    "arguments, said",
    [
        ((".",), "what is watched must be a URL: files do not grow"),
        (("http://127.0.0.1", "--every", "soon"), "option --every must be a time like 90s, 30m, 1h or 7d"),
        (("http://127.0.0.1", "--stall", "1"), "option --stall must be a time like 90s, 30m, 1h or 7d"),
    ],
)
def test_a_wrong_command_line_is_named(tmp_path, arguments, said):
    more = ("--vkey", forge.VKEY, "--state", tmp_path / "state")
    done = ctl("monitor", *arguments, *more, "--once")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"consentctl monitor: {said}\n"


def test_the_real_service_is_watched(new_server, tmp_path):
    server = new_server(clock=f"{NOW}x0")
    minter = Minter(server.data, NOW_S)
    (tmp_path / "token").write_text(minter.auditor())
    with Api(server, minter, minter.auditor()) as auditor:
        vkey = auditor.get("/v1/audit/events/0").json()["payload"]["body"]["verifierKey"]
    with Api(server, minter, minter.tenant(EDP)) as tenant, Proxy(server) as proxy:
        consent = tenant.create(bodies.consent(APP, NOW))["consentId"]
        for start in (0, 100, 500):
            append_tokens(tenant, consent, 90, start)
            done = ctl(
                *("monitor", proxy.url, "--vkey", vkey, "--state", tmp_path / "state"),
                *("--token", tmp_path / "token", "--once"),
            )
            assert (done.returncode, done.stderr) == (0, ""), done


# ---- one entry


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Answers of GET /v1/audit/events/{index}, and the log's key."""
    from harness.server import Server

    server = Server(tmp_path_factory.mktemp("kept") / "data", clock=f"{NOW}x0").start()
    minter = Minter(server.data, NOW_S)
    with Api(server, minter, minter.tenant(EDP)) as tenant:
        consent = tenant.create(bodies.consent(APP, NOW))["consentId"]
        append_tokens(tenant, consent, 20, 0)
    with Api(server, minter, minter.auditor()) as auditor:
        answers = [auditor.get(f"/v1/audit/events/{index}").text for index in range(5)]
    server.stop()
    return answers, json.loads(answers[0])["payload"]["body"]["verifierKey"]


def verify_entry(vkey, text):
    return ctl("verify-entry", "-", "--vkey", vkey, input=text)


def test_a_kept_entry_is_good_without_anybody(kept, tmp_path):
    answers, vkey = kept
    for index, answer in enumerate(answers):
        (tmp_path / "answer").write_text(answer)
        done = ctl("verify-entry", tmp_path / "answer", "--vkey", vkey)
        event = json.loads(answer)["event"]
        assert done.stdout == f"good, entry {index} of 23, {event}\n", done
        assert (done.returncode, done.stderr) == (0, "")


def test_the_personal_part_need_not_be_kept(kept):
    answers, vkey = kept
    entry = forge.drop(json.loads(answers[2]), "personal", "personalR")
    done = verify_entry(vkey, forge.compact(entry).decode())
    assert done.stdout == "good, entry 2 of 23, consent.granted, without its personal part\n"


@pytest.mark.parametrize(
    "change, said",
    [
        ({"payload": None}, "its leaf is in the log, and what opens it is not here"),
        ({"proof": None}, "it comes without a proof"),
        ({"proof": 7}, "its proof is none"),
        ({"proof": "rubbish"}, "its proof is none"),
        ({"index": 3}, "its proof is of entry 2"),
        ({"personal": {}}, "its personal part is not what its payload commits to"),
        ({"event": "consent.revoked"}, 'its "event" is not its payload\'s "type"'),
        ({"r": forge.b64(b"r" * 32)}, "its payload is not what its leaf commits to"),
    ],
)
def test_what_does_not_fit_is_named(kept, change, said):
    answers, vkey = kept
    entry = {**json.loads(answers[2]), **change}
    if "payload" in change:
        entry = forge.drop(entry, "r", "payload", "personalR", "personal")
    text = forge.compact({k: v for k, v in entry.items() if v is not None}).decode()
    assert found(verify_entry(vkey, text)).startswith(f"entry {entry['index']}: {said}")


def test_every_bit_of_the_proof_matters(kept):
    answers, vkey = kept
    entry = json.loads(answers[2])
    proof = entry["proof"]
    for at in range(0, len(proof), 9):
        turned = proof[:at] + chr(ord(proof[at]) ^ 1) + proof[at + 1 :]
        text = forge.compact(entry | {"proof": turned}).decode()
        assert found(verify_entry(vkey, text)).startswith("entry 2: its proof ")


def test_another_logs_key_does_not_do(kept):
    said = found(verify_entry(forge.VKEY, kept[0][2]))
    assert said == 'entry 2: its proof is of another log, "consentd.invalid/dev"'


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("--vkey", forge.VKEY), "FILE is missing; see consentctl verify-entry --help"),
        (("x",), "option --vkey is required; see consentctl verify-entry --help"),
        (("x", "--vkey", forge.VKEY), "x: No such file or directory"),
    ],
)
def test_a_wrong_command_line_of_an_entry_is_named(tmp_path, arguments, said):
    done = ctl("verify-entry", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"consentctl verify-entry: {said}\n"
