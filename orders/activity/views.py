"""The page of activity, its export, and what to do when the chain of the trail is broken."""

from itertools import islice
from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.access import needs
from accounts.models import TrailLine, User
from accounts.sign_in import throttle
from accounts.trail.kinds import DOOR_GROUPS
from accounts.trail.record import record_change
from accounts.trail.watch import chain_state
from orders.activity import export as files
from orders.activity.filters import WHO, Filters, groups_for, sees_the_door
from orders.activity.rows import in_the_chain, reasons_of, row_of, rows_of, seal_text
from orders.activity.search import Place, find
from orders.activity.verification import verify_now
from panel.format.locale import for_the_record, written_for
from panel.format.numbers import number
from panel.format.spreadsheet import FORMATS, MOST_SHEET_ROWS, spool
from panel.format.times import zone_name
from panel.web.params import read_number

EXPORTS_A_PERSON = 10  # within ten minutes
MANY_EXPORTS = "You have exported a lot in the last minutes. Wait a little."


@require_safe
@needs("view")
def activity(request: HttpRequest) -> HttpResponse:
    """The lines that fit the filters of the address, newest first; with `line` from that line on, which is open."""
    people = list(User.objects.order_by("name", "username"))
    filters = Filters.read(request.GET, request.user, people)
    after, sees = Place.read(request.GET.get("after", "")), sees_the_door(request.user)
    found, opened = find(filters, after), line_to_open(request, sees)
    context: dict[str, Any] = {
        "filters": filters,
        "rows": rows_of(found.lines, request.user),
        "older": filters.address(after=str(found.next)) if found.next else "",
        "looked": found.looked,
        "first": after is None,
        "here": {"after": str(after)} if after else {},
        "opened": opened,
        "apart": row_of(opened, request.user, sees) if opened and opened not in found.lines else None,
        "people": people,
        "groups": groups_for(request.user),
        "who_words": WHO,
        "state": chain_state() if sees else None,
        "reasons_of": reasons_of, "seal_text": seal_text, "in_the_chain": in_the_chain,
    }  # fmt: skip
    return render(request, "orders/activity/index.html", context)


def line_to_open(request: HttpRequest, sees: bool) -> TrailLine | None:
    """The line whose details the address asks for, if this person may see it."""
    line = TrailLine.objects.filter(pk=read_number(request.GET.get("line"))).select_related("by", "person").first()
    return line if line and (sees or line.group not in DOOR_GROUPS) else None


@needs("export")
@require_POST  # for it records who took what
def activity_export(request: HttpRequest) -> HttpResponseBase:
    """All lines of the filters in the address as a file, with `format=` csv or xlsx in the form."""
    filters = Filters.read(request.GET, request.user, list(User.objects.all()))
    back = HttpResponseRedirect(f"{reverse('activity')}{filters.address()}")
    if not throttle.has_room("exports of activity", str(request.user.pk), most=EXPORTS_A_PERSON):
        messages.error(request, MANY_EXPORTS)
        return back
    now, extension = timezone.now(), "xlsx" if request.POST.get("format") == "xlsx" else "csv"
    limit = MOST_SHEET_ROWS if extension == "xlsx" else None
    with written_for(zone_name(), ""):  # times on the person's clock, but numbers for programs
        lines, count = spool(islice(files.export_rows(filters), limit and limit + 1))
        with lines:
            if limit and count > limit:
                why = f"More than {number(limit)} entries match, and a sheet of Excel holds no more. Use CSV."
                messages.error(request, why)
                return back
            as_file, content_type = FORMATS[extension]
            file = as_file("Activity", files.about(filters, count, now), files.HEADS, lines)
    with for_the_record():
        words = filters.words()
    record_change("trail_exported", by=request.user, count=f"{count:,}", form=extension.upper(), filter=words)
    name = files.file_name(filters, count, extension)
    return FileResponse(file, as_attachment=True, filename=name, content_type=content_type)


@needs("people")
@require_POST
def verification(request: HttpRequest) -> HttpResponse:
    """Verifies a part of the chain now; the next press goes on from there."""
    verified = verify_now(by=request.user)
    say = messages.warning if verified.wrong else messages.success
    say(request, verified.words)
    return redirect("activity")


@require_safe
@needs("people")
def broken_chain(request: HttpRequest) -> HttpResponse:
    """What an owner does when the chain is broken, step by step."""
    return render(request, "orders/activity/broken.html", {"state": chain_state()})
