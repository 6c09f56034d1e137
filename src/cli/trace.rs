//! `minima.trace/v1`: the course of solves as JSON Lines, written while they run (`docs/trace.md`).
//!
//! A record with `schema` begins a solve, one for each point follows, and one with `status` ends it. Fields are only
//! ever added.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::json::{by_name, configuration, number};
use super::source::Failure;
use crate::run::{Progress, SolveRecord, Solving};

/// The name of the form.
pub const SCHEMA: &str = "minima.trace/v1";

/// Nothing waits longer than this for being written.
const INTERVAL: Duration = Duration::from_millis(200);

/// A trace that is being written.
pub struct Tracer {
    path: PathBuf,
    program: String,
    file: BufWriter<File>,
    flushed: Instant,
    reports: Vec<String>,
    /// What went wrong first; nothing is written after it.
    failed: Option<io::Error>,
}

impl Tracer {
    /// Makes the file, so that nothing is run in vain.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(path: &Path, program: &str) -> Result<Tracer, Failure> {
        let file = File::create(path).map_err(|why| Failure::unwritten(path, &why))?;
        Ok(Tracer {
            path: path.to_path_buf(),
            program: program.to_string(),
            file: BufWriter::new(file),
            flushed: Instant::now(),
            reports: Vec::new(),
            failed: None,
        })
    }

    /// A solve begins.
    pub fn begin(&mut self, solving: &Solving) {
        self.reports = solving.reports.iter().map(ToString::to_string).collect();
        let record = json!({
            "schema": SCHEMA,
            "minima": env!("CARGO_PKG_VERSION"),
            "program": self.program,
            "place": solving.place,
            "solve": solving.name,
            "maximize": solving.maximize,
            "unknowns": solving.unknowns,
            "until": solving.until,
            "configuration": configuration(&solving.configuration),
        });
        self.write(&record);
    }

    /// A point.
    pub fn point(&mut self, progress: &Progress) {
        let record = point(progress, &self.reports);
        self.write(&record);
    }

    /// A solve ends.
    pub fn end(&mut self, solve: &SolveRecord) {
        let outcome = &solve.outcome;
        let [f, grad, hvp] = outcome.evals;
        let slope = if outcome.grad_norm.is_nan() { Value::Null } else { number(outcome.grad_norm) };
        let record = json!({
            "status": outcome.status,
            "reason": outcome.reason,
            "met": outcome.met,
            "steps": outcome.steps,
            "loss": number(outcome.loss),
            "grad_norm": slope,
            "evals": { "f": f, "grad": grad, "hvp": hvp },
            "seconds": number(outcome.seconds),
            "seconds_before": number(outcome.seconds_before),
            "params": by_name(&solve.params, &outcome.params),
            "reports": by_name(&solve.reports, &outcome.reports),
        });
        self.write(&record);
        self.flush();
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// When the file could not be written.
    pub fn finish(mut self) -> Result<(), Failure> {
        self.flush();
        self.failed.map_or(Ok(()), |why| Err(Failure::unwritten(&self.path, &why)))
    }

    fn write(&mut self, record: &Value) {
        if self.failed.is_none() {
            self.failed = writeln!(self.file, "{record}").err();
        }
        if self.flushed.elapsed() >= INTERVAL {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.flushed = Instant::now();
        if self.failed.is_none() {
            self.failed = self.file.flush().err();
        }
    }
}

/// The record of a point.
pub fn point(progress: &Progress, reports: &[String]) -> Value {
    let [f, grad, hvp] = progress.evals;
    let slope = if progress.grad_norm.is_nan() { Value::Null } else { number(progress.grad_norm) };
    let mut record = json!({
        "step": progress.steps,
        "loss": number(progress.loss),
        "grad_norm": slope,
        "seconds": progress.seconds,
        "evals": { "f": f, "grad": grad, "hvp": hvp },
    });
    if !reports.is_empty() {
        let named = reports.iter().zip(&progress.reports);
        let named: Map<String, Value> = named.map(|(name, x)| (name.clone(), number(*x))).collect();
        record["reports"] = Value::Object(named);
    }
    record
}
