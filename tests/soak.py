#!/usr/bin/env python3
"""A server under mixed load for hours: does anything grow, and does anything fail that was not made to fail?

    python3 tests/soak.py [--minutes 120] [--binary PATH] [--every 10]

Starts liteset on a metadata database and data of its own, a PostgreSQL of its own that is killed and started again
every few minutes, and a mail server. On it: viewers of dashboards, editors, SQL Lab, uploads, exports, log-ins, clients
that hang up, reports each minute. Every `--every` seconds it writes down the server's memory, descriptors, threads,
temporary files, and the rows of its largest tables; at its end the slopes of the last three quarters, an hour.

An answer of 500 or above is an error unless the database that it asks was away within the last seconds. Exits with 1
when there was one, or when descriptors, threads or temporary files grew, or memory by more than a twentieth an hour.

Needs PostgreSQL's programs (initdb, psql). Two hours say something, three days say it for certain.
"""
import argparse, collections, http.client, json, os, pathlib, random, re, shutil, socket, sqlite3, subprocess, sys
import tempfile, threading, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
for folder in ("", "compat", "background"):
    sys.path.insert(0, str(ROOT / "tests" / folder))
import installation  # noqa: E402
import people  # noqa: E402
from cluster import Cluster  # noqa: E402
from sinks import Mail  # noqa: E402

# after a fault, until which errors are its
GRACE = 15
TABLES = ("logs", "query", "report_execution_log", "key_value", "cache_keys", "slices")


class Postgres(Cluster):
    """A cluster of this run, with a table, and until when errors are its own."""

    def __init__(self):
        super().__init__("soak")
        self.away = 0.0
        rows = "SELECT n AS id, n % 97 AS shelf, md5(n::text) AS label, now() - n * interval '1 minute' AS at"
        table = f"CREATE TABLE things AS {rows} FROM generate_series(1, 50000) n"
        subprocess.run(["psql", self.uri, "-qc", table], check=True)

    def kill(self):
        self.away = time.time() + 3600
        super().kill()

    def back(self):
        self.start()
        self.away = time.time()


class Server(installation.Installation):
    def __init__(self, binary, folder, mails):
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        settings = {
            "SUPERSET_FEATURE_ALERT_REPORTS": "true",
            "LITESET_SMTP_HOST": "127.0.0.1",
            "LITESET_SMTP_PORT": str(mails.port),
            "LITESET_SMTP_STARTTLS": "false",
            "LITESET_SMTP_USER": "",
            "LITESET_SMTP_MAIL_FROM": "soak@example.org",
            "LITESET_PREVENT_UNSAFE_DB_CONNECTIONS": "false",
            "LITESET_RATELIMIT_ENABLED": "false",
            "LITESET_WTF_CSRF_ENABLED": "false",
            "TMPDIR": str(self.temporary),
        }
        super().__init__(binary, folder, settings, ())
        self.address = self.base.removeprefix("http://")

    def facts(self):
        """Everything that should be flat."""
        process = pathlib.Path(f"/proc/{self.server.pid}")
        status = (process / "status").read_text()
        number = lambda name: int(re.search(rf"^{name}:\s+(\d+)", status, re.M)[1])
        files = [path for path in self.temporary.rglob("*") if path.is_file()]
        found = {
            "memory_kB": number("VmRSS"),
            "threads": number("Threads"),
            "descriptors": len(list((process / "fd").iterdir())),
            "temporary_files": len(files),
        }
        with sqlite3.connect(f"file:{self.home}/superset.db?mode=ro", uri=True, timeout=30) as db:
            for table in TABLES:
                found[f"rows of {table}"] = db.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
        return found


class Soak:
    def __init__(self, server, postgres):
        self.server, self.postgres, self.over = server, postgres, False
        self.answers, self.errors, self.excused = collections.Counter(), [], 0
        self.token = ""

    def ask(self, method, path, body=None, kind="", remote=False, content="application/json", session=None):
        """One request on a connection of its own thread; the answer's text, or nothing."""
        data = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
        head = {"Authorization": f"Bearer {self.token}", "Content-Type": content}
        for _ in range(2):
            if session.get("to") is None:
                session["to"] = http.client.HTTPConnection(self.server.address, timeout=120)
            try:
                session["to"].request(method, path, data, head)
                answer = session["to"].getresponse()
                text = answer.read()
                break
            except (OSError, http.client.HTTPException) as error:
                session["to"].close()
                session["to"] = None
                status, text = 0, str(error).encode()
        else:
            answer = None
        status = answer.status if answer else 0
        self.last = (status, text[:500])
        self.answers[kind, status] += 1
        if status == 0 or status >= 500:
            if remote and time.time() < self.postgres.away + GRACE:
                self.excused += 1
            else:
                self.errors.append(f"{kind}: {status} {method} {path[:120]}: {text[:300]!r}")
        return text.decode("utf-8", "replace") if 200 <= status < 300 else None

    def log_in(self, session):
        body = {"username": "admin", "password": people.PASSWORDS["admin"], "provider": "db"}
        text = self.ask("POST", "/api/v1/security/login", body, "log-in", session=session)
        return json.loads(text)["access_token"] if text else None

    def prepare(self):
        session = {}
        self.token = self.log_in(session)
        ask = lambda *a: json.loads(self.ask(*a, kind="prepare", session=session) or sys.exit(f"{a}: {self.last}"))
        uri = f"postgresql://soak@127.0.0.1:{self.postgres.port}/postgres"
        made = ask("POST", "/api/v1/database/", {"database_name": "comes and goes", "sqlalchemy_uri": uri,
                                                 "expose_in_sqllab": True})
        self.remote = made["id"]
        body = {"database": self.remote, "schema": "public", "table_name": "things"}
        self.remote_dataset = ask("POST", "/api/v1/dataset/", body)["id"]
        found = ask("GET", "/api/v1/database/")["result"]
        self.local = next(d["id"] for d in found if d["database_name"] == "examples")
        self.uploads = next((d["id"] for d in found if d["database_name"] == "uploads"), None)
        self.dashboards = [d["id"] for d in ask("GET", "/api/v1/dashboard/")["result"]]
        self.contexts = {}
        for board in self.dashboards:
            for chart in ask("GET", f"/api/v1/dashboard/{board}/charts")["result"]:
                form = chart["form_data"]
                source = int(str(form["datasource"]).split("__")[0])
                metrics = form.get("metrics") or ([form["metric"]] if form.get("metric") else ["count"])
                columns = [c for c in form.get("groupby") or [] if isinstance(c, str)]
                query = {"columns": columns, "metrics": metrics, "row_limit": 1000}
                self.contexts[chart["id"]] = {
                    "datasource": {"id": source, "type": "table"}, "queries": [query], "force": False,
                    "result_format": "json", "result_type": "full", "form_data": {"slice_id": chart["id"]},
                }  # fmt: skip
        for n in range(3):
            ask("POST", "/api/v1/report/", {
                "type": "Report", "name": f"soak {n}", "crontab": "* * * * *", "active": True, "report_format": "CSV",
                "chart": random.choice(list(self.contexts)), "creation_method": "alerts_reports",
                "recipients": [{"type": "Email", "recipient_config_json": {"target": "a@example.org"}}],
                "timezone": "UTC", "working_timeout": 3600, "grace_period": 14400,
            })  # fmt: skip

    # what people do, once through; every one is a thread that repeats it

    def view(self, session):
        board = random.choice(self.dashboards)
        for part in ("", "/charts", "/datasets"):
            self.ask("GET", f"/api/v1/dashboard/{board}{part}", kind="view", session=session)
        for context in random.sample(list(self.contexts.values()), min(4, len(self.contexts))):
            body = {**context, "force": random.random() < 0.2}
            self.ask("POST", "/api/v1/chart/data", body, "chart data", session=session)
        self.ask("GET", "/api/v1/chart/?q=(page:0,page_size:25)", kind="list", session=session)
        time.sleep(0.2)

    def view_remote(self, session):
        query = {"columns": ["shelf"], "metrics": ["count"], "row_limit": 100,
                 "filters": [{"col": "id", "op": ">", "val": random.randrange(50_000)}]}  # fmt: skip
        body = {"datasource": {"id": self.remote_dataset, "type": "table"}, "queries": [query],
                "result_format": random.choice(["json", "csv", "xlsx"]), "result_type": "full",
                "force": True}  # fmt: skip
        self.ask("POST", "/api/v1/chart/data", body, "remote data", True, session=session)
        time.sleep(0.3)

    def edit(self, session):
        name = f"soak {random.random()}"
        body = {"slice_name": name, "viz_type": "table", "datasource_id": self.remote_dataset,
                "datasource_type": "table", "params": "{}"}  # fmt: skip
        if text := self.ask("POST", "/api/v1/chart/", body, "edit", session=session):
            chart = json.loads(text)["id"]
            change = {"description": "x" * random.randrange(2000)}
            self.ask("PUT", f"/api/v1/chart/{chart}", change, "edit", session=session)
            self.ask("GET", f"/api/v1/chart/export/?q=!({chart})", kind="export", session=session)
            self.ask("DELETE", f"/api/v1/chart/{chart}", kind="edit", session=session)
        time.sleep(0.5)

    def sql(self, session):
        remote = random.random() < 0.5
        client = f"{random.getrandbits(40):x}"[:10]
        statement = f"SELECT {random.randrange(10**6)} AS n" + (", t.* FROM things t LIMIT 2000" if remote else "")
        body = {"database_id": self.remote if remote else self.local, "sql": statement, "client_id": client,
                "runAsync": False, "queryLimit": 2000}  # fmt: skip
        self.ask("POST", "/api/v1/sqllab/execute/", body, "SQL Lab", remote, session=session)
        self.ask("GET", f"/api/v1/sqllab/export/{client}/", kind="SQL Lab export", remote=remote, session=session)
        time.sleep(0.3)

    def hang_up(self, session):
        """Somebody who does not wait for a slow answer, and somebody who never finishes a question."""
        host, port = self.server.address.split(":")
        with socket.create_connection((host, int(port)), timeout=30) as s:
            body = json.dumps({"database_id": self.remote, "sql": "SELECT pg_sleep(20)", "runAsync": False,
                               "client_id": f"{random.getrandbits(40):x}"[:10]})  # fmt: skip
            head = f"Host: {self.server.address}\r\nAuthorization: Bearer {self.token}\r\n"
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            text = f"POST /api/v1/sqllab/execute/ HTTP/1.1\r\n{head}\r\n{body}"
            s.sendall(text[: random.choice([len(text), len(text) - 20, 40])].encode())
            time.sleep(random.uniform(0.1, 2))
        self.answers["hang up", 0] += 1

    def upload(self, session):
        if self.uploads is None:
            return time.sleep(60)
        edge = "soak-edge"
        rows = "\n".join(f"{n},{random.random()},text {n}" for n in range(2000))
        fields = {"type": "csv", "table_name": "soak", "already_exists": random.choice(["replace", "append"])}
        parts = [f'--{edge}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()]
        head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="s.csv"\r\n\r\n'
        parts.append(f"{head}a,b,c\n{rows}\r\n")
        body = "".join(parts) + f"--{edge}--\r\n"
        kind = f"multipart/form-data; boundary={edge}"
        path = f"/api/v1/database/{self.uploads}/upload/"
        self.ask("POST", path, body.encode(), "upload", content=kind, session=session)
        time.sleep(10)

    def come_and_go(self, session):
        self.log_in({})
        self.ask("GET", "/api/v1/me/", kind="me", session={})
        time.sleep(2)

    def fault(self, _):
        time.sleep(random.uniform(120, 240))
        if not self.over:
            self.postgres.kill()
            time.sleep(random.uniform(2, 12))
            self.postgres.back()
            self.answers["database killed", 0] += 1

    def repeat(self, deed):
        session = {}
        while not self.over:
            try:
                deed(session)
            except Exception as error:  # of the test itself: say it, and go on
                if not self.over:
                    self.errors.append(f"{deed.__name__}: {error!r}")
                    time.sleep(5)

    def start(self):
        deeds = [self.view] * 4 + [self.view_remote] * 2 + [self.edit] * 2 + [self.sql] * 2
        deeds += [self.hang_up, self.upload, self.come_and_go, self.fault]
        for deed in deeds:
            threading.Thread(target=self.repeat, args=(deed,), daemon=True).start()


def slope(samples, name):
    """Per hour, by least squares over the last three quarters."""
    points = [(at / 3600, facts[name]) for at, facts in samples[len(samples) // 4 :]]
    mean = [sum(p[i] for p in points) / len(points) for i in (0, 1)]
    spread = sum((x - mean[0]) ** 2 for x, _ in points) or 1
    return sum((x - mean[0]) * (y - mean[1]) for x, y in points) / spread, mean[1]


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--minutes", type=float, default=120)
    options.add_argument("--every", type=float, default=10, help="seconds between two samples")
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    options.add_argument("--binary", type=pathlib.Path, default=target / "release" / "liteset")
    arguments = options.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="liteset-soak-"))
    postgres, mails = Postgres(), Mail()
    server = Server(arguments.binary, folder, mails)
    soak = Soak(server, postgres)
    samples = []
    try:
        soak.prepare()
        soak.start()
        begun, renewed = time.time(), time.time()
        while (passed := time.time() - begun) < arguments.minutes * 60:
            time.sleep(arguments.every)
            if server.server.poll() is not None:
                sys.exit(f"the server ended by itself: {folder}")
            if time.time() - renewed > 600:  # tokens live a quarter of an hour
                soak.token, renewed = soak.log_in({}) or soak.token, time.time()
            samples.append((passed, server.facts()))
            if len(samples) % 30 == 1:
                print(f"{passed / 60:6.1f} min  {samples[-1][1]}  errors: {len(soak.errors)}", flush=True)
        soak.over = True
        time.sleep(5)
    finally:
        soak.over = True
        try:
            server.stop()
        except subprocess.TimeoutExpired:
            server.remove()
        postgres.remove()
    total = collections.Counter()
    for (kind, status), times in soak.answers.items():
        total[kind] += times
    print(f"{sum(total.values())} deeds in {arguments.minutes:g} minutes: {dict(total)}; mails: {len(mails.mails)}")
    grown = []
    for name in samples[-1][1]:
        hourly, mean = slope(samples, name)
        print(f"  {name}: mean {mean:.0f}, {hourly:+.1f} an hour")
        limit = {"memory_kB": 0.05 * mean, "threads": 2, "descriptors": 4, "temporary_files": 2}.get(name)
        if limit is not None and hourly > limit:
            grown.append(name)
    print(f"errors of a database that was away: {soak.excused}; other errors: {len(soak.errors)}")
    for text, times in collections.Counter(soak.errors).most_common(12):
        print(f"  {times} × {text}")
    if grown:
        print("grew:", ", ".join(grown))
    if soak.errors or grown:
        print("log:", folder / "server.log")
        sys.exit(1)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
