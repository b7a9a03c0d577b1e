"""The list of what the desk is made of: all that requirements.txt pins, in the form that CycloneDX prescribes."""

import json
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests import ROOT
from tests.conftest import LEFT_OUT
from tests.supply import sbom
from tests.supply.environment import Unready, ready
from tests.supply.pinned import HOUSE, Pinned, read_pinned

AT = datetime(2026, 11, 30, 6, 0, tzinfo=UTC)
NEITHER = "neither a pin nor a hash nor a comment"


def listed(packages: list[Pinned] | None = None, at: datetime = AT) -> dict[str, Any]:
    """The list, as it stands in the file."""
    made = sbom.sbom(packages or read_pinned(sbom.REQUIREMENTS), "0.1.0", at)
    return dict(json.loads(json.dumps(made)))


# ── What is pinned ───────────────────────────────────────────────────────────────────────────────
def pinned_in(tmp_path: Path, text: str) -> list[Pinned]:
    file = tmp_path / "requirements.txt"
    file.write_text(text)
    return read_pinned(file)


def test_every_line_of_a_requirements_file_is_understood(tmp_path: Path) -> None:
    first, second = "0" * 64, "f" * 64
    text = f"""b==1.0+x ; implementation_name != 'pypy' \\
    --hash=sha256:{first} \\
    --hash=sha256:{second}
    # via
    #   {HOUSE}
    #   a
a[extra]==2 \\
    --hash=sha256:{second}
    # via {HOUSE}
"""
    assert pinned_in(tmp_path, text) == [
        Pinned("a", "2", "", (second,), (HOUSE,)),
        Pinned("b", "1.0+x", "implementation_name != 'pypy'", (first, second), (HOUSE, "a")),
    ]


@pytest.mark.parametrize("line", ["a", "a>=1", "-e .", "    --hash=md5:00", "a @ file:///a.whl"])
def test_a_line_that_pins_nothing_is_no_part_of_a_list(tmp_path: Path, line: str) -> None:
    with pytest.raises(ValueError, match=NEITHER):
        pinned_in(tmp_path, f"b==1\n{line}\n")


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-test.txt", "requirements-audit.txt"])
def test_every_package_is_pinned_with_hashes_and_needed_by_somebody(name: str) -> None:
    packages = read_pinned(ROOT / name)
    assert packages and len({package.name for package in packages}) == len(packages)
    assert all(package.hashes and package.needed_by for package in packages)


# ── The list ─────────────────────────────────────────────────────────────────────────────────────
def test_it_names_every_pinned_package_with_all_its_hashes() -> None:
    lines = sbom.REQUIREMENTS.read_text().splitlines()
    pins = [line.split()[0] for line in lines if re.match("[a-z]", line)]
    components = listed()["components"]
    assert sorted(f"{component['name']}=={component['version']}" for component in components) == sorted(pins)
    hashes = [content["content"] for component in components for content in component["hashes"]]
    assert sorted(hashes) == sorted(re.findall("sha256:([0-9a-f]{64})", "\n".join(lines)))


def test_it_keeps_the_rules_of_the_format() -> None:
    """Those that the schema of CycloneDX 1.5 has for what is used of it. The test below asks the schema itself."""
    made = listed()
    assert made["bomFormat"] == "CycloneDX" and made["specVersion"] == "1.5" and made["version"] == 1
    assert set(made) <= {"$schema", "bomFormat", "specVersion", "serialNumber", "version", "metadata", "components",
                         "dependencies"}  # fmt: skip
    assert re.fullmatch("urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", made["serialNumber"])
    assert made["metadata"]["timestamp"] == "2026-11-30T06:00:00Z"
    for component in made["components"]:
        assert component["type"] == "library" and component["purl"] == component["bom-ref"]
        assert re.fullmatch(r"pkg:pypi/[a-z0-9][a-z0-9.-]*@[0-9A-Za-z.%-]+", component["purl"])
        assert all(re.fullmatch("[0-9a-f]{64}", one["content"]) for one in component["hashes"])
        assert {one["alg"] for one in component["hashes"]} == {"SHA-256"}
    house = made["metadata"]["component"]["bom-ref"]
    refs = [house, *(component["bom-ref"] for component in made["components"])]
    assert len(set(refs)) == len(refs) and sorted(refs) == sorted(needs["ref"] for needs in made["dependencies"])


def test_everything_in_it_is_needed_by_the_desk() -> None:
    made = listed()
    depends = {needs["ref"]: needs["dependsOn"] for needs in made["dependencies"]}
    found, to_follow = set[str](), [made["metadata"]["component"]["bom-ref"]]
    while to_follow:
        ref = to_follow.pop()
        to_follow += [] if ref in found else depends[ref]
        found.add(ref)
    assert found == set(depends)


def test_the_same_packages_give_the_same_list_but_for_its_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    earlier, later = listed(), listed(at=AT + timedelta(days=1))
    assert earlier["metadata"].pop("timestamp") != later["metadata"].pop("timestamp")
    assert earlier == later
    packages = read_pinned(sbom.REQUIREMENTS)
    assert listed(packages[1:])["serialNumber"] != earlier["serialNumber"]
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(AT.timestamp())))
    for name in ("one", "two"):
        assert sbom.main([str(tmp_path / name)]) == 0
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


VALIDATE = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
wrong = JsonStrictValidator(SchemaVersion.V1_5).validate_str(open(sys.argv[1]).read())
sys.exit(str(wrong)[:2000] if wrong else 0)
"""


@pytest.mark.slow
def test_the_published_schema_takes_it(tmp_path: Path) -> None:
    """As CycloneDX's own library checks it, strictly, in the environment of the audit."""
    try:
        python = ready()
    except Unready as trouble:
        pytest.skip(f"{LEFT_OUT}The environment of the audit cannot be made: {trouble}")
    file = tmp_path / "sbom.json"
    sbom.main([str(file)])
    good = subprocess.run([python, "-c", VALIDATE, file], capture_output=True, text=True)
    assert good.returncode == 0, good.stderr
    file.write_text(file.read_text().replace("SHA-256", "SHA-255", 1))
    assert subprocess.run([python, "-c", VALIDATE, file], capture_output=True).returncode == 1
