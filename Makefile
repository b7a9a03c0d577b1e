# Everything here runs inside .venv, which .ci/environment makes from the hash-pinned requirement files.
PY := .venv/bin/python
# What a server needs to be told; for the checks alone.
RANDOM = $$($(PY) -c 'import secrets; print(secrets.token_urlsafe(64))')
AS_DEPLOYED = DEBUG=false SECRET_KEY=$(RANDOM) NOTPANEL_API_KEY=$(RANDOM)

# The tests start processes by the hundred. Were it set, each of them would compile the house anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo demo-logins test slow campaign fuzz mutants check lint format types templates migrations deployment environment-to-test proxy-to-test bench flat sbom audit requirements clean

help:
	@echo "make demo          the desk with a team, orders and its own supplier: http://127.0.0.1:8000"
	@echo "                   other ports: make demo ARGS='--port 8001 --sandbox-port 8702'"
	@echo "make demo-logins   the addresses and the logins of the demo again"
	@echo "make test          the quick tests, about five minutes; a part of them: make test ARGS='tests/orders -k answer'"
	@echo "make slow          the slower tests: walks through every page, kills, families of like cases, a whole demo"
	@echo "make campaign      faults and kills, for minutes: 10,000 orders, 110 kills; on one database"
	@echo "                   longer: make campaign ORDERS=1000000 KILLS=5000 SEED=7"
	@echo "make fuzz          50,000 hostile requests to every address as everybody: none may be a 500"
	@echo "make mutants       plants mistakes in a copy, one by one; the tests must notice each"
	@echo "make check         lint, format, types, templates, migrations, deployment"
	@echo "make bench         the figures, measured"
	@echo "make flat          all of it at a thousand orders and a million, counted on both databases; keeps the table"
	@echo "make sbom          what the desk is made of, as a CycloneDX list: sbom.cdx.json"
	@echo "make audit         whether a pinned package is known to be vulnerable; Error 3: no database could be asked"
	@echo "make requirements  re-make the pinned requirement files from pyproject.toml"
	@echo "make clean         remove what the desk made for itself, the demo's orders among it"

demo:
	@.ci/environment requirements.txt
	@$(PY) manage.py demo $(ARGS)

demo-logins:
	@$(PY) manage.py demo --logins $(ARGS)

# Some tests take half a minute and most none: whoever is done early takes over from the other. One more of them than
# there are processors, for browsers and servers are waited for.
# Where no browser is to be had either, the tests that need one are left out, and the last lines say so.
test: environment-to-test
	@$(PY) -m tests.machine driver browser fonts || true
	@$(PY) -m pytest -n $$(($$(nproc) + 1)) --dist worksteal $(ARGS)

slow: override ARGS += -m slow
slow: proxy-to-test test

# Some of the slow tests stand behind nginx; without it they are left out.
proxy-to-test: environment-to-test
	@$(PY) -m tests.machine nginx openssl curl || true

# The kills by themselves: they measure time, and the campaign takes every core.
campaign: environment-to-test
	@CAMPAIGN_ORDERS=$(ORDERS) CAMPAIGN_SEED=$(SEED) $(PY) -m pytest -n auto --dist worksteal -m campaign tests/campaign tests/kills -rP --tb=short --ignore=tests/kills/test_kills.py $(ARGS)
	@CAMPAIGN_KILLS=$(KILLS) CAMPAIGN_SEED=$(SEED) $(PY) -m pytest -m campaign tests/kills/test_kills.py -s $(ARGS)

fuzz: environment-to-test
	@$(PY) -m pytest -m campaign tests/fuzz -rP $(ARGS)

mutants: environment-to-test
	@$(PY) -m tests.mutants $(ARGS)

# `make --keep-going check` tells everything that is wrong, not only the first.
CHECKS := lint format types templates migrations deployment
check: $(CHECKS)
$(CHECKS): environment-to-test

environment-to-test:
	@.ci/environment requirements-test.txt
lint:
	$(PY) -m ruff check .
format:
	$(PY) -m ruff format --check .
types:
	$(PY) -m mypy
templates:
	$(PY) -m djlint --quiet --lint templates
migrations:
	$(PY) manage.py makemigrations --check --dry-run
# What a server serves is collected first, into a folder that does not outlive the check.
deployment:
	@export STATIC_ROOT=$$(mktemp -d) && trap 'rm -rf "$$STATIC_ROOT"' EXIT && \
	$(AS_DEPLOYED) $(PY) manage.py collectstatic --no-input --verbosity=0 && \
	$(AS_DEPLOYED) $(PY) manage.py check --deploy --fail-level WARNING

bench: environment-to-test
	@$(PY) -m tests.benchmarks $(ARGS)

# Also where a bound is missed on the first, the second is measured.
flat: environment-to-test
	@$(PY) -m tests.benchmarks.flat; first=$$?; $(PY) -m tests.postgres $(PY) -m tests.benchmarks.flat && exit $$first

sbom:
	@.ci/environment requirements.txt
	@$(PY) -m tests.supply.sbom $(ARGS)

# pip-audit stands in an environment of its own, which is made when it is first needed.
audit:
	@.ci/environment requirements.txt
	@$(PY) -m tests.supply.audit $(ARGS)

PIN = .tools/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade
requirements:
	@python3 -m pip install --quiet --target .tools --upgrade uv
	$(PIN) pyproject.toml --extra postgres --output-file requirements.txt
	$(PIN) pyproject.toml --extra postgres --extra test --output-file requirements-test.txt
	$(PIN) --group audit --output-file requirements-audit.txt

clean:
	rm -rf .venv .tools .data .pytest_cache .mypy_cache .ruff_cache .hypothesis test-results sbom.cdx.json
