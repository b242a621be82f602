# Every target makes its own set-up in .venv: `make demo` is enough after a clone.
#
#   make demo      the whole way, spec to audited lockfile, on an embedded GitLab
#   make test      every test, in parallel; needs no network
#   make check     lint, format, types, layers, schemas
#   make oracle    the comparisons with the git executable, long (ORACLE_EXAMPLES=2000)
#   make faults    every fault that a run has to survive, each on a GitLab of its own, long
#   make bench     what is measured against git and the runbook (BENCH_ARGS='--out FILE')
#   make schemas   write schemas/ anew from the models
#   make example   carry plans/example/ out anew, on the embedded GitLab
#   make docs      write docs/reference/ and the README's generated parts anew
#   make clean     remove what was made here, .venv too

PYTHON ?= python3
ORACLE_EXAMPLES ?= 2000
PYTEST_WORKERS ?= auto

venv := .venv
bin := $(venv)/bin

# A stamp bears a sum of the folder's path: scripts and editable installs hold that path, so a
# folder that was moved or copied is set up again.
here := $(shell printf '%s' '$(subst ','\'',$(CURDIR))' | cksum | cut -d ' ' -f 1)
installed := $(venv)/.installed-$(here)
installed_dev := $(venv)/.installed-dev-$(here)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check oracle faults bench schemas example docs clean dev

help:
	@sed -n 's/^#   //p' Makefile

demo: $(installed)
	@$(bin)/hotfix demo

test: $(installed_dev)
	@$(bin)/python -m pytest --numprocesses $(PYTEST_WORKERS) $(PYTEST_ARGS)

check: $(installed_dev)
	@$(bin)/ruff check
	@$(bin)/ruff format --check
	@$(bin)/mypy
	@$(bin)/lint-imports --no-logo
	@rm -rf build/schemas && mkdir -p build/schemas && $(bin)/python -m hotfix.views.schemas build/schemas
	@diff -r schemas build/schemas > /dev/null || { \
	  echo "schemas/ is not what the models say; run \`make schemas\`." >&2; \
	  exit 1; \
	}

oracle: $(installed_dev)
	@HOTFIX_ORACLE_EXAMPLES=$(ORACLE_EXAMPLES) $(bin)/python -m pytest -m oracle \
	  --numprocesses $(PYTEST_WORKERS) --timeout 3600 $(PYTEST_ARGS)

faults: $(installed_dev)
	@HOTFIX_EVERY_FAULT=1 $(bin)/python -m pytest tests/apply/test_survival.py \
	  tests/apply/test_rollback.py --numprocesses $(PYTEST_WORKERS) $(PYTEST_ARGS)

bench: $(installed_dev)
	@$(bin)/python -m pip install --quiet --disable-pip-version-check --group bench || \
	  echo "pygit2 cannot be installed; its rows will be missing." >&2
	@$(bin)/python benchmarks/cost.py $(BENCH_ARGS)
	@for script in explain gap hostile replay; do $(bin)/python benchmarks/$$script.py || exit; done

schemas: $(installed_dev)
	@$(bin)/python -m hotfix.views.schemas schemas

example: $(installed_dev)
	@$(bin)/python -m tests.docs.make_example
	@$(bin)/python -m tests.docs.write_readme

docs: $(installed_dev)
	@$(bin)/python -m tests.docs.write_reference
	@$(bin)/python -m tests.docs.write_readme

clean:
	rm -rf $(venv) build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

dev: $(installed_dev)

$(installed): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "hotfix needs Python 3.11 or newer; \`$(PYTHON)\` is not. Try: make PYTHON=python3.12" >&2; \
	  exit 1; \
	}
	@$(bin)/pip --version 2> /dev/null | grep -qF 'from $(subst ','\'',$(CURDIR))/' || { \
	  $(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { \
	    echo "This Python cannot make virtual environments: its modules venv and ensurepip are missing." >&2; \
	    echo "On Debian and Ubuntu: apt install python3-venv. Elsewhere: make PYTHON=<another python>" >&2; \
	    exit 1; \
	  }; \
	  echo "Setting up $(venv) ..." && $(PYTHON) -m venv --clear $(venv); \
	}
	@$(bin)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(bin)/python -m pip install --quiet --disable-pip-version-check --editable .
	@rm -f $(venv)/.installed-* && touch $@

$(installed_dev): $(installed)
	@echo "Installing what the tests and checks need ..."
	@$(bin)/python -m pip install --quiet --disable-pip-version-check --group dev
	@touch $@
