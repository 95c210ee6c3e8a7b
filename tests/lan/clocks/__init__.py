"""How well nodes know each other's time, under five kinds of network (docs/clock.md)."""
