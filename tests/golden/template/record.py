"""Records what Jinja in Superset's sandbox makes of our templates: run with the Python of a Superset
6.0.0 installation.

Writes templates.jsonl beside this file: [template, result] or [template, {"error": class, "message": text}].
"""

import json, os
from jinja2 import DebugUndefined
from jinja2.sandbox import SandboxedEnvironment
from superset.jinja_context import WhereInMacro, to_datetime
from sqlalchemy.dialects import sqlite

CONTEXT = {
    "columns": ["gender", "name"],
    "from_dttm": "2020-01-01T00:00:00",
    "to_dttm": None,
    "row_limit": 10,
    "ratio": 0.5,
    "flag": True,
    "params": {"a": 1, "b": "two", "c": [1, 2, 3], "items": "shadow"},
    "rows": [{"n": "x", "v": 3}, {"n": "y", "v": 1}, {"n": "x", "v": 2}],
    "text": "Hello World",
    "empty": [],
    "quote": "it's",
}

TEMPLATES = r'''
plain
{{ columns }}
{{ columns|join(', ') }}|{{ columns[0] }}|{{ columns[-1] }}|{{ columns[5] }}
{{ nope }}
{{ nope.x }}
{{ nope() }}
{{ params.zzz }}
{{ params.zzz.y }}
{{ params.a }} {{ params['b'] }} {{ params.get('zz', 5) }} {{ params.c[1:] }}
{{ ''.__class__ }}
{{ ''.__class__.__mro__ }}
{{ text.nothing }}
{{ to_dttm }} {{ flag }} {{ ratio }} {{ row_limit }} {{ none }} {{ [1, 'a', None, True, 1.5] }} {{ {'k': 'v', 'n': \
None} }} {{ (1,) }} {{ (1, 2) }}
{% if from_dttm %}A{% else %}B{% endif %}{% if to_dttm %}C{% elif flag %}D{% endif %}
{% for c in columns %}{{ loop.index }}:{{ c }}{% if not loop.last %}, {% endif %}{% endfor %}
{% for c in empty %}x{% else %}none{% endfor %}
{% for k, v in params.items() %}x{% endfor %}
{% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}={{ v }};{% endfor %}
{% for r in rows if r.v > 1 %}{{ r.n }}{{ loop.index0 }}{{ loop.first }}{% endfor %}
{% for a in range(3) %}{% for b in range(2) %}{{ a }}{{ b }} {% endfor %}{% endfor %}
{% set x = 5 %}{% for i in range(3) %}{% set x = i %}{% endfor %}{{ x }}
{% set ns = namespace(total=0) %}{% for r in rows %}{% set ns.total = ns.total + r.v %}{% endfor %}{{ ns.total }}
{% set a, b = 1, 2 %}{{ a + b }}
{% set block %}in {{ text }}{% endset %}[{{ block }}]
{% set l = [] %}{% for i in range(3) %}{{ l.append(i) or '' }}{% endfor %}{{ l }}
{% macro q(s, sep="'") %}{{ sep }}{{ s }}{{ sep }}{% endmacro %}{{ q('a') }},{{ q('b', sep='"') }}
{% macro m() %}{{ caller() }}!{% endmacro %}{% call m() %}body {{ text }}{% endcall %}
{% with y = 3 %}{{ y * 2 }}{% endwith %}{{ y }}
{% filter upper %}abc {{ text }}{% endfilter %}
{% raw %}{{ not }}{% endraw %}
{# comment #}x{#- c -#} y
a {{- ' b ' -}} c
a
{%- if flag %}
  b
{%- endif %}
c
{{ 1 + 2 * 3 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** 10 }} {{ 1.0 + 2 }} {{ 'a' ~ \
1 ~ none }} {{ 'ab' * 3 }} {{ [1] + [2] }}
{{ 1 < 2 <= 2 }} {{ 1 == 1.0 }} {{ 'a' in 'abc' }} {{ 4 not in [1, 2] }} {{ not flag }} {{ flag and 'yes' or 'no' }} \
{{ 'x' if ratio > 1 else 'y' }} {{ 'x' if false }}
{{ text|upper }} {{ text|lower|title }} {{ text|replace('World', 'You') }} {{ text|length }} {{ text|first }}{{ \
text|last }} {{ text|reverse }} {{ '  a '|trim }}|{{ text|truncate(8) }} {{ 'a b'|capitalize }}
{{ [3,1,2]|sort }} {{ [3,1,2]|sort(reverse=true) }} {{ ['b','A','c']|sort }} {{ [1,1,2]|unique|list }} {{ [1,2,3]|sum \
}} {{ [1,2,3]|max }} {{ [1,2]|min }} {{ rows|map(attribute='n')|join('-') }} {{ rows|sum(attribute='v') }}
{{ rows|selectattr('n', 'equalto', 'x')|map(attribute='v')|list }} {{ [1,2,3,4]|select('even')|list }} {{ \
[1,2,3]|reject('odd')|list }} {{ rows|rejectattr('v', 'gt', 1)|list }}
{% for g, l in rows|groupby('n') %}{{ g }}:{{ l|length }} {% endfor %}
{{ {'b': 1, 'a': 2}|dictsort }} {{ [1,2,3,4,5]|batch(2)|list }} {{ [1,2,3,4,5]|slice(2)|list }}
{{ nope|default('d') }} {{ ''|default('e', true) }} {{ none|default('f') }} {{ nope|d }}|
{{ '42'|int + 1 }} {{ 'x'|int }} {{ '3.7'|int }} {{ '1.5'|float }} {{ 2.567|round(2) }} {{ 2.5|round }} {{ 7|string ~ \
'a' }} {{ -3|abs }}
{{ 3 is odd }} {{ 4 is divisibleby 2 }} {{ nope is defined }} {{ flag is defined }} {{ none is none }} {{ 'a' is \
string }} {{ [] is iterable }} {{ 3 is number }} {{ {} is mapping }} {{ 3 is in [3] }} {{ flag is sameas true }} {{ \
nope is not defined }}
{{ 'a,b'.split(',') }} {{ ','.join(['x', 'y']) }} {{ text.upper() }} {{ text.startswith('He') }} {{ text.find('o') }} \
{{ 'x'.zfill(3) }} {{ '{} {}'.format(1, 'b') }} {{ '%s-%d' % ('a', 5) }} {{ '%05.1f'|format(2.25) }}
{{ 'a-b-c'.rsplit('-', 1) }} {{ ' x '.strip() }} {{ 'abc'[1] }} {{ 'abc'[::-1] }} {{ 'aXb'.partition('X') }}
{{ columns|where_in }} {{ [1, 2.5, "it's"]|where_in }} {{ []|where_in }} {{ []|where_in(default_to_none=True) }}
{{ ('2020-01-02 03:04:05'|to_datetime).strftime('%Y/%m/%d %H') }} {{ "'2020-01-02'"|to_datetime('%Y-%m-%d') }} {{ \
('2020-01-02'|to_datetime('%Y-%m-%d')).year }} {{ none|to_datetime }}
{{ (('2020-01-05'|to_datetime('%Y-%m-%d')) - ('2020-01-02'|to_datetime('%Y-%m-%d'))).days }}
{{ {'a': [1, "<x>"]}|tojson }} {{ '<a>'|e }} {{ 'a b/c'|urlencode }} {{ '<b>x</b>'|striptags }} {{ "a\nb"|indent(2) }}
{{ ( }}
{{ ) }}
{{ 1 + }}
{{ }}
{% if %}x{% endif %}
{% if flag %}x
{% foo %}
{% for x in %}{% endfor %}
{{ 'unclosed }}
{{ x | nofilter }}
{{ x is notest }}
{{ 1 2 }}
{{ a.b.c. }}
{% endif %}
{{ x
{% set %}
{{ "a" "b" }} {{ 1_000 }} {{ 1e3 }} {{ 'tab\tnl\\n' }}
{{ loop }}
{{ range(3) }} {{ range(5, 1, -2)|list }} {{ range(99999999) }}
{{ 1 + 'a' }}
{{ 'a' + 1 }}
{{ 1 / 0 }}
{{ columns.nope }} {{ columns.nope() }}
{{ quote }} {{ [quote] }} {{ "say \"hi\"" }} {{ ['say "it\'s"'] }}
{{ text[:5] ~ '!' }}{{ '' }}{{ 0 }}
{{ rows[0].n }} {{ rows[0]['v'] }} {{ rows|length }} {{ (rows|first).n }} {{ rows[-1]['n'] }}
{{ dict(a=1, b=2) }} {{ dict(a=1).a }}
{% for i in range(4) %}{{ loop.cycle('a', 'b') }}{{ loop.revindex }}{{ loop.changed(i // 2) }} {% endfor %}
{{ [1, [2, {'x': (3, 'y')}]] }} {{ 1e20 }} {{ 0.1 + 0.2 }} {{ 1.0 }} {{ 10 ** 3 }}
'''


def main():
    env = SandboxedEnvironment(undefined=DebugUndefined)
    env.filters["where_in"] = WhereInMacro(sqlite.dialect())
    env.filters["to_datetime"] = to_datetime
    rows, buffer = [], TEMPLATES.replace("\\\n", "").strip("\n").split("\n")
    # a template of several lines begins with a line that is only "a"
    i = 0
    while i < len(buffer):
        t = buffer[i]
        if t == "a":
            t = "\n".join(buffer[i:i + 5])
            i += 4
        i += 1
        try:
            rows.append([t, env.from_string(t).render(CONTEXT)])
        except Exception as ex:  # noqa
            rows.append([t, {"error": type(ex).__name__, "message": str(ex)}])
    here = os.path.dirname(os.path.abspath(__file__))
    with open(f"{here}/templates.jsonl", "w") as f:
        f.write(json.dumps(CONTEXT) + "\n")
        for r in rows:
            f.write(json.dumps(r) + "\n")
    print(len(rows))


main()
