"""Signed codes a citizen shows: issued, shown, verified, revoked."""
