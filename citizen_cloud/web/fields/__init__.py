"""Bounded, strict fields: nothing is guessed, everything has a limit.

Every message is a code; ``words.py`` says it in the caller's language.
"""

from citizen_cloud.web.fields.collections import ListOf, Part
from citizen_cloud.web.fields.numbers import Flag, Int, Number, QueryFlag, QueryInt
from citizen_cloud.web.fields.texts import Both, OneOf, Str, Uuid
from citizen_cloud.web.fields.times import Day, Instant, WallTime

__all__ = [
    "Both",
    "Day",
    "Flag",
    "Instant",
    "Int",
    "ListOf",
    "Number",
    "OneOf",
    "Part",
    "QueryFlag",
    "QueryInt",
    "Str",
    "Uuid",
    "WallTime",
]
