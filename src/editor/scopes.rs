//! The walk over a tree that finds its names, with the rules of scope that elaboration has.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use super::names::{Def, FIGURES, GIVEN, Import, Imports, Kind, Names, Target, Use};
use super::stack::Stack;
use super::tree::{children, param_span};
use crate::diag::Span;
use crate::syntax::ast::{
    Arg, ArgValue, Binding, Block, Expr, ExprKind, File, Generator, Ident, IfBlock, LambdaClause, ParamDecl,
    ParamSpec, ParamStart, Pattern, SolveExpr, Stmt, StmtKind, TypeExpr, TypeKind,
};

/// A walk over a tree.
pub(super) struct Walk<'w> {
    names: Names,
    scope: Stack,
    /// The parameters of what is declared, by the places of the names.
    declared: HashMap<Span, Vec<usize>>,
    /// The block around, from where it stands to its end.
    region: Range<u32>,
    library: &'w dyn Fn(&str) -> bool,
    imports: Imports<'w>,
    optimizer: bool,
    figures: bool,
    /// Whether the main file is walked, and not an import.
    own: bool,
    /// Uses in conditions that may mean a report declared further down.
    late: Vec<usize>,
}

impl<'w> Walk<'w> {
    /// The names of a file, as they are met.
    pub(super) fn of(
        file: &File,
        region: Range<u32>,
        library: &'w dyn Fn(&str) -> bool,
        imports: Imports<'w>,
    ) -> Names {
        let mut walk = Walk {
            names: Names::default(),
            scope: Stack::default(),
            declared: HashMap::new(),
            region,
            library,
            imports,
            optimizer: false,
            figures: false,
            own: true,
            late: Vec::new(),
        };
        walk.items(&file.items);
        walk.settle();
        walk.names
    }

    fn define(&mut self, name: &Ident, kind: Kind, item: Span, known: Range<u32>, typed: bool) -> usize {
        let known = if self.own { known } else { 0..u32::MAX };
        let at = self.names.defs.len();
        self.names.defs.push(Def {
            name: name.name.clone(),
            at: name.span,
            kind,
            item,
            doc: None,
            known,
            typed,
            params: Vec::new(),
        });
        if &*name.name != "_" {
            self.scope.enter(&name.name, at);
        }
        at
    }

    fn uses(&mut self, name: &Arc<str>, at: Span, writes: bool) {
        let target = match self.scope.find(name) {
            Some(def) => Target::Def(def),
            None if self.figures && FIGURES.contains(&&**name) => Target::Figure,
            None if self.optimizer && GIVEN.contains(&&**name) => Target::Given,
            None if (self.library)(name) => Target::Library,
            None => Target::Unknown,
        };
        if self.figures && target == Target::Unknown {
            self.late.push(self.names.uses.len());
        }
        self.add(name.clone(), at, target, writes);
    }

    fn add(&mut self, name: Arc<str>, at: Span, target: Target, writes: bool) {
        if self.own {
            self.names.uses.push(Use { name, at, target, writes });
        }
    }

    /// Names in conditions may be reports of an objective or optimizer.
    fn settle(&mut self) {
        let mut reports: HashMap<&str, usize> = HashMap::new();
        for (k, def) in self.names.defs.iter().enumerate().filter(|(_, def)| def.kind == Kind::Report) {
            reports.entry(&def.name).or_insert(k);
        }
        for at in std::mem::take(&mut self.late) {
            let Some(one) = self.names.uses.get_mut(at) else { continue };
            if let Some(k) = reports.get(&*one.name) {
                one.target = Target::Def(*k);
            }
        }
    }

    /// What is defined by `run` is known to the end of `region`, and forgotten behind it.
    fn within(&mut self, region: Range<u32>, run: impl FnOnce(&mut Self)) {
        let (count, outer) = (self.scope.len(), std::mem::replace(&mut self.region, region));
        run(self);
        self.scope.leave(count);
        self.region = outer;
    }

    fn rest(&self, from: u32) -> Range<u32> {
        from..self.region.end
    }

    /// The statements of a block: declarations first, then in order.
    fn items(&mut self, items: &[Stmt]) {
        items.iter().for_each(|item| self.declare(item));
        for item in items {
            self.stmt(item);
        }
    }

    fn block(&mut self, block: &Block) {
        self.within(block.span.start..block.span.end, |walk| walk.items(&block.items));
    }

    /// A declaration is known in its whole block.
    fn declare(&mut self, item: &Stmt) {
        let (name, kind, params): (&Ident, Kind, &[ParamSpec]) = match &item.kind {
            StmtKind::Fn(decl) => (&decl.name, Kind::Function, &decl.params),
            StmtKind::Primitive(decl) => (&decl.name, Kind::Function, &decl.params),
            StmtKind::Objective(decl) => (&decl.name, Kind::Objective, &decl.params),
            StmtKind::Optimizer(decl) => (&decl.name, Kind::Optimizer, &decl.params),
            StmtKind::Members(decl) if decl.distribution => (&decl.name, Kind::Distribution, &decl.params),
            StmtKind::Members(decl) => (&decl.name, Kind::Set, &decl.params),
            StmtKind::Type(decl) => (&decl.name, Kind::Type, &[]),
            StmtKind::Import { path, path_span, name } => {
                self.import(path, *path_span, name.as_ref(), item.span);
                return;
            }
            _ => return,
        };
        let at = self.define(name, kind, item.span, self.region.clone(), true);
        self.names.defs[at].doc = item.doc.clone();
        // Parameters are defined at once, so that calls further up find them; their names are in scope in the body only.
        let count = self.scope.len();
        let kind = if kind == Kind::Optimizer { Kind::HyperParameter } else { Kind::Parameter };
        let params = params.iter().map(|param| {
            let end = param_span(param);
            self.define(&param.name, kind, end, param.name.span.start..item.span.end, param.ty.is_some())
        });
        let params: Vec<usize> = params.collect();
        self.scope.leave(count);
        self.declared.insert(name.span, params.clone());
        self.names.defs[at].params = params;
    }

    fn import(&mut self, path: &Arc<str>, at: Span, name: Option<&Ident>, item: Span) {
        if self.own {
            self.names.imports.push(Import { path: path.clone(), at });
        }
        let count = self.scope.len();
        let from = self.names.defs.len();
        if let (true, Some(file)) = (self.own, (self.imports)(path)) {
            self.own = false;
            self.items(&file.items);
            self.own = true;
        }
        if let Some(name) = name {
            let brought = self.scope.leave(count);
            // They are known behind the name only.
            self.names.defs[from..].iter_mut().for_each(|def| def.known = 0..0);
            let region = self.region.clone();
            let module = self.define(name, Kind::Module, item, region, true);
            self.names.defs[module].params = brought;
        } else {
            let kept: HashSet<usize> = self.scope.since(count).collect();
            let hidden = (from..self.names.defs.len()).filter(|k| !kept.contains(k));
            hidden.collect::<Vec<_>>().into_iter().for_each(|k| self.names.defs[k].known = 0..0);
        }
    }

    /// The parameters of a declaration come into scope: types may bind sizes, defaults see earlier ones.
    fn params(&mut self, decl: &Ident, params: &[ParamSpec]) {
        let defs = self.declared.get(&decl.span).cloned().unwrap_or_default();
        let outer = self.scope.len();
        for (param, def) in params.iter().zip(defs) {
            if let Some(ty) = &param.ty {
                self.binding_type(ty, outer);
            }
            param.set.iter().chain(&param.default).for_each(|e| self.interval(e));
            self.scope.enter(&param.name.name, def);
        }
    }

    /// `(0, inf)` after `in`: its names are those of any expression, but `interval` is none.
    fn interval(&mut self, e: &Expr) {
        match &*e.kind {
            ExprKind::Call { function, args } if matches!(&*function.kind, ExprKind::Name(n) if &**n == "interval") =>
            {
                self.args(args);
            }
            _ => self.expr(e),
        }
    }

    fn stmt(&mut self, item: &Stmt) {
        match &item.kind {
            StmtKind::Let { pattern, ty, value } => self.bound(item, pattern, ty.as_ref(), value, Kind::Let),
            StmtKind::Var { pattern, ty, value } => self.bound(item, pattern, ty.as_ref(), value, Kind::Var),
            StmtKind::Draw { pattern, ty, source, given } => {
                given.iter().for_each(|e| self.expr(e));
                self.bound(item, pattern, ty.as_ref(), source, Kind::Draw);
            }
            StmtKind::Input { name, ty, default } => {
                ty.iter().for_each(|ty| self.type_expr(ty));
                default.iter().for_each(|e| self.expr(e));
                let at =
                    self.define(name, Kind::Input, item.span, self.rest(item.span.end + 1), ty.is_some());
                self.names.defs[at].doc = item.doc.clone();
            }
            StmtKind::Assign { place, value, .. } => {
                self.place(place);
                self.expr(value);
            }
            StmtKind::For { binding, condition, body } => {
                self.expr(&binding.source);
                self.within(item.span.start..item.span.end, |walk| {
                    walk.pattern(&binding.pattern, Kind::Binding, item.span, body.span.start, false);
                    condition.iter().for_each(|e| walk.expr(e));
                    walk.block(body);
                });
            }
            StmtKind::If(arms) => self.if_block(arms),
            StmtKind::Print(values) => self.args(values),
            StmtKind::Plot { values, path, options } => {
                self.args(values);
                path.iter().for_each(|e| self.expr(e));
                self.args(options);
            }
            StmtKind::Save { value, path } => [value, path].into_iter().for_each(|e| self.expr(e)),
            StmtKind::Assert { condition, message } => {
                self.expr(condition);
                message.iter().for_each(|e| self.expr(e));
            }
            StmtKind::Expr(e) | StmtKind::Otherwise(e) => self.expr(e),
            StmtKind::Test(decl) => self.block(&decl.body),
            StmtKind::Precision(_) | StmtKind::Import { .. } | StmtKind::Error | StmtKind::Rule(_) => {}
            _ => self.declaration(item),
        }
    }

    fn declaration(&mut self, item: &Stmt) {
        let whole = item.span.start..item.span.end;
        match &item.kind {
            StmtKind::Fn(decl) => self.within(whole, |walk| {
                walk.params(&decl.name, &decl.params);
                decl.result.iter().for_each(|ty| walk.type_expr(ty));
                walk.expr(&decl.body);
                decl.range.iter().for_each(|e| walk.interval(e));
                decl.derivative.iter().chain(&decl.prox).for_each(|clause| walk.clause(clause, item.span));
            }),
            StmtKind::Primitive(decl) => self.within(whole, |walk| {
                walk.params(&decl.name, &decl.params);
                decl.derivative.iter().for_each(|clause| walk.clause(clause, item.span));
            }),
            StmtKind::Objective(decl) => self.within(whole, |walk| {
                walk.params(&decl.name, &decl.params);
                walk.block(&decl.body);
            }),
            StmtKind::Optimizer(decl) => {
                self.names.optimizers.extend(self.own.then_some(item.span));
                let outer = std::mem::replace(&mut self.optimizer, true);
                self.within(whole, |walk| {
                    walk.params(&decl.name, &decl.params);
                    walk.block(&decl.body);
                });
                self.optimizer = outer;
            }
            StmtKind::Members(decl) => self.within(whole, |walk| {
                walk.params(&decl.name, &decl.params);
                for member in &decl.members {
                    let at = member.body.span;
                    walk.within(member.name.span.start..at.end, |walk| {
                        for param in &member.params {
                            param.ty.iter().for_each(|ty| walk.type_expr(ty));
                            let known = param.name.span.start..at.end;
                            walk.define(&param.name, Kind::Parameter, param_span(param), known, true);
                        }
                        walk.expr(&member.body);
                    });
                    let count = walk.scope.len();
                    walk.define(&member.name, Kind::Member, member.name.span.to(at), 0..0, true);
                    walk.scope.leave(count);
                }
            }),
            StmtKind::Type(decl) => self.within(whole.clone(), |walk| {
                for param in &decl.params {
                    walk.define(param, Kind::Dimension, param.span, whole.clone(), true);
                }
                walk.type_expr(&decl.ty);
            }),
            _ => self.part(item),
        }
    }

    /// What stands in objectives and optimizers.
    fn part(&mut self, item: &Stmt) {
        match &item.kind {
            StmtKind::Param(decl) => {
                self.param_start(decl);
                self.param(decl, item.span, item.doc.clone());
            }
            StmtKind::Clause(clause) => {
                clause.values.iter().for_each(|e| self.expr(e));
                clause.constraints.iter().for_each(|constraint| self.expr(&constraint.value));
                for name in clause.over.iter().chain(&clause.given) {
                    self.uses(&name.name, name.span, false);
                }
            }
            StmtKind::Report { name, value } => {
                self.expr(value);
                let known = self.rest(item.span.end + 1);
                let at = self.define(name, Kind::Report, item.span, known, true);
                self.names.defs[at].doc = item.doc.clone();
            }
            StmtKind::State(states) => {
                for (name, ty, e) in states {
                    ty.iter().for_each(|ty| self.type_expr(ty));
                    self.expr(e);
                    let known = self.rest(e.span.end + 1);
                    let at = self.define(name, Kind::State, name.span.to(e.span), known, ty.is_some());
                    self.names.defs[at].doc = item.doc.clone();
                }
            }
            StmtKind::Step(body) => self.block(body),
            StmtKind::Answer { value, more } => {
                self.expr(value);
                self.args(more);
            }
            StmtKind::Stop { condition, .. } => self.expr(condition),
            StmtKind::Each { name, ty, body } => {
                let whole = item.span.start..item.span.end;
                self.within(whole.clone(), |walk| {
                    ty.iter().for_each(|ty| walk.binding_type(ty, walk.scope.len()));
                    walk.define(name, Kind::Binding, name.span, whole, ty.is_some());
                    walk.block(body);
                });
            }
            StmtKind::Players(names) => {
                for name in names {
                    self.define(name, Kind::Param, item.span, self.rest(item.span.end), true);
                }
            }
            _ => {}
        }
    }

    fn param_start(&mut self, decl: &ParamDecl) {
        decl.ty.iter().for_each(|ty| self.type_expr(ty));
        decl.set.iter().for_each(|e| self.interval(e));
        match &decl.start {
            Some(ParamStart::Value(e) | ParamStart::Draw(e)) => self.expr(e),
            None => {}
        }
    }

    fn param(&mut self, decl: &ParamDecl, item: Span, doc: Option<Arc<str>>) {
        let known = self.rest(decl.name.span.start);
        let at = self.define(&decl.name, Kind::Param, item, known, decl.ty.is_some());
        self.names.defs[at].doc = doc;
    }

    fn bound(&mut self, item: &Stmt, pattern: &Pattern, ty: Option<&TypeExpr>, value: &Expr, kind: Kind) {
        ty.iter().for_each(|ty| self.type_expr(ty));
        self.expr(value);
        let from = self.names.defs.len();
        self.pattern(pattern, kind, item.span, item.span.end + 1, ty.is_some());
        self.names.defs[from..].iter_mut().for_each(|def| def.doc = item.doc.clone());
    }

    fn pattern(&mut self, pattern: &Pattern, kind: Kind, item: Span, from: u32, typed: bool) {
        match pattern {
            Pattern::Name(name) => {
                self.define(name, kind, item, self.rest(from), typed);
            }
            Pattern::Tuple(parts, _) => {
                parts.iter().for_each(|part| self.pattern(part, kind, item, from, typed));
            }
        }
    }

    fn clause(&mut self, clause: &LambdaClause, item: Span) {
        let known = clause.body.span.start..clause.body.span.end;
        self.within(known.clone(), |walk| {
            for name in &clause.params {
                walk.define(name, Kind::Parameter, item, known.clone(), true);
            }
            walk.expr(&clause.body);
        });
    }

    fn if_block(&mut self, arms: &IfBlock) {
        for (condition, body) in &arms.arms {
            self.expr(condition);
            self.block(body);
        }
        arms.otherwise.iter().for_each(|body| self.block(body));
    }

    /// What is assigned: the name at its root is written.
    fn place(&mut self, place: &Expr) {
        match &*place.kind {
            ExprKind::Name(name) => self.uses(name, place.span, true),
            ExprKind::Index { base, args } => {
                self.place(base);
                args.iter().for_each(|e| self.expr(e));
            }
            ExprKind::Field { base, .. } | ExprKind::Paren(base) => self.place(base),
            _ => self.expr(place),
        }
    }

    fn args(&mut self, args: &[Arg]) {
        for arg in args {
            match &arg.value {
                ArgValue::Expr(e) => self.expr(e),
                ArgValue::Generator(g, at) => self.generator(g, *at),
            }
        }
    }

    fn generator(&mut self, g: &Generator, at: Span) {
        self.within(at.start..at.end, |walk| {
            walk.bindings(&g.bindings, at);
            g.filter.iter().chain(&g.by).for_each(|e| walk.expr(e));
            walk.expr(&g.body);
        });
    }

    fn bindings(&mut self, bindings: &[Binding], at: Span) {
        for binding in bindings {
            self.expr(&binding.source);
            let item = binding.pattern.span().to(binding.source.span);
            self.pattern(&binding.pattern, Kind::Binding, item, at.start, false);
        }
    }

    fn expr(&mut self, e: &Expr) {
        match &*e.kind {
            ExprKind::Name(name) => self.uses(name, e.span, false),
            ExprKind::Lambda { params, body } => self.within(e.span.start..e.span.end, |walk| {
                params.iter().for_each(|p| walk.pattern(p, Kind::Parameter, p.span(), e.span.start, false));
                walk.expr(body);
            }),
            ExprKind::Comprehension(g) => self.generator(g, e.span),
            ExprKind::Call { function, args } => self.call(function, args),
            ExprKind::Block(block) => self.block(block),
            ExprKind::IfBlock(arms) => self.if_block(arms),
            ExprKind::Solve(solve) | ExprKind::Bound(solve) => self.solve(solve, e.span),
            ExprKind::With { value, options } => {
                self.expr(value);
                self.args(options);
            }
            ExprKind::Field { base, field } => self.field(base, field),
            _ => children(e, &mut |part| self.expr(part)),
        }
    }

    fn call(&mut self, function: &Expr, args: &[Arg]) {
        self.expr(function);
        let callee = match &*function.kind {
            ExprKind::Name(name) => self.scope.find(name),
            _ => None,
        };
        let params = callee.map(|def| self.names.defs[def].params.clone()).unwrap_or_default();
        for arg in args.iter().filter_map(|arg| arg.name.as_ref()) {
            let named = params.iter().find(|k| self.names.defs[**k].name == arg.name);
            let target = named.map_or(Target::Unknown, |k| Target::Def(*k));
            self.add(arg.name.clone(), arg.span, target, false);
        }
        self.args(args);
    }

    fn field(&mut self, base: &Expr, field: &Ident) {
        self.expr(base);
        if let ExprKind::Name(name) = &*base.kind
            && let Some(module) = self.scope.find(name).filter(|k| self.names.defs[*k].kind == Kind::Module)
        {
            let brought = &self.names.defs[module].params;
            let found = brought.iter().find(|k| self.names.defs[**k].name == field.name);
            let target = found.map_or(Target::Unknown, |k| Target::Def(*k));
            self.add(field.name.clone(), field.span, target, false);
            return;
        }
        self.add(field.name.clone(), field.span, Target::Field(base.span), false);
    }

    fn solve(&mut self, solve: &SolveExpr, at: Span) {
        self.within(at.start..at.end, |walk| {
            solve.over.iter().for_each(|decl| walk.param_start(decl));
            for e in [&solve.from, &solve.using].into_iter().flatten() {
                walk.expr(e);
            }
            for decl in &solve.over {
                let end = match &decl.start {
                    Some(ParamStart::Value(e) | ParamStart::Draw(e)) => e.span,
                    None => decl.name.span,
                };
                walk.param(decl, decl.name.span.to(end), None);
            }
            solve.values.iter().for_each(|e| walk.expr(e));
            solve.constraints.iter().for_each(|constraint| walk.expr(&constraint.value));
            let outer = std::mem::replace(&mut walk.figures, true);
            solve.until.iter().for_each(|e| walk.expr(e));
            walk.figures = outer;
            walk.args(&solve.options);
        });
    }

    /// A type whose names are in scope.
    fn type_expr(&mut self, ty: &TypeExpr) {
        self.types(ty, None);
    }

    /// A type whose sizes are bound by arguments, where none of its own declaration has bound them.
    fn binding_type(&mut self, ty: &TypeExpr, outer: usize) {
        self.types(ty, Some(outer));
    }

    fn types(&mut self, ty: &TypeExpr, outer: Option<usize>) {
        let mut sizes: Vec<&Expr> = Vec::new();
        match &ty.kind {
            TypeKind::Named { name, args, dims } => {
                if let Some(def) = self.scope.find(&name.name) {
                    self.add(name.name.clone(), name.span, Target::Def(def), false);
                }
                sizes.extend(args.iter().chain(dims));
            }
            TypeKind::Record { fields, dims } => {
                fields.iter().for_each(|(_, ty)| self.types(ty, outer));
                sizes.extend(dims);
            }
            TypeKind::Tuple { items, dims } => {
                items.iter().for_each(|ty| self.types(ty, outer));
                sizes.extend(dims);
            }
            TypeKind::Function { params, result } => {
                params.iter().for_each(|ty| self.types(ty, outer));
                self.types(result, outer);
            }
        }
        sizes.into_iter().for_each(|e| self.size(e, outer));
    }

    fn size(&mut self, e: &Expr, outer: Option<usize>) {
        let ExprKind::Name(name) = &*e.kind else {
            return children(e, &mut |part| self.size(part, outer));
        };
        let bound = outer.is_some_and(|from| !self.scope.has_since(name, from));
        if bound {
            let ident = Ident { name: name.clone(), span: e.span };
            let known = self.rest(self.region.start);
            self.define(&ident, Kind::Dimension, e.span, known, true);
        } else {
            self.uses(name, e.span, false);
        }
    }
}
