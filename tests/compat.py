#!/usr/bin/env python3
"""Replays the recorded requests of ../shared/compat against liteset and holds the pass counts to their floors.

    python3 tests/compat.py                 all fixtures, compare with tests/compat_floors.json
    python3 tests/compat.py --raise         write the counts of this run into the floors (they only rise)
    python3 tests/compat.py --only lite     one fixture
    python3 tests/compat.py --copied        the SQLite fixture after `db copy` to PostgreSQL, MySQL and back to SQLite

The checker needs the Python package `requests`; a virtual environment is made for it when it is missing.
"""
import argparse, json, os, pathlib, re, shutil, socket, sqlite3, subprocess, sys, tempfile, time, urllib.request, venv

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
FLOORS = ROOT / "tests" / "compat_floors.json"
# fixtures on database servers, with the programs that restore them; the data of both lie on PostgreSQL
SERVERS = {"pg": ("pg_restore",), "mysql": ("pg_restore", "mariadb")}
# cases that ask the same of PostgreSQL as those of `pg` do
SKIPPED = {"mysql": ("chart-data", "explore-json")}
# recorded answers that tell what they should not; each with the reason why ours is another one
STRICTER = json.loads((ROOT / "tests" / "compat_stricter.json").read_text())


def python_with_requests():
    if subprocess.run([sys.executable, "-c", "import requests"], capture_output=True).returncode == 0:
        return sys.executable
    folder = pathlib.Path.home() / ".cache" / "liteset-compat-venv"
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "requests"], check=True)
    return str(python)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def at_the_recorded_date():
    """Relative time ranges answer as recorded only on the day of the recording: libfaketime brings it back where it is
    installed. The hour is the last of the recordings': rows made by a test are newer than all recorded ones."""
    for library in sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1")):
        return {
            "LD_PRELOAD": str(library),
            "TZ": "UTC",
            "FAKETIME": "@2026-11-20 22:30:00",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
    if os.environ.get("CI") == "true":
        sys.exit("libfaketime is not installed")
    print("libfaketime is not installed: answers about relative time ranges differ from the recorded ones")
    return {}


def start(binary, folder, uri, flags):
    config = folder / "superset_config.py"
    key = (SHARED / "fixtures" / "SECRET_KEY").read_text().strip()
    text = f"SECRET_KEY = {key!r}\nSQLALCHEMY_DATABASE_URI = {uri!r}\nSQLALCHEMY_EXAMPLES_URI = {uri!r}\n"
    text += (
        (SHARED / "fixtures" / "flags_superset_config.py").read_text()
        if flags
        else "PREVENT_UNSAFE_DB_CONNECTIONS = False\nTALISMAN_ENABLED = False\nRATELIMIT_ENABLED = False\n"
    )
    config.write_text(text)
    port = free_port()
    log = open(folder / "server.log", "w")
    server = subprocess.Popen(
        [binary, "run", "--config", config, "--home", folder / "home", "--port", str(port)],
        stderr=log,
        stdout=log,
        env={**os.environ, **at_the_recorded_date()},
    )
    base = f"http://127.0.0.1:{port}"
    for _ in range(200):
        try:
            urllib.request.urlopen(base + "/health", timeout=2)
            return server, base
        except OSError:
            if server.poll() is not None:
                sys.exit(f"liteset did not start: {(folder / 'server.log').read_text()}")
            time.sleep(0.1)
    sys.exit("liteset did not answer within 20 s")


def restore(kind, target):
    subprocess.run(
        ["bash", SHARED / "fixtures" / "restore.sh", kind, target],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def copied(binary, folder):
    """The installation of a folder after it went to PostgreSQL, from there to MySQL, and back into a file."""
    name = f"superset_liteset_copied_{os.getpid()}"
    client = [shutil.which("mariadb") or "mysql", "-e"]
    files = [f"sqlite:///{folder}/{file}.db" for file in ("superset", "copied")]
    way = [
        files[0],
        f"postgresql://root:root@127.0.0.1:5432/{name}",
        f"mysql+pymysql://superset:superset@127.0.0.1:3306/{name}?charset=utf8mb4",
        files[1],
    ]
    try:
        subprocess.run(["createdb", name], check=True)
        subprocess.run([*client, f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"], check=True)
        for user in ("superset@localhost", "superset@'127.0.0.1'"):
            made = f"CREATE USER IF NOT EXISTS {user} IDENTIFIED BY 'superset'"
            subprocess.run([*client, f"{made}; GRANT ALL ON {name}.* TO {user}"], check=True)
        for here, there in zip(way, way[1:]):
            settings = {
                "LITESET_SQLALCHEMY_DATABASE_URI": here,
                "LITESET_SECRET_KEY": (SHARED / "fixtures" / "SECRET_KEY").read_text().strip(),
                "LITESET_COPY_TO": there,
                "LITESET_LOG": "warn",
            }
            subprocess.run([binary, "db", "copy", "--home", folder / "home"], check=True, env=os.environ | settings,
                           stdout=subprocess.DEVNULL)  # fmt: skip
    finally:
        subprocess.run(["dropdb", "--if-exists", "-f", name], capture_output=True)
        subprocess.run([*client, f"DROP DATABASE IF EXISTS {name}"], capture_output=True)
    put_fractions_back(folder / "superset.db", folder / "copied.db")
    return f"{files[1]}?check_same_thread=false"


def put_fractions_back(original, copy):
    """MySQL keeps no fractions of seconds, which most answers show: they are all that may differ, and are put back."""
    c = sqlite3.connect(copy)
    c.execute("attach ? as original", [str(original)])
    for [table] in c.execute("select name from main.sqlite_master where type = 'table'").fetchall():
        for _, column, declared, *_ in c.execute(f"pragma main.table_info({table})").fetchall():
            if declared.upper() not in ("DATETIME", "TIMESTAMP"):
                continue
            both = f"main.{table} t join original.{table} o on o.rowid = t.rowid"
            other = f"select count(*) from {both} where substr(t.{column}, 1, 19) is not substr(o.{column}, 1, 19)"
            if wrong := c.execute(other).fetchone()[0]:
                sys.exit(f"{table}.{column}: {wrong} moments are not the same second as before")
            theirs = f"select o.{column} from original.{table} o where o.rowid = main.{table}.rowid"
            c.execute(f"update main.{table} set {column} = ({theirs})")
    c.commit()
    c.close()


def check(name, python, binary, everything=False, moved=False):
    """{'check': passed, 'scenario': passed, 'tags': {...}} of one fixture."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"liteset-compat-{name}-"))
    database = f"superset_liteset_{name}"
    if name == "pg":
        restore("pg", database)
        uri = f"postgresql://root:root@127.0.0.1:5432/{database}"
    elif name == "mysql":
        restore("mysql", database)
        uri = f"mysql+pymysql://superset:superset@127.0.0.1:3306/{database}?charset=utf8mb4"
    else:
        restore("sqlite", str(folder))
        uri = f"sqlite:///{folder}/superset.db?check_same_thread=false"
        uri = copied(binary, folder) if moved else uri
    server, base = start(binary, folder, uri, flags=name == "flags")
    counts = {}
    try:
        for mode in ("check", "scenario"):
            out = folder / f"{mode}.json"
            command = [
                python,
                SHARED / "compat" / "compat.py",
                mode,
                "--base",
                base,
                "--golden",
                SHARED / "compat" / "public" / "golden" / name,
                "--json",
                out,
            ]
            if mode == "check" and not everything:
                command += [word for tag in SKIPPED.get(name, ()) for word in ("--skip", tag)]
            if mode == "scenario" and name not in SERVERS:
                command += ["--var", f"examples_uri=sqlite:///{folder}/examples.db?check_same_thread=false"]
            done = subprocess.run(command, capture_output=True, text=True)
            tail = done.stdout.strip().splitlines()[-12:]
            print(f"== {name} {mode}", *tail, sep="\n", flush=True)
            found = re.search(r"(\d+) passed, (\d+) failed", done.stdout)
            if not found:
                print(done.stderr[-2000:])
                sys.exit(f"the checker gave no count for {name} {mode}")
            failed = {failure["id"] for failure in json.loads(out.read_text())["failures"] if "id" in failure}
            stricter = sorted(failed & STRICTER.keys())
            if stricter:
                print(f"stricter on purpose, counted as passed: {', '.join(stricter)}")
            counts[mode] = int(found[1]) + len(stricter)
    finally:
        server.terminate()
        server.wait(40)
        if name == "pg":
            subprocess.run(["dropdb", "--if-exists", "-f", database], capture_output=True)
        if name == "mysql":
            subprocess.run([shutil.which("mariadb") or "mysql", "-e", f"DROP DATABASE {database}"], capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)
    return counts


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--raise", dest="raise_floors", action="store_true")
    options.add_argument("--only", choices=("lite", "pg", "flags", "mysql"))
    options.add_argument("--copied", action="store_true", help="the SQLite fixture, moved from database to database")
    options.add_argument("--all", action="store_true", help="on MySQL the data of charts, too, which lie on PostgreSQL")
    arguments = options.parse_args()
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    if subprocess.run(["cargo", "build", "--locked"], cwd=ROOT).returncode:
        sys.exit("liteset does not build")
    binary = target / "debug" / "liteset"
    python = python_with_requests()
    floors = json.loads(FLOORS.read_text()) if FLOORS.exists() else {}
    fell = []
    if arguments.copied:
        arguments.only = "lite"
    for name in [arguments.only] if arguments.only else ("lite", "flags", "pg", "mysql"):
        missing = [program for program in SERVERS.get(name, ()) if not shutil.which(program)]
        if missing:
            if os.environ.get("CI") == "true":
                sys.exit(f"{', '.join(missing)} is not installed")
            print(f"skipped the fixture {name}: {', '.join(missing)} is not installed")
            continue
        for mode, passed in check(name, python, binary, arguments.all, arguments.copied).items():
            floor = floors.setdefault(name, {}).get(mode, 0)
            if passed < floor:
                fell.append(f"{name} {mode}: {passed} passed, the floor is {floor}")
            floors[name][mode] = max(passed, floor)
    if arguments.raise_floors and not arguments.all:
        FLOORS.write_text(json.dumps(floors, indent=2, sort_keys=True) + "\n")
    if fell:
        sys.exit("compatibility fell:\n" + "\n".join(fell))


if __name__ == "__main__":
    main()
