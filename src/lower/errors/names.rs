//! E03: names, fields and calls.

use std::sync::Arc;

use crate::diag::{Report, Span};
use crate::lower::habits;

/// E0301. A name that means nothing; `own` are the names of the program, `library` the others.
pub fn unknown_name(span: Span, name: &str, home: Home, own: &[Arc<str>], library: &[Arc<str>]) -> Report {
    let report = Report::error("E0301", span, format!("`{name}` is not defined"));
    let near = report.clone().did_you_mean(name, own.iter().map(|n| &**n).filter(|n| !n.starts_with("the ")));
    if !near.help.is_empty() {
        return near;
    }
    if let Some(advice) = habits::in_optimizer(name).filter(|_| home == Home::Optimizer) {
        return report.help(advice);
    }
    if let Some(word) = habits::synonym(name) {
        return report.help(format!("it is called `{word}` here")).fix(span, word);
    }
    match habits::name(name) {
        Some(advice) => report.help(advice),
        None => report.did_you_mean(name, library.iter().map(|n| &**n)),
    }
}

/// E0301. A name before the `let` that binds it.
pub fn bound_later(span: Span, name: &str, at: Span) -> Report {
    Report::error("E0301", span, format!("`{name}` is not defined here"))
        .label(span, "used here")
        .label(at, "bound only here")
        .help(format!("a `let` is known from where it stands: move the line that binds `{name}` up"))
}

/// E0301. A param or report of an objective, read where only the result of its solve is known.
pub fn param_of_result(span: Span, name: &str, fit: &str) -> Report {
    Report::error("E0301", span, format!("`{name}` is not defined here"))
        .help(format!("the answer of the solve is `{fit}.{name}`"))
        .fix(span, format!("{fit}.{name}"))
}

/// E0301. A name in a stopping condition that is no figure of the solve.
pub fn unknown_figure(span: Span, name: &str, known: &[Arc<str>], param: bool) -> Report {
    let report = Report::error("E0301", span, format!("`{name}` is not defined in this condition"));
    let near = report.clone().did_you_mean(name, known.iter().map(|n| &**n));
    let report = if !near.help.is_empty() {
        near
    } else if param {
        report.help(format!(
            "a condition reads reports: `report size = …` of `{name}` in the objective, then `size`"
        ))
    } else if name == "g" {
        report.help("the norm of the gradient is `grad_norm`")
    } else if let Some(advice) = habits::of_result(name) {
        report.help(advice)
    } else {
        report
    };
    let known: Vec<&str> = known.iter().map(|name| &**name).collect();
    report.note(format!("a condition is about {}", known.join(", ")))
}

/// E0302. A type that is not defined.
pub fn unknown_type(span: Span, name: &str) -> Report {
    let known = ["real", "int", "bool", "string", "optimizer", "set", "distribution", "table"];
    let report = Report::error("E0302", span, format!("there is no type `{name}`"));
    match name {
        "float" | "double" | "f64" | "number" => {
            report.help("real numbers have the type `real`").fix(span, "real")
        }
        "integer" | "i64" => report.help("integers have the type `int`").fix(span, "int"),
        "vector" | "Vector" | "array" | "Array" | "list" | "List" | "tensor" | "Tensor" => {
            report.help("an array is written with its sizes: `real[n]`")
        }
        "matrix" | "Matrix" => report.help("a matrix is written with its sizes: `real[n, d]`"),
        "str" | "text" | "String" => report.help("texts have the type `string`").fix(span, "string"),
        "boolean" | "Bool" => report.help("truth values have the type `bool`").fix(span, "bool"),
        _ => report.did_you_mean(name, known),
    }
}

/// E0303. A field or column that does not exist.
pub fn unknown_field(span: Span, name: &str, known: &[&str], table: bool) -> Report {
    let what = if table { "column" } else { "field" };
    let report = Report::error("E0303", span, format!("there is no {what} `{name}`"));
    let near = report.clone().did_you_mean(name, known.iter().copied());
    let result = known.contains(&"grad_norm") && known.contains(&"status");
    let habit = match (result, table) {
        (true, _) => habits::of_result(name),
        (_, true) => habits::field(name),
        _ => None,
    };
    let report = match habit {
        Some(advice) if near.help.is_empty() => report.help(advice),
        _ => near,
    };
    let shown: Vec<&str> = known.iter().take(12).copied().collect();
    let more = if known.len() > 12 { ", …" } else { "" };
    if shown.is_empty() { report } else { report.note(format!("it has {}{more}", shown.join(", "))) }
}

/// E0303. A text in a row at a place that is computed.
pub fn text_of_row(span: Span, name: &str) -> Report {
    let message = format!("`{name}` is a column of texts, and the rows of computed code hold numbers only");
    Report::error("E0303", span, message).help(format!(
        "make numbers of the whole column before, `let c = data.{name} == \"…\"` or `group(data.{name}).codes`, \
         and go through both: `for (row, k) in (data, c)`"
    ))
}

/// E0304. A field of something that has none.
pub fn no_fields(span: Span, name: &str, base: Span, found: &str) -> Report {
    let report = Report::error("E0304", span, format!("{found} has no field `{name}`"))
        .label(base, format!("this is {found}"));
    match habits::field(name) {
        Some(advice) => report.help(advice),
        None => report,
    }
}

/// E0305. A record without a field its type asks for.
pub fn field_missing(span: Span, name: &str, known: &[&str]) -> Report {
    Report::error("E0305", span, format!("the field `{name}` is missing"))
        .note(format!("it has {}", known.join(", ")))
}

/// E0306. A field given twice.
pub fn field_twice(span: Span, name: &str) -> Report {
    Report::error("E0306", span, format!("the field `{name}` is given twice"))
}

/// E0307. Something called that is no function.
pub fn not_a_function(span: Span, found: &str) -> Report {
    let report = Report::error("E0307", span, format!("only functions can be called, this is {found}"));
    if found.starts_with("real[") || found.starts_with("int[") || found.contains("table") {
        report.help("index with brackets: `x[i]`")
    } else if found == "real" || found == "int" {
        report.help("a product needs its sign: `2*(a + b)`")
    } else {
        report
    }
}

/// E0307. A value of the program hides the function that was meant.
pub fn hidden_function(span: Span, name: &str, found: &str, bound: Span) -> Report {
    Report::error("E0307", span, format!("only functions can be called, `{name}` is {found} here"))
        .label(bound, format!("this `{name}` hides the function of the library"))
        .help(format!("give it another name, such as `{name}_`"))
}

/// E0308. A reduction with more than what it reduces.
pub fn reduction_arguments(span: Span, name: &str, found: usize) -> Report {
    Report::error("E0308", span, format!("`{name}` takes 1 argument, found {found}")).help(along(name))
}

/// E0311. An axis, as other libraries have it.
pub fn reduction_axis(span: Span, name: &str, given: &str) -> Report {
    Report::error("E0311", span, format!("`{name}` has no argument `{given}`")).help(along(name))
}

/// E0308. The wrong number of arguments.
pub fn argument_count(span: Span, name: &str, want: usize, found: usize) -> Report {
    let plural = if want == 1 { "argument" } else { "arguments" };
    Report::error("E0308", span, format!("`{name}` takes {want} {plural}, found {found}"))
}

/// E0309. More arguments than parameters.
pub fn too_many_arguments(span: Span, name: &str, params: &[&str]) -> Report {
    let all = if params.is_empty() { "nothing".to_string() } else { params.join(", ") };
    Report::error("E0309", span, format!("one argument too many for `{name}`"))
        .note(format!("`{name}` takes {all}"))
}

/// E0310. Arguments left out.
pub fn missing_arguments(span: Span, name: &str, missing: &[&str], given: bool) -> Report {
    let plural = if missing.len() == 1 { "argument" } else { "arguments" };
    let before = if given { "…, " } else { "" };
    Report::error("E0310", span, format!("`{name}` needs the {plural} {}", missing.join(", "))).help(format!(
        "write `{name}({before}{})`",
        missing.iter().map(|m| format!("{m} = …")).collect::<Vec<_>>().join(", ")
    ))
}

/// E0311. A named argument that does not exist.
pub fn unknown_argument(span: Span, name: &str, given: &str, known: &[&str]) -> Report {
    let report = Report::error("E0311", span, format!("`{name}` has no argument `{given}`"));
    let alias = match given {
        "learning_rate" | "stepsize" | "step_size" | "eta" => "lr",
        "beta1" | "beta_1" => "b1",
        "beta2" | "beta_2" => "b2",
        "epsilon" => "eps",
        "maxcor" | "memory" | "history" | "history_size" => "m",
        _ => "",
    };
    if known.contains(&alias) {
        return report.help(format!("it is called `{alias}` here")).fix(span, alias);
    }
    let near = report.clone().did_you_mean(given, known.iter().copied());
    let report = match habits::setting(given) {
        Some(advice) if near.help.is_empty() => report.help(advice),
        _ => near,
    };
    if known.is_empty() { report } else { report.note(format!("it takes {}", known.join(", "))) }
}

/// E0312. An argument given twice.
pub fn argument_twice(span: Span, name: &str) -> Report {
    Report::error("E0312", span, format!("the argument `{name}` is given twice"))
}

/// E0313. A named argument for a lambda.
pub fn lambda_named_argument(span: Span) -> Report {
    Report::error("E0313", span, "a function written as `x -> …` takes its arguments by position")
}

/// E0314. A function calls itself.
pub fn recursion(span: Span, name: &str) -> Report {
    Report::error("E0314", span, format!("`{name}` calls itself"))
        .help("functions are put in place where they are called, so recursion cannot end; use a loop")
}

/// E0315. A function is needed.
pub fn expected_function(span: Span, name: &str, found: &str) -> Report {
    Report::error("E0315", span, format!("`{name}` takes a function, found {found}"))
        .help(format!("`{name}(f)` is a function: write `{name}(f)(x)`"))
}

/// E0316. `grad(f, x)` instead of `grad(f)(x)`.
pub fn derivative_call(span: Span, name: &str, by_place: bool) -> Report {
    let report = Report::error("E0316", span, format!("`{name}` takes the function only"));
    let report = if by_place {
        report.help(format!("`{name}(f, wrt = b)` differentiates in the parameter b"))
    } else {
        report
    };
    report.help(format!("`{name}(f)` is a function: write `{name}(f)(x)`"))
}

/// E0317. `wrt` with something else than names.
pub fn wrt_names(span: Span) -> Report {
    Report::error("E0317", span, "`wrt` takes the names of parameters").help("write `grad(f, wrt = (a, b))`")
}

/// E0318. Assignment to a `let`.
pub fn assigned_let(span: Span, name: &str, declared: Span, home: Home) -> Report {
    let report = Report::error("E0318", span, format!("`{name}` cannot be assigned to: it is not a `var`"))
        .label(declared, "bound here");
    match home {
        Home::Optimizer => report
            .help(format!("`state {name} = …` above the step is kept from step to step"))
            .help(format!("`var {name} = …` changes within a step")),
        Home::Other => report.help(format!("write `var {name} = …` where it is bound")),
    }
}

/// E0318. Assignment to what an optimizer is given.
pub fn assigned_given(span: Span, name: &str) -> Report {
    let report =
        Report::error("E0318", span, format!("`{name}` is given to the optimizer and cannot be assigned to"));
    match name {
        "g" => report.help("give what is made of it a name: `let d = g/norm(g)`"),
        "f" | "t" => report.help(format!("give what is made of it a name: `let u = {name}…`")),
        _ => report.help(format!("keep what changes in a state: `state now = {name}` above the step")),
    }
}

/// E0319. Assignment to a name that does not exist.
pub fn assigned_unknown(span: Span, name: &str, home: Home) -> Report {
    let report = Report::error("E0319", span, format!("`{name}` is assigned to, but was never bound"));
    match home {
        _ if name == "self" => report.help("there are no objects: a state is read and assigned by its name"),
        Home::Optimizer if habits::in_optimizer(name).is_some_and(|advice| advice.contains("`x`")) => {
            report.help("a step changes `x`, the vector of all params: `x -= lr*g`")
        }
        Home::Optimizer => report
            .help(format!("`state {name} = 0*x` above the step is kept from step to step"))
            .help(format!("`let {name} = …` names a value within the step")),
        Home::Other if matches!(name, "loss" | "cost" | "objective") => report
            .help("in an objective write `minimize e`")
            .help(format!("elsewhere bind it first: `let {name} = …`")),
        Home::Other => {
            report.help(format!("bind it first: `var {name} = …`, or `let {name} = …` if it does not change"))
        }
    }
}

/// E0320. Assignment to something that is no place.
pub fn not_a_place(span: Span) -> Report {
    Report::error("E0320", span, "this cannot be assigned to")
        .help("a place is a variable, an element `a[i]` or a field `r.w`")
}

/// E0321. A name declared twice.
pub fn declared_twice(span: Span, name: &str, first: Span) -> Report {
    Report::error("E0321", span, format!("`{name}` is declared twice")).label(first, "first declared here")
}

/// E0322. A set or distribution without a member.
pub fn no_member(span: Span, name: &str, member: &str) -> Report {
    Report::error("E0322", span, format!("`{name}` does not give `{member}`"))
}

/// E0323. Columns of a table without names.
pub fn table_names(span: Span) -> Report {
    Report::error("E0323", span, "a column needs a name").help("write `table(a = x, b = y)`")
}

/// E0324. Only `seed` can be set for an expression.
pub fn only_seed(span: Span) -> Report {
    Report::error("E0324", span, "an expression can be given a seed only").help("write `(e with seed = 1)`")
}

fn along(name: &str) -> String {
    if name.starts_with("arg") {
        return format!("for each row write `[{name}(r) for r in A]`");
    }
    format!(
        "over the first dimension write `{name}(r for r in A)`, over the last `[{name}(r) for r in A]`, of some numbers `{name}([a, b])`"
    )
}

/// Where a name stands, as far as advice depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// In the body of an optimizer.
    Optimizer,
    /// Anywhere else.
    Other,
}
