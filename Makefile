# consentd. `make run` and `make test` are all a newcomer needs; `make help` lists the rest.
# SPDX-License-Identifier: Apache-2.0

BUILD ?= build
ifeq ($(origin CC),default)
CC := gcc
endif
MAKEFLAGS += --no-builtin-rules --no-print-directory
# make Q= shows each command
Q ?= @
# `make test` and `make run` build on every processor when no -j says otherwise
JOBS = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
VERSION := $(shell sed -n 's/^## \[\([0-9][^]]*\)\].*/\1/p' CHANGELOG.md 2>/dev/null | head -n 1)
ifeq ($(VERSION),)
VERSION := 0.1.0
endif

# ---- flags
WARNINGS := -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes \
  -Wwrite-strings -Wundef -Wformat=2 -Wimplicit-fallthrough -Wvla -Wcast-qual -Wconversion \
  -Wno-sign-conversion -Werror
COMMON := -std=gnu11 -D_GNU_SOURCE -DH2O_USE_LIBUV=0 -DCONSENTD_VERSION='"$(VERSION)"' -I. \
  $(WARNINGS) -g -MMD -MP -pthread
RELEASE := -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fPIE \
  -fcf-protection
RELEASE_LINK := -pie -Wl,-z,relro,-z,now,-z,noexecstack
ASAN := -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer \
  -DSTORE_CHECK_VIEWS
LIBS := -lh2o-evloop -lssl -lcrypto -ljwt -ljansson -llmdb -luuid -lcurl -lz -lm -pthread

# ---- sources
ROOMS := base policy tlog store auth api service
SOURCES := $(foreach room,$(ROOMS),$(wildcard $(room)/*.c $(room)/*.S))
CLI_SOURCES := $(foreach room,base policy tlog store auth,$(wildcard $(room)/*.c)) $(wildcard cli/*.c)
UNIT_TESTS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
FUZZ_TARGETS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

objects = $(patsubst %.S,$(BUILD)/$(1)/%.o,$(patsubst %.c,$(BUILD)/$(1)/%.o,$(2)))
LIBRARY = $(filter-out %/service/main.o,$(call objects,$(1),$(SOURCES)))
CLI_LIBRARY = $(filter-out %/cli/main.o,$(call objects,$(1),$(wildcard cli/*.c)))

.PHONY: all asan unit tables truth e2e test run lint format fuzz-corpus clean help deps-run deps-test
all: $(BUILD)/consentd $(BUILD)/consentctl ## build both programs (release)

$(BUILD)/consentd: $(call objects,release,$(SOURCES))
	$(Q)$(CC) $(RELEASE) $(RELEASE_LINK) -o $@ $^ $(LIBS)
$(BUILD)/consentctl: $(call objects,release,$(CLI_SOURCES))
	$(Q)$(CC) $(RELEASE) $(RELEASE_LINK) -o $@ $^ $(LIBS)

asan: $(BUILD)/asan/consentd $(BUILD)/asan/consentctl ## build both with ASan and UBSan
$(BUILD)/asan/consentd: $(call objects,asan,$(SOURCES))
	$(Q)$(CC) $(ASAN) -o $@ $^ $(LIBS)
$(BUILD)/asan/consentctl: $(call objects,asan,$(CLI_SOURCES))
	$(Q)$(CC) $(ASAN) -o $@ $^ $(LIBS)

$(BUILD)/release/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(COMMON) $(RELEASE) -c -o $@ $<
$(BUILD)/asan/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(COMMON) $(ASAN) $(TEST_WARNINGS) -c -o $@ $<
# Test support is written for all tests; one test may leave some of it unused.
$(BUILD)/asan/tests/%.o: TEST_WARNINGS := -Wno-unused-function
# The embedded pages: rebuilt when what they embed changes.
EMBEDDED := openapi.yaml $(wildcard api/assets/*)
$(BUILD)/release/%.o: %.S $(EMBEDDED)
	@mkdir -p $(@D)
	$(Q)$(CC) -c -o $@ $<
$(BUILD)/asan/%.o: %.S $(EMBEDDED)
	@mkdir -p $(@D)
	$(Q)$(CC) -c -o $@ $<

# ---- tests
# A test of a room links that room and those to its left, so that it also shows the layers.
rooms_base := base
rooms_policy := base policy
rooms_tlog := base tlog
rooms_store := base policy tlog store
rooms_auth := base auth
rooms_api := base policy tlog store auth api
rooms_service := $(ROOMS)
room_of = $(word 2,$(subst _, ,$(1)))
room_objects = $(filter-out %/service/main.o,$(call objects,asan,$(foreach room,$(rooms_$(1)),\
  $(wildcard $(room)/*.c $(room)/*.S))))
define unit_rule
$(BUILD)/unit/$(1): $(BUILD)/asan/tests/unit/$(1).o $(call room_objects,$(call room_of,$(1)))
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(ASAN) -o $$@ $$^ $$(LIBS) -lcmocka
endef
$(foreach test,$(UNIT_TESTS),$(eval $(call unit_rule,$(test))))
$(BUILD)/fuzz/%: $(BUILD)/asan/tests/fuzz/%.o $(BUILD)/asan/tests/fuzz/run_corpus.o \
  $(call LIBRARY,asan) $(call CLI_LIBRARY,asan)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ASAN) -o $@ $^ $(LIBS)
$(BUILD)/truth/driver: $(BUILD)/asan/tests/truth/driver.o $(call LIBRARY,asan)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ASAN) -o $@ $^ $(LIBS)

unit: $(addprefix $(BUILD)/unit/,$(UNIT_TESTS)) ## build and run the unit tests
	tools/run_tests.py unit $(BUILD)
tables: asan ## run the case tables of the policy packs
	tools/run_tests.py tables $(BUILD)
truth: $(BUILD)/truth/driver ## hold decisions against an independent model of them
	tools/run_tests.py truth $(BUILD)
fuzz-corpus: $(addprefix $(BUILD)/fuzz/,$(FUZZ_TARGETS))
e2e: deps-test asan ## run the end-to-end tests
	tools/run_tests.py e2e $(BUILD)
lint: ## layers, sizes, bans, format, both compilers
	tools/lint.sh
print-compile-flags:
	@echo $(filter-out -MMD -MP,$(COMMON))
format: ## clang-format in place
	clang-format -i $(foreach room,$(ROOMS) cli tests/unit tests/fuzz tests/truth tests/judge/writer tests/tamper bench,$(wildcard $(room)/*.[ch]))
deps-test:
	tools/install.sh test
test: deps-test ## everything a newcomer should run
	$(MAKE) lint
	$(MAKE) $(JOBS) asan $(addprefix $(BUILD)/unit/,$(UNIT_TESTS)) fuzz-corpus \
	  $(BUILD)/truth/driver
	tools/run_tests.py all $(BUILD)

# ---- running
deps-run:
	tools/install.sh run
run: deps-run ## install what is missing, build, and serve on http://127.0.0.1:8080
	$(MAKE) $(JOBS) all
	$(BUILD)/consentd --dev --listen 127.0.0.1:8080 --data var/dev \
	  --pack policy/packs/perseus-2026-03-12.json

clean: ## remove what was built
	rm -rf $(BUILD)
help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

-include tests/tests.mk bench/bench.mk docker/docker.mk
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.SECONDARY:
