# make grade   set up, then grade the sample submissions into results/
# make test    set up, then run the linter, the type checker and the tests
# make verify  set up, then prove every rubric (SEEDS=20, JUNIT=report.xml for a CI service)
# make mutants make small changes of the core, and see whether a test fails for each (not part of test)
# make corpus grade the right and wrong notebooks of docs/fairness.md (not part of test: hours on a small machine)
# make docs    build the site of the documentation into build/site; a warning is an error
# make pictures make the pictures of the documentation again, with a headless browser
# make lock    renew requirements.lock, -docs.lock and -image.lock (after a change of pyproject.toml)

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
DOCS := .venv-docs/bin
DOCS_READY := .venv-docs/.ready
ASSIGNMENT ?= exercise_11
SEEDS ?= 20
JUNIT ?=
MUTANTS ?= --number 300
EXTRAS := --extra grade --extra pdf --extra postgres --extra cluster --extra serve
LOCKED := --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --quiet

# The sample submissions are ours: --unsafe lets them run even where no walls can be built.
.PHONY: grade test lint verify mutants corpus docs pictures lock clean

grade: $(READY)
	$(BIN)/grader grade submissions/$(ASSIGNMENT) --unsafe

test: lint
	$(BIN)/python -m pytest -n 2 --dist loadfile

verify: $(READY)
	$(BIN)/python -m pytest rubrics --grader-seeds $(SEEDS) $(if $(JUNIT),--junit-xml $(JUNIT))

mutants: $(READY)
	nice $(BIN)/python benchmarks/mutants.py $(MUTANTS)

corpus: $(READY)
	$(BIN)/python -m pytest tests/corpus -m corpus -s

docs: $(READY) $(DOCS_READY)
	$(BIN)/python docs/lay_out.py build/pages
	$(DOCS)/zensical build --clean --strict

pictures: $(READY) $(DOCS_READY)
	$(BIN)/python docs/pictures.py docs/images

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	-$(BIN)/python -m pip uninstall --quiet --yes grader 2>/dev/null # its name before
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(READY)

$(DOCS_READY): requirements-docs.lock
	$(PYTHON) -m venv .venv-docs
	$(DOCS)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-docs.lock
	touch $(DOCS_READY)

lock:
	uv pip compile --group pyproject.toml:docs $(LOCKED) -o requirements-docs.lock
	uv pip compile pyproject.toml $(EXTRAS) $(LOCKED) -o requirements-image.lock
	uv pip compile pyproject.toml $(EXTRAS) --group dev $(LOCKED) -o requirements.lock

clean:
	rm -rf .venv .venv-docs build results
