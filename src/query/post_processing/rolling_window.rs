//! Moving windows over numbers (`pandas._libs.window.aggregations`): sums are kept with compensation and extremes in
//! a queue, so that the cost does not grow with the window.

use std::collections::VecDeque;

use infra::compute::check;

use crate::frame::{FrameError, Result};

/// What is computed per window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Count,
    Sum,
    Mean,
    Min,
    Max,
    Var(i64),
    Std(i64),
    Skew,
    Kurt,
    Quantile(f64),
}

/// The shape of the window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) size: usize,
    pub(super) min_periods: Option<usize>,
    pub(super) center: bool,
}

/// Most steps for the functions whose cost grows with the window.
const MAX_STEPS: usize = 4_000_000_000;

/// The function over every window; NaN where the window holds too few values.
pub(super) fn roll(values: &[f64], kind: Kind, window: Window) -> Result<Vec<f64>> {
    let n = values.len();
    let values: Vec<f64> = values.iter().map(|x| if x.is_infinite() { f64::NAN } else { *x }).collect();
    let size = window.size.min(n.saturating_mul(2).max(1));
    let offset = if window.center { (window.size - 1) / 2 } else { 0 };
    let min = window.min_periods.unwrap_or(window.size);
    let bounds = (0..n).map(|i| {
        let end = i + 1 + offset;
        (end.saturating_sub(window.size).min(n), end.min(n))
    });
    if matches!(kind, Kind::Skew | Kind::Kurt | Kind::Quantile(_))
        && n.saturating_mul(size.min(n)) > MAX_STEPS
    {
        return Err(FrameError::unexpected("Unable to allocate the rolling window"));
    }
    Ok(match kind {
        Kind::Count => counts(&values, bounds, min),
        Kind::Sum => sums(&values, bounds, min, false),
        Kind::Mean => sums(&values, bounds, min, true),
        Kind::Min => extremes(&values, bounds, min, |new, old| new <= old),
        Kind::Max => extremes(&values, bounds, min, |new, old| new >= old),
        Kind::Var(ddof) => variances(&values, bounds, min, ddof, false),
        Kind::Std(ddof) => variances(&values, bounds, min, ddof, true),
        Kind::Skew => moments(&values, bounds, min, 3)?,
        Kind::Kurt => moments(&values, bounds, min, 4)?,
        Kind::Quantile(q) => quantiles(&values, bounds, min, q)?,
    })
}

fn present(values: &[f64], from: usize, to: usize) -> impl Iterator<Item = f64> + '_ {
    values.get(from..to).unwrap_or_default().iter().copied().filter(|x| !x.is_nan())
}

fn counts(values: &[f64], bounds: impl Iterator<Item = (usize, usize)>, min: usize) -> Vec<f64> {
    let mut total = 0usize;
    let mut last = (0, 0);
    bounds
        .map(|(a, b)| {
            total += present(values, last.1, b).count();
            total -= present(values, last.0, a).count();
            last = (a, b);
            if total >= min { total as f64 } else { f64::NAN }
        })
        .collect()
}

/// A sum with Kahan compensation, separately for what enters and what leaves.
#[derive(Default)]
struct Compensated {
    sum: f64,
    entering: f64,
    leaving: f64,
}

impl Compensated {
    fn add(&mut self, x: f64) {
        let y = x - self.entering;
        let t = self.sum + y;
        self.entering = t - self.sum - y;
        self.sum = t;
    }
    fn remove(&mut self, x: f64) {
        let y = -x - self.leaving;
        let t = self.sum + y;
        self.leaving = t - self.sum - y;
        self.sum = t;
    }
}

/// Counts how many equal values end the window: their mean is exact and their variance zero.
#[derive(Default)]
struct Run {
    value: f64,
    length: usize,
}

impl Run {
    fn push(&mut self, x: f64) {
        if self.length > 0 && x == self.value {
            self.length += 1;
        } else {
            self.value = x;
            self.length = 1;
        }
    }
}

fn sums(values: &[f64], bounds: impl Iterator<Item = (usize, usize)>, min: usize, mean: bool) -> Vec<f64> {
    let (mut acc, mut run) = (Compensated::default(), Run::default());
    let (mut count, mut negative) = (0usize, 0usize);
    let mut last = (0, 0);
    bounds
        .map(|(a, b)| {
            if a >= last.1 {
                // Nothing of the previous window is left: begin anew, without its rounding.
                (acc, run, count, negative) = (Compensated::default(), Run::default(), 0, 0);
                last = (a, a);
            }
            for x in present(values, last.0, a) {
                count -= 1;
                negative -= usize::from(x.is_sign_negative());
                acc.remove(x);
            }
            for x in present(values, last.1, b) {
                count += 1;
                negative += usize::from(x.is_sign_negative());
                acc.add(x);
                run.push(x);
            }
            last = (a, b);
            if count == 0 {
                return if min == 0 && !mean { 0.0 } else { f64::NAN };
            }
            if count < min {
                return f64::NAN;
            }
            let same = run.length >= count;
            if !mean {
                return if same { run.value * count as f64 } else { acc.sum };
            }
            let mut r = if same { run.value } else { acc.sum / count as f64 };
            // Rounding must not give a mean of positives a sign.
            if (negative == 0 && r < 0.0) || (negative == count && r > 0.0) {
                r = 0.0;
            }
            r
        })
        .collect()
}

fn extremes(
    values: &[f64],
    bounds: impl Iterator<Item = (usize, usize)>,
    min: usize,
    wins: impl Fn(f64, f64) -> bool,
) -> Vec<f64> {
    let mut queue: VecDeque<(usize, f64)> = VecDeque::new();
    let mut count = 0usize;
    let mut last = (0, 0);
    bounds
        .map(|(a, b)| {
            for (i, x) in values.iter().enumerate().take(b).skip(last.1) {
                if x.is_nan() {
                    continue;
                }
                count += 1;
                while queue.back().is_some_and(|(_, old)| wins(*x, *old)) {
                    queue.pop_back();
                }
                queue.push_back((i, *x));
            }
            count -= present(values, last.0, a).count();
            while queue.front().is_some_and(|(i, _)| *i < a) {
                queue.pop_front();
            }
            last = (a, b);
            match queue.front() {
                Some((_, x)) if count >= min => *x,
                _ => f64::NAN,
            }
        })
        .collect()
}

fn variances(
    values: &[f64],
    bounds: impl Iterator<Item = (usize, usize)>,
    min: usize,
    ddof: i64,
    root: bool,
) -> Vec<f64> {
    let (mut mean, mut ssq, mut count, mut run) = (0.0f64, 0.0f64, 0i64, Run::default());
    let (mut add_c, mut remove_c) = (0.0f64, 0.0f64);
    let mut last = (0, 0);
    bounds
        .map(|(a, b)| {
            if a >= last.1 {
                (mean, ssq, count, run, add_c, remove_c) = (0.0, 0.0, 0, Run::default(), 0.0, 0.0);
                last = (a, a);
            }
            for x in present(values, last.0, a) {
                count -= 1;
                if count > 0 {
                    let before = mean - remove_c;
                    let y = x - remove_c;
                    let t = y - mean;
                    remove_c = t + mean - y;
                    mean -= t / count as f64;
                    ssq -= (x - before) * (x - mean);
                } else {
                    (mean, ssq) = (0.0, 0.0);
                }
            }
            for x in present(values, last.1, b) {
                count += 1;
                run.push(x);
                let before = mean - add_c;
                let y = x - add_c;
                let t = y - mean;
                add_c = t + mean - y;
                mean += t / count as f64;
                ssq += (x - before) * (x - mean);
            }
            last = (a, b);
            if count < min as i64 || count <= ddof {
                return f64::NAN;
            }
            let var =
                if count == 1 || run.length as i64 >= count { 0.0 } else { ssq / (count - ddof) as f64 };
            let var = var.max(0.0);
            if root { var.sqrt() } else { var }
        })
        .collect()
}

fn moments(
    values: &[f64],
    bounds: impl Iterator<Item = (usize, usize)>,
    min: usize,
    order: i32,
) -> Result<Vec<f64>> {
    bounds
        .map(|(a, b)| {
            check()?;
            let xs: Vec<f64> = present(values, a, b).collect();
            if xs.len() < min || xs.len() < order as usize {
                return Ok(f64::NAN);
            }
            let n = xs.len() as f64;
            let first = xs.first().copied().unwrap_or(0.0);
            if xs.iter().all(|x| *x == first) {
                return Ok(if order == 3 { 0.0 } else { -3.0 });
            }
            let mean = xs.iter().sum::<f64>() / n;
            let central = |p: i32| xs.iter().map(|x| (x - mean).powi(p)).sum::<f64>() / n;
            let b2 = central(2);
            if b2 <= 1e-14 {
                return Ok(f64::NAN);
            }
            Ok(if order == 3 {
                (n * (n - 1.0)).sqrt() * central(3) / ((n - 2.0) * b2 * b2.sqrt())
            } else {
                let k = (n * n - 1.0) * central(4) / (b2 * b2) - 3.0 * (n - 1.0) * (n - 1.0);
                k / ((n - 2.0) * (n - 3.0))
            })
        })
        .collect()
}

fn quantiles(
    values: &[f64],
    bounds: impl Iterator<Item = (usize, usize)>,
    min: usize,
    q: f64,
) -> Result<Vec<f64>> {
    let mut sorted: Vec<f64> = Vec::new();
    let mut last = (0, 0);
    bounds
        .map(|(a, b)| {
            check()?;
            for x in present(values, last.1, b) {
                let at = sorted.partition_point(|y| *y < x);
                sorted.insert(at, x);
            }
            for x in present(values, last.0, a) {
                let at = sorted.partition_point(|y| *y < x);
                if at < sorted.len() {
                    sorted.remove(at);
                }
            }
            last = (a, b);
            if sorted.is_empty() || sorted.len() < min {
                return Ok(f64::NAN);
            }
            let at = q * (sorted.len() - 1) as f64;
            let lo = at as usize;
            let low = sorted.get(lo).copied().unwrap_or(f64::NAN);
            Ok(match sorted.get(lo + 1) {
                Some(high) if q == 0.5 && at.fract() != 0.0 => (low + high) / 2.0,
                Some(high) if at.fract() != 0.0 => low + (high - low) * at.fract(),
                _ => low,
            })
        })
        .collect()
}
