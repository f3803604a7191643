# Targets that run the real binary on real input.
# SPDX-License-Identifier: Apache-2.0

.PHONY: demo
demo: deps-test all ## replay IB1's printed record and 10,000 generated consents
	tests/.venv/bin/python tests/demo/demo.py --binary $(BUILD)/consentd

# ---- a log of any size, for a judge that is not ours (tests/judge)
asan: $(BUILD)/asan/write_log
$(BUILD)/asan/write_log: $(BUILD)/asan/tests/judge/writer/write_log.o \
  $(call objects,asan,$(foreach room,$(rooms_tlog),$(wildcard $(room)/*.c)))
	$(Q)$(CC) $(ASAN) -o $@ $^ $(LIBS)

# ---- a row of a stopped store, changed behind its back (tests/tamper)
asan: $(BUILD)/asan/rows
$(BUILD)/asan/rows: $(BUILD)/asan/tests/tamper/rows.o
	$(Q)$(CC) $(ASAN) -o $@ $^ -llmdb

# ---- Schemathesis by itself: `make schemathesis SCHEMATHESIS_SEED=7 SCHEMATHESIS_EXAMPLES=200`
.PHONY: schemathesis
schemathesis: deps-test asan ## hold the service against openapi.yaml; other cases by another seed
	CONSENTD_BIN=$(abspath $(BUILD))/asan/consentd CONSENTCTL_BIN=$(abspath $(BUILD))/asan/consentctl \
	  tests/.venv/bin/python -m pytest -q -p no:cacheprovider tests/e2e/test_schemathesis.py

# ---- libFuzzer: `make fuzz FUZZ=fuzz_api_stream FUZZ_SECONDS=60`. It starts from the corpus, keeps
# what it learns in build/libfuzzer/, and stops at the first finding, which belongs into the corpus
# together with the fix. `make test` only feeds the corpus.
FUZZ ?= $(FUZZ_TARGETS)
FUZZ_SECONDS ?= 300
FUZZ_CC ?= clang
FUZZER := -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined \
  -fno-omit-frame-pointer -DSTORE_CHECK_VIEWS

.PHONY: fuzz $(addprefix run-,$(FUZZ_TARGETS))
fuzz: $(addprefix run-,$(FUZZ)) ## fuzz with libFuzzer; FUZZ=target FUZZ_SECONDS=300
$(addprefix run-,$(FUZZ_TARGETS)): run-%: $(BUILD)/libfuzzer/%
	@mkdir -p $<.learned $<.findings
	UBSAN_OPTIONS=print_stacktrace=1 $< -max_total_time=$(FUZZ_SECONDS) -timeout=20 \
	  -rss_limit_mb=4096 -print_final_stats=1 -artifact_prefix=$<.findings/ \
	  $<.learned tests/fuzz/corpus/$(patsubst fuzz_%,%,$*)
$(BUILD)/libfuzzer/fuzz_%: $(BUILD)/libfuzzer/tests/fuzz/fuzz_%.o $(call LIBRARY,libfuzzer) \
  $(call CLI_LIBRARY,libfuzzer)
	$(Q)$(FUZZ_CC) $(FUZZER) -fsanitize=fuzzer -o $@ $^ $(LIBS)
$(BUILD)/libfuzzer/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(COMMON) $(FUZZER) -fsanitize=fuzzer-no-link -Wno-unused-function -c -o $@ $<
$(BUILD)/libfuzzer/%.o: %.S $(EMBEDDED)
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) -c -o $@ $<
