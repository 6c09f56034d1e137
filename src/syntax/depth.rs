//! How deep a tree is, from the depth its children know of themselves.

use super::ast::*;

/// The largest of some depths.
pub fn deepest(depths: impl Iterator<Item = u32>) -> u32 {
    depths.max().unwrap_or(0)
}

/// The depth of the deepest expression of a list.
pub fn exprs_depth(exprs: &[Expr]) -> u32 {
    deepest(exprs.iter().map(|expr| expr.depth))
}

fn optional(expr: &Option<Expr>) -> u32 {
    expr.as_ref().map_or(0, |expr| expr.depth)
}

fn type_depth(ty: &Option<TypeExpr>) -> u32 {
    ty.as_ref().map_or(0, |ty| ty.depth)
}

fn args_depth(args: &[Arg]) -> u32 {
    deepest(args.iter().map(|arg| match &arg.value {
        ArgValue::Expr(expr) => expr.depth,
        ArgValue::Generator(generator, _) => generator_depth(generator),
    }))
}

fn generator_depth(generator: &Generator) -> u32 {
    let sources = deepest(generator.bindings.iter().map(|binding| binding.source.depth));
    let ends = optional(&generator.filter).max(optional(&generator.by));
    generator.body.depth.max(sources).max(ends)
}

fn if_depth(block: &IfBlock) -> u32 {
    let arms = deepest(block.arms.iter().map(|(condition, then)| condition.depth.max(then.depth)));
    arms.max(block.otherwise.as_ref().map_or(0, |block| block.depth))
}

fn param_depth(param: &ParamDecl) -> u32 {
    let start = match &param.start {
        Some(ParamStart::Value(start) | ParamStart::Draw(start)) => start.depth,
        None => 0,
    };
    type_depth(&param.ty).max(optional(&param.set)).max(start)
}

fn specs_depth(params: &[ParamSpec]) -> u32 {
    deepest(
        params
            .iter()
            .map(|param| type_depth(&param.ty).max(optional(&param.set)).max(optional(&param.default))),
    )
}

fn constraints_depth(constraints: &[Constraint]) -> u32 {
    deepest(constraints.iter().map(|constraint| {
        let family = constraint.family.as_ref().map_or(0, |family| family.source.depth);
        constraint.value.depth.max(family)
    }))
}

fn solve_depth(solve: &SolveExpr) -> u32 {
    let over = deepest(solve.over.iter().map(param_depth));
    let ends = optional(&solve.from).max(optional(&solve.using)).max(optional(&solve.until));
    let lists = constraints_depth(&solve.constraints).max(args_depth(&solve.options));
    exprs_depth(&solve.values).max(over).max(ends).max(lists)
}

/// The depth of the deepest child.
pub fn depth_below(kind: &ExprKind) -> u32 {
    match kind {
        ExprKind::Int(_)
        | ExprKind::Real(_)
        | ExprKind::Bool(_)
        | ExprKind::Str(_)
        | ExprKind::Name(_)
        | ExprKind::Error => 0,
        ExprKind::Chain { first, rest } => {
            first.depth.max(deepest(rest.iter().map(|(_, _, term)| term.depth)))
        }
        ExprKind::Compare { first, rest } => {
            first.depth.max(deepest(rest.iter().map(|(_, _, term)| term.depth)))
        }
        ExprKind::Power(base, exponent) => base.depth.max(exponent.depth),
        ExprKind::Neg(value)
        | ExprKind::Not(value)
        | ExprKind::Transpose(value)
        | ExprKind::Paren(value)
        | ExprKind::Field { base: value, .. }
        | ExprKind::Lambda { body: value, .. } => value.depth,
        ExprKind::Range(lo, hi) => optional(lo).max(optional(hi)),
        ExprKind::If { arms, otherwise } => {
            let arms = deepest(arms.iter().map(|(c, value)| c.depth.max(value.depth)));
            arms.max(otherwise.depth)
        }
        ExprKind::IfBlock(block) => if_depth(block),
        ExprKind::Call { function, args } => function.depth.max(args_depth(args)),
        ExprKind::Index { base, args } => base.depth.max(exprs_depth(args)),
        ExprKind::Array(items) | ExprKind::Tuple(items) => exprs_depth(items),
        ExprKind::Comprehension(generator) => generator_depth(generator),
        ExprKind::Record(fields) => deepest(fields.iter().map(|(_, value)| value.depth)),
        ExprKind::Block(block) => block.depth,
        ExprKind::With { value, options } => value.depth.max(args_depth(options)),
        ExprKind::Solve(solve) | ExprKind::Bound(solve) => solve_depth(solve),
    }
}

fn function_depth(decl: &FnDecl) -> u32 {
    let clause = |clause: &Option<LambdaClause>| clause.as_ref().map_or(0, |it| it.body.depth);
    specs_depth(&decl.params)
        .max(type_depth(&decl.result))
        .max(optional(&decl.range))
        .max(decl.body.depth)
        .max(clause(&decl.derivative))
        .max(clause(&decl.prox))
}

fn primitive_depth(decl: &PrimitiveDecl) -> u32 {
    specs_depth(&decl.params)
        .max(type_depth(&decl.result))
        .max(optional(&decl.range))
        .max(decl.derivative.as_ref().map_or(0, |clause| clause.body.depth))
}

/// The depth of the deepest expression or block of a statement.
pub fn statement_depth(kind: &StmtKind) -> u32 {
    match kind {
        StmtKind::Fn(decl) => function_depth(decl),
        StmtKind::Primitive(decl) => primitive_depth(decl),
        StmtKind::Rule(decl) => decl.pattern.depth.max(decl.replacement.depth).max(optional(&decl.condition)),
        StmtKind::Type(decl) => decl.ty.depth,
        StmtKind::Objective(decl) => specs_depth(&decl.params).max(decl.body.depth),
        StmtKind::Optimizer(decl) => specs_depth(&decl.params).max(decl.body.depth),
        StmtKind::Members(decl) => specs_depth(&decl.params).max(deepest(
            decl.members.iter().map(|member| specs_depth(&member.params).max(member.body.depth)),
        )),
        StmtKind::Test(decl) => decl.body.depth,
        StmtKind::Import { .. } | StmtKind::Precision(_) | StmtKind::Players(_) | StmtKind::Error => 0,
        StmtKind::Input { ty, default, .. } => type_depth(ty).max(optional(default)),
        StmtKind::Let { ty, value, .. } | StmtKind::Var { ty, value, .. } => type_depth(ty).max(value.depth),
        StmtKind::Draw { ty, source, given, .. } => type_depth(ty).max(source.depth).max(optional(given)),
        StmtKind::Assign { place, value, .. } => place.depth.max(value.depth),
        StmtKind::For { binding, condition, body } => {
            binding.source.depth.max(optional(condition)).max(body.depth)
        }
        StmtKind::If(block) => if_depth(block),
        StmtKind::Print(values) => args_depth(values),
        StmtKind::Plot { values, path, options } => {
            args_depth(values).max(args_depth(options)).max(path.as_ref().map_or(0, |path| path.depth))
        }
        StmtKind::Save { value, path } => value.depth.max(path.depth),
        StmtKind::Assert { condition, message } => condition.depth.max(optional(message)),
        StmtKind::Expr(value) | StmtKind::Otherwise(value) | StmtKind::Report { value, .. } => value.depth,
        StmtKind::Param(param) => param_depth(param),
        StmtKind::Clause(clause) => exprs_depth(&clause.values).max(constraints_depth(&clause.constraints)),
        StmtKind::State(items) => deepest(items.iter().map(|(_, ty, value)| type_depth(ty).max(value.depth))),
        StmtKind::Step(body) => body.depth,
        StmtKind::Answer { value, more } => value.depth.max(args_depth(more)),
        StmtKind::Stop { condition, .. } => condition.depth,
        StmtKind::Each { ty, body, .. } => type_depth(ty).max(body.depth),
    }
}
