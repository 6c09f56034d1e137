//! How fast compiled optimizer loops are, beside the same loops in Rust. Run with
//! `cargo bench --bench machine_code`.

#![expect(clippy::unwrap_used, reason = "a measurement")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use minima::codegen::{Options, compile};
use minima::diag::Span;
use minima::ir::{Build, Dim, Elem, Fold, Function, Loop, Op, Precision, Program, Tensor, Ty, Value};
use minima::ops::Emit;

fn known(sizes: &[usize]) -> Vec<Dim> {
    sizes.iter().map(|n| Dim::from(*n)).collect()
}

fn int() -> Ty {
    Ty::scalar(Elem::Int)
}

/// Adam on flat parameters: carried are `x, m, v, b1^t, b2^t` and the objective.
fn adam(
    sizes: &[usize],
    steps: usize,
    data: &[Ty],
    gradient: impl Fn(&mut Build, Value, &[Value]) -> (Value, Value),
) -> Program {
    let ty = Ty::real(sizes);
    let scalar = Ty::scalar(Elem::Real);
    let carried = [&ty, &ty, &ty, &scalar, &scalar, &scalar];
    let mut body = Build::new("step", Span::default());
    let _ = body.param(int());
    let params: Vec<Value> = carried.iter().map(|ty| body.param((*ty).clone())).collect();
    let captures: Vec<Value> = data.iter().map(|ty| body.param(ty.clone())).collect();
    let [x, m, v, p1, p2, _] = params[..] else { unreachable!() };
    let b = &mut body;
    let (objective, g) = gradient(b, x, &captures);
    let (b1, b2, one) = (b.real(0.9), b.real(0.999), b.real(1.0));
    let (c1, c2) = (b.real(1.0 - 0.9), b.real(1.0 - 0.999));
    let (rate, epsilon) = (b.real(0.001), b.real(1e-8));
    let p1 = b.call("mul", &[p1, b1]);
    let p2 = b.call("mul", &[p2, b2]);
    let old = b.call("mul", &[b1, m]);
    let new = b.call("mul", &[c1, g]);
    let m = b.call("add", &[old, new]);
    let old = b.call("mul", &[b2, v]);
    let squared = b.call("mul", &[g, g]);
    let new = b.call("mul", &[c2, squared]);
    let v = b.call("add", &[old, new]);
    let bias1 = b.call("sub", &[one, p1]);
    let bias2 = b.call("sub", &[one, p2]);
    let mean = b.call("div", &[m, bias1]);
    let spread = b.call("div", &[v, bias2]);
    let spread = b.call("sqrt", &[spread]);
    let spread = b.call("add", &[spread, epsilon]);
    let change = b.call("mul", &[rate, mean]);
    let change = b.call("div", &[change, spread]);
    let x = b.call("sub", &[x, change]);
    let body = body.finish(vec![x, m, v, p1, p2, objective]);
    let mut main = Build::new("main", Span::default());
    let params: Vec<Value> = carried.iter().map(|ty| main.param((*ty).clone())).collect();
    let captures: Vec<Value> = data.iter().map(|ty| main.param(ty.clone())).collect();
    let types = carried.iter().map(|ty| (*ty).clone()).collect();
    let op = Loop { trip: Dim::from(steps), condition: None, body, carried: 6 };
    let operands = params.into_iter().chain(captures).collect();
    let results = main.bind(Op::Loop(Arc::new(op)), operands, types);
    let main: Function = main.finish(results);
    Program { main, precision: Precision::F64 }
}

fn rosenbrock(b: &mut Build, x: Value, n: usize) -> (Value, Value) {
    let zero = Dim::from(0);
    let (one, hundred, two) = (b.real(1.0), b.real(100.0), b.real(2.0));
    let last = Dim::from(n);
    let before = Dim::from(n - 1);
    let next = b.slice_axis(x, 0, &Dim::from(1), &last);
    let here = b.slice_axis(x, 0, &zero, &before);
    let squared = b.call("mul", &[here, here]);
    let t = b.call("sub", &[next, squared]);
    let u = b.call("sub", &[one, here]);
    let tt = b.call("mul", &[t, t]);
    let tt = b.call("mul", &[hundred, tt]);
    let uu = b.call("mul", &[u, u]);
    let terms = b.call("add", &[tt, uu]);
    let objective = b.reduce(Fold::Sum, terms, &[0]);
    let dt = b.call("mul", &[hundred, t]);
    let dt = b.call("mul", &[two, dt]);
    let dhere = b.call("mul", &[two, here]);
    let dhere = b.call("mul", &[dt, dhere]);
    let dhere = b.call("neg", &[dhere]);
    let du = b.call("mul", &[two, u]);
    let dhere = b.call("sub", &[dhere, du]);
    let (none, some) = (Dim::from(0), Dim::from(1));
    let from_next =
        b.pad(dt, std::slice::from_ref(&some), std::slice::from_ref(&none), std::slice::from_ref(&none));
    let from_here =
        b.pad(dhere, std::slice::from_ref(&none), std::slice::from_ref(&some), std::slice::from_ref(&none));
    let g = b.call("add", &[from_next, from_here]);
    (objective, g)
}

fn rosenbrock_in_rust(n: usize, steps: usize) -> Vec<f64> {
    let (mut x, mut m, mut v, mut g) =
        (vec![-1.2_f64; n], vec![0.0_f64; n], vec![0.0_f64; n], vec![0.0_f64; n]);
    let (mut p1, mut p2) = (1.0_f64, 1.0_f64);
    for _ in 0..steps {
        let mut objective = 0.0;
        g.fill(0.0);
        for i in 0..n - 1 {
            let t = x[i + 1] - x[i] * x[i];
            let u = 1.0 - x[i];
            objective += 100.0 * (t * t) + u * u;
            g[i + 1] += 2.0 * (100.0 * t);
            g[i] -= 2.0 * (100.0 * t) * (2.0 * x[i]) + 2.0 * u;
        }
        black_box(objective);
        p1 *= 0.9;
        p2 *= 0.999;
        for i in 0..n {
            m[i] = 0.9 * m[i] + (1.0 - 0.9) * g[i];
            v[i] = 0.999 * v[i] + (1.0 - 0.999) * (g[i] * g[i]);
            x[i] -= 0.001 * (m[i] / (1.0 - p1)) / ((v[i] / (1.0 - p2)).sqrt() + 1e-8);
        }
    }
    x
}

fn measure(
    name: &str,
    program: &Program,
    inputs: &[Tensor],
    steps: usize,
    rust: Option<&dyn Fn() -> Vec<f64>>,
) {
    let start = Instant::now();
    let list = std::env::var_os("LISTING").is_some();
    let compiled = compile(program, &Options { listing: list, ..Options::default() }).unwrap();
    let compiling = start.elapsed();
    if std::env::var_os("PLAN").is_some() {
        println!("{}", compiled.plan());
    }
    print!("{}", compiled.listing());
    let mut instance = compiled.instance().unwrap();
    let mut best = f64::INFINITY;
    let mut hand = f64::INFINITY;
    // Short runs, many times: the best of them was not disturbed.
    let clock = Instant::now();
    while clock.elapsed().as_secs_f64() < 0.5 {
        for (at, input) in inputs.iter().enumerate() {
            instance.set(at, input);
        }
        let start = Instant::now();
        instance.run().unwrap();
        best = best.min(start.elapsed().as_secs_f64());
        if let Some(rust) = rust {
            let start = Instant::now();
            let x = rust();
            hand = hand.min(start.elapsed().as_secs_f64());
            let found = instance.get(0);
            let wrong = found.reals().iter().zip(&x).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(wrong < 1e-6, "{name}: {wrong}");
        }
    }
    let per_step = |seconds: f64| seconds / steps as f64 * 1e9;
    println!(
        "{name:28} compile {:6.2} ms  {:10.1} ns/step   Rust {:10.1} ns/step  {:?}",
        compiling.as_secs_f64() * 1e3,
        per_step(best),
        per_step(hand),
        compiled.figures(),
    );
}

fn start(sizes: &[usize], first: f64, data: Vec<Tensor>) -> Vec<Tensor> {
    let count: usize = sizes.iter().product();
    let full = |x: f64| Tensor::real(sizes, vec![x; count]);
    let mut inputs = vec![
        full(first),
        full(0.0),
        full(0.0),
        Tensor::scalar(1.0),
        Tensor::scalar(1.0),
        Tensor::scalar(0.0),
    ];
    inputs.extend(data);
    inputs
}

fn rosenbrock_by_adam() {
    for (n, steps) in [(2, 20_000), (100, 2000), (10_000, 10)] {
        let program = adam(&[n], steps, &[], |b, x, _| rosenbrock(b, x, n));
        let rust = move || rosenbrock_in_rust(n, steps);
        measure(&format!("rosenbrock {n}"), &program, &start(&[n], -1.2, vec![]), steps, Some(&rust));
    }
}

fn noise(sizes: &[usize], scale: f64) -> Tensor {
    let count: usize = sizes.iter().product();
    let mut state = 12345_u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5) * scale
    };
    Tensor::real(sizes, (0..count).map(|_| draw()).collect())
}

fn logistic_by_adam() {
    let (n, d, steps) = (569, 30, 50);
    let data = [Ty::real(&[n, d]), Ty::real(&[n])];
    let program = adam(&[d], steps, &data, |b, w, data| {
        let (a, y) = (data[0], data[1]);
        let z = b.dot(a, w, &[], &[(1, 0)]);
        let s = b.call("softplus", &[z]);
        let yz = b.call("mul", &[y, z]);
        let terms = b.call("sub", &[s, yz]);
        let objective = b.reduce(Fold::Sum, terms, &[0]);
        let p = b.call("sigmoid", &[z]);
        let r = b.call("sub", &[p, y]);
        let g = b.dot(r, a, &[], &[(0, 0)]);
        (objective, g)
    });
    let inputs = start(&[d], 0.0, vec![noise(&[n, d], 2.0), noise(&[n], 1.0)]);
    measure("logistic 569x30", &program, &inputs, steps, None);
}

fn network_by_adam() {
    let (n, d, h, o, steps) = (64, 64, 32, 10, 10);
    let count = d * h + h * o;
    let data = [Ty::real(&[n, d]), Ty::real(&[n, o])];
    let program = adam(&[count], steps, &data, |b, w, data| {
        let (x, y) = (data[0], data[1]);
        let split = Dim::from(d * h);
        let w1 = b.slice_axis(w, 0, &Dim::from(0), &split);
        let w1 = b.reshape(w1, &known(&[d, h]));
        let w2 = b.slice_axis(w, 0, &split, &Dim::from(count));
        let w2 = b.reshape(w2, &known(&[h, o]));
        let z = b.dot(x, w1, &[], &[(1, 0)]);
        let a = b.call("tanh", &[z]);
        let out = b.dot(a, w2, &[], &[(1, 0)]);
        let r = b.call("sub", &[out, y]);
        let rr = b.call("mul", &[r, r]);
        let objective = b.reduce(Fold::Sum, rr, &[0, 1]);
        let two = b.real(2.0);
        let dout = b.call("mul", &[two, r]);
        let dw2 = b.dot(a, dout, &[], &[(0, 0)]);
        let da = b.dot(dout, w2, &[], &[(1, 1)]);
        let aa = b.call("mul", &[a, a]);
        let one = b.real(1.0);
        let slope = b.call("sub", &[one, aa]);
        let dz = b.call("mul", &[da, slope]);
        let dw1 = b.dot(x, dz, &[], &[(0, 0)]);
        let dw1 = b.reshape(dw1, &known(&[d * h]));
        let dw2 = b.reshape(dw2, &known(&[h * o]));
        let g = b.concat(&[dw1, dw2], 0);
        (objective, g)
    });
    let mut inputs = start(&[count], 0.0, vec![noise(&[n, d], 2.0), noise(&[n, o], 2.0)]);
    inputs[0] = noise(&[count], 0.2);
    measure("network 64-32-10", &program, &inputs, steps, None);
}

/// The gradient of the mixture log-likelihood with respect to the log-weights and means only, as
/// reverse mode would have it: broadcast differences, logsumexp over the components.
fn mixture_gradient() {
    for (n, d, k, steps) in [(1000, 10, 25, 2), (1000, 32, 25, 2)] {
        let count = k + k * d;
        let program = adam(&[count], steps, &[Ty::real(&[n, d])], |b, w, data| {
            let x = data[0];
            let split = Dim::from(k);
            let alpha = b.slice_axis(w, 0, &Dim::from(0), &split);
            let mu = b.slice_axis(w, 0, &split, &Dim::from(count));
            let mu = b.reshape(mu, &known(&[k, d]));
            let cube = known(&[n, k, d]);
            let xs = b.broadcast(x, &cube, &[0, 2]);
            let mus = b.broadcast(mu, &cube, &[1, 2]);
            let diff = b.call("sub", &[xs, mus]);
            let square = b.call("mul", &[diff, diff]);
            let distance = b.reduce(Fold::Sum, square, &[2]);
            let half = b.real(0.5);
            let distance = b.call("mul", &[half, distance]);
            let plane = known(&[n, k]);
            let alphas = b.broadcast(alpha, &plane, &[1]);
            let score = b.call("sub", &[alphas, distance]);
            let top = b.reduce(Fold::Max, score, &[1]);
            let tops = b.broadcast(top, &plane, &[0]);
            let moved = b.call("sub", &[score, tops]);
            let e = b.call("exp", &[moved]);
            let sum = b.reduce(Fold::Sum, e, &[1]);
            let log = b.call("log", &[sum]);
            let value = b.call("add", &[log, top]);
            let objective = b.reduce(Fold::Sum, value, &[0]);
            let sums = b.broadcast(sum, &plane, &[0]);
            let p = b.call("div", &[e, sums]);
            let dalpha = b.reduce(Fold::Sum, p, &[0]);
            let ps = b.broadcast(p, &cube, &[0, 1]);
            let dmu = b.call("mul", &[ps, diff]);
            let dmu = b.reduce(Fold::Sum, dmu, &[0]);
            let dmu = b.reshape(dmu, &known(&[k * d]));
            let g = b.concat(&[dalpha, dmu], 0);
            let g = b.call("neg", &[g]);
            (objective, g)
        });
        let mut inputs = start(&[count], 0.0, vec![noise(&[n, d], 2.0)]);
        inputs[0] = noise(&[count], 1.0);
        measure(&format!("mixture {n}x{d}x{k}"), &program, &inputs, steps, None);
    }
}

fn main() {
    rosenbrock_by_adam();
    logistic_by_adam();
    network_by_adam();
    mixture_gradient();
}
