#!/usr/bin/env python3
"""Passes all tests: starts what they need, says what it skipped and why. With CI=true a skip is a failure.

    python3 tests/run.py              unit and integration tests, the recorded answers of the original, browser tests
    python3 tests/run.py --no-browser without Chromium

Needs Rust and Python 3. Uses a PostgreSQL if LITESET_TEST_POSTGRES names one, if one answers on 127.0.0.1:5432, or if
its server programs are installed (then a throw-away cluster is started); the same for MySQL or MariaDB with
LITESET_TEST_MYSQL and port 3306. Uses Chromium and Node if they are there.
tests/README.md says what each suite needs.
"""
import argparse, os, pathlib, pwd, re, shutil, socket, subprocess, sys, tempfile, threading, time

from cluster import Cluster

ROOT = pathlib.Path(__file__).resolve().parent.parent
skipped, unsteady = [], []


def skip(what, why):
    skipped.append(f"{what}: {why}")


def run(*command, **kwargs):
    print("+", " ".join(map(str, command)), flush=True)
    return subprocess.run(command, cwd=kwargs.pop("cwd", ROOT), **kwargs).returncode


def answers(port):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0


def own_cluster():
    """A PostgreSQL cluster for this run; (uri, stop)."""
    try:
        cluster = Cluster("liteset")
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None, None
    return cluster.uri, cluster.remove


def postgres():
    if uri := os.environ.get("LITESET_TEST_POSTGRES"):
        return uri, None
    if answers(5432):
        user = pwd.getpwuid(os.getuid()).pw_name
        for candidate in (
            f"postgresql://{user}:{user}@127.0.0.1:5432/postgres",
            "postgresql://postgres@127.0.0.1:5432/postgres",
        ):
            probe = shutil.which("psql") and subprocess.run(
                [
                    "psql",
                    candidate,
                    "-Atc",
                    "select rolcreatedb or rolsuper from pg_roles where rolname = current_user",
                ],
                capture_output=True,
                text=True,
                env={**os.environ, "PGCONNECT_TIMEOUT": "3"},
            )
            if probe and probe.stdout.strip() == "t":
                return candidate, None
    uri, stop = own_cluster()
    if not uri:
        skip(
            "tests on PostgreSQL",
            "no server answers, and initdb is not installed; set LITESET_TEST_POSTGRES to a URI that may create"
            " databases",
        )
    return uri, stop


def own_mariadb():
    """A MariaDB server for this run; (uri, stop)."""
    server, install = shutil.which("mariadbd"), shutil.which("mariadb-install-db")
    if not server or not install:
        return None, None
    folder = tempfile.mkdtemp(prefix="liteset-mariadb-")
    owner = []
    if os.getuid() == 0:  # MariaDB refuses to run as root
        user = pwd.getpwnam("mysql")
        os.chown(folder, user.pw_uid, user.pw_gid)
        owner = ["--user=mysql"]
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    init = pathlib.Path(folder, "init.sql")
    init.write_text("CREATE USER liteset@'%';\nGRANT ALL ON *.* TO liteset@'%' WITH GRANT OPTION;\n")
    quiet = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
    data = ["--no-defaults", f"--datadir={folder}/data", *owner]
    if subprocess.run([install, *data, "--skip-test-db"], **quiet).returncode:
        shutil.rmtree(folder, ignore_errors=True)
        return None, None
    options = [f"--port={port}", f"--socket={folder}/socket", "--bind-address=127.0.0.1", f"--init-file={init}"]
    options += ["--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--character-set-server=utf8mb4"]
    options += ["--skip-name-resolve"]
    process = subprocess.Popen([server, *data, *options], **quiet)

    def stop():
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)

    for _ in range(120):
        if process.poll() is None and answers(port):
            return f"mysql://liteset@127.0.0.1:{port}/mysql", stop
        time.sleep(0.25)
    stop()
    return None, None


def mysql():
    if uri := os.environ.get("LITESET_TEST_MYSQL"):
        return uri, None
    client = shutil.which("mariadb") or shutil.which("mysql")
    if client and answers(3306):
        probe = [client, "--no-defaults", "-h127.0.0.1", "-P3306", "-uroot", "-Nse", "show grants"]
        probe = subprocess.run(probe, capture_output=True, text=True)
        if "ALL PRIVILEGES ON *.*" in probe.stdout:
            return "mysql://root@127.0.0.1:3306/mysql", None
    uri, stop = own_mariadb()
    if not uri:
        skip(
            "tests on MySQL",
            "no server lets root in without a password, and mariadbd is not installed; set LITESET_TEST_MYSQL to a URI"
            " that may create databases",
        )
    return uri, stop


def rust(environment):
    """cargo's tests. Up to five that fail are tried again alone, for what a busy machine does; the run names them."""
    command = ["cargo", "test", "--workspace", "--locked", "--no-fail-fast"]
    print("+", *command, flush=True)
    lines = []
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )

    def read():
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)

    # a program that a failed test left behind keeps the pipe open after cargo has ended
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    process.wait()
    reader.join(10)
    if not process.returncode:
        return 0
    said = "".join(lines)
    failures = re.findall(r"^test (\S+) \.\.\. FAILED$", said, re.MULTILINE)
    results = re.findall(r"^test result: FAILED\. \d+ passed; (\d+) failed", said, re.MULTILINE)
    targets = re.search(r"^error: (\d+) targets? failed:$", said, re.MULTILINE)
    # a program that crashed, or did not compile, says less than this
    complete = targets and int(targets[1]) == len(results) and sum(map(int, results)) == len(failures)
    if not complete or len(failures) > 5:
        return process.returncode
    if again := run(*command, "--", "--exact", *failures, "--test-threads=1", env=environment):
        return again
    unsteady.extend(failures)
    return 0


def browser(environment):
    folder = ROOT / "tests" / "browser"
    chromium = next((p for p in ("chromium", "chromium-browser", "google-chrome") if shutil.which(p)), None)
    if not (folder / "package.json").exists():
        return 0
    if not shutil.which("node") or not shutil.which("npm"):
        skip("browser tests", "node and npm are not installed")
        return 0
    if not chromium:
        skip("browser tests", "Chromium is not installed")
        return 0
    if not (folder / "node_modules").exists() and run("npm", "ci", "--no-audit", "--no-fund", "--silent", cwd=folder):
        skip("browser tests", "npm could not install playwright-core")
        return 0
    environment = {**environment, "CHROMIUM": shutil.which(chromium)}
    failed = 0
    for file in sorted(path.name for path in folder.glob("*.test.mjs")):
        # a busy machine stalls a browser now and then: one more try, which the run names at its end
        if run("node", "--test", file, cwd=folder, env=environment):
            failed |= run("node", "--test", file, cwd=folder, env=environment)
            unsteady.append(f"tests/browser/{file}")
    return failed


def chdb():
    """A Python with ClickHouse's engine, in a folder that is kept; None when it cannot be had."""
    if python := os.environ.get("LITESET_TEST_PYTHON"):
        return python
    folder = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "liteset-tests"
    python = folder / "bin" / "python"
    quiet = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    has = lambda: python.exists() and not subprocess.run([python, "-c", "import chdb"], **quiet).returncode
    if not has():
        subprocess.run([sys.executable, "-m", "venv", folder], **quiet)
        if (
            not python.exists()
            or subprocess.run([python, "-m", "pip", "install", "--quiet", "chdb"], **quiet).returncode
            or not has()
        ):
            skip(
                "tests of ClickHouse",
                "the package chdb could not be installed; set LITESET_TEST_PYTHON to a Python that has it",
            )
            return None
    return str(python)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--no-browser", action="store_true")
    options.add_argument(
        "--bad-input", action="store_true", help="compare hostile bodies with the original, too (a quarter of an hour)"
    )
    arguments = options.parse_args()
    if not shutil.which("cargo"):
        sys.exit("cargo is not installed")
    environment, stops = dict(os.environ), []
    for name, server in (("LITESET_TEST_POSTGRES", postgres), ("LITESET_TEST_MYSQL", mysql)):
        uri, stop = server()
        if uri:
            environment[name] = uri
        if stop:
            stops.append(stop)
    if python := chdb():
        environment["LITESET_TEST_PYTHON"] = python
    started = time.time()
    try:
        failed = rust(environment)
        failed = failed or run("cargo", "build", "--locked") or run(sys.executable, "tests/compat/replay.py")
        failed = failed or run(sys.executable, "tests/round_trip.py")
        failed = failed or run(sys.executable, "tests/upgrade.py")
        if not failed and arguments.bad_input:
            failed = run(sys.executable, "tests/bad_input.py")
        if not failed and not arguments.no_browser:
            failed = browser(environment)
    finally:
        for stop in stops:
            stop()
    if skipped and os.environ.get("CI") == "true":
        failed = 1
    print(f"\n{'FAILED' if failed else 'passed'} after {time.time() - started:.0f} s")
    for line in skipped:
        print("skipped", line)
    for name in unsteady:
        print(f"{name} failed at its first try")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
