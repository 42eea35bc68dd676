# Every target can be run again and again. `make help` lists them; the longer recipes live in make/*.mk.
SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON := .venv/bin/python
CACHE := $(or $(WHATSAPP_OPERATOR_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/whatsapp-session-operator)
export WHATSAPP_OPERATOR_CACHE := $(CACHE)

include $(wildcard make/*.mk)

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{ printf "  %-21s %s\n", $$1, $$2 }'

.PHONY: setup
setup: ## Make the Python environment (.venv) from the locked dependencies
	@scripts/bootstrap

.PHONY: lock
lock: setup ## Resolve the dependencies anew and write requirements/*.txt
	@PATH="$(CURDIR)/.venv/bin:$$PATH" scripts/lock
