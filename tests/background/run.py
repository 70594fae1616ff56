#!/usr/bin/env python3
"""Compares the scheduler's answers with those of ../shared/compat/background; the counts have floors.

    python3 tests/background/run.py                 cron and tasks
    python3 tests/background/run.py --golden DIR    other recordings of the same form
    python3 tests/background/run.py --raise         write the counts into tests/background/floors.json (they only rise)
"""
import argparse, gzip, json, os, pathlib, shutil, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SHARED = ROOT.parent / "shared"
FLOORS = pathlib.Path(__file__).with_name("floors.json")
# Better on purpose, each with its reason.
BETTER = {"scheduler-bad-cron": "a crontab that cannot be read harms no other schedule"}


def lines(path):
    opened = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else open(path, encoding="utf-8")
    with opened as file:
        return [json.loads(line) for line in file if line.strip()]


def in_recorded_order(golden, answer):
    """Charts inside a dashboard have no defined order: ours are put into the recorded one where the sets are equal."""
    for recorded, step in zip(golden["steps"], answer["steps"]):
        tasks = step.pop("all", [])
        ids = recorded.get("ids")
        if ids and sorted(ids) == sorted(step["ids"]):
            place = {chart: at for at, chart in enumerate(ids)}
            tasks.sort(key=lambda task: place[task["payload"]["chart_id"]])
            step["ids"], step["first"] = ids, tasks[:3]


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--golden", type=pathlib.Path, default=SHARED / "compat" / "background")
    options.add_argument("--raise", dest="raise_floors", action="store_true")
    arguments = options.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="liteset-background-"))
    sys.path.insert(0, str(SHARED / "compat" / "background"))
    import check_background

    golden = {}
    for name in ("cron", "tasks"):
        golden[name] = lines(next(arguments.golden.glob(f"{name}.jsonl*")))
        with open(folder / f"{name}.jsonl", "w", encoding="utf-8") as out:
            out.writelines(json.dumps(case) + "\n" for case in golden[name])
    restore = ["bash", SHARED / "fixtures" / "restore.sh", "sqlite", folder]
    subprocess.run(restore, check=True, stdout=subprocess.DEVNULL)
    environment = {**os.environ, "LITESET_BACKGROUND": str(folder)}
    done = subprocess.run(["cargo", "test", "--locked", "--test", "background"], cwd=ROOT, env=environment)
    if done.returncode:
        sys.exit("the cases could not be answered")

    floors = json.loads(FLOORS.read_text()) if FLOORS.exists() else {}
    fell = False
    for name, cases in golden.items():
        answers = {answer["id"]: answer for answer in lines(folder / f"{name}.out.jsonl")}
        passed = 0
        for case in cases:
            answer = answers[case["id"]]
            if name == "cron":
                keys = [key for key in ("firings", "error", "valid") if key in case]
                differs = check_background.diff({k: case.get(k) for k in keys}, {k: answer.get(k) for k in keys})
                # texts of Python's own tracebacks have no counterpart
                if "Traceback" in str(case.get("error")) and answer["error"]:
                    differs = []
            else:
                in_recorded_order(case, answer)
                differs = check_background.diff(case["steps"], answer["steps"])
            better = next((why for start, why in BETTER.items() if case["id"].startswith(start)), None)
            if differs and better:
                print(f"{case['id']}: {better}")
                differs = []
            if differs:
                print("FAIL", case["id"], case.get("crontab", ""), *differs[:4], sep="\n   ")
            passed += not differs
        floor = floors.get(name, 0)
        print(f"{name}: {passed} of {len(cases)} passed, the floor is {floor}")
        fell |= passed < floor
        floors[name] = max(passed, floor)
    if arguments.raise_floors:
        FLOORS.write_text(json.dumps(floors, indent=2) + "\n")
    shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if fell else 0)


if __name__ == "__main__":
    main()
