"""Who did what to which object, append-only, sealed into a hash chain."""
