"""The sign-in form's answer while somebody has to wait, and the owners' page of what happened at the door."""

from http import HTTPStatus
from typing import Any

from allauth.account.views import LoginView
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import needs
from accounts.models import DoorEvent, User
from accounts.models.trail import before_line
from accounts.sign_in.record import GROUPS, detail_of, kind_of
from panel.web.paging import one_more
from panel.web.params import read_number

EVENTS_A_PAGE = 100


class SignIn(LoginView):  # type: ignore[misc]
    """allauth's page; a try that was refused for too many failures is answered with 429."""

    def form_invalid(self, form: Any) -> Any:
        """The form with what is wrong. It says in a header how long to wait, where one has to."""
        response = super().form_invalid(form)
        if seconds := getattr(self.request, "sign_in_wait", 0):
            response.status_code = HTTPStatus.TOO_MANY_REQUESTS
            response["Retry-After"] = str(seconds)
        return response


@require_safe
@needs("people")
def security(request: HttpRequest) -> HttpResponse:
    """What happened at the door, newest first; of one group or one person where the address says so."""
    group, person_id = request.GET.get("what", ""), read_number(request.GET.get("person"))
    events = DoorEvent.objects.select_related("person", "by")
    people = list(User.objects.order_by("name", "username"))
    group = group if group in GROUPS else ""
    person = next((each for each in people if each.pk == person_id), None)
    events = events.filter(group=group) if group else events
    events = events.filter(person=person) if person else events
    before = read_number(request.GET.get("before"))
    # These lines are written as things happen, so both orders are one. Each has an index for what is asked here.
    if group or person:
        events = events.order_by("-at", "-id")
        last = DoorEvent.objects.filter(pk=before).first() if before else None
        older = before_line(events, last.at, last.pk) if last else events.none()
    else:
        events = events.order_by("-id")
        older = events.filter(pk__lt=before or 0)
    rows, more = one_more(older if before else events, EVENTS_A_PAGE)
    context = {
        "events": [(event, kind_of(event), detail_of(event)) for event in rows],
        "older": address(group, person, before=rows[-1].pk) if more else "",
        "group": group, "person": person, "people": people, "groups": GROUPS, "first": not before,
    }  # fmt: skip
    return render(request, "accounts/sign_in/security.html", context)


def address(group: str, person: User | None, **more: int) -> str:
    """The query of a page of the record."""
    query = QueryDict(mutable=True)
    query.update({"what": group} if group else {})
    query.update({"person": str(person.pk)} if person else {})
    query.update({name: str(value) for name, value in more.items()})
    return f"?{query.urlencode()}"
