//! Conditions that lists are restricted by. They name a table by its own name, and are nothing but pieces of
//! statements to whoever asks for them.

use infra::db::{Dialect, Sql, Value};

/// A column holds a value.
pub fn equals(column: &'static str, value: impl Into<Value>) -> Sql {
    Sql::new(format!("{column} = ?")).bind(value)
}

/// A column begins with a text, in whatever case.
pub fn starts_with(dialect: Dialect, column: String, text: &str) -> Sql {
    dialect.ilike(Sql::new(column), &format!("{text}%"), false)
}

/// A column contains a text, in whatever case.
pub fn contains(dialect: Dialect, column: impl Into<Sql>, text: &str) -> Sql {
    dialect.ilike(column.into(), &format!("%{text}%"), false)
}

/// One of the columns contains a text, in whatever case.
pub fn any_contains(dialect: Dialect, columns: &[&'static str], text: &str) -> Sql {
    let mut sql = Sql::default();
    sql.push_joined(columns.iter().map(|column| contains(dialect, *column, text)), " OR ");
    sql
}

/// A column is not null, or is.
pub fn is_present(column: &'static str, yes: bool) -> Sql {
    Sql::new(format!("{column} IS {}NULL", if yes { "NOT " } else { "" }))
}

/// A text is neither null nor empty, or is one of the two.
pub fn is_filled(column: &'static str, yes: bool) -> Sql {
    Sql::new(match yes {
        true => format!("{column} IS NOT NULL AND {column} != ''"),
        false => format!("{column} IS NULL OR {column} = ''"),
    })
}

/// A user has made or changed the object.
pub fn is_touched_by(table: &'static str, user_id: Option<i64>) -> Sql {
    let mut sql = Sql::new(format!("{table}.created_by_fk = "));
    sql.push_bind(user_id).push(&format!(" OR {table}.changed_by_fk = ")).push_bind(user_id);
    sql
}

/// A user has starred the object, or has not; `class_name` is that of `favstar`.
pub fn is_starred(table: &'static str, class_name: &'static str, user_id: Option<i64>, yes: bool) -> Sql {
    let mut sql = Sql::new(format!("{table}.id {}IN ", if yes { "" } else { "NOT " }));
    sql.push("(SELECT obj_id FROM favstar WHERE user_id = ").push_bind(user_id);
    sql.push(" AND class_name = ").push_bind(class_name).push(")");
    sql
}

/// The object has a tag whose name contains a text.
pub fn has_tag_like(dialect: Dialect, table: &'static str, object_type: &'static str, text: &str) -> Sql {
    has_tag_that(table, object_type, contains(dialect, "tag.name", text))
}

/// The object has a tag.
pub fn has_tag(table: &'static str, object_type: &'static str, tag_id: i64) -> Sql {
    has_tag_that(table, object_type, equals("tag.id", tag_id))
}

fn has_tag_that(table: &'static str, object_type: &'static str, condition: Sql) -> Sql {
    let mut sql = Sql::new(format!(
        "{table}.id IN (SELECT tagged_object.object_id FROM tagged_object JOIN tag ON tag.id = tagged_object.tag_id \
         WHERE tagged_object.object_type = "
    ));
    sql.push_bind(object_type).push(" AND ").append(condition).push(")");
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_bound_and_columns_named() {
        let found = any_contains(Dialect::Sqlite, &["a.x", "a.y"], "it's");
        assert_eq!(found.text(), "lower(a.x) LIKE lower(?) OR lower(a.y) LIKE lower(?)");
        assert_eq!(any_contains(Dialect::Postgres, &["a.x"], "t").text(), "a.x ILIKE ?");
        assert_eq!(is_filled("a.x", false).text(), "a.x IS NULL OR a.x = ''");
        let tagged = has_tag("slices", "chart", 3);
        assert!(tagged.text().ends_with("WHERE tagged_object.object_type = ? AND tag.id = ?)"));
    }
}
