//! Changes that SQLite's `ALTER TABLE` does not have: the table is made anew under another name and filled, takes the
//! old one's place, and gets its indexes and triggers back (alembic's "batch"). Foreign keys must not be enforced
//! meanwhile.

use infra::db::{DbError, Executor, Sql};

use super::ddl::ForeignKey;

/// `CREATE TABLE name (item, item, …) rest`.
#[derive(Debug, PartialEq, Eq)]
struct Definition {
    items: Vec<String>,
    rest: String,
}

impl Definition {
    /// Takes the text of `sqlite_master` apart at the commas between columns and constraints.
    fn parse(text: &str) -> Option<Self> {
        let open = text.find('(')?;
        let (mut depth, mut quote, mut items, mut item) = (0_usize, None, Vec::new(), String::new());
        let mut chars = text[open..].char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let next = chars.peek().map(|(_, next)| *next);
            match (quote, c) {
                (Some(q), c) if c == q => quote = None,
                (Some(_), _) => {}
                (None, '\'' | '"' | '`') => quote = Some(c),
                (None, '[') => quote = Some(']'),
                // comments would swallow what is written behind them
                (None, '-') if next == Some('-') => {
                    while chars.next_if(|(_, c)| *c != '\n').is_some() {}
                    continue;
                }
                (None, '/') if next == Some('*') => {
                    let end = text[open + at..].find("*/")?;
                    while chars.next_if(|(i, _)| *i < at + end + 2).is_some() {}
                    continue;
                }
                (None, '(') => {
                    depth += 1;
                    if depth == 1 {
                        continue;
                    }
                }
                (None, ')') => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        items.push(item.trim().to_owned());
                        let rest = text[open..].get(at + 1..)?.trim().to_owned();
                        return Some(Self { items, rest });
                    }
                }
                (None, ',') if depth == 1 => {
                    items.push(std::mem::take(&mut item).trim().to_owned());
                    continue;
                }
                _ => {}
            }
            item.push(c);
        }
        None
    }

    fn text(&self, name: &str) -> String {
        format!("CREATE TABLE \"{name}\" (\n\t{}\n){}", self.items.join(",\n\t"), self.rest)
    }
}

/// The words of an item, without quotes.
fn words(item: &str) -> Vec<String> {
    let apart = item.replace(['(', ')'], " ");
    apart.split_whitespace().map(|word| word.trim_matches(['"', '`', '[', ']']).to_lowercase()).collect()
}

/// A foreign key without name from a column to a table.
fn is_unnamed_key(item: &str, column: &str, to: &str) -> bool {
    matches!(&words(item)[..], [a, b, from, c, target, ..]
        if a == "foreign" && b == "key" && from == column && c == "references" && target == to)
}

async fn definition(db: &dyn Executor, table: &str) -> Result<Option<Definition>, DbError> {
    let sql = Sql::new("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?").bind(table);
    let Some(row) = db.first(sql).await? else { return Ok(None) };
    let text: String = row.at(0)?;
    let unreadable = || DbError::Query(format!("the definition of table {table} cannot be read: {text}"));
    Definition::parse(&text).ok_or_else(unreadable).map(Some)
}

async fn existing(db: &dyn Executor, table: &str) -> Result<Definition, DbError> {
    let missing = || DbError::Query(format!("there is no table {table}"));
    definition(db, table).await?.ok_or_else(missing)
}

/// Does a table have a constraint of a name?
pub(super) async fn has_constraint(db: &dyn Executor, table: &str, name: &str) -> Result<bool, DbError> {
    let definition = definition(db, table).await?;
    let named = |item: &String| matches!(&words(item)[..], [a, b, ..] if a == "constraint" && b == name);
    Ok(definition.is_some_and(|definition| definition.items.iter().any(named)))
}

/// Adds a foreign key. Of those without name to the same table the first goes when a second change of the same table
/// comes: what alembic leaves, which finds constraints by what they say.
pub(super) async fn add_foreign_key(db: &dyn Executor, key: &ForeignKey) -> Result<(), DbError> {
    let mut definition = existing(db, key.table).await?;
    let named: Vec<Vec<String>> = definition
        .items
        .iter()
        .map(|item| words(item))
        .filter(|w| w.first().is_some_and(|w| w == "constraint"))
        .collect();
    definition.items.retain(|item| {
        !named.iter().any(|named| match &named[..] {
            [_, _, a, b, column, c, to, ..] if a == "foreign" && b == "key" && c == "references" => {
                is_unnamed_key(item, column, to)
            }
            _ => false,
        })
    });
    definition.items.push(key.definition());
    replace(db, key.table, &definition).await
}

/// Makes columns obligatory.
pub(super) async fn set_not_null(db: &dyn Executor, table: &str, columns: &[&str]) -> Result<(), DbError> {
    let mut definition = existing(db, table).await?;
    let mut changed = false;
    for item in &mut definition.items {
        let words = words(item);
        let wanted = words.first().is_some_and(|name| columns.contains(&name.as_str()));
        if wanted && !words.windows(2).any(|pair| pair[0] == "not" && pair[1] == "null") {
            item.push_str(" NOT NULL");
            changed = true;
        }
    }
    if changed { replace(db, table, &definition).await } else { Ok(()) }
}

async fn replace(db: &dyn Executor, table: &str, definition: &Definition) -> Result<(), DbError> {
    let on = db.query(Sql::new("PRAGMA foreign_keys")).await?;
    if on.first().map(|row| row.at::<bool>(0)).transpose()?.unwrap_or(true) {
        return Err(DbError::Query("foreign keys are enforced: no table can be rebuilt".into()));
    }
    let belongings = "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND type IN ('index', 'trigger') \
                      AND sql IS NOT NULL ORDER BY rowid";
    let belongings: Vec<String> = db
        .query(Sql::new(belongings).bind(table))
        .await?
        .iter()
        .map(|row| row.at(0))
        .collect::<Result<_, _>>()?;
    let columns =
        db.query(Sql::new("SELECT name FROM pragma_table_info(?) ORDER BY cid").bind(table)).await?;
    let columns: Vec<String> = columns.iter().map(|row| row.at(0)).collect::<Result<_, _>>()?;
    let columns = columns.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    let temporary = format!("_liteset_tmp_{table}");
    for text in [
        definition.text(&temporary),
        format!("INSERT INTO \"{temporary}\" ({columns}) SELECT {columns} FROM \"{table}\""),
        format!("DROP TABLE \"{table}\""),
        format!("ALTER TABLE \"{temporary}\" RENAME TO \"{table}\""),
    ] {
        db.execute(Sql::new(text)).await?;
    }
    for text in belongings {
        db.execute(Sql::new(text)).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_taken_apart_at_their_commas() {
        let text = "CREATE TABLE t (\n\tid INTEGER NOT NULL, name VARCHAR(3) DEFAULT ',(' -- a, b\n, \n\t\
                    CHECK (a IN (1, /* 3, */ 2)), FOREIGN KEY(\"x\") REFERENCES ab_user (id)\n) STRICT";
        let definition = Definition::parse(text).unwrap();
        assert_eq!(definition.items.len(), 4);
        assert_eq!(definition.items[0], "id INTEGER NOT NULL");
        assert_eq!(definition.items[1], "name VARCHAR(3) DEFAULT ',('");
        assert_eq!(definition.items[2], "CHECK (a IN (1,  2))");
        assert_eq!(definition.rest, "STRICT");
        assert!(is_unnamed_key(&definition.items[3], "x", "ab_user"));
        assert!(!is_unnamed_key(&definition.items[3], "x", "ab_role"));
        assert!(definition.text("n").starts_with("CREATE TABLE \"n\" (\n\tid INTEGER NOT NULL,\n\tname"));
        assert_eq!(Definition::parse("CREATE TABLE t (a, (b"), None);
    }
}
