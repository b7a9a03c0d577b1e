"""Hostile requests by the thousand, made from a seed: to every address, by everybody, in every field."""
