#!/usr/bin/env python3
"""Counts the mails of the original, as simulate.py counts liteset's: a Celery worker and a beat on Redis and
PostgreSQL, in real time, the worker killed now and then.

    python3 tests/background/celery_beside.py --venv DIR [--schedules 20] [--minutes 10] [--kills 4]

DIR is a virtual environment with apache-superset==6.0.0, psycopg2 and redis. Needs ../shared (the fixture), PostgreSQL
on 5432 and Redis on 6379. A firing is lost when there is neither a mail of it nor a row of the log with an error; it is
doubled when its mail came more than once.
"""
import argparse, collections, os, pathlib, random, shutil, signal, subprocess, sys, tempfile
import time
from datetime import datetime, timedelta, timezone

import simulate
from sinks import Mail

REDIS = "redis://127.0.0.1:6379/9"
CONFIG = """
from celery.schedules import crontab
SECRET_KEY = {key!r}
SQLALCHEMY_DATABASE_URI = {uri!r}
FEATURE_FLAGS = {{"ALERT_REPORTS": True}}
PREVENT_UNSAFE_DB_CONNECTIONS = False
TALISMAN_ENABLED = False
SMTP_HOST, SMTP_PORT, SMTP_STARTTLS, SMTP_SSL, SMTP_USER, SMTP_PASSWORD = "127.0.0.1", {port}, False, False, "", ""
SMTP_MAIL_FROM = "original@example.org"
class CELERY_CONFIG:
    broker_url = result_backend = {redis!r}
    imports = ("superset.tasks.scheduler",)
    beat_schedule = {{"reports.scheduler": {{"task": "reports.scheduler", "schedule": crontab(minute="*", hour="*")}}}}
"""


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--venv", type=pathlib.Path, required=True)
    options.add_argument("--schedules", type=int, default=20)
    options.add_argument("--minutes", type=int, default=10)
    options.add_argument("--kills", type=int, default=4)
    arguments = options.parse_args()
    random.seed(1)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="original-mails-"))
    sink = Mail()
    metadata = simulate.Metadata("pg", folder, name="celery_beside")
    simulate.DASHBOARD = int(metadata.rows("SELECT MIN(id) FROM dashboards")[0][0])
    made = datetime.now(timezone.utc) - timedelta(days=1)
    # every minute; they start when everything runs
    metadata.execute([*simulate.statements(arguments.schedules, 1, made), "UPDATE report_schedule SET active = FALSE"])
    key = (simulate.SHARED / "fixtures" / "SECRET_KEY").read_text().strip()
    config = folder / "superset_config.py"
    config.write_text(CONFIG.format(key=key, uri=metadata.uri, port=sink.port, redis=REDIS))
    subprocess.run(["redis-cli", "-u", REDIS, "flushdb"], check=True, stdout=subprocess.DEVNULL)
    environment = {**os.environ, "SUPERSET_CONFIG_PATH": str(config), "SUPERSET_HOME": str(folder), "TZ": "UTC"}

    def start(*what):
        log = open(folder / f"{what[0]}.log", "a")
        command = [str(arguments.venv / "bin" / "celery"), "--app=superset.tasks.celery_app:app", *what]
        return subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )

    worker = lambda: start("worker", "--pool=prefork", "-c", "2", "-O", "fair")
    running, beat, kills = worker(), start("beat", "-s", str(folder / "beat")), []
    try:
        time.sleep(60)
        while not 2 < time.time() % 60 < 10:
            time.sleep(0.2)
        first = time.time() // 60 * 60 + 60
        metadata.execute(["UPDATE report_schedule SET active = TRUE WHERE id >= 10000"])
        last = first + 60 * arguments.minutes
        # in the moments after a tick, when there is work
        minutes = random.sample(range(arguments.minutes), arguments.kills)
        at = sorted(first + 60 * minute + random.uniform(0.2, 2.5) for minute in minutes)
        while time.time() < last - 5:
            time.sleep(0.1)
            if at and time.time() > at[0]:
                at.pop(0)
                os.killpg(running.pid, signal.SIGKILL)
                running.wait()
                kills.append(time.time())
                time.sleep(random.uniform(0.2, 4))
                running = worker()
        metadata.execute(["UPDATE report_schedule SET active = FALSE"])
        time.sleep(90)
    finally:
        for child in (running, beat):
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    rows = metadata.rows(
        "SELECT report_schedule_id, scheduled_dttm, state, COALESCE(error_message, '') FROM report_execution_log"
        " WHERE report_schedule_id >= 10000 ORDER BY id"
    )
    fired, why = collections.defaultdict(set), collections.Counter()
    for schedule, due, state, message in rows:
        fired[int(schedule), due[:16]].add(state)
        if message:
            why[message.split("\n")[0][:100]] += 1
    wanted = arguments.schedules * arguments.minutes
    sent = len(sink.mails)
    succeeded = sum("Success" in states for states in fired.values())
    print(f"original: {wanted} firings of {arguments.schedules} schedules, {len(kills)} × kill -9 of the worker")
    print(f"mails: {sent}; firings in the log: {len(fired)}, with Success {succeeded}")
    failed = sum("Error" in states and "Success" not in states for states in fired.values())
    print(f"ended with an error: {failed}; of no trace or for ever Working: {wanted - succeeded - failed}")
    print(f"mails without Success in the log: {sent - succeeded}")
    for text, times in why.most_common(8):
        print(f"   {times} × {text}")
    stuck = metadata.rows("SELECT count(*) FROM report_schedule WHERE id >= 10000 AND last_state = 'Working'")
    print(f"schedules left in Working, which fire no more until their time limit: {stuck[0][0]}")
    metadata.drop()
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
