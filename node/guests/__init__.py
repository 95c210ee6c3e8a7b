"""Guests: phones on the same Wi-Fi that play through this node, under keys it keeps for them (docs/guests.md)."""
