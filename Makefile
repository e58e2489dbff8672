# Everything stands on .venv, which is made from pinned versions; CI and a person run the same commands.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
PARALLEL := --numprocesses auto --dist worksteal

.PHONY: demo test check format stubs bench clean

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev,graphs,text,images]"
	touch $(INSTALLED)

demo: $(INSTALLED)          ## train on real data and show where the report lies
	$(BIN)/evenkeel train sample:diabetes --target target --out demo-run --fresh

test: $(INSTALLED)          ## all tests, on all cores
	$(BIN)/python -m pytest $(PARALLEL)

check: $(INSTALLED)         ## format, lint, types, tests, doctests
	$(BIN)/ruff format --check src tests bench examples
	$(BIN)/ruff check src tests bench examples
	$(BIN)/pyright
	$(BIN)/python -m pytest $(PARALLEL)
	$(BIN)/python -m pytest --doctest-modules src/evenkeel -p no:cacheprovider

format: $(INSTALLED)
	$(BIN)/ruff format src tests bench examples
	$(BIN)/ruff check --fix src tests bench examples

stubs: $(INSTALLED)         ## the __init__.pyi of the part folders
	$(BIN)/python -m evenkeel.parts losses metrics heads nets

bench: $(INSTALLED)         ## all measurements; results go to bench/results
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[bench]"
	$(BIN)/python -m bench

clean:
	rm -rf .venv demo-run
