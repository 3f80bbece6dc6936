# Every target first sets up what it needs, in .venv and .tools; the second time that takes a moment.
# Needs: make, Python 3.11 or newer (HOST_PYTHON), and apt or MicroPython 1.24 or newer on PATH.

HOST_PYTHON ?= python3
BAUD =
FAMILY =
LINK =
MAP =
LISTEN =
LOG =
CONTROL =
CHOICE =
RUDE =
SET =
SHORT =
SEED =
SEEDS = 20
HOURS =
STEP =
ONE =
CHECK =
ALL =
ONLY =
WRITE =

PY := .venv/bin/python
SYSTEM := $(HOST_PYTHON) tests_host/tools/system.py
SOURCES := lib tests_host tests_device boards
PORTS := esp32 rp2

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help test test-cpython test-micropython cases faults pico demo mpy lint format features size bench week sim clean distclean venv stubs micropython valgrind

help:
	@echo "make test    run the tests under CPython, then under MicroPython"
	@echo "make cases   the shared cases under more seeds than the five of make test: [SEEDS=20]"
	@echo "make faults  every kind of fault at every byte of seven sessions: [FAMILY=sim7000] [STEP=7: every 7th byte] [SEED=0] [ONE=run: replay it] (an hour)"
	@echo "make pico    the library on an emulated Raspberry Pi Pico: all cases of one family, a life of each other ([FAMILY=a76xx] [ALL=1] [ONLY=words])"
	@echo "make pico-bench  speed, memory, heartbeat there, compared with what is promised (WRITE=1: promise what is measured); build/pico.json"
	@echo "make firmware  a Pico's firmware with TLS and the library in it: build/firmware/RPI_PICO_SIMCOM.uf2"
	@echo "make demo    open sockets through the virtual modem (FAMILY=a76xx: another; PYTHON=cpython: without MicroPython)"
	@echo "make mpy     make build/lib of lib/simcom, for a board: few compiled files, with lists for mip in build"
	@echo "make lint    check style, and types against the stubs of each port ($(PORTS))"
	@echo "make format  lay the source out as make lint wants it"
	@echo "make features  write the README's table of capabilities from the tests that ran last (CHECK=1: only compare)"
	@echo "make size    flash per module and per family; fails above the budget"
	@echo "make bench   heap, time and line efficiency (SHORT=1: the quick part)"
	@echo "make week    a program's virtual week with bad signal, a day of ten others, each family: [FAMILY=sim7000] [SEED=1] [HOURS=168] (20 minutes each)"
	@echo "make sim     a virtual modem on a pseudo-terminal: FAMILY=sim7000 [BAUD=115200] [LINK=path] [MAP=host:port=127.0.0.1:port,...]"
	@echo "            [LISTEN=80=8080] [SEED=1 [RUDE=1]] [LOG=file] [CONTROL=fifo] [SET='csq=9 ...'] [CHOICE='cpin=busy ...']"
	@echo "make clean   remove build/ and caches; make distclean also .venv and .tools"

# Both suites run, also when the first fails.
test: venv
	@$(SYSTEM) micropython >/dev/null || true
	@$(SYSTEM) micropython32 >/dev/null || true
	@$(MAKE) --no-print-directory --keep-going test-cpython test-micropython

test-cpython: venv
	@echo "tests under CPython"
	@$(PY) -m pytest -q -n auto --dist loadgroup tests_host

test-micropython: venv
	@echo "tests under MicroPython"
	@$(PY) tests_host/tools/run_mpy.py

cases: venv
	@echo "shared cases under $(SEEDS) seeds"
	@$(PY) -m pytest -q -n auto tests_host/tcp/test_cases.py --seeds $(SEEDS)

faults: venv
	@echo "single faults on the wire"
	@$(PY) tests_host/long/faults.py $(if $(ONE),--one $(ONE)) $(if $(FAMILY),--family $(FAMILY)) $(if $(SEED),--seed $(SEED)) \
		$(if $(STEP),--step $(STEP))

# The first time it fetches a compiler and builds a firmware: some minutes, and 500 MB in .tools/pico.
pico: venv mpy
	@echo "emulated Pico"
	@cd tests_host && ../$(PY) -m pico.run $(addprefix --family ,$(FAMILY)) $(if $(ALL),--all) $(if $(ONLY),--only '$(ONLY)')

pico-bench: venv mpy
	@echo "measuring on the emulated Pico"
	@cd tests_host && ../$(PY) -m pico.bench $(if $(WRITE),--write)

firmware: venv mpy
	@echo "firmware of a Pico"
	@cd tests_host && ../$(PY) -m pico.firmware

# A PYTHON that the environment happens to hold is not meant for the demo, so only these two are passed on.
demo: venv $(if $(filter cpython,$(PYTHON)),,micropython)
	@echo "demo"
	@$(PY) tests_host/demo.py $(addprefix --python ,$(filter cpython micropython,$(PYTHON))) $(addprefix --family ,$(FAMILY))

mpy: venv
	@echo "making build/lib of lib/simcom"
	@$(PY) tests_host/tools/made.py

lint: venv stubs
	@echo "ruff: $(SOURCES)"
	@$(PY) -m ruff check --quiet $(wildcard $(SOURCES))
	@$(PY) -m ruff format --check --quiet $(wildcard $(SOURCES)) || { echo "some files want: make format"; exit 1; }
	@for port in $(PORTS); do \
		echo "mypy: lib/simcom on $$port"; \
		MYPYPATH=lib:.tools/stubs-$$port $(PY) -m mypy --custom-typeshed-dir .tools/stubs-$$port \
			--cache-dir build/mypy-$$port --no-error-summary -p simcom || exit 1; \
	done

format: venv
	@echo "laying out: $(SOURCES)"
	@$(PY) -m ruff format $(wildcard $(SOURCES))

features: venv
	@$(PY) tests_host/features.py $(if $(CHECK),--check)

size: venv micropython
	@echo "flash used"
	@$(PY) tests_host/tools/size.py

bench: venv micropython valgrind
	@echo "measuring$(if $(SHORT), (the quick part))"
	@$(PY) tests_host/bench.py $(if $(SHORT),--short)

week: venv
	@echo "a virtual week"
	@for family in $(or $(FAMILY),$$(cd tests_host/support && $(abspath $(PY)) -c "import families; print(*families.FAMILIES)")); do \
		PYTHONPATH=lib:tests_host:tests_host/support $(PY) tests_host/long/week.py $$family $(or $(SEED),1) $(or $(HOURS),168) || exit 1; \
		PYTHONPATH=lib:tests_host:tests_host/support $(PY) tests_host/long/weeks.py $$family $(or $(SEED),1) $(or $(HOURS),168) || exit 1; \
	done

sim: venv
	@echo "virtual modem $(FAMILY)"
	@PYTHONPATH=tests_host $(PY) -m sim $(if $(FAMILY),--family $(FAMILY)) $(if $(BAUD),--baud $(BAUD)) \
		$(if $(LINK),--link $(LINK)) $(if $(MAP),--map $(MAP)) $(if $(LISTEN),--listen $(LISTEN)) \
		$(if $(SEED),--seed $(SEED)) $(if $(RUDE),--rude) $(if $(LOG),--log $(LOG)) $(if $(CONTROL),--control $(CONTROL)) \
		$(foreach each,$(SET),--set '$(each)') $(foreach each,$(CHOICE),--choice '$(each)')

clean:
	@echo "removing build/ and caches"
	@rm -rf build
	@find $(wildcard $(SOURCES)) -name __pycache__ -prune -exec rm -rf {} +

distclean: clean
	@echo "removing .venv and .tools"
	@rm -rf .venv .tools

venv:
	@$(HOST_PYTHON) tests_host/tools/install.py

stubs: venv
	@$(HOST_PYTHON) tests_host/tools/install.py stubs

# Where these cannot be had, the target that uses them does without and says so; in CI that is a failure. The tests count
# their skips themselves, so that there the CPython suite still runs.
micropython valgrind:
	@$(SYSTEM) $@ >/dev/null || [ "$$CI" != true ]
