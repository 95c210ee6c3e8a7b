"""`python -m node`: the same as `symjam`, for processes that start others."""

from node.cli import main

main()
