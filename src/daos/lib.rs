//! liteset daos layer.
