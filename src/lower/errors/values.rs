//! E0240 to E0299: ranges, collections, tables, derivatives, what must be known when code is built.

use std::sync::Arc;

use crate::diag::{Report, Span};

/// E0269. A matrix is needed.
pub fn not_a_matrix(span: Span, what: &str, found: &str) -> Report {
    Report::error("E0269", span, format!("`{what}` takes a matrix, found {found}"))
}

/// E0240. A range without an end.
pub fn open_range(span: Span) -> Report {
    Report::error("E0240", span, "a range without an end can only be an index")
}

/// E0241. A range whose bounds are not known at all.
pub fn range_unbounded(span: Span) -> Report {
    Report::error(
        "E0241",
        span,
        "the ends of this range are not known when the code is built, and nothing bounds them",
    )
    .help("give a bound: `for i in 0..100 while i < k { … }`")
}

/// E0242. A range that varies where a fixed length is needed.
pub fn range_varies(span: Span) -> Report {
    Report::error(
        "E0242",
        span,
        "this range has a different length for each element, so the array would be ragged",
    )
    .help("under a reduction such as `sum( … )` a range may depend on earlier ones")
}

/// E0243. A generator that gives something code cannot hold.
pub fn generator_of_values(span: Span, found: &str) -> Report {
    Report::error(
        "E0243",
        span,
        format!("the elements of an array are numbers, arrays or records of them, found {found}"),
    )
}

/// E0244. The argument of `argmin` is not a scalar.
pub fn arg_of_arrays(span: Span, found: &str) -> Report {
    Report::error(
        "E0244",
        span,
        format!("`argmin` and `argmax` compare scalars, each element here is part of {found}"),
    )
}

/// E0245. A tuple pattern for something else.
pub fn not_a_tuple(pattern: Span, count: usize, span: Span, found: &str) -> Report {
    let report = Report::error("E0245", pattern, format!("{count} names for {found}"))
        .label(span, format!("this is {found}"));
    if found == "int" {
        report.help("two ranges have a name each: `for i in 0..n, j in 0..m`")
    } else {
        report
    }
}

/// E0246. A tuple pattern of the wrong length.
pub fn pattern_count(pattern: Span, names: usize, parts: usize, value: Span) -> Report {
    Report::error("E0246", pattern, format!("{names} names for {parts} parts"))
        .label(pattern, format!("these are {names}"))
        .label(value, format!("this has {parts}"))
}

/// E0247. Integer arithmetic left the 64-bit range.
pub fn int_overflow(span: Span) -> Report {
    Report::error("E0247", span, "this integer is too large for 64 bits").help("write a real: `2.0^100`")
}

/// E0248. Division of integers by zero.
pub fn division_by_zero(span: Span) -> Report {
    Report::error("E0248", span, "integer division by zero")
}

/// E0249. The derivative of something that is no scalar.
pub fn grad_of_array(span: Span, found: &str) -> Report {
    Report::error("E0249", span, format!("`grad` takes a function to one real, this one gives {found}"))
        .help("`jacobian(f)` differentiates functions to arrays")
}

/// E0250. The Jacobian of a function of or to a record.
pub fn jacobian_of_record(span: Span, found: &str) -> Report {
    Report::error("E0250", span, format!("`jacobian` takes functions from arrays to arrays, found {found}"))
        .help("`flatten(r)` makes one vector of a record")
}

/// E0251. A stated derivative has the wrong number of names.
pub fn derivative_params(span: Span, name: &str, want: usize, found: usize) -> Report {
    Report::error("E0251", span, format!("`{name}` has {want} real parameters, its derivative names {found}"))
        .help("name one tangent for each real parameter: `derivative dx, dy -> …`")
}

/// E0252. A stated derivative has the wrong shape.
pub fn derivative_shape(span: Span, name: &str, want: &str, found: &str) -> Report {
    Report::error("E0252", span, format!("`{name}` gives {want}, its derivative {found}"))
}

/// E0268. A stated derivative is not linear in its tangents.
pub fn derivative_not_linear(span: Span, name: &str) -> Report {
    Report::error("E0268", span, format!("the derivative of `{name}` is not linear in its tangents"))
        .help("a derivative is a sum of products of one tangent each: `dx * cos(x)`, `dx / x + dy`")
}

/// E0253. A collection is needed.
pub fn not_a_collection(span: Span, found: &str) -> Report {
    let report = Report::error("E0253", span, format!("expected something to run over, found {found}"));
    let report = if found == "int" { report.help("so many turns are a range: `0..n`") } else { report };
    report.help("a range `0..n`, an array, a table, or several of them in parentheses")
}

/// E0254. A table is needed.
pub fn expected_table(span: Span, name: &str, found: &str) -> Report {
    Report::error("E0254", span, format!("`{name}` takes a table, found {found}"))
}

/// E0255. A table whose columns are computed where known ones are needed.
pub fn known_table(span: Span, name: &str) -> Report {
    Report::error("E0255", span, format!("`{name}` takes a table of known columns"))
        .help("bind the table in a `let` at the top level first")
}

/// E0256. `linspace` with fewer than two points.
pub fn linspace_count(span: Span) -> Report {
    Report::error("E0256", span, "`linspace` needs at least 2 points")
}

/// E0257. `top_k` of more elements than there are.
pub fn top_k_count(span: Span, k: i64, n: i64) -> Report {
    Report::error("E0257", span, format!("the {k} greatest of {n} elements"))
}

/// E0258. A draw from nothing.
pub fn empty_draw(span: Span) -> Report {
    Report::error("E0258", span, "there is nothing to draw from")
}

/// E0259. A list of compile-time values indexed by a computed integer.
pub fn list_needs_known_index(span: Span) -> Report {
    Report::error(
        "E0259",
        span,
        "the elements of this list differ in type, so its index must be known when code is built",
    )
}

/// E0260. An integer that must be known when code is built.
pub fn expected_known_int(span: Span, found: &str) -> Report {
    Report::error(
        "E0260",
        span,
        format!("expected an integer that is known when code is built, found {found}"),
    )
}

/// E0261. A filter in an array.
pub fn filter_in_array(span: Span) -> Report {
    Report::error("E0261", span, "a filter would make the length of this array depend on its values")
        .help("filters stand under reductions: `sum(e for x in S if c)`; in arrays choose with `where`")
}

/// E0262. A filter over a list that is not known.
pub fn filter_unknown(span: Span) -> Report {
    Report::error(
        "E0262",
        span,
        "a filter over a list of compile-time values must be known when code is built",
    )
}

/// E0263. A variable changes its shape in a loop that cannot be unrolled.
pub fn loop_changes_shape(span: Span, names: &[Arc<str>]) -> Report {
    let (what, name) = match names {
        [name] => (format!("`{name}`"), &**name),
        _ => ("a variable".to_string(), "x"),
    };
    Report::error(
        "E0263",
        span,
        format!("{what} changes its type or shape in this loop, which is too long to unroll"),
    )
    .help(format!("give it its final shape before the loop, `var {name} = zeros[n]`, and assign entries: `{name}[k] = e`"))
}

/// E0264. An unrolled loop with a computed condition.
pub fn unrolled_while(span: Span) -> Report {
    Report::error("E0264", span, "this loop is unrolled, so its condition must be known when code is built")
}

/// E0265. Something that must be unrolled has no known length.
pub fn unroll_unknown(span: Span) -> Report {
    Report::error(
        "E0265",
        span,
        "this is unrolled, so the number of its turns must be known when code is built",
    )
}

/// E0266. A type with the wrong number of arguments.
pub fn type_arguments(span: Span, name: &str, want: usize, found: usize) -> Report {
    Report::error("E0266", span, format!("the type `{name}` takes {want} arguments, found {found}"))
}

/// E0266. Sizes behind a type in parentheses.
pub fn sizes_in_brackets(span: Span, name: &str) -> Report {
    Report::error("E0266", span, format!("the type `{name}` takes no arguments"))
        .help(format!("the sizes of an array stand in brackets: `{name}[n]`"))
}

/// E0267. A value escapes from the loop or generator that computes it.
pub fn escapes(span: Span) -> Report {
    Report::error("E0267", span, "this value belongs to a loop, generator or function body that has ended")
        .help("return it from the body as a number, array or record")
}

/// E0273. `checkpoint` of something that is not computed by code.
pub fn checkpoint_of(span: Span, found: &str) -> Report {
    Report::error(
        "E0273",
        span,
        format!("`checkpoint` takes an expression of numbers and arrays, found {found}"),
    )
    .help("what is written inside is what is computed again: `checkpoint(f(x))`")
}

/// E0276. A warning: a derivative is zero by structure.
pub fn derivative_lost(span: Span, name: &str, way: (&str, Span)) -> Report {
    let name = if name == "_" { "its argument".to_string() } else { format!("`{name}`") };
    let report = Report::warning("E0276", span, format!("this derivative in {name} is zero everywhere"));
    lost(report, "what is differentiated", &name, way)
        .help("state a derivative (`derivative …`, `is surrogate`), or take a smooth function in its place")
}

/// E0276 for a param: a gradient says nothing about it.
pub fn param_lost(span: Span, name: &str, way: (&str, Span)) -> Report {
    let report = Report::warning("E0276", span, format!("the loss does not depend smoothly on `{name}`"));
    lost(report, "the loss", &format!("`{name}`"), way).help(
        "take a smooth function in its place, state a derivative, or use an optimizer that needs no gradient",
    )
}

/// E0278. A warning: a `let` in a loop that was meant to change what stands around it.
pub fn let_is_lost(span: Span, name: &str, outer: Span) -> Report {
    let message = format!("this `let` makes a new `{name}`, which ends with the turn of the loop");
    let report = Report::warning("E0278", span, message)
        .label(outer, format!("`{name}` keeps the value that it has here"));
    report.help(format!("`var {name} = …` before the loop and `{name} = …` in it change one and the same"))
}

/// E0279. A warning: nothing in an objective reads one of its params.
pub fn param_not_read(span: Span, name: &str, objective: &str) -> Report {
    let message = format!("nothing in `{objective}` reads the param `{name}`: it stays at its start");
    Report::warning("E0279", span, message)
        .help(format!("use `{name}` in the clause, or make it a `let` or an argument"))
}

/// E0277. A warning: `A^-1` is no inverse.
pub fn reciprocals(span: Span, found: &str) -> Report {
    Report::warning("E0277", span, format!("`^` works entry by entry: this is the reciprocals of {found}"))
        .help(
            "the inverse of a matrix is `inv(A)`; `inv(A) @ b` solves equations; for reciprocals write `1/A`",
        )
}

fn lost(report: Report, whole: &str, name: &str, (what, at): (&str, Span)) -> Report {
    let step = match what {
        "lt" | "le" | "gt" | "ge" | "eq" | "ne" => "a comparison".to_string(),
        "arg_reduce" => "the place of an extreme entry".to_string(),
        "argsort" => "a ranking".to_string(),
        "real_to_int" => "rounding to an integer".to_string(),
        "if" => "a condition".to_string(),
        "while" => "the number of turns".to_string(),
        name => format!("`{name}`"),
    };
    report
        .label(at, format!("{step} jumps or stays: it has no derivative of use"))
        .note(format!("{whole} depends on {name} only by steps like this"))
}
