//! Python's `decimal.Decimal` where its results are visible: texts, and arithmetic in the default context
//! (28 digits, half-even).

use std::cmp::Ordering;

use bigdecimal::num_bigint::{BigInt, Sign};
use bigdecimal::{BigDecimal, RoundingMode, ToPrimitive as _, Zero as _};

const PRECISION: u64 = 28;

/// `str(Decimal)`.
pub fn to_text(value: &BigDecimal) -> String {
    let (int, scale) = value.as_bigint_and_exponent();
    let exp = scale.saturating_neg();
    let negative = int.sign() == Sign::Minus;
    let digits = int.magnitude().to_str_radix(10);
    let count = digits.len() as i64;
    let left = exp.saturating_add(count);
    // Huge exponents always take the scientific form, so the padding below is bounded.
    let point = if exp <= 0 && left > -6 { left } else { 1 };
    let mut out = String::with_capacity(digits.len() + 8);
    if negative {
        out.push('-');
    }
    if point <= 0 {
        out.push_str("0.");
        out.extend(std::iter::repeat_n('0', point.unsigned_abs() as usize));
        out.push_str(&digits);
    } else if point >= count {
        out.push_str(&digits);
        out.extend(std::iter::repeat_n('0', (point - count) as usize));
    } else {
        let (a, b) = digits.split_at(point as usize);
        out.push_str(a);
        out.push('.');
        out.push_str(b);
    }
    if left != point {
        let e = left - point;
        out.push_str(&format!("E{}{}", if e < 0 { '-' } else { '+' }, e.unsigned_abs()));
    }
    out
}

/// Nearest float.
pub fn to_float(value: &BigDecimal) -> f64 {
    value.to_f64().unwrap_or(f64::NAN)
}

fn fix(value: BigDecimal) -> BigDecimal {
    if value.digits() <= PRECISION {
        return value;
    }
    let scale = value.fractional_digit_count() - (value.digits() - PRECISION) as i64;
    value.with_scale_round(scale, RoundingMode::HalfEven)
}

fn close(a: &BigDecimal, b: &BigDecimal) -> bool {
    // Exponents this far apart would make the exact sum a number of millions of digits.
    (a.fractional_digit_count() - b.fractional_digit_count()).unsigned_abs() < 4096
}

/// `a + b`.
pub fn add(a: &BigDecimal, b: &BigDecimal) -> BigDecimal {
    if !close(a, b) {
        return fix(if compare_magnitude(a, b) == Ordering::Less { b.clone() } else { a.clone() });
    }
    fix(a + b)
}

/// `a - b`.
pub fn sub(a: &BigDecimal, b: &BigDecimal) -> BigDecimal {
    add(a, &-b.clone())
}

/// `a * b`.
pub fn mul(a: &BigDecimal, b: &BigDecimal) -> BigDecimal {
    fix(a * b)
}

fn compare_magnitude(a: &BigDecimal, b: &BigDecimal) -> Ordering {
    let adjusted = |d: &BigDecimal| d.digits() as i64 - d.fractional_digit_count();
    adjusted(a).cmp(&adjusted(b))
}

fn pow10(n: i64) -> BigInt {
    BigInt::from(10).pow(n.clamp(0, 100_000) as u32)
}

/// `a / b`; `None` where Python raises (division by zero).
pub fn div(a: &BigDecimal, b: &BigDecimal) -> Option<BigDecimal> {
    if b.is_zero() {
        return None;
    }
    let (ai, ascale) = a.as_bigint_and_exponent();
    let (bi, bscale) = b.as_bigint_and_exponent();
    let ideal = bscale - ascale;
    if ai.is_zero() {
        return Some(BigDecimal::new(BigInt::zero(), -ideal));
    }
    let shift = bi.magnitude().to_str_radix(10).len() as i64 - ai.magnitude().to_str_radix(10).len() as i64
        + PRECISION as i64
        + 1;
    let mut exp = ideal - shift;
    let (num, den) = if shift >= 0 { (ai * pow10(shift), bi) } else { (ai, bi * pow10(-shift)) };
    let mut coeff = &num / &den;
    let rest = &num % &den;
    if rest.is_zero() {
        let ten = BigInt::from(10);
        while exp < ideal && (&coeff % &ten).is_zero() {
            coeff /= &ten;
            exp += 1;
        }
    } else if (&coeff % BigInt::from(5)).is_zero() {
        // A digit that the rounding below cannot mistake for an exact half.
        coeff += if num.sign() == den.sign() { BigInt::from(1) } else { BigInt::from(-1) };
    }
    Some(fix(BigDecimal::new(coeff, -exp)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::str::FromStr as _;

    fn d(s: &str) -> BigDecimal {
        BigDecimal::from_str(s).unwrap()
    }

    #[test]
    fn texts_keep_the_digits() {
        for s in ["12.50", "893.0008231355978708", "0.000001", "1E-7", "1E-10", "0", "-3.40", "0.00", "1E+3"]
        {
            assert_eq!(to_text(&d(s)), s);
        }
    }

    #[test]
    fn division_has_28_digits() {
        assert_eq!(to_text(&div(&d("1"), &d("3")).unwrap()), "0.3333333333333333333333333333");
        assert_eq!(to_text(&div(&d("-2"), &d("3")).unwrap()), "-0.6666666666666666666666666667");
        assert_eq!(to_text(&div(&d("10"), &d("4")).unwrap()), "2.5");
        assert_eq!(to_text(&div(&d("1.00"), &d("2")).unwrap()), "0.50");
        assert_eq!(div(&d("1"), &d("0")), None);
    }
}
