#!/usr/bin/env python3
"""Puts the published frontend of Apache Superset 6.0.0 into a folder, unpacked and unchanged.

    fetch.py OUT            needs only the standard library and pip

OUT gets `static/` (what Superset serves below /static/, with Flask-AppBuilder's files in
`static/appbuilder/`) and `translations/<language>.json`. The archives are downloaded by pip and
must have the SHA-256 written here; they stay in `cache/` beside this file.

LITESET_ASSETS_SOURCE names a place to take the files from instead, for builds without a network:
a folder with the two archives, or one in which both packages lie unpacked (`superset/` and
`flask_appbuilder/`, as in site-packages).
"""

import calendar
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

SUPERSET = (
    "apache-superset==6.0.0",
    "apache_superset-6.0.0.tar.gz",
    "2beda9cc561dca295d4ba09954adf6945b982b033d9c7c2ea77963fbb6c335da",
)
APPBUILDER = (
    "flask-appbuilder==5.3.0",
    "flask_appbuilder-5.3.0-py3-none-any.whl",
    "85d7c9520402848d864ac91672e19c921ca518ddc9b840d631ed6c04306b89ed",
)
# Of Flask-AppBuilder only what pages of ours refer to: no colour themes, source maps or fonts for dead browsers
UNUSED = ("css/themes/", "js/google_charts.js", "img/")
UNUSED_SUFFIXES = (".map", ".ttf", ".eot", "-regular.svg")


def fail(text):
    sys.exit(f"assets/fetch.py: {text}")


def digest(path):
    sha = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            sha.update(block)
    return sha.hexdigest()


def archive(package, folder, download):
    """The path of a package's archive in `folder`, verified; downloaded when it is not there."""
    requirement, name, sha = package
    path = folder / name
    if not path.exists() and download:
        folder.mkdir(parents=True, exist_ok=True)
        pip = [sys.executable, "-m", "pip"]
        if subprocess.run([*pip, "--version"], capture_output=True).returncode:
            fail("pip is missing (Debian: apt install python3-pip), or set LITESET_ASSETS_SOURCE")
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            wanted = Path(temporary) / "requirements.txt"
            wanted.write_text(f"{requirement} --hash=sha256:{sha}\n")
            # Superset is published as source only
            form = ["--no-binary", "apache-superset"] if name.endswith(".gz") else ["--only-binary", ":all:"]
            command = [
                *pip,
                "download",
                "-q",
                "--no-deps",
                "--require-hashes",
                *form,
                "-d",
                temporary,
                "-r",
                str(wanted),
            ]
            if subprocess.run(command, stdout=sys.stderr).returncode:
                fail(f"pip could not download {requirement}; without a network set LITESET_ASSETS_SOURCE")
            os.replace(Path(temporary) / name, path)
    if not path.exists():
        return None
    if digest(path) != sha:
        fail(f"{path} is not the published file (SHA-256 differs)")
    return path


def members(path):
    """(name inside the package, seconds since 1970, reader) of every regular file of an archive."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as z:
            for info in z.infolist():
                if not info.is_dir():
                    time = calendar.timegm((*info.date_time, 0, 0, 0))
                    yield info.filename, time, lambda info=info: z.read(info)
    else:
        with tarfile.open(path) as t:
            for info in t:
                if info.isfile():
                    # the first part of the name is the package with its version
                    yield info.name.partition("/")[2], info.mtime, lambda info=info: t.extractfile(info).read()


def tree(root):
    for package in ("superset/static", "superset/translations", "flask_appbuilder/static"):
        for path in sorted((root / package).rglob("*")):
            if path.is_file():
                yield path.relative_to(root).as_posix(), path.stat().st_mtime, path.read_bytes


def target(name):
    """Where a file of the packages belongs in OUT; None when it is not needed."""
    parts = PurePosixPath(name).parts
    if ".." in parts or name.startswith("/") or parts[-1].startswith("."):
        return None
    if parts[:2] == ("superset", "static") and not name.endswith(".map"):
        return name.removeprefix("superset/")
    if parts[:2] == ("superset", "translations") and parts[-1] == "messages.json":
        return f"translations/{parts[2]}.json"
    if parts[:3] == ("flask_appbuilder", "static", "appbuilder"):
        inner = name.removeprefix("flask_appbuilder/static/appbuilder/")
        if not inner.startswith(UNUSED) and not inner.endswith(UNUSED_SUFFIXES):
            return f"static/appbuilder/{inner}"
    return None


def main():
    if len(sys.argv) != 2:
        fail("usage: fetch.py OUT")
    out = Path(sys.argv[1])
    source = os.environ.get("LITESET_ASSETS_SOURCE")
    folder = Path(source) if source else Path(__file__).resolve().parent / "cache"
    if source and folder.is_file():
        folder = folder.parent
    if source and (folder / "superset/static/assets/manifest.json").exists():
        if not (folder / "flask_appbuilder/static").is_dir():
            fail(f"{folder} has Superset's files but no flask_appbuilder beside them")
        files = tree(folder)
    else:
        archives = [archive(package, folder, download=not source) for package in (SUPERSET, APPBUILDER)]
        if None in archives:
            fail(f"{folder} has neither {SUPERSET[1]} and {APPBUILDER[1]} nor the unpacked packages")
        files = (member for path in archives for member in members(path))
    shutil.rmtree(out, ignore_errors=True)
    count = 0
    for name, time, read in files:
        if place := target(name):
            path = out / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(read())
            # the time of publication, so that every build says the same Last-Modified
            os.utime(path, (time, time))
            count += 1
    for needed in ("static/assets/manifest.json", "static/appbuilder/css/flags/flags16.css", "translations/fr.json"):
        if not (out / needed).exists():
            fail(f"{needed} is missing from the packages")
    print(f"{count} files in {out}", file=sys.stderr)


if __name__ == "__main__":
    main()
