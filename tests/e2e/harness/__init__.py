# SPDX-License-Identifier: Apache-2.0
"""What every end-to-end test needs: the real server, tokens made without its code, clients."""
