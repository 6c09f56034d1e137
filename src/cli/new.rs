//! `minima new`: a folder with a program to begin with.

use std::fs;
use std::path::{Path, PathBuf};

use super::output::Output;
use super::source::{Failure, unreadable};
use super::{exit, json};
use crate::data::{self, Column, DataError, Loaded, Reading, Table, Values};
use crate::diag::nearest;
use crate::ir::Data;
use crate::run;
use crate::syntax;

/// The most bytes of a table.
const LIMIT: u64 = 1 << 30;

/// What programs write, which a repository need not keep.
const IGNORED: &str = "*.npz\n*.npy\nruns/\n";

const PROGRAM: &str = include_str!("templates/program.opt");
const REGRESSION: &str = include_str!("templates/regression.opt");
const README: &str = include_str!("templates/README.md");
const DATA: &str = include_str!("templates/data.csv");

/// Makes the folder, with data of its own or a copy of a table.
pub fn new(folder: &Path, from: Option<&Path>, target: Option<&str>, output: Output) -> Result<u8, Failure> {
    let name = named(folder)?;
    if folder.symlink_metadata().is_ok() {
        return Err(Failure::usage(format!(
            "`{}` is there already: choose another name, or remove it",
            folder.display()
        )));
    }
    let (file, bytes, program) = match from {
        None => ("data.csv".to_string(), DATA.as_bytes().to_vec(), PROGRAM.to_string()),
        Some(table) => {
            let (file, bytes) = copied(table)?;
            let program = regression(&file, &columns(table)?, target)?;
            (file, bytes, program)
        }
    };
    let filled = |text: &str| text.replace("{NAME}", name).replace("{FILE}", &file);
    let program = syntax::format(&filled(&program))
        .map_err(|_| Failure { code: exit::INTERNAL, message: "the program made is wrong: a bug".into() })?;
    let files = [
        (format!("{name}.opt"), program.into_bytes()),
        (file.clone(), bytes),
        ("README.md".into(), filled(README).into_bytes()),
        (".gitignore".into(), IGNORED.into()),
    ];
    write(folder, &files)?;
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let place = folder.display();
    output.result(&format!(
        "made {place}: {}\n\nnext:\n  cd {place}\n  minima run {name}.opt\n  minima watch {name}.opt",
        names.join(", ")
    ));
    if output.json {
        output.report(&json::new(&folder.display().to_string(), &names));
    }
    Ok(exit::OK)
}

/// The name of the program in a folder.
fn named(folder: &Path) -> Result<&str, Failure> {
    let name = folder.file_name().and_then(|name| name.to_str());
    let plain = |name: &&str| {
        let fits = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.');
        name.starts_with(char::is_alphanumeric) && name.chars().all(fits)
    };
    name.filter(plain).ok_or_else(|| {
        Failure::usage(format!(
            "`{}` is no name for a program: use letters, digits, `_` and `-`, such as `minima new fit`",
            folder.display()
        ))
    })
}

/// Writes all files, or none: what was begun is taken away.
fn write(folder: &Path, files: &[(String, Vec<u8>)]) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|why| Failure::unwritten(folder, &why))?;
    for (name, bytes) in files {
        let path = folder.join(name);
        if let Err(why) = fs::write(&path, bytes) {
            drop(fs::remove_dir_all(folder));
            return Err(Failure::unwritten(&path, &why));
        }
    }
    Ok(())
}

/// The name and the bytes of a table.
fn copied(table: &Path) -> Result<(String, Vec<u8>), Failure> {
    let place = table.display().to_string();
    let unread = |why: std::io::Error| Failure::usage(unreadable(table, &place, &why));
    if table.metadata().map_err(unread)?.is_dir() {
        return Err(Failure::usage(format!("`{place}` is a folder, not a table")));
    }
    let name = table.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if !(name.ends_with(".csv") || name.ends_with(".tsv")) {
        return Err(Failure::usage(format!("`{place}` is no table: a `.csv` or `.tsv` file is needed")));
    }
    Ok((name.to_string(), fs::read(table).map_err(unread)?))
}

/// A table, and how many of its rows are left out because a value is missing.
struct Read {
    table: Table,
    left_out: usize,
}

fn columns(table: &Path) -> Result<Read, Failure> {
    let path: PathBuf = table.to_path_buf();
    let name = path.to_string_lossy();
    let folder = Path::new("");
    let load =
        |drop_missing| data::load_as(folder, Reading { function: "csv", path: &name, drop_missing }, LIMIT);
    let (loaded, all) = match load(false) {
        Err(error) if error.code == "E0608" => {
            let all = data::count_rows(folder, &name, LIMIT);
            (load(true).map_err(unusable)?, Some(all.map_err(unusable)?))
        }
        loaded => (loaded.map_err(unusable)?, None),
    };
    match loaded {
        Loaded::Table(table) => {
            let left_out = all.map_or(0, |all| all.saturating_sub(table.rows));
            Ok(Read { table, left_out })
        }
        _ => Err(wrong(format!("`{}` is no table", table.display()))),
    }
}

fn wrong(message: String) -> Failure {
    Failure { code: exit::DATA, message }
}

/// What is wrong with a table, where, and what to do about it.
fn unusable(error: DataError) -> Failure {
    let line = error.line.filter(|_| !error.message.contains("line"));
    let place = line.map_or(String::new(), |line| format!(", line {line}"));
    let help = error.help.map_or(String::new(), |help| format!("; {help}"));
    wrong(format!("{}{place}{help}", error.message))
}

/// The place of the column to predict: the one that is named, else the last.
fn target_of(file: &str, table: &Table, named: Option<&str>) -> Result<usize, Failure> {
    let Some(named) = named else {
        return table.columns.len().checked_sub(1).ok_or_else(|| wrong(format!("`{file}` has no columns")));
    };
    table.names().position(|name| name == named).ok_or_else(|| {
        let message = format!("`{file}` has no column `{named}`");
        Failure::usage(match nearest(named, table.names()) {
            Some(near) => format!("{message}; did you mean `{near}`?"),
            None => format!("{message}; its columns are {}", table.names().collect::<Vec<_>>().join(", ")),
        })
    })
}

/// A regression of a column, else the last, on the others that hold numbers and are not constant.
fn regression(file: &str, read: &Read, named: Option<&str>) -> Result<String, Failure> {
    let Read { table, left_out: incomplete } = read;
    let at = target_of(file, table, named)?;
    let mut others: Vec<&Column> = table.columns.iter().collect();
    let target = others.remove(at);
    if let Some(why) = unfit(target) {
        let name = &target.name;
        let choose = match others.iter().rev().find(|column| unfit(column).is_none()) {
            Some(other) => format!("choose another, such as `--target {}`", argument(&other.name)),
            None => "a column of numbers is needed".into(),
        };
        return Err(wrong(match named {
            Some(_) => format!("the column `{name}` of `{file}` {why}: {choose}"),
            None => format!("the last column of `{file}`, `{name}`, is the target, and {why}: {choose}"),
        }));
    }
    let left: Vec<(&str, &str)> =
        others.iter().filter_map(|column| Some((column.name.as_str(), unfit(column)?))).collect();
    let used = others.len() - left.len();
    if used == 0 {
        let target = &target.name;
        return Err(wrong(format!("`{file}` has no column of numbers besides `{target}`, its target")));
    }
    let mut except = vec![quoted(&target.name)];
    except.extend(left.iter().map(|(name, _)| quoted(name)));
    let except = match except.as_slice() {
        [one] => one.clone(),
        many => format!("({})", many.join(", ")),
    };
    let truth = matches!(&target.values, Values::Tensor(tensor) if matches!(tensor.data, Data::Bool(_)));
    let target = match (truth, is_name(&target.name)) {
        // The matrix has 1 for true.
        (true, _) => format!("matrix(data, only = {})[:, 0]", quoted(&target.name)),
        (false, true) => format!("data.{}", target.name),
        (false, false) => format!("data[{}]", quoted(&target.name)),
    };
    let (missing, how) = rows_left_out(*incomplete, table.rows);
    Ok(REGRESSION
        .replace("{PATH}", &quoted(file))
        .replace("{MISSING}", &missing)
        .replace("{HOW}", how)
        .replace("{LEFT}", &columns_left_out(&left))
        .replace("{EXCEPT}", &except)
        .replace("{TARGET}", &target)
        .replace("{COUNT}", &used.to_string())
        .replace("{RATE}", &rate(used)))
}

/// A comment on rows with missing values, and the argument that leaves them out.
fn rows_left_out(count: usize, kept: usize) -> (String, &'static str) {
    let all = count + kept;
    match count {
        0 => (String::new(), ""),
        1 => {
            (format!("// 1 of {all} rows is left out: a value is missing there.\n"), ", drop_missing = true")
        }
        _ => (
            format!("// {count} of {all} rows are left out: values are missing there.\n"),
            ", drop_missing = true",
        ),
    }
}

/// A comment on columns that the model cannot use.
fn columns_left_out(left: &[(&str, &str)]) -> String {
    if left.is_empty() {
        return String::new();
    }
    let said: Vec<String> = left.iter().map(|(name, why)| format!("`{}` {why}", one_line(name))).collect();
    format!("// Left out: {}.\n", said.join(", "))
}

/// A step that is safe however so many columns go together, with one digit: the curvature is at most
/// twice their number, and two more.
fn rate(columns: usize) -> String {
    let safe = 0.5 / (1.0 + columns as f64);
    let unit = 10f64.powf(safe.log10().floor());
    run::number((safe / unit).floor() * unit)
}

/// A name as an argument of a shell.
fn argument(name: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.');
    if name.chars().all(plain) { name.to_string() } else { format!("'{}'", name.replace('\'', r"'\''")) }
}

/// A text that stays in its comment.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

/// Why a regression cannot use a column.
fn unfit(column: &Column) -> Option<&'static str> {
    let constant = match &column.values {
        Values::Labels(_) => return Some("is text"),
        Values::Tensor(tensor) => match &tensor.data {
            Data::Real(values) => values.windows(2).all(|pair| pair[0] == pair[1]),
            Data::Int(values) => values.windows(2).all(|pair| pair[0] == pair[1]),
            Data::Bool(values) => values.windows(2).all(|pair| pair[0] == pair[1]),
        },
    };
    constant.then_some("is constant")
}

/// A text of the language.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// Whether a column can be read as `data.name`.
fn is_name(text: &str) -> bool {
    syntax::parse_expr(crate::diag::FileId::default(), text)
        .is_ok_and(|expr| matches!(&*expr.kind, syntax::ast::ExprKind::Name(name) if **name == *text))
}
