//! liteset
