"""The sessions of the people who are signed in: where they are kept, how long they last, and how they are ended.

Django and the middleware call store.py and activity.py; the pages are in views.py. Start with store.py.
"""
