//! `minima grad`: the derivative of a function, as a program.

use std::path::Path;

use super::args::Options;
use super::json;
use super::output::Output;
use super::program::Program;
use super::signals::Signals;
use super::source::{Failure, Source};
use crate::run;

/// Prints the derivative of a function or objective of a program.
pub fn grad(target: &str, options: &Options, output: Output, signals: &Signals) -> Result<u8, Failure> {
    let (path, name) = split(target);
    let mut program = Program::open(vec![Source::read(Path::new(path))?], options, Vec::new(), signals);
    program.check()?;
    let mut text = None;
    if !program.code.is_wrong() {
        let file = program.code.files[0].clone();
        let folder = program.code.folder.clone();
        match run::derivative(&mut program.session, &folder, &file, name) {
            Ok(found) => text = Some(found),
            Err(reports) => program.code.reports.extend(reports),
        }
    }
    if let Some(text) = &text {
        output.result(text);
    }
    output.reports(&program.code.reports, &program.session.sources);
    let code = program.exit_code();
    if output.json {
        output.report(&json::grad(&program, text.as_deref(), code));
    }
    Ok(code)
}

/// `file.opt:f`; a path may hold colons itself.
fn split(target: &str) -> (&str, Option<&str>) {
    match target.rsplit_once(':') {
        Some((path, name)) if !name.is_empty() && !name.contains(['/', '\\', '.']) => (path, Some(name)),
        Some(_) | None => (target, None),
    }
}
