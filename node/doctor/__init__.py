"""What can be wrong with a node and with the machine and the network around it, check by check (docs/operator.md)."""
