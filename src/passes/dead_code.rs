//! Removes bindings that nothing reads, and what control forms compute in vain.
//!
//! One sweep from the last binding to the first is enough, because every operand is bound before
//! it is read. A control form keeps only the results that are read; a loop keeps a carried value
//! only if a result, its condition or another carried value that is kept depends on it.

use std::sync::Arc;

use crate::ir::{Binding, Function, If, Loop, Op, Value};

/// A function every binding of which is read.
pub fn dead_code(function: &Function) -> Function {
    let all = vec![true; function.results.len()];
    sweep(function, &all)
}

/// The marked results of a function, with what they need. Parameters stay.
fn sweep(function: &Function, wanted: &[bool]) -> Function {
    let mut live = vec![false; function.types.len()];
    let results: Vec<Value> = keep(&function.results, wanted);
    for value in &results {
        live[value.0 as usize] = true;
    }
    let mut kept = Vec::new();
    for binding in function.bindings.iter().rev() {
        let marks: Vec<bool> = binding.values.iter().map(|v| live[v.0 as usize]).collect();
        if !marks.contains(&true) {
            continue;
        }
        let binding = shrink(binding, &marks);
        for operand in &binding.operands {
            live[operand.0 as usize] = true;
        }
        kept.push(binding);
    }
    kept.reverse();
    Function {
        name: function.name.clone(),
        params: function.params.clone(),
        bindings: kept,
        results,
        types: function.types.clone(),
    }
}

fn keep<T: Clone>(list: &[T], marks: &[bool]) -> Vec<T> {
    let both = list.iter().zip(marks);
    both.filter(|(_, mark)| **mark).map(|(item, _)| item.clone()).collect()
}

/// A binding whose inner functions compute only what is read.
fn shrink(binding: &Binding, marks: &[bool]) -> Binding {
    match &binding.op {
        Op::If(op) => shrink_if(binding, op, marks),
        Op::Loop(op) => shrink_loop(binding, op, marks),
        Op::Constant(_)
        | Op::Primitive(_)
        | Op::Structural(_)
        | Op::Map(_)
        | Op::Custom(_)
        | Op::Jvp(_)
        | Op::Vjp(_) => {
            let mut new = binding.clone();
            new.op = binding.op.map_functions(dead_code);
            new
        }
    }
}

fn shrink_if(binding: &Binding, op: &If, marks: &[bool]) -> Binding {
    let mut then = sweep(&op.then, marks);
    let mut otherwise = sweep(&op.otherwise, marks);
    let (a, b) = (read_params(&then), read_params(&otherwise));
    let used: Vec<bool> = a.iter().zip(b).map(|(a, b)| *a || b).collect();
    then.params = keep(&then.params, &used);
    otherwise.params = keep(&otherwise.params, &used);
    let mut operands = vec![binding.operands[0]];
    operands.extend(keep(&binding.operands[1..], &used));
    Binding {
        values: keep(&binding.values, marks),
        op: Op::If(Arc::new(If { then, otherwise })),
        operands,
        span: binding.span,
    }
}

fn shrink_loop(binding: &Binding, op: &Loop, marks: &[bool]) -> Binding {
    let condition = op.condition.as_ref().map(dead_code);
    let asked = condition.as_ref().map(read_params);
    let asked = |at: usize| asked.as_ref().is_some_and(|params| params[at]);
    let mut wanted = marks.to_vec();
    for (at, want) in wanted[..op.carried].iter_mut().enumerate() {
        *want |= asked(1 + at);
    }
    let (mut body, used) = loop {
        let body = sweep(&op.body, &wanted);
        let used = read_params(&body);
        let before = wanted.clone();
        for (at, want) in wanted[..op.carried].iter_mut().enumerate() {
            *want |= used[1 + at];
        }
        if wanted == before {
            break (body, used);
        }
    };
    let mut params = vec![true];
    params.extend(&wanted[..op.carried]);
    params.extend((1 + op.carried..used.len()).map(|at| used[at] || asked(at)));
    body.params = keep(&body.params, &params);
    let condition = condition.map(|mut condition| {
        condition.params = keep(&condition.params, &params);
        condition
    });
    let carried = wanted[..op.carried].iter().filter(|want| **want).count();
    Binding {
        values: keep(&binding.values, &wanted),
        op: Op::Loop(Arc::new(Loop { trip: op.trip.clone(), condition, body, carried })),
        operands: keep(&binding.operands, &params[1..]),
        span: binding.span,
    }
}

/// Which parameters of a swept function are read.
fn read_params(function: &Function) -> Vec<bool> {
    let mut read = vec![false; function.types.len()];
    let operands = function.bindings.iter().flat_map(|b| &b.operands);
    for value in operands.chain(&function.results) {
        read[value.0 as usize] = true;
    }
    function.params.iter().map(|p| read[p.0 as usize]).collect()
}

/// The promise of whatever ends with a sweep.
pub(super) fn every_binding_is_read(function: &Function) -> Result<(), String> {
    let mut read = vec![false; function.types.len()];
    let operands = function.bindings.iter().flat_map(|b| &b.operands);
    for value in operands.chain(&function.results) {
        read[value.0 as usize] = true;
    }
    for binding in &function.bindings {
        if !binding.values.iter().any(|v| read[v.0 as usize]) {
            return Err(format!("nothing reads {:?}", binding.values));
        }
    }
    Ok(())
}
