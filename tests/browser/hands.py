"""What a job costs the person who does it: clicks and keys, counted by the page itself, and the seconds they take."""

from playwright.sync_api import Page

# Trusted events alone: what a script does for the person is no work. A key that is held down is one key.
COUNTS = """(() => {
  const add = (what) => sessionStorage.setItem(what, Number(sessionStorage.getItem(what) ?? 0) + 1);
  addEventListener("pointerdown", (event) => event.isTrusted && add("counted-clicks"), true);
  addEventListener("keydown", (event) => event.isTrusted && !event.repeat && add("counted-keys"), true);
})()"""
# The keystroke-level model of Card, Moran and Newell (1980), for a person who types as most do: to decide 1.35 s, to
# point 1.1 s, to press 0.2 s; a key 0.28 s. So it is the same on every machine; the desk's own time comes on top.
SECONDS_A_CLICK, SECONDS_A_KEY = 1.35 + 1.1 + 0.2, 0.28


class Hands:
    """A person's hands on a page, which is loaded anew so that everything is counted from now on."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.add_init_script(COUNTS)
        page.reload()

    def _counted(self, what: str) -> int:
        number: int = self.page.evaluate("what => Number(sessionStorage.getItem(what) ?? 0)", f"counted-{what}")
        return number

    @property
    def clicks(self) -> int:
        return self._counted("clicks")

    @property
    def seconds(self) -> float:
        """How long a skilled person takes for what was counted."""
        return self.clicks * SECONDS_A_CLICK + self._counted("keys") * SECONDS_A_KEY

    def press(self, role: str, name: str) -> None:
        """One click on the first part of the page with this role and name."""
        self.page.get_by_role(role, name=name).first.click()  # type: ignore[arg-type]

    def type(self, *words: str) -> None:
        """Types where the focus is: words as they are, and keys by their names in angle brackets (<Enter>)."""
        for word in words:
            if word.startswith("<"):
                self.page.keyboard.press(word.strip("<>"))
            else:
                self.page.keyboard.type(word)

    def paste(self, text: str) -> None:
        """Pastes what was copied elsewhere: two keys."""
        self.page.evaluate("text => navigator.clipboard.writeText(text)", text)
        self.page.keyboard.press("ControlOrMeta+KeyV")

    def clipboard(self) -> str:
        text: str = self.page.evaluate("navigator.clipboard.readText()")
        return text
