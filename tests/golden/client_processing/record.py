"""Records what Superset 6.0.0's client processing makes of small answers.

Run with a Python that has Superset installed; writes cases.json beside this file.
"""
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

COLUMNS = {
    "gender": ("text", ["boy", "girl", "boy", "girl", "boy", "girl"]),
    "state": ("text", ["CA", "CA", "NY", "NY", "TX", None]),
    "year": ("int", [1, 1, 1, 2, 2, 2]),
    "sum__num": ("int", [10, 20, 30, 40, 50, 60]),
    "avg": ("float", [1.5, 2.5, 3.5, 4.5, 5.5, 6.5]),
    "exact": ("decimal", ["1.50", "2.50", "3.50", "4.50", "5.50", "6.50"]),
    "part": ("int", [1, None, 3, 4, None, 6]),
}
CASES = []


def case(fmt, **form):
    CASES.append((fmt, {"viz_type": "pivot_table_v2", **form}))


ROWS_COLS = [(["gender"], ["state"]), (["gender"], []), ([], ["gender"]), ([], []), (["gender", "year"], ["state"]),
             (["gender"], ["year", "state"]), ([], ["gender", "year"]), (["year"], ["gender"])]
for rows, cols in ROWS_COLS:
    for metrics in [["sum__num"], ["sum__num", "avg"], ["exact"], ["sum__num", "exact"]]:
        for flags in [
            {},
            {"rowTotals": True, "colTotals": True},
            {"rowTotals": True, "colTotals": True, "combineMetric": True},
            {"rowTotals": True, "colTotals": True, "metricsLayout": "ROWS"},
            {"transposePivot": True, "colTotals": True},
        ]:
            case("json", groupbyRows=rows, groupbyColumns=cols, metrics=metrics, aggregateFunction="Sum", **flags)
for f in [
    "Count",
    "Count Unique Values",
    "Average",
    "Median",
    "Sample Variance",
    "Sample Standard Deviation",
    "Minimum",
    "Maximum",
    "First",
    "Last",
    "Sum as Fraction of Total",
    "Sum as Fraction of Rows",
    "Sum as Fraction of Columns",
    "Count as Fraction of Rows",
    "Nope",
]:
    for flags in [{}, {"rowTotals": True}, {"colTotals": True}]:
        for metrics in [["sum__num"], ["avg"], ["exact"]]:
            case("json", groupbyRows=["gender"], groupbyColumns=["year"], metrics=metrics, aggregateFunction=f, **flags)
    case("csv", groupbyRows=["gender"], groupbyColumns=["state"], metrics=["sum__num"], aggregateFunction=f)
case("json", groupbyRows=["gender"], groupbyColumns=["state"], metrics=["part"], rowTotals=True)
case("json", groupbyRows=["gender"], groupbyColumns=["nope"], metrics=["part"])
case("json", groupbyRows=["gender"], groupbyColumns=[], metrics=["nope"])
case("json", groupbyRows=["gender"])
for cfg in [
    {"sum__num": {"d3NumberFormat": ",d"}},
    {"avg": {"d3NumberFormat": ".1f"}},
    {"sum__num": {"d3NumberFormat": "SMART_NUMBER"}},
    {"nope": {"d3NumberFormat": ",d"}},
    {"avg": {"d3NumberFormat": ".2%"}},
    {"gender": {"d3NumberFormat": ".2f"}},
    {},
]:
    for fmt in ["json", "csv"]:
        CASES.append((fmt, {"viz_type": "table", "column_config": cfg}))
CASES.append(("json", {"viz_type": "pie"}))


def rows():
    read = {"decimal": Decimal}
    values = {n: [None if v is None else read.get(t, lambda x: x)(v) for v in vs] for n, (t, vs) in COLUMNS.items()}
    return [dict(zip(values, r)) for r in zip(*values.values())]


def main():
    import pandas as pd

    app = create_app()
    out = []
    with app.test_request_context("/"):
        from superset.charts.client_processing import apply_client_processing
        from superset.utils import json

        for fmt, form in CASES:
            data = rows() if fmt == "json" else pd.DataFrame(rows()).to_csv(index=False)
            try:
                r = apply_client_processing({"queries": [{"result_format": fmt, "data": data}]}, form)["queries"][0]
                keys = ["colnames", "indexnames", "coltypes", "rowcount", "data"]
                r = {k: r.get(k) for k in keys}
                expect = plain.loads(json.dumps(r, default=json.json_int_dttm_ser, ignore_nan=True))
            except Exception as ex:  # pylint: disable=broad-except
                expect = {"unexpected": f"{type(ex).__name__}: {ex}"[:200]}
            out.append({"format": fmt, "form": form, "expect": expect})
    here = pathlib.Path(__file__).parent
    columns = [{"name": n, "type": t, "values": v} for n, (t, v) in COLUMNS.items()]
    lines = ",\n".join(plain.dumps(c) for c in out)
    (here / "cases.json").write_text(f'{{"frame": {plain.dumps(columns)},\n"cases": [\n{lines}\n]}}\n')
    print(len(out), "cases")


main()
