//! The text form, the verifier and the interpreter, on small programs with every control form.

use minima::eval::{eval, first_non_finite};
use minima::ir::{Op, Program, Tensor, verify};
use minima::ops::read_program;

fn read(text: &str) -> Program {
    read_program(text).unwrap_or_else(|what| panic!("{what}\n{text}"))
}

fn run(text: &str, inputs: &[Tensor]) -> Vec<Tensor> {
    let program = read(text);
    verify(&program.main).unwrap_or_else(|what| panic!("{what}"));
    eval(&program, inputs).unwrap_or_else(|stop| panic!("{}", stop.text))
}

const FORMS: &str = r#"precision f64
fn main(%0: real, %1: real[2]) -> (%3, %4, %5, %6, %7, %8) {
  %2: real[2] = constant [1.0, -0.5]
  %3: real, %4: real[5] = loop(%0, %2) {trip = 5, carried = 1, condition = fn condition(%0: int, %1: real, %2: real[2]) -> (%4) {
    %3: real = constant 3.0
    %4: bool = lt(%1, %3)
  }, body = fn body(%0: int, %1: real, %2: real[2]) -> (%4, %1) {
    %3: real = reduce(%2) {fold = sum, axes = [0]}
    %4: real = add(%1, %3)
  }}
  %9: bool = constant false
  %5: real = if(%9, %0) {then = fn then(%0: real) -> (%0) {
  }, otherwise = fn otherwise(%0: real) -> (%1) {
    %1: real = neg(%0)
  }}
  %6: real[4] = map(%0) {trip = 4, body = fn "times i"(%0: int, %1: real) -> (%3) {
    %2: real = int_to_real(%0)
    %3: real = mul(%1, %2)
  }}
  %7: real = custom(%0) {function = fn square(%0: real) -> (%1) {
    %1: real = mul(%0, %0)
  }, tangent = fn tangent(%0: real, %1: real) -> (%2) {
    %2: real = mul(%0, %1)
  }}
  %8: real[2] = mul(%1, %2)
}
"#;

#[test]
fn control_forms_are_read_printed_and_run() {
    assert_eq!(read(FORMS).to_string(), FORMS);
    let inputs = [Tensor::scalar(2.0), Tensor::real(&[2], vec![4.0, 6.0])];
    let results = run(FORMS, &inputs);
    let expected: [&[f64]; 6] = [
        &[3.0],
        // Two rounds, then the condition fails: the other rows are zero.
        &[2.0, 2.5, 0.0, 0.0, 0.0],
        &[-2.0],
        &[0.0, 2.0, 4.0, 6.0],
        &[4.0],
        &[4.0, -3.0],
    ];
    for (result, expected) in results.iter().zip(expected) {
        assert_eq!(result.reals(), expected);
    }
}

#[test]
fn derivative_forms_are_read_printed_and_verified() {
    let text = "precision f64
fn main(%0: real, %1: int, %2: real) -> (%3, %4, %5, %6) {
  %3: real, %4: real = jvp(%0, %1, %2) {active = [0], function = fn f(%0: real, %1: int) -> (%2) {
    %2: real = powi(%0, %1)
  }}
  %5: real, %6: real = vjp(%0, %1, %2) {active = [0], function = fn f(%0: real, %1: int) -> (%2) {
    %2: real = powi(%0, %1)
  }}
}
";
    let program = read(text);
    assert_eq!(program.to_string(), text);
    verify(&program.main).unwrap();
    let wrong = text.replace("vjp(%0, %1, %2)", "vjp(%0, %1, %1)");
    let what = verify(&read(&wrong).main).unwrap_err();
    assert_eq!(what, "in main: %5, %6: operands of vjp: (real, int, real) and (real, int, int) differ");
}

#[test]
fn symbolic_dimensions_and_literals_are_read_back() {
    let text = "precision f64
fn main(%0: real[2*n^2 - m + 1, k*n], %1: bool[n]) -> (%3, %9) {
  %3: real[4] = constant [1e300, -0.0, inf, NaN]
  %4: int[0] = constant []
  %5: bool = constant true
  %9: int[2] = constant [-3, 9223372036854775807]
}
";
    assert_eq!(read(text).to_string(), text);
}

#[test]
fn the_reader_explains_what_it_does_not_accept() {
    let deep = "fn f() -> () { _ = map() {trip = 1, body = ".repeat(2000);
    let rows = [
        ("fn f() -> (%1) {}", "line 1: %1 of f is not bound"),
        ("fn f(%0: real) -> (%0) {\n  %0: real = neg(%0)\n}", "line 2: %0 is bound twice"),
        ("fn f() -> () {\n %0: real = sing(%0)\n}", "line 2: there is no op sing"),
        ("fn f() -> () {\n %0: real = reduce(%0)\n}", "line 2: reduce: the attribute fold is missing"),
        ("fn f() -> () {\n %0: real[3] = constant [1.0]\n}", "line 2: real[3] has 3 elements, found 1"),
        ("fn f(%4000000000: real) -> () {}", "line 1: %4000000000 is too large a number for this text"),
        (
            "fn f() -> () { %0: real[65] = constant dense<65 elements, 00> }",
            "line 1: a literal whose elements were left out cannot be read",
        ),
        ("fn f() -> () {} fn", "line 1: the text goes on behind the function"),
        ("fn f(%0: real[n^99999]) -> () {}", "line 1: the dimension is too large"),
        (&deep, "line 1: functions are nested too deeply"),
        ("", "line 1: expected \"fn\", found \"\""),
    ];
    for (text, what) in rows {
        assert_eq!(read_program(text).map(|p| p.to_string()), Err(what.to_owned()));
    }
}

#[test]
fn large_literals_are_left_out() {
    let mut program = read("fn f() -> (%0) { %0: int[2] = constant [1, 2] }");
    program.main.bindings[0].op = Op::Constant(Tensor::int(&[65], (0..65).collect()));
    let text = program.to_string();
    assert!(text.contains("constant dense<65 elements, "), "{text}");
}

#[test]
fn the_verifier_says_what_is_wrong() {
    let rows = [
        (
            "fn f(%0: real) -> (%2) { %2: real = neg(%1) %1: real = neg(%0) }",
            "in f: %2: %1 is read before it is bound",
        ),
        (
            "fn f(%0: real[2]) -> (%1) { %1: real[3] = neg(%0) }",
            "in f: %1: results: (real[2]) and (real[3]) differ",
        ),
        (
            "fn f(%0: real[2], %1: real[3]) -> (%2) { %2: real[2] = add(%0, %1) }",
            "in f: %2: add: real[2] and real[3] differ",
        ),
        (
            "fn f(%0: real) -> (%1) { %1: real = loop(%0) {trip = 3, carried = 1, body = fn b(%0: int, %1: int) -> (%1) {}} }",
            "in f: %1: parameters of the body: (int, int) and (int, real) differ",
        ),
        (
            "fn f(%0: real, %1: bool) -> (%2) { %2: real = if(%1, %0) {then = fn a(%0: real) -> (%0) {}, otherwise = fn b(%0: real) -> () {}} }",
            "in f: %2: results of the branches: (real) and () differ",
        ),
        (
            "fn f(%0: real) -> (%1) { %1: real[4] = map(%0) {trip = 3, body = fn b(%0: int, %1: real) -> (%1) {}} }",
            "in f: %1: results: (real[3]) and (real[4]) differ",
        ),
        (
            "fn f(%0: real) -> (%1) { %1: real = custom(%0) {function = fn b(%0: real) -> (%0) {}, tangent = fn b(%0: real, %1: bool) -> (%0) {}} }",
            "in f: %1: parameters of the tangent: (real, bool) and (real, real) differ",
        ),
    ];
    for (text, what) in rows {
        let program = read(text);
        assert_eq!(verify(&program.main), Err(what.to_owned()));
    }
    let symbolic = read("fn f(%0: real[n]) -> (%1) { %1: real[m] = cumsum(%0) {axis = 0, reverse = false} }");
    assert_eq!(verify(&symbolic.main), Ok(()));
}

#[test]
fn reals_are_rounded_under_f32() {
    let text = "fn f(%0: real) -> (%1) { %1: real = add(%0, %0) }";
    let tenth = Tensor::scalar(0.1);
    assert_eq!(run(text, std::slice::from_ref(&tenth))[0].reals(), [0.2]);
    let single = format!("precision f32 {text}");
    assert_eq!(run(&single, &[tenth])[0].reals(), [f64::from(0.2_f32)]);
}

#[test]
fn a_trap_stops_the_run() {
    let text = "fn f(%0: real[5], %1: int) -> (%2) { %2: real = gather(%0, %1) }";
    let inputs = [Tensor::real(&[5], vec![0.0; 5]), Tensor::int_scalar(7)];
    let stop = eval(&read(text), &inputs).unwrap_err();
    assert_eq!(stop.text, "index 7 is out of range for a dimension of 5");
    let stop = eval(&read(text), &inputs[..1]).unwrap_err();
    assert_eq!(stop.text, "expected inputs of types (real[5], int), found (real[5])");
}

#[test]
fn too_much_memory_is_a_stop() {
    let text = "fn f() -> (%0) { %0: int[4611686018427387904, 16] = iota() {dims = [4611686018427387904, 16], axis = 0} }";
    let stop = eval(&read(text), &[]).unwrap_err();
    let expected = "not enough memory for an array of 4611686018427387904 x 16 elements";
    assert_eq!(stop.text, expected);
}

#[test]
fn the_first_non_finite_result_is_blamed() {
    // The literal inf is not to blame, nor what is computed from it.
    let text = "fn f(%0: real[2]) -> (%4) {
      %1: real = constant inf
      %2: real = neg(%1)
      %3: bool = constant true
      %4: real[2] = if(%3, %0) {then = fn then(%0: real[2]) -> (%2) {
        %1: real[2] = log(%0)
        %2: real[2] = sqrt(%1)
      }, otherwise = fn otherwise(%0: real[2]) -> (%0) {}}
    }";
    let program = read(text);
    let blame = |data: [f64; 2]| {
        let input = Tensor::real(&[2], data.to_vec());
        first_non_finite(&program, &[input]).map(|(_, text)| text)
    };
    assert_eq!(blame([2.0, 3.0]), None);
    assert_eq!(blame([2.0, -0.3]).as_deref(), Some("log of -0.3"));
    assert_eq!(blame([0.5, 1.0]).as_deref(), Some("sqrt of -0.693147"));
    let product = read("fn f(%0: real[2]) -> (%1) { %1: real = reduce(%0) {fold = prod, axes = [0]} }");
    let huge = Tensor::real(&[2], vec![1e200, 1e200]);
    let text = first_non_finite(&product, &[huge]).map(|(_, text)| text);
    assert_eq!(text.as_deref(), Some("finite numbers give inf"));
}
