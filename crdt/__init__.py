"""Signed logs: identities, canonical encoding, entries, verification before merge, reconciliation, the store."""
