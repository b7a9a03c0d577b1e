"""Templates of lists: what stays blank, who may use and change one, and what becomes of the blanks."""

import pytest
from django.test import Client

from accounts.access import Role
from accounts.models import TrailLine, User
from catalog.models import Service
from orders.mass import draft as drafts
from orders.mass.check import Preview
from orders.mass.text import MOST_LINES, TypedLine
from orders.models import ListTemplate, MassDraft
from orders.plans import template as templates
from orders.rules.refusal import NotAllowed, Refusal
from tests.makers import make_service, make_user
from tests.orders.mass.lists import lines_for, pasted, placed
from tests.people import as_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def service() -> Service:
    return make_service(upstream_id=149, name="Instagram Likes", category="Instagram › Likes", minimum=50)


@pytest.fixture
def ana() -> User:
    return make_user(name="Ana")


def kept(service: Service, by: User, blanks: str = "both", lines: int = 3, **more: bool) -> ListTemplate:
    """A template of so many lines."""
    text = templates.lines_of_draft(pasted(lines_for(service, lines), by))
    MassDraft.objects.all().delete()
    return templates.save_template("Weekly", text, blanks, **{"shared": False, **more}, by=by)


@pytest.mark.parametrize(("blanks", "left"), [
    ("", ["service", "link", "quantity"]), ("link", ["service", "quantity"]), ("quantity", ["service", "link"]),
    ("both", ["service"]),
])  # fmt: skip
def test_a_template_keeps_what_is_always_the_same(service: Service, ana: User, blanks: str, left: list[str]) -> None:
    template = kept(service, ana, blanks)
    assert [[*row["typed"]] for row in template.lines] == [left] * 3
    draft = templates.fill(template, {(2, "link"): " a.b/2 ", (2, "quantity"): "700"}, "", by=ana)
    line = draft.lines[1]["typed"]
    assert (line.get("link") == "a.b/2", line.get("quantity") == "700") == ("link" not in left, "quantity" not in left)
    assert (draft.source, [row["n"] for row in draft.lines]) == ("the template Weekly", [1, 2, 3])


def test_pasted_links_go_to_the_lines_without_one_in_their_order(service: Service, ana: User) -> None:
    template = kept(service, ana, "link")
    draft = templates.fill(template, {(2, "link"): "instagram.com/p/Bb1"}, "\n instagram.com/p/Aa1 \n\n", by=ana)
    assert [row["typed"].get("link") for row in draft.lines] == ["instagram.com/p/Aa1", "instagram.com/p/Bb1", None]
    preview = Preview(draft, ana)
    assert preview.counts == {"ready": 2, "yes": 0, "no": 1, "out": 0}
    with pytest.raises(Refusal, match="These are 3 links, and 2 lines have no link yet"):
        templates.fill(template, {(2, "link"): "instagram.com/p/Bb1"}, "a\nb\nc", by=ana)
    assert MassDraft.objects.count() == 1


def test_a_user_name_that_stands_for_the_link_is_blank_instead_of_it(ana: User) -> None:
    lines = [TypedLine(4, {"service": "7", "username": "lumen", "quantity": "100", "comments": "nice"})]
    template = templates.save_template("Mentions", lines, "link", shared=False, by=ana)
    assert template.lines == [
        {"n": 4, "typed": {"service": "7", "quantity": "100", "comments": "nice"}, "blanks": ["username"]}]  # fmt: skip
    draft = templates.fill(template, {}, "someone", by=ana)
    assert draft.lines[0]["typed"]["username"] == "someone"


def test_a_list_becomes_a_template_of_what_was_ordered_and_a_draft_of_what_is_not_left_out(
    service: Service, ana: User
) -> None:
    job = placed(f"{lines_for(service, 2)}\n149 | instagram.com/p/Zz1 | 1", ana)
    assert [line.number for line in drafts.lines_of_list(job)] == [1, 2]
    draft = pasted(lines_for(service, 2), ana)
    draft = drafts.change(draft.pk, lambda one: drafts.tick(one, 1, out=True), by=ana)
    assert [line.number for line in templates.lines_of_draft(draft)] == [2]


@pytest.mark.parametrize(("name", "lines", "why"), [
    (" \0 ", 1, "Give the template a name."),
    ("x" * 61, 1, "At most 60 characters; this name has 61."),
    ("WEEKLY", 1, "You have a template called “WEEKLY” already. Give this one another name."),
    ("Monthly", 0, "This list has no line to keep."),
    ("Monthly", MOST_LINES, "A template has at most 400 lines; this list has 5,000."),
])  # fmt: skip
def test_what_cannot_be_kept_is_said(service: Service, ana: User, name: str, lines: int, why: str) -> None:
    kept(service, ana)
    with pytest.raises(Refusal) as refused:
        templates.save_template(name, [TypedLine(n, {"service": "7"}) for n in range(lines)], "", shared=False, by=ana)
    assert (str(refused.value), ListTemplate.objects.count()) == (why, 1)


def test_a_person_keeps_so_many(service: Service, ana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(service, ana)
    monkeypatch.setattr(templates, "TEMPLATES_KEPT", 1)
    with pytest.raises(Refusal, match="Remove one first"):
        templates.save_template("Monthly", [TypedLine(1, {})], "", shared=False, by=ana)


def test_only_its_owner_or_who_may_change_settings_changes_a_template(service: Service, ana: User) -> None:
    template, tomas, mira = kept(service, ana, shared=True), make_user(), make_user(Role.MANAGER, name="Mira")
    with pytest.raises(NotAllowed):
        templates.change_template(template, "Mine", shared=True, by=tomas)
    assert templates.change_template(template, "Daily", shared=False, by=mira)
    assert not templates.change_template(template, "Daily", shared=False, by=ana)
    for by in (tomas, mira):  # it is Ana's alone now
        with pytest.raises(NotAllowed):
            templates.remove_template(template, by=by)
    templates.remove_template(template, by=ana)
    with pytest.raises(Refusal, match="was removed"):
        templates.change_template(template, "Weekly", shared=True, by=ana)
    lines = TrailLine.objects.filter(thing="template").order_by("pk")
    assert [line.sentence.plain for line in lines] == [
        "Ana saved 3 lines as the template “Weekly”.", "Mira changed the template “Daily”.",
        "Ana removed the template “Daily”."]  # fmt: skip


# ── The pages ────────────────────────────────────────────────────────────────────────────────────
def test_from_a_draft_to_a_template_to_the_next_draft(service: Service, ana: User) -> None:
    client, draft = as_user(ana), pasted(lines_for(service, 2), ana)
    page = client.get(f"/orders/templates/new/?draft={draft.pk}").content.decode()
    assert "Save 2 lines as a template" in page
    form = {"draft": str(draft.pk), "name": "", "blanks": "both", "shared": "1"}
    refused = client.post("/orders/templates/new/", form)
    assert (refused.status_code, "Give the template a name." in refused.content.decode()) == (422, True)
    template_page = client.post("/orders/templates/new/", {**form, "name": "Weekly"})["Location"]
    assert "Weekly" in client.get("/orders/mass/").content.decode()
    assert 'name="quantity-2"' in client.get(template_page).content.decode()
    refused = client.post(template_page, {"link-1": "a.b/1", "quantity-1": "60", "links": "a.b/2\na.b/3"})
    assert refused.status_code == 422
    for text in ('value="a.b/1"', 'value="60"', "a.b/2\na.b/3</textarea>"):
        assert text in refused.content.decode()
    answer = client.post(template_page, {"link-1": "a.b/1", "quantity-1": "60", "links": "a.b/2"})
    made = MassDraft.objects.exclude(pk=draft.pk).get()
    assert answer["Location"] == made.get_absolute_url()
    assert made.lines[0]["typed"] == {"service": "149", "link": "a.b/1", "quantity": "60"}


def test_nobody_sees_a_template_that_is_not_theirs_nor_the_teams(service: Service, ana: User) -> None:
    template = kept(service, ana)
    tomas: Client = as_user(make_user())
    assert tomas.get(template.get_absolute_url()).status_code == 404
    ListTemplate.objects.update(shared=True)
    assert tomas.get(template.get_absolute_url()).status_code == 200
    assert "Weekly" in tomas.get("/orders/mass/").content.decode()
    draft = pasted(lines_for(service, 1), ana)
    assert tomas.get(f"/orders/templates/new/?draft={draft.pk}").status_code == 404
    assert tomas.get("/orders/templates/new/?draft=x&list=0").status_code == 404
