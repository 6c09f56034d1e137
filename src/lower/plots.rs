//! `plot`: what is to be shown, as numbers. What it looks like is decided elsewhere.
//!
//! An argument is the result of a solve, a vector, or a form: `line(x, y)`, `scatter(x, y)`, `histogram(x)`, `heatmap(A)`,
//! `contour(f, box(lo, hi))`. Forms are words of `plot` alone; a name that the program binds comes before them.

use std::rc::Rc;
use std::sync::Arc;

use super::errors;
use super::levels::Contour;
use super::value::{Res, Scope, Val};
use super::{Fit, Lower};
use crate::diag::{Report, Span, nearest};
use crate::ir::{Dim, Elem};
use crate::syntax::ast::{Arg, ArgValue, Expr, ExprKind, Ident};

/// A picture that is asked for.
#[derive(Clone)]
pub struct Plot {
    /// What is shown, in order.
    pub shown: Vec<Plotted>,
    /// How it is shown.
    pub options: PlotOptions,
    /// The file it is written to, and where the program says so.
    pub path: Option<(Arc<str>, Span)>,
}

/// One thing shown.
#[derive(Clone)]
pub struct Plotted {
    /// The name given to it.
    pub name: Option<Arc<str>>,
    /// Where it stands: the text is its name, if it has no other.
    pub span: Span,
    /// What it is.
    pub shown: Shown,
}

/// What is shown.
#[derive(Clone)]
pub enum Shown {
    /// The loss and the norm of the gradient of a solve.
    Fit(Rc<Fit>),
    /// A vector over its places, or over the steps of its trace.
    Curve(Option<Vec<f64>>, Vec<f64>),
    /// A line through points.
    Line(Column, Column),
    /// Points.
    Scatter(Column, Column, Option<Tinted>),
    /// How often values occur, in so many classes or in as many as fit.
    Histogram(Vec<f64>, Option<usize>),
    /// A matrix: rows, columns, values.
    Heatmap(usize, usize, Vec<f64>),
    /// The level sets of a function.
    Contour(Contour),
}

/// Numbers, and where the program says which.
#[derive(Debug, Clone, Default)]
pub struct Column {
    /// Where they stand.
    pub span: Span,
    /// How many; in a check it may be unknown.
    pub count: Option<usize>,
    /// The numbers; in a check there are none.
    pub values: Vec<f64>,
}

/// What points are colored by.
#[derive(Debug, Clone)]
pub enum Tinted {
    /// A number for each.
    Numbers(Column),
    /// A word for each.
    Words(Span, Vec<String>),
}

/// How a picture is shown.
#[derive(Debug, Clone, Default)]
pub struct PlotOptions {
    /// Its title.
    pub title: Option<Arc<str>>,
    /// The names of the axes.
    pub labels: [Option<Arc<str>>; 2],
    /// Whether they are logarithmic, where that is said.
    pub log: [Option<bool>; 2],
    /// Its width and height in pixels.
    pub size: [Option<f64>; 2],
}

/// The options of `plot`.
pub(super) const OPTIONS: &[&str] = &["title", "x", "y", "log_x", "log_y", "width", "height"];

/// The forms, what each takes, and how many of these it needs.
pub(super) const FORMS: &[(&str, &[&str], usize)] = &[
    ("line", &["x", "y"], 2),
    ("scatter", &["x", "y", "color"], 2),
    ("histogram", &["x", "bins"], 1),
    ("heatmap", &["A"], 1),
    ("contour", &["f", "region", "path", "levels"], 1),
];

/// A picture is at least and at most so wide and high, in pixels.
const SIZES: std::ops::RangeInclusive<f64> = 100.0..=4000.0;

/// The most classes of a histogram.
const BINS: i64 = 1000;

impl Lower<'_> {
    /// `plot e, … [to "file"] [with …]`
    pub(super) fn plot(
        &mut self,
        scope: &Scope,
        values: &[Arg],
        path: Option<&Expr>,
        options: &[Arg],
        span: Span,
    ) -> Res<()> {
        let mut shown = Vec::new();
        let mut bad = false;
        for arg in values {
            match self.plotted(scope, arg) {
                Ok(item) => shown.push(item),
                Err(_) => bad = true,
            }
        }
        let found = self.plot_options(scope, options);
        let path = path.map(|e| self.path(scope, e).map(|path| (path, e.span))).transpose();
        let (found, path) = (found?, path?);
        if bad {
            return Err(super::Poisoned);
        }
        self.go_together(&shown)?;
        self.has_scales(&shown, options, &found)?;
        let options = found;
        if !self.host.options().execute {
            return Ok(());
        }
        match self.host.plot(&Plot { shown, options, path }, span) {
            Ok(()) => Ok(()),
            Err(report) => self.fail(*report),
        }
    }

    fn plotted(&mut self, scope: &Scope, arg: &Arg) -> Res<Plotted> {
        let name = arg.name.as_ref().map(|name| name.name.clone());
        let e = argument(arg);
        let shown = match self.plot_form(scope, &e)? {
            Some(shown) => shown,
            None => self.plotted_value(scope, &e)?,
        };
        Ok(Plotted { name, span: e.span, shown })
    }

    /// A result or a vector.
    fn plotted_value(&mut self, scope: &Scope, e: &Expr) -> Res<Shown> {
        // The columns of a trace are over its steps.
        let steps = match &*e.kind {
            ExprKind::Field { base, field } if &*field.name != "steps" => {
                match self.compute("plot", base.span, |lower| lower.expr(scope, base))? {
                    Val::Record(table) if table.rows.is_some() => table.get("steps").cloned(),
                    _ => None,
                }
            }
            _ => None,
        };
        match self.compute("plot", e.span, |lower| lower.expr(scope, e))? {
            Val::Fit(fit) => Ok(Shown::Fit(fit)),
            val => {
                let y = self.numbers(&val, e.span)?;
                let steps = steps.map(|steps| self.numbers(&steps, e.span)).transpose()?;
                Ok(Shown::Curve(steps.map(|steps| steps.values), y.values))
            }
        }
    }

    /// One of the forms, if it is one.
    fn plot_form(&mut self, scope: &Scope, e: &Expr) -> Res<Option<Shown>> {
        let ExprKind::Call { function, args } = &*e.kind else { return Ok(None) };
        let ExprKind::Name(name) = &*function.kind else { return Ok(None) };
        if scope.get(name).or_else(|| self.globals.get(name)).is_some() {
            return Ok(None);
        }
        let Some((name, params, needed)) = FORMS.iter().find(|(known, ..)| **known == **name) else {
            let near = nearest(name, FORMS.iter().map(|(name, ..)| *name));
            return match near.filter(|_| self.library_value(name).ok().flatten().is_none()) {
                Some(near) => self.fail(errors::unknown_plot(function.span, name, &near)),
                None => Ok(None),
            };
        };
        let given = self.form_arguments(name, params, *needed, args, e.span)?;
        let at = |k: usize| given.get(k).cloned().flatten();
        let shown = match (*name, at(0)) {
            ("line", Some(x)) => {
                let (x, y) = self.two_columns(scope, &x, &at(1).ok_or(super::Poisoned)?)?;
                Shown::Line(x, y)
            }
            ("scatter", Some(x)) => {
                let (x, y) = self.two_columns(scope, &x, &at(1).ok_or(super::Poisoned)?)?;
                let color = at(2).map(|e| self.tint(scope, &e, &x)).transpose()?;
                Shown::Scatter(x, y, color)
            }
            ("histogram", Some(x)) => {
                let values = self.column(scope, &x)?.values;
                let bins = at(1).map(|e| self.whole(scope, &e, "bins", BINS)).transpose()?;
                Shown::Histogram(values, bins)
            }
            ("heatmap", Some(matrix)) => self.plotted_matrix(scope, &matrix)?,
            (_, Some(f)) => Shown::Contour(self.contour(scope, &f, at(1), at(2), at(3))?),
            (_, None) => return Err(super::Poisoned),
        };
        Ok(Some(shown))
    }

    /// The arguments of a form, by position and by name.
    fn form_arguments(
        &mut self,
        form: &str,
        params: &[&str],
        needed: usize,
        args: &[Arg],
        span: Span,
    ) -> Res<Vec<Option<Expr>>> {
        let mut given: Vec<Option<Expr>> = vec![None; params.len()];
        let mut next = 0;
        for arg in args {
            let e = argument(arg);
            let at = match &arg.name {
                None => {
                    next += 1;
                    Some(next - 1).filter(|at| *at < params.len())
                }
                Some(name) => params.iter().position(|param| **param == *name.name),
            };
            match (at, &arg.name) {
                (Some(at), _) if given[at].is_none() => given[at] = Some(e),
                (Some(at), _) => return self.fail(errors::plot_twice(e.span, params[at])),
                (None, Some(name)) => {
                    return self.fail(errors::unknown_plot_argument(name.span, form, &name.name, params));
                }
                (None, None) => return self.fail(errors::plot_arguments(span, form, params, needed)),
            }
        }
        if given[..needed].iter().any(Option::is_none) {
            return self.fail(errors::plot_arguments(span, form, params, needed));
        }
        Ok(given)
    }

    fn two_columns(&mut self, scope: &Scope, x: &Expr, y: &Expr) -> Res<(Column, Column)> {
        let x = self.column(scope, x);
        let y = self.column(scope, y)?;
        let x = x?;
        self.same_count(&x, &y)?;
        Ok((x, y))
    }

    fn same_count(&mut self, a: &Column, b: &Column) -> Res<()> {
        match (a.count, b.count) {
            (Some(n), Some(m)) if n != m => self.fail(errors::plot_lengths(b.span, n, m, a.span)),
            _ => Ok(()),
        }
    }

    /// A vector of numbers.
    pub(super) fn column(&mut self, scope: &Scope, e: &Expr) -> Res<Column> {
        let val = self.compute("plot", e.span, |lower| lower.expr(scope, e))?;
        self.numbers(&val, e.span)
    }

    /// The numbers of a vector.
    pub(super) fn numbers(&mut self, val: &Val, span: Span) -> Res<Column> {
        let val = match val {
            Val::Range(..) => self.compute("plot", span, |lower| {
                let source = lower.source(val, span, false)?;
                lower.range_array(&source, span)
            })?,
            Val::Poison => return Err(super::Poisoned),
            other => other.clone(),
        };
        let Some(ty) = val.ty().filter(|ty| ty.rank() == 1) else {
            return self.fail(errors::not_plotted(span, &val.describe(), shape(&val)));
        };
        let count = ty.dims[0].known().and_then(|n| usize::try_from(n).ok());
        let values = if let Val::Known(tensor) = &val { tensor.to_reals() } else { Vec::new() };
        Ok(Column { span, count, values })
    }

    /// What points are colored by: numbers, or classes.
    fn tint(&mut self, scope: &Scope, e: &Expr, x: &Column) -> Res<Tinted> {
        let val = self.compute("plot", e.span, |lower| lower.expr(scope, e))?;
        let (tinted, count) = match &val {
            Val::Strs(words) => (Tinted::Words(e.span, words.to_vec()), Some(words.len())),
            Val::Known(tensor) if tensor.ty().elem == Elem::Bool && tensor.sizes.len() == 1 => {
                let words: Vec<String> = tensor.bools().iter().map(ToString::to_string).collect();
                let count = words.len();
                (Tinted::Words(e.span, words), Some(count))
            }
            Val::Known(tensor) if tensor.ty().elem == Elem::Int && tensor.sizes.len() == 1 => {
                let words: Vec<String> = tensor.ints().iter().map(ToString::to_string).collect();
                let mut kinds = words.clone();
                kinds.sort();
                kinds.dedup();
                let count = words.len();
                let numbers = || Column { span: e.span, count: Some(count), values: tensor.to_reals() };
                let few = kinds.len() <= CLASSES;
                let tinted = if few { Tinted::Words(e.span, words) } else { Tinted::Numbers(numbers()) };
                (tinted, Some(count))
            }
            other => {
                let column = self.numbers(other, e.span)?;
                let count = column.count;
                (Tinted::Numbers(column), count)
            }
        };
        self.same_count(x, &Column { span: e.span, count, values: Vec::new() })?;
        Ok(tinted)
    }

    /// A matrix of numbers.
    fn plotted_matrix(&mut self, scope: &Scope, e: &Expr) -> Res<Shown> {
        let val = self.compute("plot", e.span, |lower| lower.expr(scope, e))?;
        match &val {
            Val::Known(tensor) if tensor.sizes.len() == 2 => {
                Ok(Shown::Heatmap(tensor.sizes[0], tensor.sizes[1], tensor.to_reals()))
            }
            other if other.ty().is_some_and(|ty| ty.rank() == 2) => Ok(Shown::Heatmap(0, 0, Vec::new())),
            other => self.fail(errors::no_heatmap(e.span, &other.describe())),
        }
    }

    /// A number of things, known, at least one.
    pub(super) fn whole(&mut self, scope: &Scope, e: &Expr, name: &str, most: i64) -> Res<usize> {
        let val = self.compute("plot", e.span, |lower| lower.expr(scope, e))?;
        let want = format!("a number from 1 to {most}");
        let n = match &val {
            Val::Int(Dim::Known(n)) => *n,
            Val::Known(tensor) if tensor.ty().elem == Elem::Int && tensor.sizes.is_empty() => {
                tensor.ints().first().copied().unwrap_or(0)
            }
            Val::Int(_) | Val::Staged(_) if self.number(&val).is_some() && !self.host.options().execute => {
                return Ok(1);
            }
            other => return self.fail(errors::plot_value(e.span, name, &want, Some(&other.describe()))),
        };
        match usize::try_from(n) {
            Ok(whole) if (1..=most).contains(&n) => Ok(whole),
            _ => self.refused(e, errors::plot_value(e.span, name, &want, Some(&n.to_string()))),
        }
    }

    /// Fails for a value that is not fit. Of one that only stands for another, where nothing is run, nothing is said.
    pub(super) fn refused<T>(&mut self, e: &Expr, report: Report) -> Res<T> {
        let mut named = false;
        super::walk::expr(e, &mut |e| {
            named |= matches!(&*e.kind, ExprKind::Name(_));
            !named
        });
        if named && self.pretended { Err(super::Poisoned) } else { self.fail(report) }
    }

    fn plot_options(&mut self, scope: &Scope, options: &[Arg]) -> Res<PlotOptions> {
        let mut found = PlotOptions::default();
        let mut seen: Vec<Arc<str>> = Vec::new();
        for arg in options {
            let Some(name) = &arg.name else { return Err(super::Poisoned) };
            if seen.contains(&name.name) {
                return self.fail(errors::plot_twice(name.span, &name.name));
            }
            seen.push(name.name.clone());
            self.plot_option(scope, name, &argument(arg), &mut found)?;
        }
        Ok(found)
    }

    fn plot_option(&mut self, scope: &Scope, name: &Ident, e: &Expr, found: &mut PlotOptions) -> Res<()> {
        if !OPTIONS.contains(&&*name.name) {
            return self.fail(errors::unknown_plot_option(name.span, &name.name));
        }
        let val = self.compute("plot", e.span, |lower| lower.expr(scope, e))?;
        let wrong = |want| errors::plot_value(e.span, &name.name, want, Some(&val.describe()));
        let at = usize::from(matches!(&*name.name, "y" | "log_y" | "height"));
        match &*name.name {
            "title" | "x" | "y" => match &val {
                Val::Str(text) if &*name.name == "title" => found.title = Some(text.clone()),
                Val::Str(text) => found.labels[at] = Some(text.clone()),
                _ => return self.fail(wrong("a text in quotes")),
            },
            "log_x" | "log_y" => match (super::expr::known_bool(&val), val.ty()) {
                (Some(log), _) => found.log[at] = Some(log),
                (None, Some(ty)) if ty.elem == Elem::Bool && ty.rank() == 0 => {}
                _ => return self.fail(wrong("`true` or `false`")),
            },
            _ => match self.number(&val) {
                Some(Some(size)) if SIZES.contains(&size) => found.size[at] = Some(size),
                Some(None) => {}
                Some(Some(size)) => {
                    let (want, found) = ("a number of pixels from 100 to 4000", errors::brief(size));
                    return self.refused(e, errors::plot_value(e.span, &name.name, want, Some(&found)));
                }
                None => return self.fail(wrong("a number of pixels from 100 to 4000")),
            },
        }
        Ok(())
    }

    /// A single number: `Some(None)` if it is one that a check does not know.
    pub(super) fn number(&self, val: &Val) -> Option<Option<f64>> {
        match val {
            #[expect(clippy::cast_precision_loss, reason = "places and sizes of pictures")]
            Val::Int(Dim::Known(n)) => Some(Some(*n as f64)),
            Val::Known(tensor) if tensor.sizes.is_empty() && tensor.ty().elem != Elem::Bool => {
                Some(tensor.to_reals().first().copied())
            }
            Val::Int(_) => Some(None),
            Val::Staged(staged) if staged.ty.rank() == 0 && staged.ty.elem != Elem::Bool => Some(None),
            _ => None,
        }
    }

    /// A logarithmic axis is asked for where there can be one.
    fn has_scales(&mut self, shown: &[Plotted], options: &[Arg], found: &PlotOptions) -> Res<()> {
        let Some(first) = shown.first().map(|item| &item.shown) else { return Ok(()) };
        for name in options.iter().filter_map(|arg| arg.name.as_ref()) {
            let without = match (&*name.name, first) {
                ("log_x", _) if found.log[0] != Some(true) => false,
                ("log_y", _) if found.log[1] != Some(true) => false,
                ("log_x" | "log_y", Shown::Heatmap(..) | Shown::Contour(_)) => true,
                ("log_y", Shown::Histogram(..)) => true,
                _ => false,
            };
            if without {
                return self.fail(errors::no_log_axis(name.span, &name.name, family(first)));
            }
        }
        Ok(())
    }

    /// What is shown in one picture has axes in common.
    fn go_together(&mut self, shown: &[Plotted]) -> Res<()> {
        let Some(first) = shown.first() else { return Ok(()) };
        for other in &shown[1..] {
            let (a, b) = (family(&first.shown), family(&other.shown));
            let fields = matches!((&first.shown, &other.shown), (Shown::Contour(_), Shown::Contour(_)));
            let over = matches!(&first.shown, Shown::Contour(_))
                && matches!(other.shown, Shown::Line(..) | Shown::Scatter(..));
            if !over && (a != b || fields || matches!(other.shown, Shown::Heatmap(..) | Shown::Histogram(..)))
            {
                return self.fail(errors::plots_differ(other.span, b, a, first.span));
            }
        }
        Ok(())
    }
}

/// The most classes of points that have colors of their own.
const CLASSES: usize = 8;

/// An argument as an expression; a generator is its array.
fn argument(arg: &Arg) -> Expr {
    match &arg.value {
        ArgValue::Expr(e) => e.clone(),
        ArgValue::Generator(g, span) => {
            let depth = g.body.depth.saturating_add(1);
            Expr { kind: Box::new(ExprKind::Comprehension(g.clone())), span: *span, depth }
        }
    }
}

/// What reports call a kind of plot; those of one kind have axes in common.
fn family(shown: &Shown) -> &'static str {
    match shown {
        Shown::Fit(_) => "the course of a solve",
        Shown::Curve(..) | Shown::Line(..) | Shown::Scatter(..) => "curves and points",
        Shown::Histogram(..) => "a histogram",
        Shown::Heatmap(..) => "a heatmap",
        Shown::Contour(_) => "level sets",
    }
}

/// What a value is, as far as advice depends on it.
fn shape(val: &Val) -> &'static str {
    match val {
        Val::Function(_) => "function",
        Val::Objective(_) => "objective",
        Val::Strs(_) => "words",
        Val::Record(record) if record.rows.is_some() => "table",
        val => match val.ty().map(|ty| ty.rank()) {
            Some(0) => "number",
            Some(2) => "matrix",
            _ => "",
        },
    }
}
