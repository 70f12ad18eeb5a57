"""On what a sign-in at a partner rests: whatever of it ends, ends its tokens with the next request.

The client, its organisation, the consent, the account, the person behind it, and the sign-in in the
city's own app in which the citizen said yes, with the device it is on. So signing out, removing a
device, changing the phone, a recovery at a counter, a reinstatement and a closure end at partners
what they end here, in the same moment. A person counts as long as the document does on that device
without a break: who withdraws the consent to the real name is told to nobody any more, and a
document that is shown again opens nothing that was given before.
"""

JOINS = """
      JOIN oidc.consent k ON k.id = i.consent_id
      JOIN oidc.client c ON c.id = i.client_id
      JOIN organisations.organisation o ON o.id = c.organisation_id
      JOIN accounts.account a ON a.id = i.account_id
      LEFT JOIN accounts.sign_in s ON s.id = i.sign_in_id
      LEFT JOIN accounts.device d ON d.id = s.device_id
      LEFT JOIN accounts.person p ON p.id = i.person_id AND p.id = a.person_id
                                 AND p.erased_at IS NULL AND d.proven_at <= i.created_at
"""
STANDS = """
       (i.revoked_at IS NULL AND i.expires_at > t AND k.withdrawn_at IS NULL
        AND c.status = 'active' AND o.status = 'active' AND a.status = 'active'
        AND (c.active_since IS NULL OR i.created_at >= c.active_since)
        AND s.id IS NOT NULL AND s.revoked_at IS NULL AND d.removed_at IS NULL
        AND i.person_id IS NOT DISTINCT FROM p.id)
"""
