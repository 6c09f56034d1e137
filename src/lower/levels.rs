//! `plot contour(f, box(lo, hi), path = fit)`: a function of two numbers on a grid, and ways over it.

use std::rc::Rc;
use std::sync::Arc;

use super::errors;
use super::objective::param_types;
use super::plots::Column;
use super::value::{Argument, Function, Res, Scope, Val};
use super::{Fit, Lower, Objective};
use crate::diag::Span;
use crate::ir::{Elem, Tensor, Ty};
use crate::syntax::ast::{ArgValue, Expr, ExprKind, Pattern};

/// The level sets of a function of two numbers.
#[derive(Debug, Clone)]
pub struct Contour {
    /// Where the function stands.
    pub span: Span,
    /// What the two numbers are called.
    pub names: [String; 2],
    /// Where the grid has columns and rows.
    pub at: [Vec<f64>; 2],
    /// The values, row by row from the least second number on.
    pub values: Vec<f64>,
    /// The levels, or none for good ones.
    pub levels: Vec<f64>,
    /// About how many levels, where that is said.
    pub count: Option<usize>,
    /// Ways over it, each with the place of its name.
    pub paths: Vec<Way>,
}

/// The way of a solve.
#[derive(Debug, Clone)]
pub struct Way {
    /// Where it is named, and its number where several have one name.
    pub span: Span,
    /// Which of several under that name.
    pub number: Option<usize>,
    /// Its points.
    pub points: Vec<[f64; 2]>,
}

/// Points of the grid along an axis.
const POINTS: usize = 301;
/// The most levels.
const LEVELS: i64 = 50;
/// A region that follows from ways has so much room around them.
const ROOM: f64 = 0.25;

/// A function of two numbers.
struct Plane {
    function: Val,
    /// Whether it takes two arguments rather than a pair.
    two: bool,
    names: [String; 2],
}

impl Lower<'_> {
    /// `contour(f, region, path, levels)`
    pub(super) fn contour(
        &mut self,
        scope: &Scope,
        f: &Expr,
        region: Option<Expr>,
        path: Option<Expr>,
        levels: Option<Expr>,
    ) -> Res<Contour> {
        let val = self.compute("plot", f.span, |lower| lower.expr(scope, f))?;
        let plane = self.plane(&val, f.span)?;
        let mut paths = Vec::new();
        match (&path, &val) {
            (Some(path), _) => self.ways(scope, path, &mut paths)?,
            // The result of a solve is its objective and its way.
            (None, Val::Fit(fit)) => paths.push(self.way_of_fit(fit, f.span)?),
            (None, _) => {}
        }
        let region = match region {
            Some(region) => self.region(scope, &region)?,
            None => self.region_of_ways(&paths, f.span)?,
        };
        let (levels, count) = match levels {
            None => (Vec::new(), None),
            Some(e) => self.levels(scope, &e)?,
        };
        let at = region.map(|(lo, hi)| spread(lo, hi));
        let values = self.on_grid(&plane, &at, f.span)?;
        Ok(Contour { span: f.span, names: plane.names, at, values, levels, count, paths })
    }

    /// The values on the grid. A first call finds what is wrong with the function, at its place in the program.
    fn on_grid(&mut self, plane: &Plane, at: &[Vec<f64>; 2], span: Span) -> Res<Vec<f64>> {
        let [x, y] = [at[0][0], at[1][0]];
        let argument = |value: Val| Argument { name: None, value, span };
        let arguments = if plane.two {
            vec![argument(Val::real(x)), argument(Val::real(y))]
        } else {
            vec![argument(Val::Known(Tensor::real(&[2], vec![x, y])))]
        };
        let indices = std::mem::take(&mut self.indices);
        let first = self.compute("plot", span, |lower| lower.call(&plane.function, arguments, span));
        self.indices = indices;
        let first = first?;
        if first.ty().is_none_or(|ty| ty.rank() != 0 || ty.elem == Elem::Bool) {
            return self.fail(errors::levels_of_numbers(span, &first.describe()));
        }
        let name = if plane.two { "level_grid_of_two" } else { "level_grid" };
        let grid = self.lookup(&Scope::library(), &Arc::from(name), span)?;
        let vector = |at: &Vec<f64>| argument(Val::Known(Tensor::real(&[at.len()], at.clone())));
        let arguments = vec![argument(plane.function.clone()), vector(&at[0]), vector(&at[1])];
        let indices = std::mem::take(&mut self.indices);
        let values = self.compute("plot", span, |lower| lower.call(&grid, arguments, span));
        self.indices = indices;
        Ok(if let Val::Known(tensor) = values? { tensor.to_reals() } else { Vec::new() })
    }

    /// What takes two numbers and gives one.
    fn plane(&mut self, val: &Val, span: Span) -> Res<Plane> {
        let objective = match val {
            Val::Objective(objective) => objective.clone(),
            Val::Fit(fit) => fit.objective.clone(),
            Val::Function(function) => return self.plane_of_function(val, function, span),
            other => return self.fail(errors::not_a_plane(span, &other.describe())),
        };
        let Some(names) = pair_of_params(&objective) else {
            return self.fail(errors::not_two_numbers(span, size_of_params(&objective)));
        };
        let call = Rc::new(move |lower: &mut Lower<'_>, args: Vec<Argument>, span: Span| {
            let [arg] = args.as_slice() else { return Err(super::Poisoned) };
            let params = lower.unflatten(&objective, &arg.value, span)?;
            lower.objective_value(&objective, &params)
        });
        Ok(Plane { function: Val::native("the objective", call), two: false, names })
    }

    fn plane_of_function(&mut self, val: &Val, function: &Function, span: Span) -> Res<Plane> {
        let params: Option<Vec<String>> = match function {
            Function::Lambda { params, .. } => Some(params.iter().map(pattern).collect()),
            Function::User { decl, .. } => {
                let needed = decl.params.iter().filter(|param| param.default.is_none());
                Some(needed.map(|param| param.name.name.to_string()).collect())
            }
            Function::Primitive(prim) => {
                let names = ["x", "y"].into_iter().chain(std::iter::repeat("z"));
                Some(names.take(prim.signature().0.len()).map(String::from).collect())
            }
            Function::Builtin(_) | Function::Native(_) | Function::Type(..) | Function::Opaque(..) => None,
        };
        match params.as_deref() {
            Some([a, b]) => Ok(Plane { function: val.clone(), two: true, names: [a.clone(), b.clone()] }),
            Some([p]) => Ok(Plane { function: val.clone(), two: false, names: elements(p) }),
            None => Ok(Plane { function: val.clone(), two: false, names: elements("x") }),
            Some(params) => self.fail(errors::function_of_others(span, params.len())),
        }
    }

    /// `box(lo, hi)`: from one corner to the other.
    fn region(&mut self, scope: &Scope, e: &Expr) -> Res<[(f64, f64); 2]> {
        let inner = if let ExprKind::Paren(inner) = &*e.kind { inner } else { e };
        let ExprKind::Call { function, args } = &*inner.kind else {
            return self.fail(errors::no_box(e.span));
        };
        let named = matches!(&*function.kind, ExprKind::Name(name) if &**name == "box");
        let ends: Vec<&Expr> = args
            .iter()
            .filter_map(|arg| match (&arg.name, &arg.value) {
                (None, ArgValue::Expr(e)) => Some(e),
                _ => None,
            })
            .collect();
        let ([lo, hi], true, 2) = (ends.as_slice(), named, args.len()) else {
            return self.fail(errors::no_box(e.span));
        };
        let (a, b) = (self.corner(scope, lo)?, self.corner(scope, hi)?);
        for k in 0..2 {
            // In a check nothing need be known.
            if let (Some(lo), Some(hi)) = (a[k], b[k])
                && !(lo < hi && (hi - lo).is_finite())
            {
                return self.refused(e, errors::no_area(e.span, lo, hi));
            }
        }
        Ok([0, 1].map(|k| match (a[k], b[k]) {
            (Some(lo), Some(hi)) => (lo, hi),
            _ => (0.0, 1.0),
        }))
    }

    /// A corner of a box: two numbers, or one that stands for both.
    fn corner(&mut self, scope: &Scope, e: &Expr) -> Res<[Option<f64>; 2]> {
        let val = self.compute("plot", e.span, |lower| lower.expr(scope, e))?;
        if let Some(number) = self.number(&val) {
            return Ok([number; 2]);
        }
        if let Val::Tuple(items) = &val
            && let [a, b] = items.as_slice()
            && let (Some(a), Some(b)) = (self.number(a), self.number(b))
        {
            return Ok([a, b]);
        }
        match (&val, val.ty()) {
            (Val::Known(tensor), _) if tensor.sizes == [2] && tensor.ty().elem != Elem::Bool => {
                let at = tensor.to_reals();
                Ok([Some(at[0]), Some(at[1])])
            }
            (Val::Staged(_), Some(ty)) if ty.rank() == 1 => Ok([None; 2]),
            _ => self.fail(errors::plot_value(
                e.span,
                "box",
                "a number or two, such as `[-2, -1]`",
                Some(&val.describe()),
            )),
        }
    }

    /// A region that holds all ways.
    fn region_of_ways(&mut self, paths: &[Way], span: Span) -> Res<[(f64, f64); 2]> {
        if paths.is_empty() {
            return self.fail(errors::no_box(span));
        }
        Ok([0, 1].map(|k| {
            let at = paths
                .iter()
                .flat_map(|way| way.points.iter().map(|point| point[k]))
                .filter(|x| x.is_finite());
            let (lo, hi) = at.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), x| (lo.min(x), hi.max(x)));
            let room = (hi - lo) * ROOM;
            if lo < hi && room.is_finite() {
                (lo - room, hi + room)
            } else if lo == hi && (lo - 1.0..lo + 1.0).contains(&lo) {
                (lo - 1.0, lo + 1.0)
            } else {
                (-1.0, 1.0)
            }
        }))
    }

    /// The levels themselves, or how many.
    fn levels(&mut self, scope: &Scope, e: &Expr) -> Res<(Vec<f64>, Option<usize>)> {
        let val = self.compute("plot", e.span, |lower| lower.expr(scope, e))?;
        if val.ty().is_none_or(|ty| ty.rank() == 0) {
            return Ok((Vec::new(), Some(self.whole(scope, e, "levels", LEVELS)?)));
        }
        let Column { mut values, .. } = self.numbers(&val, e.span)?;
        if let Some(bad) = values.iter().find(|level| !level.is_finite()) {
            let found = errors::brief(*bad);
            return self.refused(e, errors::plot_value(e.span, "levels", "finite numbers", Some(&found)));
        }
        values.sort_by(f64::total_cmp);
        values.dedup();
        Ok((values, None))
    }

    /// What `path = …` names: a result, its points, or several of these.
    fn ways(&mut self, scope: &Scope, e: &Expr, paths: &mut Vec<Way>) -> Res<()> {
        match &*e.kind {
            ExprKind::Paren(inner) => return self.ways(scope, inner, paths),
            ExprKind::Tuple(items) | ExprKind::Array(items) if !matches!(&*e.kind, ExprKind::Array(rows) if is_matrix(rows)) =>
            {
                return items.iter().try_for_each(|item| self.ways(scope, item, paths));
            }
            _ => {}
        }
        let val = self.compute("plot", e.span, |lower| lower.expr(scope, e))?;
        match &val {
            Val::Tuple(items) | Val::List(items) => {
                for (k, item) in items.iter().enumerate() {
                    let way = self.way(item, e.span)?;
                    paths.push(Way { number: Some(k), ..way });
                }
                Ok(())
            }
            other => {
                paths.push(self.way(other, e.span)?);
                Ok(())
            }
        }
    }

    fn way(&mut self, val: &Val, span: Span) -> Res<Way> {
        match val {
            Val::Fit(fit) => self.way_of_fit(fit, span),
            Val::Known(tensor) if tensor.sizes.len() == 2 && tensor.sizes[1] == 2 => {
                let points = tensor.to_reals().chunks(2).map(|point| [point[0], point[1]]).collect();
                Ok(Way { span, number: None, points })
            }
            Val::Staged(staged) if staged.ty.rank() == 2 => {
                Ok(Way { span, number: None, points: Vec::new() })
            }
            Val::Poison => Err(super::Poisoned),
            other => self.fail(errors::no_way(span, &other.describe())),
        }
    }

    fn way_of_fit(&mut self, fit: &Fit, span: Span) -> Res<Way> {
        if pair_of_params(&fit.objective).is_none() {
            return self.fail(errors::not_two_numbers(span, size_of_params(&fit.objective)));
        }
        Ok(Way { span, number: None, points: fit.outcome.trace.path.clone() })
    }
}

fn spread(lo: f64, hi: f64) -> Vec<f64> {
    #[expect(clippy::cast_precision_loss, reason = "points of a grid are few")]
    let part = |k: usize| k as f64 / (POINTS - 1) as f64;
    (0..POINTS).map(|k| lo * (1.0 - part(k)) + hi * part(k)).collect()
}

/// Rows of brackets: points, not results.
fn is_matrix(rows: &[Expr]) -> bool {
    rows.iter().all(|row| matches!(&*row.kind, ExprKind::Array(_)))
}

fn pattern(pattern: &Pattern) -> String {
    match pattern {
        Pattern::Name(name) => name.name.to_string(),
        Pattern::Tuple(..) => "x".into(),
    }
}

fn elements(name: &str) -> [String; 2] {
    [0, 1].map(|k| format!("{name}[{k}]"))
}

/// How many numbers the params of an objective are, if that is known.
fn size_of_params(objective: &Objective) -> Option<i64> {
    let types: Vec<Ty> = objective.params.iter().flat_map(param_types).collect();
    types.iter().map(|ty| ty.dims.iter().map(crate::ir::Dim::known).product::<Option<i64>>()).sum()
}

/// What the two params of an objective are called, if they are two numbers.
fn pair_of_params(objective: &Objective) -> Option<[String; 2]> {
    if size_of_params(objective) != Some(2) {
        return None;
    }
    let mut names = Vec::new();
    for param in &objective.params {
        for (name, ty) in param.start.leaf_names(&param.name).into_iter().zip(param_types(param)) {
            match ty.dims.iter().map(crate::ir::Dim::known).product::<Option<i64>>() {
                Some(2) => names.extend(elements(&name)),
                _ => names.push(name),
            }
        }
    }
    names.try_into().ok()
}
