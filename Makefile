.PHONY: help demo test lint lint-style lint-types lint-scripts docs reference clean jar bench
.NOTPARALLEL:

PYTHON = .venv/bin/python
SCRIPTS = make/demo make/environment make/test .ci/run

help:
	@echo 'make demo       set up, and run a workflow on a private database: a minute'
	@echo 'make test       set up, and run all tests'
	@echo 'make lint       only look at the style and the types'
	@echo 'make docs       build the manual in docs/_build/html'
	@echo 'make reference  write what the manual says of commands and settings anew'
	@echo 'make jar        compile the Java class anew, where a JDK is'
	@echo 'make bench      measure what the manual promises; a quiet machine, ten minutes'
	@echo 'make clean      remove all that these have made'

demo:
	@make/demo "$(MAKE)"

test: .venv/for-test
	@make/test $(TESTS)

lint: lint-style lint-types lint-scripts

lint-style: .venv/for-test
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

lint-types: .venv/for-test
	$(PYTHON) -m mypy

lint-scripts:
	if command -v shellcheck >/dev/null; then \
	    shellcheck -x $(SCRIPTS) && cd slurm && shellcheck -x $$(grep -l '^#!' *); \
	fi

docs: .venv/for-test
	$(PYTHON) -m sphinx -W -n -q --keep-going -b html docs docs/_build/html

# The pages of the manual that the program itself knows best.
reference: .venv/for-test
	$(PYTHON) docs/reference.py

# The database of the demo may still be waiting for work.
clean:
	if [ -e .demo/quickstart ]; then .venv/bin/cromwell-userdb db remove --root .demo/quickstart --yes; fi
	rm -rf .demo .venv build docs/_build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

.venv/for-demo: setup.cfg pyproject.toml
	@make/environment
	@touch $@

.venv/for-test: setup.cfg pyproject.toml
	@make/environment test docs managed
	@touch $@ .venv/for-demo

JAVA_SOURCES = cromwell_userdb/java

# The same bytes from the same javac: no manifest, nothing compressed, one date for all.
jar:
	rm -rf build/java && mkdir -p build/java
	javac --release 16 -g:none -Xlint:all -d build/java $(JAVA_SOURCES)/UnixSocketFactory.java
	cd build/java && TZ=UTC jar --create --file cromwell-userdb.jar --no-manifest --no-compress \
	    --date 2026-01-01T00:00:00+00:00 $$(LC_ALL=C ls | grep 'class$$')
	mv build/java/cromwell-userdb.jar $(JAVA_SOURCES)/cromwell-userdb.jar

# Ours beside what people would do otherwise; also Cromwell's where CROMWELL_USERDB_CROMWELL names a jar.
bench: .venv/for-test
	$(PYTHON) benchmarks/start.py
	$(PYTHON) benchmarks/engine.py
