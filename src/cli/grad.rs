//! `minima grad`: the derivative of a function, as a program.

use std::path::Path;

use super::args::Options;
use super::json;
use super::output::Output;
use super::program::Program;
use super::signals::Signals;
use super::source::{Failure, Source};
use crate::diag::{Report, Span};
use crate::lower::errors::not_yet;
use crate::syntax::ast::{File, StmtKind};

/// Prints the derivative of a function or objective of a program.
pub fn grad(target: &str, options: &Options, output: Output, signals: &Signals) -> Result<u8, Failure> {
    let (path, name) = split(target);
    let mut program = Program::open(vec![Source::read(Path::new(path))?], options, Vec::new(), signals);
    program.check()?;
    let mut text = None;
    if !program.code.is_wrong() {
        let (name, span) = find(&program.code.files[0], name)?;
        match derivative(&name, span) {
            Ok(found) => text = Some(found),
            Err(report) => program.code.reports.push(report),
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

/// The derivative of a declaration, as text of a program. The door for the room that will print it.
fn derivative(name: &str, span: Span) -> Result<String, Report> {
    Err(not_yet(span, &format!("printing the derivative of `{name}`")))
}

/// `file.opt:f`; a path may hold colons itself.
fn split(target: &str) -> (&str, Option<&str>) {
    match target.rsplit_once(':') {
        Some((path, name)) if !name.is_empty() && !name.contains(['/', '\\', '.']) => (path, Some(name)),
        Some(_) | None => (target, None),
    }
}

/// The function or objective of that name, or the first one.
fn find(file: &File, name: Option<&str>) -> Result<(String, Span), Failure> {
    let declared: Vec<(String, Span)> = file
        .items
        .iter()
        .filter_map(|item| match &item.kind {
            StmtKind::Fn(decl) => Some((decl.name.name.to_string(), decl.name.span)),
            StmtKind::Objective(decl) => Some((decl.name.name.to_string(), decl.name.span)),
            _ => None,
        })
        .collect();
    let names: Vec<&str> = declared.iter().map(|(name, _)| name.as_str()).collect();
    let found = match name {
        Some(name) => declared.iter().find(|(known, _)| known == name),
        None => declared.first(),
    };
    found.cloned().ok_or_else(|| {
        Failure::usage(match name {
            Some(name) => match crate::diag::nearest(name, names.iter().copied()) {
                Some(near) => format!("there is no function `{name}`; did you mean `{near}`?"),
                None => format!("there is no function `{name}`"),
            },
            None => "the program declares no function".to_string(),
        })
    })
}

