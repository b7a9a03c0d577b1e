"""All settings, read once from the environment. With nothing set, the desk runs against its own sandbox."""

import secrets
import sys
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

from django.core.exceptions import ImproperlyConfigured

from panel.notpanel.signing import Scheme
from panel.ops import env

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = BASE_DIR / ".data"
env.read_file(BASE_DIR / ".env")  # if there is one; what the environment already says wins

# ── The process ──────────────────────────────────────────────────────────────────────────────────
DEBUG = env.flag("DEBUG", default=True)
SECRET_KEY = env.text("SECRET_KEY")
if not SECRET_KEY:
    if not DEBUG:
        raise ImproperlyConfigured(
            "SECRET_KEY is not set. With DEBUG off the desk does not start without one: set a long, random one and "
            "keep it (.env.example says how to make it)."
        )
    SECRET_KEY = "debug-only-" + secrets.token_hex(32)
    if "pytest" not in sys.modules:  # kept in a file, so that a developer stays signed in when the server reloads
        SECRET_KEY = env.kept(DATA_DIR / "debug_secret_key", SECRET_KEY, name="SECRET_KEY")
# Keys from before: what they signed or sealed is still read, and nothing new is made with them.
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
if not DEBUG:
    env.refuse_weak("SECRET_KEY", SECRET_KEY)
    env.refuse_weak("SECRET_KEY_FALLBACKS", *SECRET_KEY_FALLBACKS)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
# Off only where plain HTTP is wanted, as in a demo on this machine: cookies and links then need no TLS.
SECURE = env.flag("SECURE", default=not DEBUG)

# ── The supplier ─────────────────────────────────────────────────────────────────────────────────
# Only what calls the supplier needs the key, which is the worker. Pages need the address: it says whose desk this is.
NOTPANEL_API_KEY = env.text("NOTPANEL_API_KEY")
SANDBOX_URL = "http://127.0.0.1:8701/api/v2"
REAL_URL = "https://notpanel.com/api/v2"
NOTPANEL_API_URL = env.text("NOTPANEL_API_URL", REAL_URL if NOTPANEL_API_KEY else SANDBOX_URL)
SANDBOX = not NOTPANEL_API_KEY and NOTPANEL_API_URL.startswith(env.LOOPBACK)
if SANDBOX:
    NOTPANEL_API_KEY = "sandbox-key"  # the sandbox's own, no secret
elif not NOTPANEL_API_URL.startswith("https://"):
    raise ImproperlyConfigured("NOTPANEL_API_URL must begin with https://, but for a sandbox on this machine.")
if DEBUG and not SANDBOX and not env.text("DEBUG"):  # by default, so perhaps on a server where it was forgotten
    what_is_set = "NOTPANEL_API_KEY" if NOTPANEL_API_KEY else "NOTPANEL_API_URL"
    raise ImproperlyConfigured(
        f"{what_is_set} is set and DEBUG is not: set DEBUG=false, or DEBUG=true to show the desk's insides on purpose "
        "to everybody who meets an error."
    )

# Calls a minute: documented as typical for a key and as fixed for an address. What upstream's answers say counts more.
KEY_CALLS_A_MINUTE = env.number("KEY_CALLS_A_MINUTE", 100, int, least=1, most=100_000)
IP_CALLS_A_MINUTE = env.number("IP_CALLS_A_MINUTE", 300, int, least=1, most=100_000)
# Upstream's memory for a request_id is not documented; beyond this we no longer trust a retry to be harmless.
TRUST_WINDOW_HOURS = env.number("TRUST_WINDOW_HOURS", 12.0, float, least=0.0, most=720.0)
# Books in which nothing was written for so long while something was due may be an old backup: a person releases it.
OLD_BOOKS_AFTER_HOURS = env.number("OLD_BOOKS_AFTER_HOURS", 1.0, float, least=0.1, most=8760.0)
# How long a worker's claim of a task lasts, longer than a call takes (20 s); then another worker may claim it.
LEASE_SECONDS = env.number("LEASE_SECONDS", 60, int, least=1, most=3600)
# How long a person can withdraw an order before the worker may send it; 0: it is sent at once. A first value too.
SEND_DELAY_SECONDS = env.number("SEND_DELAY_SECONDS", 5.0, float, least=0.0, most=3600.0)
# Upstream allows 3 refills per order by default; a different number is agreed with it.
REFILLS_PER_ORDER = env.number("REFILLS_PER_ORDER", 3, int, least=0, most=100)
# Hours after which an accepted refill without further news is presumed settled, as upstream does not tell its end.
REFILL_PRESUMED_SETTLED_AFTER = env.number("REFILL_PRESUMED_SETTLED_AFTER", 72.0, float, least=0.1, most=8760.0)
CATALOG_EVERY_SECONDS = env.number("CATALOG_EVERY_SECONDS", 900, int, least=10, most=86_400)
# First values of what managers set on the desk (accounts/desk_settings.py), as are SEND_DELAY_SECONDS above and
# PRICE_JUMP_PERCENT below. In US dollars: a balance below it is marked on every page, and raises an alarm.
LOW_BALANCE = env.number("LOW_BALANCE", Decimal(20), Decimal, least=Decimal(0), most=Decimal(10**9))
# A time of day, in UTC: a balance that ends before it raises an alarm. `off`: none does.
BALANCE_LASTS_UNTIL = env.clock_time("BALANCE_LASTS_UNTIL", "06:00")
# An order is late when it takes so many hours longer than 95 of 100 of its service's last orders did.
LATE_GRACE_HOURS = env.number("LATE_GRACE_HOURS", 0.0, float, least=0.0, most=720.0)
BALANCE_EVERY_SECONDS = env.number("BALANCE_EVERY_SECONDS", 60, int, least=10, most=86_400)
# Upstream signs its webhooks with one of these secrets; there are several while a new one replaces an old one.
NOTPANEL_WEBHOOK_SECRETS = env.words("NOTPANEL_WEBHOOK_SECRETS")
# How it signs, if not as assumed: `encoding=base64,signature=X-Signature`; see panel/notpanel/signing.py.
try:
    NOTPANEL_WEBHOOK_SCHEME = Scheme.of(env.words("NOTPANEL_WEBHOOK_SCHEME"))
except ValueError as wrong:
    raise ImproperlyConfigured(f"NOTPANEL_WEBHOOK_SCHEME: {wrong}.") from None

# ── Alarms ───────────────────────────────────────────────────────────────────────────────────────
# A rate that moves by more than so many per cent raises an alarm.
PRICE_JUMP_PERCENT = env.number("PRICE_JUMP_PERCENT", 20.0, float, least=1.0, most=1000.0)
# Where people reach the desk, for the links in messages: https://desk.example.com
DESK_URL = env.text("DESK_URL").rstrip("/")
# The chat's incoming webhook. Everybody who knows it can write there, so it is a secret like a password.
ALARM_WEBHOOK_URL = env.address("ALARM_WEBHOOK_URL", loopback=DEBUG or SANDBOX)
# Without EMAIL_URL a desk sends no mail, but with DEBUG on it prints it.
mail = env.mail("EMAIL_URL", "consolemail://" if DEBUG else "", plain=DEBUG)
EMAIL_CONFIGURED = bool(mail)
EMAIL_BACKEND = mail.get("EMAIL_BACKEND", "django.core.mail.backends.dummy.EmailBackend")
EMAIL_HOST, EMAIL_PORT = mail.get("EMAIL_HOST") or "", mail.get("EMAIL_PORT") or 25
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = mail.get("EMAIL_HOST_USER") or "", mail.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS, EMAIL_USE_SSL = mail.get("EMAIL_USE_TLS", False), mail.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10  # seconds that a worker waits for an answer of the mail server
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Order Desk <order-desk@localhost>")

# ── Django ───────────────────────────────────────────────────────────────────────────────────────
INSTALLED_APPS = [
    "orders",
    "catalog",
    "accounts",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "panel",  # last, because its admin unregisters what others register
]
MIDDLEWARE = [
    "panel.site.middleware.to_the_end",
    "panel.site.middleware.request_id",
    "panel.site.middleware.headers",
    "panel.site.middleware.no_plain_http",
    "panel.site.middleware.status_bar",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # It pads its answers, and Django masks the CSRF token anew each time, so lengths tell nothing (BREACH).
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.sessions.activity.middleware",
    "accounts.preferences.middleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.factors.gate.middleware",
    "panel.site.middleware.sturdy",
]
ROOT_URLCONF = "panel.urls"
WSGI_APPLICATION = "panel.wsgi.application"
CONTEXT_PROCESSORS = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "environment": "panel.site.templating.environment",
            "context_processors": [
                *CONTEXT_PROCESSORS,
                "panel.site.status_bar.context",
                "panel.site.templating.csrf_once",
            ],
        },
    },
    {  # Django's own template language, for the admin alone
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates" / "django"],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": CONTEXT_PROCESSORS},
    },
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ── Database ─────────────────────────────────────────────────────────────────────────────────────
own_file = f"sqlite:///{quote(str(DATA_DIR / 'desk.sqlite3'))}"
DATABASE_URL = env.text("DATABASE_URL") or own_file
database = env.database("DATABASE_URL", own_file)
DATABASES = {"default": database}
if not DEBUG and not database["ENGINE"].endswith("sqlite3"):
    env.require_tls("DATABASE_URL", str(database["HOST"] or ""), database.get("OPTIONS", {}).get("sslmode", ""))
if database["ENGINE"].endswith("sqlite3"):
    database["OPTIONS"] = {
        # A transaction that reads first and writes later fails at once under WAL; with IMMEDIATE it waits its turn.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # With NORMAL instead of FULL a power cut can take back a request_id that was already sent.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA mmap_size=268435456;",
    }
# A request goes on with its thread's connection: a new one costs as much as a small page. PostgreSQL may have restarted
# meanwhile, so it is asked first; panel/ops/connections.py looks whether SQLite's file is still the same.
database |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
# Throttles of allauth count in a cache that every process shares; a migration makes its table. A full one forgets.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "desk_cache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}

# ── People ───────────────────────────────────────────────────────────────────────────────────────
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.sign_in.backend.OneHashBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"accounts.invitations.passwords.{name}"} for name in ("LongEnough", "NotKnown", "NotOfTheDesk")
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "orders:index"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "accounts.adapter.TeamAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
# The second factor: accounts/factors/. It also asks for proofs that it is still you: allauth would lose what was typed.
MFA_ADAPTER = "accounts.factors.adapter.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_REAUTHENTICATION_REQUIRED = False
MFA_TOTP_ISSUER = "Order Desk"
MFA_TOTP_TOLERANCE = 1  # a code is also taken half a minute before and after: clocks differ
MFA_FORMS = {name: f"accounts.factors.forms.{form}" for name, form in (
    ("activate_totp", "AppForm"), ("authenticate", "SignInCodeForm"), ("authenticate_webauthn", "SignInPasskeyForm"),
    ("add_webauthn", "NewPasskeyForm"), ("login_webauthn", "PasskeyAloneForm"),
)}  # fmt: skip
# Our own throttle (accounts/sign_in/throttle.py) counts each try of a password, and knows who has signed in before.
ACCOUNT_RATE_LIMITS = {"login": None}
SESSION_ENGINE = "accounts.sessions.store"
# A session ends when nobody has used it for so long, and so long after the sign-in. Polls of open pages are no use.
SESSION_IDLE_HOURS = env.number("SESSION_IDLE_HOURS", 12.0, float, least=0.1, most=720.0)
SESSION_HOURS = env.number("SESSION_HOURS", 168.0, float, least=0.1, most=2160.0)
SESSION_COOKIE_AGE = round(SESSION_HOURS * 3600)  # seconds

# ── Words, time, files ───────────────────────────────────────────────────────────────────────────
LANGUAGE_CODE = "en-gb"
USE_I18N = False
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env.text("STATIC_ROOT") or DATA_DIR / "static")
HASHED = "panel.site.static_files.UncommentedStorage"
PLAIN = "django.contrib.staticfiles.storage.StaticFilesStorage"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": PLAIN if DEBUG else HASHED},
}
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_ALLOW_ALL_ORIGINS = False  # no other site has a use for our files
WHITENOISE_MIMETYPES = {".svg": "image/svg+xml; charset=utf-8"}

# A dry run sends a field for each of its orders that is ticked, of up to 5,000 orders.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 6_000
# The desk takes no files. Django would write one of any size to the disk, also a stranger's, before a view is asked.
FILE_UPLOAD_HANDLERS = ["panel.web.uploads.NoFiles"]

# ── Safety ───────────────────────────────────────────────────────────────────────────────────────
SECURE_SSL_REDIRECT = SECURE
# Machines ask these. One that was led on to https would go on to send its first try in the clear, and nobody noticed.
SECURE_REDIRECT_EXEMPT = [r"^healthz", r"^webhooks/"]
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_HSTS_PRELOAD = SECURE
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
# With these names a browser takes the cookies from this host over TLS alone, so no neighbour can plant its own.
OWN_COOKIE = "__Host-" if SECURE else ""
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{OWN_COOKIE}sessionid", f"{OWN_COOKIE}csrftoken"
MESSAGE_STORAGE = "panel.site.flash_messages.CookieThenSession"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "panel.site.views.stale_form"
DEFAULT_EXCEPTION_REPORTER_FILTER = "panel.ops.error_report.DiscreetFilter"
# The proxy in front that ends TLS must set this header itself and strip it from what visitors send.
BEHIND_PROXY = env.flag("BEHIND_PROXY", default=False)
# How many proxies add to X-Forwarded-For: a visitor's address is that which the outermost of them saw.
TRUSTED_PROXIES = env.number("TRUSTED_PROXIES", 1 if BEHIND_PROXY else 0, int, least=0, most=10)
if bool(TRUSTED_PROXIES) != BEHIND_PROXY:
    raise ImproperlyConfigured("BEHIND_PROXY and TRUSTED_PROXIES disagree: with proxies in front both are set.")
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES

# ── Logs ─────────────────────────────────────────────────────────────────────────────────────────
LOG_FORMAT = env.choice("LOG_FORMAT", "TEXT" if DEBUG else "JSON", ("TEXT", "JSON"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"context": {"()": "panel.ops.logs.Context"}},
    "formatters": {"desk": {"()": f"panel.ops.logs.{LOG_FORMAT.title()}"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "desk", "filters": ["context"]}},
    "root": {"handlers": ["stderr"], "level": env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))},
    "loggers": {
        "django": {"handlers": [], "level": "INFO"},  # without Django's own, which would write every line twice
        "django.utils.autoreload": {"level": "WARNING"},
        "urllib3": {"level": "ERROR"},  # below that it logs each address it calls, and the chat's is a secret
    },
}
