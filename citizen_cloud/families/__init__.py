"""Who may act for whom: children, elders, disabled people, and those they trust."""
