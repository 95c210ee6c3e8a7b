# SymJam: `make run` and `make test` need only Python 3.11 or 3.12 and make.
.DEFAULT_GOAL := help
PYTHON ?= $(shell for p in python3.11 python3.12 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet

ROOMS := $(addprefix tests/,consensus crdt fuzz jam mutation node/engine reference sim tidy vectors wallet test_layers.py test_tidy.py)
.PHONY: help setup run test test-rooms test-nodes lint bench fairness odds scale starts decay fuzz api-fuzz soak soak-nodes kills soak-store hostile histories idle mutate vectors yjs-crosscheck reference demo lan clock latency pictures lock clean

help: ## show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.ready ## create .venv and install everything the program needs

# Two locks in two steps: setuptools first, because two pure-Python packages come without a wheel and are
# built with it; then the rest, never resolved again (--no-deps), so that no package asks for a compiler.
$(VENV)/.ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "SymJam needs Python 3.11 or 3.12, and found neither. Install one, or: make PYTHON=/path/to/python"; exit 1; }
	@echo "setting up $(VENV) with $(PYTHON) (about a minute, once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@sed -n '/^setuptools==/,/[^\\]$$/p' requirements.lock > $(VENV)/build.lock
	@$(PIP) install --no-deps --require-hashes -r $(VENV)/build.lock
	@$(PIP) install --no-deps --require-hashes --no-build-isolation -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready requirements-dev.lock
	@$(PIP) install --no-deps --require-hashes --no-build-isolation -r requirements-dev.lock
	@touch $@

run: setup ## start a node and print its page's address
	@$(BIN)/symjam up

test: $(VENV)/.ready-dev ## run the tests (no network, no root)
ifdef TESTS
	@$(BIN)/python -m pytest $(TESTS)
else
	@$(MAKE) --no-print-directory -k -j2 test-rooms test-nodes
endif

# What starts nodes or a browser goes by real time, one after the other; beside it the rooms without any.
test-rooms: $(VENV)/.ready-dev
	@mkdir -p build; $(BIN)/python -m pytest $(ROOMS) >build/test-rooms.txt 2>&1; code=$$?; cat build/test-rooms.txt; exit $$code

test-nodes: $(VENV)/.ready-dev
	@$(BIN)/python -m pytest $(addprefix --ignore=,$(ROOMS))

lint: $(VENV)/.ready-dev ## style, types and layers
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

bench: $(VENV)/.ready-dev ## measure the costs that matter (prints figures, asserts nothing)
	@$(BIN)/python -m bench

fairness: $(VENV)/.ready-dev ## who is drawn to verify how often, over 100,000 selections: WINDOWS=2900
	@$(BIN)/python -m bench.draws --windows $(or $(WINDOWS),2900)

odds: $(VENV)/.ready-dev ## how likely no verdict is with people offline, and a fake with hostile weight: TRIALS=50000
	@$(BIN)/python -m bench.odds --trials $(or $(TRIALS),50000)

scale: $(VENV)/.ready-dev ## how a mesh grows from 10 to 300 nodes, drawn; simpy and blocksimpy beside it: OTHERS=PYTHON
	@$(BIN)/python -m bench.scale $(if $(OTHERS),--others $(OTHERS))

idle: $(VENV)/.ready-dev ## what nodes cost while nobody plays: SECONDS=3600 NODES=4
	@$(BIN)/python -m bench.idle --seconds $(or $(SECONDS),3600) --nodes $(or $(NODES),4)

starts: $(VENV)/.ready-dev ## how long a node takes to start on a long ledger, and commands to answer: ENTRIES=100000
	@$(BIN)/python -m bench.start --entries $(or $(ENTRIES),100000)

decay: $(VENV)/.ready-dev ## draw docs/img/decay.svg: how a reward falls with the same verifiers, and recovers
	@$(BIN)/python -m tests.consensus.decay

$(VENV)/.ready-fuzz: $(VENV)/.ready-dev requirements-fuzz.txt
	@$(PIP) install --no-deps --require-hashes -r requirements-fuzz.txt
	@touch $@

fuzz: $(VENV)/.ready-fuzz ## fuzz a decoder: TARGET=entry|yjs|edit|frame SECONDS=60 SEED=1 RUNS=-1
	@$(BIN)/python -m tests.fuzz $(or $(TARGET),entry) --seconds $(or $(SECONDS),60) --seed $(or $(SEED),1) \
	  --runs $(or $(RUNS),-1)

API_TOOLS := build/api-fuzz
$(API_TOOLS)/.ready: $(VENV)/.ready requirements-api.txt
	@mkdir -p build; test -x $(API_TOOLS)/bin/python || $(PYTHON) -m venv $(API_TOOLS)
	@$(API_TOOLS)/bin/python -m pip --disable-pip-version-check --quiet --quiet install --no-deps --require-hashes -r requirements-api.txt
	@touch $@

api-fuzz: $(API_TOOLS)/.ready ## try the API by its own description, with schemathesis: SECONDS=60 SEED=1
	@$(BIN)/python -m tests.apifuzz --bin $(abspath $(API_TOOLS))/bin --seconds $(or $(SECONDS),60) --seed $(or $(SEED),1)

soak: $(VENV)/.ready-dev ## random scenarios with every fault in the simulator: SECONDS=60 SEED=1 (or RUNS=300 NODES=16 HOURS=1 JOBS=2 OUT=file)
	@$(BIN)/symjam sim soak --seed $(or $(SEED),1) $(if $(RUNS),--runs $(RUNS),--seconds $(or $(SECONDS),60)) \
	  $(if $(NODES),--nodes $(NODES)) $(if $(HOURS),--hours $(HOURS)) $(if $(JOBS),--jobs $(JOBS)) $(if $(OUT),--out $(OUT)) \
	  $(if $(JSON),--json)

soak-nodes: $(VENV)/.ready-dev ## kill, freeze, restart and cut off real nodes: SEED=1 RUNS=10 NODES=8 SECONDS=40 (cutting: root)
	@$(BIN)/python -m tests.chaos --seed $(or $(SEED),1) --runs $(or $(RUNS),10) --nodes $(or $(NODES),8) \
	  --seconds $(or $(SECONDS),40) --rate $(or $(RATE),15) --preset $(or $(PRESET),small) --players $(or $(PLAYERS),2) \
	  $(if $(JSON),--json)

kills: $(VENV)/.ready-dev ## kill -9 two real nodes while they pay, stake and attest: KILLS=200 SEED=1 (half an hour)
	@$(BIN)/python -m tests.kills --seed $(or $(SEED),1) --kills $(or $(KILLS),200) $(if $(JSON),--json)

soak-store: $(VENV)/.ready-dev ## damage stores in every way: ROUNDS=200 SEED=1 (root and strace for all of it)
	@$(BIN)/python -m tests.soak --rounds $(or $(ROUNDS),200) --seed $(or $(SEED),1)

hostile: $(VENV)/.ready-dev ## an honest pair under every attack, SECONDS=10 each (ATTACKS="..." for some)
	@$(BIN)/python -m tests.hostile --seconds $(or $(SECONDS),10) $(ATTACKS)

histories: $(VENV)/.ready-dev ## random histories in many orders, against a second fold: COUNT=2000 SEED=1 ORDERS=20
	@$(BIN)/python -m tests.consensus.histories --count $(or $(COUNT),2000) --seed $(or $(SEED),1) --orders $(or $(ORDERS),20)

mutate: $(VENV)/.ready-dev ## put small faults into consensus/, see which no test notices: SECONDS=600 SEED=1 (MODULE=consensus/x.py)
	@$(BIN)/python -m tests.mutation --seconds $(or $(SECONDS),600) --seed $(or $(SEED),1) $(if $(MODULE),--module $(MODULE))

vectors: $(VENV)/.ready-dev ## write tests/vectors/*.json from the rules
	@$(BIN)/python -m tests.vectors

reference: $(VENV)/.ready-dev ## write docs/reference/*.md from the command line and the API
	@$(BIN)/python -m tests.reference

demo: setup ## four nodes on this machine, a made-up performance, blocks that pay
	@$(BIN)/symjam demo

lan: RUNS ?= 10
lan: SECONDS ?= 60
lan: $(VENV)/.ready-dev ## three hosts on a switch: discovery, cable, packet loss (root; RUNS=10 SECONDS=60)
	@$(BIN)/python -m tests.lan.trials --runs $(RUNS) --loss $(SECONDS)

clock: $(VENV)/.ready-dev ## two clocks 100 ppm apart, five kinds of network (root; SECONDS=180 LINK=an interpreter with Ableton Link)
	@$(BIN)/python -m tests.lan.clocks --seconds $(or $(SECONDS),180) $(if $(LINK),--link $(LINK))

latency: $(VENV)/.ready-dev ## key to sound, page to page, 8 pages on 4 nodes, a real take: SECONDS=180 KEYS=300 (TRIALS="keys crossing crowd groove")
	@$(BIN)/python -m tests.latency $(TRIALS) --seconds $(or $(SECONDS),180) --keys $(or $(KEYS),300) $(if $(JSON),--json)

pictures: $(VENV)/.ready-dev ## take docs/img/*.png: every view of the page on nodes that play
	@$(BIN)/python -m tests.node.web.pictures

yjs-crosscheck: $(VENV)/.ready-dev ## our Yjs decoder and encoder against Yjs in Node.js: COUNT=5000 SEED=1
	@$(BIN)/python -m tests.doors.crosscheck --count $(or $(COUNT),5000) --seed $(or $(SEED),1)

lock: $(VENV)/.ready-dev ## resolve requirements*.in, and the packages of tests/doors, again into the locks
	@$(PIP) install uv
	@for f in requirements requirements-dev; do \
	  $(BIN)/uv pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-emit-index-url \
	    --no-annotate --no-header --override requirements-override.txt $$f.in -o $$f.lock; done
	@$(BIN)/uv pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-emit-index-url \
	  --no-annotate --no-header requirements-api.in -o requirements-api.txt
	@if command -v npm >/dev/null; then $(BIN)/python -m tests.doors.lock; fi

clean: ## remove .venv and caches
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
