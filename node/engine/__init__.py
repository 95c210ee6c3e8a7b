"""The protocol core: inputs in, effects out, nothing else (SPEC 1).

It holds what a node knows and decides what a node does, and reaches for no clock, socket, file or thread: the
daemon drives it over libp2p, the simulator over a virtual network, tests directly.
"""
