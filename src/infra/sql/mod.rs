//! The one place that touches the SQL parser.
