"""What the accounts room takes and gives: signing in, and the own account."""
