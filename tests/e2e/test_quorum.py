# SPDX-License-Identifier: Apache-2.0
"""consentctl verify and monitor demand witnesses: a quorum must have cosigned what the log shows to
those who demand it, and the newest log must be what that has grown into."""

import base64
import contextlib
import time

import pytest
from harness import forge
from harness.liar import Liar
from harness.liars import Key, Liars
from harness.merkle import leaf_hash, renamed
from harness.proxy import Proxy
from test_courier import pair, scene  # noqa: F401
from test_export import ctl, export
from test_monitor import LINES, entries, raised, seal
from test_verify import found

KEYS = {name: Key(name) for name in "abcd"}
NOW_S = 0


@pytest.fixture(autouse=True)
def _now():
    """Each test's own: cosignatures of when the first began would be stale in the last."""
    global NOW_S
    NOW_S = int(time.time())


def checkpoint(size, lines=LINES):
    hashes = [leaf_hash(base64.b64decode(line["leaf"])) for line in lines[:size]]
    return forge.checkpoint(hashes)


def cosign(size, names, at=None, lines=LINES):
    """As a log shows it once these witnesses have cosigned, each at its time."""
    note = checkpoint(size, lines)
    text = note.split("\n\n")[0] + "\n"
    times = at if isinstance(at, dict) else dict.fromkeys(names, NOW_S if at is None else at)
    return (note + "".join(KEYS[name].line(text, times[name]) for name in names)).encode()


def demand(names, *more):
    return [part for name in names for part in ("--witness", KEYS[name].vkey)] + list(more)


@pytest.fixture
def liar():
    """It shows all 300 entries, and 256 of them to who demands cosignatures."""
    made = Liar(LINES[:300])
    made.cosigned = cosign(256, "abc")
    yield made
    made.stop()


def verify(liar, *more):
    return ctl("verify", liar.url, "--vkey", forge.VKEY, "--openings", *more)


def time_text(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))


# ---- verify


@pytest.mark.parametrize(
    "signed, demanded, quorum, count",
    [
        ("abc", "abc", None, 3),
        ("abc", "a", None, 1),
        ("abc", "abd", 2, 2),
        ("abc", "abcd", 1, 3),
        ("a", "abcd", 1, 1),
        ("aab", "ab", 2, 2),
    ],
)
def test_a_quorum_that_has_cosigned_is_told(liar, signed, demanded, quorum, count):
    liar.cosigned = cosign(256, signed)
    more = [] if quorum is None else ["--quorum", quorum]
    done = verify(liar, *demand(demanded, *more))
    assert (done.returncode, done.stderr) == (0, ""), done
    assert done.stdout.startswith("good, 300 entries, root ")
    assert done.stdout.splitlines()[2] == (
        f"cosigned 256 entries, by {count} of {len(demanded)} witnesses, "
        f"a quorum at {time_text(NOW_S)}"
    )
    assert "/log/checkpoint" in liar.asked and "/log/checkpoint?newest=true" in liar.asked


@pytest.mark.parametrize(
    "signed, demanded, quorum, count",
    [
        ("", "a", None, 0),
        ("abc", "abcd", None, 3),
        ("abc", "d", None, 0),
        ("aaa", "abc", 2, 1),
        ("ab", "bcd", 2, 1),
    ],
)
def test_a_quorum_that_is_not_met_is_bad(liar, signed, demanded, quorum, count, tmp_path):
    liar.cosigned = cosign(256, signed)
    more = [] if quorum is None else ["--quorum", quorum]
    said = found(verify(liar, *demand(demanded, *more), "--state", tmp_path / "state"))
    assert said == (
        f"checkpoint.cosigned: of 256 entries, cosigned by {count} of the {len(demanded)} "
        f"witnesses, and {quorum or len(demanded)} must"
    )
    assert not (tmp_path / "state").exists()


def test_nobody_is_demanded_who_was_not_named(liar):
    liar.cosigned = b"rubbish"
    assert verify(liar).returncode == 0
    assert "/log/checkpoint" not in liar.asked


def test_a_line_in_the_name_of_a_witness_must_be_its_own(liar):
    """Whether or not a quorum is met without it; what strangers say does not matter."""
    note = cosign(256, "ab").decode()
    other = Key("c")
    other.id = KEYS["c"].id
    liar.cosigned = (note + other.line(note.split("\n\n")[0] + "\n", NOW_S)).encode()
    said = found(verify(liar, *demand("abc", "--quorum", "2")))
    assert said == "checkpoint.cosigned: a line in the name of a witness is not its cosignature"
    assert verify(liar, *demand("ab")).returncode == 0


def test_one_key_under_two_names_is_no_quorum(liar):
    again = renamed(KEYS["a"].vkey, "witness.example/other")
    done = verify(liar, *demand("a"), "--witness", again)
    assert (done.returncode, done.stdout) == (2, "")
    assert "option --witness names one witness twice" in done.stderr


@pytest.mark.parametrize("size", [1, 100, 255, 256, 257, 299, 300])
def test_what_witnesses_saw_must_have_grown_into_the_log(liar, size):
    liar.cosigned = cosign(size, "abc")
    assert verify(liar, *demand("abc")).returncode == 0
    others = entries(size)
    others[size // 2]["payload"]["body"] = {"other": True}
    liar.cosigned = cosign(size, "abc", lines=seal(others))
    said = found(verify(liar, *demand("abc")))
    assert said == f"fork: the log did not begin with the {size} entries of checkpoint.cosigned"


def test_witnesses_that_saw_more_than_the_newest_show_a_rollback(liar):
    liar.cosigned = cosign(301, "abc")
    said = found(verify(liar, *demand("abc")))
    assert said == "rollback: the log has 300 entries, and 301 in checkpoint.cosigned"


@pytest.mark.parametrize("content", [b"", b"rubbish", checkpoint(0).encode()[:-9]])
def test_what_is_no_checkpoint_is_bad(liar, content):
    liar.cosigned = content
    assert found(verify(liar, *demand("a"))).startswith("checkpoint.cosigned: ")


def test_cosignatures_that_are_old_are_stale(liar):
    """It is the quorum's time that counts: that of the slowest of the fastest."""
    liar.cosigned = cosign(256, "abc", {"a": NOW_S, "b": NOW_S - 3600, "c": NOW_S - 86400})
    for quorum, age in ((1, 0), (2, 3600), (3, 86400)):
        more = demand("abc", "--quorum", quorum, "--cosigned-within")
        assert verify(liar, *more, f"{age + 7200}s").returncode == 0
        if age == 0:
            continue
        done = verify(liar, *more, f"{age // 2}s")
        assert (done.returncode, done.stderr) == (3, "")
        since = time_text(NOW_S - age)
        assert done.stdout.splitlines()[2].endswith(f", a quorum at {since}")
        assert done.stdout.splitlines()[3] == (
            f"stale, no quorum of witnesses has cosigned it since {since}"
        )


def test_keys_of_witnesses_may_stand_in_a_file(liar, tmp_path):
    path = tmp_path / "witnesses"
    path.write_text(f"# ours\n{KEYS['a'].vkey}\n\n{KEYS['b'].vkey}")
    done = verify(liar, f"--witness={path}", "--witness", KEYS["d"].vkey, "--quorum", 2)
    assert done.returncode == 0, done
    assert " by 2 of 3 witnesses" in done.stdout


@pytest.mark.parametrize("command", ["verify", "monitor"])
@pytest.mark.parametrize(
    "arguments, said",
    [
        (("--quorum", "1"), "quorum must be a number from 1 to that of the keys of --witness"),
        (demand("ab", "--quorum", "3"), "quorum must be a number from 1 to that of the keys of --witness"),
        (demand("ab", "--quorum", "0"), "quorum must be a number from 1 to that of the keys of --witness"),
        (demand("ab", "--quorum", "x"), "quorum must be a number from 1 to that of the keys of --witness"),
        (demand("aa"), "witness names one witness twice, which counts once"),
        (("--witness", forge.VKEY), "witness must be a witness's verifier key, or a file with some, one a line"),
        (("--witness", "/dev/null"), "witness must name a witness"),
        (("--witness",), "witness needs a value"),
        (("--witness=",), "witness needs a value"),
        (("--witness", "--once"), "witness needs a value"),
        (demand("a") * 17, "witness is given too often"),
        (
            ("--cosigned-within", "1h"),
            "cosigned-within must be a time like 90s, 30m, 1h or 7d, and needs --witness",
        ),
        (
            demand("a", "--cosigned-within", "1"),
            "cosigned-within must be a time like 90s, 30m, 1h or 7d, and needs --witness",
        ),
    ],
)
def test_a_wrong_demand_is_named(tmp_path, command, arguments, said):
    state = ("--state", tmp_path / "state")
    done = ctl(command, "http://127.0.0.1:9", "--vkey", forge.VKEY, *state, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"consentctl {command}: option --{said}\n"


# ---- directories


def test_a_directory_has_both_checkpoints_or_one(tmp_path):
    folder = forge.write(tmp_path / "log", LINES[:300])
    arguments = ("verify", folder, "--vkey", forge.VKEY, *demand("abc", "--quorum", "2"))
    assert " of 300 entries, cosigned by 0 of the 3 " in found(ctl(*arguments))
    (folder / "checkpoint.cosigned").write_bytes(cosign(100, "ac"))
    done = ctl(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1].startswith("cosigned 100 entries, by 2 of 3 witnesses, ")
    (folder / "checkpoint.cosigned").unlink()
    (folder / "checkpoint").write_bytes(cosign(300, "bc"))
    assert ctl(*arguments).stdout.splitlines()[1].startswith("cosigned 300 entries, by 2 of 3 ")


# ---- monitor


@pytest.fixture
def watch(liar, tmp_path):
    """Looks once, and demands two of three."""

    def look(*more):
        state = ("--state", watch_state)
        demanded = demand("abc", "--quorum", "2")
        return ctl("monitor", liar.url, "--vkey", forge.VKEY, *state, "--once", *demanded, *more)

    watch_state = look.state = tmp_path / "state"
    return look


def test_a_log_that_witnesses_follow_is_good(liar, watch):
    for newest, cosigned in ((300, 256), (300, 300), (301, 300), (600, 300), (600, 597)):
        liar.serve(LINES[:newest])
        liar.cosigned = cosign(cosigned, "ab")
        done = watch()
        assert (done.returncode, done.stderr) == (0, ""), done
        assert done.stdout == f"good, {newest} entries\n"


def test_a_missing_quorum_is_raised_and_the_log_looked_at(liar, watch):
    liar.cosigned = cosign(256, "a")
    said = raised(watch(), "bad", 1)
    assert said == (
        "checkpoint.cosigned: of 256 entries, cosigned by 1 of the 3 witnesses, and 2 must"
    )
    assert "\n300\n" in watch.state.read_text()
    liar.serve(LINES[:299])
    assert raised(watch(), "bad", 1).startswith("rollback: ")
    liar.serve(LINES[:300])
    liar.cosigned = cosign(300, "ac")
    assert watch().returncode == 0


@pytest.mark.parametrize("seen", [100, 256, 300, 600])
def test_a_fork_between_what_witnesses_and_others_are_shown_is_raised(liar, watch, seen):
    """Also when all was looked at before that witnesses cosign only now."""
    liar.serve(LINES[:seen])
    liar.cosigned = cosign(100, "ab")
    assert watch().returncode == 0
    kept = watch.state.read_bytes()
    others = entries(200)
    others[50]["payload"]["body"] = {"other": True}
    liar.serve(LINES[:600])
    liar.cosigned = cosign(200, "ab", lines=seal(others))
    said = raised(watch(), "bad", 1)
    assert said == "fork: the log did not begin with the 200 entries of checkpoint.cosigned"
    assert watch.state.read_bytes() == kept


def test_witnesses_that_have_stopped_are_raised(liar, watch):
    assert watch().returncode == 0
    liar.cosigned = cosign(256, "abc", NOW_S - 900)
    said = raised(watch(), "stale", 3)
    assert said == f"stall: no quorum of witnesses has cosigned it since {time_text(NOW_S - 900)}"
    assert watch("--cosigned-within", "1h").returncode == 0
    liar.cosigned = cosign(256, "abc", {"a": NOW_S, "b": NOW_S - 900, "c": NOW_S})
    assert watch().returncode == 0


def test_what_is_cosigned_again_and_does_not_grow_is_raised(liar, watch):
    """The operator has an old checkpoint cosigned again and again while the log goes on."""
    assert watch().returncode == 0
    state = watch.state.read_text()
    line = next(line for line in state.splitlines() if line.startswith("uncosigned 300 "))
    watch.state.write_text(state.replace(line, f"uncosigned 300 {time_text(NOW_S - 900)}"))
    liar.serve(LINES[:400])  # it grows, and is not what was aimed at
    liar.cosigned = cosign(299, "abc")
    said = raised(watch(), "stale", 3)
    assert said == f"stall: cosigned are 299 entries, and it had 300 at {time_text(NOW_S - 900)}"
    assert watch("--cosigned-within", "1h").returncode == 0
    liar.cosigned = cosign(300, "abc")
    assert watch().returncode == 0
    assert "\nuncosigned 400 " in watch.state.read_text()
    liar.cosigned = cosign(400, "abc")
    assert watch().returncode == 0
    assert "uncosigned" not in watch.state.read_text()


def test_a_log_that_nothing_is_added_to_is_not_behind(liar, watch):
    liar.cosigned = cosign(300, "abc")
    assert watch().returncode == 0
    old = watch.state.read_text().splitlines()[1]
    watch.state.write_text(watch.state.read_text().replace(old, time_text(NOW_S - 7200)))
    liar.serve(LINES[:301])
    assert watch().returncode == 0


@pytest.mark.parametrize("line", ["uncosigned", "uncosigned x y", "uncosigned 3 ", "uncosigned  2"])
def test_a_state_that_is_none_is_refused(liar, watch, line):
    assert watch().returncode == 0
    lines = watch.state.read_text().splitlines(True)
    assert lines[2].startswith("uncosigned 300 ")
    watch.state.write_text("".join([*lines[:2], line + "\n", *lines[3:]]))
    done = watch()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"consentctl monitor: {watch.state}: it is no state file\n"


# ---- the real service and real witnesses


def test_a_real_log_is_verified_and_watched_with_its_witnesses(scene, tmp_path):  # noqa: F811
    one, two = scene.witness("one"), scene.witness("two")
    scene.grow(5)
    with Liars(["rubbish"]) as liars, contextlib.ExitStack() as stack:
        scene.witnessed_by(pair(one), pair(two), *liars.pairs())
        scene.grow(5)
        proxy = stack.enter_context(Proxy(scene.server))
        (tmp_path / "token").write_text(scene.minter.auditor())
        whom = ["--vkey", scene.vkey, "--witness", one.vkey, "--witness", two.vkey]
        remote = [proxy.url, *whom, "--token", tmp_path / "token"]
        cosigned = scene.checkpoint().size
        assert cosigned < scene.checkpoint(newest=True).size
        done = ctl("verify", *remote, "--openings", "--cosigned-within", "10m")
        assert (done.returncode, done.stderr) == (0, ""), done
        assert done.stdout.splitlines()[2].startswith(f"cosigned {cosigned} entries, by 2 of 2 ")
        missing = ("--witness", liars.keys["rubbish"].vkey)
        assert " cosigned by 2 of the 3 " in found(ctl("verify", *remote, *missing))
        assert ctl("verify", *remote, *missing, "--quorum", "2").returncode == 0
        for _ in range(2):
            done = ctl("monitor", *remote, "--state", tmp_path / "state", "--once")
            assert (done.returncode, done.stderr) == (0, ""), done
            scene.grow(3)
        export(scene.server.data, tmp_path / "out")
        done = ctl("verify", tmp_path / "out", "--openings", *whom)
        assert (done.returncode, done.stderr) == (0, ""), done
        assert done.stdout.splitlines()[2].startswith(f"cosigned {cosigned} entries, by 2 of 2 ")
        scene.server.stop()
