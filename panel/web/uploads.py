"""Refuses files: no form of the desk has one, and a body may be as long as its sender likes."""

from typing import Any, NoReturn

from django.core.files.uploadhandler import FileUploadHandler
from django.http.multipartparser import MultiPartParserError


class NoFiles(FileUploadHandler):
    """Answers a request that brings a file with 400, before a byte of it is kept. FILE_UPLOAD_HANDLERS names it."""

    def new_file(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuses the file that begins here."""
        raise MultiPartParserError("The desk takes no files.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Never called, because no file begins."""

    def file_complete(self, file_size: int) -> None:
        """Never called, because no file begins."""
