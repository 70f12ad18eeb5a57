"""Tables of the oidc room: who may ask, what was asked, what was given, and with which keys."""

from citizen_cloud.oidc.models.clients import Client, ClientSecret, SigningKey
from citizen_cloud.oidc.models.grants import Consent, Issuance, Request, Token

__all__ = ["Client", "ClientSecret", "Consent", "Issuance", "Request", "SigningKey", "Token"]
