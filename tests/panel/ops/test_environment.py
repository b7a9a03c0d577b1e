"""`.ci/environment` makes .venv on a machine with little on it, and repairs one that was left unfinished."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT

pytestmark = pytest.mark.slow
SCRIPT = ROOT / ".ci" / "environment"
SECONDS = 300.0  # a virtual environment with pip takes a few; only a hang takes this long
NAMES = ("python3", "python3.13", "python3.12", "python3.11")

OLD = '[ "$1" = --version ] || exit 1; echo "Python 3.9.2"'
GOOD = f'exec {sys.executable} "$@"'
# The same, but pip comes into the environment as a copy of ours: to install it there takes most of such a test.
PIP = importlib.util.find_spec("pip")
COPY_PIP = f"cp -R '{Path(PIP.origin).parent}' .venv/lib/python*/site-packages" if PIP and PIP.origin else ""
QUICK = f"""
case "{COPY_PIP and "$*"}" in
    "-m venv "*) {sys.executable} -m venv --without-pip .venv && {COPY_PIP or "false"} ;;
    *) {GOOD} ;;
esac"""
# As Debian's python without python3-venv. Its pip "downloads" a uv that makes environments as uv does: without pip.
NO_VENV = f"""
case "$*" in
    "-m venv "*) echo "ensurepip is not available" >&2; exit 1 ;;
    *"--target .tools"*)
        mkdir -p .tools/bin
        echo '{sys.executable} -m venv --without-pip .venv' >.tools/bin/uv
        chmod +x .tools/bin/uv ;;
    *) {GOOD} ;;
esac"""


class Project:
    """A folder with the script, a requirements file that asks for nothing, and the pythons that a test chooses."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.venv = folder, folder / ".venv"
        (folder / ".ci").mkdir()
        (folder / "bin").mkdir()
        shutil.copy(SCRIPT, folder / ".ci" / "environment")
        self.require("# nothing")
        self.have(QUICK, *NAMES)

    def require(self, words: str) -> None:
        """Writes the requirements file."""
        (self.folder / "requirements.txt").write_text(words)

    def have(self, script: str, *names: str) -> None:
        """Puts this script onto the path as each of these pythons."""
        for name in names:
            path = self.folder / "bin" / name
            path.write_text(f"#!/bin/sh\n{script}\n")
            path.chmod(0o755)

    def make(self) -> subprocess.CompletedProcess[str]:
        """Runs `.ci/environment`."""
        env = {**os.environ, "PATH": f"{self.folder / 'bin'}:/usr/bin:/bin", "PYTHON": ""}
        return subprocess.run(
            [self.folder / ".ci" / "environment"], env=env, capture_output=True, text=True, timeout=SECONDS
        )

    def python(self, code: str) -> int:
        """Runs this code in the environment that was made. Returns its exit code."""
        return subprocess.run([self.venv / "bin" / "python", "-c", code], timeout=SECONDS).returncode


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project without an environment."""
    return Project(tmp_path)


def test_it_makes_the_environment_once_and_installs_again_when_the_file_changed(project: Project) -> None:
    project.have(GOOD, *NAMES)
    first, second = project.make(), project.make()
    project.require("# nothing else")
    third = project.make()

    assert [ran.returncode for ran in (first, second, third)] == [0, 0, 0]
    assert "making .venv" in first.stderr and "installing requirements.txt" in first.stderr
    assert second.stderr == ""
    assert "making .venv" not in third.stderr and "installing requirements.txt" in third.stderr
    assert project.python("import pip") == 0


def test_it_starts_afresh_when_the_last_run_was_interrupted(project: Project) -> None:
    project.venv.mkdir()
    (project.venv / "unfinished").touch()
    (project.venv / "half").touch()

    ran = project.make()

    assert (ran.returncode, project.python("")) == (0, 0)
    assert not (project.venv / "half").exists() and not (project.venv / "unfinished").exists()


def test_it_begins_again_after_a_package_could_not_be_installed(project: Project) -> None:
    project.require("./no-such-folder")
    failed = project.make()
    project.require("# nothing")
    mended = project.make()

    assert failed.returncode == 1 and "could not install requirements.txt" in failed.stderr
    assert mended.returncode == 0 and "making .venv" in mended.stderr


def test_it_makes_the_environment_without_venv(project: Project) -> None:
    project.have(NO_VENV, *NAMES)

    ran = project.make()

    assert (ran.returncode, project.python("")) == (0, 0), ran.stderr
    assert "getting uv" in ran.stderr
    assert project.python("import pip") == 1


def test_it_takes_a_newer_python_when_the_first_is_too_old(project: Project) -> None:
    project.have(OLD, "python3", "python3.13")

    ran = project.make()

    assert (ran.returncode, project.python("")) == (0, 0)


def test_it_says_so_when_every_python_is_too_old(project: Project) -> None:
    project.have(OLD, *NAMES)

    ran = project.make()

    assert ran.returncode == 1
    assert "needs Python 3.11 or newer, and found Python 3.9.2 here" in ran.stderr
    assert not project.venv.exists()
