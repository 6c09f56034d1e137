//! `minima compare`: a solve of a program under several optimizers, learning rates and seeds.

use std::path::{Path, PathBuf};

use super::args::Options;
use super::live::Live;
use super::output::Output;
use super::program::Program;
use super::signals::Signals;
use super::source::Failure;
use super::{exit, json, optimizers, standings, traces};
use crate::diag::{Report, nearest};
use crate::lower::SolveSite;
use crate::run::{self, Contest, Failed, Known, Standings, Trial};

/// The optimizers where none is named: by the gradient alone, adaptive, and by curvature.
const USUAL: &str = "gd, adam, lbfgs";
/// The learning rates where none are named.
const GRID: [f64; 5] = [1e-4, 1e-3, 1e-2, 1e-1, 1.0];

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The optimizers, with commas between.
    pub using: Vec<String>,
    /// Families whose optimizers take part.
    pub families: Vec<String>,
    /// The name of the solve.
    pub solve: Option<String>,
    /// How many seeds.
    pub seeds: i64,
    /// The learning rates.
    pub grid: Option<Vec<f64>>,
    /// The loss to be reached.
    pub target: Option<f64>,
    /// The most steps.
    pub steps: Option<i64>,
    /// Where the trajectories go.
    pub out: Option<PathBuf>,
    /// Whether the runs are printed as CSV.
    pub csv: bool,
}

/// A comparison that was run.
pub struct Compared {
    /// What was compared.
    pub contest: Contest,
    /// The runs.
    pub trials: Vec<Trial>,
    /// The figures.
    pub standings: Standings,
    /// Members of families that cannot take part, and why.
    pub left_out: Vec<(String, Failed)>,
}

/// Compares optimizers on a solve of a program.
pub fn compare(
    file: &Path,
    inputs: &[String],
    asked: &Asked,
    options: &Options,
    output: Output,
    signals: &Signals,
) -> Result<u8, Failure> {
    let mut program = Program::of_file(file, inputs, options, signals)?;
    program.check()?;
    let refused = |program: &Program, found: &[Report], code: u8| {
        output.reports(found, &program.session.sources);
        if output.json {
            output.report(&json::refused("compare", program, found, code));
        }
        Ok(code)
    };
    if program.code.is_wrong() {
        return refused(&program, &program.code.reports, program.exit_code());
    }
    let site = match choose(&program, asked.solve.as_deref())? {
        Ok(site) => site,
        Err(report) => return refused(&program, &[report], exit::USAGE),
    };
    let known = Known::new(&program.code);
    let usual = [USUAL.to_string()];
    let usually = asked.using.is_empty() && asked.families.is_empty();
    let using = if usually { &usual[..] } else { &asked.using };
    let families =
        asked.families.iter().map(|name| optimizers::family(name)).collect::<Result<Vec<_>, Failure>>()?;
    let mut entrants = match run::entrants(&mut program.session, &known, using) {
        Ok(entrants) if entrants.is_empty() && families.is_empty() => {
            return Err(Failure::usage("`--using` names no optimizer"));
        }
        Ok(entrants) => entrants,
        Err(found) => return refused(&program, &found, exit::USAGE),
    };
    for family in &families {
        entrants.extend(run::family_entrants(&mut program.session, &known, family));
    }
    let grid = asked.grid.clone().unwrap_or_else(|| GRID.to_vec());
    let mut contest = Contest { site, entrants, grid, seeds: asked.seeds, steps: asked.steps };
    let left_out = match contest.check(&program.code, &mut program.session, &known) {
        Ok(left_out) => left_out,
        Err(found) => return refused(&program, &found, exit::USAGE),
    };
    if contest.entrants.is_empty() {
        return Err(Failure::usage("no optimizer of the family can take part"));
    }
    let folder = asked.out.as_deref().map(traces::folder).transpose()?;
    signals.be_patient();
    let trials = match perform(&contest, &mut program, &known, options, output) {
        Ok(trials) => trials,
        Err(found) => {
            let code = exit::of_reports(&found, program.settings.memory_limit.given);
            return refused(&program, &found, code);
        }
    };
    let standings = run::standings(&contest, &trials, asked.target);
    let compared = Compared { contest, trials, standings, left_out };
    if let Some(folder) = folder {
        traces::write(&folder, &program, &compared)?;
    }
    let code = code(&compared, signals);
    if asked.csv {
        output.result(traces::csv(&compared).trim_end());
    } else {
        output.result(&standings::told(&program, &compared, asked.target));
    }
    if output.json {
        output.report(&json::compare(&program, &compared, code));
    }
    Ok(code)
}

/// Does all runs, and tells how far it is.
fn perform(
    contest: &Contest,
    program: &mut Program,
    known: &Known,
    options: &Options,
    output: Output,
) -> Result<Vec<Trial>, Vec<Report>> {
    // The lines of `--verbose` say it themselves.
    let live = if options.verbose { None } else { Live::counting("compare", output) };
    let (most, mut done) = (contest.most_runs(known), 0_usize);
    let mut told = |trial: &Trial| {
        done += 1;
        match &live {
            Some(live) => live.say(format!(" {done} of {most} runs")),
            None if options.verbose => output.note(&progress(contest, trial)),
            None => {}
        }
    };
    contest.run(&program.code, &mut program.session, known, &mut told)
}

/// A signal first; a comparison in which nothing can be used has failed.
fn code(compared: &Compared, signals: &Signals) -> u8 {
    match signals.received() {
        Some(code) => code,
        None if compared.trials.iter().any(Trial::usable) => exit::OK,
        None => exit::NUMERICAL,
    }
}

/// The solve of a name, or the last one.
fn choose(program: &Program, name: Option<&str>) -> Result<Result<SolveSite, Report>, Failure> {
    if program.code.files.iter().all(|file| file.items.is_empty()) {
        return Err(Failure::usage(format!("`{}` is empty: it solves nothing", program.sources[0].name)));
    }
    let sites = run::sites(&program.code);
    let (Some(name), false) = (name, sites.is_empty()) else { return Ok(run::last_site(&program.code)) };
    if let Some(site) = sites.iter().rfind(|site| site.name.as_deref() == Some(name)) {
        return Ok(Ok(site.clone()));
    }
    let names: Vec<&str> = sites.iter().filter_map(|site| site.name.as_deref()).collect();
    let message = format!("there is no solve bound to the name `{name}`");
    Err(Failure::usage(match nearest(name, names.iter().copied()) {
        Some(near) => format!("{message}; did you mean `{near}`?"),
        None if names.is_empty() => message,
        None => format!("{message}; there are {}", names.join(", ")),
    }))
}

/// A line about a run that is done.
fn progress(contest: &Contest, trial: &Trial) -> String {
    let lr = trial.lr.map_or(String::new(), |lr| format!(" lr {}", standings::rate(lr)));
    let loss = trial
        .end
        .as_ref()
        .map_or(String::new(), |solve| format!(", loss {}", run::number(solve.outcome.loss)));
    let label = &contest.entrants[trial.entrant].label;
    format!("{label}{lr}, seed {}: {}{loss}, {:.3} s", trial.seed, trial.status(), trial.seconds())
}
