"""What each type of service asks for: one row a type, one row a field. No other file knows which type takes what.

The types and their fields are the trade's standard; the supplier documents none beyond link and quantity.
"""

from typing import NamedTuple

from catalog.models import Service, type_key


class Field(NamedTuple):
    """One field of the order form: its label, and how it is typed."""

    label: str
    kind: str  # line, number, name, date, or lines (one a line)
    help: str = ""
    unit: str = ""  # shown after the number


FIELDS = {
    "link":          Field("Link", "line", "Of the post or the profile, as the customer sent it. We never open it."),
    "quantity":      Field("Quantity", "number"),
    "comments":      Field("Comments", "lines", "One a line. Their number is the quantity."),
    "usernames":     Field("User names", "lines", "Who is mentioned, one a line."),
    "answer_number": Field("Answer", "number", "Which answer of the poll is voted for: 1 is the first."),
    "username":      Field("User name", "name", "Whose new posts are served, such as @lumen.studio."),
    "min":           Field("Least per post", "number"),
    "max":           Field("Most per post", "number"),
    "posts":         Field("New posts", "number", "How many to serve; empty: until it is stopped."),
    "old_posts":     Field("Old posts", "number", "How many that are there already are served too."),
    "delay":         Field("Delay", "number", "Minutes between a new post and the start.", "min"),
    "expiry":        Field("Until", "date", "The last day on which new posts are served."),
    "other":         Field("Further fields", "lines", "As name: value, one a line. A name may come again."),
    "runs":          Field("Runs", "number", "How often the quantity is delivered. Empty: once."),
    "interval":      Field("Minutes between runs", "number"),
    "coupon":        Field("Coupon", "line", "The supplier says whether it is valid; our estimate is without it."),
}  # fmt: skip


class ServiceType(NamedTuple):
    """Which fields of FIELDS one type of service asks for."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    note: str = ""
    counts: str = ""  # the field whose lines are the quantity
    known: bool = True

    @property
    def fields(self) -> tuple[str, ...]:
        """The type's own fields, in the order of the form."""
        return tuple(name for name in FIELDS if name in self.required or name in self.optional)


TYPES = {
    "default":         ServiceType(("link", "quantity")),
    "package":         ServiceType(("link",), note="A package is bought whole: there is no quantity to choose."),
    "custom comments": ServiceType(("link", "comments"), counts="comments"),
    "mentions":        ServiceType(("link", "quantity", "usernames")),
    "poll":            ServiceType(("link", "quantity", "answer_number")),
    "subscriptions":   ServiceType(("username", "min", "max"), ("posts", "old_posts", "delay", "expiry"),
                             note="The supplier bills a subscription at the service’s minimum when it is ordered."),
}  # fmt: skip
TYPES_BY_KEY = {type_key(name): service_type for name, service_type in TYPES.items()}  # however they are spelled
UNKNOWN_TYPE = ServiceType(
    ("link",),
    ("quantity", "other"),
    note="The desk does not know services of this type. What you fill in goes to the supplier as it stands, "
    "and the supplier decides whether that is enough.",
    known=False,
)
DRIP_FEED = ("runs", "interval")


def service_type_of(service: Service | None) -> ServiceType:
    """The row of TYPES for a service, or UNKNOWN_TYPE. Before a service is chosen, the default type."""
    return TYPES_BY_KEY.get(type_key(service.type), UNKNOWN_TYPE) if service else TYPES["default"]


def may_drip(service: Service | None) -> bool:
    """Whether the service can be delivered in runs."""
    return bool(service and service.dripfeed and "quantity" in service_type_of(service).fields)


def form_fields_of(service: Service | None) -> tuple[str, ...]:
    """Every field of the form for this service, in the order of the form."""
    return (*service_type_of(service).fields, *(DRIP_FEED if may_drip(service) else ()), "coupon")
