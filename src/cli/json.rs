//! `minima.report/v1`: what a command found, for programs. Fields are only ever added.
//!
//! Numbers that JSON cannot hold are the texts `"inf"`, `"-inf"` and `"nan"`; a figure that does
//! not exist, such as the gradient norm of a method without gradients, is `null`.

use serde_json::{Map, Value, json};

use super::compare::Compared;
use super::exit;
use super::fmt::Formed;
use super::gradcheck;
use super::ir::Shown;
use super::output::SHOWN;
use super::program::Program;
use super::record::{Assertion, Plot, Record};
use super::settings::{Setting, Settings};
use super::source::Failure;
use crate::diag::{Report, Severity, Sources, Span};
use crate::driver::{Engine, Optimizer};
use crate::ir::{Data, Precision, Tensor};
use crate::lower::Configuration;
use crate::run::{Checked, Event, Finding, Point, Row, SolveRecord, Spread, Subject, Tested, Trial, Verdict};

/// The name of the form of the report.
const SCHEMA: &str = "minima.report/v1";

/// What all reports begin with.
pub fn head(verb: &str, code: u8) -> Map<String, Value> {
    let mut report = Map::new();
    report.insert("schema".into(), SCHEMA.into());
    report.insert("minima".into(), env!("CARGO_PKG_VERSION").into());
    report.insert("verb".into(), verb.into());
    report.insert("exit".into(), code.into());
    report.insert("ok".into(), (code == exit::OK).into());
    report
}

/// A command that failed before it had a program.
pub fn failure(verb: &str, failure: &Failure) -> Value {
    let mut report = head(verb, failure.code);
    report.insert("error".into(), failure.message.as_str().into());
    Value::Object(report)
}

/// A bug of Minima.
pub fn internal(said: &str) -> Value {
    let mut report = head("", exit::INTERNAL);
    report.insert("internal_error".into(), said.into());
    Value::Object(report)
}

/// `minima version`
pub fn version() -> Value {
    let mut report = head("version", exit::OK);
    report.insert("version".into(), env!("CARGO_PKG_VERSION").into());
    Value::Object(report)
}

/// `minima explain`
pub fn explain(code: Option<&str>, text: &str) -> Value {
    let mut report = head("explain", exit::OK);
    report.insert("code".into(), code.into());
    report.insert("text".into(), text.into());
    Value::Object(report)
}

/// `minima help`
pub fn help(topic: Option<&str>, text: &str) -> Value {
    let mut report = head("help", exit::OK);
    report.insert("topic".into(), topic.into());
    report.insert("text".into(), text.into());
    Value::Object(report)
}

/// `minima doc`
pub fn doc(out: &str, files: &[String], programs: &[Program], code: u8) -> Value {
    let mut report = head("doc", code);
    let said = |program: &Program| match diagnostics(&program.code.reports, &program.session.sources) {
        Value::Array(found) => found,
        _ => Vec::new(),
    };
    report.insert("diagnostics".into(), programs.iter().flat_map(said).collect());
    report.insert("out".into(), out.into());
    report.insert("files".into(), files.into());
    Value::Object(report)
}

/// `minima new`
pub fn new(folder: &str, files: &[&str]) -> Value {
    let mut report = head("new", exit::OK);
    report.insert("folder".into(), folder.into());
    report.insert("files".into(), json!(files));
    Value::Object(report)
}

/// `minima completions`
pub fn completions(shell: &str, script: &str) -> Value {
    let mut report = head("completions", exit::OK);
    report.insert("shell".into(), shell.into());
    report.insert("text".into(), script.into());
    Value::Object(report)
}

/// `minima fmt`: each file with what was done, and the text where it came from standard input.
pub fn fmt(files: &[Formed], code: u8) -> Value {
    let mut report = head("fmt", code);
    let files = files.iter().map(|file| {
        let mut found = Map::new();
        found.insert("file".into(), file.name.as_str().into());
        found.insert("changed".into(), file.changed.into());
        if let Some(text) = &file.text {
            found.insert("text".into(), text.as_str().into());
        }
        found.insert("diagnostics".into(), diagnostics(&file.reports, &file.sources));
        Value::Object(found)
    });
    report.insert("files".into(), files.collect());
    Value::Object(report)
}

/// `minima optimizers`
pub fn optimizers(listed: &[Optimizer], reports: &[Report], sources: &Sources, code: u8) -> Value {
    let mut report = head("optimizers", code);
    report.insert("diagnostics".into(), diagnostics(reports, sources));
    report.insert("optimizers".into(), listed.iter().map(of_optimizer).collect());
    Value::Object(report)
}

/// `minima optimizers NAME`
pub fn optimizer(optimizer: &Optimizer) -> Value {
    let mut report = head("optimizers", exit::OK);
    let mut found = of_optimizer(optimizer);
    found["text"] = optimizer.text.as_str().into();
    report.insert("optimizers".into(), json!([found]));
    Value::Object(report)
}

fn of_optimizer(optimizer: &Optimizer) -> Value {
    let params = optimizer.params.iter().map(|param| {
        json!({ "name": param.name, "type": param.ty, "range": param.range, "default": param.default })
    });
    json!({
        "name": optimizer.name,
        "family": optimizer.family,
        "signature": optimizer.signature(),
        "line": optimizer.line(),
        "source": optimizer.source(),
        "doc": optimizer.doc,
        "file": optimizer.path,
        "hyper_parameters": params.collect::<Vec<Value>>(),
    })
}

/// A command whose arguments do not fit the program.
pub fn refused(verb: &str, program: &Program, reports: &[Report], code: u8) -> Value {
    let mut report = about(verb, program, code);
    report.insert("diagnostics".into(), diagnostics(reports, &program.session.sources));
    Value::Object(report)
}

/// `minima compare`
pub fn compare(program: &Program, compared: &Compared, code: u8) -> Value {
    let mut report = about("compare", program, code);
    let Compared { contest, trials, standings, left_out } = compared;
    let mut solve = place(contest.site.span, &program.session.sources);
    solve.insert("name".into(), contest.site.name.as_deref().into());
    report.insert("solve".into(), Value::Object(solve));
    report.insert("steps".into(), contest.steps.into());
    report.insert("seeds".into(), contest.seeds.into());
    report.insert("grid".into(), contest.grid.clone().into());
    report.insert("maximize".into(), standings.maximize.into());
    let targets =
        standings.targets.iter().map(|(seed, target)| json!({ "seed": seed, "loss": number(*target) }));
    report.insert("targets".into(), targets.collect());
    report.insert("ranked".into(), standings.ranked.iter().map(|row| of_row(compared, row)).collect());
    report.insert("rows".into(), standings.all.iter().map(|row| of_row(compared, row)).collect());
    let left_out = left_out
        .iter()
        .map(|(label, why)| json!({ "label": label, "code": why.code, "message": why.message }));
    report.insert("left_out".into(), left_out.collect());
    report.insert("runs".into(), trials.iter().map(|trial| of_trial(compared, trial)).collect());
    Value::Object(report)
}

fn of_row(compared: &Compared, row: &Row) -> Value {
    let spread = |spread: Option<Spread>| {
        spread.map_or(
            Value::Null,
            |s| json!({ "median": number(s.median), "min": number(s.low), "max": number(s.high) }),
        )
    };
    let statuses: Map<String, Value> =
        row.statuses.iter().map(|(status, count)| (status.clone(), (*count).into())).collect();
    json!({
        "label": compared.contest.entrants[row.entrant].label,
        "lr": row.lr,
        "runs": row.trials.len(),
        "failed": row.failed,
        "statuses": statuses,
        "loss": spread(row.loss),
        "steps": spread(row.steps),
        "evals": { "f": spread(row.evals[0]), "grad": spread(row.evals[1]), "hvp": spread(row.evals[2]) },
        "seconds": spread(row.seconds),
        "reached": row.reached,
        "target_steps": spread(row.target_steps),
        "target_evals": spread(row.target_evals),
        "target_seconds": spread(row.target_seconds),
        "gap": number(row.gap),
        "same_bits": row.same,
    })
}

fn of_trial(compared: &Compared, trial: &Trial) -> Value {
    let mut found = json!({
        "label": compared.contest.entrants[trial.entrant].label,
        "lr": trial.lr,
        "seed": trial.seed,
        "status": trial.status(),
    });
    match &trial.end {
        Ok(solve) => {
            let outcome = &solve.outcome;
            let [f, grad, hvp] = outcome.evals;
            found["optimizer"] = solve.optimizer.as_str().into();
            found["reason"] = outcome.reason.as_str().into();
            found["met"] = outcome.met.into();
            found["steps"] = outcome.steps.into();
            found["evals"] = json!({ "f": f, "grad": grad, "hvp": hvp });
            found["loss"] = number(outcome.loss);
            found["grad_norm"] =
                if outcome.grad_norm.is_nan() { Value::Null } else { number(outcome.grad_norm) };
            found["seconds"] = trial.seconds().into();
            found["seconds_with_compilation"] = outcome.seconds.into();
        }
        Err(failed) => found["error"] = json!({ "code": failed.code, "message": failed.message }),
    }
    let target = compared.standings.reached(trial).map(|point| {
        json!({ "steps": point.steps, "evals": point.evals.iter().sum::<i64>(), "seconds": point.seconds })
    });
    found["target"] = target.unwrap_or(Value::Null);
    found
}

/// `minima check`
pub fn check(program: &Program, code: u8) -> Value {
    Value::Object(about("check", program, code))
}

/// `minima run` and `minima eval`
pub fn run(verb: &str, program: &Program, record: &Record, code: u8) -> Value {
    let mut report = about(verb, program, code);
    let sources = &program.session.sources;
    let solves = record.solves.iter().map(|solve| of_solve(solve, sources)).collect();
    report.insert("solves".into(), Value::Array(solves));
    let assertions = record.assertions.iter().map(|assertion| of_assertion(assertion, sources)).collect();
    report.insert("assertions".into(), Value::Array(assertions));
    let prints = record.prints.iter().map(|(text, span)| of_print(text, *span, sources));
    report.insert("prints".into(), prints.collect());
    report.insert("saved".into(), record.saved.clone().into());
    report.insert("plots".into(), record.plots.iter().map(|plot| of_plot(plot, sources)).collect());
    if program.session.options.profile {
        report.insert("profile".into(), super::profile::json(&program.session.usage(), sources));
    }
    Value::Object(report)
}

fn of_plot(plot: &Plot, sources: &Sources) -> Value {
    let mut found = place(plot.span, sources);
    found.insert("kind".into(), plot.figure.kind.into());
    found.insert("title".into(), plot.figure.title.as_deref().into());
    found.insert("series".into(), plot.figure.names().into());
    found.insert("notes".into(), plot.figure.notes.clone().into());
    found.insert("path".into(), plot.path.as_deref().into());
    Value::Object(found)
}

/// `minima test`
pub fn test(done: &[(Program, Vec<Tested>)], code: u8) -> Value {
    let mut report = head("test", code);
    let all = || done.iter().flat_map(|(_, tests)| tests);
    report.insert("passed".into(), all().filter(|test| test.passed).count().into());
    report.insert("failed".into(), all().filter(|test| !test.passed).count().into());
    let programs = done.iter().map(|(program, tests)| {
        let sources = &program.session.sources;
        let mut report = about("test", program, program.exit_code());
        let tests = tests.iter().map(|test| {
            let mut found = place(test.span, sources);
            found.insert("name".into(), test.name.as_str().into());
            found.insert("passed".into(), test.passed.into());
            let said = |event: &Event| match event {
                Event::Print { text, span } => Some(of_print(text, *span, sources)),
                _ => None,
            };
            found.insert("prints".into(), test.events.iter().filter_map(said).collect());
            let asserted = test.events.iter().filter_map(Assertion::of);
            found.insert("assertions".into(), asserted.map(|a| of_assertion(&a, sources)).collect());
            found.insert("diagnostics".into(), diagnostics(&test.reports, sources));
            Value::Object(found)
        });
        report.insert("tests".into(), tests.collect());
        Value::Object(report)
    });
    report.insert("programs".into(), programs.collect());
    Value::Object(report)
}

/// `minima ir`
pub fn ir(program: &Program, after: Option<&str>, shown: &[Shown], code: u8) -> Value {
    let mut report = about("ir", program, code);
    report.insert("after".into(), after.into());
    let code = shown
        .iter()
        .map(|code| json!({ "name": code.name, "text": code.text, "memory": code.memory.json() }));
    report.insert("code".into(), code.collect());
    Value::Object(report)
}

/// `minima grad`
pub fn grad(program: &Program, text: Option<&str>, code: u8) -> Value {
    let mut report = about("grad", program, code);
    report.insert("derivative".into(), text.into());
    Value::Object(report)
}

/// `minima gradcheck`
pub fn gradcheck(program: &Program, checked: &[Checked], code: u8) -> Value {
    let mut report = about("gradcheck", program, code);
    let sources = &program.session.sources;
    let checks = checked.iter().map(|one| {
        let mut found = place(one.span, sources);
        let (kind, name) = match &one.subject {
            Subject::Objective(name) => ("objective", name.as_deref()),
            Subject::Hessian(name) => ("hvp", name.as_deref()),
            Subject::Stated(name) => ("stated", Some(name.as_str())),
            Subject::Asked => ("asked", None),
        };
        found.insert("kind".into(), kind.into());
        found.insert("name".into(), name.into());
        found.insert("points".into(), one.points.iter().map(of_point).collect());
        Value::Object(found)
    });
    report.insert("checks".into(), checks.collect());
    Value::Object(report)
}

fn of_point(point: &Point) -> Value {
    let mut found = Map::new();
    found.insert("point".into(), point.place.into());
    found.insert("values".into(), point.values.as_deref().into());
    match &point.found {
        Ok(findings) => {
            found.insert("not_finite".into(), Value::Null);
            found.insert("blocks".into(), findings.iter().map(of_finding).collect());
        }
        Err(not_finite) => {
            let why = not_finite.blame.as_ref().map(|(_, why)| why.as_str());
            found.insert("not_finite".into(), json!({ "what": not_finite.what, "why": why }));
            found.insert("blocks".into(), json!([]));
        }
    }
    Value::Object(found)
}

fn of_finding(finding: &Finding) -> Value {
    let figure = |x: Option<f64>| x.map_or(Value::Null, number);
    let (place, derivative, slope) = match &finding.verdict {
        Verdict::Wrong(wrong) | Verdict::Stated(wrong) | Verdict::Isolated(wrong) => {
            (Value::from(wrong.place.as_str()), number(wrong.derivative), number(wrong.slope))
        }
        _ => (Value::Null, Value::Null, Value::Null),
    };
    json!({
        "block": finding.block.name,
        "sizes": finding.block.sizes,
        "verdict": gradcheck::word(&finding.verdict),
        "detail": gradcheck::detail(&finding.verdict).trim(),
        "differences": figure(finding.differences),
        "estimate": figure(finding.estimate),
        "transposed": number(finding.transposed),
        "place": place,
        "derivative": derivative,
        "slope": slope,
    })
}

/// What is told of every program: its hash, its configuration, its diagnostics.
fn about(verb: &str, program: &Program, code: u8) -> Map<String, Value> {
    let mut report = head(verb, code);
    let files: Vec<Value> =
        program.sources.iter().map(|source| json!({ "file": source.name, "hash": source.hash() })).collect();
    let first = files.first().cloned().unwrap_or(Value::Null);
    report.insert("program".into(), first);
    if files.len() > 1 {
        report.insert("programs".into(), Value::Array(files));
    }
    report.insert("config".into(), config(&program.settings));
    let inputs = program.inputs.iter().map(|(name, value)| (name.clone(), value.as_str().into()));
    report.insert("inputs".into(), Value::Object(inputs.collect()));
    report.insert("diagnostics".into(), diagnostics(&program.code.reports, &program.session.sources));
    report
}

/// Every setting with its value, and whether that is the default.
pub fn config(settings: &Settings) -> Value {
    fn setting<T: Copy>(setting: Setting<T>, value: impl Fn(T) -> Value) -> Value {
        json!({ "value": value(setting.value), "default": !setting.given })
    }
    let precision = |precision| match precision {
        Precision::F32 => "f32".into(),
        Precision::F64 => "f64".into(),
    };
    let engine = |engine| match engine {
        Engine::Native => "native".into(),
        Engine::Oracle => "oracle".into(),
    };
    json!({
        "seed": setting(settings.seed, Value::from),
        "precision": setting(settings.precision, precision),
        "time_limit": setting(settings.time_limit, |limit| limit.map_or(Value::Null, number)),
        "memory_limit": setting(settings.memory_limit, Value::from),
        "work_limit": setting(settings.work_limit, Value::from),
        "exact": setting(settings.exact, Value::from),
        "threads": setting(settings.threads, Value::from),
        "vectors": setting(settings.vectors, |vectors| vectors.bits().into()),
        "engine": setting(settings.engine, engine),
    })
}

/// Reports in the order of their places.
fn diagnostics(reports: &[Report], sources: &Sources) -> Value {
    let mut sorted: Vec<&Report> = reports.iter().collect();
    sorted.sort_by_key(|report| (report.span.file, report.span.start));
    sorted.into_iter().take(SHOWN).map(|report| diagnostic(report, sources)).collect()
}

fn diagnostic(report: &Report, sources: &Sources) -> Value {
    let mut found = Map::new();
    let severity = match report.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    found.insert("severity".into(), severity.into());
    found.insert("code".into(), report.code.into());
    found.insert("message".into(), report.message.as_str().into());
    found.append(&mut place(report.span, sources));
    let labels = report.labels.iter().map(|label| {
        let mut found = place(label.span, sources);
        found.insert("text".into(), label.text.as_str().into());
        Value::Object(found)
    });
    found.insert("labels".into(), labels.collect());
    found.insert("help".into(), report.help.clone().into());
    found.insert("notes".into(), report.notes.clone().into());
    let fix = report.fix.as_ref().map(|fix| {
        let mut found = place(fix.span, sources);
        found.insert("text".into(), fix.text.as_str().into());
        Value::Object(found)
    });
    found.insert("fix".into(), fix.unwrap_or(Value::Null));
    Value::Object(found)
}

/// File, line and column (from 1, in characters), and the span in bytes.
fn place(span: Span, sources: &Sources) -> Map<String, Value> {
    let (file, text) = sources.get(span.file);
    let (line, column) = sources.position(span);
    let inside = |at: u32| (at as usize).min(text.len());
    let mut place = Map::new();
    place.insert("file".into(), file.into());
    place.insert("line".into(), line.into());
    place.insert("column".into(), column.into());
    place.insert("span".into(), json!([inside(span.start), inside(span.end)]));
    place
}

fn of_print(text: &str, span: Span, sources: &Sources) -> Value {
    let mut found = place(span, sources);
    found.insert("text".into(), text.into());
    Value::Object(found)
}

fn of_assertion(assertion: &Assertion, sources: &Sources) -> Value {
    let mut found = place(assertion.span, sources);
    found.insert("held".into(), assertion.held.into());
    found.insert("message".into(), assertion.message.as_deref().into());
    found.insert("detail".into(), assertion.detail.as_deref().into());
    Value::Object(found)
}

fn of_solve(solve: &SolveRecord, sources: &Sources) -> Value {
    let outcome = &solve.outcome;
    let [f, grad, hvp] = outcome.evals;
    let mut found = place(solve.span, sources);
    found.insert("name".into(), solve.name.as_deref().into());
    found.insert("status".into(), outcome.status.as_str().into());
    found.insert("reason".into(), outcome.reason.as_str().into());
    found.insert("met".into(), outcome.met.into());
    found.insert("steps".into(), outcome.steps.into());
    found.insert("evals".into(), json!({ "f": f, "grad": grad, "hvp": hvp }));
    found.insert("loss".into(), number(outcome.loss));
    let slope = outcome.grad_norm;
    found.insert("grad_norm".into(), if slope.is_nan() { Value::Null } else { number(slope) });
    found.insert("seconds".into(), number(outcome.seconds));
    found.insert("optimizer".into(), solve.optimizer.as_str().into());
    found.insert("why".into(), solve.why.as_deref().into());
    found.insert("configuration".into(), configuration(&solve.configuration));
    found.insert("seconds_before".into(), number(outcome.seconds_before));
    found.insert("until".into(), solve.until.clone().into());
    found.insert("params".into(), by_name(&solve.params, &outcome.params));
    found.insert("reports".into(), by_name(&solve.reports, &outcome.reports));
    let list = |column: &[f64]| Value::Array(column.iter().map(|x| number(*x)).collect());
    let columns = outcome.trace.names.iter().zip(&outcome.trace.columns);
    let columns: Map<String, Value> = columns.map(|(name, c)| (name.to_string(), list(c))).collect();
    found.insert("trace_length".into(), outcome.trace.len().into());
    found.insert("trace".into(), Value::Object(columns));
    Value::Object(found)
}

/// What a solve was set up with; what was not given is marked as the default.
pub fn configuration(configuration: &Configuration) -> Value {
    let hyper = configuration.hyper.iter().map(|hyper| {
        json!({ "depth": hyper.depth, "name": hyper.name, "value": hyper.value, "default": !hyper.given })
    });
    let (seed, stated) = configuration.seed;
    json!({
        "objective": configuration.objective,
        "optimizer": configuration.optimizer,
        "hyper_parameters": hyper.collect::<Vec<Value>>(),
        "until_default": !configuration.until_given,
        "batch": configuration.batch,
        "steps_of_epoch": configuration.epoch,
        "seed": seed,
        "seed_of_solve": stated,
        "trace": configuration.trace,
        "resumed": configuration.resumed,
    })
}

/// Arrays by their names; `layer.b` is a field of a record.
pub fn by_name(names: &[String], tensors: &[Tensor]) -> Value {
    let mut root = Map::new();
    for (name, tensor) in names.iter().zip(tensors) {
        insert(&mut root, name, array(tensor));
    }
    Value::Object(root)
}

fn insert(record: &mut Map<String, Value>, name: &str, value: Value) {
    match name.split_once('.') {
        None => {
            record.insert(name.into(), value);
        }
        Some((outer, inner)) => {
            let field = record.entry(outer).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(field) = field {
                insert(field, inner, value);
            }
        }
    }
}

/// An array as nested lists.
fn array(tensor: &Tensor) -> Value {
    let items: Vec<Value> = match &tensor.data {
        Data::Real(data) => data.iter().map(|x| number(*x)).collect(),
        Data::Int(data) => data.iter().map(|n| Value::from(*n)).collect(),
        Data::Bool(data) => data.iter().map(|b| Value::from(*b)).collect(),
    };
    nest(items, &tensor.sizes)
}

fn nest(mut items: Vec<Value>, sizes: &[usize]) -> Value {
    let Some((outer, inner)) = sizes.split_first() else {
        return items.pop().unwrap_or(Value::Null);
    };
    let width: usize = inner.iter().product();
    let mut rows = Vec::with_capacity((*outer).min(items.len()));
    let mut rest = items.into_iter();
    for _ in 0..*outer {
        rows.push(nest(rest.by_ref().take(width).collect(), inner));
    }
    Value::Array(rows)
}

/// A number, or a text for what JSON has no number for.
pub fn number(x: f64) -> Value {
    if x.is_nan() {
        "nan".into()
    } else if x.is_infinite() {
        if x > 0.0 { "inf".into() } else { "-inf".into() }
    } else {
        x.into()
    }
}
