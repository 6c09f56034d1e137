//! `minima fmt`: programs in their one form.

use std::path::{Path, PathBuf};

use super::output::Output;
use super::source::{Failure, Source};
use super::{exit, json};
use crate::data;
use crate::diag::{Report, Sources, cause};
use crate::syntax;

/// What became of a file.
pub struct Formed {
    /// What reports call it.
    pub name: String,
    /// Whether its form is another than its text.
    pub changed: bool,
    /// Its form, where it came from standard input.
    pub text: Option<String>,
    /// Its errors; with any, it was left alone.
    pub reports: Vec<Report>,
    /// Its text.
    pub sources: Sources,
}

/// Formats files and all programs below folders; with `check`, only says which would change.
pub fn fmt(paths: &[PathBuf], check: bool, output: Output) -> Result<u8, Failure> {
    let mut files = Vec::new();
    for path in paths {
        files.extend(programs_below(path)?);
    }
    let mut done = Vec::new();
    for file in files {
        let formed = one(&file, check)?;
        tell(&formed, check, output);
        done.push(formed);
    }
    let changed = done.iter().filter(|file| file.changed).count();
    let code = code(&done, check && changed > 0);
    if check && changed > 0 {
        let files = if changed == 1 { "file" } else { "files" };
        output.note(&format!("{changed} {files} would change"));
    }
    if output.json {
        output.report(&json::fmt(&done, code));
    }
    Ok(code)
}

fn code(done: &[Formed], unformed: bool) -> u8 {
    let reports = || done.iter().flat_map(|file| &file.reports);
    if reports().any(|report| report.code == syntax::INTERNAL) {
        return exit::INTERNAL;
    }
    match exit::of_reports(reports(), false) {
        exit::OK if unformed => exit::PROGRAM,
        code => code,
    }
}

/// Formats one file.
fn one(path: &Path, check: bool) -> Result<Formed, Failure> {
    let source = Source::read(path)?;
    let mut sources = Sources::default();
    let (_, wrong) = source.add_to(&mut sources);
    let input = path == Path::new("-");
    let mut formed =
        Formed { name: source.name.clone(), changed: false, text: None, reports: Vec::new(), sources };
    match wrong.map_or_else(|| syntax::format(&source.text), |report| Err(vec![report])) {
        Err(reports) => formed.reports = reports,
        Ok(text) => {
            formed.changed = text != source.text;
            if formed.changed && !check && !input {
                replace(path, &text)?;
            }
            formed.text = input.then_some(text);
        }
    }
    Ok(formed)
}

fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let name = path.display().to_string();
    let failed = |message: String| Failure { code: exit::DATA, message };
    if path.metadata().is_ok_and(|found| found.permissions().readonly()) {
        return Err(failed(format!("cannot write `{name}`: it is read-only")));
    }
    data::write(path, &name, text.as_bytes()).map_err(|error| failed(error.message))
}

fn tell(formed: &Formed, check: bool, output: Output) {
    output.reports(&formed.reports, &formed.sources);
    match &formed.text {
        Some(text) if !check => output.text(text),
        _ if formed.changed && check => output.result(&formed.name),
        _ if formed.changed => output.note(&format!("formatted {}", formed.name)),
        _ => {}
    }
}

/// The `.opt` files that a path stands for: itself, or all in a folder and below it, in the
/// alphabet's order. Names that begin with a dot are passed over.
fn programs_below(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let mut found = Vec::new();
    collect(path, &mut found)?;
    if found.is_empty() {
        return Err(Failure::usage(format!("there are no `.opt` files in `{}`", path.display())));
    }
    found.sort();
    Ok(found)
}

/// Folders are gone into, links to folders are not: they may lead in a circle.
fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let cannot =
        |why: std::io::Error| Failure::usage(format!("cannot read `{}`: {}", folder.display(), cause(&why)));
    for entry in folder.read_dir().map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(cannot)?);
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if kind.is_dir() {
            collect(&path, found)?;
        } else if path.extension().is_some_and(|ending| ending == "opt") && path.is_file() {
            found.push(path);
        }
    }
    Ok(())
}
