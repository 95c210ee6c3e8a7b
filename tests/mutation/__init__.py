"""Mutation testing of consensus/ (`make mutate`): small faults are put into the rules, and some test must notice each.

Our own, because mutmut (3.8.1, tried on two modules: it works) leaves out what matters here: decorated functions, and
every table and number outside functions; and it neither stops when a time is over nor draws its mutants by a seed.
`mutants.py` makes the faults, `reach.py` knows which tests run which lines, `trial.py` runs those tests against one
fault in a process of its own.
"""
