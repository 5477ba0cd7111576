# Everything a developer or a curious visitor runs. `make` alone lists the targets.
#
# The first target that needs Python makes .venv with what requirements/*.txt pin by hash; it is
# looked at again only when those files change. No package index is named here: pip's and uv's own
# configuration says where packages come from.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

VENV := .venv
PY := $(VENV)/bin/python
UV := $(PY) -m uv
SANDBOX_READY := $(VENV)/.sandbox-ready
DEV_READY := $(VENV)/.dev-ready
PYTHONS := python3.13 python3.12 python3.11 python3
# On two cores a third worker makes all of them slower, but where they wait for browsers and for
# processes that are killed.
WORKERS ?= 2
SLOW_WORKERS ?= 3

# The demo and the tests start dozens of processes: none of them compiles again what another has.
unexport PYTHONDONTWRITEBYTECODE
PATHS := src tests migrations benchmarks

# The first Python that is recent enough and can make virtual environments; else one sentence.
define FIND_PYTHON
incomplete=; \
for candidate in $(PYTHON) $(PYTHONS); do \
  command -v "$$candidate" >/dev/null 2>&1 || continue; \
  "$$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null || continue; \
  if "$$candidate" -c 'import venv, ensurepip' 2>/dev/null; then python=$$candidate; break; fi; \
  incomplete=$$candidate; \
done; \
if [ -z "$$python" ] && [ -n "$$incomplete" ]; then \
  echo "$$incomplete is here without its venv module: install that (on Debian or Ubuntu: apt install $$incomplete-venv), or name another Python by PYTHON=/path/to/python." >&2; exit 1; \
elif [ -z "$$python" ]; then \
  echo "Seatline needs Python 3.11, 3.12 or 3.13 with venv, and none was found: install one, or name it by PYTHON=/path/to/python." >&2; exit 1; \
fi
endef

# uv is many times faster; pip does the same where uv cannot be had or reaches no index. The files
# name everything there is to install: older versions of pip would look for more, and find no hash.
define INSTALL
$(UV) pip install --quiet --python $(PY) --require-hashes -r $(1) 2>$(VENV)/uv.log \
  || $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(1) \
  || { cat $(VENV)/uv.log >&2; exit 1; }
endef

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- the virtual environment -------------------------------------------------------------------

$(PY):
	@$(FIND_PYTHON); \
	echo "Making $(VENV) with $$($$python --version) ..."; \
	rm -rf $(VENV); $$python -m venv $(VENV)

# Of the pinned requirements only uv's own block, hashes included.
$(VENV)/.uv-ready: requirements/dev.txt | $(PY)
	@sed -n '/^uv==/,/^[^ ]/{/^uv==/p;/^ /p;}' requirements/dev.txt > $(VENV)/uv.txt
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(VENV)/uv.txt \
	  || echo "uv is not to be had here: pip does its work, more slowly." >&2
	@touch $@

$(SANDBOX_READY): requirements/sandbox.txt | $(VENV)/.uv-ready
	@echo "Installing what the demo needs ..."
	@$(call INSTALL,requirements/sandbox.txt)
	@touch $@

$(DEV_READY): requirements/dev.txt | $(VENV)/.uv-ready
	@echo "Installing what developers need ..."
	@$(call INSTALL,requirements/dev.txt)
	@touch $@ $(SANDBOX_READY)

install: $(DEV_READY) ## make .venv with everything that development needs

# --- running -----------------------------------------------------------------------------------

demo: $(SANDBOX_READY) ## run everything on this machine, with two demo businesses
	@$(PY) -m src.sandbox.runner --die-with-parent

demo-admin: $(SANDBOX_READY) ## make a platform admin of the running demo: EMAIL=you@example.com
	@$(PY) -m src.cli --demo admin create $(if $(EMAIL),--email '$(EMAIL)')

demo-reset: $(SANDBOX_READY) ## remove the demo's data
	@$(PY) -m src.sandbox.runner --reset

run: $(SANDBOX_READY) ## serve the web pages on real services (settings from the environment)
	@$(PY) -m granian --interface asgi --factory --loop uvloop --workers-kill-timeout 10 src.app:create_app

worker: $(SANDBOX_READY) ## run background jobs (settings from the environment)
	@$(PY) -m src.cli worker

relay: $(SANDBOX_READY) ## hand the outbox to the workers (settings from the environment)
	@$(PY) -m src.cli relay

migrate: $(SANDBOX_READY) ## bring the database to the newest revision
	@$(PY) -m src.cli db upgrade

# --- testing and checking ----------------------------------------------------------------------

browser: $(DEV_READY) ## bring a browser for the tests where there is none
	@$(PY) -m tests.support.get_browser

test: browser ## every level of tests, nine minutes on two cores
	@$(PY) -m pytest -n $(WORKERS) --dist worksteal -m "not slow"

test-slow: browser ## those that take longest: races, browsers, kills, migrations, great numbers
	@$(PY) -m pytest -n $(SLOW_WORKERS) --dist worksteal -m slow

test-all: test test-slow ## both

test-shuffled: browser ## as make test, with rows that no query orders in an order by chance
	@$(PY) -m pytest -n $(WORKERS) --dist worksteal -m "not slow" --shuffle-rows

test-long: $(DEV_READY) ## the booking core at random, an hour or SECONDS=...
	@LONG_SECONDS=$(or $(SECONDS),3600) $(PY) -m pytest tests/properties

check: $(DEV_READY) ## style, types, directions between packages, sizes, templates, built CSS
	@$(PY) -m ruff check $(PATHS)
	@$(PY) -m ruff format --check $(PATHS)
	@$(PY) -m mypy
	@$(VENV)/bin/lint-imports
	@$(PY) -m tests.architecture.sizes
	@$(VENV)/bin/djlint --check --quiet templates
	@$(VENV)/bin/djlint --lint --quiet templates
	@assets/build.sh --check

fmt: $(DEV_READY) ## put code and templates into the project's form
	@$(PY) -m ruff check --fix $(PATHS)
	@$(PY) -m ruff format $(PATHS)
	@$(VENV)/bin/djlint --reformat --quiet templates

bench: $(DEV_READY) ## measure, on this machine
	@$(PY) -m benchmarks

lighthouse: browser ## score the main pages, into docs/lighthouse.md
	@$(PY) -m tests.support.lighthouse

# --- what is made from other files -------------------------------------------------------------

css: $(DEV_READY) ## build the stylesheet and the vendored scripts from assets
	@assets/build.sh

messages: $(DEV_READY) ## collect the texts to translate, and bring the catalogues up to date
	@$(VENV)/bin/pybabel --quiet extract -F babel.cfg --no-wrap --sort-by-file --project Seatline \
	  -k _ -k N_ -k marked -k pgettext:1c,2 -k npgettext:1c,2,3 -o locales/messages.pot src templates
	@for catalogue in locales/*/LC_MESSAGES/seatline.po; do \
	  [ -f "$$catalogue" ] || continue; \
	  language=$${catalogue#locales/}; language=$${language%%/*}; \
	  $(VENV)/bin/pybabel --quiet update --no-wrap --no-fuzzy-matching -D seatline -i locales/messages.pot -d locales -l $$language; \
	done

lock: $(DEV_READY) ## pin the newest versions that fit pyproject.toml
	@$(UV) pip compile --quiet --universal --generate-hashes --no-strip-extras --no-header --upgrade --python-version 3.11 \
	  pyproject.toml -o requirements/runtime.txt
	@$(UV) pip compile --quiet --universal --generate-hashes --no-strip-extras --no-header --upgrade --python-version 3.11 \
	  pyproject.toml --extra sandbox -c requirements/runtime.txt -o requirements/sandbox.txt
	@$(UV) pip compile --quiet --universal --generate-hashes --no-strip-extras --no-header --upgrade --python-version 3.11 \
	  pyproject.toml --extra sandbox --extra dev -c requirements/sandbox.txt -o requirements/dev.txt

.PHONY: help install demo demo-admin demo-reset run worker relay migrate browser test test-slow test-all test-shuffled test-long check fmt bench lighthouse css messages lock
