"""Somebody who plans a list, or a worker who places a part of it, in a process of its own.

`python -m tests.kills.planner paste LINES`, then `plan DRAFT MARK`, then `work`, at the time of the last part.

Says on stdout the draft and the mark of what was shown, the id of the plan, or how many parts were settled.
"""

import sys

import django
from django.core.management import call_command


def main(what: str, *more: str) -> None:
    django.setup()
    from accounts.models import User
    from orders.mass.check import Preview
    from orders.models import PlanPart
    from orders.plans.due import place_due
    from orders.plans.plan import make_plan
    from tests.makers import make_service, make_user
    from tests.orders.mass.lists import lines_for, pasted
    from tests.orders.plans.plans import daily

    if what == "paste":
        call_command("migrate", verbosity=0)
        draft = pasted(lines_for(make_service(category="Instagram › Likes", name="Likes"), int(more[0])), make_user())
        print(draft.pk, Preview(draft, draft.owner).mark)
    elif what == "plan":
        print(make_plan(more[0], more[1], daily(9, unit="hours"), by=User.objects.get()).pk)
    else:
        print(place_due(PlanPart.objects.latest("due_at").due_at))


if __name__ == "__main__":
    main(*sys.argv[1:])
