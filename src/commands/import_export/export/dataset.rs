//! Datasets in a bundle (`superset.commands.dataset.export`).

use std::collections::HashMap;

use daos::{
    Record, Selection,
    database::{self, Database},
    table::Table,
    tables::{SQL_METRICS, TABLE_COLUMNS, TABLES},
};
use infra::{
    Result,
    db::Sql,
    file_name,
    yaml::{Map, Yaml},
};

use super::{
    super::document::{COLUMN, DATASET, METRIC, VERSION, decode, fields, in_order, put, value, with_uuid},
    AssetKind, Export, distinct, id_of,
};

/// A dataset with its columns, metrics and database.
pub(super) struct DatasetRows {
    record: Record,
    metrics: Vec<Map>,
    columns: Vec<Map>,
    pub(super) database: Database,
}

impl DatasetRows {
    pub(super) fn uuid(&self) -> Yaml {
        value(&self.record, &TABLES, "uuid")
    }

    pub(super) fn table_name(&self) -> String {
        self.record.text("table_name")
    }

    pub(super) fn id(&self) -> i64 {
        id_of(&self.record)
    }

    /// The document; JSON columns are decoded except in the bundle of a database.
    pub(super) fn document(&self, decoded: bool) -> Map {
        let mut map = with_uuid(&self.record, &TABLES, DATASET);
        if decoded {
            decode(&mut map, &["params", "template_params", "extra"]);
        }
        for (key, children) in [("metrics", &self.metrics), ("columns", &self.columns)] {
            let mut children = children.clone();
            if decoded {
                children.iter_mut().for_each(|child| decode(child, &["extra"]));
            }
            put(&mut map, key, children.into_iter().map(Yaml::Map).collect::<Vec<_>>());
        }
        put(&mut map, "version", VERSION);
        put(&mut map, "database_uuid", self.database.uuid.map(|u| u.to_string()));
        map
    }
}

impl Export<'_> {
    /// Datasets, each with its database.
    pub(super) async fn datasets(&mut self, ids: &[i64], related: bool) -> Result<()> {
        let rows = self.dataset_rows(ids, true).await?;
        for id in ids {
            if let Some(dataset) = rows.get(id) {
                self.dataset(dataset, related)?;
            }
        }
        Ok(())
    }

    pub(super) fn dataset(&mut self, dataset: &DatasetRows, related: bool) -> Result<()> {
        let database = &dataset.database;
        let folder = file_name::without_id(&database.database_name, database.id);
        let name = file_name::with_id(&dataset.table_name(), dataset.id());
        if self.exported.insert((AssetKind::Dataset, dataset.id())) {
            self.file(&format!("datasets/{folder}/{name}.yaml"), dataset.document(true))?;
        }
        if related {
            self.related_database(database)?;
        }
        Ok(())
    }

    /// Datasets by their keys; without columns and metrics where only their names matter, or where their files were
    /// handed on.
    pub(super) async fn dataset_rows(&self, ids: &[i64], whole: bool) -> Result<HashMap<i64, DatasetRows>> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let columns = [DATASET, &["database_id"]].concat();
        let records = self.rows(&TABLES, &columns, ids).await?;
        let of = |record: &Record| record.get::<i64>("database_id").unwrap_or_default();
        let databases = distinct(records.iter().map(of));
        let databases = database::find_many(self.db, &databases).await?;
        let (mut metrics, mut columns) = (HashMap::new(), HashMap::new());
        let is_new = |id: &i64| !self.exported.contains(&(AssetKind::Dataset, *id));
        let new: Vec<i64> = ids.iter().copied().filter(is_new).collect();
        if whole && !new.is_empty() {
            metrics = self.children(&SQL_METRICS, METRIC, &new).await?;
            columns = self.children(&TABLE_COLUMNS, COLUMN, &new).await?;
        }
        let rows = records.into_iter().filter_map(|record| {
            let id = id_of(&record);
            let database = databases.get(&of(&record))?.clone();
            let (metrics, columns) =
                (metrics.remove(&id).unwrap_or_default(), columns.remove(&id).unwrap_or_default());
            Some((id, DatasetRows { record, metrics, columns, database }))
        });
        Ok(rows.collect())
    }

    async fn children(
        &self,
        table: &'static Table,
        names: &[&str],
        ids: &[i64],
    ) -> Result<HashMap<i64, Vec<Map>>> {
        let selection = Selection::with_paths(table, names.iter().copied().chain(["table_id"]));
        let mut condition = Sql::new(format!("{}.table_id IN ", table.name));
        condition.push_list(ids.iter().copied());
        let mut of: HashMap<i64, Vec<Map>> = HashMap::new();
        for record in self.fetch(&selection, condition).await? {
            let dataset = record.get("table_id").unwrap_or_default();
            of.entry(dataset).or_default().push(fields(&record, table, names));
        }
        Ok(of.into_iter().map(|(id, children)| (id, in_order(children))).collect())
    }
}
