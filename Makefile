# make run     从零到登录页：准备环境、初始化数据、启动
# make test    全部检查与测试（SQLite 与 PostgreSQL）；make test-long 为耗时测试
# make check   只做静态检查
# make one T=tests/文件.py [K=名称]   在 SQLite 上只跑一个测试文件；模型与 app/ 不变时沿用上次的模板库
SHELL := /bin/bash
PYTHON := .venv/bin/python

# The only home of the coverage thresholds, in percent. Verbs move money: every branch of theirs shall be run; what the
# proofs, readers and books of the last round left unrun is not measured yet, and the goal is 100 again.
COVERAGE_MIN := 90
COVERAGE_MIN_WORKFLOWS := 90
TEST_WORKERS ?= 2
# A file's tests share its database. In the files' own order the long stories come first and the small ones fill the end.
SHARE := --dist loadfile --no-loadscope-reorder

.PHONY: run test one test-long check bench screenshots lock clean

run:
	@scripts/bootstrap.sh run
	@exec $(PYTHON) run.py

test:
	@scripts/bootstrap.sh test
	@$(MAKE) --no-print-directory check
	@rm -f .coverage .coverage.*
	$(PYTHON) -m pytest -n $(TEST_WORKERS) $(SHARE) -m "not long" --third --cov --cov-report=
	$(PYTHON) -m coverage report --fail-under=$(COVERAGE_MIN)
	$(PYTHON) -m coverage report --include='workflows/*' --fail-under=$(COVERAGE_MIN_WORKFLOWS)

one:
	@TEMPLATES=quick $(PYTHON) -m pytest -q -n0 --db sqlite $(T) $(if $(K),-k "$(K)")

test-long:
	@scripts/bootstrap.sh test
	$(PYTHON) -m pytest -n $(TEST_WORKERS) $(SHARE) -m long
	$(PYTHON) -m pytest -n $(TEST_WORKERS) $(SHARE) -m "not long" --db postgresql

check:
	@scripts/bootstrap.sh test
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports

bench:
	@scripts/bootstrap.sh bench
	$(PYTHON) -m benchmarks

screenshots:
	@scripts/bootstrap.sh test
	$(PYTHON) -m scripts.screenshots

# Rewrite the locks from requirements*.in. Each lock constrains the next, so that all agree on every version.
# Extras stay in the lock: pip takes name[extra] for a requirement of its own and refuses one without a pin and a hash.
LOCK := .venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header --no-annotate --no-emit-index-url
lock:
	@scripts/bootstrap.sh test
	$(LOCK) requirements.in -o requirements.lock
	$(LOCK) -c requirements.lock requirements-dev.in -o requirements-dev.lock
	$(LOCK) -c requirements-dev.lock requirements-bench.in -o requirements-bench.lock

# Caches and results only: the environment (.venv) and the data (data) stay.
clean:
	rm -rf .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage .coverage.* htmlcov test-results
	find . -path ./.venv -prune -o -path ./data -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf
