"""The rooms as data: which room may import which, and the few exceptions to the rules for rooms."""

GROUND = frozenset({"panel.format", "panel.web", "panel.ops", "panel.notpanel"})
APPS = (
    frozenset({"accounts", "accounts.factors", "accounts.models", "accounts.trail", "catalog"}) | GROUND
)  # what stands below the orders
CORE = APPS | {"orders.rules", "orders.models"}  # what every room of the orders may import

# Room → the rooms it may import besides itself. A module is in the room with the longest name that its own begins with.
ROOMS: dict[str, frozenset[str]] = {
    # The ground: imports nothing of ours.
    "panel.format": frozenset(),
    "panel.web": frozenset(),
    "panel.ops": frozenset(),
    "panel.notpanel": frozenset(),
    # The sandbox shares no code with the client that it tests.
    "panel.notpanel.sandbox": frozenset(),
    "panel.notpanel.sandbox.faults": frozenset(),
    "panel.notpanel.sandbox.world": frozenset({"panel.notpanel.sandbox.faults"}),
    "panel.notpanel.sandbox.webhooks": frozenset({"panel.notpanel.sandbox.faults", "panel.notpanel.sandbox.world"}),
    "panel.notpanel.sandbox.api": frozenset({"panel.notpanel.sandbox.webhooks", "panel.notpanel.sandbox.world"}),
    "panel.notpanel.sandbox.http": frozenset({
        "panel.notpanel.sandbox.api", "panel.notpanel.sandbox.faults",
        "panel.notpanel.sandbox.webhooks", "panel.notpanel.sandbox.world",
    }),
    # The two small apps, and the rooms of the first, which records sign-ins and asks for proofs itself.
    "accounts": GROUND | {
        "accounts.factors", "accounts.models", "accounts.sessions", "accounts.sign_in", "accounts.team",
        "accounts.trail",
    },
    "accounts.models": GROUND | {"accounts", "accounts.trail"},
    "accounts.sign_in": GROUND | {"accounts", "accounts.models", "accounts.trail"},
    "accounts.trail": GROUND | {"accounts", "accounts.models"},
    "accounts.sessions": GROUND | {"accounts", "accounts.factors", "accounts.models", "accounts.sign_in"},
    "accounts.factors": GROUND | {"accounts", "accounts.models", "accounts.sign_in"},
    "accounts.invitations": GROUND | {
        "accounts", "accounts.factors", "accounts.models", "accounts.sign_in", "accounts.team", "accounts.trail",
    },
    "accounts.team": GROUND | {
        "accounts", "accounts.factors", "accounts.invitations", "accounts.models", "accounts.sign_in", "accounts.trail",
    },
    "accounts.roles": GROUND | {"accounts", "accounts.factors", "accounts.models"},
    "catalog": GROUND | {"accounts.trail"},
    # The orders.
    "orders.rules": APPS,
    "orders.models": APPS | {"orders.rules"},
    "orders.table": CORE | {"accounts.sign_in"},
    "orders.statistics": CORE,
    "orders.webhooks": CORE,
    "orders.teamwork": CORE,
    "orders.activity": CORE | {"accounts.sign_in"},
    "orders.selling": CORE,
    "orders.customers": CORE | {"orders.answers", "orders.selling", "orders.statistics", "orders.table"},
    "orders.limits": CORE | {"accounts.sign_in", "orders.statistics"},
    "orders.aftersale": CORE | {"orders.table"},
    "orders.approvals": CORE | {"orders.aftersale", "orders.limits", "orders.table"},
    "orders.placing": CORE | {
        "accounts.sign_in", "orders.aftersale", "orders.approvals", "orders.customers", "orders.limits",
        "orders.selling", "orders.statistics", "orders.table",
    },
    "orders.following": CORE | {"orders.aftersale", "orders.table", "orders.webhooks"},
    "orders.answers": CORE,
    "orders.bulk": CORE | {"orders.aftersale", "orders.answers", "orders.table", "orders.teamwork"},
    "orders.mass": CORE | {
        "orders.aftersale", "orders.limits", "orders.placing", "orders.selling", "orders.statistics", "orders.table",
    },
    "orders.plans": CORE | {"orders.limits", "orders.mass", "orders.table"},
    "orders.reports": CORE | {"orders.statistics"},
    "orders.saved_reports": CORE | {"orders.reports", "orders.table"},
    "orders.detail": CORE | {
        "orders.aftersale", "orders.answers", "orders.approvals", "orders.customers", "orders.following",
        "orders.placing", "orders.selling", "orders.statistics", "orders.table", "orders.teamwork", "orders.webhooks",
    },
}  # fmt: skip
ORDERS = frozenset(room for room in ROOMS if room.startswith("orders."))
DOOR = frozenset({"accounts.sessions", "accounts.sign_in"})  # what happens before and around every page

# The roof: sees all of the orders.
ROOMS |= {
    "panel.upstream": CORE | ORDERS,
    "panel.alarms": CORE | DOOR | ORDERS | {"panel.upstream"},
    "panel.site": CORE | DOOR | ORDERS | {"panel.upstream"},
    "panel.worker": CORE | DOOR | ORDERS | {"panel.alarms", "panel.upstream"},
    "panel.demo": CORE | ORDERS | {"accounts.roles", "panel.upstream"},
}
# What happened while a person was away, alarms too. Only the addresses and the demo see it.
ROOMS["panel.demo"] |= {"orders.handover"}
ROOMS["orders.handover"] = CORE | ORDERS | {"panel.alarms"}
ROOF = frozenset(ROOMS)
ROOMS["panel.management"] = ROOF

# Files that stand beside the rooms, because Django looks for them there → the rooms they may import.
DOORS: dict[str, frozenset[str]] = {
    "accounts.apps": frozenset({"accounts.sign_in", "accounts.trail"}),
    "orders.admin": ROOF,
    "orders.apps": ROOF,
    "orders.urls": ROOF,
    "panel.admin": ROOF,
    "panel.apps": ROOF,
    "panel.models": ROOF,
    "panel.settings": frozenset({"panel.notpanel", "panel.ops"}),
    "panel.urls": ROOF,
    "panel.wsgi": ROOF,
}
# Rooms that hold no code of their own: a package of packages, or one that a rule of Django's prescribes.
SHELLS = frozenset({"panel.notpanel.sandbox", "panel.management"})
FEWEST_MODULES, MOST_MODULES = 3, 11
MOST_LINES = 400

# The only modules that write the status of an order.
WRITES_STATUS = frozenset({
    "orders.aftersale.withdraw",
    "orders.approvals.decide",
    "orders.following.absorb",
    "orders.placing.review",
    "orders.placing.submit",
})  # fmt: skip

# The only modules that hold a Client: what runs in the worker, or is a command of a person at a shell.
HOLDS_A_CLIENT = frozenset({
    "accounts.balance",
    "catalog.sync",
    "orders.aftersale.submit",
    "orders.following.poll",
    "orders.placing.probe",
    "orders.placing.submit",
    "panel.management.commands.register_webhook",
    "panel.management.commands.sync_catalog",
    "panel.management.commands.worker",
    "panel.upstream.client",
    "panel.worker.loop",
    "panel.worker.recurring",
})  # fmt: skip
# Where the web comes in; nothing that these lead to, also by a name in a text, may hold a Client.
WEB_ENTRANCES = ("panel.settings", "panel.urls", "panel.wsgi", "accounts.admin", "catalog.admin", "orders.admin",
                 "panel.admin")  # fmt: skip

# Names of modules that said nothing to a stranger, by app. What they are called now is in README's map.
OLD_NAMES = {
    "orders": (
        "acting", "assigning", "batches", "bulking", "carrying", "deciding", "deliveries", "doubts", "endings",
        "exporting", "facets", "finding", "hearing", "jobs", "marks", "measuring", "narrowing", "noting", "pace",
        "probing", "progress", "purse", "receipts", "reviewing", "rhythm", "ringing", "saved", "saving", "searching",
        "sending", "sentences", "sets", "story", "sums", "tally", "tasks", "terms", "traits", "turned_away", "upkeep",
        "walking", "webhook_page", "wishes", "wording",
    ),
    "panel": ("bar", "bells", "calls", "chores", "discretion", "line", "query", "reader", "record", "rings"),
}  # fmt: skip
