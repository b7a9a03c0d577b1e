"""The desk's own scripts and styles as they are served: without the comments that only their readers need."""

import re
from typing import Any

from django.core.files.base import ContentFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

OWN = re.compile(r"(css/)?[^/]+\.(js|css)")  # names of our own files; what packages bring lies deeper
# In scripts only lines that are nothing but a comment: “//” within a line may be part of an address.
COMMENTS = {"js": re.compile(rb"^[ \t]*//.*\n", re.MULTILINE), "css": re.compile(rb"/\*.*?\*/\n?", re.DOTALL)}


class UncommentedStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # untyped
    """Collects static files for a web server: hashed, compressed, and our own without comments: 3 kB less to load."""

    def _save(self, name: str, content: Any) -> str:
        if own := OWN.fullmatch(name):
            whole = b"".join(content.chunks())  # from its beginning, wherever its hash was read to
            content = ContentFile(COMMENTS[own[2]].sub(b"", whole))
        saved: str = super()._save(name, content)
        return saved
