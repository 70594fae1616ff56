//! Functions that stand where a table stands.

use sqlparser::ast::{Expr, ObjectName, TableFactor};

use super::dialect::Family;

/// Table functions that read nothing but their arguments.
const COMPUTING: &[&str] = &[
    "explode",
    "flatten",
    "generate_series",
    "generate_subscripts",
    "generator",
    "json_array_elements",
    "json_array_elements_text",
    "json_each",
    "json_each_text",
    "json_object_keys",
    "json_populate_record",
    "json_populate_recordset",
    "json_to_record",
    "json_to_recordset",
    "json_tree",
    "jsonb_array_elements",
    "jsonb_array_elements_text",
    "jsonb_each",
    "jsonb_each_text",
    "jsonb_object_keys",
    "jsonb_path_query",
    "jsonb_populate_record",
    "jsonb_populate_recordset",
    "jsonb_to_record",
    "jsonb_to_recordset",
    "numbers",
    "openjson",
    "posexplode",
    "range",
    "regexp_matches",
    "regexp_split_to_table",
    "sequence",
    "split_to_table",
    "string_split",
    "string_to_table",
    "unnest",
    "values",
    "zeros",
];

/// What SQL Server takes for a hint behind the name of a table, `FROM t (NOLOCK)`, the parser takes for arguments.
const MSSQL_COMPUTING: &[&str] = &["generate_series", "openjson", "string_split"];

/// Whether what is read is not known (`merge('s', '.*')`, `query('SELECT …')`, `TABLE('t')`): a table function other
/// than those that only take their arguments apart.
pub(super) fn reads_unknown(factor: &TableFactor, family: Family) -> bool {
    match factor {
        TableFactor::Table { name, args: Some(_), .. } | TableFactor::Function { name, .. } => {
            !computes(name, family)
        }
        TableFactor::TableFunction { expr, .. } => match expr {
            Expr::Function(function) => !computes(&function.name, family),
            _ => true,
        },
        TableFactor::SemanticView { .. } => true,
        _ => false,
    }
}

fn computes(name: &ObjectName, family: Family) -> bool {
    let known = if family == Family::Mssql { MSSQL_COMPUTING } else { COMPUTING };
    let last = name.0.last().and_then(|part| part.as_ident()).map(|ident| ident.value.to_lowercase());
    last.is_some_and(|last| known.contains(&last.as_str()))
}
