# `make bench`: how fast, how large, against a bare handler of the same HTTP library. Nothing here is
# asserted; bench/RESULTS.md keeps what was reached and on which machine.
# SPDX-License-Identifier: Apache-2.0

FILL ?= 100000
BENCH_FLAGS := -std=gnu11 -D_GNU_SOURCE -DH2O_USE_LIBUV=0 -isystem /usr/include $(WARNINGS) -O2 -pthread

.PHONY: bench
bench: all $(BUILD)/bench/load $(BUILD)/bench/bare_h2o ## measure; FILL=1000000 for the whole size
	tools/install.sh test
	python3 bench/run.py --build $(BUILD) --fill $(FILL)

$(BUILD)/bench/load: bench/load.c
	@mkdir -p $(@D)
	$(CC) $(BENCH_FLAGS) -o $@ $<
$(BUILD)/bench/bare_h2o: bench/bare_h2o.c
	@mkdir -p $(@D)
	$(CC) $(BENCH_FLAGS) -o $@ $< -lh2o-evloop -lssl -lcrypto

# ---- peers: from npm into the build folder, at the versions that bench/peers/package-lock.json pins.
# `install` and not `ci`: the lock names the binary of this platform only, and ci would want them all.
PEERS := $(BUILD)/peers/node_modules/.package-lock.json

.PHONY: bench-peers
bench-peers: all $(BUILD)/bench/load $(PEERS) ## measure a decision beside Cerbos; needs npm
	tools/install.sh test
	python3 bench/peers.py --build $(BUILD)

$(PEERS): bench/peers/package.json bench/peers/package-lock.json
	@mkdir -p $(BUILD)/peers
	cp $^ $(BUILD)/peers
	cd $(BUILD)/peers && npm install --no-save --no-audit --no-fund --ignore-scripts
