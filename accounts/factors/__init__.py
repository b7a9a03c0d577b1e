"""The second factor: who must have one, setting it up, passkeys, and proving once more that it is really you.

allauth.mfa does the work; here is what it leaves to the desk. Every room may ask for a proof: read proof.py first.
"""
