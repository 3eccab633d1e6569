# Needs git, make, Python 3.11 or newer and a package index. Everything lands in .venv; `make clean` forgets it.

.POSIX:
.PHONY: install demo test check format lint types imports dependencies measures bench soak docs pins release clean

# The first of these that is 3.11 or newer and can make environments. Another: make install PYTHON=/path/to/python
PYTHON =
PYTHONS = $(PYTHON) python3.13 python3.12 python3.11 python3 python
BIN = .venv/bin
# How many processes run the tests. Tests wait for sockets: on two cores six took 491 s and eight 450 s, but with eight
# a PostgreSQL server once did not start in time. Each needs up to 1 GB of memory at its end.
JOBS = 7
# Arguments for `amends demo` and for pytest: make test TESTS="tests/rules -k due"
DEMO =
TESTS =
# "long": many more examples, and more on both databases (CONTRIBUTING.md).
TESTING =
# The folder of labelled sets for `make bench`.
DATA =
# How long `make soak` runs.
MINUTES = 20
UV = uv
# The models that read danger and what a message does, learned from the examples in this checkout (about two minutes).
READER = triage/reader/act_vectors.npz
# The sentence vectors of the starter examples, which the first training would otherwise compute.
VECTORS = triage/starter/vectors.npz
# The weights of the letter warnings, learned from the written letters (40 s).
LETTERS = triage/letters/weights.npz
LEARNED = $(READER) $(VECTORS) $(LETTERS)

install: .venv/installed $(LEARNED)
	@$(BIN)/python -m amends.demo.past_file

demo: install
	@$(BIN)/amends demo $(DEMO)

# Each worker and each started process imports hundreds of modules: without compiled files, seconds each time, and in a
# fresh clone every worker would compile all of them.
ROOMS = amends benchmarks bots complaints reports scheduler simulator store triage
test: .venv/testable $(LEARNED)
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m compileall -q -j 0 $(ROOMS)
	@PYTHONDONTWRITEBYTECODE= TESTING="$(TESTING)" $(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(TESTS)

check: format lint types imports dependencies measures test

format: .venv/testable
	$(BIN)/ruff format --check

lint: .venv/testable
	$(BIN)/ruff check

types: .venv/testable
	$(BIN)/mypy

imports: .venv/testable
	$(BIN)/lint-imports

dependencies: .venv/testable
	$(BIN)/deptry .

# How readable the code is, with the goals; nothing fails here (tests/promises/test_ratchets.py does).
measures: .venv/testable
	@$(BIN)/python -m tests.code_measures

bench: .venv/testable
	@DATA="$(DATA)" $(BIN)/python -m benchmarks

# Half of what this machine can take in, for so many minutes: what grows and what does not. Then many alterations of
# the record, and a log of a million entries.
soak: .venv/testable
	@$(BIN)/python -m benchmarks soak --minutes $(MINUTES)
	@AMENDS_ALTERATIONS=1000 AMENDS_LOG=1000000 $(BIN)/python -m benchmarks alterations log

docs: .venv/testable
	$(BIN)/python -m tests.settings_page
	$(BIN)/python -m tests.clause_index
	$(BIN)/python -m tests.clause_page

# Writes the pinned requirements anew, for every supported Python and platform at once.
pins:
	$(UV) pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header -q \
		--extra build --extra encoder -o requirements/run.txt
	$(UV) pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header -q \
		--extra build --extra encoder --extra test -c requirements/run.txt -o requirements/test.txt

# Wheel, source archive, bill of materials, licences and checksums of the present commit, into dist/.
release: .venv/installed $(LEARNED)
	$(BIN)/python .ci/release.py

clean:
	rm -rf .venv

# The stamps say what an environment was made from, so that a second run starts at once.
.venv/made:
	@for python in $(PYTHONS); do \
		if "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "Making .venv with $$("$$python" --version)"; \
			"$$python" -m venv --clear .venv && touch $@ && exit 0; \
			exit 1; \
		fi; \
	done; \
	echo "Amends needs Python 3.11 or newer with its venv module (Debian, Ubuntu: apt install python3-venv)." >&2; \
	exit 1

.venv/installed: .venv/made requirements/run.txt pyproject.toml
	@echo "Installing the pinned dependencies"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(READER): .venv/installed triage/danger/*.csv triage/acts/*.csv triage/starter/*.csv triage/signs/*.toml triage/safety/*.py triage/reader/*.py triage/learning/reader_models.py triage/encoder.py
	@echo "Learning to read danger and what messages do"
	@$(BIN)/python -m triage.learning.reader_models

$(VECTORS): .venv/installed triage/starter/*.csv triage/encoder.py triage/text.py
	@echo "Computing the sentence vectors of the starter examples"
	@$(BIN)/python -m triage.learning.starter_vectors

$(LETTERS): .venv/installed triage/letters/letters.csv triage/letters/*.py triage/phrases/letters_*.toml triage/phrases/warnings_*.toml triage/learning/letter_models.py
	@echo "Learning what letters should not say"
	@$(BIN)/python -m triage.learning.letter_models

.venv/testable: .venv/installed requirements/test.txt
	@echo "Installing the pinned test tools"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/test.txt
	@touch $@
