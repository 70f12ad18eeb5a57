"""The OpenID Connect provider: partners' sites and systems sign citizens in, or act themselves."""
