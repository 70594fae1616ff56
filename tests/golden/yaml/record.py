#!/usr/bin/env python3
"""Records what PyYAML writes and reads of the texts in `inputs.json`.

`python record.py` with the Python of an installed Superset 6.0.0.

`dump.json`: [[value as JSON text, safe_dump(value, sort_keys=False)], …]
`load.json`: [[text, value as JSON text or null, null or {"kind": …, "text": str(exception)}], …]
"""
import datetime, json, pathlib, random
import yaml

HERE = pathlib.Path(__file__).parent
INPUTS = json.loads((HERE / "inputs.json").read_text())
WORDS, TEXTS = INPUTS["words"], INPUTS["texts"]
LOADS = TEXTS + INPUTS["loads"]


def values():
    yield from TEXTS
    yield from [None, True, False, 0, 1, -5, 10**30, 1.0, -0.0, 0.1, 1e16, 1e17, 1.5e300, 1e-5, 1.5e-7]
    yield from [float("inf"), float("-inf"), float("nan"), 123456789.125]
    yield from [[], {}, [[]], [{}], [[], {}], [[1, 2], [3]], [[[1]]], {"a": []}, {"a": {}}]
    yield from [{"a": [1, [2, 3], {"b": 4}]}, {"a": {"b": {"c": [{"d": 1, "e": [2]}, 3]}}}]
    for text in TEXTS:
        yield {text: text}
        yield [text]
        yield {"k": [{"n": text, "m": {text: 1}}]}
    yield {"x" * 121: 1, "x" * 122: 1, "x" * 123: 2, "x" * 300: {"a": 1}, "y " * 80: [1]}
    yield {"a" * 130: "b" * 130, "c": {"d" * 200: ["e"]}}
    pick = random.Random(6)
    for _ in range(600):
        yield random_value(pick, 3)


def random_text(pick):
    words = [pick.choice(WORDS) for _ in range(pick.choice([1, 1, 2, 3, 8, 25, 40]))]
    return pick.choice([" ", " ", " ", "  ", "\n", "\n\n", ", "]).join(words)


def random_value(pick, depth):
    kind = pick.random()
    if depth and kind < 0.3:
        return {random_text(pick): random_value(pick, depth - 1) for _ in range(pick.randrange(5))}
    if depth and kind < 0.45:
        return [random_value(pick, depth - 1) for _ in range(pick.randrange(4))]
    return pick.choice([
        None, True, False, pick.randrange(-10, 10**6), pick.random(),
        random_text(pick), random_text(pick), random_text(pick),
    ])


def plain(value):
    """The value as JSON, foreign types as {"!": …}."""
    if isinstance(value, dict):
        return {"map": [[plain(k), plain(v)] for k, v in value.items()]}
    if isinstance(value, (list, tuple)):
        return {"list": [plain(v) for v in value]}
    if isinstance(value, (set, frozenset)):
        return {"set": sorted(str(v) for v in value)}
    if isinstance(value, (datetime.date, datetime.datetime)):
        return {"time": value.isoformat()}
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, float):
        return {"float": repr(value)}
    if isinstance(value, int) and not isinstance(value, bool):
        return {"int": str(value)}
    return value


def main():
    dumps = [[json.dumps(v), yaml.safe_dump(v, sort_keys=False)] for v in values()]
    # a list that contains itself has no text
    (HERE / "dump.json").write_text(json.dumps(dumps, indent=0) + "\n")
    loads = []
    for text in LOADS + [d[1] for d in dumps[::7]]:
        try:
            value = yaml.safe_load(text)
            loads.append([text, plain(value), None])
        except RecursionError:
            loads.append([text, None, {"kind": "recursion", "text": ""}])
        except Exception as e:
            loads.append([text, None, {"kind": type(e).__name__, "text": str(e)}])
    (HERE / "load.json").write_text(json.dumps(loads, indent=0) + "\n")
    print(len(dumps), "dumps,", len(loads), "loads")


main()
