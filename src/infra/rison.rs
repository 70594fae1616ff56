//! Rison, as prison 0.2.1 reads it.
