"""System checks of the desk, each with an id. Each tells of something that would go wrong on a real desk."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Info, Tags, Warning, register

from panel.ops.start import uncollected


@register(Tags.security, deploy=True)
def check_supplier(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """desk.W001: a deployed desk has no key and runs against its own sandbox."""
    if not settings.SANDBOX:
        return []
    hint = "Set NOTPANEL_API_KEY (or NOTPANEL_API_KEY_FILE)."
    return [Warning("No NOTPANEL_API_KEY: the desk runs against its own sandbox.", hint=hint, id="desk.W001")]


@register(Tags.database)
def check_durability(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """desk.W002: SQLite may lose a committed request_id when power goes."""
    database = settings.DATABASES["default"]
    if not database["ENGINE"].endswith("sqlite3") or "synchronous=FULL" in database["OPTIONS"]["init_command"]:
        return []
    return [Warning("SQLite without synchronous=FULL can lose an order that was sent.", id="desk.W002")]


@register(Tags.staticfiles, deploy=True)
def check_static_files(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """desk.W003: no page can be shown, because style sheets and scripts were not collected."""
    if not (why := uncollected()):
        return []
    return [Warning(why, hint=f"STATIC_ROOT is {settings.STATIC_ROOT}.", id="desk.W003")]


@register(Tags.security, deploy=True)
def check_repository(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """desk.I001: the source's whole history lies where the desk runs, for whoever breaks in. Told, and no failure."""
    if not (settings.BASE_DIR / ".git").exists():
        return []
    hint = "Deploy a copy without it: git archive --prefix=desk/ HEAD | tar x -C /srv"
    return [Info("A .git folder lies beside the code.", hint=hint, id="desk.I001")]
