"""The sandbox's no: a sentence and its HTTP status."""


class Refused(Exception):
    """Becomes `{"error": str(self)}`; nothing of the call takes effect."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status
