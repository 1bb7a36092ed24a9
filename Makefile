# make up: everything, from nothing to the page.   make test: lint, types and all tests.
SHELL := /bin/bash
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
# The locks for this machine: a CUDA driver decides. Override with LOCKS=…
LOCKS ?= $(if $(wildcard /dev/nvidiactl),requirements/gpu.txt,requirements/torch.txt requirements/cpu.txt) requirements/demo.txt
# Where PyTorch's CPU build lies, for machines whose package index has the CUDA build alone; tried only
# when torch does not import after the install. Set it to the address that PyTorch's site names.
TORCH_CPU_INDEX ?=
PORT ?= 7860

export HF_HUB_OFFLINE = 1

.PHONY: up install benchmarks dev test lint types tests clean help

help:            ## what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

up: install      ## install, build the demo shop, start vLLM, open the page on port 7860
	@$(BIN)/storewise up --port $(PORT)

install: $(VENV)/.installed ## the environment, from the lock file
benchmarks: $(VENV)/.benchmarks ## what `storewise benchmark` needs besides: the peers
dev: $(VENV)/.dev           ## what the tests need besides

$(VENV)/.installed: $(LOCKS) pyproject.toml requirements/install.sh
	@PYTHON="$(PYTHON)" TORCH_CPU_INDEX="$(TORCH_CPU_INDEX)" bash requirements/install.sh $(VENV) $(LOCKS)
	@touch $@

$(VENV)/.benchmarks: $(VENV)/.installed requirements/benchmarks.txt
	@$(BIN)/pip install --quiet --quiet --disable-pip-version-check --no-deps -r requirements/benchmarks.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.benchmarks requirements/dev.txt
	@$(BIN)/pip install --quiet --quiet --disable-pip-version-check --no-deps -r requirements/dev.txt
	@touch $@

test: dev lint types tests ## lint, types and all tests

lint: dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

# mypy sees the folders under the names that the installed package gives them.
types: dev
	@mkdir -p $(VENV)/types/storewise
	@for folder in agent benchmarks tools finetune prompts ui; do ln -sfn $(CURDIR)/$$folder $(VENV)/types/storewise/$$folder; done
	@MYPYPATH=$(VENV)/types $(BIN)/mypy -p storewise

tests: dev
	@$(BIN)/pytest

clean:           ## remove the environment (the shop in .storewise stays)
	rm -rf $(VENV)
