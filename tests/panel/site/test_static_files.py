"""Our scripts and styles are served without comments, and otherwise as they are."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile

from panel.site.static_files import UncommentedStorage

SCRIPT = "// What it does.\nconst to = 'https://a.example'; // stays\n  // Why.\nconst b = `//`;\n"
STYLE = "/* Two\n   lines. */\na { color: red; } /* why */\nb::after { content: '/'; }\n"


@pytest.mark.parametrize(
    ("name", "whole", "served"),
    [
        ("desk.0a1b2c.js", SCRIPT, "const to = 'https://a.example'; // stays\nconst b = `//`;\n"),
        ("css/desk.css", STYLE, "a { color: red; } b::after { content: '/'; }\n"),
        ("admin/js/core.js", SCRIPT, SCRIPT),
        ("icons.svg", "<!-- 1 -->", "<!-- 1 -->"),
    ],
)
def test_only_our_own_scripts_and_styles_lose_their_comments(
    tmp_path: Path, settings: Any, name: str, whole: str, served: str
) -> None:
    """Also where their content was read to its end before, as for a hash."""
    content = ContentFile(whole.encode())
    content.read()
    UncommentedStorage(tmp_path).save(name, content)
    assert (tmp_path / name).read_text() == served
