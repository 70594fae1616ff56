//! liteset query layer.
