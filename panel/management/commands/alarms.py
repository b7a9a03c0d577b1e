"""`manage.py alarms`: evaluates the alarms without a worker, so that somebody learns when none runs."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from panel.alarms.evaluate import evaluate
from panel.alarms.models import Alarm
from panel.alarms.notify import send_due_notice


class Command(BaseCommand):
    """Evaluates the alarms once, sends all messages that are due, and prints the open alarms."""

    help = (
        "Checks for alarms, sends the messages that are due, then exits. For cron: it also notices when no worker runs."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        evaluate(timezone.now())
        while send_due_notice(timezone.now()):
            pass
        for alarm in Alarm.objects.open():
            self.stdout.write(str(alarm))
