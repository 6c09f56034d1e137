//! Small questions about trees.

use crate::diag::Span;
use crate::syntax::ast::{ArgValue, Expr, ExprKind, ParamSpec};

/// From the name of a parameter to its end.
pub fn param_span(param: &ParamSpec) -> Span {
    let parts = [param.ty.as_ref().map(|ty| ty.span), param.set.as_ref().map(|e| e.span)];
    let last = param.default.as_ref().map(|e| e.span);
    parts.into_iter().chain([last]).flatten().fold(param.name.span, Span::to)
}

/// The expressions right below one that binds nothing.
pub fn children<'e>(e: &'e Expr, see: &mut dyn FnMut(&'e Expr)) {
    match &*e.kind {
        ExprKind::Chain { first, rest } => {
            see(first);
            rest.iter().for_each(|(_, _, e)| see(e));
        }
        ExprKind::Compare { first, rest } => {
            see(first);
            rest.iter().for_each(|(_, _, e)| see(e));
        }
        ExprKind::Power(a, b) => [a, b].into_iter().for_each(see),
        ExprKind::Neg(a) | ExprKind::Not(a) | ExprKind::Transpose(a) | ExprKind::Paren(a) => see(a),
        ExprKind::Range(a, b) => a.iter().chain(b).for_each(see),
        ExprKind::If { arms, otherwise } => {
            arms.iter().flat_map(|(c, then)| [c, then]).for_each(&mut *see);
            see(otherwise);
        }
        ExprKind::Index { base, args } => {
            see(base);
            args.iter().for_each(see);
        }
        ExprKind::Array(items) | ExprKind::Tuple(items) => items.iter().for_each(see),
        ExprKind::Record(fields) => fields.iter().for_each(|(_, e)| see(e)),
        ExprKind::Call { function, args } => {
            see(function);
            for arg in args {
                if let ArgValue::Expr(e) = &arg.value {
                    see(e);
                }
            }
        }
        _ => {}
    }
}
