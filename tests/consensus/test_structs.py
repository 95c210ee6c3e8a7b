"""Everything that is signed, folded or put into a checkpoint is a value: frozen, an array, of exactly its fields."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import msgspec
import pytest

import consensus

# Nodes of a tree that changes in place, and what is derived and never decoded from foreign bytes.
CHANGING = {"consensus.hashtree"}
DERIVED = {"consensus.state", "consensus.reward", "consensus.accounts", "consensus.coins", "consensus.chains"}
DERIVED |= {"consensus.events.Onset", "consensus.lots", "consensus.reading"}


def _structs() -> Iterator[type[msgspec.Struct]]:
    for module in pkgutil.walk_packages(consensus.__path__, "consensus."):
        for found in vars(importlib.import_module(module.name)).values():
            if isinstance(found, type) and issubclass(found, msgspec.Struct) and found.__module__ == module.name:
                yield found


STRUCTS = sorted(_structs(), key=lambda struct: (struct.__module__, struct.__qualname__))


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: f"{struct.__module__}.{struct.__qualname__}")
def test_a_struct_of_the_rules_is_a_value(struct: type[msgspec.Struct]) -> None:
    config = struct.__struct_config__
    if struct.__module__ not in CHANGING:
        assert config.frozen
    if not {struct.__module__, f"{struct.__module__}.{struct.__qualname__}"} & (CHANGING | DERIVED):
        assert config.array_like and config.forbid_unknown_fields


def test_there_are_some() -> None:
    assert len(STRUCTS) > 30
