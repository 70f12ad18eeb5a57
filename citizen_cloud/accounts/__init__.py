"""Who is there: people, accounts, devices, sessions, consent."""
