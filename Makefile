# The two set-up commands. Both use the one cargo profile, so that RocksDB is compiled once.
#   make demo    sets up and runs the whole story on this machine
#   make test    sets up and runs every test
# CARGO_TARGET_DIR is kept outside the checkout, so that a fresh clone finds what was compiled before.

export CARGO_TARGET_DIR ?= $(HOME)/.cache/vouchsafe/target
CARGO := cargo
PROFILE := --release --locked

.PHONY: demo test lint setup figures oracle

demo: setup
	$(CARGO) build $(PROFILE) -p vouchsafe-prover-service --bin vouch
	"$(CARGO_TARGET_DIR)/release/vouch" demo $(DEMO_ARGS)

test: setup
	$(CARGO) test $(PROFILE) --workspace

lint: setup
	$(CARGO) fmt --all --check
	$(CARGO) clippy $(PROFILE) --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc $(PROFILE) --workspace --no-deps

figures: setup
	$(CARGO) run $(PROFILE) -p vouchsafe-benches --bin figures -- main
	$(CARGO) run $(PROFILE) -p vouchsafe-benches --bin figures -- service

# the remote truth oracle with as many questions as it takes; `make test` asks 160
oracle: setup
	VOUCH_ORACLE_QUESTIONS=2000 $(CARGO) test $(PROFILE) -p vouchsafe-prover-service --test main -- \
	    questions::oracle --nocapture --test-threads 1

setup:
	@./.ci/setup
