"""`manage.py alarms`: looks and tells without a worker, so that somebody learns when none runs."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from panel.alarms.evaluate import look
from panel.alarms.models import Alarm
from panel.alarms.notify import tell


class Command(BaseCommand):
    help = "Looks for alarms and sends what is due, then exits. For cron: it also notices that no worker runs."

    def handle(self, *args: Any, **options: Any) -> None:
        look(timezone.now())
        while tell(timezone.now()):
            pass
        for alarm in Alarm.objects.open():
            self.stdout.write(str(alarm))
