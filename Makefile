# The commands of the house. `make demo` needs Python 3.11 or newer with venv, and nothing else.

PYTHON ?= python3
PORT ?= 8000
export PORT

VENV := .venv
PY := $(VENV)/bin/python
INSTALL := $(PY) -m pip install -qq --disable-pip-version-check --require-hashes --no-deps
TOOLS := .venv-tools
NODE := openapi/node_modules
GENERATED := openapi/build
COMPILE := uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
	--python-version 3.11

.PHONY: demo test check lint bench chaos browser clients fuzz format openapi pictures locks clean

demo: $(VENV)/runtime.stamp ## Serve the Barnet demonstration on PORT
	@$(PY) -m app demo

test: $(VENV)/dev.stamp ## Run the tests on SQLite and PostgreSQL
	$(PY) -m pytest -n 2 $(ARGS)

check: lint test ## Everything that must be green

# Migrations on both databases (upgrade, compare with the models, downgrade, upgrade) are tests.
lint: $(VENV)/dev.stamp ## Format, lint, types, import contracts, OpenAPI snapshot
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports
	$(PY) -m app openapi --check openapi/openapi.json

bench: $(VENV)/dev.stamp ## Measure; asserts nothing about time
	$(PY) -m pytest -m bench -n 0 -s -p no:randomly $(ARGS)

chaos: $(VENV)/dev.stamp ## Kill servers and workers for five minutes a database
	OPENQI_CHAOS_SECONDS=$${OPENQI_CHAOS_SECONDS:-300} $(PY) -m pytest -n 0 -s tests/chaos $(ARGS)

browser: $(VENV)/dev.stamp ## Drive the docs page in headless Chromium (/usr/bin/chromium)
	$(PY) -m pytest -m browser -n 0 $(ARGS)

clients: $(VENV)/dev.stamp $(TOOLS)/tools.stamp $(NODE)/.package-lock.json ## Lint the contract, generate clients, use them
	$(NODE)/.bin/spectral lint openapi/openapi.json --fail-severity warn
	$(NODE)/.bin/openapi-typescript openapi/openapi.json --output $(GENERATED)/api.d.ts
	$(NODE)/.bin/tsc --project openapi/checks
	$(PY) -m openapi.checks.sign_webhooks > $(GENERATED)/signed.jsonl
	node openapi/checks/verify_webhook.mjs < $(GENERATED)/signed.jsonl
	PATH="$(CURDIR)/$(TOOLS)/bin:$$PATH" openapi-python-client generate --path openapi/openapi.json --meta none --overwrite \
		--output-path $(GENERATED)/openqi_client --config openapi/python-client.yaml --fail-on-warning
	$(PY) openapi/checks/with_demo.py sqlite \
		$(TOOLS)/bin/python openapi/checks/use_python_client.py $(GENERATED)

fuzz: $(VENV)/dev.stamp $(TOOLS)/tools.stamp ## Send every operation what nobody thought of, on both databases
	for backend in sqlite postgres; do \
		$(PY) openapi/checks/with_demo.py $$backend $(TOOLS)/bin/schemathesis \
			--config-file openapi/schemathesis.toml run '{ADDRESS}/openapi.json' $(ARGS) || exit 1; \
	done

format: $(VENV)/dev.stamp ## Format, and mend what can be mended
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

pictures: $(VENV)/dev.stamp ## Draw the pictures of docs/spc.md anew
	$(PY) docs/pictures/draw.py

openapi: $(VENV)/dev.stamp ## Write the OpenAPI snapshot anew
	$(PY) -m app openapi > openapi/openapi.json.new
	mv openapi/openapi.json.new openapi/openapi.json

locks: ## Compile the hashed locks anew (needs uv)
	$(COMPILE) pyproject.toml -o requirements.lock
	$(COMPILE) pyproject.toml tests/browser/requirements.in --extra dev -c requirements.lock \
		-o requirements-dev.lock
	$(COMPILE) openapi/requirements.in -o openapi/requirements.lock

clean: ## Remove what the other commands made; databases and keys stay
	rm -rf $(VENV) $(TOOLS) $(NODE) $(GENERATED) .pytest_cache .mypy_cache .ruff_cache \
		.import_linter_cache .hypothesis .schemathesis
	find app tests migrations -name __pycache__ -type d -prune -exec rm -rf {} +

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "OpenQI needs Python 3.11 or newer; set PYTHON=/path/to/python3."; exit 1; }
	@echo "Making $(VENV) (once) ..."
	@$(PYTHON) -m venv $(VENV)

# What runs, and what tests and checks it. The second lock holds the first, so one directory serves
# both; each has a stamp of its own.
$(VENV)/runtime.stamp: requirements.lock | $(PY)
	@echo "Installing what the server needs ..."
	@$(INSTALL) -r requirements.lock
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock | $(PY)
	$(INSTALL) -r requirements-dev.lock
	@touch $@ $(VENV)/runtime.stamp

# Tools that look at the API from outside, in Python and in Node.
$(TOOLS)/tools.stamp: openapi/requirements.lock
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install -qq --disable-pip-version-check --require-hashes \
		--no-deps -r openapi/requirements.lock
	@touch $@

$(NODE)/.package-lock.json: openapi/package.json openapi/package-lock.json
	npm ci --prefix openapi --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
