//! The world of a running program.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::figure::Drawing;
use super::show::show_within;
use crate::data::{self, Loaded, Reading};
use crate::diag::{FileId, Report, Span};
use crate::driver::{Session, compile_once};
use crate::ir::{Concern, Note, Op, Program, Tensor, Ty};
use crate::lower::{
    self, Configuration, Host, Outcome, Plot, Poisoned, Res, RunError, Shown, SolvePlan, UntilKind, Val,
    errors,
};
use crate::picture::{self, Figure};
use crate::syntax::ast::File;
use crate::syntax::parse_file;

/// What a running program says.
#[derive(Debug, Clone)]
pub enum Event {
    /// What a `print` says.
    Print {
        /// What it says.
        text: String,
        /// The statement.
        span: Span,
    },
    /// A solve begins.
    Solving(Rc<Solving>),
    /// A solve has come to a recorded point.
    Progress(Progress),
    /// An assertion.
    Assert {
        /// Whether it held.
        held: bool,
        /// Its message.
        message: Option<String>,
        /// The two sides of its comparison, where it did not hold.
        detail: Option<String>,
        /// The statement.
        span: Span,
    },
    /// A solve has ended.
    Solved(Box<SolveRecord>),
    /// A file was written.
    Saved {
        /// Where.
        path: String,
        /// The statement.
        span: Span,
    },
    /// A picture was drawn; it is shown, unless it was written to a file.
    Plot {
        /// The picture.
        figure: Box<Figure>,
        /// Where it was written to.
        path: Option<String>,
        /// The statement.
        span: Span,
    },
}

/// A solve that begins.
#[derive(Debug, Clone)]
pub struct Solving {
    /// The name it is bound to, if any.
    pub name: Option<String>,
    /// What it was set up with.
    pub configuration: Configuration,
    /// Why its optimizer was chosen, if the user did not choose.
    pub why: Option<String>,
    /// The stopping condition.
    pub until: Vec<String>,
    /// Whether the greatest value is looked for.
    pub maximize: bool,
    /// The arrays that are solved for, with their types: `w: real[30]`.
    pub unknowns: Vec<String>,
    /// How many numbers that is.
    pub count: usize,
    /// Whether its points have gradient norms.
    pub gradient: bool,
    /// The most steps that the condition allows, where that is known.
    pub most_steps: Option<i64>,
    /// The most seconds that the condition or the time limit allows.
    pub most_seconds: Option<f64>,
    /// What its steps report, in the order of [`Progress::reports`].
    pub reports: Vec<Arc<str>>,
    /// File and line: `fit.opt:12`.
    pub place: String,
}

/// Where a solve stands.
#[derive(Debug, Clone)]
pub struct Progress {
    /// Steps done.
    pub steps: i64,
    /// The loss, with the user's sign.
    pub loss: f64,
    /// The norm of the gradient; NaN if there is none.
    pub grad_norm: f64,
    /// Seconds since the solve began.
    pub seconds: f64,
    /// Evaluations of objective, gradient, Hessian-vector product.
    pub evals: [i64; 3],
    /// What the step reported.
    pub reports: Vec<f64>,
}

/// Code that a program runs, for `minima ir`, `minima gradcheck` and measurements.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The name of the solve, if it is one and has one.
    pub name: Option<String>,
    /// Whether it is the step loop of a solve.
    pub solve: bool,
    /// The code as elaborated.
    pub program: Program,
    /// The known arrays it takes; of a solve, those behind its state.
    pub inputs: Vec<Tensor>,
    /// What is solved.
    pub objective: Option<PlannedObjective>,
}

/// What a solve minimizes.
#[derive(Debug, Clone)]
pub struct PlannedObjective {
    /// `(x, inputs…) -> loss`, x being all params as one vector.
    pub value: Program,
    /// The known arrays it takes.
    pub inputs: Vec<Tensor>,
    /// Where the solve starts.
    pub start: Tensor,
    /// The name of each array in x: `w`, `layer.b`.
    pub names: Vec<String>,
    /// The type of each.
    pub types: Vec<Ty>,
    /// Whether the optimizer asks for Hessian-vector products.
    pub hessian: bool,
    /// The solve in the program.
    pub span: Span,
}

/// A solve, for reports.
#[derive(Debug, Clone)]
pub struct SolveRecord {
    /// The name it is bound to, if any.
    pub name: Option<String>,
    /// The optimizer with its hyper-parameters.
    pub optimizer: String,
    /// Why it was chosen, if the user did not choose.
    pub why: Option<String>,
    /// What it was set up with.
    pub configuration: Configuration,
    /// The stopping condition.
    pub until: Vec<String>,
    /// Whether the greatest value is looked for.
    pub maximize: bool,
    /// The names of the params, one for each array of the answer: `w`, `layer.b`.
    pub params: Vec<String>,
    /// What came out.
    pub outcome: Outcome,
    /// The names of the reports, in the order of their values.
    pub reports: Vec<String>,
    /// Where it stands.
    pub span: Span,
}

/// Takes what a program says.
pub trait Sink {
    /// Takes one event.
    fn event(&mut self, event: Event);
}

/// The program ends with one of its solves.
#[derive(Debug, Clone, Copy)]
pub struct Only {
    /// The solve.
    pub span: Span,
    /// Its most steps; without, those of its condition, or [`Only::STEPS`].
    pub steps: Option<i64>,
}

impl Only {
    /// The most steps of a solve whose condition has no limit.
    pub const STEPS: i64 = 1_000;
}

/// The host of a program.
pub struct Runner<'s> {
    /// What all programs share.
    pub session: &'s mut Session,
    options: lower::Options,
    folder: PathBuf,
    inputs: HashMap<String, String>,
    asked: Vec<String>,
    /// The programs that were imported, by their paths.
    pub imported: Vec<(PathBuf, Rc<File>)>,
    /// Files that the program writes, where nothing is written.
    unsaved: Vec<PathBuf>,
    sink: &'s mut dyn Sink,
    pending_name: Option<String>,
    started: Instant,
    reports: Vec<Report>,
    /// Only plan: code is kept in `planned`, solves end at their start, nothing is saved.
    pub plan_only: bool,
    /// The code of the program, where it is only planned.
    pub planned: Vec<Planned>,
    /// The solve that the program ends with; its clock starts with it, and nothing is saved.
    pub only: Option<Only>,
    /// The file whose places are written down, where an editor asks.
    pub studied: Option<FileId>,
    /// What code took so far.
    pub spent: Spent,
}

/// Time that code took to run; what it took to be made is [`Session::compiling`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Spent {
    /// To run.
    pub run: Duration,
    /// Whether some of it was machine code.
    pub native: bool,
}

impl<'s> Runner<'s> {
    /// A host for the program in a folder, with `name=value` for its inputs.
    pub fn new(
        session: &'s mut Session,
        folder: &Path,
        inputs: HashMap<String, String>,
        sink: &'s mut dyn Sink,
    ) -> Runner<'s> {
        let options = session.lower_options();
        Runner {
            session,
            options,
            folder: folder.to_path_buf(),
            inputs,
            asked: Vec::new(),
            imported: Vec::new(),
            unsaved: Vec::new(),
            sink,
            pending_name: None,
            started: Instant::now(),
            reports: Vec::new(),
            plan_only: false,
            planned: Vec::new(),
            only: None,
            studied: None,
            spent: Spent::default(),
        }
    }

    /// Inputs given that no statement asked for.
    pub fn unused_inputs(&self) -> Vec<String> {
        let mut unused: Vec<String> =
            self.inputs.keys().filter(|name| !self.asked.contains(name)).cloned().collect();
        unused.sort();
        unused
    }

    /// The names of the inputs asked for.
    pub fn asked_inputs(&self) -> &[String] {
        &self.asked
    }

    /// Seconds left of the time limit.
    pub(super) fn seconds_left(&self) -> Option<f64> {
        let limit = self.session.options.time_limit?;
        Some(limit - self.started.elapsed().as_secs_f64())
    }

    /// What is told of a solve that begins.
    fn solving(&self, name: Option<String>, plan: &SolvePlan) -> Solving {
        let limits = plan.most_seconds().into_iter().chain(self.seconds_left());
        let (file, _) = self.session.sources.get(plan.span.file);
        let (line, _) = self.session.sources.position(plan.span);
        Solving {
            name,
            configuration: plan.configuration.clone(),
            why: plan.why.clone(),
            until: plan.until.iter().map(|part| part.text.clone()).collect(),
            maximize: plan.maximize,
            unknowns: lower::unknowns(&plan.names, &plan.answer),
            count: plan.answer.iter().map(Ty::count).sum(),
            gradient: plan.traces_gradient,
            most_steps: plan.most_steps(),
            most_seconds: limits.min_by(f64::total_cmp),
            reports: plan.reported.iter().map(|(name, _)| name.clone()).collect(),
            place: format!("{file}:{line}"),
        }
    }

    /// The most steps of a solve.
    pub(super) fn step_limit(&self, plan: &SolvePlan) -> i64 {
        match self.only.filter(|only| only.span == plan.span) {
            Some(Only { steps: Some(steps), .. }) => plan.limit.min(steps),
            Some(_) if !plan.until.iter().any(|part| part.kind == UntilKind::Iterations) => {
                plan.limit.min(Only::STEPS)
            }
            Some(_) | None => plan.limit,
        }
    }

    /// Says something.
    pub(super) fn tell(&mut self, event: Event) {
        self.sink.event(event);
    }

    /// Reports about files that were imported, and warnings of what code noted, taken out.
    pub fn take_reports(&mut self) -> Vec<Report> {
        let notes = std::mem::take(&mut *self.session.notes.borrow_mut());
        let mut reports = std::mem::take(&mut self.reports);
        reports.extend(notes.iter().map(noted));
        reports
    }

    /// How many bytes data may still take.
    fn room_for_data(&self) -> u64 {
        let options = &self.session.options;
        let asked = self.session.loaded.iter().filter(|((_, path), _)| self.session.files.contains_key(path));
        // Where there is no limit nothing need be counted.
        let taken =
            if options.data_limit == u64::MAX { 0 } else { asked.map(|(_, data)| data.bytes()).sum() };
        options.memory_limit.min(options.data_limit.saturating_sub(taken))
    }
}

impl Host for Runner<'_> {
    fn options(&self) -> &lower::Options {
        &self.options
    }

    fn stopped(&self) -> bool {
        self.session.stop.load(Ordering::Relaxed)
    }

    fn run(&mut self, program: &Program, inputs: &[Tensor]) -> Result<Vec<Tensor>, RunError> {
        if self.stopped() {
            return Err(RunError::Interrupted("interrupted".into()));
        }
        if self.plan_only {
            self.planned.push(Planned {
                name: None,
                solve: false,
                program: program.clone(),
                inputs: inputs.to_vec(),
                objective: None,
            });
        }
        let mut code = compile_once(self.session, program)?;
        self.spent.native |= code.compiled().is_some();
        code.set_all(inputs);
        let began = Instant::now();
        code.run()?;
        self.spent.run += began.elapsed();
        Ok(code.all())
    }

    fn solve(&mut self, plan: &SolvePlan) -> Result<Outcome, RunError> {
        let name = self.pending_name.take();
        let solving = self.solving(name.clone(), plan);
        self.tell(Event::Solving(Rc::new(solving)));
        let last = self.only.is_some_and(|only| only.span == plan.span);
        if last {
            self.started = Instant::now();
        }
        let (began, before) = (Instant::now(), self.session.compiling.get());
        let outcome = super::solve::solve(self, plan)?;
        self.spent.run += began.elapsed().saturating_sub(self.session.compiling.get().saturating_sub(before));
        self.spent.native = true;
        if self.plan_only {
            let objective = Some(planned_objective(plan, &outcome.state[SolvePlan::X]));
            let program = plan.chunk.clone();
            let (name, inputs) = (name.clone(), plan.chunk_inputs.clone());
            self.planned.push(Planned { name, solve: true, program, inputs, objective });
        }
        let record = SolveRecord {
            name,
            optimizer: plan.optimizer.clone(),
            why: plan.why.clone(),
            configuration: plan.configuration.clone(),
            until: plan.until.iter().map(|part| part.text.clone()).collect(),
            maximize: plan.maximize,
            params: plan.names.clone(),
            outcome: outcome.clone(),
            reports: plan.reports.iter().map(ToString::to_string).collect(),
            span: plan.span,
        };
        self.sink.event(Event::Solved(Box::new(record)));
        if last { Err(RunError::Interrupted("the rest is not asked for".into())) } else { Ok(outcome) }
    }

    fn library_names(&self) -> Vec<Arc<str>> {
        self.session.library.names()
    }

    fn library_file(&mut self, name: &str) -> Res<Option<Rc<File>>> {
        let session = &mut *self.session;
        match session.library.file_of(name, &mut session.sources) {
            None => Ok(None),
            Some((file, reports)) => {
                let bad = reports.iter().any(Report::is_error);
                self.reports.extend(reports);
                if bad { Err(Poisoned) } else { Ok(Some(file)) }
            }
        }
    }

    fn load(&mut self, reading: Reading<'_>, span: Span) -> Result<Option<Loaded>, Box<Report>> {
        let full = data::resolve(&self.folder, reading.path);
        self.session.asked_for(&full);
        if self.unsaved.contains(&full) {
            return Ok(None);
        }
        let key = (reading.kind(), full);
        let again = self.only.is_some() || self.studied.is_some();
        let found =
            if again { self.session.loaded.get(&key).cloned() } else { self.session.loaded.remove(&key) };
        if let Some(loaded) = found {
            return Ok(Some(loaded));
        }
        let loaded = data::load_as(&self.folder, reading, self.room_for_data())
            .map_err(|error| Box::new(error.report(span)))?;
        if !self.options.execute || again {
            // The run that follows the check finds the same data, and need not read them again; so do all runs of a
            // comparison, and the next check of an editor.
            self.session.loaded.insert(key, loaded.clone());
        }
        Ok(Some(loaded))
    }

    fn import(&mut self, path: &str, span: Span) -> Result<Rc<File>, Box<Report>> {
        let full = data::resolve(&self.folder, path);
        self.session.asked_for(&full);
        if let Some((_, file)) = self.imported.iter().find(|(known, _)| *known == full) {
            return Ok(file.clone());
        }
        let limit = self.session.options.memory_limit;
        let text = match self.session.open.get(&full) {
            Some(text) => text.to_string(),
            None => data::read_text(&full, path, limit).map_err(|error| Box::new(error.report(span)))?,
        };
        let id = self.session.sources.add(path, text.as_str());
        let (file, reports) = parse_file(id, &text);
        self.reports.extend(reports);
        let file = Rc::new(file);
        self.imported.push((full, file.clone()));
        Ok(file)
    }

    fn input(&mut self, name: &str) -> Option<String> {
        self.asked.push(name.to_string());
        self.inputs.get(name).cloned()
    }

    fn print(&mut self, values: &[(Option<Arc<str>>, Val)], span: Span) -> Result<(), Box<Report>> {
        let mut parts = Vec::new();
        for (name, value) in values {
            let text = match value {
                Val::Str(text) => text.to_string(),
                other => show_within(other, self.session.options.width),
            };
            parts.push(match name {
                Some(name) => format!("{name} = {text}"),
                None => text,
            });
        }
        let block = parts.iter().any(|part| part.contains('\n'));
        let text = parts.join(if block { "\n" } else { " " });
        self.sink.event(Event::Print { text, span });
        Ok(())
    }

    fn save(&mut self, value: &Val, path: &str, span: Span) -> Result<(), Box<Report>> {
        let full = data::resolve(&self.folder, path);
        self.session.loaded.retain(|(_, read), _| *read != full);
        if !self.options.execute || self.plan_only || self.only.is_some() {
            self.unsaved.push(full);
            return Ok(());
        }
        let Some(loaded) = lower::to_loaded(value) else {
            return Err(Box::new(errors::cannot_save(span, &value.describe())));
        };
        data::save(&self.folder, path, &loaded).map_err(|error| Box::new(error.report(span)))?;
        self.sink.event(Event::Saved { path: path.to_string(), span });
        Ok(())
    }

    fn plot(&mut self, plot: &Plot, span: Span) -> Result<(), Box<Report>> {
        if self.plan_only || self.only.is_some() {
            return Ok(());
        }
        let drawing = Drawing { sources: &self.session.sources };
        let solve = plot.shown.iter().any(|item| matches!(item.shown, Shown::Fit(_)));
        let figure = drawing
            .figure(plot)
            .map_err(|empty| Box::new(errors::nothing_to_plot(span, &empty.name, empty.values, solve)))?;
        if let Some((path, at)) = &plot.path {
            let bytes = match Path::new(&**path).extension().and_then(|ending| ending.to_str()) {
                Some("svg") => picture::svg(&figure, false).into_bytes(),
                Some("png") => picture::png(&figure).unwrap_or_default(),
                _ => return Err(Box::new(data::not_a_picture(path).report(*at))),
            };
            data::write(&data::resolve(&self.folder, path), path, &bytes)
                .map_err(|error| Box::new(error.report(*at)))?;
        }
        let path = plot.path.as_ref().map(|(path, _)| path.to_string());
        self.sink.event(Event::Plot { figure: Box::new(figure), path, span });
        Ok(())
    }

    fn assertion(&mut self, held: bool, message: Option<&str>, detail: Option<String>, span: Span) {
        let message = message.map(str::to_string);
        self.sink.event(Event::Assert { held, message, detail, span });
    }

    fn named_solve(&mut self, name: &str, _span: Span) {
        self.pending_name = Some(name.to_string());
    }
}

/// The text of a program that is imported.
/// What a solve minimizes, and where it starts.
fn planned_objective(plan: &SolvePlan, start: &Tensor) -> PlannedObjective {
    PlannedObjective {
        value: plan.value.clone(),
        inputs: plan.value_inputs.clone(),
        start: start.clone(),
        names: plan.names.clone(),
        types: plan.answer.clone(),
        hessian: counts(plan, SolvePlan::EVALS_H),
        span: plan.span,
    }
}

/// Whether the step loop of a solve changes a place of the state.
fn counts(plan: &SolvePlan, place: usize) -> bool {
    plan.chunk.main.bindings.iter().any(|binding| match &binding.op {
        // The parameters of a body are the index, then what is carried.
        Op::Loop(step) if step.carried > place => step.body.results[place] != step.body.params[1 + place],
        _ => false,
    })
}

/// The warning for something noted.
fn noted(note: &Note) -> Report {
    let [first, second] = note.figures.map(super::show::number);
    match note.concern {
        Concern::Unsolved => lower::errors::inner_unsolved(note.span, note.times, &first, &second),
        Concern::Singular => lower::errors::inner_singular(note.span, note.times, &first, &second),
    }
}
