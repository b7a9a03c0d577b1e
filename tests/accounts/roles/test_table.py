"""README and the admin say the same as the table of accounts/access.py."""

from pathlib import Path

import pytest
from django.conf import settings

from accounts.access import Role
from accounts.roles.matrix import as_markdown
from tests.accounts.roles.switched import switch
from tests.makers import make_user
from tests.people import as_a

README = (Path(settings.BASE_DIR) / "README.md").read_text()


def test_readme_has_the_table() -> None:
    assert as_markdown() in README, f"Put this into README.md:\n{as_markdown()}"


@pytest.mark.django_db
def test_the_admin_shows_what_a_person_may_do() -> None:
    person, owner = make_user(Role.OPERATOR), as_a(Role.OWNER)
    address = f"/admin/accounts/user/{person.pk}/change/"
    assert "Cancel orders" in owner.get(address).content.decode()
    switch(operator_cancel=False)
    page = owner.get(address).content.decode()
    assert "Cancel orders" not in page and "Ask for refills" in page
