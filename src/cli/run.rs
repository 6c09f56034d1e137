//! `minima run` and `minima eval`.

use std::path::Path;
use std::time::Instant;

use super::args::Options;
use super::output::Output;
use super::program::Program;
use super::record::{Record, summary};
use super::signals::Signals;
use super::source::{Failure, Source};
use super::trace::Tracer;
use super::{blocks, exit, json, outputs, page, profile};

/// What is asked for beside the results.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// Time and bytes by line.
    pub profile: bool,
    /// Where the course of its solves goes.
    pub trace: Option<&'a Path>,
    /// Where a page about the run goes.
    pub report: Option<&'a Path>,
}

/// Runs a program.
pub fn run(
    file: &Path,
    inputs: &[String],
    asked: Asked<'_>,
    options: &Options,
    output: Output,
    signals: &Signals,
) -> Result<u8, Failure> {
    let mut program = Program::of_file(file, inputs, options, signals)?;
    program.session.options.profile = asked.profile;
    asked.report.map_or(Ok(()), page::can_be_written)?;
    perform("run", program, asked, output, signals)
}

/// Evaluates statements from the command line.
pub fn eval(text: &[String], options: &Options, output: Output, signals: &Signals) -> Result<u8, Failure> {
    let read = |(at, text): (usize, &String)| match text.as_str() {
        "-" => Source::read(Path::new("-")),
        text => Ok(Source::of_text(&format!("<argument {}>", at + 1), text)),
    };
    let sources = text.iter().enumerate().map(read).collect::<Result<Vec<Source>, Failure>>()?;
    perform("eval", Program::open(sources, options, Vec::new(), signals), Asked::default(), output, signals)
}

fn perform(
    verb: &str,
    mut program: Program,
    asked: Asked<'_>,
    output: Output,
    signals: &Signals,
) -> Result<u8, Failure> {
    program.check()?;
    outputs::protect(&program, &[("--trace", asked.trace), ("--report", asked.report)])?;
    let name = program.sources.first().map_or("", |source| &source.name);
    let tracer = asked.trace.map(|path| Tracer::new(path, name)).transpose()?;
    let since = Instant::now();
    let ran = !program.code.is_wrong();
    let mut record = if ran { program.run(tracer) } else { program.record() };
    let traced = record.finish_trace();
    if signals.is_unwanted() {
        return Ok(exit_code(&program, &record, signals));
    }
    if let (Some(_), Some(solve)) = (signals.received(), record.unsaid()) {
        output.result(&summary(solve));
    }
    output.reports(&program.code.reports, &program.session.sources);
    for solve in record.solves.iter().filter(|solve| !solve.outcome.met) {
        let (file, _) = program.session.sources.get(solve.span.file);
        let (line, _) = program.session.sources.position(solve.span);
        let name = solve.name.as_ref().map_or("this solve".into(), |name| format!("`{name}`"));
        let course = blocks::course(solve).map_or(String::new(), |course| format!("; {course}"));
        output.note(&format!(
            "note: {name} ({file}:{line}) ended with {}: {}{course}",
            solve.outcome.status, solve.outcome.reason
        ));
    }
    if program.session.options.profile && ran {
        let elapsed = since.elapsed().as_secs_f64();
        output.asked(&profile::table(&program.session.usage(), &program.session.sources, elapsed));
    }
    let mut code = exit_code(&program, &record, signals);
    // The results have been told; what could not be written is told too.
    let written = asked.report.map_or(Ok(()), |path| page::write(path, &program, &record, code));
    for failure in [traced, written].into_iter().filter_map(Result::err) {
        output.error(&failure.message);
        code = if code == exit::OK { failure.code } else { code };
    }
    if output.json {
        output.report(&json::run(verb, &program, &record, code));
    }
    // The process ends, and the system takes back at once what would be freed tree by tree.
    std::mem::forget((program, record));
    Ok(code)
}

/// A signal comes before errors, errors before the outcome of solves and assertions.
fn exit_code(program: &Program, record: &Record, signals: &Signals) -> u8 {
    if let Some(code) = signals.received() {
        return code;
    }
    match (program.exit_code(), exit::of_solves(&record.solves)) {
        (exit::OK, exit::OK) if record.assertions.iter().any(|assertion| !assertion.held) => exit::UNMET,
        (exit::OK, code) => code,
        (code, _) => code,
    }
}
