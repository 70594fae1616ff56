//! The frontend bundle.
