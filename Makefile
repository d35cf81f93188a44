# `make help` lists what can be made.
PYTHON ?= python3
SERVE ?= 1
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONUNBUFFERED := 1
WIDGETS := $(wildcard companion/widgets/*.js companion/widgets/*.css companion/widgets/lib/*)

.DEFAULT_GOAL := help
.PHONY: help install widgets browser book lab test notebooks models bench clean

help: ## list the commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

book: widgets ## build the book and serve it on a local port (SERVE=0: only build, into _build/html)
	jupyter-book build . -W --keep-going
ifneq ($(SERVE),0)
	@python -m companion.site.serve _build/html
endif

lab: widgets ## open JupyterLab on the chapters
	jupyter lab chapters $(if $(filter 0,$(shell id -u)),--allow-root)

test: browser ## run everything: pytest, every chapter, the built book in a real browser (NB=path: one chapter's cells alone)
ifdef NB
	OMP_NUM_THREADS=1 pytest -vv -W default --nbval-lax $(NB)
else
	$(MAKE) book SERVE=0
	ruff check .
	ruff format --check .
	OMP_NUM_THREADS=1 pytest -n logical tests --ignore tests/browser
	pytest -W default -p companion.site.playback chapters
	pytest -n logical --dist worksteal --durations 10 tests/browser
endif

notebooks: widgets ## run the chapters again and normalise what is committed of them (NB=path: only one)
	python -m companion.site.notebooks $(or $(NB),chapters)

models: install ## train the shipped models again, and replace weights and cards (SGD=path: summarizer, chatbot, bert and reader too, MULTI30K=path: translator, an hour each)
	python -m companion.models train resolver
	python -m companion.models train copier
	python -m companion.models train bottleneck
	python -m companion.models train text_to_text
ifdef SGD
	python -m companion.models train summarizer --data $(SGD)
	python -m companion.models train chatbot --data $(SGD)
	python -m companion.models train bert --data $(SGD)
	python -m companion.models train reader --data $(SGD)
endif
ifdef MULTI30K
	python -m companion.models train translator --data $(MULTI30K)
endif

bench: browser ## measure speed, memory and paint, ours beside others; prints ratios (about an hour)
	$(MAKE) book SERVE=0
	python benchmarks/attention.py
	python benchmarks/decoding.py
	python benchmarks/page.py
	python benchmarks/live.py
	python benchmarks/chat.py
	pip install -r requirements-peers.txt
	python benchmarks/reformer.py
	python benchmarks/peers_defects.py

clean: ## remove all that was made
	rm -rf .venv node_modules _build companion/widgets/bundles

# What the rest stands on.

install: .venv/installed node_modules/installed

.venv/installed: requirements.txt pyproject.toml hatch_build.py
	@sh tools/venv.sh $(PYTHON)
	pip install -r requirements.txt
	pip install --no-deps --no-build-isolation --editable .
	@touch $@

node_modules/installed: package.json package-lock.json .venv/installed
	npm ci
	@touch $@

widgets: install companion/widgets/bundles/page.js

companion/widgets/bundles/page.js: $(WIDGETS) package.json node_modules/installed
	npm run --silent bundle

browser: widgets
	@sh tools/browser.sh
