# Isogloss. `make demo` shows a call, `make test` proves the house; each installs what is missing first.
#   make demo    a customer calls, waits, talks to an agent; prints the timeline and checks what each side heard
#   make run     a node that stays up; prints how to register a softphone
#   make test    all tests but those of `several` and `browser`      make lint    ruff, mypy, import rules
#   make several tests of several nodes, fronts, gateways and probes, which want the machine for themselves
#   make bench   every benchmark, results kept   make soak    the long runs
#   make browser tests of pages and of softphones in them, in Chromium (Node.js and npm packages for these alone)
#   make chroot  demo and test in a clean Debian, and the Dockerfile replayed (root, about half an hour)

SHELL = /bin/bash
PYTHON = .venv/bin/python
# Options for the program behind a target, e.g. `make test ARGS="-k queue"` or `make demo ARGS=--help`.
ARGS =
# By two processes, which divide the rooms of real calls and then the rest (tests/conftest.py). A third is no
# quicker on two cores, and in the way of calls.
BY_TWO = -n 2 --no-loadscope-reorder --durations=15
# Several nodes, fronts and gateways at once; beside others they would spoil what those measure.
SEVERAL = $(patsubst %,tests/interop/test_%.py,crossed_takeover guide ims_line impaired kamailio kamailio_rules \
    lines listening nodes pool probe reload shared_queues sipvicious speech_overload takeover two_regions)
# Compiled modules are kept: without them every process that a test starts spends two thirds of its beginning
# on compiling.
unexport PYTHONDONTWRITEBYTECODE
# Spoken once, for every node that the demo, the tests and the benchmarks start.
export ISOGLOSS_PROMPTS = $(CURDIR)/var/prompts

# Long runs, one a line: a module and its arguments. A test asserts that every tests/**/soak_*.py is named.
define SOAKS
tests.sip.soak_mutations --count 1000000
tests.sip.soak_agent --count 20000
tests.engine.soak_requests --count 200
tests.engine.soak_postgres
tests.media.soak_datagrams --count 1000000
tests.media.soak_recording --minutes 60 --lost 0
tests.sim.story --calls 10000 --seeds 20
tests.sim.story --calls 10000 --seeds 20 --kill-worker
endef
export SOAKS

.PHONY: help demo run test several browser lint format bench table soak chroot constraints clean

help:
	@sed -n 's/^#   //p' Makefile

# A target's stamp is renewed when what it installs may have changed.
.venv/.ready-%: pyproject.toml constraints.txt scripts/setup.sh scripts/requirements.py
	@scripts/setup.sh $*
	@touch $@

demo: .venv/.ready-demo
	$(PYTHON) -m engine demo $(ARGS)

run: .venv/.ready-run
	$(PYTHON) -m engine serve $(ARGS)

test: .venv/.ready-test
	$(PYTHON) -m pytest $(BY_TWO) $(addprefix --ignore=,$(SEVERAL)) $(ARGS)

several: .venv/.ready-test
	$(PYTHON) -m pytest $(SEVERAL) $(ARGS)

browser: .venv/.ready-browser
	$(PYTHON) -m pytest tests/browser tests/interop/test_webphones.py tests/interop/test_jssip.py $(ARGS)

lint: .venv/.ready-test
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports

format: .venv/.ready-test
	$(PYTHON) -m ruff check --fix-only .
	$(PYTHON) -m ruff format .

bench: .venv/.ready-bench
	$(PYTHON) -m benchmarks.run $(ARGS)

table: .venv/.ready-bench
	$(PYTHON) -m benchmarks.table --write
	$(PYTHON) -m benchmarks.scale --write

soak: .venv/.ready-soak
	@set -e; grep -v '^ *$$' <<<"$$SOAKS" | while read -r run; do \
	    echo "== python -m $$run"; $(PYTHON) -m $$run </dev/null; done

chroot: .venv/.ready-test
	$(PYTHON) -m tests.project.chroot $(ARGS)
	$(PYTHON) -m tests.project.replay_dockerfile

constraints:
	scripts/freeze.sh

clean:
	rm -rf var dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -path ./.venv -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf
