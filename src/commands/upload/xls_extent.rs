//! How large the sheets of an old workbook (BIFF in a compound file) are, before anybody makes room for them: a cell in
//! the last corner would cost half a gigabyte.

/// Largest product of rows and columns of a sheet, over all sheets together; `None` for what is no old workbook.
pub fn cells(file: &[u8]) -> Option<usize> {
    let stream = Compound::open(file)?.stream(&["Workbook", "Book"])?;
    let (mut total, mut rows, mut columns) = (0_usize, 0_usize, 0_usize);
    let mut rest = stream.as_slice();
    while let (Some(kind), Some(length)) = (u16_at(rest, 0), u16_at(rest, 2)) {
        let body = rest.get(4..4 + usize::from(length))?;
        match kind {
            BOF => {
                total = total.saturating_add(rows.saturating_mul(columns));
                (rows, columns) = (0, 0);
            }
            _ if CELLS.contains(&kind) => {
                if let (Some(row), Some(column)) = (u16_at(body, 0), u16_at(body, 2)) {
                    // several cells side by side end with their last column
                    let last =
                        if matches!(kind, MULRK | MULBLANK) { u16_at(body, body.len() - 2) } else { None };
                    rows = rows.max(usize::from(row) + 1);
                    columns = columns.max(usize::from(last.unwrap_or_default().max(column)) + 1);
                }
            }
            _ => {}
        }
        rest = rest.get(4 + usize::from(length)..)?;
    }
    Some(total.saturating_add(rows.saturating_mul(columns)))
}

const BOF: u16 = 0x0809;
const MULRK: u16 = 0x00bd;
const MULBLANK: u16 = 0x00be;
/// Records that begin with the row and the column of a cell.
const CELLS: &[u16] = &[
    0x0006, MULRK, MULBLANK, 0x00d6, 0x00fd, 0x0200, 0x0201, 0x0203, 0x0204, 0x0205, 0x027e, 0x0406, 0x04bc,
];
/// After the last sector of a chain; above it are free ones.
const LAST: u32 = 0xffff_fffa;

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// The file system in a file that old office documents are.
struct Compound<'a> {
    file: &'a [u8],
    shift: u32,
    next: Vec<u32>,
}

impl<'a> Compound<'a> {
    fn open(file: &'a [u8]) -> Option<Self> {
        if !file.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
            return None;
        }
        let shift = u32::from(u16_at(file, 30)?);
        let mut found = Self { file, shift, next: Vec::new() };
        if !matches!(shift, 9 | 12) {
            return None;
        }
        let mut tables: Vec<u32> = (0..109).filter_map(|i| u32_at(file, 76 + 4 * i)).collect();
        let mut more = u32_at(file, 68)?;
        while more < LAST && tables.len() < file.len() / 512 + 110 {
            let sector = found.sector(more)?;
            let (links, last) = sector.split_at(sector.len() - 4);
            tables.extend(links.chunks_exact(4).filter_map(|l| u32_at(l, 0)));
            more = u32_at(last, 0)?;
        }
        for table in tables.into_iter().filter(|t| *t < LAST) {
            let sector = found.sector(table)?;
            found.next.extend(sector.chunks_exact(4).filter_map(|l| u32_at(l, 0)));
        }
        Some(found)
    }

    fn sector(&self, number: u32) -> Option<&'a [u8]> {
        let start = (number as usize).checked_add(1)?.checked_shl(self.shift)?;
        let end = start.checked_add(1 << self.shift)?;
        self.file.get(start..end.min(self.file.len())).filter(|s| s.len() >= 4)
    }

    fn chain(&self, first: u32) -> Option<Vec<u8>> {
        let (mut out, mut at) = (Vec::new(), first);
        while at < LAST {
            out.extend_from_slice(self.sector(at)?);
            if out.len() > self.file.len() {
                return None;
            }
            at = *self.next.get(at as usize)?;
        }
        Some(out)
    }

    /// The first stream of these names.
    fn stream(&self, names: &[&str]) -> Option<Vec<u8>> {
        let folder = self.chain(u32_at(self.file, 48)?)?;
        let named = |entry: &[u8]| {
            let length = usize::from(u16_at(entry, 64)?).checked_sub(2)?;
            let units: Vec<u16> = entry.get(..length)?.chunks_exact(2).filter_map(|u| u16_at(u, 0)).collect();
            String::from_utf16(&units).ok()
        };
        let entries: Vec<&[u8]> = folder.chunks_exact(128).collect();
        let of = |wanted: &str| entries.iter().find(|e| named(e).is_some_and(|n| n == wanted));
        let entry = names.iter().find_map(|n| of(n))?;
        let (first, size) = (u32_at(entry, 116)?, u32_at(entry, 120)? as usize);
        if size >= u32_at(self.file, 56)? as usize {
            let mut stream = self.chain(first)?;
            stream.truncate(size);
            return Some(stream);
        }
        self.mini_stream(u32_at(entries.first()?, 116)?, first, size)
    }

    /// A stream of sectors of 64 bytes within the root's stream.
    fn mini_stream(&self, root: u32, first: u32, size: usize) -> Option<Vec<u8>> {
        let room = self.chain(root)?;
        let table = self.chain(u32_at(self.file, 60)?)?;
        let (mut out, mut at) = (Vec::new(), first);
        while at < LAST && out.len() < size {
            let start = (at as usize).checked_mul(64)?;
            out.extend_from_slice(room.get(start..start + 64)?);
            at = u32_at(&table, (at as usize).checked_mul(4)?)?;
        }
        out.truncate(size);
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_workbook() {
        assert_eq!(cells(b""), None);
        assert_eq!(cells(b"PK\x03\x04"), None);
        let mut bytes = vec![0_u8; 4096];
        bytes[..4].copy_from_slice(&[0xd0, 0xcf, 0x11, 0xe0]);
        bytes[30] = 9;
        // every chain leads to itself
        assert_eq!(cells(&bytes), None);
    }
}
