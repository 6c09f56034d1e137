//! The loops of row 10 in Rust, compiled by the benchmark with `-C opt-level=3 -C target-cpu=native`. A peer like those in
//! Python: one JSON object a line. Sums are held in 32 accumulators, so that they can be vectorised.

use std::hint::black_box;
use std::io::BufRead as _;
use std::time::Instant;

#[inline(never)]
fn axpy(a: f64, x: &[f64], y: &mut [f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y = a.mul_add(*x, *y);
    }
}

#[inline(never)]
fn dot(x: &[f64], y: &[f64]) -> f64 {
    let mut sums = [0.0; 32];
    let (xs, ys) = (x.chunks_exact(32), y.chunks_exact(32));
    let mut rest = 0.0;
    for (x, y) in xs.remainder().iter().zip(ys.remainder()) {
        rest += x * y;
    }
    for (x, y) in xs.zip(ys) {
        for ((sum, x), y) in sums.iter_mut().zip(x).zip(y) {
            *sum = x.mul_add(*y, *sum);
        }
    }
    rest + sums.iter().sum::<f64>()
}

/// The number behind a name in an object.
fn number(line: &str, name: &str) -> usize {
    let behind = line.split(&format!("\"{name}\":")).nth(1).unwrap_or_default();
    let digits: String = behind.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

struct Work {
    is_dot: bool,
    turns: usize,
    x: Vec<f64>,
    y: Vec<f64>,
}

impl Work {
    fn run(&self) -> Vec<f64> {
        if self.is_dot {
            return vec![dot(black_box(&self.x), black_box(&self.y))];
        }
        let mut y = self.y.clone();
        for _ in 0..self.turns {
            axpy(black_box(1e-3), black_box(&self.x), black_box(&mut y));
        }
        y
    }

    fn seconds(&self, times: usize, processor: bool) -> f64 {
        let (begin, worked_before) = (Instant::now(), worked());
        for _ in 0..times {
            black_box(self.run());
        }
        let seconds = if processor { worked() - worked_before } else { begin.elapsed().as_secs_f64() };
        seconds / times as f64
    }
}

/// Seconds that this thread has worked, as the system tells it.
fn worked() -> f64 {
    std::thread::yield_now();
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    told.split(' ').next().and_then(|text| text.parse::<f64>().ok()).map_or(f64::NAN, |n| n * 1e-9)
}

fn main() {
    println!("{{\"versions\":{{\"Rust\":\"-C target-cpu=native\"}}}}");
    let mut work = None;
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        if line.contains("\"setup\"") {
            let is_dot = line.contains("\"dot\"");
            if !is_dot && !line.contains("\"axpy\"") {
                println!("{{\"missing\":true}}");
                continue;
            }
            let (n, turns) = (number(&line, "n"), number(&line, "turns"));
            let x = (0..n).map(|i| (1.0 + i as f64).sin()).collect();
            let y = (0..n).map(|i| (2.0 + i as f64).cos()).collect();
            let made: &Work = work.insert(Work { is_dot, turns, x, y });
            println!("{{\"seconds\":{:e}}}", made.seconds(1, false));
        } else if let Some(work) = &work {
            if line.contains("\"values\"") {
                println!("{{\"values\":{:?}}}", work.run());
            } else {
                println!("{{\"seconds\":{:e}}}", work.seconds(number(&line, "times"), line.contains("\"processor\":true")));
            }
        }
    }
}
