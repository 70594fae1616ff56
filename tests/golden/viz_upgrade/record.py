#!/usr/bin/env python3
"""Records what the original's revision d482d51c15ca makes of charts: cases.jsonl, a chart a line, in the order in which
the original meets them (its lists of controls grow from chart to chart).

    ~/.cache/superset-oracle/venv/bin/python tests/golden/viz_upgrade/record.py [COUNT [SEED [FILE]]]

The charts are made by chance, some of them odd. None depends on the clock.
"""
import json, logging, pathlib, random, sys

from flask import Flask
from flask_babel import Babel

HERE = pathlib.Path(__file__).resolve().parent
COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 350
CHANCE = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 6)
FILE = pathlib.Path(sys.argv[3]) if len(sys.argv) > 3 else HERE / "cases.jsonl"
KINDS = ["area", "bar", "dist_bar", "heatmap", "histogram", "line", "sankey"]

SQL_COLUMN = {"sqlExpression": "lower(name)", "label": "low", "expressionType": "SQL"}
TIME_COLUMN = {"sqlExpression": "date(ts)", "label": "day", "expressionType": "SQL"}
COLUMNS = ["ds", "name", "état", SQL_COLUMN, TIME_COLUMN, {"label": "no expression"}, ""]
METRICS = [
    "count",
    "sum__num",
    {"expressionType": "SIMPLE", "column": {"column_name": "num"}, "aggregate": "SUM", "label": "SUM(num)"},
    {"expressionType": "SIMPLE", "column": {"columnName": "num"}, "aggregate": "AVG"},
    {"expressionType": "SQL", "sqlExpression": "sum(a)/2", "label": "half"},
    {"expressionType": "SQL", "sqlExpression": "max(a)"},
]
FILTERS = [
    {"clause": "WHERE", "expressionType": "SIMPLE", "subject": "a", "operator": "==", "comparator": "x"},
    {"clause": "WHERE", "expressionType": "SIMPLE", "subject": "a", "operator": "IS NULL", "comparator": "x"},
    {"clause": "WHERE", "expressionType": "SIMPLE", "subject": "a", "operator": "IN", "comparator": ["x", 1, None]},
    {"clause": "WHERE", "expressionType": "SIMPLE", "subject": "a", "operator": "LIKE"},
    {"clause": "HAVING", "expressionType": "SIMPLE", "subject": "a", "operator": ">", "comparator": 3},
    {"clause": "WHERE", "expressionType": "SQL", "sqlExpression": "a > 1 -- why"},
    {"clause": "HAVING", "expressionType": "SQL", "sqlExpression": "count(*) > 1"},
    {"clause": "WHERE", "expressionType": "SQL", "sqlExpression": None},
]


def one(values):
    return CHANCE.choice(values)


def some(values, most=3):
    return [one(values) for _ in range(CHANCE.randint(0, most))]


def odd(value):
    """Now and then something else than what belongs there."""
    return one([None, "", 0, 1.5, True, [], {}, "text", ["a"], {"a": 1}]) if CHANCE.random() < 0.02 else value


CONTROLS = {
    "metrics": lambda: one([some(METRICS) or ["count"], ["count"], some(METRICS), "count"]),
    "metric": lambda: one(METRICS),
    "secondary_metric": lambda: one(METRICS),
    "groupby": lambda: one([[], some(COLUMNS), ["name"], ["name", "ds"], None]),
    "columns": lambda: some(COLUMNS, 2),
    "all_columns": lambda: some(COLUMNS, 2),
    "all_columns_x": lambda: one([["num"], ["num", "b"], "ds", [], [SQL_COLUMN]]),
    "all_columns_y": lambda: one(["name", SQL_COLUMN, ["name"]]),
    "series": lambda: one(COLUMNS),
    "order_by_cols": lambda: one([['["a", true]'], ["[1"], [["a", False]], []]),
    "orderby": lambda: one([[["count", False]], [], [[None, True]], [["a"]]]),
    "query_mode": lambda: one(["raw", "aggregate"]),
    "granularity_sqla": lambda: one(["ds", "ds", "ds", None, "", TIME_COLUMN, {"label": "x"}]),
    "granularity": lambda: one(["ds", None]),
    "time_range": lambda: one(
        ["Last week", "No filter", None, "2020-01-01 : 2021-01-01", "2020-01-01 : ", " : 2020-06-01"]
    ),
    "time_grain_sqla": lambda: one(["P1D", "P1M", None, ""]),
    "since": lambda: "2020-01-01",
    "until": lambda: "2021-01-01",
    "adhoc_filters": lambda: one([None, [], some(FILTERS), some(FILTERS, 5)]),
    "filters": lambda: [{"col": "lost", "op": "==", "val": 1}],
    "where": lambda: one(["", "b = 2", "b = 2 -- c"]),
    "extra_filters": lambda: one(
        [[], [{"col": "a", "op": "in", "val": ["x"]}], [{"col": "__time_range", "val": "Last day"}],
         [{"col": "__time_col", "val": "other"}, {"col": "__time_grain", "val": "P1Y"}], [{"col": "__granularity"}]]
    ),
    "extra_form_data": lambda: one(
        [{}, None, {"time_range": "Last day"}, {"time_grain_sqla": "P1W", "relative_start": "now"},
         {"filters": [{"col": "x", "op": "IN", "val": [1]}], "adhoc_filters": some(FILTERS)},
         {"custom_form_data": {"groupby": ["z"]}, "granularity_sqla": "when"}, {"filters": None}]
    ),
    "annotation_layers": lambda: one([[], None, [{"name": "a", "annotationType": "FORMULA", "value": "x"}]]),
    "row_limit": lambda: one([100, "1000", None, 10.0, "x", True]),
    "row_offset": lambda: one([5, "7", None]),
    "limit": lambda: one([10, "25", None, "many", 7.9]),
    "series_limit": lambda: one([3, None, "4"]),
    "timeseries_limit_metric": lambda: one([None, one(METRICS), [one(METRICS)], []]),
    "series_limit_metric": lambda: one([None, one(METRICS), {"a": 1}]),
    "series_columns": lambda: one([None, ["name"]]),
    "order_desc": lambda: one([True, False, None]),
    "url_params": lambda: one([{}, {"a": "b"}, None]),
    "contribution": lambda: one([True, False]),
    "show_brush": lambda: one(["auto", "yes", "no"]),
    "show_markers": lambda: one([True, False, None]),
    "show_controls": lambda: one([True, False]),
    "show_legend": lambda: True,
    "bottom_margin": lambda: one(["auto", 50, None]),
    "left_margin": lambda: one(["auto", 75, 0]),
    "x_axis_label": lambda: one(["", "x", "Zeit"]),
    "y_axis_label": lambda: one(["", "y"]),
    "x_axis_title": lambda: "was there",
    "x_axis_format": lambda: one(["smart_date", "%d"]),
    "x_axis_showminmax": lambda: one([True, False]),
    "x_ticks_layout": lambda: one(["auto", "45°", "flat", ""]),
    "y_log_scale": lambda: one([True, False]),
    "y_axis_bounds": lambda: [None, None],
    "y_axis_format": lambda: "SMART_NUMBER",
    "rolling_type": lambda: one(["None", "sum", "mean", "std", "cumsum", None]),
    "rolling_periods": lambda: one([7, "7", 7.0, None]),
    "min_periods": lambda: one([0, "3", "x"]),
    "time_compare": lambda: one(
        [None, "1 year", ["1 week", " 1 month ago "], [""], [], ["1 day ago", "1 day ago"], [3]]
    ),
    "comparison_type": lambda: one(["values", "absolute", "percentage", "ratio", None, "", "strange"]),
    "resample_rule": lambda: one([None, "1D"]),
    "resample_method": lambda: one([None, "asfreq", "zerofill", "mean"]),
    "stacked_style": lambda: one(["stack", "stream", "expand", None, "other"]),
    "bar_stacked": lambda: one([True, False]),
    "show_bar_value": lambda: one([True, False]),
    "show_value": lambda: True,
    "reduce_x_ticks": lambda: True,
    "line_interpolation": lambda: one(["linear", "cardinal", "step-before", "step-after", "basis"]),
    "truncate_metric": lambda: one([True, False, None]),
    "show_empty_columns": lambda: one([True, False]),
    "x_axis_sort": lambda: one(["count", "ds", "SUM(num)", "name", None]),
    "x_axis_sort_asc": lambda: one([True, False, None]),
    "forecastEnabled": lambda: one([True, False]),
    "forecastPeriods": lambda: one([10, "12", None, "x"]),
    "forecastInterval": lambda: one([0.8, "0.9", 1, None]),
    "forecastSeasonalityYearly": lambda: one([None, True]),
    "sort_x_axis": lambda: one([None, "alpha_asc", "alpha_desc", "value_asc", "value_desc"]),
    "sort_y_axis": lambda: one([None, "alpha_asc", "value_desc"]),
    "sort_by_metric": lambda: one([True, False]),
    "normalize_across": lambda: one(["heatmap", "x", "y"]),
    "show_perc": lambda: one([True, False]),
    "canvas_image_rendering": lambda: "pixelated",
    "normalized": lambda: one([True, False]),
    "cumulative": lambda: one([True, False, None]),
    "link_length": lambda: one(["10", 7, "", None, "x", 5.5, "8.5"]),
    "queryFields": lambda: {"metric": "metrics"},
    "dashboards": lambda: [1, 2],
    "force": lambda: True,
    "result_type": lambda: "results",
    "float": lambda: one([1e16, 0.00001, 2.0, -0.5, 12345678901]),
    "text": lambda: "Größe \"x\" \u2028 😀 \t/",
}
USUAL = {
    "heatmap": ["all_columns_x", "all_columns_y", "metric"],
    "histogram": ["all_columns_x", "link_length"],
    "sankey": ["groupby", "metric", "sort_by_metric"],
    "dist_bar": ["metrics", "groupby"],
}


def form_data(kind):
    usual = USUAL.get(kind, ["metrics", "granularity_sqla", "groupby"])
    keys = [k for k in usual if CHANCE.random() < 0.95]
    keys += [k for k in CONTROLS if k not in keys and CHANCE.random() < 0.22]
    CHANCE.shuffle(keys)
    data = {"datasource": one(["3__table", "3__table", "3__table", "12__query"]), "viz_type": kind}
    if CHANCE.random() < 0.04:
        data["datasource"] = one(["x__table", "7", None, " 7 __table"])
    if CHANCE.random() < 0.04:
        data["viz_type"] = one(["table", None, "echarts_area"])
    if CHANCE.random() < 0.03:
        del data["datasource"]
    for key in keys:
        data[key] = odd(CONTROLS[key]())
    if isinstance(data.get("granularity_sqla"), dict) and data.get("time_range") == "Last week":
        # would be computed from today
        data["time_range"] = "2020-01-01 : 2021-01-01"
    return data


def chart(kind):
    params = json.dumps(form_data(kind), ensure_ascii=CHANCE.random() < 0.5)
    if CHANCE.random() < 0.04:
        params = one([None, "", "{}", "[]", "[1]", "{", "null", "7", '"text"'])
    context = None
    if CHANCE.random() < 0.5:
        context = {"datasource": {"id": 3, "type": "table"}, "force": False, "queries": [{"metrics": ["count"]}]}
        if CHANCE.random() < 0.8:
            context["form_data"] = {"viz_type": kind}
        if CHANCE.random() < 0.1:
            del context["queries"]
        context = json.dumps(context)
        if CHANCE.random() < 0.05:
            context = one(["{}", "", "[]", "{", "[1]", "null"])
    return {"viz_type": kind, "params": params, "query_context": context}


def main():
    logging.disable(logging.CRITICAL)
    from superset.migrations.shared.migrate_viz import processors
    from superset.migrations.shared.migrate_viz.base import Slice

    by_kind = {c.source_viz_type: c for c in vars(processors).values() if hasattr(c, "source_viz_type")}
    app = Flask("record")
    app.config["DEFAULT_TIME_FILTER"] = "No filter"
    app.config["DEFAULT_RELATIVE_START_TIME"] = app.config["DEFAULT_RELATIVE_END_TIME"] = "today"
    Babel(app)
    with FILE.open("w") as out, app.app_context():
        for kind in KINDS:
            for _ in range(COUNT // len(KINDS)):
                before = chart(kind)
                slc = Slice(id=1, **before)
                by_kind[kind].upgrade_slice(slc)
                after = {key: getattr(slc, key) for key in before}
                out.write(json.dumps({"before": before, "after": after}) + "\n")


if __name__ == "__main__":
    main()
