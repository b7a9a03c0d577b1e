"""Somebody who pastes or places a list in a process of its own.

`python -m tests.kills.lister paste LINES`, and `python -m tests.kills.lister place DRAFT MARK`.

Says on stdout the draft and the mark of what was shown, or the id of the list.
"""

import sys

import django
from django.core.management import call_command


def main(what: str, *more: str) -> None:
    django.setup()
    from accounts.models import User
    from orders.mass.check import Preview
    from orders.mass.place import place_list
    from tests.makers import make_service, make_user
    from tests.orders.mass.lists import lines_for, pasted

    if what == "paste":
        call_command("migrate", verbosity=0)
        draft = pasted(lines_for(make_service(category="Instagram › Likes", name="Likes"), int(more[0])), make_user())
        print(draft.pk, Preview(draft, draft.owner).mark)
    else:
        print(place_list(more[0], more[1], by=User.objects.get()).pk)


if __name__ == "__main__":
    main(*sys.argv[1:])
