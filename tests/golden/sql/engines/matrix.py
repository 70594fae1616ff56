"""The query objects of the matrix, and the datasets they are asked of; `record.py` gives them to Superset."""

# Names of native types, by kind, as the engines' inspectors tell them.
PLAIN = {
    "text": "VARCHAR(30)", "note": "TEXT", "int": "INTEGER", "num": "NUMERIC(10, 2)", "float": "FLOAT",
    "bool": "BOOLEAN", "ts": "TIMESTAMP", "date": "DATE", "tz": "TIMESTAMP WITH TIME ZONE", "time": "TIME",
}
CLICKHOUSE = {
    "text": "String", "note": "Nullable(String)", "int": "Int32", "num": "Decimal(10, 2)", "float": "Nullable(Float64)",
    "bool": "Bool", "ts": "DateTime", "date": "Date", "tz": "DateTime64(3)", "time": "LowCardinality(String)",
}
MYSQL = PLAIN | {"ts": "DATETIME", "bool": "TINYINT(1)", "note": "LONGTEXT", "float": "DOUBLE"}
MSSQL = PLAIN | {
    "text": "NVARCHAR(30)", "note": "NTEXT", "float": "REAL", "bool": "BIT", "ts": "DATETIME2", "tz": "DATETIMEOFFSET",
}
TRINO = PLAIN | {
    "text": "varchar(30)", "note": "varchar", "int": "bigint", "num": "decimal(10,2)", "float": "double",
    "bool": "boolean", "ts": "timestamp(3)", "date": "date", "tz": "timestamp(3) with time zone", "time": "time(3)",
}

# engine: connection string, types, default schema
ENGINES = {
    "sqlite": ("sqlite://", PLAIN),
    "postgresql": ("postgresql+psycopg2://u:p@h/d", PLAIN),
    "cockroachdb": ("cockroachdb://u:p@h/d", PLAIN),
    "redshift": ("redshift+psycopg2://u:p@h/d", PLAIN),
    "risingwave": ("risingwave://u:p@h/d", PLAIN),
    "duckdb": ("duckdb:///:memory:", PLAIN),
    "mysql": ("mysql://u:p@h/d", MYSQL),
    "mariadb": ("mariadb://u:p@h/d", MYSQL),
    "oceanbase": ("oceanbase://u:p@h/d", MYSQL),
    "singlestoredb": ("singlestoredb://u:p@h/d", MYSQL),
    "starrocks": ("starrocks://u:p@h/c.d", MYSQL),
    "pydoris": ("pydoris://u:p@h/c.d", MYSQL),
    "mssql": ("mssql+pymssql://u:p@h/d", MSSQL),
    "clickhousedb": ("clickhousedb://u:p@h/d", CLICKHOUSE),
    "clickhouse": ("clickhouse://u:p@h/d", CLICKHOUSE),
    "trino": ("trino://u@h/c", TRINO),
    "presto": ("presto://u@h/c", TRINO),
}

LONG = (
    "a label that is very much longer than the sixty-three letters that PostgreSQL keeps of an identifier, and longer"
    " than the hundred and twenty-eight of SQL Server"
)


def columns(types):
    made = [
        ("town", "text"), ("Ship Name", "note"), ("order", "text"), ("tonnage", "int"), ("fee", "num"),
        ("weight", "float"), ("is_foreign", "bool"), ("docked_at", "ts", {"is_dttm": True}),
        ("day", "date", {"is_dttm": True}), ("seen", "tz", {"is_dttm": True}), ("clock", "time", {"is_dttm": True}),
        ("epoch", "int", {"is_dttm": True, "python_date_format": "epoch_s"}),
        ("epoch_ms", "int", {"is_dttm": True, "python_date_format": "epoch_ms"}),
        ("stamp", "text", {"is_dttm": True, "python_date_format": "%Y%m%d"}),
        ("iso", "text", {"is_dttm": True, "python_date_format": "%Y-%m-%dT%H:%M:%S.%f"}),
        ("wrong", "text", {"is_dttm": True}), ("kilo", "num", {"expression": "tonnage / 1000"}),
        ("later", "ts", {"is_dttm": True, "expression": "docked_at + pause"}), ("untyped", None),
        ("_hidden", "text"), ("UPPER", "text"), ("9lives", "int"), ("per%cent", "text"), ("a.b", "text"),
        ('say "hi"', "text"), ("tick`s", "text"), ("br]acket", "text"), ("größe", "int"), ("user", "text"),
        ("back\\slash", "text"), ("col:on", "text"), ("dollar$", "text"),
    ]
    out = []
    for name, kind, *more in made:
        column = {"column_name": name, "type": types.get(kind)} | (more[0] if more else {})
        out.append(column)
    return out


METRICS = [
    {"metric_name": "n", "expression": "COUNT(*)"},
    {"metric_name": "total_fee", "expression": "SUM(fee)"},
    {"metric_name": "Total Fee %", "expression": "100.0 * SUM(fee) / COUNT(*)"},
    {"metric_name": "_under", "expression": "MAX(fee)"},
    {"metric_name": LONG, "expression": "MIN(fee)"},
    {"metric_name": "town", "expression": "COUNT(DISTINCT town)"},
]


def datasets(types):
    plain = {"table_name": "arrivals", "schema": "port", "main_dttm_col": "docked_at", "columns": columns(types),
             "metrics": METRICS, "default_schema": "port"}
    return {
        "table": plain,
        "bare": plain | {"schema": None},
        "catalog": plain | {"catalog": "cat"},
        "main": plain | {"main_dttm_col": "day", "always_filter_main_dttm": True},
        "odd": plain | {"table_name": 'Odd "table" `x` [y] 5%', "schema": "My.Port"},
        "word": plain | {"table_name": "order", "schema": "user"},
        "predicate": plain | {"fetch_values_predicate": "tonnage > 0"},
        "virtual": plain | {"sql": "SELECT * FROM port.arrivals WHERE tonnage > 0 AND town LIKE 'A%'"},
        "commented": plain | {"sql": "SELECT *, 1 AS one -- all\nFROM port.arrivals /* here */ ;"},
        "cte": plain | {"sql": "WITH big AS (SELECT * FROM port.arrivals WHERE tonnage > 9) SELECT * FROM big"},
        "ctes": (
            plain | {
                "sql": (
                    "WITH a AS (SELECT 1 AS x), b AS (SELECT x FROM a) SELECT a.x, b.x AS y FROM a JOIN b ON a.x = b.x"
                )
            }
        ),
        "ordered": plain | {"sql": "SELECT town, fee FROM port.arrivals ORDER BY fee DESC LIMIT 10"},
        "union": plain | {"sql": "SELECT town FROM port.a UNION ALL SELECT town FROM port.b"},
        "writing": plain | {"sql": "DELETE FROM port.arrivals"},
        "several": plain | {"sql": "SELECT 1 AS a; SELECT 2 AS b"},
    }


def axis(column, grain, **more):
    return {"label": column, "sqlExpression": column, "columnType": "BASE_AXIS", "timeGrain": grain,
            "expressionType": "SQL"} | more


def simple(aggregate, column, **more):
    return {"expressionType": "SIMPLE", "aggregate": aggregate, "column": {"column_name": column}} | more


def sql_metric(sql, label):
    return {"expressionType": "SQL", "sqlExpression": sql, "label": label}


RANGE = "2004-01-01 : 2005-02-03T04:05:06"


def cases(grains):
    """(id, dataset, query object, what else) of every case."""
    out = []

    def add(name, query, dataset="table", **more):
        out.append((name, dataset, query, more))

    # Grains of the engine over every kind of time column.
    for grain in grains:
        for column in ["docked_at", "day", "seen", "epoch", "epoch_ms", "stamp", "later"]:
            if column in ("docked_at", "epoch") or grain in ("PT1H", "P1D", "P1W", "P3M"):
                add(f"grain {grain} {column}", {"columns": [axis(column, grain)], "metrics": ["n"]})
    add("grain of a series", {"columns": ["town"], "metrics": ["n"], "granularity": "docked_at", "is_timeseries": True,
                              "extras": {"time_grain_sqla": "P1D"}, "time_range": RANGE})
    add("grain unknown", {"columns": [axis("docked_at", "P9D")], "metrics": ["n"]})
    add("grain none", {"columns": [axis("docked_at", None)], "metrics": ["n"]})
    add("grain of the column asked", {"columns": ["docked_at", "town"], "metrics": ["n"], "granularity": "docked_at",
                                      "extras": {"time_grain_sqla": "P1M"}})
    add("grain of an epoch without", {"columns": ["epoch"], "metrics": ["n"], "granularity": "epoch"})
    add(
        "grain of an expression",
        {"columns": [axis("docked_at + pause", "P1D", label="d")], "metrics": ["n"]},
        probe=True,
    )
    add("grain of no time", {"columns": [axis("tonnage + 1", "P1D", label="d")], "metrics": ["n"]}, probe=False)
    add("grain of a text", {"columns": [axis("town", "P1D")], "metrics": ["n"]})
    add("grain of odd names", {"columns": [axis("Ship Name", "P1D", label="Grain 5%")], "metrics": ["n"]})
    add(
        "reference unknown",
        {"columns": [{"label": "x", "sqlExpression": "No Such", "isColumnReference": True}], "metrics": ["n"]},
    )
    for grain in ("P1D", "PT1H"):
        add(f"grain {grain} in a filter", {"columns": ["town"], "metrics": ["n"], "filters": [
            {"col": "docked_at", "op": "TEMPORAL_RANGE", "val": RANGE, "grain": grain}]})
        add(f"grain {grain} in a comparison", {"columns": ["town"], "metrics": ["n"], "filters": [
            {"col": "docked_at", "op": ">=", "val": "2004-01-01", "grain": grain}]})

    # Ranges by column.
    for column in ["docked_at", "day", "seen", "clock", "epoch", "epoch_ms", "stamp", "iso", "wrong", "later"]:
        add(f"range {column}", {"columns": ["town"], "metrics": ["n"], "filters": [
            {"col": column, "op": "TEMPORAL_RANGE", "val": RANGE}]})
        add(
            f"granularity {column}", {"columns": ["town"], "metrics": ["n"], "granularity": column, "time_range": RANGE}
        )
    add("range open", {"columns": ["town"], "metrics": ["n"], "filters": [
        {"col": "docked_at", "op": "TEMPORAL_RANGE", "val": "2004-01-01 : "}]})
    add("range to", {"columns": ["town"], "metrics": ["n"], "filters": [
        {"col": "docked_at", "op": "TEMPORAL_RANGE", "val": " : 2004-01-01"}]})
    add("range fraction", {"columns": ["town"], "metrics": ["n"], "filters": [
        {"col": "docked_at", "op": "TEMPORAL_RANGE", "val": "2004-01-01T01:02:03.456789 : 2004-01-02T00:00:00.5"}]})
    add("range of text", {"columns": ["town"], "metrics": ["n"], "filters": [
        {"col": "town", "op": "TEMPORAL_RANGE", "val": RANGE}]})
    add("range none", {"columns": ["town"], "metrics": ["n"], "filters": [
        {"col": "docked_at", "op": "TEMPORAL_RANGE", "val": "No filter"}]})
    add("main too", {"columns": ["town"], "metrics": ["n"], "granularity": "docked_at", "time_range": RANGE}, "main")
    add("main too, series", {"columns": ["town"], "metrics": ["n"], "granularity": "docked_at", "time_range": RANGE,
                             "is_timeseries": True, "series_limit": 3, "series_columns": ["town"]}, "main")
    add("granularity unknown", {"columns": ["town"], "metrics": ["n"], "granularity": "nope", "time_range": RANGE})

    # Operators by type of column.
    values = {
        "town": "Ny'borg", "Ship Name": "50%\\_x", "tonnage": "12", "fee": 1.5, "weight": "x", "is_foreign": True,
        "docked_at": "2004-01-01", "day": 1072915200000, "seen": 1072915200123, "untyped": "größe", "order": None,
        "kilo": "1e3", "epoch": 5, "stamp": "20040101",
    }
    for column, value in values.items():
        for op in ["==", "!=", ">", "<=", "LIKE", "ILIKE", "NOT LIKE"]:
            if op in ("==", "LIKE", "ILIKE") or column in ("town", "fee", "is_foreign"):
                add(
                    f"op {op} {column}",
                    {"columns": ["town"], "metrics": ["n"], "filters": [{"col": column, "op": op, "val": value}]},
                )
        for op in ["IN", "NOT IN"]:
            many = [value, None, "<NULL>"] if column == "is_foreign" else [value, None, "<NULL>", "<empty string>"]
            add(
                f"op {op} {column}",
                {"columns": ["town"], "metrics": ["n"], "filters": [{"col": column, "op": op, "val": many}]},
            )
    for column in ["town", "is_foreign", "tonnage", "docked_at"]:
        for op in ["IS NULL", "IS NOT NULL", "IS TRUE", "IS FALSE"]:
            add(f"op {op} {column}", {"columns": ["town"], "metrics": ["n"], "filters": [{"col": column, "op": op}]})
    flag = lambda op, val: {
        "columns": ["town"],
        "metrics": ["n"],
        "filters": [{"col": "is_foreign", "op": op, "val": val}],
    }
    for text in ["true", "False", " TRUE ", "1", 0, 1, None]:
        add(f"flag == {text!r}", flag("==", text))
    add("flag in", flag("IN", ["true", "false"]))
    add("flag in mixed", flag("IN", [True, "x", None]))
    one = lambda op, val, col="town": {
        "columns": ["town"],
        "metrics": ["n"],
        "filters": [{"col": col, "op": op, "val": val}],
    }
    add("in one", one("IN", ["a"]))
    add("in no list", one("IN", "a"))
    add("in none", one("IN", []))
    add("in only null", one("IN", [None]))
    add("not in only null", one("NOT IN", [None]))
    add("in numbers of text", one("IN", ["1", "2.5", "x"], "tonnage"))
    add("in floats", one("IN", [1.5, 2, 1e20], "fee"))
    add("in ints then floats", one("IN", [2, 1.5], "fee"))
    add("in big numbers", one("IN", [9223372036854775807, 1e-7], "fee"))
    add("in unicode", one("IN", ["größe", "東京", "a\"b", "x;y", "c:d", ":bind"]))
    add("percent", one("==", "100%"))
    add("percents", one("LIKE", "%100%%"))
    add("backslash", one("==", "a\\b\\'c"))
    add("newline", one("==", "a\nb\tc"))
    add("question", one("==", "what? {col}"))
    add("no value", one(">", None))
    add(
        "filter of an expression",
        {
            "columns": ["town"],
            "metrics": ["n"],
            "filters": [
                {"col": {"label": "x", "sqlExpression": "lower(town)", "expressionType": "SQL"}, "op": "==", "val": "a"}
            ],
        },
        probe=False,
    )
    add(
        "filter of a time expression",
        {
            "columns": ["town"],
            "metrics": ["n"],
            "filters": [
                {
                    "col": {"label": "x", "sqlExpression": "docked_at + pause", "expressionType": "SQL"},
                    "op": ">",
                    "val": "2004-01-01",
                }
            ],
        },
        probe=True,
    )
    add(
        "filter of odd names",
        {
            "columns": ["town"],
            "metrics": ["n"],
            "filters": [
                {"col": c, "op": "==", "val": "a"}
                for c in [
                    "Ship Name",
                    "per%cent",
                    "a.b",
                    'say "hi"',
                    "tick`s",
                    "br]acket",
                    "user",
                    "back\\slash",
                    "col:on",
                    "dollar$",
                    "UPPER",
                    "_hidden",
                ]
            ],
        },
    )

    # Names and labels.
    for column in [
        "Ship Name",
        "order",
        "_hidden",
        "UPPER",
        "9lives",
        "per%cent",
        "a.b",
        'say "hi"',
        "tick`s",
        "br]acket",
        "größe",
        "user",
        "back\\slash",
        "col:on",
        "dollar$",
    ]:
        add(f"name {column}", {"columns": [column], "metrics": [simple("MAX", column)], "orderby": [[column, True]]})
        add(f"raw {column}", {"columns": [column], "row_limit": 5, "orderby": [[column, False]]})
    for label in [
        "UPPER",
        "ÜBER",
        "_x",
        "9x",
        "a b",
        "user",
        "count",
        "a.b",
        "a(b)",
        'q"q',
        "q`q",
        "q]q",
        "50%",
        "tab\\",
        "c:d",
        LONG,
        LONG.upper(),
    ]:
        add(
            f"label {label[:20]}",
            {
                "columns": ["town"],
                "metrics": [sql_metric("SUM(fee)", label)],
                "orderby": [[sql_metric("SUM(fee)", label), False]],
            },
        )
        add(
            f"column label {label[:20]}",
            {"columns": [{"label": label, "sqlExpression": "lower(town)", "expressionType": "SQL"}], "metrics": ["n"]},
        )
    add(
        "labels alike",
        {
            "columns": ["town"],
            "metrics": ["n", sql_metric("SUM(fee)", "m"), sql_metric("MAX(fee)", "N"), sql_metric("MIN(fee)", "M")],
        },
    )
    add(
        "label of a column",
        {"columns": ["town"], "metrics": [sql_metric("SUM(tonnage)", "tonnage")], "orderby": [["tonnage", True]]},
    )
    add("metric like a column", {"columns": ["fee"], "metrics": ["town"], "orderby": [["town", True]]})
    add(
        "label in ORDER BY function",
        {
            "columns": ["town"],
            "metrics": [sql_metric("SUM(fee)", "fee")],
            "orderby": [[sql_metric("SUM(fee)", "fee"), False]],
        },
    )
    add(
        "saved odd",
        {
            "columns": ["town"],
            "metrics": ["Total Fee %", "_under", LONG],
            "orderby": [["Total Fee %", False], [LONG, True]],
        },
    )

    # Metrics.
    aggregates = ["SUM", "AVG", "COUNT", "COUNT_DISTINCT", "MIN", "MAX"]
    add("aggregates", {"metrics": [simple(a, "tonnage") for a in aggregates]})
    add(
        "aggregates of odd columns",
        {
            "metrics": [
                simple(a, c) for a, c in zip(aggregates, ["kilo", "Ship Name", "order", "per%cent", "later", "no such"])
            ]
        },
    )
    add("aggregate unknown", {"metrics": [simple("MEDIAN", "tonnage")]})
    add("metric unknown", {"metrics": ["nope"]})
    add("metric type unknown", {"metrics": [{"expressionType": "X", "label": "x"}]})
    add("metric case", {"metrics": [sql_metric("SUM(CASE WHEN town = 'a%' THEN 1 ELSE 0 END)", "Case")]})
    add(
        "metric cast",
        {"metrics": [sql_metric("CAST(SUM(fee) AS INTEGER)", "cast"), sql_metric("COUNT(DISTINCT town)", "d")]},
    )
    add("metric window", {"columns": ["town"], "metrics": [sql_metric("SUM(COUNT(*)) OVER (ORDER BY town)", "w")]})
    add("metric subquery", {"metrics": [sql_metric("(SELECT MAX(x) FROM other)", "s")]})
    add("metric wrong", {"metrics": [sql_metric("SUM(fee", "s")]})
    add("metric colon", {"metrics": [sql_metric("MAX('a:b')", "s")]})
    add("only columns", {"columns": ["town", "kilo", "docked_at"]})
    add("no metrics", {"columns": ["town", "fee"], "metrics": []})
    add("empty", {"columns": [], "metrics": []})
    add("no such column", {"columns": ["upper(town)"], "metrics": ["n"]})
    add("no such column raw", {"columns": ["No Such"], "row_limit": 3})
    add(
        "metric twice", {"columns": ["town"], "metrics": [sql_metric("SUM(fee)", "Fee"), sql_metric("SUM(fee)", "fee")]}
    )
    add("duplicate columns", {"columns": ["town", "town"], "metrics": ["n", "n"]})
    add("computed", {"columns": ["kilo", "later"], "metrics": [simple("SUM", "kilo")], "orderby": [["kilo", False]]})

    # Order.
    order = lambda *items, **more: {"columns": ["town"], "metrics": ["n"], "orderby": list(items)} | more
    add("order metric", order(["n", False]))
    add("order metric aside", order(["total_fee", False]))
    add("order adhoc aside", order([simple("SUM", "tonnage", label="t"), False]))
    add("order sql aside", order([sql_metric("SUM(tonnage) + 1", "t"), True]))
    add(
        "order same expression",
        {
            "columns": ["town"],
            "metrics": [sql_metric("SUM(tonnage)", "T")],
            "orderby": [[sql_metric("SUM(tonnage)", "other"), True]],
        },
    )
    add("order column aside", order(["tonnage", True]))
    add("order column", order(["town", True], ["n", False]))
    add("order unknown", order(["nope", True]))
    add("order of a raw query", {"columns": ["town"], "orderby": [["fee", False]], "row_limit": 3})
    add("order of a raw query by metric", {"columns": ["town"], "orderby": [["n", False]], "row_limit": 3})
    add("order computed", {"columns": ["town", "kilo"], "orderby": [["kilo", False]], "row_limit": 3})
    add("order several", order([simple("SUM", "tonnage", label="t"), False], ["total_fee", True], ["town", True]))
    add("order time", {"columns": [axis("docked_at", "P1D")], "metrics": ["n"], "orderby": [["docked_at", True]]})
    add("order desc", order(["n", True], order_desc=False))

    # Limits.
    add("no limit", order(["n", False], row_limit=0))
    add("limit", order(["n", False], row_limit=7))
    add("limit without order", {"columns": ["town"], "metrics": ["n"], "row_limit": 7})
    add("page", order(["n", False], row_limit=7, row_offset=14))
    add("page without order", {"columns": ["town"], "metrics": ["n"], "row_limit": 7, "row_offset": 14})
    add("page of a raw query", {"columns": ["town", "fee"], "row_limit": 7, "row_offset": 14})
    add("limit too high", order(["n", False], row_limit=999999999))
    add("rowcount", {"columns": ["town"], "metrics": ["n"], "is_rowcount": True, "orderby": [["n", False]]})
    add("rowcount raw", {"columns": ["town", "fee"], "is_rowcount": True})
    add("rowcount of a virtual dataset", {"columns": ["town"], "metrics": ["n"], "is_rowcount": True}, "cte")

    # Series limits.
    series = {"columns": ["town"], "metrics": ["n"], "series_columns": ["town"], "series_limit": 5}
    groups = {"probe": False, "groups": {"town": ["a'b", None]}}
    add("series", series, **groups)
    add("series in time", series | {"granularity": "docked_at", "is_timeseries": True, "time_range": RANGE,
                                    "extras": {"time_grain_sqla": "P1D"}}, **groups)
    add("series on the axis", series | {"columns": [axis("docked_at", "P1M"), "town"], "filters": [
        {"col": "docked_at", "op": "TEMPORAL_RANGE", "val": RANGE}]}, **groups)
    add("series by metric", series | {"series_limit_metric": "total_fee", "order_desc": False}, **groups)
    add("series by adhoc", series | {"series_limit_metric": simple("SUM", "tonnage")}, **groups)
    add("series by sql", series | {"series_limit_metric": sql_metric("SUM(tonnage) % 3", "S")}, **groups)
    add(
        "series filtered",
        series | {
            "filters": [{"col": "town", "op": "LIKE", "val": "A%"}],
            "extras": {"where": "fee > 1", "having": "COUNT(*) > 2"},
        },
        **groups,
    )
    add(
        "series of odd names",
        series | {"columns": ["Ship Name", "order", "UPPER"], "series_columns": ["Ship Name", "order", "UPPER"]},
        groups={"Ship Name": ["x"], "order": [1], "UPPER": ["y"]},
    )
    add("series and others", series | {"group_others_when_limit_reached": True, "orderby": [["n", False]]}, **groups)
    add(
        "series and others in time",
        series | {
            "columns": [axis("docked_at", "P1M"), "town"],
            "group_others_when_limit_reached": True,
            "filters": [{"col": "town", "op": "!=", "val": "x"}],
        },
        **groups,
    )
    add("series of a virtual dataset", series, "virtual", **groups)
    add("series of a CTE", series, "cte", **groups)
    add(
        "series of an expression",
        series | {
            "columns": [{"label": "L", "sqlExpression": "lower(town)", "expressionType": "SQL"}],
            "series_columns": [{"label": "L", "sqlExpression": "lower(town)", "expressionType": "SQL"}],
        },
        groups={"L": ["x"]},
    )

    # Conditions as text.
    extra = lambda **extras: {"columns": ["town"], "metrics": ["n"], "extras": extras}
    add("where", extra(where="(town = 'a' OR fee > 2) AND tonnage IS NOT NULL"))
    add("where percent", extra(where="town LIKE '5%'"))
    add(
        "where and filter",
        extra(where="a = 1 OR b = 2") | {
            "filters": [{"col": "town", "op": "==", "val": "x"}, {"col": "fee", "op": "IN", "val": [1]}]
        },
    )
    add("having", extra(having="SUM(fee) > 5 OR COUNT(*) < 2"))
    add("where and having", extra(where="town <> 'b'", having="COUNT(*) >= 1"))
    add("where colon", extra(where="town = 'a:b' AND x = ':c'"))
    add("where comment", extra(where="town = 'a' -- b"))
    add("where two", extra(where="1 = 1; DROP TABLE x"))
    add("where subquery", extra(where="town IN (SELECT town FROM other)"))
    add("where cast", extra(where="CAST(town AS VARCHAR) = '1'"))
    add("where not", extra(where="NOT town = 'a' AND fee != 3 AND fee <> 4"))
    add("where time", extra(where="docked_at >= '2004-01-01 00:00:00' AND fee BETWEEN 1 AND 2"))

    # Kinds of datasets.
    for name in [
        "bare",
        "catalog",
        "odd",
        "word",
        "predicate",
        "virtual",
        "commented",
        "cte",
        "ctes",
        "ordered",
        "union",
        "writing",
        "several",
    ]:
        add(
            f"dataset {name}", {"columns": ["town"], "metrics": ["n"], "orderby": [["n", False]], "row_limit": 10}, name
        )
        add(f"dataset {name} raw", {"columns": ["town", "Ship Name"], "row_limit": 10}, name)
    add(
        "dataset predicate applied",
        {"columns": ["town"], "metrics": ["n"], "apply_fetch_values_predicate": True},
        "predicate",
    )
    add(
        "probe of a CTE",
        {"columns": [axis("docked_at + pause", "P1D", label="d")], "metrics": ["n"]},
        "cte",
        probe=True,
    )
    return out
