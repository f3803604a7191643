# SPDX-License-Identifier: Apache-2.0
"""consentd --witness from outside: a log of the test's own asks it, as C2SP tlog-witness has it."""

import concurrent.futures
import subprocess

import pytest
from harness import merkle
from harness.server import BINARY
from harness.witness import Witness

WITHIN = 64 * 1024


@pytest.fixture
def log():
    log = merkle.Log("log.example/one")
    log.grow(*(bytes([i]) for i in range(40)))
    return log


@pytest.fixture
def witness(tmp_path, log):
    logs = tmp_path / "logs.txt"
    logs.write_text(f"# one\n{log.vkey}\n")
    witness = Witness(tmp_path / "witness", logs).start()
    yield witness
    witness.stop()


def assert_cosigned(witness, log, size, answer):
    assert answer.status_code == 200, answer.text
    note = log.checkpoint(size) + answer.text
    assert len(merkle.cosigned(note, witness.vkey)) == 1
    assert answer.text.startswith(f"\u2014 {witness.name} ")
    assert answer.text.count("\n") == 1


def assert_conflict(answer, size):
    assert (answer.status_code, answer.text) == (409, f"{size}\n")
    assert answer.headers["content-type"] == "text/x.tlog.size"


def test_a_growing_log_is_cosigned_over_restarts(witness, log):
    old = 0
    for size in (1, 2, 7, 8, 33, 33, 40):
        assert_cosigned(witness, log, size, witness.ask(log.submission(old, size)))
        old = size
        if size == 7:
            witness.restart()
        if size == 33:
            witness.kill()
            witness.start()
        assert_conflict(witness.ask(log.submission(0, 40)), size)


def test_what_is_not_a_continuation_is_not_cosigned(witness, log):
    fork = merkle.Log(log.origin)
    fork.key, fork.id = log.key, log.id
    fork.grow(*(bytes([i]) for i in range(20)), *(b"other" for _ in range(20)))
    assert_cosigned(witness, log, 30, witness.ask(log.submission(0, 30)))
    assert witness.ask(fork.submission(30, 40)).status_code == 422
    assert_conflict(witness.ask(fork.submission(30, 30)), 30)
    assert '"event":"witness.fork"' in witness.stderr
    assert_cosigned(witness, log, 40, witness.ask(log.submission(30, 40)))


def test_each_refusal_has_its_code(witness, log):
    stranger = merkle.Log("log.example/two")
    forger = merkle.Log(log.origin)
    for other in (stranger, forger):
        other.grow(b"a", b"b")
    assert witness.ask(stranger.submission(0, 2)).status_code == 404
    assert witness.ask(forger.submission(0, 2)).status_code == 403
    assert witness.ask(log.submission(9, 8)).status_code == 400
    assert witness.ask(b"rubbish").status_code == 400
    assert witness.ask(b"").status_code == 400
    assert witness.ask(b"x" * (WITHIN + 1)).status_code == 413
    assert witness.ask(log.submission(0, 8), path="/checkpoint").status_code == 404
    refused = witness.ask(b"", method="PUT")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert_cosigned(witness, log, 8, witness.ask(log.submission(0, 8)))


def test_of_many_at_once_one_is_first(witness, log):
    """All begin at size 4: whoever comes first moves the witness, the others are told where to."""
    assert_cosigned(witness, log, 4, witness.ask(log.submission(0, 4)))
    sizes = range(5, 37)
    with concurrent.futures.ThreadPoolExecutor(len(sizes)) as pool:
        answers = list(pool.map(lambda size: witness.ask(log.submission(4, size)), sizes))
    won = [size for size, answer in zip(sizes, answers) if answer.status_code == 200]
    assert len(won) == 1
    for size, answer in zip(sizes, answers):
        if size == won[0]:
            assert_cosigned(witness, log, size, answer)
        else:
            assert_conflict(answer, won[0])


def test_one_process_at_a_time(witness):
    second = subprocess.run(witness.command(), capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert "is held by another process" in second.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--witness"], "--witness needs --data and --logs"),
        (["--witness", "--data", "d", "--logs", "l", "--create"], "--create and --name go together"),
        (["--witness", "--dev"], "--witness goes without --dev and --config"),
        (["--logs", "l"], "--logs and --name go only with --witness"),
    ],
)
def test_its_command_line_is_strict(arguments, said):
    ended = subprocess.run(
        [str(BINARY), *arguments], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert said in ended.stderr


def test_it_is_not_made_where_none_was_asked_for(tmp_path, log):
    logs = tmp_path / "logs.txt"
    logs.write_text(log.vkey)
    command = [str(BINARY), "--witness", "--data", str(tmp_path / "none"), "--logs", str(logs)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "--create makes a new witness" in ended.stderr
    assert not (tmp_path / "none").exists()
