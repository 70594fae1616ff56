//! Columns as a table of a database (`pandas.DataFrame.to_sql`): types, literals, statements.

use infra::engine_specs::{Dialect, EngineSpec, Family};

use super::frame::{Cell, Column, Dtype};

/// Rows of one statement.
const ROWS: usize = 1000;
/// Bytes above which a statement takes no more rows.
const BYTES: usize = 512 << 10;

/// The type of a column in `CREATE TABLE`.
fn type_name(dtype: Dtype, family: Family) -> &'static str {
    match (dtype, family) {
        (Dtype::Int(16), _) => "SMALLINT",
        (Dtype::Int(32), _) => "INTEGER",
        (Dtype::Int(_), _) => "BIGINT",
        (Dtype::Float(_), Family::Sqlite) => "FLOAT",
        (Dtype::Float(32), _) => "FLOAT(23)",
        (Dtype::Float(_), _) => "FLOAT(53)",
        (Dtype::Bool, Family::Mysql) => "BOOL",
        (Dtype::Bool, _) => "BOOLEAN",
        (Dtype::Time, Family::Postgres) => "TIMESTAMP WITHOUT TIME ZONE",
        (Dtype::Time, _) => "DATETIME",
        (Dtype::Zoned, Family::Postgres) => "TIMESTAMP WITH TIME ZONE",
        (Dtype::Zoned, _) => "TIMESTAMP",
        (Dtype::Date, _) => "DATE",
        (Dtype::Clock, Family::Postgres) => "TIME WITHOUT TIME ZONE",
        (Dtype::Clock, _) => "TIME",
        (Dtype::Text | Dtype::Unsigned, _) => "TEXT",
    }
}

/// Whether an engine counts the bytes of a name; it cuts what is too long without a word.
pub fn counts_bytes(spec: &EngineSpec) -> bool {
    Dialect::for_engine(spec).family == Family::Postgres
}

/// A table that is written.
#[derive(Clone)]
pub struct Table {
    dialect: Dialect,
    name: String,
}

impl Table {
    /// A table of a schema.
    pub fn new(spec: &EngineSpec, schema: Option<&str>, name: &str) -> Self {
        let dialect = Dialect::for_engine(spec);
        let schema =
            schema.filter(|s| !s.is_empty()).map(|s| format!("{}.", dialect.quote(s))).unwrap_or_default();
        Self { dialect, name: format!("{schema}{}", dialect.quote(name)) }
    }

    /// Whether a transaction that fails takes the table with it.
    pub fn rolls_back(&self) -> bool {
        self.dialect.family != Family::Mysql
    }

    /// `DROP TABLE`.
    pub fn drop(&self) -> String {
        format!("DROP TABLE {}", self.name)
    }

    /// `CREATE TABLE`.
    pub fn create(&self, columns: &[Column]) -> String {
        let one = |c: &Column| {
            format!("{} {}", self.dialect.quote(&c.name), type_name(c.dtype, self.dialect.family))
        };
        let all: Vec<String> = columns.iter().map(one).collect();
        format!("CREATE TABLE {} ({})", self.name, all.join(", "))
    }

    /// `INSERT` of all rows, a piece at a time.
    pub fn inserts(&self, columns: Vec<Column>) -> impl Iterator<Item = String> + Send + use<> {
        let table = self.clone();
        let names: Vec<String> = columns.iter().map(|c| self.dialect.quote(&c.name)).collect();
        let head = format!("INSERT INTO {} ({}) VALUES ", self.name, names.join(", "));
        let rows = columns.first().map_or(0, |c| c.cells.len());
        let mut next = 0;
        std::iter::from_fn(move || {
            if next >= rows {
                return None;
            }
            let mut sql = head.clone();
            let start = next;
            while next < rows && next - start < ROWS && sql.len() < BYTES {
                sql.push_str(if next > start { ", (" } else { "(" });
                for (i, column) in columns.iter().enumerate() {
                    sql.push_str(if i > 0 { ", " } else { "" });
                    table.literal(column.cells.get(next).unwrap_or(&Cell::Null), column.dtype, &mut sql);
                }
                sql.push(')');
                next += 1;
            }
            Some(sql)
        })
    }

    fn literal(&self, cell: &Cell, dtype: Dtype, out: &mut String) {
        match cell {
            Cell::Null => out.push_str("NULL"),
            // a chunk of numbers in a column of texts
            Cell::Int(n) if dtype == Dtype::Text => self.text(&n.to_string(), out),
            Cell::Int(n) => out.push_str(&n.to_string()),
            Cell::Float(f) if dtype == Dtype::Text => {
                self.text(&query::frame::python::float_repr(*f), out);
            }
            Cell::Float(f) if f.is_finite() => out.push_str(&format!("{f:?}")),
            Cell::Float(f) => match (self.dialect.family, *f > 0.0) {
                (Family::Postgres, true) => out.push_str("'Infinity'"),
                (Family::Postgres, false) => out.push_str("'-Infinity'"),
                (Family::Sqlite, true) => out.push_str("9e999"),
                (Family::Sqlite, false) => out.push_str("-9e999"),
                _ => out.push_str("NULL"),
            },
            Cell::Bool(b) if dtype == Dtype::Text => self.text(if *b { "true" } else { "false" }, out),
            Cell::Bool(b) => out.push_str(self.dialect.boolean(*b)),
            Cell::Text(t) => self.text(t, out),
            Cell::Time(t) => {
                let zone = if dtype == Dtype::Zoned && self.dialect.family == Family::Postgres {
                    "+00:00"
                } else {
                    ""
                };
                self.text(&format!("{}{zone}", t.format("%Y-%m-%d %H:%M:%S%.6f")), out);
            }
            Cell::Date(d) => self.text(&d.format("%Y-%m-%d").to_string(), out),
            Cell::Clock(t) => self.text(&t.format("%H:%M:%S%.6f").to_string(), out),
        }
    }

    /// A text; PostgreSQL reads backslashes as they are, which [`Dialect::string_literal`] does not assume.
    fn text(&self, text: &str, out: &mut String) {
        if self.dialect.family == Family::Postgres {
            out.push('\'');
            // a NUL stays: the statement is refused, instead of a text that is another one
            out.push_str(&text.replace('\'', "''"));
            out.push('\'');
        } else {
            out.push_str(&self.dialect.unicode_literal(text));
        }
    }
}

#[cfg(test)]
mod tests {
    use infra::engine_specs::spec;

    use super::*;

    fn column(dtype: Dtype, cells: Vec<Cell>) -> Column {
        Column { name: "a b".into(), dtype, cells }
    }

    #[test]
    fn statements() {
        let pg = Table::new(spec("postgresql", None), Some("public"), "T");
        let columns = vec![column(Dtype::Text, vec![Cell::Text("it's \\".into()), Cell::Int(1), Cell::Null])];
        assert_eq!(pg.create(&columns), "CREATE TABLE public.\"T\" (\"a b\" TEXT)");
        let all: Vec<String> = pg.inserts(columns).collect();
        assert_eq!(all, ["INSERT INTO public.\"T\" (\"a b\") VALUES ('it''s \\'), ('1'), (NULL)"]);
        let my = Table::new(spec("mysql", None), None, "t");
        let columns = vec![column(Dtype::Text, vec![Cell::Text("\\'".into())])];
        assert_eq!(my.inserts(columns).next().unwrap(), "INSERT INTO t (`a b`) VALUES ('\\\\''')");
    }

    #[test]
    fn pieces() {
        let t = Table::new(spec("sqlite", None), None, "t");
        let columns = vec![column(Dtype::Int(64), vec![Cell::Int(1); 2500])];
        assert_eq!(t.inserts(columns).count(), 3);
        let t = Table::new(spec("sqlite", None), None, "t");
        let big = Cell::Text("x".repeat(200 << 10).into());
        assert_eq!(t.inserts(vec![column(Dtype::Text, vec![big; 9])]).count(), 3);
    }
}
