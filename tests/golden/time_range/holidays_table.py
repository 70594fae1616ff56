#!/usr/bin/env python3
"""Writes `src/query/time_range/holidays.tsv` from the published package `holidays`, which Superset asks, and
`tests/golden/time_range/holidays.tsv`, questions with the package's own answers.

    pip install holidays==0.109 python-dateutil && python3 tests/golden/time_range/holidays_table.py

A line that begins with `#` names a country in all its spellings, the lines below it are its holidays: the name, and
since which year it falls on which day (`1950:0530 1971:50L`). A day is `MMDD`, `E+n` (days after Western Easter),
`O+n` (after Orthodox Easter), `Mwn` (the n-th weekday w, Monday 0, of month M in hexadecimal; n = L: the last one) or
`-` (none). It holds until the next one; one without a year is the next year's. Days of the lunar calendars repeat in
many countries: `=3` names the line `=3` at the top. Holidays stand in the order in which the package lists those of a
year, and the first match counts; where that order changes from year to year (`Eid a` may be either feast of two), the
country has one order all the same, and nothing is asked about it.
"""
import datetime, pathlib, random, sys, warnings
from dateutil.easter import EASTER_ORTHODOX, easter
import holidays
from holidays.registry import COUNTRIES

ROOT = pathlib.Path(__file__).resolve().parents[3]
FIRST, LAST = 1950, 2075
EARLIER = {"US": 1860}  # the default country, since its first holiday
warnings.simplefilter("ignore")
sys.setrecursionlimit(10000)


def rules(day):
    """Every way to say a day."""
    yield f"{day:%m%d}"
    for letter, sunday in ("E", easter(day.year)), ("O", easter(day.year, EASTER_ORTHODOX)):
        if abs((day - sunday).days) <= 70:
            yield f"{letter}{(day - sunday).days:+d}"
    yield f"{day.month:x}{day.weekday()}{(day.day - 1) // 7 + 1}"
    if (day + datetime.timedelta(7)).month != day.month:
        yield f"{day.month:x}{day.weekday()}L"


def encode(days, first):
    """`{year: date}` as text: always the rule that holds longest from there."""
    out, year = [], first
    while year <= LAST:
        end, rule = year, "-"
        if year not in days:
            while end <= LAST and end not in days:
                end += 1
        else:
            for candidate in rules(days[year]):
                last = year
                while last in days and candidate in set(rules(days[last])):
                    last += 1
                if last > end:
                    end, rule = last, candidate
        if out or rule != "-":
            out.append((year, rule))
        year = end
    before = [None] + [year for year, _ in out]
    return " ".join(rule if last == year - 1 else f"{year}:{rule}" for (year, rule), last in zip(out, before))


def in_order(years):
    """One order of names that agrees with each year's, as far as there is one."""
    names, after = [], {}
    for year in years:
        for name in year:
            if name not in after:
                after[name] = set()
                names.append(name)
        for name, following in zip(year, year[1:]):
            after[name].add(following)
    out, seen = [], set()

    def visit(name):
        if name not in seen:
            seen.add(name)
            for following in sorted(after[name], key=names.index, reverse=True):
                visit(following)
            out.append(name)

    for name in reversed(names):
        visit(name)
    return out[::-1]


def main():
    lines, count, questions, chance = [], {}, [], random.Random(7)
    for spelling, *codes in COUNTRIES.values():
        first, days, years = EARLIER.get(codes[0], FIRST), {}, []
        for year in range(first, LAST + 1):
            table = holidays.country_holidays(codes[0], years=[year], observed=False)
            years.append(
                [(name, day) for day, value in table.items() if day.year == year for name in value.split("; ")]
            )
            for name, day in years[-1]:
                days.setdefault(name, {}).setdefault(year, day)
        names = in_order([list(dict.fromkeys(name for name, _ in year)) for year in years])
        for year, found in enumerate(years, first):
            if found and chance.random() < 0.03:
                wanted = chance.choice(found)[0][: chance.randint(3, 30)]
                match = [(name, day) for name, day in found if name.lower().startswith(wanted.lower())]
                if match[0][0] == min((name for name, _ in match), key=names.index):
                    questions.append(f"{chance.choice(codes)}\t{year}\t{wanted}\t{match[0][1]}")
        lines.append((f"# {spelling} {' '.join(codes)}", None))
        for name in names:
            text = encode(days[name], first)
            count[text] = count.get(text, 0) + 1
            lines.append((name, text))
    shared = {text: at for at, text in enumerate(text for text, n in count.items() if n > 1 and len(text) > 60)}
    out = [f"={at}\t{text}" for text, at in shared.items()]
    for name, text in lines:
        out.append(name if text is None else f"{name}\t={shared[text]}" if text in shared else f"{name}\t{text}")
    (ROOT / "src/query/time_range/holidays.tsv").write_text("\n".join(out) + "\n")
    (ROOT / "tests/golden/time_range/holidays.tsv").write_text("\n".join(questions) + "\n")


if __name__ == "__main__":
    main()
