# Targets that run the real binary on real input.
# SPDX-License-Identifier: Apache-2.0

.PHONY: demo
demo: deps-test all ## replay IB1's printed record and 10,000 generated consents
	tests/.venv/bin/python tests/demo/demo.py --binary $(BUILD)/consentd
