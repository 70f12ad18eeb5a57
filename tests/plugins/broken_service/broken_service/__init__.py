"""A service that cannot even be imported."""
