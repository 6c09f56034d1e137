//! The doors: a file of any known format to a value, and back.

use std::path::Path;
use std::sync::Arc;

use super::file::{self, Source};
use super::table::{Table, Values};
use super::{DataError, csv, errors, json, npy, npz};
use crate::ir::Tensor;

/// What a file holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Loaded {
    /// An array or a scalar.
    Tensor(Tensor),
    /// Texts.
    Labels(Arc<Vec<String>>),
    /// A text.
    Label(String),
    /// A table.
    Table(Table),
    /// Named values.
    Record(Vec<(String, Loaded)>),
}

impl Loaded {
    /// About how many bytes it takes.
    pub fn bytes(&self) -> u64 {
        let tensor = |tensor: &Tensor| 8 * tensor.sizes.iter().map(|n| *n as u64).product::<u64>();
        let text = |text: &String| (size_of::<String>() + text.len()) as u64;
        let labels = |labels: &Vec<String>| labels.iter().map(text).sum::<u64>();
        match self {
            Loaded::Tensor(values) => tensor(values),
            Loaded::Labels(values) => labels(values),
            Loaded::Label(value) => text(value),
            Loaded::Table(table) => {
                let column = |values: &Values| match values {
                    Values::Tensor(values) => tensor(values),
                    Values::Labels(values) => labels(values),
                };
                table.columns.iter().map(|one| column(&one.values)).sum()
            }
            Loaded::Record(fields) => fields.iter().map(|(_, value)| value.bytes()).sum(),
        }
    }
}

/// How the bytes of a file are to be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Tsv,
    Npy,
    Npz,
    Json,
}

impl Format {
    fn of(name: &str) -> Option<Format> {
        let ending = Path::new(name).extension()?.to_str()?;
        [
            ("csv", Format::Csv),
            ("tsv", Format::Tsv),
            ("npy", Format::Npy),
            ("npz", Format::Npz),
            ("json", Format::Json),
        ]
        .into_iter()
        .find(|(known, _)| ending.eq_ignore_ascii_case(known))
        .map(|(_, format)| format)
    }
}

/// Loads the file that a program in `folder` names, by the ending of the name. The file and what
/// it becomes in memory may each take up to `limit` bytes.
pub fn load(folder: &Path, name: &str, limit: u64) -> Result<Loaded, DataError> {
    let format = Format::of(name).ok_or_else(|| errors::unknown_format(name))?;
    load_format(folder, Reading { function: "", path: name, drop_missing: false }, format, limit)
}

/// A call that reads a file.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// The function that the program calls.
    pub function: &'a str,
    /// The path, relative to the program.
    pub path: &'a str,
    /// Whether rows in which a value is missing are left out.
    pub drop_missing: bool,
}

impl Reading<'_> {
    /// How its result is remembered: what is read of a file depends on how.
    pub fn kind(&self) -> String {
        let how = if self.drop_missing { ", complete rows" } else { "" };
        format!("{}{how}", self.function)
    }
}

/// Loads a file whose format is said by the function that the program calls: `csv` (which is
/// tab-separated if the name ends in `.tsv`), `npy`, `npz` or `json`.
pub fn load_as(folder: &Path, reading: Reading<'_>, limit: u64) -> Result<Loaded, DataError> {
    let name = reading.path;
    let format = match (reading.function, Format::of(name)) {
        ("csv", Some(Format::Tsv)) => Format::Tsv,
        ("csv", _) => Format::Csv,
        ("npy", _) => Format::Npy,
        ("npz", _) => Format::Npz,
        ("json", _) => Format::Json,
        _ => return Err(errors::unknown_format(name)),
    };
    load_format(folder, reading, format, limit)
}

fn load_format(folder: &Path, reading: Reading<'_>, format: Format, limit: u64) -> Result<Loaded, DataError> {
    let name = reading.path;
    let path = file::resolve(folder, name);
    let source = Source { path: &path, name, limit, drop_missing: reading.drop_missing };
    let tensors = |arrays: Vec<(String, Tensor)>| {
        let parts = arrays.into_iter();
        parts.map(|(name, tensor)| (name, Loaded::Tensor(tensor)))
    };
    Ok(match format {
        Format::Csv => Loaded::Table(csv::read_table(source, b',')?),
        Format::Tsv => Loaded::Table(csv::read_table(source, b'\t')?),
        Format::Npy => Loaded::Tensor(npy::parse(source, &file::read(source)?)?),
        Format::Npz => {
            let arrays = npz::parse(source, &file::read(source)?)?;
            Loaded::Record(tensors(arrays).collect())
        }
        Format::Json => json::parse(source, &file::read(source)?)?,
    })
}

/// How many rows a table (`.csv` or `.tsv`) has, those with missing values among them.
///
/// # Errors
/// When the file cannot be read, or is no table.
pub fn count_rows(folder: &Path, name: &str, limit: u64) -> Result<usize, DataError> {
    let path = file::resolve(folder, name);
    let separator = if Format::of(name) == Some(Format::Tsv) { b'\t' } else { b',' };
    csv::count_rows(Source { path: &path, name, limit, drop_missing: true }, separator)
}

/// Saves a value under the name that a program in `folder` gives: an array as `.npy`, a record of
/// arrays as `.npz`, a table as `.csv` or `.tsv` or, if it has no text, `.npz`.
pub fn save(folder: &Path, name: &str, value: &Loaded) -> Result<(), DataError> {
    let bytes = match (Format::of(name), value) {
        (Some(Format::Csv), Loaded::Table(table)) => csv::print(name, table, b',')?,
        (Some(Format::Tsv), Loaded::Table(table)) => csv::print(name, table, b'\t')?,
        (Some(Format::Npy), Loaded::Tensor(tensor)) => npy::print(tensor),
        (Some(Format::Npz), value) => {
            let mut arrays = Vec::new();
            arrays_of(name, "", value, &mut arrays)?;
            npz::print(name, &arrays)?
        }
        (Some(Format::Csv | Format::Tsv), _) => {
            let instead = "only tables are saved as text; arrays go to .npy, records to .npz";
            return Err(errors::cannot_save(name, "this value", instead));
        }
        (Some(Format::Npy), _) => {
            let instead = "only arrays are saved as .npy; records go to .npz, tables to .csv";
            return Err(errors::cannot_save(name, "this value", instead));
        }
        (Some(Format::Json) | None, _) => {
            let instead = "values are saved as .npy, .npz, .csv or .tsv";
            return Err(errors::cannot_save(name, "this value", instead));
        }
    };
    file::write(&file::resolve(folder, name), name, &bytes)
}

/// The arrays inside a value, named by their path: `params.w`.
fn arrays_of(
    file: &str,
    path: &str,
    value: &Loaded,
    arrays: &mut Vec<(String, Tensor)>,
) -> Result<(), DataError> {
    let dot = |name: &str| match path {
        "" => name.to_string(),
        path => format!("{path}.{name}"),
    };
    match value {
        Loaded::Tensor(tensor) => {
            let name = if path.is_empty() { "value" } else { path };
            arrays.push((name.to_string(), tensor.clone()));
            Ok(())
        }
        Loaded::Record(parts) => {
            parts.iter().try_for_each(|(name, part)| arrays_of(file, &dot(name), part, arrays))
        }
        Loaded::Table(table) => table.columns.iter().try_for_each(|column| {
            let part = match &column.values {
                super::Values::Tensor(tensor) => Loaded::Tensor(tensor.clone()),
                super::Values::Labels(labels) => Loaded::Labels(labels.clone()),
            };
            arrays_of(file, &dot(&column.name), &part, arrays)
        }),
        Loaded::Labels(_) | Loaded::Label(_) => {
            Err(errors::cannot_save(file, "text", "tables with text are saved as .csv"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own for one test, removed at the end.
    struct Folder(std::path::PathBuf);

    impl Folder {
        fn new(test: &str) -> Folder {
            let name = format!("minima-data-{test}-{}", std::process::id());
            let path = std::env::temp_dir().join(name);
            std::fs::create_dir_all(&path).unwrap();
            Folder(path)
        }

        fn with(self, name: &str, bytes: &[u8]) -> Folder {
            std::fs::write(self.0.join(name), bytes).unwrap();
            self
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            drop(std::fs::remove_dir_all(&self.0));
        }
    }

    #[test]
    fn files_are_found_beside_the_program() {
        let folder = Folder::new("found").with("a.csv", b"x\n1\n").with("b.tsv", b"x\ty\n1\t2\n");
        let Ok(Loaded::Table(table)) = load(&folder.0, "a.csv", 1000) else { panic!() };
        assert_eq!((table.rows, table.source.as_str()), (1, "a.csv"));
        assert!(
            load_as(&folder.0, Reading { function: "csv", path: "b.tsv", drop_missing: false }, 1000).is_ok()
        );
        assert_eq!(load(&folder.0, "a.xls", 1000).unwrap_err().code, "E0621");
        let error = load(&folder.0, "c.csv", 1000).unwrap_err();
        assert_eq!(error.code, "E0601");
        assert_eq!(error.help.as_deref(), Some("did you mean \"a.csv\"?"));
        assert_eq!(load(&folder.0, "a.csv", 3).unwrap_err().code, "E0603");
    }

    #[test]
    fn only_regular_files_are_read() {
        let folder = Folder::new("regular");
        std::fs::create_dir(folder.0.join("d.csv")).unwrap();
        assert_eq!(load(&folder.0, "d.csv", 10).unwrap_err().code, "E0602");
        let null =
            load_as(&folder.0, Reading { function: "csv", path: "/dev/zero", drop_missing: false }, 10)
                .unwrap_err();
        assert_eq!(null.code, "E0602");
        let pipe = folder.0.join("p.csv");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        if made.is_ok_and(|status| status.success()) {
            assert_eq!(load(&folder.0, "p.csv", 10).unwrap_err().code, "E0602");
        }
    }

    #[test]
    fn values_are_saved_and_load_again() {
        let folder = Folder::new("saved").with("t.csv", b"x,s\n1,a\n2,b\n");
        let table = load(&folder.0, "t.csv", 1000).unwrap();
        save(&folder.0, "u.csv", &table).unwrap();
        let Ok(Loaded::Table(again)) = load(&folder.0, "u.csv", 1000) else { panic!() };
        assert_eq!(again.names().collect::<Vec<_>>(), ["x", "s"]);
        let w = Loaded::Tensor(Tensor::real(&[2], vec![0.1, 0.2]));
        save(&folder.0, "w.npy", &w).unwrap();
        assert_eq!(load(&folder.0, "w.npy", 1000).unwrap(), w);
        let inner = Loaded::Record(vec![("w".into(), w.clone())]);
        let fit = Loaded::Record(vec![("params".into(), inner)]);
        save(&folder.0, "fit.npz", &fit).unwrap();
        let flat = Loaded::Record(vec![("params.w".into(), w)]);
        assert_eq!(load(&folder.0, "fit.npz", 1000).unwrap(), flat);
        // Nothing is left beside the files.
        assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 4);
    }

    #[test]
    fn what_does_not_fit_is_not_saved() {
        let folder = Folder::new("unsaved").with("t.csv", b"x,s\n1,a\n2,b\n");
        let table = load(&folder.0, "t.csv", 1000).unwrap();
        let code = |name: &str, value: &Loaded| save(&folder.0, name, value).unwrap_err().code;
        assert_eq!(code("t.npy", &table), "E0622");
        assert_eq!(code("t.npz", &table), "E0622");
        assert_eq!(code("t.json", &table), "E0622");
        let one = Loaded::Tensor(Tensor::scalar(1.0));
        assert_eq!(code("one.csv", &one), "E0622");
        assert_eq!(code("nowhere/one.npy", &one), "E0622");
        std::fs::create_dir(folder.0.join("d.npy")).unwrap();
        assert_eq!(code("d.npy", &one), "E0602");
    }
}
