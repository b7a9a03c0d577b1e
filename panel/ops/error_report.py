"""Which values Django's debug page and error mails may show."""

import re
from collections.abc import ItemsView
from types import FrameType
from typing import Any

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter


class DiscreetFilter(SafeExceptionReporterFilter):
    """Masks values by their names as Django does, but also with DEBUG on, and also local variables.

    It masks the names of addresses that hold a password as well.
    """

    hidden_settings = re.compile(
        "API|AUTH|TOKEN|KEY|SECRET|PASS|SIGNATURE|HTTP_COOKIE|DATABASE_URL|WEBHOOK_URL|EMAIL_URL", re.IGNORECASE
    )

    def is_active(self, request: HttpRequest | None) -> bool:
        """Always; Django's own filter shows everything while DEBUG is on."""
        return True

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: FrameType) -> ItemsView[str, Any]:
        """The local variables of a frame, masked by their names."""
        variables = super().get_traceback_frame_variables(request, tb_frame)
        return {name: self.cleanse_setting(name, value) for name, value in variables}.items()
