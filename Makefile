# Everything one does with Herdbook. Needs git, make and Python 3.11 or newer, nothing else.
PORT ?= 8000
URL = http://127.0.0.1:$(PORT)
UV ?= uv
FLASK = .venv/bin/flask --app app
# Three workers for two cores: one of them mostly waits. The databases of the workers are their own.
PYTEST = .venv/bin/python -m pytest -n 3 --ignore tests/browser
# Every process started here finds what another has compiled.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run demo test test-full browser screenshots bench lint fmt lock

help: ## list what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

run: .venv/run.installed ## serve on http://127.0.0.1:$PORT (8000) with SQLite under instance/
	@$(FLASK) db upgrade --quiet
	@$(FLASK) first-start --unused --url $(URL)
	@exec env PORT=$(PORT) .venv/bin/python -m serving.server app --host 127.0.0.1

demo: .venv/run.installed ## play a company's first week against the running service
	@.venv/bin/python -m demo $(URL)

test: .venv/dev.installed ## run the tests, on SQLite and on a PostgreSQL they start themselves
	@$(PYTEST) --dist loadfile --no-loadscope-reorder

test-full: .venv/dev.installed ## the same with every generated case and fault point
	@SCALE=1 $(PYTEST) --dist load

browser: .venv/dev.installed ## open every page of the dashboard in Debian's chromium and use it
	@.venv/bin/python -m pytest -rs -m browser tests/browser

screenshots: .venv/dev.installed ## take the pictures of docs/screenshots again, from the demo's company
	@SCREENSHOTS=1 .venv/bin/python -m pytest -rs -m browser tests/browser/test_screenshots.py

bench: .venv/dev.installed ## measure against a limit program, up to a million people (long)
	@.venv/bin/python -m benchmarks

lint: .venv/dev.installed ## what must hold before a commit: style, types, imports, measures
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy .
	@.venv/bin/lint-imports
	@.venv/bin/python -m pytest tests/test_house.py

fmt: .venv/dev.installed ## bring the code into its one format
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

lock: .venv/run.installed ## renew uv.lock and the hashed requirements from pyproject.toml (needs uv)
	@$(UV) lock --upgrade --python .venv/bin/python --default-index https://pypi.org/simple
	@$(UV) export --quiet --frozen --no-dev --no-emit-project --output-file requirements/run.txt
	@$(UV) export --quiet --frozen --all-groups --no-emit-project --output-file requirements/dev.txt

.venv/run.installed: requirements/run.txt requirements/install.sh
	@requirements/install.sh run

.venv/dev.installed: requirements/dev.txt requirements/install.sh
	@requirements/install.sh dev
