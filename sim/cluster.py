"""A sweep on a Dask cluster: the same cells, the same results, other machines.

The scheduler's address is all that is needed; the workers have this version of SymJam installed, which is asked of
each before the first run, since a result counts only with the sources that made it. `distributed` is an extra, because
nothing else of SymJam needs it.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from crdt.errors import OperatingFailure
from sim.cells import Cell, code_hash
from sim.result import Result
from sim.sweep import Ended, Runner, Spread, said

if TYPE_CHECKING:
    from distributed import Client

CONNECT_TIMEOUT_S: Final = 20
AHEAD: Final = 4  # cells handed out for each thread of the cluster: the way there takes longer than on one machine
INSTALL: Final = "Install it beside SymJam: pip install distributed (the same version as on the cluster)."
LOOK: Final = "Look whether the scheduler runs and this machine reaches it; without --cluster it runs here."


def on_cluster(address: str, runner: Runner, code: str) -> Spread:
    """Spread cells over the cluster at that address. OperatingFailure when there is none, or it runs other sources."""
    try:
        from distributed import Client, as_completed
    except ModuleNotFoundError as error:
        raise OperatingFailure("cannot use a cluster", f"there is no module {error.name}", INSTALL) from None

    def spread(cells: Sequence[Cell]) -> Iterator[Ended]:
        client = _connected(Client, address)
        try:
            _same_code(client, address, code)
            left = iter(cells)
            ahead = max(1, sum(client.nthreads().values())) * AHEAD
            # impure: dask would hand out one result for two equal calls; retries are the sweep's own matter
            under_way = {client.submit(runner, cell, pure=False): cell for cell in islice(left, ahead)}
            done = as_completed(under_way, loop=client.loop)
            for future in done:
                cell = under_way.pop(future)
                yield _ended(cell, future)
                for more in islice(left, 1):
                    added = client.submit(runner, more, pure=False)
                    under_way[added] = more
                    done.add(added)
        finally:
            client.close()

    return spread


def _connected(client: type[Client], address: str) -> Client:
    from distributed.comm import get_address_host_port

    what = f"cannot reach the cluster at {address or 'an empty address'}"
    try:
        # asked before the client, which without an address starts a cluster, and grumbles long when it cannot connect
        place = get_address_host_port(address)
        socket.create_connection(place, CONNECT_TIMEOUT_S).close()
        found = client(address, timeout=CONNECT_TIMEOUT_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise OperatingFailure(what, said(error), LOOK) from None
    if not found.nthreads():
        found.close()
        raise OperatingFailure(what, "its scheduler has no workers", "Start workers: dask worker ADDRESS.")
    return found


def _same_code(client: Client, address: str, code: str) -> None:
    """Every worker has the sources that the sweep is named after."""
    for worker, theirs in client.run(code_hash).items():
        if theirs != code:
            why = f"{worker} runs other sources ({theirs}, here {code})"
            raise OperatingFailure(f"cannot use the cluster at {address}", why, "Install this version of SymJam there.")


def _ended(cell: Cell, future: Any) -> Ended:
    if future.status == "finished":
        result: Result = future.result()
        return Ended(cell, result, "")
    if future.status == "error":
        return Ended(cell, None, said(future.exception()))
    return Ended(cell, None, f"the cluster gave it up ({future.status})")
