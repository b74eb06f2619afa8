# KAN Workbench: everything these targets need they set up in .venv, which is made once and renewed when pyproject.toml or constraints.txt changes.
#
#   make app        open the workbench in the browser            make test       all tests but those marked slow, gpu or julia
#   make setup      the set-up alone                             make test-all   the rest too
#   make lint       ruff and the import contracts                make bench      every speed figure that README quotes (GROUPS="interactive ..." for some)
#
# PYTHON=python3.12 make setup      uses another interpreter (3.11 or later)

PYTHON ?= python3
VENV := .venv
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check --no-input
PYTEST := $(VENV)/bin/python -m pytest
# pykan names none of what it imports
PYKAN := pykan==0.2.8 matplotlib pandas pyyaml scikit-learn tqdm
NVRTC := nvidia-cuda-nvrtc==13.5.37 nvidia-cuda-cuobjdump==13.5.37 nvidia-cuda-nvdisasm==13.5.37
FAST := not slow and not gpu and not julia
# These search against the clock with all cores, or open ports and browsers: one at a time. All others share the cores.
ALONE := tests/benchmarks tests/cli tests/discovery tests/jobs tests/recovery tests/search tests/ui tests/test_readme.py
SHARED := -n 2 --dist loadfile $(ALONE:%=--ignore=%)

.PHONY: app setup test test-all nvrtc lint bench clean
.DEFAULT_GOAL := app

app: setup
	@exec $(VENV)/bin/kan-workbench app

setup: $(VENV)/installed

test: $(VENV)/installed-tests
	@tools/debian-package.sh chromium chromium "the browser tests"
	$(PYTEST) -m "$(FAST)" $(SHARED)
	$(PYTEST) -m "$(FAST)" $(ALONE)

test-all: $(VENV)/installed-tests nvrtc
	@tools/debian-package.sh chromium chromium "the browser tests"
	@tools/debian-package.sh octave-cli octave "the tests that run exported MATLAB code"
	@tools/debian-package.sh soffice libreoffice-calc "the tests that open exported workbooks"
	$(PYTEST) $(SHARED)
	$(PYTEST) $(ALONE)

# NVIDIA's compiler, 150 MB, compiles the kernels without a GPU; it has wheels for this platform alone.
nvrtc:
ifeq ($(shell uname -sm),Linux x86_64)
nvrtc: $(VENV)-nvrtc/installed
endif

lint: $(VENV)/installed-tests
	$(VENV)/bin/ruff check .
	$(VENV)/bin/lint-imports --no-logo

bench: $(VENV)/installed-tests $(VENV)-bench/installed
	@tools/debian-package.sh chromium chromium "the benchmark of the app in the browser"
	PYKAN_PYTHON=$(VENV)-bench/bin/python $(VENV)/bin/python -m benchmarks $(GROUPS)

clean:
	rm -rf $(VENV) $(VENV)-bench $(VENV)-nvrtc build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache

# ------------------------------------------------------------------------------------------------------------- set-up

$(VENV)/bin/python:
	@tools/make-venv.sh $(PYTHON) $(VENV)

# torch comes first and by itself: a build of it that is already there (or that pip's own configuration offers) is kept.
$(VENV)/installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing KAN Workbench and what it needs into $(VENV) (minutes, the first time)."
	@$(PIP) install --quiet --constraint constraints.txt torch
	@$(PIP) install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/installed-tests: $(VENV)/installed
	@echo "Installing what the tests need into $(VENV)."
	@$(PIP) install --quiet --constraint constraints.txt --editable '.[test]'
	@touch $@

# In a folder of its own: a torch that is built for CUDA pins an NVRTC, which must stay as it is.
$(VENV)-nvrtc/installed: Makefile | $(VENV)/bin/python
	@echo "Installing NVIDIA's compiler for the tests of the kernels into $(VENV)-nvrtc."
	@$(PIP) install --quiet --no-deps --upgrade --target $(VENV)-nvrtc $(NVRTC)
	@touch $@

# The peer of the benchmarks lives by itself, with the same torch: nothing of ours depends on pykan, and pykan on nothing of ours.
$(VENV)-bench/installed: pyproject.toml constraints.txt
	@tools/make-venv.sh $(PYTHON) $(VENV)-bench
	@echo "Installing pykan, the peer of the benchmarks, into $(VENV)-bench."
	@$(VENV)-bench/bin/python -m pip --disable-pip-version-check --no-input install --quiet --constraint constraints.txt torch
	@$(VENV)-bench/bin/python -m pip --disable-pip-version-check --no-input install --quiet --constraint constraints.txt $(PYKAN)
	@touch $@
