//! `minima ir`: the code of a program, after any pass.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use super::args::Options;
use super::memory::Memory;
use super::output::Output;
use super::program::Program;
use super::signals::Signals;
use super::source::Failure;
use super::{exit, json};
use crate::diag::nearest;
use crate::driver::{Session, compile};
use crate::lower::RunError;
use crate::lower::errors::human;
use crate::passes::STANDARD;
use crate::run::Planned;

/// What is asked for.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// The pass after which the code is shown.
    pub after: Option<&'a str>,
    /// Whether only what takes memory is shown.
    pub memory: bool,
    /// The name of the solve.
    pub solve: Option<&'a str>,
}

/// The form of the code that is shown.
#[derive(Clone, Copy)]
enum Form<'a> {
    /// After a pass: its name, and which run of it, from 1; without a number the last.
    Pass(&'a str, Option<usize>),
    /// After every pass, and the plan.
    All,
    /// What takes memory, then the plan.
    Plan,
    /// What takes memory.
    Memory,
    /// The machine code.
    Code,
}

/// Code with what it belongs to.
pub struct Shown {
    /// The solve, or the statement.
    pub name: String,
    /// The text form.
    pub text: String,
    /// What takes memory.
    pub memory: Memory,
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
    let form = form(wanted)?;
    let mut program = Program::of_file(file, inputs, options, signals)?;
    program.check()?;
    let mut shown = Vec::new();
    if !program.code.is_wrong() {
        let planned = program.plan();
        let chosen = choose(planned, wanted.solve)?;
        program.session.options.listing = matches!(form, Form::Code);
        for planned in &chosen {
            match show(&mut program.session, planned, form) {
                Ok(code) => shown.push(code),
                // What stops the program is reported below.
                Err(_) if program.code.is_wrong() => {}
                Err(failure) => return Err(failure),
            }
        }
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
        output.report(&json::ir(&program, wanted.after, &shown, code));
    }
    Ok(code)
}

/// Code after all passes, for the REPL.
pub fn after_all(session: &mut Session, planned: &Planned) -> Result<String, Failure> {
    let last = STANDARD.last().map_or("lower", |pass| pass.name);
    let code = show(session, planned, Form::Pass(last, None))?;
    Ok(format!("// {}\n{}", code.name, code.text.trim_end()))
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

/// The form that is asked for, if there is one of that name.
fn form(wanted: Wanted<'_>) -> Result<Form<'_>, Failure> {
    let last = STANDARD.last().map_or("lower", |pass| pass.name);
    let (name, number) = match wanted.after {
        _ if wanted.memory => return Ok(Form::Memory),
        None => return Ok(Form::Pass(last, None)),
        Some("plan") => return Ok(Form::Plan),
        Some("code") => return Ok(Form::Code),
        Some("all") => return Ok(Form::All),
        Some(text) => match text.split_once(':') {
            Some((name, number)) => (name, Some(number)),
            None => (text, None),
        },
    };
    let runs = |name: &str| match name {
        "lower" => 1,
        name => STANDARD.iter().filter(|pass| pass.name == name).count(),
    };
    let mut names: Vec<&str> = vec!["lower"];
    names.extend(STANDARD.iter().map(|pass| pass.name));
    names.extend(["plan", "code", "all"]);
    if runs(name) == 0 {
        let message = format!("there is no pass `{name}`");
        return Err(Failure::usage(match nearest(name, names.iter().copied()) {
            Some(near) => format!("{message}; did you mean `{near}`?"),
            None => format!("{message}; passes are {}", names.join(", ")),
        }));
    }
    match number.map(|text| (text, text.parse::<usize>())) {
        None => Ok(Form::Pass(name, None)),
        Some((_, Ok(number))) if (1..=runs(name)).contains(&number) => Ok(Form::Pass(name, Some(number))),
        Some((text, _)) => {
            let count = runs(name);
            let message = format!("`{name}:{text}`: the pass runs {count} times, counted from 1");
            Err(Failure::usage(message))
        }
    }
}

/// Code in a form.
fn show(session: &mut Session, planned: &Planned, form: Form<'_>) -> Result<Shown, Failure> {
    let seen: Rc<RefCell<Vec<(&'static str, String)>>> = Rc::default();
    let heard = seen.clone();
    *session.observer.borrow_mut() = Some(Box::new(move |pass, program| {
        let mut heard = heard.borrow_mut();
        if pass == "lower" {
            // Where the memory does not suffice, the passes run again.
            heard.clear();
        }
        heard.push((pass, program.to_string()));
    }));
    let code = compile(session, &planned.program);
    session.observer.borrow_mut().take();
    let code = code.map_err(|error| not_compiled(&error))?;
    let memory = Memory::of(&code, &session.sources);
    let compiled = code.compiled();
    let plan = || compiled.as_ref().map_or(COMPUTED.to_string(), |compiled| compiled.plan().to_string());
    let seen = seen.take();
    let text = match form {
        Form::Pass(name, number) => {
            let mut runs = seen.into_iter().filter(|(pass, _)| *pass == name).map(|(_, text)| text);
            let found = match number {
                Some(number) => runs.nth(number - 1),
                None => runs.next_back(),
            };
            found.unwrap_or_default()
        }
        Form::All => {
            let passes = seen.iter().map(|(pass, text)| format!("// after {pass}\n{text}"));
            let plan = format!("// the plan\n{memory}{}", plan());
            passes.chain([plan]).collect()
        }
        Form::Plan => format!("{memory}{}", plan()),
        Form::Memory => memory.to_string(),
        Form::Code => compiled.map_or(COMPUTED.to_string(), |compiled| compiled.listing().to_string()),
    };
    let name = match (&planned.name, planned.solve) {
        (Some(name), _) => format!("the step loop of {name}"),
        (None, true) => "the step loop of a solve".to_string(),
        (None, false) => format!("the code of a {}", planned.program.main.name),
    };
    Ok(Shown { name, text, memory })
}

/// What stands in the place of machine code where there is none.
const COMPUTED: &str = "// the passes have computed all results\n";

fn not_compiled(error: &RunError) -> Failure {
    let message = match error {
        RunError::Memory { needed, limit, .. } => format!(
            "the code needs {} of memory, and the limit is {}; `--memory-limit` raises it",
            human(*needed),
            human(*limit)
        ),
        RunError::Limit(message) | RunError::Interrupted(message) | RunError::Trap { message, .. } => {
            message.clone()
        }
        RunError::Wrong(report) => report.message.clone(),
    };
    Failure { code: exit::LIMIT, message }
}
