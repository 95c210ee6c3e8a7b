"""Many players and one ledger: does cheating pay? (SPEC 11; docs/simulator.md, two fidelities)

Here are the fold and all its rules as the daemon runs them, and players who are a few chances each instead of an
engine. What is left out: signatures, messages, and the proofs by which verifiers show that they were drawn.
"""
