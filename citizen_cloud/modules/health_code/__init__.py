"""The city's health code: declared, coloured by rule, shown offline, verified at the door."""
