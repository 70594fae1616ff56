//! ZIP files: stored entries one after the other into a file, and bounded reading of what somebody sends.

use std::{
    borrow::Cow,
    fs::File,
    io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
};

use chrono::{Datelike as _, Local, Timelike as _};
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter, write::SimpleFileOptions};

/// Entries of one file. More than 65,535 need another format, which nobody sends.
const MAX_ENTRIES: usize = 65_534;
/// The longest tail in which the end of the directory stands: its record and a comment.
const TAIL: u64 = 22 + 65_535;

/// Writes a ZIP file entry by entry, without compression: no more than one entry is held.
pub struct ZipWrite {
    writer: ZipWriter<BufWriter<File>>,
    options: SimpleFileOptions,
}

impl ZipWrite {
    /// Begins in an empty file.
    pub fn new(file: File) -> Self {
        let now = Local::now();
        let part = |n: u32| u8::try_from(n).unwrap_or(0);
        let year = u16::try_from(now.year()).unwrap_or(1980);
        let moment = DateTime::from_date_and_time(
            year,
            part(now.month()),
            part(now.day()),
            part(now.hour()),
            part(now.minute()),
            part(now.second().min(58)),
        );
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .unix_permissions(0o600)
            .last_modified_time(moment.unwrap_or_default());
        Self { writer: ZipWriter::new(BufWriter::new(file)), options }
    }

    /// Adds an entry.
    pub fn add(&mut self, name: &str, content: &[u8]) -> io::Result<()> {
        self.writer.start_file(name, self.options)?;
        self.writer.write_all(content)
    }

    /// Writes the directory; the file is complete.
    pub fn finish(self) -> io::Result<File> {
        self.writer.finish()?.into_inner().map_err(io::IntoInnerError::into_error)
    }
}

/// Why a ZIP file is not read.
#[derive(Debug, thiserror::Error)]
pub enum ZipError {
    /// It is none, or a broken one.
    #[error("File is not a zip file")]
    NotZip,
    /// An entry is larger than allowed.
    #[error("Found file with size above allowed threshold")]
    TooLarge,
    /// Its content is so much larger than itself that it must be a bomb.
    #[error("Zip compress ratio above allowed threshold")]
    Ratio,
    /// Nothing is in it, so that there is no ratio.
    #[error("division by zero")]
    Empty,
    /// More entries than are read here.
    #[error("Found more than {MAX_ENTRIES} files")]
    TooMany,
    /// An entry cannot be read.
    #[error("{0}")]
    Entry(String),
}

/// Bounds of what is read (`ZIPPED_FILE_MAX_SIZE`, `ZIP_FILE_MAX_COMPRESS_RATIO`).
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Bytes of one entry.
    pub size: u64,
    /// Bytes of all entries, over what they take in the file.
    pub ratio: f64,
}

/// An open ZIP file: its entries are read one at a time.
pub struct ZipRead<R> {
    archive: ZipArchive<BufReader<R>>,
    bounds: Bounds,
}

/// Whether the end of a ZIP directory stands at the end (`zipfile.is_zipfile`), and how many entries it counts.
pub fn entries_of(reader: &mut (impl Read + Seek)) -> Option<usize> {
    let length = reader.seek(SeekFrom::End(0)).ok()?;
    reader.seek(SeekFrom::Start(length.saturating_sub(TAIL))).ok()?;
    let mut tail = Vec::new();
    reader.take(TAIL).read_to_end(&mut tail).ok()?;
    let at = tail.windows(4).rposition(|w| w == b"PK\x05\x06")?;
    let count = tail.get(at + 10..at + 12)?;
    count.try_into().ok().map(|bytes| usize::from(u16::from_le_bytes(bytes)))
}

impl<R: Read + Seek> ZipRead<R> {
    /// Opens a file within bounds (`check_is_safe_zip`).
    pub fn open(mut reader: R, bounds: Bounds) -> Result<Self, ZipError> {
        if entries_of(&mut reader).ok_or(ZipError::NotZip)? > MAX_ENTRIES {
            return Err(ZipError::TooMany);
        }
        reader.rewind().map_err(|_| ZipError::NotZip)?;
        let mut archive = ZipArchive::new(BufReader::new(reader)).map_err(|_| ZipError::NotZip)?;
        let (mut all, mut packed) = (0_u64, 0_u64);
        for i in 0..archive.len() {
            let entry = archive.by_index_raw(i).map_err(|e| ZipError::Entry(e.to_string()))?;
            if entry.size() > bounds.size {
                return Err(ZipError::TooLarge);
            }
            all = all.saturating_add(entry.size());
            packed = packed.saturating_add(entry.compressed_size());
        }
        if packed == 0 {
            return Err(ZipError::Empty);
        }
        #[expect(clippy::cast_precision_loss, reason = "a ratio")]
        if all as f64 / packed as f64 > bounds.ratio {
            return Err(ZipError::Ratio);
        }
        Ok(Self { archive, bounds })
    }

    /// Names of all entries, in the order of the directory.
    pub fn names(&self) -> Vec<String> {
        let name = |i| self.archive.name_for_index(i)?.ok().map(Cow::into_owned);
        (0..self.archive.len()).map(|i| name(i).unwrap_or_default()).collect()
    }

    /// The content of an entry; what it says of its own size is not believed.
    pub fn read(&mut self, index: usize) -> Result<Vec<u8>, ZipError> {
        let entry = self.archive.by_index(index).map_err(|e| ZipError::Entry(e.to_string()))?;
        let mut content = Vec::new();
        let read = entry.take(self.bounds.size + 1).read_to_end(&mut content);
        read.map_err(|e| ZipError::Entry(e.to_string()))?;
        if content.len() as u64 > self.bounds.size {
            return Err(ZipError::TooLarge);
        }
        Ok(content)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    const BOUNDS: Bounds = Bounds { size: 1000, ratio: 200.0 };

    fn zipped(entries: &[(&str, &[u8], CompressionMethod)]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content, method) in entries {
            let options = SimpleFileOptions::default().compression_method(*method);
            writer.start_file(*name, options).unwrap();
            writer.write_all(content).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn refusal(bytes: &[u8]) -> String {
        ZipRead::open(Cursor::new(bytes), BOUNDS).err().unwrap().to_string()
    }

    #[test]
    fn what_is_written_is_read() {
        let mut zip = ZipWrite::new(tempfile::tempfile().unwrap());
        zip.add("r/a.yaml", b"a: 1\n").unwrap();
        zip.add("r/q//b.yaml", "é".as_bytes()).unwrap();
        let mut read = ZipRead::open(zip.finish().unwrap(), BOUNDS).unwrap();
        assert_eq!(read.names(), ["r/a.yaml", "r/q//b.yaml"]);
        assert_eq!(read.read(0).unwrap(), b"a: 1\n");
        assert_eq!(read.read(1).unwrap(), "é".as_bytes());
    }

    #[test]
    fn bombs_and_what_is_no_zip_file_are_refused() {
        assert_eq!(refusal(b""), "File is not a zip file");
        assert_eq!(refusal(b"PK\x05\x06"), "File is not a zip file");
        assert_eq!(refusal(&zipped(&[])), "division by zero");
        assert_eq!(
            refusal(&zipped(&[("a", &[0; 1001], CompressionMethod::Stored)])),
            ZipError::TooLarge.to_string()
        );
        let bomb =
            zipped(&[("a", &[0; 1000], CompressionMethod::Deflated), ("b", b"", CompressionMethod::Stored)]);
        let tight = Bounds { size: 1000, ratio: 10.0 };
        assert!(matches!(ZipRead::open(Cursor::new(bomb.as_slice()), tight), Err(ZipError::Ratio)));
        // a size that lies
        let mut lying = zipped(&[("a", &[7; 900], CompressionMethod::Deflated)]);
        let directory = lying.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
        lying[directory + 24..directory + 28].copy_from_slice(&5_u32.to_le_bytes());
        let small = Bounds { size: 100, ratio: 200.0 };
        if let Ok(mut read) = ZipRead::open(Cursor::new(lying.as_slice()), small) {
            assert!(read.read(0).is_err());
        }
        let mut cut = zipped(&[("a", b"abc", CompressionMethod::Stored)]);
        cut.drain(..4);
        if let Ok(mut read) = ZipRead::open(Cursor::new(cut.as_slice()), BOUNDS) {
            assert!(read.read(0).is_err());
        }
    }
}
