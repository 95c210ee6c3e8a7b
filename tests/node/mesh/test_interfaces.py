"""Which addresses are announced."""

from node.mesh.interfaces import all_ipv4, usable

LO = ("lo", "127.0.0.1")


def test_every_usable_interface_and_not_loopback() -> None:
    found = [LO, ("wlan0", "192.168.1.7"), ("eth0", "10.0.0.5"), ("eth0", "169.254.3.4")]
    assert usable(found, None) == ["10.0.0.5", "169.254.3.4", "192.168.1.7"]


def test_containers_and_tunnels_are_left_out() -> None:
    """Trap: 172.17.0.1 is docker's on every machine, and announcing it sends each peer to itself."""
    found = [LO, ("docker0", "172.17.0.1"), ("br-4f1", "172.18.0.1"), ("tun0", "10.8.0.2"), ("veth12", "10.1.1.1")]
    assert usable([*found, ("eth0", "10.0.0.5")], None) == ["10.0.0.5"]


def test_loopback_when_nothing_else_is_there_or_when_wanted() -> None:
    assert usable([LO, ("docker0", "172.17.0.1")], None) == ["127.0.0.1"]
    assert usable([], None) == ["127.0.0.1"]
    assert usable([LO, ("eth0", "10.0.0.5")], ["127.0.0.1"]) == ["127.0.0.1"]


def test_this_machine_has_loopback() -> None:
    assert "127.0.0.1" in [host for _, host in all_ipv4()]
