# SPDX-License-Identifier: Apache-2.0
"""Times (Unix milliseconds, UTC) and durations as docs/packs.md has them, on Python's calendar."""

import datetime
import re

EPOCH = datetime.datetime(1970, 1, 1)
DAY = 86_400_000
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?Z", re.ASCII)
_DURATION = re.compile(r"P(?:(\d{1,4})([YMWD])|T(\d{1,4})([HMS]))", re.ASCII)
_SECONDS = {"W": 604_800, "D": 86_400, "TH": 3_600, "TM": 60, "TS": 1}


def to_ms(moment):
    return (moment - EPOCH) // datetime.timedelta(milliseconds=1)


def moment(ms):
    return EPOCH + datetime.timedelta(milliseconds=ms)


def parse(text):
    """Milliseconds of an RFC 3339 time in UTC, or None."""
    found = _TIME.fullmatch(text)
    if not found or int(found[1]) < 1970:
        return None
    fraction = int((found[7] or "0")[:3].ljust(3, "0"))
    try:
        whole = datetime.datetime(*(int(found[i] or 0) for i in range(1, 7)))
    except ValueError:
        return None
    return to_ms(whole) + fraction


def pack_time(text, last):
    """A time of a pack: a date stands for its first millisecond, or for its last."""
    if "T" in text:
        return parse(text)
    return parse(text + "T00:00:00Z") + (DAY - 1 if last else 0)


def write(ms):
    return moment(ms).isoformat(timespec="milliseconds") + "Z"


def month_start(ms):
    return to_ms(moment(ms).replace(day=1, hour=0, minute=0, second=0, microsecond=0))


def duration(text):
    """(months, seconds), or None."""
    found = _DURATION.fullmatch(text)
    if not found:
        return None
    if found[2] in ("Y", "M"):
        return int(found[1]) * (12 if found[2] == "Y" else 1), 0
    if found[2]:
        return 0, int(found[1]) * _SECONDS[found[2]]
    return 0, int(found[3]) * _SECONDS["T" + found[4]]


def back(start_of_month, length):
    """So long before the first day of a month."""
    months, seconds = length
    at = moment(start_of_month)
    count = at.year * 12 + at.month - 1 - months
    return to_ms(at.replace(year=count // 12, month=count % 12 + 1)) - seconds * 1000


def finer(one, other):
    """Whether one could be shorter than the other: a month has 28 to 31 days, a year 365 or 366."""
    if one[1] == other[1] == 0:
        return one[0] < other[0]
    shortest = (one[0] // 12 * 365 + one[0] % 12 * 28) * 86_400 + one[1]
    longest = (other[0] // 12 * 366 + other[0] % 12 * 31) * 86_400 + other[1]
    return shortest < longest
