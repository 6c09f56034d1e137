//! `minima new`: a folder with a program to begin with.

use std::fs;
use std::path::{Path, PathBuf};

use super::output::Output;
use super::source::Failure;
use super::{exit, json};
use crate::data::{self, Column, Loaded, Reading, Table, Values};
use crate::diag::cause;
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
pub fn new(folder: &Path, from: Option<&Path>, output: Output) -> Result<u8, Failure> {
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
            let program = regression(&file, &columns(table)?)?;
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
    let failed = |path: &Path, why: &std::io::Error| Failure {
        code: exit::DATA,
        message: format!("cannot write `{}`: {}", path.display(), cause(why)),
    };
    fs::create_dir_all(folder).map_err(|why| failed(folder, &why))?;
    for (name, bytes) in files {
        let path = folder.join(name);
        if let Err(why) = fs::write(&path, bytes) {
            drop(fs::remove_dir_all(folder));
            return Err(failed(&path, &why));
        }
    }
    Ok(())
}

/// The name and the bytes of a table.
fn copied(table: &Path) -> Result<(String, Vec<u8>), Failure> {
    let place = table.display();
    let name = table.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if !(name.ends_with(".csv") || name.ends_with(".tsv")) {
        return Err(Failure::usage(format!("`{place}` is no table: a `.csv` or `.tsv` file is needed")));
    }
    let bytes =
        fs::read(table).map_err(|why| Failure::usage(format!("cannot read `{place}`: {}", cause(&why))))?;
    Ok((name.to_string(), bytes))
}

fn columns(table: &Path) -> Result<Table, Failure> {
    let path: PathBuf = table.to_path_buf();
    let name = path.to_string_lossy();
    let reading = Reading { function: "csv", path: &name, drop_missing: false };
    let loaded = data::load_as(Path::new(""), reading, LIMIT);
    let failed = |message: String| Failure { code: exit::DATA, message };
    match loaded {
        Ok(Loaded::Table(table)) => Ok(table),
        Ok(_) => Err(failed(format!("`{}` is no table", table.display()))),
        Err(error) => {
            let line = error.line.filter(|_| !error.message.contains("line"));
            let place = line.map_or(String::new(), |line| format!(", line {line}"));
            Err(failed(format!("{}{place}", error.message)))
        }
    }
}

/// A regression of the last column on the others that hold numbers and are not constant.
fn regression(file: &str, table: &Table) -> Result<String, Failure> {
    let wrong = |message: String| Failure { code: exit::DATA, message };
    let Some((target, others)) = table.columns.split_last() else {
        return Err(wrong(format!("`{file}` has no columns")));
    };
    if let Some(why) = unfit(target) {
        return Err(wrong(format!(
            "the last column of `{file}`, `{}`, is the target, and {why}: put a column of numbers there",
            target.name
        )));
    }
    let left: Vec<(&str, &str)> =
        others.iter().filter_map(|column| Some((column.name.as_str(), unfit(column)?))).collect();
    if left.len() == others.len() {
        return Err(wrong(format!("`{file}` has no column of numbers besides the last, its target")));
    }
    let left_out = match left.as_slice() {
        [] => String::new(),
        left => {
            let said: Vec<String> = left.iter().map(|(name, why)| format!("`{name}` {why}")).collect();
            format!("// Left out: {}.\n", said.join(", "))
        }
    };
    let mut except = vec![quoted(&target.name)];
    except.extend(left.iter().map(|(name, _)| quoted(name)));
    let except = match except.as_slice() {
        [one] => one.clone(),
        many => format!("({})", many.join(", ")),
    };
    let truth = matches!(&target.values, Values::Tensor(tensor) if matches!(tensor.data, Data::Bool(_)));
    let target = if is_name(&target.name) && !truth {
        format!("data.{}", target.name)
    } else {
        format!("matrix(data, only = {})[:, 0]", quoted(&target.name))
    };
    // A step that is safe however the columns go together: the curvature is at most twice their number.
    let rate = 0.5 / (1.0 + (others.len() - left.len()) as f64);
    let rate = run::number(rate);
    Ok(REGRESSION
        .replace("{PATH}", &quoted(file))
        .replace("{LEFT}", &left_out)
        .replace("{EXCEPT}", &except)
        .replace("{TARGET}", &target)
        .replace("{RATE}", &rate))
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
