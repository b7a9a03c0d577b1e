"""The services that a person has starred."""

from typing import Any

from catalog.models import Favourite, Service


def star(service: Service, on: bool, *, by: Any) -> None:
    """Stars the service for this person, or takes the star away. Repeating it changes nothing."""
    if on:
        Favourite.objects.get_or_create(user=by, service=service)
    else:
        Favourite.objects.filter(user=by, service=service).delete()


def starred(user: Any) -> Any:
    """Our ids of this person's favourites, as a queryset to use inside another."""
    return Favourite.objects.filter(user=user).values("service")
