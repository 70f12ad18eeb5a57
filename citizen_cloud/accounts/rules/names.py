"""Names always work: every character a document may bear, and none that only looks like one.

Han characters are taken by code point (GB 18030-2022 and all later extensions, also those this
Python's Unicode tables do not know yet); other letters by their script.
"""

import re
import unicodedata

SHORTEST = 2
LONGEST = 50
# How keyboards and registers spell the dot of minority and foreign names
_DOTS = re.compile("[·•・‧∙⋅･]")
_HAN = re.compile(
    "[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f\U00030000-\U000323af]"
)
_BETWEEN = frozenset(" -'’.,·")
_VARIATION = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_SPACES = re.compile("\\s*([ ·-])\\s*")


class NameFault(ValueError):
    """A name holds something no name has; ``part`` says what."""

    def __init__(self, part: str) -> None:
        super().__init__(part)
        self.part = part


def real_name(name: str) -> str:
    """Return a name as it is kept: NFC, one dot, no outer blanks. Raises ``NameFault``."""
    kept = _DOTS.sub("·", unicodedata.normalize("NFC", name).strip())
    if not SHORTEST <= len(kept) <= LONGEST:
        raise NameFault("length")
    scripts = {_script(character) for character in kept} - {""}
    if not scripts or kept[0] in _BETWEEN - {"'", "’"}:
        raise NameFault("character")
    # Latin letters stand beside Han in registered names; any other mixture is a look-alike.
    if len(scripts) > 1 and scripts != {"HAN", "LATIN"}:
        raise NameFault("mixed_scripts")
    return kept


def _script(character: str) -> str:
    """Return a letter's script; empty for what stands between letters."""
    if character in _BETWEEN:
        return ""
    if _HAN.match(character):
        return "HAN"
    if _VARIATION.match(character):
        raise NameFault("character")
    category = unicodedata.category(character)
    if category in ("Mn", "Mc"):
        return ""
    if category not in ("Lu", "Ll", "Lt", "Lo", "Lm"):
        raise NameFault("character")
    return unicodedata.name(character, "UNKNOWN").split()[0]


def matching_name(name: str) -> str:
    """Return what two spellings of one name share: dots, blanks, case and width folded."""
    folded = _DOTS.sub("·", unicodedata.normalize("NFC", name).strip()).casefold()
    return _SPACES.sub("\\1", folded.replace("’", "'"))
