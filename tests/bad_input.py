#!/usr/bin/env python3
"""Sends the same hostile bodies to liteset and to the original Superset 6.0.0, each on its own copy of the PostgreSQL
fixture, and prints where status or message differ; what was accepted is read back and compared, too.

    python3 tests/bad_input.py [ROUTE…]               starts both servers, all routes or those whose path contains ROUTE
    python3 tests/bad_input.py --servers OURS THEIRS  uses servers that run already (base URLs)

Driven by ../shared/contract/openapi.json: each property of each body is left out, null, of every wrong type, empty,
huge, unicode, a broken reference. Needs the original installed and PostgreSQL; says so and ends well otherwise.
"""
import argparse, concurrent.futures, copy, json, os, pathlib, re, subprocess, sys, tempfile, shutil

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import round_trip
from round_trip import ORACLE, ROOT, SHARED, Side, free_port, still

FLAGS = '{"ALERT_REPORTS": True, "TAGGING_SYSTEM": True, "EMBEDDED_SUPERSET": True, "ENABLE_TEMPLATE_PROCESSING": True}'
RUN = os.getpid()
HUGE = "x" * (1 << 20)
EMPTY_POSITION = json.dumps({"DASHBOARD_VERSION_KEY": "v2"})
UUID = "6f1f5d5e-3a1c-4a0f-9f63-2b7b7a1b9c11"

# Other issues: files, execution of charts and queries, screenshots.
ELSEWHERE = re.compile(r"/import/$|/validate_sql/$|/upload/$|upload_metadata|screenshot|thumbnail|/chart/data$|sqllab/execute|warm_up_cache|security/login|security/refresh")

# A body that is accepted (creation) or an object to change (path parameters); NEW is replaced by a fresh word per request.
BODIES = {
    "post /annotation_layer/": {"name": "NEW"},
    "post /annotation_layer/{pk}/annotation/": {"short_descr": "NEW", "start_dttm": "2024-01-01T00:00:00", "end_dttm": "2024-01-02T00:00:00"},
    "post /chart/": {"slice_name": "NEW", "datasource_id": 2, "datasource_type": "table"},
    "post /css_template/": {"template_name": "NEW", "css": "a{}"},
    "post /dashboard/": {"dashboard_title": "NEW"},
    "post /dashboard/{id_or_slug}/copy/": {"dashboard_title": "NEW", "json_metadata": "{}"},
    "post /dashboard/{id_or_slug}/embedded": {"allowed_domains": ["https://a.example.org"]},
    "put /dashboard/{id_or_slug}/embedded": {"allowed_domains": ["https://a.example.org"]},
    "post /dashboard/{pk}/filter_state": {"value": "{}"},
    "post /dashboard/{pk}/permalink": {"dataMask": {}},
    "post /database/": {"database_name": "NEW", "sqlalchemy_uri": "postgresql+psycopg2://root:root@127.0.0.1:5432/examples"},
    "post /database/test_connection/": {"database_name": "NEW", "sqlalchemy_uri": "postgresql+psycopg2://root:root@127.0.0.1:5432/examples"},
    "post /database/validate_parameters/": {"engine": "postgresql", "configuration_method": "dynamic_form", "parameters": {"host": "127.0.0.1", "port": 5432, "username": "root", "password": "root", "database": "examples"}},
    "post /database/{pk}/validate_sql/": {"sql": "SELECT 1"},
    "post /dataset/": {"database": 1, "schema": "public", "table_name": "NEW", "sql": "SELECT 1 AS a"},
    "post /dataset/duplicate": {"base_model_id": 0, "table_name": "NEW"},
    "post /dataset/get_or_create/": {"database_id": 1, "schema": "public", "table_name": "birth_names"},
    "post /explore/form_data": {"datasource_id": 2, "datasource_type": "table", "form_data": "{}"},
    "post /explore/permalink": {"formData": {"datasource": "2__table", "viz_type": "table"}},
    "post /sqllab/permalink": {"formData": {"datasource": "2__table", "viz_type": "table"}},
    "post /report/": {"type": "Report", "name": "NEW", "crontab": "0 9 * * *", "chart": 136, "creation_method": "alerts_reports"},
    "post /rowlevelsecurity/": {"name": "NEW", "filter_type": "Regular", "tables": [2], "roles": [1], "clause": "1 = 1"},
    "post /saved_query/": {"label": "NEW", "db_id": 1, "sql": "SELECT 1"},
    "post /security/groups/": {"name": "NEW"},
    "post /security/guest_token/": {"resources": [{"type": "dashboard", "id": UUID}], "rls": []},
    "post /security/permissions-resources/": {"permission_id": 1, "view_menu_id": 1},
    "post /security/resources/": {"name": "NEW"},
    "put /security/resources/{pk}": {"name": "NEW"},
    "post /security/roles/": {"name": "NEW"},
    "put /security/roles/{pk}": {"name": "NEW"},
    "put /security/roles/{role_id}/groups": {"group_ids": []},
    "put /security/roles/{role_id}/users": {"user_ids": []},
    "post /security/roles/{role_id}/permissions": {"permission_view_menu_ids": [1]},
    "post /security/users/": {"username": "NEW", "first_name": "N", "last_name": "N", "email": "NEW@example.org", "password": "a long enough passphrase", "active": True, "roles": [1]},
    "post /sqllab/estimate/": {"database_id": 1, "sql": "SELECT 1"},
    "post /sqllab/format_sql/": {"sql": "select 1"},
    "post /query/stop": {"client_id": "nobody"},
    "post /tag/": {"name": "NEW", "objects_to_tag": []},
    "put /tag/{pk}": {"name": "NEW"},
    "post /tag/bulk_create": {"tags": [{"name": "NEW", "objects_to_tag": [["chart", 136]]}]},
    "post /tag/{object_type}/{object_id}/": {"properties": {"tags": ["NEW"]}},
    "post /theme/": {"theme_name": "NEW", "json_data": "{}"},
    "put /theme/{pk}": {"theme_name": "NEW", "json_data": "{}"},
    "put /me/": {"first_name": "admin"},
    "put /explore/form_data/{key}": {"datasource_id": 2, "datasource_type": "table", "form_data": "{}"},
    "put /dashboard/{pk}/filter_state/{key}": {"value": "{}"},
    "post /cachekey/invalidate": {"datasource_uids": ["2__table"]},
    "put /dashboard/{pk}/colors": {"color_namespace": "x"},
    "put /dashboard/{pk}/filters": {"modified": []},
}
# Properties that the document does not list.
MORE = {
    "put /dashboard/{pk}/filters": ["deleted", "modified", "reordered"],
    "put /dashboard/{pk}/colors": ["color_namespace", "color_scheme", "map_label_colors", "shared_label_colors", "label_colors", "color_scheme_domain"],
    "post /tag/{object_type}/{object_id}/": ["properties"],
}
# What a property holds when it is right, to break it a little rather than altogether.
NEARLY = {
    "owners": [[], [1, 1], [99999], ["1"], [None], [{}], [1.5], [True], [-1]],
    "roles": [[], [1, 1], [99999], ["1"], [None], [{}], [1.5], [True], [-1]],
    "users": [[], [1, 1], [99999], ["1"], [None], [{}]],
    "groups": [[], [99999], ["1"], [None], [{}]],
    "tables": [[], [2, 2], [99999], ["2"], [None], [{}]],
    "tags": [[], [99999], ["1"], [None], [{}], [1, 1], [{"name": ""}], [{"name": "x"}], [{"objects_to_tag": []}], [{"name": "a:b", "objects_to_tag": [["chart", 136]]}], [{"name": "a,b", "objects_to_tag": [["chart", 136]]}], [{"name": "bulk", "objects_to_tag": [["nonsense", 1]]}], [{"name": "bulk", "objects_to_tag": [["chart", 99999]]}], [{"name": "bulk", "objects_to_tag": [["chart"]]}]],
    "objects_to_tag": [[["chart", 136]], [["chart", 99999]], [["nonsense", 1]], [["chart", "136"]], [["chart"]], [["query", 1]], [[]], [None]],
    "dashboards": [[], [1, 1], [99999], ["9"], [None]],
    "group_ids": [[99999], ["1"], [None], [{}]],
    "user_ids": [[99999], ["1"], [None], [{}], [1]],
    "permission_view_menu_ids": [[99999], ["1"], [None], [1, 1]],
    "columns": [[{}], [{"column_name": "a"}, {"column_name": "a"}], [{"id": 99999, "column_name": "zz"}], [{"column_name": None}], [{"column_name": ""}], [{"column_name": "x" * 256}], [{"column_name": "c1", "bogus": 1}], [{"column_name": "c2", "expression": "1+"}], [{"column_name": "c3", "python_date_format": "%Q"}], [{"column_name": "c4", "python_date_format": "epoch_s"}], [{"column_name": "c5", "is_dttm": "x"}], [{"column_name": "c6", "uuid": "x"}], [{"column_name": "c7", "extra": 5}], [{"column_name": "c8", "type": 5}], [{"column_name": "c9", "groupby": None, "filterable": None}], [1], ["x"], [None], [[]]],
    "metrics": [[{}], [{"metric_name": "a"}], [{"expression": "1"}], [{"metric_name": "a", "expression": "1"}, {"metric_name": "a", "expression": "2"}], [{"id": 99999, "metric_name": "zz", "expression": "1"}], [{"metric_name": None, "expression": "1"}], [{"metric_name": "", "expression": "1"}], [{"metric_name": "x" * 256, "expression": "1"}], [{"metric_name": "m", "expression": ""}], [{"metric_name": "m1", "expression": "1", "bogus": 1}], [{"metric_name": "m2", "expression": "1", "currency": "x"}], [{"metric_name": "m3", "expression": "1", "currency": {"symbol": "USD", "symbolPosition": "suffix"}}], [{"metric_name": "m4", "expression": "1", "d3format": "x" * 200}], [{"metric_name": "m5", "expression": "1", "uuid": 5}], [1], ["x"], [None]],
    "folders": [[{}], [{"type": "folder"}], [{"uuid": UUID, "type": "folder", "name": "f"}], [{"uuid": UUID, "type": "folder", "name": "f", "children": []}], [{"uuid": UUID, "type": "folder", "name": "f", "children": [{"uuid": UUID, "type": "folder", "name": "f"}]}], [{"uuid": UUID, "type": "metric"}], [{"uuid": "x", "type": "metric"}], [{"uuid": UUID, "type": "folder", "name": "Metrics"}]],
    "recipients": [[{}], [{"type": "Email"}], [{"type": "Bogus", "recipient_config_json": {"target": "a@example.org"}}], [{"type": "Email", "recipient_config_json": {}}], [{"type": "Email", "recipient_config_json": {"target": 5}}], [{"type": "Email", "recipient_config_json": {"target": "no address"}}], [{"type": "Slack", "recipient_config_json": {"target": "#c"}}], [{"type": "Email", "recipient_config_json": {"target": "a@example.org", "bogus": 1}}], [1], [None]],
    "validator_config_json": [{"op": "<", "threshold": 1}, {"op": "~", "threshold": 1}, {"op": "<"}, {"op": "<", "threshold": "x"}, {"bogus": 1}],
    "crontab": ["* * * * *", "bad", "61 * * * *", "@daily", "0 9 * *", "0 9 31 2 *", "*/5 * * * * *"],
    "timezone": ["Mars/Olympus", "Europe/Berlin", "UTC"],
    "type": ["Alert", "Report", "bogus"],
    "validator_type": ["operator", "not null", "bogus"],
    "report_format": ["PNG", "PDF", "CSV", "TEXT", "bogus"],
    "creation_method": ["charts", "dashboards", "alerts_reports", "bogus"],
    "filter_type": ["Base", "Regular", "bogus"],
    "datasource_type": ["table", "query", "saved_query", "bogus", "dataset", "view"],
    "custom_width": [599, 600, 2400, 2401], "working_timeout": [0, 1], "grace_period": [0, 1], "log_retention": [0, 1],
    "json_metadata": ["{", "[]", "5", "null", '"x"', "{}", '{"bogus": 1}', '{"refresh_frequency": -1}', '{"refresh_frequency": "x"}', '{"default_filters": 5}', '{"default_filters": "{"}', '{"native_filter_configuration": 5}', '{"color_scheme": 5}', '{"timed_refresh_immune_slices": ["x"]}', '{"expanded_slices": 5}', '{"positions": {}}', '{"positions": null}', '{"positions": 5}', '{"chart_configuration": []}', '{"shared_label_colors": []}', '{"shared_label_colors": {}}', '{"map_label_colors": 5}', '{"cross_filters_enabled": "x"}', '{"filter_scopes": {"1": {}}}', '{"global_chart_configuration": []}'],
    "position_json": ["{", "[]", "5", "null", "{}", EMPTY_POSITION, '{"CHART-1": {"type": "CHART", "meta": {"chartId": 99999}}}', '{"CHART-1": {"type": "CHART", "meta": {}}}', '{"CHART-1": {"type": "CHART"}}', '{"CHART-1": 5}', '{"CHART-1": {"type": "CHART", "meta": {"chartId": "136"}}}'],
    "params": ["{", "[]", "5", "null", "{}", '{"a": 1}'], "query_context": ["{", "[]", "null", "{}", '{"queries": 5}'],
    "extra": ["{", "[]", "null", "{}", '{"metadata_params": 5}', '{"schemas_allowed_for_file_upload": "x"}', '{"cost_estimate_enabled": true}', '{"bogus": 1}', '{"metadata_params": {"bogus": 1}}', '{"metadata_cache_timeout": {"schema_cache_timeout": "x"}}', '{"engine_params": {}}', '{"version": 5}'],
    "masked_encrypted_extra": ["{", "[]", "null", "{}", '{"a": "XXXXXXXXXX"}'],
    "sqlalchemy_uri": ["nonsense", "bogus://x", "postgresql://", "sqlite://", "sqlite:////tmp/x.db", "postgresql://root:root@127.0.0.1:1/x", "postgresql://root:wrong@127.0.0.1:5432/nobody", "postgresql+psycopg2://root:XXXXXXXXXX@127.0.0.1:5432/examples", "postgresql://root:root@127.0.0.1:port/x", "mysql://", " postgresql://root:root@127.0.0.1:5432/examples "],
    "server_cert": ["nonsense", "-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----"],
    "configuration_method": ["sqlalchemy_form", "dynamic_form", "bogus"],
    "engine": ["postgresql", "bogus", "mysql", "sqlite", "bigquery", "gsheets", "snowflake"],
    "driver": ["psycopg2", "bogus"],
    "parameters": [{}, {"host": "127.0.0.1"}, {"host": "127.0.0.1", "port": 1, "username": "root", "database": "x"}, {"host": "no.such.host.invalid", "port": 5432, "username": "root", "database": "x"}, {"host": "127.0.0.1", "port": "x", "username": "root", "database": "x"}, {"host": "127.0.0.1", "port": 70000, "username": "root", "database": "x"}, {"host": "127.0.0.1", "port": -1, "username": "root", "database": "x"}, {"host": "", "port": "", "username": "", "database": ""}, {"bogus": 1}, {"host": "127.0.0.1", "port": 5432, "username": "root", "password": "root", "database": "examples", "query": 5}],
    "ssh_tunnel": [{}, {"server_address": "a"}, {"server_address": "a", "server_port": 22, "username": "u"}, {"server_address": "a", "server_port": 22, "username": "u", "password": "p"}, {"bogus": 1}],
    "slug": ["births", "World_health", "a b c", "ä/ö", "x" * 256, "-", "alpha-public"],
    "uuid": ["x", UUID, UUID.replace("-", ""), "00000000-0000-0000-0000-000000000000"],
    "external_url": ["nonsense", "https://a.example.org", "javascript:alert(1)"],
    "cache_timeout": [-2, -1, 2**31], "theme_id": [99999, 1], "database": [99999, 1, "1"], "database_id": [99999, "1"], "db_id": [99999, "1"], "datasource_id": [99999, "2"],
    "base_model_id": [99999, "2"], "chart": [99999, 136, "136"], "dashboard": [99999, 9, "9"],
    "sql": ["SELECT", "DROP TABLE x", "SELECT 1; SELECT 2", "SELECT * FROM no_such_table", "", "SELECT {{ 1 }} AS a", "SELECT {{ nothing }", "-- nothing"],
    "schema": ["no_such_schema"], "catalog": ["no_such_catalog", "examples", "superset"], "table_name": ["birth_names", "no_such_table", "a.b", "x" * 251],
    "template_params": ["{", "[]", "{}", {"a": 1}], "template_parameters": ["{", "{}"], "extra_json": ["{", "{}"],
    "start_dttm": ["2024-01-01", "nonsense", "2024-13-01T00:00:00", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00+02:00", "2025-01-01T00:00:00", 0, "2024-01-01 00:00:00", "2024-01-01T00:00", "2024-01-01T00:00:00.123456"],
    "end_dttm": ["2023-01-01T00:00:00", "nonsense"],
    "name": ["Admin", "Public", "all_datasource_access", "type:chart", "owner:1", "births_reader", " x ", "a,b", "a:b"],
    "username": ["admin", "ADMIN", "a b", "x" * 65], "email": ["admin@fab.org", "nonsense", "x" * 321, "alpha@example.org"], "password": ["short", "x" * 300],
    "json_data": ["{", "[]", "5", "null", '{"bogus": 1}', '{"token": {}}', '{"token": 5}', '{"algorithm": "dark"}', '{"algorithm": "bogus"}', '{"algorithm": ["dark", "compact"]}', '{"token": {"colorPrimary": 5}}', '{"components": {"Button": 5}}', '{"hashed": "x"}', '{"inherit": true}'],
    "allowed_domains": [[], [""], ["nonsense"], ["https://x", "https://x"], [None], [5]],
    "resources": [[], [{}], [{"type": "dashboard"}], [{"type": "bogus", "id": "1"}], [{"type": "dashboard", "id": 5}], [{"type": "dashboard", "id": "9"}], [{"type": "dashboard", "id": "99999"}], [{"type": "dashboard", "id": UUID, "bogus": 1}]],
    "rls": [[{}], [{"clause": 5}], [{"clause": "1=1", "dataset": "x"}], [{"clause": "1=1", "dataset": 2}], [{"clause": "1=1", "bogus": 1}]],
    "user": [{}, {"username": 5}, {"username": "guest", "bogus": 1}],
    "value": ["{", "[]", "null", "5", '{"a": 1}'], "form_data": ["{", "[]", "null", "5", '{"a": 1}'], "formData": [{}, {"datasource": "x"}, {"datasource": "99999__table"}, {"datasource": "2__bogus"}, {"slice_id": 99999, "datasource": "2__table"}],
    "urlParams": [[], [["a"]], [["a", "b"]], [["a", 5]], [["a", "b", "c"]], [None], [5]], "activeTabs": [[], [5], [None], ["a"]], "dataMask": [{"a": 5}],
    "datasources": [[{}], [{"datasource_name": "x"}], [{"database_name": "examples", "datasource_name": "birth_names", "datasource_type": "table"}], [{"datasource_type": "bogus"}]], "datasource_uids": [["x"], ["99999__table"], [5], [None]],
    "modified": [[{}], [{"id": "NATIVE_FILTER-1"}], [5], [None]], "deleted": [["x"], [5]], "reordered": [["x"], [5]],
    "properties": [{}, {"tags": None}, {"tags": "x"}, {"tags": [5]}, {"tags": [""]}, {"tags": ["a:b"]}, {"tags": ["type:chart"]}, {"tags": [None]}, {"bogus": 1}, {"tags": [" x "]}, {"tags": ["same", "same"]}],
    "permission_id": [99999, "1"], "view_menu_id": [99999, "1"], "chart_id": [99999, 136, "136"],
}
ANY = [None, "", " ", "x", "5", "ünï😀", "a\u0000b", HUGE, 5, 0, -1, 1.5, 10**20, True, False, [], ["x"], [[]], {}, {"a": 1}]

RAW = [
    ("no body", b"", "application/json"), ("no JSON", b"{nonsense", "application/json"), ("null", b"null", "application/json"), ("array", b"[]", "application/json"),
    ("string", b'"x"', "application/json"), ("number", b"5", "application/json"), ("false", b"false", "application/json"), ("array of one", b"[1]", "application/json"), ("NaN", b"NaN", "application/json"),
    ("not UTF-8", b'{"name": "\xff"}', "application/json"), ("text/plain", b"{}", "text/plain"), ("form", b"a=b", "application/x-www-form-urlencoded"),
    ("deep", b'{"a":' * 3000 + b"1" + b"}" * 3000, "application/json"), ("another key", b'{"bogus": 1}', "application/json"),
]


def properties(document, schema):
    name = schema.get("$ref", "").rpartition("/")[2]
    return list((document["components"]["schemas"].get(name) or schema).get("properties", {}))


def routes(document):
    for path, verbs in sorted(document["paths"].items()):
        for verb, description in verbs.items():
            if verb not in ("post", "put") or ELSEWHERE.search(path):
                continue
            key = f"{verb} {path.removeprefix('/api/v1')}"
            content = description.get("requestBody", {}).get("content", {})
            names = properties(document, content["application/json"].get("schema", {})) if "application/json" in content else []
            if key == "put /me/":  # the sessions would end with the password
                names.remove("password")
            yield key, sorted(set(names) | set(MORE.get(key, [])))


def cases(key, names):
    """(label, body or bytes, content type)."""
    base = BODIES.get(key, {})
    for label, raw, kind in RAW:
        yield label, raw, kind
    yield "empty object", {}, None
    yield "extra field", {**base, "bogus": 1}, None
    yield "as documented", base, None
    for name in names:
        if name in base:
            yield f"without {name}", {k: v for k, v in base.items() if k != name}, None
        for value in [*ANY, *NEARLY.get(name, [])]:
            yield f"{name}={json.dumps(value)[:60]}", {**base, name: value}, None
    for value in (None, {}, 5, "x"):
        yield f"all {json.dumps(value)}", {name: value for name in names}, None


class Target:
    """The objects that a side changes: fixed ones of the fixture, or made for the purpose."""

    def __init__(self, side):
        self.side, self.made, self.count = side, {}, 0

    def create(self, path, body):
        self.count += 1
        body = json.loads(json.dumps(body).replace("NEW", f"target{RUN}-{self.count}"))
        answer = self.side.call("POST", path, body)
        return answer.get("id", answer.get("key"))

    def get(self, kind, path):
        if kind not in self.made:
            self.made[kind] = self.create(path, BODIES[f"post /{path}"])
        return self.made[kind]

    def fill(self, key):
        verb, path = key.split(" ", 1)
        if "{" not in path:
            return path
        head = path.split("/{")[0].strip("/")
        if head == "tag" and "object_type" in path:
            return "/tag/2/136/"
        if head == "theme" and "system" in path:
            return path.replace("{pk}", str(self.get("theme", "theme/")))
        if head == "security/permissions-resources":
            return path.replace("{pk}", "20")
        if head == "database" and "validate_sql" in path:
            return path.replace("{pk}", "1")
        if head == "security/user_registrations":
            return path.replace("{pk}", "1")
        if "filter_state/{key}" in path or "form_data/{key}" in path:
            parent = path.split("/{key}")[0].strip("/").replace("{pk}", str(self.get("dashboard", "dashboard/")) if "dashboard" in path else "")
            answer = self.side.call("POST", parent, {"value": "{}"} if "dashboard" in path else BODIES["post /explore/form_data"])
            return f"/{parent}/{answer['key']}"
        pk = str(self.get(head, f"{head}/"))
        path = re.sub(r"\{(pk|id_or_slug|role_id)\}", pk, path)
        if "{annotation_id}" in path:
            if "annotation" not in self.made:
                answer = self.side.call("POST", f"annotation_layer/{pk}/annotation/", BODIES["post /annotation_layer/{pk}/annotation/"])
                self.made["annotation"] = answer["id"]
            path = path.replace("{annotation_id}", str(self.made["annotation"]))
        return path


STAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)?|eyJ[\w-]+\.[\w-]+\.[\w-]+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|0x[0-9a-f]+")


def readable(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


# random words, and numbers of sequences that other requests moved
MASKED = {"key": "KEY", "url": "KEY", "id": "ID", "uid": "ID"}


def masked(value, own):
    if isinstance(value, dict):  # keys of stored states are random words
        return {masked(k, own): MASKED.get(k) or masked(v, own) for k, v in value.items()}
    if isinstance(value, list):
        return [masked(v, own) for v in value]
    if isinstance(value, str):
        value = STAMP.sub("AT", value)
        for pk in own:
            value = re.sub(rf"\b{pk}\b", "OWN", value)
        return value if len(value) < 2000 else value[:100] + f"… {len(value)}"
    return "OWN" if value in own and not isinstance(value, bool) else value


def plain(value, own):
    return masked(still(value), own)


def send(side, verb, path, body, kind):
    headers = {"Content-Type": kind or "application/json"}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    for _ in range(2):
        try:
            answer = side.http.request(verb.upper(), f"{side.base}/api/v1{path}", data=data, headers=headers, timeout=120)
            return answer.status_code, readable(answer.text), answer.headers.get("content-type", "")
        except OSError as error:
            last = error
    return 0, f"no answer: {last}", ""


KEEPS = {"post /dashboard/{pk}/filter_state", "post /explore/form_data", "post /explore/permalink", "post /sqllab/permalink", "post /dashboard/{pk}/permalink"}


def ask(target, key, body, kind, counter):
    """(status, answer, what a read gives afterwards) of one side."""
    side = target.side
    verb, _ = key.split(" ", 1)
    path = target.fill(key)
    if not isinstance(body, bytes):
        body = json.loads(json.dumps(body).replace("NEW", f"new{RUN}-{counter}"))
    status, answer, content_type = send(side, verb, path, body, kind)
    own = [v for v in target.made.values() if isinstance(v, int)]
    after = None
    if status in (200, 201) and isinstance(answer, dict):
        pk = answer.get("id")
        if verb == "post" and isinstance(pk, int) and key not in KEEPS and path.endswith("/"):
            own.append(pk)
            after = side.http.get(f"{side.base}/api/v1{path}{pk}", timeout=60)
            after = [after.status_code, readable(after.text)]
            side.http.delete(f"{side.base}/api/v1{path}{pk}", timeout=60)
        elif verb == "put" and re.fullmatch(r"(/[a-z_-]+)+/\d+(/annotation/\d+)?", path):
            after = side.http.get(f"{side.base}/api/v1{path}", timeout=60)
            after = [after.status_code, readable(after.text)]
    return status, plain(answer, own), plain(after, own), content_type


def run(sides, wanted, found):
    document = json.loads((SHARED / "contract" / "openapi.json").read_text())
    targets = [Target(side) for side in sides]
    asked = crashes = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for key, names in routes(document):
            if wanted and not any(word in key for word in wanted):
                continue
            before = len(found)
            for label, body, kind in cases(key, names):
                asked += 1
                ours, theirs = pool.map(lambda target: ask(target, key, copy.deepcopy(body), kind, asked), targets)
                if ours != theirs:
                    # where the original crashes, there is no answer to be like
                    if theirs[0] >= 500:
                        crashes += 1
                    else:
                        found.append({"route": key, "case": label, "ours": ours, "theirs": theirs})
                if ours[0] != theirs[0]:  # the states may differ from here on: new objects for what follows
                    for target in targets:
                        target.made.clear()
            print(f"{key}: {len(found) - before} differences", file=sys.stderr, flush=True)
    return asked, crashes


def serve(folder, name, uri, command, environment):
    """Starts one side on its own copy of the fixture; (side, process)."""
    home = folder / name
    home.mkdir()
    key = (SHARED / "fixtures" / "SECRET_KEY").read_text().strip()
    settings = {"SECRET_KEY": key, "SQLALCHEMY_DATABASE_URI": uri, "PREVENT_UNSAFE_DB_CONNECTIONS": False, "TALISMAN_ENABLED": False, "RATELIMIT_ENABLED": False}
    lines = [f"{k} = {v!r}\n" for k, v in settings.items()]
    (home / "superset_config.py").write_text("".join(lines) + f"FEATURE_FLAGS = {FLAGS}\n")
    port = free_port()
    log = open(folder / f"{name}.log", "w")
    command = [str(part).format(home=home, port=port) for part in command]
    environment = {k: v.format(home=home) for k, v in environment.items()}
    process = subprocess.Popen(command, cwd=home, env={**os.environ, **environment}, stdout=log, stderr=log)
    return Side(name, process, port), process


def with_servers(use):
    """Calls `use` with both sides, on databases that end with it."""
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    binary = os.environ.get("LITESET_BINARY", str(target / "debug" / "liteset"))
    databases = [f"superset_bad_{side}_{RUN}" for side in ("liteset", "superset")]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="liteset-bad-input-"))
    processes = []
    try:
        for database in databases:
            subprocess.run(["bash", SHARED / "fixtures" / "restore.sh", "pg", database], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ours, our_process = serve(folder, "liteset", f"postgresql://root:root@127.0.0.1:5432/{databases[0]}",
                                  [binary, "run", "--config", "{home}/superset_config.py", "--home", "{home}", "--port", "{port}"], {})
        processes.append(our_process)
        theirs, their_process = serve(folder, "superset", f"postgresql+psycopg2://root:root@127.0.0.1:5432/{databases[1]}",
                                      [ORACLE / "gunicorn", "-w", "1", "-k", "gthread", "--threads", "2", "--timeout", "120", "-b", "127.0.0.1:{port}", "superset.app:create_app()"],
                                      {"SUPERSET_CONFIG_PATH": "{home}/superset_config.py", "FLASK_APP": "superset", "SUPERSET_HOME": "{home}"})
        processes.append(their_process)
        for side in (ours, theirs):
            side.wait()
        return use([ours, theirs])
    finally:
        for process in processes:
            process.terminate()
            process.wait(40)
        for database in databases:
            subprocess.run(["dropdb", "--if-exists", "-f", database], capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


def running(bases):
    sides = []
    for name, base in zip(("liteset", "superset"), bases):
        side = Side(name, None, 0)
        side.base = base
        side.enter()
        sides.append(side)
    return sides


# Differences that stay: where the original's answer is its accident, and liteset's is the clearer one.
MEANT = {
    ("post /tag/{object_type}/{object_id}/", 'properties={"tags": "x"}'),  # a text is taken for a list of its letters
    ("put /dashboard/{pk}/filters", 'modified=["x"]'),
}
MEANT_CASES = re.compile(r"^NaN$|100000000000000000000|\\u0000")  # not JSON; beyond any column; the drivers' words about NUL


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("routes", nargs="*")
    options.add_argument("--servers", nargs=2)
    options.add_argument("--json", help="write all differences into this file")
    arguments = options.parse_args()
    if not (ORACLE / "gunicorn").exists() or not SHARED.exists() or not shutil.which("pg_restore"):
        print("skipped bad input beside the original: it or PostgreSQL is not installed (../shared/oracle/oracle.sh install)")
        return
    round_trip.fall_into_venv()
    found = []

    def use(sides):
        return run(sides, arguments.routes, found)

    try:
        asked, crashes = use(running(arguments.servers)) if arguments.servers else with_servers(use)
    finally:
        if arguments.json:
            pathlib.Path(arguments.json).write_text(json.dumps(found, indent=1))
    meant = [f for f in found if (f["route"], f["case"]) in MEANT or MEANT_CASES.search(f["case"])]
    left = [f for f in found if f not in meant]
    for f in left[:60]:
        print(f"{f['route']} [{f['case']}]")
        for i, part in enumerate(("status", "answer", "read back", "content type")):
            if f["ours"][i] != f["theirs"][i]:
                print(f"    {part}: {json.dumps(f['ours'][i])[:200]} / {json.dumps(f['theirs'][i])[:200]}")
    print(f"{asked} requests, {len(left)} differences, {len(meant)} that are meant, {crashes} crashes of the original")
    return min(len(left), 1)


if __name__ == "__main__":
    sys.exit(main())
