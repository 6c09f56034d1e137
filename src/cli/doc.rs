//! `minima doc`: writes the pages about the library, the documents and the user's programs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::args::Options;
use super::output::Output;
use super::program::Program;
use super::signals::Signals;
use super::source::{self, Failure, Source};
use super::{exit, json};
use crate::diag::Report;
use crate::site;

/// The list of what was written: the sign of a folder that may be written again.
const LIST: &str = "assets/pages.txt";

/// Writes the site. Programs are checked as `minima check` does; wrong ones have pages as far as they can be read.
pub fn doc(
    paths: &[PathBuf],
    out: &Path,
    options: &Options,
    output: Output,
    signals: &Signals,
) -> Result<u8, Failure> {
    let mut files = Vec::new();
    for path in paths {
        files.extend(source::programs(path)?);
    }
    let mut seen = BTreeSet::new();
    files.retain(|file| seen.insert(file.clone()));
    let read = |file: &PathBuf| checked(Source::read(file)?, options, signals);
    let programs = files.iter().map(read).collect::<Result<Vec<Program>, Failure>>()?;
    let sources = programs.iter().flat_map(|program| &program.sources);
    let shown = sources.map(|source| site::Program { path: source.name.clone(), text: source.text.clone() });
    let pages = site::site(&shown.collect::<Vec<_>>());
    prepare(out, &pages)?;
    let mut names: Vec<String> = pages.iter().map(|(path, _)| path.clone()).collect();
    names.push(LIST.into());
    let list = names.iter().map(|name| format!("{name}\n")).collect::<String>();
    for (path, text) in pages.iter().map(|(path, text)| (path.as_str(), text)).chain([(LIST, &list)]) {
        write(&out.join(path), text)?;
    }
    for program in &programs {
        output.reports(&program.code.reports, &program.session.sources);
    }
    let html = names.iter().filter(|name| name.ends_with(".html")).count();
    output.result(&format!("{html} pages; open {}", out.join("index.html").display()));
    let reports: Vec<Report> = programs.iter().flat_map(|program| program.code.reports.clone()).collect();
    let code = exit::of_reports(&reports, false);
    if output.json {
        output.report(&json::doc(&out.display().to_string(), &names, &programs, code));
    }
    Ok(code)
}

/// A program with all that is wrong with it, but for inputs that only a run is given.
fn checked(source: Source, options: &Options, signals: &Signals) -> Result<Program, Failure> {
    let mut program = Program::open(vec![source], options, Vec::new(), signals);
    program.check()?;
    program.code.reports.retain(|report| report.code != "E0437");
    Ok(program)
}

/// Makes the folder, and removes the pages of an earlier site that this one has no more.
fn prepare(out: &Path, pages: &[(String, String)]) -> Result<(), Failure> {
    let name = out.display();
    if out.exists() && !out.is_dir() {
        return Err(Failure::usage(format!("`{name}` is a file; --out takes a folder")));
    }
    let empty = !out.exists() || out.read_dir().is_ok_and(|mut entries| entries.next().is_none());
    let before = fs::read_to_string(out.join(LIST)).ok();
    if !empty && before.is_none() {
        let message =
            format!("`{name}` is not empty, and no earlier site is in it; choose another folder with --out");
        return Err(Failure::usage(message));
    }
    let kept: BTreeSet<&str> = pages.iter().map(|(path, _)| path.as_str()).collect();
    for old in before.unwrap_or_default().lines().filter(|old| !kept.contains(old)) {
        let inside = Path::new(old).components().all(|part| matches!(part, Component::Normal(_)));
        if inside && old.ends_with(".html") {
            // A page that somebody has removed already is as gone as it should be.
            drop(fs::remove_file(out.join(old)));
        }
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let made = path.parent().map_or(Ok(()), fs::create_dir_all);
    made.and_then(|()| fs::write(path, text)).map_err(|why| Failure::unwritten(path, &why))
}
