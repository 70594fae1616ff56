//! Room on disks.

use std::{io, path::Path};

/// Bytes that may still be written where a folder lies.
pub fn free(folder: &Path) -> io::Result<u64> {
    let found = rustix::fs::statvfs(folder)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}
