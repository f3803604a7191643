# SPDX-License-Identifier: Apache-2.0
"""A log and its witnesses: real ones cosign what it grows into, lying ones cost nothing but an
alarm, and one that knows more of the log than there is stops it."""

import base64
import concurrent.futures
import contextlib
import json
import shutil
import signal

import pytest
from conftest import NOW, NOW_S
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from harness import bodies
from harness.audit import read_log
from harness.ca import Authority
from harness.client import Api
from harness.front import Front
from harness.liars import Liars
from harness.merkle import Checkpoint, cosigned, leaf_hash, root
from harness.process import metrics, until
from harness.proxy import Proxy
from harness.server import Server
from harness.tokens import Minter
from harness.witness import Witness
from model import parse_time
from test_export import ctl

EDP = "https://directory.example/courier/member/edp"
APP = "https://directory.example/courier/app"
DIRECT = {"NO_PROXY": "127.0.0.1"}


class Scene:
    """A log, and witnesses that know it."""

    def __init__(self, path):
        self.path = path
        self.server = Server(path / "log", clock=f"{NOW}x0", environment=DIRECT).start()
        self.minter = Minter(self.server.data, NOW_S)
        self.vkey = self.entries()[0]["payload"]["body"]["verifierKey"]
        self.witnesses = []
        (path / "logs.txt").write_text(self.vkey + "\n")

    def api(self, token):
        return Api(self.server, self.minter, token)

    def entries(self):
        with self.api(self.minter.auditor()) as api:
            return read_log(api)

    def witness(self, name="one"):
        witness = Witness(self.path / name, self.path / "logs.txt", f"witness.example/{name}")
        self.witnesses.append(witness)
        return witness.start()

    def witnessed_by(self, *pairs, quorum=1):
        """Starts the log again with these for witnesses, each a URL, a verifier key, and perhaps a
        file with whom to trust for its certificate."""
        config = self.write_config(pairs, quorum)
        self.server.stop()
        self.server.arguments = ["--config", str(config)]
        return self.server.start()

    def write_config(self, pairs, quorum):
        config = self.path / "config.json"
        rows = [dict(zip(("url", "vkey", "caFile"), map(str, pair))) for pair in pairs]
        settings = {"witnesses": rows, "witnessSeconds": 60, "witnessQuorum": quorum}
        config.write_text(json.dumps(settings))
        return config

    def grow(self, count=1, account="account"):
        with self.api(self.minter.tenant(EDP)) as tenant:
            for _ in range(count):
                tenant.create(bodies.consent(APP, NOW, account=account))

    def checkpoint(self, newest=False):
        with self.api(self.minter.auditor()) as api:
            answer = api.get("/log/checkpoint" + ("?newest=true" if newest else ""))
        assert answer.status_code == 200, answer.text
        checkpoint = Checkpoint(answer.text, self.vkey)
        checkpoint.note = answer.text
        return checkpoint

    def hurry(self):
        """Another round, begun now."""
        self.server.process.send_signal(signal.SIGHUP)

    def until_cosigned(self):
        """All that the log has now."""
        size = self.checkpoint(newest=True).size
        self.hurry()
        return until(self.server, lambda: self.checkpoint().size >= size)

    def keep_copy(self):
        self.server.stop()
        shutil.copytree(self.server.data, self.path / "old")
        self.server.start()

    def put_back(self):
        """The copy instead of what the log has become since; it does not run then."""
        self.server.stop()
        shutil.rmtree(self.server.data)
        shutil.copytree(self.path / "old", self.server.data)

    def replies(self, name, reply):
        key = f'consentd_witness_replies_total{{witness="witness.example/{name}",reply="{reply}"}}'
        return metrics(self.server)[key]

    def events(self, event):
        return [e for e in self.server.log_entries() if e["event"] == event]

    def close(self):
        self.server.stop()
        for witness in self.witnesses:
            witness.stop()


@pytest.fixture
def scene(tmp_path):
    scene = Scene(tmp_path)
    yield scene
    scene.close()


def pair(witness):
    return witness.url, witness.vkey


def test_a_log_that_grows_is_cosigned_by_all_its_witnesses(scene):
    one, two = scene.witness("one"), scene.witness("two")
    scene.grow(5)
    scene.witnessed_by(pair(one), pair(two))
    first = scene.checkpoint()
    assert len(cosigned(first.note, one.vkey)) == len(cosigned(first.note, two.vkey)) == 1
    size = first.size
    for _ in range(3):
        scene.grow(20)
        assert scene.checkpoint().size == size
        assert scene.checkpoint(newest=True).size > size
        scene.until_cosigned()
        checkpoint = scene.checkpoint()
        assert len(cosigned(checkpoint.note, one.vkey)) == 1
        assert len(cosigned(checkpoint.note, two.vkey)) == 1
        size = checkpoint.size
    hashes = [leaf_hash(base64.b64decode(entry["leaf"])) for entry in scene.entries()]
    assert checkpoint.root == root(hashes[:size])
    assert not scene.events("courier.not_cosigned")


def test_what_is_cosigned_under_load_is_consistent(scene):
    """Writers go on while witnesses are asked: each checkpoint served is one of the log's."""
    one = scene.witness()
    scene.witnessed_by(pair(one))
    seen = {scene.checkpoint().size: scene.checkpoint()}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        load = [pool.submit(scene.grow, 60, f"load-{n}") for n in range(2)]
        while not all(done.done() for done in load):
            rounds = scene.replies("one", "cosigned")
            scene.hurry()
            assert until(scene.server, lambda: scene.replies("one", "cosigned") > rounds)
            checkpoint = scene.checkpoint()
            seen[checkpoint.size] = checkpoint
        for done in load:
            done.result()
    assert len(seen) > 2
    hashes = [leaf_hash(base64.b64decode(entry["leaf"])) for entry in scene.entries()]
    for size, checkpoint in seen.items():
        assert checkpoint.root == root(hashes[:size])
        assert len(cosigned(checkpoint.note, one.vkey)) == 1
    assert scene.replies("one", "cosigned") >= len(seen) - 1
    assert not scene.events("courier.not_cosigned")


def test_what_was_cosigned_is_in_the_log_and_outlives_restarts(scene):
    one = scene.witness()
    scene.witnessed_by(pair(one))
    checkpoint = scene.checkpoint()
    delivered = [e["payload"] for e in scene.entries() if e["event"] == "delivery.cosigned"]
    assert [d["body"]["witness"] for d in delivered] == [one.vkey]
    assert delivered[0]["body"]["size"] == checkpoint.size
    text = checkpoint.note.split("\n\n")[0]
    assert cosigned(f"{text}\n\n{delivered[0]['body']['cosignature']}\n", one.vkey)
    # an idle log stays as long as it is
    size = scene.checkpoint(newest=True).size
    for _ in range(3):
        before = scene.replies("one", "cosigned")
        scene.hurry()
        assert until(scene.server, lambda: scene.replies("one", "cosigned") > before)
    assert scene.checkpoint(newest=True).size == scene.checkpoint().size == size
    one.restart()
    scene.server.restart()
    one.stop()
    scene.server.restart()
    again = scene.checkpoint()
    assert cosigned(again.note, one.vkey) and again.size >= size
    one.start()
    scene.grow(3)
    scene.until_cosigned()
    assert scene.checkpoint().size > again.size
    assert [e["cause"] for e in scene.events("courier.not_cosigned")] == ["unreachable"]


def test_a_witness_that_is_ahead_of_a_log_put_back_stops_it(scene):
    one = scene.witness()
    scene.witnessed_by(pair(one))
    scene.keep_copy()
    scene.grow(5)
    scene.until_cosigned()
    scene.put_back()
    for _ in range(2):
        with pytest.raises(AssertionError, match="courier.rolled_back"):
            scene.server.start()


def test_a_log_that_runs_when_it_is_found_to_be_behind_stops(scene):
    """The witness was away at the start: the log has gone on from an old copy."""
    one = scene.witness()
    scene.witnessed_by(pair(one))
    scene.keep_copy()
    scene.grow(20)
    scene.until_cosigned()
    one.stop()
    scene.put_back()
    scene.server.start()
    scene.grow(1)
    one.start()
    scene.hurry()
    assert scene.server.wait_failed() == 1
    (said,) = scene.events("courier.rolled_back")
    assert said["witness"] == "witness.example/one" and said["size"] > said["entries"]


LIES = {
    "rubbish": ("invalid", 200),
    "empty": ("invalid", 200),
    "another_key": ("invalid", 200),
    "other_text": ("invalid", 200),
    "size_of_rubbish": ("invalid", 409),
    "size_without_type": ("invalid", 409),
    "size_after_size": ("other_size", 409),
    "forbidden": ("refused", 403),
    "unknown": ("refused", 404),
    "unprocessable": ("refused", 422),
    "broken": ("refused", 500),
    "elsewhere": ("refused", 302),
    "huge": ("unreachable", 0),
    "endless_head": ("unreachable", 0),
    "hangs_up": ("unreachable", 0),
    "hangs": ("unreachable", 0),
}


def test_witnesses_that_lie_cost_nothing_but_an_alarm(scene):
    """All at a time, beside an honest one, which is not held up by them."""
    one = scene.witness()
    with Liars(LIES) as liars:
        scene.witnessed_by(*liars.pairs()[:15], pair(one))
        checkpoint = scene.checkpoint()
        assert len(cosigned(checkpoint.note, one.vkey)) == 1
        assert checkpoint.note.count("\u2014") == 2
        found = {
            e["witness"].rpartition("/")[2]: (e["cause"], e["status"])
            for e in scene.events("courier.not_cosigned")
        }
        assert found == {name: LIES[name] for name in liars.names[:15]}
        assert "the answer is too large" in [
            e["why"] for e in scene.events("courier.not_cosigned") if e["witness"].endswith("/huge")
        ]
        for name, (reply, _) in list(LIES.items())[:15]:
            assert scene.replies(name, reply) == 1
        scene.grow(3)
        scene.server.stop()


def test_a_witness_that_hangs_does_not_hold_up_the_stop(scene):
    one = scene.witness()
    with Liars(["hangs"]) as liars:
        scene.witnessed_by(*liars.pairs(), pair(one))
        assert len(cosigned(scene.checkpoint().note, one.vkey)) == 1
        asked = liars.asked
        scene.hurry()
        assert until(scene.server, lambda: liars.asked > asked)
        scene.server.stop()
    assert [e["why"] for e in scene.events("courier.not_cosigned")] == ["Timeout was reached"]


def test_a_witness_behind_tls_is_asked_when_its_certificate_is_trusted(scene, tmp_path):
    """One for each way in which it may be, each with a real witness behind it."""
    ours, other = Authority(tmp_path, "ours"), Authority(tmp_path, "other")
    elsewhere = [x509.DNSName("witness.example")]
    right = ours.server()
    wrong_name = ours.issue("elsewhere", names=elsewhere, usage=(ExtendedKeyUsageOID.SERVER_AUTH,))
    cases = {  # certificate, caFile, why there is no answer
        "trusted": (right, [ours.certificate], None),
        "system": (right, [], "SSL peer certificate or SSH remote key was not OK"),
        "other": (right, [other.certificate], "SSL peer certificate or SSH remote key was not OK"),
        "name": (wrong_name, [ours.certificate], "SSL peer certificate or SSH remote key was not OK"),
    }
    with contextlib.ExitStack() as stack:
        pairs, fronts, witnesses = [], {}, {}
        for name, (shown, trust, _) in cases.items():
            witnesses[name] = witness = scene.witness(name)
            fronts[name] = stack.enter_context(Front(shown, witness.host, witness.port))
            pairs.append((fronts[name].url, witness.vkey, *trust))
        scene.witnessed_by(*pairs)
        checkpoint = scene.checkpoint()
        assert len(cosigned(checkpoint.note, witnesses["trusted"].vkey)) == 1
        assert checkpoint.note.count("\u2014") == 2
        said = {
            e["witness"].rpartition("/")[2]: (e["cause"], e["why"])
            for e in scene.events("courier.not_cosigned")
        }
        assert said == {n: ("unreachable", why) for n, (_, _, why) in cases.items() if why}
        assert fronts["trusted"].passed == 1
        scene.grow(3)
        scene.until_cosigned()
        assert fronts["trusted"].passed == 1  # the connection is kept
        scene.server.stop()


def test_an_auditor_reads_a_log_behind_tls_whose_certificate_he_trusts(scene, tmp_path):
    ours, other = Authority(tmp_path, "ours"), Authority(tmp_path, "other")
    (tmp_path / "token").write_text(scene.minter.auditor())
    scene.grow(3)
    with (
        Proxy(scene.server) as proxy,
        Front(ours.server(), "127.0.0.1", proxy.server.server_port) as front,
    ):
        more = ["--vkey", scene.vkey, "--token", tmp_path / "token"]
        for command in (["verify", "--openings"], ["monitor", "--state", tmp_path / "s", "--once"]):
            whole = [command[0], front.url, *command[1:], *more]
            for trust in ([], ["--ca-file", other.certificate]):
                done = ctl(*whole, *trust)
                assert (done.returncode, done.stdout) == (2, "") and "certificate" in done.stderr
            done = ctl(*whole, "--ca-file", ours.certificate)
            assert (done.returncode, done.stderr) == (0, ""), done
    assert front.passed == 2


def test_the_log_remembers_one_cosignature_of_each_witness_an_hour(scene):
    """The clock runs 900 times as fast: hours pass while rounds go on."""
    one, two = scene.witness("one"), scene.witness("two")
    scene.server.clock = f"{NOW}x900"
    scene.minter = Minter(scene.server.data, NOW_S, lifetime_s=30 * 86400)
    scene.witnessed_by(pair(one), pair(two))
    rounds = written = 0
    while written < 3 or rounds - written < 3:
        before = scene.replies("one", "cosigned")
        scene.grow(1)
        scene.hurry()
        assert until(scene.server, lambda: scene.replies("one", "cosigned") > before)
        delivered = [e["payload"] for e in scene.entries() if e["event"] == "delivery.cosigned"]
        times = {
            vkey: [parse_time(d["at"]) for d in delivered if d["body"]["witness"] == vkey]
            for vkey in (one.vkey, two.vkey)
        }
        for at in times.values():
            assert all(later - earlier >= 3600_000 for earlier, later in zip(at, at[1:])), at
        rounds, written = rounds + 1, len(times[one.vkey])
        assert rounds < 1000
    assert len(times[two.vkey]) >= 2


def test_a_witness_that_misses_rounds_costs_those_nothing_who_demand_a_quorum(scene, tmp_path):
    one, two = scene.witness("one"), scene.witness("two")
    pairs = pair(one), pair(two)
    scene.grow(3)
    scene.witnessed_by(*pairs, quorum=2)
    scene.until_cosigned()
    scene.witnesses.pop().stop()
    scene.grow(2)
    asked = scene.replies("one", "cosigned")
    scene.hurry()
    until(scene.server, lambda: scene.replies("one", "cosigned") > asked)
    both = {one.vkey, two.vkey}
    assert signers(scene.checkpoint().note, both) == both
    for quorum, expected in ((2, both), (1, {one.vkey})):
        out = tmp_path / f"out-{quorum}"
        done = ctl("export", "--data", scene.server.data, out, "--quorum", quorum)
        assert done.returncode == 0, done.stderr
        assert signers((out / "checkpoint.cosigned").read_text(), both) == expected
    for quorum in ("0", "two"):
        done = ctl("export", "--data", scene.server.data, tmp_path / "none", "--quorum", quorum)
        assert done.returncode == 2
        assert done.stderr == "consentctl export: quorum must be a number from 1\n"
    size = scene.checkpoint().size
    scene.write_config(pairs, 1)
    scene.server.reload()
    until(scene.server, lambda: scene.checkpoint().size > size)
    assert signers(scene.checkpoint().note, both) == {one.vkey}


def signers(note, vkeys):
    return {vkey for vkey in vkeys if cosigned(note, vkey)}


def test_an_auditor_verifies_a_log_whose_witnesses_have_not_seen_the_last(scene, tmp_path):
    """Heads of tenants and notices of erasures stand behind the cosigned checkpoint."""
    one = scene.witness()
    scene.grow(40)
    scene.witnessed_by(pair(one))
    size = scene.checkpoint().size
    scene.grow(40)
    with scene.api(scene.minter.tenant(EDP)) as tenant:
        consent = tenant.create(bodies.consent(APP, NOW, account="erased"))["consentId"]
        tenant.end(consent)
        body = {"consentId": consent, "part": "personal"}
        body.update(ground="unlawfulProcessing", requestId="one")
        assert tenant.post("/v1/erasures", body).status_code == 200
    assert scene.checkpoint(newest=True).size > scene.checkpoint().size == size
    token = tmp_path / "token"
    token.write_text(scene.minter.auditor() + "\n")
    with Proxy(scene.server) as proxy:
        for more in ([], ["--openings"], ["--tenant", EDP]):
            done = ctl("verify", proxy.url, "--vkey", scene.vkey, "--token", token, *more)
            assert (done.returncode, done.stderr) == (0, ""), done
            assert done.stdout.startswith("good, "), done.stdout
