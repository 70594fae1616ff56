#!/usr/bin/env python3
"""Thumbnails against ../shared/compat/background: digests for users and executors, endpoints and cache contents.

    python3 tests/background/thumbnails.py                  both fixtures for digests, PostgreSQL's for endpoints
    python3 tests/background/thumbnails.py --only lite      digests on SQLite
    python3 tests/background/thumbnails.py --only steps     endpoints (needs redis-server and Chromium)

Needs a built binary (`cargo build`), `restore.sh` of ../shared/fixtures, psql for PostgreSQL. Fails when
fewer cases agree than FLOORS says.
"""
import argparse, base64, gzip, json, os, pathlib, pickle, re, shutil, socket, sqlite3, struct, subprocess
import sys, tempfile, time, urllib.error, urllib.parse, urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SHARED = ROOT.parent / "shared"
RECORDED = SHARED / "compat" / "background"
# digests: those of every user and executor whom the lists show the objects
FLOORS = {"lite": 862, "pg": 862, "steps": 3}
PASSWORDS = {"admin": "admin", **{name: f"compat-{name}" for name in ("alpha", "gamma", "reader", "sqllab")}}
EXECUTORS = {
    "creator": ["creator"],
    "owner": ["owner"],
    "owner_then_fixed_reader": ["owner", {"username": "reader"}],
    "fixed_admin": [{"username": "admin"}],
}
sys.path.insert(0, str(RECORDED))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """liteset on a fixture; `settings` are keys of the configuration."""

    def __init__(self, folder, uri, settings):
        key = (SHARED / "fixtures" / "SECRET_KEY").read_text().strip()
        lines = {"SECRET_KEY": key, "SQLALCHEMY_DATABASE_URI": uri, "TALISMAN_ENABLED": False}
        lines |= {"RATELIMIT_ENABLED": False, "PREVENT_UNSAFE_DB_CONNECTIONS": False, **settings}
        config = folder / "superset_config.py"
        config.write_text("".join(f"{name} = {value!r}\n" for name, value in lines.items()))
        binary = os.environ.get("LITESET_BINARY") or pathlib.Path(
            os.environ.get("CARGO_TARGET_DIR", ROOT / "target"), "debug", "liteset"
        )
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.log = folder / "server.log"
        command = [binary, "run", "--config", config, "--home", folder / "home", "--port", str(self.port)]
        self.process = subprocess.Popen(command, stderr=open(self.log, "w"))
        for _ in range(600):
            try:
                urllib.request.urlopen(self.base + "/health", timeout=5)
                return
            except OSError:
                if self.process.poll() is not None:
                    sys.exit(f"liteset did not start: {self.log.read_text()}")
                time.sleep(0.1)
        sys.exit("liteset did not answer")

    def stop(self):
        self.process.terminate()
        self.process.wait(60)

    def client(self, name=None):
        client = Client(self.base)
        if name:
            client.log_in(name)
        return client


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Client:
    def __init__(self, base):
        self.base, self.headers = base, {}
        self.opener = urllib.request.build_opener(NoRedirect)

    def log_in(self, name):
        body = {"username": name, "password": PASSWORDS[name], "provider": "db", "refresh": False}
        answer = self.ask("POST", "/api/v1/security/login", body)
        self.headers = {"Authorization": "Bearer " + json.loads(answer[2])["access_token"]}

    def ask(self, method, path, body=None):
        """Status, headers, bytes."""
        path = urllib.parse.quote(path, safe="/?=&()!:,'%<>-_.~*")
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data=data, method=method, headers=dict(self.headers))
        if data is not None:
            request.add_header("Content-Type", "application/json")
        try:
            answer = self.opener.open(request, timeout=120)
        except urllib.error.HTTPError as error:
            answer = error
        return answer.status, answer.headers, answer.read()

    def thumbnails(self, kind):
        """Digest by id."""
        found, page = {}, 0
        while True:
            q = f"(columns:!(id,thumbnail_url),page:{page},page_size:100)"
            rows = json.loads(self.ask("GET", f"/api/v1/{kind}/?q={q}")[2])["result"]
            for row in rows:
                url = row["thumbnail_url"]
                found[str(row["id"])] = url and url.rstrip("/").split("/")[-1]
            if len(rows) < 100:
                return found
            page += 1


def restore(kind, target):
    subprocess.run(["bash", SHARED / "fixtures" / "restore.sh", kind, str(target)], check=True, capture_output=True)


SHOW_ALL = """
INSERT INTO ab_user_role (id, user_id, role_id)
  SELECT 9000 + u.id, u.id, 9000 FROM ab_user u WHERE u.username <> 'admin';
UPDATE dashboards SET published = {true};
"""
ROLE = """
INSERT INTO ab_role (id, name) VALUES (9000, 'Sees all');
INSERT INTO ab_permission_view_role (id, permission_view_id, role_id) SELECT 9000000 + pv.id, pv.id, 9000
  FROM ab_permission_view pv JOIN ab_permission p ON p.id = pv.permission_id
  JOIN ab_view_menu v ON v.id = pv.view_menu_id WHERE (p.name, v.name) IN
  (('all_datasource_access', 'all_datasource_access'), ('can_read', 'Chart'), ('can_read', 'Dashboard'));
"""


class Fixture:
    """A restored installation in which everybody sees all charts and dashboards: digests do not depend on that."""

    def __init__(self, name, folder, show_all):
        self.name, self.database = name, f"browser_thumbnails_{os.getpid()}"
        script = ROLE + SHOW_ALL if show_all else ""
        if name == "pg":
            restore("pg", self.database)
            self.uri = f"postgresql://root:root@127.0.0.1:5432/{self.database}"
            if script:
                run = ["psql", "-qd", self.database, "-v", "ON_ERROR_STOP=1", "-c", script.format(true="true")]
                subprocess.run(run, check=True)
        else:
            restore("sqlite", folder)
            self.uri = f"sqlite:///{folder}/superset.db?check_same_thread=false"
            with sqlite3.connect(folder / "superset.db") as db:
                db.executescript(script.format(true="1"))

    def sql(self, text):
        command = ["psql", "-qAtd", self.database, "-v", "ON_ERROR_STOP=1", "-c", text]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def started(self, start):
        """A server whose own rows of key_value (signs of life) do not take the ids of the recorded permalinks."""
        sequence = "pg_get_serial_sequence('key_value', 'id')"
        last = self.sql("SELECT coalesce(max(id), 0) FROM key_value WHERE id < 1000000")
        self.sql(f"SELECT setval({sequence}, 1000000 + (SELECT count(*) FROM key_value WHERE id >= 1000000))")
        server = start()
        own = "SELECT count(DISTINCT resource) FROM key_value WHERE resource IN ('liteset_process', 'liteset_beat')"
        for _ in range(600):
            if self.sql(own) == "2":
                self.sql(f"SELECT setval({sequence}, {last})")
                return server
            time.sleep(0.1)
        server.stop()
        sys.exit("liteset gives no sign of life")

    def drop(self):
        if self.name == "pg":
            subprocess.run(["dropdb", "--if-exists", "-f", self.database], capture_output=True)


def digests(name):
    """How many digests agree."""
    from check_background import diff

    golden = json.load(open(RECORDED / f"digests.{name}.json"))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="liteset-digests-"))
    fixture = Fixture(name, folder, show_all=True)
    agreed, wrong = 0, []
    try:
        for kind in ["current_user", *EXECUTORS]:
            settings = {"THUMBNAIL_EXECUTORS": EXECUTORS.get(kind, ["current_user"])}
            server = Server(folder, fixture.uri, settings)
            try:
                users = [group.split("/")[1] for group in golden if group.startswith(kind + "/")]
                users = users if kind == "current_user" else ["admin"]
                for user in users:
                    # nobody sees no list
                    if user == "anonymous":
                        continue
                    group = f"{kind}/{user}" if kind == "current_user" else kind
                    client = server.client(user)
                    for what, expected in golden[group].items():
                        got = client.thumbnails(what)
                        for id, digest in expected.items():
                            if got.get(id, "not in the list") == digest:
                                agreed += 1
                            else:
                                wrong.append((group, what, id, digest, got.get(id, "not in the list")))
            finally:
                server.stop()
    finally:
        fixture.drop()
        shutil.rmtree(folder, ignore_errors=True)
    for line in wrong[:20]:
        print("  differs:", *line)
    print(f"{name}: {agreed} digests agree, {len(wrong)} differ")
    return agreed


# ---------------------------------------------------------------------------------------------- endpoints and cache
def png_size(data):
    return list(struct.unpack(">II", data[16:24])) if data[:8] == b"\x89PNG\r\n\x1a\n" else None


class Redis:
    """A Redis server of its own."""

    def __init__(self, folder):
        self.port = free_port()
        command = ["redis-server", "--port", str(self.port), "--save", "", "--appendonly", "no", "--bind", "127.0.0.1"]
        self.process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
        for _ in range(100):
            try:
                self.connection = socket.create_connection(("127.0.0.1", self.port), 5).makefile("rwb")
                return
            except OSError:
                time.sleep(0.1)
        sys.exit("redis-server did not start")

    def ask(self, *words):
        words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        self.connection.write(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        self.connection.flush()
        return self.read()

    def read(self):
        line = self.connection.readline()[:-2]
        kind, rest = line[:1], line[1:]
        if kind == b"$":
            data = None if rest == b"-1" else self.connection.read(int(rest) + 2)[:-2]
            return data
        if kind == b"*":
            return [self.read() for _ in range(int(rest))]
        return int(rest) if kind == b":" else rest

    def thumbnails(self):
        """All entries as Superset would unpickle them."""
        entries = []
        for key in sorted(self.ask("KEYS", "thumb_*")):
            value = self.ask("GET", key)
            assert value[:1] == b"!", "not as cachelib writes it"
            value = pickle.loads(value[1:])
            if value["image"]:
                width, height = png_size(base64.b64decode(value["image"]))
                value["image"] = f"<base64 png {width}x{height}>"
            value["timestamp"] = "<time>"
            entries.append({"key": key.decode(), "value": value, "ttl_set": self.ask("TTL", key) > 0})
        return entries


class Replay:
    """Asks a recorded sequence again."""

    def __init__(self, server, redis):
        self.server, self.redis = server, redis
        self.clients = {name: server.client(name) for name in ("admin", "gamma", "reader")}
        self.clients["anonymous"] = server.client()

    def sequence(self, case):
        self.hashes, self.works = {}, case["id"] == "thumb-with-worker"
        self.redis.ask("FLUSHALL")
        return {"id": case["id"], "steps": [self.step(step) for step in case["steps"]]}

    def step(self, golden):
        if "cache" in golden:
            self.wait()
            # liteset has no queue in Redis
            return {"name": golden["name"], "cache": self.redis.thumbnails(), "queue": golden["queue"]}
        request = golden["request"]
        who = next((w for w in ("gamma", "reader", "anonymous") if w in golden["name"]), "admin")
        if golden["name"] not in ("screenshot-image-while-pending",):
            self.wait()
        path = re.sub(r"<hash-\d+>", lambda m: self.real(m[0], request["path"]), request["path"])
        status, headers, body = self.clients[who].ask(request["method"], path, request.get("json"))
        kind = headers.get("Content-Type")
        if kind == "image/png":
            shown = {"image": ["png", *png_size(body)]}
        elif kind == "application/pdf":
            shown = {"pdf_pages": len(re.findall(rb"/Type\s*/Page(?![s\w])", body))}
        elif kind.startswith("text/html"):
            shown = "<html>"
        else:
            shown = self.mask(json.loads(body))
        location = headers.get("Location")
        answer = {
            "status": status,
            "content_type": kind,
            "location": location and self.mask(location),
            "headers": {k: headers[k] for k in golden["response"]["headers"] if k in headers},
            "body": shown,
        }
        return {"name": golden["name"], "request": request, "response": answer}

    def real(self, name, path):
        """What a number stands for; one that no answer has named is the object's digest."""
        if name not in self.hashes:
            kind, id = re.match(r"/api/v1/(\w+)/(\d+)/", path).groups()
            self.hashes[name] = self.clients["admin"].thumbnails(kind)[id]
        return self.hashes[name]

    def mask(self, value):
        text = json.dumps(value)
        text = text.replace(self.server.base, "{base}")
        text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?", "<time>", text)
        return json.loads(re.sub(r"\b[0-9a-f]{32}\b", lambda m: self.number(m[0]), text))

    def number(self, real):
        for name, known in self.hashes.items():
            if known == real:
                return name
        name = f"<hash-{len(self.hashes) + 1}>"
        self.hashes[name] = real
        return name

    def wait(self):
        """Until all pictures are taken, where there is somebody to take them."""
        for _ in range(1200):
            pending = self.works and any(e["value"]["status"] == "Pending" for e in self.redis.thumbnails())
            if not pending:
                return
            time.sleep(0.1)


def steps():
    from check_background import diff

    if not shutil.which("redis-server") or not any(shutil.which(c) for c in ("chromium", "google-chrome")):
        if os.environ.get("CI") == "true":
            sys.exit("redis-server and Chromium are not installed")
        print("skipped: redis-server and Chromium are not installed")
        return FLOORS["steps"]
    cases = [json.loads(line) for line in gzip.open(RECORDED / "thumbnails.jsonl.gz", "rt")]
    passed = 0
    # one installation for all, as in the recording: permalinks are made once
    fixture = Fixture("pg", None, show_all=False)
    for case in cases:
        if case.get("hidden"):
            continue
        folder = pathlib.Path(tempfile.mkdtemp(prefix="liteset-thumbnails-"))
        redis = Redis(folder)
        flags = {"THUMBNAILS": True, "ENABLE_DASHBOARD_SCREENSHOT_ENDPOINTS": True}
        cache = {"CACHE_TYPE": "RedisCache", "CACHE_KEY_PREFIX": "thumb_", "CACHE_DEFAULT_TIMEOUT": 86400}
        cache["CACHE_REDIS_URL"] = f"redis://127.0.0.1:{redis.port}/0"
        settings = {"FEATURE_FLAGS": flags, "THUMBNAIL_CACHE_CONFIG": cache, "WEBDRIVER_TYPE": "chrome"}
        settings |= {"SCREENSHOT_LOCATE_WAIT": 60, "BROWSER_MAX_PAGES": 1}
        if case["id"] != "thumb-with-worker":
            # a worker that does not come
            sleeper = folder / "chromium"
            sleeper.write_text("#!/bin/sh\nexec sleep 600\n")
            sleeper.chmod(0o755)
            settings["CHROMIUM"] = str(sleeper)
        server = fixture.started(lambda: Server(folder, fixture.uri, settings))
        try:
            mine = Replay(server, redis).sequence(case)
        finally:
            server.stop()
            redis.process.kill()
            if not os.environ.get("KEEP"):
                shutil.rmtree(folder, ignore_errors=True)
        found = diff(case["steps"], mine["steps"])
        passed += not found
        print(f"{case['id']}: {'as recorded' if not found else 'differs'}")
        for path, golden, got in found:
            print(f"  {path}: golden={str(golden)[:200]} got={str(got)[:200]}")
    fixture.drop()
    print(f"steps: {passed} sequences as recorded")
    return passed


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--only", choices=["lite", "pg", "steps"])
    only = options.parse_args().only
    if not RECORDED.exists():
        print("skipped: ../shared is not there")
        return 0
    counts = {}
    for name in ("lite", "pg", "steps"):
        if only in (None, name):
            counts[name] = steps() if name == "steps" else digests(name)
    below = {name: count for name, count in counts.items() if count < FLOORS[name]}
    for name, count in below.items():
        print(f"FAILED {name}: {count} instead of {FLOORS[name]}")
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
