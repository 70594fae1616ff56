#!/usr/bin/env python3
"""Takes turns with the original Superset 6.0.0 on one metadata database: what one writes the other reads, edits and
deletes; at the end both list the same.

    python3 tests/round_trip.py            SQLite and, when a server answers on 127.0.0.1:5432, PostgreSQL
    python3 tests/round_trip.py mysql      MariaDB or MySQL on 127.0.0.1:3306, data of the charts on PostgreSQL

Needs the original installed (../shared/oracle/oracle.sh install) and a built liteset; says so and ends well otherwise.
"""
import json, os, pathlib, re, shutil, socket, subprocess, sys, tempfile, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import round_trip_relations

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
ORACLE = (
    pathlib.Path(os.environ.get("ORACLE_HOME", pathlib.Path.home() / ".cache" / "superset-oracle")) / "venv" / "bin"
)
FLAGS = '{"ALERT_REPORTS": True, "TAGGING_SYSTEM": True, "EMBEDDED_SUPERSET": True}'

# 6.0.0 does not start on MariaDB 10.3 or newer: SQLAlchemy 1.4 writes CREATE SEQUENCE … NO CYCLE, which is refused.
# Without sequences MariaDB is what MySQL is.
WITHOUT_SEQUENCES = """
from sqlalchemy.dialects.mysql.base import MySQLDialect
_initialize = MySQLDialect.initialize
def _without_sequences(self, connection):
    _initialize(self, connection)
    self.supports_sequences = False
MySQLDialect.initialize = _without_sequences
"""


def fall_into_venv():
    """The checker's own Python has `requests`; the original's virtual environment has it for sure."""
    try:
        import requests  # noqa: F401
    except ImportError:
        os.execv(ORACLE / "python", [str(ORACLE / "python"), __file__, *sys.argv[1:]])


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Side:
    """One of the two servers, with a logged-in administrator."""

    def __init__(self, name, process, port):
        import requests
        self.name, self.process, self.base = name, process, f"http://127.0.0.1:{port}"
        self.http = requests.Session()

    def wait(self):
        for _ in range(240):
            if self.process.poll() is not None:
                sys.exit(f"{self.name} ended")
            try:
                if self.http.get(self.base + "/health", timeout=2).ok:
                    break
            except OSError:
                time.sleep(0.25)
        self.enter()

    def enter(self):
        page = self.http.get(self.base + "/login/").text
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)', page)[1]
        self.http.post(self.base + "/login/", data={"username": "admin", "password": "admin", "csrf_token": token})
        token = self.http.get(self.base + "/api/v1/security/csrf_token/").json()["result"]
        self.http.headers.update({"X-CSRFToken": token, "Referer": self.base, "Accept": "application/json"})

    def call(self, method, path, body=None, expect=(200, 201)):
        answer = self.http.request(
            method, f"{self.base}{path if path.startswith('/') else f'/api/v1/{path}'}", json=body, timeout=60
        )
        if answer.status_code not in expect:
            sys.exit(f"{self.name}: {method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json() if answer.content else {}


# what differs by the moment or the server, not by the data
MOVING = re.compile(
    r"humanized|delta|thumbnail_url|last_login|login_count|^url$"
    r"|changed_on_utc|last_modified_time|label_columns|description_columns"
)


def still(value):
    if isinstance(value, dict):
        return {k: still(v) for k, v in value.items() if not MOVING.search(k)}
    if isinstance(value, list):
        items = [still(v) for v in value]
        return sorted(items, key=lambda v: json.dumps(v, sort_keys=True))
    if isinstance(value, str) and value[:1] in "{[":
        try:
            return still(json.loads(value))
        except ValueError:
            return value
    return value


def differences(a, b, path=""):
    if isinstance(a, dict) and isinstance(b, dict):
        return [
            d
            for k in sorted(a.keys() | b.keys())
            for d in differences(a.get(k, "<missing>"), b.get(k, "<missing>"), f"{path}.{k}")
        ]
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return [d for i, (x, y) in enumerate(zip(a, b)) for d in differences(x, y, f"{path}[{i}]")]
    if isinstance(a, float) and isinstance(b, float) and abs(a - b) <= 1e-9 * abs(a):
        return []  # times in milliseconds: the last digit is the division's
    return [] if a == b else [f"{path}: {json.dumps(a)[:120]} / {json.dumps(b)[:120]}"]


# name, body of the creation, change, and whether single items have a GET
def resources(schema):
    position = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"id": "ROOT_ID", "type": "ROOT", "children": ["GRID_ID"]},
        "GRID_ID": {"id": "GRID_ID", "type": "GRID", "children": [], "parents": ["ROOT_ID"]},
    }
    return [
        ("css_template", {"template_name": "rt NAME", "css": "a{}"}, {"css": "b{}"}),
        ("annotation_layer", {"name": "rt NAME", "descr": "d"}, {"name": "rt NAME", "descr": "ä"}),
        ("theme", {"theme_name": "rt NAME", "json_data": "{}"}, {"theme_name": "rt2 NAME", "json_data": "{}"}),
        ("saved_query", {"label": "rt NAME", "db_id": 1, "sql": "SELECT 1", "schema": schema}, {"sql": "SELECT 2"}),
        (
            "rowlevelsecurity",
            {"name": "rt NAME", "filter_type": "Regular", "tables": [2], "roles": [1], "clause": "1 = 1"},
            {"clause": "2 = 2", "tables": [2], "roles": [1, 2]},
        ),
        (
            "dataset",
            {
                "database": 1,
                "schema": schema,
                "table_name": "rt_NAME",
                "sql": "SELECT gender, num, ds FROM birth_names",
            },
            {
                "description": "changed",
                "table_name": "rt2_NAME",
                "metrics": [{"metric_name": "m", "expression": "SUM(num)"}],
            },
        ),
        (
            "chart",
            {
                "slice_name": "rt NAME",
                "viz_type": "table",
                "datasource_id": 2,
                "datasource_type": "table",
                "params": "{}",
            },
            {"slice_name": "rt2 NAME", "description": "ü", "owners": [1, 2]},
        ),
        (
            "dashboard",
            {"dashboard_title": "rt NAME", "slug": "rt-NAME", "position_json": json.dumps(position)},
            {"dashboard_title": "rt2 NAME", "published": True, "css": "x{}"},
        ),
        (
            "report",
            {
                "type": "Report",
                "name": "rt NAME",
                "crontab": "0 9 * * *",
                "chart": 136,
                "creation_method": "alerts_reports",
                "recipients": [{"type": "Email", "recipient_config_json": {"target": "a@example.org"}}],
            },
            {
                "active": False,
                "crontab": "*/30 * * * 1-5",
                "recipients": [{"type": "Email", "recipient_config_json": {"target": "b@example.org"}}],
            },
        ),
        ("security/roles", {"name": "rt NAME"}, {"name": "rt2 NAME"}),
        (
            "security/groups",
            {"name": "rt NAME", "label": "l", "description": "d", "roles": [1], "users": [1]},
            {"label": "changed"},
        ),
        (
            "security/users",
            {
                "username": "rt-NAME",
                "first_name": "R",
                "last_name": "T",
                "email": "rt-NAME@example.org",
                "password": "a long enough passphrase",
                "active": True,
                "roles": [1],
            },
            {"first_name": "Changed"},
        ),
    ]


LISTS = [
    "css_template",
    "annotation_layer",
    "theme",
    "saved_query",
    "rowlevelsecurity",
    "dataset",
    "chart",
    "dashboard",
    "report",
    "tag",
    "database",
    "security/roles",
    "security/groups",
    "security/users",
    "security/permissions-resources",
]


def compare(sides, path, found, what):
    answers = [still(side.call("GET", path)) for side in sides]
    for line in differences(*answers):
        found.append(f"{what} GET {path}{line}")


class Installation:
    """Where the servers' data are."""

    def __init__(self, schema, folder):
        self.schema, self.folder = schema, folder


def answers(sides, path, found, what):
    """Status and answer of both, whatever they are."""
    got = []
    for side in sides:
        answer = side.http.get(f"{side.base}{path if path.startswith('/') else f'/api/v1/{path}'}", timeout=60)
        try:
            got.append([answer.status_code, still(answer.json())])
        except ValueError:
            got.append([answer.status_code, answer.text])
    found.extend(f"{what}: GET {path}{line}" for line in differences(*got))


def session(sides, schema, folder):
    found = []
    for chapter in round_trip_relations.CHAPTERS:
        for first in (0, 1):
            same = lambda path, what: answers(sides, path, found, f"{chapter.__name__}, {what}")  # noqa: E731, B023
            chapter(
                sides[first], sides[1 - first], f"rt{chapter.__name__[:3]}{first}", same, Installation(schema, folder)
            )
    for turn, (name, body, change) in enumerate(resources(schema)):
        for first in (0, 1):
            a, b = sides[first], sides[1 - first]
            fill = lambda value: json.loads(json.dumps(value).replace("NAME", f"{turn}{first}"))  # noqa: E731
            pk = a.call("POST", f"{name}/", fill(body))["id"]
            compare(sides, f"{name}/{pk}", found, f"created by {a.name}:")
            b.call("PUT", f"{name}/{pk}", fill(change))
            compare(sides, f"{name}/{pk}", found, f"changed by {b.name}:")
            if name in ("chart", "dashboard"):
                kind = {"chart": 2, "dashboard": 3}[name]
                a.call("POST", f"tag/{kind}/{pk}/", {"properties": {"tags": [f"rt{turn}{first}"]}})
                compare(sides, f"{name}/{pk}", found, f"tagged by {a.name}:")
            if name == "dashboard":
                compare(sides, f"{name}/{pk}/charts", found, "")
            if first == 0:  # one of each kind stays until the lists are compared
                continue
            a.call("DELETE", f"{name}/{pk}")
            b.call("GET", f"{name}/{pk}", expect=(404,))
    for name in LISTS:
        compare(sides, f"{name}/?q=(page_size:100)", found, "at the end:")
    # what one left, the other takes away
    for name, body, _ in resources(schema):
        for turn, side in enumerate(sides):
            key = next(
                k
                for k in (
                    "label",
                    "slice_name",
                    "dashboard_title",
                    "table_name",
                    "template_name",
                    "theme_name",
                    "username",
                    "name",
                )
                if k in body
            )
            rows = side.call("GET", f"{name}/?q=(page_size:100)")
            mine = [i for i, row in zip(rows["ids"], rows["result"]) if str(row.get(key, "")).startswith("rt")]
            if turn == 0:
                for pk in mine:
                    side.call("DELETE", f"{name}/{pk}")
            elif mine:
                found.append(f"{side.name} still lists {name} {mine}")
    return found


def run(kind, binary):
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"liteset-round-{kind}-"))
    key = (SHARED / "fixtures" / "SECRET_KEY").read_text().strip()
    more = ""
    if kind == "mysql":
        database = f"superset_round_{os.getpid()}"
        subprocess.run(
            ["bash", SHARED / "fixtures" / "restore.sh", "mysql", database],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        ours = theirs = f"mysql+pymysql://superset:superset@127.0.0.1:3306/{database}?charset=utf8mb4"
        schema, more = "public", WITHOUT_SEQUENCES
    elif kind == "pg":
        database = f"superset_round_{os.getpid()}"
        subprocess.run(
            ["bash", SHARED / "fixtures" / "restore.sh", "pg", database],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        ours, theirs = (f"{p}://root:root@127.0.0.1:5432/{database}" for p in ("postgresql", "postgresql+psycopg2"))
        schema = "public"
    else:
        subprocess.run(
            ["bash", SHARED / "fixtures" / "restore.sh", "sqlite", str(folder)],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        ours = theirs = f"sqlite:///{folder}/superset.db?check_same_thread=false"
        schema = "main"
    config = (
        "SECRET_KEY = {!r}\nSQLALCHEMY_DATABASE_URI = {!r}\nPREVENT_UNSAFE_DB_CONNECTIONS = False\nTALISMAN_ENABLED ="
        " False\nRATELIMIT_ENABLED = False\nFEATURE_FLAGS = {}\n"
    )
    processes = []
    try:
        for name, uri in (("liteset", ours), ("superset", theirs)):
            home = folder / name
            home.mkdir()
            text = config.format(key, uri, FLAGS) + (more if name == "superset" else "")
            (home / "superset_config.py").write_text(text)
        ports = free_port(), free_port()
        log = open(folder / "servers.log", "w")
        processes.append(
            subprocess.Popen(
                [
                    binary,
                    "run",
                    "--config",
                    folder / "liteset/superset_config.py",
                    "--home",
                    folder / "liteset",
                    "--port",
                    str(ports[0]),
                ],
                stdout=log,
                stderr=log,
            )
        )
        environment = {
            **os.environ,
            "SUPERSET_CONFIG_PATH": str(folder / "superset/superset_config.py"),
            "FLASK_APP": "superset",
            "SUPERSET_HOME": str(folder / "superset"),
        }
        processes.append(
            subprocess.Popen(
                [
                    ORACLE / "gunicorn",
                    "-w",
                    "1",
                    "-k",
                    "gthread",
                    "--threads",
                    "2",
                    "--timeout",
                    "120",
                    "-b",
                    f"127.0.0.1:{ports[1]}",
                    "superset.app:create_app()",
                ],
                cwd=folder / "superset",
                env=environment,
                stdout=log,
                stderr=log,
            )
        )
        sides = [Side("liteset", processes[0], ports[0]), Side("superset", processes[1], ports[1])]
        for side in sides:
            side.wait()
        started = time.time()
        found = session(sides, schema, folder)
        print(
            f"{kind}: {len(resources(schema))} resources and {len(round_trip_relations.CHAPTERS)} chapters in turns,"
            f" {time.time() - started:.0f} s, {len(found)} differences",
            flush=True,
        )
        print(*found[:60], sep="\n")
        return len(found)
    finally:
        for process in processes:
            process.terminate()
            process.wait(40)
        if kind == "pg":
            subprocess.run(["dropdb", "--if-exists", "-f", database], capture_output=True)
        if kind == "mysql":
            subprocess.run([shutil.which("mariadb") or "mysql", "-e", f"DROP DATABASE {database}"], capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


def main():
    if not (ORACLE / "gunicorn").exists() or not SHARED.exists():
        print("skipped the round trip with the original: it is not installed (../shared/oracle/oracle.sh install)")
        return
    fall_into_venv()
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    binary = os.environ.get("LITESET_BINARY", str(target / "debug" / "liteset"))
    if not pathlib.Path(binary).exists():
        print("skipped the round trip with the original: liteset is not built")
        return
    with socket.socket() as s:
        s.settimeout(1)
        postgres = s.connect_ex(("127.0.0.1", 5432)) == 0 and shutil.which("pg_restore")
    kinds = sys.argv[1:] or (["sqlite", "pg"] if postgres else ["sqlite"])
    sys.exit(1 if sum(run(kind, binary) for kind in kinds) else 0)


if __name__ == "__main__":
    main()
