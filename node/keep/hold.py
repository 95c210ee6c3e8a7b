"""Reading the stores of a data directory, whoever has them open.

While a node runs it owns its store, and hands it out by its API; nobody else opens the other networks' stores, for
whoever would needs the lock on the data directory. Without a node that lock is taken, so that none starts meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from crdt.store.base import StoreDamaged
from crdt.store.level import LevelStore
from crdt.store.mark import NETWORK_KEY
from crdt.store.records import pieces
from crdt.store.swap import finish_swap
from crdt.store.upgrade import require_known
from crdt.types import NetworkId
from node.client import Client
from node.keep import frames
from node.keep.belongings import stores_in
from node.keep.manifest import STORE_NAME
from node.runtime import NoNode, Runtime, find


@dataclass(frozen=True, slots=True)
class Source:
    """One store, open. `pieces` are read as they are asked for, and raise OperatingFailure, StoreDamaged.

    `running_root`: the ledger's, as the node that has the store open says. `about`: entries, roughly, where known.
    """

    name: str
    network: NetworkId
    pieces: Iterator[bytes]
    running_root: str | None = None
    about: int = 0


class Hold:
    """A data directory whose stores can be read. A context manager: until it is left nothing else opens them.

    AlreadyRunning when a node is just starting there.
    """

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.client: Client | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Hold:
        try:
            self.client = Client(find(self.data_dir))
        except NoNode:
            if self.data_dir.is_dir():
                self._stack.enter_context(Runtime(self.data_dir))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._stack.close()

    def names(self) -> list[str]:
        """Which stores there are."""
        return stores_in(self.data_dir)

    @contextmanager
    def source(self, name: str) -> Iterator[Source]:
        """One of them. OperatingFailure, StoreDamaged."""
        if self.client is not None and name == self._served():
            with self.client.store() as take:
                came = frames.read(take)
                network = NetworkId(bytes.fromhex(came.head.network))
                yield Source(name, network, came.pieces, came.head.root, came.head.entries)
            return
        path = self.data_dir / name
        finish_swap(path)
        with closing(LevelStore(path)) as store:
            require_known(store)
            yield Source(name, _network(store, name), pieces(store.scan(b"")))

    def _served(self) -> str:
        """The store that the running node has open."""
        assert self.client is not None
        status = self.client.status()
        return f"store-{status['preset']}-{status['network'][:8]}"


def _network(store: LevelStore, name: str) -> NetworkId:
    """Which network's it says to be. StoreDamaged when it says nothing, or what its name contradicts."""
    found = store.get(NETWORK_KEY)
    match = STORE_NAME.fullmatch(name)
    if found is None or len(found) != 32 or match is None or found.hex()[:8] != match[2]:
        why = f"{name} does not say that it is that network's"
        raise StoreDamaged("the store cannot be read", why, "Start the node again: it mends what it can")
    return NetworkId(found)
