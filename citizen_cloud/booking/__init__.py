"""The capacity kernel: a holder takes n places in a slot, never more than there are."""
