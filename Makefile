# Every target sets up what it needs by itself: see scripts/setup.
#   PYTHON=python3.12 make test     another Python
#   make test ARGS="-k trace"       more arguments for the program behind the target

.PHONY: help demo test check bench soak lock clean

help:           ## list the targets
	@sed -n 's/^\([a-z]*\): *## */  make \1	/p' Makefile

demo:           ## show what kubehop answers, on a small cluster that comes with it
	@scripts/setup run
	@.venv/bin/kubehop demo $(ARGS)

test:           ## run the tests
	@scripts/setup dev
	@.venv/bin/python -m pytest $(ARGS)

check:          ## format, lint, types, layers and tests: the same as CI
	@scripts/setup dev
	@scripts/check

bench:          ## measure
	@scripts/setup bench
	@.venv/bin/python -m benchmarks $(ARGS)

soak:           ## compare predictions with packets in thousands of generated labs (ARGS="--clusters 5000 --seed 1")
	@scripts/setup dev
	@.venv/bin/python -m tests.lab.differential $(or $(ARGS),--clusters 2000)
	@.venv/bin/python -m tests.lab.differential.names $(or $(ARGS),--clusters 150)

lock:           ## write requirements/ again from pyproject.toml (ARGS=--upgrade for newer versions)
	@scripts/setup dev
	@scripts/lock $(ARGS)

clean:          ## remove what the other targets made
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks
