#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Half-hourly readings of the last whole day in UTC, for the example data APIs to have something to
send: python3 make.py > meter-1.csv"""

import datetime
import math

end = datetime.datetime.now(datetime.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
print("at,kwh")
for half_hour in range(48):
    at = end - datetime.timedelta(minutes=30 * (48 - half_hour))
    morning = math.exp(-(((half_hour - 17) / 3.2) ** 2))
    evening = math.exp(-(((half_hour - 37) / 4.2) ** 2))
    print(f"{at:%Y-%m-%dT%H:%M:%SZ},{0.18 + 0.55 * morning + 0.9 * evening:.3f}")
