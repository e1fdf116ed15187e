SHELL := /bin/bash
PYTHON := .venv/bin/python

# The only home of the coverage thresholds, in percent of lines and branches. Verbs move money: every branch of theirs
# shall be run; 99 are, and the goal is 100 again. A day's share of the crawls moves the figures by tenths.
COVERAGE_MIN := 97
COVERAGE_MIN_WORKFLOWS := 98
# One more than the two processors of the build server: a test waits for its server or its locks now and then.
TEST_WORKERS ?= 3
# A file's tests share its database; the order of the files is that of tests/conftest.py, the longest first.
SHARE := --dist loadfile --no-loadscope-reorder

.PHONY: help run dev test marked one test-long check hooks migration features bench screenshots lock clean

help: ## 列出全部命令
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

run: ## 从零到登录页：准备环境、建库、装入基础与演示数据、启动
	@scripts/bootstrap.sh run
	@exec $(PYTHON) run.py

dev: ## 边改边看：保存即生效，地址与 make run 相同，不含定时任务
	@scripts/bootstrap.sh run
	@exec $(PYTHON) -m scripts.dev

test: ## 静态检查与测试：每个文件在 SQLite 或 PostgreSQL 上，事关数据库的在两种上
	@scripts/bootstrap.sh test
	@$(MAKE) --no-print-directory -j2 check marked
	$(PYTHON) -m scripts.covered --least $(COVERAGE_MIN) --workflows $(COVERAGE_MIN_WORKFLOWS)

# Beside `check`, which fills the moments in which tests wait.
marked:
	@rm -rf .cache/covered
	$(PYTHON) -m pytest -n $(TEST_WORKERS) $(SHARE) -m "not long" --today -p tests.covered

one: ## 只跑一个测试文件（SQLite）：make one T=tests/文件.py K=名称
	@TEMPLATES=quick $(PYTHON) -m pytest -q -n0 --db sqlite $(T) $(if $(K),-k "$(K)")

test-long: ## 耗时较长的测试，每张表的每扇门，两种数据库上全部重跑
	@scripts/bootstrap.sh test
	$(PYTHON) -m pytest -n $(TEST_WORKERS) $(SHARE) -m long
	$(PYTHON) -m pytest -n $(TEST_WORKERS) $(SHARE) -m "not long"

check: ## 只做静态检查：格式、ruff、mypy、import-linter、写法指标
	@scripts/bootstrap.sh test
	$(PYTHON) -m ruff format --check -q .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports
	$(PYTHON) -m scripts.habits

hooks: ## 提交前自动做静态检查
	@git config core.hooksPath .githooks && echo "已启用 .githooks，git commit --no-verify 可跳过一次"

migration: ## 按模型生成数据库迁移并在两种数据库上试：make migration NAME=what_changes
	@scripts/bootstrap.sh test
	@$(PYTHON) -W ignore -m scripts.migration "$(NAME)"

features: ## 重新生成 docs/features：每个动作的状态、权限、按钮、代码和测试在一页上
	@scripts/bootstrap.sh test
	@$(PYTHON) -W ignore -m scripts.features

bench: ## 性能测试，与同类产品或上限并列
	@scripts/bootstrap.sh bench
	$(PYTHON) -m benchmarks

screenshots: ## 重新生成截图
	@scripts/bootstrap.sh test
	$(PYTHON) -m scripts.screenshots

# Rewrite the locks from requirements*.in. Each lock constrains the next, so that all agree on every version.
# Extras stay in the lock: pip takes name[extra] for a requirement of its own and refuses one without a pin and a hash.
LOCK := .venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header --no-annotate --no-emit-index-url
lock: ## 按 requirements*.in 重写依赖锁定文件
	@scripts/bootstrap.sh test
	$(LOCK) requirements.in -o requirements.lock
	$(LOCK) -c requirements.lock requirements-dev.in -o requirements-dev.lock
	$(LOCK) -c requirements-dev.lock requirements-bench.in -o requirements-bench.lock

# Caches and results only: the environment (.venv) and the data (data) stay.
clean: ## 清除缓存与测试结果，不动数据
	rm -rf .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis test-results
	find . -path ./.venv -prune -o -path ./data -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf
