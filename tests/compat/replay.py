#!/usr/bin/env python3
"""Asks a fresh installation of liteset what answers.jsonl recorded from the original, and says what differs.

    replay.py               all cases; fails unless they agree, or differ as differences.json says and why
    replay.py WORD …        the cases whose name contains one of the words
    replay.py --base URL --home DIR   on a server that runs already (record.py --prepare made its installation)
"""
import argparse
import json
import pathlib
import sys
import time

import answers
import installation
import people

HERE = pathlib.Path(__file__).resolve().parent


def replay(base, home, words, meant):
    by = people.People(base)
    names = answers.Names(base, home, by.ask)
    asked = failed = 0
    left = dict(meant)
    for case in answers.read():
        if words and not any(word in case["id"] for word in words):
            continue
        asked += 1
        answer = by.ask(names.fill({key: value for key, value in case.items() if key != "answer"}))
        try:
            found = answers.differences(case["answer"], json.loads(json.dumps(answers.keep(answer, case, names))))
        except ValueError as error:
            found = [f"not what its type says: {error}"]
        why = left.pop(case["id"], None)
        if bool(found) == bool(why):
            continue
        failed += 1
        print(f"{case['id']}  [{case.get('user')} {case['method']} {case['path'][:160]}]")
        print(*(f"    {line}" for line in found[:6] or ["agrees now: take it out of differences.json"]), sep="\n")
    if left and not words:
        failed += len(left)
        print("differences.json names cases that are not there:", *left, sep="\n    ")
    return asked, failed


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("words", nargs="*")
    options.add_argument("--binary", default=installation.binary(), help="liteset")
    options.add_argument("--base")
    options.add_argument("--home")
    given = options.parse_args()
    meant = json.loads((HERE / "differences.json").read_text())
    meant = {case: why for why, named in meant.items() for case in named}
    started = time.time()
    if given.base:
        asked, failed = replay(given.base, given.home, given.words, meant)
    else:
        installed = installation.Installation(given.binary)
        try:
            installation.furnish(installed.base)
            asked, failed = replay(installed.base, installed.home, given.words, meant)
        finally:
            installed.remove()
    print(f"recorded answers of Superset 6.0.0: {asked - failed} of {asked} as expected, {time.time() - started:.0f} s")
    return 1 if failed or not asked else 0


if __name__ == "__main__":
    sys.exit(main())
