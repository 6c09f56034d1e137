//! Everything that elaboration says to users: one function per diagnostic, from facts to a report.
//!
//! E02 types and shapes, E03 names and calls, E04 statements, objectives, optimizers and solves,
//! E05 stops at run time and limits, E09 what is not built yet.

use std::sync::Arc;

use super::habits;
use crate::diag::{Report, Span};
use crate::ir::{Dim, Ty};

/// Whether a report says that a value is not known when code is built, or follows from that.
pub fn is_about_knowledge(code: &str) -> bool {
    matches!(
        code,
        "E0216"
            | "E0217"
            | "E0229"
            | "E0232"
            | "E0241"
            | "E0242"
            | "E0255"
            | "E0259"
            | "E0260"
            | "E0262"
            | "E0263"
            | "E0264"
            | "E0265"
    )
}

type Typed<'a> = (&'a Ty, Span);

fn pair(report: Report, a: Typed<'_>, b: Typed<'_>) -> Report {
    report.label(a.1, format!("this is {}", a.0)).label(b.1, format!("this is {}", b.0))
}

/// E0201. An operand has the wrong kind of elements.
pub fn operand_kind(span: Span, op: &str, at: Span, want: &str, found: &str) -> Report {
    let report = Report::error("E0201", span, format!("`{}` takes {want} here, not {found}", sign(op)))
        .label(at, format!("this is {found}"));
    if found.starts_with("bool") {
        report.help("turn a truth value into a number with `where(c, 1, 0)` or `real(c)`")
    } else if want == "int" {
        report.help("`int(x)` rounds a real toward zero")
    } else {
        report
    }
}

/// E0202. An operator is applied to something that is no number.
pub fn operator_takes_numbers(span: Span, op: &str, at: Span, found: &str) -> Report {
    let report =
        Report::error("E0202", span, format!("`{}` works on numbers and arrays, not on {found}", sign(op)))
            .label(at, format!("this is {found}"));
    match found {
        "a function" => {
            report.help("call it: `f(x)`; in an optimizer `g` is the gradient at x, `f(x)` the value")
        }
        "a string" => report.help("`print` shows several values: `print \"loss\", x`"),
        "the result of a solve" => {
            report.help("its answer has the names of the params, `fit.x`; its value is `fit.loss`")
        }
        _ if found.contains("strings") => {
            report.help("text is turned into numbers by `one_hot(column)` or `group(column).codes`")
        }
        _ => report,
    }
}

/// E0203. The operands of an elementwise operation have shapes that do not broadcast.
pub fn shapes_do_not_broadcast(span: Span, a: Typed<'_>, b: Typed<'_>) -> Report {
    let report = pair(Report::error("E0203", span, format!("cannot combine {} with {}", a.0, b.0)), a, b);
    let (wide, narrow) = if a.0.rank() >= b.0.rank() { (a.0, b.0) } else { (b.0, a.0) };
    let report = match (wide.dims.as_slice(), narrow.dims.as_slice()) {
        ([_], [_]) => return report.help("both must have the same length"),
        ([_, one], [_]) if *one == Dim::Known(1) => {
            report.help("the column of a matrix as a vector is `A[:, 0]`")
        }
        ([n, _], [m]) if n == m => {
            report.help("a vector goes with the rows of a matrix; for its columns run over both: `[r - c for (r, c) in (A, v)]`")
        }
        ([_, _], [_, one]) if *one == Dim::Known(1) => {
            report.help("a dimension of 1 is not repeated: a vector is, `A[:, 0]`")
        }
        _ => report,
    };
    report.help(
        "dimensions pair up from the right; each pair must match, only missing leading ones are filled in",
    )
}

/// E0203. The arguments of a product of two arrays, entry by entry, that is summed.
pub fn dot_shapes(span: Span, a: Typed<'_>, b: Typed<'_>) -> Report {
    let report = pair(Report::error("E0203", span, format!("cannot combine {} with {}", a.0, b.0)), a, b);
    match (a.0.rank(), b.0.rank()) {
        (2, 1) | (1, 2) => report.help("the product of a matrix and a vector is `A @ x`"),
        _ => report.help("`dot(a, b)` sums the products of entries: both must have the same dimensions"),
    }
}

/// E0204. Something else than an array stands where an array is needed.
pub fn expected_array(span: Span, found: &str) -> Report {
    let report = Report::error("E0204", span, format!("expected a number or an array, found {found}"));
    if found.contains("strings") {
        report.help("text is turned into numbers by `one_hot(column)` or `group(column).codes`")
    } else if found.starts_with("a table") {
        report.help("`matrix(data)` puts its columns side by side")
    } else if found.starts_with("a list") {
        report.help("items of one shape make an array, these differ")
    } else if found == "a function" {
        report.help("call it: `f(x)`; its derivative is `grad(f)(x)`")
    } else {
        report
    }
}

/// E0205. The elements are of the wrong kind.
pub fn wrong_elem(span: Span, want: &str, found: &str) -> Report {
    Report::error("E0205", span, format!("expected {want}, found {found}"))
}

/// E0205. A path without its quotes.
pub fn path_without_quotes(span: Span, function: &str, path: &str) -> Report {
    Report::error("E0205", span, "a path is a text, in quotes")
        .help(format!("write `{function}(\"{path}\")`"))
        .fix(span, format!("\"{path}\""))
}

/// E0206. Two records or vectors have different parts.
pub fn records_differ(span: Span, a: &str, b: &str) -> Report {
    Report::error("E0206", span, format!("cannot combine {a} with {b}: their parts differ"))
}

/// E0207. A value with parts that are no arrays is used as a vector.
pub fn not_a_vector(span: Span, found: &str) -> Report {
    Report::error("E0207", span, format!("expected an array or a record of arrays, found {found}"))
}

/// E0208. A value does not have its declared type.
pub fn type_differs(span: Span, want: &str, found: &str, declared: Span) -> Report {
    let report = Report::error("E0208", span, format!("expected {want}, found {found}"))
        .label(span, format!("this is {found}"))
        .label(declared, format!("declared as {want}"));
    match found {
        "a distribution" => report.help("a draw is written with `~`: `let z: real[n] ~ normal(0, 1)`"),
        "a function" if want == "an optimizer" => {
            report.help("an optimizer is given its hyper-parameters in parentheses: `adam()`")
        }
        _ if found.starts_with("a table") => {
            report.help("`matrix(data)` puts the columns of a table side by side")
        }
        "a string" if want == "an optimizer" => report.help("leave the quotes out and write `adam()`"),
        "a string" if want == "real" || want == "int" => report.help("a number has no quotes"),
        "real" if want == "int" => report.help("`int(x)` rounds a real toward zero"),
        _ => report,
    }
}

/// E0209. A dimension differs from its declaration.
pub fn dimension_differs(
    span: Span,
    declared: &str,
    found: &str,
    (place, name): (Span, &str),
    want: &str,
    have: &str,
) -> Report {
    let what = if name == want { "this dimension".to_string() } else { format!("here `{name}`") };
    Report::error("E0209", span, format!("expected {declared}, found {found}"))
        .label(span, format!("this is {found}: {have} where {want} is needed"))
        .label(place, format!("{what} is {want}"))
}

/// E0210. The inner dimensions of a matrix product differ.
pub fn matmul_shapes(span: Span, a: Typed<'_>, b: Typed<'_>) -> Report {
    pair(Report::error("E0210", span, format!("cannot multiply {} by {}", a.0, b.0)), a, b)
        .help("the last dimension of the left must equal the first of the right; `A'` transposes")
}

/// E0211. A matrix product with a scalar.
pub fn matmul_of_scalar(op: Span, a: Typed<'_>, b: Typed<'_>) -> Report {
    pair(Report::error("E0211", op, "`@` multiplies matrices and vectors, not scalars"), a, b)
        .help("write `*` for a product with a scalar")
        .fix(op, "*")
}

/// E0212. A transpose of something that is no matrix.
pub fn transpose_rank(span: Span, found: &str) -> Report {
    Report::error("E0212", span, format!("`'` transposes a matrix, this is {found}"))
        .help("a vector needs no transpose: `u @ v` is its inner product, `dot(u, v)` as well")
}

/// E0213. A square matrix is needed.
pub fn not_square(span: Span, what: &str, found: &str) -> Report {
    Report::error("E0213", span, format!("`{what}` takes a square matrix, found {found}"))
}

/// E0269. A matrix is needed.
pub fn not_a_matrix(span: Span, what: &str, found: &str) -> Report {
    Report::error("E0269", span, format!("`{what}` takes a matrix, found {found}"))
}

/// E0214. A condition is not a truth value.
pub fn condition_kind(span: Span, found: &str) -> Report {
    Report::error("E0214", span, format!("a condition is a truth value, found {found}"))
        .help("compare it with something: `x != 0`")
}

/// E0215. A condition is an array of truth values.
pub fn condition_is_array(span: Span, found: &str) -> Report {
    Report::error("E0215", span, format!("a condition is one truth value, found {found}"))
        .help("`where(c, a, b)` chooses elementwise; `all(c)` and `any(c)` make one truth value")
}

/// E0216. The sides of a choice have different types.
pub fn branches_differ(span: Span, a: &str, b: &str) -> Report {
    let report = Report::error("E0216", span, format!("one side of the choice is {a}, the other {b}"))
        .help("both sides must have the same type and dimensions");
    let scalar = |ty: &str| matches!(ty, "real" | "int");
    if scalar(a) != scalar(b) {
        report.help("zeros like x are `0*x`, other numbers `0*x + c`")
    } else {
        report
    }
}

/// E0217. A choice at run time between values that code cannot hold.
pub fn choice_of_values(span: Span, found: &str) -> Report {
    Report::error("E0217", span, format!("a choice made while the program runs cannot give {found}"))
        .help("only numbers, arrays and records of them can depend on computed conditions")
}

/// E0218. The elements of an array literal have different kinds.
pub fn items_differ(span: Span, first: &str, found: &str) -> Report {
    Report::error("E0218", span, format!("the array began with {first}, this is {found}"))
}

/// E0219. A block matrix of something that is no matrix.
pub fn block_rank(span: Span, found: &str) -> Report {
    Report::error("E0219", span, format!("a block of a block matrix is a matrix, found {found}"))
        .help("`reshape(v, n, 1)` makes a column of a vector")
}

/// E0220. Blocks that do not fit together.
pub fn blocks_differ(span: Span, a: Typed<'_>, b: Typed<'_>) -> Report {
    pair(Report::error("E0220", span, format!("the blocks {} and {} do not fit together", a.0, b.0)), a, b)
}

/// E0221. Arrays that cannot be put one behind the other.
pub fn concat_differs(span: Span, a: Typed<'_>, b: Typed<'_>) -> Report {
    pair(Report::error("E0221", span, format!("cannot put {} and {} one behind the other", a.0, b.0)), a, b)
        .help("all dimensions but the first must agree")
}

/// E0222. A reshape changes the number of elements.
pub fn reshape_count(span: Span, from: &str, to: &str) -> Report {
    Report::error("E0222", span, format!("{from} and {to} have different numbers of elements"))
}

/// E0223. An index is out of range for sure.
pub fn index_out_of_range(span: Span, lo: i64, hi: i64, dim: &Dim, base: Span) -> Report {
    let what = if lo == hi { format!("index {lo}") } else { format!("an index that runs from {lo} to {hi}") };
    let report = Report::error("E0223", span, format!("{what} is out of range for a dimension of {dim}"));
    let report = if base == span { report } else { report.label(base, format!("this dimension is {dim}")) };
    let last = dim.known().map_or(String::new(), |n| format!(" up to {}", n - 1));
    let report = report.help(format!("indices count from 0{last}"));
    if hi < 0 { report.help("`last(x)` is the last element") } else { report }
}

/// E0224. A slice is out of range for sure.
pub fn slice_out_of_range(span: Span, from: i64, to: i64, dim: &Dim, base: Span) -> Report {
    Report::error("E0224", span, format!("the slice {from}..{to} is out of range for a dimension of {dim}"))
        .label(base, format!("this dimension is {dim}"))
        .help("a slice `a..b` takes the elements a up to, but not including, b")
}

/// E0225. Too many indices.
pub fn too_many_indices(span: Span, count: usize, base: Span, ty: &str) -> Report {
    Report::error("E0225", span, format!("{count} indices for {ty}")).label(base, format!("this is {ty}"))
}

/// E0226. Something that cannot be indexed.
pub fn not_indexable(span: Span, found: &str) -> Report {
    let report = Report::error(
        "E0226",
        span,
        format!("only arrays, tables and tuples can be indexed, this is {found}"),
    );
    if found.starts_with('(') { report.help("a field of a record is `r.name`") } else { report }
}

/// E0227. An index that is no integer.
pub fn index_kind(span: Span, found: &str) -> Report {
    Report::error(
        "E0227",
        span,
        format!("an index is an integer, a range or an array of integers, found {found}"),
    )
    .help(if found.contains("strings") {
        "columns by their texts are `matrix(data, only = (\"a\", \"b\"))`"
    } else if found.contains("string") {
        "a column is a field: `data.area`"
    } else if found.starts_with("real") {
        "`n div 2` divides integers; `int(x)` rounds a real toward zero"
    } else {
        "`int(x)` rounds a real toward zero"
    })
}

/// E0228. An index that is an array of truth values.
pub fn index_by_bool(span: Span) -> Report {
    Report::error("E0228", span, "truth values cannot be indices: the size of the result would not be known")
        .help("filter in a generator instead: `sum(v for v in x if v > 0)`, or choose with `where`")
}

/// E0229. A slice whose length is not known when code is built.
pub fn slice_length(span: Span) -> Report {
    Report::error("E0229", span, "the length of this slice is not known when the code is built")
        .help("write both ends from the same variable, as in `x[i..i+3]`, or use known integers")
}

/// E0230. One index is needed.
pub fn one_index(span: Span) -> Report {
    Report::error("E0230", span, "this takes one index")
}

/// E0231. A dimension that is no integer.
pub fn dimension_kind(span: Span, found: &str) -> Report {
    let report = Report::error("E0231", span, format!("a dimension is an integer, found {found}"));
    if found == "real" {
        report.help("`n div 2` divides integers; `int(x)` rounds a real toward zero")
    } else {
        report
    }
}

/// E0232. A dimension that only a run computes.
pub fn dimension_at_run_time(span: Span) -> Report {
    Report::error(
        "E0232",
        span,
        "a dimension must be known when code is built; this integer is computed by that code",
    )
    .help("compute it in a `let` at the top level of the program first")
}

/// E0239. A range of known ends that runs over nothing.
pub fn range_runs_up(span: Span, from: i64, to: i64) -> Report {
    Report::error("E0239", span, format!("this range is empty: ranges run up, and {from} is above {to}"))
        .help(format!(
            "to count down, compute the index: `for k in {}..{} {{ let i = {from} - k … }}`",
            0,
            from - to
        ))
}

/// E0233. A negative dimension.
pub fn negative_dimension(span: Span, found: &str) -> Report {
    Report::error("E0233", span, format!("a dimension cannot be negative, this is {found}"))
}

/// E0234. A dimension formula that cannot be solved for its name.
pub fn dimension_unsolved(place: Span, span: Span, found: &str, written: &str) -> Report {
    Report::error("E0234", span, format!("{found} does not fit {written}"))
        .label(place, "no integer solves this dimension for it")
}

/// E0235. The element of an assignment has the wrong shape.
pub fn assigned_shape(span: Span, found: &str, want: &str) -> Report {
    Report::error("E0235", span, format!("cannot assign {found} where {want} is replaced"))
}

/// E0236. An array would be too large.
pub fn too_large(span: Span, ty: &str, bytes: Option<u64>, limit: u64) -> Report {
    let size = bytes.map_or("more than 16 EiB".to_string(), human);
    Report::error("E0236", span, format!("{ty} would take {size}, the limit is {}", human(limit)))
        .help("`--memory-limit` raises the limit")
}

/// E0237. A reduction of nothing.
pub fn empty_reduction(span: Span, name: &str) -> Report {
    Report::error("E0237", span, format!("`{name}` of no elements has no value"))
}

/// E0238. Arrays that run together have different lengths.
pub fn parallel_lengths(span: Span, a: &str, b: &str, lengths: (&str, &str)) -> Report {
    Report::error("E0238", span, format!("{a} and {b} cannot run together: their lengths differ"))
        .label(span, format!("{} beside {}", lengths.0, lengths.1))
        .help("each row of the one needs its row of the other; `x[..n]` takes the first n")
}

/// E0239. A range of something else than integers.
pub fn range_of_ints(span: Span, found: &str) -> Report {
    Report::error("E0239", span, format!("the ends of a range are integers, found {found}"))
        .help("`linspace(a, b, n)` gives evenly spaced reals")
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

/// Where a name stands, as far as advice depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// In the body of an optimizer.
    Optimizer,
    /// Anywhere else.
    Other,
}

/// E0277. A warning: `A^-1` is no inverse.
pub fn reciprocals(span: Span, found: &str) -> Report {
    Report::warning("E0277", span, format!("`^` works entry by entry: this is the reciprocals of {found}"))
        .help(
            "the inverse of a matrix is `inv(A)`; `inv(A) @ b` solves equations; for reciprocals write `1/A`",
        )
}

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

fn along(name: &str) -> String {
    if name.starts_with("arg") {
        return format!("for each row write `[{name}(r) for r in A]`");
    }
    format!(
        "over the first dimension write `{name}(r for r in A)`, over the last `[{name}(r) for r in A]`, of some numbers `{name}([a, b])`"
    )
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

/// E0401. A block ends without a value.
pub fn block_without_value(span: Span) -> Report {
    Report::error("E0401", span, "this block has no value").help("end it with an expression")
}

/// E0402. An `if` with a value needs both sides.
pub fn if_without_else(span: Span) -> Report {
    Report::error("E0402", span, "an `if` used as a value needs an `else`")
}

/// E0403. A value that nothing uses.
pub fn value_not_used(span: Span) -> Report {
    Report::error("E0403", span, "the value of this expression is not used")
        .help("bind it with `let`, or assign it: `x = …`, `x -= …`")
}

/// E0404. A statement of the top level inside a function.
pub fn only_at_top(span: Span, what: &str) -> Report {
    Report::error("E0404", span, format!("{what} at the top level of a program, in its loops, and in tests"))
        .help("functions are pure: return the value and print it where the function is called")
}

/// E0405. `stop` outside a step.
pub fn only_in_step(span: Span) -> Report {
    Report::error("E0405", span, "`stop` stands in the step of an optimizer")
}

/// E0406. A statement that does not belong here.
pub fn not_here(span: Span) -> Report {
    Report::error("E0406", span, "this statement does not belong here")
}

/// E0407. A statement that does not belong in an objective.
pub fn not_in_objective(span: Span, instead: Option<&str>) -> Report {
    let report = Report::error("E0407", span, "this statement does not belong in an objective");
    let report = match instead {
        Some(instead) => report.help(instead),
        None => report,
    };
    report.help("an objective has `let`, `param`, one `minimize` or `maximize`, and `report`")
}

/// E0408. An objective that minimizes nothing.
pub fn no_clause(span: Span, name: &str) -> Report {
    Report::error("E0408", span, format!("the objective `{name}` does not say what to minimize"))
        .help("add a line `minimize …`")
}

/// E0409. An objective without params.
pub fn no_params(span: Span, name: &str) -> Report {
    Report::error("E0409", span, format!("the objective `{name}` has no params"))
        .help("add a line such as `param w: real[d] = 0`")
}

/// E0410. A param without a start.
pub fn param_without_start(span: Span, name: &str) -> Report {
    Report::error("E0410", span, format!("`{name}` has no start"))
        .help(format!("write `{name} = …` with the point to start from, or `{name} ~ normal(0, 1)`"))
}

/// E0411. A param that is no vector.
pub fn param_kind(span: Span, name: &str, found: &str) -> Report {
    Report::error(
        "E0411",
        span,
        format!("the param `{name}` is an array or a record of arrays, found {found}"),
    )
}

/// E0412. A value of the wrong shape for a param.
pub fn param_shape(span: Span, name: &str, want: &str, found: &str) -> Report {
    Report::error("E0412", span, format!("the param `{name}` is {want}, found {found}"))
}

/// E0413. Several params and one value.
pub fn params_expected(span: Span, names: &[&str], found: &str) -> Report {
    let fields: Vec<String> = names.iter().map(|n| format!("{n} = …")).collect();
    Report::error("E0413", span, format!("expected the params {}, found {found}", names.join(", ")))
        .help(format!("write `({})`, or pass `fit.params`", fields.join(", ")))
}

/// E0414. The objective is no scalar.
pub fn objective_not_scalar(span: Span, found: &str) -> Report {
    Report::error("E0414", span, format!("what is minimized is one real number, found {found}")).help(
        match found {
            "bool" => {
                "for equations write `solve a == b over x = x0`; truth values are counted by `mean( … )`"
            }
            "real[1]" => "take its entry: `( … )[0]`, or reduce it: `sum( … )`",
            _ => "reduce it: `sum( … )`, `mean( … )`, `dot(r, r)`",
        },
    )
}

/// E0415. `minimize` without `over`.
pub fn minimize_without_over(span: Span, objective: Option<&str>) -> Report {
    let report = Report::error("E0415", span, "`minimize` needs to know over what");
    match objective {
        Some(text) => report.help(format!("an objective knows what it minimizes: write `solve {text}`")),
        None => report.help("write `minimize f(x) over x = x0`"),
    }
}

/// E0416. `solve P over …`.
pub fn solve_with_over(span: Span) -> Report {
    Report::error("E0416", span, "`solve` takes its params from the objective")
        .help("write `minimize … over …` for an expression, or `from` for another start")
}

/// E0417. `solve` of something that is no objective.
pub fn not_an_objective(span: Span, name: &str, found: &str) -> Report {
    let report = Report::error("E0417", span, format!("`solve` takes an objective, found {found}"));
    if found == "a function" {
        report.help(format!(
            "give the objective its arguments: `solve {name}(…)`; for a function write `minimize {name}(x) over x = x0`"
        ))
    } else {
        report
    }
}

/// E0418. `using` something that is no optimizer.
pub fn not_an_optimizer(span: Span, found: &str) -> Report {
    let report = Report::error("E0418", span, format!("`using` takes an optimizer, found {found}"));
    if found == "a string" {
        report.help("leave the quotes out and write its hyper-parameters in parentheses: `using adam()`")
    } else {
        report
    }
}

/// E0419. An optimizer without its parentheses.
pub fn optimizer_not_called(span: Span, name: &str) -> Report {
    Report::error("E0419", span, "an optimizer is given its hyper-parameters in parentheses")
        .help(format!("write `using {name}()`"))
}

/// E0420. An option without a name.
pub fn unnamed_option(span: Span) -> Report {
    Report::error("E0420", span, "an option is written `name = value`")
}

/// E0421. An option that does not exist.
pub fn unknown_option(span: Span, name: &str) -> Report {
    let known = ["batch", "seed", "trace", "restarts", "differentiate"];
    let report = Report::error("E0421", span, format!("there is no option `{name}`"));
    match habits::setting(name) {
        Some(advice) => report.help(advice),
        None => report.did_you_mean(name, known),
    }
    .note(format!("options are {}", known.join(", ")))
}

/// E0422. An option that must be positive.
pub fn option_positive(span: Span, name: &str) -> Report {
    Report::error("E0422", span, format!("`{name}` must be at least 1"))
}

/// E0423. A stopping condition that says nothing about the solve.
pub fn until_without_figure(span: Span) -> Report {
    Report::error(
        "E0423",
        span,
        "this condition says nothing about the solve, so it would hold always or never",
    )
    .help("use steps, epochs, loss, grad_norm, change, evals, seconds, or a report of the objective or optimizer")
}

/// E0424. A hyper-parameter outside its range.
pub fn hyper_out_of_range(span: Span, name: &str, set: &str, found: f64) -> Report {
    Report::error("E0424", span, format!("`{name}` must lie in {set}, found {found}"))
}

/// E0425. An optimizer without a step.
pub fn no_step(span: Span, name: &str) -> Report {
    Report::error("E0425", span, format!("the optimizer `{name}` has no step")).help("add `step { x = … }`")
}

/// E0425. A step that moves nothing.
pub fn step_moves_nothing(span: Span, name: &str, place: &str) -> Report {
    Report::error(
        "E0425",
        span,
        format!("the step of `{name}` never assigns `{place}`, so nothing would move"),
    )
    .help(format!("write `{place} = …` or `{place} -= …`; `let {place} = …` makes another name"))
}

/// E0426. A part of an optimizer that is there already.
pub fn part_twice(span: Span, what: &str, first: Span) -> Report {
    Report::error("E0426", span, format!("an optimizer has one {what}"))
        .label(span, "the second")
        .label(first, "the first")
        .help("put both into one")
}

/// E0426. A statement that does not belong in an optimizer; `instead` says where it would.
pub fn not_in_optimizer(span: Span, instead: Option<&str>) -> Report {
    let report = Report::error("E0426", span, "this statement does not belong in an optimizer");
    let report = match instead {
        Some(instead) => report.help(instead),
        None => report,
    };
    report.help("an optimizer has `let`, `state`, one `step { … }` and `answer`")
}

/// E0427. A status that does not exist.
pub fn unknown_status(span: Span, name: &str, known: &[&str]) -> Report {
    let report = Report::error("E0427", span, format!("there is no status `{name}`"));
    let report = match name {
        "converged" | "success" | "optimal" | "solved" | "done" | "ok" => {
            report.help("one that has found a minimum says `locally_solved`").fix(span, "locally_solved")
        }
        "failed" | "failure" | "error" | "diverged" => {
            report.help("one that failed says `numerical_error`").fix(span, "numerical_error")
        }
        _ => report.did_you_mean(name, known.iter().copied()),
    };
    report.note(format!("statuses are {}", known.join(", ")))
}

/// E0428. A state that is no vector.
pub fn state_kind(span: Span, name: &str, found: &str) -> Report {
    Report::error(
        "E0428",
        span,
        format!("the state `{name}` is an array or a record of arrays, found {found}"),
    )
    .help(if found == "a function" {
        "the value at x is `f(x)`, the gradient `g`"
    } else {
        "`state m = 0*x` is like x"
    })
}

/// E0429. A state that changes its shape in a step.
pub fn state_changes(span: Span, name: &str, want: &str, found: &str) -> Report {
    Report::error("E0429", span, format!("`{name}` starts as {want} and becomes {found} in the step"))
        .help("a state keeps its type and shape; `state m = 0*x` starts with those of x")
}

/// E0430. The problem evaluated at a point of the wrong shape.
pub fn point_shape(span: Span, want: &str, found: &str) -> Report {
    Report::error("E0430", span, format!("the point of an evaluation is {want}, found {found}"))
        .help("`x` is one flat vector of all params")
}

/// E0431. `from` a result with other params.
pub fn resume_differs(span: Span, what: &str) -> Report {
    Report::error("E0431", span, format!("this result cannot be continued: its {what} differ"))
}

/// E0432. `from` a result of another optimizer.
pub fn resume_optimizer(span: Span, old: &str, new: &str) -> Report {
    Report::error("E0432", span, format!("this result of `{old}` cannot be continued with `{new}`"))
        .help("`from fit.params` starts afresh from its point")
}

/// E0433. Compiled code would have to wait for a value in its middle.
pub fn known_too_late(span: Span) -> Report {
    Report::error("E0433", span, "this has to be known before the code around it is compiled")
        .help("compute it outside the loop, generator, derivative or solve")
}

/// E0440. The derivative of a function without types is not one text.
pub fn gradient_needs_types(span: Span, name: &str) -> Report {
    Report::error(
        "E0440",
        span,
        format!("the parameter `{name}` has no type, so its derivative has no shape to be written in"),
    )
    .help(format!("say what it is: `{name}: real`, or `{name}: real[n]`"))
}

/// E0441. A parameter that is no array where a derivative is printed.
pub fn gradient_needs_arrays(span: Span, name: &str) -> Report {
    Report::error(
        "E0441",
        span,
        format!("the derivative of a function of `{name}`, which is no array, cannot be written"),
    )
    .help("give the function or table inside the function, and take the arrays as parameters")
}

/// E0442. Nothing to differentiate.
pub fn nothing_to_differentiate(span: Span, name: Option<&str>, known: &[&str]) -> Report {
    match name {
        Some(name) => {
            Report::error("E0442", span, format!("there is no function or objective `{name}` in this file"))
                .did_you_mean(name, known.iter().copied())
        }
        None if known.is_empty() => {
            Report::error("E0442", span, "there is no function or objective in this file".to_string())
        }
        None => Report::error("E0442", span, "which function is to be differentiated?".to_string())
            .help(format!("name one of them: {}", known.join(", "))),
    }
}

/// E0902. A derivative that cannot be written as a program yet.
pub fn unprintable(span: Span, what: &str) -> Report {
    Report::error("E0902", span, format!("this derivative has no text yet: it needs {what}"))
        .note("it can be computed: `grad(f)(x)` works")
}

/// E0434. A draw in a generator that is no expectation.
pub fn draw_outside_expect(span: Span) -> Report {
    Report::error(
        "E0434",
        span,
        "`for z ~ D` integrates over D, which only `expect` does; `expect` is not built yet",
    )
    .help("draw with `let z ~ D`, or run over a set with `for z in S`")
}

/// E0435. A report that is no array.
pub fn report_kind(span: Span, name: &str, found: &str) -> Report {
    Report::error("E0435", span, format!("the report `{name}` is a number or an array, found {found}"))
}

/// E0481. A report in a step that is no number.
pub fn step_report_kind(span: Span, name: &str, found: &str) -> Report {
    Report::error("E0481", span, format!("the report `{name}` of a step is a number, found {found}"))
}

/// E0436. An input given a value that does not fit.
pub fn input_value(span: Span, name: &str, text: &str) -> Report {
    Report::error(
        "E0436",
        span,
        format!("the value `{text}` given for the input `{name}` is no number, truth value or text"),
    )
}

/// E0437. An input without a value.
pub fn input_missing(span: Span, name: &str) -> Report {
    Report::error("E0437", span, format!("the input `{name}` has no value"))
        .help(format!("run with `{name}=…`, or give it a default"))
}

/// E0438. A value that cannot be saved.
pub fn cannot_save(span: Span, found: &str) -> Report {
    Report::error(
        "E0438",
        span,
        format!("only arrays, records of arrays and tables can be saved, found {found}"),
    )
}

/// E0439. A file that imports itself.
pub fn import_cycle(span: Span, path: &str) -> Report {
    Report::error("E0439", span, format!("`{path}` imports itself, directly or through other files"))
}

/// E0501. Compiled code stopped, such as at an index out of range.
pub fn trap(span: Span, message: &str) -> Report {
    Report::error("E0501", span, message.to_string())
}

/// E0502. A limit was reached.
pub fn limit(span: Span, message: &str) -> Report {
    Report::error("E0502", span, message.to_string())
}

/// E0509. More memory is needed than there may be, although reverse mode keeps of `kept` loops no
/// more than it must.
pub fn memory(span: Span, needed: u64, limit: u64, reverse: bool, kept: &[(Span, u64)]) -> Report {
    let sizes = (human(needed), human(limit));
    let message = format!("this needs {} of memory, and the limit is {}", sizes.0, sizes.1);
    let mut report = Report::error("E0509", span, message);
    for (place, bytes) in kept {
        report = report.label(*place, format!("reverse mode keeps at least {} of this loop", human(*bytes)));
    }
    if reverse {
        report = report.help(
            "reverse mode keeps what is computed outside of loops: `checkpoint(e)` computes e again instead",
        );
    }
    report.help("`--memory-limit` raises the limit")
}

/// E0503. The program was interrupted.
pub fn interrupted(span: Span, message: &str) -> Report {
    Report::error("E0503", span, message.to_string())
}

/// E0504. Expressions or calls nested too deeply.
pub fn nested_too_deeply(span: Span) -> Report {
    Report::error("E0504", span, "expressions and calls are nested too deeply here")
}

/// E0505. Too much unrolling or inlining.
pub fn too_much_work(span: Span, limit: u64) -> Report {
    Report::error(
        "E0505",
        span,
        format!("putting functions in place and unrolling loops took more than {limit} steps"),
    )
    .help(
        "use a loop over a range where a list or growing array is unrolled; `--work-limit` raises the limit",
    )
}

/// E0490. A value that `plot` does not show.
pub fn not_plotted(span: Span, found: &str, shape: &str) -> Report {
    let report =
        Report::error("E0490", span, format!("`plot` shows vectors and results of solves, not {found}"));
    match shape {
        "function" => report
            .help("give it numbers: `line(x, [f(t) for t in x])`; of two numbers: `contour(f, box(lo, hi))`"),
        "objective" => report.help("its level sets, if it has two params: `contour(P, box(lo, hi))`"),
        "words" => report.help("`group(column).codes` turns text into numbers"),
        "table" => report.help("name a column: `plot data.x`, or two: `plot line(data.x, data.y)`"),
        "matrix" => report.help("`plot heatmap(A)` shows a matrix; `A[0]` is a row and `A[:, 0]` a column"),
        "number" => report.help("one number is printed: `print x`"),
        _ => report,
    }
}

/// E0490. A heatmap of something that is no matrix.
pub fn no_heatmap(span: Span, found: &str) -> Report {
    Report::error("E0490", span, format!("`heatmap` takes a matrix, not {found}"))
        .help("a table as a matrix is `matrix(data)`")
}

/// E0491. A form of plot that does not exist.
pub fn unknown_plot(span: Span, name: &str, near: &str) -> Report {
    let known: Vec<&str> = super::plots::FORMS.iter().map(|(name, ..)| *name).collect();
    Report::error("E0491", span, format!("there is no plot `{name}`"))
        .did_you_mean(name, [near])
        .note(format!("plots are {}", known.join(", ")))
}

/// E0491. An argument that a form of plot does not have.
pub fn unknown_plot_argument(span: Span, form: &str, name: &str, known: &[&str]) -> Report {
    Report::error("E0491", span, format!("`{form}` has no argument `{name}`"))
        .did_you_mean(name, known.iter().copied())
        .note(format!("its arguments are {}", known.join(", ")))
}

/// E0491. An option that `plot` does not have.
pub fn unknown_plot_option(span: Span, name: &str) -> Report {
    let known = super::plots::OPTIONS;
    let report = Report::error("E0491", span, format!("`plot` has no option `{name}`"));
    let meant = match name {
        "xlabel" | "x_label" | "xlab" => Some("x"),
        "ylabel" | "y_label" | "ylab" => Some("y"),
        "logy" | "yscale" | "semilogy" => Some("log_y"),
        "logx" | "xscale" | "semilogx" => Some("log_x"),
        _ => None,
    };
    match meant {
        Some(meant) => report.help(format!("write `{meant} = …`")),
        None => report.did_you_mean(name, known.iter().copied()),
    }
    .note(format!("options are {}", known.join(", ")))
}

/// E0491. Too few or too many arguments of a form of plot.
pub fn plot_arguments(span: Span, form: &str, params: &[&str], needed: usize) -> Report {
    let written = match form {
        "contour" => "contour(f, box(lo, hi), path = fit)".to_string(),
        _ => format!("{form}({})", params[..needed].join(", ")),
    };
    Report::error("E0491", span, format!("write `{written}`"))
}

/// E0491. An option or argument given twice.
pub fn plot_twice(span: Span, name: &str) -> Report {
    Report::error("E0491", span, format!("`{name}` is given twice"))
}

/// E0492. An option of a plot with a value that it cannot have.
pub fn plot_value(span: Span, name: &str, want: &str, found: Option<&str>) -> Report {
    let found = found.map_or(String::new(), |found| format!(", not {found}"));
    Report::error("E0492", span, format!("`{name}` takes {want}{found}"))
}

/// E0492. No region for level sets.
pub fn no_box(span: Span) -> Report {
    Report::error("E0492", span, "level sets are drawn in a box: `contour(f, box([-2, -1], [2, 3]))`")
        .help("`box(lo, hi)` goes from one corner to the other; `box(-2, 2)` is a square")
}

/// E0492. A box without area.
pub fn empty_box(span: Span, lo: f64, hi: f64) -> Report {
    Report::error("E0492", span, format!("this box is empty: it goes from {lo} to {hi}"))
}

/// E0493. Columns of a plot that differ in length.
pub fn plot_lengths(span: Span, first: usize, second: usize, at: Span) -> Report {
    let many = |n: usize| if n == 1 { "1 number".to_string() } else { format!("{n} numbers") };
    Report::error(
        "E0493",
        span,
        format!("points need as many numbers of both kinds, not {first} and {second}"),
    )
    .label(at, format!("these are {}", many(first)))
    .label(span, format!("these are {}", many(second)))
}

/// E0494. Plots without axes in common.
pub fn plots_differ(span: Span, found: &str, first: &str, at: Span) -> Report {
    Report::error("E0494", span, format!("{found} and {first} do not go into one picture"))
        .label(at, format!("{first}, here"))
        .label(span, format!("{found}, here"))
        .help("write two `plot` statements")
}

/// E0495. Nothing that could be drawn.
/// Of a solve, whose status tells what is wrong, it is a warning.
pub fn nothing_to_plot(span: Span, name: &str, values: usize, solve: bool) -> Report {
    let why = match values {
        0 => format!("`{name}` has no values"),
        1 => format!("the only value of `{name}` cannot be shown"),
        _ => format!("none of the {values} values of `{name}` can be shown"),
    };
    let message = format!("there is nothing to draw: {why}");
    let report = if solve { Report::warning } else { Report::error };
    report("E0495", span, message)
        .help("values that are not finite are gaps, and a logarithmic axis has positive ones only")
}

/// E0496. Level sets of something that is no function.
pub fn not_a_plane(span: Span, found: &str) -> Report {
    Report::error(
        "E0496",
        span,
        format!("`contour` takes a function of two numbers or an objective, not {found}"),
    )
    .help("such as `contour((a, b) -> a^2 + b^2, box(-1, 1))`")
}

/// E0496. Level sets of a function that takes more than two arguments, or none.
pub fn function_of_others(span: Span, count: usize) -> Report {
    let many = if count == 1 { "1 argument".to_string() } else { format!("{count} arguments") };
    Report::error(
        "E0496",
        span,
        format!("level sets are those of a function of two numbers; this one takes {many}"),
    )
    .help("fix the others: `contour((a, b) -> f(a, b, 1.0), box(-1, 1))`")
}

/// E0496. Level sets of a function whose value is no number.
pub fn levels_of_numbers(span: Span, found: &str) -> Report {
    Report::error(
        "E0496",
        span,
        format!("level sets are those of a function with one number as value, not {found}"),
    )
}

/// E0496. Level sets of a problem that has not two numbers as params, or its way.
pub fn not_two_numbers(span: Span, count: Option<i64>) -> Report {
    let found = match count {
        Some(1) => "1 number".to_string(),
        Some(count) => format!("{count} numbers"),
        None => "others".to_string(),
    };
    Report::error("E0496", span, format!("a picture has two axes, and the params of this are {found}"))
        .help("a function of two of them is a plane through the others: `contour((a, b) -> P((a = a, b = b, c = 0)), …)`")
}

/// E0496. A way that is neither a result nor points.
pub fn no_way(span: Span, found: &str) -> Report {
    Report::error(
        "E0496",
        span,
        format!("`path` takes the result of a solve, or points as rows of two numbers, not {found}"),
    )
}

/// E0901. A construct of the language that is not built yet.
pub fn not_yet(span: Span, what: &str) -> Report {
    let report = Report::error("E0901", span, format!("{what} is not built yet"));
    match what {
        "`subject to`" => report.help("add a penalty to what is minimized, such as `100*relu(-x)^2` for `x >= 0`"),
        "a set for a param" => {
            report.help("put a function into the set in its place: `softmax(u)` for a simplex, `exp(u)` above 0, `a + (b - a)*sigmoid(u)` in (a, b)")
        }
        _ => report,
    }
}

fn sign(op: &str) -> &str {
    match op {
        "add" => "+",
        "sub" => "-",
        "mul" => "*",
        "div" => "/",
        "int_div" => "div",
        "int_mod" => "mod",
        "pow" | "powi" => "^",
        "neg" => "-",
        "lt" => "<",
        "le" => "<=",
        "eq" => "==",
        "ne" => "!=",
        "ge" => ">=",
        "gt" => ">",
        other => other,
    }
}

/// Bytes for people.
pub fn human(bytes: u64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    #[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 1024.0 && unit + 1 < units.len() {
        size /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} bytes") } else { format!("{size:.1} {}", units[unit]) }
}

/// E0451. Steps are counted by the clock where there is none.
pub fn clock_inside(span: Span) -> Report {
    Report::error("E0451", span, "this solve is part of compiled code, where no clock is read")
        .help("bound it by its steps: `until … or steps >= 1_000`")
}

/// E0452. An unknown way of differentiating a solve.
pub fn unknown_differentiate(span: Span) -> Report {
    Report::error("E0452", span, "`differentiate` is `implicit`, `unroll` or `neumann(k)`")
        .help("`implicit`, by the implicit function theorem at the answer, is the default")
}

/// E0453. The Neumann series of equations that are no fixed point.
pub fn neumann_of_equations(span: Span) -> Report {
    Report::error(
        "E0453",
        span,
        "the Neumann series converges for fixed points and minima, not for any equations",
    )
    .help("write the equations as a fixed point, `solve T(z) == z over z = …`, or leave `differentiate` out")
}

/// E0454. What is to be solved is a comparison, but no equation.
pub fn not_an_equation(span: Span) -> Report {
    Report::error("E0454", span, "expected an equation, `F(z) == 0`, found another comparison")
        .help("for a constrained minimum, write `minimize … over … subject to …`")
}

/// E0455. Equations without unknowns.
pub fn equations_without_over(span: Span) -> Report {
    Report::error("E0455", span, "these equations do not say what their unknowns are")
        .help("add them with their start: `solve F(z) == 0 over z = z0`")
}

/// E0456. More or fewer equations than unknowns.
pub fn equations_not_square(span: Span, equations: i64, unknowns: i64) -> Report {
    Report::error(
        "E0456",
        span,
        format!("expected as many equations as unknowns, found {equations} for {unknowns}"),
    )
    .help("for least squares, write `minimize sum(r^2) over …`")
}

/// E0457. Residuals of a problem that has none.
pub fn no_residuals(span: Span, clause: Span) -> Report {
    Report::error("E0457", span, "this problem has no residuals: it is neither equations nor written as a sum of squares")
        .label(clause, "this is minimized")
        .help("write it as one, `minimize sum(e^2 for …)` or `mean((a - b)^2 for …) + c*dot(w, w)`, or use an optimizer that needs none")
}

/// E0458. A warning: a solve inside compiled code stopped short of what was asked.
pub fn inner_unsolved(span: Span, times: u64, residual: &str, steps: &str) -> Report {
    Report::warning("E0458", span, format!("this solve stopped short of its condition{}", counted(times)))
        .note(format!("the last time after {steps} steps, with a residual of {residual}"))
        .help("give it more steps, another optimizer, or a condition that it meets; or say `with differentiate = unroll`")
}

/// E0459. A warning: the linear system of an implicit derivative is solved badly.
pub fn inner_singular(span: Span, times: u64, residual: &str, condition: &str) -> Report {
    Report::warning(
        "E0459",
        span,
        format!("the derivative of this solve is not to be trusted{}", counted(times)),
    )
    .note(format!(
        "its linear system is near singular: relative residual {residual}, condition number {condition}"
    ))
    .help("perhaps the answer is not unique: add a regulariser, or say `with differentiate = unroll`")
}

/// How often something happened, where it was not once.
fn counted(times: u64) -> String {
    if times == 1 { String::new() } else { format!(" {times} times") }
}

/// E0460. A solve in compiled code goes on from the state of one that was run.
pub fn resume_inside(span: Span) -> Report {
    Report::error("E0460", span, "this solve is part of compiled code, which has no state to continue with")
        .help("start from its point: `from fit.params`")
}

/// E0461. An argument of `base.step` that it does not have.
pub fn step_argument(span: Span) -> Report {
    Report::error(
        "E0461",
        span,
        "a step takes `x = …`, `g = …`, `f = …` and `afresh = …` by name; what is not named is as here",
    )
    .help("`base.step()` runs it at the present point")
}

/// E0462. An array that no `each` block is for.
pub fn array_left_over(span: Span, optimizer: &str, array: &str, ty: &str) -> Report {
    Report::error("E0462", span, format!("`{optimizer}` has no step for `{array}`, {ty}"))
        .help("say who takes the other arrays: `otherwise using …` in the optimizer")
}

/// E0463. A step beside `each` blocks.
pub fn step_and_each(span: Span, optimizer: &str) -> Report {
    Report::error("E0463", span, format!("`{optimizer}` has both a step and `each` blocks"))
        .help("put what is done for every array into an `each` block without a type")
}

/// E0464. A statement that an `each` block cannot hold.
pub fn not_in_each(span: Span) -> Report {
    Report::error(
        "E0464",
        span,
        "an `each` block holds `let`, `state` and `step`, and reports nothing: it runs for every array",
    )
}

/// E0465. `otherwise using` something that is no optimizer of this one.
pub fn otherwise_kind(span: Span) -> Report {
    Report::error("E0465", span, "expected the name of a hyper-parameter that is an optimizer")
        .help("`optimizer m(rest: optimizer = adam()) { … otherwise using rest }`")
}

/// E0466. An optimizer for a param that there is not.
pub fn no_such_param(span: Span, name: &str, params: &[&str]) -> Report {
    Report::error("E0466", span, format!("the objective has no param `{name}`"))
        .did_you_mean(name, params.iter().copied())
        .note(format!("its params are {}", params.join(", ")))
}

/// E0467. All params are frozen.
pub fn nothing_free(span: Span) -> Report {
    Report::error("E0467", span, "no param has an optimizer, so nothing would move")
        .help("name one: `using (w = adam())`")
}

/// E0468. Nothing to sample in an objective.
pub fn no_rows(span: Span, what: &str) -> Report {
    Report::error(
        "E0468",
        span,
        format!("{what} needs rows to choose from, and the `minimize` clause has no `sum` or `mean` over data"),
    )
    .help("write it with one: `mean(loss(w, x, y) for (x, y) in (X, Y))`, or `for row in data`, or `for i in 0..n`")
}

/// E0469. Several generators over data.
pub fn rows_unclear(first: Span, second: Span) -> Report {
    Report::error("E0469", first, "the `minimize` clause runs over several collections: which one is sampled?")
        .label(second, "or this one")
        .help("run over what belongs together at once, `for (x, y) in (X, Y)`; what is no data goes into the objective before the clause")
}

/// E0470. The objective is no mean over its rows.
pub fn not_a_mean(span: Span, inside: Span) -> Report {
    Report::error(
        "E0470",
        span,
        "this objective is no mean over its examples, so they have no values of their own",
    )
    .label(inside, "its rows are summed inside of this")
}

/// E0471. A warning: minibatches of an objective are biased.
pub fn biased(span: Span, inside: Span) -> Report {
    Report::warning(
        "E0471",
        span,
        "minibatches of this objective are biased: it is no sum or mean over its rows",
    )
    .label(inside, "they are summed inside of this")
}

/// E0472. A batch that there is not.
pub fn batch_kind(span: Span, found: &str) -> Report {
    Report::error("E0472", span, format!("expected the size of a minibatch, at least 1, found {found}"))
        .help("`batch = 64`, `batch = poisson(0.01)` (every row with this probability), or `batch = replacement(64)`")
}

/// E0473. An `expect` that is not over a generator.
pub fn expect_form(span: Span) -> Report {
    Report::error("E0473", span, "`expect` takes a generator that draws into names")
        .help("`expect(f(z) for z ~ normal(0, 1))`")
}

/// E0474. A filter in an expectation.
pub fn expect_filter(span: Span) -> Report {
    Report::error(
        "E0474",
        span,
        "an expectation takes no filter: it would be conditional on what it holds for",
    )
    .help("put the condition into the value: `expect(where(c, e, 0) for …)`")
}

/// E0475. An estimator that there is not.
pub fn unknown_estimator(span: Span) -> Report {
    Report::error("E0475", span, "expected an estimator: `pathwise(k)` or `enumerate`")
        .help("`expect(f(z) for z ~ normal(0, 1) by pathwise(64))`")
}

/// E0476. Pathwise derivatives of draws from a discrete law.
pub fn not_pathwise(span: Span, law: Span) -> Report {
    Report::error("E0476", span, "draws from a discrete distribution have no derivative")
        .label(law, "its values can be listed")
        .help("leave `by …` out: then it is summed over all values, exactly")
}

/// E0477. A continuous law cannot be listed.
pub fn not_enumerable(span: Span, law: Span) -> Report {
    Report::error("E0477", span, "the values of this distribution cannot be listed")
        .label(law, "it has no `support`")
        .help("`by pathwise(64)` draws so many")
}

/// E0478. A view of the problem that there is not.
pub fn unknown_view(span: Span, name: &str, known: &[&str]) -> Report {
    Report::error("E0478", span, format!("the problem `f` has no `{name}`"))
        .did_you_mean(name, known.iter().copied())
        .note(format!("it has {}", known.join(", ")))
}

/// E0479. A minibatch in a solve that is part of code.
pub fn batch_inside(span: Span) -> Report {
    Report::error("E0479", span, "a solve that is part of compiled code runs on all data")
        .help("leave `batch` out here, or solve at the top level")
}

/// E0480. Row numbers that are none.
pub fn ids_kind(span: Span, found: &str) -> Report {
    Report::error("E0480", span, format!("expected the numbers of rows, a vector of integers, found {found}"))
        .help("`f.on([0, 1, 2])`, `f.on(f.ids)`")
}

/// E0482. Outputs of a problem that has none.
pub fn no_outputs(span: Span, clause: Span) -> Report {
    Report::error(
        "E0482",
        span,
        "this problem has no outputs: there is no loss of what a model gives for each example",
    )
    .label(clause, "expected `sum` or `mean` over examples, of something that the params enter in one place")
    .help("`minimize mean(loss(model(w, x), y) for (x, y) in (X, Y))`")
}

/// E0483. A probability for Poisson sampling that is none.
pub fn batch_probability(span: Span, found: &str) -> Report {
    Report::error(
        "E0483",
        span,
        format!("expected the probability of a row, above 0 and at most 1, found {found}"),
    )
}

/// E0484. A condition that compares a figure with itself.
pub fn until_with_itself(span: Span, text: &str) -> Report {
    Report::error("E0484", span, format!("this compares `{text}` with itself"))
        .note("the figures of a solve hide names of the program that are spelt alike")
        .help("give the parameter or variable another name")
}

/// E0485. A saved state of another optimizer.
pub fn state_lacks(span: Span, name: &str, optimizer: &str) -> Report {
    Report::error("E0485", span, format!("this state is not one of `{optimizer}`: `{name}` is not in both"))
        .help("go on with the optimizer that it was saved from, with the same options, or start afresh `from` its params")
}

/// E0486. A saved state of another problem.
pub fn state_differs(span: Span, name: &str, expected: &str, found: &str) -> Report {
    Report::error(
        "E0486",
        span,
        format!("this state is of another problem: `{name}` is {found}, expected {expected}"),
    )
}

/// E0487. A report with the name of something else of the result.
pub fn report_name(span: Span, name: &str, what: &str) -> Report {
    Report::error("E0487", span, format!("a report cannot be called `{name}`: that is {what}"))
        .help(format!("call it otherwise, such as `my_{name}`"))
}
