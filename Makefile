# Two commands do everything:  make demo   and   make test.  They need Python 3.11 or newer and no root.
# The tests also need Dovecot, ffmpeg and Chromium: where they are missing, tools/test-parts installs them, or says so.
# Another Python:  make PYTHON=python3.12 demo

PYTHON ?= python3
VENV ?= .venv
DEMO ?= demo
TEST_JOBS ?= 2
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

# Compiled modules are kept: the tests start the command hundreds of times.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: docs-site help demo test hunt faults test-parts lint bench docs release-check changelog clean distclean

help:
	@echo "make demo    archive the sample tour into ./$(DEMO); a second time, nothing is new"
	@echo "make test    install what the tests need, check the code, run all tests"
	@echo "make test-long  run the tests that take their time"
	@echo "make hunt    run the property tests on many new examples"
	@echo "make faults  break things on purpose, thousands of times (hours); POINTS='power races' does a part"
	@echo "make lint    check the code only"
	@echo "make bench   run the benchmarks"
	@echo "make docs    write the reference of the command and the configuration anew"
	@echo "make changelog      fold changelog.d/ into CHANGELOG.md; RELEASE=0.2.0 closes its section as well"
	@echo "make release-check  build, look inside, install and run what would be released"
	@echo "make docs-site  build the documentation with its search into build/site-docs"
	@echo "make clean   remove ./$(DEMO) and caches; make distclean removes $(VENV) too"

demo: $(VENV)/.installed
	@$(BIN)/archive demo --into $(DEMO)

test: test-parts lint $(VENV)/readers/.installed
	$(BIN)/pytest -n $(TEST_JOBS)

# What says at length what a shorter test says already.
test-long: test-parts $(VENV)/.installed-dev
	$(BIN)/pytest -n $(TEST_JOBS) -m long

# Property tests on new examples, and many; a failure prints the example that belongs into the test.
hunt: $(VENV)/.installed-dev
	HYPOTHESIS_PROFILE=hunt $(BIN)/pytest -n $(TEST_JOBS) -m hypothesis

# The fault campaign in its long form. Mounting disk images needs root; what cannot be done is left out, and said.
# How often, and which points there are: PYTHONPATH=src:plugins:tests .venv/bin/python -m faults.campaign --help
faults: $(VENV)/.installed-dev test-parts
	PYTHONPATH=src:plugins:tests $(BIN)/python -m faults.campaign $(POINTS) --json faults.json

# Dovecot and the like: not Python's to install.
test-parts:
	@tools/test-parts

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# The benchmarks need nginx; each says what else it can use. More options: python benchmarks/NAME.py --help
bench: $(VENV)/.installed-dev
	@set -e; for each in benchmarks/*.py; do echo "== $$each"; $(BIN)/python $$each; done

docs: $(VENV)/.installed-dev
	$(BIN)/python docs/make_reference.py
	$(BIN)/python docs/make_api_reference.py

changelog: $(VENV)/.installed-dev
	@$(BIN)/python tools/changelog.py $(if $(RELEASE),--release $(RELEASE))

# On every supported Python that is here. Another one: tools/release_check.py --python PATH
release-check: $(VENV)/.installed-dev
	@$(BIN)/python tools/release_check.py

# Any warning, such as a link that leads nowhere, is an error.
docs-site: $(VENV)/.installed-dev
	$(BIN)/zensical build --strict --clean
	@rm -rf .cache

# The environment. Some systems ship venv without pip ("ensurepip is not available"): then the pip of
# the system, if there is one, installs a pip into it.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed, but '$(PYTHON)' is not:" \
	       "`$(PYTHON) --version 2>&1 || true`." >&2; \
	  echo "Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { \
	  $(PYTHON) -m venv --clear --without-pip $(VENV) && \
	  $(PYTHON) -m pip --python $(VENV)/bin/python install --quiet pip; } || { \
	  rm -rf $(VENV); \
	  echo "'$(PYTHON) -m venv' does not work here. Install the package that holds it" \
	       "(on Debian and Ubuntu: python3-venv), or name another Python:" \
	       "make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; exit 1; }

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing into $(VENV) …"
	@$(PIP) install --quiet -c constraints.txt -e .
	@touch $@

# Dependency groups need pip 25.1.
$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "Installing what the tests need into $(VENV) …"
	@$(PIP) install --quiet --upgrade "pip>=25.1"
	@$(PIP) install --quiet -c constraints.txt --group dev
	@touch $@

# Readers of web archives, apart from ours: they must not be imported, only run.
$(VENV)/readers/.installed: tools/web-archive-readers.txt | $(VENV)/bin/python
	@echo "Installing the readers of web archives that the tests run …"
	@$(BIN)/python -m venv $(VENV)/readers
	@$(VENV)/readers/bin/python -m pip --disable-pip-version-check install --quiet -r $<
	@touch $@

clean:
	rm -rf $(DEMO) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

distclean: clean
	rm -rf $(VENV)
