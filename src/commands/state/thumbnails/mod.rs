//! Pictures of charts and dashboards that are kept, and those that are to be taken.

mod cache;
mod payload;
mod queue;
mod request;

pub use cache::ThumbnailCache;
pub use payload::{Payload, Status};
pub use queue::{Queue, Task};
pub use request::{Kind, ThumbnailRequest};

/// Both.
pub struct Thumbnails {
    /// `THUMBNAIL_CACHE_CONFIG`.
    pub cache: ThumbnailCache,
    /// Those that are to be taken.
    pub queue: Queue,
}
