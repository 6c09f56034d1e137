//! Runs a solve chunk by chunk: between chunks the host looks at the clock, at interrupts and at
//! the trace.

use std::ops::Range;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::recorder::{Pace, Recorder};
use super::show::number;
use super::{Event, Progress, Runner};
use crate::driver::{Code, compile, compile_both, compile_once};
use crate::eval;
use crate::ir::{Tensor, Ty};
use crate::lower::{Outcome, RunError, SolvePlan, Trace, UntilKind, UntilPart};

/// Places of the counts of evaluations.
const EVALS: [usize; 3] = [SolvePlan::EVALS_F, SolvePlan::EVALS_G, SolvePlan::EVALS_H];

/// Losses at one point, by code that may add in another order, are the same problem's if they are so close.
const SAME: f64 = 1e-9;

/// Why the loop ended.
enum End {
    /// By its status.
    Status(i64),
    /// At the limit of steps.
    Steps(i64),
    Time,
    Interrupt,
}

/// Runs a solve to its end.
pub(super) fn solve(runner: &mut Runner<'_>, plan: &SolvePlan) -> Result<Outcome, RunError> {
    let began = Instant::now();
    let (start, chunk) = if runner.plan_only {
        (compile_once(runner.session, &plan.start), None)
    } else {
        let (start, chunk) = compile_both(runner.session, &plan.start, &plan.chunk);
        (start, Some(chunk))
    };
    let mut start = start?;
    start.set_all(&plan.start_inputs);
    start.run()?;
    let before = began.elapsed().as_secs_f64();
    let mut state = start.all();
    if !plan.resume.is_empty() {
        resume(runner, plan, &mut state)?;
    }
    let mut solve = Running::new(plan, began, &state);
    let mut status = state[SolvePlan::STATUS].ints()[0];
    let mut end = End::Status(status);
    let (mut blame_for, mut broke) = (None, None);
    if let (0, Some(chunk)) = (status, chunk) {
        let mut chunk = chunk?;
        let mut inputs = state.clone();
        inputs.push(Tensor::int_scalar(0));
        inputs.push(Tensor::scalar(0.0));
        inputs.extend(plan.chunk_inputs.iter().cloned());
        chunk.set_all(&inputs);
        solve.tell_start(runner, &state);
        end = solve.steps(runner, &mut chunk)?;
        if let End::Status(ended) = end {
            status = ended;
        }
        state = states(&chunk, solve.places);
        let stopped = runner.session.stop.load(Ordering::Relaxed);
        if status == 2 {
            blame_for = Some(state.clone());
        }
        if status == 2 || stopped {
            // The last point is not finite, or of a step that was not finished: what is reported is the best of those
            // recorded.
            let last = std::mem::replace(&mut state, solve.best_state(runner, &mut chunk));
            broke = Some(Broke {
                steps: last[SolvePlan::T].ints()[0],
                evals: EVALS.map(|at| last[at].ints()[0]),
            });
        }
    } else if status == 2 {
        blame_for = Some(state.clone());
    }
    let blame = blame_for.and_then(|state| blame(runner, plan, &state));
    let times = Times { began, before };
    finish(runner, plan, state, &end, (solve.trace.trace, broke), times, blame)
}

/// Where the steps of a solve broke off, whose answer is the best point before.
struct Broke {
    steps: i64,
    evals: [i64; 3],
}

impl Broke {
    /// What is said of it where the answer is that of another step.
    fn text(&self, answer: i64) -> String {
        if self.steps == answer {
            return String::new();
        }
        format!(", at step {}; the answer is that of step {answer}, the best before", self.steps)
    }
}

/// When a solve began, and the seconds before its first step.
struct Times {
    began: Instant,
    before: f64,
}

/// A solve between two chunks.
struct Running<'p> {
    plan: &'p SolvePlan,
    began: Instant,
    /// How many arrays the state has.
    places: usize,
    /// What the loss is multiplied by for the user.
    sign: f64,
    trace: Recorder,
    pace: Pace,
    /// The least loss of those recorded.
    least: f64,
    best: Best,
}

/// Where the best recorded point is found.
enum Best {
    /// Its state.
    State(Vec<Tensor>),
    /// So many steps from the start, in a chunk that began with these inputs.
    Within { inputs: Vec<Tensor>, steps: i64 },
}

impl<'p> Running<'p> {
    /// At the start, which is recorded.
    fn new(plan: &'p SolvePlan, began: Instant, state: &[Tensor]) -> Running<'p> {
        let sign = if plan.maximize { -1.0 } else { 1.0 };
        let mut trace = Recorder::new(plan);
        let loss = state[SolvePlan::LOSS].reals()[0];
        let norm = traced_norm(plan, state[SolvePlan::GRAD_NORM].reals()[0]);
        let reports: Vec<f64> = plan.reported.iter().map(|(_, place)| state[*place].to_reals()[0]).collect();
        let figures = [sign * loss, norm, began.elapsed().as_secs_f64()];
        let place = plan.path.then(|| pair(state[SolvePlan::X].reals()));
        trace.record(state[SolvePlan::T].ints()[0], figures, &reports, place);
        let (places, best) = (state.len(), Best::State(state.to_vec()));
        let pace = Pace::new(state.iter().map(|part| 8 * part.sizes.iter().product::<usize>()).sum());
        Running { plan, began, places, sign, trace, pace, least: loss, best }
    }

    /// Tells of the start.
    fn tell_start(&self, runner: &mut Runner<'_>, state: &[Tensor]) {
        let loss = self.sign * state[SolvePlan::LOSS].reals()[0];
        let norm = traced_norm(self.plan, state[SolvePlan::GRAD_NORM].reals()[0]);
        let progress = Progress {
            steps: state[SolvePlan::T].ints()[0],
            loss,
            grad_norm: norm,
            seconds: self.began.elapsed().as_secs_f64(),
            evals: EVALS.map(|place| state[place].ints()[0]),
            reports: self.plan.reported.iter().map(|(_, place)| state[*place].to_reals()[0]).collect(),
        };
        runner.tell(Event::Progress(progress));
    }

    /// Runs chunk after chunk until the steps end.
    fn steps(&mut self, runner: &mut Runner<'_>, chunk: &mut Code) -> Result<End, RunError> {
        let limit = runner.step_limit(self.plan);
        let mut steps = chunk.input(SolvePlan::T).ints()[0];
        loop {
            let length = if self.plan.rows { steps.saturating_add(self.pace.steps) } else { i64::MAX };
            let next = match (self.plan.rows, runner.session.options.every_step) {
                (true, _) => i64::MAX,
                (false, true) => self.trace.first_next(steps),
                (false, false) => self.trace.next(steps),
            };
            let from = self.began.elapsed().as_secs_f64();
            chunk.set(self.places, Tensor::int_scalar(length.min(next).min(limit)));
            chunk.set(self.places + 1, Tensor::scalar(from));
            match chunk.run() {
                Ok(()) => {}
                Err(RunError::Interrupted(_)) => return Ok(interrupt(runner)),
                Err(error) => return Err(error),
            }
            let until = self.began.elapsed().as_secs_f64();
            let before = std::mem::replace(&mut steps, chunk.int(SolvePlan::T));
            let ended = ended(runner, chunk.int(SolvePlan::STATUS), steps, limit);
            self.record(runner, chunk, before..steps, from..until, ended.is_some());
            self.pace.learn(steps - before, until - from);
            if let Some(why) = ended {
                return Ok(why);
            }
            chunk.carry(self.places);
        }
    }

    /// Records those steps of a chunk that are due, and its last step where the solve ends with it.
    fn record(
        &mut self,
        runner: &mut Runner<'_>,
        chunk: &Code,
        steps: Range<i64>,
        seconds: Range<f64>,
        ended: bool,
    ) {
        let mut best = None;
        let mut at = steps.start;
        while at < steps.end {
            let next = self.trace.next(at);
            let due = next <= steps.end || ended;
            if runner.session.options.every_step {
                let first = if self.plan.rows { at + 1 } else { steps.end };
                for between in first..next.min(steps.end + i64::from(!due)) {
                    let point = self.point(chunk, between, &steps, &seconds);
                    runner.tell(Event::Progress(point.progress(between)));
                }
            }
            at = next.min(steps.end);
            if !due {
                break;
            }
            let point = self.point(chunk, at, &steps, &seconds);
            self.trace.record(at, point.figures, &point.reports, point.place);
            runner.tell(Event::Progress(point.progress(at)));
            if point.loss.is_finite() && (point.loss <= self.least || !self.least.is_finite()) {
                self.least = point.loss;
                best = Some(at);
            }
        }
        match best {
            None => {}
            Some(at) if at == steps.end => self.best = Best::State(states(chunk, self.places)),
            Some(at) => {
                let inputs = (0..self.places + 2).map(|at| chunk.input(at)).collect();
                self.best = Best::Within { inputs, steps: at };
            }
        }
    }

    /// The figures after a step of a chunk. When it was is told by its share of the chunk's time.
    fn point(&self, chunk: &Code, at: i64, steps: &Range<i64>, seconds: &Range<f64>) -> Point {
        let reported = self.plan.reported.iter().map(|(_, place)| *place);
        if !self.plan.rows {
            let loss = chunk.real(SolvePlan::LOSS);
            let norm = traced_norm(self.plan, chunk.real(SolvePlan::GRAD_NORM));
            return Point {
                loss,
                figures: [self.sign * loss, norm, seconds.end],
                evals: EVALS.map(|place| chunk.int(place)),
                reports: reported.map(|place| chunk.real(place)).collect(),
                place: self.plan.path.then(|| pair(chunk.get(SolvePlan::X).reals())),
            };
        }
        let row = usize::try_from(at - steps.start - 1).unwrap_or(0);
        // The order of `SolvePlan::ROW`, then the reports.
        let [loss, norm, evals @ ..]: [usize; SolvePlan::ROW.len()] =
            std::array::from_fn(|k| self.places + k);
        let first = self.places + SolvePlan::ROW.len();
        let norm = traced_norm(self.plan, chunk.real_at(norm, row));
        #[expect(clippy::cast_precision_loss, reason = "steps of a chunk are few")]
        let share = (at - steps.start) as f64 / (steps.end - steps.start) as f64;
        let loss = chunk.real_at(loss, row);
        Point {
            loss,
            figures: [self.sign * loss, norm, seconds.start + share * (seconds.end - seconds.start)],
            evals: evals.map(|at| chunk.int_at(at, row)),
            reports: reported.enumerate().map(|(k, _)| chunk.real_at(first + k, row)).collect(),
            place: self.plan.path.then(|| {
                let rows = first + self.plan.reported.len();
                [chunk.real_at(rows, 2 * row), chunk.real_at(rows, 2 * row + 1)]
            }),
        }
    }

    /// The state at the best recorded point. Where that is inside a chunk, its steps are run again: equal steps give
    /// equal bits.
    fn best_state(&mut self, runner: &mut Runner<'_>, chunk: &mut Code) -> Vec<Tensor> {
        match std::mem::replace(&mut self.best, Best::State(Vec::new())) {
            Best::State(state) => state,
            Best::Within { inputs, steps } => {
                for (at, input) in inputs.iter().enumerate() {
                    chunk.set(at, input.clone());
                }
                chunk.set(self.places, Tensor::int_scalar(steps));
                let stop = runner.session.stop.swap(false, Ordering::Relaxed);
                let notes = runner.session.notes.borrow().clone();
                let done = chunk.run();
                *runner.session.notes.borrow_mut() = notes;
                if stop {
                    runner.session.stop.store(true, Ordering::Relaxed);
                }
                // Where even this is interrupted, the chunk's start is what is left.
                if done.is_ok() { states(chunk, self.places) } else { inputs[..self.places].to_vec() }
            }
        }
    }
}

/// A recorded point.
struct Point {
    /// The loss that is minimized.
    loss: f64,
    /// The loss with the user's sign, the norm of the gradient, and when it was.
    figures: [f64; 3],
    evals: [i64; 3],
    reports: Vec<f64>,
    /// Where it was, if that is kept.
    place: Option<[f64; 2]>,
}

/// The two numbers of a vector.
fn pair(x: &[f64]) -> [f64; 2] {
    [x[0], x[1]]
}

impl Point {
    /// What is told of it.
    fn progress(&self, steps: i64) -> Progress {
        let [loss, grad_norm, seconds] = self.figures;
        Progress { steps, loss, grad_norm, seconds, evals: self.evals, reports: self.reports.clone() }
    }
}

/// Why the steps end here, if they do.
fn ended(runner: &Runner<'_>, status: i64, steps: i64, limit: i64) -> Option<End> {
    if status != 0 {
        Some(End::Status(status))
    } else if runner.session.stop.load(Ordering::Relaxed) {
        Some(interrupt(runner))
    } else if runner.seconds_left().is_some_and(|left| left <= 0.0) {
        Some(End::Time)
    } else {
        (steps >= limit).then_some(End::Steps(steps))
    }
}

/// What set the stop: the clock or the user.
fn interrupt(runner: &Runner<'_>) -> End {
    if runner.seconds_left().is_some_and(|left| left <= 0.0) { End::Time } else { End::Interrupt }
}

fn states(code: &Code, count: usize) -> Vec<Tensor> {
    (0..count).map(|at| code.get(at)).collect()
}

fn grad_norm(plan: &SolvePlan, norm: f64) -> f64 {
    if plan.has_gradient { norm } else { f64::NAN }
}

fn traced_norm(plan: &SolvePlan, norm: f64) -> f64 {
    if plan.traces_gradient { norm } else { f64::NAN }
}

/// Goes on from an earlier state; whether the condition holds there is asked anew.
fn resume(runner: &mut Runner<'_>, plan: &SolvePlan, state: &mut [Tensor]) -> Result<(), RunError> {
    let figures = [SolvePlan::LOSS, SolvePlan::GRADIENT, SolvePlan::GRAD_NORM];
    let here = figures.map(|at| state[at].clone());
    for (place, saved) in state.iter_mut().zip(&plan.resume) {
        // Rows in the order of an epoch belong to their data.
        if let Some(saved) = saved
            && saved.ty() == place.ty()
        {
            *place = saved.clone();
        }
    }
    // Where the problem is no longer the same, its figures are those of now.
    let (now, then) = (here[0].reals()[0], state[SolvePlan::LOSS].reals()[0]);
    let same = (now - then).abs() <= SAME * then.abs().max(1.0) || plan.interval > 1;
    if !same {
        for (at, figure) in figures.into_iter().zip(here) {
            state[at] = figure;
        }
    }
    state[SolvePlan::STATUS] = Tensor::int_scalar(0);
    let mut code = compile_once(runner.session, &plan.finish)?;
    let results = run_finish(&mut code, plan, state, 0.0)?;
    let leaves = plan.answer.len();
    let holds = (0..plan.until.len()).any(|k| results[2 + leaves + 3 * k].bools()[0]);
    state[SolvePlan::STATUS] = Tensor::int_scalar(i64::from(holds));
    Ok(())
}

fn run_finish(
    code: &mut Code,
    plan: &SolvePlan,
    state: &[Tensor],
    seconds: f64,
) -> Result<Vec<Tensor>, RunError> {
    let mut inputs = state.to_vec();
    inputs.push(Tensor::scalar(seconds));
    inputs.extend(plan.finish_inputs.iter().cloned());
    code.set_all(&inputs);
    code.run()?;
    Ok(code.all())
}

/// Evaluates the answer and says why the solve ended.
fn finish(
    runner: &mut Runner<'_>,
    plan: &SolvePlan,
    state: Vec<Tensor>,
    end: &End,
    (trace, broke): (Trace, Option<Broke>),
    Times { began, before }: Times,
    blame: Option<String>,
) -> Result<Outcome, RunError> {
    let stop = runner.session.stop.swap(false, Ordering::Relaxed);
    let mut code = compile_once(runner.session, &plan.finish)?;
    let seconds = began.elapsed().as_secs_f64();
    let results = run_finish(&mut code, plan, &state, seconds);
    if stop && !matches!(end, End::Time) {
        runner.session.stop.store(true, Ordering::Relaxed);
    }
    let results = results?;
    let sign = if plan.maximize { -1.0 } else { 1.0 };
    let loss = sign * results[0].reals()[0];
    let leaves = plan.answer.len();
    let params: Vec<Tensor> = results[2..2 + leaves].to_vec();
    let fired: Vec<(usize, f64, f64)> = (0..plan.until.len())
        .filter_map(|k| {
            let at = 2 + leaves + 3 * k;
            results[at].bools()[0].then(|| (k, results[at + 1].reals()[0], results[at + 2].reals()[0]))
        })
        .collect();
    let reports = results[2 + leaves + 3 * plan.until.len()..].to_vec();
    let steps = state[SolvePlan::T].ints()[0];
    let (status, mut reason, met) = verdict(plan, end, &fired, loss, blame);
    reason += &broke.as_ref().map_or(String::new(), |broke| broke.text(steps));
    debug_assert!(plan.answer.iter().zip(&params).all(|(ty, t): (&Ty, &Tensor)| *ty == t.ty()));
    Ok(Outcome {
        status,
        reason,
        met,
        params,
        loss,
        grad_norm: grad_norm(plan, results[1].reals()[0]),
        steps,
        evals: broke.map_or_else(|| EVALS.map(|at| state[at].ints()[0]), |broke| broke.evals),
        seconds: began.elapsed().as_secs_f64(),
        seconds_before: before,
        reports,
        trace,
        state,
        state_names: plan.state_names.clone(),
    })
}

/// Status, reason, and whether the user's condition was met.
fn verdict(
    plan: &SolvePlan,
    end: &End,
    fired: &[(usize, f64, f64)],
    loss: f64,
    blame: Option<String>,
) -> (String, String, bool) {
    let status = match end {
        End::Time => return ("time_limit".into(), "the time limit".into(), false),
        End::Interrupt => return ("interrupted".into(), "from outside".into(), false),
        // The value at the answer decides below.
        End::Steps(_) => 0,
        End::Status(status) => *status,
    };
    if status == 2 || !loss.is_finite() {
        let why = blame.unwrap_or_else(|| "the loss is not finite".into());
        return ("numerical_error".into(), why, false);
    }
    if status >= 16 {
        let own = usize::try_from(status - 16).ok().and_then(|at| plan.statuses.get(at));
        let own = own.map_or("other_limit", |own| &**own);
        let met = matches!(own, "locally_solved" | "almost_locally_solved");
        let name = plan.optimizer.split('(').next().unwrap_or("the optimizer");
        return (own.to_string(), format!("the test of `{name}`: {own}"), met);
    }
    // The strongest of the tests that hold at the answer.
    let rank = |kind: UntilKind| match kind {
        UntilKind::Solved => 0,
        UntilKind::Target => 1,
        UntilKind::Change => 2,
        UntilKind::Iterations => 3,
        UntilKind::Time => 4,
    };
    if let (End::Steps(steps), true) = (end, fired.is_empty()) {
        return ("iteration_limit".into(), format!("steps {steps} >= {steps}"), false);
    }
    let Some((k, a, b)) = fired.iter().min_by_key(|(k, _, _)| rank(plan.until[*k].kind)).copied() else {
        return (
            "slow_progress".into(),
            "the condition held at the last iterate, but not at the answer".into(),
            false,
        );
    };
    let part = &plan.until[k];
    let name = match part.kind {
        UntilKind::Solved => "locally_solved",
        UntilKind::Target => "objective_limit",
        UntilKind::Change => "almost_locally_solved",
        UntilKind::Iterations => "iteration_limit",
        UntilKind::Time => "time_limit",
    };
    let limit = |kind: UntilKind| matches!(kind, UntilKind::Iterations | UntilKind::Time);
    let met = !limit(part.kind) || plan.until.iter().all(|part| limit(part.kind));
    (name.to_string(), reason(part, a, b), met)
}

/// `grad_norm 8.1e-9 < 1e-8`
fn reason(part: &UntilPart, a: f64, b: f64) -> String {
    match (&part.figure, part.sign) {
        (_, "") => part.text.clone(),
        (Some(figure), sign) => format!("{figure} {} {sign} {}", number(a), number(b)),
        (None, sign) => format!("{}: {} {sign} {}", part.text, number(a), number(b)),
    }
}

/// The first operation that was not finite at the last point, with its line.
fn blame(runner: &mut Runner<'_>, plan: &SolvePlan, state: &[Tensor]) -> Option<String> {
    let mut inputs = vec![state[SolvePlan::X].clone()];
    inputs.extend(plan.value_inputs.iter().cloned());
    let code = compile(runner.session, &plan.value).ok()?;
    let finite = |t: &Tensor| t.to_reals().iter().all(|x| x.is_finite());
    if !finite(&state[SolvePlan::X]) {
        return Some("the iterate is not finite: the step was too long".into());
    }
    let Some((span, what)) = eval::first_non_finite(code.program(), &inputs) else {
        return finite(&state[SolvePlan::LOSS]).then(|| "the gradient is not finite".into());
    };
    let (file, _) = runner.session.sources.get(span.file);
    let (line, _) = runner.session.sources.position(span);
    let text: String = runner.session.sources.text(span).chars().take(60).collect();
    Some(format!("{what}, in `{text}` ({file}:{line})"))
}
