# SPDX-License-Identifier: Apache-2.0
"""Makes a case on which model and program disagree small: members and items are dropped, one
after the other and each as often as it goes, while they still disagree."""

from truth.question import Obj


def places(value, path=()):
    """The path of everything that can be dropped, outermost first."""
    if isinstance(value, (Obj, list)):
        steps = range(len(value))
    elif isinstance(value, dict):
        steps = list(value)
    else:
        return
    for step in steps:
        yield (*path, step)
    for step in steps:
        below = value[step][1] if isinstance(value, Obj) else value[step]
        yield from places(below, (*path, step))


def without(value, path):
    """A copy in which the place is not there."""
    step, *rest = path
    if isinstance(value, dict):
        return {
            key: without(item, rest) if key == step else item
            for key, item in value.items()
            if key != step or rest
        }
    items = list(value)
    if not rest:
        del items[step]
    elif isinstance(value, Obj):
        items[step] = (items[step][0], without(items[step][1], rest))
    else:
        items[step] = without(items[step], rest)
    return type(value)(items)


def shrink(whole, disagree):
    """The smallest that was found. `disagree` tells whether a candidate still shows the fault."""
    smaller = True
    while smaller:
        smaller = False
        for path in sorted(places(whole), key=len):
            try:
                candidate = without(whole, path)
            except (IndexError, KeyError, TypeError):
                continue  # went with another, which may have moved what stands there now
            if disagree(candidate):
                whole, smaller = candidate, True
    return whole
