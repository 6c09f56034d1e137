//! Exit codes: what the process tells the shell.

use crate::diag::Report;
use crate::run::{Checked, SolveRecord, Verdict};

/// All went well.
pub const OK: u8 = 0;
/// The program is wrong.
pub const PROGRAM: u8 = 1;
/// The command line is wrong.
pub const USAGE: u8 = 2;
/// A solve stopped early, or an assertion failed.
pub const UNMET: u8 = 3;
/// A solve met a value that is not finite.
pub const NUMERICAL: u8 = 4;
/// A limit of memory, nesting or work was reached.
pub const LIMIT: u8 = 5;
/// Data could not be read, or results not be written.
pub const DATA: u8 = 6;
/// A bug of Minima.
pub const INTERNAL: u8 = 70;

/// Reports of what was asked and did not hold: the program itself is sound.
const CHECKS: [&str; 3] = ["E0506", "E0507", "E0508"];

/// What `minima help exit-codes` says of them.
pub const HELP: &str = "\
Exit codes:

    0  done: every solve met its condition, every assertion held
    1  the program is wrong: errors E01 to E04, E0501, E09
    2  the command line is wrong (E07)
    3  a solve stopped early with a usable best-so-far, an assertion failed, or
       gradcheck found a wrong derivative
    4  a solve failed numerically: a value that is not finite, no descent
    5  a limit was reached: nesting, work, memory (E0107, E0502, E0504, E0505, E0509, and
       E0236 under a --memory-limit that was given)
    6  data could not be read or written (E06), or output not be written
    7  reserved: proved infeasible or unbounded
   70  internal error: a bug of Minima, please report
  130  interrupted by Ctrl-C, 143 by SIGTERM: the best-so-far was printed

Example: minima check fit.opt --quiet && minima run fit.opt";

/// The exit code of a report: what kind of thing went wrong.
fn of_report(report: &Report, memory_limit_given: bool) -> u8 {
    match report.code {
        "E0107" | "E0502" | "E0503" | "E0504" | "E0505" | "E0509" => LIMIT,
        "E0236" if memory_limit_given => LIMIT,
        code if code.starts_with("E06") => DATA,
        code if code.starts_with("E07") => USAGE,
        _ => PROGRAM,
    }
}

/// The exit code of the errors among some reports; a wrong program comes before bad data, bad data
/// before limits.
pub fn of_reports<'r>(reports: impl IntoIterator<Item = &'r Report>, memory_limit_given: bool) -> u8 {
    let codes: Vec<u8> = reports
        .into_iter()
        .filter(|report| report.is_error() && !CHECKS.contains(&report.code))
        .map(|report| of_report(report, memory_limit_given))
        .collect();
    [PROGRAM, USAGE, DATA, LIMIT].into_iter().find(|code| codes.contains(code)).unwrap_or(OK)
}

/// The exit code of the solves of a program.
pub fn of_solves(solves: &[SolveRecord]) -> u8 {
    if solves.iter().any(|solve| solve.outcome.status == "numerical_error") {
        NUMERICAL
    } else if solves.iter().any(|solve| !solve.outcome.met) {
        UNMET
    } else {
        OK
    }
}

/// The exit code of checked derivatives.
pub fn of_checks(checked: &[Checked]) -> u8 {
    let own = checked.iter().flat_map(|one| &one.points).filter(|point| point.own);
    if checked.iter().flat_map(Checked::verdicts).any(Verdict::is_wrong) {
        UNMET
    } else if own.into_iter().any(|point| point.found.is_err()) {
        NUMERICAL
    } else {
        OK
    }
}
