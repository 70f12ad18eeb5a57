"""Which services are plugged in, which of them are on, and how they are set."""
