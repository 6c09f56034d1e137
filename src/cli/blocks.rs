//! What is told of a solve around its rows: what it was set up with, and how it ended.

use super::log::span_of_time;
use super::settings::{Setting, Settings};
use crate::ir::Precision;
use crate::run::{SolveRecord, Solving, number};

/// The most params that are listed.
const LISTED: usize = 12;

/// What a value that nobody gave is marked with.
const DEFAULT: &str = "  (default)";

/// The configuration of a solve, with every value that was not given marked.
pub fn beginning(solving: &Solving, settings: &Settings) -> String {
    let configuration = &solving.configuration;
    let name = solving.name.as_deref().unwrap_or("solve");
    let mut lines = vec![format!("{name} ({})", solving.place)];
    let mut say = |depth: usize, name: &str, value: &str, given: bool| {
        let margin = 2 * (depth + 1);
        let mark = if given { "" } else { DEFAULT };
        lines.push(format!("{:margin$}{name:<width$} {value}{mark}", "", width = 14 - margin.min(14)));
    };
    let verb = if solving.maximize { "maximize" } else { "objective" };
    say(0, verb, &configuration.objective, true);
    say(0, "unknowns", &unknowns(solving), true);
    let optimizer =
        if configuration.optimizer.is_empty() { "one for each param" } else { &configuration.optimizer };
    say(0, "optimizer", optimizer, solving.why.is_none());
    for hyper in &configuration.hyper {
        say(hyper.depth + 1, &hyper.name, &hyper.value, hyper.given);
    }
    say(0, "until", &solving.until.join(" or "), configuration.until_given);
    if let Some(batch) = &configuration.batch {
        say(0, "batch", batch, true);
    }
    if let Some(interval) = configuration.trace {
        say(0, "trace", &format!("every {interval} steps"), true);
    }
    if configuration.resumed {
        say(0, "from", "an earlier state", true);
    }
    let (seed, stated) = configuration.seed;
    say(0, "seed", &seed.to_string(), stated || settings.seed.given);
    let precision = match settings.precision.value {
        Precision::F32 => "f32",
        Precision::F64 => "f64",
    };
    say(0, "precision", precision, settings.precision.given);
    say(0, "threads", &settings.threads.value.to_string(), settings.threads.given);
    let Setting { value, given } = settings.time_limit;
    say(0, "time limit", &value.map_or("none".into(), span_of_time), given);
    lines.join("\n")
}

fn unknowns(solving: &Solving) -> String {
    let listed = solving.unknowns.iter().take(LISTED).cloned().collect::<Vec<String>>().join(", ");
    let more = if solving.unknowns.len() > LISTED { ", …" } else { "" };
    format!("{}: {listed}{more}", solving.count)
}

/// How a solve ended: status and reason, figures, evaluations, times.
pub fn end(solve: &SolveRecord) -> String {
    let outcome = &solve.outcome;
    let name = solve.name.as_deref().unwrap_or("solve");
    let mut lines = vec![format!("{name}: {}: {}", outcome.status, outcome.reason)];
    let mut say = |name: &str, value: String| lines.push(format!("  {name:<12} {value}"));
    let start = outcome.trace.columns.get(1).and_then(|losses| losses.first());
    let start = start.map_or(String::new(), |loss| format!(", {} at the start", number(*loss)));
    say("loss", format!("{}{start}", number(outcome.loss)));
    if !outcome.grad_norm.is_nan() {
        say("grad_norm", number(outcome.grad_norm));
    }
    say("steps", outcome.steps.to_string());
    let [f, grad, hvp] = outcome.evals;
    say("evals", format!("f {f}, grad {grad}, hvp {hvp}"));
    let steps = (outcome.seconds - outcome.seconds_before).max(0.0);
    let before = outcome.seconds_before;
    say("seconds", format!("{:.4}: {before:.4} to compile and start, {steps:.4} in steps", outcome.seconds));
    lines.extend(course(solve).map(|course| format!("  {course}")));
    lines.join("\n")
}

/// The end of a solve in one line, in the place of the line that showed how it went.
pub fn summary(solve: &SolveRecord) -> String {
    let outcome = &solve.outcome;
    let name = solve.name.as_deref().unwrap_or("solve");
    let (steps, time) = (outcome.steps, span_of_time(outcome.seconds));
    format!("{name}: {} after {steps} steps, {time}: {}", outcome.status, outcome.reason)
}

/// What the user should know of the course of a solve that did not meet its condition: that it stood still, or that
/// an earlier point was better.
pub fn course(solve: &SolveRecord) -> Option<String> {
    let outcome = &solve.outcome;
    if outcome.met {
        return None;
    }
    if let Some(step) = outcome.trace.still_since() {
        return Some(format!("the loss has not changed since step {step}"));
    }
    let (step, loss) = outcome.trace.best(solve.maximize)?;
    let better = if solve.maximize { loss > outcome.loss } else { loss < outcome.loss };
    better.then(|| format!("the best loss recorded is {}, at step {step}", number(loss)))
}
