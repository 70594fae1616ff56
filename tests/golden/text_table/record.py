#!/usr/bin/env python3
"""Records how pandas writes the tables that reports embed: python3 record.py > cases.json.

Runs with the Python of an installed Superset 6.0.0.

The data frame is made of a chart's answer as `superset.utils.csv:get_chart_dataframe` makes it."""
import json
import sys

import pandas as pd

pd.set_option("display.float_format", lambda x: str(x))


def answer(data, colnames, indexnames, coltypes):
    return {"result": [{"data": data, "colnames": colnames, "indexnames": indexnames, "coltypes": coltypes}]}


def records(rows, coltypes=None, names=None):
    names = names or list(rows[0])
    return answer(rows, names, list(range(len(rows))), coltypes or [1] * len(names))


DAY = 86400000
CASES = {
    "one column": records([{"a": "x"}]),
    "numbers": records([{"a": 1, "b": 1.5}, {"a": 22, "b": None}]),
    "numbers and texts": records(
        [{"t": "x", "a": 1, "b": 0.000123456789}, {"t": None, "a": 22, "b": 1e16}, {"t": "", "a": -3, "b": 3.0}]
    ),
    "integers with null": records([{"t": "x", "a": 1}, {"t": "y", "a": None}]),
    "only null": records([{"a": None, "b": 1}, {"a": None, "b": 2}]),
    "booleans": records([{"a": True, "b": "x"}, {"a": False, "b": "y"}]),
    "booleans with null": records([{"a": True, "b": "x"}, {"a": None, "b": "y"}]),
    "markup": records([{"<b>&": "<i>\"'&amp;", "p|q": "a|b\nc\td"}, {"<b>&": "  blanks  ", "p|q": "\\"}]),
    "texts that are numbers": records([{"a": "12", "b": "1.5", "c": "True"}, {"a": "-5", "b": "2", "c": "False"}]),
    "texts that are numbers and not": records([{"a": "12", "b": "nan"}, {"a": "x", "b": "1_000"}]),
    "dates": records([{"d": DAY * 19000, "n": 1}, {"d": DAY * 19001, "n": 2}], [2, 0]),
    "moments": records([{"d": DAY * 19000 + 3600000, "n": 1}, {"d": None, "n": 2}], [2, 0]),
    "moments with fractions": records([{"d": DAY * 19000 + 1, "n": "x"}, {"d": DAY, "n": "y"}], [2, 1]),
    "dates as texts": records([{"d": "2024-05-01 00:00:00", "n": "x"}, {"d": "2024-05-02T10:00:00", "n": "y"}], [2, 1]),
    "no dates": records([{"d": "whenever", "n": "x"}], [2, 1]),
    "large": records([{"a": 9007199254740993, "b": -1, "c": 123456789.125}, {"a": 1, "b": 0, "c": -0.5}]),
    "large with text": records(
        [{"t": "ä✓", "a": 9007199254740993, "c": 123456789.125}, {"t": "数字", "a": 1, "c": -0.5}]
    ),
    "mixed": records(
        [{"a": 1, "b": "x"}, {"a": "two", "b": "y"}, {"a": 2.5, "b": "z"}, {"a": True, "b": "w"}, {"a": None, "b": ""}]
    ),
    "long": records([{"a": "x" * 120, "b": i} for i in range(70)]),
    "missing keys": answer([{"a": 1}, {"a": 2, "b": 3}], ["a", "b"], [0, 1], [0, 0]),
    "pivot": answer(
        {"sum boy": {"a": 1, "b": 2}, "sum girl": {"a": 3.5, "b": None}},
        [["sum", "boy"], ["sum", "girl"]],
        [["a"], ["b"]],
        [0, 0],
    ),
    "pivot of two": answer(
        {
            "s boy": {"a x": 1, "a y": 2, "b x": 3},
            "s girl": {"a x": 4, "a y": 5, "b x": 6},
            "m boy": {"a x": 7, "a y": 8, "b x": 9},
        },
        [["s", "boy"], ["s", "girl"], ["m", "boy"]],
        [["a", "x"], ["a", "y"], ["b", "x"]],
        [0, 0, 0],
    ),
    "pivot with blanks": answer(
        {"s": {"Total (Sum)": 1, "b": 2}}, [["s", "", ""]], [["Total (Sum)", ""], ["b", "x"]], [0]
    ),
    "repeated labels of rows": answer({"s": {"a": 1, "b": 2}}, ["s"], ["a", "a"], [0]),
    "empty": answer([], [], [], []),
}


def frame(answer):
    result = answer["result"][0]
    df = pd.DataFrame.from_dict(result["data"])
    if df.empty:
        return None
    try:
        for i, kind in enumerate(result["coltypes"]):
            if kind == 2:
                df[result["colnames"][i]] = df[result["colnames"][i]].astype("datetime64[ms]")
    except BaseException:
        pass
    tuples = lambda names: pd.MultiIndex.from_tuples(tuple(n) if isinstance(n, list) else (n,) for n in names)
    df.columns = tuples(result["colnames"])
    df.index = tuples(result["indexnames"])
    return df


def flat(labels):
    return [" ".join(str(name) for name in label).strip() if isinstance(label, tuple) else label for label in labels]


out = []
for name, given in CASES.items():
    df = frame(json.loads(json.dumps(given)))
    case = {"name": name, "answer": given, "html": None, "markdown": None}
    if df is not None:
        case["html"] = df.to_html(na_rep="", index=True, escape=True)
        df.columns, df.index = flat(df.columns), flat(df.index)
        case["markdown"] = df.to_markdown()
    out.append(case)
json.dump(out, sys.stdout, indent=1, ensure_ascii=False)
print()
