"""Takes files at the addresses that ask for one, within a bound; everywhere else files are refused.

A body may be as long as its sender likes, and Django would write a file to the disk before a view is asked.
"""

from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http.multipartparser import MultiPartParserError

TAKEN_AT = frozenset({"/orders/mass/"})  # paths; a test compares them with the addresses
KEPT_BYTES = 2_000_001  # of one file: one more than a list may have, so that its view can say that it is too large
MOST_BYTES = 4 * KEPT_BYTES  # a body that goes on longer is not read to its end


class NoFiles(FileUploadHandler):
    """Answers a request that brings a file with 400, before a byte of it is kept, but where TAKEN_AT names its path.

    FILE_UPLOAD_HANDLERS names it. What it takes stays in memory and never comes to the disk.
    """

    kept = BytesIO()
    size = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Refuses the file that begins here, or makes room for it."""
        super().new_file(*args, **kwargs)
        if self.request is None or self.request.path not in TAKEN_AT:
            raise MultiPartParserError("The desk takes no files.")
        self.kept, self.size = BytesIO(), 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Keeps the beginning of a file, as much as its view reads."""
        self.size += len(raw_data)
        if self.size > MOST_BYTES:
            raise MultiPartParserError("This file is too large.")
        self.kept.write(raw_data[: KEPT_BYTES - self.kept.tell()])

    def file_complete(self, file_size: int) -> SimpleUploadedFile:
        """The file that a view reads."""
        return SimpleUploadedFile(self.file_name or "", self.kept.getvalue())
