#!/usr/bin/env python3
"""How long moves of large installations take, and how much memory: measures, and fails where what comes back is not
what went out.

    python3 tests/moving.py LITESET bundles [--objects 10000] [--on URI] [--to URI]
    python3 tests/moving.py LITESET backup [--megabytes 1024] [--row KILOBYTES] [--on URI] [--to URI]

`bundles` makes an installation of so many charts, datasets and dashboards and moves them as folders and ZIP files, over
the command line and the API. `backup` makes one whose log, queries and key_value hold so much, backs it up and restores
it. Both begin in SQLite; `--on` names an empty PostgreSQL or MySQL database that `db copy` moves it to before anything
is measured, `--to` an empty one to import or restore into. Prints seconds and the peak memory of each process.
"""
import argparse, contextlib, http.cookiejar, json, os, pathlib, random, re, shutil, socket, sqlite3, subprocess, sys
import tempfile, time, urllib.error, urllib.parse, urllib.request, uuid, zipfile

PASSWORD = "only-for-measuring"
KEY = "only-for-measuring-0123456789-0123456789"
COLUMNS, METRICS, CHARTS_OF_A_DASHBOARD = 20, 3, 10
# ids in one address
BULK = 1500
NOW = "2026-01-02 03:04:05.000000"
failed = 0


def check(what, fine, detail=""):
    global failed
    failed += not fine
    if not fine:
        print(f"FAILED {what}: {detail}", flush=True)


def environment(uri):
    mine = {k: v for k, v in os.environ.items() if not k.startswith(("LITESET_", "SUPERSET_"))}
    mine |= {"LITESET_SECRET_KEY": KEY, "LITESET_LOG": "warn", "LITESET_MAX_UPLOAD_MB": "2000"}
    return mine | ({"LITESET_SQLALCHEMY_DATABASE_URI": uri} if uri else {})


def peak(pid):
    """Megabytes that the process had at most."""
    return int(re.search(r"^VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)[1]) // 1024


def tell(what, seconds, megabytes, more=""):
    print(f"{what:44} {seconds:8.2f} s  {megabytes:5} MB  {more}", flush=True)


class Installation:
    def __init__(self, binary, home, uri=None):
        self.binary, self.home, self.uri = binary, home, uri or f"sqlite:///{home / 'superset.db'}"
        self.made = uri is not None
        home.mkdir(exist_ok=True)

    def run(self, what, *arguments, fine=True):
        """Runs a verb and measures it; what it said."""
        command = [self.binary, *map(str, arguments), "--home", str(self.home)]
        began = time.time()
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            process = subprocess.Popen(command, env=environment(self.uri), stdout=out, stderr=err)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0), err.seek(0)
            said, complaints = out.read(), err.read()
        last = (said.strip().splitlines() or [""])[-1]
        if what:
            tell(what, time.time() - began, usage.ru_maxrss // 1024, last[:60])
        check(what or arguments[0], (process.returncode == 0) == fine, complaints[-1500:])
        return said

    @contextlib.contextmanager
    def served(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        log = open(self.home / "server.log", "w")
        command = [self.binary, "run", "--home", str(self.home), "--port", str(port), "--no-examples", "--no-uploads"]
        command += ["--admin-password", PASSWORD]
        process = subprocess.Popen(command, env=environment(self.uri if self.made else None), stdout=log, stderr=log)
        try:
            for _ in range(600):
                if process.poll() is not None:
                    break
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2)
                    yield Client(f"http://127.0.0.1:{port}", process.pid)
                    return
                time.sleep(0.1)
            sys.exit(f"liteset does not answer: {(self.home / 'server.log').read_text()[-2000:]}")
        finally:
            process.terminate()
            process.wait()

    def start_once(self):
        """Makes the installation, without examples."""
        with self.served():
            pass
        self.made = True
        return self


class Client:
    def __init__(self, base, pid):
        self.base, self.pid, jar = base, pid, http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))

    def log_in(self):
        page = self.opener.open(self.base + "/login/").read().decode()
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)[1]
        form = urllib.parse.urlencode({"username": "admin", "password": PASSWORD, "csrf_token": token})
        self.opener.open(self.base + "/login/", form.encode())
        self.token = json.load(self.opener.open(self.base + "/api/v1/security/csrf_token/"))["result"]

    def measured(self, what, work):
        # the peak begins anew
        pathlib.Path(f"/proc/{self.pid}/clear_refs").write_text("5")
        began, before = time.time(), peak(self.pid)
        more = work()
        tell(what, time.time() - began, peak(self.pid), f"{before} MB before; {more}")

    def download(self, what, path, file):
        def work():
            with self.opener.open(self.base + path) as answer, open(file, "wb") as out:
                shutil.copyfileobj(answer, out)
            return f"{file.stat().st_size >> 20} MB of ZIP"

        self.measured(what, work)

    def upload(self, what, path, field, file, **fields):
        def work():
            edge = uuid.uuid4().hex
            head = "".join(
                f'--{edge}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()
            )
            head += f'--{edge}\r\nContent-Disposition: form-data; name="{field}"; filename="x.zip"\r\n\r\n'
            body = head.encode() + file.read_bytes() + f"\r\n--{edge}--\r\n".encode()
            headers = {"Content-Type": f"multipart/form-data; boundary={edge}", "X-CSRFToken": self.token}
            request = urllib.request.Request(self.base + path, body, headers | {"Accept": "application/json"})
            try:
                return self.opener.open(request).read().decode()[:60]
            except urllib.error.HTTPError as error:
                check(what, False, error.read()[:500])
                return str(error)

        self.measured(what, work)


def insert(c, table, rows):
    names = list(rows[0])
    marks = ", ".join("?" for _ in names)
    listed = ", ".join(f'"{name}"' for name in names)
    c.executemany(f"insert into {table} ({listed}) values ({marks})", [list(row.values()) for row in rows])


def audited(**columns):
    by = {"created_by_fk": 1, "changed_by_fk": 1}
    return {"created_on": NOW, "changed_on": NOW} | by | columns


def fill_with_objects(path, objects):
    """A tenth of them dashboards, a fifth datasets of twenty columns, the rest charts."""
    c, chance = sqlite3.connect(path), random.Random(1)
    dashboards, datasets = objects // 10, objects // 5
    charts = objects - dashboards - datasets
    new = lambda: chance.randbytes(16)
    no = ("allow_run_async", "allow_ctas", "allow_cvas", "allow_dml", "allow_file_upload", "impersonate_user")
    nowhere = "postgresql://x@127.0.0.1:1/x"
    database = audited(id=9, database_name="warehouse", sqlalchemy_uri=nowhere, extra="{}", uuid=new())
    insert(c, "dbs", [database | dict.fromkeys(no, 0) | {"expose_in_sqllab": 1}])
    for table in ("slices", "dashboard_slices", "dashboards", "sql_metrics", "table_columns", "tables"):
        c.execute(f"delete from {table}")
    insert(c, "tables", [
        audited(id=n, table_name=f"table_{n}", database_id=9, schema="main", uuid=new(), offset=0, params="{}",
                perm=f"[warehouse].[t](id:{n})", schema_perm="[warehouse].[main]", filter_select_enabled=1,
                extra='{"certification": {"certified_by": "x"}}')
        for n in range(1, datasets + 1)
    ])  # fmt: skip
    insert(c, "table_columns", [
        audited(table_id=n, column_name=f"column_{m}", is_dttm=int(m == 0), is_active=1, type="VARCHAR(255)", groupby=1,
                filterable=1, description=f"What column {m} of table {n} is about, in words", uuid=new())
        for n in range(1, datasets + 1) for m in range(COLUMNS)
    ])  # fmt: skip
    insert(c, "sql_metrics", [
        audited(table_id=n, metric_name=f"metric_{m}", expression=f"SUM(column_{m})", uuid=new())
        for n in range(1, datasets + 1) for m in range(METRICS)
    ])  # fmt: skip
    uuids, rows = {}, []
    for n in range(1, charts + 1):
        dataset = chance.randrange(1, datasets + 1)
        filters = [
            {"expressionType": "SIMPLE", "subject": f"column_{m}", "operator": "IN", "comparator": ["a", "b", f"c{m}"],
             "clause": "WHERE", "filterOptionName": f"filter_{n}_{m}"}
            for m in range(6)
        ]  # fmt: skip
        form_data = {"datasource": f"{dataset}__table", "viz_type": "table", "slice_id": n, "adhoc_filters": filters,
                     "groupby": [f"column_{m}" for m in range(8)], "metrics": ["metric_0"], "row_limit": 1000,
                     "color_scheme": "supersetColors", "time_range": "No filter"}  # fmt: skip
        query = {"filters": [], "extras": {"where": ""}, "columns": form_data["groupby"], "metrics": ["metric_0"]}
        context = {"datasource": {"id": dataset, "type": "table"}, "force": False, "queries": [query],
                   "form_data": form_data, "result_format": "json", "result_type": "full"}  # fmt: skip
        uuids[n] = new()
        rows.append(audited(
            id=n, slice_name=f"Chart {n}", datasource_type="table", datasource_id=dataset, viz_type="table",
            params=json.dumps(form_data), query_context=json.dumps(context), uuid=uuids[n],
            perm=f"[warehouse].[t](id:{dataset})", datasource_name=f"main.table_{dataset}",
            schema_perm="[warehouse].[main]",
        ))  # fmt: skip
    insert(c, "slices", rows)
    rows, links = [], []
    for n in range(1, dashboards + 1):
        shown = chance.sample(range(1, charts + 1), min(charts, CHARTS_OF_A_DASHBOARD))
        names = [f"CHART-{m}" for m in shown]
        position = {
            "DASHBOARD_VERSION_KEY": "v2",
            "ROOT_ID": {"children": ["GRID_ID"], "id": "ROOT_ID", "type": "ROOT"},
            "GRID_ID": {"children": ["ROW-1"], "id": "GRID_ID", "parents": ["ROOT_ID"], "type": "GRID"},
            "ROW-1": {"children": names, "id": "ROW-1", "type": "ROW", "parents": ["ROOT_ID", "GRID_ID"], "meta": {}},
        }
        for m, name in zip(shown, names):
            named = str(uuid.UUID(bytes=uuids[m]))
            meta = {"chartId": m, "height": 50, "width": 4, "sliceName": f"Chart {m}", "uuid": named}
            position[name] = {"children": [], "id": name, "type": "CHART", "meta": meta, "parents": ["ROW-1"]}
        target = {"datasetId": chance.randrange(1, datasets + 1), "column": {"name": "column_1"}}
        native = [{"id": f"NATIVE_FILTER-{n}", "name": "Filter", "filterType": "filter_select", "targets": [target],
                   "scope": {"rootPath": ["ROOT_ID"], "excluded": []}}]  # fmt: skip
        metadata = {"native_filter_configuration": native, "chart_configuration": {str(m): {"id": m} for m in shown}}
        rows.append(audited(id=n, dashboard_title=f"Dashboard {n}", slug=f"d{n}", published=1, uuid=new(),
                            position_json=json.dumps(position), json_metadata=json.dumps(metadata)))  # fmt: skip
        links += [{"dashboard_id": n, "slice_id": m} for m in shown]
    insert(c, "dashboards", rows)
    insert(c, "dashboard_slices", links)
    c.commit()
    c.close()
    return {"charts": charts, "datasets": datasets, "dashboards": dashboards}


def members(path):
    """Files of a bundle without their root and without the moment of the export."""
    with zipfile.ZipFile(path) as bundle:
        found = {name.split("/", 1)[1]: bundle.read(name) for name in bundle.namelist()}
    found["metadata.yaml"] = re.sub(rb"timestamp: .*", b"", found["metadata.yaml"])
    return found


def documents(folder):
    """What each object of a folder says, without the numbers that every installation gives anew and the folds."""
    found = {}
    for path in folder.rglob("*.yaml"):
        text = path.read_text()
        if named := re.search("^uuid: (.*)$", text, re.M):
            found[path.relative_to(folder).parts[0], named[1]] = re.sub(r"[\d\s\\]+", "", text)
    return found


def moved(installation, on):
    """The installation on another database, when one is named."""
    if not on:
        return installation
    installation.run("db copy", "db", "copy", "--to", on)
    return Installation(installation.binary, installation.home, on)


def bundles(binary, folder, options):
    full = Installation(binary, folder / "full").start_once()
    counts = fill_with_objects(folder / "full" / "superset.db", options.objects)
    print(counts, flush=True)
    full = moved(full, options.on)
    empty = [Installation(binary, folder / f"empty{n}").start_once() for n in range(3)]
    empty[0] = moved(empty[0], options.to)
    one, two, zipped = folder / "one", folder / "two", folder / "dashboards.zip"
    full.run("export-dashboards", "export-dashboards", "-f", zipped)
    full.run("export DIR", "export", one)
    again = full.run("export DIR again", "export", one)
    check("unchanged", "0 added, 0 changed, 0 removed" in again, again[-200:])
    plan = full.run("import DIR --dry-run, nothing new", "import", one, "--dry-run")
    check("nothing to import", "0 added, 0 changed" in plan, plan[-200:])
    full.run("import DIR, nothing new", "import", one)
    # an import writes parameters of charts in a form of its own
    full.run("", "export", one)
    full.run("", "export-dashboards", "-f", zipped)
    empty[0].run("import DIR into an empty one", "import", one)
    empty[0].run("", "export", two)
    there, here = documents(one), documents(two)
    other = [key for key in there if there[key] != here.get(key)]
    check("what came in goes out again", not other and len(there) == len(here), other[:3])
    empty[1].run("import-dashboards into an empty one", "import-dashboards", "-p", zipped, "-u", "admin")
    empty[1].run("import-dashboards again", "import-dashboards", "-p", zipped, "-u", "admin")
    with full.served() as client:
        client.log_in()
        client.download("GET assets/export", "/api/v1/assets/export/", folder / "assets.zip")
        for resource, file in (("chart", folder / "charts.zip"), ("dashboard", folder / "again.zip")):
            ids = range(1, min(counts[resource + "s"], BULK) + 1)
            path = f"/api/v1/{resource}/export/?q=!({','.join(map(str, ids))})"
            client.download(f"GET {resource}/export of {len(ids)}", path, file)
    if counts["dashboards"] <= BULK:
        check("command line and API agree", members(zipped) == members(folder / "again.zip"))
    with empty[2].served() as client:
        client.log_in()
        for again in ("", " again"):
            client.upload("POST assets/import" + again, "/api/v1/assets/import/", "bundle", folder / "assets.zip")
        path = "/api/v1/dashboard/import/"
        client.upload("POST dashboard/import again", path, "formData", zipped, overwrite="true")


def fill_with_megabytes(path, megabytes, kilobytes):
    """A quarter log, a quarter queries, the rest key_value in rows of so many kilobytes."""
    c, chance = sqlite3.connect(path), random.Random(1)
    words = [chance.randbytes(3).hex() for _ in range(2000)]
    text = lambda length: " ".join(chance.choices(words, k=length // 7 + 1))[:length]
    many = [text(500) for _ in range(500)]
    quarter = megabytes << 18
    log = lambda n: {"action": "log", "user_id": 1, "dttm": NOW, "json": json.dumps({"n": n, "text": many[n % 500]})}
    insert(c, "logs", [log(n) for n in range(quarter // 600)])
    many = [text(4000) for _ in range(500)]
    query = lambda n: {"client_id": f"q{n}", "database_id": 1, "user_id": 1, "sql": f"select {n}, {many[n % 500]}",
                       "changed_on": NOW, "start_time": 1795212350450.5}  # fmt: skip
    insert(c, "query", [query(n) for n in range(quarter // 4100)])
    many = [text(kilobytes << 10).encode() for _ in range(20)]
    for n in range(max(2 * quarter // (kilobytes << 10), 1)):
        value = b"%d " % n + many[n % 20]
        insert(c, "key_value", [{"resource": "superset_metastore_cache", "value": value, "uuid": chance.randbytes(16)}])
    c.commit()
    c.close()


def checksums(file):
    with zipfile.ZipFile(file) as backup:
        manifest = json.loads(backup.read("manifest.json"))
    return {table["name"]: (table["rows"], table["sha256"]) for table in manifest["tables"]}


def backup(binary, folder, options):
    full = Installation(binary, folder / "full").start_once()
    fill_with_megabytes(folder / "full" / "superset.db", options.megabytes, options.row)
    print(f"{(folder / 'full' / 'superset.db').stat().st_size >> 20} MB of SQLite", flush=True)
    full = moved(full, options.on)
    (folder / "other").mkdir()
    other = Installation(binary, folder / "other", options.to)
    one, two = folder / "one.backup", folder / "two.backup"
    full.run("backup", "backup", one)
    other.run("restore", "restore", one)
    other.run("restore --replace", "restore", one, "--replace")
    other.run("backup of what was restored", "backup", two)
    before, after = checksums(one), checksums(two)
    large = ("logs", "query", "key_value")
    check("rows", {t: rows for t, (rows, _) in before.items()} == {t: rows for t, (rows, _) in after.items()})
    check("contents", all(before[table] == after[table] for table in large), [(before[t], after[t]) for t in large])
    print(f"{one.stat().st_size >> 20} MB of backup; {sum(rows for rows, _ in after.values())} rows came back")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("liteset")
    parser.add_argument("what", choices=("bundles", "backup"))
    parser.add_argument("--objects", type=int, default=10_000)
    parser.add_argument("--megabytes", type=int, default=1024)
    parser.add_argument("--row", type=int, default=64)
    parser.add_argument("--on")
    parser.add_argument("--to")
    parser.add_argument("--keep", action="store_true", help="leave the folder")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="liteset-moving-"))
    try:
        {"bundles": bundles, "backup": backup}[options.what](options.liteset, folder, options)
    finally:
        if options.keep:
            print(f"left in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
