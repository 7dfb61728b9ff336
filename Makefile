# make grade   set up, then grade the sample submissions into results/
# make test    set up, then run the linter, the type checker and the tests
# make lock    renew requirements.lock (after a change of pyproject.toml)

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
ASSIGNMENT ?= exercise_11

.PHONY: grade test lint lock clean

grade: $(READY)
	$(BIN)/grader grade submissions/$(ASSIGNMENT)

test: lint
	$(BIN)/python -m pytest

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(READY)

lock:
	uv pip compile pyproject.toml --extra grade --extra pdf --group dev --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --no-emit-index-url --quiet -o requirements.lock

clean:
	rm -rf .venv results
