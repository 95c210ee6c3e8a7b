"""Keystore and the owner's view of the ledger."""
