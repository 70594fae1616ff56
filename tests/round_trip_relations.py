"""What belongs to objects rather than being one, and what has a way of its own to be written: tags and favourites,
annotations, embedding, permalinks, system themes, connections with their uploads, tabs and queries of SQL Lab. One of
two servers on one database writes, both read, the other changes and takes away. For round_trip.py.

A chapter takes the two sides in their turn, a word that no other turn uses, a function that compares both answers to a
GET, and the installation: `schema` of the examples and a `folder` for files.
"""
import json


def tags(a, b, word, same, _):
    objects = [["chart", 136], ["dashboard", 9], ["query", 1]]
    a.call("POST", "tag/", {"name": f"one {word}", "description": "d", "objects_to_tag": objects})
    b.call(
        "POST",
        "tag/bulk_create",
        {
            "tags": [
                {"name": f"many {word}", "objects_to_tag": objects[:2]},
                {"name": f"few {word}", "objects_to_tag": objects[2:]},
            ]
        },
    )
    rows = a.call("GET", f"tag/?q=(filters:!((col:name,opr:ct,value:{word})),order_column:name)")
    pks = {row["name"].split()[0]: row["id"] for row in rows["result"]}

    def look(what):
        for pk in pks.values():
            same(f"tag/{pk}", what)
            same(f"tag/get_objects/?tagIds={pk}", what)
        for path in (f"tag/get_objects/?tags=one {word},few {word}", "chart/136", "dashboard/9", "saved_query/1"):
            same(path, what)

    look(f"tagged by {a.name} and {b.name}")
    b.call("PUT", f"tag/{pks['one']}", {"name": f"one more {word}", "description": "ä", "objects_to_tag": objects[1:]})
    a.call("DELETE", f"tag/2/136/many {word}/")
    b.call("POST", "tag/1/1/", {"properties": {"tags": [f"many {word}"]}})
    look("tags changed")
    a.call("POST", f"tag/{pks['one']}/favorites/")
    same(f"tag/favorite_status/?q=!({pks['one']})", "a favourite tag")
    b.call("DELETE", f"tag/{pks['one']}/favorites/")
    same(f"tag/favorite_status/?q=!({pks['one']})", "no favourite tag")
    a.call("DELETE", f"tag/{pks.pop('one')}")
    b.call("DELETE", f"tag/?q=!('many {word}','few {word}')")
    same(f"tag/?q=(filters:!((col:name,opr:ct,value:{word})))", "tags gone")
    look("tags gone")


def favourites(a, b, word, same, _):
    for kind, pk in (("chart", 136), ("dashboard", 9)):
        a.call("POST", f"{kind}/{pk}/favorites/")
        same(f"{kind}/favorite_status/?q=!({pk})", f"favourite {kind}")
        same(f"{kind}/?q=(filters:!((col:id,opr:{kind}_is_favorite,value:!t)))", f"favourite {kind}")
        b.call("DELETE", f"{kind}/{pk}/favorites/")
        same(f"{kind}/favorite_status/?q=!({pk})", f"no favourite {kind}")


def annotations(a, b, word, same, _):
    layer = a.call("POST", "annotation_layer/", {"name": f"layer {word}", "descr": "d"})["id"]
    body = {
        "short_descr": f"day {word}",
        "long_descr": "ü",
        "start_dttm": "2024-01-01T00:00:00",
        "end_dttm": "2024-01-02T00:00:00",
        "json_metadata": '{"a": 1}',
    }
    pk = b.call("POST", f"annotation_layer/{layer}/annotation/", body)["id"]
    same(f"annotation_layer/{layer}/annotation/{pk}", f"created by {b.name}")
    a.call(
        "PUT", f"annotation_layer/{layer}/annotation/{pk}", {"long_descr": "changed", "end_dttm": "2024-02-02T00:00:00"}
    )
    same(f"annotation_layer/{layer}/annotation/{pk}", f"changed by {a.name}")
    same(f"annotation_layer/{layer}/annotation/", "list")
    b.call("DELETE", f"annotation_layer/{layer}/annotation/{pk}")
    a.call("GET", f"annotation_layer/{layer}/annotation/{pk}", expect=(404,))
    b.call("DELETE", f"annotation_layer/{layer}")


def embedding(a, b, word, same, _):
    made = a.call("POST", "dashboard/9/embedded", {"allowed_domains": ["https://a.example.org"]})["result"]
    same("dashboard/9/embedded", f"embedded by {a.name}")
    same(f"embedded_dashboard/{made['uuid']}", f"embedded by {a.name}")
    b.call("PUT", "dashboard/9/embedded", {"allowed_domains": ["https://b.example.org", "https://c.example.org"]})
    same("dashboard/9/embedded", f"changed by {b.name}")
    a.call("DELETE", "dashboard/9/embedded")
    b.call("GET", "dashboard/9/embedded", expect=(404,))


def permalinks(a, b, word, same, _):
    state = {"dataMask": {"f": {"id": "f"}}, "activeTabs": [word], "urlParams": [["a", word]]}
    key = a.call("POST", "dashboard/9/permalink", state)["key"]
    same(f"dashboard/permalink/{key}", f"by {a.name}")
    if b.call("POST", "dashboard/9/permalink", state)["key"] != key:
        same("", "the same dashboard state gets another key")
    key = a.call(
        "POST",
        "explore/permalink",
        {"formData": {"datasource": "2__table", "viz_type": "table", "word": word}, "urlParams": [["a", "b"]]},
    )["key"]
    same(f"explore/permalink/{key}", f"by {a.name}")
    key = a.call(
        "POST", "sqllab/permalink", {"dbId": 1, "name": word, "sql": "SELECT 'ä'", "schema": None, "autorun": True}
    )["key"]
    same(f"sqllab/permalink/{key}", f"by {a.name}")


def system_themes(a, b, word, same, _):
    pk = a.call(
        "POST", "theme/", {"theme_name": f"system {word}", "json_data": '{"token": {"colorPrimary": "#aa0000"}}'}
    )["id"]
    for which in ("default", "dark"):
        a.call("PUT", f"theme/{pk}/set_system_{which}")
        same(f"theme/{pk}", f"system {which} by {a.name}")
        b.call("DELETE", f"theme/unset_system_{which}")
        same(f"theme/{pk}", f"no system {which} by {b.name}")
    b.call("DELETE", f"theme/{pk}")


def connections(a, b, word, same, installation):
    uri = f"sqlite:///{installation.folder}/{word}.db"
    body = {
        "database_name": f"own {word}",
        "sqlalchemy_uri": uri,
        "allow_dml": True,
        "extra": '{"schemas_allowed_for_file_upload": ["main"]}',
    }
    pk = a.call("POST", "database/", body)["id"]
    for path in ("", "/connection", "/schemas/", "/related_objects/"):
        same(f"database/{pk}{path}", f"created by {a.name}")
    b.call("PUT", f"database/{pk}", {"database_name": f"renamed {word}", "allow_file_upload": True, "cache_timeout": 5})
    for path in ("", "/connection", "/schemas_access_for_file_upload/"):
        same(f"database/{pk}{path}", f"changed by {b.name}")
    for side, table in ((a, "first"), (b, "second")):
        form = {"type": "csv", "table_name": table, "schema": "main", "already_exists": "fail"}
        text = "plant,height,planted,n\noak,12.5,2001-04-02,1\nfärn,,2020-09-30,2\n"
        answer = side.http.post(
            f"{side.base}/api/v1/database/{pk}/upload/",
            data=form,
            files={"file": ("plants.csv", text.encode(), "text/csv")},
            timeout=60,
        )
        if answer.status_code != 201:
            raise SystemExit(f"{side.name}: upload: {answer.status_code} {answer.text[:500]}")
        same(f"database/{pk}/table_metadata/?name={table}&schema=main", f"uploaded by {side.name}")
    rows = a.call("GET", f"dataset/?q=(filters:!((col:database,opr:rel_o_m,value:{pk})),order_column:table_name)")
    for dataset in rows["ids"]:
        same(f"dataset/{dataset}", "dataset of an upload")
        same(f"datasource/table/{dataset}/column/plant/values/", "values of an upload")
        b.call("DELETE", f"dataset/{dataset}")
    a.call("DELETE", f"database/{pk}")
    b.call("GET", f"database/{pk}", expect=(404,))


def sql_lab(a, b, word, same, installation):
    form = lambda side, method, path, **data: side.http.request(
        method, f"{side.base}{path}", data=data, timeout=60
    )  # noqa: E731
    editor = {
        "id": word,
        "dbId": 1,
        "name": f"tab {word}",
        "active": True,
        "sql": "SELECT 1",
        "schema": installation.schema,
        "catalog": None,
        "queryLimit": 50,
        "autorun": False,
        "hideLeftBar": False,
        "templateParams": "{}",
    }
    tab = form(a, "POST", "/tabstateview/", queryEditor=json.dumps(editor)).json()["id"]
    same(f"/tabstateview/{tab}", f"opened by {a.name}")
    query = {
        "database_id": 1,
        "sql": "SELECT 'ä' AS a, 2 AS b",
        "client_id": f"q{word}"[:11],
        "schema": installation.schema,
        "sql_editor_id": str(tab),
        "queryLimit": 10,
    }
    pk = b.call("POST", "sqllab/execute/", query)["query_id"]
    same(f"query/{pk}", f"asked by {b.name}")
    form(
        a,
        "PUT",
        f"/tabstateview/{tab}",
        label=json.dumps(f"again {word}"),
        latest_query_id=json.dumps(query["client_id"]),
    )
    table = {
        "queryEditorId": str(tab),
        "dbId": 1,
        "catalog": None,
        "schema": installation.schema,
        "name": "birth_names",
    }
    form(b, "POST", "/tableschemaview/", table=json.dumps(table))
    same(f"/tabstateview/{tab}", f"changed by {a.name} and {b.name}")
    form(b, "DELETE", f"/tabstateview/{tab}")
    same(f"/tabstateview/{tab}", f"closed by {b.name}")


CHAPTERS = [tags, favourites, annotations, embedding, permalinks, system_themes, connections, sql_lab]
