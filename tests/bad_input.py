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
from bad_bodies import ANY, BODIES, MORE, NEARLY, RAW
from round_trip import ORACLE, ROOT, SHARED, Side, free_port, still

FLAGS = '{"ALERT_REPORTS": True, "TAGGING_SYSTEM": True, "EMBEDDED_SUPERSET": True, "ENABLE_TEMPLATE_PROCESSING": True}'
RUN = os.getpid()

# Other issues: files, execution of charts and queries, screenshots.
ELSEWHERE = re.compile(
    r"/import/$|/validate_sql/$|/upload/$|upload_metadata|screenshot|thumbnail|/chart/data$"
    r"|sqllab/execute|warm_up_cache|security/login|security/refresh"
)

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
            names = (
                properties(document, content["application/json"].get("schema", {}))
                if "application/json" in content
                else []
            )
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
            parent = (
                path.split("/{key}")[0]
                .strip("/")
                .replace("{pk}", str(self.get("dashboard", "dashboard/")) if "dashboard" in path else "")
            )
            answer = self.side.call(
                "POST", parent, {"value": "{}"} if "dashboard" in path else BODIES["post /explore/form_data"]
            )
            return f"/{parent}/{answer['key']}"
        pk = str(self.get(head, f"{head}/"))
        path = re.sub(r"\{(pk|id_or_slug|role_id)\}", pk, path)
        if "{annotation_id}" in path:
            if "annotation" not in self.made:
                answer = self.side.call(
                    "POST", f"annotation_layer/{pk}/annotation/", BODIES["post /annotation_layer/{pk}/annotation/"]
                )
                self.made["annotation"] = answer["id"]
            path = path.replace("{annotation_id}", str(self.made["annotation"]))
        return path


STAMP = re.compile(
    r"\d{4}-\d\d-\d\d[T"
    r" ]\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)?|eyJ[\w-]+\.[\w-]+\.[\w-]+"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|0x[0-9a-f]+"
)


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
            answer = side.http.request(
                verb.upper(), f"{side.base}/api/v1{path}", data=data, headers=headers, timeout=120
            )
            return answer.status_code, readable(answer.text), answer.headers.get("content-type", "")
        except OSError as error:
            last = error
    return 0, f"no answer: {last}", ""


KEEPS = {
    "post /dashboard/{pk}/filter_state",
    "post /explore/form_data",
    "post /explore/permalink",
    "post /sqllab/permalink",
    "post /dashboard/{pk}/permalink",
}


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
    settings = {
        "SECRET_KEY": key,
        "SQLALCHEMY_DATABASE_URI": uri,
        "PREVENT_UNSAFE_DB_CONNECTIONS": False,
        "TALISMAN_ENABLED": False,
        "RATELIMIT_ENABLED": False,
    }
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
            subprocess.run(
                ["bash", SHARED / "fixtures" / "restore.sh", "pg", database],
                check=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        ours, our_process = serve(
            folder,
            "liteset",
            f"postgresql://root:root@127.0.0.1:5432/{databases[0]}",
            [binary, "run", "--config", "{home}/superset_config.py", "--home", "{home}", "--port", "{port}"],
            {},
        )
        processes.append(our_process)
        theirs, their_process = serve(
            folder,
            "superset",
            f"postgresql+psycopg2://root:root@127.0.0.1:5432/{databases[1]}",
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
                "127.0.0.1:{port}",
                "superset.app:create_app()",
            ],
            {"SUPERSET_CONFIG_PATH": "{home}/superset_config.py", "FLASK_APP": "superset", "SUPERSET_HOME": "{home}"},
        )
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
MEANT_CASES = re.compile(
    r"^NaN$|100000000000000000000|\\u0000"
)  # not JSON; beyond any column; the drivers' words about NUL


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("routes", nargs="*")
    options.add_argument("--servers", nargs=2)
    options.add_argument("--json", help="write all differences into this file")
    arguments = options.parse_args()
    if not (ORACLE / "gunicorn").exists() or not SHARED.exists() or not shutil.which("pg_restore"):
        print(
            "skipped bad input beside the original: it or PostgreSQL is not installed (../shared/oracle/oracle.sh"
            " install)"
        )
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
