//! Column labels: one cell, or a tuple of cells once a pivot made several levels.

use infra::engines::column::Scalar;

use super::python;

/// A column's label.
#[derive(Debug, Clone, PartialEq)]
pub enum Label {
    /// One level.
    Flat(Scalar),
    /// A tuple (`pandas.MultiIndex`).
    Levels(Vec<Scalar>),
}

impl From<&str> for Label {
    fn from(s: &str) -> Self {
        Self::Flat(Scalar::Text(s.into()))
    }
}

impl From<String> for Label {
    fn from(s: String) -> Self {
        Self::Flat(Scalar::Text(s.into()))
    }
}

impl Label {
    /// The only or the first level.
    pub fn first(&self) -> Option<&Scalar> {
        match self {
            Self::Flat(s) => Some(s),
            Self::Levels(v) => v.first(),
        }
    }

    /// The only or the first level when it is text.
    pub fn first_text(&self) -> Option<&str> {
        match self.first() {
            Some(Scalar::Text(s)) => Some(s),
            _ => None,
        }
    }

    /// The text of a one-level label.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Flat(Scalar::Text(s)) => Some(s),
            _ => None,
        }
    }

    /// Number of levels.
    pub fn level_count(&self) -> usize {
        match self {
            Self::Flat(_) => 1,
            Self::Levels(v) => v.len(),
        }
    }

    /// All levels.
    pub fn levels(&self) -> &[Scalar] {
        match self {
            Self::Flat(s) => std::slice::from_ref(s),
            Self::Levels(v) => v,
        }
    }

    /// The same label with empty text up to `depth` levels, as pandas pads a new column of a `MultiIndex`.
    #[must_use]
    pub fn padded(&self, depth: usize) -> Self {
        let mut v = self.levels().to_vec();
        while v.len() < depth {
            v.push(Scalar::Text("".into()));
        }
        Self::Levels(v)
    }

    /// Python's `str()` of the label.
    pub fn display(&self) -> String {
        match self {
            Self::Flat(s) => python::str_of(s),
            Self::Levels(v) => {
                let inner: Vec<_> = v.iter().map(python::repr_of).collect();
                match inner.as_slice() {
                    [one] => format!("({one},)"),
                    many => format!("({})", many.join(", ")),
                }
            }
        }
    }
}
