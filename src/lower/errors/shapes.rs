//! E0201 to E0239: kinds of elements, shapes, dimensions, matrices.

use super::human;
use crate::diag::{Report, Span};
use crate::ir::{Dim, Ty};

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

type Typed<'a> = (&'a Ty, Span);

fn pair(report: Report, a: Typed<'_>, b: Typed<'_>) -> Report {
    report.label(a.1, format!("this is {}", a.0)).label(b.1, format!("this is {}", b.0))
}

/// An operator as it is written.
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
