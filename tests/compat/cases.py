"""The questions. Lists, filters and relations follow from what the original says of itself; the rest is written here.
No case may change anything: what would be a write is refused by every server."""
import json
import pathlib

RESOURCES = (
    "chart dashboard dataset database css_template annotation_layer annotation_layer/1/annotation tag theme saved_query"
    " query rowlevelsecurity report security/users security/roles security/groups security/permissions"
    " security/resources security/permissions-resources"
).split()
RELATED = {
    "chart": "owners created_by changed_by",
    "dashboard": "owners roles created_by changed_by",
    "dataset": "owners database changed_by",
    "database": "changed_by created_by",
    "css_template": "created_by changed_by",
    "annotation_layer": "created_by changed_by",
    "tag": "created_by changed_by",
    "theme": "created_by changed_by",
    "saved_query": "database created_by changed_by",
    "query": "database user",
    "rowlevelsecurity": "tables roles created_by changed_by",
    "report": "owners chart dashboard database",
}
DISTINCT = {"dataset": "schema catalog", "query": "status", "saved_query": "schema catalog"}
# lists that nothing orders, and what a row of several is ordered by
UNORDERED = {"dataset", "security/users", "security/roles", "security/groups", "security/permissions-resources"}
# of these every filter is tried, of the others one with each operator
FILTERED = {"chart", "dashboard", "dataset", "database", "saved_query", "rowlevelsecurity", "security/users"}
# an empty body makes one of these
EMPTY_IS_ENOUGH = {"css_template", "dashboard", "saved_query", "security/permissions-resources"}
OTHERS = ("alpha", "gamma", "baker", "lab", "nobody")


def get(name, path, user="admin", **more):
    return {"id": name, "user": user, "method": "GET", "path": path, **more}


def send(name, method, path, body, user="admin", **more):
    return {"id": name, "user": user, "method": method, "path": path, "json": body, **more}


def resource(name, ask):
    """Lists, single objects, `_info`, relations, and what is refused."""
    base = f"/api/v1/{name}"
    loose = {"unordered": True} if name in UNORDERED else {}
    if name == "security/permissions-resources":  # no page holds all of them, and which ones it holds is chance
        loose["only"] = "status"
    info = ask({"path": f"{base}/_info"})
    listed = ask({"path": f"{base}/"})
    yield get(f"{name} list", f"{base}/", **loose)
    yield get(f"{name} info", f"{base}/_info")
    yield get(f"{name} info keys", f"{base}/_info?q=(keys:!(permissions))")
    if not loose:
        yield get(f"{name} list page", f"{base}/?q=(page:1,page_size:2)")
    yield get(f"{name} list columns", f"{base}/?q=(columns:!(id),page_size:30,keys:!(list_columns))", **loose)
    for label, q in {
        "no rison": "(a",
        "a list": "!(1)",
        "unknown column": "(columns:!(bogus),page_size:2)",
        "unknown order": "(order_column:bogus,order_direction:asc)",
        "unknown filter": "(filters:!((col:bogus,opr:eq,value:1)))",
        "unknown operator": "(filters:!((col:id,opr:bogus,value:1)),page_size:2)",
        "text page": "(page:x)",
        "unknown key": "(bogus:1,page_size:2)",
    }.items():
        yield get(f"{name} list {label}", f"{base}/?q={q}", **(loose if "page_size" in q else {}))
    if listed.status == 200:
        for column in listed.json().get("order_columns", []):
            for direction in ("asc", "desc") if name in FILTERED else ("asc",):
                q = f"(columns:!(id),order_column:{column},order_direction:{direction},page_size:30,keys:!(none))"
                yield get(f"{name} order {column} {direction}", f"{base}/?q={q}", **(loose if "." in column else {}))
    if info.status == 200:
        seen = set()
        for column, operators in sorted(info.json().get("filters", {}).items()):
            for operator in (found["operator"] for found in operators):
                if name not in FILTERED and operator in seen:
                    continue
                seen.add(operator)
                value = (
                    "!(1,2)"
                    if operator in ("in", "not_in")
                    else "1" if operator.startswith(("rel", "gt", "lt")) else "a"
                )
                q = f"(columns:!(id),filters:!((col:{column},opr:{operator},value:{value})),page_size:30,keys:!(none))"
                yield get(f"{name} filter {column} {operator}", f"{base}/?q={q}", **loose)
    for pk in ("1", "2", "9999", "x", "1?q=(columns:!(id))", "1?q=(keys:!(none))", "1?q=(a"):
        yield get(f"{name} single {pk}", f"{base}/{pk}")
    for field in [*RELATED.get(name, "").split(), "bogus"]:
        yield get(f"{name} related {field}", f"{base}/related/{field}")
        yield get(f"{name} related {field} filter", f"{base}/related/{field}?q=(filter:a,page_size:2)")
    for field in [*DISTINCT.get(name, "").split(), "bogus"]:
        yield get(f"{name} distinct {field}", f"{base}/distinct/{field}")
    yield from refused(name, base)


def refused(name, base):
    if name not in ("log", "query"):
        bodies = {"unknown field": {"bogus": 1}, "a list": [1], "null": None} | (
            {} if name in EMPTY_IS_ENOUGH else {"empty": {}}
        )
        for label, body in bodies.items():
            yield send(f"{name} post {label}", "POST", f"{base}/", body)
        yield {"id": f"{name} post no json", "user": "admin", "method": "POST", "path": f"{base}/", "text": "{nonsense"}
        if name != "database":  # which leaves aside what it does not know
            yield send(f"{name} put unknown field", "PUT", f"{base}/1", {"bogus": 1})
        yield send(f"{name} post no token", "POST", f"{base}/", {"bogus": 1}, csrf=False)
    yield send(f"{name} put nothing there", "PUT", f"{base}/9999", {})
    yield send(f"{name} delete nothing there", "DELETE", f"{base}/9999", None)
    yield send(f"{name} delete many", "DELETE", f"{base}/?q=!(9998,9999)", None)
    yield send(f"{name} delete no list", "DELETE", f"{base}/", None)
    yield send(f"{name} patch", "PATCH", f"{base}/", {})
    yield send(f"{name} put on the list", "PUT", f"{base}/", {})
    for user in OTHERS if name in FILTERED else ("alpha", "gamma", "nobody"):
        yield get(
            f"{name} list as {user}",
            f"{base}/?q=(page_size:30,keys:!(none),columns:!(id))",
            user,
            unordered=name in UNORDERED,
        )
        if user != "lab":
            yield get(f"{name} info as {user}", f"{base}/_info?q=(keys:!(permissions))", user)
        yield get(f"{name} single as {user}", f"{base}/1", user, only="status")
        yield send(f"{name} post as {user}", "POST", f"{base}/", {"bogus": 1}, user)
        yield send(f"{name} delete as {user}", "DELETE", f"{base}/9999", None, user)


def frontend(folder):
    """What the frontend asked while asks.mjs visited its pages."""
    for i, line in enumerate((folder / "frontend.jsonl").read_text().splitlines()):
        asked = json.loads(line)
        kind = asked["path"].split("?")[0].removeprefix("/api/v1/")
        yield {"id": f"frontend {kind} {i}", "user": "admin", **asked}


REVENUE = {"expressionType": "SIMPLE", "aggregate": "SUM", "column": {"column_name": "revenue"}, "label": "Revenue"}
# whole numbers: sums of others differ in the last digit between versions of SQLite
UNITS = {"expressionType": "SIMPLE", "aggregate": "SUM", "column": {"column_name": "units"}, "label": "Units"}
AXIS = {"columnType": "BASE_AXIS", "expressionType": "SQL", "label": "day", "sqlExpression": "day", "timeGrain": "P1M"}


def data(name, query=None, user="admin", dataset=1, **context):
    query = (
        {"columns": ["category"], "metrics": [REVENUE], "orderby": [["category", True]], "row_limit": 20}
        if query is None
        else query
    )
    body = {
        "datasource": {"id": dataset, "type": "table"},
        "force": False,
        "result_format": "json",
        "result_type": "full",
        "queries": [query],
        **context,
    }
    return send(f"data {name}", "POST", "/api/v1/chart/data", body, user)


def chart_data():
    plain = {
        "columns": ["branch", "category"],
        "metrics": [REVENUE],
        "orderby": [["branch", True], ["category", True]],
        "row_limit": 30,
    }
    series = {
        "columns": [AXIS],
        "metrics": [REVENUE],
        "row_limit": 100,
        "series_columns": [],
        "time_range": "2024-01-01 : 2025-01-01",
    }
    for result_type in (
        "full",
        "query",
        "samples",
        "results",
        "columns",
        "timegrains",
        "drill_detail",
        "post_processed",
        "bogus",
    ):
        yield data(f"type {result_type}", {**plain, "row_limit": 5}, result_type=result_type)
    for result_format in ("csv", "xlsx", "bogus"):
        for result_type in ("full", "results", "post_processed"):
            yield data(
                f"format {result_format} {result_type}", plain, result_format=result_format, result_type=result_type
            )
    for column, operator, value in FILTERS:
        condition = {"col": column, "op": operator} | ({} if value is None else {"val": value})
        yield data(
            f"filter {column} {operator} {json.dumps(value)}",
            {
                "columns": ["category", "product"],
                "metrics": ["count"],
                "filters": [condition],
                "orderby": [["product", True]],
            },
        )
    for grain in (
        "PT1S",
        "PT1M",
        "PT5M",
        "PT1H",
        "P1D",
        "P1W",
        "P1M",
        "P3M",
        "P1Y",
        "P1W/1970-01-03T00:00:00Z",
        "1969-12-28T00:00:00Z/P1W",
        "bogus",
    ):
        yield data(
            f"grain {grain}",
            {
                **series,
                "columns": [{**AXIS, "timeGrain": grain}],
                "row_limit": 12,
                "time_range": "2024-02-27 : 2024-03-05",
            },
        )
    for span in (
        "No filter",
        "2024-02-01 : 2024-03-01",
        "2024-02-01 : ",
        " : 2024-02-01",
        "2024-02-01T10:00:00 : 2024-02-02T11:00:00",
        "2025-01-01 : 2024-01-01",
        "DATEADD(DATETIME('2024-03-01T00:00:00'), -1, month) : 2024-03-01",
        "nonsense",
    ):
        yield data(
            f"time range {span}",
            {
                "columns": ["category"],
                "metrics": ["count"],
                "time_range": span,
                "granularity": "day",
                "orderby": [["category", True]],
            },
        )
    for offsets in (["1 month ago"], ["1 year ago", "1 week ago"], ["nonsense"]):
        yield data(
            f"time offsets {offsets}", {**series, "time_range": "2025-02-01 : 2025-05-01", "time_offsets": offsets}
        )
    for name, more in SHAPES.items():
        yield data(name, {**plain, **more})
    for name, steps in POST_PROCESSING.items():
        yield data(
            f"post-processing {name}",
            {
                **series,
                "columns": [AXIS, "category"],
                "metrics": [REVENUE, UNITS],
                "orderby": [["category", True]],
                "post_processing": steps,
            },
        )
    for name, body in BROKEN.items():
        yield send(f"data broken {name}", "POST", "/api/v1/chart/data", body)
    for user in OTHERS:
        for dataset in (1, 2):
            columns = ["branch"] if dataset == 1 else ["river"]
            yield data(
                f"as {user} of {dataset}",
                {"columns": columns, "metrics": ["count"], "orderby": [[columns[0], True]]},
                user,
                dataset,
            )
    formula = {
        "name": "line",
        "annotationType": "FORMULA",
        "value": "x*2",
        "style": "solid",
        "show": True,
        "opacity": "",
        "width": 1,
    }
    event = {**formula, "name": "feasts", "annotationType": "EVENT", "sourceType": "NATIVE", "value": 1}
    yield data("annotation layers", {**series, "annotation_layers": [formula, event]})
    for pk in ("1", "2", "9999"):
        yield get(f"data of chart {pk}", f"/api/v1/chart/{pk}/data/")
    for query in ("?format=csv", "?type=results", "?type=bogus", "?force=true"):
        yield get(f"data of chart 1 {query}", f"/api/v1/chart/1/data/{query}")


FILTERS = [
    ("category", "==", "Cake"),
    ("category", "!=", "Cake"),
    ("category", "IN", ["Cake", "Bread"]),
    ("category", "NOT IN", ["Cake"]),
    ("category", "IN", []),
    ("category", "IN", ["Cake", None]),
    ("category", "IN", ["<NULL>"]),
    ("category", "LIKE", "%a%"),
    ("category", "ILIKE", "c%"),
    ("category", "NOT LIKE", "%a%"),
    ("category", "IS NULL", None),
    ("category", "IS NOT NULL", None),
    ("category", "==", "it's"),
    ("category", "==", ""),
    ("category", "bogus", 1),
    ("category", "IS TRUE", None),
    ("units", ">", 50),
    ("units", "<=", "50"),
    ("units", ">=", 50.5),
    ("units", "==", "x"),
    ("units", "IN", [10, "11"]),
    ("revenue", "<", 10),
    ("day", ">", "2025-12-20"),
    ("day", "==", "2025-12-20"),
    ("day", "TEMPORAL_RANGE", "2025-12-01 : 2025-12-05"),
    ("day", "TEMPORAL_RANGE", "No filter"),
    ("bogus", "==", 1),
    ("category", "==", None),
    ({"expressionType": "SQL", "sqlExpression": "upper(category)", "label": "up"}, "==", "CAKE"),
]
MARGIN = {"expressionType": "SQL", "sqlExpression": "SUM(revenue - cost)", "label": "Margin"}
SHAPES = {
    "offset": {"row_offset": 2, "row_limit": 3},
    "no limit": {"row_limit": 0},
    "descending": {"orderby": [[REVENUE, False]]},
    "order of no column": {"orderby": [["bogus", True]]},
    "two metrics": {"metrics": [REVENUE, MARGIN, "count"]},
    "no metrics": {"metrics": []},
    "metrics null": {"metrics": None},
    "no columns": {"columns": [], "orderby": []},
    "neither": {"columns": [], "metrics": [], "orderby": []},
    "unknown column": {"columns": ["bogus"]},
    "unknown metric": {"metrics": ["bogus"]},
    "duplicate columns": {"columns": ["branch", "branch"]},
    "adhoc column": {
        "columns": [{"expressionType": "SQL", "sqlExpression": "substr(branch, 1, 2)", "label": "short"}],
        "orderby": [],
    },
    "where": {"extras": {"where": "(branch = 'Harbour')"}},
    "having": {"extras": {"having": "(SUM(units) > 40000)"}},
    "where broken": {"extras": {"where": "branch ="}},
    "where two": {"extras": {"where": "1 = 1; DROP TABLE x"}},
    "where sub-select": {"extras": {"where": "branch IN (SELECT branch FROM bakery_sales)"}},
    "series limit": {
        "columns": ["branch", "category"],
        "series_columns": ["category"],
        "series_limit": 2,
        "series_limit_metric": REVENUE,
    },
    "group others": {
        "columns": ["branch", "category"],
        "series_columns": ["category"],
        "series_limit": 2,
        "series_limit_metric": REVENUE,
        "group_others_when_limit_reached": True,
    },
    "row count": {"is_rowcount": True},
    "time series": {"is_timeseries": True, "granularity": "day", "extras": {"time_grain_sqla": "P1Y"}},
    "min": {"metrics": [{**REVENUE, "aggregate": "MIN", "label": "least"}]},
    "count distinct": {"metrics": [{**REVENUE, "aggregate": "COUNT_DISTINCT", "label": "kinds"}]},
    "unknown aggregate": {"metrics": [{**REVENUE, "aggregate": "BOGUS"}]},
    "metric without label": {"metrics": [{k: v for k, v in REVENUE.items() if k != "label"}]},
    "cache timeout": {"custom_cache_timeout": 5},
    "unknown field": {"bogus": 1},
}


def step(operation, **options):
    return {"operation": operation, "options": options}


PIVOT = step(
    "pivot",
    index=["day"],
    columns=["category"],
    aggregates={"Revenue": {"operator": "mean"}},
    drop_missing_columns=False,
)
FLAT = step("flatten")
POST_PROCESSING = {
    "pivot": [PIVOT, FLAT],
    "rolling mean": [
        PIVOT,
        step("rolling", rolling_type="mean", window=3, min_periods=0, columns={"Bread": "Bread"}),
        FLAT,
    ],
    "rolling sum": [
        PIVOT,
        step("rolling", rolling_type="sum", window=7, min_periods=7, columns={"Cake": "Cake"}),
        FLAT,
    ],
    "cumulative": [PIVOT, step("cum", operator="sum", columns={"Bread": "Bread", "Cake": "Cake"}), FLAT],
    "resample": [PIVOT, step("resample", method="ffill", rule="2W"), FLAT],
    "resample linear": [PIVOT, step("resample", method="linear", rule="2W"), FLAT],
    "contribution row": [PIVOT, step("contribution", orientation="row"), FLAT],
    "contribution column": [PIVOT, step("contribution", orientation="column"), FLAT],
    "difference": [PIVOT, step("diff", columns={"Bread": "Bread"}, periods=1), FLAT],
    "sort": [step("sort", by=["Revenue"], ascending=False)],
    "rename": [step("rename", columns={"Revenue": "Income"})],
    "select": [step("select", columns=["day", "Revenue"], rename={"Revenue": "Income"})],
    "aggregate": [
        step(
            "aggregate",
            groupby=["category"],
            aggregates={
                "Sum": {"column": "Revenue", "operator": "sum"},
                "Median": {"column": "Revenue", "operator": "median"},
            },
        )
    ],
    "box plot": [step("boxplot", groupby=["category"], metrics=["Revenue"], whisker_type="tukey")],
    "box plot percentiles": [
        step("boxplot", groupby=["category"], metrics=["Revenue"], whisker_type="percentile", percentiles=[10, 90])
    ],
    "histogram": [step("histogram", column="Units", groupby=[], bins=5, cumulative=False, normalize=False)],
    "rank": [step("rank", metric="Units", group_by="category")],
    "compare": [
        step(
            "compare",
            source_columns=["Revenue"],
            compare_columns=["Revenue"],
            compare_type="difference",
            drop_original_columns=False,
        )
    ],
    "unknown operation": [step("bogus")],
    "unknown column": [step("sort", by=["bogus"])],
    "missing option": [step("rename")],
    "unknown option": [step("sort", by=["Revenue"], bogus=1)],
}
BROKEN = {
    "empty": {}, "null": None, "a list": [], "no queries": {"datasource": {"id": 1, "type": "table"}},
    "empty queries": {"datasource": {"id": 1, "type": "table"}, "queries": []},
    "no such dataset": {"datasource": {"id": 9999, "type": "table"}, "queries": [{}]},
    "text id": {"datasource": {"id": "x", "type": "table"}, "queries": [{}]},
    "unknown type": {"datasource": {"id": 1, "type": "bogus"}, "queries": [{}]},
    "no type": {"datasource": {"id": 1}, "queries": [{}]},
    "queries a text": {"datasource": {"id": 1, "type": "table"}, "queries": "x"},
    "row limit a text": {"datasource": {"id": 1, "type": "table"}, "queries": [{"row_limit": "x"}]},
    "row limit negative": {"datasource": {"id": 1, "type": "table"}, "queries": [{"row_limit": -1}]},
    "filters a text": {"datasource": {"id": 1, "type": "table"}, "queries": [{"filters": "x"}]},
}


def explore():
    for q in (
        "slice_id=1",
        "slice_id=9999",
        "datasource_id=1&datasource_type=table",
        "datasource_id=9999&datasource_type=table",
        "datasource_id=x&datasource_type=table",
        "datasource_id=1&datasource_type=bogus",
        "",
        "permalink_key=bogus",
        "form_data_key=bogus&slice_id=1",
    ):
        yield get(f"explore {q}", f"/api/v1/explore/?{q}")
    for user in OTHERS:
        yield get(f"explore as {user}", "/api/v1/explore/?slice_id=1", user)
    for pk in (1, 2, 3, 9999):
        yield get(f"datasource get {pk}", f"/datasource/get/table/{pk}/")
        yield send(
            f"samples {pk}",
            "POST",
            f"/datasource/samples?datasource_id={pk}&datasource_type=table&per_page=5&page=1",
            {"filters": []},
        )
    for column in ("branch", "units", "day", "bogus"):
        yield get(f"values {column}", f"/api/v1/datasource/table/1/column/{column}/values/")
    yield get("values of nothing", "/api/v1/datasource/table/9999/column/branch/values/")
    yield get("values of bogus", "/api/v1/datasource/bogus/1/column/branch/values/")
    for user in OTHERS:
        yield get(f"values as {user}", "/api/v1/datasource/table/1/column/branch/values/", user)
        yield get(f"datasource get as {user}", "/datasource/get/table/1/", user)
    spans = (
        "2024-01-01 : 2024-02-01",
        "DATETRUNC(DATETIME('2024-05-17'), month) : 2024-06-01",
        "nonsense : 2024-01-01",
        "No filter",
        "2024-01-01 : ",
    )
    for span in spans:
        yield get(f"time range {span}", f"/api/v1/time_range/?q='{span}'")
    yield get(
        "time range list",
        "/api/v1/time_range/?q=!((timeRange:'2024-01-01 : 2024-02-01'),(timeRange:'2024-01-01 : 2024-02-01',shift:'1"
        " month ago'))",
    )
    form = {
        "datasource": "1__table",
        "viz_type": "world_map",
        "metric": "count",
        "entity": "branch",
        "country_fieldtype": "name",
        "row_limit": 5,
    }
    for viz in (
        "world_map",
        "rose",
        "para",
        "horizon",
        "cal_heatmap",
        "time_pivot",
        "partition",
        "paired_ttest",
        "bogus",
    ):
        yield {
            "id": f"explore_json {viz}",
            "user": "admin",
            "method": "POST",
            "path": "/superset/explore_json/",
            "form": {
                "form_data": json.dumps(
                    {
                        **form,
                        "viz_type": viz,
                        "metrics": ["count"],
                        "groupby": ["category"],
                        "series": "category",
                        "freq": "MS",
                        "granularity_sqla": "day",
                        "time_grain_sqla": "P1M",
                        "since": "2025-01-01",
                        "time_range": "2025-01-01 : 2025-04-01",
                        "domain_granularity": "month",
                        "subdomain_granularity": "day",
                    }
                )
            },
        }


def databases():
    for path in (
        "schemas/",
        "catalogs/",
        "tables/?q=(schema_name:main)",
        "tables/",
        "tables/?q=(schema_name:bogus)",
        "function_names/",
        "related_objects/",
        "connection",
        "table_metadata/?name=deliveries&schema=main",
        "table_metadata/?name=bogus",
        "table_metadata/",
        "table_metadata/extra/?name=deliveries",
        "table/deliveries/main/",
        "table_extra/deliveries/main/",
        "select_star/deliveries/",
        "select_star/deliveries/main/",
        "select_star/bogus/main/",
        "schemas_access_for_file_upload/",
        "validate_sql/",
    ):
        for pk in (1, 9999):
            yield get(f"database {pk} {path}", f"/api/v1/database/{pk}/{path}")
        for user in OTHERS:
            yield get(f"database {path} as {user}", f"/api/v1/database/1/{path}", user)
    for label, body in {
        "empty": {},
        "no uri": {"database_name": "x"},
        "nonsense": {"sqlalchemy_uri": "nonsense"},
        "unknown engine": {"sqlalchemy_uri": "bogus://x/y"},
        "field": {"bogus": 1},
    }.items():
        yield send(f"database test {label}", "POST", "/api/v1/database/test_connection/", body)
        yield send(f"database create {label}", "POST", "/api/v1/database/", {"database_name": "other", **body})
    for label, body in {
        "empty": {},
        "engine": {"engine": "postgresql", "configuration_method": "dynamic_form", "parameters": {}},
        "unknown": {"engine": "bogus", "configuration_method": "dynamic_form", "parameters": {}},
    }.items():
        yield send(f"database validate {label}", "POST", "/api/v1/database/validate_parameters/", body)
    yield send(
        "database validate_sql", "POST", "/api/v1/database/1/validate_sql/", {"sql": "SELECT 1", "schema": "main"}
    )
    yield get("database delete in use", "/api/v1/database/1/related_objects/")
    yield send("database delete", "DELETE", "/api/v1/database/1", None)


def others():
    for path in (
        "me/",
        "me/roles/",
        "menu/",
        "available_domains/",
        "advanced_data_type/types",
        "advanced_data_type/convert?q=(type:port,values:!('80'))",
        "user/1/avatar.png",
        "async_event/",
        "log/recent_activity/",
        "log/recent_activity/?q=(page_size:2)",
        "query/updated_since?q=(last_updated_ms:0)",
        "sqllab/",
        "sqllab/results/",
        "sqllab/results/?q=(key:bogus)",
        "chart/favorite_status/?q=!(1,2,9999)",
        "dashboard/favorite_status/?q=!(1,2)",
        "dashboard/bakery",
        "dashboard/bakery/charts",
        "dashboard/bakery/datasets",
        "dashboard/bakery/tabs",
        "dashboard/nowhere",
        "dashboard/2/charts",
        "dashboard/2/datasets",
        "dashboard/2/tabs",
        "dashboard/1/embedded",
        "dashboard/permalink/bogus",
        "explore/permalink/bogus",
        "dashboard/{uuid of dashboard 1}",
        "chart/{uuid of chart 3}",
        "chart/00000000-0000-4000-8000-000000000000",
        "dataset/1/related_objects",
        "dataset/9999/related_objects",
        "dataset/1/drill_info/",
        "dataset/9999/drill_info/",
        "embedded_dashboard/bogus",
        "security/roles/1/permissions/",
        "security/roles/search/",
        "security/roles/9999/permissions/",
        "tag/get_objects/?tags=bogus",
        "annotation_layer/1/annotation/1",
        "annotation_layer/9999/annotation/",
        "annotation_layer/1/annotation/9999",
        "chart/1/thumbnail/x/",
        "dashboard/1/thumbnail/x/",
        "nowhere/",
        "report/1/log/",
        "chart/data/bogus",
    ):
        yield get(f"other {path}", f"/api/v1/{path}")
        for user in ("alpha", "gamma", "baker", "nobody"):
            yield get(f"other {path} as {user}", f"/api/v1/{path}", user, only="status" if user == "alpha" else "")
    posts = {
        "security/login": [{}, {"username": "admin", "password": "wrong", "provider": "db"}, {"username": "admin"}],
        "security/guest_token/": [{}, {"bogus": 1}],
        "chart/warm_up_cache": [{}],
        "dataset/warm_up_cache": [{}],
        "dataset/get_or_create/": [{}, {"table_name": "x"}],
        "dataset/duplicate": [{}, {"base_model_id": 9999, "table_name": "x"}],
        "sqllab/execute/": [{}, {"database_id": 9999, "sql": "SELECT 1"}, {"database_id": 1}],
        "sqllab/estimate/": [{}],
        "sqllab/format_sql/": [{}, {"sql": "select a,b from t where x=1"}],
        "sqllab/permalink": [{}],
        "query/stop": [{}, {"client_id": "bogus"}],
        "explore/form_data": [{}, {"datasource_id": 9999, "datasource_type": "table", "form_data": "{}"}],
        "explore/permalink": [{}],
        "dashboard/9999/permalink": [{}],
        "dashboard/1/filter_state": [{}, {"value": 5}],
        "dashboard/9999/filter_state": [{"value": "{}"}],
        "cachekey/invalidate": [{"bogus": 1}],
        "tag/bulk_create": [{}],
        "dashboard/9999/copy/": [{}, {"json_metadata": "{}"}],
        "security/refresh": [{}],
    }
    for path, bodies in posts.items():
        for body in bodies:
            method = "PUT" if path.endswith("warm_up_cache") else "POST"
            yield send(f"other {method} {path} {json.dumps(body)}", method, f"/api/v1/{path}", body)
        yield get(f"other GET {path}", f"/api/v1/{path}")
        for user in ("gamma", "nobody"):
            yield send(
                f"other {path} as {user}",
                "PUT" if path.endswith("warm_up_cache") else "POST",
                f"/api/v1/{path}",
                bodies[0],
                user,
            )


PAGES = (
    "/ /superset/welcome/ /chart/list/ /dashboard/list/ /tablemodelview/list/ /databaseview/list/ /savedqueryview/list/"
    " /sqllab/ /sqllab/history/ /annotationlayer/list/ /annotationlayer/1/annotation /csstemplatemodelview/list/"
    " /superset/tags/ /superset/all_entities/ /alert/list/ /report/list/ /users/ /roles/ /list_groups/ /registrations/"
    " /rowlevelsecurity/list/ /actionlog/list /theme/list/ /user_info/ /chart/add /dataset/add/ /dataset/1"
    " /explore/?slice_id=1 /explore/ /superset/explore/?slice_id=1 /superset/dashboard/bakery/ /superset/dashboard/1/"
    " /superset/dashboard/nowhere/ /superset/dashboard/p/bogus/ /login/ /register/ /nowhere /health /healthcheck /ping"
    " /superset/slice/1/ /superset/slice/9999/ /embedded/bogus /swagger/v1 /lang/de /superset/file-handler"
    " /static/nowhere.js"
).split()


def pages():
    for user in ("admin", "gamma", "nobody"):
        for path in PAGES:
            yield get(f"page {path} as {user}", path, user, whole=path in ("/superset/welcome/", "/login/"))
    for user in ("alpha", "baker", "lab"):
        yield get(f"page of {user}", "/superset/welcome/", user, whole=True)


def all_cases(ask):
    folder = pathlib.Path(__file__).resolve().parent
    for name in RESOURCES:
        yield from resource(name, ask)
    yield from frontend(folder)
    yield from chart_data()
    yield from explore()
    yield from databases()
    yield from others()
    yield from pages()
