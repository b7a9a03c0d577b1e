"""Who is on the team."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import Role, needs
from accounts.models import User


@require_safe
@needs("look")
def team(request: HttpRequest) -> HttpResponse:
    people = User.objects.order_by("-is_active", "name", "username")
    return render(request, "accounts/team.html", {"people": people, "roles": Role})
