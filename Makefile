# Everything starts here, with Python 3.11+, git and make alone. `make` lists what there is.

# Looked up before .venv/bin comes first on PATH below; `make demo PYTHON=/some/python3.13` chooses another.
ifeq ($(origin PYTHON),undefined)
PYTHON := $(firstword $(shell command -v python3 python3.14 python3.13 python3.12 python3.11))
endif
VENV_PYTHON := .venv/bin/python
# One place where the checks look, so that all of them see the same files.
export PYTHONPATH := $(CURDIR)
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export REFLEX_CHECK_LATEST_VERSION := false
export REFLEX_TELEMETRY_ENABLED := false
# A shell that forbids compiled modules makes each of a dozen processes compile all of its imports again.
unexport PYTHONDONTWRITEBYTECODE
# Each process of these has servers and a world of its own. Many tests wait, so more processes than cores.
PYTEST := $(VENV_PYTHON) -m pytest --durations=40 --dist loadfile --no-loadscope-reorder
say = @printf '\n== %s\n' '$(1)'

.DEFAULT_GOAL := help
.PHONY: help demo dev test checks bench soak lock clean environment browser proxy pages

help:
	@echo 'make demo    the whole portal with sandbox vendors and three customers; Ctrl-C stops it'
	@echo 'make dev     the same world, pages reload when their source changes'
	@echo 'make test    exactly what CI runs: format, lint, types, import rules, all tests'
	@echo 'make bench   speed and size figures, each against its peer'
	@echo 'make soak    the long runs: slow tests, 500 orders while processes die, a whole day of shuffled hooks'
	@echo 'make lock    recompile requirements/ from pyproject.toml'
	@echo 'make clean   remove the environment, the built pages and the demo data'

demo: environment
	@exec $(VENV_PYTHON) -m portal_app.cli demo

dev: environment
	@exec $(VENV_PYTHON) -m portal_app.cli dev

# Types are checked by one process: the other core installs programs and builds the pages meanwhile.
test: environment
	@$(MAKE) --no-print-directory -j 2 checks proxy pages
	$(call say,Journeys in a browser and faults run beside the tests without a browser and are shown after them)
	@mkdir -p .portal/log
	@$(PYTEST) tests/journeys >.portal/log/journeys.log 2>&1 & journeys=$$!; \
		$(PYTEST) -n 2 tests/faults >.portal/log/faults.log 2>&1 & faults=$$!; \
		printf '\n== %s\n' 'Tests without a browser'; \
		$(PYTEST) -n 2 --ignore=tests/journeys --ignore=tests/faults; rest=$$?; \
		wait $$faults; faults=$$?; \
		printf '\n== %s\n' 'Faults: processes killed and vendors away'; cat .portal/log/faults.log; \
		wait $$journeys; journeys=$$?; \
		printf '\n== %s\n' 'Journeys in a browser'; cat .portal/log/journeys.log; \
		exit $$((rest + faults + journeys))
	@printf '\nAll checks and tests passed.\n'

checks: environment
	$(call say,Format)
	@ruff format --check .
	$(call say,Lint)
	@ruff check .
	$(call say,Types)
	@$(VENV_PYTHON) -m mypy
	$(call say,Import rules)
	@lint-imports

bench: environment browser
	@$(VENV_PYTHON) -m benchmarks

soak: environment browser proxy
	$(call say,Tests that take long: dev mode, a killed demo, every boundary of every workflow, the other views)
	@CONTRACT_EXAMPLES=200 $(PYTEST) -n 2 --ignore=tests/journeys -m 'soak or examples'
	@$(PYTEST) -m soak tests/journeys
	$(call say,500 orders while processes die; a whole day of shuffled hooks)
	@$(VENV_PYTHON) -m benchmarks.soak

lock: environment
	$(call say,Locking with uv)
	@test -x .portal/uv/bin/uv || $(VENV_PYTHON) -m pip install --quiet --disable-pip-version-check --target .portal/uv uv
	@for set in app dev; do \
		group=$$(test $$set = dev && echo '--group dev' || true); \
		.portal/uv/bin/uv pip compile pyproject.toml $$group --quiet --universal --python-version 3.11 \
			--generate-hashes --no-strip-extras --no-emit-index-url --no-header -o requirements/$$set.txt || exit 1; \
	done

clean:
	@if [ -x $(VENV_PYTHON) ]; then $(VENV_PYTHON) -m portal_app.local.clean; else $(PYTHON) -m portal_app.local.clean; fi

environment:
	@$(if $(PYTHON),,echo 'No python3 found: install Python 3.11 or newer.'; exit 1;) $(PYTHON) portal_app/local/bootstrap.py

browser: environment
	@$(VENV_PYTHON) -m portal_app.local.browser

# After the browser: the system's packages are installed by one process at a time.
proxy: browser
	@$(VENV_PYTHON) -m portal_app.local.proxy

pages: environment
	@PORTAL_ENV=development $(VENV_PYTHON) -m portal_app.local.frontend
