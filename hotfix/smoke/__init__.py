"""Smoke checks, one file a kind; ``run`` is the door.

A kind's module observes once and returns a ``Finding``; tries, delays and the end of a try's time
are the same for all and stand in ``run``.
"""
