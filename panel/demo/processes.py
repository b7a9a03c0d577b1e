"""Runs programs side by side, shows what they print, and leaves none of them behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import FrameType
from typing import IO, NamedTuple, Self

ASKS_TO_STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LOOK_EVERY_SECONDS = 0.1  # how late we notice that a program died or that somebody asked us to stop
GRACE_SECONDS = 6.0  # for one program to end by itself after SIGTERM, before it is killed
LAST_WORDS_SECONDS = 1.0  # for a reader to print what a dead program left in its pipe
COLOURS = (36, 35, 33, 32, 34)  # ANSI: cyan, magenta, yellow, green, blue
PREFIX_WIDTH = 7


class Trouble(Exception):
    """Something ended or never answered; the sentence is for a person."""


class Stopped(Exception):
    """Somebody pressed Ctrl-C or sent us a signal: not an error."""


class Program(NamedTuple):
    """One running program, the head of a process group: what it started can be ended with it."""

    name: str
    process: subprocess.Popen[str]
    reader: threading.Thread


class Processes:
    """Programs that live and die together. Leaving this context ends them all, the last started first.

    While inside, SIGINT, SIGTERM and SIGHUP make the next wait raise Stopped.
    """

    def __init__(self, env: Mapping[str, str], out: IO[str] = sys.stdout) -> None:
        self._env, self._out = dict(env), out
        self._running: list[Program] = []
        self._printing = threading.Lock()
        self._stop = False
        self._colours = iter(COLOURS * 2) if out.isatty() and "NO_COLOR" not in os.environ else None

    def __enter__(self) -> Self:
        self._handlers = {number: signal.signal(number, self._on_signal) for number in ASKS_TO_STOP}
        return self

    def __exit__(self, *_exc: object) -> None:
        self.end_all()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def start(self, name: str, command: Sequence[str]) -> Program:
        """Start a program that is to run until the end; its output appears with its name before each line."""
        process = subprocess.Popen(  # noqa: S603 - the callers' own commands, no shell
            command,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        prefix = f"{name:{PREFIX_WIDTH}} | "
        if self._colours:
            prefix = f"\x1b[{next(self._colours)}m{prefix}\x1b[0m"
        reader = threading.Thread(target=self._show, args=(process, prefix), daemon=True)
        reader.start()
        program = Program(name, process, reader)
        self._running.append(program)
        return program

    def run(self, name: str, command: Sequence[str]) -> None:
        """Run a program to its end. Raises Trouble when it fails."""
        step = self.start(name, command)
        while step.process.poll() is None:
            self._pause(step)
        self._running.remove(step)
        _end(step)
        if step.process.returncode:
            raise Trouble(_obituary(step))

    def wait_until(self, answers: Callable[[], bool], what: str, seconds: float) -> None:
        """Wait until `answers()`. Raises Trouble when a program dies first, or after so many seconds."""
        deadline = time.monotonic() + seconds
        while not answers():
            if time.monotonic() > deadline:
                raise Trouble(f"{what} did not answer within {seconds:g} seconds.")
            self._pause()

    def watch(self) -> None:
        """Wait until a program dies (Trouble) or somebody asks us to stop (Stopped)."""
        while True:
            self._pause()

    def end_all(self) -> None:
        """End every program and whatever it started, the last started first."""
        while self._running:
            _end(self._running[-1])
            self._running.pop()

    def say(self, words: str) -> None:
        """Print a line or several between the programs' own, never inside one."""
        with self._printing:
            print(words, file=self._out, flush=True)

    def _pause(self, may_end: Program | None = None) -> None:
        if self._stop:
            raise Stopped
        for program in self._running:
            if program is not may_end and program.process.poll() is not None:
                program.reader.join(LAST_WORDS_SECONDS)
                raise Trouble(_obituary(program))
        time.sleep(LOOK_EVERY_SECONDS)

    def _show(self, process: subprocess.Popen[str], prefix: str) -> None:
        for line in process.stdout or ():
            try:
                self.say(prefix + line.rstrip("\r\n"))
            except OSError:  # nobody reads us any more, as in `make demo | head`
                self._stop = True

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stop = True


def _end(program: Program) -> None:
    """End a program and whatever it started: asked first, then killed."""
    for number, seconds in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, GRACE_SECONDS)):
        deadline = time.monotonic() + seconds
        _signal_group(program, number)
        while _group_lives(program) and time.monotonic() < deadline:
            time.sleep(LOOK_EVERY_SECONDS / 5)
    program.reader.join(LAST_WORDS_SECONDS)


def _group_lives(program: Program) -> bool:
    program.process.poll()  # an unreaped leader is a zombie, and counts as a member of its group
    return _signal_group(program, 0)


def _signal_group(program: Program, number: int) -> bool:
    """Whether there was anybody to signal."""
    with suppress(ProcessLookupError):
        os.killpg(program.process.pid, number)
        return True
    return False


def _obituary(program: Program) -> str:
    code = program.process.returncode
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    return f"{program.name} {how}; what it said last stands above."
