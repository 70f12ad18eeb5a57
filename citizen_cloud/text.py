"""Bilingual words: whatever a citizen reads exists in zh-CN first and in English beside it."""

from typing import Literal, NamedTuple

Language = Literal["zh", "en"]


class Text(NamedTuple):
    """One sentence in both languages."""

    zh: str
    en: str

    def in_language(self, language: Language) -> str:
        """Return the sentence in one language."""
        return self.zh if language == "zh" else self.en

    def as_json(self) -> dict[str, str]:
        """Return the JSONB form ``{"zh": …, "en": …}`` that tables store."""
        return {"zh": self.zh, "en": self.en}

    def filled(self, **facts: object) -> "Text":
        """Return the text with ``{name}`` places filled from facts."""
        return Text(self.zh.format(**facts), self.en.format(**facts))


def from_json(value: dict[str, str]) -> Text:
    """Read the JSONB form; a missing language falls back to the other one."""
    zh = value.get("zh") or value.get("en") or ""
    return Text(zh, value.get("en") or zh)
