"""The installation that answers are recorded from and compared on: liteset's first start with its example content, and
a few people and objects made over HTTP, always the same ones in the same order, so that every id is the same."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import people

# what the original is told, too (record.py): no cache, nothing that limits or hides
SETTINGS = {
    "LITESET_DATA_CACHE_CONFIG": json.dumps({"CACHE_TYPE": "NullCache"}),
    "LITESET_PREVENT_UNSAFE_DB_CONNECTIONS": "false",
    "LITESET_RATELIMIT_ENABLED": "false",
    "LITESET_TALISMAN_ENABLED": "false",
    "SUPERSET_SECRET_KEY": "of the recorded answers, and of nothing else",
}


class Installation:
    """A liteset on a folder of its own."""

    def __init__(self, binary, home=None, settings=SETTINGS, arguments=("--no-uploads",)):
        self.folder = pathlib.Path(home or tempfile.mkdtemp(prefix="liteset-compat-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.keep = home is not None
        self.home = self.folder / "home"
        log = self.folder / "server.log"
        command = [binary, "run", *arguments, "--home", self.home, "--port", "0"]
        command += ["--admin-password", people.PASSWORDS["admin"]]
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("LITESET_", "SUPERSET_"))}
        with open(log, "w") as out:
            self.server = subprocess.Popen(command, stdout=out, stderr=out, env=environment | settings)
        for _ in range(600):
            if found := re.search(r'"listening","address":"([^"]+)"', log.read_text()):
                self.base = found[1]
                return
            if self.server.poll() is not None:
                break
            time.sleep(0.1)
        said = log.read_text()
        self.remove()
        raise RuntimeError(f"liteset did not start:\n{said}")

    def stop(self):
        """As an operator stops it: the database is one whole file then."""
        if self.server.poll() is None:
            self.server.send_signal(signal.SIGTERM)
            self.server.wait(60)

    def remove(self):
        self.server.kill()
        self.server.wait()
        if not self.keep:
            shutil.rmtree(self.folder, ignore_errors=True)


def furnish(base):
    """Makes what the first start does not: people of several roles and one object of each kind."""
    by = people.People(base)

    def make(method, path, body, user="admin"):
        answer = by.ask({"user": user, "method": method, "path": f"/api/v1/{path}", "json": body})
        if answer.status not in (200, 201):
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.text[:500]}")
        return answer.json()

    def one(path, **wanted):
        column, value = next(iter(wanted.items()))
        return make("GET", f"{path}/?q=(filters:!((col:{column},opr:eq,value:'{value}')))", None)["result"][0]

    roles = {name: one("security/roles", name=name)["id"] for name in ("Alpha", "Gamma", "sql_lab")}
    roles["Bakers"] = make("POST", "security/roles/", {"name": "Bakers"})["id"]
    # a reader of one dataset: its permission is the one on the view menu with its name
    view = one("security/resources", name="[examples].[bakery_sales](id:1)")["id"]
    may = make("GET", f"security/permissions-resources/?q=(filters:!((col:view_menu,opr:rel_o_m,value:{view})))", None)[
        "result"
    ]
    make(
        "POST",
        f"security/roles/{roles['Bakers']}/permissions",
        {"permission_view_menu_ids": [found["id"] for found in may]},
    )
    for name, of in {
        "alpha": ["Alpha"],
        "gamma": ["Gamma"],
        "baker": ["Gamma", "Bakers"],
        "lab": ["Alpha", "sql_lab"],
    }.items():
        make("POST", "security/users/", {
            "username": name, "first_name": name.title(), "last_name": "Reader", "email": f"{name}@example.org",
            "password": people.PASSWORDS[name], "active": True, "roles": [roles[role] for role in of],
        })
    make(
        "POST",
        "security/groups/",
        {"name": "night-shift", "label": "Night shift", "description": "", "roles": [roles["Gamma"]], "users": [3]},
    )
    layer = make("POST", "annotation_layer/", {"name": "Feasts", "descr": "days without bread"})["id"]
    for day, name in (("2024-12-25", "Christmas"), ("2025-04-20", "Easter")):
        annotation = {
            "short_descr": name,
            "long_descr": "closed",
            "start_dttm": f"{day}T00:00:00",
            "end_dttm": f"{day}T23:59:00",
            "json_metadata": "{}",
        }
        make("POST", f"annotation_layer/{layer}/annotation/", annotation)
    make("POST", "css_template/", {"template_name": "Crust", "css": ".header { color: brown; }"})
    make("POST", "theme/", {"theme_name": "Rye", "json_data": '{"token": {"colorPrimary": "#aa0000"}}'})
    make(
        "POST",
        "rowlevelsecurity/",
        {
            "name": "harbour only",
            "filter_type": "Regular",
            "tables": [1],
            "roles": [roles["Bakers"]],
            "clause": "branch = 'Harbour'",
            "group_key": "branch",
        },
    )
    make(
        "POST",
        "saved_query/",
        {
            "db_id": 1,
            "label": "by carrier",
            "schema": "main",
            "sql": "SELECT carrier, count(*) FROM deliveries GROUP BY 1",
        },
    )
    make(
        "POST",
        "chart/",
        {"slice_name": "Of Alpha", "viz_type": "table", "datasource_id": 3, "datasource_type": "table", "params": "{}"},
        user="alpha",
    )
    make("POST", "dashboard/", {"dashboard_title": "Draft of Alpha", "published": False}, user="alpha")
    # what the first start makes at one instant has no order: one change after the other gives it one
    for pk in range(1, 19):
        make("PUT", f"chart/{pk}", {"description": f"chart {pk}"})
    for pk in range(1, 4):
        certification = {"certified_by": f"Guild {pk}", "details": "weighed"}
        make("PUT", f"dataset/{pk}", {"extra": json.dumps({"certification": certification})})
    make("PUT", "dashboard/2", {"certified_by": "The guild"})
    asked = {
        "datasource": {"id": 1, "type": "table"}, "force": False, "result_format": "json", "result_type": "full",
        "queries": [{"columns": ["branch"], "metrics": ["revenue"], "orderby": [["branch", True]], "row_limit": 5}],
    }
    make(
        "PUT",
        "chart/1",
        {"query_context": json.dumps(asked), "certified_by": "The guild", "certification_details": "tasted"},
    )
    make("PUT", "dashboard/1", {"certified_by": "The guild", "css": ".header { color: brown; }"})
    make("POST", "chart/2/favorites/", {})
    make("POST", "dashboard/2/favorites/", {})


def binary():
    """The debug binary, where cargo puts it."""
    root = pathlib.Path(__file__).resolve().parent.parent.parent
    return (
        os.environ.get("LITESET_BIN")
        or pathlib.Path(os.environ.get("CARGO_TARGET_DIR", root / "target")) / "debug" / "liteset"
    )
