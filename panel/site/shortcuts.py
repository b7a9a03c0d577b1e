"""The keyboard shortcuts, for the page that lists them; static/keys.js makes them work."""

ASKING = (("r", "Refill: asks first"), ("c", "Cancel: asks first"))
# Where the keys work, then each key with what it does. Keys with a space between them are pressed one after the other.
KEYS = (
    ("Anywhere", (
        ("Ctrl+K", "Go to a place, a service or an order"), ("/", "Search"), ("n", "New order"),
        ("[", "Previous page, or order"), ("]", "Next page, or order"), ("u", "Up to the list"), ("?", "These keys"),
    )),
    ("In a list", (
        ("j", "Next row"), ("k", "Previous row"), ("Enter", "Open the row"), ("x", "Tick the row"),
        ("Shift+X", "Tick all from the last tick to this row"), *ASKING,
    )),
    ("On an order’s page", ASKING),
    ("While it asks", (("Enter", "Yes"), ("Escape", "Keep it as it is"))),
)  # fmt: skip
