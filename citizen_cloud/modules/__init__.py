"""The first-party services; siblings of identical shape, strangers to each other."""
