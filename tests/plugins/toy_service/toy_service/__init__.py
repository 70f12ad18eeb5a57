"""玩具借用: a stranger's service, in a package of its own, that lends toys."""
