# Commands for people who work on mock-key-protect. `make` alone lists them.
# They need Rust (see rust-version in Cargo.toml) and a C compiler; `make test-sdk` and `make test-openapi` also need Python and Node.

CARGO ?= cargo

.DEFAULT_GOAL := help
.PHONY: help run test test-sdk test-openapi bench simulate crash lint clean

help: ## List these commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1	\2/p' Makefile | expand -t 18

run: ## Build the service and run it; MKP_… variables set its options, Ctrl-C or SIGTERM stops it
	@$(CARGO) build --release --locked
	@exec "$${CARGO_TARGET_DIR:-target}/release/mock-key-protect"

test: ## Run the tests; MKP_SLOW_TESTS=1 runs the long ones too
	$(CARGO) test --locked

test-sdk: ## Run IBM's published Python and Node clients against the service
	$(CARGO) build --release --locked
	MKP_BIN="$${CARGO_TARGET_DIR:-target}/release/mock-key-protect" tests/sdk/run.sh

test-openapi: ## Hold openapi.yaml against IBM's API rules, and the service against openapi.yaml
	$(CARGO) build --release --locked
	MKP_BIN="$${CARGO_TARGET_DIR:-target}/release/mock-key-protect" tests/openapi/run.sh

bench: ## Measure wrap and unwrap, uploads and downloads against a bare HTTP server, lists of many keys, events, moves of the clock
	$(CARGO) bench --locked --bench wrap
	$(CARGO) bench --locked --bench cos
	$(CARGO) bench --locked --bench lists
	$(CARGO) bench --locked --bench events

simulate: ## Run 10,000 seeds of deliveries under crashes and misbehaving receivers
	MKP_SIMULATION_SEEDS=10000 $(CARGO) test --release --locked --lib simulation -- --nocapture

crash: ## Kill the service 100 times amid writes and look for losses
	MKP_CRASH_ROUNDS=100 $(CARGO) test --release --locked --test it crash -- --nocapture

lint: ## Check formatting, lints, documentation, licences and sources of dependencies
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --document-private-items
	@if $(CARGO) deny --version >/dev/null 2>&1; then \
	    echo "$(CARGO) deny --locked check licenses bans sources"; \
	    $(CARGO) deny --locked check licenses bans sources; \
	else \
	    echo "Licences and sources were not checked: install cargo-deny with"; \
	    echo "    cargo install --locked cargo-deny@0.20.2"; \
	fi

clean: ## Remove what was built and installed here; the data folder stays
	$(CARGO) clean
	rm -rf tests/sdk/.venv tests/sdk/node/node_modules tests/sdk/node_cos/node_modules
