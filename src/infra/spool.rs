//! Content that is too large to be held in memory: a file without a name, gone with the last who holds it, whatever
//! becomes of the process.

use std::{
    fs::{DirBuilder, File, Permissions},
    io::{Error, ErrorKind, Read, Result, Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt as _, FileExt as _, PermissionsExt as _},
    path::Path,
    sync::Arc,
};

/// What was written, to be read from any place, by several readers at once.
#[derive(Debug, Clone)]
pub struct Spool {
    file: Arc<File>,
    length: u64,
}

impl Spool {
    /// An empty one in a folder, which is made if it is not there; nobody else may read either.
    pub fn new(folder: &Path) -> Result<Self> {
        Self::from_file(Self::file(folder)?)
    }

    /// An empty file without a name, for what is not written from the start to the end.
    pub fn file(folder: &Path) -> Result<File> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let file = tempfile::tempfile_in(folder)?;
        // it has no name, but those who may look into this process could open it
        file.set_permissions(Permissions::from_mode(0o600))?;
        Ok(file)
    }

    /// What a file holds.
    pub fn from_file(file: File) -> Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self { file: Arc::new(file), length })
    }

    /// One that holds some bytes, in the system's folder for temporary files.
    pub fn holding(bytes: &[u8]) -> Result<Self> {
        let mut spool = Self::new(&std::env::temp_dir())?;
        spool.append(bytes)?;
        Ok(spool)
    }

    /// Writes at the end.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        (&*self.file).write_all(bytes)?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Bytes that were written.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Reads from a place on.
    pub fn reader_at(&self, at: u64) -> Reader {
        Reader { spool: self.clone(), at }
    }

    /// Reads from the start.
    pub fn reader(&self) -> Reader {
        self.reader_at(0)
    }
}

/// A place in a [`Spool`].
#[derive(Debug, Clone)]
pub struct Reader {
    spool: Spool,
    at: u64,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let n = self.spool.file.read_at(buffer, self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let place = match to {
            SeekFrom::Start(n) => Some(n),
            SeekFrom::End(n) => self.spool.length.checked_add_signed(n),
            SeekFrom::Current(n) => self.at.checked_add_signed(n),
        };
        self.at = place.ok_or_else(|| Error::from(ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use uuid::Uuid;

    use super::*;

    #[test]
    fn readers_do_not_disturb_each_other_and_nothing_stays() {
        let folder = std::env::temp_dir().join(format!("liteset-spool-{}", Uuid::new_v4()));
        let mut spool = Spool::new(&folder).unwrap();
        spool.append(b"abc").unwrap();
        spool.append(b"def").unwrap();
        let (mut one, mut other) = (spool.reader(), spool.reader_at(4));
        let mut two = [0; 2];
        one.read_exact(&mut two).unwrap();
        assert_eq!(&two, b"ab");
        other.read_exact(&mut two).unwrap();
        assert_eq!((&two, spool.length()), (b"ef", 6));
        assert_eq!(one.seek(SeekFrom::End(-1)).unwrap(), 5);
        assert!(one.seek(SeekFrom::Current(-9)).is_err());
        let known = spool.file.metadata().unwrap();
        assert_eq!((known.permissions().mode() & 0o777, known.nlink()), (0o600, 0));
        assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
        std::fs::remove_dir(&folder).unwrap();
    }
}
