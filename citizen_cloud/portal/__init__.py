"""The entry point: home, agenda, bookings of every module, and the switchboard."""
