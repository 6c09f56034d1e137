//! The elementary functions against `libm`, and rows against single elements.

#![expect(unsafe_code, reason = "kernels are called as compiled code calls them")]

use minima::math::{Prim, Scalar, functions};
use minima::runtime::kernels::{Vectors, block};

/// The distance in units in the last place.
fn ulps(a: f64, b: f64) -> f64 {
    if a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()) {
        return 0.0;
    }
    if a == b {
        return f64::INFINITY; // zeros of different sign
    }
    let order = |x: f64| {
        let bits = x.to_bits().cast_signed();
        if bits < 0 { i64::MIN - bits } else { bits }
    };
    (i128::from(order(a)) - i128::from(order(b))).abs() as f64
}

fn arguments() -> Vec<f64> {
    let mut all = vec![
        0.0,
        1.0,
        0.5,
        2.0,
        1e-300,
        5e-324,
        1e-20,
        1e-17,
        1e-16,
        1e-10,
        1e-8,
        0.25,
        0.2555,
        0.549,
        0.55,
        20.0,
        22.0,
        36.0,
        37.0,
        40.0,
        56.0,
        700.0,
        708.0,
        709.5,
        709.782_712_893_384,
        709.79,
        710.0,
        744.0,
        745.0,
        745.2,
        746.0,
        1e3,
        1e6,
        1.1e6,
        1e18,
        1e300,
        f64::MAX,
        f64::INFINITY,
        f64::NAN,
        f64::MIN_POSITIVE,
        0.346_573,
        0.346_574,
        1.039_72,
        1.039_73,
        0.999_999_999_999,
        1.000_000_000_001,
    ];
    let mut state = 1_u64;
    for _ in 0..200_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let unit = (state >> 11) as f64 / (1_u64 << 53) as f64;
        let scale = [1e-6, 0.1, 1.0, 3.0, 40.0, 800.0, 1e5][(state % 7) as usize];
        all.push(unit * scale);
    }
    let negative: Vec<f64> = all.iter().map(|x| -x).collect();
    all.extend(negative);
    all
}

#[test]
fn elementary_functions_are_close_to_libm() {
    type Function = (&'static str, extern "C" fn(f64) -> f64, fn(f64) -> f64, f64);
    let table: [Function; 7] = [
        ("exp", functions::exp, libm::exp, 1.0),
        ("expm1", functions::expm1, libm::expm1, 2.0),
        ("log", functions::log, libm::log, 1.0),
        ("log1p", functions::log1p, libm::log1p, 1.0),
        ("tanh", functions::tanh, libm::tanh, 3.0),
        ("sin", functions::sin, libm::sin, 1.0),
        ("cos", functions::cos, libm::cos, 1.0),
    ];
    for (name, own, reference, most) in table {
        let (mut worst, mut at) = (0.0, 0.0);
        for x in arguments() {
            let distance = ulps(own(x), reference(x));
            if distance > worst {
                (worst, at) = (distance, x);
            }
        }
        println!("{name}: {worst} at {at}");
        assert!(worst <= most, "{name}({at}): {} and {}", own(at), reference(at));
    }
}

#[test]
fn rows_have_the_bits_of_single_elements() {
    let all = [Vectors::Bits128, Vectors::Bits256, Vectors::Bits512];
    all.into_iter().filter(|vectors| *vectors <= Vectors::here()).for_each(rows_are_as_single_elements);
}

fn rows_are_as_single_elements(vectors: Vectors) {
    let mut count = 0;
    for prim in Prim::all() {
        let Some(function) = block(prim, false, vectors) else {
            continue;
        };
        let single = block(prim, true, vectors).expect("both precisions");
        count += 1;
        for row in arguments().chunks(97) {
            let mut found = row.to_vec();
            // SAFETY: the row is an exclusive slice of as many reals.
            unsafe { function(found.as_mut_ptr().cast(), found.len()) };
            let mut short: Vec<f32> = row.iter().map(|x| *x as f32).collect();
            // SAFETY: as above.
            unsafe { single(short.as_mut_ptr().cast(), short.len()) };
            for ((x, y), z) in row.iter().zip(&found).zip(&short) {
                let apply = |x: f64| match prim.apply(&[Scalar::Real(x)]) {
                    Scalar::Real(y) => y,
                    other => panic!("{other:?}"),
                };
                assert_eq!(ulps(apply(*x), *y), 0.0, "{prim:?}({x}), {vectors:?}");
                let expected = apply(f64::from(*x as f32)) as f32;
                assert!(
                    expected.to_bits() == z.to_bits() || (expected.is_nan() && z.is_nan()),
                    "{prim:?}({x})"
                );
            }
        }
    }
    assert_eq!(count, 12);
}
