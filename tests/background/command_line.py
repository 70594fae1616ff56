#!/usr/bin/env python3
"""Compares the command line with the recorded runs of ../shared/compat/background/cli.jsonl; the count has a floor.

    python3 tests/background/command_line.py             the built binary on PostgreSQL (127.0.0.1:5432) and SQLite
    python3 tests/background/command_line.py --only fab  cases whose name has the word (the others run before them)
    python3 tests/background/command_line.py --raise     write the count into command_line_floor.json (it only rises)

The commands run in their recorded order on one database. Files that were only recorded as "a ZIP" are made here, with
what the rows afterwards say of them. Needs psql, and `cargo build` before.
"""
import argparse, gzip, io, json, os, pathlib, re, shutil, subprocess, sys, tempfile, zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SHARED = ROOT.parent / "shared"
FLOOR = pathlib.Path(__file__).with_name("command_line_floor.json")
SERVER = "postgresql://root:root@127.0.0.1:5432"
KEY = (SHARED / "fixtures" / "SECRET_KEY").read_text().strip() if SHARED.exists() else ""
EXAMPLES = "a2dc77af-e654-49bb-b321-40f6b559a1ee"

# Better on purpose, each with its reason: the outcome here, as far as it is compared.
BETTER = {
    "cli-sync-tags": "attaches the tags that are missing, where the original fails",
    "cli-lite-sync-tags": "attaches the tags that are missing, where the original adds rows without a name",
    "cli-db-current": "tells the revision; the recording misses what alembic prints past click",
    "cli-import-directory-overwrite": "imports the folder, where the original fails with half of it done",
    "cli-legacy-export-datasources": "the recording has what that import left behind, and its order",
    "cli-test-db": "tests the connection; there is no SQLAlchemy dialect to describe",
    "cli-db-heads": "tells the revision; the recording misses what alembic prints past click",
}


def zipped(kind, files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("x/metadata.yaml", f"version: 1.0.0\ntype: {kind}\ntimestamp: '2024-01-01T00:00:00+00:00'\n")
        for name, text in files.items():
            archive.writestr(f"x/{name}", text)
    return out.getvalue()


def dashboard(title):
    return {
        "dashboards/d.yaml": f"dashboard_title: {title}\nslug: null\ncss: ''\nposition: {{}}\nmetadata: {{}}\n"
        "uuid: b0000000-0000-4000-8000-0000000000c1\nversion: 1.0.0\n"
    }


def dataset(more):
    return {
        "databases/examples.yaml": "database_name: examples\n"
        "sqlalchemy_uri: postgresql+psycopg2://root:XXXXXXXXXX@127.0.0.1:5432/examples\n"
        f"expose_in_sqllab: true\nextra: {{}}\nuuid: {EXAMPLES}\nversion: 1.0.0\n",
        "datasets/examples/k.yaml": f"table_name: cli ds\nsql: SELECT 1 AS a\n{more}"
        "columns:\n- column_name: a\n  type: INT\nmetrics: []\n"
        f"uuid: d0000000-0000-4000-8000-0000000000c1\nversion: 1.0.0\ndatabase_uuid: {EXAMPLES}\n",
    }


ZIPS = {
    "i.zip": zipped("Dashboard", dashboard("cli dash")),
    "i2.zip": zipped("Dashboard", dashboard("cli dash renamed")),
    "bad.zip": zipped("Dashboard", {"dashboards/d.yaml": "slug: 3\nversion: 1.0.0\n"}),
    "k.zip": zipped("SqlaTable", dataset("")),
    "k2.zip": zipped("SqlaTable", dataset("description: changed\n")),
    "k3.zip": zipped("Dashboard", dataset("")),
}
CHARTS = "".join(
    "INSERT INTO slices (id, slice_name, viz_type, params) VALUES "
    f"({183 + n}, 'mv {n}', '{kind}', '{json.dumps(params)}');"
    for n, (kind, params) in enumerate(
        [
            ("treemap", {"metrics": ["count"], "viz_type": "treemap"}),
            ("line", {"metrics": ["count"], "viz_type": "line", "show_brush": "yes"}),
            ("dist_bar", {"metrics": ["count"], "groupby": ["a"], "viz_type": "dist_bar"}),
        ]
    )
)

# What the folder of `import-directory` has, which later cases count without it.
UNDO = "".join(
    f"DELETE FROM {table} WHERE {key} IN (SELECT id FROM {of} WHERE uuid::text LIKE '_0000000-%c2');"
    for table, key, of in [
        ("dashboard_slices", "dashboard_id", "dashboards"),
        ("dashboards", "id", "dashboards"),
        ("slices", "id", "slices"),
        ("table_columns", "table_id", "tables"),
        ("tables", "id", "tables"),
    ]
) + (
    "DELETE FROM ab_permission_view WHERE view_menu_id IN (SELECT id FROM ab_view_menu WHERE name LIKE '%cli dir ds%');"
    "DELETE FROM ab_view_menu WHERE name LIKE '%cli dir ds%';"
)


class Postgres:
    def __init__(self):
        self.name = f"liteset_command_line_{os.getpid()}"
        restore = ["bash", SHARED / "fixtures" / "restore.sh", "pg", self.name]
        subprocess.run(restore, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.uri = f"postgresql+psycopg2://root:root@127.0.0.1:5432/{self.name}"

    def run(self, sql):
        done = subprocess.run(["psql", "-qAtX", f"{SERVER}/{self.name}", "-c", sql], capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        return done.stdout

    def rows(self, sql):
        return json.loads(self.run(f"SELECT coalesce(json_agg(t), '[]') FROM ({sql}) t"))

    def drop(self):
        subprocess.run(["psql", "-qX", f"{SERVER}/postgres", "-c", f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)"])


class Sqlite:
    def __init__(self, folder):
        restore = ["bash", SHARED / "fixtures" / "restore.sh", "sqlite", folder]
        subprocess.run(restore, check=True, stdout=subprocess.DEVNULL)
        self.name, self.path = "superset", folder / "superset.db"
        self.uri = f"sqlite:///{self.path}"

    def rows(self, sql):
        import sqlite3

        with sqlite3.connect(self.path) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql)]

    def drop(self):
        pass


def shortened(text):
    return text if len(text) <= 1500 else f"{text[:1500]}...({len(text) - 1500} more characters)"


def stamped(name):
    return re.sub(r"\d{8}T\d{6}", "<ts>", name)


def described(path, head):
    content = path.read_bytes()
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            names = [stamped(info.filename) for info in archive.infolist()]
            kinds = sorted({info.compress_type for info in archive.infolist()})
        return {"zip_members": len(names), "names": names[:12], "compression": kinds}
    return {"bytes": len(content), "text": None, "head": content.decode()[:head]}


def files_of(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def without_log(text):
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("{"))


def run_step(step, database, binary, folder, environment):
    """The step as it went here, in the recorded form."""
    if step["args"][:2] == ["migrate-viz", "upgrade"] and step["args"][-1] == "treemap":
        database.run(CHARTS)
    for name, content in step.get("given_files", {}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = content.replace("<time>", "2024-01-01T00:00:00+00:00")
        path.write_bytes(ZIPS[name] if content == "<zip>" else content.encode())
    before, recorded = files_of(folder), step.get("rows", [])
    rows = [database.rows(query["sql"]) for query in recorded]
    given = {"input": step.get("stdin", ""), "capture_output": True, "text": True}
    done = subprocess.run([binary, *step["args"]], cwd=folder, env=environment, **given)
    stdout = done.stdout.replace(database.name, "superset")
    out = {"args": step["args"], "exit_code": done.returncode, "stdout": shortened(stdout)}
    out |= {key: step[key] for key in ("stdin", "given_files") if key in step}
    out["stderr"] = without_log(done.stderr)
    # which class of Python was raised is not to be seen from outside
    out["exception"] = step.get("exception") if done.returncode == step.get("exit_code") else "?"
    heads = {stamped(name): len(file.get("head", "")) for name, file in step.get("files", {}).items()}
    made = sorted(files_of(folder) - before)
    out["files"] = {stamped(name): described(folder / name, heads.get(stamped(name), 600)) for name in made}
    out["rows"] = []
    for query, earlier in zip(recorded, rows):
        later = database.rows(query["sql"])
        told = {"same": later} if "same" in query and earlier == later else {"before": earlier, "after": later}
        out["rows"].append({"sql": query["sql"], **told})
    return out


def comparable(step):
    step = dict(step)
    if "files" in step:
        step["files"] = {stamped(name): file for name, file in step["files"].items()}
    if "SAWarning" in step.get("stderr", ""):
        step["stderr"] = ""
    return step


def run_all(cases, database, binary, base, only):
    folder = base / "cwd"
    folder.mkdir()
    config = base / "superset_config.py"
    config.write_text(
        f"SECRET_KEY = {KEY!r}\nSQLALCHEMY_DATABASE_URI = {database.uri!r}\nPREVENT_UNSAFE_DB_CONNECTIONS = False\n"
        "FEATURE_FLAGS = {'TAGGING_SYSTEM': True}\n"
    )
    environment = {**os.environ, "LITESET_CONFIG": str(config), "SUPERSET_HOME": str(base), "HOME": str(base)}
    import check_background

    passed = judged = 0
    for case in cases:
        steps = [run_step(step, database, binary, folder, environment) for step in case["steps"]]
        if case["id"] == "cli-import-directory-overwrite":
            database.run(UNDO)
        if only and only not in case["id"]:
            continue
        if case.get("hidden"):
            if only:
                print(case["id"], json.dumps([{k: s[k] for k in ("exit_code", "stdout", "stderr")} for s in steps]))
            continue
        judged += 1
        differs = check_background.diff([comparable(step) for step in case["steps"]], steps)
        better = next((why for start, why in BETTER.items() if case["id"].startswith(start)), None)
        if differs and better:
            print(f"{case['id']}: {better}")
            differs = [] if steps[0]["exit_code"] == 0 else differs
        if differs:
            print("FAIL", case["id"], *differs[:4], sep="\n   ")
        passed += not differs
    return passed, judged


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    options.add_argument("--binary", type=pathlib.Path, default=target / "debug" / "liteset")
    options.add_argument("--golden", type=pathlib.Path, default=SHARED / "compat" / "background" / "cli.jsonl.gz")
    options.add_argument("--only")
    options.add_argument("--raise", dest="raise_floor", action="store_true")
    arguments = options.parse_args()
    sys.path.insert(0, str(SHARED / "compat" / "background"))
    with gzip.open(arguments.golden, "rt", encoding="utf-8") as file:
        cases = [json.loads(line) for line in file if line.strip()]
    base = pathlib.Path(tempfile.mkdtemp(prefix="liteset-command-line-"))
    # called by Superset's name, the program goes by it
    binary = base / "superset"
    binary.symlink_to(arguments.binary.resolve())
    passed = judged = 0
    is_lite = lambda case: case["id"].startswith("cli-lite")
    for name, make in (("pg", lambda _: Postgres()), ("lite", Sqlite)):
        folder = base / name
        folder.mkdir()
        database = make(folder)
        try:
            own = [case for case in cases if is_lite(case) == (name == "lite")]
            some = run_all(sorted(own, key=lambda case: case.get("order", 0)), database, binary, folder, arguments.only)
            passed, judged = passed + some[0], judged + some[1]
        finally:
            database.drop()
    shutil.rmtree(base, ignore_errors=True)
    floor = json.loads(FLOOR.read_text())["cli"] if FLOOR.exists() else 0
    print(f"cli: {passed} of {judged} passed, the floor is {floor}")
    if arguments.raise_floor and not arguments.only:
        FLOOR.write_text(json.dumps({"cli": max(passed, floor)}) + "\n")
    sys.exit(1 if passed < floor and not arguments.only else 0)


if __name__ == "__main__":
    main()
