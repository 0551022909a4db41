# `make demo`: install, train the default experiment, say where its picture is. `make test`: lint, types, all tests.
# `make docs`: the web site in site/. `make gallery`: pictures of runs for docs/gallery.md.
# `make test-gpu`: the tests that need a GPU, then everything that scripts/check_gpu.py looks at, on a machine with one.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test docs fuzz gallery test-gpu clean

demo: .venv/installed
	$(BIN)/gantrain

# Two workers: each imports torch anew and holds a gigabyte. One takes what the other has left: neighbours share
# fixtures that train, so they stay together, and the long tests of experiments still spread over both.
test: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 --dist worksteal

# The site of docs/ into site/; a page that is not found or a link that leads nowhere is an error.
docs: .venv/installed-dev
	$(BIN)/mkdocs build --strict

# Damaged files for every reader, thousands of each; `make fuzz FUZZ_SEED=1` draws others.
fuzz: .venv/installed-dev
	FUZZ_CASES=$(or $(FUZZ_CASES),5000) FUZZ_SEED=$(or $(FUZZ_SEED),1) \
		$(BIN)/python -m pytest tests/test_fuzz.py -n 2 --timeout 3600

# Pictures and facts of runs for docs/gallery.md: `make gallery RUNS="runs/a runs/b" MACHINE="a laptop of 2024"`.
gallery: .venv/installed
	$(BIN)/python scripts/make_gallery.py $(RUNS) --machine "$(MACHINE)"

test-gpu: .venv/installed-dev
	CUDA_VISIBLE_DEVICES=0 $(BIN)/python -m pytest -m cuda
	$(BIN)/python scripts/check_gpu.py

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

.venv/installed-dev: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@ .venv/installed

clean:
	rm -rf .venv .pytest_cache .ruff_cache .mypy_cache
