//! The description of a metadata table: what the generic list, filters and writes are made from.

/// A mapped table.
#[derive(Debug)]
pub struct Table {
    /// Name in the database.
    pub name: &'static str,
    /// Primary key column.
    pub pk: &'static str,
    /// Columns in mapper order.
    pub columns: &'static [Column],
    /// Relations to other tables.
    pub relations: &'static [Relation],
}

/// A mapped column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Name.
    pub name: &'static str,
    /// Type.
    pub kind: Kind,
    /// Null is allowed.
    pub nullable: bool,
    /// Unique by itself.
    pub unique: bool,
    /// What Superset's Python fills in when an insert leaves the column out.
    pub default: Fill,
    /// Filled again at each update (`onupdate`).
    pub on_update: bool,
}

/// The type of a column, as Flask-AppBuilder tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `Integer`.
    Integer,
    /// `Float`.
    Float,
    /// `Numeric(20, 6)`.
    Numeric,
    /// `Boolean`.
    Boolean,
    /// `String(n)`; 0 is unlimited.
    String(u32),
    /// `Text` and its variants.
    Text,
    /// Naive timestamp.
    DateTime,
    /// `UUIDType(binary=True)`.
    Uuid,
    /// Enumeration stored by name.
    Enum(&'static [&'static str]),
    /// Enumeration stored by name and shown by its number, from 1.
    NumberedEnum(&'static [&'static str]),
    /// `JSON`.
    Json,
    /// `EncryptedType`: never read generically.
    Encrypted,
}

/// A Python-side default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// None.
    Nothing,
    /// `datetime.now`.
    Now,
    /// `datetime.utcnow`.
    UtcNow,
    /// `get_user_id`.
    UserId,
    /// `uuid4`.
    NewUuid,
    /// A text.
    Text(&'static str),
    /// An integer.
    Integer(i64),
    /// A boolean.
    Boolean(bool),
}

/// A relation to another table.
#[derive(Debug)]
pub struct Relation {
    /// Name of the attribute.
    pub name: &'static str,
    /// The other table.
    pub target: &'static Table,
    /// How rows are linked.
    pub link: Link,
    /// A column that must have a value for the link to hold: of this table for to-one, of the link table otherwise.
    pub only: Option<(&'static str, &'static str)>,
}

/// How rows of two tables are linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// Many-to-one: this table holds the key.
    One {
        /// The foreign key.
        local: &'static str,
    },
    /// One-to-many: the other table holds the key.
    Many {
        /// The foreign key in the other table.
        remote: &'static str,
    },
    /// Many-to-many over a table of pairs that has an `id` of its own.
    ManyToMany {
        /// The table of pairs.
        through: &'static str,
        /// Its column for this table.
        local: &'static str,
        /// Its column for the other table.
        remote: &'static str,
    },
}

impl Column {
    /// A nullable column without default.
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, nullable: true, unique: false, default: Fill::Nothing, on_update: false }
    }
    /// `NOT NULL`.
    pub const fn required(mut self) -> Self {
        self.nullable = false;
        self
    }
    /// `UNIQUE`.
    pub const fn unique(mut self) -> Self {
        self.unique = true;
        self
    }
    /// With a default.
    pub const fn default(mut self, default: Fill) -> Self {
        self.default = default;
        self
    }
    /// Filled at updates too.
    pub const fn on_update(mut self) -> Self {
        self.on_update = true;
        self
    }
}

impl Relation {
    /// Many-to-one.
    pub const fn one(name: &'static str, target: &'static Table, local: &'static str) -> Self {
        Self { name, target, link: Link::One { local }, only: None }
    }
    /// One-to-many.
    pub const fn many(name: &'static str, target: &'static Table, remote: &'static str) -> Self {
        Self { name, target, link: Link::Many { remote }, only: None }
    }
    /// Many-to-many.
    pub const fn many_to_many(
        name: &'static str,
        target: &'static Table,
        through: &'static str,
        local: &'static str,
        remote: &'static str,
    ) -> Self {
        Self { name, target, link: Link::ManyToMany { through, local, remote }, only: None }
    }
    /// Only where a column has a value.
    pub const fn only(mut self, column: &'static str, value: &'static str) -> Self {
        self.only = Some((column, value));
        self
    }
    /// True for many-to-one.
    pub fn is_one(&self) -> bool {
        matches!(self.link, Link::One { .. })
    }
}

impl Table {
    /// A column by name.
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|c| c.name == name)
    }
    /// A relation by name.
    pub fn relation(&self, name: &str) -> Option<&'static Relation> {
        self.relations.iter().find(|r| r.name == name)
    }
    /// `"table"."column"`.
    pub fn qualified(&self, column: &str) -> String {
        format!("{}.\"{column}\"", self.name)
    }
}

#[cfg(test)]
mod tests {
    use crate::tables::{SLICES, USERS};

    #[test]
    fn lookups() {
        assert!(SLICES.column("uuid").is_some_and(|c| c.unique));
        assert!(SLICES.relation("created_by").is_some_and(|r| r.is_one() && r.target.name == USERS.name));
        assert!(SLICES.column("nope").is_none());
    }
}
