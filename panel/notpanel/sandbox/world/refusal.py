"""What the sandbox raises to refuse a call."""


class Refused(Exception):
    """A sentence and its HTTP status; becomes `{"error": …}`, and nothing of the call takes effect."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status
