//! Machine code against the oracle: random programs, every primitive, control forms, checks.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use minima::codegen::{self, Failure, Options, compile, run_once};
use minima::diag::{FileId, Span};
use minima::eval::eval;
use minima::ir::{
    Build, Data, Dim, Elem, Fold, Function, If, Loop, Op, Precision, Program, Tensor, Ty, Value,
};
use minima::math::{Kind, Prim};
use minima::ops::{Emit, Piece};
use minima::plan::{Choices, Step};
use minima::runtime::kernels::Vectors;

/// A small generator of numbers.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    fn real(&mut self) -> f64 {
        const SPECIAL: [f64; 10] =
            [0.0, -0.0, 1.0, -1.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1e300, 5e-324, 0.5];
        if self.below(12) == 0 {
            return self.pick(&SPECIAL);
        }
        ((self.next() >> 11) as f64 / (1_u64 << 53) as f64) * 8.0 - 4.0
    }

    fn tensor(&mut self, ty: &Ty, precision: Precision) -> Tensor {
        let (sizes, count) = (ty.sizes(), ty.count());
        match ty.elem {
            Elem::Real => {
                let data = (0..count).map(|_| self.real());
                let data = data.map(|x| match precision {
                    Precision::F64 => x,
                    Precision::F32 => f64::from(x as f32),
                });
                Tensor::real(&sizes, data.collect())
            }
            Elem::Int => Tensor::int(&sizes, (0..count).map(|_| self.below(9) as i64 - 4).collect()),
            Elem::Bool => Tensor::bool(&sizes, (0..count).map(|_| self.below(2) == 0).collect()),
        }
    }
}

/// Whether two tensors are the same bits, NaNs being all the same.
fn same(a: &Tensor, b: &Tensor) -> bool {
    a.sizes == b.sizes
        && match (&a.data, &b.data) {
            (Data::Real(a), Data::Real(b)) => {
                a.iter().zip(b.iter()).all(|(x, y)| x.to_bits() == y.to_bits() || (x.is_nan() && y.is_nan()))
            }
            (a, b) => a == b,
        }
}

fn near(a: &Tensor, b: &Tensor, tolerance: f64) -> bool {
    a.sizes == b.sizes
        && a.reals().iter().zip(b.reals()).all(|(x, y)| {
            (x - y).abs() <= tolerance * x.abs().max(y.abs()).max(1.0) || x == y || (x.is_nan() && y.is_nan())
        })
}

fn program(main: Function, precision: Precision) -> Program {
    Program { main, precision }
}

fn known(sizes: &[usize]) -> Vec<Dim> {
    sizes.iter().map(|n| Dim::from(*n)).collect()
}

fn real(sizes: &[usize]) -> Ty {
    Ty::new(Elem::Real, known(sizes))
}

fn int(sizes: &[usize]) -> Ty {
    Ty::new(Elem::Int, known(sizes))
}

fn boolean(sizes: &[usize]) -> Ty {
    Ty::new(Elem::Bool, known(sizes))
}

/// Builds random programs.
struct Gen {
    dice: Dice,
    /// How deep control forms may nest.
    depth: usize,
    /// Whether inexact sums are allowed (`f32`).
    sums: bool,
    /// Whether all reals are small whole numbers, so that sums are exact in any order.
    whole: bool,
}

impl Gen {
    fn sizes(&mut self) -> Vec<usize> {
        if self.whole {
            let rank = self.dice.pick(&[0, 1, 1, 2, 2, 2]);
            return (0..rank).map(|_| self.dice.pick(&[1, 3, 8, 17, 20, 33])).collect();
        }
        let rank = self.dice.pick(&[0, 0, 1, 1, 1, 2, 2, 3]);
        (0..rank).map(|_| self.dice.pick(&[1, 2, 3, 4, 5, 7, 9])).collect()
    }

    fn ty(&mut self) -> Ty {
        let elem = self.dice.pick(&[Elem::Real, Elem::Real, Elem::Real, Elem::Int, Elem::Bool]);
        let sizes = self.sizes();
        Ty::new(elem, known(&sizes))
    }

    /// A value of a type, from those there are or new.
    fn value(&mut self, b: &mut Build, pool: &[Value], ty: &Ty) -> Value {
        let fitting: Vec<Value> = pool.iter().copied().filter(|v| b.ty(*v) == ty).collect();
        if !fitting.is_empty() && self.dice.below(8) != 0 {
            return self.dice.pick(&fitting);
        }
        let same_elem: Vec<Value> =
            pool.iter().copied().filter(|v| b.ty(*v).elem == ty.elem && b.ty(*v).rank() == 0).collect();
        if !same_elem.is_empty() && self.dice.below(3) != 0 {
            let scalar = self.dice.pick(&same_elem);
            return b.broadcast_to(scalar, &ty.dims);
        }
        if self.dice.below(3) == 0 && ty.rank() > 0 {
            let tensor = self.tensor(ty);
            return b.constant(tensor);
        }
        let scalar = self.tensor(&Ty::scalar(ty.elem));
        let scalar = b.constant(scalar);
        b.broadcast_to(scalar, &ty.dims)
    }

    fn tensor(&mut self, ty: &Ty) -> Tensor {
        if !self.whole || ty.elem != Elem::Real {
            return self.dice.tensor(ty, Precision::F32);
        }
        let data = (0..ty.count()).map(|_| self.dice.below(9) as f64 - 4.0);
        Tensor::real(&ty.sizes(), data.collect())
    }

    /// A value kept small, where reals are whole numbers.
    fn small(&mut self, b: &mut Build, value: Value) -> Value {
        if !self.whole || b.ty(value).elem != Elem::Real {
            return value;
        }
        let (most, least) = (b.real(100.0), b.real(-100.0));
        let value = b.call("minimum", &[value, most]);
        b.call("maximum", &[value, least])
    }

    fn elem(&mut self, kind: Kind, number: Elem, any: Elem) -> Elem {
        match kind {
            Kind::Real => Elem::Real,
            Kind::Int => Elem::Int,
            Kind::Bool => Elem::Bool,
            Kind::Number => number,
            Kind::Any => any,
        }
    }

    fn primitive(&mut self, b: &mut Build, pool: &[Value]) -> Value {
        let cheap = [
            "add",
            "sub",
            "mul",
            "div",
            "neg",
            "abs",
            "minimum",
            "maximum",
            "masked_mul",
            "lt",
            "where",
            "sqrt",
            "int_to_real",
            "bool_to_real",
        ];
        let all: Vec<Prim> = Prim::all().collect();
        let prim = if self.whole {
            let exact = [
                "add",
                "sub",
                "mul",
                "neg",
                "minimum",
                "maximum",
                "masked_mul",
                "lt",
                "where",
                "bool_to_real",
            ];
            Prim::named(self.dice.pick(&exact)).unwrap()
        } else if self.dice.below(3) == 0 {
            self.dice.pick(&all)
        } else {
            Prim::named(self.dice.pick(&cheap)).unwrap()
        };
        let sizes = if pool.is_empty() || self.dice.below(4) == 0 {
            self.sizes()
        } else {
            b.ty(self.dice.pick(pool)).sizes()
        };
        let number = self.dice.pick(&[Elem::Real, Elem::Real, Elem::Int]);
        let any = self.dice.pick(&[Elem::Real, Elem::Int, Elem::Bool]);
        let operands: Vec<Value> = prim
            .signature()
            .0
            .iter()
            .map(|kind| {
                let elem = self.elem(*kind, number, any);
                self.value(b, pool, &Ty::new(elem, known(&sizes)))
            })
            .collect();
        b.primitive(prim, &operands)
    }

    /// An index array with values in range.
    fn index(&mut self, b: &mut Build, pool: &[Value], sizes: &[usize], below: usize) -> Value {
        let raw = self.value(b, pool, &int(sizes));
        let n = b.int(below as i64);
        b.call("int_mod", &[raw, n])
    }

    fn structural(&mut self, b: &mut Build, pool: &[Value]) -> Value {
        let x = self.dice.pick(pool);
        let ty = b.ty(x).clone();
        let sizes = ty.sizes();
        let rank = sizes.len();
        let axis = if rank > 0 { self.dice.below(rank) } else { 0 };
        match self.dice.below(18) {
            0 => {
                let mut wide = sizes.clone();
                let at = self.dice.below(rank + 1);
                wide.insert(at, self.dice.pick(&[1, 2, 3]));
                let axes: Vec<usize> = (0..rank + 1).filter(|k| *k != at).collect();
                b.broadcast(x, &known(&wide), &axes)
            }
            1 => {
                let count = ty.count();
                let split = self.dice.pick(&[1, 2, 3, count]);
                let dims = if count.is_multiple_of(split) { vec![split, count / split] } else { vec![count] };
                b.reshape(x, &known(&dims))
            }
            2 if rank > 1 => {
                let mut order: Vec<usize> = (0..rank).collect();
                order.swap(0, axis);
                order.rotate_left(1);
                b.permute(x, &order)
            }
            3 if rank > 0 => b.reverse(x, axis),
            4 if rank > 0 => {
                let starts: Vec<usize> = sizes.iter().map(|n| self.dice.below(*n)).collect();
                let limits: Vec<usize> = (starts.iter().zip(&sizes))
                    .map(|(start, n)| start + 1 + self.dice.below(n - start))
                    .collect();
                let strides: Vec<usize> = sizes.iter().map(|_| self.dice.pick(&[1, 1, 2])).collect();
                b.slice(x, &known(&starts), &known(&limits), &known(&strides))
            }
            5 if rank > 0 && ty.count() < 300 => {
                let mut roll = |of: &[usize]| -> Vec<Dim> {
                    known(&sizes.iter().map(|_| self.dice.pick(of)).collect::<Vec<_>>())
                };
                let (before, after, inner) = (roll(&[0, 1, 2]), roll(&[0, 1]), roll(&[0, 0, 0, 1]));
                b.pad(x, &before, &after, &inner)
            }
            6 if rank > 0 && ty.count() < 300 => {
                let other = self.value(b, pool, &ty);
                b.concat(&[x, other, x], axis)
            }
            7 | 8 if rank > 0 => {
                let folds: &[Fold] = match ty.elem {
                    Elem::Real if !self.sums => &[Fold::Max, Fold::Min],
                    Elem::Real if self.whole => &[Fold::Sum, Fold::Sum, Fold::Max],
                    Elem::Real | Elem::Int => &[Fold::Sum, Fold::Sum, Fold::Prod, Fold::Max, Fold::Min],
                    Elem::Bool => &[Fold::All, Fold::Any],
                };
                let fold = self.dice.pick(folds);
                let axes: Vec<usize> = if self.dice.below(2) == 0 { (0..rank).collect() } else { vec![axis] };
                b.reduce(fold, x, &axes)
            }
            9 if rank > 0 && ty.elem == Elem::Real && self.sums => {
                let k = sizes[rank - 1];
                let n = self.dice.pick(if self.whole { &[1, 5, 20, 33] } else { &[1, 2, 3, 6] });
                let other = self.value(b, pool, &real(&[k, n]));
                b.dot(x, other, &[], &[(rank - 1, 0)])
            }
            10 | 11 if rank > 0 => {
                let picked = self.dice.pick(&[vec![], vec![3], vec![2, 2]]);
                let first = self.index(b, pool, &picked, sizes[0]);
                if rank > 1 && self.dice.below(2) == 0 {
                    let second = self.index(b, pool, &picked, sizes[1]);
                    b.gather(x, &[first, second])
                } else {
                    b.gather(x, &[first])
                }
            }
            12 if rank > 0 && ty.elem != Elem::Bool => {
                let picked = self.dice.pick(&[vec![], vec![3]]);
                let index = self.index(b, pool, &picked, sizes[0]);
                let mut shape = picked;
                shape.extend(&sizes[1..]);
                let updates = self.value(b, pool, &Ty::new(ty.elem, known(&shape)));
                let add = self.sums && self.dice.below(2) == 0;
                b.scatter(add, x, updates, &[index])
            }
            13 if rank > 0 && ty.elem != Elem::Bool => {
                let back = self.dice.below(2) == 0;
                b.cumsum(x, axis, back)
            }
            14 if rank > 0 && ty.elem != Elem::Bool => {
                if self.dice.below(2) == 0 {
                    b.argsort(x, axis)
                } else {
                    let max = self.dice.below(2) == 0;
                    b.arg_reduce(max, x, axis)
                }
            }
            15 if self.sums && !self.whole => {
                let n = self.dice.pick(&[1, 2, 4]);
                let a = self.value(b, pool, &real(&[n, n]));
                let gram = b.dot(a, a, &[], &[(1, 1)]);
                let l = b.cholesky(gram);
                let rhs = self.value(b, pool, &real(&[n, 3]));
                let transposed = self.dice.below(2) == 0;
                b.triangular_solve(l, rhs, transposed)
            }
            16 if !self.whole => {
                let single = !self.sums;
                let batch = self.dice.pick(&[vec![], vec![2]]);
                let [m, n] = [self.dice.pick(&[2, 3]), self.dice.pick(&[1, 2])];
                let matrix = |m: usize, n: usize| real(&[&batch[..], &[m, n]].concat());
                let square = self.value(b, pool, &matrix(m, m));
                let tall = self.value(b, pool, &matrix(m, n));
                match self.dice.below(8) {
                    0 => b.lu_solve(square, tall, false),
                    1 => b.lu_solve(square, tall, true),
                    2 => b.determinant(square, m == 2),
                    3 => b.cofactors(square),
                    4 => b.part(square, Piece::Values, single),
                    5 => b.part(square, Piece::Vectors, single),
                    6 => b.part(tall, self.dice.pick(&[Piece::Left, Piece::Singular, Piece::Right]), single),
                    _ => b.part(tall, self.dice.pick(&[Piece::Orthogonal, Piece::Triangular]), single),
                }
            }
            _ => {
                let sizes = self.dice.pick(&[vec![4], vec![3, 2]]);
                let axis = self.dice.below(sizes.len());
                b.iota(&known(&sizes), axis)
            }
        }
    }

    fn captures(&mut self, pool: &[Value]) -> Vec<Value> {
        let count = 1 + self.dice.below(4);
        (0..count).map(|_| self.dice.pick(pool)).collect()
    }

    fn repeat(&mut self, b: &mut Build, pool: &[Value]) -> Vec<Value> {
        let carried: Vec<Value> = self.captures(pool);
        let captures = self.captures(pool);
        let types = |b: &Build, vs: &[Value]| -> Vec<Ty> { vs.iter().map(|v| b.ty(*v).clone()).collect() };
        let (carried_ty, captures_ty) = (types(b, &carried), types(b, &captures));
        let trip = self.dice.pick(&[0, 1, 2, 5]);
        let start = |_: &mut Gen| {
            let mut body = Build::new("body", b.span());
            let mut params = vec![body.param(int(&[]))];
            params.extend(carried_ty.iter().chain(&captures_ty).map(|ty| body.param(ty.clone())));
            (body, params)
        };
        let (mut body, mut params) = start(self);
        self.depth -= 1;
        self.bindings(&mut body, &mut params, 6);
        self.depth += 1;
        let mut results: Vec<Value> = Vec::new();
        for ty in &carried_ty {
            results.push(self.value(&mut body, &params, ty));
        }
        let stacked = self.dice.below(3);
        let rows: Vec<Value> = (0..stacked).map(|_| self.dice.pick(&params)).collect();
        let mut types: Vec<Ty> = carried_ty.clone();
        for row in &rows {
            let mut dims = vec![Dim::from(trip)];
            dims.extend(body.ty(*row).dims.clone());
            types.push(Ty::new(body.ty(*row).elem, dims));
        }
        results.extend(rows);
        let body = body.finish(results);
        let condition = (self.dice.below(2) == 0).then(|| {
            let (mut condition, mut params) = start(self);
            let limit = condition.int(self.dice.pick(&[0, 1, 3]));
            let index = params[0];
            let small = condition.call("lt", &[index, limit]);
            params.push(small);
            let also = self.value(&mut condition, &params, &boolean(&[]));
            let both = condition.call("and", &[small, also]);
            condition.finish(vec![both])
        });
        let op = Loop { trip: Dim::from(trip), condition, body, carried: carried.len() };
        let operands = carried.into_iter().chain(captures).collect();
        let values = b.bind(Op::Loop(Arc::new(op)), operands, types);
        // Empty arrays make for dull programs.
        values.into_iter().filter(|v| b.ty(*v).count() > 0).collect()
    }

    fn choose(&mut self, b: &mut Build, pool: &[Value]) -> Vec<Value> {
        let condition = self.value(b, pool, &boolean(&[]));
        let captures = self.captures(pool);
        let types: Vec<Ty> = (0..1 + self.dice.below(2)).map(|_| self.ty()).collect();
        let branch = |gen_: &mut Gen| {
            let mut branch = Build::new("branch", b.span());
            let mut params: Vec<Value> = captures.iter().map(|v| branch.param(b.ty(*v).clone())).collect();
            gen_.depth -= 1;
            gen_.bindings(&mut branch, &mut params, 4);
            gen_.depth += 1;
            let results = types.iter().map(|ty| gen_.value(&mut branch, &params, ty)).collect();
            branch.finish(results)
        };
        let op = If { then: branch(self), otherwise: branch(self) };
        let operands = [condition].into_iter().chain(captures).collect();
        b.bind(Op::If(Arc::new(op)), operands, types)
    }

    fn bindings(&mut self, b: &mut Build, pool: &mut Vec<Value>, count: usize) {
        for at in 0..count {
            b.at(Span::new(FileId(0), at, at + 1));
            let new = match self.dice.below(20) {
                0 if self.depth > 0 => self.repeat(b, pool),
                1 if self.depth > 0 => self.choose(b, pool),
                2..9 => vec![self.structural(b, pool)],
                _ => vec![self.primitive(b, pool)],
            };
            let new: Vec<Value> = new.into_iter().map(|v| self.small(b, v)).collect();
            let small = new.into_iter().filter(|v| b.ty(*v).count() <= 2500 && b.ty(*v).rank() < 5);
            pool.extend(small);
        }
    }
}

fn random(seed: u64, precision: Precision, whole: bool) -> (Program, Vec<Tensor>) {
    let mut generator = Gen { dice: Dice(seed), depth: 2, sums: precision == Precision::F64 || whole, whole };
    let mut b = Build::new("main", Span::default());
    let types: Vec<Ty> = (0..4).map(|_| generator.ty()).collect();
    let mut pool: Vec<Value> = types.iter().map(|ty| b.param(ty.clone())).collect();
    let count = 3 + generator.dice.below(25);
    generator.bindings(&mut b, &mut pool, count);
    let mut results: Vec<Value> = (0..3).map(|_| generator.dice.pick(&pool)).collect();
    results.push(pool[pool.len() - 1]);
    let inputs = types.iter().map(|ty| match whole {
        true => generator.tensor(ty),
        false => generator.dice.tensor(ty, precision),
    });
    let inputs = inputs.collect();
    (program(b.finish(results), precision), inputs)
}

fn check_random(seed: u64, precision: Precision, optimise: bool, whole: bool) {
    let (program, inputs) = random(seed, precision, whole);
    let expected = eval(&program, &inputs);
    let options = Options { optimise, ordered: !whole, verify: true, ..Options::default() };
    let compile = |options: &Options| {
        let compiled = compile(&program, options);
        compiled.unwrap_or_else(|refusal| panic!("seed {seed}: {refusal}\n{}", program)).instance().unwrap()
    };
    // As it is, and with all nests cut into parts, on one thread and on several.
    let in_parts = |threads| compile(&Options { large: 0, threads, ..options });
    let mut instances = vec![compile(&options)];
    if optimise {
        instances.extend([in_parts(1), in_parts(3)]);
        // With every kind of vectors that the machine has.
        let narrower =
            [Vectors::Bits128, Vectors::Bits256].into_iter().filter(|vectors| *vectors < Vectors::here());
        instances.extend(narrower.map(|vectors| compile(&Options { vectors, ..options })));
    }
    // Twice: nothing may be left over from a run.
    for at in (0..instances.len()).flat_map(|at| [at, at]) {
        let instance = &mut instances[at];
        for (at, input) in inputs.iter().enumerate() {
            instance.set(at, input);
        }
        let ran = instance.run();
        match (&expected, ran) {
            (Ok(expected), Ok(())) => {
                for (at, expected) in expected.iter().enumerate() {
                    let found = instance.get(at);
                    assert!(
                        same(expected, &found),
                        "seed {seed} {precision:?} {optimise}: result {at}\nexpected {expected:?}\nfound {found:?}\n{}\n{}",
                        program,
                        instance.compiled().plan()
                    );
                }
            }
            (Err(stop), Err(trapped)) => {
                assert_eq!((stop.span, &stop.text), (trapped.span, &trapped.message), "seed {seed}");
            }
            (expected, found) => panic!("seed {seed}: {expected:?} but {found:?}"),
        }
    }
}

fn check_many(seeds: std::ops::Range<u64>, precision: Precision, whole: bool) {
    let only = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let more = std::env::var("SEEDS").ok().and_then(|n| n.parse::<u64>().ok());
    let seeds = match (only, more) {
        (Some(seed), _) => seed..seed + 1,
        (None, Some(more)) => seeds.start..seeds.start + more,
        (None, None) => seeds,
    };
    for seed in seeds {
        check_random(seed, precision, seed % 4 != 0, whole);
    }
}

#[test]
fn random_programs_give_the_same_bits() {
    check_many(0..400, Precision::F64, false);
}

#[test]
fn random_programs_give_the_same_bits_in_single_precision() {
    check_many(100_000..100_200, Precision::F32, false);
}

#[test]
fn sums_of_whole_numbers_are_exact_in_any_order() {
    check_many(200_000..200_200, Precision::F64, true);
    check_many(300_000..300_050, Precision::F32, true);
}

/// Every primitive on all combinations of special values.
fn check_primitives(precision: Precision) {
    let reals = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        -2.5,
        2.5,
        1e-320,
        1e300,
        -1e300,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        3.7,
        -3.2,
        0.1,
        1e19,
        -1e19,
        0.49999999999999994,
        1e-40,
        100.0,
    ];
    let reals = reals.map(|x: f64| match precision {
        Precision::F64 => x,
        Precision::F32 => f64::from(x as f32),
    });
    let ints = [0, 1, -1, 2, -7, 7, i64::MAX, i64::MIN, 1 << 53, (1 << 62) + 1, 63];
    for prim in Prim::all() {
        let (takes, _) = prim.signature();
        for (number, any) in [(Elem::Real, Elem::Real), (Elem::Int, Elem::Int), (Elem::Int, Elem::Bool)] {
            let elem_of = |kind: Kind| match kind {
                Kind::Real => Elem::Real,
                Kind::Int => Elem::Int,
                Kind::Bool => Elem::Bool,
                Kind::Number => number,
                Kind::Any => any,
            };
            let elems: Vec<Elem> = takes.iter().map(|kind| elem_of(*kind)).collect();
            let count = |elem: &Elem| match elem {
                Elem::Real => reals.len(),
                Elem::Int => ints.len(),
                Elem::Bool => 2,
            };
            let total: usize = elems.iter().map(count).product();
            let mut inputs = Vec::new();
            let mut step = 1;
            for elem in &elems {
                let n = count(elem);
                let at = |k: usize| k / step % n;
                inputs.push(match elem {
                    Elem::Real => Tensor::real(&[total], (0..total).map(|k| reals[at(k)]).collect()),
                    Elem::Int => Tensor::int(&[total], (0..total).map(|k| ints[at(k)]).collect()),
                    Elem::Bool => Tensor::bool(&[total], (0..total).map(|k| at(k) == 1).collect()),
                });
                step *= n;
            }
            let mut b = Build::new("main", Span::default());
            let params: Vec<Value> = inputs.iter().map(|input| b.param(input.ty())).collect();
            let result = b.primitive(prim, &params);
            let program = program(b.finish(vec![result]), precision);
            let expected = eval(&program, &inputs).unwrap();
            let found = run_once(&program, &inputs).unwrap();
            for k in 0..total {
                let element = |t: &Tensor| match t.scalar_at(k) {
                    minima::math::Scalar::Real(x) => Tensor::scalar(x),
                    minima::math::Scalar::Int(x) => Tensor::int_scalar(x),
                    minima::math::Scalar::Bool(x) => Tensor::bool_scalar(x),
                };
                let args: Vec<_> = inputs.iter().map(|t| t.scalar_at(k)).collect();
                assert!(
                    same(&element(&expected[0]), &element(&found[0])),
                    "{prim:?}{args:?}: {:?} {:?}",
                    element(&expected[0]),
                    element(&found[0])
                );
            }
        }
    }
}

#[test]
fn every_primitive_gives_the_same_bits() {
    check_primitives(Precision::F64);
}

#[test]
fn every_primitive_gives_the_same_bits_in_single_precision() {
    check_primitives(Precision::F32);
}

#[test]
fn an_index_out_of_range_is_reported_once() {
    let mut b = Build::new("main", Span::default());
    let x = b.param(real(&[4]));
    let i = b.param(int(&[3]));
    b.at(Span::new(FileId(0), 7, 9));
    let picked = b.gather(x, &[i]);
    b.at(Span::new(FileId(0), 17, 19));
    let put = b.scatter(true, x, picked, &[i]);
    let program = program(b.finish(vec![picked, put]), Precision::F64);
    let x = Tensor::real(&[4], vec![1.0, 2.0, 3.0, 4.0]);
    for (indices, bad) in [([0, 9, -1], Some(9)), ([-1, 0, 4], Some(-1)), ([3, 0, 3], None)] {
        let found = run_once(&program, &[x.clone(), Tensor::int(&[3], indices.to_vec())]);
        match (bad, found) {
            (Some(bad), Err(Failure::Trapped(trapped))) => {
                assert_eq!(trapped.span, Span::new(FileId(0), 7, 9));
                let text = format!("index {bad} is out of range for a dimension of 4");
                assert_eq!(trapped.message, text);
            }
            (None, Ok(_)) => {}
            (bad, found) => panic!("{bad:?}: {found:?}"),
        }
    }
}

#[test]
fn an_empty_array_cannot_be_indexed() {
    let mut b = Build::new("main", Span::default());
    let x = b.param(real(&[0, 1000]));
    let i = b.param(int(&[2]));
    let picked = b.gather(x, &[i]);
    let program = program(b.finish(vec![picked]), Precision::F64);
    let inputs = [Tensor::real(&[0, 1000], vec![]), Tensor::int(&[2], vec![0, 1])];
    let found = run_once(&program, &inputs);
    assert!(matches!(found, Err(Failure::Trapped(_))), "{found:?}");
}

/// A chain of scalar bindings.
fn chain(length: usize) -> Program {
    let mut b = Build::new("main", Span::default());
    let x = b.param(real(&[]));
    let mut early = Vec::new();
    let mut last = x;
    for at in 0..length {
        let other = if at % 7 == 3 && at > 50 { early[at / 2 % early.len()] } else { x };
        last = b.call(["add", "mul", "minimum", "sub"][at % 4], &[last, other]);
        early.push(last);
    }
    program(b.finish(vec![last]), Precision::F64)
}

#[test]
fn long_chains_are_cut_into_chunks() {
    let inputs = [Tensor::scalar(1.000_1)];
    let mut counts = Vec::new();
    for length in [100, 10_000, 20_000, 100_000] {
        let program = chain(length);
        let compiled = compile(&program, &Options { verify: false, ..Options::default() }).unwrap();
        let mut instance = compiled.instance().unwrap();
        instance.set(0, &inputs[0]);
        instance.run().unwrap();
        let expected = eval(&program, &inputs).unwrap();
        assert!(same(&expected[0], &instance.get(0)), "{length}");
        counts.push(compiled.figures().functions);
    }
    assert_eq!(counts[0], 1);
    assert!(counts[1] >= 8 && counts[2] <= counts[1] * 5 / 2, "{counts:?}");
    assert!(counts[3] <= counts[1] * 12, "{counts:?}");
}

#[test]
fn long_chains_in_loops_are_cut_into_chunks() {
    let inner = chain(6000).main;
    let mut b = Build::new("main", Span::default());
    let x = b.param(real(&[]));
    let mut body = Build::new("body", Span::default());
    let _ = body.param(int(&[]));
    let carried = body.param(real(&[]));
    let capture = body.param(real(&[]));
    let both = body.call("add", &[carried, capture]);
    let result = body.inline(&inner, &[both])[0];
    let again = body.inline(&inner, &[carried])[0];
    let result = body.call("maximum", &[result, again]);
    let body = body.finish(vec![result, both]);
    let op = Loop { trip: Dim::from(3), condition: None, body, carried: 1 };
    let values = b.bind(Op::Loop(Arc::new(op)), vec![x, x], vec![real(&[]), real(&[3])]);
    let program = program(b.finish(values), Precision::F64);
    let inputs = [Tensor::scalar(0.5)];
    let expected = eval(&program, &inputs).unwrap();
    let found = run_once(&program, &inputs).unwrap();
    assert!(same(&expected[0], &found[0]) && same(&expected[1], &found[1]), "{expected:?} {found:?}");
}

#[test]
fn many_carried_values_live_in_memory() {
    let mut b = Build::new("main", Span::default());
    let first: Vec<Value> = (0..200).map(|k| b.real(f64::from(k))).collect();
    let mut body = Build::new("body", Span::default());
    let _ = body.param(int(&[]));
    let carried: Vec<Value> = first.iter().map(|_| body.param(real(&[]))).collect();
    let mut next = carried.clone();
    next.rotate_left(1);
    let body = body.finish(next);
    let op = Loop { trip: Dim::from(7), condition: None, body, carried: 200 };
    let values = b.bind(Op::Loop(Arc::new(op)), first, vec![real(&[]); 200]);
    let program = program(b.finish(vec![values[0], values[199]]), Precision::F64);
    let found = run_once(&program, &[]).unwrap();
    assert_eq!((found[0].reals()[0], found[1].reals()[0]), (7.0, 6.0));
}

#[test]
fn results_are_carried_to_parameters() {
    let mut b = Build::new("main", Span::default());
    let x = b.param(real(&[3]));
    let y = b.param(real(&[3]));
    let sum = b.call("add", &[x, y]);
    let program = program(b.finish(vec![y, sum]), Precision::F64);
    let mut instance = compile(&program, &Options::default()).unwrap().instance().unwrap();
    instance.set(0, &Tensor::real(&[3], vec![0.0; 3]));
    instance.set(1, &Tensor::real(&[3], vec![1.0; 3]));
    for _ in 0..10 {
        instance.run().unwrap();
        instance.carry(&[(0, 0), (1, 1)]);
    }
    assert_eq!(instance.get(1).reals(), [89.0; 3]);
}

#[test]
fn too_much_memory_is_refused() {
    let mut b = Build::new("main", Span::default());
    let one = b.real(1.0);
    let wide = b.broadcast(one, &known(&[1 << 20, 1 << 20]), &[]);
    let squared = b.call("mul", &[wide, wide]);
    let program = program(b.finish(vec![squared]), Precision::F64);
    let options = Options { memory_limit: 1 << 30, ..Options::default() };
    let refusal = compile(&program, &options).unwrap_err();
    assert!(matches!(refusal, codegen::Refusal::Memory { .. }), "{refusal}");
}

#[test]
fn a_stop_flag_ends_long_loops() {
    let mut b = Build::new("main", Span::default());
    let x = b.real(0.0);
    let mut body = Build::new("body", Span::default());
    let _ = body.param(int(&[]));
    let carried = body.param(real(&[]));
    let one = body.real(1.0);
    let next = body.call("add", &[carried, one]);
    let body = body.finish(vec![next]);
    let op = Loop { trip: Dim::from(1 << 60), condition: None, body, carried: 1 };
    let values = b.bind(Op::Loop(Arc::new(op)), vec![x], vec![real(&[])]);
    let program = program(b.finish(values), Precision::F64);
    let mut instance = compile(&program, &Options::default()).unwrap().instance().unwrap();
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    instance.watch(stop.clone());
    let clock = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(50));
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    instance.run().unwrap();
    clock.join().unwrap();
    assert!(instance.stopped() && instance.real_scalar(0) > 1e3);
}

#[test]
fn matrix_products_agree_with_the_oracle() {
    let mut dice = Dice(5);
    for (m, k, n) in [(3, 4, 5), (40, 50, 60), (64, 17, 33), (1, 200, 90), (90, 200, 1), (20, 300, 20)] {
        for (a_axis, b_axis) in [(1, 0), (0, 0), (1, 1), (0, 1)] {
            for precision in [Precision::F64, Precision::F32] {
                let shape = |first: usize, second: usize, swap: bool| {
                    if swap { [second, first] } else { [first, second] }
                };
                let mut b = Build::new("main", Span::default());
                let x = b.param(real(&shape(m, k, a_axis == 0)));
                let y = b.param(real(&shape(k, n, b_axis == 1)));
                let product = b.dot(x, y, &[], &[(a_axis, b_axis)]);
                let turned = b.permute(product, &[1, 0]);
                let program = program(b.finish(vec![product, turned]), precision);
                let mut input = |sizes: [usize; 2]| {
                    let data = (0..sizes[0] * sizes[1])
                        .map(|_| f64::from((dice.below(2000) as f32 - 1000.0) / 256.0));
                    Tensor::real(&sizes, data.collect())
                };
                let inputs = [input(shape(m, k, a_axis == 0)), input(shape(k, n, b_axis == 1))];
                let expected = eval(&program, &inputs).unwrap();
                let found = run_once(&program, &inputs).unwrap();
                let tolerance = if precision == Precision::F64 { 1e-12 } else { 1e-3 };
                for (expected, found) in expected.iter().zip(&found) {
                    assert!(near(expected, found, tolerance), "{m} {k} {n} {a_axis} {b_axis} {precision:?}");
                }
            }
        }
    }
}

/// Products in which zero times anything is zero: infinite and NaN factors meet zeros only.
#[test]
fn masked_products_keep_their_zeros() {
    let mut dice = Dice(9);
    for (m, k, n) in [(3, 4, 5), (40, 50, 60), (20, 300, 20)] {
        for precision in [Precision::F64, Precision::F32] {
            let mut b = Build::new("main", Span::default());
            let x = b.param(real(&[m, k]));
            let y = b.param(real(&[k, n]));
            let dot = minima::ops::Dot { batch: vec![], contract: vec![(1, 0)], masked: true };
            let product = b.structural(dot, &[x, y]);
            let program = program(b.finish(vec![product]), precision);
            let mut inputs = [[m, k], [k, n]].map(|sizes| {
                let data = (0..sizes[0] * sizes[1]).map(|_| (dice.below(200) as f64 - 100.0) / 16.0);
                data.collect::<Vec<f64>>()
            });
            for (at, bad) in [(0, f64::INFINITY), (1, f64::NAN), (k - 1, f64::NEG_INFINITY)] {
                (0..m).for_each(|i| inputs[0][i * k + at] = 0.0);
                (0..n).for_each(|j| inputs[1][at * n + j] = bad);
            }
            let [x, y] = inputs;
            let inputs = [Tensor::real(&[m, k], x), Tensor::real(&[k, n], y)];
            let expected = eval(&program, &inputs).unwrap();
            let found = run_once(&program, &inputs).unwrap();
            let tolerance = if precision == Precision::F64 { 1e-12 } else { 1e-3 };
            assert!(expected[0].reals().iter().all(|x| x.is_finite()));
            assert!(near(&expected[0], &found[0], tolerance), "{m} {k} {n} {precision:?}");
        }
    }
}

#[test]
fn long_sums_agree_with_the_oracle() {
    let mut dice = Dice(6);
    for sizes in [vec![1000], vec![37, 53], vec![53, 37], vec![5, 6, 70]] {
        for axis in 0..sizes.len() {
            let mut b = Build::new("main", Span::default());
            let x = b.param(real(&sizes));
            let squared = b.call("mul", &[x, x]);
            let all: Vec<usize> = (0..sizes.len()).collect();
            let results = vec![
                b.reduce(Fold::Sum, squared, &[axis]),
                b.reduce(Fold::Sum, x, &all),
                b.reduce(Fold::Max, squared, &[axis]),
            ];
            let program = program(b.finish(results), Precision::F64);
            let count: usize = sizes.iter().product();
            let inputs = [Tensor::real(&sizes, (0..count).map(|_| dice.below(1000) as f64 / 7.0).collect())];
            let expected = eval(&program, &inputs).unwrap();
            let found = run_once(&program, &inputs).unwrap();
            for (expected, found) in expected.iter().zip(&found) {
                assert!(near(expected, found, 1e-13), "{sizes:?} {axis}");
            }
        }
    }
}

/// A chain of array bindings, with a sum now and then.
fn array_chain(length: usize, sum_every: usize) -> Program {
    let mut b = Build::new("main", Span::default());
    let x = b.param(real(&[100]));
    let mut last = x;
    let mut early = vec![x];
    for at in 0..length {
        let other = early[at / 3 % early.len()];
        last = b.call(["add", "minimum", "sub", "mul"][at % 4], &[last, other]);
        if at % sum_every == sum_every - 1 {
            let sum = b.reduce(Fold::Max, last, &[0]);
            last = b.call("div", &[last, sum]);
        }
        early.push(last);
    }
    program(b.finish(vec![last]), Precision::F64)
}

#[test]
fn compile_work_grows_with_the_program() {
    let options = Options { verify: false, ..Options::default() };
    for every in [7, 1_000_000] {
        let figures = |length: usize| {
            let clock = std::time::Instant::now();
            let figures = compile(&array_chain(length, every), &options).unwrap().figures();
            println!("{length} {every}: {figures:?} {:?}", clock.elapsed());
            figures
        };
        let (small, large) = (figures(3000), figures(6000));
        assert!(large.code <= small.code * 5 / 2, "{small:?} {large:?}");
        assert!(large.functions <= small.functions * 5 / 2 + 2, "{small:?} {large:?}");
    }
}

/// A place of a carried array is changed where the array is, also if the place is looked at as it was:
/// the work of a turn does not grow with the array.
#[test]
fn loops_put_elements_in_place() {
    let (n, late) = (1000, [false, true]);
    for late in late {
        let mut body = Build::new("turn", Span::default());
        let k = body.param(Ty::scalar(Elem::Int));
        let (sum, path) = (body.param(real(&[])), body.param(real(&[n])));
        let before = if late { None } else { Some(body.gather(path, &[k])) };
        let half = body.real(0.5);
        let put = body.scatter(false, path, half, &[k]);
        let before = before.unwrap_or_else(|| body.gather(path, &[k]));
        let sum = body.call("add", &[sum, before]);
        let body = body.finish(vec![sum, put]);
        let mut main = Build::new("main", Span::default());
        let path = main.param(real(&[n]));
        let zero = main.real(0.0);
        let op = Loop { trip: Dim::from(n), condition: None, body, carried: 2 };
        let results = main.bind(Op::Loop(Arc::new(op)), vec![zero, path], vec![real(&[]), real(&[n])]);
        let program = program(main.finish(results), Precision::F64);
        let plan = minima::plan::plan(&program, Choices::default()).unwrap();
        let found = plan.body.steps.iter().find_map(|step| match step {
            Step::Loop(step) => step.body.steps.iter().find_map(|step| match step {
                Step::Kernel(step) => Some((step.item, step.operands[0])),
                _ => None,
            }),
            _ => None,
        });
        let (next, state) = found.expect("the loop puts elements");
        assert_eq!(plan.offset(next), plan.offset(state), "late = {late}");
        let path = Tensor::real(&[n], (0..n).map(|i| i as f64).collect());
        let native = run_once(&program, std::slice::from_ref(&path)).unwrap();
        let wanted = eval(&program, &[path]).unwrap();
        assert!(native.iter().zip(&wanted).all(|(a, b)| same(a, b)), "{native:?}");
    }
}

#[test]
fn powers_of_known_numbers_have_the_bits_of_single_ones() {
    for precision in [Precision::F64, Precision::F32] {
        let mut b = Build::new("main", Span::default());
        let n = b.param(int(&[]));
        let base = b.real(0.9);
        let power = b.call("powi", &[base, n]);
        let program = program(b.finish(vec![power]), precision);
        for n in [0, 1, 3, 63, 64, 65, 4095, 4096, 1 << 24, -1, -3, -64, -4097] {
            let inputs = [Tensor::int_scalar(n)];
            let found = run_once(&program, &inputs).unwrap();
            let expected = eval(&program, &inputs).unwrap();
            assert!(same(&expected[0], &found[0]), "0.9^{n} {precision:?}: {expected:?} {found:?}");
        }
    }
}
