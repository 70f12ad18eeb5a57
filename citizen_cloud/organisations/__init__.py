"""Hospitals, venues and pharmacies: where they are, and who works there in which role."""
