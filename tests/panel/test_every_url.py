"""Every address answers every kind of person as the tables say, and none with a 500."""

import re
from urllib.parse import urlsplit

import pytest
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client

from accounts.access import Role
from panel.web.admin_record import RecordAdmin
from tests.addresses import address, one_of_everything, registered, routes
from tests.people import EVERYBODY, STRANGER, as_a, htmx

pytestmark = pytest.mark.django_db

# A number is a status, a word where a redirect leads. One entry is for everybody, two are for a stranger and the team,
# five for a stranger, viewer, operator, manager and owner. What is neither GET nor POST is tried with DELETE.
LEADS_TO = {"login": "/accounts/login/", "orders": "/orders/", "views": "/orders/views/", "due": "/orders/sending/due/",
            "mentions": "/mentions/", "services": "/services/", "changes": "/services/changes/",
            "admin_login": "/admin/login/", "webhooks": "/upstream/webhooks/", "factors": "/accounts/factors/",
            "choice": "/accounts/password/choice/", "password": "/accounts/password/change/", "admin": "/admin/",
            "sessions": "/accounts/sessions/", "sign_out": "/accounts/logout/", "change": "change/",
            "activity": "/activity/", "since": "/activity/since/", "mass": "/orders/mass/", "next": "/orders/next/",
            "roles": "/team/roles/", "limits": "/team/limits/", "alarms": "/alarms/",
            "choices": "/alarms/choices/", "prices": "/customers/prices/"}  # fmt: skip
TABLE = """
                                 | login orders            | 405                           | 405
orders/                          | login 200               | 405                           | 405
orders/changes/                  | login 200               | 405                           | 405
orders/export/                   | login 405               | login 200                     | login 405
orders/searches/                 | login 405               | login orders                  | login 405
orders/filters/                  | login 200               | login 405                     | login 405
orders/columns/                  | login 200               | login 200                     | login 405
orders/views/                    | login 200               | login 405                     | login 405
orders/views/new/                | login 200               | login 422                     | login 405
orders/views/<pk>/               | login 405               | login 403 403 views views     | login 405
orders/views/<pk>/pin/           | login 405               | login views                   | login 405
orders/views/<pk>/removal/       | login 405               | login 403 403 views views     | login 405
orders/new/                      | login 403 200 200 200   | login 403 422 422 422         | 405
orders/new/receipt/              | login 403 200 200 200   | login 403 200 200 200         | 405
orders/refills/                  | login 200               | 405                           | 405
orders/cancels/                  | login 200               | 405                           | 405
orders/approvals/                | login 200               | 405                           | 405
orders/<pk>/approval/            | login 403 403 405 405 | login 403 403 orders orders | login 403 403 405 405
orders/<pk>/approval/refusal/    | login 403 403 405 405 | login 403 403 orders orders | login 403 403 405 405
orders/<pk>/approval/reminders/  | login 403 405 405 405 | login 403 orders orders orders | login 403 405 405 405
orders/late/                     | login 200               | 405                           | 405
orders/<pk>/                     | login 200               | 405                           | 405
orders/next/                     | login 403 200 200 200   | login 403 next next next      | login 403 405 405 405
orders/assignments/              | login 403 orders orders orders | login 403 422 422 422  | login 403 405 405 405
orders/assignments/confirmation/ | login 403 405 405 405   | login 403 422 422 422         | login 403 405 405 405
orders/<pk>/deciding/            | login 405               | login 200                     | login 405
orders/<pk>/looks/               | login 403 405 405 405 | login 403 orders orders orders | login 403 405 405 405
orders/<pk>/notes/               | login 403 order order order | login 403 422 422 422       | login 403 405 405 405
orders/<pk>/assignment/          | login 403 order order order | login 403 order order order | login 403 405 405 405
orders/<pk>/customer/            | login 403 order order order | login 403 order order order | login 403 405 405 405
orders/<pk>/withdrawal/          | login 403 405 405 405 | login 403 orders orders orders | login 403 405 405 405
orders/<pk>/withdrawal/question/ | login 403 200 200 200 | login 403 405 405 405 | login 403 405 405 405
orders/<pk>/funding/             | login 403 405 405 405 | login 403 orders orders orders | login 403 405 405 405
orders/<pk>/tries/               | login 403 403 405 405 | login 403 403 orders orders | login 403 403 405 405
orders/<pk>/adoption/            | login 403 403 405 405 | login 403 403 orders orders | login 403 403 405 405
orders/<pk>/closing/             | login 403 403 405 405 | login 403 403 orders orders | login 403 403 405 405
orders/<pk>/abandonment/         | login 403 403 405 405 | login 403 403 orders orders | login 403 403 405 405
orders/<pk>/sighting/            | login 403 403 405 405 | login 403 403 orders orders | login 403 403 405 405
orders/<pk>/refills/             | login 403 405 405 405 | login 403 orders orders orders | login 403 405 405 405
orders/<pk>/refills/question/ | login 403 200 200 200 | login 403 405 405 405 | login 403 405 405 405
orders/<pk>/refills/tries/       | login 403 405 405 405 | login 403 orders orders orders | login 403 405 405 405
orders/<pk>/refills/settlement/  | login 403 403 405 405 | login 403 403 orders orders | login 403 403 405 405
orders/<pk>/refills/next/        | login 403 403 405 405 | login 403 403 orders orders | login 403 403 405 405
orders/<pk>/cancellation/        | login 403 405 405 405 | login 403 orders orders orders | login 403 405 405 405
orders/<pk>/cancellation/question/ | login 403 200 200 200 | login 403 405 405 405 | login 403 405 405 405
orders/<pk>/cancellation/tries/  | login 403 405 405 405 | login 403 orders orders orders | login 403 405 405 405
orders/bulks/                    | login 200               | login 405                     | login 405
orders/bulks/matching/           | login 403 200 200 200   | login 403 405 405 405         | login 403 405 405 405
orders/bulks/new/                | login 403 200 200 200   | login 403 422 422 422         | login 403 405 405 405
orders/bulks/new/confirmation/   | login 403 405 405 405   | login 403 422 422 422         | login 403 405 405 405
orders/bulks/<pk>/               | login 200               | login 405                     | login 405
orders/bulks/<pk>/csv/           | login 200               | login 405                     | login 405
orders/bulks/<pk>/tries/         | login 403 405 405 405 | login 403 orders orders orders | login 403 405 405 405
orders/mass/                     | login 403 200 200 200   | login 403 422 422 422         | login 403 405 405 405
orders/mass/drafts/<pk>/         | login 403 404 404 404   | login 403 405 405 405         | login 403 405 405 405
orders/mass/drafts/<pk>/lines/   | login 403 405 405 405   | login 403 mass mass mass      | login 403 405 405 405
orders/mass/drafts/<pk>/placement/ | login 403 405 405 405 | login 403 404 404 404         | login 403 405 405 405
orders/mass/drafts/<pk>/removal/ | login 403 405 405 405   | login 403 mass mass mass      | login 403 405 405 405
orders/mass/drafts/<pk>/plan/    | login 403 404 404 404   | login 403 404 404 404         | login 403 405 405 405
orders/templates/new/            | login 403 404 404 404   | login 403 404 404 404         | login 403 405 405 405
orders/templates/<pk>/           | login 403 200 200 200   | login 403 draft draft draft   | login 403 405 405 405
orders/templates/<pk>/change/    | login 403 405 405 405   | login 403 403 422 422         | login 403 405 405 405
orders/templates/<pk>/removal/   | login 403 405 405 405   | login 403 403 mass mass       | login 403 405 405 405
orders/plans/                    | login 200               | login 405                     | login 405
orders/plans/<pk>/               | login 200               | login 405                     | login 405
orders/plans/<pk>/going/         | login 403 405 405 405   | login 403 orders orders orders | login 403 405 405 405
orders/plans/<pk>/parts/<number>/ | login 403 405 405 405  | login 403 draft draft draft   | login 403 405 405 405
orders/mass/lists/               | login 200               | login 405                     | login 405
orders/mass/lists/<pk>/          | login 200               | login 405                     | login 405
orders/mass/lists/<pk>/csv/      | login 200               | login 405                     | login 405
orders/mass/lists/<pk>/waiting/  | login 403 405 405 405   | login 403 orders orders orders | login 403 405 405 405
orders/mass/lists/<pk>/mending/  | login 403 405 405 405   | login 403 orders orders orders | login 403 405 405 405
orders/mass/lists/<pk>/repetition/ | login 403 405 405 405 | login 403 draft draft draft   | login 403 405 405 405
orders/answers/                  | login 200               | login 405                     | login 405
orders/answers/<pk>/             | login 200               | login 405                     | login 405
orders/answers/<pk>/language/    | login 403 405 405 405   | login 403 answers answers answers | login 403 405 405 405
orders/answers/<pk>/changes/     | login 403 answers answers answers | login 403 422 422 422 | login 403 405 405 405
orders/answers/texts/            | login 200               | login 405                     | login 405
orders/answers/texts/<situation>/ | login 200              | login 403 403 422 422         | login 405
orders/sending/stops/            | login 403 403 405 405 | login 403 403 orders orders | login 403 403 405 405
orders/sending/due/              | login 200               | 405                           | 405
orders/sending/release/          | login 403 403 405 405 | login 403 403 due due       | login 403 403 405 405
orders/sending/resumption/       | login 403 403 405 405 | login 403 403 orders orders | login 403 403 405 405
services/                        | login 200               | login 405                     | login 405
services/found/                  | login 403 200 200 200   | login 403 405 405 405         | login 403 405 405 405
services/<pk>/favourite/         | login 405               | login services                | login 405
services/sync/                   | login 200               | 405                           | 405
services/syncs/                  | login 403 403 405 405   | login 403 403 services services | login 403 403 405 405
services/changes/                | login 200               | login 405                     | login 405
services/changes/acceptance/     | login 403 403 405 405   | login 403 403 changes changes | login 403 403 405 405
services/changes/<pk>/decision/  | login 403 403 405 405   | login 403 403 400 400         | login 403 403 405 405
services/alarms/<pk>/acceptance/ | login 403 403 405 405   | login 403 403 services services | login 403 403 405 405
customers/                       | login 403 200 200 200   | login 403 200 200 200         | login 403 405 405 405
customers/found/                 | login 403 200 200 200   | login 403 200 200 200         | login 403 405 405 405
customers/new/                   | login 403 200 200 200   | login 403 422 422 422         | login 403 405 405 405
customers/<pk>/                  | login 403 200 200 200   | login 403 200 200 200         | login 403 405 405 405
customers/<pk>/change/           | login 403 200 200 200   | login 403 422 422 422         | login 403 405 405 405
customers/<pk>/payments/         | login 403 customer customer customer | login 403 422 422 422 | login 403 405 405 405
customers/<pk>/file/             | login 403 405 405 405   | login 403 200 200 200         | login 403 405 405 405
customers/<pk>/erasure/          | login 403 403 200 200   | login 403 403 200 200         | login 403 403 405 405
customers/prices/                | login 403 403 200 200   | login 403 403 422 422         | login 403 403 405 405
customers/prices/<pk>/removal/   | login 403 403 405 405   | login 403 403 prices prices   | login 403 403 405 405
customers/prices/lists/          | login 403 403 prices prices | login 403 403 422 422     | login 403 403 405 405
activity/                        | login 200               | 405                           | 405
activity/export/                 | login 405               | login 200                     | login 405
activity/chain/                  | login 403 403 403 200   | 405                           | 405
activity/chain/verification/     | login 403 403 403 405   | login 403 403 403 activity    | login 403 403 403 405
activity/since/                  | login 200               | 405                           | 405
activity/since/notes/            | login 403 since since since | login 403 422 422 422     | login 403 405 405 405
activity/since/notes/<pk>/reading/ | login 405             | login since                   | login 405
activity/since/dealings/         | login 403 405 405 405   | login 403 since since since   | login 403 405 405 405
activity/since/handed/           | login 405               | login since                   | login 405
mentions/                        | login 200               | 405                           | 405
mentions/read/                   | login 405               | login mentions                | login 405
upstream/                        | login 200               | 405                           | 405
reports/                         | login 200               | 405                           | 405
reports/export/                  | login 405               | login 200                     | login 405
reports/saved/                   | login 200               | login 422                     | login 405
reports/saved/<pk>/              | login 405               | login 404                     | login 405
reports/saved/<pk>/mail/         | login 405               | login 404                     | login 405
reports/saved/<pk>/removal/      | login 405               | login 404                     | login 405
upstream/charges/                | login 200               | 405                           | 405
upstream/balance/                | login 200               | 405                           | 405
alarms/                          | login 200               | 405                           | 405
alarms/<pk>/sightings/           | login 405               | login alarms                  | login 405
alarms/choices/                  | login 200               | login choices                 | 405
alarms/choices/chat/             | login 403 403 choices choices | login 403 403 422 422   | 405
upstream/settings/               | login 200               | login 403 403 422 422         | 405
upstream/webhooks/               | login 200               | login 405                     | login 405
upstream/webhooks/rings/         | login 403 403 403 405   | login 403 403 403 webhooks    | login 403 403 403 405
webhooks/notpanel/               | 405                     | 503                           | 405
team/                            | login 200               | 405                           | 405
team/new/                        | login 403 403 403 200   | login 403 403 403 422         | 405
team/<pk>/                       | login 403 403 403 200   | 405                           | 405
team/<pk>/role/                  | login 403 403 403 405   | login 403 403 403 409         | login 403 403 403 405
team/<pk>/state/                 | login 403 403 403 405   | login 403 403 403 person      | login 403 403 403 405
team/<pk>/details/               | login 403 403 403 405   | login 403 403 403 person      | login 403 403 403 405
team/<pk>/links/                 | login 403 403 403 405   | login 403 403 403 200         | login 403 403 403 405
team/<pk>/links/withdrawal/      | login 403 403 403 405   | login 403 403 403 person      | login 403 403 403 405
team/<pk>/factors/reset/         | login 403 403 403 405   | login 403 403 403 422         | login 403 403 403 405
team/roles/                      | login 200               | login 403 403 403 roles       | 405
team/limits/                     | login 403 403 403 200   | login 403 403 403 limits      | 405
team/<pk>/limits/                | login 403 403 403 200   | login 403 403 403 422         | 405
team/security/                   | login 403 403 403 200   | 405                           | 405
team/<pk>/sessions/              | login 403 403 403 200   | 405                           | 405
team/<pk>/sessions/endings/      | login 403 403 403 405   | login 403 403 403 sessions    | login 403 403 403 405
palette/                         | login 200               | 405                           | 405
keys/                            | login 200               | 405                           | 405
styleguide/                      | login 403 403 403 200   | 405                           | 405
healthz                          | 200                     | 405                           | 405
healthz/ready                    | 200                     | 405                           | 405
accounts/login/                  | 200 orders              | 200 orders                    | 405 orders
accounts/login/factor/           | login orders            | login orders                  | 405
accounts/login/passkey/          | login orders            | login orders                  | 405
accounts/factors/                | login 200               | 405                           | 405
accounts/factors/app/            | login 200               | login 200                     | 405
accounts/factors/passkeys/       | login 200               | login 200                     | 405
accounts/factors/codes/          | login factors           | login factors                 | 405
accounts/factors/<pk>/removal/   | login 404               | login 404                     | 405
accounts/invitation/             | choice                  | 405                           | 405
accounts/password/choice/        | 410                     | 410                           | 405
accounts/logout/                 | login 200               | login                         | 405
accounts/inactive/               | 200                     | 405                           | 405
accounts/password/change/        | login 200               | login 200                     | login 405
accounts/sessions/               | login 200               | 405                           | 405
accounts/sessions/endings/       | login 405               | login sessions                | login 405
accounts/sessions/<pk>/ending/   | login 405               | login sign_out                | login 405
accounts/preferences/            | login 200               | login 422                     | 405
accounts/preferences/live/       | login 405               | login 204                     | login 405
accounts/preferences/sample/     | login 200               | 405                           | 405
admin/login/                     | login 403 403 403 admin | login 403 403 403 admin       | login 403 403 403 admin
admin/logout/ | admin admin admin admin 405 | admin admin admin admin login | admin admin admin admin 405
"""
# Only owners come further than the admin's sign-in. <record> stands for every model that machines write. Django's admin
# treats a method that it does not know as a GET, so DELETE is not tried.
FOR_OWNERS = """
admin/                                   | 200    | 200
admin/password_change/                   | password | password
admin/password_change/done/              | 200    | 405
admin/autocomplete/                      | 403    | 405
admin/jsi18n/                            | 200    | 405
admin/r/<content_type_id>/<object_id>/   | 404    | 404
admin/<app_label>/                       | 200    | 200
admin/<url>                              | 404    | 404
admin/<record>/                          | 200    | 200
admin/<record>/add/                      | 403    | 403
admin/<record>/<object_id>/              | change | change
admin/<record>/<object_id>/change/       | 200    | 403
admin/<record>/<object_id>/delete/       | 403    | 403
admin/<record>/<object_id>/history/      | 200    | 200
admin/accounts/user/                     | 200    | 200
admin/accounts/user/add/                 | 403    | 403
admin/accounts/user/<object_id>/         | change | change
admin/accounts/user/<object_id>/change/  | 200    | 200
admin/accounts/user/<object_id>/delete/  | 403    | 403
admin/accounts/user/<object_id>/history/ | 200    | 200
"""
METHODS = ("GET", "POST", "DELETE")


def entries_of(table: str, before: str = "") -> dict[str, list[list[str]]]:
    """Route → for each method the expected outcome for each person of EVERYBODY."""
    table_entries = {}
    for line in table.strip("\n").splitlines():
        route, *columns = line.split("|")
        spread = [(before + column).split() for column in columns]
        table_entries[route.strip()] = [(entries * 5)[:5] if len(entries) != 2 else [entries[0], *entries[1:] * 4]
                                for entries in spread]  # fmt: skip
    return table_entries


EXPECTED = {**entries_of(TABLE), **entries_of(FOR_OWNERS, "admin_login admin_login admin_login admin_login ")}
RECORDS = {
    f"admin/{model._meta.label_lower.replace('.', '/')}/": "admin/<record>/"
    for model, record_admin in registered()
    if isinstance(record_admin, RecordAdmin)
}


def row_of(route: str) -> str:
    """The row of the tables that describes this route."""
    for prefix, shared in RECORDS.items():
        if route.startswith(prefix):
            return route.replace(prefix, shared)
    return route


def outcome_of(response: HttpResponseBase) -> str:
    """The answer in the words of the tables."""
    where = urlsplit(response.get("Location", "")).path
    if kept := re.fullmatch(r"/orders/(answers/)?\d+/", where):
        return "answers" if kept[1] else "order"
    if where.startswith("/orders/mass/drafts/"):
        return "draft"
    if named := re.fullmatch(r"/(team|customers)/\d+/", where):
        return {"team": "person", "customers": "customer"}[named[1]]
    words = [word for word, path in LEADS_TO.items() if where == path or (word == "change" and where.endswith(path))]
    return words[0] if words else where or str(response.status_code)


@pytest.fixture(autouse=True)
def _desk() -> None:
    one_of_everything()


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    assert {row_of(route) for route, _ in routes()} == set(EXPECTED)


@pytest.mark.parametrize("person", EVERYBODY)
def test_each_address_answers_as_the_table_says(person: str) -> None:
    client, at = as_a(person), EVERYBODY.index(person)
    cookies = client.cookies.output(header="")
    wrong = []
    for route, _ in routes():
        here = address(route)
        for method, entries in zip(METHODS, EXPECTED[row_of(route)], strict=False):
            with transaction.atomic():
                answer = outcome_of(client.generic(method, here))
                transaction.set_rollback(True)
            client.cookies.load(cookies)  # one of the addresses signs out
            if answer != entries[at]:
                wrong.append(f"{method} {route}: {answer}, not {entries[at]}")
    assert not wrong


def test_a_post_without_a_csrf_token_is_refused_everywhere() -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies = as_a(Role.OWNER).cookies
    for route, view in routes():
        if getattr(view, "csrf_exempt", False):  # upstream signs what it sends instead
            continue
        answer = client.post(address(route))
        assert answer.status_code == 403, route
        assert "This page was open too long" in answer.content.decode(), route


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_strangers_htmx_request_is_sent_to_sign_in_and_gets_no_page(method: str) -> None:
    stranger = as_a(STRANGER)
    guarded = [route for route, view in routes() if hasattr(view, "needs")]
    assert len(guarded) > 8
    for route in guarded:
        if EXPECTED[route][METHODS.index(method)][0] == "login":
            answer = stranger.generic(method, address(route), headers=htmx())
            assert answer["HX-Redirect"].startswith("/accounts/login/?next=%2F"), route
            assert (answer.status_code, answer.content) == (200, b""), route
