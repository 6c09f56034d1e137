//! The records of a text, each with its line in the file.

use csv::{ByteRecord, ReaderBuilder};

use crate::data::file::Source;
use crate::data::{DataError, errors};

/// The records of a text, each with its line.
pub(super) struct Lines<'a> {
    source: Source<'a>,
    text: &'a str,
    reader: csv::Reader<&'a [u8]>,
    record: ByteRecord,
    /// Whether there is a quote anywhere.
    quoted: bool,
    /// How far lines have been counted.
    counted: usize,
    line: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn new(source: Source<'a>, text: &'a str, delimiter: u8) -> Lines<'a> {
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(text.as_bytes());
        let quoted = text.contains('"');
        Lines { source, text, reader, record: ByteRecord::new(), quoted, counted: 0, line: 1 }
    }

    /// Moves to the next record, which must have `columns` cells (any number if 0), and gives its
    /// line; `None` at the end.
    pub(super) fn next(&mut self, columns: usize) -> Result<Option<usize>, DataError> {
        let more = self.reader.read_byte_record(&mut self.record);
        if !matches!(more, Ok(true)) {
            return Ok(None);
        }
        let start = self.record.position().map_or(0, csv::Position::byte);
        let end = self.reader.position().byte();
        let blank = self.start_at(usize::try_from(start).unwrap_or(usize::MAX));
        self.check_quotes(usize::try_from(end).unwrap_or(usize::MAX))?;
        let cells = self.record.len();
        if columns == 1 && blank > 0 {
            return Err(errors::ragged_row(self.source.name, self.line - 1, 0, 1));
        }
        if columns != 0 && cells != columns {
            return Err(errors::ragged_row(self.source.name, self.line, cells, columns));
        }
        Ok(Some(self.line))
    }

    /// Counts lines up to the record that starts at a byte, past the blank lines before it;
    /// gives the number of these.
    fn start_at(&mut self, byte: usize) -> usize {
        let bytes = self.text.as_bytes();
        let rest = bytes.get(byte..).unwrap_or_default();
        let skipped = rest.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        let passed = bytes.get(self.counted..byte).unwrap_or_default();
        let blank = newlines(rest.get(..skipped).unwrap_or_default());
        // The reader may stop between the two bytes of a Windows line end.
        let between = rest.first() == Some(&b'\n') && passed.last() == Some(&b'\r');
        self.line += newlines(passed) + blank;
        self.counted = byte.saturating_add(skipped);
        blank.saturating_sub(usize::from(between))
    }

    /// The last record may have swallowed the rest of the file behind a quote never closed.
    fn check_quotes(&self, end: usize) -> Result<(), DataError> {
        if !self.quoted {
            return Ok(());
        }
        let raw = self.text.as_bytes().get(self.counted..end);
        let raw = raw.unwrap_or_default();
        let odd = raw.iter().filter(|byte| **byte == b'"').count() % 2 == 1;
        let swallowed = || self.record.iter().any(|cell| cell.contains(&b'\n'));
        if odd && end >= self.text.len() && swallowed() {
            return Err(errors::unclosed_quote(self.source.name, self.line));
        }
        Ok(())
    }

    /// The cells of the record, without white space around them.
    pub(super) fn cells(&self) -> impl Iterator<Item = &str> {
        // The whole text is UTF-8, and cells are cut at single-byte letters, so the record is checked as one.
        let text = std::str::from_utf8(self.record.as_slice()).unwrap_or_default();
        let cell = move |at| text.get(self.record.range(at)?);
        (0..self.record.len()).map(move |at| cell(at).unwrap_or_default().trim())
    }
}

pub(super) fn newlines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}
