# SPDX-License-Identifier: Apache-2.0
"""The real binary, started on a free port and stopped by its process id.

Every server goes through a clean shutdown: exit status 0, nothing from a sanitizer, no leak. Only
kill() ends one otherwise, for tests of durability.
"""

import json
import os
import pathlib
import signal
import subprocess
import threading
import weakref

ROOT = pathlib.Path(__file__).resolve().parents[3]
BINARY = pathlib.Path(os.environ.get("CONSENTD_BIN", ROOT / "build" / "asan" / "consentd"))
CTL = pathlib.Path(os.environ.get("CONSENTCTL_BIN", BINARY.with_name("consentctl")))
PERSEUS = ROOT / "policy" / "packs" / "perseus-2026-03-12.json"
IB1 = ROOT / "tests" / "packs" / "ib1-electricity.json"

START_DEADLINE_S = 60
STOP_DEADLINE_S = 120
SANITIZER_MARKS = ("Sanitizer", "runtime error:", "ASSERT", "assertion")


def _environment(extra):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CONSENTD_")}
    environment["ASAN_OPTIONS"] = "detect_leaks=1:exitcode=99:allocator_may_return_null=0"
    environment["CONSENTD_NOTE_READS_SECONDS"] = "0"  # nothing is written that a test did not do
    environment["UBSAN_OPTIONS"] = "halt_on_error=1:print_stacktrace=1:exitcode=98"
    environment.update(extra or {})
    return environment


class Door:
    """One of a server's listeners, as a client comes to it: with `tls`, an ssl.SSLContext, for
    https. Wire, Frames and Api take it in place of a server."""

    def __init__(self, host, port, tls=None):
        self.host, self.port, self.tls = host, port, tls

    @property
    def scheme(self):
        return "https" if self.tls is not None else "http"

    @property
    def url(self):
        return f"{self.scheme}://{self.host}:{self.port}"


class Server:
    """One process. start() it (again) after construction; data stays in `data` between starts."""

    known = weakref.WeakSet()
    processes = set()  # all that were started
    stdout = subprocess.DEVNULL
    tls = None
    scheme = "http"

    def __init__(
        self,
        data,
        pack=PERSEUS,
        clock=None,
        arguments=(),
        environment=None,
        preexec=None,
        config=None,
    ):
        """`config` is what its configuration file says; `listeners` in it stand beside the plain
        listener that host, port and url are about. door() finds theirs."""
        Server.known.add(self)
        self.data = pathlib.Path(data)
        self.pack = pack
        self.clock = clock
        self.arguments = list(arguments)
        self.environment = environment
        self.preexec = preexec
        self.config = config
        self.process = None
        self.lines = []
        self.listening = []  # of each listener: the log line that tells its address
        self._listening = threading.Event()
        self._reader = None
        self.host = None
        self.port = None

    def command(self):
        command = [
            str(BINARY),
            "--dev",
            "--listen",
            "127.0.0.1:0",
            "--data",
            str(self.data),
            "--pack",
            str(self.pack),
        ]
        if self.clock is not None:
            command += ["--clock", self.clock]
        if self.config is not None:
            command += ["--config", str(self.write_config())]
        return command + self.arguments

    def write_config(self):
        path = self.data.with_name(self.data.name + ".config.json")
        path.write_text(json.dumps(self.config))
        return path

    def door(self, kind, tls=None, number=0):
        """The listener of this kind; the number-th of them."""
        found = [entry for entry in self.listening if entry["kind"] == kind][number]
        host, _, port = found["address"].rpartition(":")
        return Door(host.strip("[]"), int(port), tls)

    def reload(self):
        """SIGHUP, with the configuration as it now is."""
        if self.config is not None:
            self.write_config()
        self.process.send_signal(signal.SIGHUP)

    def start(self, clock=None):
        assert self.process is None
        if clock is not None:
            self.clock = clock
        self.lines = []
        self.listening = []
        self._listening.clear()
        self.process = subprocess.Popen(
            self.command(),
            stdin=subprocess.DEVNULL,
            stdout=self.stdout,
            stderr=subprocess.PIPE,
            env=_environment(self.environment),
            preexec_fn=self.preexec,
            cwd=ROOT,
        )
        Server.processes.add(self.process)
        self._reader = threading.Thread(target=self._read, args=(self.process,), daemon=True)
        self._reader.start()
        if not self._listening.wait(START_DEADLINE_S) or self.port is None:
            self.process.kill()
            self.process.wait()
            self.process = None
            raise AssertionError("consentd did not start:\n" + "".join(self.lines[-50:]))
        return self

    def _read(self, process):
        for raw in process.stderr:
            line = raw.decode("utf-8", "replace")
            self.lines.append(line)
            if '"service.listening"' in line and not self._listening.is_set():
                self._note_address(json.loads(line))
        self._listening.set()

    def _note_address(self, entry):
        if not self.listening:
            host, _, port = entry["address"].rpartition(":")
            self.host, self.port = host.strip("[]"), int(port)
        self.listening.append(entry)
        if len(self.listening) == 1 + len((self.config or {}).get("listeners", ())):
            self._listening.set()

    @property
    def url(self):
        return f"http://{self.host}:{self.port}"

    @property
    def stderr(self):
        return "".join(self.lines)

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        """SIGTERM, a clean end, and nothing from a sanitizer."""
        process, self.process = self.process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(
                "consentd did not stop on SIGTERM:\n" + "".join(self.lines[-50:])
            ) from None
        self._reader.join()
        process.stderr.close()
        self.port = None
        for mark in SANITIZER_MARKS:
            assert mark not in self.stderr, self.stderr[-20000:]
        assert status == 0, f"exit status {status}:\n" + "".join(self.lines[-50:])

    def kill(self):
        """kill -9: what was acknowledged must still be there at the next start."""
        process, self.process = self.process, None
        process.send_signal(signal.SIGKILL)
        process.wait()
        self._reader.join()
        process.stderr.close()
        self.port = None
        for mark in SANITIZER_MARKS:
            assert mark not in self.stderr, self.stderr[-20000:]

    def wait_failed(self):
        """It ends by itself and says so: another exit status than 0, nothing from a sanitizer."""
        process, self.process = self.process, None
        status = process.wait(STOP_DEADLINE_S)
        self._reader.join()
        process.stderr.close()
        self.port = None
        for mark in SANITIZER_MARKS:
            assert mark not in self.stderr, self.stderr[-20000:]
        assert status > 0, f"exit status {status}"
        return status

    def restart(self, clock=None):
        self.stop()
        return self.start(clock)

    def log_entries(self):
        """Its JSON log lines so far; every line of stderr must be one."""
        return [json.loads(line) for line in list(self.lines) if line.endswith("\n")]
