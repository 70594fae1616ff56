//! Python's format specification for numbers, as far as `"{:…}".format(value)` can meet it here.

use infra::engines::column::Scalar;

use crate::frame::{as_f64, decimal, python};

struct Spec {
    fill: char,
    align: Option<char>,
    sign: char,
    width: usize,
    comma: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

fn parse(spec: &str) -> Option<Spec> {
    let chars: Vec<char> = spec.chars().collect();
    let at = |i: usize| chars.get(i).copied();
    let is_align = |c: Option<char>| matches!(c, Some('<' | '>' | '^' | '='));
    let mut s =
        Spec { fill: ' ', align: None, sign: '-', width: 0, comma: None, precision: None, kind: None };
    let mut i = 0;
    if is_align(at(1)) {
        s.fill = at(0)?;
        s.align = at(1);
        i = 2;
    } else if is_align(at(0)) {
        s.align = at(0);
        i = 1;
    }
    if let Some(c @ ('+' | '-' | ' ')) = at(i) {
        s.sign = c;
        i += 1;
    }
    if at(i) == Some('0') {
        s.fill = '0';
        s.align.get_or_insert('=');
        i += 1;
    }
    let number = |i: &mut usize| {
        let mut n: Option<usize> = None;
        while let Some(d) = at(*i).and_then(|c| c.to_digit(10)) {
            n = Some(n.unwrap_or(0).saturating_mul(10).saturating_add(d as usize));
            *i += 1;
        }
        n
    };
    s.width = number(&mut i).unwrap_or(0);
    if let Some(c @ (',' | '_')) = at(i) {
        s.comma = Some(c);
        i += 1;
    }
    if at(i) == Some('.') {
        i += 1;
        s.precision = Some(number(&mut i)?);
    }
    s.kind = at(i);
    if s.kind.is_some() {
        i += 1;
    }
    // Bounds keep a hostile format from making gigabytes of zeros.
    (i == chars.len() && s.width <= 1000 && s.precision.unwrap_or(0) <= 300).then_some(s)
}

/// The formatted value, or `None` where Python raises.
pub(super) fn format(value: &Scalar, spec: &str) -> Option<String> {
    if spec.contains(['{', '}']) {
        return None;
    }
    if spec.is_empty() {
        return Some(python::str_of(value));
    }
    let s = parse(spec)?;
    let body = match (value, s.kind) {
        (Scalar::Text(t), None | Some('s')) if s.comma.is_none() => {
            let cut: String = t.chars().take(s.precision.unwrap_or(usize::MAX)).collect();
            return Some(padded("", &cut, &Spec { align: s.align.or(Some('<')), ..s }));
        }
        (Scalar::Int(i), None | Some('d')) if s.precision.is_none() => i.unsigned_abs().to_string(),
        (Scalar::Int(_) | Scalar::Float(_) | Scalar::Bool(_), Some('f' | 'F' | '%' | 'e' | 'E')) => {
            let x = as_f64(value)?.abs();
            real(x, s.precision.unwrap_or(6), s.kind?)
        }
        (Scalar::Decimal(d), Some('f' | 'F' | '%')) => {
            let x = decimal::to_float(d).abs();
            let digits = match (s.precision, s.kind) {
                (Some(p), _) => p,
                (None, Some('%')) => (d.fractional_digit_count() - 2).max(0) as usize,
                (None, _) => d.fractional_digit_count().max(0) as usize,
            };
            real(x, digits, s.kind?)
        }
        (Scalar::Float(x), None) if s.precision.is_none() => python::float_repr(x.abs()),
        _ => return None,
    };
    let negative = as_f64(value).is_some_and(|x| x.is_sign_negative() && !x.is_nan());
    let body = match s.comma {
        Some(c) => grouped(&body, c),
        None => body,
    };
    let sign = match (negative, s.sign) {
        (true, _) => "-",
        (false, '+') => "+",
        (false, ' ') => " ",
        _ => "",
    };
    Some(padded(sign, &body, &s))
}

fn real(x: f64, digits: usize, kind: char) -> String {
    if x.is_nan() {
        return if kind == '%' { "nan%".into() } else { "nan".into() };
    }
    match kind {
        '%' => format!("{:.digits$}%", x * 100.0),
        'e' | 'E' => {
            let text = format!("{x:.digits$e}");
            let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |e| ('-', e));
            let text = format!("{mantissa}e{sign}{exponent:0>2}");
            if kind == 'E' { text.to_uppercase() } else { text }
        }
        _ => format!("{x:.digits$}"),
    }
}

fn grouped(text: &str, separator: char) -> String {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (whole, rest) = text.split_at(end);
    let mut out = String::new();
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(separator);
        }
        out.push(c);
    }
    out + rest
}

fn padded(sign: &str, body: &str, s: &Spec) -> String {
    let missing = s.width.saturating_sub(sign.chars().count() + body.chars().count());
    let fill = |n: usize| std::iter::repeat_n(s.fill, n).collect::<String>();
    match s.align {
        Some('<') => format!("{sign}{body}{}", fill(missing)),
        Some('^') => format!("{}{sign}{body}{}", fill(missing / 2), fill(missing - missing / 2)),
        Some('=') => format!("{sign}{}{body}", fill(missing)),
        _ => format!("{}{sign}{body}", fill(missing)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_as_python() {
        let f = |v: Scalar, s: &str| format(&v, s);
        assert_eq!(f(Scalar::Int(1_234_567), ",d").as_deref(), Some("1,234,567"));
        assert_eq!(f(Scalar::Float(-1234.5), ",.2f").as_deref(), Some("-1,234.50"));
        assert_eq!(f(Scalar::Float(0.1234), ".1%").as_deref(), Some("12.3%"));
        assert_eq!(f(Scalar::Int(5), "+08.2f").as_deref(), Some("+0005.00"));
        assert_eq!(f(Scalar::Int(5), "SMART_NUMBER"), None);
        assert_eq!(f(Scalar::Float(1.5), "d"), None);
        assert_eq!(f(Scalar::Float(12345.678), ".2e").as_deref(), Some("1.23e+04"));
    }
}
