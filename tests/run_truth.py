#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the decisions of the program against those of an independent model: random packs, consents,
requests and times, the same for the same seed. What they disagree on is made small and printed.
Usage: run_truth.py DRIVER; in the environment, TRUTH_CASES and TRUTH_SEED: how many, and which."""

import collections
import concurrent.futures
import json
import os
import pathlib
import random
import re
import sys

from truth import cases, model, packs, question, shrink, times
from truth.driver import Died, Driver
from truth.question import dump

CASES = int(os.environ.get("TRUTH_CASES", "100000"))
SEED = os.environ.get("TRUTH_SEED", "perseus")
CASES_OF_PACK = 5
PAGE = pathlib.Path(__file__).parents[1] / "docs/decisions.md"
# What must be frequent enough, as shares of all cases.
PERMITS_LEAST, REASON_LEAST, ALONE_LEAST, CLAUSE_LEAST = 0.10, 0.005, 0.001, 0.0002


def make(number):
    """The pack with this number, and its cases."""
    rng = random.Random(f"{SEED}/{number}")
    base = f"{rng.randint(2023, 2028)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    base = times.parse(f"{base}T{rng.randint(0, 23):02}:{rng.randint(0, 59):02}Z")
    base = times.month_start(base) if packs.maybe(rng, 0.3) else base
    pack = packs.make(rng, base)
    return pack, [cases.make(rng, pack, base) for _ in range(CASES_OF_PACK)]


def difference(pack, case, answer):
    """In words, or None."""
    verdict = model.decide(pack, case)
    expected = {"permitted": not verdict.reasons, "reasons": verdict.reasons}
    if not verdict.reasons:
        expected["purposes"], expected["permissions"] = verdict.purposes, verdict.permissions
        expected["rule"] = -1 if verdict.rule is None else verdict.rule
    found = {key: answer.get(key) for key in expected}
    return None if found == expected else f"expected {expected}\nbut was  {answer}"


# ---- a case on which they disagree


class Trial:
    """What is wrong with a case, alone: a difference, or (fatal) that the driver dies of it."""

    def __init__(self, path, fatal):
        self.path, self.fatal, self.driver = path, fatal, Driver(path)

    def __call__(self, candidate):
        try:
            pack, case = candidate
            refused, answers = self.driver.ask(pack, [case])
            return None if refused or self.fatal else difference(pack, case, answers[0])
        except Died as died:
            self.driver = Driver(self.path)
            return str(died) if self.fatal else None
        except (AttributeError, KeyError, TypeError, ValueError, StopIteration):
            return None  # the model needs what was dropped


def report(path, number, pack, made, said, fatal=False):
    """Of the first case that shows it alone, made small."""
    trial = Trial(path, fatal)
    small = next(([pack, case] for case in made if trial([pack, case])), None)
    if small is None:
        return f"pack {number}: {said}"
    small = shrink.shrink(small, trial)
    said = trial(small)
    trial.driver.close()
    given = {key: value for key, value in small[1].items() if key != "request"}
    now = f", now is {times.write(small[1]['now'])}" if "now" in small[1] else ""
    return (
        f"TRUTH_SEED={SEED} pack {number}: {said}\n"
        f"pack     {json.dumps(small[0])}\n"
        f"case     {json.dumps(given)}{now}\n"
        f"request  {dump(small[1]['request'])}"
    )


# ---- coverage


def clauses():
    """reason -> clauses, from the table in docs/decisions.md."""
    found, reason = {}, None
    page = PAGE.read_text().split("## The clauses")[1].split("\n## ")[0]
    for line in page.splitlines():
        row = re.match(r"\| (?:`(\w+)`)? ?\| `([^`]+)` \|", line)
        if row:
            reason = row[1] or reason
            found.setdefault(reason, []).append(row[2])
    return found


def count(covered, answer):
    reasons = answer["reasons"]
    covered["cases"] += 1
    covered["permits"] += not reasons
    covered["permits of rules"] += answer["rule"] >= 0
    covered["permits with open purposes"] += not reasons and len(answer["purposes"]) > 1
    covered["several reasons"] += len(reasons) > 1
    for reason, clause in reasons.items():
        covered[reason] += 1
        covered[f"{reason} alone"] += len(reasons) == 1
        covered[f"{reason}: {re.sub(r'/[0-9]+', '/n', clause)}"] += 1
        if reason == "malformedRequest":
            covered[f"{reason}: request/…"] += 1


def uncovered(covered):
    least = {"permits": PERMITS_LEAST, "permits of rules": REASON_LEAST}
    least["permits with open purposes"] = least["several reasons"] = REASON_LEAST
    for reason, places in clauses().items():
        least[reason], least[f"{reason} alone"] = REASON_LEAST, ALONE_LEAST
        least |= {f"{reason}: {place}": CLAUSE_LEAST for place in places}
    least |= {f"malformedRequest: request{p}": CLAUSE_LEAST for p in question.pointers()}
    for what, share in least.items():
        if covered[what] < share * covered["cases"]:
            yield f"{what}: {covered[what]} cases, fewer than {share:.2%}"
    for what in covered:
        if ": " in what and what not in least:
            yield f"{what}: a clause that docs/decisions.md does not list"


# ---- all of it


def work(path, numbers):
    """Coverage, and the first disagreement or None."""
    driver, covered = Driver(path), collections.Counter()
    for number in numbers:
        pack, made = make(number)
        try:
            refused, answers = driver.ask(pack, made)
        except Died as died:
            return covered, report(path, number, pack, made, str(died), fatal=True)
        if refused:
            return covered, f"pack {number} was refused: {refused}\n{json.dumps(pack)}"
        for case, answer in zip(made, answers):
            said = difference(pack, case, answer)
            if said:
                driver.close()
                return covered, report(path, number, pack, [case], said)
            count(covered, answer)
    status = driver.close()
    return covered, f"the driver ended with status {status}" if status else None


def main():
    workers = os.cpu_count()
    numbers = range(-(-CASES // CASES_OF_PACK))
    covered, wrong = collections.Counter(), []
    with concurrent.futures.ProcessPoolExecutor(workers) as pool:
        parts = [numbers[i::workers] for i in range(workers)]
        for part, said in pool.map(work, [sys.argv[1]] * workers, parts):
            covered += part
            wrong += [said] if said else []
    if not wrong and CASES >= 10_000:
        wrong = [f"not covered: {gap}" for gap in uncovered(covered)]
    for what, times_ in sorted(covered.items()):
        print(f"{times_:9} {what}")
    print("\n\n".join(wrong))
    print(f"{covered['cases']} decisions agree with the model, {len(wrong)} complaints")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
