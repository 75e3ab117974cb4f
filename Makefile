# Each target sets up what it needs: on a fresh machine one command is enough.
PYTHON ?= python3
PYTHON311 ?= python3.11
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest -n auto --dist loadgroup --ignore=tests/hooks --durations=20
# What must not be skipped. MariaDB and Galera are Debian's: mariadb-server, galera-4, rsync.
LINEAGE_REQUIRE ?= mlmd,postgresql
SCHEMA := $(wildcard proto/lineage_store/v1/*.proto)

# --full adds a store of 10 million nodes.
BENCH_GROWTH ?=

# The versions of Python, beside that of .venv, on which the unit tests run.
VERSIONS ?= 3.12 3.13
# The tools whose hooks are tested, each in an environment of its own in .venv-hooks.
HOOKS ?= airflow dagster kedro kfp luigi metaflow prefect snakemake
SOURCES := $(shell find lineage_store server proto -name '*.py' -o -name '*.proto' -o -name '*.pth' | grep -v _pb2) pyproject.toml

# Seconds of the fuzz on each database; further options, such as --database sqlite.
FUZZ_SECONDS ?= 600
FUZZ ?=

.PHONY: demo test test-long test-versions test-hooks fuzz check docs commands lock bench bench-quick serve clean

demo: .venv-demo/.ready  ## run a real pipeline, skip what is known, print where its models came from
	.venv-demo/bin/python docs/examples/demo.py

test: .venv/.ready .venv-mlmd/.ready  ## the tests, also those against the real ml-metadata
	LINEAGE_REQUIRE=$(LINEAGE_REQUIRE) $(PYTEST) -m "not long"

test-long: .venv/.ready .venv-mlmd/.ready  ## the other tests: random, load, kill and fault-injection runs
	LINEAGE_REQUIRE=$(LINEAGE_REQUIRE) $(PYTEST) -m long

test-versions: $(VERSIONS:%=.venv-python/%/.ready) .venv-python/lowest/.ready  ## unit tests on other versions of Python, and with the lowest versions of all dependencies
	set -e; for version in $(VERSIONS) lowest; do \
	  echo "== $$version"; .venv-python/$$version/bin/python -m pytest -q -n 2 -m "not long" tests/unit; \
	done

test-hooks: .venv/.ready $(HOOKS:%=.venv-hooks/%/.ready)  ## run real pipelines in the real orchestrators, and compare what was recorded
	LINEAGE_REQUIRE_HOOKS="$(HOOKS)" $(BIN)/python -m pytest -n auto --dist worksteal tests/hooks

fuzz: .venv/.ready  ## send mutated requests of every RPC to a server on each database
	$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS) $(FUZZ)

check: .venv/.ready  ## lint, spelling, types, import contracts, schema, language
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/mypy
	$(BIN)/mypy --strict tests/typing
	$(BIN)/basedpyright --level error tests/typing
	$(BIN)/lint-imports
	$(BIN)/buf lint proto
	$(BIN)/python scripts/language.py --check

docs: .venv-docs/.ready  ## build the documentation site in site/, and fail on a broken link
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict

commands: .venv/.ready  ## write the reference of the command line, and the table of settings
	$(BIN)/python scripts/command_page.py > docs/reference/commands.md.new
	mv docs/reference/commands.md.new docs/reference/commands.md
	$(BIN)/python scripts/settings_page.py > docs/settings.md.new
	mv docs/settings.md.new docs/settings.md

lock: .venv/.ready  ## write the newest versions for development to requirements-dev.lock
	$(BIN)/python scripts/lock.py > requirements-dev.lock.new
	mv requirements-dev.lock.new requirements-dev.lock

bench: .venv/.bench .venv-mlmd/.ready .venv-mlflow/.ready $(HOOKS:%=.venv-hooks/%/.ready)  ## measure everything, and write docs/benchmarks.md and its tables
	$(BIN)/python benchmarks/run.py --with-mlflow --json benchmarks/results/suite.json
	$(BIN)/python benchmarks/growth.py $(BENCH_GROWTH) --json benchmarks/results/growth.json
	$(BIN)/python benchmarks/recording.py --save benchmarks/results/recording.json
	$(BIN)/python benchmarks/lineage.py --output benchmarks/results/lineage.json
	$(BIN)/python benchmarks/hooks.py --save benchmarks/results/hooks.json
	$(BIN)/python benchmarks/publish.py

bench-quick: .venv/.bench .venv-mlmd/.ready  ## print the goals and how far they are met, in 3 minutes
	$(BIN)/python benchmarks/run.py --quick

serve: .venv/.ready  ## serve lineage.db on 127.0.0.1:8080
	$(BIN)/lineage-store serve

.venv/.ready: pyproject.toml proto/hatch_build.py $(SCHEMA)
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/pip install --quiet --editable ".[all]" --group dev
	touch $@

# Each version of Python has an environment of its own; uv knows how to choose the lowest versions.
.venv-python/lowest/.ready: pyproject.toml proto/hatch_build.py $(SCHEMA)
	$(PYTHON311) -m venv .venv-python/lowest
	.venv-python/lowest/bin/pip install --quiet uv
	.venv-python/lowest/bin/uv pip install --quiet --python .venv-python/lowest/bin/python --resolution lowest-direct --editable ".[all]" --group test
	touch $@

.venv-python/%/.ready: pyproject.toml proto/hatch_build.py $(SCHEMA)
	python$* -m venv .venv-python/$*
	.venv-python/$*/bin/pip install --quiet --upgrade "pip>=25.1"
	.venv-python/$*/bin/pip install --quiet --editable ".[all]" --group test
	touch $@

.venv-demo/.ready: pyproject.toml proto/hatch_build.py $(SCHEMA)
	@echo "Installing the demo into .venv-demo (about 200 MB)"
	$(PYTHON) -m venv .venv-demo
	.venv-demo/bin/pip install --quiet --editable .
	touch $@

.venv/.bench: .venv/.ready
	$(BIN)/pip install --quiet --group bench
	touch $@

# The site reads the sources, and imports nothing of them.
.venv-docs/.ready: pyproject.toml
	$(PYTHON) -m venv .venv-docs
	.venv-docs/bin/pip install --quiet --upgrade "pip>=25.1"
	.venv-docs/bin/pip install --quiet --group docs
	touch $@

# The real ML Metadata: Linux and Python 3.11 only, and no other package beside it.
.venv-mlmd/.ready:
	$(PYTHON311) -m venv .venv-mlmd
	.venv-mlmd/bin/pip install --quiet "ml-metadata==1.17.1" "setuptools<81"
	touch $@

# MLflow brings a great deal along, so it is kept apart.
.venv-mlflow/.ready:
	$(PYTHON) -m venv .venv-mlflow
	.venv-mlflow/bin/pip install --quiet "mlflow-skinny>=3.17,<4" alembic sqlalchemy sqlparse
	touch $@

# The hooks are tested as users get them: from the wheel.
.venv-hooks/wheel/.ready: $(SOURCES) | .venv/.ready
	rm -rf .venv-hooks/wheel
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir .venv-hooks/wheel .
	touch $@

.venv-hooks/%/.ready: tests/hooks/requirements/%.txt .venv-hooks/wheel/.ready
	test -x .venv-hooks/$*/bin/python || $(PYTHON) -m venv --without-pip .venv-hooks/$*
	$(BIN)/pip --python .venv-hooks/$*/bin/python install --quiet --requirement tests/hooks/requirements/$*.txt "lineage-store[$*] @ file://$$(ls $(CURDIR)/.venv-hooks/wheel/*.whl)"
	$(BIN)/pip --python .venv-hooks/$*/bin/python install --quiet --no-deps --force-reinstall .venv-hooks/wheel/*.whl
	touch $@

clean:
	rm -rf .venv .venv-demo .venv-mlmd .venv-mlflow .venv-hooks .venv-docs site .mypy_cache .ruff_cache .pytest_cache .hypothesis
