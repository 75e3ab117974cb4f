# Each target sets up what it needs: on a fresh machine one command is enough.
PYTHON ?= python3
PYTHON311 ?= python3.11
BIN := .venv/bin
# What must not be skipped. MariaDB and Galera are Debian's: mariadb-server, galera-4, rsync.
LINEAGE_REQUIRE ?= mlmd,postgresql
SCHEMA := $(wildcard proto/lineage_store/v1/*.proto)

.PHONY: demo test check bench serve clean

demo: .venv/.ready  ## run a real pipeline, skip what is known, print where its models came from
	$(BIN)/python docs/examples/demo.py

test: .venv/.ready .venv-mlmd/.ready  ## every test, also those against the real ml-metadata
	LINEAGE_REQUIRE=$(LINEAGE_REQUIRE) $(BIN)/python -m pytest -n auto --dist loadgroup

check: .venv/.ready  ## lint, types, import contracts, schema
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/buf lint proto

bench: .venv/.ready .venv-mlmd/.ready  ## measure against the real ml-metadata, and what recording costs
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/recording.py
	$(BIN)/python benchmarks/lineage.py

serve: .venv/.ready  ## serve lineage.db on 127.0.0.1:8080
	$(BIN)/lineage-store serve

.venv/.ready: pyproject.toml proto/hatch_build.py $(SCHEMA)
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/pip install --quiet --editable ".[demo,postgresql,mysql,parquet]" --group dev
	touch $@

# The real ML Metadata: Linux and Python 3.11 only, and no other package beside it.
.venv-mlmd/.ready:
	$(PYTHON311) -m venv .venv-mlmd
	.venv-mlmd/bin/pip install --quiet "ml-metadata==1.17.1" "setuptools<81"
	touch $@

clean:
	rm -rf .venv .venv-mlmd .mypy_cache .ruff_cache .pytest_cache .hypothesis
