//! Types as sqlglot names them for an engine.

use sqlparser::ast::DataType;

use super::{super::dialect::Family, Printer};

impl Printer {
    pub(super) fn data_type(self, data_type: &DataType) -> String {
        let text = data_type.to_string();
        if self.family == Family::ClickHouse {
            let text = match text.as_str() {
                "INT" | "INTEGER" => "Int32",
                "BIGINT" => "Int64",
                "SMALLINT" => "Int16",
                "TINYINT" => "Int8",
                "FLOAT" | "REAL" => "Float32",
                "DOUBLE" | "DOUBLE PRECISION" => "Float64",
                "VARCHAR" | "CHAR" | "TEXT" => "String",
                "DECIMAL" | "NUMERIC" => "Decimal",
                "BOOLEAN" | "BOOL" => "Bool",
                "TIMESTAMP" => "DateTime",
                other => other,
            };
            return clickhouse(text).replace(',', ", ").replace(",  ", ", ");
        }
        // `"char"` is another type than `CHAR`
        if text.contains('"') {
            return text;
        }
        let (name, arguments) = match text.find('(') {
            Some(at) => (text.get(..at).unwrap_or_default(), text.get(at..).unwrap_or_default()),
            None => (text.as_str(), ""),
        };
        let upper = name.trim().to_uppercase();
        let mapped =
            match self.family {
                Family::Sqlite => match upper.as_str() {
                    "BOOLEAN" | "TINYINT" | "SMALLINT" | "INT" | "BIGINT" | "BOOL" => "INTEGER",
                    "FLOAT" | "DOUBLE" | "DOUBLE PRECISION" | "DECIMAL" | "NUMERIC" | "DEC" => "REAL",
                    "CHAR" | "NCHAR" | "NVARCHAR" | "VARCHAR" | "CHARACTER VARYING" | "CHARACTER"
                    | "STRING" => "TEXT",
                    "BINARY" | "VARBINARY" | "BYTEA" => "BLOB",
                    other => other,
                },
                Family::Postgres => match upper.as_str() {
                    "INTEGER" | "INT4" => "INT",
                    "INT8" => "BIGINT",
                    "INT2" | "TINYINT" => "SMALLINT",
                    "NUMERIC" | "DEC" => "DECIMAL",
                    "FLOAT8" | "DOUBLE" | "FLOAT" => "DOUBLE PRECISION",
                    "FLOAT4" => "REAL",
                    "BOOL" => "BOOLEAN",
                    "CHARACTER VARYING" => "VARCHAR",
                    "CHARACTER" => "CHAR",
                    "DATETIME" | "TIMESTAMP WITHOUT TIME ZONE" => "TIMESTAMP",
                    "TIMESTAMP WITH TIME ZONE" => "TIMESTAMPTZ",
                    "TIME WITHOUT TIME ZONE" => "TIME",
                    "TIME WITH TIME ZONE" => "TIMETZ",
                    other => other,
                },
                // MySQL has types of its own for CAST.
                Family::Mysql => match upper.as_str() {
                    "INT" | "INTEGER" | "BIGINT" | "SMALLINT" | "TINYINT" | "MEDIUMINT" | "BOOLEAN"
                    | "BOOL" => "SIGNED",
                    "VARCHAR" | "TEXT" | "CHARACTER VARYING" | "STRING" => "CHAR",
                    "NUMERIC" => "DECIMAL",
                    "TIMESTAMP" => "DATETIME",
                    "DOUBLE PRECISION" => "DOUBLE",
                    "REAL" => "FLOAT",
                    other => other,
                },
                Family::Doris => match upper.as_str() {
                    "INTEGER" => "INT",
                    "NUMERIC" => "DECIMAL",
                    "DOUBLE PRECISION" => "DOUBLE",
                    "REAL" => "FLOAT",
                    "BOOL" => "BOOLEAN",
                    "TEXT" => "STRING",
                    "TIMESTAMP" => "DATETIME",
                    "CHARACTER VARYING" => "VARCHAR",
                    other => other,
                },
                Family::Mssql => match upper.as_str() {
                    "INT" => "INTEGER",
                    "DECIMAL" => "NUMERIC",
                    "BOOL" | "BOOLEAN" => "BIT",
                    "DOUBLE PRECISION" => "FLOAT",
                    "TEXT" => "VARCHAR(MAX)",
                    "CHARACTER VARYING" => "VARCHAR",
                    other => other,
                },
                Family::Presto => match upper.as_str() {
                    "INT" => "INTEGER",
                    "FLOAT" => "REAL",
                    "DOUBLE PRECISION" => "DOUBLE",
                    "NUMERIC" => "DECIMAL",
                    "BOOL" => "BOOLEAN",
                    "TEXT" | "STRING" | "NVARCHAR" | "CHARACTER VARYING" => "VARCHAR",
                    "DATETIME" => "TIMESTAMP",
                    "TIMESTAMPTZ" => "TIMESTAMP WITH TIME ZONE",
                    "BINARY" | "BLOB" => "VARBINARY",
                    other => other,
                },
                Family::DuckDb => match upper.as_str() {
                    "INTEGER" => "INT",
                    "FLOAT" => "REAL",
                    "DOUBLE PRECISION" => "DOUBLE",
                    "NUMERIC" if !arguments.is_empty() => "DECIMAL",
                    "BOOL" => "BOOLEAN",
                    // lengths mean nothing there
                    "CHAR" | "VARCHAR" | "STRING" | "CHARACTER VARYING" => return "TEXT".to_owned(),
                    "DATETIME" => "TIMESTAMP",
                    "TIMESTAMP WITH TIME ZONE" => "TIMESTAMPTZ",
                    "BINARY" | "VARBINARY" => "BLOB",
                    other => other,
                },
                Family::Oracle => match upper.as_str() {
                    "VARCHAR" | "CHARACTER VARYING" => "VARCHAR2",
                    "NVARCHAR" => "NVARCHAR2",
                    "INTEGER" | "BIGINT" => "INT",
                    "DECIMAL" | "NUMERIC" => "NUMBER",
                    "DOUBLE" => "DOUBLE PRECISION",
                    "TEXT" => "CLOB",
                    "BINARY" | "VARBINARY" => "BLOB",
                    other => other,
                },
                Family::Bigquery => match upper.as_str() {
                    "INT" | "INTEGER" | "BIGINT" | "SMALLINT" | "TINYINT" => "INT64",
                    "FLOAT" | "DOUBLE" | "DOUBLE PRECISION" => "FLOAT64",
                    "DECIMAL" => "NUMERIC",
                    "BOOLEAN" => "BOOL",
                    "CHAR" | "NCHAR" | "NVARCHAR" | "VARCHAR" | "TEXT" | "CHARACTER VARYING" => "STRING",
                    "BINARY" | "VARBINARY" | "BLOB" => "BYTES",
                    other => other,
                },
                Family::Hive => match upper.as_str() {
                    "INTEGER" => "INT",
                    "NUMERIC" => "DECIMAL",
                    "DOUBLE PRECISION" => "DOUBLE",
                    "VARCHAR" | "CHARACTER VARYING" if arguments.is_empty() => "STRING",
                    "TEXT" => "STRING",
                    "CHARACTER VARYING" => "VARCHAR",
                    other => other,
                },
                _ => match upper.as_str() {
                    "INTEGER" => "INT",
                    "NUMERIC" => "DECIMAL",
                    "CHARACTER VARYING" => "VARCHAR",
                    other => other,
                },
            };
        format!("{mapped}{}", arguments.replace(',', ", ").replace(",  ", ", "))
    }
}

/// ClickHouse's types by their own names, which the parser writes in capitals here and there.
pub(super) fn clickhouse(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut quoted = false;
    let mut word = String::new();
    for c in text.chars().chain([' ']) {
        if !quoted && (c.is_ascii_alphanumeric() || c == '_') {
            word.push(c);
            continue;
        }
        out.push_str(match word.as_str() {
            "STRING" => "String",
            "INT64" => "Int64",
            "INT8" => "Int8",
            "FLOAT64" => "Float64",
            "DATETIME" => "DateTime",
            other => other,
        });
        word.clear();
        quoted ^= c == '\'';
        out.push(c);
    }
    out.trim_end().to_owned()
}
