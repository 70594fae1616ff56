//! A dataset as the frontend's chart builder needs it (`superset.connectors.sqla.models:SqlaTable.data`).

use std::collections::{HashMap, HashSet};

use daos::{
    database::{self, Database},
    dataset::{self, Column, Dataset, Metric},
    person::{self, Owned, Person},
};
use infra::{
    Result,
    config::Config,
    db::Executor,
    engine_specs::{EngineSpec, GenericType},
};
use serde_json::{Map, Value, json};

use crate::connect::describe as database_describe;
use crate::introspect::select_star::select_star;
use crate::state::functions;

/// A dataset with everything that hangs on it.
#[derive(Debug, Clone)]
pub struct Described {
    /// The dataset.
    pub dataset: Dataset,
    /// Its database.
    pub database: Database,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its metrics.
    pub metrics: Vec<Metric>,
    /// Its owners.
    pub owners: Vec<Person>,
}

/// Loads several datasets with their relations, in a constant number of statements.
pub async fn load(db: &dyn Executor, ids: &[i64]) -> Result<HashMap<i64, Described>> {
    let datasets = dataset::find_many(db, ids).await?;
    if datasets.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<i64> = datasets.keys().copied().collect();
    let database_ids: HashSet<i64> = datasets.values().map(|d| d.database_id).collect();
    let databases = database::find_many(db, &Vec::from_iter(database_ids)).await?;
    let mut columns = dataset::columns(db, &ids).await?;
    let mut metrics = dataset::metrics(db, &ids).await?;
    let mut owners = person::owners(db, Owned::Dataset, &ids).await?;
    Ok(datasets
        .into_iter()
        .filter_map(|(id, dataset)| {
            let database = databases.get(&dataset.database_id)?.clone();
            let mut take = |id| (columns.remove(&id), metrics.remove(&id), owners.remove(&id));
            let (columns, metrics, owners) = take(id);
            Some((
                id,
                Described {
                    dataset,
                    database,
                    columns: columns.unwrap_or_default(),
                    metrics: metrics.unwrap_or_default(),
                    owners: owners.unwrap_or_default(),
                },
            ))
        })
        .collect())
}

/// One dataset with its relations.
pub async fn load_one(db: &dyn Executor, id: i64) -> Result<Option<Described>> {
    Ok(load(db, &[id]).await?.remove(&id))
}

/// Kind of values of a column: time when it is marked so, else by its type.
pub fn type_generic(spec: &EngineSpec, column: &Column) -> Option<GenericType> {
    if column.is_dttm == Some(true) {
        return Some(GenericType::Temporal);
    }
    spec.generic_type(column.type_.as_deref().filter(|t| !t.is_empty())?)
}

/// `CertificationMixin`: what `extra` says about certification and warnings.
struct Certification {
    is_certified: bool,
    certified_by: Value,
    details: Value,
    warning: Value,
}

fn certification(extra: Option<&str>) -> Certification {
    let extra: Map<String, Value> = serde_json::from_str(extra.unwrap_or_default()).unwrap_or_default();
    let certification = extra.get("certification").cloned().unwrap_or_default();
    let of = |key: &str| certification.get(key).cloned().unwrap_or_default();
    Certification {
        is_certified: database_describe::truthy(&certification),
        certified_by: of("certified_by"),
        details: of("details"),
        warning: extra.get("warning_markdown").cloned().unwrap_or_default(),
    }
}

/// `TableColumn.data`.
pub fn column_data(spec: &EngineSpec, column: &Column) -> Value {
    let certification = certification(column.extra.as_deref());
    json!({
        "advanced_data_type": column.advanced_data_type,
        "certification_details": certification.details,
        "certified_by": certification.certified_by,
        "column_name": column.column_name,
        "description": column.description,
        "expression": column.expression,
        "filterable": column.filterable,
        "groupby": column.groupby,
        "id": column.id,
        "uuid": column.uuid.map(|u| u.to_string()),
        "is_certified": certification.is_certified,
        "is_dttm": column.is_dttm,
        "python_date_format": column.python_date_format,
        "type": column.type_,
        "type_generic": type_generic(spec, column).map(|g| g as u8),
        "verbose_name": column.verbose_name,
        "warning_markdown": certification.warning,
    })
}

/// `SqlMetric.data`.
pub fn metric_data(metric: &Metric) -> Value {
    let certification = certification(metric.extra.as_deref());
    json!({
        "certification_details": certification.details,
        "certified_by": certification.certified_by,
        "currency": metric.currency,
        "d3format": metric.d3format,
        "description": metric.description,
        "expression": metric.expression,
        "id": metric.id,
        "uuid": metric.uuid.map(|u| u.to_string()),
        "is_certified": certification.is_certified,
        "metric_name": metric.metric_name,
        "warning_markdown": certification.warning,
        "warning_text": metric.warning_text,
        "verbose_name": metric.verbose_name,
    })
}

impl Described {
    /// The engine of its database.
    pub fn spec(&self) -> &'static EngineSpec {
        database_describe::engine(&self.database)
    }

    /// Formats of the metrics that have one.
    pub fn column_formats(&self) -> Value {
        let of = |m: &Metric| {
            Some((m.metric_name.clone(), json!(m.d3format.as_deref().filter(|f| !f.is_empty())?)))
        };
        Value::Object(self.metrics.iter().filter_map(of).collect())
    }

    /// Names of the columns, sorted.
    pub fn column_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.columns.iter().map(|c| c.column_name.as_str()).collect();
        names.sort_unstable();
        names
    }

    /// Orders that a table chart offers: each column up and down.
    pub fn order_by_choices(&self) -> Value {
        let choice = |name: &str, up: bool| {
            let key = format!("[{}, {up}]", infra::json::dumps(&json!(name)));
            json!([key, format!("{name} [{}]", if up { "asc" } else { "desc" })])
        };
        let names = self.column_names();
        names.iter().flat_map(|name| [choice(name, true), choice(name, false)]).collect()
    }

    /// What people see instead of the names of metrics and columns; a metric wins over a column of its name.
    pub fn verbose_map(&self) -> Value {
        let mut map = Map::from_iter([("__timestamp".to_owned(), json!("Time"))]);
        let metrics = self.metrics.iter().map(|m| (&m.metric_name, &m.verbose_name));
        let columns = self.columns.iter().map(|c| (&c.column_name, &c.verbose_name));
        for (name, verbose) in metrics.chain(columns) {
            let verbose = verbose.as_deref().filter(|v| !v.is_empty()).unwrap_or(name);
            map.entry(name.clone()).or_insert_with(|| json!(verbose));
        }
        Value::Object(map)
    }

    /// Time columns, the main one among them.
    pub fn granularity_sqla(&self) -> Value {
        let dttm = self.columns.iter().filter(|c| c.is_dttm == Some(true));
        let mut names: Vec<&str> = dttm.map(|c| c.column_name.as_str()).collect();
        if let Some(main) = self.dataset.main_dttm_col.as_deref().filter(|m| !m.is_empty())
            && !names.contains(&main)
        {
            names.push(main);
        }
        names.into_iter().map(|n| json!([n, n])).collect()
    }

    /// Time grains of the engine.
    pub fn time_grain_sqla(&self) -> Value {
        self.spec().time_grains().iter().map(|g| json!([g.duration, g.name])).collect()
    }

    /// The statement that shows its first rows.
    pub fn select_star(&self) -> String {
        let dataset = &self.dataset;
        select_star(self.spec(), dataset.catalog.as_deref(), dataset.schema.as_deref(), &dataset.table_name)
    }

    /// `SqlaTable.data`, in the original's order.
    pub fn data(&self, config: &Config) -> Map<String, Value> {
        let d = &self.dataset;
        let spec = self.spec();
        let owner = |o: &Person| {
            json!({"first_name": o.first_name, "last_name": o.last_name,
            "username": o.username, "id": o.id})
        };
        let Value::Object(mut map) = json!({
            "id": d.id,
            "uid": format!("{}__table", d.id),
            "column_formats": self.column_formats(),
            "description": d.description,
            "database": database_describe::data(&self.database),
            "default_endpoint": d.default_endpoint,
            "filter_select": d.filter_select_enabled,
            "filter_select_enabled": d.filter_select_enabled,
            "name": d.name(),
            "datasource_name": d.table_name,
            "table_name": d.table_name,
            "type": "table",
            "catalog": d.catalog,
            "schema": d.schema.as_deref().filter(|s| !s.is_empty()),
            "offset": d.offset,
            "cache_timeout": d.cache_timeout,
            "params": d.params,
            "perm": d.perm,
            "edit_url": format!("/tablemodelview/edit/{}", d.id),
            "sql": d.sql,
            "columns": self.columns.iter().map(|c| column_data(spec, c)).collect::<Value>(),
            "metrics": self.metrics.iter().map(metric_data).collect::<Value>(),
            "folders": d.folders,
            "order_by_choices": self.order_by_choices(),
            "owners": self.owners.iter().map(owner).collect::<Value>(),
            "verbose_map": self.verbose_map(),
            "select_star": self.select_star(),
            "granularity_sqla": self.granularity_sqla(),
            "time_grain_sqla": self.time_grain_sqla(),
            "main_dttm_col": d.main_dttm_col,
            "fetch_values_predicate": d.fetch_values_predicate,
            "template_params": d.template_params,
            "is_sqllab_view": d.is_sqllab_view,
            "health_check_message": null,
            "extra": d.extra,
            "always_filter_main_dttm": d.always_filter_main_dttm,
            "normalize_columns": d.normalize_columns,
        }) else {
            return Map::new();
        };
        if let Some(message) = functions::dataset_health(config, &map) {
            map.insert("health_check_message".to_owned(), message);
        }
        map
    }
}
