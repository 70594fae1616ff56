"""The operations of frame.rs in pandas, through Superset's own functions; needs a Python with Superset installed."""
import logging
import os
import time
import warnings

os.environ.setdefault("SUPERSET_SECRET_KEY", "bench")
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

from superset.app import create_app  # noqa: E402


def long(cells):
    n = cells // 5
    i = np.arange(n)
    return pd.DataFrame({
        "ds": pd.to_datetime(i // 10 * 60, unit="s"), "g": [f"group {k % 10}" for k in range(n)],
        "a": i * 7919 % 1000, "b": (i * 7919 % 1000) / 7.0, "c": (i * 104729 % 1000) / 3.0,
    })


def wide(cells):
    n = cells // 10
    i = np.arange(n)
    df = pd.DataFrame({f"c{c}": ((i + c) * 7919 % 1000) / 7.0 for c in range(10)})
    df.index = pd.to_datetime(i * 60, unit="s")
    df.index.name = "ds"
    return df


def best(run):
    t, begin = 1e9, time.time()
    for _ in range(20):
        s = time.perf_counter()
        run()
        t = min(t, time.perf_counter() - s)
        if time.time() - begin > 3:
            break
    return t * 1000


with create_app().test_request_context("/"):
    from superset.utils import json
    from superset.utils import pandas_postprocessing as pp

    for cells in (1_000, 100_000, 1_000_000):
        df, w = long(cells), wide(cells)
        columns = {f"c{c}": f"c{c}" for c in range(10)}
        aggs = {"a": {"operator": "sum"}, "b": {"operator": "mean"}, "c": {"operator": "mean"}}
        line = {
            "pivot": best(lambda: pp.pivot(df.copy(), index=["ds"], columns=["g"], aggregates=aggs)),
            "rolling": best(
                lambda: pp.rolling(w.copy(), rolling_type="mean", window=7, min_periods=0, columns=columns)
            ),
            "contribution": best(lambda: pp.contribution(w.copy(), orientation="row")),
            "resample": best(lambda: pp.resample(w.copy(), rule="1H", method="mean")),
            "json": best(
                lambda: json.dumps(df.to_dict(orient="records"), default=json.json_int_dttm_ser, ignore_nan=True)
            ),
        }
        print(f"{cells} cells:", ", ".join(f"{k} {v:.2f} ms" for k, v in line.items()), flush=True)
