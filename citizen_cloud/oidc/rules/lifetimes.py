"""How long requests, codes, tokens and keys last."""

from datetime import timedelta

REQUEST = timedelta(minutes=10)
CODE = timedelta(seconds=60)
ACCESS_TOKEN = timedelta(minutes=10)
ACCESS_TOKEN_S = int(ACCESS_TOKEN.total_seconds())
ID_TOKEN_S = 600
REFRESH_TOKEN = timedelta(days=30)
# A lost answer: the same refresh token gives the same successor for this long.
REFRESH_REPEAT = timedelta(seconds=30)
# A client that rotates its secret has a day to bring the new one to all its servers.
OLD_SECRET = timedelta(hours=24)

KEY_AGE = timedelta(days=90)
# A new key is shown this long before it signs, so that every client has read it.
KEY_AHEAD = timedelta(days=1)
# "Now" is when every process of ours has read it.
KEY_NOW = timedelta(seconds=60)
# An old key is shown until what it signed is over; a log-out may name an older ID token.
KEY_AFTER = timedelta(days=7)
KEY_AFTER_NOW = timedelta(seconds=ID_TOKEN_S + 120)
KEYS_CACHED_S = 60
