//! What a cell says, and what a column of such cells becomes.

use crate::data::file::Source;
use crate::data::{DataError, errors};

/// What one cell says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    Int,
    Real,
    /// A number beyond the reals.
    TooLarge,
    /// `nan`, `inf` and their like.
    NotFinite,
    Bool,
    /// `NA` and its like; a label where text is.
    Unknown,
    Text,
}

const UNKNOWN: &[&str] = &["na", "n/a", "null", "none", "?", "-", "."];
const NOT_FINITE: &[&str] = &["nan", "inf", "infinity"];

fn says(cell: &str) -> Says {
    let numeral = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
    if cell.as_bytes().iter().all(numeral) {
        if cell.parse::<i64>().is_ok() {
            return Says::Int;
        }
        if let Ok(number) = cell.parse::<f64>() {
            return if number.is_finite() { Says::Real } else { Says::TooLarge };
        }
    }
    let plain = cell.trim_start_matches(['+', '-']);
    let is = |word: &&str| cell.eq_ignore_ascii_case(word);
    if truth(cell).is_some() {
        Says::Bool
    } else if UNKNOWN.iter().any(is) {
        Says::Unknown
    } else if NOT_FINITE.iter().any(|word| plain.eq_ignore_ascii_case(word)) {
        Says::NotFinite
    } else {
        Says::Text
    }
}

/// Whether a cell is empty or may say that its value is not known.
pub(super) fn may_be_missing(cell: &str) -> bool {
    cell.is_empty() || matches!(says(cell), Says::Unknown | Says::NotFinite)
}

/// Whether the value of a cell is missing in a column of this kind: `NA` may be a label.
pub(super) fn is_missing(cell: &str, kind: Kind) -> bool {
    cell.is_empty() || kind != Kind::Text && may_be_missing(cell)
}

pub(super) fn truth(cell: &str) -> Option<bool> {
    if cell.eq_ignore_ascii_case("true") {
        Some(true)
    } else if cell.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// A cell that may be to blame: its line, its kind and its text.
type Odd = (usize, Says, String);

/// What the first scan finds in a column.
#[derive(Debug, Clone, Default)]
pub(super) struct Summary {
    numbers: usize,
    bools: usize,
    others: usize,
    has_real: bool,
    too_large: Option<Odd>,
    first_bool: Option<Odd>,
    first_other: Option<Odd>,
}

impl Summary {
    pub(super) fn add(&mut self, line: usize, cell: &str) {
        let kind = says(cell);
        let odd = || (line, kind, cell.to_string());
        match kind {
            Says::Int => self.numbers += 1,
            Says::Real | Says::TooLarge => {
                self.numbers += 1;
                self.has_real = true;
                if kind == Says::TooLarge {
                    self.too_large.get_or_insert_with(odd);
                }
            }
            Says::Bool => {
                self.bools += 1;
                self.first_bool.get_or_insert_with(odd);
            }
            Says::NotFinite | Says::Unknown | Says::Text => {
                self.others += 1;
                self.first_other.get_or_insert_with(odd);
            }
        }
    }
}

/// What a column becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Real,
    Bool,
    Text,
}

pub(super) fn decide(
    source: Source,
    names: &[String],
    summaries: &[Summary],
) -> Result<Vec<Kind>, DataError> {
    let columns = names.iter().zip(summaries);
    columns.map(|(name, summary)| kind_of(source, name, summary)).collect()
}

fn kind_of(source: Source, name: &str, column: &Summary) -> Result<Kind, DataError> {
    let odd = column.bools + column.others;
    let blamed = column.first_other.as_ref().or(column.first_bool.as_ref());
    let only_not_finite = column.bools == 0
        && matches!(&column.first_other, Some((_, Says::NotFinite, _)))
        && column.numbers == 0;
    let mixed = column.numbers > 0 && (column.numbers >= odd || column.others == 0);
    match blamed {
        Some(odd) if mixed || only_not_finite => Err(blame(source, name, odd)),
        Some(_) if column.others > 0 => Ok(Kind::Text),
        Some(_) => Ok(Kind::Bool),
        None => match &column.too_large {
            Some(odd) => Err(blame(source, name, odd)),
            None if column.has_real => Ok(Kind::Real),
            None => Ok(Kind::Int),
        },
    }
}

fn blame(source: Source, name: &str, (line, kind, text): &Odd) -> DataError {
    let file = source.name;
    match kind {
        Says::TooLarge => errors::number_too_large(file, *line, name, text),
        Says::NotFinite => errors::not_finite(file, *line, name, text),
        Says::Unknown => errors::missing_value(file, *line, name, text),
        Says::Int | Says::Real | Says::Bool | Says::Text => {
            errors::text_among_numbers(file, *line, name, text)
        }
    }
}
