"""Places, their rotating codes, sealed visits, and records that two people opened."""
