//! Tables as text: comma-separated (`.csv`) or tab-separated (`.tsv`), with a header line.
//!
//! The file is scanned twice. The first scan checks its form and finds the kind of every column;
//! the second fills arrays of the right kind and size. So no value is converted twice, and the
//! memory needed is known before it is taken.
//!
//! A column is integers, reals, truth values (`true`, `false`) or text. One that holds numbers
//! and anything else is an error if at least half of it are numbers, else it is text.

mod kinds;
mod lines;
mod print;

use std::sync::Arc;

use self::kinds::{Kind, Summary, decide, is_missing, may_be_missing, truth};
use self::lines::{Lines, newlines};
pub(super) use self::print::print;
use super::file::{Source, read, room_for};
use super::table::{Column, Table, Values};
use super::{DataError, errors};
use crate::ir::{Data, Tensor};

/// Bytes that a label takes in memory beside its letters.
const LABEL: u64 = 48;

/// Reads a table whose cells are separated by `delimiter`.
pub(super) fn read_table(source: Source, delimiter: u8) -> Result<Table, DataError> {
    let bytes = read(source)?;
    parse(source, &bytes, delimiter)
}

/// How many rows a table has, those with missing values among them.
pub(super) fn count_rows(source: Source, delimiter: u8) -> Result<usize, DataError> {
    let bytes = read(source)?;
    let text = utf8(source, without_mark(&bytes))?;
    let mut lines = Lines::new(source, text, delimiter);
    let names = header(source, &mut lines)?;
    scan(Source { drop_missing: true, ..source }, &mut lines, &names).map(|(_, rows)| rows)
}

/// A text without the mark that some programs put before it.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// The table that a text holds.
pub(super) fn parse(source: Source, bytes: &[u8], delimiter: u8) -> Result<Table, DataError> {
    let bytes = without_mark(bytes);
    let text = utf8(source, bytes)?;
    if text.trim().is_empty() {
        return Err(errors::empty(source.name, "is empty"));
    }
    let mut lines = Lines::new(source, text, delimiter);
    let names = header(source, &mut lines)?;
    let (summaries, rows) = scan(source, &mut lines, &names)?;
    let kinds = decide(source, &names, &summaries)?;
    check_memory(source, &kinds, rows, bytes.len())?;
    let mut lines = Lines::new(source, text, delimiter);
    lines.next(names.len())?;
    let values = fill(source, &mut lines, &kinds, rows)?;
    let rows = values.first().map_or(rows, Values::rows);
    let columns = names.into_iter().zip(values);
    Ok(Table {
        source: source.name.to_string(),
        columns: columns.map(|(name, values)| Column { name, values }).collect(),
        rows,
    })
}

fn utf8<'a>(source: Source, bytes: &'a [u8]) -> Result<&'a str, DataError> {
    std::str::from_utf8(bytes).map_err(|wrong| {
        let good = bytes.get(..wrong.valid_up_to()).unwrap_or(bytes);
        errors::not_utf8(source.name, 1 + newlines(good))
    })
}

fn header(source: Source, lines: &mut Lines) -> Result<Vec<String>, DataError> {
    lines.next(0)?;
    let names: Vec<String> = lines.cells().map(str::to_string).collect();
    if let Some(function) = errors::reader_of(source.name) {
        return Err(errors::no_table_of_text(source.name, function));
    }
    if let [name] = names.as_slice()
        && let Some(sign) = [';', '\t', ',', '|'].into_iter().find(|sign| name.contains(*sign))
    {
        return Err(errors::other_separator(source.name, name, sign));
    }
    if let Some(at) = names.iter().position(String::is_empty) {
        return Err(errors::unnamed_column(source.name, at + 1));
    }
    if names.iter().all(|name| name.parse::<f64>().is_ok()) {
        return Err(errors::no_header(source.name));
    }
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort();
    let twice = sorted.windows(2).find_map(|pair| match pair {
        [a, b] if a == b => Some(*a),
        _ => None,
    });
    match twice {
        Some(name) => Err(errors::duplicate_column(source.name, name)),
        None => Ok(names),
    }
}

fn scan(source: Source, lines: &mut Lines, names: &[String]) -> Result<(Vec<Summary>, usize), DataError> {
    let mut summaries = vec![Summary::default(); names.len()];
    let mut rows = 0;
    while let Some(line) = lines.next(names.len())? {
        for ((cell, summary), name) in lines.cells().zip(&mut summaries).zip(names) {
            if source.drop_missing && may_be_missing(cell) {
                continue;
            }
            if cell.is_empty() {
                return Err(errors::missing_value(source.name, line, name, cell));
            }
            summary.add(line, cell);
        }
        rows += 1;
    }
    if rows == 0 {
        return Err(errors::empty(source.name, "has a header and no rows"));
    }
    Ok((summaries, rows))
}

fn check_memory(source: Source, kinds: &[Kind], rows: usize, text: usize) -> Result<(), DataError> {
    let cell = |kind: &Kind| match kind {
        Kind::Int | Kind::Real => 8,
        Kind::Bool => 1,
        Kind::Text => LABEL,
    };
    let row: u64 = kinds.iter().map(cell).sum();
    let needed = row.saturating_mul(rows as u64).saturating_add(text as u64);
    if needed > source.limit {
        return Err(errors::too_large(source.name, needed, source.limit));
    }
    Ok(())
}

/// A column while it is filled.
enum Filling {
    Int(Vec<i64>),
    Real(Vec<f64>),
    Bool(Vec<bool>),
    Text(Vec<String>),
}

impl Filling {
    fn new(source: Source, kind: Kind, rows: usize) -> Result<Filling, DataError> {
        let rows = rows as u64;
        Ok(match kind {
            Kind::Int => Filling::Int(room_for(source, rows)?),
            Kind::Real => Filling::Real(room_for(source, rows)?),
            Kind::Bool => Filling::Bool(room_for(source, rows)?),
            Kind::Text => Filling::Text(room_for(source, rows)?),
        })
    }

    /// The first scan has seen that every cell converts.
    fn push(&mut self, cell: &str) {
        match self {
            Filling::Int(data) => data.push(cell.parse().unwrap_or_default()),
            Filling::Real(data) => data.push(cell.parse().unwrap_or_default()),
            Filling::Bool(data) => data.push(truth(cell).unwrap_or_default()),
            Filling::Text(data) => data.push(cell.to_string()),
        }
    }

    fn finish(self, rows: usize) -> Values {
        let data = match self {
            Filling::Int(data) => Data::Int(Arc::new(data)),
            Filling::Real(data) => Data::Real(Arc::new(data)),
            Filling::Bool(data) => Data::Bool(Arc::new(data)),
            Filling::Text(data) => return Values::Labels(Arc::new(data)),
        };
        Values::Tensor(Tensor { sizes: vec![rows], data })
    }
}

fn fill(source: Source, lines: &mut Lines, kinds: &[Kind], rows: usize) -> Result<Vec<Values>, DataError> {
    let columns = kinds.iter().map(|kind| Filling::new(source, *kind, rows));
    let mut columns = columns.collect::<Result<Vec<_>, _>>()?;
    let mut rows = 0;
    while lines.next(kinds.len())?.is_some() {
        let missing = |(cell, kind): (&str, &Kind)| is_missing(cell, *kind);
        if source.drop_missing && lines.cells().zip(kinds).any(missing) {
            continue;
        }
        for (cell, column) in lines.cells().zip(&mut columns) {
            column.push(cell);
        }
        rows += 1;
    }
    if rows == 0 {
        return Err(errors::empty(source.name, "has no row without a missing value"));
    }
    Ok(columns.into_iter().map(|column| column.finish(rows)).collect())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn source(limit: u64) -> Source<'static> {
        Source { path: Path::new("t.csv"), name: "t.csv", limit, drop_missing: false }
    }

    fn table(text: &str) -> Table {
        parse(source(1 << 20), text.as_bytes(), b',').unwrap()
    }

    fn error(text: &str) -> DataError {
        parse(source(1 << 20), text.as_bytes(), b',').unwrap_err()
    }

    fn values(table: &Table, name: &str) -> Values {
        table.column(name).unwrap().values.clone()
    }

    #[test]
    fn kinds_are_inferred() {
        let t = table("i, r ,b,s\n1,1,true,x\n-2,.5,False,\"a, \"\"b\"\"\"\n");
        assert_eq!(t.rows, 2);
        let int = Values::Tensor(Tensor::int(&[2], vec![1, -2]));
        assert_eq!(values(&t, "i"), int);
        let real = Values::Tensor(Tensor::real(&[2], vec![1.0, 0.5]));
        assert_eq!(values(&t, "r"), real);
        let truths = Values::Tensor(Tensor::bool(&[2], vec![true, false]));
        assert_eq!(values(&t, "b"), truths);
        let labels = vec!["x".to_string(), "a, \"b\"".to_string()];
        assert_eq!(values(&t, "s"), Values::Labels(Arc::new(labels)));
    }

    #[test]
    fn rows_with_missing_values_are_left_out_if_asked() {
        let text = "a,b,s\n1,2,x\n3,,y\nNA,4,z\n5,nan,NA\n7,8,NA\n9,1,\n";
        let read =
            |text: &str| parse(Source { drop_missing: true, ..source(1 << 20) }, text.as_bytes(), b',');
        let t = read(text).unwrap();
        assert_eq!(t.rows, 2);
        assert_eq!(values(&t, "a"), Values::Tensor(Tensor::int(&[2], vec![1, 7])));
        assert_eq!(values(&t, "b"), Values::Tensor(Tensor::int(&[2], vec![2, 8])));
        assert_eq!(values(&t, "s"), Values::Labels(Arc::new(vec!["x".into(), "NA".into()])));
        assert_eq!(error(text).code, "E0608");
        assert_eq!(read("a,b\n,1\n2,\n").unwrap_err().code, "E0604");
        // What is no number is wrong all the same.
        assert_eq!(read("a\n1\n2\n\"\"\nx\n").unwrap_err().code, "E0609");
    }

    #[test]
    fn line_ends_marks_and_tabs_are_understood() {
        let t = table("\u{feff}a,b\r\n1,2\r\n\r\n3,4");
        let a = Values::Tensor(Tensor::int(&[2], vec![1, 3]));
        assert_eq!(values(&t, "a"), a);
        let t = parse(source(1 << 20), b"a\tb\n1\t2,5\n3\tx\n", b'\t').unwrap();
        assert_eq!(values(&t, "a").rows(), 2);
    }

    #[test]
    fn mostly_text_is_labels() {
        let t = table("m\nA4\n240\nTT\ninf\nNA\n");
        assert!(matches!(values(&t, "m"), Values::Labels(_)));
    }

    #[test]
    fn long_integers_are_reals() {
        let t = table("m\n9223372036854775808\n1\n");
        assert!(matches!(values(&t, "m"), Values::Tensor(x) if x.reals()[1] == 1.0));
    }

    #[track_caller]
    fn fails(text: &str, code: &str, line: Option<usize>, message: &str) {
        let found = error(text);
        assert_eq!((found.code, found.line), (code, line), "{found:?}");
        assert!(found.message.contains(message), "{found:?}");
    }

    #[test]
    fn wrong_cells_are_named_with_their_place() {
        let text = "says \"ten\"";
        fails("a,b\n1,2\n\n3,ten\n", "E0609", Some(4), text);
        fails("a,b\n1,ten\n3,4\n", "E0609", Some(2), text);
        fails("a\n1\ntrue\n", "E0609", Some(3), "true");
        fails("a\ntrue\nfalse\n1\n", "E0609", Some(2), "true");
        fails("a,b\n1,\n", "E0608", Some(2), "\"b\" is empty");
        fails("a,b\n1,NA\n1,2\n", "E0608", Some(2), "says \"NA\"");
        fails("a\n1\nnan\n", "E0610", Some(3), "nan");
        fails("a\n-Inf\nnan\n", "E0610", Some(2), "-Inf");
        fails("a\n1\n1e400\n", "E0610", Some(3), "1e400");
        fails("a\r\n1\r\n1e400\r\n", "E0610", Some(3), "1e400");
        fails("a,b\n\"x\ny\",1\nz,1e400\n", "E0610", Some(4), "1e400");
        let help = error("a\n1.5\n\"2,5\"\n").help.unwrap();
        assert!(help.contains("2.5"));
    }

    #[test]
    fn wrong_rows_are_named_with_their_place() {
        fails("a,b\n1,2\n1,2,3\n", "E0607", Some(3), "3 cells");
        fails("a,b\n1\n", "E0607", Some(2), "1 cell,");
        fails("a\n1\n\n2\n", "E0607", Some(3), "0 cells");
        fails("a,b\n1,\"2\n3,4\n", "E0607", Some(2), "quote");
        fails("a,b\n1,2\n3,\"4\n", "E0607", Some(3), "quote");
    }

    #[test]
    fn wrong_headers_are_refused() {
        fails("", "E0604", None, "is empty");
        fails(" \n\n", "E0604", None, "is empty");
        fails("a,b\n", "E0604", None, "no rows");
        fails("a,,c\n1,2,3\n", "E0606", Some(1), "column 2");
        fails("a,b,a\n1,2,3\n", "E0606", Some(1), "\"a\"");
        fails("1,2\n3,4\n", "E0606", Some(1), "numbers");
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        let found = parse(source(1 << 20), b"a\n1\n\xff\n", b',').unwrap_err();
        assert_eq!((found.code, found.line), ("E0605", Some(3)));
    }

    #[test]
    fn memory_is_bounded() {
        let text = format!("a\n{}", "1\n".repeat(1000));
        let found = parse(source(5000), text.as_bytes(), b',').unwrap_err();
        assert_eq!(found.code, "E0603");
        assert!(parse(source(10_010), text.as_bytes(), b',').is_ok());
    }

    #[test]
    fn printed_tables_read_back() {
        let t = table("i,r,b,s\n1,0.1,true,\"x,\n y\"\n-2,1e300,False,z\n");
        let text = print("t.csv", &t, b',').unwrap();
        assert_eq!(table(std::str::from_utf8(&text).unwrap()), t);
        let pairs = Tensor::real(&[2, 2], vec![1.0, 2.5, 3.0, 4.0]);
        let t = Table {
            source: String::new(),
            columns: vec![Column { name: "w".into(), values: Values::Tensor(pairs) }],
            rows: 2,
        };
        let text = print("t.csv", &t, b',').unwrap();
        assert_eq!(text, b"w_0,w_1\n1.0,2.5\n3.0,4.0\n");
    }
}
