#!/usr/bin/env python3
"""Asks liteset what ../shared/compat/background recorded of global async queries and of Superset's WebSocket server,
and holds the numbers of equal sequences to their floors.

    python3 tests/background/async_queries.py            all; fails when fewer are equal than async_floors.json says
    python3 tests/background/async_queries.py --raise    writes the counts of this run into the floors (they only rise)
    python3 tests/background/async_queries.py --only tokens

Needs ../shared, PostgreSQL on its usual port, and the Python package requests; where no Redis answers on 6379, it
starts a redis-server for itself. What a job waits for is
held back by a lock on its table until the recording says that the worker starts; the step that shows the queue of
Celery (queued-tasks) has no counterpart and is left out on both sides, and so are the headers of Node's own HTTP
server.
"""

import argparse, json, os, pathlib, re, shutil, subprocess, sys, tempfile, time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
import compat  # noqa: E402

if (python := compat.python_with_requests()) != sys.executable:
    os.execv(python, [python, *sys.argv])

from async_replay import replay_async, replay_websocket  # noqa: E402

BACKGROUND = compat.SHARED / "compat" / "background"
FLOORS = HERE / "async_floors.json"
REDIS_DB = 7
SECRET = "only-for-tests-0123456789-0123456789"


def redis():
    """A Redis server of its own, where there is none."""
    answers = lambda: subprocess.run(["redis-cli", "ping"], capture_output=True, text=True).stdout.strip() == "PONG"
    if answers():
        return None
    command = ["redis-server", "--save", "", "--appendonly", "no", "--bind", "127.0.0.1"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    for _ in range(100):
        if answers():
            return server
        time.sleep(0.1)
    sys.exit("redis-server did not start")


def start(binary, folder, uri, prefix):
    """liteset as the recorded server was configured: both caches and the events in Redis."""
    redis = f"redis://127.0.0.1:6379/{REDIS_DB}"
    cache = {
        "CACHE_TYPE": "RedisCache",
        "CACHE_REDIS_URL": redis,
        "CACHE_DEFAULT_TIMEOUT": 600,
        "CACHE_KEY_PREFIX": prefix,
    }
    key = (compat.SHARED / "fixtures" / "SECRET_KEY").read_text().strip()
    (folder / "superset_config.py").write_text(f"""
SECRET_KEY = {key!r}
SQLALCHEMY_DATABASE_URI = {uri!r}
PREVENT_UNSAFE_DB_CONNECTIONS = False
TALISMAN_ENABLED = False
RATELIMIT_ENABLED = False
FEATURE_FLAGS = {{"GLOBAL_ASYNC_QUERIES": True}}
CACHE_CONFIG = {cache}
DATA_CACHE_CONFIG = {cache}
GLOBAL_ASYNC_QUERIES_JWT_SECRET = {SECRET!r}
GLOBAL_ASYNC_QUERIES_TRANSPORT = "ws"
GLOBAL_ASYNC_QUERIES_REDIS_STREAM_PREFIX = {prefix!r}
GLOBAL_ASYNC_QUERIES_CACHE_BACKEND = {{"CACHE_TYPE": "RedisCache", "CACHE_REDIS_HOST": "127.0.0.1",
                                       "CACHE_REDIS_PORT": 6379, "CACHE_REDIS_DB": {REDIS_DB}}}
""")
    port, log = compat.free_port(), open(folder / "server.log", "w")
    command = [
        binary,
        "run",
        "--config",
        folder / "superset_config.py",
        "--home",
        folder / "home",
        "--port",
        str(port),
    ]
    server = subprocess.Popen(command, stderr=log, stdout=log)
    base = f"http://127.0.0.1:{port}"
    for _ in range(1200):
        if server.poll() is not None:
            sys.exit(f"liteset did not start: {(folder / 'server.log').read_text()}")
        if '"listening"' in (folder / "server.log").read_text():
            return server, base
        time.sleep(0.1)
    sys.exit("liteset did not start within two minutes")


NAMES = re.compile(r"<(?:uuid|event|hash)-\d+>")
VALUES = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b\d{13}-\d+\b|\b[0-9a-f]{32}\b"
)


def renamed(golden, mine):
    """Ours with the names of the recording, each in the order in which it appears: ids differ from run to run."""
    kind = lambda text: "uuid" if text.count("-") == 4 else "event" if "-" in text else "hash"
    wanted = {"uuid": [], "event": [], "hash": []}
    for name in NAMES.findall(json.dumps(golden)):
        names = wanted[name.strip("<>").split("-")[0]]
        if name not in names:
            names.append(name)
    known = {}

    def name(match):
        value = match.group(0)
        if value not in known:
            names = wanted[kind(value)]
            known[value] = names.pop(0) if names else value
        return known[value]

    return json.loads(VALUES.sub(name, json.dumps(mine)))


def comparable(case):
    steps = [step for step in case["steps"] if step["name"] != "queued-tasks"]
    for step in steps:
        if step["name"] == "http":
            step.pop("headers", None)
            step.pop("content_type", None)
        # the address holds an id of the recording
        if isinstance(step.get("request"), dict):
            step["request"].pop("path", None)
        step.pop("path", None)
        # how often the recorded user had logged in before
        body = step.get("response", {}).get("body")
        if isinstance(body, dict) and isinstance(body.get("result"), dict):
            body["result"].pop("login_count", None)
    return {**case, "steps": steps}


def check(kind, cases, folder, only):
    golden, mine = folder / f"{kind}.golden.jsonl", folder / f"{kind}.jsonl"
    golden.write_text("".join(json.dumps(comparable(case)) + "\n" for case, _ in cases))
    mine.write_text(
        "".join(
            json.dumps(comparable({"id": case["id"], "steps": renamed(case["steps"], got)})) + "\n"
            for case, got in cases
        )
    )
    command = [sys.executable, BACKGROUND / "check_background.py", "steps", golden, mine] + (
        ["--only", only] if only else []
    )
    done = subprocess.run(command, capture_output=True, text=True)
    print(f"== {kind}", done.stdout.strip(), sep="\n", flush=True)
    found = re.search(r"(\d+) passed", done.stdout)
    return int(found[1]) if found else sys.exit(done.stderr)


def recorded(name):
    import gzip

    with gzip.open(BACKGROUND / f"{name}.jsonl.gz", "rt") as lines:
        return [case for case in map(json.loads, lines) if not case.get("hidden")]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--raise", dest="raised", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--binary", default=None)
    arguments = parser.parse_args()
    target = subprocess.run(
        ["cargo", "metadata", "--format-version=1", "--no-deps"], capture_output=True, text=True, cwd=HERE
    )
    binary = (
        arguments.binary or pathlib.Path(json.loads(target.stdout)["target_directory"]) / "debug" / "liteset"
    )
    folder = pathlib.Path(tempfile.mkdtemp(prefix="liteset-async-"))
    database, prefix = f"async_liteset_{folder.name[-6:]}".lower(), f"async-{folder.name[-6:]}-"
    compat.restore("pg", database)
    uri = f"postgresql://root:root@127.0.0.1:5432/{database}"
    own_redis = redis()
    server, base = start(binary, folder, uri, prefix)
    counts = {}
    try:
        for kind, replay in (("async", replay_async), ("websocket", replay_websocket)):
            cases = [case for case in recorded(kind) if re.search(arguments.only, case["id"])]
            got = [(case, replay(case, base, prefix, SECRET, REDIS_DB)) for case in cases]
            counts[kind] = check(kind, got, folder, arguments.only) if got else 0
    finally:
        server.terminate()
        server.wait(40)
        subprocess.run(["dropdb", "--if-exists", "-f", database], capture_output=True)
        keys = subprocess.run(
            ["redis-cli", "-n", str(REDIS_DB), "--scan", "--pattern", f"{prefix}*"],
            capture_output=True,
            text=True,
        )
        for key in keys.stdout.split():
            subprocess.run(["redis-cli", "-n", str(REDIS_DB), "del", key], capture_output=True)
        if own_redis:
            own_redis.terminate()
        shutil.rmtree(folder, ignore_errors=True)
    floors = json.loads(FLOORS.read_text()) if FLOORS.exists() else {}
    if arguments.raised:
        FLOORS.write_text(
            json.dumps({k: max(n, floors.get(k, 0)) for k, n in counts.items()}, indent=2) + "\n"
        )
    elif not arguments.only:
        short = {k: (n, floors[k]) for k, n in counts.items() if n < floors.get(k, 0)}
        if short:
            sys.exit(f"fewer than the floors: {short}")


if __name__ == "__main__":
    main()
