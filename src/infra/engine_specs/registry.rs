//! All engines that Superset 6.0.0 knows, read from `specs/` when first asked for.

use std::sync::LazyLock;

use super::{grains, spec::EngineSpec};

/// Where several specs share an engine, the first without drivers of its own answers for the unknown ones.
const FILES: &[&str] = &[
    include_str!("specs/postgresql.toml"),
    include_str!("specs/sqlite.toml"),
    include_str!("specs/mysql.toml"),
    include_str!("specs/microsoft_sql_server.toml"),
    include_str!("specs/apache_hive.toml"),
    include_str!("specs/databricks.toml"),
    include_str!("specs/databend.toml"),
    include_str!("specs/amazon_athena.toml"),
    include_str!("specs/amazon_dynamodb.toml"),
    include_str!("specs/amazon_redshift.toml"),
    include_str!("specs/apache_doris.toml"),
    include_str!("specs/apache_drill.toml"),
    include_str!("specs/apache_druid.toml"),
    include_str!("specs/apache_impala.toml"),
    include_str!("specs/apache_kylin.toml"),
    include_str!("specs/apache_pinot.toml"),
    include_str!("specs/apache_solr.toml"),
    include_str!("specs/apache_spark_sql.toml"),
    include_str!("specs/ascend.toml"),
    include_str!("specs/aurora_mysql_data_api.toml"),
    include_str!("specs/aurora_postgresql_data_api.toml"),
    include_str!("specs/azure_synapse.toml"),
    include_str!("specs/clickhouse.toml"),
    include_str!("specs/clickhouse_connect_superset.toml"),
    include_str!("specs/cockroachdb.toml"),
    include_str!("specs/couchbase.toml"),
    include_str!("specs/cratedb.toml"),
    include_str!("specs/databend_native.toml"),
    include_str!("specs/databricks_interactive_cluster.toml"),
    include_str!("specs/databricks_legacy.toml"),
    include_str!("specs/databricks_sql_endpoint.toml"),
    include_str!("specs/denodo.toml"),
    include_str!("specs/dremio.toml"),
    include_str!("specs/duckdb.toml"),
    include_str!("specs/elasticsearch_opendistro_sql.toml"),
    include_str!("specs/elasticsearch_sql_api.toml"),
    include_str!("specs/exasol.toml"),
    include_str!("specs/firebird.toml"),
    include_str!("specs/firebolt.toml"),
    include_str!("specs/google_bigquery.toml"),
    include_str!("specs/google_sheets.toml"),
    include_str!("specs/ibm_db2.toml"),
    include_str!("specs/ibm_db2_for_i.toml"),
    include_str!("specs/ibm_netezza_performance_server.toml"),
    include_str!("specs/kustokql.toml"),
    include_str!("specs/kustosql.toml"),
    include_str!("specs/mariadb.toml"),
    include_str!("specs/motherduck.toml"),
    include_str!("specs/oceanbase.toml"),
    include_str!("specs/ocient.toml"),
    include_str!("specs/oracle.toml"),
    include_str!("specs/parseable.toml"),
    include_str!("specs/presto.toml"),
    include_str!("specs/risingwave.toml"),
    include_str!("specs/sap_hana.toml"),
    include_str!("specs/shillelagh.toml"),
    include_str!("specs/singlestore.toml"),
    include_str!("specs/snowflake.toml"),
    include_str!("specs/starrocks.toml"),
    include_str!("specs/superset_meta_database.toml"),
    include_str!("specs/tdengine.toml"),
    include_str!("specs/teradata.toml"),
    include_str!("specs/trino.toml"),
    include_str!("specs/vertica.toml"),
    include_str!("specs/ydb.toml"),
];

static SPECS: LazyLock<Vec<EngineSpec>> = LazyLock::new(|| {
    let read = |text: &&str| {
        EngineSpec::parse(text)
            .inspect_err(|error| tracing::error!(%error, "engine spec cannot be read"))
            .ok()
    };
    let mut specs: Vec<EngineSpec> = FILES.iter().filter_map(read).collect();
    specs.iter_mut().for_each(grains::apply);
    specs
});
static BASE: LazyLock<EngineSpec> = LazyLock::new(EngineSpec::base);

/// Every spec.
pub fn specs() -> &'static [EngineSpec] {
    &SPECS
}

/// The spec of a backend and driver (`get_engine_spec`); unknown backends get the generic one.
pub fn spec(backend: &str, driver: Option<&str>) -> &'static EngineSpec {
    let speaks = |s: &&EngineSpec| s.engine == backend || s.aliases.iter().any(|a| a == backend);
    if let Some(driver) = driver {
        let exact = |s: &&EngineSpec| speaks(s) && s.drivers.iter().any(|d| d == driver);
        if let Some(found) = SPECS.iter().find(exact) {
            return found;
        }
        let any = |s: &&EngineSpec| speaks(s) && s.drivers.is_empty();
        if let Some(found) = SPECS.iter().find(any) {
            return found;
        }
    }
    SPECS.iter().find(speaks).unwrap_or(&BASE)
}

/// The spec for a SQLAlchemy connection string.
pub fn spec_for_uri(uri: &str) -> &'static EngineSpec {
    let scheme = uri.split(':').next().unwrap_or_default();
    match scheme.split_once('+') {
        Some((backend, driver)) => spec(backend, Some(driver)),
        None => spec(scheme, None),
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::engine_specs::{facts::CostEstimate, spec::GenericType};

    #[test]
    fn every_file_reads() {
        for file in FILES {
            EngineSpec::parse(file).unwrap();
        }
        assert_eq!(specs().len(), FILES.len());
    }

    #[test]
    fn selection() {
        assert_eq!(spec_for_uri("postgresql+psycopg2://u:p@h/d").name, "PostgreSQL");
        assert_eq!(spec_for_uri("postgres://h/d").name, "PostgreSQL");
        assert_eq!(spec_for_uri("sqlite:////a.db").name, "SQLite");
        assert_eq!(spec_for_uri("databricks+pyhive://h").name, "Databricks Interactive Cluster");
        assert_eq!(spec_for_uri("mysql://h").name, "MySQL");
        assert_eq!(spec_for_uri("nosuch://h").engine, "base");
    }

    #[test]
    fn types_literals_grains() {
        let t = NaiveDate::from_ymd_opt(2019, 1, 2).unwrap().and_hms_micro_opt(3, 4, 5, 678_900).unwrap();
        let pg = spec("postgresql", None);
        assert_eq!(pg.generic_type("DOUBLE PRECISION"), Some(GenericType::Numeric));
        assert_eq!(pg.generic_type("UUID"), None);
        assert_eq!(
            pg.time_literal("TIMESTAMP WITHOUT TIME ZONE", t).as_deref(),
            Some("TO_TIMESTAMP('2019-01-02 03:04:05.678900', 'YYYY-MM-DD HH24:MI:SS.US')")
        );
        assert_eq!(pg.time_literal("TEXT", t), None);
        let lite = spec("sqlite", None);
        assert_eq!(lite.time_literal("DATETIME", t).as_deref(), Some("'2019-01-02 03:04:05'"));
        assert_eq!(lite.time_literal("DATE", t), None);
        assert_eq!(lite.grain("P1Y"), Some("DATETIME({col}, 'start of year')"));
        assert_eq!(lite.time_grains().first().map(|g| g.name), Some("Second"));
        assert!(!lite.time_grains().iter().any(|g| g.duration == "P0.25Y"));
    }

    #[test]
    fn versions_that_estimate_costs() {
        let of = |version: Value| {
            spec("presto", None).cost_estimate(&Map::from_iter([("version".to_owned(), version)]))
        };
        for version in [json!("0.319"), json!("0.320.1"), json!("1")] {
            assert_eq!(of(version), CostEstimate::ExplainIo);
        }
        assert_eq!((of(json!("0.318")), of(Value::Null)), (CostEstimate::Unable, CostEstimate::Unable));
        assert_eq!(spec("postgresql", None).cost_estimate(&Map::new()), CostEstimate::Explain);
        // the original's class has the method, that of Redshift does not
        assert_eq!(spec("redshift", None).cost_estimate(&Map::new()), CostEstimate::Unable);
    }
}
