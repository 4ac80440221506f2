# Two commands do everything, set-up included: make demo, make test.

# GNU make 3.81, which macOS has, does not know .SHELLFLAGS: what must stop a loop says so.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON := .cache/venv/bin/python
MODULES := $(wildcard modules/*)
EXAMPLES := $(patsubst %/main.tf,%,$(wildcard examples/*/main.tf))

# Written by tools/setup.py: finds the providers in the registry, or in a local mirror.
export TF_CLI_CONFIG_FILE := $(CURDIR)/.cache/terraform.rc
export TF_IN_AUTOMATION := 1
export CHECKPOINT_DISABLE := 1
# As in local/terraform.py: a fifth less CPU time of Terraform and its providers, for more memory.
export GOGC := 400

# A test that hangs ends its process, after a traceback of all threads.
END_IF_HUNG := -o faulthandler_timeout=900 -o faulthandler_exit_on_timeout=true

# Set-up says in one line what is missing on this machine.
setup = @python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	|| { echo "✗ python3 is missing or older than 3.11. Install Python 3.11 or newer." >&2; exit 1; }; \
	python3 tools/setup.py

# Providers and modules of the root and of its tests.
define init
@terraform init -backend=false -input=false -test-directory=tests/terraform >/dev/null
@terraform init -backend=false -input=false -test-directory=tests/terraform/wiring >/dev/null
endef

.PHONY: help
help: ## Show this list.
	@awk -F ':.*## ' '/^##@ / { printf "\n%s\n", substr($$0, 5) } /^[a-z0-9-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Some install more when they first run: consumers its engines, which takes minutes, requirements uv, tests DynamoDB Local.
.PHONY: setup
setup: ## Install what these need; some add tools of their own.
	$(setup) providers python checkov release go

##@ Try it

.PHONY: demo
demo: ## Apply the system locally, send an order, show its row.
	$(setup) providers python
	@$(PYTHON) -m local.demo up $(if $(PICTURE),--picture $(PICTURE))

.PHONY: demo-down
demo-down: ## Destroy the demo and stop the local stack.
	$(setup) providers python
	@$(PYTHON) -m local.demo down

##@ Operate it

.PHONY: ops
ops: ## Run async-ingest: make ops ARGS="dlq list --name x"
	$(setup) python
	@PYTHONPATH=ops $(PYTHON) -m async_ingest $(ARGS)

.PHONY: capacity
capacity: ## Say what it carries and costs: ARGS="--rate 1000"
	$(setup) python
	@PYTHONPATH=ops $(PYTHON) -m async_ingest capacity $(ARGS)

##@ Test it

.PHONY: test
test: test-terraform ## Run all but the long tests: plans, handlers, system.
	@$(PYTHON) -m pytest -m "not nightly" tests --ignore tests/terraform -n 5 --no-loadscope-reorder $(END_IF_HUNG)

.PHONY: test-unit
test-unit: ## Run those tests that need no applied system.
	$(setup) providers python
	@$(PYTHON) -m pytest -m "not stack and not nightly" tests --ignore tests/terraform -n 2

.PHONY: test-terraform
test-terraform: ## Test the module's plans with mocked providers.
	$(setup) providers python
	$(init)
	@$(PYTHON) -m tests.support.provider terraform test -test-directory=tests/terraform
	@$(PYTHON) -m tests.support.provider $(PYTHON) -m pytest tests/terraform -n 2

.PHONY: test-e2e
test-e2e: ## Apply systems and all examples locally, and use them.
	$(setup) providers python
	@$(PYTHON) -m pytest -m stack tests --ignore tests/terraform

.PHONY: test-local
test-local: ## Test the local stack's patches, with and without each.
	$(setup) providers python
	@$(PYTHON) -m pytest tests/local -n 2

##@ Test it longer (nightly)

.PHONY: mutants
mutants: ## Do plan tests see 200 random mutations of Terraform?
	$(setup) providers python
	$(init)
	@$(PYTHON) -m tests.mutants $(if $(SEED),--seed $(SEED)) $(if $(COUNT),--count $(COUNT))

.PHONY: faults
faults: ## Inject every fault; account for every order.
	$(setup) providers python
	@$(PYTHON) -m tests.faults

.PHONY: operate
operate: ## Raise every alarm, kill redrives, break systems.
	$(setup) providers python
	@$(PYTHON) -m tests.operate $(ARGS)

.PHONY: load
load: ## Send 50,000 orders on a schedule; account for each.
	$(setup) providers python
	@$(PYTHON) -m tests.operate.load $(ARGS)

.PHONY: capacity-check
capacity-check: ## Compare nine loads with what capacity predicts.
	$(setup) providers python
	@$(PYTHON) -m tests.operate.capacity_check $(ARGS)
	@$(PYTHON) -m pytest -m nightly tests/ops/capacity

.PHONY: settle
settle: ## Run process against a table as slow as AWS's.
	$(setup) python
	@$(PYTHON) -m tests.settle

.PHONY: hostile
hostile: ## Send hostile requests through the load balancer.
	$(setup) providers python
	@$(PYTHON) -m tests.hostile

.PHONY: fuzz
fuzz: ## Try 20 times as many examples of each property.
	$(setup) providers python
	@HYPOTHESIS_PROFILE=nightly $(PYTHON) -m pytest tests/handlers/test_{fuzz,properties,statements,wire}.py tests/e2e/test_openapi.py

.PHONY: changes
changes: ## Change every input under traffic (hours, resumable).
	$(setup) providers python
	@$(PYTHON) -m tests.changes

.PHONY: consumers
consumers: ## Use it from other repositories, by four engines.
	$(setup) providers python checkov release
	@$(PYTHON) -m tools.engines.install
	@$(PYTHON) -m pytest tests/consumers tests/tools/test_release.py

.PHONY: compare
compare: ## Compare with modules composed by hand; WRITE=1 writes.
	$(setup) providers python checkov
	$(init)
	@$(PYTHON) -m tests.comparison $(if $(WRITE),,--check)

.PHONY: upgrade
upgrade: ## Upgrade a live system to a made-up next version.
	$(setup) providers python
	@$(PYTHON) -m pytest tests/changes/test_upgrade.py

.PHONY: bench
bench: ## Compare the handlers' speed with a tutorial's.
	$(setup) python
	@$(PYTHON) -m benchmarks.bench

##@ Check it

# With ONLINE=1, what cannot be looked up fails.
.PHONY: lint
lint: lint-terraform lint-python lint-docs lint-supply-chain ## Run every linter; with ONLINE=1, look up actions too.

.PHONY: lint-terraform
lint-terraform: ## terraform fmt and validate, tflint, checkov.
	$(setup) providers go checkov
	@terraform fmt -check -recursive -diff
	@for directory in . $(MODULES) $(EXAMPLES); do \
		echo "terraform validate: $$directory"; \
		export TF_DATA_DIR="$(CURDIR)/.cache/terraform/$$directory"; \
		terraform -chdir="$$directory" init -backend=false -input=false >/dev/null || exit 1; \
		terraform -chdir="$$directory" validate >/dev/null || terraform -chdir="$$directory" validate || exit 1; \
	done
	@if .cache/bin/tflint --init --config="$(CURDIR)/tools/tflint-aws.hcl" >/dev/null 2>&1; then \
		echo "tflint: terraform preset all, and the AWS ruleset"; \
		.cache/bin/tflint --recursive --config="$(CURDIR)/tools/tflint-aws.hcl"; \
	else \
		echo "NOTE tflint: without the AWS ruleset, which tflint gets from GitHub, and GitHub is not reached."; \
		echo "NOTE tflint: run make lint on a machine that reaches GitHub to have it checked."; \
		.cache/bin/tflint --recursive --config="$(CURDIR)/.tflint.hcl"; \
	fi
	@mkdir -p build
	@LOG_LEVEL=ERROR .cache/venv-checkov/bin/checkov --directory . --framework terraform --skip-path '\.cache' --skip-path 'tests/(terraform|comparison)' --quiet --compact \
		--output cli --output json --output-file-path console,build/checkov.json
	@grep -q '"parsing_errors": 0,' build/checkov.json || { echo "✗ checkov cannot read every file, and says nothing: see build/checkov.json" >&2; exit 1; }

.PHONY: lint-python
lint-python: ## ruff, mypy, import-linter, duplicate code.
	$(setup) python
	@.cache/venv/bin/ruff check
	@.cache/venv/bin/ruff format --check
	@.cache/venv/bin/mypy
	@PYTHONPATH=lambda_src:ops .cache/venv/bin/lint-imports
	@.cache/venv/bin/pylint --recursive y benchmarks lambda_src local ops tests tools

.PHONY: lint-docs
lint-docs: ## Spelling and terms; generated tables are up to date.
	$(setup) go python
	@.cache/venv/bin/codespell --dictionary - --dictionary tools/words.txt
	@$(PYTHON) -m tests.changes.document --check
	@$(PYTHON) -m tools.inputs --check
	@for directory in . $(MODULES); do \
		.cache/bin/terraform-docs --config "$(CURDIR)/.terraform-docs.yml" --output-check "$$directory" \
			|| { echo "✗ $$directory/README.md is out of date: make docs" >&2; exit 1; }; \
	done

.PHONY: site
site: ## Build the documents as a site; check links and pages.
	$(setup) python
	@$(PYTHON) -m tools.pages

.PHONY: lint-supply-chain
lint-supply-chain: ## Audit workflows (actionlint, zizmor) and packages.
	$(setup) python go
	@.cache/bin/actionlint -shellcheck= -pyflakes= .github/workflows/*.yml
	@if [ -n "$(ONLINE)" ]; then \
		: "$${GH_TOKEN:?with ONLINE, zizmor needs a GitHub token}"; \
		.cache/venv/bin/zizmor --quiet --persona=auditor --strict-collection .github; \
	else \
		echo "NOTE zizmor: offline, so no action is looked up: whether its commit is the repository's own and the"; \
		echo "NOTE zizmor: named version's, and what is known against it. With ONLINE=1 and GH_TOKEN it is. CI does that."; \
		.cache/venv/bin/zizmor --quiet --persona=auditor --strict-collection --offline .github; \
	fi
	@$(PYTHON) tools/audit.py $(if $(ONLINE),--required)

##@ Change it

.PHONY: fmt
fmt: ## Format Terraform and Python; fix what ruff can fix.
	$(setup) python
	@terraform fmt -recursive
	@.cache/venv/bin/ruff check --fix
	@.cache/venv/bin/ruff format

.PHONY: docs
docs: ## Write tables of inputs, outputs, changes and capacity.
	$(setup) go python
	@$(PYTHON) -m tests.changes.document
	@PYTHONPATH=ops $(PYTHON) -m tests.ops.capacity.document
	@$(PYTHON) -m tools.inputs
	@for directory in . $(MODULES); do .cache/bin/terraform-docs --config "$(CURDIR)/.terraform-docs.yml" "$$directory" || exit 1; done

.PHONY: release
release: ## Check and build one: make release VERSION=1.0.0
	$(setup) providers python release
	@$(PYTHON) -m tools.release "$(VERSION)"

.PHONY: requirements
requirements: ## Upgrade and pin tools/*.in, with hashes.
	$(setup) python
	@$(PYTHON) -m pip install --quiet uv
	@for name in requirements requirements-checkov requirements-release engines/terraform-lowest engines/terraform-newest; do \
		$(PYTHON) -m uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
			--no-emit-index-url --no-header --no-annotate "tools/$$name.in" --output-file "tools/$$name.txt" || exit 1; \
	done

.PHONY: clean
clean: ## Remove what these created. First: make demo-down
	@rm -rf .cache build .terraform .terraform.lock.hcl .external_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name .terraform -prune -exec rm -rf {} + -o -name .terraform.lock.hcl -exec rm {} +
	@find . -name __pycache__ -prune -exec rm -rf {} +
