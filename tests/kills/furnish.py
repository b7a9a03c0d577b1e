"""Makes a desk ready in a process of its own: tables, a catalog, an operator and a manager; says how to get in."""

import json

import django
from django.core.management import call_command


def main() -> None:
    django.setup()
    call_command("migrate", verbosity=0)
    from django.test import Client

    from accounts.access import Role
    from panel.upstream.client import make_client
    from tests.makers import make_user, sold_by

    service = sold_by(make_client(), refill=True, cancel=True)
    about = [service.category, service.name]
    said = {"service": service.upstream_id, "seen": service.as_seen, "about": about}
    for role in (Role.OPERATOR, Role.MANAGER):
        browser = Client()
        browser.force_login(make_user(role))
        said[role] = browser.cookies["sessionid"].value
    print(json.dumps(said))


if __name__ == "__main__":
    main()
