"""Runs programs side by side, shows what they print, and ends all of them."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import IO, NamedTuple, Self

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
CHECK_EVERY_SECONDS = 0.1  # how late we may notice that a program died or that somebody asked us to stop
GRACE_SECONDS = 6.0  # for one program to end by itself after SIGTERM, before it is killed
LAST_LINES_SECONDS = 1.0  # for a reader to print what a dead program left in its pipe
COLOURS = (36, 35, 33, 32, 34)  # ANSI: cyan, magenta, yellow, green, blue
PREFIX_CHARACTERS = 7
LAST_LINES = 20  # of a program, shown when it dies while its output goes to a file


class Trouble(Exception):
    """A program ended or never answered. The sentence is for a person."""


class Stopped(Exception):
    """Somebody pressed Ctrl-C or sent us a signal, which is not an error."""


class Program(NamedTuple):
    """A running program at the head of a process group, so that what it starts can be ended with it."""

    name: str
    process: subprocess.Popen[str]
    reader: threading.Thread
    last_lines: deque[str]


class Processes:
    """Programs that live and die together. Leaving the context ends them all, the last started first.

    While inside, SIGINT, SIGTERM and SIGHUP make the next wait raise Stopped.
    """

    def __init__(self, env: Mapping[str, str], out: IO[str] = sys.stdout) -> None:
        self._env, self._out = dict(env), out
        self._running: list[Program] = []
        self._printing = threading.Lock()
        self._stop = False
        self._log: IO[str] | None = None
        self._colours = iter(COLOURS * 2) if out.isatty() and "NO_COLOR" not in os.environ else None

    def __enter__(self) -> Self:
        self._handlers = {number: signal.signal(number, self._on_signal) for number in STOP_SIGNALS}
        return self

    def __exit__(self, *_exc: object) -> None:
        self.end_all()
        if self._log:
            self._log.close()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def start(self, name: str, command: Sequence[str]) -> Program:
        """Starts a program that is to run until the end. Its output appears with its name before each line."""
        process = subprocess.Popen(  # noqa: S603 - our own commands, no shell
            command,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        prefix = f"{name:{PREFIX_CHARACTERS}} | "
        if self._colours:
            prefix = f"\x1b[{next(self._colours)}m{prefix}\x1b[0m"
        last_lines: deque[str] = deque(maxlen=LAST_LINES)
        reader = threading.Thread(target=self._show, args=(process, prefix, last_lines), daemon=True)
        reader.start()
        program = Program(name, process, reader, last_lines)
        self._running.append(program)
        return program

    def run(self, name: str, command: Sequence[str]) -> None:
        """Runs a program to its end. Raises Trouble when it fails."""
        program = self.start(name, command)
        while program.process.poll() is None:
            self._pause(may_end=program)
        self._running.remove(program)
        _end(program)
        if program.process.returncode:
            raise Trouble(_how_it_ended(program))

    def wait_until(self, answers: Callable[[], bool], what: str, seconds: float) -> None:
        """Waits until `answers()`. Raises Trouble when a program dies first, or after so many seconds."""
        deadline = time.monotonic() + seconds
        while not answers():
            if time.monotonic() > deadline:
                raise Trouble(f"{what} did not answer within {seconds:g} seconds.")
            self._pause()

    def watch(self) -> None:
        """Waits until a program dies (Trouble) or somebody asks us to stop (Stopped)."""
        while True:
            self._pause()

    def log_to(self, path: Path) -> None:
        """Writes what programs print from now on to this file, so that what we said last stays on the screen.

        Of a program that dies its last lines are shown all the same.
        """
        with self._printing:
            self._log = path.open("w", encoding="utf-8", buffering=1)

    def end_all(self) -> None:
        """Ends every program with what it started, the last started first."""
        while self._running:
            _end(self._running[-1])
            self._running.pop()

    def say(self, words: str) -> None:
        """Prints one or more lines between the lines of the programs."""
        with self._printing:
            print(words, file=self._out, flush=True)

    def _pause(self, may_end: Program | None = None) -> None:
        if self._stop:
            raise Stopped
        for program in self._running:
            if program is not may_end and program.process.poll() is not None:
                program.reader.join(LAST_LINES_SECONDS)
                if self._log:
                    self.say("\n".join(program.last_lines))
                raise Trouble(_how_it_ended(program))
        time.sleep(CHECK_EVERY_SECONDS)

    def _show(self, process: subprocess.Popen[str], prefix: str, last_lines: deque[str]) -> None:
        for line in process.stdout or ():
            words = prefix + line.rstrip("\r\n")
            last_lines.append(words)
            try:
                self._pass_on(words)
            except OSError:  # nobody reads us any more, as in `make demo | head`
                self._stop = True

    def _pass_on(self, words: str) -> None:
        with self._printing:
            if self._log and not self._log.closed:
                self._log.write(words + "\n")
                return
        self.say(words)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stop = True


def _end(program: Program) -> None:
    """Ends a program with what it started: asks first, then kills."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + GRACE_SECONDS
        _signal_group(program, number)
        while _group_lives(program) and time.monotonic() < deadline:
            time.sleep(CHECK_EVERY_SECONDS / 5)
    program.reader.join(LAST_LINES_SECONDS)


def _group_lives(program: Program) -> bool:
    program.process.poll()  # until its parent has read its exit code, a dead leader counts as a member of its group
    return _signal_group(program, 0)


def _signal_group(program: Program, number: int) -> bool:
    """Sends a signal to the program and what it started. False when none of them is left."""
    with suppress(ProcessLookupError):
        os.killpg(program.process.pid, number)
        return True
    return False


def _how_it_ended(program: Program) -> str:
    code = program.process.returncode
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    return f"{program.name} {how}; its last output is above."
