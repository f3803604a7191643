# SPDX-License-Identifier: Apache-2.0
"""consentctl verify on a log that is served: while writers run, by an auditor of one tenant, and
from servers that lie, hang or are not there."""

import json
import socket
import threading

import pytest
from conftest import NOW, NOW_S
from harness import bodies, forge
from harness.client import Api
from harness.liar import Liar
from harness.proxy import Proxy
from harness.server import PERSEUS, Server
from harness.tokens import Minter
from test_export import ctl, export
from test_log_served import APP, EDP, OTHER, append_tokens
from test_verify import found


WITHHELD = "withheld: it has no line (a token of some tenants: see --tenant)"


class Served:
    def __init__(self, folder, entries, **options):
        self.server = Server(folder / "data", clock=f"{NOW}x0", **options).start()
        self.proxy = Proxy(self.server).__enter__()  # what an auditor asks is held against the contract
        self.minter = Minter(self.server.data, NOW_S)
        self.folder = folder
        self.consents = {}
        for tenant in (EDP, OTHER):
            with self.tenant(tenant) as api:
                self.consents[tenant] = api.create(bodies.consent(APP, NOW))["consentId"]
        self.grow(EDP, entries, 0)
        with self.auditor() as auditor:
            body = auditor.get("/v1/audit/events/0").json()["payload"]["body"]
            self.vkey = body["verifierKey"]

    def stop(self):
        self.proxy.__exit__()
        self.server.stop()

    def tenant(self, url):
        return Api(self.server, self.minter, self.minter.tenant(url))

    def auditor(self, providers=("*",)):
        return Api(self.server, self.minter, self.minter.auditor(providers=providers))

    def grow(self, tenant, count, start):
        with self.tenant(tenant) as api:
            append_tokens(api, self.consents[tenant], count, start)

    def verify(self, *more, providers=("*",), **run):
        path = self.folder / "token"
        path.write_text(self.minter.auditor(providers=list(providers)) + "\n")
        url = run.pop("url", self.proxy.url)
        return ctl("verify", url, "--vkey", self.vkey, "--token", path, *more, **run)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    made = Served(tmp_path_factory.mktemp("served"), 700)
    made.grow(OTHER, 30, 1000)
    yield made
    made.stop()


def good(done):
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout.splitlines()


def test_what_is_served_is_what_is_exported(served, tmp_path):
    first, second = good(served.verify("--openings"))
    assert first.startswith("good, 734 entries, root ")
    assert second == "opened 734, erased 0; consents 2, tenants 2"
    export(served.server.data, tmp_path / "out")
    done = ctl("verify", tmp_path / "out", "--vkey", served.vkey, "--openings")
    assert good(done) == [first, second]
    assert good(served.verify()) == [first]
    assert good(served.verify(url=served.proxy.url + "/")) == [first]


def test_a_token_may_come_from_standard_input(served):
    token = served.minter.auditor()
    done = ctl(
        *("verify", served.proxy.url, "--vkey", served.vkey, "--token", "-"), input=token + "\n"
    )
    assert good(done)[0].startswith("good, 734 entries")


def test_progress_is_told_where_it_is_wanted(served):
    done = served.verify("--progress")
    assert done.returncode == 0
    assert done.stderr.startswith("consentctl verify: 0 of 0 entries")


def test_a_log_is_good_while_writers_run(tmp_path):
    served = Served(tmp_path, 10)
    state = tmp_path / "state"
    writers = [
        threading.Thread(target=served.grow, args=(tenant, 400, 100)) for tenant in (EDP, OTHER)
    ]
    for writer in writers:
        writer.start()
    sizes = []
    while any(writer.is_alive() for writer in writers):
        done = served.verify("--openings", "--state", state, "--max-age", "1h")
        sizes.append(int(good(done)[0].split()[1]))
    for writer in writers:
        writer.join()
    assert sizes == sorted(sizes)
    assert good(served.verify("--openings"))[0].startswith("good, 814 entries")
    served.stop()


# ---- one tenant


def test_an_auditor_of_one_tenant_demands_its_numbers(served):
    for tenant, count in ((EDP, 701), (OTHER, 31)):
        done = served.verify("--tenant", tenant, providers=[tenant])
        first, second = good(done)
        assert first.startswith("good, 734 entries, root ")
        assert second == f"opened {count}, erased 0; consents 1, tenants 1"
    assert good(served.verify("--tenant", OTHER))[1].startswith("opened 31,")
    nobody = served.verify("--tenant", "https://nobody.example")
    assert good(nobody)[1] == "opened 0, erased 0; consents 0, tenants 0"


def test_what_a_token_does_not_show_is_not_known(served):
    done = served.verify("--tenant", EDP, providers=[OTHER])
    assert (done.returncode, done.stdout) == (2, "")
    assert "the token does not show this tenant" in done.stderr
    said = found(served.verify("--openings", providers=[OTHER]))
    assert said == f"entry 0: {WITHHELD}"


# ---- what is erased


def erase(api, consent, part):
    body = {"consentId": consent, "part": part, "ground": "unlawfulProcessing", "requestId": part}
    answer = api.post("/v1/erasures", body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_what_was_erased_has_its_notice(tmp_path):
    """A consent erased whole, one without its personal part: the log is as good as it was, for who
    saw it before, for who comes later, and for their tenant's auditor."""
    pack = json.loads(PERSEUS.read_text())
    pack["settings"]["retention"] = {"keepAfterEnd": "P0D", "eraseAfter": "P6Y"}
    (tmp_path / "pack.json").write_text(json.dumps(pack))
    served = Served(tmp_path, 300, pack=tmp_path / "pack.json")
    state, monitored = tmp_path / "state", tmp_path / "monitored"
    watch = ("monitor", served.proxy.url, "--vkey", served.vkey, "--state", monitored, "--once")
    assert good(served.verify("--openings", "--state", state))[1].startswith("opened 304, erased 0")
    assert ctl(*watch, "--token", tmp_path / "token").returncode == 0
    with served.tenant(EDP) as edp, served.tenant(OTHER) as other:
        for api, tenant in ((edp, EDP), (other, OTHER)):
            api.end(served.consents[tenant])
        erase(edp, served.consents[EDP], "whole")
        erase(other, served.consents[OTHER], "personal")
        edp.create(bodies.consent(APP, NOW, "another"))
    before = good(served.verify("--openings", "--state", state))
    # the grant, its tokens and its end; what was seen: 2 ends, 2 notices, a consent
    assert before[1] == "opened 7, erased 302; consents 2, tenants 2"
    assert ctl(*watch, "--token", tmp_path / "token").returncode == 0
    export(served.server.data, tmp_path / "out")
    done = ctl("verify", tmp_path / "out", "--vkey", served.vkey, "--openings")
    assert good(done) == before
    for tenant in (EDP, OTHER):
        good(served.verify("--tenant", tenant, providers=[tenant]))
    served.stop()


def test_looks_that_are_noted_are_verified_by_the_next(tmp_path):
    served = Served(tmp_path, 10, environment={"CONSENTD_NOTE_READS_SECONDS": "1"})
    one = served.verify("--tenant", EDP, providers=[EDP])
    before = good(one)
    while good(one) == before:  # until the look of one tenant's auditor is an entry about it
        one = served.verify("--tenant", EDP, providers=[EDP])
    assert int(good(one)[1].split()[1][:-1]) > int(before[1].split()[1][:-1])
    assert good(served.verify("--openings"))[0].startswith("good, ")
    served.stop()


# ---- who is not there, or says no


def unavailable(done, said):
    assert (done.returncode, done.stdout) == (2, ""), done
    assert said in done.stderr and done.stderr.count("\n") == 1, done.stderr


def test_a_missing_or_wrong_token_is_told(served, tmp_path):
    done = ctl("verify", served.proxy.url, "--vkey", served.vkey)
    unavailable(done, "answers with status 401; see --token")
    (tmp_path / "token").write_text(served.minter.tenant(EDP))
    done = ctl(
        "verify", served.proxy.url, "--vkey", served.vkey, "--token", tmp_path / "token"
    )
    unavailable(done, "answers with status 403; see --token")


def test_a_server_that_is_not_there_is_unavailable(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        unavailable(ctl("verify", url, "--vkey", forge.VKEY), url)


def test_a_server_that_hangs_is_given_up(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        unavailable(ctl("verify", url, "--vkey", forge.VKEY, "--timeout", "1s"), "imeout")


# ---- who lies


@pytest.fixture
def liar():
    at = "2026-06-15T12:00:00.000Z"
    entries = [
        {"payload": {"v": 1, "type": "log.genesis", "at": at, "body": {"number": number}}}
        for number in range(600)
    ]
    made = Liar([forge.seal(entry, index) for index, entry in enumerate(entries)])
    yield made
    made.stop()


def check(liar, *more):
    return ctl("verify", liar.url, "--vkey", forge.VKEY, "--openings", *more)


def test_the_liar_can_tell_the_truth(liar):
    assert good(check(liar))[0].startswith("good, 600 entries")


def endless(request):
    request.send_response(200)
    request.send_header("Connection", "close")
    request.end_headers()
    request.close_connection = True
    try:
        while True:
            request.wfile.write(b"x" * 65536)
    except OSError:
        pass


def drip(request):
    """A byte, and then nothing more."""
    request.send_response(200)
    request.send_header("Content-Length", "1000")
    request.end_headers()
    request.wfile.write(b"c")
    request.wfile.flush()
    request.rfile.read(1)


@pytest.mark.parametrize(
    ("path", "query"),
    [("/log/checkpoint", "?newest=true"), ("/log/tile/0/000", ""), ("/log/tile/entries/000", "")],
)
def test_an_endless_answer_is_cut(liar, path, query):
    liar.answers[path] = endless
    assert found(check(liar)) == f"{path}{query}: the answer is larger than any that is right"


@pytest.mark.parametrize("path", ["/log/checkpoint", "/log/tile/0/000", "/v1/audit/events"])
def test_an_answer_that_stops_is_given_up(liar, path):
    liar.answers[path] = drip
    unavailable(check(liar, "--timeout", "1s"), f"{liar.url}{path}")


@pytest.mark.parametrize("path", ["/log/checkpoint", "/log/tile/0/000", "/v1/audit/events"])
@pytest.mark.parametrize("status", [302, 429, 500, 503])
def test_a_server_in_trouble_is_unavailable(liar, path, status):
    liar.answers[path] = status, b""
    unavailable(check(liar), f"answers with status {status}")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\n",
        b"forger.example/log\n600\n\n",
        b"forger.example/log\n-1\nAAAA\n\n\xe2\x80\x94 x y\n",
        b"forger.example/log\n99999999999999999999\n" + b"A" * 43 + b"=\n\n\xe2\x80\x94 x eQ==\n",
        b"x" * 65536,
        b"\0" * 100,
    ],
)
def test_rubbish_is_no_checkpoint(liar, text):
    liar.answers["/log/checkpoint"] = 200, text
    assert found(check(liar)) == "checkpoint: it is no checkpoint"


def test_a_checkpoint_of_another_size_is_no_way_around(liar):
    """Signed, and the largest size there is: no memory is taken for what is not there."""
    text = f"{forge.ORIGIN}\n{2**63 - 1}\n{forge.b64(b'r' * 32)}\n"
    liar.answers["/log/checkpoint"] = 200, forge.sign(text).encode()
    assert found(check(liar)).startswith("tile/")


def test_another_logs_checkpoint_is_named_without_what_steers_a_terminal(liar):
    text = f"evil\x7f.example\n5\n{forge.b64(b'r' * 32)}\n"
    liar.answers["/log/checkpoint"] = 200, forge.sign(text, "evil.example").encode()
    said = found(check(liar))
    assert said.startswith("checkpoint: ") and "\x7f" not in said


@pytest.mark.parametrize(
    "lines, said",
    [
        (b"", f"entry 0: {WITHHELD}"),
        (b"\n\n\n", f"entry 0: {WITHHELD}"),
        (b"{}\n", "entry 0: its line has no index"),
        (b"[" * 100000, "entry 0: its line is no JSON object"),
        (b'{"index":0,"leaf":"AA=="}', "entry 0: its line has no leaf"),
    ],
)
def test_rubbish_is_no_line(liar, lines, said):
    liar.answers["/v1/audit/events"] = 200, lines
    assert found(check(liar)) == said


def test_the_same_page_again_is_no_progress(liar):
    liar.answers["/v1/audit/events"] = 200, liar.events("limit=256")
    assert found(check(liar)) == "entry 0: its line comes out of order"
    assert len([path for path in liar.asked if path.startswith("/v1/audit/events")]) == 2


def test_a_stream_that_failed_is_unavailable(liar):
    problem = {"type": "https://x.example/problems/internal", "title": "failed", "status": 500}
    liar.answers["/v1/audit/events"] = 200, json.dumps(problem).encode() + b"\n"
    unavailable(check(liar), "the service failed while it read its events")


def test_a_tile_that_is_not_there_is_withheld(liar):
    liar.answers["/log/tile/0/001"] = 404, b""
    assert found(check(liar)) == "tile/0/001: it is not there"


def test_a_head_that_says_more_shows_what_is_withheld(liar):
    name = f"{forge.ORIGIN}/heads"
    for number, said in ((3, "withheld: the tenant has 3 entries by its signed head, 0 were"), (0, None)):
        head = forge.sign(f"{name}\n600\n{EDP}\n{number}\n", name)
        liar.answers["/v1/audit/heads"] = 200, head.encode()
        liar.answers["/v1/audit/events"] = 200, b""
        done = check(liar, "--tenant", EDP)
        assert found(done).startswith(said) if said else done.returncode == 0


@pytest.mark.parametrize(
    "head",
    [
        "",
        forge.sign(f"{forge.ORIGIN}/heads\n600\n{OTHER}\n0\n", f"{forge.ORIGIN}/heads"),
        forge.sign(f"{forge.ORIGIN}/heads\n600\n{EDP}\n0\n"),
        forge.sign(f"{forge.ORIGIN}/heads\n600\n{EDP}\n0\nmore\n", f"{forge.ORIGIN}/heads"),
        forge.sign(f"{forge.ORIGIN}\n600\n{EDP}\n0\n", f"{forge.ORIGIN}/heads"),
    ],
)
def test_a_head_that_is_none_is_found(liar, head):
    liar.answers["/v1/audit/heads"] = 200, head.encode()
    assert found(check(liar, "--tenant", EDP)) == (
        "the tenant's head is none that the log's key signed"
    )


def test_no_token_follows_a_redirect(liar, tmp_path):
    (tmp_path / "token").write_text("secret")
    liar.answers["/log/checkpoint"] = 307, b""
    unavailable(check(liar, "--token", tmp_path / "token"), "answers with status 307")
    assert liar.asked == ["/log/checkpoint?newest=true"]
