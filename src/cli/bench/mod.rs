//! `minima bench`: how long the parts of programs take, with intervals, and whether one is faster than another.

mod compared;
mod json;
mod measure;
mod text;

use std::path::{Path, PathBuf};
use std::time::Instant;

use self::compared::Compared;
use self::measure::Candidate;
use super::args::Options;
use super::exit;
use super::live::Live;
use super::output::Output;
use super::program::Program;
use super::signals::Signals;
use super::source::{self, Failure};
use crate::run::Shuffle;

/// The interval of the median is narrow enough at this share of the median.
const NARROW: f64 = 0.02;

/// The most rounds: more would tell nothing new.
const ROUNDS: usize = 10_000;

/// The fewest rounds that have an interval.
const FEWEST: usize = 6;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Programs, folders of programs, `name=value` for inputs; or one earlier report.
    pub what: Vec<String>,
    /// Where the report goes.
    pub out: Option<PathBuf>,
    /// An earlier report.
    pub compare: Option<PathBuf>,
    /// The most seconds of all rounds.
    pub seconds: f64,
}

/// Measures programs, or compares two reports.
pub fn bench(asked: &Asked, options: &Options, output: Output, signals: &Signals) -> Result<u8, Failure> {
    let old = asked.compare.as_deref().map(json::read).transpose()?;
    if let Some((file, old)) = asked.what.iter().find(|what| what.ends_with(".json")).zip(old.as_ref()) {
        if asked.what.len() > 1 || asked.out.is_some() {
            return Err(Failure::usage(
                "two reports are compared by `minima bench --compare old.json new.json`, without programs and --out",
            ));
        }
        let compared = compared::reports(&json::read(Path::new(file))?, old);
        return tell_compared(&compared, output);
    }
    if let Some(out) = asked.out.as_deref().filter(|out| out.extension().is_none_or(|e| e != "json")) {
        return Err(Failure::usage(format!("`--out {}`: a report ends in `.json`", out.display())));
    }
    let (inputs, files): (Vec<String>, Vec<String>) =
        asked.what.iter().cloned().partition(|what| what.contains('=') && !Path::new(what).exists());
    if let Some(report) = files.iter().find(|file| file.ends_with(".json")) {
        return Err(Failure::usage(format!(
            "`{report}` is no program; two reports are compared by `minima bench --compare old.json new.json`"
        )));
    }
    let mut paths = Vec::new();
    for file in &files {
        paths.extend(source::programs(Path::new(file))?);
    }
    if paths.is_empty() {
        return Err(Failure::usage("there is no program to measure"));
    }
    let mut candidates = Vec::new();
    for path in &paths {
        match Candidate::warm(path, &inputs, options, signals)? {
            Ok(candidate) => candidates.push(candidate),
            Err(program) => {
                return Ok(refused(&program, output, signals));
            }
        }
    }
    // From now on there is something to tell when it is interrupted.
    signals.be_patient();
    measure_all(&mut candidates, asked.seconds, options, output, signals)?;
    tell(&candidates, asked, old.as_ref(), options, output, signals)
}

/// A program that is wrong or fails is not measured: it is told why.
fn refused(program: &Program, output: Output, signals: &Signals) -> u8 {
    let reports = &program.code.reports;
    output.reports(reports, &program.session.sources);
    let code = match program.exit_code() {
        exit::OK => exit::UNMET,
        code => code,
    };
    let code = signals.received().unwrap_or(code);
    if output.json {
        output.report(&super::json::refused("bench", program, reports, code));
    }
    code
}

/// Rounds in an order drawn anew, so that what drifts meets all, until all intervals are narrow or the time is over.
fn measure_all(
    candidates: &mut [Candidate],
    seconds: f64,
    options: &Options,
    output: Output,
    signals: &Signals,
) -> Result<(), Failure> {
    let live = Live::counting("bench", output);
    let mut shuffle = Shuffle::new(1);
    let since = Instant::now();
    for round in 0..ROUNDS {
        let narrow = round >= FEWEST && candidates.iter().all(|candidate| candidate.width() < NARROW);
        if narrow || since.elapsed().as_secs_f64() >= seconds || signals.received().is_some() {
            break;
        }
        if let Some(live) = &live {
            let rounds = if round == 1 { "round" } else { "rounds" };
            live.say(format!(" {round} {rounds} of at most {seconds} s"));
        }
        for at in shuffle.order(candidates.len()) {
            candidates[at].round(options, signals)?;
            if signals.received().is_some() {
                // A round that was cut short says nothing about any of them.
                candidates.iter_mut().for_each(|candidate| candidate.keep(round));
                break;
            }
        }
    }
    Ok(())
}

fn tell(
    candidates: &[Candidate],
    asked: &Asked,
    old: Option<&json::Old>,
    options: &Options,
    output: Output,
    signals: &Signals,
) -> Result<u8, Failure> {
    let mut compared = compared::in_turn(candidates);
    let report =
        |compared: &[Compared], code: u8| json::report(candidates, compared, asked.seconds, options, code);
    if let Some(old) = old {
        compared.extend(compared::reports(&json::Old::of(&report(&[], exit::OK))?, old));
    }
    let same = candidates.iter().all(|candidate| candidate.differs.is_none());
    let code = signals.received().unwrap_or(if same { exit::OK } else { exit::UNMET });
    let report = report(&compared, code);
    if let Some(path) = &asked.out {
        std::fs::write(path, format!("{report:#}\n")).map_err(|why| Failure::unwritten(path, &why))?;
    }
    output.result(&text::told(candidates, &compared));
    if output.json {
        output.report(&report);
    }
    Ok(code)
}

fn tell_compared(compared: &[Compared], output: Output) -> Result<u8, Failure> {
    if compared.is_empty() {
        return Err(Failure::usage("the two reports have nothing in common: no program of one name"));
    }
    output.result(&text::differences(compared).join("\n"));
    if output.json {
        output.report(&json::compared(compared));
    }
    Ok(exit::OK)
}
