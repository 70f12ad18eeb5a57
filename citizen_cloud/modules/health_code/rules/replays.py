"""When a code that comes again is a replay, and when it is only worth an auditor's look. Pure."""

from datetime import timedelta

# Drawn for one moment, by a phone or by the server for a minute: two passes are one too many.
ONCE = frozenset({"hc", "ht"})
# Paper is made to be shown again, but not to two people one behind the other at one gate.
AGAIN_AFTER = timedelta(minutes=2)
# Nobody is at two doors within one step of a phone,
TWO_DOORS = timedelta(seconds=30)
# nor in two districts within a few minutes. Then there are two of the paper: told to auditors,
# never a refusal, because which of the two is the copy no door can know.
TWO_DISTRICTS = timedelta(minutes=5)
# The digits of an area code (GB/T 2260) that name the district.
DISTRICT_DIGITS = 6
