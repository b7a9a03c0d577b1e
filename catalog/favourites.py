"""The services that a person starred."""

from typing import Any

from catalog.models import Favourite, Service


def star(service: Service, on: bool, *, by: Any) -> None:
    """Stars it or takes the star away, whatever was before."""
    if on:
        Favourite.objects.get_or_create(user=by, service=service)
    else:
        Favourite.objects.filter(user=by, service=service).delete()


def starred(user: Any) -> Any:
    """Our ids of this person's favourites, for a query."""
    return Favourite.objects.filter(user=user).values("service")
