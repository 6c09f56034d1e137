//! Threads: the same bits for any number of them, parts in plans, errors in parts.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use minima::codegen::{Compiled, Options, Refusal, compile};
use minima::diag::{FileId, Span};
use minima::eval::eval;
use minima::ir::{Build, Dim, Elem, Fold, Precision, Program, Tensor, Ty, Value};
use minima::ops::Emit;
use minima::plan::{Block, Cut, Step};

const THREADS: [usize; 4] = [1, 2, 3, 8];

fn real(sizes: &[usize]) -> Ty {
    Ty::real(sizes)
}

/// Numbers of some size and both signs, that are no sums of few powers of two.
fn numbers(sizes: &[usize]) -> Tensor {
    let count = sizes.iter().product::<usize>();
    let data = (0..count).map(|i| ((i * 7919 + 13) % 10_007) as f64 / 1009.0 - 4.9);
    Tensor::real(sizes, data.collect())
}

/// A program of real parameters, and what it is run on.
fn program(
    precision: Precision,
    params: &[&[usize]],
    body: impl FnOnce(&mut Build, &[Value]) -> Vec<Value>,
) -> (Program, Vec<Tensor>) {
    let mut b = Build::new("main", Span::default());
    let values: Vec<Value> = params.iter().map(|sizes| b.param(real(sizes))).collect();
    let results = body(&mut b, &values);
    let mut inputs: Vec<Tensor> = params.iter().map(|sizes| numbers(sizes)).collect();
    if precision == Precision::F32 {
        for input in &mut inputs {
            let single = input.reals().iter().map(|x| f64::from(*x as f32)).collect();
            *input = Tensor::real(&input.sizes.clone(), single);
        }
    }
    (Program { main: b.finish(results), precision }, inputs)
}

/// Programs in which something is cut, by name.
fn large(precision: Precision) -> Vec<(&'static str, (Program, Vec<Tensor>))> {
    let n = 80_021;
    let program = |params: &[&[usize]], body: &dyn Fn(&mut Build, &[Value]) -> Vec<Value>| {
        program(precision, params, body)
    };
    vec![
        (
            "map",
            program(&[&[n], &[n]], &|b, p| {
                let scaled = b.call("mul", &[p[0], p[0]]);
                let sum = b.call("add", &[scaled, p[1]]);
                vec![b.call("tanh", &[sum])]
            }),
        ),
        (
            "map and sums",
            program(&[&[n], &[n]], &|b, p| {
                let product = b.call("mul", &[p[0], p[1]]);
                let waves = b.call("sin", &[product]);
                let [sum, most, least] =
                    [Fold::Sum, Fold::Max, Fold::Min].map(|fold| b.reduce(fold, waves, &[0]));
                vec![waves, sum, most, least]
            }),
        ),
        (
            "many functions",
            program(&[&[n]], &|b, p| {
                let names = ["exp", "tanh", "sigmoid", "softplus", "sin", "cos", "expm1", "gauss", "sech2"];
                let parts: Vec<Value> = names.iter().map(|name| b.call(name, &[p[0]])).collect();
                let sum = parts.into_iter().reduce(|sum, part| b.call("add", &[sum, part]));
                vec![sum.unwrap()]
            }),
        ),
        (
            "shifted",
            program(&[&[n]], &|b, p| {
                let next = b.slice_axis(p[0], 0, &Dim::from(1), &Dim::from(n));
                let here = b.slice_axis(p[0], 0, &Dim::from(0), &Dim::from(n - 1));
                let rise = b.call("sub", &[next, here]);
                let (none, one) = ([Dim::from(0)], [Dim::from(1)]);
                let before = b.pad(rise, &one, &none, &none);
                let after = b.pad(rise, &none, &one, &none);
                let both = b.call("sub", &[before, after]);
                let squares = b.call("mul", &[rise, rise]);
                vec![both, b.reduce(Fold::Sum, squares, &[0])]
            }),
        ),
        (
            "rows and columns",
            program(&[&[10_007, 24]], &|b, p| {
                let grown = b.call("exp", &[p[0]]);
                vec![b.reduce(Fold::Sum, grown, &[0]), b.reduce(Fold::Sum, grown, &[1])]
            }),
        ),
        (
            "few rows",
            program(&[&[3, 30_011]], &|b, p| {
                let grown = b.call("sigmoid", &[p[0]]);
                vec![b.reduce(Fold::Sum, grown, &[1]), b.reduce(Fold::Max, grown, &[0])]
            }),
        ),
        (
            "columns of a large matrix",
            program(&[&[100_003, 8]], &|b, p| vec![b.reduce(Fold::Sum, p[0], &[0])]),
        ),
        ("products", program(&[&[301, 64], &[64, 70]], &|b, p| vec![b.dot(p[0], p[1], &[], &[(1, 0)])])),
        (
            "wide products",
            program(&[&[20, 64], &[64, 1001]], &|b, p| vec![b.dot(p[0], p[1], &[], &[(1, 0)])]),
        ),
        (
            "batched products",
            program(&[&[9, 70, 50], &[9, 50, 40]], &|b, p| vec![b.dot(p[0], p[1], &[(0, 0)], &[(2, 1)])]),
        ),
    ]
}

fn cuts(block: &Block) -> Vec<&Cut> {
    let mut found = Vec::new();
    for step in &block.steps {
        if let Step::Nest(nest) = step {
            found.extend(&nest.cut);
        }
        for (block, _) in step.blocks() {
            found.extend(cuts(block));
        }
    }
    found
}

fn results(compiled: &Compiled, program: &Program, inputs: &[Tensor]) -> Vec<Tensor> {
    let mut instance = compiled.instance().unwrap();
    for (at, input) in inputs.iter().enumerate() {
        instance.set(at, input);
    }
    instance.run().unwrap();
    (0..program.main.results.len()).map(|at| instance.get(at)).collect()
}

fn bits(tensors: &[Tensor]) -> Vec<Vec<u64>> {
    tensors.iter().map(|tensor| tensor.reals().iter().map(|x| x.to_bits()).collect()).collect()
}

fn near(a: &Tensor, b: &Tensor, tolerance: f64) -> bool {
    let pairs = || a.reals().iter().zip(b.reals());
    let size = pairs().fold(1.0_f64, |size, (x, _)| size.max(x.abs()));
    a.sizes == b.sizes && pairs().all(|(x, y)| (x - y).abs() <= tolerance * size)
}

fn with_threads(threads: usize) -> Options {
    Options { threads, ..Options::default() }
}

fn check_large(precision: Precision, tolerance: f64) {
    support::set_up();
    for (name, (program, inputs)) in large(precision) {
        let expected = eval(&program, &inputs).unwrap();
        let mut first: Option<Vec<Vec<u64>>> = None;
        for threads in THREADS {
            let compiled = compile(&program, &with_threads(threads)).unwrap();
            let in_parts = cuts(&compiled.plan().body).iter().any(|cut| cut.parts() > 2);
            assert!(in_parts || name.contains("products"), "{name} is not cut:\n{}", compiled.plan());
            let found = results(&compiled, &program, &inputs);
            for (expected, found) in expected.iter().zip(&found) {
                assert!(near(expected, found, tolerance), "{name} on {threads} threads");
            }
            let found = bits(&found);
            assert!(first.get_or_insert_with(|| found.clone()) == &found, "{name} on {threads} threads");
        }
    }
}

#[test]
fn large_programs_give_the_same_bits() {
    check_large(Precision::F64, 1e-11);
}

#[test]
fn large_programs_give_the_same_bits_in_single_precision() {
    check_large(Precision::F32, 2e-3);
}

#[test]
fn ordered_sums_stay_whole() {
    support::set_up();
    for (name, (program, inputs)) in large(Precision::F64) {
        if name.contains("products") {
            continue;
        }
        let expected = eval(&program, &inputs).unwrap();
        for threads in [1, 3] {
            let options = Options { ordered: true, ..with_threads(threads) };
            let compiled = compile(&program, &options).unwrap();
            let found = results(&compiled, &program, &inputs);
            assert_eq!(bits(&expected), bits(&found), "{name} on {threads} threads");
        }
    }
}

#[test]
fn where_a_nest_is_cut_shows_in_the_plan() {
    support::set_up();
    let (sum, _) = program(Precision::F64, &[&[1_000_000]], |b, p| {
        let grown = b.call("exp", &[p[0]]);
        vec![b.reduce(Fold::Sum, grown, &[0])]
    });
    let compiled = compile(&sum, &Options::default()).unwrap();
    let text = compiled.plan().to_string();
    assert!(text.contains("cut into 50 parts along v0: 0..1000000 by 20000"), "{text}");
    assert!(text.contains("nest [50] as [50]"), "{text}");
    // What is small is done in one go.
    let (sum, _) = program(Precision::F64, &[&[10_000]], |b, p| vec![b.reduce(Fold::Sum, p[0], &[0])]);
    let compiled = compile(&sum, &Options::default()).unwrap();
    assert!(cuts(&compiled.plan().body).is_empty(), "{}", compiled.plan());
}

/// Elements picked by indices, of which some are out of range: the first one is reported.
#[test]
fn the_first_index_out_of_range_is_reported() {
    support::set_up();
    let n = 200_000;
    let mut b = Build::new("main", Span::default());
    let x = b.param(real(&[50]));
    let i = b.param(Ty::new(Elem::Int, vec![Dim::from(n)]));
    b.at(Span::new(FileId(0), 7, 9));
    let picked = b.gather(x, &[i]);
    let waves = b.call("sin", &[picked]);
    let program = Program { main: b.finish(vec![waves]), precision: Precision::F64 };
    for (bad, first) in
        [(vec![], None), (vec![n - 1], Some(n - 1)), (vec![180_000, 90_000, 90_001], Some(90_000))]
    {
        let mut indices: Vec<i64> = (0..n).map(|i| i64::try_from(i % 50).unwrap()).collect();
        for place in &bad {
            indices[*place] = 1000 + i64::try_from(*place).unwrap();
        }
        let inputs = [numbers(&[50]), Tensor::int(&[n], indices)];
        for threads in THREADS {
            let compiled = compile(&program, &with_threads(threads)).unwrap();
            assert_eq!(cuts(&compiled.plan().body).len(), 1, "{}", compiled.plan());
            let mut instance = compiled.instance().unwrap();
            inputs.iter().enumerate().for_each(|(at, input)| instance.set(at, input));
            let said = instance.run().map_err(|trapped| trapped.message);
            let expected =
                first.map(|at| format!("index {} is out of range for a dimension of 50", 1000 + at));
            assert_eq!(said.err(), expected, "{threads} threads");
        }
    }
}

#[test]
fn after_an_interrupt_no_part_is_begun() {
    support::set_up();
    let (_, (program, inputs)) = large(Precision::F64).remove(0);
    for threads in [1, 3] {
        let mut instance = compile(&program, &with_threads(threads)).unwrap().instance().unwrap();
        instance.watch(Arc::new(AtomicBool::new(true)));
        inputs.iter().enumerate().for_each(|(at, input)| instance.set(at, input));
        instance.run().unwrap();
        assert!(instance.stopped() && instance.get(0).reals().iter().all(|x| *x == 0.0));
    }
}

#[test]
fn results_of_parts_count_as_memory() {
    support::set_up();
    let (program, _) =
        program(Precision::F64, &[&[50_000, 20]], |b, p| vec![b.reduce(Fold::Sum, p[0], &[0])]);
    let compiled = compile(&program, &Options::default()).unwrap();
    let parts: usize = cuts(&compiled.plan().body).iter().map(|cut| cut.parts()).sum();
    let needed = compiled.plan().arena;
    assert!(parts > 2 && needed >= 8 * (50_000 * 20 + 20 + parts * 20), "{}", compiled.plan());
    for threads in THREADS {
        let options = Options { memory_limit: needed - 1, ..with_threads(threads) };
        let refusal = compile(&program, &options).unwrap_err();
        assert_eq!(refusal, Refusal::Memory { needed, limit: needed - 1 });
    }
}

/// Instances run at once, from threads of their own, share the pool.
#[test]
fn callers_share_the_threads() {
    support::set_up();
    let expected: Vec<_> = large(Precision::F64)
        .into_iter()
        .map(|(_, (program, inputs))| {
            bits(&results(&compile(&program, &with_threads(1)).unwrap(), &program, &inputs))
        })
        .collect();
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for (at, (_, (program, inputs))) in large(Precision::F64).into_iter().enumerate() {
                    let compiled = compile(&program, &with_threads(3)).unwrap();
                    found.lock().unwrap().push((at, bits(&results(&compiled, &program, &inputs))));
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    assert_eq!(found.len(), 3 * expected.len());
    assert!(found.iter().all(|(at, bits)| &expected[*at] == bits));
}

fn minima(args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_minima")).args(args).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// But for the lines that tell time.
#[test]
fn examples_print_the_same() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let folders = [folder.join("adbench"), folder];
    let entries = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap().flatten());
    let mut files: Vec<_> = entries.map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "opt"));
    files.sort();
    assert!(files.len() >= 19);
    for path in files {
        let run = |threads: usize| {
            let (code, out, said) =
                minima(&["run", "--threads", &threads.to_string(), path.to_str().unwrap()]);
            assert_eq!(code, Some(0), "{}:\n{said}", path.display());
            out.lines().filter(|line| !line.contains("seconds")).collect::<Vec<_>>().join("\n")
        };
        let alone = run(1);
        for threads in [2, 3, 8] {
            assert_eq!(alone, run(threads), "{} on {threads} threads", path.display());
        }
    }
}

#[test]
fn the_number_of_threads_is_checked() {
    for wrong in ["0", "-1", "65", "two", "1e9"] {
        let (code, _, said) = minima(&["run", &format!("--threads={wrong}"), "examples/rosenbrock.opt"]);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("a number of threads from 1 to 64 is needed"), "{said}");
    }
}

#[test]
fn an_error_in_a_part_points_at_the_source() {
    let file = std::env::temp_dir().join(format!("minima-threads-{}.opt", std::process::id()));
    let text = "let n = 300000\nlet x = [sin(i / 7) for i in 0..n]\n\
                let at = [if i == 70000 or i == 200000 then 2*i + n else i for i in 0..n]\n\
                print sum(exp(x[at[i]]) for i in 0..n)\n";
    std::fs::write(&file, text).unwrap();
    let said: Vec<_> = THREADS
        .iter()
        .map(|threads| minima(&["run", "--threads", &threads.to_string(), file.to_str().unwrap()]))
        .collect();
    std::fs::remove_file(&file).unwrap();
    let (code, _, text) = &said[0];
    assert_eq!(*code, Some(1), "{text}");
    assert!(text.contains("index 440000 is out of range for a dimension of 300000"), "{text}");
    assert!(said.iter().all(|other| other == &said[0]), "{said:?}");
}
