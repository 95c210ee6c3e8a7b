"""Decoders of foreign bytes under mutated input: seeds, mutations and oracles, for `make test` and `make fuzz`."""
