"""What the daemon and its commands say in JSON, as types: each `symjam.<name>/<n>` and what it is made of.

The views of node/shell build these documents as plain values, for nothing of theirs is needed twice. The types are the
contract about them: the API's description (node/api/openapi.py), the reference and the tests follow from here.
"""
