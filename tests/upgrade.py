#!/usr/bin/env python3
"""Upgrades the older installations of ../shared/fixtures/older and compares each with what the original's own upgrade
made of it, row by row; then kills upgrades of a larger one at random moments, one in each tenth of its duration.

    python3 tests/upgrade.py [LITESET]     SQLite and, when a server answers on 127.0.0.1:5432, PostgreSQL

Needs a built liteset; says so and ends well where the fixtures are not there.
"""
import gzip, json, os, pathlib, random, resource, shutil, signal, socket, sqlite3, subprocess, sys, tempfile, time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
OLDER = ROOT.parent / "shared" / "fixtures" / "older"
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
LITESET = sys.argv[1] if len(sys.argv) > 1 else str(TARGET / "debug" / "liteset")
FLAGS = ["ALERT_REPORTS", "EMBEDDED_SUPERSET", "TAGGING_SYSTEM", "DASHBOARD_RBAC", "ENABLE_TEMPLATE_PROCESSING"]
KILLS = 10
TRIES = 10
failed = 0


def check(what, fine, detail=""):
    global failed
    print(f"{'ok    ' if fine else 'FAILED'} {what}" + ("" if fine else f": {detail}"), flush=True)
    failed += not fine


def environment(uri):
    key = (OLDER.parent / "SECRET_KEY").read_text().strip()
    mine = {k: v for k, v in os.environ.items() if not k.startswith(("LITESET_", "SUPERSET_"))}
    mine |= {"LITESET_SQLALCHEMY_DATABASE_URI": uri, "LITESET_SECRET_KEY": key, "LITESET_LOG": "warn"}
    return mine | {f"SUPERSET_FEATURE_{flag}": "true" for flag in FLAGS}


def liteset(uri, home, *arguments):
    command = [LITESET, *arguments, "--home", str(home)]
    return subprocess.run(command, env=environment(uri), capture_output=True, text=True)


def unpacked(version, state, folder):
    path = folder / f"{version}-{state}.db"
    path.write_bytes(gzip.decompress((OLDER / version / f"{state}.sqlite.gz").read_bytes()))
    return path


def dump(path):
    """All rows as they are, by table; permissions by name, because their keys are given by chance."""
    c = sqlite3.connect(path)
    named = "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'"
    tables = [r[0] for r in c.execute(named)]
    found = {}
    for table in tables:
        columns = sorted(r[1] for r in c.execute(f"pragma table_info({table})"))
        if table in ("ab_permission", "ab_view_menu"):
            columns = ["name"]
        if table in ("ab_permission_view", "ab_permission_view_role", "logs"):
            continue
        listed = ", ".join(f'"{c}"' for c in columns)
        found[table] = (columns, sorted(map(repr, c.execute(f'select {listed} from "{table}"'))))
    return found


def compare(expected, actual):
    out = subprocess.run([sys.executable, OLDER / "compare.py", expected, actual], capture_output=True, text=True)
    lines = out.stdout.strip().splitlines() or [out.stderr[-500:]]
    return out.returncode == 0 and " 0 JSON texts" in lines[-1], "\n".join(lines[-12:])


def serve_once(uri, home):
    """What a first start writes: the themes of the configuration."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    command = [LITESET, "run", "--home", str(home), "--port", str(port)]
    process = subprocess.Popen(command, env=environment(uri), stderr=subprocess.PIPE, text=True)
    try:
        for _ in range(200):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
                    return answer.status == 200
            except OSError:
                if process.poll() is not None:
                    print(process.stderr.read()[-2000:])
                    return False
                time.sleep(0.1)
        return False
    finally:
        process.terminate()
        process.wait()


def one(name, uri, home, expected_upgrade, expected_init, actual):
    plan = liteset(uri, home, "db", "upgrade", "--plan")
    check(f"{name}: plan", plan.returncode == 0 and "to Superset 6.0.0" in plan.stdout, plan.stderr)
    refusal = liteset(uri, home, "run", "--port", "1")
    check(f"{name}: run says what to do", "liteset db upgrade" in refusal.stderr, refusal.stderr[-500:])
    began = time.time()
    done = liteset(uri, home, "db", "upgrade", "--no-backup")
    took = time.time() - began
    check(f"{name}: upgrade ({took:.2f} s)", done.returncode == 0, done.stderr[-1500:])
    fine, text = compare(expected_upgrade, actual)
    check(f"{name}: as the original's upgrade", fine, text)
    again = liteset(uri, home, "db", "upgrade")
    check(f"{name}: a second run has nothing to do", again.returncode == 0, again.stderr[-500:])
    done = liteset(uri, home, "init")
    check(f"{name}: init", done.returncode == 0, done.stderr[-500:])
    check(f"{name}: serves", serve_once(uri, home))
    _, text = compare(expected_init, actual)
    # a server notes in key_value that it runs
    other = [line for line in text.splitlines()[:-1] if not line.startswith("key_value row") or "EXPECTED" in line]
    check(f"{name}: as the original's upgrade and init", not other and " 0 JSON texts" in text, text)


def on_sqlite(version, folder):
    path = unpacked(version, "before", folder)
    after = unpacked(version, "after-upgrade", folder)
    one(f"{version} sqlite", f"sqlite:///{path}", folder, after, unpacked(version, "after-6.0.0", folder), path)


def on_postgres(version, folder):
    names = [f"liteset_older_{os.getpid()}_{state}" for state in ("before", "after_upgrade", "after_init")]
    user = os.environ.get("PGUSER") or os.environ.get("USER") or "root"
    try:
        for name, state in zip(names, ("before", "after-upgrade", "after-6.0.0")):
            subprocess.run(["createdb", name], check=True)
            restore = ["pg_restore", "--no-owner", "--no-acl", "-d", name, OLDER / version / f"{state}.pg.dump"]
            subprocess.run(restore, check=True)
        uri = f"postgresql://{user}:{user}@127.0.0.1:5432/{names[0]}"
        one(f"{version} postgresql", uri, folder, names[1], names[2], names[0])
    finally:
        for name in names:
            subprocess.run(["dropdb", "--if-exists", "--force", name], capture_output=True)


class OnSqlite:
    """An installation that upgrades are killed on, in files."""

    def __init__(self, folder):
        self.folder, self.source = folder, unpacked("4.1", "before", folder)
        c = sqlite3.connect(self.source)
        columns = [r[1] for r in c.execute("pragma table_info(slices)") if r[1] not in ("id", "uuid")]
        many_charts(columns, "randomblob(16)", lambda sql: c.execute(sql).fetchall(), 40)
        c.commit()
        c.close()

    def copy(self, name):
        shutil.copy(self.source, self.folder / f"{name}.db")
        return f"sqlite:///{self.folder / name}.db"

    def dump(self, name):
        return dump(self.folder / f"{name}.db")

    def is_writing(self, name):
        """The journal holds what a transaction has changed."""
        journals = [self.folder / f"{name}.db{suffix}" for suffix in ("-journal", "-wal")]
        return any(journal.exists() and journal.stat().st_size > 0 for journal in journals)

    def remove(self, name):
        for path in self.folder.glob(f"{name}.db*"):
            path.unlink()


class OnPostgres:
    """The same in databases of a server."""

    def __init__(self):
        self.user = os.environ.get("PGUSER") or os.environ.get("USER") or "root"
        self.prefix = f"liteset_killed_{os.getpid()}_"
        self.psql(f"create database {self.prefix}source", "postgres")
        dump = OLDER / "5.0" / "before.pg.dump"
        subprocess.run(["pg_restore", "--no-owner", "--no-acl", "-d", self.prefix + "source", dump], check=True)
        of_slices = "select column_name from information_schema.columns where table_name = 'slices'"
        columns = [r for r in self.psql(of_slices, "source") if r not in ("id", "uuid")]
        # 5.0 has less to be converted
        many_charts(columns, "gen_random_uuid()", lambda sql: self.psql(sql, "source"), 400)

    def psql(self, sql, name):
        name = name if name == "postgres" else self.prefix + name
        out = subprocess.run(["psql", "-qAtX", "-d", name, "-c", sql], capture_output=True, text=True)
        if out.returncode:
            raise RuntimeError(out.stderr)
        return out.stdout.splitlines()

    def copy(self, name):
        self.psql(f"create database {self.prefix}{name} template {self.prefix}source", "postgres")
        return f"postgresql://{self.user}:{self.user}@127.0.0.1:5432/{self.prefix}{name}"

    def dump(self, name):
        listed = "select table_name, string_agg(quote_ident(column_name), ', ' order by column_name)"
        tables = self.psql(f"{listed} from information_schema.columns where table_schema = 'public' group by 1", name)
        found = []
        for table, columns in (line.split("|", 1) for line in tables):
            if table in ("ab_permission_view", "ab_permission_view_role", "logs"):
                continue
            columns = "name" if table in ("ab_permission", "ab_view_menu") else columns
            row = f"row({columns})::text"
            found.append(f"select '{table} ' || md5(coalesce(string_agg({row}, ' ' order by {row}), '')) from {table}")
        return sorted(tables), sorted(self.psql(" union all ".join(found), name))

    def is_writing(self, name):
        """A transaction holds locks that only writers take."""
        held = "select count(*) from pg_locks l join pg_database d on d.oid = l.database"
        modes = "('RowExclusiveLock', 'AccessExclusiveLock', 'ShareRowExclusiveLock')"
        return self.psql(f"{held} where d.datname = '{self.prefix}{name}' and l.mode in {modes}", "postgres") != ["0"]

    def remove(self, name):
        subprocess.run(["dropdb", "--if-exists", "--force", self.prefix + name], capture_output=True)


def many_charts(columns, uuid, execute, times):
    """All charts again, so many times that an upgrade takes seconds."""
    listed = ", ".join(f'"{name}"' for name in columns)
    [last] = execute("select max(id) from slices")
    last = last[0] if isinstance(last, tuple) else last
    again = f"insert into slices ({listed}, uuid) select {listed}, {uuid} from slices where id <= {last}"
    for _ in range(times):
        execute(again)


def killed(what, on, folder):
    """Kills an upgrade once in each tenth of the time that it takes; whatever is left is finished by a second one."""
    upgrade = lambda uri: liteset(uri, folder, "db", "upgrade", "--no-backup")
    states, told = [], []
    try:
        uri = on.copy("whole")
        before = on.dump("whole")
        began = time.time()
        done = upgrade(uri)
        took = time.time() - began
        check(f"{what}: upgrade of many charts ({took:.2f} s)", done.returncode == 0, done.stderr[-1000:])
        expected = on.dump("whole")
        check(f"{what}: the upgrade changes something", before != expected)
        chance = random.Random()
        for n in range(KILLS):
            name, share = f"killed{n}", (n + chance.random()) / KILLS
            for _ in range(TRIES):
                uri = on.copy(name)
                command = [LITESET, "db", "upgrade", "--no-backup", "--home", str(folder)]
                quiet = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                process = subprocess.Popen(command, env=environment(uri), **quiet)
                time.sleep(share * took)
                writing = on.is_writing(name)
                was_alive = process.poll() is None
                process.send_signal(signal.SIGKILL)
                process.wait()
                if was_alive:
                    break
                # faster than the first one was, which a busy machine held up: all others are, too
                took *= 0.85
                on.remove(name)
            if not was_alive:
                states.append("ended before it was killed")
                continue
            # a second process is what looks first: it must get over what the killed one left
            plan = liteset(uri, folder, "db", "upgrade", "--plan")
            state = on.dump(name)
            states.append("before" if state == before else "after" if state == expected else "neither")
            told.append(f"{share:.0%} {states[-1]}{' while it wrote' if writing else ''}")
            again = upgrade(uri)
            if plan.returncode or again.returncode or on.dump(name) != expected:
                states[-1] = f"not finished by a second run: {(plan.stderr + again.stderr)[-500:]}"
            on.remove(name)
        fine = len(told) == KILLS and all(state in ("before", "after") for state in states)
        check(f"{what}: {KILLS} killed upgrades: {', '.join(told)}", fine, states)
        wrote = sum("wrote" in line for line in told)
        check(f"{what}: several of them while they wrote ({wrote})", wrote >= 3, told)
    finally:
        for name in ["whole", "source", *(f"killed{n}" for n in range(KILLS))]:
            on.remove(name)


def main():
    if not OLDER.exists():
        print(f"skipped: {OLDER} is not there")
        return
    if not os.path.exists(LITESET):
        sys.exit(f"{LITESET} is not built")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="liteset-upgrade-"))
    try:
        on_sqlite("4.1", folder)
        on_sqlite("5.0", folder)
        if shutil.which("pg_restore") and not subprocess.run(["pg_isready", "-q"]).returncode:
            on_postgres("5.0", folder)
            killed("postgresql", OnPostgres(), folder)
        else:
            print("skipped PostgreSQL: no server answers")
        killed("sqlite", OnSqlite(folder), folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(f"{failed} failures; largest process {peak} MB")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
