"""A PostgreSQL of a run's own, which may be killed and started again."""
import glob, os, pathlib, pwd, shutil, socket, subprocess, tempfile

QUIET = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def programs():
    """The folder of PostgreSQL's programs; None where they are not installed."""
    found = shutil.which("initdb") or next(
        iter(sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), reverse=True)), None
    )
    return found and pathlib.Path(found).parent


class Cluster:
    """In a folder of its own, started, for `user`, who needs no password; FileNotFoundError without the programs."""

    def __init__(self, user):
        self.bin, self.user = programs(), user
        if not self.bin:
            raise FileNotFoundError("PostgreSQL's programs (initdb, pg_ctl) are not installed")
        self.folder = tempfile.mkdtemp(prefix="liteset-pg-")
        self.owner = []
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            try:
                owner = pwd.getpwnam("postgres")
            except KeyError:
                owner = pwd.getpwnam("nobody")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            self.owner = ["runuser", "-u", owner.pw_name, "--"]
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        try:
            self.run("initdb", "-D", f"{self.folder}/data", "-U", user, "-A", "trust")
            self.start()
        except subprocess.CalledProcessError:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    @property
    def uri(self):
        return f"postgresql://{self.user}@127.0.0.1:{self.port}/postgres"

    def run(self, program, *arguments):
        command = [*self.owner, str(self.bin / program), *arguments]
        subprocess.run(command, check=True, cwd=self.folder, **QUIET)

    def start(self):
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-o", options, "-l", f"{self.folder}/log", "-w", "start")

    def kill(self):
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-m", "immediate", "-w", "stop")

    def remove(self):
        try:
            self.kill()
        except subprocess.CalledProcessError:  # it does not run
            pass
        shutil.rmtree(self.folder, ignore_errors=True)
