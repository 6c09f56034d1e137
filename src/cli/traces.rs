//! The runs of `minima compare` as files: a trajectory for each, and a table of all.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::compare::Compared;
use super::json::number;
use super::program::Program;
use super::source::Failure;
use super::standings;
use super::trace::{SCHEMA, point};
use crate::run::Trial;

/// Makes the folder, so that nothing is run in vain.
pub fn folder(path: &Path) -> Result<PathBuf, Failure> {
    std::fs::create_dir_all(path).map_err(|why| Failure::unwritten(path, &why))?;
    Ok(path.to_path_buf())
}

/// Writes a file for each run, and `runs.csv`.
pub fn write(folder: &Path, program: &Program, compared: &Compared) -> Result<(), Failure> {
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|why| Failure::unwritten(&path, &why))
    };
    for trial in &compared.trials {
        write(&name(compared, trial), lines(program, compared, trial))?;
    }
    write("runs.csv", csv(compared))
}

/// `2_adam_lr0.01_seed0.jsonl`; the number is the place after `--using`, so that two forms of one optimizer differ.
fn name(compared: &Compared, trial: &Trial) -> String {
    let label = &compared.contest.entrants[trial.entrant].label;
    let plain: String = label.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let lr = trial.lr.map_or(String::new(), |lr| format!("_lr{}", standings::rate(lr)));
    format!("{}_{plain}{lr}_seed{}.jsonl", trial.entrant + 1, trial.seed)
}

/// A record about the run, then one for each point.
fn lines(program: &Program, compared: &Compared, trial: &Trial) -> String {
    let contest = &compared.contest;
    let end = trial.end.as_ref();
    let (file, _) = program.session.sources.get(contest.site.span.file);
    let head = json!({
        "schema": SCHEMA,
        "program": file,
        "solve": contest.site.name.as_deref(),
        "label": contest.entrants[trial.entrant].label,
        "optimizer": end.ok().map(|solve| solve.optimizer.as_str()),
        "lr": trial.lr,
        "seed": trial.seed,
        "status": trial.status(),
        "reason": match end {
            Ok(solve) => solve.outcome.reason.as_str(),
            Err(failed) => failed.message.as_str(),
        },
        "loss": end.ok().map(|solve| number(solve.outcome.loss)),
        "maximize": compared.standings.maximize,
    });
    let mut text = format!("{head}\n");
    for recorded in &trial.points {
        let record = point(recorded, &[]);
        text += &format!("{record}\n");
    }
    text
}

/// The runs, a row for each.
pub fn csv(compared: &Compared) -> String {
    let mut text = String::from(
        "optimizer,lr,seed,status,loss,grad_norm,steps,f,grad,hvp,seconds,target,target_steps,target_evals,\
         target_seconds,best_lr\n",
    );
    for trial in &compared.trials {
        let label = &compared.contest.entrants[trial.entrant].label;
        let lr = trial.lr.map_or(String::new(), standings::rate);
        let mut cells = vec![quoted(label), lr, trial.seed.to_string(), trial.status().to_string()];
        let figure = |x: f64| if x.is_nan() { String::new() } else { format!("{x:?}") };
        match &trial.end {
            Ok(solve) => {
                let outcome = &solve.outcome;
                cells.extend([figure(outcome.loss), figure(outcome.grad_norm), outcome.steps.to_string()]);
                cells.extend(outcome.evals.map(|count| count.to_string()));
                cells.push(figure(trial.seconds()));
            }
            Err(_) => cells.extend(std::iter::repeat_n(String::new(), 7)),
        }
        cells.push(compared.standings.target(trial.seed).map_or(String::new(), figure));
        match compared.standings.reached(trial) {
            Some(point) => {
                let evals: i64 = point.evals.iter().sum();
                cells.extend([point.steps.to_string(), evals.to_string(), figure(point.seconds)]);
            }
            None => cells.extend(std::iter::repeat_n(String::new(), 3)),
        }
        let best =
            compared.standings.ranked.iter().any(|row| row.entrant == trial.entrant && row.lr == trial.lr);
        cells.push(best.to_string());
        text += &format!("{}\n", cells.join(","));
    }
    text
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_string()
    }
}
