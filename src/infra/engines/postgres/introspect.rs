//! Schemas, tables and columns from PostgreSQL's catalogue, as SQLAlchemy's inspector tells them.

use async_trait::async_trait;

use super::{
    super::{
        QueryOptions,
        catalog::{ColumnDescription, ForeignKey, Index, Key},
    },
    Database, error, in_time,
};
use crate::engines::{driver::Inspect, error::EngineError};

impl Database {
    async fn rows(&self, sql: &str, parameters: &[&str]) -> Result<Vec<tokio_postgres::Row>, EngineError> {
        let options = QueryOptions::default();
        let mut lease = self.client(options.max_bytes).await?;
        let parameters: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> =
            parameters.iter().map(|p| p as &(dyn tokio_postgres::types::ToSql + Sync)).collect();
        let asked =
            async { lease.get()?.query(sql, &parameters).await.map_err(|e| error::statement_error(&e, sql)) };
        let rows = in_time(&options, asked).await;
        lease.done = !matches!(rows, Err(EngineError::Timeout(_)));
        lease.judged(rows)
    }

    async fn names(&self, sql: &str, parameters: &[&str]) -> Result<Vec<String>, EngineError> {
        let rows = self.rows(sql, parameters).await?;
        Ok(rows.iter().filter_map(|row| row.try_get::<_, String>(0).ok()).collect())
    }

    async fn relations(&self, schema: &str, kinds: &str) -> Result<Vec<String>, EngineError> {
        let sql = format!(
            "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = $1::text AND c.relkind IN ({kinds}) ORDER BY 1"
        );
        self.names(&sql, &[schema]).await
    }

    async fn constraints(
        &self,
        schema: &str,
        table: &str,
        kind: &str,
    ) -> Result<Vec<Constraint>, EngineError> {
        let sql = format!(
            "SELECT k.conname::text, \
             ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(n, o) \
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY u.o), \
             CASE WHEN pg_table_is_visible(k.confrelid) THEN NULL ELSE fn.nspname::text END, fc.relname::text, \
             ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u(n, o) \
             JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n ORDER BY u.o) \
             FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid \
             JOIN pg_namespace n ON n.oid = c.relnamespace \
             LEFT JOIN pg_class fc ON fc.oid = k.confrelid LEFT JOIN pg_namespace fn ON fn.oid = fc.relnamespace \
             WHERE n.nspname = $1::text AND c.relname = $2::text AND k.contype = '{kind}' ORDER BY 1"
        );
        let rows = self.rows(&sql, &[schema, table]).await?;
        let read = |row: &tokio_postgres::Row| {
            Some((
                row.try_get(0).ok()?,
                row.try_get(1).ok()?,
                row.try_get(2).ok()?,
                row.try_get::<_, Option<String>>(3).ok()?.unwrap_or_default(),
                row.try_get::<_, Option<Vec<String>>>(4).ok()?.unwrap_or_default(),
            ))
        };
        Ok(rows.iter().filter_map(read).collect())
    }
}

#[async_trait]
impl Inspect for Database {
    /// The schema that unqualified names belong to.
    async fn default_schema(&self) -> Result<Option<String>, EngineError> {
        Ok(self.names("SELECT current_schema()::text", &[]).await?.into_iter().next())
    }

    /// All schemas that unqualified names are looked for in, but those of the system.
    async fn search_path(&self) -> Result<Vec<String>, EngineError> {
        // Redshift has no rows of an array
        let found = self.names("SELECT array_to_string(current_schemas(false), chr(31))", &[]).await?;
        Ok(found
            .iter()
            .flat_map(|all| all.split('\u{1f}'))
            .filter(|s| !s.is_empty())
            .map(str::to_owned)
            .collect())
    }

    /// All schemas but those of the system.
    async fn schemas(&self) -> Result<Vec<String>, EngineError> {
        let sql = "SELECT nspname::text FROM pg_namespace WHERE nspname NOT LIKE 'pg_%' ORDER BY nspname";
        self.names(sql, &[]).await
    }

    /// Databases of the server that accept connections.
    async fn catalogs(&self) -> Result<Vec<String>, EngineError> {
        self.names("SELECT datname::text FROM pg_database WHERE datistemplate = false", &[]).await
    }

    /// Tables, also partitioned and foreign ones.
    async fn tables(&self, schema: &str) -> Result<Vec<String>, EngineError> {
        self.relations(schema, "'r', 'p', 'f'").await
    }

    /// Views, also materialized ones.
    async fn views(&self, schema: &str) -> Result<Vec<String>, EngineError> {
        self.relations(schema, "'v', 'm'").await
    }

    /// Columns in their order; none when there is no such table.
    async fn columns(&self, schema: &str, table: &str) -> Result<Vec<ColumnDescription>, EngineError> {
        let sql = "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, \
                   pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum) \
                   FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid \
                   JOIN pg_namespace n ON n.oid = c.relnamespace \
                   LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
                   WHERE n.nspname = $1::text AND c.relname = $2::text AND a.attnum > 0 AND NOT a.attisdropped \
                   AND c.relkind IN ('r', 'v', 'm', 'f', 'p') ORDER BY a.attnum";
        let rows = self.rows(sql, &[schema, table]).await?;
        let column = |row: &tokio_postgres::Row| {
            let native: String = row.try_get(1).ok()?;
            Some(ColumnDescription {
                name: row.try_get(0).ok()?,
                type_: sqlalchemy_type(&native),
                nullable: row.try_get(2).ok()?,
                default: row.try_get(3).ok()?,
                comment: row.try_get(4).ok()?,
            })
        };
        Ok(rows.iter().filter_map(column).collect())
    }

    /// The primary key, if the table has one.
    async fn primary_key(&self, schema: &str, table: &str) -> Result<Key, EngineError> {
        let found = self.constraints(schema, table, "p").await?;
        let first = found.into_iter().next();
        Ok(first.map(|(name, columns, ..)| Key { name: Some(name), columns }).unwrap_or_default())
    }

    /// Foreign keys.
    async fn foreign_keys(&self, schema: &str, table: &str) -> Result<Vec<ForeignKey>, EngineError> {
        let found = self.constraints(schema, table, "f").await?;
        let key = |(name, columns, referred_schema, referred_table, referred_columns)| ForeignKey {
            name: Some(name),
            columns,
            referred_schema,
            referred_table,
            referred_columns,
        };
        Ok(found.into_iter().map(key).collect())
    }

    /// Unique constraints.
    async fn unique_constraints(&self, schema: &str, table: &str) -> Result<Vec<Key>, EngineError> {
        let found = self.constraints(schema, table, "u").await?;
        Ok(found.into_iter().map(|(name, columns, ..)| Key { name: Some(name), columns }).collect())
    }

    /// Indexes but that of the primary key.
    async fn indexes(&self, schema: &str, table: &str) -> Result<Vec<Index>, EngineError> {
        let sql = "SELECT i.relname::text, x.indisunique, \
                   ARRAY(SELECT a.attname::text FROM unnest(x.indkey::int2[]) WITH ORDINALITY u(n, o) \
                   JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = u.n ORDER BY u.o) \
                   FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid \
                   JOIN pg_namespace n ON n.oid = c.relnamespace \
                   WHERE n.nspname = $1::text AND c.relname = $2::text AND NOT x.indisprimary ORDER BY 1";
        let rows = self.rows(sql, &[schema, table]).await?;
        let read = |row: &tokio_postgres::Row| {
            Some(Index {
                name: row.try_get(0).ok()?,
                unique: row.try_get(1).ok()?,
                columns: row.try_get(2).ok()?,
            })
        };
        Ok(rows.iter().filter_map(read).collect())
    }

    /// The comment of a table.
    async fn table_comment(&self, schema: &str, table: &str) -> Result<Option<String>, EngineError> {
        let sql = "SELECT obj_description(c.oid, 'pg_class') FROM pg_class c \
                   JOIN pg_namespace n ON n.oid = c.relnamespace \
                   WHERE n.nspname = $1::text AND c.relname = $2::text";
        let rows = self.rows(sql, &[schema, table]).await?;
        Ok(rows.first().and_then(|row| row.try_get(0).ok().flatten()))
    }
}

/// Name, columns, referred schema, table and columns.
type Constraint = (String, Vec<String>, Option<String>, String, Vec<String>);

/// The type as SQLAlchemy's PostgreSQL dialect prints it.
fn sqlalchemy_type(native: &str) -> String {
    if let Some(inner) = native.strip_suffix("[]") {
        return format!("{}[]", sqlalchemy_type(inner));
    }
    let (name, rest) = native.split_once('(').map_or((native, None), |(n, r)| (n, Some(r)));
    let (argument, tail) = rest.and_then(|r| r.split_once(')')).map_or((None, ""), |(a, t)| (Some(a), t));
    let with = |name: &str| match argument {
        Some(a) => format!("{name}({})", a.replace(',', ", ")),
        None => name.to_owned(),
    };
    match name {
        "character varying" => with("VARCHAR"),
        "character" => with("CHAR"),
        "numeric" => with("NUMERIC"),
        "bit varying" => with("BIT VARYING"),
        "timestamp without time zone"
        | "timestamp with time zone"
        | "time without time zone"
        | "time with time zone" => {
            // SQLAlchemy prints no zone for types without, and the precision of none
            let zone = name.ends_with("with time zone");
            let name = name.split(' ').next().unwrap_or(name).to_uppercase();
            if zone { format!("{name} WITH TIME ZONE") } else { name }
        }
        "timestamp" | "time" => {
            let name = with(&name.to_uppercase());
            if tail.trim() == "with time zone" { format!("{name} WITH TIME ZONE") } else { name }
        }
        _ => with(&name.trim_matches('"').to_uppercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::sqlalchemy_type;

    #[test]
    fn types_as_sqlalchemy_prints_them() {
        for (native, want) in [
            ("character varying(16)", "VARCHAR(16)"),
            ("numeric(10,2)", "NUMERIC(10, 2)"),
            ("double precision", "DOUBLE PRECISION"),
            ("timestamp without time zone", "TIMESTAMP"),
            ("timestamp(3) with time zone", "TIMESTAMP(3) WITH TIME ZONE"),
            ("text[]", "TEXT[]"),
            ("bigint", "BIGINT"),
        ] {
            assert_eq!(sqlalchemy_type(native), want);
        }
    }
}
