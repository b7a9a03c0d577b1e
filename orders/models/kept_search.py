"""Searches that people typed, kept so that their addresses name them by a key and tell nothing of customers."""

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.http import QueryDict
from django.utils import timezone
from django.utils.crypto import salted_hmac

from orders.models.saved_view import SavedView

SEARCH_CHARACTERS = 8_000  # of a search
KEY_CHARACTERS = 24
KEPT_FOR = timedelta(days=30)  # since it was typed last; for as long as a saved view shows it
SALT = "orders.kept_search"


class KeptSearchQuerySet(models.QuerySet["KeptSearch"]):
    """Kept searches: how they are written, found and forgotten."""

    def keep(self, typed: str) -> str:
        """Keeps a search and returns its key, which is the same for the same text; forgets old searches."""
        text = cleaned_search(typed)
        key = salted_hmac(SALT, text, algorithm="sha256").hexdigest()[:KEY_CHARACTERS]
        # In one statement, since two people may type the same at once.
        self.bulk_create(
            [KeptSearch(key=key, text=text)], update_conflicts=True, unique_fields=["key"], update_fields=["typed_at"]
        )
        self.forget_old()
        return key

    def text_of(self, key: str) -> str | None:
        """The text of a kept search, or None when it is not kept any more."""
        return self.filter(key=key[:KEY_CHARACTERS]).values_list("text", flat=True).first()

    def forget_old(self) -> None:
        """Deletes the searches that nobody has typed for KEPT_FOR and no saved view shows."""
        old = self.filter(typed_at__lt=timezone.now() - KEPT_FOR)
        if old.exists():
            queries = SavedView.objects.filter(query__contains="s=").values_list("query", flat=True)
            old.exclude(key__in=[QueryDict(query).get("s", "") for query in queries]).delete()


class KeptSearch(models.Model):
    """One search as it was typed. Anybody of the team who has its address may see it."""

    key = models.CharField(max_length=KEY_CHARACTERS, unique=True, help_text="In addresses, in place of the text.")
    text = models.TextField()
    # Which are old: `forget_old`.
    typed_at = models.DateTimeField(default=timezone.now, db_index=True)

    objects: ClassVar[KeptSearchQuerySet] = KeptSearchQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name_plural = "kept searches"
        ordering = ("-typed_at",)

    def __str__(self) -> str:
        return f"Search {self.key}"


def cleaned_search(typed: str) -> str:
    """A search as it is kept and read: PostgreSQL stores no NUL characters, and no more than SEARCH_CHARACTERS."""
    return typed.replace("\0", " ").strip()[:SEARCH_CHARACTERS]
