"""How people come onto the team and choose their own passwords: by a link that an owner makes, and that works once.

Read links.py first. passwords.py says which passwords are refused; nobody ever types another person's.
"""
