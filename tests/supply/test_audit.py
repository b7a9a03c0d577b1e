"""The audit says that all is well only when every package was looked up."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.supply import audit, environment
from tests.supply.environment import Unready

PINS = "".join(
    f"{pin} \\\n    --hash=sha256:{'0' * 64}\n" for pin in ("a==1", "b==2", "w==3 ; sys_platform == 'win32'")
)
GOOD: dict[str, Any] = {"vulns": []}
SKIPPED = {"skip_reason": "not found"}
ADVISORY = {"id": "PYSEC-2026-7", "aliases": ["CVE-2026-70"], "fix_versions": ["1.1"]}
BAD = {"vulns": [ADVISORY]}
UNMENDED = {"vulns": [{"id": "PYSEC-2026-8", "aliases": [], "fix_versions": []}]}


def said(**packages: dict[str, Any]) -> str:
    """What pip-audit prints about these."""
    return json.dumps({"dependencies": [{"name": name, "version": "1", **what} for name, what in packages.items()]})


@pytest.mark.parametrize(
    ("pypi", "osv", "code", "words"),
    [
        (said(a=GOOD, b=GOOD), None, 0, "2 packages, no advisory"),
        (said(a=GOOD, b=GOOD, w=GOOD), None, 0, "3 packages, no advisory"),
        (said(a=GOOD, b=SKIPPED), said(a=GOOD, b=GOOD), 0, "2 packages, no advisory"),
        (said(a=GOOD, b=SKIPPED), said(a=SKIPPED, b=GOOD), 0, "2 packages, no advisory"),
        # pip-audit by itself ends these with 0 and "No known vulnerabilities found".
        (said(a=SKIPPED, b=SKIPPED), said(a=SKIPPED, b=SKIPPED), 3, "NOT AUDITED. "),
        (said(a=GOOD, b=SKIPPED), "", 3, "no database could be asked about 1 of 2 packages"),
        (said(a=GOOD, b=GOOD, w=SKIPPED), "", 3, "no database could be asked about 1 of 3 packages"),
        (said(a=GOOD), said(a=GOOD), 3, "no database could be asked about 1 of 2 packages"),
        ("", "", 3, "no database could be asked about 2 of 2 packages"),
        ("Traceback (most recent call last):", "{}", 3, "This says nothing of whether they are safe."),
        (said(a=BAD, b=GOOD), None, 1, "a 1: PYSEC-2026-7 (CVE-2026-70), mended in 1.1"),
        (said(a=UNMENDED, b=GOOD), None, 1, "a 1: PYSEC-2026-8, mended in no version yet"),
        (said(a=BAD, b=SKIPPED), "", 1, "VULNERABLE: a."),
        ("", said(a=GOOD, b=BAD), 1, "VULNERABLE: b."),
    ],
)
def test_what_the_databases_say(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    pypi: str, osv: str | None, code: int, words: str,
) -> None:  # fmt: skip
    file, answers = tmp_path / "requirements.txt", {"pypi": pypi, "osv": osv}
    file.write_text(PINS)

    def ask(_python: Path, _file: Path, database: str) -> str:
        answer = answers[database]
        assert answer is not None, "the second database is asked only about what the first does not know"
        return answer

    monkeypatch.setattr(audit, "ask", ask)
    assert audit.audit(Path("python"), file) == code
    told = capsys.readouterr().out
    assert words in told and ("no advisory" in told) == (code == 0)


def test_of_several_files_the_worst_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = {"one": 0, "two": 3, "three": 1}
    monkeypatch.setattr(audit, "ready", lambda: Path("python"))
    monkeypatch.setattr(audit, "audit", lambda _python, file: codes[file.name])
    assert [audit.main(names) for names in (["one"], ["one", "two"], ["two", "three", "one"])] == [0, 3, 1]


def test_without_its_tools_nothing_is_called_well(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unready() -> Path:
        raise Unready("there is no pip here.")

    monkeypatch.setattr(audit, "ready", unready)
    assert audit.main([]) == 3
    assert "NOT AUDITED. pip-audit cannot be installed: there is no pip here." in capsys.readouterr().out


@pytest.mark.slow
def test_an_environment_that_was_not_finished_is_made_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One that lacks something, or holds what an older file lists, would audit with who knows what."""
    folder, wanted = tmp_path / "audit", tmp_path / "requirements-audit.txt"
    wanted.write_text("")  # asks for nothing
    monkeypatch.setattr(environment, "FOLDER", folder)
    monkeypatch.setattr(environment, "REQUIREMENTS", wanted)
    python = environment.ready()
    assert python.exists() and environment.ready() == python
    wanted.write_text("a package that is nowhere\n")
    with pytest.raises(Unready):
        environment.ready()
    assert not (folder / "installed").exists()
