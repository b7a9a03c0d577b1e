"""What the desk is made of, as a CycloneDX list in JSON: `python -m tests.supply.sbom [FILE]`.

It is made from requirements.txt alone and asks nobody. The same packages give the same list but for its time, which
SOURCE_DATE_EPOCH sets (seconds since 1970), as for other builds that can be repeated.
"""

import json
import os
import sys
import time
import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from tests import ROOT
from tests.supply.pinned import HOUSE, Pinned, read_pinned

FILE = ROOT / "sbom.cdx.json"
REQUIREMENTS = ROOT / "requirements.txt"


def main(arguments: Sequence[str]) -> int:
    """Writes the list and says where."""
    file = Path(arguments[0]) if arguments else FILE
    packages = read_pinned(REQUIREMENTS)
    at = datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH") or time.time()), UTC)
    file.write_text(json.dumps(sbom(packages, own_version(), at), indent=2) + "\n")
    print(f"sbom: {len(packages)} packages in {file.name}")
    return 0


def own_version() -> str:
    """The desk's own."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def sbom(packages: Sequence[Pinned], version: str, at: datetime) -> dict[str, Any]:
    """The list of these packages, as what the desk of this version needs. Its serial number follows from them."""
    house = f"pkg:generic/order-desk@{version}"
    refs = {HOUSE: house} | {package.name: ref(package) for package in packages}
    depends = {
        own: sorted(ref(package) for package in packages if name in package.needed_by) for name, own in refs.items()
    }
    components = [component(package) for package in packages]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, json.dumps([house, components, depends]))}",
        "version": 1,
        "metadata": {
            "timestamp": at.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "lifecycles": [{"phase": "pre-build"}],  # what is to be installed, not what was found somewhere
            "component": {"type": "application", "bom-ref": house, "name": "order-desk", "version": version},
        },
        "components": components,
        "dependencies": [{"ref": own, "dependsOn": needs} for own, needs in sorted(depends.items())],
    }


def component(package: Pinned) -> dict[str, Any]:
    """One package. It may be installed from any file that has one of the hashes."""
    own: dict[str, Any] = {
        "type": "library",
        "bom-ref": ref(package),
        "name": package.name,
        "version": package.version,
        "scope": "required",
        "hashes": [{"alg": "SHA-256", "content": content} for content in package.hashes],
        "purl": ref(package),
    }
    if package.marker:
        own["properties"] = [{"name": "order-desk:installed-where", "value": package.marker}]
    return own


def ref(package: Pinned) -> str:
    """Its package URL, which names it inside the list too. A `+` of a version is written as %2B."""
    return f"pkg:pypi/{package.name.replace('_', '-')}@{package.version.replace('+', '%2B')}"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
