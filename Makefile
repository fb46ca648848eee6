# geoplan: every target works as the first command on a fresh Debian machine with Python 3.11, pip, make and apt.
#   make demo    the main job on the shipped demo towns          make serve   the service with the demo's layers
#   make test    everything the tests need, then all of them     make check   lint, types, import contract, locks
#   make bench   speed and memory beside its peers               make fuzz    damaged files through reader processes
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
PYTEST ?= $(BIN)/python -m pytest -n auto --dist loadfile
SOURCES := geoplan layers/geoplan_layers web/geoplan_web api/geoplan_api

.PHONY: setup demo test check bench serve lock clean system fuzz

setup: $(VENV)/.dev

# Two stages of one environment: what the product runs on, and what its tests and checks need as well.
# Without uv the same locked versions come by pip, held to their hashes; a Debian without ensurepip is enough.
$(VENV)/.run: pyproject.toml uv.lock requirements.txt
	@if command -v uv >/dev/null 2>&1; then \
	  uv sync --quiet --frozen --no-default-groups --group build --compile-bytecode --python "$$(command -v $(PYTHON))"; \
	else \
	  $(PYTHON) -m venv --without-pip $(VENV) && \
	  $(PYTHON) -m pip --python $(BIN)/python install --quiet --no-deps --require-hashes -r requirements.txt && \
	  $(PYTHON) -m pip --python $(BIN)/python install --quiet --no-deps --no-build-isolation -e . ; \
	fi
	@$(BIN)/python -m compileall -q $(SOURCES)
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.txt
	@if command -v uv >/dev/null 2>&1; then \
	  uv sync --quiet --frozen --compile-bytecode --python "$$(command -v $(PYTHON))"; \
	else \
	  $(PYTHON) -m pip --python $(BIN)/python install --quiet --no-deps --require-hashes -r requirements-dev.txt; \
	fi
	@touch $@

# Damaged files through reader processes: `make fuzz COUNT=5000`, with the real ones below GEOPLAN_REAL_DATA if set.
COUNT ?= 5000
fuzz: $(VENV)/.dev
	$(BIN)/python tests/fuzzing.py --count $(COUNT) $(if $(GEOPLAN_REAL_DATA),--data $(GEOPLAN_REAL_DATA))

demo: $(VENV)/.run
	@$(BIN)/geoplan demo

serve: $(VENV)/.run
	@$(BIN)/geoplan serve --demo

# What the tests need of the system: Debian's Chromium, a Chinese font, a library of Playwright's driver; and PostgreSQL
# with PostGIS, whose programs the tests start themselves (no cluster of the system is made).
system:
	@if ! command -v chromium >/dev/null 2>&1 || ! command -v fc-list >/dev/null 2>&1 \
	  || ! fc-list :lang=zh | grep -q . || ! /sbin/ldconfig -p | grep -q libatomic.so.1; then \
	  $(SUDO) apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends \
	    chromium fontconfig fonts-noto-cjk libatomic1 >/dev/null; \
	fi
	@if ! ls /usr/lib/postgresql/*/lib/postgis-3.so >/dev/null 2>&1; then \
	  $(SUDO) mkdir -p /etc/postgresql-common && \
	  { test -e /etc/postgresql-common/createcluster.conf \
	    || echo "create_main_cluster = false" | $(SUDO) tee /etc/postgresql-common/createcluster.conf >/dev/null; } && \
	  $(SUDO) apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends \
	    postgresql postgresql-postgis >/dev/null; \
	fi

test: $(VENV)/.dev system
	@$(PYTEST)

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/uv lock --check --quiet
	@$(BIN)/uv export --quiet --frozen --no-default-groups --group build --no-emit-project --no-header | diff - requirements.txt >/dev/null || { echo "requirements.txt is not what the lock says: make lock"; exit 1; }
	@$(BIN)/uv export --quiet --frozen --no-default-groups --group dev --no-emit-project --no-header | diff - requirements-dev.txt >/dev/null || { echo "requirements-dev.txt is not what the lock says: make lock"; exit 1; }

# Every part of the benchmark in turn, its peers installed beside the product; docs/performance.md is made of it.
bench: $(VENV)/.bench
	@$(BIN)/python benchmarks/run.py $(BENCH)

$(VENV)/.bench: $(VENV)/.dev
	@$(BIN)/uv sync --quiet --frozen --group bench --compile-bytecode --python "$$(command -v $(PYTHON))"
	@touch $@

# After a change of dependencies: the lock, and the two hashed lists that pip installs from.
lock: $(VENV)/.dev
	$(BIN)/uv lock
	$(BIN)/uv export --quiet --frozen --no-default-groups --group build --no-emit-project --no-header -o requirements.txt >/dev/null
	$(BIN)/uv export --quiet --frozen --no-default-groups --group dev --no-emit-project --no-header -o requirements-dev.txt >/dev/null

clean:
	rm -rf $(VENV) geoplan-demo .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
