"""Records what Superset 6.0.0 answers to post-processing steps over small frames.

Run with a Python that has Superset installed; writes cases.json beside this file:
    python record.py
"""
import copy
import datetime as dt
import json as plain
import logging
import os
import pathlib
import warnings
from decimal import Decimal

os.environ.setdefault("SUPERSET_SECRET_KEY", "recorder")
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

from superset.app import create_app  # noqa: E402
from superset.exceptions import InvalidPostProcessingError  # noqa: E402

READ = {
    "decimal": Decimal,
    "date": dt.date.fromisoformat,
    "timestamp": dt.datetime.fromisoformat,
}

FRAMES = {
    "births": [
        ("ds", "timestamp", ["2000-01-01", "2000-01-01", "2001-01-01", "2001-01-01", "2002-01-01", "2003-06-15"]),
        ("gender", "text", ["boy", "girl", "boy", "girl", "boy", None]),
        ("state", "text", ["CA, US", "CA, US", "NY", "NY", "CA, US", "NY"]),
        ("sum__num", "int", [10, 20, 30, 45, 7, 1]),
        ("avg", "float", [1.5, 2.25, None, 4.0, 5.5, 0.1]),
        ("part", "int", [None, 2, 3, None, 5, 6]),
        ("exact", "decimal", ["1.50", "2.25", "3.00", "0.75", "10.00", "1.00"]),
    ],
    "full": [
        ("ds", "timestamp", ["2000-01-01", "2000-01-01", "2001-01-01", "2001-01-01"]),
        ("gender", "text", ["boy", "girl", "boy", "girl"]),
        ("a", "int", [1, 2, 3, 4]),
        ("b", "int", [10, 20, 30, 45]),
        ("f", "float", [0.5, 1.5, 2.5, 4.0]),
    ],
    "series": [
        (
            "ds",
            "timestamp",
            ["2020-01-01", "2020-02-01", "2020-03-01", "2020-04-01", "2020-05-01", "2020-07-01", "2020-08-01"],
        ),
        ("x", "int", [4, 8, 15, 16, 23, 42, 42]),
        ("y", "float", [1.0, None, 3.5, 3.5, 3.5, -2.0, 0.25]),
        ("z", "decimal", ["1.10", "2.20", "3.30", "4.40", "5.50", None, "0.10"]),
    ],
    "days": [
        (
            "t",
            "timestamp",
            ["2021-03-01T05:00:00", "2021-03-01T17:30:00", "2021-03-04T00:00:00", "2021-03-09T23:59:59"],
        ),
        ("v", "int", [1, 2, 4, 8]),
        ("w", "float", [1.0, 2.0, 4.0, 8.0]),
    ],
    "unsorted": [("t", "timestamp", ["2021-01-31", "2020-12-15", "2021-03-31"]), ("v", "int", [3, 1, 5])],
    "types": [
        ("d", "date", ["2020-01-02", "2020-01-01", None]),
        ("flag", "bool", [True, False, True]),
        ("big", "int", [9007199254740993, -5, 2**62]),
        ("ünï", "text", ["é, ü", "\U0001f600", None]),
        ("none", "null", [None, None, None]),
        ("n", "int", [2, 2, 1]),
    ],
    "sales": [
        ("line", "text", ["a"] * 8 + ["b"] * 5 + ["c"]),
        ("s", "float", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 100.0, -50.0, 1.5, 1.5, 2.5, None, 9.0, 3.0]),
        ("k", "int", [1, 2, 3, 4, 5, 6, 100, -50, 1, 1, 2, 7, 9, 3]),
        (
            "m",
            "decimal",
            ["1.0", "2.0", "3.0", "4.0", "5.0", "6.0", "100.0", "-50.0", "1.5", "1.5", "2.5", "7.0", "9.0", "3.0"],
        ),
    ],
    "geo": [
        ("hash", "text", ["9q8yyk8ytpxr", "u4pruydqqvj"]),
        ("lat", "float", [37.7749, -33.8688]),
        ("lon", "float", [-122.4194, 151.2093]),
        ("p", "text", ["41.5;-81.0", "23 26m 22s N 23 27m 30s E, 712m"]),
    ],
    "empty": [("a", "text", []), ("b", "int", [])],
    "shifts": [
        ("name", "text", ["p", "q", "r"]),
        ("m", "int", [10, 20, 30]),
        ("n", "int", [5, 0, 15]),
        ("m__1 year ago", "float", [8.0, None, 20.0]),
        ("n__1 year ago", "float", [2.0, 1.0, 0.0]),
    ],
    "commas": [("a", "text", [",", "x,y", "\\,", None]), ("b", "int", [1, 2, 3, 4])],
}


def pv(index, columns, aggs, **more):
    aggregates = {k: {"operator": v} if isinstance(v, str) else v for k, v in aggs.items()}
    return {"operation": "pivot", "options": {"index": index, "columns": columns, "aggregates": aggregates, **more}}


def op(name, **options):
    return {"operation": name, "options": options}


FLAT = {"operation": "flatten"}
P1 = pv(["ds"], [], {"x": "mean", "y": "sum"})
PG = pv(["ds"], ["gender"], {"sum__num": "sum", "avg": "mean"})
PF = pv(["ds"], ["gender"], {"a": "sum", "b": "sum"})

CASES = []


def case(frame, *steps):
    CASES.append((frame, list(steps)))


for f in [
    "average",
    "argmin",
    "argmax",
    "count",
    "count_nonzero",
    "cumsum",
    "max",
    "mean",
    "median",
    "nansum",
    "nanmin",
    "nanmax",
    "nanmean",
    "nanmedian",
    "min",
    "prod",
    "product",
    "std",
    "sum",
    "var",
    "nope",
]:
    for col in ["sum__num", "avg", "part", "exact"]:
        case("births", op("aggregate", groupby=["gender"], aggregates={"r": {"operator": f, "column": col}}))
    case("full", pv(["ds"], ["gender"], {"a": f}), FLAT)
for f in ["max", "min", "count", "sum", "mean", "median"]:
    case("births", op("aggregate", groupby=["state"], aggregates={"r": {"operator": f, "column": "ds"}}))
    case("full", op("aggregate", groupby=["ds"], aggregates={"r": {"operator": f, "column": "gender"}}))
case(
    "births",
    op(
        "aggregate", groupby=[], aggregates={"t": {"operator": "sum", "column": "sum__num"}, "avg": {"operator": "max"}}
    ),
)
case("births", op("aggregate", groupby=["state", "gender"], aggregates={"t": {"operator": "sum", "column": "exact"}}))
case(
    "births",
    op(
        "aggregate",
        groupby=["ds"],
        aggregates={
            "p": {"operator": "percentile", "column": "sum__num", "options": {"q": 30}},
            "n": {"operator": "nanpercentile", "column": "avg", "options": {"q": 75}},
        },
    ),
)
case("births", op("aggregate", groupby=["ds"], aggregates={"p": {"operator": "percentile", "column": "sum__num"}}))
case(
    "births",
    op(
        "aggregate", groupby=["ds"], aggregates={"p": {"operator": "std", "column": "sum__num", "options": {"ddof": 1}}}
    ),
)
case("births", op("aggregate", groupby=["nope"], aggregates={"p": {"operator": "sum", "column": "sum__num"}}))
case("births", op("aggregate", groupby=["ds"], aggregates={"p": {"operator": "sum", "column": "nope"}}))
case("births", op("aggregate", groupby=["ds"], aggregates={"p": {"column": "avg"}}))
case("births", op("aggregate", groupby=["ds"], aggregates={}))
case("births", op("aggregate", groupby=["ds"]))
case(
    "types",
    op(
        "aggregate",
        groupby=["n"],
        aggregates={"b": {"operator": "max", "column": "big"}, "f": {"operator": "sum", "column": "flag"}},
    ),
)
case("types", op("aggregate", groupby=["d"], aggregates={"b": {"operator": "sum", "column": "big"}}))

for cols in [[], ["gender"], ["gender", "state"], ["state"]]:
    for more in [
        {},
        {"drop_missing_columns": False},
        {"metric_fill_value": 0},
        {"metric_fill_value": 0.5},
        {"column_fill_value": None},
        {"marginal_distributions": True, "marginal_distribution_name": "Total"},
        {"combine_value_with_metric": True},
    ]:
        case("births", pv(["ds"], cols, {"sum__num": "sum", "avg": "mean"}, **more), FLAT)
        case("births", pv(["ds"], cols, {"sum__num": "sum"}, **more))
    case("births", pv(["ds"], cols, {"exact": "sum", "part": "mean"}), FLAT)
    case("births", pv(["ds"], cols, {"exact": "mean", "avg": "count"}), FLAT)
case("births", pv(["ds", "gender"], ["state"], {"sum__num": "sum"}), FLAT)
case("births", pv(["ds", "gender"], ["state"], {"sum__num": "sum"}, drop_missing_columns=False), FLAT)
case("births", pv(["ds", "gender"], [], {"sum__num": "sum"}))
case("births", pv(["gender"], ["ds"], {"sum__num": "sum"}), FLAT)
case("births", pv(["state"], ["exact"], {"sum__num": "sum"}), FLAT)
case("births", pv(["state"], ["avg"], {"sum__num": "sum"}), FLAT)
case("births", pv(["state"], ["part"], {"sum__num": "sum"}), FLAT)
case("births", pv("state", "gender", {"sum__num": "sum"}), FLAT)
case(
    "births",
    pv(["ds"], ["gender"], {"x": {"operator": "sum", "column": "avg"}, "y": {"operator": "max", "column": "avg"}}),
    FLAT,
)
case("full", pv(["ds"], ["gender"], {"a": "sum", "f": "sum"}), FLAT)
case("full", pv(["ds"], ["gender"], {"a": "sum", "b": "mean"}, combine_value_with_metric=True), FLAT)
case(
    "full",
    pv(["ds"], ["gender"], {"a": "sum", "b": "sum"}, marginal_distributions=True, marginal_distribution_name="All"),
    FLAT,
)
case(
    "full",
    pv(["ds"], [], {"a": "sum", "f": "mean"}, marginal_distributions=True, marginal_distribution_name="All"),
    FLAT,
)
case("full", pv(["ds"], ["gender"], {"a": "sum"}, marginal_distributions=True, marginal_distribution_name="boy"), FLAT)
case("full", pv(["ds"], ["gender"], {"a": "sum"}, marginal_distributions=True), FLAT)
case("types", pv(["d"], ["ünï"], {"big": "sum"}), FLAT)
case("types", pv(["n"], ["flag"], {"big": "max"}), FLAT)
case("types", pv(["n"], ["d"], {"big": "max"}), FLAT)
case("types", pv(["n"], ["none"], {"big": "max"}), FLAT)
case("types", pv(["none"], [], {"big": "max"}), FLAT)
case("births", pv([], ["gender"], {"avg": "mean"}))
case("births", pv(["ds"], ["gender"], {}))
case("births", pv(["nope"], ["gender"], {"avg": "mean"}))
case("births", pv(["ds"], ["gender"], {"nope": "mean"}))
case("births", pv(["ds"], ["gender"], {"avg": {}}))
case("births", pv(["ds"], ["gender"], {"avg": "idxmax"}))
case("births", op("pivot", index=["ds"]))
case("births", op("pivot", index=["ds"], aggregates={"avg": {"operator": "mean"}}, nope=1))
case("births", PG)
case("births", PG, {"operation": "flatten", "options": {"reset_index": False}})
case("births", PG, {"operation": "flatten", "options": {"drop_levels": [0]}})
case("births", PG, {"operation": "flatten", "options": {"drop_levels": [0, 1]}})
case("births", FLAT)

for kind in ["sum", "mean", "min", "max", "std", "var", "median", "count", "skew", "kurt", "abc"]:
    for more in [{}, {"min_periods": 0}, {"min_periods": 2}, {"center": True}]:
        case("series", P1, op("rolling", rolling_type=kind, columns={"x": "x", "y": "y"}, window=3, **more), FLAT)
    case("series", op("rolling", rolling_type=kind, columns={"x": "r", "z": "s"}, window=4, min_periods=1))
for kind in ["mean", "sum", "max"]:
    case(
        "births",
        PG,
        op("rolling", rolling_type=kind, columns={"sum__num": "sum__num", "avg": "avg"}, window=2, min_periods=0),
        FLAT,
    )
    case("births", PG, op("rolling", rolling_type=kind, columns={"sum__num": "r"}, window=2, min_periods=1), FLAT)
    case("full", PF, op("rolling", rolling_type=kind, columns={"a": "a"}, window=2, min_periods=1), FLAT)
case(
    "series",
    op(
        "rolling",
        rolling_type="quantile",
        columns={"x": "q"},
        window=4,
        min_periods=1,
        rolling_type_options={"quantile": 0.25},
    ),
)
case(
    "series", op("rolling", rolling_type="quantile", columns={"x": "q"}, window=4, rolling_type_options={"nope": 0.25})
)
case("series", op("rolling", rolling_type="std", columns={"x": "q"}, window=4, rolling_type_options={"ddof": 0}))
case("series", op("rolling", rolling_type="mean", columns={"x": "q"}, window=2, min_periods=3))
case("series", op("rolling", rolling_type="mean", columns={"x": "q"}, window=0))
case("series", op("rolling", rolling_type="mean", columns={"x": "q"}, window=-1))
case("series", op("rolling", rolling_type="mean", columns={"x": "q"}))
case("series", op("rolling", rolling_type="mean", columns={"nope": "q"}, window=2))
case("series", op("rolling", columns={"x": "q"}, window=2))
case("births", op("rolling", rolling_type="mean", columns={"gender": "q"}, window=2))
case("series", op("rolling", rolling_type="mean", columns={"x": "x", "y": "q"}, window=2, min_periods=1))

for kind in ["sum", "prod", "min", "max", "avg"]:
    case("series", op("cum", operator=kind, columns={"x": "x", "y": "y"}))
    case("series", op("cum", operator=kind, columns={"x": "c", "z": "d"}))
    case("births", PG, op("cum", operator=kind, columns={"sum__num": "sum__num", "avg": "avg"}), FLAT)
case("births", op("cum", operator="sum", columns={"part": "part"}))
case("births", op("cum", operator="sum", columns={"part": "c"}))
case("births", op("cum", operator="sum", columns={"nope": "c"}))

for more in [{}, {"periods": 2}, {"periods": -1}, {"periods": 0}, {"axis": 1}]:
    case("series", op("diff", columns={"x": "x", "y": "y"}, **more))
    case("series", op("diff", columns={"x": "d"}, **more))
    case("full", op("diff", columns={"a": "a", "b": "b"}, **more))
    case("full", PF, op("diff", columns={"a": "a", "b": "b"}, **more), FLAT)
case("births", op("diff", columns={"exact": "exact"}))
case("births", op("diff", columns={"exact": "d"}))
case("births", op("diff", columns={"ds": "d"}))
case("series", op("diff", columns={"z": "z"}))

for kind in ["difference", "percentage", "ratio", "nope"]:
    for more in [{}, {"drop_original_columns": True}, {"precision": 1}]:
        case(
            "shifts",
            op(
                "compare",
                source_columns=["m", "n"],
                compare_columns=["m__1 year ago", "n__1 year ago"],
                compare_type=kind,
                **more,
            ),
        )
    case(
        "full",
        PF,
        op("compare", source_columns=["a"], compare_columns=["b"], compare_type=kind, drop_original_columns=True),
        FLAT,
    )
    case("births", op("compare", source_columns=["exact"], compare_columns=["sum__num"], compare_type=kind))
    case("full", op("compare", source_columns=["a"], compare_columns=["b"], compare_type=kind))
case("full", op("compare", source_columns=["a"], compare_columns=[], compare_type="ratio"))
case("full", op("compare", source_columns=[], compare_columns=[], compare_type="ratio"))

case("full", op("select", columns=["a", "b"]), op("contribution", orientation="column"))
for o in ["column", "row"]:
    case("full", op("contribution", orientation=o, columns=["a", "b"]))
    case("full", op("contribution", orientation=o, columns=["a", "f"], rename_columns=["x", "y"]))
    case("full", PF, op("contribution", orientation=o), FLAT)
    case("births", op("contribution", orientation=o, columns=["exact"]))
    case("births", op("contribution", orientation=o, columns=["avg", "sum__num"]))
    case("births", op("contribution", orientation=o, columns=["part"]))
    case("births", op("contribution", orientation=o, columns=["exact", "sum__num"], rename_columns=["e", "s"]))
    case(
        "shifts",
        op(
            "contribution",
            orientation=o,
            columns=["m", "n", "m__1 year ago", "n__1 year ago"],
            time_shifts=["1 year ago"],
        ),
    )
    case("shifts", op("contribution", orientation=o, columns=["m"], contribution_totals={"m": 120}))
    case("shifts", op("contribution", orientation=o, columns=["m", "n"], contribution_totals={"m": 0}))
    case("births", PG, op("contribution", orientation=o), FLAT)
case("full", op("contribution"))
case("full", op("contribution", columns=["a"], rename_columns=["x", "y"]))
case("full", op("contribution", columns=["gender"]))
case("full", op("contribution", columns=["ds"]))
case("full", op("contribution", columns=["nope"]))

for rule in [
    "1D",
    "7D",
    "1H",
    "1M",
    "1MS",
    "6M",
    "1W",
    "2W",
    "W-MON",
    "1Q",
    "1QS",
    "1A",
    "1AS",
    "1YS",
    "1Y",
    "B",
    "1BM",
    "12H",
    "nope",
    "0D",
]:
    for method in ["asfreq", "bfill", "ffill", "linear", "median", "mean", "sum"]:
        for frame, key in [("days", "t"), ("unsorted", "t")]:
            if rule in ("1H", "1D", "B") and frame == "unsorted":
                continue
            aggs = {"v": "sum", "w": "sum"} if frame == "days" else {"v": "sum"}
            case(frame, pv([key], [], aggs), op("resample", rule=rule, method=method), FLAT)
case("series", P1, op("resample", rule="1M", method="asfreq", fill_value=0), FLAT)
case("series", P1, op("resample", rule="1MS", method="asfreq", fill_value=0), FLAT)
case("series", P1, op("resample", rule="1MS", method="asfreq", fill_value=1.5), FLAT)
case("series", P1, op("resample", rule="15D", method="ffill"), FLAT)
case("series", P1, op("resample", rule="1MS", method="nope"), FLAT)
case("series", op("resample", rule="1MS", method="mean"))
case("births", PG, op("resample", rule="1YS", method="linear"), FLAT)
case("births", PG, op("resample", rule="1YS", method="sum"), FLAT)
case("births", pv(["ds"], [], {"exact": "sum"}), op("resample", rule="6M", method="mean"), FLAT)
case("births", pv(["ds"], [], {"exact": "sum"}), op("resample", rule="6M", method="sum"), FLAT)
case("births", pv(["ds"], [], {"exact": "sum", "avg": "sum"}), op("resample", rule="6MS", method="linear"), FLAT)

for m in ["s", "k", "m"]:
    for w in [
        {"whisker_type": "tukey"},
        {"whisker_type": "min/max"},
        {"whisker_type": "percentile", "percentiles": [5, 95]},
    ]:
        case("sales", op("boxplot", groupby=["line"], metrics=[m], **w))
case("sales", op("boxplot", groupby=["line"], metrics=["s", "k"], whisker_type="tukey"))
case("sales", op("boxplot", groupby=[], metrics=["k"], whisker_type="tukey"))
case("sales", op("boxplot", groupby=["line"], metrics=["k"], whisker_type="percentile"))
case("sales", op("boxplot", groupby=["line"], metrics=["k"], whisker_type="percentile", percentiles=[9, 5]))
case("sales", op("boxplot", groupby=["line"], metrics=["nope"], whisker_type="tukey"))
for col in ["s", "k", "m"]:
    case("sales", op("histogram", column=col, groupby=[], bins=4))
    case("sales", op("histogram", column=col, groupby=["line"], bins=3, cumulative=True))
    case("sales", op("histogram", column=col, groupby=["line"], bins=3, normalize=True))
case("sales", op("histogram", column="line", groupby=[], bins=3))
case("sales", op("histogram", column="k", groupby=None))
case("sales", op("histogram", column="k", groupby=[], bins=0))
case("sales", op("histogram", column="nope", groupby=[]))
case("births", op("histogram", column="sum__num", groupby=["gender", "state"], bins=2))

for m in ["s", "k", "m"]:
    case("sales", op("rank", metric=m))
    case("sales", op("rank", metric=m, group_by="line"))
case("sales", op("rank", metric="line"))
case("sales", op("rank", metric="nope"))
case("births", op("rank", metric="avg", group_by="gender"))

case("full", op("rename", columns={"a": "x"}))
case("full", op("rename", columns={"a": "b"}))
case("full", op("rename", columns={"a": "b", "b": "q"}))
case("full", op("rename", columns={"nope": "b"}))
case("full", op("rename", columns={}))
case("full", op("rename", columns={"a": "x"}, level=0))
case("full", op("rename", columns={"a": "x"}, level=3))
case("full", PF, op("rename", columns={"a": "x"}, level=0), FLAT)
case("full", PF, op("rename", columns={"a": None}, level=0, inplace=True), FLAT)
case("full", PF, op("rename", columns={"a": "x"}), FLAT)
case("full", op("select", columns=["b", "a"]))
case("full", op("select", columns=["b", "a"], rename={"b": "c"}))
case("full", op("select", exclude=["a"]))
case("full", op("select", exclude=["nope"]))
case("full", op("select", columns=["nope"]))
case("full", op("select"))
case("full", op("select", drop=["a"]))
case("births", op("sort", by="sum__num"))
case("births", op("sort", by="sum__num", ascending=False))
case("births", op("sort", by=["state", "avg"], ascending=[False, True]))
case("births", op("sort", by="gender"))
case("births", op("sort", by="avg", ascending=False))
case("births", op("sort", by="exact"))
case("births", op("sort", by=["avg", "state"], ascending=[True]))
case("births", op("sort", by="nope"))
case("births", op("sort"))
case("births", op("sort", is_sort_index=True))
case("births", op("sort", is_sort_index=True, ascending=False))
case("births", PG, op("sort", is_sort_index=True, ascending=False), FLAT)
case("births", op("sort", by="sum__num"), FLAT)

case("geo", op("geohash_decode", geohash="hash", longitude="LON", latitude="LAT"))
case("geo", op("geohash_decode", geohash="p", longitude="LON", latitude="LAT"))
case("geo", op("geohash_decode", geohash="nope", longitude="LON", latitude="LAT"))
case("geo", op("geohash_encode", geohash="g", longitude="lon", latitude="lat"))
case("geo", op("geodetic_parse", geodetic="p", longitude="LON", latitude="LAT"))
case("geo", op("geodetic_parse", geodetic="p", longitude="LON", latitude="LAT", altitude="ALT"))
case("geo", op("geodetic_parse", geodetic="hash", longitude="LON", latitude="LAT"))
case("commas", op("escape_separator"))
case("commas", op("unescape_separator"))

for more in [
    dict(time_grain="P1D", periods=3, confidence_interval=0.8),
    dict(time_grain="", periods=3, confidence_interval=0.8),
    dict(time_grain="P9D", periods=3, confidence_interval=0.8),
    dict(time_grain="P1D", periods=-3, confidence_interval=0.8),
    dict(time_grain="P1D", periods=3, confidence_interval=1),
    dict(time_grain="P1D", periods=3, confidence_interval=0.8, index="nope"),
    dict(time_grain="P1D", periods=3),
]:
    case("series", op("prophet", **{"index": "ds", **more}))

CASES.append(("full", [{"operation": ""}]))
CASES.append(("full", [{}]))
CASES.append(("full", [{"operation": "nope"}]))
CASES.append(("full", [{"operation": "flatten", "options": None}]))


def build(spec):
    from superset.db_engine_specs.base import BaseEngineSpec
    from superset.result_set import SupersetResultSet

    columns = [[None if v is None else READ.get(t, lambda x: x)(v) for v in values] for _, t, values in spec]
    rows = list(zip(*columns))
    description = [(name, None, None, None, None, None, True) for name, _, _ in spec]
    return SupersetResultSet(rows, description, BaseEngineSpec).to_pandas_df()


def answer(df, steps):
    from flask_babel import gettext as _

    from superset.utils import json, pandas_postprocessing
    from superset.utils.core import extract_dataframe_dtypes

    try:
        for step in steps:
            operation = step.get("operation")
            if not operation:
                raise InvalidPostProcessingError(_("`operation` property of post processing object undefined"))
            if not hasattr(pandas_postprocessing, operation):
                raise InvalidPostProcessingError(
                    _("Unsupported post processing operation: %(operation)s", type=operation)
                )
            df = getattr(pandas_postprocessing, operation)(df, **step.get("options", {}))
        out = {
            "colnames": list(df.columns),
            "indexnames": list(df.index),
            "values": [df.iloc[:, i].tolist() for i in range(len(df.columns))],
        }
        try:
            out["coltypes"] = [int(t) for t in extract_dataframe_dtypes(df)]
        except Exception:  # duplicate labels
            out["coltypes"] = None
        return plain.loads(json.dumps(out, default=json.json_int_dttm_ser, ignore_nan=True))
    except InvalidPostProcessingError as ex:
        return {"invalid": str(ex.message)}
    except Exception as ex:  # pylint: disable=broad-except
        return {"unexpected": f"{type(ex).__name__}: {ex}"[:300]}


def main():
    app = create_app()
    with app.test_request_context("/"):
        cases = [
            {"frame": f, "steps": s, "expect": answer(build(FRAMES[f]), copy.deepcopy(s))} for f, s in CASES
        ]
    here = pathlib.Path(__file__).parent
    frames = {k: [{"name": n, "type": t, "values": v} for n, t, v in spec] for k, spec in FRAMES.items()}
    lines = ",\n".join(plain.dumps(c, ensure_ascii=False) for c in cases)
    text = f'{{"frames": {plain.dumps(frames, ensure_ascii=False)},\n"cases": [\n{lines}\n]}}\n'
    (here / "cases.json").write_text(text)
    print(len(cases), "cases")


main()
