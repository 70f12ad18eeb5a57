"""Pure rules of the provider: scopes, addresses, lifetimes."""
