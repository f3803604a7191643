# `make bench`: how fast, how large, against a bare handler of the same HTTP library. Nothing here is
# asserted; bench/RESULTS.md keeps what was reached and on which machine.
# SPDX-License-Identifier: Apache-2.0

# Consents, and entries of the log, to measure at. ENTRIES=10000000 takes some 16 GB of the build
# folder's disk and as long as filling does: at 50,000 entries a second three and a half minutes.
FILL ?= 100000
ENTRIES ?= 500000
BENCH_FLAGS := -std=gnu11 -D_GNU_SOURCE -DH2O_USE_LIBUV=0 -isystem /usr/include $(WARNINGS) -O2 -pthread
COMMA := ,

.PHONY: bench
bench: all $(addprefix $(BUILD)/bench/,load bare_h2o handshakes consentd tokens) ## measure; FILL=1000000 ENTRIES=10000000 for the whole size
	tools/install.sh test
	python3 bench/run.py --build $(BUILD) --fill $(FILL) --entries $(ENTRIES)

$(BUILD)/bench/load: bench/load.c
	@mkdir -p $(@D)
	$(CC) $(BENCH_FLAGS) -o $@ $<
$(BUILD)/bench/bare_h2o: bench/bare_h2o.c
	@mkdir -p $(@D)
	$(CC) $(BENCH_FLAGS) -o $@ $< -lh2o-evloop -lssl -lcrypto
$(BUILD)/bench/handshakes: bench/handshakes.c
	@mkdir -p $(@D)
	$(CC) $(BENCH_FLAGS) -o $@ $< -lssl -lcrypto
# The product's objects, and the log's hashing and signing left out: what these cost.
PROVING := tlog_commitment tlog_leaf_hash tlog_tree_append_rows tlog_tree_root tlog_key_sign
$(BUILD)/bench/consentd: $(call objects,release,$(SOURCES) bench/without_log.c)
	@mkdir -p $(@D)
	$(Q)$(CC) $(RELEASE) $(RELEASE_LINK) $(addprefix -Wl$(COMMA)--wrap=,$(PROVING)) -o $@ $^ $(LIBS)

# The verifier itself, with the release build's flags.
$(BUILD)/bench/tokens: $(call objects,release,bench/tokens.c $(foreach room,$(rooms_auth),$(wildcard $(room)/*.c)))
	@mkdir -p $(@D)
	$(Q)$(CC) $(RELEASE) $(RELEASE_LINK) -o $@ $^ $(LIBS)

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
