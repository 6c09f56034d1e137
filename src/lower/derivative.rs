//! The gradient of a declared function as code with parameters, at sizes chosen for the names in
//! its dimensions: what is printed as a program.

use std::sync::Arc;

use super::labels::Shifted;
use super::value::{Argument, Res, Scope, Slot, Val};
use super::{Lower, declare, errors, walk};
use crate::diag::Span;
use crate::export::Layout;
use crate::ir::{self, Data, Elem, Program, Tensor, Ty};
use crate::syntax::ast::{
    ArgValue, Binding, Block, Expr, ExprKind, FnDecl, Generator, Ident, ObjectiveDecl, ParamSpec, Stmt,
    StmtKind, TypeExpr, TypeKind,
};

/// What is differentiated, and with respect to which parameters.
#[derive(Debug, Clone)]
pub struct Differentiated {
    /// The function.
    pub decl: Arc<FnDecl>,
    /// The names of the parameters.
    pub wrt: Vec<Arc<str>>,
    /// Whether the result has a field for each of them, even for one.
    pub fields: bool,
    /// The names around it; by itself those at the top of the program.
    pub home: Scope,
}

/// A gradient as code.
#[derive(Debug)]
pub struct GradientCode {
    /// From the arrays in the arguments, then `inputs`, to the arrays of the gradient.
    pub program: Program,
    /// What the parameters of the code are called; known arrays by the names that hold them.
    pub arguments: Vec<Expr>,
    /// How the gradient is put together.
    pub layout: Layout,
    /// The names of sizes, with the sizes.
    pub sizes: Vec<(Arc<str>, i64)>,
    /// What the last results are called: the cotangents of what the function names. They are no part
    /// of the gradient.
    pub labels: Vec<Arc<str>>,
}

impl Differentiated {
    /// A function, differentiated in its first parameter.
    pub fn function(decl: &Arc<FnDecl>) -> Option<Differentiated> {
        let first = decl.params.first()?;
        let wrt = vec![first.name.name.clone()];
        Some(Differentiated { decl: decl.clone(), wrt, fields: false, home: Scope::default() })
    }

    /// An objective as a function of its arguments and its params, differentiated in its params.
    /// `None` if it is more than one function of its params.
    pub fn objective(decl: &Arc<ObjectiveDecl>) -> Option<Differentiated> {
        let mut params: Vec<ParamSpec> = Vec::new();
        let mut items: Vec<Stmt> = Vec::new();
        let mut value = None;
        for item in &decl.body.items {
            match &item.kind {
                StmtKind::Param(param) => params.push(ParamSpec {
                    name: param.name.clone(),
                    ty: Some(param.ty.clone().unwrap_or_else(|| real_type(param.name.span))),
                    set: None,
                    default: None,
                }),
                StmtKind::Clause(clause) => match clause.values.as_slice() {
                    [e] if value.is_none() && clause.over.is_empty() && clause.given.is_empty() => {
                        value = Some(e.clone());
                    }
                    _ => return None,
                },
                StmtKind::Report { .. } => {}
                _ => items.push(item.clone()),
            }
        }
        let value = value?;
        let wrt: Vec<Arc<str>> = params.iter().map(|p| p.name.name.clone()).collect();
        // A size that is a parameter of the objective is bound by the shape of its params here.
        let sizes: Vec<Arc<str>> = params.iter().filter_map(|p| p.ty.as_ref()).flat_map(lone_names).collect();
        let (defaulted, plain): (Vec<ParamSpec>, Vec<ParamSpec>) = decl
            .params
            .iter()
            .filter(|p| !sizes.contains(&p.name.name))
            .cloned()
            .partition(|p| p.default.is_some());
        let body = if items.is_empty() {
            value
        } else {
            let span = value.span;
            items.push(Stmt { kind: StmtKind::Expr(value), span, doc: None });
            let block = Block { items, span, depth: 1 };
            Expr { kind: Box::new(ExprKind::Block(block)), span, depth: 2 }
        };
        let decl = FnDecl {
            name: decl.name.clone(),
            params: plain.into_iter().chain(params).chain(defaulted).collect(),
            result: None,
            range: None,
            body,
            derivative: None,
            prox: None,
            facts: Vec::new(),
        };
        let fields = wrt.len() > 1;
        Some(Differentiated { decl: Arc::new(decl), wrt, fields, home: Scope::default() })
    }
}

/// The names that stand alone as dimensions of a type.
fn lone_names(ty: &TypeExpr) -> Vec<Arc<str>> {
    match &ty.kind {
        TypeKind::Named { args, dims, .. } => {
            let lone = |e: &Expr| match &*e.kind {
                ExprKind::Name(name) => Some(name.clone()),
                _ => None,
            };
            args.iter().chain(dims).filter_map(lone).collect()
        }
        TypeKind::Record { fields, .. } => fields.iter().flat_map(|(_, ty)| lone_names(ty)).collect(),
        TypeKind::Tuple { items, .. } => items.iter().flat_map(lone_names).collect(),
        TypeKind::Function { .. } => Vec::new(),
    }
}

fn real_type(span: Span) -> TypeExpr {
    let name = Ident { name: Arc::from("real"), span };
    TypeExpr { kind: TypeKind::Named { name, args: Vec::new(), dims: Vec::new() }, span, depth: 1 }
}

/// The statements of a file that a declaration in it needs: what declares the names it mentions,
/// and what those need.
pub fn needed(items: &[Stmt], target: &Stmt) -> Vec<Stmt> {
    let mut keep = vec![false; items.len()];
    let mut mentioned: Vec<&Stmt> = vec![target];
    while let Some(stmt) = mentioned.pop() {
        for (at, item) in items.iter().enumerate() {
            if keep[at] {
                continue;
            }
            let names = bound_names(item);
            let imports = matches!(&item.kind, StmtKind::Import { .. } | StmtKind::Type(_));
            if imports || (!names.is_empty() && walk::stmt_mentions(stmt, &names)) {
                keep[at] = true;
                mentioned.push(item);
            }
        }
    }
    items.iter().zip(keep).filter(|(_, keep)| *keep).map(|(item, _)| item.clone()).collect()
}

/// Calls `see` on the variable, the value and the place of the assignments in an expression's blocks.
pub fn assignments(e: &Expr, see: &mut dyn FnMut(&Arc<str>, &Expr, Span)) {
    fn of(block: &Block, see: &mut dyn FnMut(&Arc<str>, &Expr, Span)) {
        for item in &block.items {
            match &item.kind {
                StmtKind::Assign { place, value, .. } => {
                    walk::root(place).into_iter().for_each(|name| see(name, value, item.span));
                }
                StmtKind::For { body, .. } => of(body, see),
                StmtKind::If(arms) => {
                    arms.arms.iter().map(|(_, body)| body).chain(&arms.otherwise).for_each(|b| of(b, see));
                }
                _ => {}
            }
        }
    }
    if let ExprKind::Block(block) = &*e.kind {
        of(block, see);
    }
}

/// Calls `see` on what the generators of an expression bind.
pub fn generators(e: &Expr, see: &mut dyn FnMut(&Binding)) {
    walk::expr(e, &mut |e| {
        let mut of = |g: &Generator| g.bindings.iter().for_each(&mut *see);
        match &*e.kind {
            ExprKind::Comprehension(g) => of(g),
            ExprKind::Call { args, .. } => {
                for arg in args {
                    if let ArgValue::Generator(g, _) = &arg.value {
                        of(g);
                    }
                }
            }
            _ => {}
        }
        true
    });
}

/// The names that a file declares.
pub fn declared(items: &[Stmt]) -> Vec<Arc<str>> {
    items.iter().flat_map(bound_names).collect()
}

/// Whether a statement mentions a name in one of its expressions.
pub fn mentions(item: &Stmt, name: &Arc<str>) -> bool {
    walk::stmt_mentions(item, std::slice::from_ref(name))
}

/// Whether a statement of the top level declares something.
pub fn declares(item: &Stmt) -> bool {
    declare::declaration(item, &Scope::default()).is_some()
}

/// The names that a statement of the top level binds or assigns.
pub fn bound_names(item: &Stmt) -> Vec<Arc<str>> {
    if let Some((name, _)) = declare::declaration(item, &Scope::default()) {
        return vec![name];
    }
    let mut names = Vec::new();
    match &item.kind {
        StmtKind::Let { pattern, .. } | StmtKind::Draw { pattern, .. } | StmtKind::Var { pattern, .. } => {
            walk::pattern_names(pattern, &mut names);
        }
        StmtKind::Input { name, .. } => names.push(name.name.clone()),
        StmtKind::Assign { place, .. } => names.extend(walk::root(place).cloned()),
        _ => {}
    }
    names
}

impl Lower<'_> {
    /// The code of a gradient; `size` chooses a size for each name in a dimension and a value for
    /// each integer parameter.
    pub fn gradient_code(
        &mut self,
        what: &Differentiated,
        size: &mut dyn FnMut(&str, bool) -> i64,
    ) -> Res<GradientCode> {
        let span = what.decl.name.span;
        self.begin_unit(&what.decl.name.name, span);
        let units = self.units.len();
        let result = self.gradient_unit(what, size, span);
        self.units.truncate(units - 1);
        result
    }

    fn gradient_unit(
        &mut self,
        what: &Differentiated,
        size: &mut dyn FnMut(&str, bool) -> i64,
        span: Span,
    ) -> Res<GradientCode> {
        let mut scope = what.home.clone();
        let mut sizes: Vec<(Arc<str>, i64)> = Vec::new();
        let mut args = Vec::new();
        let mut arguments = Vec::new();
        for param in &what.decl.params {
            let name = &param.name;
            let Some(ty) = &param.ty else {
                return self.fail(errors::gradient_needs_types(name.span, &name.name));
            };
            let value = self.sized(ty, &name.name, &mut scope, &mut sizes, size)?;
            paths(&value, name_expr(&name.name), &mut arguments);
            scope = scope.with(&name.name, Slot::Let(value.clone(), name.span));
            args.push(Argument { name: None, value, span: name.span });
        }
        let shifted = Shifted::new(&what.decl, &what.home);
        let mut active = self.active_args(&shifted.f, &args, &what.wrt, span)?;
        let args = self.real_args(args, &active, span)?;
        self.traced(&shifted.f, &args, &active, span)?;
        let (labels, shifts) = shifted.zeros(self);
        let f = shifted.of_shifts(args.len());
        active.extend(args.len()..args.len() + shifts.len());
        let shifts = shifts.into_iter().map(|value| Argument { name: None, value, span });
        let args = args.into_iter().chain(shifts).collect();
        let (_, mut gradients) = self.reverse(&f, args, &active, None, span)?;
        let cotangents = gradients.split_off(what.wrt.len());
        let layouts: Vec<Layout> = gradients.iter().map(layout).collect();
        let layout = match layouts.as_slice() {
            [one] if !what.fields => one.clone(),
            _ => Layout::Record(what.wrt.iter().cloned().zip(layouts).collect()),
        };
        let mut leaves: Vec<Val> = gradients.iter().flat_map(|g| g.leaves().unwrap_or_default()).collect();
        leaves.extend(cotangents);
        let units = self.units.len();
        let (mut program, inputs) = self.end_unit(&leaves, span)?;
        debug_assert_eq!(self.units.len() + 1, units);
        // The caller ends the unit that has just been taken.
        self.begin_unit("", span);
        for input in &inputs {
            match self.holder(input) {
                Some(place) => arguments.push(place),
                None => write_down(&mut program.main, arguments.len(), input),
            }
        }
        Ok(GradientCode { program, arguments, layout, sizes, labels })
    }

    /// The top-level name, or field of one, that holds an array.
    fn holder(&self, array: &Tensor) -> Option<Expr> {
        self.globals.names().iter().find_map(|name| match self.globals.get(name) {
            Some(Slot::Let(val, _)) => held(val, name_expr(name), array),
            _ => None,
        })
    }

    /// A stand-in for a parameter of a declared type: a parameter of the code for each array.
    pub(super) fn sized(
        &mut self,
        ty: &TypeExpr,
        of: &Arc<str>,
        scope: &mut Scope,
        sizes: &mut Vec<(Arc<str>, i64)>,
        size: &mut dyn FnMut(&str, bool) -> i64,
    ) -> Res<Val> {
        match &ty.kind {
            TypeKind::Named { name, args, dims } => {
                let elem = match &*name.name {
                    "real" => Elem::Real,
                    "int" if dims.is_empty() => {
                        let n = size(of, true);
                        sizes.push((of.clone(), n));
                        return Ok(Val::int(n));
                    }
                    "int" => Elem::Int,
                    "bool" => Elem::Bool,
                    "complex" | "string" | "optimizer" | "set" | "distribution" | "table" => {
                        return self.fail(errors::gradient_needs_arrays(ty.span, of));
                    }
                    _ => {
                        for arg in args {
                            self.name_size(arg, scope, sizes, size);
                        }
                        let (decl, mut inner) = self.named_type(scope, name, args)?;
                        return self.sized(&decl.ty, of, &mut inner, sizes, size);
                    }
                };
                let mut lengths = Vec::new();
                for e in dims {
                    self.name_size(e, scope, sizes, size);
                    lengths.push(self.dimension(scope, e)?);
                }
                Ok(self.unit_param(Ty::new(elem, lengths)))
            }
            TypeKind::Record { fields, dims } if dims.is_empty() => {
                let mut out = Vec::new();
                for (name, ty) in fields {
                    out.push((name.name.clone(), self.sized(ty, of, scope, sizes, size)?));
                }
                Ok(Val::record(out))
            }
            TypeKind::Tuple { items, dims } if dims.is_empty() => {
                let mut out = Vec::new();
                for ty in items {
                    out.push(self.sized(ty, of, scope, sizes, size)?);
                }
                Ok(Val::tuple(out))
            }
            TypeKind::Record { .. } | TypeKind::Tuple { .. } | TypeKind::Function { .. } => {
                self.fail(errors::gradient_needs_arrays(ty.span, of))
            }
        }
    }

    /// Chooses sizes for the new names in a dimension.
    fn name_size(
        &mut self,
        e: &Expr,
        scope: &mut Scope,
        sizes: &mut Vec<(Arc<str>, i64)>,
        size: &mut dyn FnMut(&str, bool) -> i64,
    ) {
        let mut names = Vec::new();
        walk::expr(e, &mut |e| {
            if let ExprKind::Name(name) = &*e.kind {
                names.push(name.clone());
            }
            true
        });
        for name in names {
            let known = sizes.iter().any(|(known, _)| *known == name);
            if known || self.slot(scope, &name).is_some() {
                continue;
            }
            let n = size(&name, false);
            sizes.push((name.clone(), n));
            *scope = scope.with(&name, Slot::Let(Val::int(n), e.span));
        }
    }
}

/// Makes a parameter a constant.
fn write_down(function: &mut ir::Function, at: usize, array: &Tensor) {
    let value = function.params.remove(at);
    let op = ir::Op::Constant(array.clone());
    let binding = ir::Binding { values: vec![value], op, operands: Vec::new(), span: Span::default() };
    function.bindings.insert(0, binding);
}

fn name_expr(name: &Arc<str>) -> Expr {
    Expr { kind: Box::new(ExprKind::Name(name.clone())), span: Span::default(), depth: 1 }
}

/// The arrays in a value by the ways to them.
fn paths(value: &Val, at: Expr, into: &mut Vec<Expr>) {
    let child = |kind| Expr { kind: Box::new(kind), span: Span::default(), depth: 1 };
    match value {
        Val::Staged(_) => into.push(at),
        Val::Record(record) => {
            for (name, part) in &record.fields {
                let field = Ident { name: name.clone(), span: Span::default() };
                paths(part, child(ExprKind::Field { base: at.clone(), field }), into);
            }
        }
        Val::Tuple(items) => {
            for (k, part) in items.iter().enumerate() {
                let k = child(ExprKind::Int(i64::try_from(k).unwrap_or(0)));
                paths(part, child(ExprKind::Index { base: at.clone(), args: vec![k] }), into);
            }
        }
        _ => {}
    }
}

/// The way to an array in a value.
fn held(val: &Val, at: Expr, array: &Tensor) -> Option<Expr> {
    match val {
        Val::Known(known) if same_array(known, array) => Some(at),
        Val::Record(record) => record.fields.iter().find_map(|(name, part)| {
            let field = Ident { name: name.clone(), span: Span::default() };
            let kind = ExprKind::Field { base: at.clone(), field };
            held(part, Expr { kind: Box::new(kind), span: Span::default(), depth: 2 }, array)
        }),
        _ => None,
    }
}

fn layout(value: &Val) -> Layout {
    match value {
        Val::Record(record) => {
            Layout::Record(record.fields.iter().map(|(name, part)| (name.clone(), layout(part))).collect())
        }
        Val::Tuple(items) => Layout::Tuple(items.iter().map(layout).collect()),
        _ => Layout::Array,
    }
}

fn same_array(a: &Tensor, b: &Tensor) -> bool {
    let same = match (&a.data, &b.data) {
        (Data::Real(a), Data::Real(b)) => {
            Arc::ptr_eq(a, b) || a.iter().zip(b.iter()).all(|(x, y)| x.to_bits() == y.to_bits())
        }
        (Data::Int(a), Data::Int(b)) => a == b,
        (Data::Bool(a), Data::Bool(b)) => a == b,
        (Data::Real(_) | Data::Int(_) | Data::Bool(_), _) => false,
    };
    a.sizes == b.sizes && same
}

impl Lower<'_> {
    fn named_type(
        &mut self,
        scope: &Scope,
        name: &Ident,
        args: &[Expr],
    ) -> Res<(Arc<crate::syntax::ast::TypeDecl>, Scope)> {
        let decl = self.type_named(scope, &name.name, name.span)?;
        let inner = self.type_scope(&decl, args, name.span, scope)?;
        Ok((decl.0, inner))
    }
}
