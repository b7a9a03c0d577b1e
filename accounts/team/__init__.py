"""The people of the team: the list, one person's page, and what owners change about a person.

change.py holds the verbs, which keep an owner in charge; people.py reads the list, person.py the page."""
