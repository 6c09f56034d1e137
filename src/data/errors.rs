//! Everything the data room says. Each function is one sentence about a file or a table.

use crate::diag::{Report, Span, cause, nearest};

/// What is wrong with a file, a table or a column, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataError {
    /// The stable code, `E0601` and on.
    pub code: &'static str,
    /// One sentence.
    pub message: String,
    /// The file as the program names it, if a file is to blame.
    pub file: Option<Box<str>>,
    /// The line of that file, from 1.
    pub line: Option<usize>,
    /// The column of that file or table.
    pub column: Option<Box<str>>,
    /// What to do about it.
    pub help: Option<Box<str>>,
}

impl DataError {
    fn new(code: &'static str, message: impl Into<String>) -> DataError {
        DataError { code, message: message.into(), file: None, line: None, column: None, help: None }
    }

    fn of(code: &'static str, file: &str, message: impl Into<String>) -> DataError {
        let mut error = DataError::new(code, message);
        error.file = Some(file.into());
        error
    }

    fn at(mut self, line: usize) -> DataError {
        self.line = Some(line);
        self
    }

    fn column(mut self, name: &str) -> DataError {
        self.column = Some(name.into());
        self
    }

    fn help(mut self, text: impl Into<String>) -> DataError {
        self.help = Some(text.into().into());
        self
    }

    /// The place in the file, such as `data/iris.csv, line 3, column "age"`.
    pub fn place(&self) -> Option<String> {
        let mut place = self.file.as_deref()?.to_string();
        if let Some(line) = self.line {
            place.push_str(&format!(", line {line}"));
        }
        if let Some(column) = &self.column {
            place.push_str(&format!(", column \"{column}\""));
        }
        Some(place)
    }

    /// The report that points at the line of the program, and tells the line of the file.
    pub fn report(&self, span: Span) -> Report {
        let mut report = Report::error(self.code, span, self.message.clone());
        if let Some(place) = self.place() {
            report = report.note(format!("in {place}"));
        }
        match &self.help {
            Some(help) => report.help(&**help),
            None => report,
        }
    }
}

/// At most 40 characters of a text from a file, in quotes.
fn quote(text: &str) -> String {
    let mut letters = text.chars();
    let head: String = letters.by_ref().take(40).collect();
    let more = if letters.next().is_some() { "…" } else { "" };
    format!("\"{head}{more}\"")
}

fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// E0601. The file does not exist.
pub(super) fn no_such_file(file: &str, beside: &[String]) -> DataError {
    let error = DataError::of("E0601", file, format!("there is no file {}", quote(file)));
    let name = file.rsplit('/').next().unwrap_or(file);
    match nearest(name, beside.iter().map(String::as_str)) {
        Some(near) => error.help(format!("did you mean \"{near}\"?")),
        None => error.help("paths are relative to the folder of the program"),
    }
}

/// E0601. The system does not let us read the file.
pub(super) fn cannot_read(file: &str, why: &std::io::Error) -> DataError {
    let message = format!("cannot read {}: {}", quote(file), cause(why));
    DataError::of("E0601", file, message)
}

/// E0602. The path names a folder, a device, a pipe or a socket.
pub(super) fn not_a_file(file: &str, what: &str) -> DataError {
    let message = format!("{} is {what}, not a file", quote(file));
    DataError::of("E0602", file, message).help("only regular files are read and written")
}

/// E0603. The file, or what it would become in memory, is larger than allowed.
pub(super) fn too_large(file: &str, bytes: u64, limit: u64) -> DataError {
    let message = format!("{} needs {bytes} bytes, the limit is {limit}", quote(file));
    DataError::of("E0603", file, message).help("`--memory-limit` raises the limit")
}

/// E0603. A program that is too large, whatever the memory.
pub(super) fn too_long(file: &str) -> DataError {
    let message = format!("{} is larger than 64 MiB, the limit for a program", quote(file));
    DataError::of("E0603", file, message)
        .help("numbers are better kept in a file of data: `csv(\"data.csv\")`")
}

/// E0604. The file has no bytes, or a header and no rows.
pub(super) fn empty(file: &str, what: &str) -> DataError {
    DataError::of("E0604", file, format!("{} {what}", quote(file)))
        .help("a table is a header line and at least one row")
}

/// E0605. The file is not text in UTF-8.
pub(super) fn not_utf8(file: &str, line: usize) -> DataError {
    let message = format!("line {line} of {} is not UTF-8 text", quote(file));
    DataError::of("E0605", file, message).at(line).help("save the file with the encoding UTF-8")
}

/// E0606. A column has no name.
pub(super) fn unnamed_column(file: &str, position: usize) -> DataError {
    let message = format!("column {position} has no name in the header");
    DataError::of("E0606", file, message).at(1)
}

/// E0606. The cells are separated by another sign than the ending of the file says.
pub(super) fn other_separator(file: &str, header: &str, sign: char) -> DataError {
    let (what, want) = match sign {
        '\t' => ("tabs", "save it with the ending `.tsv`"),
        ',' => ("commas", "save it with the ending `.csv`"),
        _ => ("another sign", "save it with commas between the cells, and points in decimals"),
    };
    let what = if what == "another sign" { format!("`{sign}`") } else { what.to_string() };
    let message = format!("the header {} is one column: its names are separated by {what}", quote(header));
    DataError::of("E0606", file, message).at(1).help(want)
}

/// E0621. A file of another format is read as a table of text.
pub(super) fn no_table_of_text(file: &str, function: &str) -> DataError {
    let message = format!("{} is no table of text by its name", quote(file));
    DataError::of("E0621", file, message).help(format!("`{function}(\"{file}\")` reads it"))
}

/// The function that reads a file of another format than text in columns.
pub(super) fn reader_of(file: &str) -> Option<&'static str> {
    let readers = [(".json", "json"), (".npy", "npy"), (".npz", "npz")];
    readers.iter().find(|(ending, _)| file.ends_with(ending)).map(|(_, function)| *function)
}

/// E0606. Two columns have the same name.
pub(super) fn duplicate_column(file: &str, name: &str) -> DataError {
    let message = format!("two columns have the name {}", quote(name));
    DataError::of("E0606", file, message).at(1).column(name)
}

/// E0606. The first line holds numbers only, so it is no header.
pub(super) fn no_header(file: &str) -> DataError {
    let message = "the first line holds numbers, where the names of the columns should be";
    DataError::of("E0606", file, message).at(1).help("add a first line such as `x,y`")
}

/// E0607. A row has more or fewer cells than the header.
pub(super) fn ragged_row(file: &str, line: usize, cells: usize, columns: usize) -> DataError {
    let message = format!(
        "line {line} has {}, the header has {}",
        count(cells, "cell", "cells"),
        count(columns, "column", "columns"),
    );
    DataError::of("E0607", file, message).at(line).help("put a cell that holds a comma in quotes")
}

/// E0607. A quote is opened and never closed.
pub(super) fn unclosed_quote(file: &str, line: usize) -> DataError {
    let message = format!("a quote is opened at line {line} and never closed");
    DataError::of("E0607", file, message).at(line).help("a quote inside a quoted cell is written twice")
}

/// E0608. A cell is empty, or says that its value is not known.
pub(super) fn missing_value(file: &str, line: usize, column: &str, text: &str) -> DataError {
    let found = if text.is_empty() { "is empty".to_string() } else { format!("says {}", quote(text)) };
    let message = format!("a value is missing: column {} {found} at line {line}", quote(column));
    DataError::of("E0608", file, message)
        .at(line)
        .column(column)
        .help("fill in the value, or leave out such rows: `csv(…, drop_missing = true)`")
}

/// E0609. A cell of a column of numbers is not a number.
pub(super) fn text_among_numbers(file: &str, line: usize, column: &str, text: &str) -> DataError {
    let message = format!("column {} holds numbers, but line {line} says {}", quote(column), quote(text));
    let error = DataError::of("E0609", file, message).at(line).column(column);
    let dotted = text.replacen(',', ".", 1);
    if text.contains(',') && dotted.parse::<f64>().is_ok() {
        error.help(format!("decimals are written with a point: {dotted}"))
    } else {
        error
    }
}

/// E0610. A number is `nan` or infinite.
pub(super) fn not_finite(file: &str, line: usize, column: &str, text: &str) -> DataError {
    let message =
        format!("column {} has {} at line {line}, which is not a finite number", quote(column), quote(text));
    DataError::of("E0610", file, message).at(line).column(column)
}

/// E0610. A number is too large for a double.
pub(super) fn number_too_large(file: &str, line: usize, column: &str, text: &str) -> DataError {
    let message = format!(
        "column {} has {} at line {line}, which is beyond the largest real, 1.8e308",
        quote(column),
        quote(text)
    );
    DataError::of("E0610", file, message).at(line).column(column)
}

/// E0611. No column has that name.
pub(super) fn no_such_column<'a>(
    source: &str,
    name: &str,
    names: impl Iterator<Item = &'a str> + Clone,
) -> DataError {
    let message = format!("there is no column {}", quote(name));
    let error = DataError::of("E0611", source, message);
    match nearest(name, names.clone()) {
        Some(near) => error.help(format!("did you mean \"{near}\"?")),
        None => {
            let shown: Vec<&str> = names.take(12).collect();
            error.help(format!("the columns are {}", shown.join(", ")))
        }
    }
}

/// E0611. The row is not in the table.
pub(super) fn no_such_row(source: &str, row: i64, rows: usize) -> DataError {
    let message = format!("there is no row {row}: the table has {rows} rows, counted from 0");
    DataError::of("E0611", source, message)
}

/// E0611. A choice of columns left none.
pub(super) fn no_columns_left(source: &str) -> DataError {
    DataError::of("E0611", source, "no columns are left for the matrix")
}

/// E0612. A column of labels stands where numbers are wanted.
pub(super) fn labels_are_no_numbers(source: &str, name: &str) -> DataError {
    let message = format!("column {} holds text, not numbers", quote(name));
    DataError::of("E0612", source, message).column(name).help(format!(
        "leave it out with `except = \"{name}\"`, or turn it into numbers with `one_hot` or `group`"
    ))
}

/// E0613. All values of a column are equal, so it has no scale.
pub(super) fn constant_column(name: &str, value: f64) -> DataError {
    let message = format!("cannot standardize {name}: all its values are {value}");
    DataError::new("E0613", message).help("leave the column out; it tells nothing")
}

/// E0624. An array is to be standardized like one with other columns.
pub(super) fn other_columns(wanted: usize, known: usize) -> DataError {
    let message = format!(
        "cannot standardize {} like an array of {}",
        count(wanted, "column", "columns"),
        count(known, "column", "columns")
    );
    DataError::of("E0624", "", message).help("both need the same columns in the same order")
}

/// E0613. There is nothing to standardize, or it is no vector or matrix.
pub(super) fn not_a_matrix(what: &str, sizes: &[usize]) -> DataError {
    let shown: Vec<String> = sizes.iter().map(usize::to_string).collect();
    let message = format!(
        "{what} takes a vector or a matrix with at least one row, found sizes [{}]",
        shown.join(", ")
    );
    DataError::new("E0613", message)
}

/// E0614. A class is not a whole number of `0..classes`.
pub(super) fn not_a_class(row: usize, value: f64, classes: usize) -> DataError {
    let message = format!("row {row} has class {value}, which is not one of 0..{classes}");
    DataError::new("E0614", message).help("`group` numbers any values from 0")
}

/// E0615. A share of the rows that leaves one part without any.
pub(super) fn bad_fraction(fraction: f64, rows: usize) -> DataError {
    let message =
        format!("cannot split {} at {fraction}: both parts must have one", count(rows, "row", "rows"));
    DataError::new("E0615", message).help("the fraction is between 0 and 1, such as 0.8")
}

/// E0616. The bytes are not those of a NumPy array.
pub(super) fn bad_npy(file: &str, why: impl Into<String>) -> DataError {
    let why = why.into();
    DataError::of("E0616", file, format!("{} is no npy array: {why}", quote(file)))
}

/// E0617. The elements are of a kind that is not read.
pub(super) fn unsupported_dtype(file: &str, descr: &str) -> DataError {
    let message = format!("{} holds elements of type {}", quote(file), quote(descr));
    DataError::of("E0617", file, message)
        .help("real, integer and boolean arrays are read: f4 f8 i1 i2 i4 i8 u1 u2 u4 b1")
}

/// E0618. The archive cannot be read.
pub(super) fn bad_npz(file: &str, why: impl Into<String>) -> DataError {
    let why = why.into();
    let message = format!("{} is no npz archive: {why}", quote(file));
    DataError::of("E0618", file, message)
}

/// E0619. The text is not JSON.
pub(super) fn bad_json(file: &str, line: usize, why: &str) -> DataError {
    let message = format!("{} is not JSON: {why}", quote(file));
    let error = DataError::of("E0619", file, message);
    if line > 0 { error.at(line) } else { error }
}

/// E0620. A value of the JSON file is neither an array, nor a table, nor a record.
pub(super) fn json_misfit(file: &str, path: &str, why: &str) -> DataError {
    DataError::of("E0620", file, format!("at {path}: {why}"))
}

/// E0621. The ending of the name does not tell the format.
pub(super) fn unknown_format(file: &str) -> DataError {
    let message = format!("cannot tell the format of {} by its name", quote(file));
    DataError::of("E0621", file, message).help("known endings: .csv .tsv .npy .npz .json")
}

/// E0622. The file cannot be written.
pub(super) fn cannot_write(file: &str, why: &std::io::Error) -> DataError {
    let message = format!("cannot write {}: {}", quote(file), cause(why));
    DataError::of("E0622", file, message)
}

/// E0622. The value does not fit the format.
pub(super) fn cannot_save(file: &str, what: &str, instead: &str) -> DataError {
    DataError::of("E0622", file, format!("cannot save {what} to {}", quote(file))).help(instead)
}

/// E0622. A picture is written as SVG or PNG.
pub fn not_a_picture(file: &str) -> DataError {
    DataError::of("E0622", file, format!("cannot write a picture to {}", quote(file)))
        .help("pictures are written as .svg or .png")
}

/// E0623. An array was declared that cannot fit into memory.
pub fn array_too_large(sizes: &[u64], limit: u64) -> DataError {
    let shown: Vec<String> = sizes.iter().map(u64::to_string).collect();
    let message = format!(
        "an array of sizes [{}] does not fit into the memory limit of {limit} bytes",
        shown.join(", ")
    );
    DataError::new("E0623", message).help("`--memory-limit` raises the limit")
}
