//! E0440 to E0490: solves, what they are given and what they reach.

use crate::diag::{Report, Span};

/// E0488. A param of whole numbers or truth values.
pub fn param_not_real(span: Span, name: &str, elem: &str) -> Report {
    let message = format!("a param is real: solves move `{name}` by any amount, so it cannot be {elem}");
    let help = if elem == "int" {
        "make it `real`, or solve for each whole number in a list and take the best: \
         `[(solve f(k)) for k in 1..10]`"
    } else {
        "make it `real`, such as the weight of a choice between 0 and 1"
    };
    Report::error("E0488", span, message).help(help)
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

/// E0481. A report in a step that is no number.
pub fn step_report_kind(span: Span, name: &str, found: &str) -> Report {
    Report::error("E0481", span, format!("the report `{name}` of a step is a number, found {found}"))
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

/// How often something happened, where it was not once.
fn counted(times: u64) -> String {
    if times == 1 { String::new() } else { format!(" {times} times") }
}
