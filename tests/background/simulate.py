#!/usr/bin/env python3
"""Counts mails: firings in accelerated time, processes that are killed, clocks that jump, a mail server that is away.

    python3 tests/background/simulate.py pg       two processes on one PostgreSQL
    python3 tests/background/simulate.py sqlite   one process on SQLite
    python3 tests/background/simulate.py pg --restarts    its PostgreSQL is its own, and is killed now and then, too

Needs libfaketime and ../shared (the fixture), and for `pg` a PostgreSQL on 5432. A firing is lost when there is neither
a mail of it nor a row of the log that says why not; it is doubled when a mail came twice and no process was killed
within a second after the first one (the stated moment: between the mail server's 250 and liteset's commit).
"""
import argparse, collections, json, os, pathlib, random, re, shutil, socketserver, sqlite3, subprocess, sys, tempfile
import threading, time
from datetime import datetime, timedelta, timezone

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SHARED = ROOT.parent / "shared"
sys.path.insert(0, str(ROOT / "tests"))
from cluster import Cluster  # noqa: E402

MESSAGE_ID = re.compile(rb"^Message-ID: <report-(\d+)-(\d{8}T\d{6}Z)-", re.I | re.M)


class Sink:
    """A mail server that keeps what it took: (schedule, due) and when."""

    def __init__(self, port):
        self.port, self.taken, self.server = port, [], None

    def start(self):
        sink = self

        class Mail(socketserver.StreamRequestHandler):
            timeout = 60

            def handle(self):
                say = lambda line: self.wfile.write(line + b"\r\n")
                say(b"220 sink")
                while line := self.rfile.readline():
                    word = line[:4].upper()
                    if word == b"DATA":
                        say(b"354 go on")
                        data = b""
                        while (line := self.rfile.readline()) not in (b".\r\n", b""):
                            data += line
                        if not line:
                            return
                        found = MESSAGE_ID.search(data)
                        sink.taken.append((int(found[1]), found[2].decode(), time.time()) if found else (0, "", 0))
                        say(b"250 taken")
                    elif word == b"QUIT":
                        return say(b"221 bye")
                    else:
                        say(b"250 ok")

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = daemon_threads = True

            def handle_error(self, *_):  # a client that was killed
                pass

        self.server = Server(("127.0.0.1", self.port), Mail)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Process:
    """A liteset on an accelerated clock that can be set."""

    def __init__(self, name, folder, config, port, clock):
        self.name, self.folder, self.config, self.port, self.clock = name, folder, config, port, clock
        self.file, self.jump, self.child, self.begun = folder / f"{name}.time", 0, None, 0

    def set_clock(self, jump):
        self.jump = jump
        start, speed, shift = self.clock
        # libfaketime counts from the start of the process
        offset = shift + (self.begun - start) * (speed - 1) + jump
        temporary = self.file.with_suffix(".new")
        temporary.write_text(f"{offset:+.3f}s x{speed}\n")
        temporary.replace(self.file)

    def start(self):
        self.begun = time.time()
        self.set_clock(0)
        library = next(iter(sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))))
        environment = {
            **os.environ,
            "LD_PRELOAD": str(library),
            "TZ": "UTC",
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "LITESET_LOG": "info,liteset::access=off",
        }
        log = open(self.folder / f"{self.name}.log", "a")
        home = self.folder / f"home-{self.name}"
        command = [BINARY, "run", "--config", self.config, "--home", home, "--port", str(self.port)]
        self.child = subprocess.Popen(command, stdout=log, stderr=log, env=environment)

    def kill(self):
        self.child.kill()
        self.child.wait()

    def stop(self):
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(90)
            except subprocess.TimeoutExpired:
                self.kill()


def statements(schedules, minutes, start):
    made = start.strftime("%Y-%m-%d %H:%M:%S")
    yield "UPDATE report_schedule SET active = FALSE"
    for n in range(schedules):
        key = 10_000 + n
        crontab = f"{n % minutes}-59/{minutes} * * * *"
        yield (
            "INSERT INTO report_schedule (id, type, name, crontab, timezone, active, creation_method, report_format,"
            " dashboard_id, last_state, extra_json, validator_config_json, log_retention, grace_period,"
            " working_timeout, created_on)"
            f" VALUES ({key}, 'Report', 'simulated {n}', '{crontab}', 'UTC', TRUE, 'alerts_reports', 'CSV',"
            f" {DASHBOARD}, 'Not triggered', '{{}}', '{{}}', 90, 14400, 3600, '{made}')"
        )
        target = json.dumps({"target": f"r{n}@example.org"})
        yield (
            "INSERT INTO report_recipient (id, type, recipient_config_json, report_schedule_id)"
            f" VALUES ({key}, 'Email', '{target}', {key})"
        )
        yield f"INSERT INTO report_schedule_user (id, report_schedule_id, user_id) VALUES ({key}, {key}, 1)"


class Metadata:
    def __init__(self, kind, folder, port=5432, name="sched_simulation"):
        self.kind, self.folder, self.name = kind, folder, name
        target = self.name if kind == "pg" else str(folder)
        restore = ["bash", SHARED / "fixtures" / "restore.sh", kind, target]
        subprocess.run(restore, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        server = f"postgresql://root:root@127.0.0.1:{port}/{self.name}"
        self.uri = server if kind == "pg" else f"sqlite:///{folder}/superset.db"

    def execute(self, commands):
        if self.kind == "pg":
            text = ";\n".join(commands) + ";"
            subprocess.run(["psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.name], input=text, text=True, check=True)
        else:
            with sqlite3.connect(self.folder / "superset.db", timeout=60) as db:
                for command in commands:
                    db.execute(command)

    def rows(self, query):
        if self.kind == "pg":
            out = subprocess.run(
                ["psql", "-At", "-F", "\t", "-d", self.name, "-c", query], capture_output=True, text=True, check=True
            )
            return [line.split("\t") for line in out.stdout.splitlines()]
        with sqlite3.connect(self.folder / "superset.db", timeout=60) as db:
            return [[str(value) for value in row] for row in db.execute(query)]

    def drop(self):
        if self.kind == "pg":
            subprocess.run(["dropdb", "--if-exists", "-f", self.name], capture_output=True)


def expected(schedules, minutes, first, last):
    found = set()
    at = first.replace(second=0, microsecond=0)
    while at <= last:
        if at > first:
            found |= {
                (10_000 + n, at.strftime("%Y%m%dT%H%M%SZ"))
                for n in range(schedules)
                if at.minute >= n % minutes and (at.minute - n % minutes) % minutes == 0
            }
        at += timedelta(minutes=1)
    return found


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("kind", choices=("pg", "sqlite"))
    options.add_argument("--firings", type=int, default=10_000)
    options.add_argument("--schedules", type=int, default=200)
    options.add_argument("--minutes", type=int, default=10, help="between two firings of a schedule")
    options.add_argument("--speed", type=int, default=20)
    options.add_argument("--port", type=int, default=9140)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--restarts", action="store_true", help="kill and start the metadata database, too")
    options.add_argument("--keep", action="store_true", help="keep the folder with the logs")
    arguments = options.parse_args()
    random.seed(arguments.seed)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="liteset-simulation-"))
    sink = Sink(arguments.port)
    sink.start()
    cluster = Cluster("root") if arguments.restarts else None
    if cluster:
        # where the fixture is restored to
        os.environ.update(PGHOST="127.0.0.1", PGPORT=str(cluster.port), PGUSER="root")
    metadata = Metadata(arguments.kind, folder, *([cluster.port] if cluster else []))
    global DASHBOARD
    DASHBOARD = int(metadata.rows("SELECT MIN(id) FROM dashboards")[0][0])
    real = time.time()
    # simulated time begins at a full hour
    shift = 3600 - real % 3600
    first = datetime.fromtimestamp(real + shift, timezone.utc)
    metadata.execute(list(statements(arguments.schedules, arguments.minutes, first - timedelta(days=1))))
    config = folder / "superset_config.py"
    key = (SHARED / "fixtures" / "SECRET_KEY").read_text().strip()
    config.write_text(
        f"SECRET_KEY = {key!r}\nSQLALCHEMY_DATABASE_URI = {metadata.uri!r}\n"
        "FEATURE_FLAGS = {'ALERT_REPORTS': True}\nPREVENT_UNSAFE_DB_CONNECTIONS = False\nTALISMAN_ENABLED = False\n"
        f"SMTP_HOST = '127.0.0.1'\nSMTP_PORT = {arguments.port}\nSMTP_STARTTLS = False\nSMTP_SSL = False\n"
        # the work itself is not accelerated
        f"REPORTS_CATCH_UP = {max(900, 240 * arguments.speed)}\n"
        "SMTP_USER = ''\nSMTP_PASSWORD = ''\nSMTP_MAIL_FROM = 'liteset@example.org'\nREPORTS_CLAIM_LEASE = 4\n"
    )
    clock = (real, arguments.speed, shift)
    now = lambda: first + timedelta(seconds=(time.time() - real) * arguments.speed)
    count = 2 if arguments.kind == "pg" else 1
    processes = [Process(f"p{n}", folder, config, arguments.port + 1 + n, clock) for n in range(count)]
    for process in processes:
        process.start()
    rounds = arguments.firings / arguments.schedules
    last = first + timedelta(minutes=rounds * arguments.minutes)
    kills, events = [], collections.Counter()
    try:
        next_kill = time.time() + random.uniform(10, 25)
        away = [time.time() + 40, None]
        database_away = [time.time() + 30, None]
        jumps = [(0.25, 5400), (0.4, -5400), (0.55, 300), (0.65, -600)]
        while now() < last:
            time.sleep(0.05)
            part = (now() - first) / (last - first)
            if time.time() > next_kill:
                process = random.choice(processes)
                begun = time.time()
                process.kill()
                kills.append((begun, time.time()))
                events["kill -9"] += 1
                time.sleep(random.uniform(0.2, 4))
                process.start()
                next_kill = time.time() + random.uniform(12, 30)
            if away[1] is None and time.time() > away[0]:
                sink.stop()
                events["mail server away"] += 1
                away[1] = time.time() + 8
            elif away[1] and time.time() > away[1]:
                sink.start()
                away = [time.time() + 120, None]
            if cluster and database_away[1] is None and time.time() > database_away[0]:
                begun = time.time()
                cluster.kill()
                kills.append((begun, time.time()))
                events["database killed"] += 1
                database_away[1] = time.time() + random.uniform(0.5, 6)
            elif database_away[1] and time.time() > database_away[1]:
                cluster.start()
                database_away = [time.time() + random.uniform(40, 80), None]
            if jumps and part > jumps[0][0]:
                process = random.choice(processes)
                process.set_clock(jumps.pop(0)[1])
                events["clock set"] += 1
                time.sleep(6)
                process.set_clock(0)
                events["clock set"] += 1
            for process in processes:
                # a start without its database is refused; a service manager tries again
                if process.child.poll() is not None and cluster:
                    events["started again"] += 1
                    process.start()
                    time.sleep(0.2)
                elif process.child.poll() is not None:
                    sys.exit(f"{process.name} ended by itself: {folder}")
        if away[1]:
            sink.start()
        if database_away[1]:
            cluster.start()
        # what is under way, and what a dead process left
        time.sleep(max(45, 1500 / arguments.speed))
    finally:
        for process in processes:
            process.stop()
    wanted = expected(arguments.schedules, arguments.minutes, first, last - timedelta(minutes=1))
    mails = collections.defaultdict(list)
    for schedule, due, at in sink.taken:
        mails[schedule, due].append(at)
    logged = collections.defaultdict(list)
    query = (
        "SELECT report_schedule_id, scheduled_dttm, state, COALESCE(error_message, '') FROM report_execution_log"
        " WHERE report_schedule_id >= 10000 ORDER BY id"
    )
    for schedule, due, state, message in metadata.rows(query):
        at = datetime.fromisoformat(due.split(".")[0]).strftime("%Y%m%dT%H%M%SZ")
        logged[int(schedule), at].append((state, message))
    why = collections.Counter()
    lost = []
    for firing in sorted(wanted - mails.keys()):
        errors = [message for _, message in logged[firing] if message]
        if errors:
            why[errors[-1].split("\n")[0][:100]] += 1
        else:
            lost.append((firing, logged[firing]))
    doubled, at_the_moment = [], 0
    for firing, times in mails.items():
        if len(times) > 1 and firing[0]:
            near = any(at <= ended and begun - at < 1 for begun, ended in kills for at in times[:-1])
            at_the_moment += near
            if not near:
                doubled.append((firing, [f"{at - real:.2f}" for at in times]))
    print(f"{arguments.kind}: {len(wanted)} firings of {arguments.schedules} schedules, {dict(events)}")
    print(f"mails of them: {len(wanted & mails.keys())}; not sent and logged so: {sum(why.values())}")
    for text, times in why.most_common():
        print(f"   {times} × {text}")
    print(f"lost: {len(lost)}; doubled: {len(doubled)}; doubled at the stated moment: {at_the_moment}")
    for item in lost[:10] + doubled[:10]:
        print("  ", item)
    if arguments.keep or lost or doubled:
        print("logs:", folder)
    else:
        metadata.drop()
        if cluster:
            cluster.remove()
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if lost or doubled else 0)


BINARY = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "liteset"
DASHBOARD = 1
if __name__ == "__main__":
    main()
