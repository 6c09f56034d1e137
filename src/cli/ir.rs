//! `minima ir`: the code of a program, after any pass.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use super::args::Options;
use super::output::Output;
use super::program::Program;
use super::signals::Signals;
use super::source::{self, Failure, Source};
use super::{exit, json};
use crate::diag::nearest;
use crate::driver::{Engine, Session, compile};
use crate::passes::STANDARD;
use crate::run::Planned;

/// What is asked for.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// The pass after which the code is shown.
    pub after: Option<&'a str>,
    /// The name of the solve.
    pub solve: Option<&'a str>,
}

/// Code with what it belongs to.
pub struct Shown {
    /// The solve, or the statement.
    pub name: String,
    /// The text form.
    pub text: String,
}

/// Prints the code of a program.
pub fn ir(
    file: &Path,
    inputs: &[String],
    wanted: Wanted<'_>,
    options: &Options,
    output: Output,
    signals: &Signals,
) -> Result<u8, Failure> {
    let after = wanted.after.map(known_pass).transpose()?;
    let inputs = source::inputs(inputs)?;
    let mut program = Program::open(vec![Source::read(file)?], options, inputs, signals);
    program.check()?;
    let mut shown = Vec::new();
    if !program.code.is_wrong() {
        let planned = program.plan();
        let chosen = choose(planned, wanted.solve)?;
        program.session.options.engine = Engine::Oracle;
        shown = chosen.iter().filter_map(|planned| show(&mut program.session, planned, after)).collect();
    }
    for code in &shown {
        output.result(&format!("// {}\n{}", code.name, code.text.trim_end()));
    }
    output.reports(&program.code.reports, &program.session.sources);
    let code = match program.exit_code() {
        exit::OK if shown.is_empty() => {
            output.note("note: the program computes nothing when it runs");
            exit::OK
        }
        code => code,
    };
    if output.json {
        output.report(&json::ir(&program, after, &shown, code));
    }
    Ok(code)
}

/// The step loops of the solves, of the one that is named, or all code if there is no solve.
fn choose(planned: Vec<Planned>, solve: Option<&str>) -> Result<Vec<Planned>, Failure> {
    if let Some(name) = solve {
        let names: Vec<String> = planned.iter().filter_map(|planned| planned.name.clone()).collect();
        let chosen: Vec<Planned> =
            planned.into_iter().filter(|planned| planned.name.as_deref() == Some(name)).collect();
        if chosen.is_empty() {
            let message = format!("there is no solve bound to the name `{name}`");
            return Err(Failure::usage(match nearest(name, names.iter().map(String::as_str)) {
                Some(near) => format!("{message}; did you mean `{near}`?"),
                None if names.is_empty() => message,
                None => format!("{message}; there are {}", names.join(", ")),
            }));
        }
        return Ok(chosen);
    }
    if planned.iter().any(|planned| planned.solve) {
        return Ok(planned.into_iter().filter(|planned| planned.solve).collect());
    }
    Ok(planned)
}

fn known_pass(name: &str) -> Result<&str, Failure> {
    let mut names: Vec<&str> = vec!["lower"];
    for pass in STANDARD {
        if !names.contains(&pass.name) {
            names.push(pass.name);
        }
    }
    if names.contains(&name) {
        return Ok(name);
    }
    let message = format!("there is no pass `{name}`");
    Err(Failure::usage(match nearest(name, names.iter().copied()) {
        Some(near) => format!("{message}; did you mean `{near}`?"),
        None => format!("{message}; passes are {}", names.join(", ")),
    }))
}

/// The code after a pass, or after all.
fn show(session: &mut Session, planned: &Planned, after: Option<&str>) -> Option<Shown> {
    let seen: Rc<RefCell<Option<String>>> = Rc::default();
    if let Some(after) = after.map(str::to_string) {
        let seen = seen.clone();
        let observer = move |pass: &'static str, program: &crate::ir::Program| {
            if pass == after {
                *seen.borrow_mut() = Some(program.to_string());
            }
        };
        *session.observer.borrow_mut() = Some(Box::new(observer));
    }
    let code = compile(session, &planned.program).ok()?;
    session.observer.borrow_mut().take();
    let text = seen.borrow_mut().take().unwrap_or_else(|| code.program().to_string());
    let name = match (&planned.name, planned.solve) {
        (Some(name), _) => format!("the step loop of {name}"),
        (None, true) => "the step loop of a solve".to_string(),
        (None, false) => format!("the code of a {}", planned.program.main.name),
    };
    Some(Shown { name, text })
}
