"""Citizen Cloud: one login and one entry point for a city, and plug-in services behind it."""
