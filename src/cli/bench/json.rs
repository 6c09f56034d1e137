//! `minima.bench/v1`: what was measured, every round of it, so that reports can be compared. Fields are only ever
//! added.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::compared::Compared;
use super::measure::{Candidate, Item};
use crate::cli::args::Options;
use crate::cli::source::Failure;
use crate::cli::{exit, json as reports};
use crate::diag::cause;
use crate::run::{CONFIDENCE, SURE};

/// The name of the form of the report.
const SCHEMA: &str = "minima.bench/v1";

/// The most bytes of a report that is read.
const LIMIT: u64 = 256 << 20;

/// What is read of a report.
#[derive(Debug, Clone)]
pub struct Old {
    /// Its path.
    pub path: String,
    /// The programs in it.
    pub programs: Vec<OldProgram>,
}

/// A program of a report.
#[derive(Debug, Clone)]
pub struct OldProgram {
    /// Its path.
    pub file: String,
    /// Its parts and solves with their seconds.
    pub items: Vec<(String, Vec<f64>)>,
}

impl Old {
    /// What a report holds.
    ///
    /// # Errors
    /// When it is none.
    pub fn of(report: &Value) -> Result<Old, Failure> {
        let programs =
            report.get("programs").and_then(Value::as_array).map(|all| all.iter().map(program).collect());
        let programs: Option<Vec<OldProgram>> = programs.unwrap_or_default();
        match programs {
            Some(programs) if report.get("schema") == Some(&SCHEMA.into()) => {
                Ok(Old { path: "this run".into(), programs })
            }
            _ => Err(Failure::usage(format!(
                "it is no report of `minima bench`: `schema` is to be `{SCHEMA}`"
            ))),
        }
    }
}

fn program(value: &Value) -> Option<OldProgram> {
    let file = value.get("program")?.get("file")?.as_str()?.to_string();
    let item = |item: &Value| {
        let seconds = item.get("seconds")?.as_array()?;
        let seconds: Option<Vec<f64>> = seconds.iter().map(Value::as_f64).collect();
        let finite = seconds?.into_iter().filter(|x| x.is_finite() && *x >= 0.0).collect();
        Some((item.get("name")?.as_str()?.to_string(), finite))
    };
    let items = value.get("items")?.as_array()?.iter().map(item).collect::<Option<Vec<_>>>()?;
    Some(OldProgram { file, items })
}

/// Reads a report.
///
/// # Errors
/// When it cannot be read, or is none.
pub fn read(path: &Path) -> Result<Old, Failure> {
    let name = path.display();
    let cannot = |why: String| Failure::usage(format!("cannot read `{name}`: {why}"));
    let found = std::fs::metadata(path).map_err(|why| cannot(cause(&why)))?;
    if found.len() > LIMIT {
        return Err(cannot("it is larger than 256 MiB".into()));
    }
    let text = std::fs::read_to_string(path).map_err(|why| cannot(cause(&why)))?;
    let value = serde_json::from_str(&text).map_err(|why| cannot(format!("it is no JSON: {why}")))?;
    let old = Old::of(&value).map_err(|why| cannot(why.message))?;
    Ok(Old { path: name.to_string(), ..old })
}

/// What was measured.
pub fn report(
    candidates: &[Candidate],
    compared: &[Compared],
    seconds: f64,
    options: &Options,
    code: u8,
) -> Value {
    let programs = candidates.iter().map(|candidate| {
        json!({
            "program": { "file": candidate.name(), "hash": candidate.hash() },
            "rounds": candidate.rounds(),
            "same_bits": candidate.differs.is_none(),
            "items": candidate.items.iter().map(of_item).collect::<Vec<Value>>(),
        })
    });
    let mut report = head(code);
    report.insert("config".into(), config(options, seconds));
    report.insert("confidence".into(), CONFIDENCE.into());
    report.insert("confidence_of_ratios".into(), SURE.into());
    report.insert("programs".into(), programs.collect());
    report.insert("compared".into(), compared.iter().map(of_compared).collect());
    Value::Object(report)
}

/// Two reports against each other.
pub fn compared(compared: &[Compared]) -> Value {
    let mut report = head(exit::OK);
    report.insert("confidence_of_ratios".into(), SURE.into());
    report.insert("compared".into(), compared.iter().map(of_compared).collect());
    Value::Object(report)
}

fn head(code: u8) -> Map<String, Value> {
    let mut report = reports::head("bench", code);
    report.insert("schema".into(), SCHEMA.into());
    report
}

fn config(options: &Options, seconds: f64) -> Value {
    let mut config = reports::config(&crate::cli::settings::Settings::new(options));
    config["seconds"] = seconds.into();
    config
}

fn of_item(item: &Item) -> Value {
    let figures = item.figures();
    let figure = |of: fn(&crate::run::Figures) -> f64| {
        figures.as_ref().map_or(Value::Null, |f| reports::number(of(f)))
    };
    let ends = figures.as_ref().and_then(|figures| figures.interval);
    let mut found = json!({
        "name": item.name,
        "median": figure(|f| f.median),
        "low": ends.map(|(low, _)| low),
        "high": ends.map(|(_, high)| high),
        "min": figure(|f| f.least),
        "max": figure(|f| f.greatest),
        "spread": figure(|f| f.spread),
    });
    if let Some(work) = item.work {
        let [f, grad, hvp] = work.evals;
        let median = figures.as_ref().map_or(0.0, |figures| figures.median);
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = |count: i64| if median > 0.0 { (count as f64 / median).into() } else { Value::Null };
        found["steps"] = work.steps.into();
        found["evals"] = json!({ "f": f, "grad": grad, "hvp": hvp });
        found["steps_per_second"] = rate(work.steps);
        found["evals_per_second"] = rate(f + grad + hvp);
    }
    found["seconds"] = item.seconds.clone().into();
    found
}

fn of_compared(compared: &Compared) -> Value {
    let interval = compared.ratio.interval;
    json!({
        "file": compared.file,
        "by": compared.by,
        "name": compared.item,
        "in_turn": compared.in_turn,
        "ratio": compared.ratio.ratio,
        "low": interval.map(|(low, _)| low),
        "high": interval.map(|(_, high)| high),
        "verdict": compared.ratio.difference().text(),
    })
}
