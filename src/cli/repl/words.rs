//! What `:help` says of the words of the language.

/// What a word is for, with an example.
pub fn word(name: &str) -> Option<String> {
    let (name, about, example) = WORDS.iter().find(|(known, ..)| *known == name)?;
    Some(format!("{name}: {about}\n  {example}\na word of the language; docs/language.md has more"))
}

/// All words of which something is known.
pub fn words() -> impl Iterator<Item = &'static str> {
    WORDS.iter().map(|(name, ..)| *name)
}

const WORDS: &[(&str, &str, &str)] = &[
    ("and", "both hold", "x > 0 and x < 1"),
    ("assert", "stops nothing, but is told and counted where it does not hold", "assert fit.loss < 0.1"),
    (
        "derivative",
        "the derivative that a function states itself",
        "fn f(x: real) = x^2 derivative dx -> 2*x*dx",
    ),
    ("distribution", "declares a distribution", "distribution coin(p: real) { … }"),
    ("div", "division of integers, rounded down", "7 div 2"),
    ("else", "the other side of a choice", "if x > 0 then x else 0"),
    ("fn", "declares a function", "fn f(x: real[n]) = dot(x, x)"),
    ("for", "a loop, or the rows of a generator", "sum(x^2 for x in data.a)"),
    ("from", "where a solve begins: an earlier fit, or values", "solve C from fit"),
    ("if", "a choice", "if x > 0 then x else 0"),
    ("import", "brings the names of another file", "import \"lib.opt\" as lib"),
    ("in", "a range of values, or what a loop goes through", "let k: real in (0, 1) = 0.5"),
    ("input", "a value that the command line may give", "input lr: real = 0.1"),
    ("let", "gives a name to a value", "let x = 2"),
    ("maximize", "makes an expression great", "maximize -p^2 over p = 1.0"),
    ("minimize", "makes an expression small", "minimize (p - 3)^2 over p = 1.0"),
    ("mod", "the rest of a division", "7 mod 2"),
    ("not", "the contrary", "not (x > 0)"),
    (
        "objective",
        "declares what should be made small",
        "objective o(t: real) { param w = 0.0; minimize (w - t)^2 }",
    ),
    (
        "optimizer",
        "declares how to make something small",
        "optimizer mine(lr: real = 0.1) { step { x -= lr*g } }",
    ),
    ("or", "at least one holds", "x < 0 or x > 1"),
    ("over", "what a solve changes, with its start", "minimize (p - 3)^2 over p = 1.0"),
    ("param", "what a solve of the objective changes, with its start", "param w: real[d] = 0"),
    ("plot", "draws a picture", "plot fit to \"course.svg\""),
    ("precision", "the precision of reals, f64 or f32; the first entry", "precision f32"),
    ("print", "prints values", "print x, norm(x)"),
    ("report", "a figure that a solve tells beside the loss", "report accuracy = mean(y == t)"),
    ("save", "writes a value to a file", "save fit.params to \"fit.npz\""),
    ("solve", "solves an objective", "solve o(1.0) using adam(lr = 0.1) until steps >= 100"),
    ("state", "what an optimizer keeps from step to step", "state m = 0"),
    ("step", "what an optimizer does in a step", "step { x -= lr*g }"),
    ("test", "assertions that `minima test` runs", "test \"it holds\" { assert f(1) > 0 }"),
    ("then", "the first side of a choice", "if x > 0 then x else 0"),
    (
        "until",
        "when a solve ends: figures (steps, loss, grad_norm, change, evals, seconds, epochs) or reports, compared",
        "until grad_norm < 1e-8 or steps >= 1000",
    ),
    ("using", "the optimizer of a solve", "solve o(1.0) using adam(lr = 0.1)"),
    ("var", "a name whose value may change", "var v = 1"),
    ("while", "ends a loop when it no longer holds", "for i in 0..10 while x > 1 { x /= 2 }"),
    ("with", "settings of a solve: batch, seed, trace", "solve o(1.0) using sgd() with batch = 64"),
];
