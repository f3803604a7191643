# SPDX-License-Identifier: Apache-2.0
"""Decisions once more, without a line of the program: an independent model and random cases."""
