//! Removes functions with their own derivative, once nothing asks for the derivative any more.

use crate::ir::{Build, Function, Op, Value};

use super::Pass;

/// See the module.
pub static INLINE: Pass = Pass {
    name: "inline",
    about: "put functions with their own derivative in place",
    run: |program, _| program.main = inline(&program.main),
    ensures: no_custom,
};

/// A function without calls of functions with their own derivative.
pub fn inline(function: &Function) -> Function {
    let mut build = Build::new(function.name.clone(), crate::diag::Span::default());
    let mut map: Vec<Option<Value>> = vec![None; function.types.len()];
    for param in &function.params {
        map[param.0 as usize] = Some(build.param(function.ty(*param).clone()));
    }
    let look = |map: &[Option<Value>], value: &Value| {
        map[value.0 as usize].expect("operands are bound before they are read")
    };
    for binding in &function.bindings {
        build.at(binding.span);
        let operands: Vec<Value> = binding.operands.iter().map(|v| look(&map, v)).collect();
        let found = if let Op::Custom(op) = &binding.op {
            build.inline(&inline(&op.function), &operands)
        } else {
            let types = binding.values.iter().map(|v| function.ty(*v).clone());
            let op = binding.op.map_functions(inline);
            build.bind(op, operands, types.collect())
        };
        for (old, new) in binding.values.iter().zip(found) {
            map[old.0 as usize] = Some(new);
        }
    }
    let results = function.results.iter().map(|v| look(&map, v)).collect();
    build.finish(results)
}

fn no_custom(function: &Function) -> Result<(), String> {
    for binding in &function.bindings {
        if matches!(binding.op, Op::Custom(_)) {
            return Err("a function with its own derivative is left".to_string());
        }
        for inner in binding.op.functions() {
            no_custom(inner)?;
        }
    }
    Ok(())
}
