"""Records what Superset 6.0.0 compiles for the query objects of `matrix.py`, one file an engine, without any server.

Run it with the Python of an installed Superset; the dialects are put aside:

    pip install --target DIALECTS --no-deps 'clickhouse-connect<1' 'clickhouse-sqlalchemy<0.3' asynch \
        clickhouse-driver lz4 zstandard pytz trino pyhive future pymssql duckdb duckdb-engine \
        'sqlalchemy-redshift<0.9' 'sqlalchemy-cockroachdb<2' sqlalchemy-risingwave \
        'sqlalchemy-singlestoredb<2' singlestoredb sqlparams build oceanbase_py 'starrocks<1.2' pydoris
    PYTHONPATH=DIALECTS python record.py [ENGINE …]
"""

import contextlib
import json
import logging
import os
import sys
import tempfile
from pathlib import Path
from unittest import mock

import matrix
import pymysql

pymysql.version_info = (2, 2, 7, "final", 0)
pymysql.install_as_MySQLdb()

HERE = Path(__file__).parent
SCRATCH = tempfile.mkdtemp()
Path(SCRATCH, "superset_config.py").write_text(
    f'SECRET_KEY = "for a scratch database"\nSQLALCHEMY_DATABASE_URI = "sqlite:///{SCRATCH}/superset.db"\n'
    "PREVENT_UNSAFE_DB_CONNECTIONS = False\nFAB_UPDATE_PERMS = False\n"
)
os.environ["SUPERSET_CONFIG_PATH"] = f"{SCRATCH}/superset_config.py"

# An engine whose texts are those of another but for these differences is written as the differences.
LIKE = {
    "cockroachdb": "postgresql", "redshift": "postgresql", "risingwave": "postgresql", "mariadb": "mysql",
    "oceanbase": "mysql", "singlestoredb": "mysql", "starrocks": "mysql", "pydoris": "mysql",
    "clickhouse": "clickhousedb",
}


class Prequery(Exception):
    """The statement before the statement, where its answer is not given."""


def dataset_of(engine, definition):
    from superset.connectors.sqla.models import SqlaTable, SqlMetric, TableColumn
    from superset.models.core import Database

    database = Database(database_name="d", sqlalchemy_uri=matrix.ENGINES[engine][0], id=1)
    given = {k: v for k, v in definition.items() if k not in ("columns", "metrics", "default_schema")}
    return SqlaTable(
        id=1,
        database=database,
        database_id=1,
        columns=[TableColumn(**column) for column in definition["columns"]],
        metrics=[SqlMetric(**metric) for metric in definition["metrics"]],
        **given,
    )


def statement(dataset, case):
    from superset.common.query_context_factory import QueryContextFactory
    from superset.connectors.sqla.models import SqlaTable
    import pandas as pd

    _, _, query, more = case

    def answer(query_obj):
        sql = dataset.get_query_str_extended(query_obj).sql
        if "groups" not in more:
            raise Prequery(sql)
        result = mock.Mock()
        result.query = sql
        result.status = "success"
        result.df = pd.DataFrame(more["groups"])
        return result

    query = json.loads(json.dumps(query))
    # What the schema of the chart data API sees to.
    query["filters"] = [{"val": None} | one for one in query.get("filters", [])]
    if "filters" in query and not query["filters"]:
        del query["filters"]
    if "orderby" in query:
        query["orderby"] = [tuple(one) for one in query["orderby"]]
    described = [{"is_dttm": more.get("probe", False), "column_name": "x", "type": "X"}]
    with (
        mock.patch("superset.connectors.sqla.models.get_columns_description", return_value=described),
        mock.patch("superset.daos.datasource.DatasourceDAO.get_datasource", return_value=dataset),
        mock.patch.object(SqlaTable, "query", side_effect=answer),
    ):
        context = QueryContextFactory().create(
            datasource={"id": 1, "type": "table"}, queries=[query], form_data=more.get("form_data")
        )
        made = context.queries[0]
        made.validate()
        return dataset.get_query_str_extended(made.to_dict()).sql


def text_of(dataset, case):
    try:
        return statement(dataset, case)
    except Prequery as ask:
        return f"prequery {ask}"
    except Exception as error:  # whatever it is, the message is the outcome
        return "!" + str(getattr(error, "message", None) or error)


def record(engine):
    from superset.models.core import Database

    definitions = matrix.datasets(matrix.ENGINES[engine][1])
    any_dataset = dataset_of(engine, definitions["table"])
    grains = [g for g in any_dataset.database.db_engine_spec.get_time_grain_expressions() if g]
    datasets = {name: dataset_of(engine, definition) for name, definition in definitions.items()}
    texts = {case[0]: text_of(datasets[case[1]], case) for case in matrix.cases(grains)}
    for name in ["table", "bare", "catalog", "odd", "word"]:
        texts[f"select star {name}"] = select_star(datasets[name])
    return texts, grains


def select_star(dataset):
    from superset.sql.parse import Table

    table = Table(dataset.table_name, dataset.schema, dataset.catalog)
    return dataset.database.select_star(table, latest_partition=False)


def kept(engine):
    """What is ours on purpose, with the reason, is written by hand and stays."""
    path = HERE / f"{engine}.json"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    at = text.find(',\n"ours"')
    return text[at:].rstrip().removesuffix("}").rstrip() if at >= 0 else ""


def main(wanted):
    from superset.app import create_app

    app = create_app()
    logging.disable()
    with app.app_context(), contextlib.ExitStack() as stack:
        for patch in [
            mock.patch("superset.models.core.Database.get_default_schema", return_value="port"),
            mock.patch("superset.models.core.Database.get_default_catalog", return_value=None),
            mock.patch("superset.daos.database.DatabaseDAO.get_ssh_tunnel", return_value=None),
            mock.patch("superset.connectors.sqla.models.SqlaTable.get_sqla_row_level_filters", return_value=[]),
            mock.patch("superset.utils.rls.get_predicates_for_table", return_value=[]),
        ]:
            stack.enter_context(patch)
        made = {}
        all_grains = {}
        for engine in matrix.ENGINES:
            if wanted and engine not in wanted and engine not in {LIKE.get(one) for one in wanted}:
                continue
            made[engine], grains = record(engine)
            all_grains[engine] = grains
            if wanted and engine not in wanted:
                continue
            base = made.get(LIKE.get(engine, ""), {})
            texts = {name: sql for name, sql in made[engine].items() if base.get(name) != sql}
            texts |= dict.fromkeys(base.keys() - made[engine].keys())
            lines = [
                f"  {json.dumps(name, ensure_ascii=False)}: {json.dumps(sql, ensure_ascii=False)}"
                for name, sql in texts.items()
            ]
            head = {"engine": engine, "like": LIKE.get(engine), "grains": grains}
            head = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in head.items())
            body = ",\n".join(lines)
            ours = kept(engine)
            (HERE / f"{engine}.json").write_text(
                f'{{\n{head},\n"texts": {{\n{body}\n}}{ours}\n}}\n', encoding="utf-8"
            )
            print(engine, len(made[engine]), "cases,", len(texts), "texts")
    grains = {grain for names in all_grains.values() for grain in names}
    write_matrix(sorted(grains))


def write_matrix(grains):
    """The query objects as data: types stand in the datasets as `<kind>`."""
    lines = []
    for name, dataset, query, more in matrix.cases(grains):
        lines.append({"id": name, "dataset": dataset, "query": query} | more)
    parts = {
        "types": {engine: types for engine, (_, types) in matrix.ENGINES.items()},
        "datasets": matrix.datasets({kind: f"<{kind}>" for kind in matrix.PLAIN}),
    }
    head = ",\n".join(f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in parts.items())
    body = ",\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    (HERE / "matrix.json").write_text(f'{{\n{head},\n"cases": [\n{body}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
