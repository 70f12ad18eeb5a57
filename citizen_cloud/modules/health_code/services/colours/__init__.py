"""How colours come about: what was said, the fold, the rule versions, news of a change."""
