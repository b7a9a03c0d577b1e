"""`manage.py verify_trail`: verifies every line of the trail and its chain, and names what is wrong."""

import sys
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.models import ChainHead
from accounts.trail.verify import verify_all
from panel.format.numbers import number
from panel.ops.database import ONLY_ROW

NAMED = 20  # things that are wrong, after which the others are not looked for


class Command(BaseCommand):
    """Reads the whole trail, a link of its chain at a time. Ends with 1 when anything is wrong."""

    help = "Verifies the trail: whether a line was changed, removed, inserted or moved, or its end cut off."

    def add_arguments(self, parser: CommandParser) -> None:
        words = "a seal that was written down elsewhere: whether it is still in the chain"
        parser.add_argument("--head", default="", metavar="DIGEST", help=words)

    def handle(self, *args: Any, **options: Any) -> None:
        head = ChainHead.objects.filter(pk=ONLY_ROW).first()
        found = list(islice(verify_all(options["head"].strip().lower()), NAMED))
        for each in found:
            self.stderr.write(f"{each.what}: {each.words}")
        if found:
            self.stderr.write("The trail is broken. The page of activity says what to do now.")
            sys.exit(1)
        lines, links = (head.lines, head.number) if head else (0, 0)
        self.stdout.write(f"{number(lines)} lines in {number(links)} links: all as they were written.")
        self.stdout.write(f"Last seal: {bytes(head.digest).hex() if head else ''}")
