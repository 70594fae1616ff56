"""Records what Superset's own date parser says about our phrases: run with the Python of a Superset 6.0.0 installation.

Writes phrases.jsonl, deltas.jsonl and ranges.jsonl beside this file. The clock is set, so that the answers stay true.
"""
import json, os, random, time as real_time, warnings
from datetime import datetime
warnings.filterwarnings("ignore")
import parsedatetime
from dateutil.parser import _parser
from superset.utils import date_parser

HERE = os.path.dirname(os.path.abspath(__file__))
NOWS = [datetime(2026, 11, 20, 21, 51, 39), datetime(2024, 2, 29, 10, 15, 30)]


def set_clock(now):
    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(*now.timetuple()[:6])

    date_parser.datetime = Clock

    class Time:
        def __getattr__(self, name):
            return getattr(real_time, name)

        @staticmethod
        def localtime(*a):
            return now.timetuple() if not a else real_time.localtime(*a)

    parsedatetime.time = Time()
    _parser.DEFAULTPARSER.info._year = now.year
    _parser.DEFAULTPARSER.info._century = now.year // 100 * 100


def answer(f, *args):
    try:
        r = f(*args)
        if isinstance(r, tuple):
            return [x and x.isoformat() for x in r]
        return r.isoformat() if hasattr(r, "isoformat") else str(r)
    except Exception as ex:  # noqa
        return {"error": type(ex).__name__, "message": str(ex)}


UNITS = [
    "second",
    "minute",
    "hour",
    "day",
    "week",
    "month",
    "quarter",
    "year",
    "seconds",
    "minutes",
    "hours",
    "days",
    "weeks",
    "months",
    "quarters",
    "years",
    "sec",
    "mins",
    "hr",
    "h",
    "d",
    "w",
    "y",
    "m",
    "s",
]
DAYS = ["monday", "Tue", "tues", "wednesday", "Thu", "FRIDAY", "sat", "Sunday"]
MONTHS = ["january", "Feb", "mar", "April", "may", "jun", "July", "aug", "Sept", "oct", "november", "Dec"]
PLAIN = """
now|today|tomorrow|yesterday|right now|noon|midnight|tonight|morning|this morning|tomorrow morning|tomorrow at noon
yesterday evening
tomorrow 5pm|tomorrow at 5:30 pm|yesterday 18:30|today 9am|5pm|5 pm|5:30pm|17:30|1730|at 6|noon tomorrow|lunch
dinner time|tomorrow night|eod|eom|eoy|end of day|end of month|end of year|end of week
eod tomorrow|eod friday|end of this month|end of next month|this week|this month|this year|this day|this hour
this quarter|next hour|last hour|prev day|previous month|previous week|prior year|prev year|last night|next morning
next january|last january|last December|next dec|this march|one day before thursday|two days after monday
3 days before friday|an hour ago|a week ago|a year from now|five minutes ago|twenty days ago|twelve days ago
one week from tomorrow
1 week from today|2 weeks from tomorrow|3 days from yesterday|5 minutes from now|1 hour before noon
2 hours after midnight|2 hours before tomorrow|one month before today|5 days ago at noon|3 days ago 10:00
2 weeks ago monday
last monday 10am|next friday at 18:00|friday 5pm|monday morning|thursday next week|next week thursday|in 5 minutes
in 2 hours|in three days|in a week|on monday|on may 5|at 5pm tomorrow|1 day 2 hours ago|2 years 3 months ago|1d 2h ago
-5 days|- 3 weeks|-1 month|+2 days|5d|3w|2y|6m|10s|2h30m|1.5 hours ago|2.5 days|0 days|1000000 days ago
99999999999 years ago|100 years ago|10000 years later
2006|1999|2020-01-01|2020-01-01T00:00:00|2020-01-01 12:34:56|2020-01-01T12:34:56.789|2020-01-01T12:34:56Z
2020-01-01T12:34:56+02:00|2020-01-01 12:34:56 -0330|2020-01-01 12:00 UTC|2020-01-01 12:00 GMT+3|2020-01-01 12:00 EST
20200102|20200102T030405|202001020304|20200102030405|200102|01/02/2020|13/02/2020|2020/02/13|1/2/20|1-2-20|01.02.2020
2020.02.01|2020-02|02/2020|02-2020|2020-1|99-01-02|1/2|13/2|2/30|2/30/2020|31/12/1999|12:30|12:30:45|12:30:45.5|1:2:3
24:00|25:00|12:60|2020-13-01|2020-02-30|2020-00-10|2020-W05|2020-W05-1|2020-060|2019-Q1|Q1 2019|Q3
10 September 2003|Sep 10, 2003|September 10th 2003|10th of September 2003|Sep 2003|September|sep 10|10 sep|Sep-10-2003
10-Sep-2003|10/Sep/2003|Sep of 03|Sep of 2003|Thu Sep 25 10:36:28 2003|Thu, 25 Sep 2003 10:49:41 -0300
Thursday, September 25, 2003 at 10:49 am|25 sept 03|May 31st, 2006|may 31st|Dec 31st 11pm|Jan 1st|July 2006|july 4
4 july 1776|feb 29|Feb 30|february 29 2023|mar 3 5pm|mar 3 at 17:00|3rd of march|march 3rd 2021 10:30
August 25th, 2008 12pm|Aug 5 '08|2008 August|12 2008 jan|dec 25 2020 00:00:00|Christmas|new year|Jan 2019
January, 2019|1 Jan|jan 0|jan 32
monday|Tue|wed|sunday 10:00|next monday|last friday|this tuesday|prior wednesday|previous thursday|mon tue
sat 2020-01-01|10am|10 am|10a|10p|12am|12pm|12 am|0am|13pm|10h|10h30|10h30m|10:30h|5 s|10 m 30 s|10:36:28 pm|10.30 pm
1 a|am|pm|am 5|a.m.|5 p.m.|5p.m. tomorrow
|foo|last|next|previous|ago|from|from now|before|after|this|bar baz|today foo|foo today|5|05|31|32|100|1|0|-1|3.5|12,5
1,000|2020,01|12345|123456|1234567|12345678|123456789|1234567890|12345678901|1586822400|1586822400000|99999|now now
today today|tomorrow tomorrow|yesterday yesterday|next next week|last last month|week|day|month|year|5 days
7 weeks ago from now|1 2 3|1 2 3 4|2020 2021|a|an|one|one two|two days|'today'|"today"|today.|today!|today, tomorrow
(today)|[2020-01-01]|2020-01-01;|2020_01_01|2020-01-01--|-|--|/|:|T|Z|T12|12T|nan|inf|infinity|1e5|0x10|½|日本
2020-01-01T|2020-01-01 foo|2020-01-01 ad|2020-01-01 at 5|5 of may|may of 5|a.b.c|1.2.3.4|Sep.20.2009|4:30:21.447
20.09.2009|3.14.2015|1.1|19990101T23|19990101T2359|19990101T235959.59|990101|010203 040506|10:00 +5|10:00+05:30
10:00-0800 (PST)|10:00 PST|10:00 foo|z|10z|10:00z|10:00Zulu|0001-01-01|9999-12-31|0000-01-01|10000-01-01
9999-12-31 + 1 day|0049|49|50|75|76|77|99-12-31|76-01-01|77-01-01
"""


def phrases():
    out = [p for line in PLAIN.strip("\n").split("\n") for p in line.split("|")]
    r = random.Random(7)
    for u in UNITS:
        for form in (
            "{n} {u} ago",
            "{n} {u} later",
            "{n} {u} from now",
            "next {u}",
            "last {u}",
            "in {n} {u}",
            "{n} {u}",
            "-{n} {u}",
            "last {n} {u}",
            "{n}{u}",
            "{n} {u} before yesterday",
        ):
            if r.random() < 0.62:
                out.append(form.format(n=r.choice([1, 2, 3, 4, 7, 10, 30, 100]), u=u))
    for d in DAYS:
        for form in (
            "{d}",
            "next {d}",
            "last {d}",
            "this {d}",
            "{d} at {h}:30",
            "{h} {d}",
            "{n} days before {d}",
            "{d} next week",
            "eod {d}",
            "{d} {h}pm",
        ):
            if r.random() < 0.5:
                out.append(form.format(d=d, h=r.randint(1, 12), n=r.randint(1, 5)))
    for m in MONTHS:
        for form in (
            "{m}",
            "{m} {n}",
            "{n} {m}",
            "{m} {n}, {y}",
            "{n} {m} {y}",
            "{m} {y}",
            "next {m}",
            "last {m}",
            "{m} {n}th {y} at {h}pm",
            "{n}th {m} {h}:15",
            "{y} {m} {n}",
            "{m}/{n}/{y}",
            "{n}-{m}-{y}",
            "{m} {n} next year",
            "the {n}th of {m}",
            "{m}. {n}, {y}",
        ):
            if r.random() < 0.4:
                out.append(
                    form.format(
                        m=m, n=r.randint(1, 31), h=r.randint(1, 12), y=r.choice([1999, 2020, 2031, "99", "07", 1850])
                    )
                )
    for _ in range(160):
        sep = r.choice("-/. ")
        a, b, c = (
            r.choice([r.randint(0, 35), r.randint(1900, 2030)]),
            r.randint(0, 33),
            r.choice([r.randint(0, 99), r.randint(1900, 2030)]),
        )
        out.append(
            sep.join(str(x) if r.random() < 0.5 else f"{x:02d}" for x in (a, b, c))
            + r.choice(["", "", " 10:30", "T01:02:03", " 5pm", " 11 am"])
        )
    words = [
        "next",
        "last",
        "this",
        "ago",
        "from",
        "before",
        "after",
        "end of",
        "week",
        "day",
        "month",
        "year",
        "monday",
        "fri",
        "noon",
        "tomorrow",
        "today",
        "3",
        "two",
        "5 days",
        "10:30",
        "5pm",
        "may",
        "2021",
        "4th",
        "at",
        "in",
        "eod",
        "eom",
        "-",
        "hour",
        "2 hours",
    ]
    for _ in range(260):
        out.append(" ".join(r.choice(words) for _ in range(r.randint(2, 4))))
    return list(dict.fromkeys(out))


RANGES = """No filter|Last day|Last week|Last month|Last quarter|Last year|Last 7 days|Last 90 days|Last 3 months
Last 1 quarters|Last 30 minutes|Last 10 seconds|Last hour|Last 5 hours|Next day|Next week|Next 3 months|Next 2 hours
previous calendar week|previous calendar month|previous calendar quarter|previous calendar year
previous calendar weekend|previous calendar day|Current day|Current week|Current month|Current quarter|Current year
Current decade|current week|last week|next week|Last|Next|Lastly|None||2020
2006 : 2008|2006-01-01 : |: 2008| : 2008| : | :|2006 :2008|2006: 2008|a : b : c|2020 : 2021 : 2022|last week : 
last 2 weeks : last week|this week : next week|prior 3 months : prior month|THIS DAY : NEXT DAY|Last 0 days : today
last 007 days : now|last  2  weeks : now|last2 weeks : now|last 2weeks : now|next 1 quarters : next 4 quarter
start of this week : end of this week|beginning of last month : end of last month|start of last 2 quarters : now
end of this quarter : |end of last day : |start of this day : end of this month|START OF THIS YEAR : END OF NEXT YEAR
start of prior 12 months : start of this month|start of 3 months : now|end of week : now|start of last hour : now
DATETIME('now') : DATETIME('tomorrow')|datetime("2020") : dateadd(datetime("2020"), 3, DAY)
DATEADD(DATETIME('2020-01-31'), 1, month) : |DATEADD(DATETIME('2020-01-31'), -13, MONTH,) : 
DATEADD(DATETIME('today'), +5, hour) : |DATEADD(DATETIME('2020-02-29'), 1, year) : 
DATEADD(DATETIME('2020'), 7, quarter) : 
DATEADD(DATETIME('2020'), DATEDIFF(DATETIME('2019'), DATETIME('2020'), year), year) : 
DATEADD(DATETIME('2020'), DATEDIFF(DATETIME('2020'), DATETIME('2019'), day), day) : 
DATETRUNC(DATETIME('2020-08-19T11:22:33'), minute) : |DATETRUNC(DATETIME('2020-08-19T11:22:33.5'), quarter) : 
LASTDAY(DATETIME('2020-02-11'), month) : |LASTDAY(DATETIME('2020-02-11'), day) : |HOLIDAY('christmas') : 
HOLIDAY('Labor', DATETIME('2018')) : |HOLIDAY("new year", DATETIME('2018'), 'US') : 
HOLIDAY('Veterans Day', DATETIME('1975')) : |HOLIDAY('thanks', DATETIME('1940')) : |HOLIDAY('Nope') : |HOLIDAY('') : 
HOLIDAY('Memorial', DATETIME('1960')) : |HOLIDAY('Washington', DATETIME('1950')) : 
HOLIDAY('Martin', DATETIME('1985')) : |HOLIDAY('juneteenth', DATETIME('2022')) : 
DATETIME('x : |DATETIME(2) : |DATEADD(DATETIME('now'), x, day) : |DATEADD(DATETIME('now'), 1, decade) : 
DATETRUNC(DATETIME('now'), decade) : |DATETIMES('now') : |DATETIME : |DATEADD(1) : |DATEADD(DATETIME('now'), 1 day) : 
LASTDAY(DATETIME('now')) : |HOLIDAY(1) : |HOLIDAY('x' 'y' : |DATEADD(DATEADD(FOO(1),1,day),1,day) : |DATETIME('now' : 
DATEADD(DATETIME('now'),1,day : |DATEADD(DATETIME('now'), DATEDIFF(1), day) : |DATEADDX : |DATETIME('o'clock') : 
DATETIME  ( 'now' ) garbage : |DATEADD(DATETIME('2020'), 1, days) : |DATEADD(DATETIME('2020'), 1.5, day) : 
DATEADD(DATETIME('2020'), - 1, day) : |DATEADD(DATETIME('2020'), 99999999999, day) : 
DATEADD(DATETIME('9999'), 1, year) : |DATEADD(DATETIME('0001'), -1, day) : |it's : now|DATETIME('') : 
DATETIME('foo') : |DATETIME('5 days') : |DATEADD(DATETIME('5 days'), 1, day) : |DATETRUNC(DATETIME('now'), week : 
DATEADD(DATETIME('2020')) : |DATEADD (DATETIME('2020') , 1 , week , ) : 
2008 : 2006|today : yesterday|5 days : today|5 days ago : 5 days|monday : friday|now : today
2020-01-01T00:00:00Z : 2021-01-01T00:00:00Z|2020-01-01T00:00:00+05:00 : 2021-01-01T00:00:00-03:00"""
SHIFTS = [
    "1 week",
    "1 year ago",
    "28 days",
    "-1 month",
    "1 month later",
    "foo",
    "",
    "2 quarters",
    "2019 : 2020",
    "52 weeks ago",
    "1 day",
    "yesterday",
    "10 hours",
    "three months",
]


def main():
    out, deltas, ranges = [], [], []
    for k, now in enumerate(NOWS):
        set_clock(now)
        for p in phrases():
            out.append([k, p, answer(date_parser.parse_human_datetime, p)])
        for p in [
            "1 day ago",
            "1 week ago",
            "1 month ago",
            "1 quarter ago",
            "2 years later",
            "10 hours ago",
            "",
            "foo",
            "1.5 months ago",
            "-1 month",
            "3 months",
            "13 months ago",
            "2.5 years",
            "now",
            "noon",
            "monday",
            "next month",
            "1 day 3 hours",
            "1 week later",
            "last year",
            "0.5 day",
            "400 months",
            "-400 months",
        ]:
            for source in (datetime(2020, 3, 31, 12, 30, 15), datetime(2019, 1, 31), None):
                deltas.append([k, p, source and source.isoformat(), answer(date_parser.get_past_or_future, p, source)])
        for line in RANGES.split("\n"):
            for p in line.split("|"):
                ranges.append([k, p, None, answer(date_parser.get_since_until, p)])
        for s in SHIFTS:
            ranges.append(
                [
                    k,
                    "2020-03-31 : 2020-04-30",
                    s,
                    answer(lambda: date_parser.get_since_until("2020-03-31 : 2020-04-30", time_shift=s)),
                ]
            )
            ranges.append([k, "Last month", s, answer(lambda: date_parser.get_since_until("Last month", time_shift=s))])
    for name, rows in (("phrases", out), ("deltas", deltas), ("ranges", ranges)):
        with open(f"{HERE}/{name}.jsonl", "w") as f:
            for row in rows:
                f.write(json.dumps(row) + "\n")
        print(name, len(rows))


main()
