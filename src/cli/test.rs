//! `minima test`: runs the `test` blocks of programs.

use std::path::PathBuf;

use super::args::Options;
use super::output::Output;
use super::program::Program;
use super::record::{Assertion, does_not_hold};
use super::signals::Signals;
use super::source::{self, Failure, Source};
use super::{exit, json};
use crate::diag::Report;
use crate::run::Tested;

/// Runs all tests; the last line counts them.
pub fn test(paths: &[PathBuf], options: &Options, output: Output, signals: &Signals) -> Result<u8, Failure> {
    let mut files = Vec::new();
    for path in paths {
        files.extend(source::programs(path)?);
    }
    let mut code = exit::OK;
    let mut done: Vec<(Program, Vec<Tested>)> = Vec::new();
    for file in files {
        let mut program = Program::open(vec![Source::read(&file)?], options, Vec::new(), signals);
        program.check()?;
        let tests = if program.code.is_wrong() { Vec::new() } else { program.test() };
        if signals.is_unwanted() {
            return Ok(signals.received().unwrap_or(code));
        }
        tell(&program, &tests, output);
        code = worse(code, program.exit_code());
        code = worse(code, if tests.iter().all(|test| test.passed) { exit::OK } else { exit::UNMET });
        if program.code.reports.iter().any(|report| report.code == "E0506") {
            code = worse(code, exit::UNMET);
        }
        done.push((program, tests));
        if signals.received().is_some() {
            break;
        }
    }
    let passed = done.iter().flat_map(|(_, tests)| tests).filter(|test| test.passed).count();
    let all: usize = done.iter().map(|(_, tests)| tests.len()).sum();
    let wrong = done.iter().filter(|(program, _)| program.code.is_wrong()).count();
    let more = match wrong {
        0 => String::new(),
        1 => ", 1 program with errors".into(),
        n => format!(", {n} programs with errors"),
    };
    output.result(&format!("{passed} passed, {} failed{more}", all - passed));
    let code = signals.received().unwrap_or(code);
    if output.json {
        output.report(&json::test(&done, code));
    }
    Ok(code)
}

/// A wrong program is worse than a failed test.
fn worse(a: u8, b: u8) -> u8 {
    let order = [exit::PROGRAM, exit::DATA, exit::LIMIT, exit::UNMET];
    order.into_iter().find(|code| [a, b].contains(code)).unwrap_or(exit::OK)
}

fn tell(program: &Program, tests: &[Tested], output: Output) {
    let sources = &program.session.sources;
    output.reports(&program.code.reports, sources);
    for test in tests {
        let failed = test.events.iter().filter_map(Assertion::of).filter(|assertion| !assertion.held);
        let reports: Vec<Report> =
            test.reports.iter().cloned().chain(failed.map(|assertion| does_not_hold(&assertion))).collect();
        output.reports(&reports, sources);
        if !test.passed {
            let (file, _) = sources.get(test.span.file);
            let (line, _) = sources.position(test.span);
            output.result(&format!("failed: {} ({file}:{line})", test.name));
        }
    }
}
