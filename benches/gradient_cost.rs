//! What a gradient costs, in evaluations of its function: for every objective that the programs in
//! `examples` solve, and every gradient that they ask for, median time of value and gradient over
//! median time of the value. Run with `cargo bench --bench gradient_cost [NAME]`.

#![expect(clippy::unwrap_used, reason = "a measurement")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use minima::data::{Loaded, Reading};
use minima::diag::{Report, Span};
use minima::driver::{Session, SessionOptions, compile};
use minima::ir::{Build, Diff, Elem, Function, Op, Program, Tensor, Ty};
use minima::lower::{Host, Lower, Options, Outcome, Plot, Res, RunError, SolvePlan, Val};
use minima::ops::Emit;
use minima::run::{Event, Runner, Sink};
use minima::syntax::ast::File;

/// Says nothing.
struct Silent;

impl Sink for Silent {
    fn event(&mut self, _: Event) {}
}

/// A function with a point to take its gradient at.
struct Measured {
    span: Span,
    unknowns: usize,
    value: f64,
    gradient: f64,
}

/// Runs a program, and measures its gradients on the way.
struct Meter<'s, 'r> {
    runner: &'r mut Runner<'s>,
    found: Vec<Measured>,
}

impl Meter<'_, '_> {
    /// Measures a function of reals and its gradient in the active ones.
    fn measure(&mut self, function: &Function, active: &[bool], inputs: &[Tensor], span: Span) {
        if self.found.iter().any(|known| known.span == span) {
            return;
        }
        let precision = self.runner.session.options.precision;
        let gradient = gradient_of(function, active);
        let mut times = Vec::new();
        for main in [function.clone(), gradient] {
            let mut code = compile(self.runner.session, &Program { main, precision })
                .unwrap_or_else(|_| panic!("it compiles"));
            code.set_all(inputs);
            times.push(median(|| code.run().unwrap_or_else(|_| panic!("it runs"))));
        }
        let unknowns = inputs.iter().zip(active).filter(|(_, on)| **on).map(|(input, _)| input.len()).sum();
        self.found.push(Measured { span, unknowns, value: times[0], gradient: times[1] });
    }

    /// Measures the gradients that code asks for outside of loops, where their arguments can be had.
    fn measure_code(&mut self, program: &Program, inputs: &[Tensor]) {
        for binding in &program.main.bindings {
            let Op::Vjp(diff) = &binding.op else { continue };
            let mut main = program.main.clone();
            main.results = binding.operands[..diff.function.params.len()].to_vec();
            let Ok(mut code) = compile(self.runner.session, &Program { main, precision: program.precision })
            else {
                continue;
            };
            code.set_all(inputs);
            if code.run().is_ok() {
                self.measure(&diff.function, &diff.active, &code.all(), binding.span);
            }
        }
    }
}

/// The results of a function, and the gradient of the sum of its real ones.
fn gradient_of(function: &Function, active: &[bool]) -> Function {
    let mut build = Build::new("gradient", Span::default());
    let mut operands: Vec<_> = function.params.iter().map(|p| build.param(function.ty(*p).clone())).collect();
    let of_active = function.params.iter().zip(active).filter(|(_, on)| **on);
    let types: Vec<Ty> =
        function.result_types().into_iter().chain(of_active.map(|(p, _)| function.ty(*p).clone())).collect();
    let reals = function.result_types().into_iter().filter(|ty| ty.elem == Elem::Real);
    operands.extend(reals.map(|ty| build.full(&ty, 1.0)).collect::<Vec<_>>());
    let diff = Diff { function: function.clone(), active: active.to_vec() };
    let results = build.bind(Op::Vjp(Arc::new(diff)), operands, types);
    build.finish(results)
}

/// The median of 15 times of a run; short runs are timed many together.
fn median(mut run: impl FnMut()) -> f64 {
    let mut timed = |count: u32| {
        let start = Instant::now();
        (0..count).for_each(|_| run());
        start.elapsed().as_secs_f64() / f64::from(count)
    };
    let mut count = 1;
    while timed(count) * f64::from(count) < 2e-3 {
        count *= 2;
    }
    let mut times: Vec<f64> = (0..15).map(|_| timed(count)).collect();
    times.sort_by(f64::total_cmp);
    times[7]
}

impl Host for Meter<'_, '_> {
    fn options(&self) -> &Options {
        self.runner.options()
    }

    fn run(&mut self, program: &Program, inputs: &[Tensor]) -> Result<Vec<Tensor>, RunError> {
        self.measure_code(program, inputs);
        self.runner.run(program, inputs)
    }

    fn solve(&mut self, plan: &SolvePlan) -> Result<Outcome, RunError> {
        let outcome = self.runner.solve(plan)?;
        let mut start = compile(self.runner.session, &plan.start)?;
        start.set_all(&plan.start_inputs);
        start.run()?;
        let inputs = [&[start.get(SolvePlan::X)], &plan.value_inputs[..]].concat();
        let active: Vec<bool> = (0..inputs.len()).map(|at| at == 0).collect();
        self.measure(&plan.value.main, &active, &inputs, plan.span);
        Ok(outcome)
    }

    fn library_names(&self) -> Vec<Arc<str>> {
        self.runner.library_names()
    }

    fn library_file(&mut self, name: &str) -> Res<Option<Rc<File>>> {
        self.runner.library_file(name)
    }

    fn load(&mut self, reading: Reading<'_>, span: Span) -> Result<Option<Loaded>, Box<Report>> {
        self.runner.load(reading, span)
    }

    fn import(&mut self, path: &str, span: Span) -> Result<Rc<File>, Box<Report>> {
        self.runner.import(path, span)
    }

    fn input(&mut self, name: &str) -> Option<String> {
        self.runner.input(name)
    }

    fn print(&mut self, values: &[(Option<Arc<str>>, Val)], span: Span) -> Result<(), Box<Report>> {
        self.runner.print(values, span)
    }

    fn save(&mut self, _: &Val, _: &str, _: Span) -> Result<(), Box<Report>> {
        Ok(())
    }

    fn plot(&mut self, plot: &Plot, span: Span) -> Result<(), Box<Report>> {
        self.runner.plot(plot, span)
    }

    fn assertion(&mut self, held: bool, message: Option<&str>, detail: Option<String>, span: Span) {
        self.runner.assertion(held, message, detail, span);
    }

    fn named_solve(&mut self, name: &str, span: Span) {
        self.runner.named_solve(name, span);
    }
}

/// All `.opt` files of a folder and those in it.
fn programs(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in folder.read_dir().unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            programs(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "opt") {
            found.push(path);
        }
    }
}

/// Seconds for people.
fn time(seconds: f64) -> String {
    match seconds {
        s if s < 1e-6 => format!("{:.0} ns", s * 1e9),
        s if s < 1e-3 => format!("{:.2} us", s * 1e6),
        s => format!("{:.2} ms", s * 1e3),
    }
}

/// Measures the programs whose path holds one of the names, all if there is none; prints a line for each objective, and
/// gives the ratios in ascending order.
pub fn ratios(only: &[String]) -> Vec<f64> {
    let mut paths = Vec::new();
    programs(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples"), &mut paths);
    paths.retain(|path| only.is_empty() || only.iter().any(|name| path.to_string_lossy().contains(name)));
    paths.sort();
    println!("{:36} {:>8} {:>12} {:>12} {:>7}", "objective", "unknowns", "value", "gradient", "ratio");
    let mut ratios = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut session =
            Session::new(SessionOptions::default()).unwrap_or_else(|_| panic!("the library is sound"));
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
        let name = path.strip_prefix(examples).unwrap().display().to_string();
        let id = session.sources.add(name.as_str(), text.as_str());
        let (file, _) = minima::syntax::parse_file(id, &text);
        let mut sink = Silent;
        let folder = path.parent().unwrap();
        let mut runner = Runner::new(&mut session, folder, HashMap::new(), &mut sink);
        let mut meter = Meter { runner: &mut runner, found: Vec::new() };
        let mut lower = Lower::new(&mut meter);
        lower.program(&Rc::new(file));
        let reports = lower.take_reports();
        drop(lower);
        let found = meter.found;
        drop(runner);
        assert!(!reports.iter().any(Report::is_error), "{name}: {reports:?}");
        for Measured { span, unknowns, value, gradient } in found {
            let (value_text, gradient_text, ratio) = (time(value), time(gradient), gradient / value);
            let place = format!("{}:{}", session.sources.get(span.file).0, session.sources.position(span).0);
            println!("{place:36} {unknowns:>8} {value_text:>12} {gradient_text:>12} {ratio:>7.2}");
            ratios.push(ratio);
        }
    }
    ratios.sort_by(f64::total_cmp);
    ratios
}

fn main() {
    let only: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let ratios = ratios(&only);
    if let Some(median) = ratios.get(ratios.len() / 2) {
        println!("{:36} {:>8} {:>12} {:>12} {median:>7.2}", "median", "", "", "");
    }
}
