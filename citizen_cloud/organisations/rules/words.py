"""Words to search by: single characters and pairs of Chinese, whole words of Latin, digits.

No dictionary is needed: a query of two or more characters must have all its pairs in the row,
which a GIN index answers. Folding is for searching only; what is shown stays as it was written.
"""

import re
import unicodedata

from citizen_cloud.organisations.rules.areas import VARIANTS

# A row is searched by what a person would type of it; a longer text adds nothing but weight.
LONGEST_TEXT = 500
LONGEST_QUERY = 64

_HAN = (
    "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u31c0-\u31ef\u3400-\u9fff"
    "\uf900-\ufaff\U00020000-\U000323af"
)
_RUN = re.compile(f"[{_HAN}]+|[0-9]+|[^\\W\\d_{_HAN}]+")
_IS_HAN = re.compile(f"[{_HAN}]")


def folded(text: str) -> str:
    """Return the form texts are compared in: NFKC, lower case, one form of 台 and 市."""
    return unicodedata.normalize("NFKC", text).lower().translate(VARIANTS)


def search_tokens(text: str) -> list[str]:
    """Return what a row can be found by, sorted: every character, pair, word and number."""
    tokens: set[str] = set()
    for run in _runs(text[:LONGEST_TEXT]):
        tokens.update(_pairs(run), run if _is_han(run) else (run,))
    return sorted(tokens)


def query_tokens(text: str) -> list[str]:
    """Return what a row must hold, all of it, to answer a query; empty if it holds no word.

    A run of two or more characters asks for its pairs only: they imply the characters.
    """
    tokens: set[str] = set()
    for run in _runs(text[:LONGEST_QUERY]):
        tokens.update(_pairs(run) or (run,))
    return sorted(tokens)


def _runs(text: str) -> list[str]:
    return _RUN.findall(folded(text))


def _is_han(run: str) -> bool:
    return _IS_HAN.match(run) is not None


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)] if _is_han(run) else []
