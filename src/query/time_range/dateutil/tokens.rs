//! The lexer: runs of letters, runs of digits (with a decimal point), white space, and every other character alone.

#[derive(Clone, Copy, PartialEq)]
enum State {
    Start,
    Word,
    Number,
    WordDot,
    NumberDot,
}

/// Splits a text. Dots may be decimal points or separators; runs that turn out to have used them as separators are
/// split again.
pub(super) fn split(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut chars = text.chars().filter(|c| *c != '\0').peekable();
    while chars.peek().is_some() {
        let mut token = String::new();
        let mut state = State::Start;
        let mut letters = false;
        while let Some(c) = chars.peek().copied() {
            let (alpha, digit) = (c.is_alphabetic(), c.is_ascii_digit());
            match state {
                State::Start if alpha => state = State::Word,
                State::Start if digit => state = State::Number,
                State::Start => {
                    chars.next();
                    token.push(if c.is_whitespace() { ' ' } else { c });
                    break;
                }
                State::Word | State::WordDot => {
                    letters = true;
                    if state == State::Word && c == '.' {
                        state = State::WordDot;
                    } else if state == State::WordDot && digit && token.ends_with('.') {
                        state = State::NumberDot;
                    } else if !(alpha || state == State::WordDot && c == '.') {
                        break;
                    }
                }
                State::Number if digit => {}
                State::Number if c == '.' || (c == ',' && token.len() >= 2) => state = State::NumberDot,
                State::Number => break,
                State::NumberDot if c == '.' || digit => {}
                State::NumberDot if alpha && token.ends_with('.') => state = State::WordDot,
                State::NumberDot => break,
            }
            chars.next();
            token.push(c);
        }
        let dots = token.matches('.').count();
        if matches!(state, State::WordDot | State::NumberDot)
            && (letters || dots > 1 || token.ends_with(['.', ',']))
        {
            let mut pieces = split_keeping(&token).into_iter();
            let first = pieces.next().unwrap_or_default();
            out.push(if state == State::NumberDot && !first.contains('.') {
                first.replace(',', ".")
            } else {
                first
            });
            out.extend(pieces.filter(|p| !p.is_empty()));
        } else if state == State::NumberDot && dots == 0 {
            out.push(token.replace(',', "."));
        } else {
            out.push(token);
        }
    }
    out
}

/// `re.split("([.,])", token)`.
fn split_keeping(token: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    for c in token.chars() {
        if matches!(c, '.' | ',') {
            out.push(c.to_string());
            out.push(String::new());
        } else if let Some(last) = out.last_mut() {
            last.push(c);
        }
    }
    out
}

/// Digits with at most one decimal point. `nan` and `inf` are numbers to Python, and refused right after.
pub(super) fn is_number(token: &str) -> bool {
    token.starts_with(|c: char| c.is_ascii_digit())
        || matches!(token.to_ascii_lowercase().as_str(), "nan" | "inf" | "infinity")
}
