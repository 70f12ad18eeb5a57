"""OAuth 2 and OpenID Connect by Authlib's grants; here they meet this room's services."""
