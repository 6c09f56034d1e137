//! Calls: matching arguments with parameters, lifting scalar functions over arrays, inlining.

use std::rc::Rc;
use std::sync::Arc;

use super::types::Bound;
use super::value::{Argument, Function, Res, Scope, Slot, Val};
use super::{Lower, errors};
use crate::analysis::not_linear_in;
use crate::diag::Span;
use crate::ir::{Custom, Dim, Elem, Op, Tangents, Ty};
use crate::math::Kind;
use crate::ops::Emit;
use crate::syntax::ast::{Arg, ArgValue, Expr, ExprKind, FnDecl, ParamSpec, Pattern, TypeExpr, TypeKind};

/// A function may be active this often at once: more is recursion.
const RECURSION: usize = 48;

/// A value under its name.
type Named = (Arc<str>, Val);

impl Lower<'_> {
    /// `f(args)` as written.
    pub(crate) fn call_expr(&mut self, scope: &Scope, function: &Expr, args: &[Arg], span: Span) -> Res<Val> {
        let f = self.expr(scope, function)?;
        if let Val::Function(inner) = &f
            && let Function::Builtin(builtin) = &**inner
        {
            if matches!(builtin.name, "csv" | "npy" | "npz" | "json")
                && let [Arg { value: ArgValue::Expr(e), .. }] = args
                && let Some(path) = self.bare_path(scope, e)
            {
                return self.fail(errors::path_without_quotes(e.span, builtin.name, &path));
            }
            let reports = self.reports.len();
            let result = builtin.call(self, scope, args, span);
            if result.is_err() {
                let operands = args.iter().filter_map(|arg| match &arg.value {
                    ArgValue::Expr(e) => Some(e),
                    ArgValue::Generator(..) => None,
                });
                self.label_bindings(reports, scope, operands);
            }
            return result;
        }
        if f.ty().is_some()
            && let Some(report) = self.hidden_function(scope, function, &f, span)
        {
            return self.fail(report);
        }
        let args = self.arguments(scope, args)?;
        self.call(&f, args, span)
    }

    /// The text of a path that was written without quotes: `data/iris.csv`.
    fn bare_path(&self, scope: &Scope, e: &Expr) -> Option<String> {
        if matches!(&*e.kind, ExprKind::Str(_)) {
            return None;
        }
        let text = crate::syntax::print_expr(e).replace(' ', "");
        let ends = [".csv", ".tsv", ".npy", ".npz", ".json"].iter().any(|ending| text.ends_with(ending));
        let plain = text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '/' | '.' | '-'));
        let root = text.split(['/', '.', '-']).next().unwrap_or("");
        let known = self.slot(scope, root).is_some();
        (ends && plain && (text.contains('/') || !known)).then_some(text)
    }

    /// The report on a call of a name that hides a function of the library.
    fn hidden_function(
        &mut self,
        scope: &Scope,
        function: &Expr,
        found: &Val,
        span: Span,
    ) -> Option<crate::diag::Report> {
        let ExprKind::Name(name) = &*function.kind else { return None };
        let (Slot::Let(_, at) | Slot::Var(_, at)) = scope.get(name)?.clone();
        let meant = self.library_value(name).ok().flatten()?;
        matches!(meant, Val::Function(_)).then(|| errors::hidden_function(span, name, &found.describe(), at))
    }

    /// Elaborates arguments; a generator is its array.
    pub(crate) fn arguments(&mut self, scope: &Scope, args: &[Arg]) -> Res<Vec<Argument>> {
        let mut out = Vec::new();
        for arg in args {
            let (value, span) = match &arg.value {
                ArgValue::Expr(e) => (self.expr(scope, e)?, e.span),
                ArgValue::Generator(g, span) => (self.comprehension(scope, g, *span)?, *span),
            };
            out.push(Argument { name: arg.name.clone(), value, span });
        }
        Ok(out)
    }

    /// Calls a value.
    pub(crate) fn call(&mut self, f: &Val, args: Vec<Argument>, span: Span) -> Res<Val> {
        match f {
            Val::Function(function) => {
                let function = function.clone();
                self.deeper(span, |lower| lower.call_function(&function, args, span))
            }
            Val::Objective(objective) => {
                let objective = objective.clone();
                self.call_objective(&objective, args, span)
            }
            Val::Poison => Err(super::Poisoned),
            other => self.fail(errors::not_a_function(span, &other.describe())),
        }
    }

    fn call_function(&mut self, function: &Rc<Function>, args: Vec<Argument>, span: Span) -> Res<Val> {
        match &**function {
            Function::User { decl, scope } => self.call_user(decl, scope, args, span),
            Function::Lambda { params, body, scope } => {
                self.call_lambda(params, body, &scope.clone(), args, span)
            }
            Function::Primitive(prim) => {
                let count = prim.signature().0.len();
                if args.len() != count || args.iter().any(|a| a.name.is_some()) {
                    return self.fail(errors::argument_count(span, prim.name(), count, args.len()));
                }
                let prepared = args
                    .iter()
                    .zip(prim.signature().0)
                    .map(|(arg, kind)| match (kind, arg.value.ty()) {
                        (Kind::Real, Some(ty)) if ty.elem == Elem::Int => {
                            self.cast_real(&arg.value, arg.span)
                        }
                        _ => Ok(arg.value.clone()),
                    })
                    .collect::<Res<Vec<Val>>>()?;
                let at: Vec<(&Val, Span)> = prepared.iter().zip(args.iter().map(|a| a.span)).collect();
                self.apply(prim.name(), &at, span)
            }
            Function::Builtin(builtin) => (builtin.apply)(self, args, span),
            Function::Native(native) => {
                let call = native.call.clone();
                call(self, args, span)
            }
            Function::Type(decl, _) => {
                let name = decl.name.name.clone();
                self.fail(errors::not_a_function(span, &format!("the type `{name}`")))
            }
            Function::Opaque(ty, scope) => self.opaque_result(ty.as_ref(), &scope.clone()),
        }
    }

    /// What a function known only by its type gives.
    fn opaque_result(&mut self, ty: Option<&crate::syntax::ast::TypeExpr>, scope: &Scope) -> Res<Val> {
        let Some(ty) = ty else { return Err(super::Poisoned) };
        let TypeKind::Named { name, dims, .. } = &ty.kind else { return Err(super::Poisoned) };
        let elem = match &*name.name {
            "real" => Elem::Real,
            "int" => Elem::Int,
            "bool" => Elem::Bool,
            _ => return Err(super::Poisoned),
        };
        let dims = dims.iter().map(|e| self.dimension(scope, e)).collect::<Res<Vec<Dim>>>()?;
        let ty = Ty::new(elem, dims);
        let value = self.build().zeros(&ty);
        Ok(self.wrap(value))
    }

    fn call_lambda(
        &mut self,
        params: &[Pattern],
        body: &Expr,
        scope: &Scope,
        args: Vec<Argument>,
        span: Span,
    ) -> Res<Val> {
        if let Some(name) = args.iter().find_map(|arg| arg.name.clone()) {
            return self.fail(errors::lambda_named_argument(name.span));
        }
        let mut inner = scope.clone();
        if params.len() == args.len() {
            for (param, arg) in params.iter().zip(&args) {
                self.bind(&mut inner, param, &arg.value, arg.span)?;
            }
        } else if let ([arg], true) = (args.as_slice(), params.len() > 1) {
            // `(x, y) -> e` takes a pair as well.
            let pattern = Pattern::Tuple(params.to_vec(), span);
            self.bind(&mut inner, &pattern, &arg.value, arg.span)?;
        } else {
            return self.fail(errors::argument_count(span, "this function", params.len(), args.len()));
        }
        self.expr(&inner, body)
    }

    /// Matches arguments with parameters: by position, then by name; `None` is left to the default.
    pub(crate) fn match_args(
        &mut self,
        name: &str,
        params: &[ParamSpec],
        args: Vec<Argument>,
        span: Span,
    ) -> Res<Vec<Option<Argument>>> {
        let mut slots: Vec<Option<Argument>> = vec![None; params.len()];
        let mut next = 0;
        for arg in args {
            let at = match &arg.name {
                None if next < params.len() => {
                    next += 1;
                    next - 1
                }
                None => {
                    let names: Vec<&str> = params.iter().map(|p| &*p.name.name).collect();
                    return self.fail(errors::too_many_arguments(arg.span, name, &names));
                }
                Some(given) => match params.iter().position(|p| p.name.name == given.name) {
                    Some(at) => at,
                    None => {
                        let names: Vec<&str> = params.iter().map(|p| &*p.name.name).collect();
                        return self.fail(errors::unknown_argument(given.span, name, &given.name, &names));
                    }
                },
            };
            if slots[at].is_some() {
                return self.fail(errors::argument_twice(arg.span, &params[at].name.name));
            }
            slots[at] = Some(arg);
        }
        let missing: Vec<&str> = params
            .iter()
            .zip(&slots)
            .filter(|(param, slot)| slot.is_none() && param.default.is_none())
            .map(|(param, _)| &*param.name.name)
            .collect();
        if !missing.is_empty() {
            let given = slots.iter().any(Option::is_some);
            return self.fail(errors::missing_arguments(span, name, &missing, given));
        }
        Ok(slots)
    }

    /// Binds parameters to arguments or defaults, checking types and binding dimension names.
    pub(crate) fn bind_params(
        &mut self,
        params: &[ParamSpec],
        slots: Vec<Option<Argument>>,
        home: &Scope,
    ) -> Res<(Scope, Vec<Named>)> {
        let mut scope = home.clone();
        let mut bound: Bound = Some(Vec::new());
        let mut vals = Vec::new();
        for (param, slot) in params.iter().zip(slots) {
            let (val, span) = match (slot, &param.default) {
                (Some(arg), _) => (arg.value, arg.span),
                (None, Some(default)) => (self.expr(&scope, default)?, default.span),
                (None, None) => return Err(super::Poisoned),
            };
            let val = match &param.ty {
                Some(ty) => {
                    let reports = self.reports.len();
                    let fitted = self.fit_in(ty, &val, span, &mut scope, &mut bound);
                    self.name_argument(reports, &param.name.name);
                    fitted?
                }
                None => val,
            };
            self.denotes(param.name.span, &val);
            scope = scope.with(&param.name.name, Slot::Let(val.clone(), param.name.span));
            if let Some(bound) = &mut bound {
                bound.push(param.name.name.clone());
            }
            vals.push((param.name.name.clone(), val));
        }
        Ok((scope, vals))
    }

    /// Reports that an argument does not fit say for which parameter.
    fn name_argument(&mut self, from: usize, name: &str) {
        for report in self.reports.iter_mut().skip(from) {
            if matches!(report.code, "E0208" | "E0209") && !report.message.contains('`') {
                report.message = report.message.replacen(", found ", &format!(" for `{name}`, found "), 1);
            }
        }
    }

    fn call_user(&mut self, decl: &Arc<FnDecl>, home: &Scope, args: Vec<Argument>, span: Span) -> Res<Val> {
        let name = decl.name.name.clone();
        if self.calls.iter().filter(|n| **n == name).count() >= RECURSION {
            return self.fail(errors::recursion(span, &name));
        }
        let slots = self.match_args(&name, &decl.params, args, span)?;
        self.calls.push(name);
        let reports = self.reports.len();
        let result = self.call_matched(decl, home, slots, span);
        self.calls.pop();
        self.note_call(reports, decl, span);
        result
    }

    /// Errors inside a called function say where it was called from.
    fn note_call(&mut self, from: usize, decl: &FnDecl, span: Span) {
        for report in self.reports.iter_mut().skip(from) {
            let outside =
                report.span.file != span.file || report.span.start < span.start || report.span.end > span.end;
            let labelled =
                report.labels.iter().any(|l| l.text.starts_with("called from here") || l.span == span);
            if outside && !labelled && report.labels.len() < 4 && report.is_error() {
                report.labels.push(crate::diag::Label {
                    span,
                    text: format!("called from here: `{}`", decl.name.name),
                });
            }
        }
    }

    fn call_matched(
        &mut self,
        decl: &Arc<FnDecl>,
        home: &Scope,
        slots: Vec<Option<Argument>>,
        span: Span,
    ) -> Res<Val> {
        let lifted = lifted(&decl.params, &slots);
        if !lifted.is_empty() {
            let call = |lower: &mut Self, inner| lower.call_matched(decl, home, inner, span);
            return self.call_lifted(&slots, &lifted, span, call);
        }
        let (scope, vals) = self.bind_params(&decl.params, slots, home)?;
        let result = match &decl.derivative {
            Some(_) => self.call_custom(decl, &scope, &vals, span)?,
            None => self.expr(&scope, &decl.body)?,
        };
        match &decl.result {
            Some(ty) => self.fit_result(ty, &result, decl, &scope),
            None => Ok(result),
        }
    }

    fn fit_result(
        &mut self,
        ty: &crate::syntax::ast::TypeExpr,
        result: &Val,
        decl: &FnDecl,
        scope: &Scope,
    ) -> Res<Val> {
        let mut scope = scope.clone();
        // Dimension names that no argument binds are free in the result.
        let mut bound: Bound = Some(scope.names());
        self.fit_in(ty, result, decl.body.span, &mut scope, &mut bound)
    }

    /// A function declared on scalars, for every element of the arrays it is given.
    pub(super) fn call_lifted(
        &mut self,
        slots: &[Option<Argument>],
        lifted: &[usize],
        span: Span,
        call: impl Fn(&mut Self, Vec<Option<Argument>>) -> Res<Val>,
    ) -> Res<Val> {
        let arrays: Vec<Argument> = lifted.iter().filter_map(|k| slots[*k].clone()).collect();
        let vals: Vec<Val> = arrays.iter().map(|a| a.value.clone()).collect();
        let at: Vec<(&Val, Span)> = arrays.iter().map(|a| (&a.value, a.span)).collect();
        let dims = self.common_dims(&vals, &at, span)?;
        let count = Dim::product(&dims).ok_or(super::Poisoned)?;
        let mut flat = Vec::new();
        for (val, (_, at)) in vals.iter().zip(&at) {
            let wide = self.spread(val, &dims, *at)?;
            let value = self.value(&wide, *at)?;
            self.build().at(span);
            let value = self.build().reshape(value, std::slice::from_ref(&count));
            flat.push(self.wrap(value));
        }
        let result = self.map(&count, span, |lower, index| {
            let mut inner = slots.to_vec();
            for (k, array) in lifted.iter().zip(&flat) {
                let element = lower.take(array, index, span)?;
                if let Some(slot) = &mut inner[*k] {
                    slot.value = element;
                }
            }
            call(lower, inner)
        })?;
        let leaves = result.leaves().ok_or(super::Poisoned)?;
        let mut out = Vec::new();
        for leaf in leaves {
            let mut wide = dims.clone();
            wide.extend(leaf.ty().ok_or(super::Poisoned)?.dims.into_iter().skip(1));
            let value = self.value(&leaf, span)?;
            self.build().at(span);
            let value = self.build().reshape(value, &wide);
            out.push(self.wrap(value));
        }
        Ok(result.rebuild(&mut out.into_iter()))
    }

    /// A function that states its own derivative.
    pub(crate) fn call_custom(
        &mut self,
        decl: &Arc<FnDecl>,
        scope: &Scope,
        vals: &[(Arc<str>, Val)],
        span: Span,
    ) -> Res<Val> {
        let Some(clause) = &decl.derivative else { return Err(super::Poisoned) };
        let numeric: Vec<(Arc<str>, Val)> =
            vals.iter().filter(|(_, val)| val.is_numeric() && !matches!(val, Val::Int(_))).cloned().collect();
        let real: Vec<usize> = numeric
            .iter()
            .enumerate()
            .filter(|(_, (_, val))| {
                val.leaves().unwrap_or_default().iter().all(|l| l.ty().is_some_and(|t| t.elem == Elem::Real))
            })
            .map(|(k, _)| k)
            .collect();
        if clause.params.len() != real.len() {
            let at = clause.params.first().map_or(clause.body.span, |p| p.span);
            return self.fail(errors::derivative_params(
                at,
                &decl.name.name,
                real.len(),
                clause.params.len(),
            ));
        }
        let leaves: Vec<Val> = numeric.iter().flat_map(|(_, val)| val.leaves().unwrap_or_default()).collect();
        let types: Vec<Ty> = leaves.iter().filter_map(Val::ty).collect();
        let operands = self.values(&leaves, span)?;
        let tangents: Vec<Ty> = real
            .iter()
            .flat_map(|k| numeric[*k].1.leaves().unwrap_or_default())
            .filter_map(|leaf| leaf.ty())
            .collect();
        let (body, shape) = self.custom_part(
            &decl.name.name,
            scope,
            &numeric,
            &types,
            (&[], &[]),
            (&decl.body, decl.result.as_ref()),
            span,
        )?;
        let tangent_names: Vec<(Arc<str>, usize)> =
            clause.params.iter().zip(&real).map(|(p, k)| (p.name.clone(), *k)).collect();
        let name = format!("d {}", decl.name.name);
        let (tangent, tangent_shape) = self.custom_part(
            &name,
            scope,
            &numeric,
            &types,
            (&tangent_names, &tangents),
            (&clause.body, None),
            span,
        )?;
        let result_types: Vec<Ty> = body.function.result_types();
        let tangent_types: Vec<Ty> = tangent.function.result_types();
        if result_types.iter().filter(|t| t.elem == Elem::Real).ne(tangent_types.iter()) {
            let (a, b) = (shape.describe(), tangent_shape.describe());
            return self.fail(errors::derivative_shape(clause.body.span, &decl.name.name, &a, &b));
        }
        let (mut functions, captures) = self.share_custom(types.len(), tangents.len(), body, tangent);
        let tangent = functions.pop().ok_or(super::Poisoned)?;
        let function = functions.pop().ok_or(super::Poisoned)?;
        let tangents: Vec<bool> = (0..tangent.params.len()).map(|at| at >= function.params.len()).collect();
        if let Some(span) = not_linear_in(&tangent, &tangents) {
            let (span, name) = (span.unwrap_or(clause.body.span), &decl.name.name);
            return self.fail(errors::derivative_not_linear(span, name));
        }
        let mut all = operands;
        all.extend(captures);
        let custom = Arc::new(Custom { function, tangents: Tangents::Stated(tangent) });
        self.note_stated(decl, &custom, &numeric);
        let results = self.emit_op(Op::Custom(custom), all, result_types, span);
        Ok(shape.rebuild(&mut results.into_iter()))
    }

    /// The function or the tangent of a custom derivative, as a closed function of the arguments.
    #[expect(clippy::too_many_arguments, reason = "the parts of one clause")]
    fn custom_part(
        &mut self,
        name: &str,
        scope: &Scope,
        args: &[(Arc<str>, Val)],
        types: &[Ty],
        (tangent_names, tangents): (&[(Arc<str>, usize)], &[Ty]),
        (body, declared): (&Expr, Option<&TypeExpr>),
        span: Span,
    ) -> Res<(super::stage::Closed, Val)> {
        self.open(name, span);
        let mut inner = scope.clone();
        let params: Vec<Val> = types.iter().map(|ty| self.param(ty.clone())).collect();
        let mut params = params.into_iter();
        let mut shapes = Vec::new();
        for (name, val) in args {
            let val = val.rebuild(&mut params);
            inner = inner.with(name, Slot::Let(val.clone(), span));
            shapes.push(val);
        }
        let directions: Vec<Val> = tangents.iter().map(|ty| self.param(ty.clone())).collect();
        let mut directions = directions.into_iter();
        for (name, k) in tangent_names {
            let val = shapes[*k].rebuild(&mut directions);
            inner = inner.with(name, Slot::Let(val, span));
        }
        let result = self.expr(&inner, body).and_then(|val| {
            let val = match declared {
                Some(ty) => self.fit_in(ty, &val, body.span, &mut inner.clone(), &mut Some(inner.names()))?,
                None => val,
            };
            let val = self.numeric_result(val, body.span)?;
            let leaves = val.leaves().ok_or(super::Poisoned)?;
            // A tangent is real even where it is written as an integer.
            let leaves = if tangent_names.is_empty() {
                leaves
            } else {
                leaves.iter().map(|leaf| self.cast_real(leaf, body.span)).collect::<Res<Vec<Val>>>()?
            };
            Ok((val.rebuild(&mut leaves.clone().into_iter()), leaves))
        });
        match result {
            Ok((shape, leaves)) => Ok((self.close(&leaves, span)?, shape)),
            Err(poisoned) => {
                self.abandon();
                Err(poisoned)
            }
        }
    }

    fn numeric_result(&mut self, val: Val, span: Span) -> Res<Val> {
        if val.leaves().is_some() {
            let leaves = val.leaves().unwrap_or_default();
            let leaves: Vec<Val> =
                leaves
                    .iter()
                    .map(|leaf| {
                        if matches!(leaf, Val::Int(_)) {
                            self.cast_real(leaf, span)
                        } else {
                            Ok(leaf.clone())
                        }
                    })
                    .collect::<Res<_>>()?;
            return Ok(val.rebuild(&mut leaves.into_iter()));
        }
        self.fail(errors::expected_array(span, &val.describe()))
    }

    /// Captures of both parts become arguments of both; their tangents are not passed on.
    fn share_custom(
        &mut self,
        args: usize,
        tangents: usize,
        body: super::stage::Closed,
        tangent: super::stage::Closed,
    ) -> (Vec<crate::ir::Function>, Vec<crate::ir::Value>) {
        // The tangent's own parameters stand between the arguments and the captures; move them behind.
        let mut tangent = tangent;
        let moved: Vec<crate::ir::Value> = tangent.function.params.drain(args..args + tangents).collect();
        let (mut functions, captures) = self.share_captures(vec![body, tangent]);
        functions[1].params.extend(moved);
        (functions, captures)
    }
}

/// The places of parameters declared as scalars that are given arrays.
pub(super) fn lifted(params: &[ParamSpec], slots: &[Option<Argument>]) -> Vec<usize> {
    let is_lifted = |(param, slot): (&ParamSpec, &Option<Argument>)| {
        let array = slot.as_ref().and_then(|arg| arg.value.ty()).is_some_and(|ty| ty.rank() > 0);
        array && param.ty.as_ref().is_some_and(is_scalar_type)
    };
    let places = params.iter().zip(slots).enumerate();
    places.filter(|(_, pair)| is_lifted(*pair)).map(|(k, _)| k).collect()
}

/// Whether a type is a scalar `real`, `int` or `bool`.
pub(crate) fn is_scalar_type(ty: &crate::syntax::ast::TypeExpr) -> bool {
    match &ty.kind {
        TypeKind::Named { name, dims, .. } => {
            dims.is_empty() && matches!(&*name.name, "real" | "int" | "bool")
        }
        _ => false,
    }
}
